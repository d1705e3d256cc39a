//! Accounts and times in the words of the operators' pages. Floor: edge.

use crate::admin::accounts::{is_closed, is_locked};
use crate::admin::operations::Policy;
use crate::domain::account::AccountStatus;
use crate::domain::time::UnixMillis;
use crate::login::directory::AccountOverview;
use crate::pages::operators::AccountLine;

pub(super) fn time(at: UnixMillis) -> String {
    at.to_the_minute()
}

pub(super) fn time_or(at: Option<UnixMillis>, never: &str) -> String {
    at.map_or_else(|| never.to_owned(), time)
}

/// An account in a list.
pub(super) fn line(account: &AccountOverview, policy: &Policy, now: UnixMillis) -> AccountLine {
    AccountLine {
        href: href(account.user_name.as_str()),
        user_name: account.user_name.to_string(),
        name: account.name.clone().unwrap_or_default(),
        number: number(account),
        state: match account.status {
            AccountStatus::Disabled => "disabled".to_owned(),
            AccountStatus::Active if is_locked(account, policy, now) => "locked".to_owned(),
            AccountStatus::Active => "active".to_owned(),
        },
        last_sign_in: time_or(account.last_sign_in_at, "never"),
        role: account.operator_role.map(|role| role.name().to_owned()).unwrap_or_default(),
    }
}

/// The page of an account. User names are made of characters that a path may hold.
pub(super) fn href(user_name: &str) -> String {
    format!("/accounts/{}", user_name.replace('+', "%2B"))
}

pub(super) fn number(account: &AccountOverview) -> String {
    account.phone.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// What stands in the way of signing in, and until when.
pub(super) fn warnings(account: &AccountOverview, policy: &Policy, now: UnixMillis) -> Vec<String> {
    let mut warnings = Vec::new();
    if account.status == AccountStatus::Disabled {
        warnings.push("The account is disabled: it cannot sign in until an admin enables it.".to_owned());
    }
    if is_closed(account, policy) {
        let count = account.password_failures;
        warnings.push(format!("Locked after {count} wrong passwords in a row, until an operator unlocks it."));
    } else if let Some(until) = account.password_wait_until.filter(|until| *until > now) {
        let count = account.password_failures;
        warnings.push(format!("Locked until {} after {count} wrong passwords in a row.", time(until)));
    }
    if account.codes_locked {
        warnings.push("Codes are refused after too many wrong ones, until an operator unlocks the account.".to_owned());
    }
    match account.password_expires_at {
        Some(until) if until <= now => {
            warnings.push(format!("The one-time password was not used and has expired: {}.", time(until)));
        }
        Some(_) | None => {}
    }
    warnings
}
