//! Asking servers whether they are well, over the same way that traffic takes. Each change is logged once. Starts no thread: the roof
//! polls `HealthChecks`. `probe` asks once, for an operator who waits. Floor: edge.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http::HeaderValue;
use http::header::{CONNECTION, HOST, USER_AGENT};
use pingora::Error;
use pingora::connectors::http::v1::Connector;
use pingora::http::RequestHeader;
use tokio::io::AsyncReadExt as _;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::blame::{self, Blame};
use super::peer::{Connections, Use, peer};
use super::settings::{HealthSettings, UpstreamHost, UpstreamServer, UpstreamSettings};
use super::words::words;
use super::{NoServer, Server, Upstream, Upstreams};
use crate::web::origin::Scheme;

/// How long a server may take to say, after the handshake, that it wants another certificate of us. Our own choice.
const SECOND_THOUGHTS: Duration = Duration::from_millis(300);
/// Answers that are only on the way to one (1xx). Our own choice.
const MOST_INFORMATIONAL: usize = 8;

/// What the checks say of one server. Until one has said otherwise it is taken to be well.
#[derive(Debug, Default)]
pub(super) struct Checked {
    unhealthy: AtomicBool,
}

impl Checked {
    pub(super) fn is_unhealthy(&self) -> bool {
        self.unhealthy.load(Ordering::Relaxed)
    }

    pub(super) fn set_unhealthy(&self, unhealthy: bool) {
        self.unhealthy.store(unhealthy, Ordering::Relaxed);
    }
}

/// The checks that are going on: one task for each upstream that is checked. They end when this is dropped.
#[derive(Debug, Default)]
pub struct HealthChecks {
    tasks: JoinSet<()>,
    by_group: HashMap<u64, AbortHandle>,
    connector: Option<Arc<Shared>>,
}

struct Shared(Connector);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared(…)")
    }
}

impl HealthChecks {
    /// Checks these upstreams from here on: begins with those that are new, goes on with those that are the same, ends the others.
    /// Must be called from within a runtime.
    pub fn keep_up_with(&mut self, upstreams: &Upstreams) {
        let checked = upstreams.by_name.values().filter(|upstream| upstream.settings.health.is_some());
        let wanted: HashMap<u64, &Arc<Upstream>> = checked.map(|upstream| (upstream.group, upstream)).collect();
        self.by_group.retain(|group, task| {
            let stays = wanted.contains_key(group);
            if !stays {
                task.abort();
            }
            stays
        });
        while self.tasks.try_join_next().is_some() {}
        for (group, upstream) in wanted {
            if !self.by_group.contains_key(&group) {
                let connector = self.connector.get_or_insert_with(|| Arc::new(Shared(Connector::new(None))));
                let task = self.tasks.spawn(check(Arc::clone(upstream), Arc::clone(connector)));
                self.by_group.insert(group, task);
            }
        }
    }
}

#[cfg(test)]
impl HealthChecks {
    pub(super) fn groups(&self) -> Vec<u64> {
        self.by_group.keys().copied().collect()
    }
}

async fn check(upstream: Arc<Upstream>, connector: Arc<Shared>) {
    let Some(health) = &upstream.settings.health else { return };
    let mut runs = vec![Run::default(); upstream.servers.len()];
    loop {
        let answers = upstream.servers.iter().map(|server| ask(&connector.0, &upstream, server, health));
        for ((server, run), answer) in upstream.servers.iter().zip(&mut runs).zip(join_all(answers).await) {
            let outcome = match &answer {
                Ok(_) => Outcome::Good,
                Err(NotWell { blame: Blame::Server, .. }) => Outcome::Bad,
                // It was not asked, so that nothing is known.
                Err(NotWell { blame: Blame::Ourselves, why }) => {
                    tracing::error!(upstream = %upstream.settings.name, server = %server.settings, cause = why, "the server's health could not be asked for");
                    continue;
                }
            };
            let Some(change) = run.take(outcome, health, server.checked.is_unhealthy()) else { continue };
            let (name, server_name) = (&upstream.settings.name, &server.settings);
            match change {
                Change::Unhealthy => {
                    server.checked.set_unhealthy(true);
                    let cause = answer.err().map(|unasked| unasked.why).unwrap_or_default();
                    tracing::warn!(upstream = %name, server = %server_name, cause, "the server is unhealthy");
                }
                Change::Healthy => {
                    server.checked.set_unhealthy(false);
                    tracing::info!(upstream = %name, server = %server_name, "the server is healthy again");
                }
            }
        }
        sleep(health.interval).await;
    }
}

/// One answer, for the counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Bad,
}

/// What a run of answers comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Healthy,
    Unhealthy,
}

/// Answers in a row that speak against what is held.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    against: u32,
    /// The first answer counts at once: a server that is down at start gets no traffic.
    has_begun: bool,
}

impl Run {
    fn take(&mut self, outcome: Outcome, health: &HealthSettings, is_unhealthy: bool) -> Option<Change> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let (change, needed) = match (outcome, is_unhealthy) {
            (Outcome::Good, true) => (Change::Healthy, health.healthy_after),
            (Outcome::Bad, false) => (Change::Unhealthy, health.unhealthy_after),
            (Outcome::Good, false) | (Outcome::Bad, true) => {
                self.against = 0;
                return None;
            }
        };
        self.against += 1;
        if self.against < needed && !is_first {
            return None;
        }
        self.against = 0;
        Some(change)
    }
}

/// No good answer.
struct NotWell {
    blame: Blame,
    /// In words.
    why: String,
}

impl NotWell {
    fn by_the_server(why: String) -> Self {
        Self { blame: Blame::Server, why }
    }
}

impl From<Box<Error>> for NotWell {
    fn from(error: Box<Error>) -> Self {
        Self { blame: blame::of(&error), why: words(&error) }
    }
}

