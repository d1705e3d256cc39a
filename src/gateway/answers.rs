//! The gateway's own answers: redirects, problem documents and plain message pages, each with the request id.
//! Texts are fixed; nothing of an error or a request gets in. How a page looks is a value that is passed in. Floor: edge.

use std::fmt;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, VARY,
    WWW_AUTHENTICATE,
};
use http::{Method, StatusCode};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::classify::{Asker, METHODS, Refusal};
use super::head::HeadMistake;
use super::settings::SiteSettings;
use crate::web::origin::{Origin, Scheme};
use crate::web::problem::{self, Problem};
use crate::web::request_id::RequestId;

/// Draws the page for a person: `GatewayMessage` to HTML.
pub type MessagePages = dyn Fn(&GatewayMessage<'_>) -> String + Send + Sync;

/// What a message page says.
#[derive(Clone, Copy, Debug)]
pub struct GatewayMessage<'a> {
    /// 400 and above.
    pub status: StatusCode,
    /// The stable word (`upstream_unreachable`): choose the text by it.
    pub code: &'static str,
    /// One English sentence, for pages without a text of their own.
    pub detail: &'static str,
    /// Shown, so that an operator can find the log line.
    pub request_id: RequestId,
    /// The site; `None` when the host is nobody's.
    pub site: Option<&'a SiteSettings>,
    /// `Accept-Language` as it came.
    pub accept_language: Option<&'a str>,
}

/// One answer of ours, before it has a form.
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    code: &'static str,
    reason: &'static str,
    detail: &'static str,
    fields: Vec<(HeaderName, HeaderValue)>,
    connection: AfterAnswer,
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
}

impl Answer {
    fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Self { status, code, reason: code, detail, fields: Vec::new(), connection: AfterAnswer::Keep }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.push((name, value));
        self
    }

    fn because(mut self, reason: &'static str) -> Self {
        self.reason = reason;
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
            | HeadMistake::Bytes => "The request is not clear enough to be passed on.",
        };
        Self::new(mistake.status(), mistake.code(), detail).closing()
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
                let allowed = HeaderValue::try_from(METHODS.join(", ")).expect("method names are ASCII");
                Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This method is not allowed.")
                    .with(ALLOW, allowed)
            }
            Refusal::ToHttps(site) => Self::to_https(&site.origin, target),
            Refusal::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such page."),
            Refusal::Denied(_) => Self::new(StatusCode::FORBIDDEN, "denied_by_rule", "This page is closed."),
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
            StatusCode::BAD_GATEWAY => "The application cannot be reached at the moment. Try again in a moment.",
            StatusCode::GATEWAY_TIMEOUT => "The application did not answer in time. Try again in a moment.",
            StatusCode::SERVICE_UNAVAILABLE => "The service is not available at the moment. Try again in a moment.",
            StatusCode::PAYLOAD_TOO_LARGE => "The request is too large.",
            StatusCode::REQUEST_TIMEOUT => "The request did not arrive in time.",
            StatusCode::BAD_REQUEST => "The request is not clear enough to be passed on.",
            _ => "Something went wrong here. Try again in a moment.",
        };
        Self::new(status, code, detail).closing()
    }

    /// Writes the answer.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn send(self, session: &mut Session, to: Addressee<'_>, pages: &MessagePages) -> pingora::Result<()> {
        let (media_type, body) = self.body(session, to, pages);
        let is_head = session.req_header().method == Method::HEAD;
        let mut head = ResponseHeader::build(self.status, Some(16))?;
        for (name, value) in self.fields {
            head.insert_header(name, value)?;
        }
        secure(&mut head, to.site)?;
        head.insert_header(CONTENT_TYPE, media_type)?;
        head.insert_header(CONTENT_LENGTH, body.len())?;
        head.insert_header("X-Request-Id", to.request_id.to_string())?;
        if self.connection == AfterAnswer::Close {
            session.set_keepalive(None);
        }
        let empty = is_head || body.is_empty();
        session.write_response_header(Box::new(head), empty).await?;
        if !empty {
            session.write_response_body(Some(Bytes::from(body)), true).await?;
        }
        Ok(())
    }

    fn body(&self, session: &Session, to: Addressee<'_>, pages: &MessagePages) -> (&'static str, String) {
        if self.status.is_redirection() {
            return ("text/plain; charset=utf-8", format!("{}\n", self.detail));
        }
        match to.asker {
            Asker::Navigation | Asker::Submission => {
                let message = GatewayMessage {
                    status: self.status,
                    code: self.code,
                    detail: self.detail,
                    request_id: to.request_id,
                    site: to.site,
                    accept_language: session.get_header("accept-language").and_then(|value| value.to_str().ok()),
                };
                ("text/html; charset=utf-8", pages(&message))
            }
            Asker::Program => {
                let problem = Problem { status: self.status, code: self.code, detail: self.detail };
                (problem::MEDIA_TYPE, problem.to_json(to.request_id))
            }
        }
    }
}

/// The fields that every answer of ours has (security G8).
fn secure(head: &mut ResponseHeader, site: Option<&SiteSettings>) -> pingora::Result<()> {
    head.insert_header(CACHE_CONTROL, "no-store")?;
    head.insert_header(VARY, "Accept, Cookie, Sec-Fetch-Mode")?;
    head.insert_header(
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )?;
    head.insert_header("X-Content-Type-Options", "nosniff")?;
    head.insert_header("Referrer-Policy", "same-origin")?;
    head.insert_header("Cross-Origin-Opener-Policy", "same-origin")?;
    if site.is_some_and(|site| site.origin.scheme() == Scheme::Https) {
        head.insert_header("Strict-Transport-Security", "max-age=31536000")?;
    }
    Ok(())
}

/// A message page without any style, for tests and for when nothing better is passed in.
#[must_use]
pub fn plain_page(message: &GatewayMessage<'_>) -> String {
    let title = message.status.canonical_reason().unwrap_or("Error");
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title></head>\n<body><main><h1>{title}</h1><p>{}</p><p>Request {}</p></main></body></html>\n",
        message.detail, message.request_id
    )
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status.as_u16(), self.code)
    }
}
