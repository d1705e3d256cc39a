//! The way a request came: the other end of the connection, who is behind it, and what the browser spoke.
//! The peer is what the socket says or, on listeners with PROXY protocol, the header. Floor: edge.

use std::net::{IpAddr, Ipv4Addr};

use pingora::protocols::l4::socket::SocketAddr;
use pingora::proxy::Session;

use super::classify::ListenerUse;
use super::headers::request::{Hop, PeerTrust};
use super::proxy_protocol::{self, Named, ProxyHeader};
use super::settings::GatewaySettings;
use crate::domain::network::folded;
use crate::web::client_address::{Asked, SaidScheme, asked};
use crate::web::origin::Scheme;

/// The hop a request came over, and what the browser spoke, as far as we can know.
pub(super) fn way(session: &Session, settings: &GatewaySettings, listener: ListenerUse) -> (Hop, Scheme) {
    let peer = match session.client_addr() {
        Some(SocketAddr::Inet(address)) => folded(address.ip()),
        Some(SocketAddr::Unix(_)) | None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    };
    let digest = session.digest();
    let header = digest.and_then(proxy_protocol::header_of);
    let peer_trust = trust(peer, header, settings);
    let Asked { client, scheme } = match peer_trust {
        PeerTrust::Untrusted => Asked { client: peer, scheme: SaidScheme::Unsaid },
        PeerTrust::Trusted => {
            asked(peer, &session.req_header().headers, &settings.trusted_proxies, settings.forwarding_header)
        }
    };
    let has_tls = digest.is_some_and(|digest| digest.ssl_digest.is_some());
    let scheme = if has_tls { Scheme::Https } else { plain_scheme(listener, header, peer_trust, scheme) };
    (Hop { peer, client, peer_trust, header: settings.forwarding_header }, scheme)
}

/// A proxy whose header names nobody may pass on bytes of somebody, so that it is not believed.
fn trust(peer: IpAddr, header: Option<ProxyHeader>, settings: &GatewaySettings) -> PeerTrust {
    match header.map(|header| header.names) {
        Some(Named::Nobody) => PeerTrust::Untrusted,
        Some(Named::Somebody) | None if settings.trusted_proxies.contains(peer) => PeerTrust::Trusted,
        Some(Named::Somebody) | None => PeerTrust::Untrusted,
    }
}

/// What the browser spoke when we speak plain HTTP ourselves: what a proxy in front says. One that says nothing is taken to speak https,
/// because the operator put it there for that; so is one that only sends a PROXY header.
fn plain_scheme(listener: ListenerUse, header: Option<ProxyHeader>, peer_trust: PeerTrust, said: SaidScheme) -> Scheme {
    match listener {
        ListenerUse::RedirectToHttps | ListenerUse::RedirectAndChallenges => return Scheme::Http,
        ListenerUse::Sites | ListenerUse::Operators => {}
    }
    let is_from_a_proxy = header.is_some() || peer_trust == PeerTrust::Trusted;
    match (header.and_then(|header| header.scheme), said) {
        _ if !is_from_a_proxy => Scheme::Http,
        (Some(Scheme::Http), _) | (_, SaidScheme::Said(Scheme::Http) | SaidScheme::Unreadable) => Scheme::Http,
        (Some(Scheme::Https) | None, SaidScheme::Said(Scheme::Https) | SaidScheme::Unsaid) => Scheme::Https,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_listener_believes_only_proxies_about_https() {
        use PeerTrust::{Trusted, Untrusted};
        use SaidScheme::{Said, Unreadable, Unsaid};
        use Scheme::{Http, Https};
        let header = |scheme| Some(ProxyHeader { names: Named::Somebody, scheme });
        for (header, trust, said, scheme) in [
            (None, Untrusted, Unsaid, Http),
            (None, Trusted, Unsaid, Https),
            (None, Trusted, Said(Https), Https),
            (None, Trusted, Said(Http), Http),
            (None, Trusted, Unreadable, Http),
            (header(None), Untrusted, Unsaid, Https),
            (header(Some(Https)), Untrusted, Unsaid, Https),
            (header(Some(Http)), Untrusted, Unsaid, Http),
            (header(Some(Https)), Trusted, Said(Http), Http),
            (header(Some(Http)), Trusted, Said(Https), Http),
            (header(None), Trusted, Said(Http), Http),
        ] {
            let found = plain_scheme(ListenerUse::Sites, header, trust, said);
            assert_eq!(found, scheme, "{header:?} {trust:?} {said:?}");
            assert_eq!(plain_scheme(ListenerUse::RedirectToHttps, header, trust, said), Http);
        }
    }
}
