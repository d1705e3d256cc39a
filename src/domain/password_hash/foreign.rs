//! The hashes of other applications: each form is parsed into a value that can be computed, and compared in constant time.
//! Nothing here makes such a hash. Floor: domain.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{HashProblem, alphabets};

/// bcrypt, alone or with what some applications do to the password first because bcrypt stops at 72 bytes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bcrypt {
    text: String,
    cost: u32,
    before: BeforeBcrypt,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BeforeBcrypt {
    Nothing,
    /// WordPress 6.8, `wp_hash_password`: base64 of HMAC-SHA-384 with the key `wp-sha384`.
    WordPress,
    /// Django's `bcrypt_sha256`: hexadecimal SHA-256.
    DjangoSha256,
}

impl Bcrypt {
    /// `$2a$`, `$2b$` and `$2y$`, which differ only in what faulty programs once wrote.
    pub(super) fn plain(text: &str) -> Result<Bcrypt, HashProblem> {
        Bcrypt::parse(text, BeforeBcrypt::Nothing)
    }

    pub(super) fn word_press(text: &str) -> Result<Bcrypt, HashProblem> {
        Bcrypt::parse(text, BeforeBcrypt::WordPress)
    }

    pub(super) fn django_sha256(text: &str) -> Result<Bcrypt, HashProblem> {
        Bcrypt::parse(text, BeforeBcrypt::DjangoSha256)
    }

    fn parse(text: &str, before: BeforeBcrypt) -> Result<Bcrypt, HashProblem> {
        let damaged = |what| HashProblem::Malformed { form: "bcrypt", what };
        if !["$2a$", "$2b$", "$2y$"].iter().any(|p| text.starts_with(p)) {
            return Err(damaged("it does not begin with $2a$, $2b$ or $2y$"));
        }
        let parts: bcrypt::HashParts =
            text.parse().map_err(|_| damaged("it is not 60 characters of bcrypt's alphabet"))?;
        let cost = parts.get_cost();
        if !(4..=31).contains(&cost) {
            return Err(damaged("its cost is not 4 to 31"));
        }
        Ok(Bcrypt { text: text.to_owned(), cost, before })
    }

    pub(super) fn cost(&self) -> u32 {
        self.cost
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let is_hash_of = |bytes: &[u8]| bcrypt::verify(bytes, &self.text).unwrap_or(false);
        match self.before {
            BeforeBcrypt::Nothing => is_hash_of(password),
            BeforeBcrypt::DjangoSha256 => is_hash_of(Zeroizing::new(hex::encode(Sha256::digest(password))).as_bytes()),
            BeforeBcrypt::WordPress => as_word_press_saw_it(password).iter().any(|seen| {
                let mut mac = Hmac::<Sha384>::new_from_slice(b"wp-sha384").expect("HMAC takes a key of any length");
                mac.update(seen);
                is_hash_of(Zeroizing::new(STANDARD.encode(mac.finalize().into_bytes())).as_bytes())
            }),
        }
    }
}

/// scrypt as PHC string, as `$7$` (libsodium, libxcrypt), and as Django writes it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Scrypt {
    log_n: u8,
    block_size: u32,
    parallelism: u32,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

impl Scrypt {
    /// `$scrypt$ln=16,r=8,p=1$salt$tag`
    pub(super) fn phc(text: &str) -> Result<Scrypt, HashProblem> {
        let parts: Vec<&str> = text.split('$').collect();
        let ["", "scrypt", costs, salt, tag] = parts[..] else {
            return Err(Scrypt::damaged("it is not $scrypt$ln=…,r=…,p=…$salt$hash"));
        };
        let [log_n, block_size, parallelism] = alphabets::named_numbers(costs, ["ln", "r", "p"])
            .ok_or(Scrypt::damaged("its parameters are not ln, r and p"))?;
        let salt = alphabets::unpadded(salt).ok_or(Scrypt::damaged("the salt is not base64"))?;
        let tag = alphabets::unpadded(tag).ok_or(Scrypt::damaged("the hash is not base64"))?;
        Scrypt::checked(log_n, block_size, parallelism, salt, tag)
    }

    /// `$7$`, one letter for ln, five for r, five for p, the salt as it stands, `$`, the tag
    pub(super) fn mcf(text: &str) -> Result<Scrypt, HashProblem> {
        let numbers = || {
            let rest = text.strip_prefix("$7$")?;
            let log_n = alphabets::crypt_digit(*rest.as_bytes().first()?)?;
            let block_size = alphabets::crypt_number(rest.as_bytes().get(1..6)?)?;
            let parallelism = alphabets::crypt_number(rest.as_bytes().get(6..11)?)?;
            let (salt, tag) = rest.get(11..)?.split_once('$')?;
            let tag = alphabets::crypt_bytes::<32>(tag)?;
            Some((log_n, block_size, parallelism, salt.as_bytes().to_vec(), tag.to_vec()))
        };
        let (log_n, block_size, parallelism, salt, tag) =
            numbers().ok_or(Scrypt::damaged("it is not $7$, eleven letters of cost, salt, $ and hash"))?;
        Scrypt::checked(log_n, block_size, parallelism, salt, tag)
    }

