//! The servers behind: which one a request goes to, what is known of each, how it is connected to. Sends no request but health checks,
//! and decides nothing about who may pass. Floor: edge.
//!
//! `settings` says what was decided, `choice` picks, `rest` counts what requests meet, `blame` says what counts, `health` asks, `addresses`
//! looks names up, `peer` and `trust` connect, `words` tells operators what went wrong.

mod addresses;
mod blame;
pub mod choice;
pub mod health;
pub mod peer;
mod rest;
pub mod settings;
pub mod trust;
mod words;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use http::HeaderValue;
use pingora::Error;
use pingora::upstreams::peer::HttpPeer;

use self::addresses::Addresses;
use self::blame::Blame;
use self::choice::{AskedBy, Fitness};
use self::health::Checked;
use self::peer::{Connections, Use};
use self::rest::{Incident, Rest, millis};
use self::settings::{UpstreamHost, UpstreamServer, UpstreamSettings};
use super::route_rules::UpstreamName;
use crate::web::request_id::RequestId;

/// Numbers connection pools: connections of different settings are never shared, because the pool's own key leaves some of them out.
static NEXT_GROUP: AtomicU64 = AtomicU64::new(1);

/// All upstreams of one configuration.
#[derive(Debug)]
pub struct Upstreams {
    by_name: HashMap<UpstreamName, Arc<Upstream>>,
}

/// One upstream, with what is known of it.
#[derive(Debug)]
struct Upstream {
    settings: UpstreamSettings,
    servers: Vec<Arc<Server>>,
    /// A number a server, by which keys are shared out.
    seeds: Vec<u64>,
    turn: AtomicUsize,
    group: u64,
    since: Instant,
}

/// One server, with what is known of it.
#[derive(Debug)]
struct Server {
    settings: UpstreamServer,
    /// Its own name, for `Host`.
    authority: HeaderValue,
    addresses: Addresses,
    rest: Rest,
    checked: Checked,
}

/// One server of one upstream: what a request went to, and what its fate is reported about.
#[derive(Clone, Debug)]
pub struct Chosen {
    upstream: Arc<Upstream>,
    server: Arc<Server>,
    at: usize,
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
    /// The configuration names no such upstream.
    #[error("there is no upstream {0}")]
    Unknown(UpstreamName),
    /// All servers were asked and none is well.
    #[error("no server of the upstream {0} is healthy")]
    NoneHealthy(UpstreamName),
    /// The name of the server has no address.
    #[error("{host} has no address")]
    NoAddress {
        /// What was looked up.
        host: String,
        /// What the resolver said; `None` when it found nothing.
        source: Option<std::io::Error>,
    },
    /// The path cannot be one of a unix socket.
    #[error("{0} cannot be the path of a socket")]
    NoSocket(String),
    /// There is no name to check a certificate against.
    #[error("there is no name to check its certificate against")]
    NoName,
}

impl Upstreams {
    /// From the configuration. What `before` has with equal settings is kept, with its connections and what is known of its servers.
    #[must_use]
    pub fn new(upstreams: &[UpstreamSettings], before: Option<&Self>) -> Self {
        let upstream = |settings: &UpstreamSettings| {
            let known = before.and_then(|before| before.by_name.get(&settings.name));
            match known.filter(|known| known.settings == *settings) {
                Some(known) => Arc::clone(known),
                None => Arc::new(Upstream::new(settings)),
            }
        };
        Self { by_name: upstreams.iter().map(|settings| (settings.name.clone(), upstream(settings))).collect() }
    }

    /// A server of `name` for a request, other than `tried` if there is another. After a try the connection is a new one: what was kept
    /// may be as dead as the one that failed. So is that of a tunnel: what comes on a kept connection is heard by the thread that opened it,
    /// and when a 101 is heard before this thread has told pingora that the request has no body, pingora takes that for the tunnel's end.
    ///
    /// # Errors
    /// When there is no such upstream, none of its servers is healthy, or its name cannot be looked up.
    pub async fn choose(
        &self,
        name: &UpstreamName,
        tried: Option<&Chosen>,
        usage: Use,
        asked_by: AskedBy<'_>,
    ) -> Result<(Chosen, Box<HttpPeer>), NoServer> {
        let upstream = self.by_name.get(name).ok_or_else(|| NoServer::Unknown(name.clone()))?;
        let connections = match (tried, usage) {
            (Some(_), _) | (None, Use::Tunnel) => Connections::Fresh,
            (None, Use::Exchange) => Connections::Kept,
        };
        let chosen = upstream.choose(tried.map(|tried| tried.at), asked_by)?;
        match peer::peer(upstream, &chosen.server, usage, connections).await {
            Ok(peer) => Ok((chosen, Box::new(peer))),
            Err(error) => {
                match blame::of_no_server(&error) {
                    Blame::Server => chosen.begin_rest(Incident::NoConnection, &error.to_string()),
                    Blame::Ourselves => return Err(error),
                }
                if chosen.alternative() == Alternative::None {
                    return Err(error);
                }
                let other = upstream.choose(Some(chosen.at), asked_by)?;
                let peer = peer::peer(upstream, &other.server, usage, connections).await?;
                Ok((other, Box::new(peer)))
            }
        }
    }
}

