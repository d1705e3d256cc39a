//! Who asks: the connection's peer, or what a proxy that the operator trusts says about it.
//! Reads the one header that the operator's proxies write; `X-Real-IP` and the like are not believed from anybody. Floor: web.

use std::net::{IpAddr, SocketAddr};

use http::header::HeaderMap;

use super::forwarded::{self, Node};
use super::origin::Scheme;
use crate::domain::network::{Networks, folded};

/// The header in which the operator's proxies say who asks. Only one is read: a proxy that writes one of them passes the other on as it
/// came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto`.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// What trusted proxies say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who asks, IPv4-in-IPv6 folded.
    pub client: IpAddr,
    /// What the browser spoke with the proxy that it reached.
    pub scheme: SaidScheme,
}

/// What a trusted proxy says the browser spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaidScheme {
    /// Nothing.
    Unsaid,
    /// This.
    Said(Scheme),
    /// Something that cannot be read.
    Unreadable,
}

/// What the trusted proxies on the way say, beginning with `peer`, which has to be one.
///
/// The list is read from its right end, where our own proxies wrote, up to the first address that is not a trusted proxy. What cannot be
/// read makes the peer the client: an attacker gains nothing by breaking the header. When all are trusted, the left-most is the client;
/// behind a hidden name (`for=unknown`) nothing is read, and the client is the last trusted proxy before it.
#[must_use]
pub fn asked(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &Networks, header: ForwardingHeader) -> Asked {
    match header {
        ForwardingHeader::XForwardedFor => Asked {
            client: by_x_forwarded_for(folded(peer), headers, trusted_proxies),
            scheme: forwarded_proto(headers),
        },
        ForwardingHeader::Forwarded => by_forwarded(folded(peer), headers, trusted_proxies),
    }
}

/// What `X-Forwarded-Proto` says. Some proxies write one value each, in a list or in fields: which of them is whose cannot be told, so that they
/// have to agree.
#[must_use]
pub fn forwarded_proto(headers: &HeaderMap) -> SaidScheme {
    let values = headers.get_all("x-forwarded-proto").iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    let mut said = SaidScheme::Unsaid;
    for value in values {
        let value = value.trim_ascii();
        let is = |names: [&str; 2]| names.iter().any(|name| value.eq_ignore_ascii_case(name.as_bytes()));
        // some proxies name the scheme of WebSockets
        let scheme = match (is(["https", "wss"]), is(["http", "ws"])) {
            (true, _) => SaidScheme::Said(Scheme::Https),
            (false, true) => SaidScheme::Said(Scheme::Http),
            (false, false) => return SaidScheme::Unreadable,
        };
        if said != SaidScheme::Unsaid && said != scheme {
            return SaidScheme::Unreadable;
        }
        said = scheme;
    }
    said
}

fn by_x_forwarded_for(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &Networks) -> IpAddr {
    let lists: Vec<&[u8]> = headers.get_all("x-forwarded-for").iter().map(|value| value.as_bytes()).collect();
    let joined = lists.join(&b',');
    let mut client = peer;
    for element in joined.rsplit(|byte| *byte == b',') {
        let Some(address) = parse_element(element) else {
            return peer;
        };
        client = address;
        if !trusted_proxies.contains(address) {
            break;
        }
    }
    client
}

fn by_forwarded(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &Networks) -> Asked {
    let mut asked = Asked { client: peer, scheme: SaidScheme::Unsaid };
    let Some(elements) = forwarded::elements(headers) else {
        return Asked { scheme: SaidScheme::Unreadable, ..asked };
    };
    for element in elements.iter().rev() {
        asked.scheme = element.scheme.map_or(SaidScheme::Unsaid, SaidScheme::Said);
        match element.node {
            Node::Hidden => break,
            Node::Address(address) => asked.client = address,
        }
        if !trusted_proxies.contains(asked.client) {
            break;
        }
    }
    asked
}

