//! What is known of one request while it lasts: filled in by one phase, read by later ones, and said in one line at its end, however it ends.
//! Floor: edge.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use pingora::http::RequestHeader;
use pingora::{Error, ErrorType};

use super::access_log::{AccessLine, Line};
use super::admission::Admission;
use super::answers::Addressee;
use super::bridge;
use super::classify::{Asker, Passage};
use super::connection::state::ConnectionState;
use super::figures::{Decision, Ended};
use super::handle::{Current, GatewayHandle, UnderWay};
use super::headers::request::Hop;
use super::settings::{AccessLog, SiteSettings};
use super::streams::StreamEnd;
use super::streams::open::{OpenStream, Piece};
use super::upstreams::Chosen;
use super::upstreams::choice::AskedBy;
use crate::metrics;
use crate::web::origin::Scheme;
use crate::web::request_id::RequestId;

/// What is known of one request while it lasts.
pub struct RequestState {
    pub(super) current: Arc<Current>,
    pub(super) request_id: RequestId,
    pub(super) started: Instant,
    pub(super) hop: Hop,
    /// What the browser spoke, as far as it is known yet.
    pub(super) scheme: Scheme,
    pub(super) asker: Asker,
    pub(super) site: Option<Arc<SiteSettings>>,
    /// `None`: the request must not reach an upstream.
    pub(super) passage: Option<Passage>,
    pub(super) chosen: Option<Chosen>,
    pub(super) failed_connections: u32,
    /// Answers of the server that are only on the way to one (1xx).
    pub(super) informational: u8,
    pub(super) renewed_cookie: Option<HeaderValue>,
    /// For the upstream; `None` where the site uses none, or nobody is signed in.
    pub(super) assertion: Option<HeaderValue>,
    /// For the log: what another proxy asked about, or why that is not known.
    pub(super) original: Option<String>,
    /// For the log: whose request another proxy may pass on.
    pub(super) user: Option<String>,
    /// For the log: why the gateway answered itself, or what failed.
    pub(super) reason: Option<&'static str>,
    /// Told of every piece of a body; `None` until the request may go on to an upstream.
    pub(super) stream: Option<Arc<OpenStream>>,
    /// The connection, once it is a WebSocket's: it does not end in the middle.
    pub(super) tunnel: Option<Arc<ConnectionState>>,
    /// For the log. `None` until it is needed there.
    pub(super) asked: Option<Asked>,
    /// For the log: the status that was sent.
    pub(super) status: Option<u16>,
    /// What was decided, as it is counted.
    pub(super) decision: Decision,
    /// When a server was first chosen; since then it is the application's time.
    pub(super) upstream_since: Option<Instant>,
    /// For the log: bytes of the answer's body, or of what flowed after it for a WebSocket.
    pub(super) bytes: usize,
    logged: bool,
    /// A place at the upstreams; `None` until the request may go on.
    pub(super) at_upstream: Option<UnderWay>,
    _under_way: UnderWay,
}

/// Method and path as they came, without the query.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
}

impl Asked {
    pub(super) fn of(header: &RequestHeader) -> Self {
        Self { method: header.method.clone(), path: path_of(header) }
    }
}

/// The path as it came, without the query.
pub(super) fn path_of(header: &RequestHeader) -> String {
    String::from_utf8_lossy(bridge::path_of(header.raw_path())).into_owned()
}

impl RequestState {
    /// A request of which nothing is known yet; it admits nobody.
    pub(super) fn new(handle: &GatewayHandle) -> Self {
        Self {
            current: handle.current(),
            request_id: RequestId::fresh(),
            started: Instant::now(),
            hop: Hop::of_nobody(),
            scheme: Scheme::Http,
            asker: Asker::Program,
            site: None,
            passage: None,
            chosen: None,
            failed_connections: 0,
            informational: 0,
            renewed_cookie: None,
            assertion: None,
            original: None,
            user: None,
            reason: None,
            stream: None,
            tunnel: None,
            asked: None,
            status: None,
            decision: Decision::Unclear,
            upstream_since: None,
            bytes: 0,
            logged: false,
            at_upstream: None,
            _under_way: handle.begin(),
        }
    }

    pub(super) fn admission(&self) -> Option<&Admission> {
        self.passage.as_ref().map(|passage| &passage.admission)
    }

