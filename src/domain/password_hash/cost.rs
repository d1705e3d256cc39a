//! What a hash may cost: the least for those made here, the most for those brought along. Floor: domain.

/// How passwords are hashed here: argon2id with these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Settings {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Argon2SettingsProblem {
    #[error("too weak: at least 19456 KiB with 2 iterations, 12288 KiB with 3, or 47104 KiB with 1")]
    BelowFloor,
    #[error("too costly: at most {MOST_MEMORY_KIB} KiB, 16 lanes, and {MOST_KIB_PASSES} KiB × iterations")]
    AboveCap,
}

/// Half a GiB, ours: each hashing thread takes so much.
const MOST_MEMORY_KIB: u32 = 512 * 1024;

/// About a second on a core of 2020 (23 ms for 19,456 KiB twice). Ours.
const MOST_KIB_PASSES: u32 = 1024 * 1024;

/// Lanes cost nothing more, but each needs 8 KiB; argon2-cffi and Django use 4 and 8.
const MOST_LANES: u32 = 16;

impl Default for Argon2Settings {
    /// 19 MiB, 2 iterations, 1 lane: the first choice of the OWASP Password Storage Cheat Sheet.
    fn default() -> Self {
        Argon2Settings { memory_kib: 19_456, iterations: 2, parallelism: 1 }
    }
}

impl Argon2Settings {
    /// # Errors
    /// Below the floor of the OWASP Password Storage Cheat Sheet, or above what a sign-in may cost.
    pub fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, Argon2SettingsProblem> {
        let is_enough = matches!((memory_kib, iterations), (47_104.., 1..) | (19_456.., 2..) | (12_288.., 3..));
        if !is_enough || parallelism == 0 {
            return Err(Argon2SettingsProblem::BelowFloor);
        }
        let is_too_much = memory_kib > MOST_MEMORY_KIB
            || memory_kib.saturating_mul(iterations) > MOST_KIB_PASSES
            || parallelism > MOST_LANES;
        if is_too_much {
            return Err(Argon2SettingsProblem::AboveCap);
        }
        Ok(Argon2Settings { memory_kib, iterations, parallelism })
    }

    #[must_use]
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    #[must_use]
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    #[must_use]
    pub fn parallelism(&self) -> u32 {
        self.parallelism
    }
}

/// The most that checking a foreign hash may cost: somebody else chose its cost, and a sign-in with it occupies a hashing thread while others
/// wait. The defaults are what the applications that write such hashes use by themselves, with a little room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostCap {
    /// Memory of argon2 and scrypt, in KiB.
    pub memory_kib: u32,
    /// argon2: memory in KiB × iterations. Django writes 204,800.
    pub argon2_kib_passes: u32,
    /// scrypt: 128 × N × r × p bytes, in KiB. Django writes 81,920.
    pub scrypt_kib_passes: u32,
    /// Base-2 logarithm of the rounds. PHP and WordPress write 10 to 12.
    pub bcrypt_cost: u32,
    /// Django 5.2 writes 1,000,000 and 6.0 1,200,000.
    pub pbkdf2_iterations: u32,
    /// Base-2 logarithm of the rounds. WordPress wrote 13.
    pub phpass_cost: u32,
}

impl Default for CostCap {
    fn default() -> Self {
        CostCap {
            memory_kib: MOST_MEMORY_KIB,
            argon2_kib_passes: MOST_KIB_PASSES,
            scrypt_kib_passes: MOST_MEMORY_KIB,
            bcrypt_cost: 12,
            pbkdf2_iterations: 1_200_000,
            phpass_cost: 17,
        }
    }
}

/// Lanes that an argon2 hash of others may have.
pub(super) const LANES: std::ops::RangeInclusive<u32> = 1..=MOST_LANES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_on_the_floor() {
        let default = Argon2Settings::default();
        assert_eq!(Argon2Settings::new(19_456, 2, 1), Ok(default));
        for (memory, iterations) in [(47_104, 1), (12_288, 3), (65_536, 3), (262_144, 4)] {
            assert!(Argon2Settings::new(memory, iterations, 1).is_ok(), "{memory} {iterations}");
        }
        for (memory, iterations, lanes) in
            [(19_455, 2, 1), (47_103, 1, 1), (12_287, 3, 1), (12_287, 100, 1), (65_536, 0, 1), (65_536, 3, 0)]
        {
            assert_eq!(
                Argon2Settings::new(memory, iterations, lanes),
                Err(Argon2SettingsProblem::BelowFloor),
                "{memory} {iterations} {lanes}"
            );
        }
        for (memory, iterations, lanes) in [(1 << 20, 1, 1), (524_288, 3, 1), (u32::MAX, u32::MAX, 1), (19_456, 2, 17)]
        {
            assert_eq!(
                Argon2Settings::new(memory, iterations, lanes),
                Err(Argon2SettingsProblem::AboveCap),
                "{memory} {iterations} {lanes}"
            );
        }
    }
}
