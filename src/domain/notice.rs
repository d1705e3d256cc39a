//! What people are told after something about their second factor has changed, and where. No text, no sending. Floor: ground.

use super::account::AccountId;
use super::language::Language;
use super::phone::PhoneNumber;
use super::site::SiteName;
use super::time::UnixMillis;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The account has this number, its first or in the place of another.
    NumberSet,
    NumberCleared,
    /// An operator ended sessions and pending logins and forgave failures; the number stays.
    TwoFactorReset,
    /// An operator made a one-time password.
    PasswordGiven,
}

impl Change {
    pub const ALL: [Self; 4] = [Self::NumberSet, Self::NumberCleared, Self::TwoFactorReset, Self::PasswordGiven];

    /// As stored and logged.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NumberSet => "number_set",
            Self::NumberCleared => "number_cleared",
            Self::TwoFactorReset => "two_factor_reset",
            Self::PasswordGiven => "password_given",
        }
    }

    /// From `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }
}

/// By which way somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Sms,
    Mail,
}

impl Way {
    pub const ALL: [Self; 2] = [Self::Sms, Self::Mail];

    /// As stored and logged.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Mail => "mail",
        }
    }
}

/// Where a notice goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recipient {
    Number(PhoneNumber),
    /// As it stands on the account. `Debug` is for tests: it is never logged.
    Address(String),
}

/// What is told to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub change: Change,
    pub account: AccountId,
    pub user_name: String,
    /// Where it was changed; `None`: by an operator.
    pub site: Option<SiteName>,
    pub language: Language,
    /// When it was changed.
    pub at: UnixMillis,
    /// The last two digits of the new number, where there is one.
    pub ending: Option<String>,
}
