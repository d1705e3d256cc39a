//! What every operation of an operator has in common: what it works with, who does it, and why it may be refused. Floor: edge.

use std::{fmt, net::IpAddr, path::Path, path::PathBuf, sync::Arc, time::Duration};

use crate::admin::profile::ProfileProblem;
use crate::domain::account::AccountId;
use crate::domain::api_token::{ApiTokenId, ApiTokenName};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::operator::{Forbidden, OperatorAction, OperatorId};
use crate::domain::password::{PasswordRules, Weakness};
use crate::domain::password_hash::CostCap;
use crate::domain::phone::{Country, PhoneNumber, PhoneProblem};
use crate::domain::revocation::FeedRow;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountChange, AccountOverview, ActingOperator, Changed, Directory};
use crate::login::ports::{PasswordVerifier, PortError};
use crate::login::tickets::TicketPolicy;
use crate::login::trail::Trail;

/// The operations. Accounts, sessions and the activation each have their part in a file of their own.
#[derive(Clone, Debug)]
pub struct Operations {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) trail: Arc<dyn Trail>,
    pub(super) passwords: Arc<dyn PasswordVerifier>,
    pub(super) policy: Policy,
}

/// What the configuration says about accounts.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The countries that SMS may go to. When there is one only, numbers written without country code are of it.
    pub countries: Vec<Country>,
    /// Those among them that no provider of SMS serves.
    pub unserved_countries: Vec<Country>,
    pub enrolment: EnrolmentPolicy,
    /// So many accounts may have one number by their users' own doing. Operators may go beyond it, and are told.
    pub accounts_per_number: u32,
    pub password_rules: PasswordRules,
    /// For hashes that are imported.
    pub cost_cap: CostCap,
    /// Names and hosts of the sites: no new password is built on them.
    pub site_names: Vec<String>,
    /// So many password failures in a row close an account until an operator unlocks it.
    pub most_password_failures: u32,
    /// How long a generated password is good.
    pub one_time_lifetime: Duration,
    /// So many actions an operator may begin in an hour.
    pub operator_actions_per_hour: u32,
}

/// How numbers come to accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolmentPolicy {
    /// From operators only.
    PreRegistered,
    /// From the user, while the account's enrolment is open, perhaps with a ticket; a new account's is open for so long.
    SelfRegistered { window: Duration, ticket: TicketPolicy },
}

/// Who does something, by what right, from where and when.
#[derive(Clone, Debug)]
pub struct Act {
    /// `cli:root`, `operator:olga`, `token:crm`
    pub actor: String,
    pub rights: Rights,
    pub now: UnixMillis,
    /// The operator's address, where a request causes it.
    pub source: Option<IpAddr>,
    /// That request, as the log names it.
    pub request_id: Option<String>,
}

/// By what right something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Whoever may run the command line may do everything.
    Everything,
    /// What the role of this account allows at the moment it is done.
    OfOperator(AccountId),
    /// The same of a token.
    OfToken(ApiTokenId),
}

/// Why an operator does something, for the audit trail: one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(String);

/// What an operation came to when it was not refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Effect {
    /// Committed. A node that runs applies the rows at once; the others learn them within a second.
    Done(Vec<FeedRow>),
    /// It was so already.
    Unchanged,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("could not be done")]
    Unavailable(#[from] PortError),
}

/// What the operator has to change to have it done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no account {0}")]
    NoSuchAccount(UserName),
    #[error("there is no session of this id, or it has ended")]
    NoSuchSession,
    #[error("there is an account {0} already")]
    NameTaken(UserName),
    #[error("the account has a number: replace it with set-phone, or clear it first with clear-phone")]
    HasNumber,
    #[error("numbers are pre-registered here (two_factor.phone_numbers): set one with set-phone")]
    PreRegistered,
    #[error("nobody is asked for a ticket here (two_factor.phone_numbers, two_factor.enrolment.ticket)")]
    NoTickets,
    #[error("a ticket is for a number that the user gives: this account has one")]
    TicketWithNumber,
    #[error("this takes a number away: say why (--reason)")]
    ReasonMissing,
    #[error("the password is refused: {0}")]
    Password(Weakness),
    #[error("{} is there already, and a backup overwrites nothing: give another name", .0.display())]
    FileExists(PathBuf),
    #[error(
        "the accounts are in PostgreSQL, which is copied with its own tools, of the server's version:\n  (umask 077; pg_dump --format=custom --file={} --dbname={address})\nIt asks for the password, or finds it in ~/.pgpass", quoted(.file)
    )]
    OwnTools { file: PathBuf, address: String },
    #[error("newcomers are not kept from numbers that begin with +{0}: `vestibule sms stats` lists where they are")]
    PrefixNotClosed(String),
    #[error("there is a token {0} already: revoke it first (`vestibule token revoke {0}`), or give another name")]
    TokenNameTaken(ApiTokenName),
    #[error("there is no token {0}")]
    NoSuchToken(ApiTokenName),
    #[error("{0}")]
    Phone(PhoneProblem),
    #[error("{0}")]
    Profile(ProfileProblem),
    #[error("{0}")]
    Forbidden(#[from] Forbidden),
}

impl Operations {
    #[must_use]
    pub fn new(
        directory: Arc<dyn Directory>,
        trail: Arc<dyn Trail>,
        passwords: Arc<dyn PasswordVerifier>,
        policy: Policy,
    ) -> Operations {
        Operations { directory, trail, passwords, policy }
    }

