//! What the story of signing in asks of the outside: verbs, each atomic, never load and save. `Ok(None)` is "not there"; `Err` is
//! "could not tell" and becomes 503. Adapters implement them, and each passes its port's contract. Floor: login.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::account::{Account, AccountId, Epoch, PhoneVersion};
use crate::domain::audit::AuditRecord;
use crate::domain::code::Code;
use crate::domain::language::Language;
use crate::domain::limits::{Charge, CodeAttemptCaps, PasswordAttemptCaps, Rate, UnfinishedCaps};
use crate::domain::password::Password;
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::{ChargedAttempt, LoginId};
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::revocation::FeedRow;
use crate::domain::session::{Session, SessionId};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::metrics;

/// A part of the outside could not tell. Nobody branches on the inside; it is logged once and answered with 503.
#[derive(Debug, thiserror::Error)]
#[error("{port} could not tell")]
pub struct PortError {
    port: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// What a port's verb gives back.
pub type PortResult<T> = Result<T, PortError>;

impl PortError {
    /// `port` names the part for the log (`redis`, `sql`, `hashing`). It is counted here, because every way to 503 begins with it.
    pub fn new(port: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        metrics::all().outside_failures.with_label_values(&[port]).inc();
        Self { port, source: source.into() }
    }

    /// The part that could not tell.
    #[must_use]
    pub fn port(&self) -> &'static str {
        self.port
    }
}

/// Reads the time. Asked once a step; the answer is passed on as `now`.
pub trait Clock: Send + Sync + fmt::Debug {
    fn now(&self) -> UnixMillis;
}

// --- pending logins ---------------------------------------------------------------------------------------------------------

/// Pending logins by id, each with a TTL. What is kept is sealed: the store cannot read records or codes.
/// It may forget anything at any moment; nothing here is the authority on how often a code may be guessed or used.
#[async_trait]
pub trait PendingLogins: Send + Sync + fmt::Debug {
    /// Keeps a new login for `ttl`, with no code, no attempts and no sends.
    async fn put(&self, id: &LoginId, record: &[u8], ttl: Duration) -> PortResult<()>;

    /// Reads a login to draw a page; spends nothing.
    async fn peek(&self, id: &LoginId) -> PortResult<Option<StoredLogin>>;

    /// Puts another record in place and drops the code; attempts, sends and TTL stay. `false` when the login is not there.
    async fn replace(&self, id: &LoginId, record: &[u8]) -> PortResult<bool>;

    /// Spends one attempt and hands out the sealed code. Nothing is spent when there is no code in its lifetime.
    async fn spend_attempt(&self, id: &LoginId, most_attempts: u32, now: UnixMillis) -> PortResult<AttemptTurn>;

    /// Decides whether a code may be sent now. Keeps the code that is still in its lifetime and extends it, else takes the fresh one in.
    async fn next_code(&self, id: &LoginId, request: &CodeRequest<'_>) -> PortResult<CodeTurn>;

    /// The SMS certainly did not go out: the `number`-th send does not count and costs no wait. Nothing happens when another send followed.
    async fn take_back_send(&self, id: &LoginId, number: u32) -> PortResult<()>;

    /// Removes the login. Best effort: what makes a code single-use is in the ledger.
    async fn finish(&self, id: &LoginId) -> PortResult<()>;
}

/// A login as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLogin {
    /// Sealed `PendingLogin`.
    pub record: Vec<u8>,
    /// Until when the code is good; `None` when none was handed out since the record was put in place.
    pub code_until: Option<UnixMillis>,
    pub attempts: u32,
    pub sends: u32,
    /// When the last send began; `None` before the first and after one was taken back.
    pub last_send_at: Option<UnixMillis>,
}

/// What asking for an attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum AttemptTurn {
    /// One attempt is spent; here is what to compare with.
    Granted { record: Vec<u8>, code: Vec<u8> },
    /// No code is in its lifetime. Nothing was spent.
    NoCode,
    /// The attempts are spent.
    NoneLeft,
    /// The login is not there.
    Gone,
}

/// What is needed to hand out a code.
#[derive(Clone, Debug)]
pub struct CodeRequest<'a> {
    pub now: UnixMillis,
    /// A fresh sealed code, used when no code is in its lifetime.
    pub fresh: &'a [u8],
    /// The new end of the code's life.
    pub code_until: UnixMillis,
    /// How long after the n-th send the next may follow; the last one repeats. Empty: no wait.
    pub waits: &'a [Duration],
    pub most_sends: u32,
}

