//! Our cookies on the wire: read strictly, set, deleted, and kept away from the upstream in both directions.
//! What a value means is not known here. Floor: web.

use std::time::Duration;

use http::header::{COOKIE, HeaderMap, HeaderValue};

use super::origin::Scheme;

/// The names of our cookies on one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieNames {
    /// The session.
    pub session: &'static str,
    /// The pending login, and before it the secret that forms are bound to.
    pub login: &'static str,
    /// How often somebody was sent from sign-in to a page lately; no secret.
    pub bounces: &'static str,
    scheme: Scheme,
}

impl CookieNames {
    /// `__Host-` names for https. Browsers refuse that prefix on http, so a loopback http site has the same names without it;
    /// its cookies are then shared by all ports of that host.
    #[must_use]
    pub fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Https => Self {
                session: "__Host-vestibule",
                login: "__Host-vestibule-login",
                bounces: "__Host-vestibule-bounces",
                scheme,
            },
            Scheme::Http => {
                Self { session: "vestibule", login: "vestibule-login", bounces: "vestibule-bounces", scheme }
            }
        }
    }

    /// The names where operators sign in. They differ from a site's, because cookies are shared by all ports of a host.
    #[must_use]
    pub fn of_operators(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Https => Self {
                session: "__Host-vestibule-operator",
                login: "__Host-vestibule-operator-login",
                bounces: "__Host-vestibule-operator-bounces",
                scheme,
            },
            Scheme::Http => Self {
                session: "vestibule-operator",
                login: "vestibule-operator-login",
                bounces: "vestibule-operator-bounces",
                scheme,
            },
        }
    }

    /// Every name of ours that a browser can send to this host: a site's, and an operator's from another port.
    fn ours(&self) -> [&'static str; 6] {
        let operators = Self::of_operators(self.scheme);
        let site = Self::of(self.scheme);
        [site.session, site.login, site.bounces, operators.session, operators.login, operators.bounces]
    }

    /// The `Set-Cookie` value for `name` (one of ours). It lives as long as the browser's session; the end is inside `value`.
    ///
    /// `None` when `value` has a character that a cookie value cannot have (RFC 6265 §4.1.1).
    #[must_use]
    pub fn set(&self, name: &str, value: &str) -> Option<HeaderValue> {
        if !value.bytes().all(is_cookie_octet) {
            return None;
        }
        HeaderValue::try_from(format!("{name}={value}{}", self.attributes())).ok()
    }

    /// The same for a cookie that the browser forgets after `lifetime`, whatever its clock says.
    #[must_use]
    pub fn set_for(&self, name: &str, value: &str, lifetime: Duration) -> Option<HeaderValue> {
        if !value.bytes().all(is_cookie_octet) {
            return None;
        }
        HeaderValue::try_from(format!("{name}={value}{}; Max-Age={}", self.attributes(), lifetime.as_secs())).ok()
    }

    /// The `Set-Cookie` value that makes a browser forget `name` (one of ours).
    #[must_use]
    pub fn delete(&self, name: &str) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{name}={}; Max-Age=0", self.attributes())).ok()
    }

    /// The `Cookie` header for the upstream: everything but ours, the others byte for byte. `None` when nothing is left.
    #[must_use]
    pub fn without_ours(&self, cookie: &HeaderValue) -> Option<HeaderValue> {
        let pairs: Vec<&[u8]> = cookie.as_bytes().split(|byte| *byte == b';').collect();
        if !pairs.iter().any(|pair| self.is_our_name(name_of(pair))) {
            return Some(cookie.clone());
        }
        let kept: Vec<&[u8]> = pairs.into_iter().filter(|pair| !self.is_our_name(name_of(pair))).collect();
        let joined = kept.join(&b';');
        let left = trimmed(&joined);
        if left.is_empty() { None } else { HeaderValue::from_bytes(left).ok() }
    }

    /// Whether a `Set-Cookie` from the upstream would set, or could be taken for, one of ours. Browsers compare the prefix whatever its
    /// case, and send a cookie without a name as its bare value, so both forms count.
    #[must_use]
    pub fn claims_ours(&self, set_cookie: &HeaderValue) -> bool {
        let pair = set_cookie.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        let pair = trimmed(pair);
        let pair = pair.strip_prefix(b"=").map_or(pair, trimmed);
        let name = name_of(pair);
        self.ours().iter().any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()))
    }

    fn is_our_name(&self, name: &[u8]) -> bool {
        self.ours().iter().any(|ours| name == ours.as_bytes())
    }

    fn attributes(&self) -> &'static str {
        match self.scheme {
            Scheme::Https => "; Path=/; HttpOnly; SameSite=Lax; Secure",
            Scheme::Http => "; Path=/; HttpOnly; SameSite=Lax",
        }
    }
}

/// What the `Cookie` headers of a request say about one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieRead<'a> {
    /// No such cookie, or one with bytes that we never put into a value.
    Absent,
    /// Exactly one.
    One(&'a str),
    /// Two or more of the name: somebody planted one. Treat it as none, and log it.
    Doubled,
}

impl<'a> CookieRead<'a> {
    /// The value of the only cookie, if there is exactly one.
    #[must_use]
    pub fn one(self) -> Option<&'a str> {
        match self {
            Self::One(value) => Some(value),
            Self::Absent | Self::Doubled => None,
        }
    }
}

