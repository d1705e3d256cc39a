//! The addresses behind the name of a server, looked up lately. Floor: edge.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::NoServer;

/// How long the resolver may take, which has no limit of its own. Our own choice: as long as a connection may.
const LONGEST_LOOKUP: Duration = Duration::from_secs(3);
/// How long a looked-up address is used. Our own choice; the system's resolver caches as the zone says.
const ADDRESS_LIFE: Duration = Duration::from_secs(30);
/// How long the last known addresses are used after the resolver gave none, so that not every request waits for it. Our own choice.
const LAST_KNOWN_LIFE: Duration = Duration::from_secs(5);

/// The addresses of one server.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    looked_up: ArcSwapOption<LookedUp>,
    /// Which of them is used; moves on when one refuses.
    turn: AtomicUsize,
}

#[derive(Debug)]
struct LookedUp {
    addresses: Vec<SocketAddr>,
    good_until: Instant,
}

impl Addresses {
    /// The address of `host` that is in use.
    ///
    /// # Errors
    /// When it cannot be looked up and never was.
    pub(super) async fn current(&self, host: &str, port: u16) -> Result<SocketAddr, NoServer> {
        let known = self.looked_up.load_full();
        if let Some(known) = known.as_ref().filter(|known| Instant::now() < known.good_until)
            && let Some(address) = self.pick(&known.addresses)
        {
            return Ok(address);
        }
        let found = tokio::time::timeout(LONGEST_LOOKUP, tokio::net::lookup_host((host, port)))
            .await
            .unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut)));
        let (addresses, source): (Vec<SocketAddr>, _) = match found {
            Ok(addresses) => (addresses.collect(), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if let Some(address) = self.pick(&addresses) {
            self.keep(addresses, ADDRESS_LIFE);
            return Ok(address);
        }
        // A resolver that is gone for a moment does not take the application away.
        match known.as_ref().and_then(|known| Some((known, self.pick(&known.addresses)?))) {
            Some((known, address)) => {
                self.keep(known.addresses.clone(), LAST_KNOWN_LIFE);
                Ok(address)
            }
            None => Err(NoServer::NoAddress { host: host.to_owned(), source }),
        }
    }

    fn keep(&self, addresses: Vec<SocketAddr>, life: Duration) {
        self.looked_up.store(Some(Arc::new(LookedUp { addresses, good_until: Instant::now() + life })));
    }

    /// The one in use refused: the next one. Whether there is another.
    pub(super) fn move_on(&self) -> bool {
        self.turn.fetch_add(1, Ordering::Relaxed);
        self.looked_up.load().as_ref().is_some_and(|known| known.addresses.len() > 1)
    }

    fn pick(&self, addresses: &[SocketAddr]) -> Option<SocketAddr> {
        let at = self.turn.load(Ordering::Relaxed).checked_rem(addresses.len())?;
        addresses.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_resolver_that_is_gone_is_not_asked_by_every_request() {
        let addresses = Addresses::default();
        let known: SocketAddr = "192.0.2.1:80".parse().unwrap();
        addresses.keep(vec![known], Duration::ZERO);
        // RFC 6761 §6.4: a name that has no address, anywhere
        assert_eq!(addresses.current("app.invalid", 80).await.unwrap(), known);
        let kept = addresses.looked_up.load_full().unwrap();
        assert!(kept.good_until > Instant::now(), "it is asked again at once");
        assert_eq!(addresses.current("app.invalid", 80).await.unwrap(), known);
    }
}
