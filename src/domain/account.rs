//! What signs in: an account, its identifiers and the facts a sign-in reads. No storage, no passwords in clear. Floor: ground.

use std::fmt;

use super::language::Language;
use super::operator::OperatorRole;
use super::password_hash::PasswordHash;
use super::phone::PhoneNumber;
use super::time::UnixMillis;
use super::user_name::UserName;

/// 16 random bytes that name an account for ever, also after its user name has changed hands. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 16]);

impl AccountId {
    /// A new, random one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// From the bytes a session or a pending login carries.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From 32 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({self})")
    }
}

/// Counts up whenever every session and pending login of the account has to end (password, disable, reset).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i64);

/// Counts up whenever the account's phone number is set, changed or cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneVersion(pub i64);

/// Whether an account may sign in at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// May sign in.
    Active,
    /// May not, until an operator enables it again.
    Disabled,
}

/// What a sign-in needs to know of an account. Read anew at every step.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub user_name: UserName,
    /// The name of the person, for the upstream and the pages; may be absent.
    pub name: Option<String>,
    pub email: Option<String>,
    pub password: PasswordHash,
    /// Until when a one-time password is good, which has to be changed at the sign-in; `None`: it is the user's own.
    pub password_expires_at: Option<UnixMillis>,
    pub status: AccountStatus,
    pub epoch: Epoch,
    pub phone: Option<PhoneNumber>,
    pub phone_version: PhoneVersion,
    /// Enrolment is open until then; `None` when it is closed.
    pub enrolment_until: Option<UnixMillis>,
    /// The language the SMS is written in; `None`: the language of the page.
    pub language: Option<Language>,
    /// Code failures in a row have reached the ceiling: codes stay refused until an operator unlocks.
    pub codes_locked: bool,
    /// What it may do as an operator; `None`: nothing.
    pub operator_role: Option<OperatorRole>,
}