/// Looks for the cookie `name`. Names are compared byte for byte after splitting at `;` and trimming spaces and tabs: no quotes, no
/// `$Version`, no Unicode white space (what other parsers make of those has let planted cookies in).
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> CookieRead<'a> {
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            if name_of(pair) != name.as_bytes() {
                continue;
            }
            let Some(equals) = pair.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            if found.is_some() {
                return CookieRead::Doubled;
            }
            found = Some(trimmed(pair.get(equals + 1..).unwrap_or_default()));
        }
    }
    match found.map(std::str::from_utf8) {
        Some(Ok(value)) if value.bytes().all(is_cookie_octet) => CookieRead::One(value),
        Some(Ok(_) | Err(_)) | None => CookieRead::Absent,
    }
}

fn name_of(pair: &[u8]) -> &[u8] {
    trimmed(pair.split(|byte| *byte == b'=').next().unwrap_or_default())
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// RFC 6265 §4.1.1, `cookie-octet`.
fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "__Host-vestibule";

    fn headers(cookies: &[&[u8]]) -> HeaderMap {
        cookies.iter().map(|bytes| (COOKIE, HeaderValue::from_bytes(bytes).unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_read_by_its_exact_name_once() {
        for (cookies, read_as) in [
            (&[b"__Host-vestibule=abc".as_slice()] as &[&[u8]], CookieRead::One("abc")),
            (&[b"a=1; __Host-vestibule=abc; b=2"], CookieRead::One("abc")),
            (&[b"a=1;\t __Host-vestibule = abc\t;b=2"], CookieRead::One("abc")),
            (&[b"a=1", b"__Host-vestibule=abc"], CookieRead::One("abc")),
            (&[b"__Host-vestibule="], CookieRead::One("")),
            (&[b"__Host-vestibule=a=b"], CookieRead::One("a=b")),
            (&[], CookieRead::Absent),
            (&[b"__Host-vestibule-login=abc"], CookieRead::Absent),
            (&[b"__host-vestibule=abc"], CookieRead::Absent),
            (&[b"vestibule=abc"], CookieRead::Absent),
            (&[b"=__Host-vestibule=abc"], CookieRead::Absent),
            (&[b"__Host-vestibule"], CookieRead::Absent),
            (&[b"\xe2\x80\x80__Host-vestibule=abc"], CookieRead::Absent),
            (&[b"\xa0__Host-vestibule=abc"], CookieRead::Absent),
            (&[b"$Version=1, __Host-vestibule=abc"], CookieRead::Absent),
            (&[b"__Host-vestibule=\"abc\""], CookieRead::Absent),
            (&[b"__Host-vestibule=a\xffc"], CookieRead::Absent),
            (&[b"__Host-vestibule=abc; __Host-vestibule=abc"], CookieRead::Doubled),
            (&[b"__Host-vestibule=abc", b"__Host-vestibule=def"], CookieRead::Doubled),
            (&[b"__Host-vestibule=abc; __Host-vestibule=\xff"], CookieRead::Doubled),
        ] {
            assert_eq!(read(&headers(cookies), OURS), read_as, "{cookies:?}");
        }
    }

    #[test]
    fn ours_are_taken_out_and_others_stay_byte_for_byte() {
        let names = CookieNames::of(Scheme::Https);
        for (before, after) in [
            (b"a=1; b=2".as_slice(), Some(b"a=1; b=2".as_slice())),
            (b"__Host-vestibule=x", None),
            (b"__Host-vestibule=x; __Host-vestibule-login=y; __Host-vestibule=z", None),
            (b"__Host-vestibule=x; a=1", Some(b"a=1")),
            (b"a=1; __Host-vestibule=x", Some(b"a=1")),
            (b"a=\"1 ;  b=\xff\xfe;__Host-vestibule-login=y;  c", Some(b"a=\"1 ;  b=\xff\xfe;  c")),
            (b"\t__Host-vestibule\t=x;a=1;;b", Some(b"a=1;;b")),
            (b"a=1; __Host-vestibule-bounces=1", Some(b"a=1")),
            (b"__host-vestibule=x", Some(b"__host-vestibule=x")),
        ] {
            let left = names.without_ours(&HeaderValue::from_bytes(before).unwrap());
            assert_eq!(left.as_ref().map(HeaderValue::as_bytes), after);
        }
    }

    #[test]
    fn cookies_are_set_and_deleted_with_their_attributes() {
        let https = CookieNames::of(Scheme::Https);
        let http = CookieNames::of(Scheme::Http);
        assert_eq!(
            https.set(https.session, "v1.k.p").unwrap(),
            "__Host-vestibule=v1.k.p; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            https.delete(https.login).unwrap(),
            "__Host-vestibule-login=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
        assert_eq!(http.set(http.session, "x").unwrap(), "vestibule=x; Path=/; HttpOnly; SameSite=Lax");
        assert_eq!(https.set(https.session, "x; Domain=example.com"), None);
        assert_eq!(https.set(https.session, "x\r\ny"), None);
    }

    #[test]
    fn an_upstream_that_sets_our_names_is_found_out() {
        let names = CookieNames::of(Scheme::Https);
        for (set_cookie, claims) in [
            ("__Host-vestibule=x; Path=/", true),
            ("  __Host-vestibule-login =x", true),
            ("__HOST-vestibule=x", true),
            ("=__Host-vestibule=x", true),
            ("= __Host-vestibule=x", true),
            ("__Host-vestibule", true),
            ("__Host-vestibule-bounces=3", true),
            ("__Host-vestibule2=x", false),
            ("a=__Host-vestibule=x", false),
            ("vestibule=x", false),
        ] {
            assert_eq!(names.claims_ours(&HeaderValue::from_static(set_cookie)), claims, "{set_cookie}");
        }
    }
}
