//! Staying in: whether a cookie is a live session, told from memory alone, and keeping that memory up to date from the feed.
//! No network and no lock that waits on the way of a request. Floor: login.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::ports::{PortResult, RevocationFeed};
use crate::domain::keys::Keys;
use crate::domain::pending::Activation;
use crate::domain::revocation::{FeedRow, RevocationSet, Revoked};
use crate::domain::session::{Factors, Session, SessionLifetimes};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;

/// How long a session can have been ended before it would have been over anyway (NIST SP 800-63B-4 §2.2.3: at most 24 h), and an hour for
/// clocks that differ.
const REMEMBER: Duration = Duration::from_secs(25 * 3600);

/// Why a cookie is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSession {
    /// There is no cookie.
    Absent,
    /// The cookie is there more than once.
    Doubled,
    /// Not one of ours, changed, or of a key that is not in the list.
    Unreadable,
    /// Of another site.
    OtherSite,
    /// Idle or absolute end, or from the future.
    OutOfTime,
    /// Ended: signed out, revoked, or the account has moved on.
    Ended,
}

impl NoSession {
    /// The stable name for the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "no_session",
            Self::Doubled => "doubled_cookie",
            Self::Unreadable => "unreadable_cookie",
            Self::OtherSite => "session_of_other_site",
            Self::OutOfTime => "session_out_of_time",
            Self::Ended => "session_ended",
        }
    }
}

/// What a cookie is.
#[derive(Clone, Debug)]
#[must_use]
pub enum SessionCheck {
    /// A session with every factor that is required now.
    Live(Arc<Session>),
    /// A session in time, but without the code that is required now.
    StepUp(Arc<Session>),
    None(NoSession),
    /// A session that may have been ended: the feed has been silent for too long.
    CannotTell,
}

/// How a session stands that is in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Standing {
    /// With every factor that is required now.
    Good,
    /// A code is required now, and was not shown.
    CodeOwed,
    Ended,
    /// It may have been ended: the feed has been silent for too long.
    CannotTell,
}

/// What the operator decided about sessions; a reload brings another.
#[derive(Clone, Debug)]
pub struct SessionRules {
    pub keys: Arc<Keys>,
    pub lifetimes: SessionLifetimes,
    /// How long signed-in requests go on while the feed is silent.
    pub grace: Duration,
}

/// The sessions of all sites, as this node knows them.
#[derive(Debug)]
pub struct Sessions {
    rules: ArcSwap<SessionRules>,
    ended: ArcSwap<RevocationSet>,
    writing: Mutex<()>,
    active: AtomicBool,
    heard_at: AtomicI64,
    changes: watch::Sender<()>,
}

impl Sessions {
    /// Tells nothing until the feed was heard once.
    #[must_use]
    pub fn new(rules: SessionRules, activation: Activation) -> Self {
        Self {
            rules: ArcSwap::from_pointee(rules),
            ended: ArcSwap::from_pointee(RevocationSet::default()),
            writing: Mutex::new(()),
            active: AtomicBool::new(activation == Activation::Active),
            heard_at: AtomicI64::new(i64::MIN),
            changes: watch::Sender::new(()),
        }
    }

    /// Puts other rules in place for all requests that begin from here on.
    pub fn replace_rules(&self, rules: SessionRules) {
        self.rules.store(Arc::new(rules));
        self.changes.send_replace(());
    }

    /// Tells whenever a session that was good may not be any more: something was ended, a code is required, lifetimes are other ones.
    /// What only time brings it does not tell.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Until when sessions can be told if the feed is not heard again; later each time it is heard.
    #[must_use]
    pub fn tells_until(&self) -> UnixMillis {
        UnixMillis(self.heard_at.load(Ordering::Relaxed)).plus(self.rules.load().grace)
    }

    /// For how long the feed has not been heard.
    #[must_use]
    pub fn silent_for(&self, now: UnixMillis) -> Duration {
        now.since(UnixMillis(self.heard_at.load(Ordering::Relaxed)))
    }

    /// Whether `cookie` is a live session at `site`.
    pub fn check(&self, cookie: &str, site: &SiteName, now: UnixMillis) -> SessionCheck {
        let rules = self.rules.load();
        let Some(session) = Session::from_cookie(cookie, &rules.keys) else {
            return SessionCheck::None(NoSession::Unreadable);
        };
        if session.site != *site {
            return SessionCheck::None(NoSession::OtherSite);
        }
        if !session.is_in_time(rules.lifetimes, now) {
            return SessionCheck::None(NoSession::OutOfTime);
        }
        match self.standing(&session, now) {
            Standing::Good => SessionCheck::Live(Arc::new(session)),
            Standing::CodeOwed => SessionCheck::StepUp(Arc::new(session)),
            Standing::Ended => SessionCheck::None(NoSession::Ended),
            Standing::CannotTell => SessionCheck::CannotTell,
        }
    }

