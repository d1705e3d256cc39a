//! `timeouts`: how long whoever asks may take. How long upstreams may take is theirs. The figures are ours unless a source is given. Floor: roof.

use std::time::Duration;

use super::node::Node;

/// How long downstream may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the first byte of a request to the end of its head; beyond: 408.
    pub head: Duration,
    /// Until the first request of a connection begins, and between two.
    pub keepalive: Duration,
    /// For the whole body of a form sent to our own pages; beyond: 408.
    pub portal_body: Duration,
    /// For the whole body of a request that goes on without a session; beyond: 408.
    pub public_body: Duration,
}

pub(super) fn read(node: &Node<'_>) -> Timeouts {
    Timeouts {
        head: node
            .key("head", "From the first byte of a request to the end of its header fields; beyond: 408.")
            .duration("1s", "5m")
            .or("10s"),
        keepalive: node
            .key("keepalive", "A connection is closed when no request begins on it for this long: the first one, or the next.")
            .duration("1s", "1h")
            .or("60s"),
        portal_body: node
            .key("portal_body", "For the whole of a form that is sent to the sign-in pages; beyond: 408.")
            .duration("1s", "5m")
            .or("10s"),
        public_body: node
            .key(
                "public_body",
                "For the whole body of a request on a public route by somebody without a session; beyond: 408. Who is signed in may take longer, and so may \
                 a WebSocket: only strangers could hold the application's connections for ever.",
            )
            .duration("1s", "24h")
            .or("5m"),
    }
}
