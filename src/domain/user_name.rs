//! The name an account signs in with, in the one form that is looked up, counted, audited and passed on.
//! It does not guess: what is not in the alphabet after lower-casing ASCII is refused, never folded, because
//! two names that look alike must not become one account. Floor: domain.

use std::fmt;

/// Letters, digits and `._@+-`, of ASCII, in lower case, 1 to 64 of them, beginning with a letter or digit.
/// A value of this type is always canonical: `parse(x.as_str())` gives `x` again.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserName(String);

/// Most characters a name may have. Our choice: long enough for an e-mail address of usual length.
pub const LONGEST_USER_NAME: usize = 64;

/// Why a text is no user name, for operators. Users are only told that sign-in failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserNameProblem {
    #[error("the user name is empty")]
    Empty,
    #[error("the user name is longer than {LONGEST_USER_NAME} characters")]
    TooLong,
    #[error("the user name has to begin with a letter or a digit (a to z, 0 to 9), not with {0}")]
    BadStart(ShownChar),
    #[error("the user name contains {0}; allowed are a to z, 0 to 9 and . _ @ + -")]
    BadCharacter(ShownChar),
}

/// A character shown so that look-alikes and invisible ones can be told apart: `"ı" (U+0131)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownChar(pub char);

impl UserName {
    /// Trims surrounding ASCII blanks, lower-cases ASCII letters, and checks the alphabet.
    ///
    /// # Errors
    /// The first thing that keeps the text from being a user name.
    pub fn parse(text: &str) -> Result<UserName, UserNameProblem> {
        let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace());
        // counted only so far: the text may be a megabyte from the network
        if trimmed.chars().take(LONGEST_USER_NAME + 1).count() > LONGEST_USER_NAME {
            return Err(UserNameProblem::TooLong);
        }
        let name = trimmed.to_ascii_lowercase();
        let first = name.chars().next().ok_or(UserNameProblem::Empty)?;
        if !(first.is_ascii_lowercase() || first.is_ascii_digit()) {
            return Err(UserNameProblem::BadStart(ShownChar(first)));
        }
        match name.chars().find(|c| !is_allowed(*c)) {
            Some(c) => Err(UserNameProblem::BadCharacter(ShownChar(c))),
            None => Ok(UserName(name)),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '@' | '+' | '-')
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserName({})", self.0)
    }
}

impl fmt::Display for ShownChar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == ' ' {
            return f.write_str("a blank");
        }
        let code = u32::from(self.0);
        if self.0.is_ascii_graphic() {
            write!(f, "\"{}\"", self.0)
        } else if self.0.is_alphanumeric() {
            write!(f, "\"{}\" (U+{code:04X})", self.0)
        } else {
            write!(f, "the character U+{code:04X}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;

    fn parsed(text: &str) -> Result<String, UserNameProblem> {
        UserName::parse(text).map(|n| n.as_str().to_owned())
    }

    #[test]
    fn capitals_and_surrounding_blanks_do_not_make_another_user() {
        for text in ["alice", "Alice", "ALICE", " alice", "alice\t", "\r\n Alice "] {
            assert_eq!(parsed(text).unwrap(), "alice", "{text:?}");
        }
    }

    #[test]
    fn letters_that_only_look_alike_are_refused_not_folded() {
        for (text, bad) in [
            ("ａlice", UserNameProblem::BadStart(ShownChar('ａ'))),
            ("alice\u{200b}", UserNameProblem::BadCharacter(ShownChar('\u{200b}'))),
            ("mıke", UserNameProblem::BadCharacter(ShownChar('ı'))),
            ("\u{212a}arl", UserNameProblem::BadStart(ShownChar('\u{212a}'))), // the Kelvin sign lower-cases to k in Unicode
            ("al ice", UserNameProblem::BadCharacter(ShownChar(' '))),
            ("alice\0", UserNameProblem::BadCharacter(ShownChar('\0'))),
            ("\u{a0}alice", UserNameProblem::BadStart(ShownChar('\u{a0}'))),
            (".alice", UserNameProblem::BadStart(ShownChar('.'))),
            ("", UserNameProblem::Empty),
            ("  ", UserNameProblem::Empty),
        ] {
            assert_eq!(parsed(text), Err(bad), "{text:?}");
        }
    }

    #[test]
    fn sixty_four_characters_are_the_most() {
        assert!(parsed(&"a".repeat(64)).is_ok());
        assert_eq!(parsed(&"a".repeat(65)), Err(UserNameProblem::TooLong));
    }

    #[test]
    fn an_invisible_character_is_named_by_its_number() {
        let problem = parsed("alice\u{200b}").unwrap_err();
        assert!(problem.to_string().contains("U+200B"), "{problem}");
    }

    #[test]
    fn a_canonical_name_stays_as_it_is_whatever_was_typed() {
        let pool: Vec<char> = "aAbZ09._@+- \tıİſK\u{200b}ａé\u{301}".chars().collect();
        let mut rng = rand::rng();
        let mut accepted = 0;
        for _ in 0..20_000 {
            let text: String = (0..rng.random_range(0..6)).map(|_| pool[rng.random_range(0..pool.len())]).collect();
            if let Ok(name) = UserName::parse(&text) {
                accepted += 1;
                assert_eq!(UserName::parse(name.as_str()), Ok(name), "{text:?}");
            }
        }
        assert!(accepted > 100, "the pool has to give names");
    }
}
