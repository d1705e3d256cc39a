//! The gateway's own answers: redirects, problem documents and plain message pages, each with the request id.
//! Texts are fixed; nothing of an error or a request gets in. How a page looks is a value that is passed in. Floor: edge.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE,
    VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, StatusCode};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;

use super::classify::{Asker, METHODS, Refusal};
use super::head::HeadMistake;
use super::headers::response::add_strict_transport;
use super::message_pages::MessagePages;
use super::settings::SiteSettings;
use super::verify::{Reader, Verification};
use crate::pages::circle::CirclePage;
use crate::pages::page::Page;
use crate::pages::security_headers;
use crate::web::bounces::Hop;
use crate::web::cookies::CookieNames;
use crate::web::origin::{Origin, Scheme};
use crate::web::problem::{self, Problem};
use crate::web::request_id::RequestId;

/// The stable word for a request that was with the application already when its session ended: it may have been carried out.
pub const INTERRUPTED: &str = "session_ended_meanwhile";

/// What is read of a body that nobody needs, and for how long. Our own choice: what most clients have on its way before they look.
const MOST_DRAINED_BYTES: usize = 256 * 1024;
const DRAIN: Duration = Duration::from_secs(5);

/// Tells a proxy that answers the browser itself who seems to ask: what opens a page is redirected, nothing else is.
const ASKER: HeaderName = HeaderName::from_static("x-vestibule-asker");

/// One answer of ours, before it has a form.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    code: &'static str,
    reason: &'static str,
    detail: &'static str,
    fields: Vec<(HeaderName, HeaderValue)>,
    connection: AfterAnswer,
    /// `None`: the status says which.
    page: Option<Page>,
}

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterAnswer {
    Keep,
    Close,
}

/// Who gets the answer, and from which site.
#[derive(Clone, Copy, Debug)]
pub struct Addressee<'a> {
    /// Decides the form.
    pub asker: Asker,
    /// On the page, in the document and in `X-Request-Id`.
    pub request_id: RequestId,
    /// The site, when one is known.
    pub site: Option<&'a SiteSettings>,
    /// What the browser spoke.
    pub scheme: Scheme,
}

