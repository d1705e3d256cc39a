//! The head of a request on its way to the upstream. Runs after pingora has removed hop-by-hop fields, so that nothing set here can be
//! nominated away. Decides nothing: the identity is passed in. Floor: edge.

use std::net::IpAddr;

use http::header::{COOKIE, HeaderName, HeaderValue};
use pingora::http::RequestHeader;

use super::identity::Identity;
use super::{fold, is_identity};
use crate::gateway::settings::SiteSettings;
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
    identity: Option<&Identity<'_>>,
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
        identity.tell(&site.identity, |name, value| request.insert_header(name.clone(), value))?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::Session;
    use crate::gateway::classify;
    use crate::gateway::headers::tests::site;

    fn session() -> Session {
        Session { name: Some("Anna Ó".into()), email: None, ..classify::tests::session("anna") }
    }

    fn hop(peer_trust: PeerTrust) -> Hop {
        Hop { peer: "10.0.0.1".parse().unwrap(), client: "198.51.100.7".parse().unwrap(), peer_trust }
    }

    fn prepared(fields: &[(&str, &str)], identity: Option<&Identity<'_>>, peer_trust: PeerTrust) -> Vec<String> {
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
        let session = session();
        let identity = Identity { session: &session, assertion: None };
        let lines = prepared(&[("Remote-User", "eve"), ("remote_user", "eve")], Some(&identity), PeerTrust::Untrusted);
        let id = format!("x-vestibule-session: {}", session.id);
        assert_eq!(lines, [&["remote-user: anna"] as &[&str], &OURS, &["x-name: Anna %C3%93", &id]].concat());
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
}