impl Upstream {
    fn new(settings: &UpstreamSettings) -> Self {
        let server = |server: &UpstreamServer| {
            Arc::new(Server {
                settings: server.clone(),
                // hosts were checked to be names or addresses; one that is no field value would be refused by every server
                authority: HeaderValue::try_from(server.authority()).unwrap_or(HeaderValue::from_static("localhost")),
                addresses: Addresses::default(),
                rest: Rest::default(),
                checked: Checked::default(),
            })
        };
        Self {
            servers: settings.servers.iter().map(server).collect(),
            seeds: settings.servers.iter().map(|server| choice::number(server.to_string().as_bytes())).collect(),
            settings: settings.clone(),
            turn: AtomicUsize::new(0),
            group: NEXT_GROUP.fetch_add(1, Ordering::Relaxed),
            since: Instant::now(),
        }
    }

    fn choose(self: &Arc<Self>, tried: Option<usize>, asked_by: AskedBy<'_>) -> Result<Chosen, NoServer> {
        let now = self.now();
        let order = choice::order(self.settings.balance, asked_by, || self.turn.fetch_add(1, Ordering::Relaxed));
        let at = choice::choose(order, &self.seeds, tried, |at| self.fitness(at, now));
        let (at, server) = at
            .and_then(|at| self.servers.get(at).map(|server| (at, server)))
            .ok_or_else(|| NoServer::NoneHealthy(self.settings.name.clone()))?;
        server.rest.tried(now, self.settings.timeouts.connect);
        Ok(Chosen { upstream: Arc::clone(self), server: Arc::clone(server), at })
    }

    fn fitness(&self, at: usize, now: u64) -> Fitness {
        match self.servers.get(at) {
            None => Fitness::Unhealthy,
            Some(server) if server.checked.is_unhealthy() => Fitness::Unhealthy,
            Some(server) if server.rest.lasts(now) => Fitness::Resting,
            Some(_) => Fitness::Fit,
        }
    }

    fn now(&self) -> u64 {
        millis(self.since.elapsed())
    }
}

impl Chosen {
    /// The `Host` that the server gets; `None`: the site's, as it came.
    #[must_use]
    pub fn host(&self) -> Option<&HeaderValue> {
        match &self.upstream.settings.host {
            UpstreamHost::Site => None,
            UpstreamHost::Server => Some(&self.server.authority),
            UpstreamHost::Named(name) => Some(name),
        }
    }

    /// An answer came, whatever it says.
    pub fn answered(&self) {
        if self.server.rest.answered(self.upstream.now()) {
            let (upstream, server) = (&self.upstream.settings.name, &self.server.settings);
            tracing::info!(%upstream, %server, "the server answers again");
        }
    }

    /// No connection came about: others come first for a while. Whether there is another to try.
    pub fn no_connection(&self, error: &Error, request: RequestId) -> Alternative {
        let cause = words::words(error);
        let (upstream, server) = (&self.upstream.settings.name, &self.server.settings);
        match blame::of(error) {
            Blame::Server => {
                tracing::warn!(%request, %upstream, %server, cause, "a server cannot be connected to");
                self.begin_rest(Incident::NoConnection, &cause);
            }
            Blame::Ourselves => {
                tracing::error!(%request, %upstream, %server, cause, "this process cannot open a connection, to whatever server");
                return Alternative::None;
            }
        }
        if self.server.addresses.move_on() { Alternative::Another } else { self.alternative() }
    }

    /// No answer came, or none that is HTTP: after some in a row others come first for a while.
    pub fn no_answer(&self, error: &Error, request: RequestId) {
        let cause = words::words(error);
        let (upstream, server) = (&self.upstream.settings.name, &self.server.settings);
        tracing::warn!(%request, %upstream, %server, cause, "a server did not answer a request");
        self.begin_rest(Incident::NoAnswer, &cause);
    }

    /// The answer had begun and did not come to its end.
    pub fn broke_off(&self, error: &Error, request: RequestId) {
        let cause = words::words(error);
        let (upstream, server) = (&self.upstream.settings.name, &self.server.settings);
        tracing::warn!(%request, %upstream, %server, cause, "a server broke its answer off");
    }

    fn begin_rest(&self, incident: Incident, cause: &str) {
        if let Some(rest) = self.server.rest.failed(incident, self.upstream.now()) {
            let (upstream, server) = (&self.upstream.settings.name, &self.server.settings);
            let seconds = rest.as_secs();
            tracing::warn!(%upstream, %server, cause, seconds, "the server is left alone for a while");
        }
    }

    fn alternative(&self) -> Alternative {
        let now = self.upstream.now();
        let is_another = |at: usize| at != self.at && self.upstream.fitness(at, now) != Fitness::Unhealthy;
        if (0..self.upstream.servers.len()).any(is_another) { Alternative::Another } else { Alternative::None }
    }
}

#[cfg(test)]
pub(crate) mod tests;
