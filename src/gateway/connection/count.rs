//! How many connections there are, in all and from each network, and no more than are allowed.
//! Knows no stream: whoever holds a `Place` is counted. Floor: edge.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pingora::upstreams::peer::Tracing;

use crate::domain::network::{ClientNetwork, Networks};
use crate::gateway::seldom::Seldom;
use crate::gateway::settings::ConnectionLimits;
use crate::metrics;

/// The connections of this process. Cheap to clone; all listeners share it.
#[derive(Clone, Debug, Default)]
pub struct ConnectionCount(Arc<Mutex<Counted>>);

/// Connections beyond the total that are taken all the same, to be told so: probes are answered there. Our own choice: they are short.
const TO_BE_TOLD: usize = 32;

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMany {
    /// There are too many of everybody's.
    InAll,
    /// There are too many of its network's.
    FromNetwork,
}

impl TooMany {
    /// The stable word for metrics.
    fn name(self) -> &'static str {
        match self {
            Self::InAll => "in_all",
            Self::FromNetwork => "from_network",
        }
    }
}

#[derive(Debug, Default)]
struct Counted {
    total: usize,
    /// Beyond the total, not in it.
    told: usize,
    networks: HashMap<ClientNetwork, usize>,
    warning: Seldom,
}

/// One connection that is counted, until it is dropped.
#[derive(Debug)]
pub struct Place {
    count: ConnectionCount,
    seat: Seat,
}

/// How a connection is counted.
#[derive(Clone, Copy, Debug)]
enum Seat {
    /// In the total, and in its network's.
    InTotal(Option<ClientNetwork>),
    /// Beyond the total.
    ToBeTold,
}

impl ConnectionCount {
    /// Counts a connection. Peers that `exempt` holds are not counted by network, and neither is one without an address.
    ///
    /// # Errors
    /// When it is one too many.
    pub fn enter(&self, peer: Option<IpAddr>, limits: ConnectionLimits, exempt: &Networks) -> Result<Place, TooMany> {
        let network = peer.filter(|peer| !exempt.contains(*peer)).map(ClientNetwork::narrow);
        let mut counted = self.lock();
        let from_network = network.and_then(|network| counted.networks.get(&network)).copied().unwrap_or_default();
        if let Some(too_many) = (from_network >= limits.per_network)
            .then_some(TooMany::FromNetwork)
            .or((counted.total >= limits.total).then_some(TooMany::InAll))
        {
            metrics::all().connections_refused.with_label_values(&[too_many.name()]).inc();
            counted.refuse(network);
            return Err(too_many);
        }
        counted.total += 1;
        if let Some(network) = network {
            counted.networks.insert(network, from_network + 1);
        }
        Ok(Place { count: self.clone(), seat: Seat::InTotal(network) })
    }

    /// Takes a connection that is one too many in all, to be told so; `None` when there are too many of these as well.
    #[must_use]
    pub fn enter_to_be_told(&self) -> Option<Place> {
        let mut counted = self.lock();
        (counted.told < TO_BE_TOLD).then(|| {
            counted.told += 1;
            Place { count: self.clone(), seat: Seat::ToBeTold }
        })
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        self.lock().total
    }

    fn leave(&self, seat: Seat) {
        let mut counted = self.lock();
        let network = match seat {
            Seat::InTotal(network) => network,
            Seat::ToBeTold => {
                counted.told = counted.told.saturating_sub(1);
                return;
            }
        };
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
        let Some(refused) = self.warning.happened() else { return };
        tracing::warn!(
            refused,
            connections = self.total,
            last_from = network.map(tracing::field::display),
            "too many connections: new ones are closed (limits.connections)"
        );
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
        self.count.leave(self.seat);
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
        assert_eq!(enter("203.0.113.1").unwrap_err(), TooMany::FromNetwork);
        let _six = [enter("2001:db8::1").unwrap(), enter("2001:db8::2").unwrap()];
        assert_eq!(enter("2001:db8::3").unwrap_err(), TooMany::FromNetwork);
        let _other = enter("203.0.113.2").unwrap();
        assert_eq!(enter("203.0.113.3").unwrap_err(), TooMany::InAll);
        drop(first);
        let again = enter("203.0.113.1").unwrap();
        assert!(enter("203.0.113.1").is_err());
        drop(again);
        assert_eq!(count.total(), 4);
    }

    #[test]
    fn a_few_beyond_the_total_can_be_told_so() {
        let count = ConnectionCount::default();
        let told: Vec<Place> = std::iter::from_fn(|| count.enter_to_be_told()).collect();
        assert_eq!((told.len(), count.total()), (TO_BE_TOLD, 0));
        drop(told);
        assert!(count.enter_to_be_told().is_some());
    }

    #[test]
    fn a_trusted_proxy_is_counted_in_all_only() {
        let (count, limits) = (ConnectionCount::default(), ConnectionLimits { total: 3, per_network: 1 });
        let proxies = Networks::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let places: Vec<Place> = std::iter::from_fn(|| count.enter(ip("10.0.0.1"), limits, &proxies).ok()).collect();
        assert_eq!(places.len(), 3);
        drop(places);
        assert_eq!(count.total(), 0);
        assert!(count.lock().networks.is_empty());
    }
}
