//! How many connections there are, in all and from each network, and no more than are allowed.
//! Knows no stream: whoever holds a `Place` is counted. Floor: edge.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pingora::upstreams::peer::Tracing;

use crate::domain::network::{ClientNetwork, Networks};
use crate::gateway::settings::ConnectionLimits;

/// A warning of too many connections comes at most so often: a flood of connections must not become one of lines.
const WARN_EVERY: Duration = Duration::from_secs(5);

/// The connections of this process. Cheap to clone; all listeners share it.
#[derive(Clone, Debug, Default)]
pub struct ConnectionCount(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    total: usize,
    networks: HashMap<ClientNetwork, usize>,
    /// Refused since the last warning.
    refused: u64,
    warned_at: Option<Instant>,
}

/// One connection that is counted, until it is dropped.
#[derive(Debug)]
pub struct Place {
    count: ConnectionCount,
    network: Option<ClientNetwork>,
}

impl ConnectionCount {
    /// Counts a connection; `None` when it is one too many, in all or from its network. Peers that `exempt` holds are not counted by network,
    /// and neither is one without an address.
    #[must_use]
    pub fn enter(&self, peer: Option<IpAddr>, limits: ConnectionLimits, exempt: &Networks) -> Option<Place> {
        let network = peer.filter(|peer| !exempt.contains(*peer)).map(ClientNetwork::narrow);
        let mut counted = self.lock();
        let from_network = network.and_then(|network| counted.networks.get(&network)).copied().unwrap_or_default();
        if counted.total >= limits.total || from_network >= limits.per_network {
            counted.refuse(network);
            return None;
        }
        counted.total += 1;
        if let Some(network) = network {
            counted.networks.insert(network, from_network + 1);
        }
        Some(Place { count: self.clone(), network })
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.lock().total
    }

    fn leave(&self, network: Option<ClientNetwork>) {
        let mut counted = self.lock();
        counted.total = counted.total.saturating_sub(1);
        let Some(network) = network else { return };
        match counted.networks.get_mut(&network) {
            Some(connections) if *connections > 1 => *connections -= 1,
            Some(_) | None => drop(counted.networks.remove(&network)),
        }
    }

    /// Held for a few instructions, at the beginning and the end of a connection.
    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn refuse(&mut self, network: Option<ClientNetwork>) {
        self.refused += 1;
        if self.warned_at.is_some_and(|at| at.elapsed() < WARN_EVERY) {
            return;
        }
        tracing::warn!(
            refused = self.refused,
            connections = self.total,
            last_from = network.map(tracing::field::display),
            "too many connections: new ones are closed (limits.connections)"
        );
        self.refused = 0;
        self.warned_at = Some(Instant::now());
    }
}

impl Place {
    /// The place in the form that a socket can carry to its end.
    pub(super) fn into_tracer(self) -> PlaceOfSocket {
        PlaceOfSocket(Arc::new(self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.count.leave(self.network);
    }
}

/// Released when the socket that carries it is dropped.
#[derive(Clone, Debug)]
pub(super) struct PlaceOfSocket(#[expect(dead_code, reason = "held for its drop")] Arc<Place>);

impl Tracing for PlaceOfSocket {
    fn on_connected(&self) {}

    fn on_disconnected(&self) {}

    fn boxed_clone(&self) -> Box<dyn Tracing> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn no_more_connections_than_allowed_in_all_and_from_a_network() {
        let (count, limits) = (ConnectionCount::default(), ConnectionLimits { total: 5, per_network: 2 });
        let nobody = Networks::default();
        let enter = |peer: &str| count.enter(ip(peer), limits, &nobody);
        let (first, _second) = (enter("203.0.113.1").unwrap(), enter("::ffff:203.0.113.1").unwrap());
        assert!(enter("203.0.113.1").is_none(), "a third from one address");
        let _six = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
        assert!(enter("2001:db8::3").is_none(), "a third from one /64");
        let _other = enter("203.0.113.2").unwrap();
        assert!(enter("203.0.113.3").is_none(), "a sixth in all");
        drop(first);
        let again = enter("203.0.113.1").unwrap();
        assert!(enter("203.0.113.1").is_none());
        drop(again);
        assert_eq!(count.total(), 4);
    }

    #[test]
    fn a_trusted_proxy_is_counted_in_all_only() {
        let (count, limits) = (ConnectionCount::default(), ConnectionLimits { total: 3, per_network: 1 });
        let proxies = Networks::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let places: Vec<Place> = std::iter::from_fn(|| count.enter(ip("10.0.0.1"), limits, &proxies)).collect();
        assert_eq!(places.len(), 3);
        drop(places);
        assert_eq!(count.total(), 0);
        assert!(count.lock().networks.is_empty());
    }
}
