//! Who the user is, in header fields: the one place that says it, to the upstream and to a proxy that asks `verify`. Decides nothing about
//! who that is; what else stands in a head is `request`'s. Floor: edge.

use std::borrow::Cow;

use http::header::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::domain::session::Session;
use crate::gateway::settings::IdentityHeaders;

/// Who the user is, as the upstream is told.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Whose request it is.
    pub session: &'a Session,
    /// The signed assertion of the same; `None` where the site uses none.
    pub assertion: Option<&'a HeaderValue>,
}

impl Identity<'_> {
    /// Gives every field that this site's upstream gets to `put`, by the names in `headers`.
    ///
    /// # Errors
    /// What `put` fails with, or a value that cannot be a field value; then the request must not go on.
    pub fn tell(
        &self,
        headers: &IdentityHeaders,
        mut put: impl FnMut(&HeaderName, HeaderValue) -> pingora::Result<()>,
    ) -> pingora::Result<()> {
        let user = self.session.user_name.as_str();
        put(&headers.user, field_value(user)?)?;
        if let (Some(name), Some(email)) = (&headers.email, &self.session.email) {
            put(name, field_value(email)?)?;
        }
        if let Some(name) = &headers.preferred_username {
            put(name, field_value(self.session.name.as_deref().unwrap_or(user))?)?;
        }
        if let Some(name) = &headers.session {
            put(name, field_value(&self.session.id.to_string())?)?;
        }
        if let (Some(name), Some(assertion)) = (&headers.assertion, self.assertion) {
            put(name, assertion.clone())?;
        }
        Ok(())
    }
}

fn field_value(text: &str) -> pingora::Result<HeaderValue> {
    HeaderValue::from_str(&printable(text)).map_err(|cause| {
        pingora::Error::because(pingora::ErrorType::InvalidHTTPHeader, "an identity that is no field value", cause)
    })
}

/// What is not printable ASCII is percent-encoded as UTF-8, and then `%` too, so that it can be read back (security I3).
fn printable(text: &str) -> Cow<'_, str> {
    const ENCODED: &AsciiSet = &CONTROLS.add(b'%');
    let is_plain = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    if is_plain && text.trim() == text {
        return Cow::Borrowed(text);
    }
    utf8_percent_encode(text, ENCODED).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_beyond_ascii_is_encoded_so_that_it_can_be_read_back() {
        for (text, value) in [
            ("anna", "anna"),
            ("anna@example.com", "anna@example.com"),
            ("100%", "100%"),
            ("Anna Ó 5%", "Anna %C3%93 5%25"),
            ("a\r\nX: y", "a%0D%0AX: y"),
        ] {
            assert_eq!(printable(text), value);
        }
    }
}
