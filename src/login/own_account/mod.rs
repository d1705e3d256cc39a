//! What people do with their own account while they are signed in. Each step reads the account anew and does nothing once it has moved on from
//! the session that asks. The port behind it is here too: reading and changing one's own, one verb a transaction. Floor: login.

mod number;
mod password;
mod sessions;

use std::fmt;

use async_trait::async_trait;

pub use self::number::{NewNumberOutcome, NumberChangeBegun, NumberCodeOutcome, NumberStage};
pub use self::password::PasswordChangeOutcome;

use super::directory::SessionOverview;
use super::ports::PortResult;
use super::{Client, Login, NewPhone};
use crate::domain::account::{Account, AccountId, AccountStatus, Epoch, PhoneVersion};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::LoginId;
use crate::domain::revocation::FeedRow;
use crate::domain::session::{Session, SessionId};
use crate::domain::time::UnixMillis;

/// What the ledger does for people with their own account. SQL; each change is one transaction with its audit record.
#[async_trait]
pub trait OwnAccount: Send + Sync + fmt::Debug {
    /// The account's sessions that have neither been ended nor reached their absolute end, newest first.
    async fn open_sessions(&self, account: &AccountId, now: UnixMillis) -> PortResult<Vec<SessionOverview>>;

    /// Ends a session of this account everywhere. `None` when the account has no such session, or it has ended already.
    async fn end_own_session(
        &self,
        account: &AccountId,
        id: &SessionId,
        audit: &AuditRecord,
    ) -> PortResult<Option<FeedRow>>;

    /// Puts another password in place, ends every session of the account but the one that asks and every pending login, and gives back the epoch
    /// in which that one goes on. `None`: the account is not in the session's epoch any more, or the session has ended.
    async fn change_password(&self, change: &OwnPasswordChange) -> PortResult<Option<(Epoch, FeedRow)>>;

    /// A right code that opens no session: its guess is told to be right, and the account's code failures are forgotten. `false`: a code of this
    /// login was right before, or the account is gone.
    async fn accept_code(&self, login: &LoginId, account: &AccountId, audit: &AuditRecord) -> PortResult<bool>;

    /// Puts another number in place, with everything that belongs to it, or does nothing.
    async fn replace_number(&self, replacement: &NumberReplacement) -> PortResult<NumberReplaced>;

    /// Ends every session of the account but `kept`, as long as the account is still in the epoch of `kept`. Empty: there was no other.
    async fn end_other_sessions(&self, kept: &Session, audit: &AuditRecord) -> PortResult<Vec<FeedRow>>;
}

/// Another password for the account of a session.
#[derive(Clone, Debug)]
pub struct OwnPasswordChange {
    pub session: Session,
    pub chosen: PasswordHash,
    pub audit: AuditRecord,
}

/// Another number for the account of a session, which proved the old one and this one.
#[derive(Clone, Debug)]
pub struct NumberReplacement {
    pub session: Session,
    /// Under which the code on the new number was guessed.
    pub login: LoginId,
    /// The account's phone version the change began with.
    pub phone_version: PhoneVersion,
    pub new_phone: NewPhone,
    /// When the password was shown.
    pub password_at: UnixMillis,
    pub audit: AuditRecord,
}

/// What putting another number in place came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum NumberReplaced {
    /// Committed: every other session and every pending login has ended, and this one goes on in this epoch.
    Done(Epoch, FeedRow),
    /// The account has moved on, or the session has ended.
    Stale,
    /// As many accounts as may have the number have it already.
    NumberTaken,
}

/// What people may do about the number of their account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberMay {
    /// Put another one in its place.
    BeChanged,
    /// Give the first one, before two-factor sign-in is activated.
    BeGiven,
    /// Nothing: operators do that.
    NotBeTouched,
}

/// One's own account, as the page shows it.
#[derive(Clone, Debug)]
pub struct AccountView {
    /// The last two digits of the number; `None` when there is none.
    pub phone_ending: Option<String>,
    pub number_may: NumberMay,
    pub sessions: Vec<SessionOverview>,
}

impl Login {
    /// The account of `session`, read now; `None` when it has moved on and the session is over with it.
    async fn own(&self, session: &Session) -> PortResult<Option<Account>> {
        let account = self.ports.ledger.account(&session.account).await?;
        Ok(account.filter(|account| account.status == AccountStatus::Active && account.epoch == session.epoch))
    }

    fn own_audit(
        &self,
        event: AuditEvent,
        session: &Session,
        client: &Client,
        now: UnixMillis,
        reason: Option<String>,
    ) -> AuditRecord {
        AuditRecord {
            at: now,
            event,
            account: Some(session.account),
            actor: format!("user:{}", session.user_name.as_str()),
            site: Some(session.site.clone()),
            source: Some(client.address),
            reason,
            request_id: Some(client.request_id.clone()),
        }
    }
}