    pub(super) fn asked_by(&self) -> AskedBy<'_> {
        let account = self.admission().and_then(Admission::session).map(|user| user.account.bytes().as_slice());
        AskedBy { client: self.hop.client, account }
    }

    /// The user name, when somebody is signed in.
    pub(super) fn user(&self) -> Option<&str> {
        let admitted = self.admission().and_then(Admission::session).map(|user| user.user_name.as_str());
        admitted.or(self.user.as_deref())
    }

    pub(super) fn addressee(&self) -> Addressee<'_> {
        Addressee { asker: self.asker, request_id: self.request_id, site: self.site.as_deref(), scheme: self.scheme }
    }

    /// Writes the line of this request, once. `failed` when there is no better reason.
    pub(super) fn log(&mut self, failed: Option<&'static str>) {
        if std::mem::replace(&mut self.logged, true) {
            return;
        }
        let over = self.stream.as_ref().and_then(|stream| stream.over());
        self.count(over, failed);
        let line = match over {
            None | Some(StreamEnd::BodyTooSlow) => Line::Request,
            Some(_) => Line::StreamCut,
        };
        let is_wanted = match (self.current.parts.settings.access_log, line) {
            (AccessLog::Off, Line::Request) => false,
            (AccessLog::On, Line::Request) | (_, Line::StreamCut) => true,
        };
        let Some(asked) = self.asked.as_ref().filter(|_| is_wanted) else { return };
        AccessLine {
            request_id: self.request_id,
            site: self.site.as_ref().map(|site| site.name.as_str()),
            client: self.hop.client,
            method: asked.method.as_str(),
            path: &asked.path,
            status: self.status,
            bytes: self.bytes,
            duration: self.started.elapsed(),
            original: self.original.as_deref(),
            user: self.user(),
            upstream: self.passage.as_ref().map(|passage| passage.upstream.as_str()),
            reason: over.map(StreamEnd::name).or(self.reason).or(failed),
        }
        .write(line);
    }

    fn count(&self, over: Option<StreamEnd>, failed: Option<&'static str>) {
        if let Some(end) = over {
            metrics::all().streams_ended.with_label_values(&[end.name()]).inc();
        }
        let is_tunnel = self.status == Some(StatusCode::SWITCHING_PROTOCOLS.as_u16());
        self.current.figures.of(self.site.as_deref()).ended(Ended {
            decision: self.decision,
            status: self.status,
            reason: over.map(StreamEnd::name).or(self.reason).or(failed),
            duration: (over.is_none() && !is_tunnel).then(|| self.started.elapsed()),
        });
    }

    /// The application has begun to answer.
    pub(super) fn began_to_answer(&self) {
        if let Some(since) = self.upstream_since {
            self.current.figures.of(self.site.as_deref()).began_to_answer(self.started.elapsed(), since.elapsed());
        }
    }

    /// Whether the stream is over, for whatever reason.
    pub(super) fn is_over(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.over().is_some())
    }

    /// Asked when the application answers: `Err` when the session it would flow for has ended.
    pub(super) fn answers(&mut self) -> pingora::Result<()> {
        self.stream.as_ref().and_then(|stream| stream.answers()).map_or(Ok(()), over)
    }

    /// Asked with every piece of a body towards the upstream: `Err` when the session it flows for has ended. From a WebSocket nothing more
    /// goes up then, and its connection ends in order.
    pub(super) fn flows_up(&mut self, body: &mut Option<Bytes>, piece: Piece) -> pingora::Result<()> {
        let Some(end) = self.stream.as_ref().and_then(|stream| stream.flows_up(piece)) else { return Ok(()) };
        let Some(connection) = &self.tunnel else { return over(end) };
        connection.tunnel().part();
        if let Some(body) = body {
            body.clear();
        }
        Ok(())
    }

    /// As `flows_up`, downstream: of a WebSocket the frame that is under way goes on to its end (the connection's stream sees to it).
    pub(super) fn flows_down(&mut self, body: Option<&Bytes>) -> pingora::Result<()> {
        self.bytes += body.map_or(0, Bytes::len);
        let Some(end) = self.stream.as_ref().and_then(|stream| stream.flows()) else { return Ok(()) };
        let Some(connection) = &self.tunnel else { return over(end) };
        connection.tunnel().part();
        Ok(())
    }
}

fn over(end: StreamEnd) -> pingora::Result<()> {
    Error::e_explain(ErrorType::CustomCode(end.name(), end.status().as_u16()), "a stream of a session is over")
}

/// A request that is cut is dropped in the middle, and pingora's phase that logs it does not run.
impl Drop for RequestState {
    fn drop(&mut self) {
        if self.stream.as_ref().is_some_and(|stream| stream.over().is_some()) {
            self.log(None);
        }
    }
}

impl fmt::Debug for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestState")
            .field("request_id", &self.request_id)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
