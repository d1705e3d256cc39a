//! `upstreams`: the servers of the applications, by name. Floor: roof.

use std::time::Duration;

use url::Url;

use super::node::{Node, Slot};

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
    /// Between two reads: until the answer begins, and between two pieces of it. Does not end WebSockets.
    pub read: Duration,
    /// To take a piece of the request.
    pub write: Duration,
    /// How long a connection that nobody uses is kept for the next request.
    pub keepalive: Duration,
}

pub(super) fn read(node: &Node<'_>) -> Upstream {
    Upstream {
        servers: node
            .key(
                "servers",
                "Where it runs: `http://` or `https://`, a host and perhaps a port. Certificates are verified.",
            )
            .list(1, 64, read_server)
            .required("[\"http://10.0.0.5:8080\"]"),
        timeouts: node.key("timeouts", "How long it may take.").section(|node| UpstreamTimeouts {
            connect: node.key("connect", "To accept a connection; beyond: 504.").duration("100ms", "30s").or("3s"),
            read: node
                .key(
                    "read",
                    "To begin its answer, and between two pieces of it; beyond: 504. Does not end a WebSocket.",
                )
                .duration("1s", "1h")
                .or("60s"),
            write: node.key("write", "To take a piece of the request.").duration("1s", "1h").or("30s"),
            keepalive: node
                .key("keepalive", "How long an unused connection is kept for the next request.")
                .duration("0s", "1h")
                .or("60s"),
        }),
    }
}

fn read_server(slot: Slot<'_>) -> Url {
    const RIGHT: &str = "http:// or https://, a host and perhaps a port, such as http://10.0.0.5:8080";
    slot.url(&["http", "https"]).parsed(RIGHT, server).required("\"http://10.0.0.5:8080\"")
}

/// The URL of a server: nothing but scheme, host and port.
///
/// # Errors
/// What is too much in it, in words.
pub fn server(url: Url) -> Result<Url, String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user name or a password, which no request would carry".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{url} has more than a host and a port; requests keep their own path"));
    }
    if url.port() == Some(0) {
        return Err("nothing listens on port 0".to_owned());
    }
    Ok(url)
}
