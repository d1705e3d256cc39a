//! What is decided of one upstream: plain values that `app` fills from the configuration. Two that are equal are the same upstream, which
//! keeps its connections and what is known of its servers over a reload. Checks nothing: the configuration did. Floor: edge.

use std::fmt;
use std::time::Duration;

use http::HeaderValue;

use super::trust::{Authorities, ClientCertificate};
use crate::gateway::route_rules::UpstreamName;
use crate::web::origin::Scheme;

/// The servers of one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// What sites and rules call it.
    pub name: UpstreamName,
    /// At least one.
    pub servers: Vec<UpstreamServer>,
    /// Which of them a request goes to.
    pub balance: Balance,
    /// The `Host` they get.
    pub host: UpstreamHost,
    /// `None`: they are not asked; only what requests meet counts.
    pub health: Option<HealthSettings>,
    /// For those that speak TLS.
    pub tls: UpstreamTls,
    /// How long they may take.
    pub timeouts: UpstreamTimeouts,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamServer {
    /// Over TCP.
    Network {
        /// Plain or TLS.
        scheme: Scheme,
        /// A name or an address (IPv6 without brackets). Never empty: an empty name would switch off certificate checks in pingora.
        host: String,
        /// The port.
        port: u16,
    },
    /// Plain HTTP over a socket of this machine.
    Unix {
        /// Absolute; at most 107 bytes, as the system takes no more.
        path: String,
    },
}

impl UpstreamServer {
    /// What stands in `Host` when the server is asked under its own name.
    #[must_use]
    pub fn authority(&self) -> String {
        match self {
            Self::Network { scheme, host, port } => {
                let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                if *port == scheme.default_port() { host } else { format!("{host}:{port}") }
            }
            Self::Unix { .. } => "localhost".to_owned(),
        }
    }
}

/// As in the configuration.
impl fmt::Display for UpstreamServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network { scheme, .. } => write!(f, "{}://{}", scheme.as_str(), self.authority()),
            Self::Unix { path } => write!(f, "unix:{path}"),
        }
    }
}

/// Which server a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// In turn.
    RoundRobin,
    /// Always the same one for a client's address.
    Client,
    /// Always the same one for an account; for requests of nobody as `Client`.
    Session,
}

/// The `Host` that servers get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpstreamHost {
    /// The site's: what the browser asked for.
    Site,
    /// The server's own name.
    Server,
    /// This one.
    Named(HeaderValue),
}

/// How servers are asked whether they are well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSettings {
    /// Path and perhaps query.
    pub path: String,
    /// From the end of one round to the next.
    pub interval: Duration,
    /// For all of one question: connecting, TLS, the head of the answer.
    pub timeout: Duration,
    /// Good answers in a row after which a server counts as well again.
    pub healthy_after: u32,
    /// Bad answers in a row after which it does not.
    pub unhealthy_after: u32,
    /// The good answers.
    pub statuses: Vec<u16>,
    /// `None`: the name of the upstream's `host`, or else the server's own.
    pub host: Option<HeaderValue>,
}

/// How servers prove who they are, and we to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    /// Whose certificates are believed; `None`: those the machine trusts.
    pub authorities: Option<Authorities>,
    /// Shown to servers that ask for one.
    pub client_certificate: Option<ClientCertificate>,
    /// The name that certificates have to be valid for; `None`: the server's own. Never empty.
    pub server_name: Option<String>,
}

/// How long an upstream may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamTimeouts {
    /// To accept a connection, TLS included.
    pub connect: Duration,
    /// Between two reads: from the request to the head of the answer, and between two pieces of the body.
    pub read: Duration,
    /// To take a piece of the request.
    pub write: Duration,
    /// How long an unused connection is kept for the next request.
    pub keepalive: Duration,
}

impl Default for UpstreamTimeouts {
    /// Our own choice: 3 s to connect, as a person waits for it; 60 s for an answer, as in nginx.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            read: Duration::from_secs(60),
            write: Duration::from_secs(30),
            keepalive: Duration::from_secs(60),
        }
    }
}