    /// What the configuration says about accounts.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The account of this name.
    ///
    /// # Errors
    /// When there is none, or the directory could not tell.
    pub async fn account(&self, name: &UserName) -> Result<AccountOverview, OperationError> {
        let found = self.directory.find(name).await?;
        found.ok_or_else(|| Refusal::NoSuchAccount(name.clone()).into())
    }

    /// The one place where it is asked whether an operator may begin something; who may do everything is not asked. It counts as an action.
    ///
    /// # Errors
    /// When the role is not enough, or the operator has done too much in the last hour.
    pub(super) async fn permit(
        &self,
        act: &Act,
        action: OperatorAction,
    ) -> Result<Option<ActingOperator>, OperationError> {
        let operator = match act.rights {
            Rights::Everything => return Ok(None),
            Rights::OfOperator(account) => OperatorId::Account(account),
            Rights::OfToken(token) => OperatorId::Token(token),
        };
        let acting = ActingOperator { operator, action, gift_until: self.one_time_until(act.now) };
        let per_hour = self.policy.operator_actions_per_hour;
        self.directory.begin_action(&acting, per_hour, act.now).await?.map_err(Refusal::Forbidden)?;
        Ok(Some(acting))
    }

    /// One change of one account, with its audit record, if whoever acts may do it to that account.
    pub(super) async fn change(
        &self,
        act: &Act,
        account: &AccountOverview,
        change: AccountChange,
        event: AuditEvent,
        why: Option<&Reason>,
    ) -> Result<Effect, OperationError> {
        let audit = act.record(event, Some(account.id), why);
        let changed = match self.permit(act, action_of(&change)).await? {
            None => self.directory.change(&account.id, &change, &audit).await?,
            Some(acting) => {
                let changed = self.directory.change_as(&acting, &account.id, &change, &audit).await?;
                changed.map_err(Refusal::Forbidden)?
            }
        };
        effect(changed, &account.user_name)
    }

    pub(super) fn phone(&self, text: &str) -> Result<PhoneNumber, PhoneProblem> {
        let default = match self.policy.countries.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        PhoneNumber::parse(text, default, &self.policy.countries)
    }

    /// Whether a user gives the first number with a ticket.
    #[must_use]
    pub fn asks_for_tickets(&self) -> bool {
        matches!(self.policy.enrolment, EnrolmentPolicy::SelfRegistered { ticket: TicketPolicy::Required, .. })
    }

    /// Until when an account without a number that is made or activated now may enrol one.
    pub(super) fn window_from(&self, now: UnixMillis) -> Option<UnixMillis> {
        match self.policy.enrolment {
            EnrolmentPolicy::PreRegistered => None,
            EnrolmentPolicy::SelfRegistered { window, ticket: _ } => Some(now.plus(window)),
        }
    }
}

impl Act {
    pub(super) fn record(&self, event: AuditEvent, account: Option<AccountId>, why: Option<&Reason>) -> AuditRecord {
        AuditRecord {
            at: self.now,
            event,
            account,
            actor: self.actor.clone(),
            site: None,
            source: self.source,
            reason: why.map(ToString::to_string),
            request_id: self.request_id.clone(),
        }
    }
}

impl Reason {
    /// `None` for a text that says nothing or is longer than 500 characters. Line breaks and other control characters become blanks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Reason> {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let line = line.trim();
        (!line.is_empty() && line.chars().count() <= 500).then(|| Reason(line.to_owned()))
    }

    /// With what we say ourselves ahead of it.
    pub(super) fn told(line: &str) -> Reason {
        Reason(line.to_owned())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One word for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// What an operator needs the role for.
fn action_of(change: &AccountChange) -> OperatorAction {
    match change {
        AccountChange::Profile { .. } => OperatorAction::ChangeProfile,
        AccountChange::Password(_) => OperatorAction::ImportOwnPassword,
        AccountChange::OneTimePassword { .. } => OperatorAction::OneTimePassword,
        AccountChange::Phone(_) => OperatorAction::SetPhone,
        AccountChange::ClearPhone => OperatorAction::ClearPhone,
        AccountChange::OpenEnrolment { .. } => OperatorAction::OpenEnrolment,
        AccountChange::Unlock => OperatorAction::Unlock,
        AccountChange::ResetTwoFactor => OperatorAction::ResetTwoFactor,
        AccountChange::Disable => OperatorAction::Disable,
        AccountChange::Enable => OperatorAction::Enable,
        AccountChange::Remove => OperatorAction::Remove,
        AccountChange::EndSessions | AccountChange::EndSession(_) => OperatorAction::EndSessions,
        AccountChange::OperatorRole(_) => OperatorAction::ChangeOperators,
    }
}

/// What the directory answered to a change of the account `name`.
pub(super) fn effect(changed: Changed, name: &UserName) -> Result<Effect, OperationError> {
    match changed {
        Changed::Done(rows) => Ok(Effect::Done(rows)),
        Changed::Unchanged => Ok(Effect::Unchanged),
        Changed::NotFound => Err(Refusal::NoSuchAccount(name.clone()).into()),
        Changed::NameTaken => Err(Refusal::NameTaken(name.clone()).into()),
        Changed::HasNumber => Err(Refusal::HasNumber.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_that_says_something() {
        assert_eq!(Reason::parse(" left\nthe company ").unwrap().to_string(), "left the company");
        for text in ["", " \t\n", &"x".repeat(501)] {
            assert_eq!(Reason::parse(text), None);
        }
    }
}
