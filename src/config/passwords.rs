//! `passwords`: how passwords are hashed, and what a new one has to be. Floor: roof.

use std::time::Duration;

use crate::domain::password::PasswordRules;
use crate::domain::password_hash::{Argon2Settings, CostCap};

/// Hashing and rules for new passwords.
#[derive(Clone, Debug)]
pub struct Passwords {
    /// The cost of new hashes.
    pub argon2: Argon2Settings,
    /// Threads that do nothing but hash.
    pub threads: usize,
    /// Sign-ins that may wait for such a thread; beyond: 503.
    pub queue: usize,
    /// How long one may wait; beyond: 503.
    pub queue_wait: Duration,
    /// What a new password has to meet.
    pub rules: PasswordRules,
    /// The most an imported hash may cost to check; a costlier one is refused at import.
    pub imported_cost_cap: CostCap,
}
