//! Forms sent to our pages: their fields can be reached only after size, type, origin and token have been found right.
//!
//! Knows no page and no field but the token's. Floor: pages.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, ORIGIN};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use zeroize::Zeroizing;

use super::page::MessageKind;
use crate::domain::keys::Keys;
use crate::domain::secret::SecretText;
use crate::web::origin::{Origin, Scheme};

/// The most that a form of ours may weigh. The largest honest one is a user name, a password of 512 bytes and a return path of 2 KiB, percent-encoded.
pub const MAX_BYTES: usize = 16 * 1024;

/// The name of the hidden field that carries the token.
pub const TOKEN_FIELD: &str = "csrf";

/// More fields than any form of ours has.
const MAX_FIELDS: usize = 16;

/// Why a body is no form of ours. The reason is for the log; `page` is what the person sees.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FormRefusal {
    #[error("the form is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the body is not a form")]
    NotAForm,
    #[error("the form was sent by a page of another site")]
    Foreign,
    #[error("the page was opened over http, and the site is an https one")]
    OverHttp,
    #[error("a field is there twice")]
    Doubled,
    #[error("the form is not readable")]
    Unreadable,
}

impl FormRefusal {
    /// The page that says so.
    #[must_use]
    pub fn page(self) -> MessageKind {
        match self {
            Self::TooLarge => MessageKind::TooLarge,
            Self::NotAForm | Self::Doubled | Self::Unreadable => MessageKind::BadRequest,
            Self::Foreign | Self::OverHttp => MessageKind::FormRefused,
        }
    }
}

/// A form that did not come from another site. What is in it stays closed until its token is found right.
pub struct UncheckedForm(Fields);

/// A form whose token is right: it comes from a page that we gave to this browser.
pub struct Form(Fields);

/// A form whose token is not right (any more). What it asks for is not done; its harmless fields may be shown again.
pub struct StaleForm(Fields);

type Fields = Vec<(String, Zeroizing<String>)>;

impl UncheckedForm {
    /// Reads the body of a POST to the site at `origin`.
    ///
    /// A browser says where a form comes from: `Sec-Fetch-Site`, or else `Origin`. A client that sends neither is no browser of this decade,
    /// and cannot have been made to send the form by a page in somebody's browser; curl is one. It goes on to the check of the token,
    /// which is bound to a cookie, like every other.
    ///
    /// # Errors
    /// Too large, not a form, of another site, or not readable.
    pub fn read(headers: &HeaderMap, body: &[u8], origin: &Origin) -> Result<Self, FormRefusal> {
        if body.len() > MAX_BYTES {
            return Err(FormRefusal::TooLarge);
        }
        let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(FormRefusal::NotAForm);
        }
        if !is_from(headers, origin) {
            return Err(if is_over_http(headers, origin) { FormRefusal::OverHttp } else { FormRefusal::Foreign });
        }
        fields(body).map(Self)
    }

    /// Whether its token is bound to `bound_to`.
    #[must_use]
    pub fn is_bound_to(&self, keys: &Keys, bound_to: &[u8]) -> bool {
        keys.form_token_matches(bound_to, value(&self.0, TOKEN_FIELD).unwrap_or_default())
    }

    /// Opens the form when its token is bound to `bound_to` (the bytes of the login cookie, or the id of the session).
    ///
    /// # Errors
    /// The form is too old, or of another browser; with what may be shown again.
    pub fn check(self, keys: &Keys, bound_to: &[u8]) -> Result<Form, StaleForm> {
        if self.is_bound_to(keys, bound_to) { Ok(Form(self.0)) } else { Err(StaleForm(self.0)) }
    }

    /// The form of a browser that has nothing a token could be bound to.
    #[must_use]
    pub fn stale(self) -> StaleForm {
        StaleForm(self.0)
    }
}

impl Form {
    /// The field's value; empty when it is not there.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        value(&self.0, name).unwrap_or_default()
    }

    /// The value of a field that is a secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> SecretText {
        SecretText::new(self.field(name).to_owned())
    }
}

