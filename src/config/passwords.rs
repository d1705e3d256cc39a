//! `passwords`: how passwords are hashed, and what a new one has to be. Floor: roof.

use std::time::Duration;

use crate::domain::password::PasswordRules;
use crate::domain::password_hash::{Argon2Settings, CostCap};

use super::kinds::kib;
use super::node::Node;

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
    /// How long a generated password is good for the one sign-in at which it has to be changed.
    pub one_time_lifetime: Duration,
    /// The most an imported hash may cost to check; a costlier one is refused at import.
    pub imported_cost_cap: CostCap,
}

/// The most threads that may hash (our own figure).
const MOST_THREADS: u32 = 64;

pub(super) fn read(node: &Node<'_>) -> Passwords {
    Passwords {
        argon2: node.key("argon2", "The cost of new hashes (argon2id). The floor is that of the OWASP Password Storage Cheat Sheet.").section(read_argon2),
        threads: node
            .key("threads", "Threads that do nothing but check passwords; each keeps the memory of one hash. Left out: one less than there are cores.")
            .count(1, MOST_THREADS)
            .maybe("1")
            .map_or_else(one_core_less, |threads| threads as usize),
        queue: node.key("queue", "Sign-ins that may wait for such a thread; the next one gets 503.").count(1, 10_000).or("64") as usize,
        queue_wait: node.key("queue_wait", "How long a sign-in may wait there before it gets 503.").duration("100ms", "30s").or("2s"),
        rules: PasswordRules {
            min_length: node
                .key(
                    "min_length",
                    "Characters that a new password needs at least (NIST SP 800-63B-4 §3.1.1.2: 8 beside a second factor, 15 are better). Passwords \
                     that exist stay valid.",
                )
                .count(8, 64)
                .or("8") as usize,
        },
        one_time_lifetime: node
            .key("one_time_lifetime", "How long a generated password can be used. It is for one sign-in, at which the user chooses another one.")
            .duration("1h", "30d")
            .or("72h"),
        imported_cost_cap: node
            .key("imported_cost_cap", "The most that checking an imported hash may cost; `user import` refuses costlier ones.")
            .section(read_cost_cap),
    }
}

fn read_argon2(node: &Node<'_>) -> Argon2Settings {
    let memory = node.key("memory", "Memory of one hash.").size("12MiB", "512MiB").or("19456KiB");
    let iterations = node.key("iterations", "Passes over that memory.").count(1, 64).or("2");
    let parallelism = node.key("parallelism", "Lanes. They are computed one after the other.").count(1, 16).or("1");
    Argon2Settings::new(kib(memory), iterations, parallelism).unwrap_or_else(|problem| {
        node.refuse(
            "",
            &["memory", "iterations", "parallelism"],
            format!("{memory} bytes with {iterations} iterations: {problem}"),
            "a cost in between",
        );
        Argon2Settings::default()
    })
}

fn read_cost_cap(node: &Node<'_>) -> CostCap {
    CostCap {
        memory_kib: kib(node.key("memory", "Memory of argon2 and of scrypt.").size("1MiB", "1024MiB").or("512MiB")),
        argon2_kib_passes: node
            .key("argon2_kib_passes", "argon2: KiB of memory × iterations. Django writes 204800.")
            .count(1, u32::MAX)
            .or("1048576"),
        scrypt_kib_passes: node
            .key("scrypt_kib_passes", "scrypt: N × r × p / 8. Django writes 81920.")
            .count(1, u32::MAX)
            .or("524288"),
        bcrypt_cost: node.key("bcrypt_cost", "bcrypt: its cost. PHP writes 10 to 12.").count(4, 31).or("12"),
        pbkdf2_iterations: node
            .key("pbkdf2_iterations", "PBKDF2: its iterations. Django writes 1000000 or 1200000.")
            .count(1, u32::MAX)
            .or("1200000"),
        phpass_cost: node
            .key("phpass_cost", "phpass: the logarithm of its rounds. WordPress wrote 13.")
            .count(7, 30)
            .or("17"),
    }
}

fn one_core_less() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() - 1).clamp(1, MOST_THREADS as usize))
}