    /// How a session that is in time stands with what has been ended and what is required now. Asked at every request, and again and again
    /// while a stream of the session is open.
    pub fn standing(&self, session: &Session, now: UnixMillis) -> Standing {
        if self.ended.load().has_ended(session) {
            return Standing::Ended;
        }
        if self.is_deaf(self.rules.load().grace, now) {
            return Standing::CannotTell;
        }
        match (session.factors, self.activation()) {
            (Factors::PasswordAndCode, _) | (Factors::Password, Activation::Staged) => Standing::Good,
            (Factors::Password, Activation::Active) => Standing::CodeOwed,
        }
    }

    /// The cookie of the same session seen now, when a tenth of the idle time has passed; `None` before that.
    #[must_use]
    pub fn renewed_cookie(&self, session: &Session, now: UnixMillis) -> Option<String> {
        let rules = self.rules.load();
        Some(session.renewed(rules.lifetimes, now)?.to_cookie(&rules.keys))
    }

    /// The cookie of a session that has just been opened.
    #[must_use]
    pub fn cookie(&self, session: &Session) -> String {
        session.to_cookie(&self.rules.load().keys)
    }

    /// How long sessions live.
    #[must_use]
    pub fn lifetimes(&self) -> SessionLifetimes {
        self.rules.load().lifetimes
    }

    /// Whether a code is required now.
    #[must_use]
    pub fn activation(&self) -> Activation {
        if self.active.load(Ordering::Relaxed) { Activation::Active } else { Activation::Staged }
    }

    /// From now on a session needs a code. There is no way back.
    pub fn activate(&self) {
        self.active.store(true, Ordering::Relaxed);
        self.changes.send_replace(());
    }

    /// Takes rows of the feed in at once: what this node has ended itself, or what it read.
    pub fn apply(&self, rows: &[FeedRow]) {
        if rows.is_empty() {
            return;
        }
        let _one_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut set = RevocationSet::clone(&self.ended.load());
        for row in rows {
            set.apply(row);
            if row.what == Revoked::TwoFactorActivated {
                self.activate();
            }
        }
        self.ended.store(Arc::new(set));
        self.changes.send_replace(());
    }

    /// Reads the feed once and notes that it was heard.
    ///
    /// # Errors
    /// The feed could not tell; what is known stays.
    pub async fn listen(&self, feed: &dyn RevocationFeed, last_number: i64, now: UnixMillis) -> PortResult<i64> {
        let head = feed.head().await?;
        if head < last_number {
            tracing::error!(
                head,
                last_number,
                "the feed of revocations has gone back: the database is an older copy; it is read from the start"
            );
        }
        let from = if head < last_number { 0 } else { last_number };
        let rows = feed.rows_after(from, now).await?;
        self.apply(&rows);
        self.heard_at.store(now.0, Ordering::Relaxed);
        Ok(rows.iter().map(|row| row.number).fold(head, i64::max))
    }

    /// Forgets what is older than any session.
    pub fn forget_old(&self, now: UnixMillis) {
        let _one_writer = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut set = RevocationSet::clone(&self.ended.load());
        set.forget_before(now.minus(REMEMBER));
        self.ended.store(Arc::new(set));
    }