/// What asking for a code came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum CodeTurn {
    /// Send this sealed code. `number` counts the sends of the login from 1.
    Send { code: Vec<u8>, number: u32 },
    /// Too early; again after this long.
    Wait(Duration),
    /// The login's sends are spent.
    NoneLeft,
    /// The login is not there.
    Gone,
}

// --- limits of networks -----------------------------------------------------------------------------------------------------

/// Counters that may be forgotten: networks and number prefixes. Each charge is atomic.
#[async_trait]
pub trait Limits: Send + Sync + fmt::Debug {
    /// Charges one when fewer than `rate.count` were charged in the window, which begins with the first charge.
    async fn try_spend(&self, key: &LimitKey, rate: Rate, now: UnixMillis) -> PortResult<Charge>;

    /// Takes one charge back: what succeeded is not counted.
    async fn give_back(&self, key: &LimitKey) -> PortResult<()>;

    /// Notes that a login had a code sent, unless too many such logins were never completed or too many are under way. A login counts once.
    async fn begin_login(
        &self,
        key: &LimitKey,
        login: &LoginId,
        caps: UnfinishedCaps,
        now: UnixMillis,
    ) -> PortResult<Charge>;

    /// The login was completed: it does not count.
    async fn complete_login(&self, key: &LimitKey, login: &LoginId) -> PortResult<()>;
}

/// What is counted: letters, digits, `.`, `:`, `/` and `-`; never a full phone number or a user name in clear.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey(pub String);

// --- the ledger -------------------------------------------------------------------------------------------------------------

/// What must not be lost: accounts, counters that cap guessing and sending, sessions, the audit trail. SQL; one verb a transaction.
#[async_trait]
pub trait Ledger: Send + Sync + fmt::Debug {
    async fn account_by_name(&self, name: &UserName) -> PortResult<Option<Account>>;

    async fn account(&self, id: &AccountId) -> PortResult<Option<Account>>;

    /// Counts a password failure ahead of hashing, and says whether the password may be looked at.
    async fn charge_password(
        &self,
        subject: &PasswordSubject,
        caps: &PasswordAttemptCaps,
        now: UnixMillis,
    ) -> PortResult<PasswordCharge>;

    /// The password was counted but not looked at: the failure is taken back, with the wait it began.
    async fn take_back_password(&self, subject: &PasswordSubject, counted: CountedFailure) -> PortResult<()>;

    /// The password was right: its failures are forgotten, and `rehash` takes the place of `Account::password` if that is still stored.
    async fn accept_password(
        &self,
        id: &AccountId,
        rehash: Option<(&PasswordHash, &PasswordHash)>,
        audit: &AuditRecord,
    ) -> PortResult<()>;

    /// Writes down something that changes nothing else.
    async fn record(&self, audit: &AuditRecord) -> PortResult<()>;

    /// Counts a guess ahead of comparing it: for the login and the account, both or nothing.
    async fn charge_code_attempt(
        &self,
        attempt: &NewAttempt,
        caps: &CodeAttemptCaps,
        now: UnixMillis,
    ) -> PortResult<AttemptCharge>;

    /// Opens the session of a login: once a login, only while account, epoch and phone version are those of the login, with the number that is
    /// enrolled and the audit trail, and with the account's code failures forgotten; all or nothing.
    async fn open_session(&self, opening: &Opening) -> PortResult<Opened>;

    /// The session that a login opened, if it did: asked when it is unknown whether `open_session` was committed.
    async fn session_of_login(&self, login: &LoginId) -> PortResult<Option<Session>>;

    /// Ends a session everywhere. `None` when it is not there or has ended already.
    async fn end_session(&self, id: &SessionId, audit: &AuditRecord) -> PortResult<Option<FeedRow>>;
}

/// Whose password failures are counted. A name that does not exist is counted just like one that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasswordSubject {
    Account(AccountId),
    /// Keyed hash of the canonical user name, or of whatever was typed.
    Unknown([u8; 32]),
}

/// What counting a failure changed, so that it can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedFailure {
    /// No password was looked at before then.
    pub wait_before: UnixMillis,
    /// None is looked at before then, now.
    pub wait_after: UnixMillis,
}

/// Whether a password may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum PasswordCharge {
    /// Counted as a failure; go on.
    Granted(CountedFailure),
    /// Not counted; not before then.
    Wait(UnixMillis),
    /// Too many in a row: not until an operator unlocks.
    Closed,
}

/// A guess about to be compared.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    pub login: LoginId,
    pub account: AccountId,
    pub epoch: Epoch,
    pub phone_version: PhoneVersion,
}

