//! `passwords`: how passwords are hashed, and what a new one has to be. Floor: roof.

use std::time::Duration;

/// Hashing and rules for new passwords.
#[derive(Clone, Debug)]
pub struct Passwords {
    pub argon2: Argon2,
    /// Threads that do nothing but hash.
    pub threads: usize,
    /// Sign-ins that may wait for such a thread; beyond: 503.
    pub queue: usize,
    /// How long one may wait; beyond: 503.
    pub queue_wait: Duration,
    /// Characters a new password needs at least (NIST SP 800-63B-4 §3.1.1.2: 8).
    pub min_length: usize,
    /// Characters of the longest password that is accepted.
    pub most_length: usize,
    pub imported_cost_cap: ImportedCostCap,
}

/// Cost of argon2id for new hashes (floor: OWASP Password Storage Cheat Sheet).
#[derive(Clone, Copy, Debug)]
pub struct Argon2 {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
}

/// The most an imported hash may cost to verify; a costlier one is refused at import.
#[derive(Clone, Copy, Debug)]
pub struct ImportedCostCap {
    /// Of argon2 and scrypt.
    pub memory_kib: u32,
    /// Of argon2.
    pub argon2_iterations: u32,
    /// Of bcrypt: the exponent.
    pub bcrypt_cost: u32,
    pub pbkdf2_iterations: u32,
}
