//! The head of a request on its way to the upstream. Runs after pingora has removed hop-by-hop fields, so that nothing set here can be
//! nominated away. Decides nothing: the identity is passed in. Floor: edge.

use std::net::{IpAddr, Ipv4Addr};

use http::header::{COOKIE, FORWARDED, HOST, HeaderName, HeaderValue};
use pingora::http::RequestHeader;

use super::identity::Identity;
use super::{fold, is_identity};
use crate::gateway::settings::SiteSettings;
use crate::web::client_address::ForwardingHeader;
use crate::web::cookies::CookieNames;
use crate::web::forwarded::elements;

/// Fields that this hop writes itself, whoever the peer is.
const FORWARDING: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port"];

/// Fields by which some frameworks take one method for another: a rule that makes GET public must not let DELETE through for nobody.
pub(in crate::gateway) const OVERRIDING: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// Fields by which some application takes a request for another one than was judged; only trusted proxies may send them (security H10).
const REWRITING: [&str; 30] = [
    "client-ip",
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "fastly-client-ip",
    "x-proxyuser-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-scheme",
    "x-url-scheme",
    "front-end-https",
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

/// CGI turns it into `HTTP_PROXY`, which libraries take for a setting of the machine (httpoxy, CVE-2016-5385). No request has a use for it.
const AS_PROXY_SETTING: &str = "proxy";

/// The connection a request came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The other end of the connection.
    pub peer: IpAddr,
    /// Who asks, after trusted proxies were believed.
    pub client: IpAddr,
    /// Whether the peer is one of the operator's proxies.
    pub peer_trust: PeerTrust,
    /// The header that the operator's proxies write, which is carried on; the other one is ours alone.
    pub header: ForwardingHeader,
}

impl Hop {
    /// Before the head has been read.
    #[must_use]
    pub fn of_nobody() -> Self {
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let header = ForwardingHeader::XForwardedFor;
        Self { peer: nobody, client: nobody, peer_trust: PeerTrust::Untrusted, header }
    }
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
    let forwarded = match hop.header {
        ForwardingHeader::XForwardedFor => None,
        ForwardingHeader::Forwarded => Some(forwarded(request, hop, site)),
    };
    remove_folded(request, |folded| {
        is_identity(folded, &site.identity)
            || FORWARDING.contains(&folded)
            || folded == AS_PROXY_SETTING
            || (hop.peer_trust == PeerTrust::Untrusted && REWRITING.contains(&folded))
            || (identity.is_none() && OVERRIDING.contains(&folded))
    });
    strip_our_cookies(request, CookieNames::of(site.origin.scheme()))?;
    // One spelling of the host, whatever was sent: it is the site's, or the request would not be here.
    request.insert_header(HOST, site.origin.authority())?;
    request.insert_header("X-Forwarded-For", chain)?;
    if let Some(forwarded) = forwarded {
        request.insert_header("Forwarded", forwarded)?;
    }
    request.insert_header("X-Forwarded-Host", site.origin.authority())?;
    request.insert_header("X-Forwarded-Proto", site.origin.scheme().as_str())?;
    request.insert_header("X-Forwarded-Port", site.origin.port().to_string())?;
    if let Some(identity) = identity {
        identity.tell(&site.identity, |name, value| request.insert_header(name.clone(), value))?;
    }
    Ok(())
}

/// A trusted proxy's list goes on with the proxy itself; from anybody else the list begins here. Where proxies write `Forwarded`, it is what
/// was believed of that.
fn forwarded_for(request: &RequestHeader, hop: Hop) -> String {
    let peer = hop.peer.to_string();
    match (hop.peer_trust, hop.header) {
        (PeerTrust::Untrusted, _) => peer,
        (PeerTrust::Trusted, ForwardingHeader::XForwardedFor) => {
            let mut chain: Vec<&str> =
                request.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
            chain.push(&peer);
            chain.join(", ")
        }
        (PeerTrust::Trusted, ForwardingHeader::Forwarded) if hop.client == hop.peer => peer,
        (PeerTrust::Trusted, ForwardingHeader::Forwarded) => format!("{}, {peer}", hop.client),
    }
}

/// A trusted proxy's list, if it could be read, and what we saw ourselves (RFC 7239 §4).
fn forwarded(request: &RequestHeader, hop: Hop, site: &SiteSettings) -> String {
    let mut list: Vec<String> = match hop.peer_trust {
        PeerTrust::Trusted if elements(&request.headers).is_some() => {
            let values = request.headers.get_all(FORWARDED).iter();
            values.filter_map(|value| value.to_str().ok()).map(str::to_owned).collect()
        }
        PeerTrust::Trusted | PeerTrust::Untrusted => Vec::new(),
    };
    let node = match hop.peer {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("\"[{v6}]\""),
    };
    let (host, scheme) = (site.origin.authority(), site.origin.scheme().as_str());
    list.push(format!("for={node};host=\"{host}\";proto={scheme}"));
    list.join(", ")
}

