//! The pages of people's own accounts, as plain values. Floor: pages.

use http::StatusCode;

use super::page::{FormAge, NewPasswordProblem};
use crate::domain::phone::PhoneProblem;
use crate::domain::time::UnixMillis;
use crate::web::device::Device;

/// A page of somebody's own account. All of them need a session.
#[derive(Clone, Debug)]
pub enum OwnPage {
    Account(AccountPage),
    Password(ChangePasswordPage),
    NumberPassword(NumberPasswordPage),
    NewNumber(NewNumberPage),
}

/// The account: its number and its sessions.
#[derive(Clone, Debug)]
pub struct AccountPage {
    pub user_name: String,
    pub number: OwnNumber,
    /// The present one first.
    pub sessions: Vec<ShownSession>,
    pub form: FormAge,
    pub notice: Option<AccountNotice>,
}

/// The phone number of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnNumber {
    /// There is none; operators add it.
    None,
    /// There is none; its user may give one.
    NoneYet,
    /// By its last two digits; operators change it.
    Ending(String),
    /// By its last two digits; its user may change it.
    EndingOwn(String),
}

/// One session in the list.
#[derive(Clone, Debug)]
pub struct ShownSession {
    pub id: String,
    /// The one that looks at the page.
    pub is_this: bool,
    pub device: Device,
    /// The name of its site, where it is not the one of the page.
    pub elsewhere: Option<String>,
    pub opened_at: UnixMillis,
    /// The network it was opened from; `None`: not known.
    pub source: Option<String>,
}

/// What has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    SessionEnded,
    /// There is no such session (any more).
    NoSuchSession,
    OthersEnded,
    PasswordChanged,
    NumberChanged,
    /// A change that was begun is over.
    NumberNotChanged,
    /// The new number is on as many accounts as may have it.
    NumberTaken,
}

/// Asks for the password before the number is changed, or before the first one is given.
#[derive(Clone, Debug)]
pub struct NumberPasswordPage {
    pub number: NumberIs,
    /// For password managers, and to see whose it is.
    pub user_name: String,
    pub form: FormAge,
    pub problem: Option<NumberPasswordProblem>,
}

/// Whether there is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberIs {
    First,
    Another,
}

/// What was wrong with the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberPasswordProblem {
    Missing,
    /// Not correct, or paused after too many tries: the sentence is one, and true for both.
    NotCorrect,
}

/// Asks for the new number.
#[derive(Clone, Debug)]
pub struct NewNumberPage {
    /// As typed before; empty at first.
    pub phone: String,
    /// A number of the first allowed country, written with its country code.
    pub example: String,
    /// The country codes that can be texted, without `+`.
    pub calling_codes: Vec<u16>,
    pub form: FormAge,
    pub problem: Option<NewNumberProblem>,
}

/// What was wrong with the new number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewNumberProblem {
    Unusable(PhoneProblem),
    /// It is the number that the account has.
    Same,
}

/// Asks for the present password and another one.
#[derive(Clone, Debug)]
pub struct ChangePasswordPage {
    /// For password managers, and to see whose it is.
    pub user_name: String,
    /// Characters that the new one needs at least.
    pub min_length: usize,
    pub form: FormAge,
    pub problem: Option<ChangePasswordProblem>,
}

/// What was wrong with the passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangePasswordProblem {
    PresentMissing,
    /// Not correct, or paused after too many tries: the sentence is one, and true for both.
    PresentNotCorrect,
    New(NewPasswordProblem),
}

impl OwnPage {
    /// The status it is sent with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Password(ChangePasswordPage { problem: Some(_), .. })
            | Self::NumberPassword(NumberPasswordPage { problem: Some(_), .. })
            | Self::NewNumber(NewNumberPage { problem: Some(_), .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Account(AccountPage { form: FormAge::Expired, .. })
            | Self::Password(ChangePasswordPage { form: FormAge::Expired, .. })
            | Self::NumberPassword(NumberPasswordPage { form: FormAge::Expired, .. })
            | Self::NewNumber(NewNumberPage { form: FormAge::Expired, .. }) => StatusCode::FORBIDDEN,
            Self::Account(_) | Self::Password(_) | Self::NumberPassword(_) | Self::NewNumber(_) => StatusCode::OK,
        }
    }
}
