//! The head of an answer on its way to the browser: what only we may say is taken out, what is for one person is kept out of caches
//! that others use. Floor: edge.

use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, HeaderName, HeaderValue, SET_COOKIE, STRICT_TRANSPORT_SECURITY, VARY,
};
use pingora::http::ResponseHeader;

use super::identity::Identity;
use super::{fold, is_identity, names};
use crate::gateway::settings::{IdentityHeaders, SiteSettings, StrictTransport};
use crate::web::cookies::CookieNames;

/// Instructions to caches in front of us that would override `Cache-Control`.
const CDN_CACHING: [&str; 4] =
    ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "x-accel-expires"];

/// Takes out of an answer what only we may say: our cookies and the identity.
pub fn clean_response(response: &mut ResponseHeader, site: &SiteSettings) {
    let cookies = CookieNames::of(site.origin.scheme());
    if response.headers.get_all(SET_COOKIE).iter().any(|value| cookies.claims_ours(value)) {
        let kept: Vec<HeaderValue> =
            response.headers.get_all(SET_COOKIE).iter().filter(|value| !cookies.claims_ours(value)).cloned().collect();
        response.remove_header(&SET_COOKIE);
        for value in kept {
            // The value came out of a header map, so it goes back into one.
            let _ = response.append_header(SET_COOKIE, value);
        }
    }
    let taken: Vec<HeaderName> =
        response.headers.keys().filter(|name| is_identity(&fold(name.as_str()), &site.identity)).cloned().collect();
    for name in taken {
        response.remove_header(&name);
    }
}

/// The head that lets another proxy's request go on, with who it is. A field without a value is sent empty, so that a proxy which copies it
/// overwrites what came from outside.
///
/// # Errors
/// When a value cannot be a field value; then the request must not go on.
pub fn permission(headers: &IdentityHeaders, identity: Option<&Identity<'_>>) -> pingora::Result<ResponseHeader> {
    let mut head = ResponseHeader::build(StatusCode::OK, Some(8))?;
    for name in names(headers) {
        head.insert_header(name.clone(), "")?;
    }
    if let Some(identity) = identity {
        identity.tell(headers, |name, value| head.insert_header(name.clone(), value))?;
    }
    head.insert_header(CONTENT_LENGTH, 0)?;
    head.insert_header(CACHE_CONTROL, "no-store")?;
    Ok(head)
}

/// Keeps an answer out of caches that more than one person uses. What the upstream said to the browser's own cache stays.
///
/// # Errors
/// When the upstream's `Cache-Control` cannot be written back.
pub fn keep_private(response: &mut ResponseHeader) -> pingora::Result<()> {
    for name in CDN_CACHING {
        response.remove_header(name);
    }
    let stated: Vec<String> = response
        .headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|directive| directive.trim().to_owned())
        .filter(|directive| !directive.is_empty())
        .collect();
    let is = |directive: &str, name: &str| {
        directive.split('=').next().is_some_and(|start| start.trim().eq_ignore_ascii_case(name))
    };
    if stated.iter().any(|directive| directive.eq_ignore_ascii_case("private") || is(directive, "no-store")) {
        return Ok(());
    }
    let shared = ["public", "s-maxage", "proxy-revalidate", "private", "stale-while-revalidate", "stale-if-error"];
    let mut kept = vec!["private".to_owned()];
    kept.extend(stated.into_iter().filter(|directive| !shared.iter().any(|name| is(directive, name))));
    response.insert_header(CACHE_CONTROL, kept.join(", "))
}

/// Says for how long browsers use https by themselves, unless the application says so itself.
///
/// # Errors
/// Never in practice: the value is a header value already.
pub fn add_strict_transport(response: &mut ResponseHeader, hsts: &StrictTransport) -> pingora::Result<()> {
    if response.headers.contains_key(STRICT_TRANSPORT_SECURITY) || response.status.is_informational() {
        return Ok(());
    }
    response.insert_header(STRICT_TRANSPORT_SECURITY, hsts.value().clone())
}

/// Adds a cookie of ours to an answer and says that the answer depends on cookies.
///
/// # Errors
/// Never in practice: the value is a header value already.
pub fn add_cookie(response: &mut ResponseHeader, cookie: HeaderValue) -> pingora::Result<()> {
    response.append_header(SET_COOKIE, cookie)?;
    response.append_header(VARY, "Cookie")?;
    keep_private(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::headers::tests::site;

    #[test]
    fn an_upstream_cannot_speak_for_us() {
        let mut response = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "__Host-vestibule=x; Path=/; Secure"),
            ("Set-Cookie", "b=2"),
            ("X-Vestibule-Session", "x"),
            ("Remote_User", "eve"),
            ("X-Other", "y"),
        ] {
            response.append_header(name, value).unwrap();
        }
        clean_response(&mut response, &site());
        let lines: Vec<String> =
            response.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        for line in ["set-cookie: a=1", "set-cookie: b=2", "x-other: y"] {
            assert!(lines.contains(&line.to_owned()), "{lines:?}");
        }
    }

    #[test]
    fn a_private_answer_is_kept_by_no_shared_cache() {
        for (stated, private) in [
            (None, "private"),
            (Some("public, max-age=60"), "private, max-age=60"),
            (Some("s-maxage=60, max-age=5, PUBLIC"), "private, max-age=5"),
            (Some("no-store"), "no-store"),
            (Some("private, max-age=5"), "private, max-age=5"),
            (Some("private=\"set-cookie\", max-age=5"), "private, max-age=5"),
            (Some("no-cache"), "private, no-cache"),
        ] {
            let mut response = ResponseHeader::build(200, None).unwrap();
            response.insert_header("CDN-Cache-Control", "max-age=99").unwrap();
            if let Some(stated) = stated {
                response.insert_header(CACHE_CONTROL, stated).unwrap();
            }
            keep_private(&mut response).unwrap();
            assert_eq!(response.headers.get(CACHE_CONTROL).unwrap(), private, "{stated:?}");
            assert!(!response.headers.contains_key("cdn-cache-control"));
        }
    }
}
