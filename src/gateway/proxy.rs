//! The phases of pingora that we use, and what each does. Everything that decides is in `classify`; here it is carried out.
//! Nothing reaches an upstream without the `Admission` inside a `Passage`: `upstream_peer` asks for it. Floor: edge.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::StatusCode;
use http::header::HOST;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};

use super::acme::{self, AcmeWebroot};
use super::answers::{self, Answer};
use super::bridge::{self, Bridged};
use super::classify::{self, Arrival, ListenerUse, Probe, Verdict};
use super::connection::state::ConnectionState;
use super::early_answer;
use super::failures::{blame_who_was_silent, failure, no_server};
use super::figures::Decision;
use super::handle::GatewayHandle;
use super::head::{self, HeadMistake, HeadSource};
use super::headers::identity::Identity;
use super::headers::request;
use super::headers::response;
use super::metrics_page;
use super::permission;
use super::refused;
use super::request_state::{Asked, RequestState, path_of};
use super::settings::{AccessLog, ListenerTask, SiteSettings};
use super::streams;
use super::streams::open::{Piece, Waits};
use super::tries::{self, AnswerSoFar, Asked as Purpose, Attempt, BodySoFar, Connection};
use super::upstreams::peer::Use;
use super::upstreams::{Alternative, Chosen};
use super::verify::Verification;
use super::way::way;
use super::websocket;
use crate::web::cookies::CookieNames;
use crate::web::request_context::RequestContext;

/// How long an unread request body may take to arrive before the connection is given up. Our own choice.
const DRAIN: Duration = Duration::from_secs(10);

/// What pingora calls for each request.
#[derive(Debug)]
pub struct Gateway {
    handle: GatewayHandle,
    listener: ListenerUse,
    /// Where challenges are answered from, on a listener for them.
    webroot: Option<AcmeWebroot>,
}

