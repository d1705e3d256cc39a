//! The bearer tokens with which programs use the admin API: made on the command line, shown once, and kept only as a hash. No storage and no rights:
//! a token acts with an operator's role (`domain::operator`). Floor: ground.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::operator::OperatorRole;
use super::time::UnixMillis;

/// What every token begins with, so that one that was published by mistake is recognised, by people and by scanners.
pub const PREFIX: &str = "vst_";
/// 256 bits: nobody guesses one, so what is kept needs no key.
const SECRET_BYTES: usize = 32;

/// A token as it is made or sent: `vst_` and 43 letters, digits, `-` and `_`.
pub struct ApiToken(Zeroizing<[u8; SECRET_BYTES]>);

/// What is kept of a token: SHA-256 of its 32 random bytes, from which nobody gets back to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiTokenHash([u8; 32]);

/// 16 random bytes that name a token for ever, also after its name was given to another one. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiTokenId([u8; 16]);

/// What operators call a token, and the audit trail says acted: 1 to 64 lower-case letters, digits and `._-`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenName(String);

/// A token that is known.
#[derive(Clone, Debug)]
pub struct KnownApiToken {
    pub id: ApiTokenId,
    pub name: ApiTokenName,
    pub role: OperatorRole,
    pub created_at: UnixMillis,
    /// From then on it is good for nothing.
    pub expires_at: UnixMillis,
    /// To the minute; `None`: never.
    pub last_used_at: Option<UnixMillis>,
}

impl ApiToken {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// As sent. `None`: no token by its form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?);
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// To be shown once.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(self.0.as_slice())))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> ApiTokenHash {
        ApiTokenHash(Sha256::digest(self.0.as_slice()).into())
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiToken(…)")
    }
}

impl ApiTokenHash {
    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ApiTokenId {
    /// A new, random one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// From 32 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for ApiTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ApiTokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiTokenId({self})")
    }
}

impl ApiTokenName {
    /// `None` for what is no name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        (begins && text.len() <= 64 && text.bytes().all(is_inner)).then(|| Self(text.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiTokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_shows_itself_to_nobody_else() {
        let token = ApiToken::generate();
        let shown = token.reveal();
        assert_eq!((shown.len(), shown.starts_with("vst_")), (47, true));
        let again = ApiToken::parse(&shown).unwrap();
        assert_eq!(again.hash(), token.hash());
        assert_ne!(ApiToken::generate().hash(), token.hash());
        assert_eq!(format!("{token:?}"), "ApiToken(…)");
        for wrong in ["", "vst_", &shown[4..], &shown[..46], &format!("{}A", *shown), &shown.replace("vst_", "VST_")] {
            assert!(ApiToken::parse(wrong).is_none(), "{wrong:?}");
        }
    }

    #[test]
    fn a_name_is_one_word_that_the_trail_can_show() {
        for good in ["crm", "hr-sync.2", "9"] {
            assert_eq!(ApiTokenName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-x", "HR", "a b", "a:b", "ä", &"x".repeat(65)] {
            assert!(ApiTokenName::parse(bad).is_none(), "{bad:?}");
        }
    }
}
