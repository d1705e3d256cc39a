//! Accounts, sessions and the activation as operators read them: no hash, no number beyond its last two digits. Names of fields are relied on by
//! scripts (`--json`). Floor: edge.

use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::accounts::{is_closed, is_locked};
use crate::admin::activation::{BadNumber, Rehearsal, TwoFactorStatus, WithoutNumber};
use crate::admin::operations::Policy;
use crate::domain::account::AccountStatus;
use crate::domain::operator::OperatorRole;
use crate::domain::session::Factors;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountOverview, SessionOverview};

/// Times are RFC 3339 in UTC; what is not there is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    pub id: String,
    pub user_name: String,
    pub name: Option<String>,
    pub email: Option<String>,
    /// `+32 … 56`
    pub phone: Option<String>,
    pub phone_country: Option<String>,
    pub phone_set_at: Option<String>,
    pub language: Option<&'static str>,
    /// `active` or `disabled`
    pub status: &'static str,
    pub created_at: String,
    pub last_sign_in_at: Option<String>,
    pub password_form: &'static str,
    pub password_set_at: String,
    /// Of a one-time password, also when it is past; null: the user's own.
    pub password_expires_at: Option<String>,
    /// Past and gone is null.
    pub enrolment_until: Option<String>,
    pub locked: bool,
    pub password_failures: u32,
    pub password_wait_until: Option<String>,
    /// Refused until an operator unlocks.
    pub password_closed: bool,
    pub code_failures: u32,
    pub codes_locked: bool,
    /// `helpdesk` or `admin`
    pub operator_role: Option<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    pub id: String,
    pub user_name: String,
    pub site: String,
    /// `pwd`, `sms`
    #[schema(value_type = Vec<String>)]
    pub factors: &'static [&'static str],
    pub opened_at: String,
    pub ends_at: String,
    pub source: Option<String>,
    pub user_agent: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TwoFactor)]
pub struct TwoFactorView {
    pub active: bool,
    pub activated_at: Option<String>,
    pub accounts_with_number: u64,
    pub accounts_enrolling: u64,
    pub accounts_without_number: u64,
    pub accounts_disabled: u64,
}

impl AccountView {
    #[must_use]
    pub fn of(account: &AccountOverview, policy: &Policy, now: UnixMillis) -> AccountView {
        let ahead = |at: Option<UnixMillis>| at.filter(|at| *at > now).map(|at| at.to_string());
        AccountView {
            id: account.id.to_string(),
            user_name: account.user_name.to_string(),
            name: account.name.clone(),
            email: account.email.clone(),
            phone: account.phone.as_ref().map(ToString::to_string),
            phone_country: account.phone.as_ref().map(|phone| phone.country().to_string()),
            phone_set_at: account.phone_set_at.map(|at| at.to_string()),
            language: account.language.map(|language| language.tag()),
            status: match account.status {
                AccountStatus::Active => "active",
                AccountStatus::Disabled => "disabled",
            },
            created_at: account.created_at.to_string(),
            last_sign_in_at: account.last_sign_in_at.map(|at| at.to_string()),
            password_form: account.password.form_name(),
            password_set_at: account.password_set_at.to_string(),
            password_expires_at: account.password_expires_at.map(|at| at.to_string()),
            enrolment_until: ahead(account.enrolment_until),
            locked: is_locked(account, policy, now),
            password_failures: account.password_failures,
            password_wait_until: ahead(account.password_wait_until),
            password_closed: is_closed(account, policy),
            code_failures: account.code_failures,
            codes_locked: account.codes_locked,
            operator_role: account.operator_role.map(OperatorRole::name),
        }
    }
}

impl SessionView {
    #[must_use]
    pub fn of(session: &SessionOverview) -> SessionView {
        SessionView {
            id: session.id.to_string(),
            user_name: session.user_name.to_string(),
            site: session.site.to_string(),
            factors: match session.factors {
                Factors::Password => &["pwd"],
                Factors::PasswordAndCode => &["pwd", "sms"],
            },
            opened_at: session.opened_at.to_string(),
            ends_at: session.absolute_end.to_string(),
            source: session.source.map(|address| address.to_string()),
            user_agent: session.user_agent.clone(),
        }
    }
}

impl TwoFactorView {
    #[must_use]
    pub fn of(status: &TwoFactorStatus) -> TwoFactorView {
        TwoFactorView {
            active: status.activated_at.is_some(),
            activated_at: status.activated_at.map(|at| at.to_string()),
            accounts_with_number: status.census.with_number,
            accounts_enrolling: status.census.enrolling,
            accounts_without_number: status.census.without_number,
            accounts_disabled: status.census.disabled,
        }
    }
}

/// What activating would bring about.
#[derive(Debug, Serialize)]
pub struct RehearsalView {
    pub active: bool,
    pub accounts: usize,
    pub without_number: Vec<WithoutNumberView>,
    pub bad_numbers: Vec<BadNumberView>,
    /// User names, a list for each number.
    pub shared_numbers: Vec<Vec<String>>,
    pub unserved_countries: Vec<String>,
    pub sessions_to_step_up: usize,
    pub sms: ExpectedSmsView,
    pub locked_out: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct WithoutNumberView {
    pub user_name: String,
    /// Null: the user may not give one.
    pub may_enrol_until: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct BadNumberView {
    pub user_name: String,
    /// `+32 … 56`
    pub phone: String,
    pub problem: String,
}

/// One SMS for each sign-in that was recorded; null where none was.
#[derive(Debug, Serialize)]
pub struct ExpectedSmsView {
    pub a_day_by_last_7_days: Option<u64>,
    pub a_day_by_last_30_days: Option<u64>,
    pub sign_ins_of_last_7_days: u64,
    pub sign_ins_of_last_30_days: u64,
    pub recorded_since: Option<String>,
}

impl RehearsalView {
    #[must_use]
    pub fn of(rehearsal: &Rehearsal) -> RehearsalView {
        let sign_ins = &rehearsal.sign_ins;
        let without = |account: &WithoutNumber| WithoutNumberView {
            user_name: account.user_name.to_string(),
            may_enrol_until: account.may_enrol_until.map(|until| until.to_string()),
        };
        let bad = |account: &BadNumber| BadNumberView {
            user_name: account.user_name.to_string(),
            phone: account.number.to_string(),
            problem: account.why.to_string(),
        };
        let names = |names: &Vec<UserName>| names.iter().map(ToString::to_string).collect();
        RehearsalView {
            active: rehearsal.activated_at.is_some(),
            accounts: rehearsal.active_accounts,
            without_number: rehearsal.without_number.iter().map(without).collect(),
            bad_numbers: rehearsal.bad_numbers.iter().map(bad).collect(),
            shared_numbers: rehearsal.shared_numbers.iter().map(names).collect(),
            unserved_countries: rehearsal.unserved_countries.iter().map(ToString::to_string).collect(),
            sessions_to_step_up: rehearsal.sessions_to_step_up,
            sms: ExpectedSmsView {
                a_day_by_last_7_days: sign_ins.first_at.map(|_| sign_ins.a_day_by_last_7()),
                a_day_by_last_30_days: sign_ins.first_at.map(|_| sign_ins.a_day_by_last_30()),
                sign_ins_of_last_7_days: sign_ins.last_7_days,
                sign_ins_of_last_30_days: sign_ins.last_30_days,
                recorded_since: sign_ins.first_at.map(|at| at.to_string()),
            },
            locked_out: rehearsal.locked_out().map(ToString::to_string).collect(),
        }
    }
}
