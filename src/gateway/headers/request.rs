//! The head of a request on its way to the upstream. Runs after pingora has removed hop-by-hop fields, so that nothing set here can be
//! nominated away. Decides nothing: the identity is passed in. Floor: edge.

use std::borrow::Cow;
use std::net::IpAddr;

use http::header::{COOKIE, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use pingora::http::RequestHeader;

use super::{fold, is_identity};
use crate::gateway::settings::{IdentityHeaders, SiteSettings};
use crate::web::cookies::CookieNames;

/// Fields that this hop writes itself, whoever the peer is.
const FORWARDING: [&str; 4] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"];

/// Fields by which some frameworks take one method for another: a rule that makes GET public must not let DELETE through for nobody.
const OVERRIDING: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

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
        is_identity(folded, &site.identity)
            || FORWARDING.contains(&folded)
            || (hop.peer_trust == PeerTrust::Untrusted && REWRITING.contains(&folded))
            || (identity.is_none() && OVERRIDING.contains(&folded))
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
    use super::*;
    use crate::gateway::headers::tests::site;

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
