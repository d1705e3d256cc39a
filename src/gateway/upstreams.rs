//! Which server a request goes to: in turn, without those that just refused a connection, by addresses that were looked up lately.
//! Does not check health by itself and sends nothing. Floor: edge.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use pingora::upstreams::peer::HttpPeer;

use super::route_rules::UpstreamName;
use super::settings::{UpstreamServer, UpstreamSettings, UpstreamTimeouts};
use crate::web::origin::Scheme;

/// How long a server that refused a connection is left alone while others are there. Our own choice.
const REST: Duration = Duration::from_secs(5);
/// How long the resolver may take, which has no limit of its own. Our own choice: as long as a connection may.
const LONGEST_LOOKUP: Duration = Duration::from_secs(3);
/// How long a looked-up address is used. Our own choice; the system's resolver caches as the zone says.
const ADDRESS_LIFE: Duration = Duration::from_secs(30);

/// Numbers connection pools: connections of different settings are never shared, because the pool's own key leaves some of them out.
static NEXT_GROUP: AtomicU64 = AtomicU64::new(1);

/// All upstreams of one configuration.
#[derive(Debug)]
pub struct Upstreams {
    by_name: HashMap<UpstreamName, Upstream>,
    since: Instant,
}

#[derive(Debug)]
struct Upstream {
    servers: Vec<Server>,
    timeouts: UpstreamTimeouts,
    turn: AtomicUsize,
    group: u64,
}

#[derive(Debug)]
struct Server {
    settings: UpstreamServer,
    looked_up: ArcSwapOption<LookedUp>,
    /// Which of the addresses is used; moves on when one refuses.
    address: AtomicUsize,
    /// Milliseconds since `Upstreams::since` until which the server rests.
    rests_until: AtomicU64,
}

#[derive(Debug)]
struct LookedUp {
    addresses: Vec<SocketAddr>,
    at: Instant,
}

/// One server of one upstream: what a failed connection is reported about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    upstream: UpstreamName,
    server: usize,
}

/// What a request needs of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A request and its answer.
    Exchange,
    /// A connection that may be silent for long: a WebSocket.
    Tunnel,
}

/// Whether a failed connection can be tried elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative {
    /// There is another server or address.
    Another,
    /// There is only this one.
    None,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum NoServer {
    /// The configuration names no such upstream, or one without servers.
    #[error("there is no upstream {0}")]
    Unknown(UpstreamName),
    /// The name of the server has no address.
    #[error("{host} has no address")]
    NoAddress {
        /// What was looked up.
        host: String,
        /// What the resolver said; `None` when it found nothing.
        source: Option<std::io::Error>,
    },
}

impl Upstreams {
    /// From the configuration.
    #[must_use]
    pub fn new(upstreams: &[UpstreamSettings]) -> Self {
        let by_name = upstreams
            .iter()
            .map(|settings| {
                let server = |server: &UpstreamServer| Server {
                    settings: server.clone(),
                    looked_up: ArcSwapOption::empty(),
                    address: AtomicUsize::new(0),
                    rests_until: AtomicU64::new(0),
                };
                let upstream = Upstream {
                    servers: settings.servers.iter().map(server).collect(),
                    timeouts: settings.timeouts,
                    turn: AtomicUsize::new(0),
                    group: NEXT_GROUP.fetch_add(1, Ordering::Relaxed),
                };
                (settings.name.clone(), upstream)
            })
            .collect();
        Self { by_name, since: Instant::now() }
    }

    /// The next server of `name`, other than `tried` if there is another.
    ///
    /// # Errors
    /// When there is no such upstream or its name cannot be looked up.
    pub async fn choose(
        &self,
        name: &UpstreamName,
        tried: Option<&Chosen>,
        usage: Use,
    ) -> Result<(Chosen, Box<HttpPeer>), NoServer> {
        let upstream = self.by_name.get(name).ok_or_else(|| NoServer::Unknown(name.clone()))?;
        let at = self
            .next_in_turn(upstream, tried.map(|chosen| chosen.server))
            .ok_or_else(|| NoServer::Unknown(name.clone()))?;
        let server = upstream.servers.get(at).ok_or_else(|| NoServer::Unknown(name.clone()))?;
        let address = server.address().await?;
        let peer = peer(upstream, &server.settings, address, usage);
        Ok((Chosen { upstream: name.clone(), server: at }, Box::new(peer)))
    }

    /// A connection to `chosen` failed: others come first for a while. Whether there is another to try.
    pub fn rest(&self, chosen: &Chosen) -> Alternative {
        let Some(upstream) = self.by_name.get(&chosen.upstream) else { return Alternative::None };
        let Some(server) = upstream.servers.get(chosen.server) else { return Alternative::None };
        server.rests_until.store(self.millis() + duration_millis(REST), Ordering::Relaxed);
        server.address.fetch_add(1, Ordering::Relaxed);
        let addresses = server.looked_up.load().as_ref().map_or(0, |known| known.addresses.len());
        if upstream.servers.len() > 1 || addresses > 1 { Alternative::Another } else { Alternative::None }
    }

