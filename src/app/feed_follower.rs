//! Follows the feed of revocations: every half second, so that what one node ends is ended on all within a second. Floor: roof.

use std::sync::Arc;
use std::time::Duration;

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
    let mut silent = false;
    for round in 1_u32.. {
        tokio::time::sleep(EVERY).await;
        let now = clock.now();
        let heard = match sessions.listen(&*feed, last_number, now).await {
            Ok(number) if number < last_number => {
                let ended = markers.end_all_if_behind(last_number, "this node", now).await;
                ended.map(|_| number)
            }
            Ok(number) => markers.keep(number, now).await.map(|()| number),
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