    /// `scrypt$16384$salt$8$5$tag`: N, the salt as it stands, r, p, base64
    pub(super) fn django(text: &str) -> Result<Scrypt, HashProblem> {
        let parts: Vec<&str> = text.split('$').collect();
        let ["scrypt", n, salt, block_size, parallelism, tag] = parts[..] else {
            return Err(Scrypt::damaged("it is not scrypt$N$salt$r$p$hash"));
        };
        let number = |text| alphabets::plain_number(text).ok_or(Scrypt::damaged("N, r or p is not a number"));
        let n = number(n)?;
        if !n.is_power_of_two() {
            return Err(Scrypt::damaged("N is not a power of two"));
        }
        let tag = alphabets::padded(tag).ok_or(Scrypt::damaged("the hash is not base64"))?;
        Scrypt::checked(n.ilog2(), number(block_size)?, number(parallelism)?, salt.as_bytes().to_vec(), tag)
    }

    fn checked(
        log_n: u32,
        block_size: u32,
        parallelism: u32,
        salt: Vec<u8>,
        tag: Vec<u8>,
    ) -> Result<Scrypt, HashProblem> {
        let is_in_range = (1..=30).contains(&log_n)
            && (1..=1024).contains(&block_size)
            && (1..=64).contains(&parallelism)
            && (4..=128).contains(&salt.len())
            && (16..=128).contains(&tag.len());
        let log_n =
            u8::try_from(log_n).ok().filter(|_| is_in_range).ok_or(Scrypt::damaged("a parameter is out of range"))?;
        Ok(Scrypt { log_n, block_size, parallelism, salt, tag })
    }

    fn damaged(what: &'static str) -> HashProblem {
        HashProblem::Malformed { form: "scrypt", what }
    }

    pub(super) fn memory_kib(&self) -> u64 {
        (u64::from(self.block_size) << self.log_n) / 8
    }

    pub(super) fn kib_passes(&self) -> u64 {
        self.memory_kib() * u64::from(self.parallelism)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let Ok(params) = scrypt::Params::new(self.log_n, self.block_size, self.parallelism) else {
            return false;
        };
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        scrypt::scrypt(password, &self.salt, &params, &mut tag).is_ok() && tag.ct_eq(&self.tag).into()
    }
}

/// PBKDF2 with HMAC, as PHC string, in passlib's dialect, and as Django writes it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pbkdf2 {
    digest: HmacDigest,
    iterations: u32,
    salt: Vec<u8>,
    tag: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HmacDigest {
    Sha1,
    Sha256,
    Sha512,
}

impl Pbkdf2 {
    /// `$pbkdf2-sha256$i=600000,l=32$salt$tag` (PHC) or `$pbkdf2-sha256$600000$salt$tag` (passlib)
    pub(super) fn phc(text: &str) -> Result<Pbkdf2, HashProblem> {
        let parts: Vec<&str> = text.split('$').collect();
        let ["", name, costs, salt, tag] = parts[..] else {
            return Err(Pbkdf2::damaged("it is not $pbkdf2-digest$iterations$salt$hash"));
        };
        let digest = match name {
            "pbkdf2" | "pbkdf2-sha1" => HmacDigest::Sha1,
            "pbkdf2-sha256" => HmacDigest::Sha256,
            "pbkdf2-sha512" => HmacDigest::Sha512,
            _ => {
                return Err(Pbkdf2::damaged("its digest is none of SHA-1, SHA-256 and SHA-512"));
            }
        };
        let iterations = alphabets::plain_number(costs)
            .or_else(|| alphabets::named_numbers(costs, ["i"]).map(|[i]| i))
            .or_else(|| alphabets::named_numbers(costs, ["i", "l"]).map(|[i, _]| i))
            .ok_or(Pbkdf2::damaged("its parameters are not i and l"))?;
        let salt = alphabets::passlib(salt).ok_or(Pbkdf2::damaged("the salt is not base64"))?;
        let tag = alphabets::passlib(tag).ok_or(Pbkdf2::damaged("the hash is not base64"))?;
        Pbkdf2::checked(digest, iterations, salt, tag)
    }

