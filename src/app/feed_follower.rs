//! Follows the feed of revocations: every half second, so that what one node ends is ended on all within a second. How far it has come is noted
//! beside the database by a task of its own, which nothing here waits for. Floor: roof.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::login::markers::Markers;
use crate::login::ports::{Clock, PortError, RevocationFeed};
use crate::login::sessions::Sessions;

/// design §5: the others poll every 500 ms.
const EVERY: Duration = Duration::from_millis(500);
/// How often old rows are forgotten.
const FORGET_EVERY: u32 = 1200;

/// Reads the whole feed once: a node is not ready before that.
///
/// # Errors
/// The database could not tell.
pub async fn catch_up(sessions: &Sessions, feed: &dyn RevocationFeed, clock: &dyn Clock) -> Result<i64, PortError> {
    if feed.activated_at().await?.is_some() {
        sessions.activate();
    }
    sessions.listen(feed, 0, clock.now()).await
}

/// Goes on reading until the process ends. A database that does not answer is said once, and again when it does.
pub async fn follow(
    sessions: Arc<Sessions>,
    feed: Arc<dyn RevocationFeed>,
    markers: Arc<Markers>,
    clock: Arc<dyn Clock>,
    mut last_number: i64,
) {
    let (heard_of, hears) = watch::channel(last_number);
    tokio::spawn(note(Arc::clone(&markers), Arc::clone(&clock), hears));
    let mut silent = false;
    for round in 1_u32.. {
        tokio::time::sleep(EVERY).await;
        let now = clock.now();
        let heard = match sessions.listen(&*feed, last_number, now).await {
            Ok(number) if number < last_number => {
                let ended = markers.end_all_if_behind(last_number, "this node", now).await;
                ended.map(|_| number)
            }
            Ok(number) => {
                heard_of.send_replace(number);
                Ok(number)
            }
            Err(error) => Err(error),
        };
        match heard {
            Ok(number) => {
                last_number = number;
                if silent {
                    silent = false;
                    tracing::info!("the feed of revocations answers again");
                }
            }
            Err(error) if !silent => {
                silent = true;
                tracing::error!(
                    cause = crate::login::chain(&error),
                    "the feed of revocations is silent; signed-in requests go on for session.revocation_grace"
                );
            }
            Err(_) => {}
        }
        if round.is_multiple_of(FORGET_EVERY) {
            sessions.forget_old(clock.now());
        }
    }
}

/// Compares the notes with the database after each reading of the feed. A place may take its time: what has been ended elsewhere must not wait for it.
async fn note(markers: Arc<Markers>, clock: Arc<dyn Clock>, mut hears: watch::Receiver<i64>) {
    let mut silent = false;
    while hears.changed().await.is_ok() {
        let number = *hears.borrow_and_update();
        match markers.keep(number, clock.now()).await {
            Ok(()) => silent = false,
            Err(error) if !silent => {
                silent = true;
                tracing::error!(
                    cause = crate::login::chain(&error),
                    "the notes of how far the accounts database has come cannot be compared with it; it is tried again"
                );
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::app::clock::SystemClock;
    use crate::domain::audit::AuditRecord;
    use crate::domain::keys::Keys;
    use crate::domain::pending::Activation;
    use crate::domain::revocation::FeedRow;
    use crate::domain::secret::SecretBytes;
    use crate::domain::session::SessionLifetimes;
    use crate::domain::time::UnixMillis;
    use crate::login::markers::{Installation, MarkedDatabase, MarkerPlace};
    use crate::login::ports::PortResult;
    use crate::login::sessions::SessionRules;

    #[derive(Debug, Default)]
    struct Heard(AtomicU32);

    #[async_trait]
    impl RevocationFeed for Heard {
        async fn head(&self) -> PortResult<i64> {
            Ok(0)
        }

        async fn rows_after(&self, _number: i64, _now: UnixMillis) -> PortResult<Vec<FeedRow>> {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(Vec::new())
        }

        async fn activated_at(&self) -> PortResult<Option<UnixMillis>> {
            Ok(None)
        }
    }

    #[async_trait]
    impl MarkedDatabase for Heard {
        async fn installation(&self) -> PortResult<Installation> {
            Ok(Installation { id: "aa".to_owned(), is_new: false })
        }

        async fn end_all_of_older_copy(&self, _marker: i64, _audit: &AuditRecord) -> PortResult<bool> {
            Ok(false)
        }
    }

    /// Takes a question and never answers.
    #[derive(Debug)]
    struct Stuck;

    #[async_trait]
    impl MarkerPlace for Stuck {
        fn name(&self) -> String {
            "stuck".to_owned()
        }

        async fn read(&self, _installation: &str) -> PortResult<Option<Vec<u8>>> {
            std::future::pending().await
        }

        async fn write(&self, _installation: &str, _marker: &[u8]) -> PortResult<()> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_for_notes_that_is_stuck_does_not_hold_up_what_ends() {
        let keys = Arc::new(Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap());
        let lifetimes = SessionLifetimes { idle: Duration::from_secs(3600), absolute: Duration::from_secs(36_000) };
        let rules = SessionRules { keys: Arc::clone(&keys), lifetimes, grace: Duration::from_secs(180) };
        let feed = Arc::new(Heard::default());
        let markers = Markers::new(Arc::clone(&feed) as _, vec![Arc::new(Stuck)], keys).await.unwrap();
        let sessions = Arc::new(Sessions::new(rules, Activation::Active));
        let following = follow(sessions, Arc::clone(&feed) as _, Arc::new(markers), Arc::new(SystemClock), 0);
        let outcome = tokio::time::timeout(Duration::from_secs(5), following).await;
        assert!(outcome.is_err(), "it ended");
        let heard = feed.0.load(Ordering::SeqCst);
        assert!(heard >= 9, "the feed was read {heard} times in five seconds");
    }
}
