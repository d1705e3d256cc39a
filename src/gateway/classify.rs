//! What happens to a request: a table from its head, the session and the operator's rules to one verdict.
//! Does nothing itself. A request that asks for an upgrade is judged like any other. Floor: edge (pure).

use std::net::IpAddr;
use std::sync::Arc;

use http::header::{ACCEPT, HeaderMap, HeaderName, ORIGIN, UPGRADE};
use http::{HeaderValue, Method};

use super::acme::Token;
use super::admission::{Admission, NotAdmitted};
use super::head::RequestHead;
use super::headers::request::PeerTrust;
use super::overriding;
use super::preflight::{has_body, kind_of};
use super::route_rules::{Access, RequestTraits, UpstreamName};
use super::settings::SiteSettings;
use super::verify::{self, Verification};
use super::websocket;
use crate::login::sessions::{NoSession, SessionCheck};
use crate::pages::circle::CircleCause;
use crate::web::bounces::Bounces;
use crate::web::canonical_path::{self, PathReading};
use crate::web::cookies::{self, CookieNames, CookieRead};
use crate::web::origin::Scheme;
use crate::web::paths;
use crate::web::return_path::ReturnPath;

/// The methods that are let through; those from PROPFIND on are WebDAV's. Everything else gets 405, TRACE, TRACK and CONNECT among it.
pub const METHODS: [&str; 17] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
    "QUERY",
];

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// One of the probes, whatever the host.
    Probe(Probe),
    /// What is counted, at the operators' listener, whatever the host.
    Metrics,
    /// The answer to a challenge of a certificate authority, whatever the host.
    AcmeChallenge(Token),
    /// Our own pages.
    Portal(Arc<SiteSettings>),
    /// On to the upstream.
    Proxy(Passage),
    /// What another proxy may do, which asked before it passes a request on itself.
    Verify(Verification),
    /// An answer of the gateway itself.
    Refuse(Refusal),
}

/// A request on its way to the upstream.
#[derive(Clone, Debug)]
pub struct Passage {
    /// The site it belongs to.
    pub site: Arc<SiteSettings>,
    /// Why it may go.
    pub admission: Admission,
    /// Where it goes.
    pub upstream: UpstreamName,
}

/// Which probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The process runs.
    Live,
    /// It takes requests.
    Ready,
}

/// Why the gateway answers itself, and with what.
#[derive(Clone, Debug)]
pub enum Refusal {
    /// 421: no site has this host.
    Misdirected,
    /// 405.
    Method,
    /// 308 to the same URL with https.
    ToHttps(Arc<SiteSettings>, Bounces),
    /// 404: the path could be taken for one of ours.
    NotFound(Arc<SiteSettings>),
    /// 403: the rules deny it.
    Denied(Arc<SiteSettings>),
    /// 403: a WebSocket that a page of another site opens with this person's cookie, or that does not begin as one.
    WebSocket(Arc<SiteSettings>),
    /// 303 to the sign-in page, for a person who asks for a page.
    ToSignIn(Arc<SiteSettings>, ReturnPath, SignInReason),
    /// 403: somebody comes back again and again.
    Circle(Arc<SiteSettings>, ReturnPath, CircleCause),
    /// 401, for everything else.
    Unauthorized(Arc<SiteSettings>, SignInReason),
    /// 503: it cannot be told whether the session is still good.
    CannotTell(Arc<SiteSettings>),
    /// 400: another proxy asks, and it is told in two ways what for.
    Unclear(Arc<SiteSettings>),
    /// 404: it might go on, but the site has no upstream; another proxy asks about its requests.
    NoUpstream(Arc<SiteSettings>),
}

/// Why somebody has to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInReason {
    /// There is no live session.
    NoSession(NoSession),
    /// There is one, and it owes a code.
    CodeRequired,
}

impl SignInReason {
    /// The stable word for the answer: the client learns what to do, not why a cookie is none.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoSession(_) => "sign_in_required",
            Self::CodeRequired => "code_required",
        }
    }

    /// The stable word for the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoSession(why) => why.name(),
            Self::CodeRequired => "code_required",
        }
    }
}

