//! What operators' commands ask of the accounts: the port behind `user`, `session` and `two-factor`. Each verb is one transaction with
//! its audit record. Floor: login.

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;

use super::ports::PortResult;
use crate::domain::account::{AccountId, AccountStatus, Epoch};
use crate::domain::audit::AuditRecord;
use crate::domain::language::Language;
use crate::domain::operator::{Forbidden, Gifts, OperatorAction, OperatorId, OperatorRole};
use crate::domain::password_hash::PasswordHash;
use crate::domain::phone::PhoneNumber;
use crate::domain::revocation::FeedRow;
use crate::domain::session::{Factors, SessionId};
use crate::domain::site::SiteName;
use crate::domain::ticket::Ticket;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;

/// Accounts, their sessions and the activation, for operators.
#[async_trait]
pub trait Directory: Send + Sync + fmt::Debug {
    /// Adds and changes all of them or none.
    async fn import(&self, entries: &[ImportEntry]) -> PortResult<Imported>;

    async fn find(&self, name: &UserName) -> PortResult<Option<AccountOverview>>;

    /// Accounts by user name, at most `most`, after `after`.
    async fn list(&self, after: Option<&UserName>, most: u32) -> PortResult<Vec<AccountOverview>>;

    /// How many accounts have this number, disabled ones included.
    async fn accounts_with(&self, number: &PhoneNumber) -> PortResult<u64>;

    /// One change of one account.
    async fn change(&self, id: &AccountId, change: &AccountChange, audit: &AuditRecord) -> PortResult<Changed>;

    /// The same, done by an operator: refused when the rules say so about the operator and the account as the transaction sees them.
    async fn change_as(
        &self,
        operator: &ActingOperator,
        id: &AccountId,
        change: &AccountChange,
        audit: &AuditRecord,
    ) -> PortResult<Result<Changed, Forbidden>>;

    /// Counts an action ahead of it: at most `per_hour` in an hour, and only for an operator whose role is enough.
    async fn begin_action(
        &self,
        operator: &ActingOperator,
        per_hour: u32,
        now: UnixMillis,
    ) -> PortResult<Result<(), Forbidden>>;

    /// An account's standing as an operator. `None` when it is not there.
    async fn standing(&self, id: &AccountId) -> PortResult<Option<Standing>>;

    /// The operators, by user name.
    async fn operators(&self) -> PortResult<Vec<AccountOverview>>;

    /// Sessions that are not over at `now`, newest first; of one account or of all.
    async fn sessions(&self, account: Option<&AccountId>, now: UnixMillis) -> PortResult<Vec<SessionOverview>>;

    /// Ends a session everywhere. `None` when it is not there or has ended already.
    async fn end_session(&self, id: &SessionId, audit: &AuditRecord) -> PortResult<Option<FeedRow>>;

    /// Ends every session of everybody.
    async fn end_all_sessions(&self, audit: &AuditRecord) -> PortResult<u64>;

    /// Records that two-factor sign-in is active, once and for ever. `window_until`: enrolment is opened until then for accounts without a
    /// number (`None`: not opened). Gives back when it was activated and whether by this call.
    async fn activate(&self, window_until: Option<UnixMillis>, audit: &AuditRecord) -> PortResult<ActivationRecord>;

    /// When two-factor sign-in was activated; `None` when it never was.
    async fn activated_at(&self) -> PortResult<Option<UnixMillis>>;

    /// How many sign-ins were recorded since the one time and since the other, earlier one.
    async fn sign_ins(&self, later: UnixMillis, earlier: UnixMillis) -> PortResult<SignIns>;

    /// How many accounts there are at `now`, by what matters to activation.
    async fn census(&self, now: UnixMillis) -> PortResult<Census>;
}

/// An account to add.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub user_name: UserName,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<PhoneNumber>,
    pub language: Option<Language>,
    pub password: PasswordHash,
    /// Until when it is good, if it is a one-time password.
    pub password_expires_at: Option<UnixMillis>,
    /// Enrolment is open until then; `None`: closed.
    pub enrolment_until: Option<UnixMillis>,
    /// With which the user may give a number, where one is asked for.
    pub ticket: Option<Ticket>,
}

/// One line of an import.
#[derive(Clone, Debug)]
pub enum ImportEntry {
    /// Must not exist yet.
    Add { account: NewAccount, audit: AuditRecord },
    /// Must exist; what is `None` stays.
    Change { id: AccountId, change: AccountChange, audit: AuditRecord },
}

/// What an import came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Imported {
    Done(Vec<FeedRow>),
    /// Nothing was changed: this entry (from 0) could not be.
    Refused(usize, Changed),
}