    fn is_deaf(&self, grace: Duration, now: UnixMillis) -> bool {
        self.silent_for(now) > grace
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::domain::account::{AccountId, Epoch, PhoneVersion};
    use crate::domain::pending::LoginFacts;
    use crate::domain::secret::SecretBytes;
    use crate::domain::session::Person;
    use crate::domain::user_name::UserName;

    const LIFETIMES: SessionLifetimes =
        SessionLifetimes { idle: Duration::from_secs(3600), absolute: Duration::from_secs(36_000) };
    const NOW: UnixMillis = UnixMillis(1_000_000);

    #[derive(Debug)]
    struct Feed(Vec<FeedRow>);

    #[async_trait]
    impl RevocationFeed for Feed {
        async fn rows_after(&self, number: i64, _now: UnixMillis) -> PortResult<Vec<FeedRow>> {
            Ok(self.0.iter().filter(|row| row.number > number).cloned().collect())
        }

        async fn head(&self) -> PortResult<i64> {
            Ok(self.0.iter().map(|row| row.number).max().unwrap_or(0))
        }

        async fn activated_at(&self) -> PortResult<Option<UnixMillis>> {
            Ok(None)
        }
    }

    async fn heard(activation: Activation) -> Sessions {
        let keys = Arc::new(Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap());
        let sessions = Sessions::new(rules(keys), activation);
        sessions.listen(&Feed(Vec::new()), 0, NOW).await.unwrap();
        sessions
    }

    fn rules(keys: Arc<Keys>) -> SessionRules {
        SessionRules { keys, lifetimes: LIFETIMES, grace: Duration::from_secs(180) }
    }

    fn site() -> SiteName {
        SiteName::new("marketing")
    }

    fn session() -> Session {
        let facts = LoginFacts {
            site: site(),
            account: AccountId::from_bytes([7; 16]),
            user_name: UserName::parse("anna").unwrap(),
            epoch: Epoch(3),
            phone_version: PhoneVersion(1),
            password_at: NOW,
            ends_at: NOW,
            return_path: "/".into(),
            step_up_of: None,
        };
        Session::open_with_password_only(
            &Activation::Staged.password_only(facts).unwrap(),
            Person::default(),
            LIFETIMES,
            NOW,
        )
    }

    #[tokio::test]
    async fn a_session_is_live_at_its_own_site_only() {
        let sessions = heard(Activation::Staged).await;
        let cookie = sessions.cookie(&session());
        assert!(matches!(sessions.check(&cookie, &site(), NOW), SessionCheck::Live(_)));
        assert!(matches!(
            sessions.check(&cookie, &SiteName::new("other"), NOW),
            SessionCheck::None(NoSession::OtherSite)
        ));
        assert!(matches!(sessions.check("v1.00000000.AAAA", &site(), NOW), SessionCheck::None(NoSession::Unreadable)));
    }

    #[tokio::test]
    async fn activation_asks_open_sessions_for_a_code() {
        let sessions = heard(Activation::Staged).await;
        let cookie = sessions.cookie(&session());
        sessions.apply(&[FeedRow { number: 1, at: NOW, what: Revoked::TwoFactorActivated }]);
        assert!(matches!(sessions.check(&cookie, &site(), NOW), SessionCheck::StepUp(_)));
    }

    #[tokio::test]
    async fn an_ended_session_and_an_older_epoch_are_none() {
        let sessions = heard(Activation::Staged).await;
        let (one, other) = (session(), session());
        sessions.apply(&[FeedRow { number: 1, at: NOW, what: Revoked::Session(one.id) }]);
        assert!(matches!(sessions.check(&sessions.cookie(&one), &site(), NOW), SessionCheck::None(NoSession::Ended)));
        assert!(matches!(sessions.check(&sessions.cookie(&other), &site(), NOW), SessionCheck::Live(_)));
        sessions.apply(&[FeedRow { number: 2, at: NOW, what: Revoked::AccountBefore(other.account, Epoch(4)) }]);
        assert!(matches!(sessions.check(&sessions.cookie(&other), &site(), NOW), SessionCheck::None(NoSession::Ended)));
    }

    #[tokio::test]
    async fn a_silent_feed_is_neither_an_entry_nor_a_logout() {
        let sessions = heard(Activation::Staged).await;
        let cookie = sessions.cookie(&session());
        assert!(matches!(sessions.check(&cookie, &site(), NOW.plus(Duration::from_secs(180))), SessionCheck::Live(_)));
        assert!(matches!(
            sessions.check(&cookie, &site(), NOW.plus(Duration::from_secs(181))),
            SessionCheck::CannotTell
        ));
    }

    #[tokio::test]
    async fn a_feed_that_has_gone_back_is_read_from_the_start() {
        let sessions = heard(Activation::Staged).await;
        let session = session();
        let row = FeedRow { number: 3, at: NOW, what: Revoked::Session(session.id) };
        let next = sessions.listen(&Feed(vec![row]), 9, NOW).await.unwrap();
        assert_eq!(next, 3);
        assert!(matches!(sessions.standing(&session, NOW), Standing::Ended));
    }

    #[test]
    fn nothing_is_live_before_the_feed_was_heard() {
        let keys = Arc::new(Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap());
        let sessions = Sessions::new(rules(keys), Activation::Staged);
        assert!(matches!(sessions.check(&sessions.cookie(&session()), &site(), NOW), SessionCheck::CannotTell));
    }
}
