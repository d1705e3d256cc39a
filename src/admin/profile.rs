//! What an account says of the person: the name and the e-mail address, fit to be shown on a page and passed on in a header. Floor: edge.

use unicode_normalization::UnicodeNormalization as _;

/// Why a text is no name or no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileProblem {
    #[error("the name is longer than 200 characters")]
    NameTooLong,
    #[error("the name contains a line break or another control character")]
    NameWithControls,
    #[error("the name begins with = + - or @, which a spreadsheet would take for a formula")]
    NameLikeFormula,
    #[error("this is no e-mail address: write name@host in ASCII, without blanks")]
    NotAnEmail,
    #[error("the language is none of en, nl, fr, de")]
    UnknownLanguage,
}

/// A person's name: trimmed, in NFC.
///
/// # Errors
/// What is wrong with it. An empty text is a name of nobody: ask before.
pub fn name(text: &str) -> Result<String, ProfileProblem> {
    let name: String = text.trim().nfc().take(201).collect();
    if name.chars().count() > 200 {
        Err(ProfileProblem::NameTooLong)
    } else if name.chars().any(char::is_control) {
        Err(ProfileProblem::NameWithControls)
    } else if name.starts_with(['=', '+', '-', '@']) {
        Err(ProfileProblem::NameLikeFormula)
    } else {
        Ok(name)
    }
}

/// An address of the usual form (RFC 5321 §4.5.3.1: at most 254 characters). Whether it receives anything is not asked.
///
/// # Errors
/// When it has another form.
pub fn email(text: &str) -> Result<String, ProfileProblem> {
    let text = text.trim();
    let is_word =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"\"(),:;<>[\\]@".contains(&b));
    let is_address = text.len() <= 254
        && text.split_once('@').is_some_and(|(local, host)| is_word(local) && is_word(host))
        && !text.starts_with(['=', '+', '-']);
    if is_address { Ok(text.to_owned()) } else { Err(ProfileProblem::NotAnEmail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_fit_for_headers_and_spreadsheets() {
        assert_eq!(name(" Zoe\u{308} Ångström ").unwrap(), "Zoë Ångström");
        assert_eq!(name("a\r\nX: b"), Err(ProfileProblem::NameWithControls));
        assert_eq!(name("=1+1"), Err(ProfileProblem::NameLikeFormula));
        assert_eq!(name(&"x".repeat(201)), Err(ProfileProblem::NameTooLong));
        assert_eq!(email(" ann@acme.example ").unwrap(), "ann@acme.example");
        for text in ["ann", "ann@", "@acme", "a b@c", "a@b@c", "a@b\r\nc", "é@b", "<a@b>", "a,b@c", "=a@b"] {
            assert_eq!(email(text), Err(ProfileProblem::NotAnEmail), "{text}");
        }
    }
}