fn strip_our_cookies(request: &mut RequestHeader, names: CookieNames) -> pingora::Result<()> {
    if !request.headers.contains_key(COOKIE) {
        return Ok(());
    }
    let kept: Vec<HeaderValue> =
        request.headers.get_all(COOKIE).iter().filter_map(|value| names.without_ours(value)).collect();
    request.remove_header(&COOKIE);
    match kept.as_slice() {
        [] => Ok(()),
        [one] => request.insert_header(COOKIE, one.clone()),
        // HTTP/2 splits the field to compress it better; in HTTP/1 it is one (RFC 9113 §8.2.3).
        several => {
            let crumbs: Vec<&[u8]> = several.iter().map(HeaderValue::as_bytes).collect();
            request.insert_header(COOKIE, crumbs.join(b"; ".as_slice()).as_slice())
        }
    }
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
        let client = "198.51.100.7".parse().unwrap();
        let peer = if peer_trust == PeerTrust::Trusted { "10.0.0.1".parse().unwrap() } else { client };
        Hop { peer, client, peer_trust, header: ForwardingHeader::XForwardedFor }
    }

    fn prepared(fields: &[(&str, &str)], identity: Option<&Identity<'_>>, peer_trust: PeerTrust) -> Vec<String> {
        prepared_at(fields, identity, hop(peer_trust))
    }

    fn prepared_at(fields: &[(&str, &str)], identity: Option<&Identity<'_>>, hop: Hop) -> Vec<String> {
        let mut request = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in fields {
            request.append_header((*name).to_owned(), *value).unwrap();
        }
        prepare_request(&mut request, &site(), identity, hop).unwrap();
        let mut lines: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        lines.sort();
        let host =
            lines.iter().position(|line| line == "host: app.example.com").expect("the site's host, whatever came");
        lines.remove(host);
        assert!(!lines.iter().any(|line| line.starts_with("host:")), "{lines:?}");
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
            "Proxy",
            "PROXY",
            "Host",
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
    fn the_header_that_the_proxies_do_not_write_is_not_carried_on() {
        let fields = [
            ("Forwarded", "for=192.0.2.66;proto=https"),
            ("X-Forwarded-For", "198.51.100.7"),
            ("X_Forwarded_For", "192.0.2.67"),
        ];
        let lines = prepared(&fields, None, PeerTrust::Trusted);
        assert_eq!(lines, [&["x-forwarded-for: 198.51.100.7, 10.0.0.1"] as &[&str], &OURS[1..]].concat());

        let by_forwarded = |peer_trust| Hop { header: ForwardingHeader::Forwarded, ..hop(peer_trust) };
        let ours = |node: &str| format!("for={node};host=\"app.example.com\";proto=https");
        for (fields, hop, forwarded, x_forwarded_for) in [
            (
                &[("Forwarded", "for=198.51.100.7;proto=https"), ("X-Forwarded-For", "192.0.2.66")] as &[_],
                by_forwarded(PeerTrust::Trusted),
                format!("for=198.51.100.7;proto=https, {}", ours("10.0.0.1")),
                "198.51.100.7, 10.0.0.1",
            ),
            (
                &[("Forwarded", "for=192.0.2.66"), ("Forwarded", "for=198.51.100.7")],
                by_forwarded(PeerTrust::Trusted),
                format!("for=192.0.2.66, for=198.51.100.7, {}", ours("10.0.0.1")),
                "198.51.100.7, 10.0.0.1",
            ),
            (
                &[("Forwarded", "nonsense")],
                Hop { client: "10.0.0.1".parse().unwrap(), ..by_forwarded(PeerTrust::Trusted) },
                ours("10.0.0.1"),
                "10.0.0.1",
            ),
            (
                &[("Forwarded", "for=192.0.2.66")],
                by_forwarded(PeerTrust::Untrusted),
                ours("198.51.100.7"),
                "198.51.100.7",
            ),
            (
                &[],
                Hop { peer: "2001:db8::7".parse().unwrap(), ..by_forwarded(PeerTrust::Untrusted) },
                ours("\"[2001:db8::7]\""),
                "2001:db8::7",
            ),
        ] {
            let lines = prepared_at(fields, None, hop);
            let expected = [format!("forwarded: {forwarded}"), format!("x-forwarded-for: {x_forwarded_for}")];
            assert_eq!(lines[..2], expected, "{fields:?}");
            assert_eq!(lines[2..], OURS[1..], "{fields:?}");
        }
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
        assert_eq!(lines.iter().filter(|line| line.starts_with("cookie")).collect::<Vec<_>>(), ["cookie: a=1; b=2"]);
    }
}
