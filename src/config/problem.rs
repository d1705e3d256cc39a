//! One mistake in a configuration: where, what is wrong, and what would be right. Floor: roof.

use std::fmt;

/// A mistake, in words for the operator. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key's path, as in `sites[0].routes[2].path`; empty when the mistake is in the file as a whole.
    pub key: String,
    /// What is wrong, as a sentence without its subject and full stop: `"15m" is too long`.
    pub wrong: String,
    /// What would be right, likewise: `a duration from 1m to 10m, for example 5m`.
    pub right: String,
}

impl Problem {
    /// A mistake in the file as a whole.
    pub(super) fn of_file(wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { key: String::new(), wrong: wrong.into(), right: right.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}\n    right would be: {}", self.wrong, self.right)
    }
}
