//! What passes between downstream and upstream in header fields, in both directions: identity set last and never taken over,
//! forwarding fields rewritten, our cookies kept here. Runs after pingora has removed hop-by-hop fields. Floor: edge.

use std::borrow::Cow;
use std::net::IpAddr;

use http::header::{CACHE_CONTROL, COOKIE, HeaderName, HeaderValue, SET_COOKIE, VARY};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pingora::http::{RequestHeader, ResponseHeader};

use super::settings::{IdentityHeaders, SiteSettings};
use crate::web::cookies::CookieNames;

/// Names that always mean identity, whether this site sends them or not: an application may believe one that we do not send.
const IDENTITY: [&str; 7] = [
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-forwarded-groups",
    "x-vestibule-session",
    "x-vestibule-assertion",
    "x-vestibule-user",
];

/// Fields that this hop writes itself, whoever the peer is.
const FORWARDING: [&str; 4] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"];

/// Fields by which some application takes a request for another one than was judged; only trusted proxies may send them (security H10).
const REWRITING: [&str; 21] = [
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "x-original-url",
    "x-original-uri",
    "x-original-host",
    "x-original-method",
    "x-original-forwarded-for",
    "x-rewrite-url",
    "x-host",
    "x-http-host-override",
    "x-forwarded",
    "x-forwarded-prefix",
    "x-forwarded-uri",
    "x-forwarded-path",
    "x-forwarded-method",
    "x-forwarded-server",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
];

/// Instructions to caches in front of us that would override `Cache-Control`.
const CDN_CACHING: [&str; 4] =
    ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "x-accel-expires"];

/// Who the user is, as the upstream is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user name.
    pub user: String,
    /// The person's name.
    pub name: Option<String>,
    /// The person's e-mail address.
    pub email: Option<String>,
    /// The session's id, which is not the cookie.
    pub session: String,
}

/// The connection a request came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Who asks, after trusted proxies were believed.
    pub client: IpAddr,
    /// Whether the peer is one of the operator's proxies.
    pub peer_trust: PeerTrust,
}

/// Whether the peer's forwarding fields are believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerTrust {
    /// It is in `trusted_proxies`.
    Trusted,
    /// It is anybody.
    Untrusted,
}

/// Makes the head of a request fit for the upstream.
///
/// # Errors
/// When a value cannot be a field value; then the request must not go on.
pub fn prepare_request(
    request: &mut RequestHeader,
    site: &SiteSettings,
    identity: Option<&Identity>,
    hop: Hop,
) -> pingora::Result<()> {
    let chain = forwarded_for(request, hop);
    remove_folded(request, |folded| {
        IDENTITY.contains(&folded)
            || names(&site.identity).any(|name| fold(name.as_str()) == folded)
            || FORWARDING.contains(&folded)
            || (hop.peer_trust == PeerTrust::Untrusted && REWRITING.contains(&folded))
    });
    strip_our_cookies(request, CookieNames::of(site.origin.scheme()))?;
    request.insert_header("X-Forwarded-For", chain)?;
    request.insert_header("X-Forwarded-Host", site.origin.authority())?;
    request.insert_header("X-Forwarded-Proto", site.origin.scheme().as_str())?;
    request.insert_header("X-Forwarded-Port", site.origin.port().to_string())?;
    if let Some(identity) = identity {
        set_identity(request, &site.identity, identity)?;
    }
    Ok(())
}

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
    let taken: Vec<HeaderName> = response
        .headers
        .keys()
        .filter(|name| {
            let folded = fold(name.as_str());
            IDENTITY.contains(&folded.as_ref()) || names(&site.identity).any(|ours| fold(ours.as_str()) == folded)
        })
        .cloned()
        .collect();
    for name in taken {
        response.remove_header(&name);
    }
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

/// Adds a cookie of ours to an answer and says that the answer depends on cookies.
///
/// # Errors
/// Never in practice: the value is a header value already.
pub fn add_cookie(response: &mut ResponseHeader, cookie: HeaderValue) -> pingora::Result<()> {
    response.append_header(SET_COOKIE, cookie)?;
    response.append_header(VARY, "Cookie")?;
    keep_private(response)
}

