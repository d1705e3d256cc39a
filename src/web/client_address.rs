//! Who asks: the connection's peer, or what a proxy that the operator trusts says about it.
//! Reads `X-Forwarded-For` only; `Forwarded` and `X-Real-IP` are not believed from anybody. Floor: web.

use std::net::{IpAddr, SocketAddr};

use http::header::HeaderMap;

use crate::domain::network::{Networks, folded};

/// The client's address, IPv4-in-IPv6 folded.
///
/// A peer outside `trusted_proxies` is the client. For one inside, the list in `X-Forwarded-For` is read from its right end, where
/// our own proxies wrote, up to the first address that is not a trusted proxy. What cannot be read makes the peer the client:
/// an attacker gains nothing by breaking the header. When all are trusted, the left-most is the client.
#[must_use]
pub fn client_address(peer: IpAddr, headers: &HeaderMap, trusted_proxies: &Networks) -> IpAddr {
    let peer = folded(peer);
    if !trusted_proxies.contains(peer) {
        return peer;
    }
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
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_client_is_the_right_most_that_is_not_ours() {
        let trusted = Networks::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        for (peer, forwarded_for, client) in [
            ("203.0.113.9", &["198.51.100.1"] as &[&str], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["192.0.2.66, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["192.0.2.66", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("fd00::1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1,"], "10.0.0.1"),
            ("10.0.0.1", &["nonsense, 198.51.100.1"], "198.51.100.1"),
        ] {
            let headers: HeaderMap = forwarded_for
                .iter()
                .map(|value| (http::HeaderName::from_static("x-forwarded-for"), HeaderValue::from_str(value).unwrap()))
                .collect();
            let found = client_address(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found, client.parse::<IpAddr>().unwrap(), "{peer} {forwarded_for:?}");
        }
    }
}
