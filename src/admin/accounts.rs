//! Operations on one account. Floor: edge.

use std::time::Duration;

use crate::admin::operations::{
    Act, Effect, EnrolmentPolicy, OperationError, Operations, Policy, Reason, Refusal, effect,
};
use crate::admin::profile;
use crate::domain::account::AccountStatus;
use crate::domain::audit::AuditEvent;
use crate::domain::language::Language;
use crate::domain::operator::OperatorAction;
use crate::domain::password::Password;
use crate::domain::phone::Country;
use crate::domain::ticket::Ticket;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountChange, AccountOverview, ImportEntry, Imported, NewAccount};
use crate::login::tickets::TicketPolicy;

/// What an operator says of an account to add.
#[derive(Clone, Debug)]
pub struct Newcomer {
    pub user_name: UserName,
    pub name: Option<String>,
    pub email: Option<String>,
    /// As written.
    pub phone: Option<String>,
    pub language: Option<Language>,
    /// With which the user may give the number, where tickets are asked for.
    pub ticket: Option<Ticket>,
}

/// Where a password comes from.
#[derive(Clone, Debug)]
pub enum PasswordSource {
    /// The user's own, moved from elsewhere. Has to meet the rules for new ones.
    Own(Password),
    /// Made here, for the user to sign in with once, within `Policy::one_time_lifetime`, and to be changed at that sign-in.
    Generated,
}

/// What opening an enrolment came to.
#[derive(Debug)]
pub struct OpenedEnrolment {
    pub effect: Effect,
    pub until: UnixMillis,
    /// This is the one time it can be seen.
    pub ticket: Option<Ticket>,
}

/// Which accounts to list. All that is said has to be so.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    pub status: Option<AccountStatus>,
    pub phone: Option<PhoneFilter>,
    /// Codes or the password are refused until an operator acts, or the password for a while.
    pub only_locked: bool,
    /// Part of the user name, name or e-mail address, in any case.
    pub matching: Option<String>,
}

/// By the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneFilter {
    With,
    Without,
    /// Without a number, and enrolment open.
    Enrolling,
    Of(Country),
}

/// How many accounts are read at a time.
const PAGE: u32 = 500;

impl Operations {
    /// Adds an account. Gives back the password if it was generated: this is the one time it can be seen.
    ///
    /// # Errors
    /// When the name is taken, or something said of the account cannot be so.
    pub async fn add(
        &self,
        act: &Act,
        newcomer: Newcomer,
        source: PasswordSource,
        why: Option<&Reason>,
    ) -> Result<Option<Password>, OperationError> {
        let name = newcomer.name.as_deref().map(profile::name).transpose().map_err(Refusal::Profile)?;
        let email = newcomer.email.as_deref().map(profile::email).transpose().map_err(Refusal::Profile)?;
        let phone = newcomer.phone.as_deref().map(|p| self.phone(p)).transpose().map_err(Refusal::Phone)?;
        match (&newcomer.ticket, &phone) {
            (Some(_), _) if !self.asks_for_tickets() => return Err(Refusal::NoTickets.into()),
            (Some(_), Some(_)) => return Err(Refusal::TicketWithNumber.into()),
            (Some(_), None) | (None, _) => {}
        }
        if self.directory.find(&newcomer.user_name).await?.is_some() {
            return Err(Refusal::NameTaken(newcomer.user_name).into());
        }
        let person = [name.as_deref(), email.as_deref()];
        let (password, generated) = self.password_from(source, &newcomer.user_name, person)?;
        let action = if generated.is_some() { OperatorAction::Add } else { OperatorAction::ImportOwnPassword };
        let _begun = self.permit(act, action).await?;
        let account = NewAccount {
            enrolment_until: if phone.is_none() { self.window_from(act.now) } else { None },
            user_name: newcomer.user_name.clone(),
            name,
            email,
            phone,
            language: newcomer.language,
            ticket: newcomer.ticket,
            password: self.passwords.hash(&password).await?,
            password_expires_at: generated.as_ref().map(|_| self.one_time_until(act.now)),
        };
        let mut audit = act.record(AuditEvent::AccountAdded, None, why);
        audit.reason = Some(with_origin(generated.is_some(), why));
        match self.directory.import(&[ImportEntry::Add { account, audit }]).await? {
            Imported::Done(_) => Ok(generated),
            Imported::Refused(_, changed) => {
                let _: Effect = effect(changed, &newcomer.user_name)?;
                Ok(generated)
            }
        }
    }

