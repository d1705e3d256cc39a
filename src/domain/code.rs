//! One-time codes: made at random, compared in constant time, read from what a person typed. Knows no lifetime and no store. Floor: ground.

use std::fmt;

use rand::Rng as _;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A code as it is sent: 6 to 8 decimal digits, leading zeros kept (NIST SP 800-63B-4 §3.1.3.2: at least six digits).
#[derive(Clone)]
pub struct Code(Zeroizing<String>);

impl Code {
    /// A new one, uniform over all codes of `length` digits.
    #[must_use]
    pub fn random(length: u8) -> Self {
        let mut rng = rand::rng();
        Self(Zeroizing::new((0..length).map(|_| char::from(b'0' + rng.random_range(0..10_u8))).collect()))
    }

    /// From the digits that were sealed; `None` for anything that is not 4 to 10 ASCII digits.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let right = (4..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        right.then(|| Self(Zeroizing::new(digits.to_owned())))
    }

    /// The digits, for the SMS and for sealing only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `typed` is this code, in a time that does not depend on where they differ.
    #[must_use]
    pub fn matches(&self, typed: &TypedCode) -> bool {
        self.0.as_bytes().ct_eq(typed.0.as_bytes()).into()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// What a person typed, once it has the form of a code.
pub struct TypedCode(Zeroizing<String>);

impl TypedCode {
    /// Drops blanks, hyphens and dashes, then wants exactly `length` ASCII digits; `None` otherwise, and nothing is charged then (security A12).
    #[must_use]
    pub fn parse(typed: &str, length: u8) -> Option<Self> {
        if typed.len() > 64 {
            return None;
        }
        let digits: Zeroizing<String> = Zeroizing::new(
            typed
                .chars()
                .filter(|c| !matches!(c, ' ' | '\t' | '\u{a0}' | '\u{202f}' | '-' | '\u{2010}'..='\u{2015}'))
                .collect(),
        );
        let right = digits.len() == usize::from(length) && digits.bytes().all(|b| b.is_ascii_digit());
        right.then_some(Self(digits))
    }
}

impl fmt::Debug for TypedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_uniform_and_keep_leading_zeros() {
        let codes: Vec<Code> = (0..2000).map(|_| Code::random(6)).collect();
        assert!(codes.iter().all(|c| c.reveal().len() == 6 && c.reveal().bytes().all(|b| b.is_ascii_digit())));
        let leading_zero = codes.iter().filter(|c| c.reveal().starts_with('0')).count();
        assert!((100..=320).contains(&leading_zero), "{leading_zero} of 2000 start with 0; 200 expected");
    }

    #[test]
    fn blanks_and_dashes_are_no_part_of_a_code() {
        let code = Code::parse("012345").unwrap();
        for typed in ["012345", " 012 345 ", "012-345", "012\u{2013}345"] {
            assert!(code.matches(&TypedCode::parse(typed, 6).unwrap()), "{typed}");
        }
    }

    #[test]
    fn what_is_not_six_ascii_digits_is_no_code() {
        for typed in [
            "",
            "12345",
            "1234567",
            "\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}\u{ff16}",
            "123456\0",
            "+123456",
            "12345a",
        ] {
            assert!(TypedCode::parse(typed, 6).is_none(), "{typed:?}");
        }
        assert!(TypedCode::parse(&" ".repeat(100), 6).is_none());
    }

    #[test]
    fn another_code_does_not_match() {
        assert!(!Code::parse("123456").unwrap().matches(&TypedCode::parse("123457", 6).unwrap()));
    }
}