impl Gateway {
    /// The application for the listeners of one task.
    #[must_use]
    pub fn new(handle: GatewayHandle, task: &ListenerTask) -> Self {
        let (listener, webroot) = match task {
            ListenerTask::Sites => (ListenerUse::Sites, None),
            ListenerTask::Operators => (ListenerUse::Operators, None),
            ListenerTask::RedirectToHttps { acme_webroot: None } => (ListenerUse::RedirectToHttps, None),
            ListenerTask::RedirectToHttps { acme_webroot: Some(webroot) } => {
                (ListenerUse::RedirectAndChallenges, Some(AcmeWebroot::new(webroot.clone())))
            }
        };
        Self { handle, listener, webroot }
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = RequestState;

    fn new_ctx(&self) -> RequestState {
        RequestState::new(&self.handle)
    }

    /// No modules: compressing pages that carry a secret beside what an attacker typed would give the secret away (BREACH).
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    /// Time limits of the connection; pingora's own are none, or for ever.
    async fn early_request_filter(&self, session: &mut Session, state: &mut RequestState) -> Result<()> {
        let timeouts = state.current.parts.settings.timeouts;
        if ConnectionState::of_this_request().is_some_and(|connection| connection.is_last()) {
            session.set_keepalive(None);
        } else if session.get_keepalive().is_some() {
            session.set_keepalive(Some(timeouts.keepalive.as_secs().max(1)));
        }
        session.set_read_timeout(Some(timeouts.read));
        session.set_write_timeout(Some(timeouts.write));
        session.set_total_drain_timeout(Some(DRAIN));
        Ok(())
    }

    /// Judges the request, and answers it here unless it goes on.
    async fn request_filter(&self, session: &mut Session, state: &mut RequestState) -> Result<bool> {
        let verdict = match self.judge(session, state) {
            Ok(verdict) => verdict,
            Err(mistake) => {
                answer(session, state, Answer::to_mistake(mistake)).await?;
                return Ok(true);
            }
        };
        state.decision = Decision::of(&verdict);
        match verdict {
            Verdict::Proxy(passage) => {
                websocket::ignore_a_wish_that_is_none(session.req_header_mut());
                state.site = Some(Arc::clone(&passage.site));
                state.at_upstream = self.handle.begin_at_upstream(state.current.parts.settings.connections.total);
                if state.at_upstream.is_none() {
                    answer(session, state, Answer::to_one_too_many()).await?;
                    return Ok(true);
                }
                let user = passage.admission.shared_session();
                // A stream can be cut in any phase from here on, and then nobody can ask what it was.
                state.asked = Some(Asked::of(session.req_header()));
                let settings = &state.current.parts.settings;
                let waits = Waits::of(session.req_header().version, settings, &passage.upstream);
                state.passage = Some(passage);
                state.stream = Some(streams::ending::open(Arc::clone(&state.current), user, waits));
                return Ok(false);
            }
            Verdict::Probe(probe) => self.answer_probe(session, probe).await?,
            Verdict::Metrics => metrics_page::answer(session, state, &self.handle).await?,
            Verdict::AcmeChallenge(token) => {
                state.reason = Some(acme::answer(self.webroot.as_ref(), session, &token).await?)
            }
            Verdict::Portal(site) => {
                state.site = Some(Arc::clone(&site));
                serve_page(session, state, self.listener, &site).await?;
            }
            Verdict::Verify(verification) => permission::send(session, state, verification).await?,
            Verdict::Refuse(refusal) => {
                state.site = refused::site_of(&refusal);
                refused::tell_the_operator(&refusal, state);
                let refused = Answer::to_refusal(&refusal, bridge::origin_form(session.req_header().raw_path()));
                answer(session, state, refused).await?;
            }
        }
        Ok(true)
    }

    /// Chooses the server. Without an admission there is none: a mistake elsewhere becomes a 500, never a way in.
    async fn upstream_peer(&self, session: &mut Session, state: &mut RequestState) -> Result<Box<HttpPeer>> {
        let (Some(passage), Some(_admission)) = (&state.passage, state.admission()) else {
            tracing::error!(request = %state.request_id, "a request without an admission came as far as the upstream");
            return Error::e_explain(ErrorType::HTTPStatus(500), "no admission");
        };
        let usage = if websocket::is_passed_on(session.req_header()) { Use::Tunnel } else { Use::Exchange };
        state.upstream_since.get_or_insert_with(Instant::now);
        let (upstreams, tried) = (&state.current.upstreams, state.chosen.as_ref());
        match upstreams.choose(&passage.upstream, tried, usage, state.asked_by()).await {
            Ok((chosen, peer)) => {
                state.chosen = Some(chosen);
                Ok(peer)
            }
            Err(error) => Err(no_server(&error, state.request_id)),
        }
    }

    /// The last look at the head before it is sent: hop-by-hop fields are gone by here, so nothing can be nominated away any more.
    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        state: &mut RequestState,
    ) -> Result<()> {
        if let Some(stream) = &state.stream {
            if session.as_mut().is_body_empty() {
                stream.wait_for_answer();
            } else {
                stream.wait_for_body();
            }
        }
        let Some(passage) = &state.passage else {
            return Error::e_explain(ErrorType::HTTPStatus(500), "no admission");
        };
        let origin_form = bridge::origin_form(request.raw_path());
        if origin_form.len() != request.raw_path().len() {
            let origin_form = origin_form.to_vec();
            request.set_raw_path(&origin_form)?;
        }
        let identity =
            passage.admission.session().map(|session| Identity { session, assertion: state.assertion.as_ref() });
        request::prepare_request(request, &passage.site, identity.as_ref(), state.hop)?;
        match state.chosen.as_ref().and_then(Chosen::host) {
            Some(host) => request.insert_header(HOST, host.clone()),
            None => Ok(()),
        }
    }