/// One change of one account. Those that end sessions and pending logins say so.
#[derive(Clone, Debug)]
pub enum AccountChange {
    /// Name, e-mail and language; `None` stays.
    Profile {
        name: Option<String>,
        email: Option<String>,
        language: Option<Language>,
    },
    /// Ends sessions and pending logins; forgets password failures.
    Password(PasswordHash),
    /// The same with a password that is good until then, and has to be changed at the sign-in.
    OneTimePassword {
        hash: PasswordHash,
        until: UnixMillis,
    },
    /// Ends pending logins; closes enrolment. Ends sessions too when it takes the place of another number: that one may be in other hands.
    Phone(PhoneNumber),
    /// Ends sessions and pending logins, and closes enrolment: a number that is being given just now is not kept either.
    ClearPhone,
    /// Refused for an account that has a number. A ticket made before is good for nothing then.
    OpenEnrolment {
        until: UnixMillis,
        ticket: Option<Ticket>,
    },
    /// Forgets password and code failures.
    Unlock,
    /// Ends sessions and pending logins; forgets password and code failures. The number stays, and SMS that were sent go on counting.
    ResetTwoFactor,
    /// Ends sessions and pending logins.
    Disable,
    Enable,
    /// Ends sessions and pending logins, and takes the account away. The audit trail stays.
    Remove,
    /// Ends sessions and pending logins, and nothing else.
    EndSessions,
    /// Ends this one of its sessions. Nothing is changed when it is none of them, or has ended.
    EndSession(SessionId),
    /// Appoints an operator, changes the role or takes it away (`None`). Ends sessions and pending logins.
    OperatorRole(Option<OperatorRole>),
}

/// What a change came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Changed {
    /// Committed. The rows tell the nodes what has ended.
    Done(Vec<FeedRow>),
    /// It was so already; nothing is written.
    Unchanged,
    NotFound,
    /// The user name is taken.
    NameTaken,
    /// The account has a number, so enrolment stays closed.
    HasNumber,
}

/// Who does something as an operator, and what.
#[derive(Clone, Copy, Debug)]
pub struct ActingOperator {
    pub operator: OperatorId,
    pub action: OperatorAction,
    /// Until when it counts that this operator gave the account a password or a number, if that is what is done.
    pub gift_until: UnixMillis,
}

/// What an account is at this moment, for somebody who is signed in as an operator.
#[derive(Clone, Debug)]
pub struct Standing {
    pub user_name: UserName,
    pub role: Option<OperatorRole>,
    pub status: AccountStatus,
    pub epoch: Epoch,
}

/// An account as operators see it.
#[derive(Clone, Debug)]
pub struct AccountOverview {
    pub id: AccountId,
    pub user_name: UserName,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<PhoneNumber>,
    pub phone_set_at: Option<UnixMillis>,
    pub language: Option<Language>,
    pub status: AccountStatus,
    pub epoch: Epoch,
    pub password: PasswordHash,
    pub password_set_at: UnixMillis,
    /// Until when a one-time password is good; `None`: it is the user's own.
    pub password_expires_at: Option<UnixMillis>,
    pub created_at: UnixMillis,
    pub enrolment_until: Option<UnixMillis>,
    pub last_sign_in_at: Option<UnixMillis>,
    pub password_failures: u32,
    /// No password is looked at before then.
    pub password_wait_until: Option<UnixMillis>,
    /// Wrong codes in a row.
    pub code_failures: u32,
    pub codes_locked: bool,
    pub operator_role: Option<OperatorRole>,
    pub gifts: Gifts,
}

/// A session as operators see it.
#[derive(Clone, Debug)]
pub struct SessionOverview {
    pub id: SessionId,
    pub account: AccountId,
    pub user_name: UserName,
    pub site: SiteName,
    pub factors: Factors,
    pub opened_at: UnixMillis,
    pub absolute_end: UnixMillis,
    pub source: Option<IpAddr>,
    pub user_agent: Option<String>,
}

/// When two-factor sign-in was activated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivationRecord {
    pub at: UnixMillis,
    /// By this very call.
    pub by_this_call: bool,
}

/// Sign-ins in the audit trail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignIns {
    pub since_later: u64,
    pub since_earlier: u64,
    /// The first of them.
    pub first_at: Option<UnixMillis>,
}

/// Accounts counted by what matters to activation. Disabled ones are left out of all but `disabled`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    pub with_number: u64,
    /// Without a number, enrolment open.
    pub enrolling: u64,
    /// Without a number, enrolment closed: they cannot sign in once two-factor sign-in is active.
    pub without_number: u64,
    pub disabled: u64,
}
