//! How a server is connected to, for traffic, health checks and probes alike: address, TLS, time limits, and which connections may be
//! shared. Two guards: a certificate is always checked against a name (pingora checks none when the name is empty), and connections of
//! one upstream are never used for another (pingora's own key leaves the authorities out). Floor: edge.

use std::time::Duration;

use pingora::upstreams::peer::HttpPeer;

use super::settings::UpstreamServer;
use super::{NoServer, Server, Upstream};
use crate::web::origin::Scheme;

/// What a request needs of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A request and its answer.
    Exchange,
    /// A connection that may be silent for long: a WebSocket.
    Tunnel,
}

/// Which connections will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connections {
    /// One that was kept, if there is one.
    Kept,
    /// A new one, which nobody else gets.
    Fresh,
}

/// The bit of a group that holds no kept connections.
const FRESH: u64 = 1 << 63;

/// How `server` is connected to now.
///
/// # Errors
/// When its name has no address.
pub(super) async fn peer(
    upstream: &Upstream,
    server: &Server,
    usage: Use,
    connections: Connections,
) -> Result<HttpPeer, NoServer> {
    let settings = &upstream.settings;
    let mut peer = match &server.settings {
        UpstreamServer::Network { scheme, host, port } => {
            let address = server.addresses.current(host, *port).await?;
            let name = settings.tls.server_name.as_ref().unwrap_or(host);
            match scheme {
                Scheme::Https if name.is_empty() => return Err(NoServer::NoName),
                Scheme::Https => {
                    let mut peer = HttpPeer::new(address, true, name.clone());
                    peer.options.ca = settings.tls.authorities.as_ref().map(|authorities| authorities.for_pingora());
                    peer.client_cert_key = settings.tls.client_certificate.as_ref().map(|own| own.for_pingora());
                    peer
                }
                Scheme::Http => HttpPeer::new(address, false, host.clone()),
            }
        }
        UpstreamServer::Unix { path } => {
            HttpPeer::new_uds(path, false, path.clone()).map_err(|_| NoServer::NoSocket(path.clone()))?
        }
    };
    let timeouts = settings.timeouts;
    (peer.group_key, peer.options.idle_timeout) = match connections {
        Connections::Kept => (upstream.group, Some(timeouts.keepalive)),
        Connections::Fresh => (upstream.group | FRESH, Some(Duration::ZERO)),
    };
    peer.options.connection_timeout = Some(timeouts.connect);
    peer.options.total_connection_timeout = Some(timeouts.connect);
    peer.options.write_timeout = Some(timeouts.write);
    peer.options.read_timeout = match usage {
        Use::Exchange => Some(timeouts.read),
        Use::Tunnel => None,
    };
    Ok(peer)
}
