//! The head of an answer on its way to the browser: what only we may say is taken out, what is for one person is kept out of caches
//! that others use. Floor: edge.

use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    TRANSFER_ENCODING, UPGRADE, VARY,
};
use pingora::http::ResponseHeader;

use super::identity::Identity;
use super::{fold, is_identity, names};
use crate::gateway::settings::{IdentityHeaders, SiteSettings, StrictTransport};
use crate::web::cookies::CookieNames;

/// Instructions to caches in front of us that would override `Cache-Control`.
const CDN_CACHING: [&str; 4] =
    ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "x-accel-expires"];

/// Fields of one connection (RFC 9110 §7.6.1). pingora writes those of the other one itself; how long a body is, it has to know.
const OF_ONE_CONNECTION: [&str; 4] = ["keep-alive", "proxy-connection", "te", "proxy-authenticate"];
/// Fields that no nomination takes out: what frames the answer, and what protects whom it is for (RFC 9110 §7.6.1: not `Cache-Control`).
const NEVER_NOMINATED: [HeaderName; 5] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE, CACHE_CONTROL];

/// Takes out what the server said to its own connection alone, and the fields that its `Connection` nominates.
fn take_out_hops(response: &mut ResponseHeader) {
    let nominated: Vec<HeaderName> = response
        .headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| !NEVER_NOMINATED.contains(name))
        .collect();
    for name in &nominated {
        response.remove_header(name);
    }
    for name in OF_ONE_CONNECTION {
        response.remove_header(name);
    }
    if response.status != StatusCode::SWITCHING_PROTOCOLS {
        response.remove_header(&UPGRADE);
        response.remove_header(&CONNECTION);
    }
}

/// Takes out of an answer what only we may say, our cookies and the identity, and what was for the server's own connection.
pub fn clean_response(response: &mut ResponseHeader, site: &SiteSettings) {
    take_out_hops(response);
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
    fn what_is_for_the_server_s_own_connection_ends_there() {
        let cleaned = |status: u16, fields: &[(&str, &str)]| {
            let mut response = ResponseHeader::build(status, None).unwrap();
            for (name, value) in fields {
                response.append_header((*name).to_owned(), *value).unwrap();
            }
            clean_response(&mut response, &site());
            response.headers.keys().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
        };
        let connection = ("Connection", "close, X-Hop, cache-control, Content-Length");
        let fields =
            [connection, ("X-Hop", "a"), ("X-Hop", "b"), ("Cache-Control", "private"), ("Content-Length", "0")];
        assert_eq!(cleaned(200, &fields), ["cache-control", "content-length"]);
        let hops = [("Keep-Alive", "timeout=5"), ("Proxy-Connection", "close"), ("Upgrade", "h2c"), ("X-Y", "z")];
        assert_eq!(cleaned(200, &hops), ["x-y"]);
        let mut kept = cleaned(101, &[("Connection", "Upgrade"), ("Upgrade", "websocket")]);
        kept.sort();
        assert_eq!(kept, ["connection", "upgrade"]);
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
