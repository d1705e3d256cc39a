//! The headers of every page of ours: nothing is run, loaded, framed or kept that the page does not need.
//!
//! Answers of the upstream do not get them: the application knows its own. `Strict-Transport-Security` is the gateway's: it knows how the browser came.
//! Floor: pages.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

/// `data:` is for pictures that a style sheet carries in itself. No inline code or style, so no nonce.
const CONTENT_SECURITY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// For the one page that may be seen in a frame of its own site: it has no form, and its link leaves the frame.
const CONTENT_SECURITY_IN_FRAME: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// Puts them into the headers of an answer of ours.
pub fn put(headers: &mut HeaderMap) {
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
}

/// Lets pages of the same site frame this answer, after `put`.
pub fn allow_framing(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_IN_FRAME));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_of_ours_is_kept() {
        let mut headers = HeaderMap::new();
        put(&mut headers);
        assert_eq!(headers[CACHE_CONTROL], "no-store");
    }

    #[test]
    fn nothing_inline_is_allowed() {
        assert!(!CONTENT_SECURITY.contains("unsafe"));
        for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(CONTENT_SECURITY.contains(directive), "{directive}");
        }
    }
}