/// One question; the status when it is a good one.
///
/// # Errors
/// Why the server is not well, or could not be asked.
async fn ask(
    connector: &Connector,
    upstream: &Upstream,
    server: &Server,
    health: &HealthSettings,
) -> Result<u16, NotWell> {
    let asked = async {
        let peer = peer(upstream, server, Use::Exchange, Connections::Fresh)
            .await
            .map_err(|error| NotWell { blame: blame::of_no_server(&error), why: said(&error) })?;
        let (mut http, _) = connector.get_http_session(&peer).await?;
        http.write_request_header(Box::new(head(upstream, server, health)?)).await?;
        for _ in 0..MOST_INFORMATIONAL {
            http.read_response().await?;
            match http.get_status() {
                Some(status) if status.is_informational() => (),
                Some(status) if health.statuses.contains(&status.as_u16()) => return Ok(status.as_u16()),
                Some(status) => {
                    return Err(NotWell::by_the_server(format!("{} answers {}", health.path, status.as_u16())));
                }
                None => break,
            }
        }
        Err(NotWell::by_the_server("it does not come to an answer".to_owned()))
    };
    match timeout(health.timeout, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(NotWell::by_the_server(format!("{} did not answer within {:?}", health.path, health.timeout))),
    }
}

fn head(upstream: &Upstream, server: &Server, health: &HealthSettings) -> pingora::Result<RequestHeader> {
    let host = match (&health.host, &upstream.settings.host) {
        (Some(host), _) | (None, UpstreamHost::Named(host)) => host.clone(),
        (None, UpstreamHost::Site | UpstreamHost::Server) => server.authority.clone(),
    };
    let mut head = RequestHeader::build("GET", health.path.as_bytes(), Some(3))?;
    head.insert_header(HOST, host)?;
    head.insert_header(USER_AGENT, HeaderValue::from_static("vestibule-health"))?;
    head.insert_header(CONNECTION, HeaderValue::from_static("close"))?;
    Ok(head)
}

/// Asks every server once, in the order of the configuration: for its health where that is configured, else only for a connection. What
/// it said when all is well.
///
/// # Errors
/// For each server what is wrong, in words.
pub async fn probe(settings: &UpstreamSettings) -> Vec<Result<String, String>> {
    let upstream = Upstream::new(settings);
    let connector = Connector::new(None);
    join_all(upstream.servers.iter().map(|server| probe_one(&connector, &upstream, server))).await
}

async fn probe_one(connector: &Connector, upstream: &Upstream, server: &Server) -> Result<String, String> {
    let place = match &server.settings {
        UpstreamServer::Network { host, port, .. } => format!("{host}:{port}"),
        UpstreamServer::Unix { path } => path.clone(),
    };
    let said_of_it = |what: String| format!("{place}: {what}");
    if let Some(health) = &upstream.settings.health {
        let status = ask(connector, upstream, server, health).await.map_err(|unasked| said_of_it(unasked.why))?;
        return Ok(format!("{place} answers {status} to {}", health.path));
    }
    let mut stream = {
        let peer = peer(upstream, server, Use::Exchange, Connections::Fresh).await;
        let peer = peer.map_err(|error| said_of_it(said(&error)))?;
        let (http, _) = connector.get_http_session(&peer).await.map_err(|error| said_of_it(words(&error)))?;
        http.into_inner()
    };
    match &server.settings {
        UpstreamServer::Unix { .. } | UpstreamServer::Network { scheme: Scheme::Http, .. } => {
            Ok(format!("{place} can be connected to"))
        }
        // With TLS 1.3 a server looks at our certificate only after the handshake.
        UpstreamServer::Network { scheme: Scheme::Https, .. } => {
            match timeout(SECOND_THOUGHTS, stream.read(&mut [0])).await {
                Err(_) | Ok(Ok(1..)) => Ok(format!("{place} can be connected to, and its certificate is right")),
                Ok(Ok(0)) => Err(said_of_it("it closed the connection right after the handshake".to_owned())),
                Ok(Err(error)) => Err(said_of_it(super::words::of_alert(&error))),
            }
        }
    }
}

fn said(error: &NoServer) -> String {
    match error {
        NoServer::NoAddress { source: Some(source), .. } => format!("{error}: {source}"),
        NoServer::Unknown(_)
        | NoServer::NoneHealthy(_)
        | NoServer::NoAddress { source: None, .. }
        | NoServer::NoSocket(_)
        | NoServer::NoName => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(healthy_after: u32, unhealthy_after: u32) -> HealthSettings {
        HealthSettings {
            path: "/health".to_owned(),
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(2),
            healthy_after,
            unhealthy_after,
            statuses: vec![200],
            host: None,
        }
    }

    #[test]
    fn so_many_answers_in_a_row_change_what_is_held() {
        let health = health(2, 3);
        let mut run = Run::default();
        let (mut unhealthy, mut changes) = (false, String::new());
        for letter in "gbbgbbbbgbggg".chars() {
            let outcome = if letter == 'g' { Outcome::Good } else { Outcome::Bad };
            let change = run.take(outcome, &health, unhealthy);
            changes.push(match change {
                Some(Change::Healthy) => '+',
                Some(Change::Unhealthy) => '-',
                None => '.',
            });
            unhealthy = change.map_or(unhealthy, |change| change == Change::Unhealthy);
        }
        assert_eq!(changes, "......-....+.");
    }

    #[test]
    fn the_first_answer_counts_at_once() {
        assert_eq!(Run::default().take(Outcome::Bad, &health(2, 3), false), Some(Change::Unhealthy));
        assert_eq!(Run::default().take(Outcome::Good, &health(2, 3), false), None);
    }
}
