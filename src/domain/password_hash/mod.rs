//! How a password is kept: argon2id in PHC form for those set here, and the forms that accounts moved from elsewhere bring,
//! which are checked as they are and replaced at the next sign-in.
//!
//! Computing one takes tens of milliseconds of a whole core on purpose: call it on the threads of `adapters::hashing`, nowhere else. Floor: domain.

mod alphabets;
mod cost;
mod foreign;
mod form;
mod kept;

use std::fmt;

use zeroize::Zeroizing;

pub use cost::{Argon2Settings, Argon2SettingsProblem, CostCap};
pub use kept::HashMemory;

use crate::domain::password::Password;
use form::Form;

/// A stored hash whose form is known and well-formed, ready to be compared with. Redacted in `Debug`: a hash is what an attacker wants to guess
/// against at leisure.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: Zeroizing<String>,
    form: Form,
}

/// Why a text is no hash that can be used, for operators. Names forms and limits, never a part of the text: it may be a password in the wrong column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HashProblem {
    #[error("the password hash is empty")]
    Empty,
    #[error("this marks an account without a usable password")]
    Unusable,
    #[error(
        "{form} is too weak to move: it is guessed in seconds; leave the hash empty to give the account a generated password"
    )]
    Weak { form: &'static str },
    #[error("{form} is not supported; leave the hash empty to give the account a generated password")]
    Unsupported { form: &'static str },
    #[error(
        "this is no password hash of a known form (argon2, bcrypt, scrypt or PBKDF2 as PHC or MCF string, WordPress, Django); a password itself does not belong here"
    )]
    Unknown,
    #[error("the {form} hash is damaged: {what}")]
    Malformed { form: &'static str, what: &'static str },
    #[error("the {form} hash costs too much to check: {what} is more than {cap}")]
    TooCostly { form: &'static str, what: &'static str, cap: u32 },
}

impl PasswordHash {
    /// Reads a hash that comes from outside. Surrounding ASCII blanks do not count.
    ///
    /// # Errors
    /// What to tell the operator who brought it.
    pub fn parse(text: &str, cap: &CostCap) -> Result<PasswordHash, HashProblem> {
        let text = text.trim_ascii();
        let form = form::parse(text)?;
        form.check_cost(cap)?;
        Ok(PasswordHash { text: Zeroizing::new(text.to_owned()), form })
    }

    /// Reads back what [`stored`](Self::stored) gave: its cost was checked when it came in.
    ///
    /// # Errors
    /// When the row holds something that this version never wrote.
    pub fn from_stored(text: &str) -> Result<PasswordHash, HashProblem> {
        let form = form::parse(text)?;
        Ok(PasswordHash { text: Zeroizing::new(text.to_owned()), form })
    }

    /// Hashes with argon2id and a fresh salt.
    #[must_use]
    pub fn of(password: &Password, settings: &Argon2Settings, memory: &mut HashMemory) -> PasswordHash {
        let kept = kept::Kept::fresh(settings, password, memory);
        PasswordHash { text: Zeroizing::new(kept.phc()), form: Form::Argon2(kept) }
    }

    /// Whether `password` is the one that was hashed. The comparison takes the same time wherever they differ.
    #[must_use]
    pub fn verify(&self, password: &Password, memory: &mut HashMemory) -> bool {
        self.form.verify(password.reveal().as_bytes(), memory)
    }

    /// Whether a right password should be hashed again, because this hash is of another form or another cost than `settings`.
    #[must_use]
    pub fn needs_rehash(&self, settings: &Argon2Settings) -> bool {
        match &self.form {
            Form::Argon2(kept) => !kept.is_as_set(settings),
            Form::Bcrypt(_) | Form::Scrypt(_) | Form::Pbkdf2(_) | Form::Phpass(_) => true,
        }
    }

    /// The text to store. Not for logs or pages.
    #[must_use]
    pub fn stored(&self) -> &str {
        &self.text
    }

    /// `argon2id`, `bcrypt` and so on, for what operators are shown.
    #[must_use]
    pub fn form_name(&self) -> &'static str {
        self.form.name()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PasswordHash({}, …)", self.form_name())
    }
}

#[cfg(test)]
mod tests;