fn set_identity(request: &mut RequestHeader, headers: &IdentityHeaders, identity: &Identity) -> pingora::Result<()> {
    request.insert_header(headers.user.clone(), field_value(&identity.user).as_ref())?;
    if let (Some(name), Some(email)) = (&headers.email, &identity.email) {
        request.insert_header(name.clone(), field_value(email).as_ref())?;
    }
    if let Some(name) = &headers.preferred_username {
        let shown = identity.name.as_ref().unwrap_or(&identity.user);
        request.insert_header(name.clone(), field_value(shown).as_ref())?;
    }
    if let Some(name) = &headers.session {
        request.insert_header(name.clone(), identity.session.as_str())?;
    }
    Ok(())
}

fn names(headers: &IdentityHeaders) -> impl Iterator<Item = &HeaderName> {
    [Some(&headers.user), headers.email.as_ref(), headers.preferred_username.as_ref(), headers.session.as_ref()]
        .into_iter()
        .flatten()
}

/// A trusted proxy's list goes on with the proxy itself; from anybody else the list begins here.
fn forwarded_for(request: &RequestHeader, hop: Hop) -> String {
    if hop.peer_trust == PeerTrust::Untrusted {
        return hop.client.to_string();
    }
    let mut chain: Vec<&str> =
        request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let peer = hop.peer.to_string();
    chain.push(&peer);
    chain.join(", ")
}

fn strip_our_cookies(request: &mut RequestHeader, names: CookieNames) -> pingora::Result<()> {
    if !request.headers.contains_key(COOKIE) {
        return Ok(());
    }
    let kept: Vec<HeaderValue> =
        request.headers.get_all(COOKIE).iter().filter_map(|value| names.without_ours(value)).collect();
    request.remove_header(&COOKIE);
    for value in kept {
        request.append_header(COOKIE, value)?;
    }
    Ok(())
}

fn remove_folded(request: &mut RequestHeader, is_ours: impl Fn(&str) -> bool) {
    let taken: Vec<HeaderName> = request.headers.keys().filter(|name| is_ours(&fold(name.as_str()))).cloned().collect();
    for name in taken {
        request.remove_header(&name);
    }
}

/// The form in which CGI, WSGI and their like confuse names: everything but letters and digits becomes `-`. Header names are lower case.
fn fold(name: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.chars().all(plain) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect())
}