/// Whether a guess may be compared.
#[derive(Debug)]
#[must_use]
pub enum AttemptCharge {
    /// Counted and committed.
    Granted(ChargedAttempt),
    /// The login's attempts are spent.
    LoginSpent,
    /// Too many in the last hour; again after this long.
    Wait(Duration),
    /// Too many in a row or in 30 days: not until an operator unlocks.
    Locked,
    /// The account is gone, disabled, or has moved on since the password; or this login has signed in already.
    Stale,
}

/// A session about to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    pub session: Session,
    pub login: LoginId,
    /// The account's phone version the login began with.
    pub phone_version: PhoneVersion,
    /// The number to enrol.
    pub new_phone: Option<super::NewPhone>,
    /// What takes the place of a one-time password.
    pub new_password: Option<super::NewPassword>,
    /// The session without a code that this one replaces.
    pub replaces: Option<SessionId>,
    pub source: IpAddr,
    /// As the browser called itself, cut to 200 characters.
    pub user_agent: Option<String>,
    pub audit: Vec<AuditRecord>,
    pub now: UnixMillis,
}

/// What opening a session came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Opened {
    /// Committed. The rows are to be applied at once on this node.
    Opened(Vec<FeedRow>),
    /// This login has opened a session before.
    AlreadyUsed,
    /// The account is gone, disabled, or has moved on since the password.
    Stale,
    /// The account may not enrol a number (any more), or not with this ticket.
    EnrolmentClosed,
    /// As many accounts as may have the number have it already.
    NumberTaken,
    /// Two-factor sign-in is active: the password alone opens nothing.
    CodeNeeded,
    /// The account has a one-time password, and no other one was chosen.
    PasswordOwed,
}

/// What has been ended, for every node.
#[async_trait]
pub trait RevocationFeed: Send + Sync + fmt::Debug {
    /// The number of the last row, also when that row is gone. It only ever goes back when the database did: an older copy was put in place.
    async fn head(&self) -> PortResult<i64>;

    /// The rows after `number`, in order; after 0, only those younger than the longest session.
    async fn rows_after(&self, number: i64, now: UnixMillis) -> PortResult<Vec<FeedRow>>;

    /// When two-factor sign-in was activated; `None` when it never was.
    async fn activated_at(&self) -> PortResult<Option<UnixMillis>>;
}

// --- passwords and SMS ------------------------------------------------------------------------------------------------------

/// Tells whether a password is right, in the same time for names that do not exist.
#[async_trait]
pub trait PasswordVerifier: Send + Sync + fmt::Debug {
    /// `stored`: `None` for a name that does not exist; the same work is done.
    async fn verify(
        &self,
        user_name: Option<&UserName>,
        stored: Option<&PasswordHash>,
        password: &Password,
    ) -> PortResult<PasswordVerdict>;

    /// Hashes a new password with the configured cost.
    async fn hash(&self, password: &Password) -> PortResult<PasswordHash>;
}

/// What looking at a password came to.
#[derive(Clone, Debug)]
#[must_use]
pub enum PasswordVerdict {
    /// Right. `rehash` is to be stored when the old hash is of another form or cost.
    Right {
        rehash: Option<PasswordHash>,
    },
    Wrong,
    /// Too much is being hashed: try again in a few seconds.
    Busy,
}

/// One provider of SMS. One call is one attempt, within the time limits of its settings.
#[async_trait]
pub trait SmsSender: Send + Sync + fmt::Debug {
    /// The provider's name in the configuration.
    fn name(&self) -> &str;

    /// The countries it serves; empty: all that are allowed.
    fn countries(&self) -> &[Country];

    async fn send(&self, message: &SmsMessage<'_>) -> SmsResult;
}

/// A message to one number. `Debug` leaves out the text and the code.
pub struct SmsMessage<'a> {
    pub to: &'a PhoneNumber,
    pub text: &'a str,
    /// `None`: a notice, which has none.
    pub code: Option<&'a Code>,
    pub app: &'a str,
    pub language: Language,
}

impl fmt::Debug for SmsMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsMessage").field("to", &self.to).field("language", &self.language).finish_non_exhaustive()
    }
}

/// What a provider made of a message. The adapter has logged the details.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum SmsResult {
    /// Taken, under this id of the vendor's.
    Accepted(Option<String>),
    /// This number cannot or must not be texted; no other provider is asked.
    Recipient,
    /// Our account, sender or money at this provider; the message certainly did not go out.
    Provider,
    /// Refused for now; the message certainly did not go out.
    Transient,
    /// Unknown whether it went out: not sent again through the same provider.
    MaybeSent,
}

/// The text of an SMS, from the language files.
pub trait SmsTexts: Send + Sync + fmt::Debug {
    fn text(&self, site: &SiteName, language: Language, code: &Code) -> String;
}
