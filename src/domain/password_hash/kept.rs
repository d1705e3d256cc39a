//! argon2, the form that is kept: its PHC string, its computation, and the memory it works in. Floor: domain.

use std::fmt;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{HashProblem, alphabets, cost, cost::Argon2Settings};
use crate::domain::password::Password;

/// Memory for argon2 that outlives one hash: to allocate 19 MiB afresh for each costs time and, with some allocators, gigabytes.
/// One a thread.
pub struct HashMemory(Vec<Block>);

impl HashMemory {
    /// Enough for hashes made with `settings`; a foreign hash that needs more gets its own for once.
    #[must_use]
    pub fn new(settings: &Argon2Settings) -> HashMemory {
        let blocks = settings.memory_kib() as usize;
        HashMemory(vec![Block::new(); blocks])
    }

    /// Where the memory is, to see that it is reused.
    #[must_use]
    pub fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

impl fmt::Debug for HashMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashMemory({} KiB)", self.0.len())
    }
}

/// A parsed argon2 hash.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Kept {
    algorithm: Algorithm,
    version: Version,
    pub(super) memory_kib: u32,
    pub(super) iterations: u32,
    lanes: u32,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

/// NIST SP 800-63B-4 §3.1.1.2 asks for at least 32 bits; RFC 9106 §3.1 recommends 128.
const SALT_BYTES: usize = 16;
const TAG_BYTES: usize = 32;

impl Kept {
    pub(super) fn fresh(settings: &Argon2Settings, password: &Password, memory: &mut HashMemory) -> Kept {
        let salt: [u8; SALT_BYTES] = rand::random();
        let mut kept = Kept {
            algorithm: Algorithm::Argon2id,
            version: Version::V0x13,
            memory_kib: settings.memory_kib(),
            iterations: settings.iterations(),
            lanes: settings.parallelism(),
            salt: salt.to_vec(),
            tag: vec![0; TAG_BYTES],
        };
        let tag = kept.compute(password.reveal().as_bytes(), memory);
        kept.tag = tag.expect("the limits of Argon2Settings are within those of argon2").to_vec();
        kept
    }

    /// `text` begins with `$argon2`.
    pub(super) fn parse(text: &str) -> Result<Kept, HashProblem> {
        let damaged = |what| HashProblem::Malformed { form: "argon2", what };
        let mut parts = text.split('$').skip(1);
        let algorithm = match parts.next() {
            Some("argon2id") => Algorithm::Argon2id,
            Some("argon2i") => Algorithm::Argon2i,
            Some("argon2d") => Algorithm::Argon2d,
            _ => {
                return Err(damaged("the variant is none of argon2id, argon2i and argon2d"));
            }
        };
        let mut costs = parts.next().ok_or(damaged("it ends early"))?;
        // the first version (2015) wrote none
        let version = match costs.strip_prefix("v=") {
            Some("19") => Version::V0x13,
            Some("16") | None => Version::V0x10,
            Some(_) => return Err(damaged("its version is neither 16 nor 19")),
        };
        if costs.starts_with("v=") {
            costs = parts.next().ok_or(damaged("it ends early"))?;
        }
        let [memory_kib, iterations, lanes] =
            alphabets::named_numbers(costs, ["m", "t", "p"]).ok_or(damaged("its parameters are not m, t and p"))?;
        let (Some(salt), Some(tag), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(damaged("it has too few or too many parts"));
        };
        let salt = alphabets::unpadded(salt).ok_or(damaged("the salt is not base64"))?;
        let tag = alphabets::unpadded(tag).ok_or(damaged("the hash is not base64"))?;
        if !(8..=64).contains(&salt.len()) || !(16..=128).contains(&tag.len()) {
            return Err(damaged("the salt or the hash has no usable length"));
        }
        if !cost::LANES.contains(&lanes) || iterations == 0 || memory_kib / 8 < lanes {
            return Err(damaged("its parameters are out of range"));
        }
        Ok(Kept { algorithm, version, memory_kib, iterations, lanes, salt, tag })
    }

    pub(super) fn phc(&self) -> String {
        format!(
            "${}$v={}$m={},t={},p={}${}${}",
            self.algorithm.as_str(),
            u32::from(self.version),
            self.memory_kib,
            self.iterations,
            self.lanes,
            alphabets::to_unpadded(&self.salt),
            alphabets::to_unpadded(&self.tag)
        )
    }

    pub(super) fn name(&self) -> &'static str {
        self.algorithm.as_str()
    }

    pub(super) fn is_as_set(&self, settings: &Argon2Settings) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && self.memory_kib == settings.memory_kib()
            && self.iterations == settings.iterations()
            && self.lanes == settings.parallelism()
            && self.tag.len() == TAG_BYTES
    }

    pub(super) fn verify(&self, password: &[u8], memory: &mut HashMemory) -> bool {
        self.compute(password, memory).is_ok_and(|tag| tag.ct_eq(&self.tag).into())
    }

    fn compute(&self, password: &[u8], memory: &mut HashMemory) -> Result<Zeroizing<Vec<u8>>, argon2::Error> {
        let params = Params::new(self.memory_kib, self.iterations, self.lanes, Some(self.tag.len()))?;
        let blocks = params.block_count();
        let argon2 = Argon2::new(self.algorithm, self.version, params);
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        if blocks <= memory.0.len() {
            argon2.hash_password_into_with_memory(password, &self.salt, &mut tag, &mut memory.0)?;
        } else {
            argon2.hash_password_into_with_memory(password, &self.salt, &mut tag, vec![Block::new(); blocks])?;
        }
        Ok(tag)
    }
}