impl StaleForm {
    /// A value to show again (the user name, the return path): never to act on.
    #[must_use]
    pub fn shown_again(&self, name: &str) -> &str {
        value(&self.0, name).unwrap_or_default()
    }
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

fn is_from(headers: &HeaderMap, origin: &Origin) -> bool {
    let fetch_sites: Vec<_> = headers.get_all(HeaderName::from_static("sec-fetch-site")).iter().collect();
    let origins: Vec<_> = headers.get_all(ORIGIN).iter().collect();
    match (fetch_sites.as_slice(), origins.as_slice()) {
        ([site], _) => *site == "same-origin" || *site == "none",
        ([], [given]) => given.as_bytes() == origin.as_str().as_bytes(),
        ([], []) => true,
        _ => false,
    }
}

/// Whether the page is this site's host, seen over http: somebody in front takes http for https. No browser says `Sec-Fetch-Site` there.
fn is_over_http(headers: &HeaderMap, origin: &Origin) -> bool {
    let page = headers.get(ORIGIN).and_then(|value| value.to_str().ok()?.strip_prefix("http://"));
    let host = page.and_then(|page| page.split(':').next());
    origin.scheme() == Scheme::Https && host.is_some_and(|host| host.eq_ignore_ascii_case(origin.host()))
}

fn fields(body: &[u8]) -> Result<Fields, FormRefusal> {
    let body = std::str::from_utf8(body).map_err(|_| FormRefusal::Unreadable)?;
    let mut fields: Fields = Vec::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        if fields.iter().any(|(field, _)| *field == *name) {
            return Err(FormRefusal::Doubled);
        }
        if fields.len() == MAX_FIELDS {
            return Err(FormRefusal::Unreadable);
        }
        fields.push((name.to_string(), value));
    }
    Ok(fields)
}

/// Strictly UTF-8: a password with a replaced character in it would be another password.
fn decoded(text: &str) -> Result<Zeroizing<String>, FormRefusal> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| FormRefusal::Unreadable)?;
    Ok(Zeroizing::new(decoded.into_owned()))
}

impl std::fmt::Debug for UncheckedForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UncheckedForm(…)")
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form(…)")
    }
}

impl std::fmt::Debug for StaleForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaleForm(…)")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn site() -> Origin {
        Origin::parse("https://app.example.com").unwrap()
    }

    fn keys() -> Keys {
        Keys::new(&[crate::domain::secret::SecretBytes::new(vec![7; 32])]).unwrap()
    }

    fn headers(extra: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"));
        for (name, value) in extra {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_form_of_another_site_is_refused_whatever_its_token() {
        for (extra, ours) in [
            (&[("sec-fetch-site", "same-origin")][..], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.com")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none")], false),
            (&[("origin", "https://app.example.com")], true),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "http://app.example.com")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://app.example.com"), ("origin", "https://app.example.com")], false),
            (&[], true),
        ] {
            let read = UncheckedForm::read(&headers(extra), b"a=b", &site());
            assert_eq!(read.is_ok(), ours, "{extra:?}");
            let over_http = extra.len() == 1 && extra[0].1 == "http://app.example.com";
            let refusal = if over_http { FormRefusal::OverHttp } else { FormRefusal::Foreign };
            assert!(ours || read.is_err_and(|given| given == refusal), "{extra:?}");
        }
    }

    #[test]
    fn only_the_token_of_this_browser_opens_a_form() {
        let keys = keys();
        let body = |token: &str| format!("username=j%C3%A4n+x&password=p%26w&csrf={token}");
        let read = |token: &str| UncheckedForm::read(&headers(&[]), body(token).as_bytes(), &site()).unwrap();
        let form = read(&keys.form_token(b"mine")).check(&keys, b"mine").unwrap();
        assert_eq!((form.field("username"), form.secret("password").reveal(), form.field("x")), ("jän x", "p&w", ""));
        for token in ["", "AAAA", &keys.form_token(b"somebody else's")] {
            let stale = read(token).check(&keys, b"mine").unwrap_err();
            assert_eq!(stale.shown_again("username"), "jän x");
        }
        assert_eq!(read(&keys.form_token(b"mine")).stale().shown_again("username"), "jän x");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let json = {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers
        };
        let many: String = (0..17).map(|n| format!("f{n}=&")).collect();
        for (headers, body, refusal) in [
            (headers(&[]), &vec![b'a'; MAX_BYTES + 1][..], FormRefusal::TooLarge),
            (json, b"{}", FormRefusal::NotAForm),
            (HeaderMap::new(), b"a=b", FormRefusal::NotAForm),
            (headers(&[]), b"code=1&code=2", FormRefusal::Doubled),
            (headers(&[]), b"code=1&c%6fde=2", FormRefusal::Doubled),
            (headers(&[]), b"password=%ff", FormRefusal::Unreadable),
            (headers(&[]), b"password=\xff", FormRefusal::Unreadable),
            (headers(&[]), many.as_bytes(), FormRefusal::Unreadable),
        ] {
            assert_eq!(UncheckedForm::read(&headers, body, &site()).err(), Some(refusal));
        }
    }

    #[test]
    fn a_form_does_not_show_what_is_in_it() {
        let form = UncheckedForm::read(&headers(&[]), b"password=hunter2", &site()).unwrap();
        assert_eq!(format!("{form:?}"), "UncheckedForm(…)");
    }
}
