//! The headers of every page of ours: nothing is run, loaded, framed or kept that the page does not need.
//!
//! Answers of the upstream do not get them: the application knows its own. Floor: pages.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

use crate::web::origin::Scheme;

/// `data:` is for pictures that a style sheet carries in itself. No inline code or style, so no nonce.
const CONTENT_SECURITY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For the one page that may be seen in a frame of its own site: it has no form, and its link leaves the frame.
const CONTENT_SECURITY_IN_FRAME: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// A year, as ASVS 5.0 3.4.1 asks for. Not for subdomains: those may not be ours to speak for.
const HSTS: &str = "max-age=31536000";

/// Puts them into the headers of an answer of ours. `scheme` is the site's.
pub fn put(headers: &mut HeaderMap, scheme: Scheme) {
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "otp-credentials=(self)"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    match scheme {
        Scheme::Https => drop(headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS))),
        Scheme::Http => {}
    }
}

/// Lets pages of the same site frame this answer, after `put`.
pub fn allow_framing(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_IN_FRAME));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_sites_ask_for_https_ever_after() {
        let [mut https, mut http] = [HeaderMap::new(), HeaderMap::new()];
        put(&mut https, Scheme::Https);
        put(&mut http, Scheme::Http);
        assert_eq!(https[STRICT_TRANSPORT_SECURITY], HSTS);
        assert!(!http.contains_key(STRICT_TRANSPORT_SECURITY));
        assert_eq!(https.len(), http.len() + 1);
        assert_eq!(http[CACHE_CONTROL], "no-store");
    }

    #[test]
    fn nothing_inline_is_allowed() {
        assert!(!CONTENT_SECURITY.contains("unsafe"));
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(CONTENT_SECURITY.contains(directive), "{directive}");
        }
    }
}