/// Who seems to be asking; decides the form of an answer, never whether there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A browser that opens a page.
    Navigation,
    /// A browser that sends a form and will show the answer.
    Submission,
    /// A script, an API client, a WebSocket.
    Program,
}

impl Asker {
    /// The stable word for other proxies.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Navigation => "navigation",
            Self::Submission => "submission",
            Self::Program => "program",
        }
    }
}

/// How the request reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// What the browser spoke, as far as we can know.
    pub scheme: Scheme,
    /// Who asks.
    pub client: IpAddr,
    /// What the listener is for.
    pub listener: ListenerUse,
    /// Whether the peer is one of the operator's proxies, and is believed what it says about a request that it asks about.
    pub peer_trust: PeerTrust,
}

/// What the listener a request came in at is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerUse {
    /// The sites.
    Sites,
    /// The operators' pages.
    Operators,
    /// Only redirects to https.
    RedirectToHttps,
    /// The same, and challenges of certificate authorities.
    RedirectAndChallenges,
}

/// What a request may do at a site, whoever carries it.
pub(super) enum Judged<'a> {
    /// It is for our own pages.
    Ours,
    /// It may go on, to this upstream if there is one.
    Admitted(Admission, Option<&'a UpstreamName>),
    /// It may not.
    Refused(Refusal),
}

/// Judges a request. `check` says what the value of the session cookie is worth at that site.
pub fn classify(
    head: &RequestHead<'_>,
    arrival: Arrival,
    sites: &[Arc<SiteSettings>],
    check: impl FnOnce(&SiteSettings, &str) -> SessionCheck,
) -> Verdict {
    if let Some(probe) = probe(head) {
        return Verdict::Probe(probe);
    }
    if arrival.listener == ListenerUse::Operators && is_get(head) && head.path == paths::METRICS.as_bytes() {
        return Verdict::Metrics;
    }
    if arrival.listener == ListenerUse::RedirectAndChallenges
        && let Some(token) = Token::of(head)
    {
        return Verdict::AcmeChallenge(token);
    }
    if super::original::is_question(head.path) && arrival.listener == ListenerUse::Sites {
        return Verdict::Verify(verify::verify(head, arrival, sites, check));
    }
    let Some(site) = site_of(head.host, arrival.scheme, sites) else {
        return Verdict::Refuse(Refusal::Misdirected);
    };
    match judge(site, head, arrival, check) {
        Judged::Ours => Verdict::Portal(Arc::clone(site)),
        Judged::Admitted(admission, Some(upstream)) => {
            Verdict::Proxy(Passage { admission, upstream: upstream.clone(), site: Arc::clone(site) })
        }
        Judged::Admitted(_, None) => Verdict::Refuse(Refusal::NoUpstream(Arc::clone(site))),
        Judged::Refused(refusal) => Verdict::Refuse(refusal),
    }
}

/// The decision itself, the same for what we carry and for what another proxy asks about.
pub(super) fn judge<'a>(
    site: &'a Arc<SiteSettings>,
    head: &RequestHead<'_>,
    arrival: Arrival,
    check: impl FnOnce(&SiteSettings, &str) -> SessionCheck,
) -> Judged<'a> {
    if !METHODS.contains(&head.method.as_str()) {
        return Judged::Refused(Refusal::Method);
    }
    if let Some(refusal) = to_https(site, head, arrival, || return_path(head)) {
        return Judged::Refused(refusal);
    }
    let path = canonical_path::read(head.path);
    match path {
        PathReading::Ours => return Judged::Ours,
        PathReading::MightBeOurs => return Judged::Refused(Refusal::NotFound(Arc::clone(site))),
        // operators' pages are ours at every path, and nothing there has an upstream
        PathReading::Clear(_) | PathReading::Ambiguous(_) if arrival.listener == ListenerUse::Operators => {
            return Judged::Ours;
        }
        PathReading::Clear(_) | PathReading::Ambiguous(_) => {}
    }
    let overriding = overriding::methods(head.headers);
    let request =
        RequestTraits { method: head.method, overriding: &overriding, client: arrival.client, kind: kind_of(head) };
    let decision = site.rules.decide(&path, &request);
    match admit(site, head, decision.access, check) {
        Ok(admission) => Judged::Admitted(admission, decision.upstream.or(site.upstream.as_ref())),
        Err(refusal) => Judged::Refused(refusal),
    }
}

