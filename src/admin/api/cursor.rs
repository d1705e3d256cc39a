//! Where a list goes on: the last entry that was given, in a form that nobody builds by hand. It holds nothing that the list did not. Floor: edge.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::problem::Refused;

/// Begins what is encoded, so that a later form can be told from this one.
const FORM: &str = "1:";

/// After the entry with this key.
pub(super) fn after(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{FORM}{key}"))
}

/// The key, if `parse` knows it.
///
/// # Errors
/// When it is no cursor of ours.
pub(super) fn read<T>(cursor: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let key = text.as_deref().and_then(|text| text.strip_prefix(FORM)).and_then(parse);
    key.ok_or_else(|| {
        Refused::unprocessable("invalid_cursor", "cursor: give what the page before said as next_cursor, or nothing")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_anything_else_is_refused() {
        let parse = |text: &str| (text == "anna").then_some(());
        assert!(read(&after("anna"), parse).is_ok());
        for wrong in ["", "anna", "MQ", &after("ben"), &URL_SAFE_NO_PAD.encode("anna"), "ä"] {
            assert!(read(wrong, parse).is_err(), "{wrong:?}");
        }
    }
}
