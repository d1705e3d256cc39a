//! Switching two-factor sign-in on, for everybody and for ever. There is no operation that switches it off. Floor: edge.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::admin::accounts::AccountFilter;
use crate::admin::operations::{Act, OperationError, Operations, Reason};
use crate::domain::account::AccountStatus;
use crate::domain::audit::AuditEvent;
use crate::domain::operator::OperatorAction;
use crate::domain::phone::{Country, PhoneNumber, PhoneProblem};
use crate::domain::session::Factors;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountOverview, ActivationRecord, Census};

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoFactorStatus {
    /// `None`: a password is enough so far.
    pub activated_at: Option<UnixMillis>,
    pub census: Census,
}

/// What activating now would bring about; once it is active, how things stand. Disabled accounts are left out, but where numbers are shared.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    pub activated_at: Option<UnixMillis>,
    pub active_accounts: usize,
    /// Without a number, by user name.
    pub without_number: Vec<WithoutNumber>,
    /// Numbers that no code reaches.
    pub bad_numbers: Vec<BadNumber>,
    /// User names of accounts with one number, where they are more than `Policy::accounts_per_number`.
    pub shared_numbers: Vec<Vec<UserName>>,
    /// Countries that SMS may go to and that no provider serves.
    pub unserved_countries: Vec<Country>,
    /// Sessions without a code, which are asked for one at their next request.
    pub sessions_to_step_up: usize,
    pub sign_ins: ExpectedSignIns,
}

/// An account without a number.
#[derive(Clone, Debug)]
pub struct WithoutNumber {
    pub user_name: UserName,
    /// Until when the user may give one; `None`: not at all.
    pub may_enrol_until: Option<UnixMillis>,
}

/// A number that no code reaches.
#[derive(Clone, Debug)]
pub struct BadNumber {
    pub user_name: UserName,
    pub number: PhoneNumber,
    pub why: NumberFault,
}

/// Why no code reaches a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberFault {
    #[error("{0}")]
    Refused(PhoneProblem),
    #[error("no provider of sms.providers serves {0}")]
    Unserved(Country),
}

/// What sign-ins that were recorded let expect: each costs one SMS, and those that are asked for again or go to new numbers come on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedSignIns {
    pub last_7_days: u64,
    pub last_30_days: u64,
    /// The first that is recorded in those 30 days; `None`: none is, so nothing can be expected.
    pub first_at: Option<UnixMillis>,
    pub now: UnixMillis,
}

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Rehearsal {
    /// Who cannot sign in then.
    pub fn locked_out(&self) -> impl Iterator<Item = &UserName> {
        let without = self.without_number.iter().filter(|account| account.may_enrol_until.is_none());
        let bad = self.bad_numbers.iter().map(|account| &account.user_name);
        without.map(|account| &account.user_name).chain(bad)
    }
}

impl ExpectedSignIns {
    /// A day's sign-ins by those of the last 7 days, rounded up. Days before the first that is recorded do not count.
    #[must_use]
    pub fn a_day_by_last_7(&self) -> u64 {
        self.a_day(self.last_7_days, 7)
    }

    /// The same by those of the last 30 days.
    #[must_use]
    pub fn a_day_by_last_30(&self) -> u64 {
        self.a_day(self.last_30_days, 30)
    }

    fn a_day(&self, sign_ins: u64, most_days: u64) -> u64 {
        let recorded = self.first_at.map_or(Duration::ZERO, |first| self.now.since(first));
        let days = recorded.as_secs().div_ceil(DAY.as_secs()).clamp(1, most_days);
        sign_ins.div_ceil(days)
    }
}

impl Operations {
    /// What activating two-factor sign-in now would bring about, and who would be locked out. Changes nothing.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn rehearse_two_factor(&self, now: UnixMillis) -> Result<Rehearsal, OperationError> {
        let activated_at = self.directory.activated_at().await?;
        let accounts = self.list(&AccountFilter::default(), now).await?;
        let active = || accounts.iter().filter(|account| account.status == AccountStatus::Active);
        // activating opens the window for everybody without a number
        let window = if activated_at.is_none() { self.window_from(now) } else { None };
        let without_number = active().filter(|account| account.phone.is_none()).map(|account| WithoutNumber {
            user_name: account.user_name.clone(),
            may_enrol_until: self.may_enrol_until(account, now).max(window),
        });
        let bad_numbers = active().filter_map(|account| {
            let number = account.phone.clone()?;
            let why = self.fault_of(&number)?;
            Some(BadNumber { user_name: account.user_name.clone(), number, why })
        });
        let sessions = self.directory.sessions(None, now).await?;
        let sign_ins = self.directory.sign_ins(now.minus(7 * DAY), now.minus(30 * DAY)).await?;
        Ok(Rehearsal {
            activated_at,
            active_accounts: active().count(),
            without_number: without_number.collect(),
            bad_numbers: bad_numbers.collect(),
            shared_numbers: self.shared_numbers(&accounts),
            unserved_countries: self.policy.unserved_countries.clone(),
            sessions_to_step_up: sessions.iter().filter(|session| session.factors == Factors::Password).count(),
            sign_ins: ExpectedSignIns {
                last_7_days: sign_ins.since_later,
                last_30_days: sign_ins.since_earlier,
                first_at: sign_ins.first_at,
                now,
            },
        })
    }

    /// Where numbers come from operators only, an open window is none.
    fn may_enrol_until(&self, account: &AccountOverview, now: UnixMillis) -> Option<UnixMillis> {
        self.window_from(now)?;
        account.enrolment_until.filter(|until| *until > now)
    }

    fn fault_of(&self, number: &PhoneNumber) -> Option<NumberFault> {
        match PhoneNumber::parse(number.e164(), None, &self.policy.countries) {
            Err(problem) => Some(NumberFault::Refused(problem)),
            Ok(number) if self.policy.unserved_countries.contains(&number.country()) => {
                Some(NumberFault::Unserved(number.country()))
            }
            Ok(_) => None,
        }
    }

    fn shared_numbers(&self, accounts: &[AccountOverview]) -> Vec<Vec<UserName>> {
        let mut names: BTreeMap<&str, Vec<UserName>> = BTreeMap::new();
        for (number, account) in accounts.iter().filter_map(|account| Some((account.phone.as_ref()?, account))) {
            names.entry(number.e164()).or_default().push(account.user_name.clone());
        }
        let most = usize::try_from(self.policy.accounts_per_number).unwrap_or(usize::MAX);
        let mut shared: Vec<_> = names.into_values().filter(|names| names.len() > most).collect();
        // not by the numbers, which nobody is shown
        shared.sort();
        shared
    }

    /// Whether two-factor sign-in is active, and how ready the accounts are for it.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn two_factor_status(&self, now: UnixMillis) -> Result<TwoFactorStatus, OperationError> {
        let activated_at = self.directory.activated_at().await?;
        Ok(TwoFactorStatus { activated_at, census: self.directory.census(now).await? })
    }

    /// From now on every user needs both factors. Where users give their numbers themselves, enrolment is opened for those without one.
    ///
    /// # Errors
    /// When an operator may not, or the directory could not tell: then it may or may not be active; ask again.
    pub async fn activate_two_factor(&self, act: &Act, why: &Reason) -> Result<ActivationRecord, OperationError> {
        let _begun = self.permit(act, OperatorAction::Activate).await?;
        let audit = act.record(AuditEvent::TwoFactorActivated, None, Some(why));
        Ok(self.directory.activate(self.window_from(act.now), &audit).await?)
    }
}
