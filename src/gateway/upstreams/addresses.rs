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
    at: Instant,
}

impl Addresses {
    /// The address of `host` that is in use.
    ///
    /// # Errors
    /// When it cannot be looked up and never was.
    pub(super) async fn current(&self, host: &str, port: u16) -> Result<SocketAddr, NoServer> {
        let known = self.looked_up.load_full();
        if let Some(known) = known.as_ref().filter(|known| known.at.elapsed() < ADDRESS_LIFE)
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
            self.looked_up.store(Some(Arc::new(LookedUp { addresses, at: Instant::now() })));
            return Ok(address);
        }
        // A resolver that is gone for a moment does not take the application away.
        let last_known = known.and_then(|known| self.pick(&known.addresses));
        last_known.ok_or_else(|| NoServer::NoAddress { host: host.to_owned(), source })
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