    fn next_in_turn(&self, upstream: &Upstream, tried: Option<usize>) -> Option<usize> {
        let count = upstream.servers.len();
        if count == 0 {
            return None;
        }
        let now = self.millis();
        let start = upstream.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = || (0..count).map(move |step| start.wrapping_add(step) % count);
        let awake = |at: &usize| {
            upstream.servers.get(*at).is_some_and(|server| server.rests_until.load(Ordering::Relaxed) <= now)
        };
        let untried = |at: &usize| Some(*at) != tried;
        in_turn().find(|at| awake(at) && untried(at)).or_else(|| in_turn().find(untried)).or_else(|| in_turn().next())
    }

    fn millis(&self) -> u64 {
        duration_millis(self.since.elapsed())
    }
}

impl Server {
    async fn address(&self) -> Result<SocketAddr, NoServer> {
        let known = self.looked_up.load_full();
        if let Some(known) = known.as_ref().filter(|known| known.at.elapsed() < ADDRESS_LIFE)
            && let Some(address) = self.pick(&known.addresses)
        {
            return Ok(address);
        }
        let asked = tokio::net::lookup_host((self.settings.host.as_str(), self.settings.port));
        let found = tokio::time::timeout(LONGEST_LOOKUP, asked)
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut)));
        let (addresses, source): (Vec<SocketAddr>, _) = match found {
            Ok(addresses) => (addresses.collect(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if let Some(address) = self.pick(&addresses) {
            self.looked_up.store(Some(Arc::new(LookedUp { addresses, at: Instant::now() })));
            return Ok(address);
        }
        // A resolver that is gone for a moment does not take the application away.
        let last_known = known.and_then(|known| self.pick(&known.addresses));
        last_known.ok_or_else(|| NoServer::NoAddress { host: self.settings.host.clone(), source })
    }

    fn pick(&self, addresses: &[SocketAddr]) -> Option<SocketAddr> {
        let at = self.address.load(Ordering::Relaxed).checked_rem(addresses.len())?;
        addresses.get(at).copied()
    }
}

fn peer(upstream: &Upstream, server: &UpstreamServer, address: SocketAddr, usage: Use) -> HttpPeer {
    let tls = match server.scheme {
        Scheme::Https => true,
        Scheme::Http => false,
    };
    let mut peer = HttpPeer::new(address, tls, server.host.clone());
    peer.group_key = upstream.group;
    let timeouts = upstream.timeouts;
    peer.options.connection_timeout = Some(timeouts.connect);
    peer.options.total_connection_timeout = Some(timeouts.connect);
    peer.options.write_timeout = Some(timeouts.write);
    peer.options.idle_timeout = Some(timeouts.keepalive);
    peer.options.read_timeout = match usage {
        Use::Exchange => Some(timeouts.read),
        Use::Tunnel => None,
    };
    peer
}

fn duration_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstreams(servers: &[(&str, u16)]) -> Upstreams {
        Upstreams::new(&[UpstreamSettings {
            name: UpstreamName::new("app"),
            servers: servers
                .iter()
                .map(|(host, port)| UpstreamServer { scheme: Scheme::Https, host: (*host).to_owned(), port: *port })
                .collect(),
            timeouts: UpstreamTimeouts::default(),
        }])
    }

    async fn port(upstreams: &Upstreams, tried: Option<&Chosen>) -> (Chosen, String) {
        let (chosen, peer) = upstreams.choose(&UpstreamName::new("app"), tried, Use::Exchange).await.unwrap();
        assert!(!peer.sni.is_empty());
        assert_ne!(peer.group_key, 0);
        (chosen, peer._address.to_string())
    }

    #[tokio::test]
    async fn servers_take_turns_and_one_that_refused_rests() {
        let upstreams = upstreams(&[("127.0.0.1", 1), ("127.0.0.1", 2)]);
        let (first, a) = port(&upstreams, None).await;
        let (_, b) = port(&upstreams, None).await;
        assert_ne!(a, b);
        let (_, other) = port(&upstreams, Some(&first)).await;
        assert_eq!(other, b);
        upstreams.rest(&first);
        for _ in 0..4 {
            assert_eq!(port(&upstreams, None).await.1, b);
        }
    }

    #[tokio::test]
    async fn a_single_server_is_tried_also_while_it_rests() {
        let upstreams = upstreams(&[("127.0.0.1", 1)]);
        let (only, a) = port(&upstreams, None).await;
        upstreams.rest(&only);
        assert_eq!(port(&upstreams, Some(&only)).await.1, a);
    }

    #[tokio::test]
    async fn an_upstream_that_is_not_there_is_an_error() {
        let missing = upstreams(&[]).choose(&UpstreamName::new("app"), None, Use::Exchange).await;
        assert!(matches!(missing, Err(NoServer::Unknown(_))));
    }
}