    /// The accounts that the filter lets through, by user name.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn list(&self, filter: &AccountFilter, now: UnixMillis) -> Result<Vec<AccountOverview>, OperationError> {
        let mut chosen = Vec::new();
        let mut after: Option<UserName> = None;
        loop {
            let page = self.directory.list(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(chosen);
            };
            after = Some(last.user_name.clone());
            chosen.extend(page.into_iter().filter(|account| filter.lets_through(account, &self.policy, now)));
        }
    }

    /// Gives the account another password and ends its sessions. Gives back the password if it was generated.
    ///
    /// # Errors
    /// When there is no such account, or the password does not meet the rules.
    pub async fn set_password(
        &self,
        act: &Act,
        name: &UserName,
        source: PasswordSource,
        why: &Reason,
    ) -> Result<(Effect, Option<Password>), OperationError> {
        let account = self.account(name).await?;
        let person = [account.name.as_deref(), account.email.as_deref()];
        let (password, generated) = self.password_from(source, name, person)?;
        let hash = self.passwords.hash(&password).await?;
        let change = match &generated {
            Some(_) => AccountChange::OneTimePassword { hash, until: self.one_time_until(act.now) },
            None => AccountChange::Password(hash),
        };
        let why = Reason::told(&with_origin(generated.is_some(), Some(why)));
        let done = self.change(act, &account, change, AuditEvent::PasswordSet, Some(&why)).await?;
        Ok((done, generated))
    }

    /// Sets the number that codes go to. Pending logins end; enrolment closes. When it takes the place of another number, sessions end too.
    ///
    /// # Errors
    /// When there is no such account, or the text is no number that a code can be sent to. When a number is replaced and nobody says why.
    pub async fn set_phone(
        &self,
        act: &Act,
        name: &UserName,
        phone: &str,
        why: Option<&Reason>,
    ) -> Result<Effect, OperationError> {
        let phone = self.phone(phone).map_err(Refusal::Phone)?;
        let account = self.account(name).await?;
        let replaces = account.phone.as_ref().is_some_and(|old| *old != phone);
        if replaces && why.is_none() {
            return Err(Refusal::ReasonMissing.into());
        }
        self.change(act, &account, AccountChange::Phone(phone), AuditEvent::PhoneSet, why).await
    }

    /// How many accounts have the number of this one, when they are more than may be by their users' own doing.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn number_beyond_limit(&self, name: &UserName) -> Result<Option<u64>, OperationError> {
        let Some(phone) = self.account(name).await?.phone else { return Ok(None) };
        let accounts = self.directory.accounts_with(&phone).await?;
        Ok((accounts > u64::from(self.policy.accounts_per_number)).then_some(accounts))
    }

    /// Takes the number away, also one that is being given just now; sessions and pending logins end. Enrolment is closed until it is opened.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn clear_phone(&self, act: &Act, name: &UserName, why: &Reason) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        self.change(act, &account, AccountChange::ClearPhone, AuditEvent::PhoneCleared, Some(why)).await
    }

    /// Lets the user give a number at the next sign-in, for `window` or as long as is configured. Where tickets are asked for, one is
    /// made, and one made before is good for nothing then.
    ///
    /// # Errors
    /// When there is no such account, it has a number, or numbers come from operators only.
    pub async fn open_enrolment(
        &self,
        act: &Act,
        name: &UserName,
        window: Option<Duration>,
        why: Option<&Reason>,
    ) -> Result<OpenedEnrolment, OperationError> {
        let EnrolmentPolicy::SelfRegistered { window: usual, ticket: policy } = self.policy.enrolment else {
            return Err(Refusal::PreRegistered.into());
        };
        let account = self.account(name).await?;
        let until = act.now.plus(window.unwrap_or(usual));
        let ticket = match policy {
            TicketPolicy::Off => None,
            TicketPolicy::Required => Some(Ticket::generate()),
        };
        let change = AccountChange::OpenEnrolment { until, ticket: ticket.clone() };
        let effect = self.change(act, &account, change, AuditEvent::EnrolmentOpened, why).await?;
        Ok(OpenedEnrolment { effect, until, ticket })
    }

    /// Forgets failed passwords and codes.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn unlock(&self, act: &Act, name: &UserName, why: Option<&Reason>) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        self.change(act, &account, AccountChange::Unlock, AuditEvent::AccountUnlocked, why).await
    }

    /// The second factor begins anew: sessions, open streams and pending logins end on every node, failures are forgotten, and the next sign-in
    /// sends a new code to the number on the account. The number itself stays: `set_phone` and `clear_phone` are operations of their own.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn reset_two_factor(&self, act: &Act, name: &UserName, why: &Reason) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        self.change(act, &account, AccountChange::ResetTwoFactor, AuditEvent::TwoFactorReset, Some(why)).await
    }

    /// The account may not sign in any more; its sessions end.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn disable(&self, act: &Act, name: &UserName, why: &Reason) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        self.change(act, &account, AccountChange::Disable, AuditEvent::AccountDisabled, Some(why)).await
    }

    /// The account may sign in again.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn enable(&self, act: &Act, name: &UserName, why: Option<&Reason>) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        self.change(act, &account, AccountChange::Enable, AuditEvent::AccountEnabled, why).await
    }

    /// The account is gone and its sessions end. The audit trail stays.
    ///
    /// # Errors
    /// When there is no such account.
    pub async fn remove(&self, act: &Act, name: &UserName, why: &Reason) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        self.change(act, &account, AccountChange::Remove, AuditEvent::AccountRemoved, Some(why)).await
    }

    /// Until when a password that is made now is good.
    #[must_use]
    pub fn one_time_until(&self, now: UnixMillis) -> UnixMillis {
        now.plus(self.policy.one_time_lifetime)
    }

    /// The password, and once more if it has to be shown.
    fn password_from(
        &self,
        source: PasswordSource,
        user_name: &UserName,
        person: [Option<&str>; 2],
    ) -> Result<(Password, Option<Password>), Refusal> {
        match source {
            PasswordSource::Generated => {
                let password = Password::generate();
                Ok((password.clone(), Some(password)))
            }
            PasswordSource::Own(password) => {
                let (rules, site_names) = (&self.policy.password_rules, &self.policy.site_names);
                rules.check_for_account(&password, user_name, person, site_names).map_err(Refusal::Password)?;
                Ok((password, None))
            }
        }
    }
}