fn parse_element(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim_matches([' ', '\t']);
    let address = if let Ok(address) = text.parse::<IpAddr>() {
        address
    } else if let Ok(with_port) = text.parse::<SocketAddr>() {
        with_port.ip()
    } else {
        text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?
    };
    Some(folded(address))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    const PEER: &str = "10.0.0.1";

    fn trusted() -> Networks {
        Networks::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
    }

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_client_is_the_right_most_that_is_not_ours() {
        for (peer, forwarded_for, client) in [
            (PEER, &["198.51.100.1"] as &[&str], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            (PEER, &["192.0.2.66, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            (PEER, &["192.0.2.66", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            (PEER, &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (PEER, &["198.51.100.1:4711"], "198.51.100.1"),
            (PEER, &["[2001:db8::1]:4711"], "2001:db8::1"),
            (PEER, &["[2001:db8::1]"], "2001:db8::1"),
            ("fd00::1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            (PEER, &[], PEER),
            (PEER, &["unknown"], PEER),
            (PEER, &["198.51.100.1, nonsense"], PEER),
            (PEER, &["198.51.100.1,"], PEER),
            (PEER, &["nonsense, 198.51.100.1"], "198.51.100.1"),
        ] {
            let headers = headers("x-forwarded-for", forwarded_for);
            let found = asked(peer.parse().unwrap(), &headers, &trusted(), ForwardingHeader::XForwardedFor);
            assert_eq!(found.client, client.parse::<IpAddr>().unwrap(), "{peer} {forwarded_for:?}");
        }
    }

    #[test]
    fn several_values_of_the_scheme_have_to_agree() {
        use SaidScheme::{Said, Unreadable, Unsaid};
        use Scheme::{Http, Https};
        for (values, said) in [
            (&[] as &[&str], Unsaid),
            (&["https"], Said(Https)),
            (&["Https"], Said(Https)),
            (&["wss"], Said(Https)),
            (&["http"], Said(Http)),
            (&["ws"], Said(Http)),
            (&["https, wss"], Said(Https)),
            (&["http", "http"], Said(Http)),
            (&["https", "http"], Unreadable),
            (&["http", "https"], Unreadable),
            (&["https, http"], Unreadable),
            (&["https,"], Unreadable),
            (&["https", ""], Unreadable),
            (&["gopher"], Unreadable),
        ] {
            let headers = headers("x-forwarded-proto", values);
            let found = asked(PEER.parse().unwrap(), &headers, &trusted(), ForwardingHeader::XForwardedFor);
            assert_eq!(found.scheme, said, "{values:?}");
        }
    }

    #[test]
    fn forwarded_is_read_the_same_way() {
        use SaidScheme::{Said, Unreadable, Unsaid};
        use Scheme::{Http, Https};
        for (forwarded, client, scheme) in [
            (&[] as &[&str], PEER, Unsaid),
            (&["for=198.51.100.1"], "198.51.100.1", Unsaid),
            (&["for=198.51.100.1;proto=https"], "198.51.100.1", Said(Https)),
            (&["for=192.0.2.66;proto=https, for=198.51.100.1;proto=http"], "198.51.100.1", Said(Http)),
            (&["for=198.51.100.1;proto=https, for=10.0.0.2;proto=http"], "198.51.100.1", Said(Https)),
            (&["for=192.0.2.66", "for=198.51.100.1", "for=\"[fd00::2]\""], "198.51.100.1", Unsaid),
            (&["for=10.0.0.3, for=10.0.0.2"], "10.0.0.3", Unsaid),
            (&["for=198.51.100.1, for=unknown, for=10.0.0.2"], "10.0.0.2", Unsaid),
            (&["for=198.51.100.1, for=_hidden;proto=https"], PEER, Said(Https)),
            (&["for=198.51.100.1, proto=https"], PEER, Said(Https)),
            (&["for=198.51.100.1, nonsense"], PEER, Unreadable),
            (&["nonsense, for=198.51.100.1;proto=https"], PEER, Unreadable),
        ] {
            let found =
                asked(PEER.parse().unwrap(), &headers("forwarded", forwarded), &trusted(), ForwardingHeader::Forwarded);
            assert_eq!(found, Asked { client: client.parse().unwrap(), scheme }, "{forwarded:?}");
        }
    }

    #[test]
    fn only_the_header_that_the_proxies_write_is_read() {
        let mut both = headers("forwarded", &["for=192.0.2.66;proto=http"]);
        both.extend(headers("x-forwarded-for", &["198.51.100.1"]));
        both.extend(headers("x-forwarded-proto", &["https"]));
        for (header, client, scheme) in [
            (ForwardingHeader::XForwardedFor, "198.51.100.1", Scheme::Https),
            (ForwardingHeader::Forwarded, "192.0.2.66", Scheme::Http),
        ] {
            let found = asked(PEER.parse().unwrap(), &both, &trusted(), header);
            assert_eq!(found, Asked { client: client.parse().unwrap(), scheme: SaidScheme::Said(scheme) });
        }
    }

    #[test]
    fn what_is_said_of_the_scheme_is_one_word_or_nothing() {
        use SaidScheme::{Said, Unreadable, Unsaid};
        for (proto, scheme) in [
            (&[] as &[&str], Unsaid),
            (&["https"], Said(Scheme::Https)),
            (&["HTTPS"], Said(Scheme::Https)),
            (&["http"], Said(Scheme::Http)),
            (&["wss"], Said(Scheme::Https)),
            (&["ws"], Said(Scheme::Http)),
            (&["ftp"], Unreadable),
            (&["https, http"], Unreadable),
            (&[""], Unreadable),
        ] {
            let headers = headers("x-forwarded-proto", proto);
            let found = asked(PEER.parse().unwrap(), &headers, &trusted(), ForwardingHeader::XForwardedFor);
            assert_eq!(found.scheme, scheme, "{proto:?}");
        }
    }
}