    /// Whether the answer can be passed on at all. A server that answers is not to be left alone.
    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        state: &mut RequestState,
    ) -> Result<()> {
        let asked = Purpose::by(session.req_header());
        tries::check_answer(response, asked, &mut state.informational)?;
        if let Some(stream) = state.stream.as_ref().filter(|_| response.status.is_informational()) {
            stream.wait_for_answer();
        }
        if let Some(chosen) = &state.chosen {
            chosen.answered();
        }
        Ok(())
    }

    /// Takes out of the answer what only we may say, and adds the renewed cookie.
    async fn response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        state: &mut RequestState,
    ) -> Result<()> {
        state.status = Some(response.status.as_u16());
        if !response.status.is_informational() || response.status == StatusCode::SWITCHING_PROTOCOLS {
            state.began_to_answer();
            state.answers()?;
        }
        let Some(passage) = &state.passage else { return Ok(()) };
        response::clean_response(response, &passage.site);
        if let Some(hsts) = passage.site.hsts(state.scheme) {
            response::add_strict_transport(response, hsts)?;
        }
        if response.status == StatusCode::SWITCHING_PROTOCOLS {
            // A WebSocket may be silent for as long as both ends like.
            session.set_read_timeout(None);
            state.tunnel = ConnectionState::of_this_request();
            if let Some(connection) = &state.tunnel {
                connection.tunnel().open();
            }
            return Ok(());
        }
        if response.status.is_informational() {
            return Ok(());
        }
        if passage.admission.is_personal() {
            response::keep_private(response)?;
        }
        match state.renewed_cookie.take() {
            Some(cookie) => response::add_cookie(response, cookie),
            None => Ok(()),
        }
    }

    /// Ends a stream upwards when its session has ended meanwhile, or a body that takes too long.
    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        state: &mut RequestState,
    ) -> Result<()> {
        state.flows_up(body, if end_of_stream { Piece::Last } else { Piece::OneOfMore })?;
        // Who is signed in may take longer, and a tunnel has no end; a stranger could drip for ever.
        let is_strangers = state.admission().is_none_or(|admission| admission.session().is_none());
        let is_tunnel = state.status == Some(StatusCode::SWITCHING_PROTOCOLS.as_u16());
        if is_strangers && !is_tunnel && state.started.elapsed() > state.current.parts.settings.timeouts.public_body {
            let too_slow = ErrorType::CustomCode("body_too_slow", StatusCode::REQUEST_TIMEOUT.as_u16());
            return Error::e_explain(too_slow, "the body of a stranger took too long");
        }
        Ok(())
    }

    /// Ends a stream downwards when its session has ended meanwhile.
    fn response_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        _end_of_stream: bool,
        state: &mut RequestState,
    ) -> Result<Option<Duration>> {
        state.flows_down(body.as_ref()).map(|()| None)
    }

    /// Nothing was sent yet, so another server may be tried, once.
    fn fail_to_connect(
        &self,
        _session: &mut Session,
        _peer: &HttpPeer,
        state: &mut RequestState,
        mut error: Box<Error>,
    ) -> Box<Error> {
        state.failed_connections += 1;
        let chosen = state.chosen.as_ref();
        let alternative = chosen.map_or(Alternative::None, |chosen| chosen.no_connection(&error, state.request_id));
        let is_young = tries::is_young(state.started.elapsed());
        error.set_retry(alternative == Alternative::Another && state.failed_connections < 2 && is_young);
        error
    }

    /// Tried again only when it cannot have been executed twice: a safe method, on a kept connection that turned out to be closed.
    fn error_while_proxy(
        &self,
        _peer: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        state: &mut RequestState,
        reused: bool,
    ) -> Box<Error> {
        blame_who_was_silent(&mut error, state.stream.as_ref().is_some_and(|stream| stream.waits_for_body()));
        let attempt = Attempt {
            method: &session.req_header().method,
            connection: if reused { Connection::Kept } else { Connection::New },
            answer: if session.response_written().is_some() { AnswerSoFar::Begun } else { AnswerSoFar::None },
            body: if session.as_ref().retry_buffer_truncated() { BodySoFar::Gone } else { BodySoFar::Kept },
            age: state.started.elapsed(),
        };
        error.set_retry(tries::may_try_again(&error, attempt));
        if let Some(chosen) = state.chosen.as_ref().filter(|_| *error.esource() == ErrorSource::Upstream) {
            match attempt.answer {
                AnswerSoFar::None if tries::was_closed_before(&error, attempt) => (),
                AnswerSoFar::None => chosen.no_answer(&error, state.request_id),
                AnswerSoFar::Begun => chosen.broke_off(&error, state.request_id),
            }
        }
        error
    }

    /// Our own page or document instead of an upstream's answer, when there is still somebody to read it.
    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, state: &mut RequestState) -> FailToProxy {
        let Some((status, code)) = failure(error) else {
            state.reason = Some("client_gone");
            return FailToProxy { error_code: 0, can_reuse_downstream: false };
        };
        // After 101 the bytes are another protocol's; every other 1xx is only on the way to an answer.
        let begun = |written: &ResponseHeader| {
            !written.status.is_informational() || written.status == StatusCode::SWITCHING_PROTOCOLS
        };
        if session.response_written().is_some_and(begun) {
            state.reason = Some(code);
        } else if answer(session, state, Answer::to_failure(status, code)).await.is_err() {
            state.reason = Some("client_gone");
        } else {
            early_answer::take_the_rest(session, None).await;
        }
        FailToProxy { error_code: status.as_u16(), can_reuse_downstream: false }
    }

    /// One line a request.
    async fn logging(&self, session: &mut Session, error: Option<&Error>, state: &mut RequestState) {
        match state.current.parts.settings.access_log {
            AccessLog::Off => {}
            AccessLog::On => {
                state.asked.get_or_insert_with(|| Asked::of(session.req_header()));
            }
        }
        state.status = session.response_written().map(|written| written.status.as_u16());
        state.bytes = session.body_bytes_sent();
        state.log(error.map(|_| "failed"));
        early_answer::take_the_rest(session, error).await;
    }

    /// What pingora's own log lines call the request: no query and no host.
    fn request_summary(&self, session: &Session, state: &RequestState) -> String {
        let header = session.req_header();
        format!("{} {}, request {}", header.method, path_of(header), state.request_id)
    }

    /// A client that went away and a session that ended are no errors of ours: the access log has them. A server's are logged without its bytes.
    fn suppress_error_log(&self, _session: &Session, state: &RequestState, error: &Error) -> bool {
        failure(error).is_none() || *error.esource() == ErrorSource::Upstream || state.is_over()
    }
}

