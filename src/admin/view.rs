//! Accounts, sessions and the activation as operators read them: no hash, no number beyond its last two digits. Names of fields are relied on by
//! scripts (`--json`). Floor: edge.

use serde::Serialize;

use crate::admin::accounts::{is_closed, is_locked};
use crate::admin::activation::TwoFactorStatus;
use crate::admin::operations::Policy;
use crate::domain::account::AccountStatus;
use crate::domain::session::Factors;
use crate::domain::time::UnixMillis;
use crate::login::directory::{AccountOverview, SessionOverview};

/// Times are RFC 3339 in UTC; what is not there is null.
#[derive(Debug, Serialize)]
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
}

#[derive(Debug, Serialize)]
pub struct SessionView {
    pub id: String,
    pub user_name: String,
    pub site: String,
    /// `pwd`, `sms`
    pub factors: &'static [&'static str],
    pub opened_at: String,
    pub ends_at: String,
    pub source: Option<String>,
    pub user_agent: Option<String>,
}

#[derive(Debug, Serialize)]
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