    /// `pbkdf2_sha256$1000000$salt$tag`: the salt as it stands, base64
    pub(super) fn django(text: &str) -> Result<Pbkdf2, HashProblem> {
        let parts: Vec<&str> = text.split('$').collect();
        let [name, iterations, salt, tag] = parts[..] else {
            return Err(Pbkdf2::damaged("it is not pbkdf2_digest$iterations$salt$hash"));
        };
        let digest = match name {
            "pbkdf2_sha1" => HmacDigest::Sha1,
            "pbkdf2_sha256" => HmacDigest::Sha256,
            "pbkdf2_sha512" => HmacDigest::Sha512,
            _ => {
                return Err(Pbkdf2::damaged("its digest is none of SHA-1, SHA-256 and SHA-512"));
            }
        };
        let iterations = alphabets::plain_number(iterations).ok_or(Pbkdf2::damaged("iterations is not a number"))?;
        let tag = alphabets::padded(tag).ok_or(Pbkdf2::damaged("the hash is not base64"))?;
        Pbkdf2::checked(digest, iterations, salt.as_bytes().to_vec(), tag)
    }

    fn checked(digest: HmacDigest, iterations: u32, salt: Vec<u8>, tag: Vec<u8>) -> Result<Pbkdf2, HashProblem> {
        // at most what one round of SHA-512 gives: more would multiply the work
        let is_in_range = iterations >= 1 && (4..=128).contains(&salt.len()) && (16..=64).contains(&tag.len());
        if is_in_range {
            Ok(Pbkdf2 { digest, iterations, salt, tag })
        } else {
            Err(Pbkdf2::damaged("a parameter is out of range"))
        }
    }

    fn damaged(what: &'static str) -> HashProblem {
        HashProblem::Malformed { form: "PBKDF2", what }
    }

    pub(super) fn iterations(&self) -> u32 {
        self.iterations
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut tag = Zeroizing::new(vec![0; self.tag.len()]);
        match self.digest {
            HmacDigest::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(password, &self.salt, self.iterations, &mut tag),
            HmacDigest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, &self.salt, self.iterations, &mut tag),
            HmacDigest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, &self.salt, self.iterations, &mut tag),
        }
        tag.ct_eq(&self.tag).into()
    }
}

/// The "portable" hash of phpass, which WordPress wrote before 6.8 (`$P$`) and phpBB (`$H$`): MD5, many times.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Phpass {
    cost: u32,
    salt: Vec<u8>,
    tag: [u8; 16],
    by: PhpassBy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PhpassBy {
    WordPress,
    Others,
}

impl Phpass {
    /// `$P$`, one letter of cost, eight of salt as they stand, 22 of tag
    pub(super) fn parse(text: &str) -> Result<Phpass, HashProblem> {
        let damaged = |what| HashProblem::Malformed { form: "phpass", what };
        let by = if text.starts_with("$P$") { PhpassBy::WordPress } else { PhpassBy::Others };
        let parts = || {
            let cost = alphabets::crypt_digit(*text.as_bytes().get(3)?)?;
            let salt = text.as_bytes().get(4..12)?.to_vec();
            let tag = alphabets::crypt_bytes::<16>(text.get(12..)?)?;
            Some((cost, salt, tag))
        };
        let (cost, salt, tag) = parts().ok_or(damaged("it is not 34 characters of its alphabet"))?;
        if !(7..=30).contains(&cost) {
            return Err(damaged("its cost is not 7 to 30"));
        }
        Ok(Phpass { cost, salt, tag, by })
    }

    pub(super) fn cost(&self) -> u32 {
        self.cost
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        match self.by {
            PhpassBy::WordPress => as_word_press_saw_it(password).iter().any(|seen| self.is_hash_of(seen)),
            PhpassBy::Others => self.is_hash_of(password),
        }
    }

    fn is_hash_of(&self, password: &[u8]) -> bool {
        let mut round = Md5::new().chain_update(&self.salt).chain_update(password).finalize();
        for _ in 0..1_u32 << self.cost {
            round = Md5::new().chain_update(round).chain_update(password).finalize();
        }
        round.ct_eq(&self.tag).into()
    }
}

/// WordPress trims passwords, and hashes what PHP's "magic quotes" made of them: a backslash before quotes, backslashes and NUL. Passwords set by
/// `wp user create` were not quoted so; those are tried second.
fn as_word_press_saw_it(password: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0);
    let start = password.iter().position(|b| !is_blank(b)).unwrap_or(password.len());
    let end = password.iter().rposition(|b| !is_blank(b)).map_or(start, |at| at + 1);
    let trimmed = password.get(start..end).unwrap_or_default();
    let mut quoted = Zeroizing::new(Vec::with_capacity(2 * trimmed.len()));
    for byte in trimmed {
        match byte {
            b'\'' | b'"' | b'\\' => quoted.extend([b'\\', *byte]),
            0 => quoted.extend(*b"\\0"),
            _ => quoted.push(*byte),
        }
    }
    let plain = Zeroizing::new(trimmed.to_vec());
    if *quoted == *plain { vec![plain] } else { vec![quoted, plain] }
}
