//! Passwords as people type them, the rules for new ones, and the ones we make.
//! No rules of composition, no rotation, no folding and no trimming (NIST SP 800-63B-4 §3.1.1.2): a new password has a
//! least length and is not one that is guessed first. How a password is kept is `password_hash`. Floor: domain.

use std::fmt;

use rand::seq::IndexedRandom as _;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;
use zxcvbn::matching::patterns::MatchPattern;

use super::user_name::UserName;

/// A password in Unicode NFC, so that é typed as one or as two code points is the same (NIST SP 800-63B-4 §3.1.1.2).
/// Not empty, at most [`MOST_CODE_POINTS`] and [`MOST_BYTES`] long. Wiped on drop.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

/// Code points in the longest password. NIST SP 800-63B-4 asks for at least 64; ours is 256.
pub const MOST_CODE_POINTS: usize = 256;

/// UTF-8 bytes in the longest password: four for each code point.
pub const MOST_BYTES: usize = 1024;

/// Why a typed text cannot be anybody's password. Treated as a wrong password: it is never cut to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAPassword {
    #[error("the password is empty")]
    Empty,
    #[error("the password is longer than {MOST_CODE_POINTS} characters")]
    TooLong,
}

impl Password {
    /// # Errors
    /// When it is empty or too long to be a password here.
    pub fn typed(text: &str) -> Result<Password, NotAPassword> {
        // normalising may shorten: four times is more than any text that comes out short enough
        if text.len() > 4 * MOST_BYTES {
            return Err(NotAPassword::TooLong);
        }
        // room for all of it at once: growing would leave copies behind
        let mut nfc = Zeroizing::new(String::with_capacity(3 * text.len()));
        nfc.extend(text.nfc());
        if nfc.is_empty() {
            return Err(NotAPassword::Empty);
        }
        if nfc.len() > MOST_BYTES || nfc.chars().count() > MOST_CODE_POINTS {
            return Err(NotAPassword::TooLong);
        }
        Ok(Password(nfc))
    }

    /// A new one for somebody to sign in with once: five groups of four, such as `k7mp-2xqr-…`. 99 bits; no letter or digit
    /// that is mistaken for another when read aloud or copied by hand.
    #[must_use]
    pub fn generate() -> Password {
        let mut rng = rand::rng();
        let mut text = Zeroizing::new(String::with_capacity(24));
        for place in 0..20 {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            text.extend(UNMISTAKABLE.choose(&mut rng).copied().map(char::from));
        }
        Password(text)
    }

    /// The characters themselves: for hashing, and for showing a generated one once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// 31 characters, 4.95 bits each: without i, l, o, 0 and 1.
const UNMISTAKABLE: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What a new password has to meet. Not asked of passwords that exist: they stay valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRules {
    /// Code points. NIST SP 800-63B-4 §3.1.1.2: at least 8 beside a second factor; 15 alone.
    pub min_length: usize,
}

impl Default for PasswordRules {
    fn default() -> Self {
        PasswordRules { min_length: 8 }
    }
}

/// Why a new password is refused, so that the next try is better. `Display` is for operators; pages have their own texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("it is shorter than {min_length} characters")]
    TooShort { min_length: usize },
    #[error("it is one of the passwords that are tried first")]
    Common,
    #[error("it is built on the name of the user or of this service")]
    NamesUserOrSite,
    #[error(
        "it is a pattern (a row of keys, a repetition, a date) or a common word with little added, and guessed early"
    )]
    Guessable,
}

/// Guesses (as a power of ten) that a password must be expected to withstand. zxcvbn calls less than 10^6 "very guessable": what an
/// attacker gets through slowly, on line, by many addresses and accounts.
const LEAST_GUESSES_LOG10: f64 = 6.0;

impl PasswordRules {
    /// `names` are what an attacker knows: user name, name and host of the site, the person's name, the e-mail address.
    ///
    /// # Errors
    /// The first rule that is not met.
    pub fn check(&self, password: &Password, names: &[&str]) -> Result<(), Weakness> {
        let text = password.reveal();
        if text.chars().count() < self.min_length {
            return Err(Weakness::TooShort { min_length: self.min_length });
        }
        let known = words(names);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let estimate = zxcvbn::zxcvbn(text, &known);
        if estimate.guesses_log10() >= LEAST_GUESSES_LOG10 {
            return Ok(());
        }
        Err(reason(estimate.sequence(), &known))
    }