impl Gateway {
    /// Reads the head and comes to a verdict; keeps in `state` what later phases need.
    fn judge(&self, session: &Session, state: &mut RequestState) -> Result<Verdict, HeadMistake> {
        let current = Arc::clone(&state.current);
        let settings = &current.parts.settings;
        let header = session.req_header();
        state.asker = classify::asker(&header.method, &header.headers);
        let (hop, scheme) = way(session, settings, self.listener);
        state.hop = hop;
        let source = HeadSource {
            method: &header.method,
            uri: &header.uri,
            target: header.raw_path(),
            version: header.version,
            headers: &header.headers,
        };
        let head = head::read(&source, &settings.limits)?;
        state.scheme = scheme;
        let arrival = Arrival { scheme, client: hop.client, listener: self.listener, peer_trust: hop.peer_trust };
        let now = current.parts.clock.now();
        let sessions = &current.parts.sessions;
        let sites = current.parts.sites_at(self.listener);
        let verdict = classify::classify(&head, arrival, sites, |site, cookie| sessions.check(cookie, &site.name, now));
        let admitted = match &verdict {
            Verdict::Proxy(passage) => Some((&passage.site, &passage.admission)),
            Verdict::Verify(Verification { site: Some(site), outcome: Ok(admission), .. }) => Some((site, admission)),
            Verdict::Verify(_)
            | Verdict::Metrics
            | Verdict::AcmeChallenge(_)
            | Verdict::Probe(_)
            | Verdict::Portal(_)
            | Verdict::Refuse(_) => None,
        };
        if let Some((site, admission)) = admitted {
            state.assertion = current.assertion_for(site, admission, now);
            let renewed = admission.session().and_then(|user| sessions.renewed_cookie(user, now));
            let names = CookieNames::of(site.origin.scheme());
            state.renewed_cookie = renewed.and_then(|value| names.set(names.session, &value));
        }
        Ok(verdict)
    }

    async fn answer_probe(&self, session: &mut Session, probe: Probe) -> Result<()> {
        let draining = self.handle.is_draining() || session.is_process_shutting_down();
        let (status, text) = match probe {
            Probe::Live => (StatusCode::OK, "live\n"),
            Probe::Ready if draining => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
            Probe::Ready => (StatusCode::OK, "ready\n"),
        };
        answers::send_plain(session, status, "text/plain", Bytes::from_static(text.as_bytes())).await
    }
}

async fn serve_page(
    session: &mut Session,
    state: &mut RequestState,
    listener: ListenerUse,
    site: &SiteSettings,
) -> Result<()> {
    let context = RequestContext {
        request_id: state.request_id,
        client_address: state.hop.client,
        site: site.name.clone(),
        origin: site.origin.clone(),
    };
    let parts = &state.current.parts;
    let hsts = site.hsts(state.scheme);
    let pages = parts.pages_at(listener);
    match bridge::serve(pages, session, context, parts.settings.limits, parts.settings.timeouts, hsts).await? {
        Bridged::Answered(_) => Ok(()),
        Bridged::Refused(status, code) => answer(session, state, Answer::to_failure(status, code)).await,
    }
}

/// Answers with something of the gateway's own.
pub(super) async fn answer(session: &mut Session, state: &mut RequestState, answer: Answer) -> Result<()> {
    state.reason = Some(answer.reason());
    answer.send(session, state.addressee(), &state.current.parts.message_pages).await
}
