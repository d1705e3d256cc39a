//! `upstreams`: the servers of the applications, by name. Floor: roof.

use std::time::Duration;

use url::Url;

/// One application's servers.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// At least one; `http://` or `https://`, a host and perhaps a port, nothing else.
    pub servers: Vec<Url>,
    pub timeouts: UpstreamTimeouts,
}

/// How long an upstream may take.
#[derive(Clone, Copy, Debug)]
pub struct UpstreamTimeouts {
    /// To accept a connection, TLS included.
    pub connect: Duration,
    /// From the whole request to the head of the answer.
    pub response_head: Duration,
    /// Between two pieces of a body, in either direction. Does not end WebSockets.
    pub idle: Duration,
    /// How long a connection that nobody uses is kept for the next request.
    pub keepalive: Duration,
}
