//! What the phases of a request and the stream below them tell each other. One for each connection, reachable from every request on it.
//! Holds no bytes and no decision. Floor: edge.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::gateway::streams::tunnel::Tunnel;

tokio::task_local! {
    /// The connection that the request of this task came over. Not there for HTTP/2.
    pub(super) static CONNECTION: Arc<ConnectionState>;
}

/// What is known of a connection.
#[derive(Debug, Default)]
pub struct ConnectionState {
    /// No other request is served after this one.
    is_last: AtomicBool,
    tunnel: Tunnel,
}

impl ConnectionState {
    /// The connection of the request that this task serves.
    #[must_use]
    pub fn of_this_request() -> Option<Arc<Self>> {
        CONNECTION.try_with(Arc::clone).ok()
    }

    /// What is agreed on when a WebSocket on this connection is to end.
    pub(in crate::gateway) fn tunnel(&self) -> &Tunnel {
        &self.tunnel
    }

    pub(super) fn begin_request(&self, is_last: bool) {
        self.is_last.store(is_last, Ordering::Relaxed);
    }

    /// Whether nothing that comes behind the request is served: the answer has to say that the connection ends.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.is_last.load(Ordering::Relaxed)
    }
}
