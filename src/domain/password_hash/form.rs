//! Which form a stored hash has: from its first characters to a value that can be computed. Floor: domain.

use super::{
    CostCap, HashProblem,
    foreign::{Bcrypt, Pbkdf2, Phpass, Scrypt},
    kept::{HashMemory, Kept},
};

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Form {
    Argon2(Kept),
    Bcrypt(Bcrypt),
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
    Phpass(Phpass),
}

pub(super) fn parse(text: &str) -> Result<Form, HashProblem> {
    if text.is_empty() {
        return Err(HashProblem::Empty);
    }
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| text.starts_with(p));
    if starts(&["$argon2"]) {
        Kept::parse(text).map(Form::Argon2)
    } else if let Some(phc) = text.strip_prefix("argon2$") {
        // Django puts its own name before the PHC string and leaves its first $ out
        Kept::parse(&format!("${phc}")).map(Form::Argon2)
    } else if starts(&["$2a$", "$2b$", "$2y$"]) {
        Bcrypt::plain(text).map(Form::Bcrypt)
    } else if let Some(hash) = text.strip_prefix("$wp") {
        Bcrypt::word_press(hash).map(Form::Bcrypt)
    } else if let Some(hash) = text.strip_prefix("bcrypt_sha256$") {
        Bcrypt::django_sha256(hash).map(Form::Bcrypt)
    } else if let Some(hash) = text.strip_prefix("bcrypt$") {
        Bcrypt::plain(hash).map(Form::Bcrypt)
    } else if starts(&["$scrypt$"]) {
        Scrypt::phc(text).map(Form::Scrypt)
    } else if starts(&["$7$"]) {
        Scrypt::mcf(text).map(Form::Scrypt)
    } else if starts(&["scrypt$"]) {
        Scrypt::django(text).map(Form::Scrypt)
    } else if starts(&["$pbkdf2"]) {
        Pbkdf2::phc(text).map(Form::Pbkdf2)
    } else if starts(&["pbkdf2_"]) {
        Pbkdf2::django(text).map(Form::Pbkdf2)
    } else if starts(&["$P$", "$H$"]) {
        Phpass::parse(text).map(Form::Phpass)
    } else {
        Err(why_not(text))
    }
}

impl Form {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Form::Argon2(kept) => kept.name(),
            Form::Bcrypt(_) => "bcrypt",
            Form::Scrypt(_) => "scrypt",
            Form::Pbkdf2(_) => "PBKDF2",
            Form::Phpass(_) => "phpass",
        }
    }

    pub(super) fn verify(&self, password: &[u8], memory: &mut HashMemory) -> bool {
        match self {
            Form::Argon2(kept) => kept.verify(password, memory),
            Form::Bcrypt(bcrypt) => bcrypt.verify(password),
            Form::Scrypt(scrypt) => scrypt.verify(password),
            Form::Pbkdf2(pbkdf2) => pbkdf2.verify(password),
            Form::Phpass(phpass) => phpass.verify(password),
        }
    }

    pub(super) fn check_cost(&self, cap: &CostCap) -> Result<(), HashProblem> {
        let costs: &[(&'static str, u64, u32)] = &match self {
            Form::Argon2(kept) => {
                let passes = u64::from(kept.memory_kib) * u64::from(kept.iterations);
                vec![
                    ("its memory in KiB", u64::from(kept.memory_kib), cap.memory_kib),
                    ("memory in KiB × iterations", passes, cap.argon2_kib_passes),
                ]
            }
            Form::Scrypt(scrypt) => vec![
                ("its memory in KiB", scrypt.memory_kib(), cap.memory_kib),
                ("memory in KiB × parallelism", scrypt.kib_passes(), cap.scrypt_kib_passes),
            ],
            Form::Bcrypt(bcrypt) => vec![("its cost", u64::from(bcrypt.cost()), cap.bcrypt_cost)],
            Form::Pbkdf2(pbkdf2) => {
                vec![("the number of its iterations", u64::from(pbkdf2.iterations()), cap.pbkdf2_iterations)]
            }
            Form::Phpass(phpass) => vec![("its cost", u64::from(phpass.cost()), cap.phpass_cost)],
        };
        match costs.iter().find(|(_, cost, cap)| *cost > u64::from(*cap)) {
            Some((what, _, cap)) => Err(HashProblem::TooCostly { form: self.name(), what, cap: *cap }),
            None => Ok(()),
        }
    }
}

/// Names the usual forms that are not taken, so that an operator knows what his export contains.
fn why_not(text: &str) -> HashProblem {
    const WEAK: &[(&str, &str)] = &[
        ("$1$", "MD5 crypt ($1$)"),
        ("$apr1$", "Apache MD5 ($apr1$)"),
        ("md5$", "salted MD5 (Django)"),
        ("sha1$", "salted SHA-1 (Django)"),
        ("unsalted_", "an unsalted digest (Django)"),
        ("crypt$", "DES crypt (Django)"),
        ("{md5}", "MD5 (LDAP)"),
        ("{smd5}", "salted MD5 (LDAP)"),
        ("{sha}", "SHA-1 (LDAP)"),
        ("{ssha}", "salted SHA-1 (LDAP)"),
        ("{ssha256}", "salted SHA-256 (LDAP)"),
        ("{ssha512}", "salted SHA-512 (LDAP)"),
        ("{crypt}", "crypt (LDAP)"),
        ("$s$", "SHA-512 (Drupal 7)"),
    ];
    const UNSUPPORTED: &[(&str, &str)] = &[
        ("$5$", "SHA-256 crypt ($5$)"),
        ("$6$", "SHA-512 crypt ($6$)"),
        ("$y$", "yescrypt ($y$)"),
        ("$gy$", "gost-yescrypt ($gy$)"),
        ("$2x$", "the faulty bcrypt of before 2011 ($2x$)"),
        ("$bcrypt-sha256$", "bcrypt-sha256 of passlib"),
    ];
    let lower = text.to_ascii_lowercase();
    let named = |list: &[(&str, &'static str)]| list.iter().find(|(p, _)| lower.starts_with(p)).map(|(_, form)| *form);
    if text.starts_with('!') || text.starts_with('*') {
        HashProblem::Unusable
    } else if let Some(form) = named(WEAK) {
        HashProblem::Weak { form }
    } else if let Some(form) = named(UNSUPPORTED) {
        HashProblem::Unsupported { form }
    } else if matches!(text.len(), 32 | 40 | 56 | 64 | 96 | 128) && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        HashProblem::Weak { form: "a plain digest (MD5, SHA-1 or SHA-2 in hexadecimal)" }
    } else {
        HashProblem::Unknown
    }
}