/// Why a request has to come over https first, if it has to. `back` is where a browser goes on after a page about a circle.
pub(super) fn to_https(
    site: &Arc<SiteSettings>,
    head: &RequestHead<'_>,
    arrival: Arrival,
    back: impl FnOnce() -> ReturnPath,
) -> Option<Refusal> {
    let is_plain = site.origin.scheme() == Scheme::Https && arrival.scheme == Scheme::Http;
    let redirects = matches!(arrival.listener, ListenerUse::RedirectToHttps | ListenerUse::RedirectAndChallenges);
    if !is_plain && !redirects {
        return None;
    }
    let site = Arc::clone(site);
    let bounces = Bounces::read(head.headers, CookieNames::of(site.origin.scheme()));
    Some(match bounces.is_circle() {
        true => Refusal::Circle(site, back(), CircleCause::HttpsNotSeen),
        false => Refusal::ToHttps(site, bounces),
    })
}

/// What somebody may do whose request needs this.
pub(super) fn admit(
    site: &Arc<SiteSettings>,
    head: &RequestHead<'_>,
    access: Access,
    check: impl FnOnce(&SiteSettings, &str) -> SessionCheck,
) -> Result<Admission, Refusal> {
    let site = Arc::clone(site);
    match Admission::judge(access, session_check(&site, head.headers, access, check)) {
        Ok(admission) if admission.session().is_some() && is_foreign_websocket(head, &site) => {
            Err(Refusal::WebSocket(site))
        }
        Ok(admission) => Ok(admission),
        Err(NotAdmitted::Denied) => Err(Refusal::Denied(site)),
        Err(NotAdmitted::CannotTell) => Err(Refusal::CannotTell(site)),
        Err(NotAdmitted::SignInRequired(why)) => Err(sign_in(head, site, SignInReason::NoSession(why))),
        Err(NotAdmitted::CodeRequired) => Err(sign_in(head, site, SignInReason::CodeRequired)),
    }
}

/// Who seems to be asking. `Sec-Fetch-Mode` is decisive where a browser sends it; `Accept` stands in for it elsewhere.
#[must_use]
pub fn asker(method: &Method, headers: &HeaderMap) -> Asker {
    let mode = headers.get(HeaderName::from_static("sec-fetch-mode")).map(HeaderValue::as_bytes);
    let scripted = headers.contains_key("x-requested-with");
    let page = match mode {
        Some(mode) => mode == b"navigate",
        None => !scripted && accepts_html(headers),
    };
    if !page || headers.contains_key(UPGRADE) || websocket::asked_for(headers) != websocket::Asked::No {
        Asker::Program
    } else if matches!(*method, Method::GET | Method::HEAD) {
        Asker::Navigation
    } else {
        Asker::Submission
    }
}

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| {
        value.as_bytes().split(|byte| *byte == b',').any(|range| {
            let media_type = range.split(|byte| *byte == b';').next().unwrap_or_default();
            media_type.trim_ascii().eq_ignore_ascii_case(b"text/html")
        })
    })
}

fn is_get(head: &RequestHead<'_>) -> bool {
    matches!(*head.method, Method::GET | Method::HEAD)
}

fn probe(head: &RequestHead<'_>) -> Option<Probe> {
    if !is_get(head) {
        return None;
    }
    if head.path == paths::LIVE.as_bytes() {
        return Some(Probe::Live);
    }
    (head.path == paths::READY.as_bytes()).then_some(Probe::Ready)
}

/// The site that has this host, if one has.
pub(super) fn site_of<'a>(host: &str, scheme: Scheme, sites: &'a [Arc<SiteSettings>]) -> Option<&'a Arc<SiteSettings>> {
    sites.iter().find(|site| site.origin.answers_to(host) || is_its_plain_host(site, scheme, host))
}