impl Answer {
    fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self { status, code, reason: code, detail, fields: Vec::new(), connection: AfterAnswer::Keep, page: None }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }

    fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
        self
    }

    fn showing(mut self, page: Page) -> Self {
        self.page = Some(page);
        self
    }

    fn closing(mut self) -> Self {
        self.connection = AfterAnswer::Close;
        self
    }

    /// The stable word for the log, which may know more than the client is told.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The value of a field that only this answer has.
    #[cfg(test)]
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(own, _)| own == name).and_then(|(_, value)| value.to_str().ok())
    }

    /// The answer to a head that is not clear. The connection is not used again: its framing may be the mistake.
    #[must_use]
    pub fn to_mistake(mistake: HeadMistake) -> Self {
        let detail = match mistake {
            HeadMistake::TooLarge => "The request's header fields are too large.",
            HeadMistake::TargetTooLong => "The request's URL is too long.",
            HeadMistake::Host
            | HeadMistake::HostDiffers
            | HeadMistake::Target
            | HeadMistake::ContentLength
            | HeadMistake::TransferEncoding
            | HeadMistake::TwoLengths
            | HeadMistake::Bytes
            | HeadMistake::RequestLine => "The request is not clear enough to be passed on.",
            HeadMistake::Version => "Only HTTP/1.0, HTTP/1.1 and, over TLS, HTTP/2 are spoken here.",
            HeadMistake::Connect => "This method is not allowed.",
            HeadMistake::Expectation => "Nothing but 100-continue can be expected here.",
            HeadMistake::TooSlow => "The request did not arrive in time.",
            HeadMistake::NoRoom => "There are too many connections just now. Try again in a moment.",
        };
        let answer = Self::new(mistake.status(), mistake.code(), detail).closing();
        if mistake == HeadMistake::Connect { answer.with(ALLOW, allowed_methods()) } else { answer }
    }

    /// The answer to a request that does not go on. `target` is its path and query, for the redirect to https.
    #[must_use]
    pub fn to_refusal(refusal: &Refusal, target: &[u8]) -> Self {
        match refusal {
            Refusal::Misdirected => Self::new(
                StatusCode::MISDIRECTED_REQUEST,
                "unknown_host",
                "No site with this host name is served here.",
            ),
            Refusal::Method => {
                Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This method is not allowed.")
                    .with(ALLOW, allowed_methods())
            }
            Refusal::ToHttps(site, bounces) => {
                // a browser that has really come over http does not take it
                let counted = bounces.one_more(Hop::Answer, CookieNames::of(site.origin.scheme()));
                let answer = Self::to_https(&site.origin, target);
                counted.into_iter().fold(answer, |answer, cookie| answer.with(SET_COOKIE, cookie))
            }
            Refusal::Circle(site, return_path, cause) => {
                let names = CookieNames::of(site.origin.scheme());
                let detail = "This browser is sent to and fro without end; the reason is in the log of the gateway.";
                let page = Page::Circle(CirclePage { cause: *cause, again_href: return_path.as_str().to_owned() });
                let answer = Self::new(StatusCode::FORBIDDEN, cause.name(), detail).showing(page);
                names.delete(names.bounces).into_iter().fold(answer, |answer, forget| answer.with(SET_COOKIE, forget))
            }
            Refusal::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such page."),
            Refusal::Denied(_) => Self::new(StatusCode::FORBIDDEN, "denied_by_rule", "This page is closed."),
            Refusal::WebSocket(_) => Self::new(
                StatusCode::FORBIDDEN,
                "websocket_refused",
                "A WebSocket is opened by a page of this site, with GET and without a body.",
            ),
            Refusal::ToSignIn(_, return_path, reason) => {
                let location = HeaderValue::try_from(return_path.sign_in_url()).expect("it is percent-encoded ASCII");
                Self::new(StatusCode::SEE_OTHER, reason.code(), "Sign in first.")
                    .because(reason.name())
                    .with(LOCATION, location)
            }
            Refusal::Unauthorized(_, reason) => Self::new(StatusCode::UNAUTHORIZED, reason.code(), "Sign in first.")
                .because(reason.name())
                .with(WWW_AUTHENTICATE, HeaderValue::from_static("Vestibule")),
            Refusal::CannotTell(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "sessions_cannot_be_told",
                "It cannot be told at the moment who is signed in. Try again in a moment.",
            )
            .with(RETRY_AFTER, HeaderValue::from_static("5")),
            Refusal::Unclear(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "original_request_unclear",
                "The request is not clear enough to be passed on.",
            ),
            Refusal::NoUpstream(_) => Self::new(StatusCode::NOT_FOUND, "no_upstream", "There is no such page."),
        }
    }

    /// The answer to a request for which there is no connection to an upstream.
    #[must_use]
    pub fn to_one_too_many() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_requests",
            "There are too many requests just now. Try again in a moment.",
        )
        .with(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The answer to another proxy whose request may not go on. One that answers the browser itself learns what to do from 401 and 403, the only
    /// statuses of refusal that nginx understands; what cannot be told stays 503, which it makes an error.
    #[must_use]
    pub fn to_verification(refusal: &Refusal, verification: &Verification) -> Self {
        let mut answer = Self::to_refusal(refusal, &verification.target);
        let origin = match refusal {
            Refusal::ToSignIn(site, ..) | Refusal::Unauthorized(site, _) => Some(&site.origin),
            Refusal::Misdirected
            | Refusal::Method
            | Refusal::ToHttps(..)
            | Refusal::Circle(..)
            | Refusal::NotFound(_)
            | Refusal::Denied(_)
            | Refusal::WebSocket(_)
            | Refusal::CannotTell(_)
            | Refusal::Unclear(_)
            | Refusal::NoUpstream(_) => None,
        };
        if let Some(origin) = origin {
            answer.fields.retain(|(name, _)| name != LOCATION);
            let location = format!("{origin}{}", verification.return_path.sign_in_url());
            answer = answer.with(LOCATION, HeaderValue::try_from(location).expect("it is percent-encoded ASCII"));
        }
        match verification.reader {
            Reader::Browser => answer,
            Reader::Proxy => answer.for_a_proxy(verification.asker),
        }
    }

    fn for_a_proxy(mut self, asker: Asker) -> Self {
        match self.status {
            StatusCode::SEE_OTHER | StatusCode::PERMANENT_REDIRECT | StatusCode::UNAUTHORIZED => {
                self.status = StatusCode::UNAUTHORIZED;
                self.fields.retain(|(name, _)| name != WWW_AUTHENTICATE);
                self.with(WWW_AUTHENTICATE, HeaderValue::from_static("Vestibule"))
                    .with(ASKER, HeaderValue::from_static(asker.name()))
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::MISDIRECTED_REQUEST => self,
            _ => {
                self.status = StatusCode::FORBIDDEN;
                self
            }
        }
    }

    fn to_https(origin: &Origin, target: &[u8]) -> Self {
        let mut location = origin.as_str().as_bytes().to_vec();
        location.extend_from_slice(target);
        let location = HeaderValue::from_bytes(&location).unwrap_or(HeaderValue::from_static("/"));
        Self::new(StatusCode::PERMANENT_REDIRECT, "https_only", "This site is served over https only.")
            .with(LOCATION, location)
    }

    /// The answer when the upstream did not do its part. The connection is not used again: part of the request may be unread.
    #[must_use]
    pub fn to_failure(status: StatusCode, code: &'static str) -> Self {
        let detail = match status {
            StatusCode::UNAUTHORIZED => {
                return Self::new(
                    status,
                    INTERRUPTED,
                    "The session ended while this request was under way. It is not known whether the application has carried it out.",
                )
                .because(code)
                .with(WWW_AUTHENTICATE, HeaderValue::from_static("Vestibule"))
                .closing();
            }
            StatusCode::BAD_GATEWAY => "The application cannot be reached at the moment. Try again in a moment.",
            StatusCode::GATEWAY_TIMEOUT => "The application did not answer in time. Try again in a moment.",
            StatusCode::SERVICE_UNAVAILABLE => "The service is not available at the moment. Try again in a moment.",
            StatusCode::PAYLOAD_TOO_LARGE => "The request is too large.",
            StatusCode::REQUEST_TIMEOUT => "The request did not arrive in time.",
            StatusCode::BAD_REQUEST => "The request is not clear enough to be passed on.",
            _ => "Something went wrong here. Try again in a moment.",
        };
        let answer = Self::new(status, code, detail).closing();
        match status {
            StatusCode::SERVICE_UNAVAILABLE => answer.with(RETRY_AFTER, HeaderValue::from_static("5")),
            _ => answer,
        }
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn send(self, session: &mut Session, to: Addressee<'_>, pages: &MessagePages) -> pingora::Result<()> {
        if self.connection == AfterAnswer::Close {
            session.set_keepalive(None);
        }
        let (head, body) = self.compose(session.req_header(), to, pages)?;
        let empty = body.is_empty();
        session.write_response_header(Box::new(head), empty).await?;
        if !empty {
            session.write_response_body(Some(body), true).await?;
        }
        read_some_of_the_rest(session).await
    }

    /// The head of the answer to `request`, without what belongs to the connection, and the body that is to be written.
    pub(super) fn compose(
        self,
        request: &RequestHeader,
        to: Addressee<'_>,
        pages: &MessagePages,
    ) -> pingora::Result<(ResponseHeader, Bytes)> {
        let mut response = self.form(request, to, pages);
        *response.status_mut() = self.status;
        let (parts, body) = response.into_parts();
        let mut head = ResponseHeader::from(parts);
        for (name, value) in self.fields {
            head.insert_header(name, value)?;
        }
        head.insert_header(VARY, "Accept, Accept-Language, Cookie, Sec-Fetch-Mode")?;
        head.insert_header(CONTENT_LENGTH, body.len())?;
        head.insert_header("X-Request-Id", to.request_id.to_string())?;
        if let Some(hsts) = to.site.and_then(|site| site.hsts(to.scheme)) {
            add_strict_transport(&mut head, hsts)?;
        }
        Ok((head, if request.method == Method::HEAD { Bytes::new() } else { body }))
    }

    fn form(&self, request: &RequestHeader, to: Addressee<'_>, pages: &MessagePages) -> Response<Bytes> {
        if self.status.is_redirection() {
            return plain("text/plain; charset=utf-8", format!("{}\n", self.detail));
        }
        match to.asker {
            Asker::Navigation | Asker::Submission => {
                pages.draw(self.page.as_ref(), self.status, self.code, request, to)
            }
            Asker::Program => {
                let problem = Problem { status: self.status, code: self.code, detail: self.detail };
                let document = match to.site {
                    Some(site) if self.status == StatusCode::UNAUTHORIZED => {
                        problem.to_json_with_sign_in(to.request_id, &site.origin)
                    }
                    Some(_) | None => problem.to_json(to.request_id),
                };
                plain(problem::MEDIA_TYPE, document)
            }
        }
    }
}

/// Sends a short text that is for programs, whatever they accept.
///
/// # Errors
/// When the client is gone.
pub(super) async fn send_plain(
    session: &mut Session,
    status: StatusCode,
    media_type: &'static str,
    body: Bytes,
) -> pingora::Result<()> {
    send_plain_with(session, status, media_type, body, None).await
}

/// The same, with one more field.
///
/// # Errors
/// When the client is gone.
pub(super) async fn send_plain_with(
    session: &mut Session,
    status: StatusCode,
    media_type: &'static str,
    body: Bytes,
    field: Option<(HeaderName, HeaderValue)>,
) -> pingora::Result<()> {
    let mut head = ResponseHeader::build(status, Some(5))?;
    head.insert_header(CONTENT_TYPE, media_type)?;
    head.insert_header(CONTENT_LENGTH, body.len())?;
    head.insert_header(CACHE_CONTROL, "no-store")?;
    head.insert_header(X_CONTENT_TYPE_OPTIONS, "nosniff")?;
    if let Some((name, value)) = field {
        head.insert_header(name, value)?;
    }
    let empty = session.req_header().method == Method::HEAD || body.is_empty();
    session.write_response_header(Box::new(head), empty).await?;
    if !empty {
        session.write_response_body(Some(body), true).await?;
    }
    Ok(())
}

fn allowed_methods() -> HeaderValue {
    HeaderValue::try_from(METHODS.join(", ")).expect("method names are ASCII")
}

/// On HTTP/2 an answer that comes before the request's body is through is lost to some clients, because the stream is taken back when we
/// are done with it: so what is on its way already is let in. HTTP/1 connections are drained by pingora.
async fn read_some_of_the_rest(session: &mut Session) -> pingora::Result<()> {
    if !session.is_http2() {
        return Ok(());
    }
    let reading = async {
        let mut read = 0;
        while read < MOST_DRAINED_BYTES && !session.is_body_done() {
            match session.read_request_body().await {
                Ok(Some(piece)) => read += piece.len(),
                // the client has its answer, and is done too
                Ok(None) | Err(_) => break,
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN, reading).await;
    Ok(())
}

fn plain(media_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    security_headers::put(response.headers_mut());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}