    /// As `check`, for one account: `person` is the name and the e-mail address, where they are known.
    ///
    /// # Errors
    /// The first rule that is not met.
    pub fn check_for_account(
        &self,
        password: &Password,
        user_name: &UserName,
        person: [Option<&str>; 2],
        site_names: &[String],
    ) -> Result<(), Weakness> {
        let mut names = vec![user_name.as_str()];
        names.extend(person.into_iter().flatten());
        names.extend(site_names.iter().map(String::as_str));
        self.check(password, &names)
    }
}

/// The names themselves and their parts: `ann.smith@acme.example` gives ann, smith and acme too.
fn words(names: &[&str]) -> Vec<String> {
    let mut words = Vec::new();
    for name in names {
        let lower = name.to_lowercase();
        words.extend(lower.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() >= 3).map(str::to_owned));
        words.push(lower.chars().filter(|c| c.is_alphanumeric()).collect());
        words.push(lower);
    }
    words
}

/// Which of the things that zxcvbn found makes the password weak, the most useful to know first.
fn reason(parts: &[zxcvbn::Match], known: &[&str]) -> Weakness {
    let found: Vec<_> = parts
        .iter()
        .filter_map(|part| match &part.pattern {
            MatchPattern::Dictionary(found) => Some(found),
            _ => None,
        })
        .collect();
    if found.iter().any(|f| known.contains(&f.matched_word.as_str())) {
        Weakness::NamesUserOrSite
    } else if found.len() == 1 && parts.len() == 1 {
        Weakness::Common
    } else {
        Weakness::Guessable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Password {
        Password::typed(text).unwrap()
    }

    fn checked(text: &str) -> Result<(), Weakness> {
        PasswordRules::default().check(&typed(text), &["ann.smith", "Acme Marketing", "marketing.example.com"])
    }

    #[test]
    fn an_accent_is_the_same_composed_and_decomposed() {
        assert_eq!(typed("caf\u{e9}-bar"), typed("cafe\u{301}-bar"));
    }

    #[test]
    fn nothing_else_is_folded_or_trimmed() {
        assert_ne!(typed("Secret"), typed("secret"));
        assert_ne!(typed("secret "), typed("secret"));
        assert_ne!(typed("ﬁsh"), typed("fish"));
        assert_ne!(typed("１23"), typed("123"));
    }

    #[test]
    fn a_long_password_counts_to_its_last_character_and_a_longer_one_is_refused() {
        let most = "é".repeat(256);
        assert_ne!(typed(&most), typed(&format!("{}x", "é".repeat(255))));
        assert_eq!(Password::typed(&format!("{most}x")), Err(NotAPassword::TooLong));
        assert!(Password::typed(&"e\u{301}".repeat(256)).is_ok(), "counted after NFC");
        assert!(Password::typed(&"😀".repeat(256)).is_ok());
        assert_eq!(Password::typed(&"x".repeat(1 << 20)), Err(NotAPassword::TooLong));
        assert_eq!(Password::typed(""), Err(NotAPassword::Empty));
    }

    #[test]
    fn what_is_tried_first_is_refused_with_the_reason() {
        for (text, weakness) in [
            ("short7!", Weakness::TooShort { min_length: 8 }),
            ("password1", Weakness::Common),
            ("PASSWORD1", Weakness::Common),
            ("football1", Weakness::Common),
            ("p@ssw0rd", Weakness::Common),
            ("iloveyou2", Weakness::Common),
            ("ann.smith", Weakness::NamesUserOrSite),
            ("annsmith1", Weakness::NamesUserOrSite),
            ("Marketing1", Weakness::NamesUserOrSite),
            ("acmemarketing", Weakness::NamesUserOrSite),
            ("aaaaaaaaaa", Weakness::Guessable),
            ("abcdefghij", Weakness::Guessable),
            ("12.11.1984", Weakness::Guessable),
        ] {
            assert_eq!(checked(text), Err(weakness), "{text}");
        }
    }

    #[test]
    fn a_good_password_needs_no_kinds_of_characters() {
        for text in
            ["correct horse battery staple", "vkqzrwmx", "zeventien fietsen", "пароль-как-у-всех", "🦀🦀🦞🦐 zee"]
        {
            assert_eq!(checked(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn a_generated_password_is_readable_and_meets_the_rules() {
        let one = Password::generate();
        assert_ne!(one, Password::generate());
        assert_eq!(one.reveal().len(), 24);
        assert!(one.reveal().split('-').all(|g| g.len() == 4 && g.bytes().all(|b| UNMISTAKABLE.contains(&b))));
        assert!((UNMISTAKABLE.len() as f64).log2() * 20.0 >= 80.0);
        assert_eq!(PasswordRules { min_length: 15 }.check(&one, &[]), Ok(()));
    }

    #[test]
    fn a_password_does_not_show_itself() {
        assert_eq!(format!("{:?}", typed("hunter22")), "Password(…)");
    }
}