/// Over plain http a browser names the host without the https port.
fn is_its_plain_host(site: &SiteSettings, scheme: Scheme, host: &str) -> bool {
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host });
    scheme == Scheme::Http && site.origin.scheme() == Scheme::Https && name.eq_ignore_ascii_case(site.origin.host())
}

/// Whether a WebSocket is asked for by a page of another site (RFC 6455 §10.2: the server checks `Origin`), or by anything but a GET without a
/// body (RFC 6455 §4.1). Cookies are sent along from pages on other ports and sister hosts, so that `SameSite` does not help. A client that
/// sends no `Origin` is no browser.
fn is_foreign_websocket(head: &RequestHead<'_>, site: &SiteSettings) -> bool {
    match websocket::asked_for(head.headers) {
        websocket::Asked::No => return false,
        websocket::Asked::Unclearly | websocket::Asked::Clearly => {}
    }
    let is_ours = |origin: &HeaderValue| origin.as_bytes().eq_ignore_ascii_case(site.origin.as_str().as_bytes());
    *head.method != Method::GET || has_body(head.headers) || !head.headers.get_all(ORIGIN).iter().all(is_ours)
}

fn session_check(
    site: &SiteSettings,
    headers: &HeaderMap,
    access: Access,
    check: impl FnOnce(&SiteSettings, &str) -> SessionCheck,
) -> SessionCheck {
    let cookie = cookies::read(headers, CookieNames::of(site.origin.scheme()).session);
    match (access, cookie) {
        (Access::Deny, _) | (Access::SignIn | Access::Public, CookieRead::Absent) => {
            SessionCheck::None(NoSession::Absent)
        }
        (Access::SignIn | Access::Public, CookieRead::Doubled) => SessionCheck::None(NoSession::Doubled),
        (Access::SignIn | Access::Public, CookieRead::One(value)) => check(site, value),
    }
}

fn sign_in(head: &RequestHead<'_>, site: Arc<SiteSettings>, reason: SignInReason) -> Refusal {
    match asker(head.method, head.headers) {
        Asker::Navigation if is_framed(head.headers) => Refusal::Unauthorized(site, reason),
        Asker::Navigation => {
            let bounces = Bounces::read(head.headers, CookieNames::of(site.origin.scheme()));
            match reason {
                SignInReason::NoSession(why) if bounces.is_circle() => {
                    Refusal::Circle(site, return_path(head), circle_cause(why))
                }
                SignInReason::NoSession(_) | SignInReason::CodeRequired => {
                    Refusal::ToSignIn(site, return_path(head), reason)
                }
            }
        }
        Asker::Submission | Asker::Program => Refusal::Unauthorized(site, reason),
    }
}

/// Whether the page is for a frame inside another one, where nobody can sign in: the sign-in page refuses to be framed.
fn is_framed(headers: &HeaderMap) -> bool {
    let destination = headers.get(HeaderName::from_static("sec-fetch-dest")).map(HeaderValue::as_bytes);
    matches!(destination, Some(b"iframe" | b"frame" | b"embed" | b"object"))
}

/// Why a session that was opened a moment ago is none here.
fn circle_cause(why: NoSession) -> CircleCause {
    match why {
        NoSession::Absent => CircleCause::SessionNotSent,
        NoSession::Doubled => CircleCause::DoubledCookie,
        NoSession::Unreadable => CircleCause::UnreadableCookie,
        NoSession::OtherSite => CircleCause::OtherSite,
        NoSession::OutOfTime => CircleCause::OutOfTime,
        NoSession::Ended => CircleCause::Ended,
    }
}

/// Where sign-in leads back to after this request.
pub(super) fn return_path(head: &RequestHead<'_>) -> ReturnPath {
    ReturnPath::parse_or_root(std::str::from_utf8(&head.target()).ok())
}

#[cfg(test)]
#[path = "classify_tests.rs"]
pub(crate) mod tests;