/// What the trail says of where a password comes from.
fn with_origin(is_generated: bool, why: Option<&Reason>) -> String {
    let origin = if is_generated { "with a generated password" } else { "with a password from elsewhere" };
    why.map_or_else(|| origin.to_owned(), |why| format!("{origin}: {why}"))
}

impl AccountFilter {
    pub(super) fn lets_through(&self, account: &AccountOverview, policy: &Policy, now: UnixMillis) -> bool {
        let has_phone = match self.phone {
            None => true,
            Some(PhoneFilter::With) => account.phone.is_some(),
            Some(PhoneFilter::Without) => account.phone.is_none(),
            Some(PhoneFilter::Enrolling) => {
                account.phone.is_none() && account.enrolment_until.is_some_and(|until| until > now)
            }
            Some(PhoneFilter::Of(country)) => account.phone.as_ref().is_some_and(|p| p.country() == country),
        };
        let is_matching = self.matching.as_ref().is_none_or(|text| {
            let text = text.to_lowercase();
            let texts = [Some(account.user_name.as_str()), account.name.as_deref(), account.email.as_deref()];
            texts.into_iter().flatten().any(|t| t.to_lowercase().contains(&text))
        });
        has_phone
            && is_matching
            && self.status.is_none_or(|status| status == account.status)
            && (!self.only_locked || is_locked(account, policy, now))
    }
}

/// Whether the account is kept from signing in by failures.
#[must_use]
pub fn is_locked(account: &AccountOverview, policy: &Policy, now: UnixMillis) -> bool {
    account.codes_locked || is_closed(account, policy) || account.password_wait_until.is_some_and(|until| until > now)
}

/// Whether no password is looked at until an operator acts.
#[must_use]
pub fn is_closed(account: &AccountOverview, policy: &Policy) -> bool {
    account.password_failures >= policy.most_password_failures
}