/// What is not printable ASCII is percent-encoded as UTF-8, and then `%` too, so that it can be read back (security I3).
fn field_value(text: &str) -> Cow<'_, str> {
    const ENCODED: &AsciiSet = &CONTROLS.add(b'%');
    let printable = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    if printable && text.trim() == text {
        return Cow::Borrowed(text);
    }
    utf8_percent_encode(text, ENCODED).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::site::SiteName;
    use crate::gateway::route_rules::{RouteRules, UpstreamName};
    use crate::web::origin::Origin;

    fn site() -> Arc<SiteSettings> {
        Arc::new(SiteSettings {
            name: SiteName::new("marketing"),
            origin: Origin::parse("https://app.example.com").unwrap(),
            rules: RouteRules::new(vec![]),
            upstream: UpstreamName::new("app"),
            identity: IdentityHeaders {
                user: HeaderName::from_static("remote-user"),
                email: Some(HeaderName::from_static("x-forwarded-email")),
                preferred_username: Some(HeaderName::from_static("x-name")),
                session: Some(HeaderName::from_static("x-vestibule-session")),
            },
        })
    }

    fn identity() -> Identity {
        Identity { user: "anna".into(), name: Some("Anna Ó".into()), email: None, session: "00ff".into() }
    }

    fn hop(peer_trust: PeerTrust) -> Hop {
        Hop { peer: "10.0.0.1".parse().unwrap(), client: "198.51.100.7".parse().unwrap(), peer_trust }
    }

    fn prepared(fields: &[(&str, &str)], identity: Option<&Identity>, peer_trust: PeerTrust) -> Vec<String> {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in fields {
            request.append_header((*name).to_owned(), *value).unwrap();
        }
        prepare_request(&mut request, &site(), identity, hop(peer_trust)).unwrap();
        let mut lines: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    const OURS: [&str; 4] = [
        "x-forwarded-for: 198.51.100.7",
        "x-forwarded-host: app.example.com",
        "x-forwarded-port: 443",
        "x-forwarded-proto: https",
    ];

    #[test]
    fn no_spelling_of_an_identity_header_passes() {
        for name in [
            "Remote-User",
            "remote_user",
            "REMOTE.USER",
            "Remote~User",
            "remote!user",
            "Remote'User",
            "X-Forwarded-User",
            "x_forwarded_user",
            "X_Forwarded-User",
            "X.Forwarded.User",
            "X-Forwarded_Email",
            "x-forwarded-email",
            "X-Forwarded-Preferred-Username",
            "X-Forwarded-Groups",
            "X-Vestibule-Session",
            "X-Vestibule_Session",
            "X+Vestibule+Session",
            "X-Vestibule-Assertion",
            "x_vestibule_assertion",
            "X^Vestibule^Assertion",
            "X`Vestibule`User",
            "X-Name",
            "x_name",
            "X|Name",
            "x#name",
            "x$name",
            "x%name",
            "x&name",
            "x*name",
            "X_FORWARDED_FOR",
            "X-Forwarded-For",
            "X.Forwarded-Host",
            "X_Forwarded_Proto",
            "X_Forwarded_Port",
            "Forwarded",
            "X-Real-IP",
            "X_Real_IP",
            "X-Original-URL",
            "X_Original_URL",
            "X-Rewrite-URL",
            "X-Forwarded-Prefix",
            "X-Forwarded-Uri",
            "X-Forwarded-Server",
            "X-Forwarded-Scheme",
            "X-Forwarded-Method",
            "True-Client-IP",
            "X-Forwarded",
        ] {
            assert_eq!(prepared(&[(name, "eve")], None, PeerTrust::Untrusted), OURS, "{name}");
        }
    }

    #[test]
    fn the_identity_is_the_session_s_whatever_was_sent() {
        let lines =
            prepared(&[("Remote-User", "eve"), ("remote_user", "eve")], Some(&identity()), PeerTrust::Untrusted);
        assert_eq!(
            lines,
            [&["remote-user: anna"] as &[&str], &OURS, &["x-name: Anna %C3%93", "x-vestibule-session: 00ff"]].concat()
        );
    }

    #[test]
    fn a_trusted_proxy_s_list_is_carried_on() {
        let lines =
            prepared(&[("X-Forwarded-For", "198.51.100.7"), ("X-Real-IP", "198.51.100.7")], None, PeerTrust::Trusted);
        assert!(lines.contains(&"x-forwarded-for: 198.51.100.7, 10.0.0.1".to_owned()), "{lines:?}");
        assert!(lines.contains(&"x-real-ip: 198.51.100.7".to_owned()), "{lines:?}");
    }

    #[test]
    fn our_cookies_stay_here() {
        let lines = prepared(
            &[
                ("Cookie", "a=1; __Host-vestibule=secret"),
                ("Cookie", "__Host-vestibule-login=secret"),
                ("Cookie", "b=2"),
            ],
            None,
            PeerTrust::Untrusted,
        );
        assert_eq!(
            lines.iter().filter(|line| line.starts_with("cookie")).collect::<Vec<_>>(),
            ["cookie: a=1", "cookie: b=2"]
        );
    }

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

    #[test]
    fn a_value_beyond_ascii_is_encoded_so_that_it_can_be_read_back() {
        for (text, value) in [
            ("anna", "anna"),
            ("anna@example.com", "anna@example.com"),
            ("100%", "100%"),
            ("Anna Ó 5%", "Anna %C3%93 5%25"),
            ("a\r\nX: y", "a%0D%0AX: y"),
        ] {
            assert_eq!(field_value(text), value);
        }
    }
}
