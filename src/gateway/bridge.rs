//! Hands a request to an axum `Router` in this process and writes its answer back over pingora.
//! Bodies are read whole and bounded: this is for forms, not for uploads. WebSockets cannot work here. Floor: edge.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use tower::ServiceExt as _;
use zeroize::Zeroizing;

use super::headers::response::add_strict_transport;
use super::settings::{DownstreamTimeouts, RequestLimits, StrictTransport};
use crate::web::request_context::RequestContext;

/// What became of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bridged {
    /// The router answered, and it is written.
    Answered(StatusCode),
    /// Nothing is written; the gateway has to answer with this.
    Refused(StatusCode, &'static str),
}

/// Our own pages, as the roof built them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pages(Router);

impl Pages {
    /// Takes the portal's router over.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self(router)
    }
}

/// Serves one request with `pages`. The handler finds `context` in the request's extensions.
///
/// A handler that panics becomes [`Bridged::Refused`]; pingora would drop the connection without a word.
///
/// # Errors
/// When the client is gone.
pub async fn serve(
    pages: &Pages,
    session: &mut Session,
    context: RequestContext,
    limits: RequestLimits,
    timeouts: DownstreamTimeouts,
    hsts: Option<&StrictTransport>,
) -> pingora::Result<Bridged> {
    let body = match read_body(session, limits, timeouts).await? {
        Ok(body) => body,
        Err(status) => {
            let code = if status == StatusCode::PAYLOAD_TOO_LARGE { "body_too_large" } else { "body_too_slow" };
            return Ok(Bridged::Refused(status, code));
        }
    };
    let Some(request) = request_for(session, context, body) else {
        return Ok(Bridged::Refused(StatusCode::BAD_REQUEST, "bad_target"));
    };
    let answered = AssertUnwindSafe(pages.0.clone().oneshot(request)).catch_unwind().await;
    match answered {
        Ok(Ok(response)) => {
            let status = response.status();
            write_response(session, response, hsts).await?;
            Ok(Bridged::Answered(status))
        }
        Ok(Err(never)) => match never {},
        Err(_panic) => {
            tracing::error!("a page of ours panicked");
            Ok(Bridged::Refused(StatusCode::INTERNAL_SERVER_ERROR, "page_failed"))
        }
    }
}

/// The whole body; `Ok(Err(…))` when it is too large or too slow.
async fn read_body(
    session: &mut Session,
    limits: RequestLimits,
    timeouts: DownstreamTimeouts,
) -> pingora::Result<Result<Bytes, StatusCode>> {
    let declared = session.get_header(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limits.portal_body_bytes) {
        return Ok(Err(StatusCode::PAYLOAD_TOO_LARGE));
    }
    if session.is_body_empty() {
        return Ok(Ok(Bytes::new()));
    }
    if session.get_header(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        session.write_continue_response().await?;
    }
    let reading = async {
        // as large as it may get: growing would leave copies of passwords behind
        let mut body = Zeroizing::new(Vec::with_capacity(declared.unwrap_or(limits.portal_body_bytes)));
        while let Some(piece) = session.read_request_body().await? {
            if body.len() + piece.len() > limits.portal_body_bytes {
                return Ok(Err(StatusCode::PAYLOAD_TOO_LARGE));
            }
            body.extend_from_slice(&piece);
        }
        // wiped when the last handle on it goes
        Ok(Ok(Bytes::from_owner(body)))
    };
    match tokio::time::timeout(timeouts.portal_body, reading).await {
        Ok(read) => read,
        Err(_elapsed) => Ok(Err(StatusCode::REQUEST_TIMEOUT)),
    }
}

/// `None` when the target is nothing a `Uri` can hold.
fn request_for(session: &Session, context: RequestContext, body: Bytes) -> Option<Request<Body>> {
    let header = session.req_header();
    let mut parts = header.as_owned_parts();
    // Handlers see the path, whatever form the target had.
    parts.uri = Uri::try_from(origin_form(header.raw_path())).ok()?;
    if !parts.headers.contains_key(HOST) {
        parts.headers.insert(HOST, HeaderValue::try_from(context.origin.authority()).ok()?);
    }
    parts.extensions.insert(context);
    Some(Request::from_parts(parts, Body::from(body)))
}

/// The path and query of a request target that may be absolute.
#[must_use]
pub fn origin_form(target: &[u8]) -> &[u8] {
    if target.starts_with(b"/") {
        return target;
    }
    let after_scheme = target.windows(3).position(|window| window == b"://").map_or(0, |at| at + 3);
    let rest = target.get(after_scheme..).unwrap_or_default();
    let path = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    match rest.get(path..) {
        Some(path) if !path.is_empty() => path,
        Some(_) | None => b"/",
    }
}

/// The path of a target, without scheme, host, query and fragment.
pub(super) fn path_of(target: &[u8]) -> &[u8] {
    origin_form(target).split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default()
}

async fn write_response(
    session: &mut Session,
    response: Response<Body>,
    hsts: Option<&StrictTransport>,
) -> pingora::Result<()> {
    let (parts, mut body) = response.into_parts();
    let mut head = ResponseHeader::from(parts);
    if let Some(hsts) = hsts {
        add_strict_transport(&mut head, hsts)?;
    }
    // The framing of this connection is ours.
    for name in [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, HeaderName::from_static("keep-alive")] {
        head.remove_header(&name);
    }
    let bodiless =
        head.status.is_informational() || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless {
        head.remove_header(&CONTENT_LENGTH);
    } else if !head.headers.contains_key(CONTENT_LENGTH) {
        match body.size_hint().exact() {
            Some(length) => head.insert_header(CONTENT_LENGTH, length)?,
            None if session.req_header().version == Version::HTTP_11 => {
                head.insert_header(TRANSFER_ENCODING, "chunked")?
            }
            None => {}
        }
    }
    if bodiless || session.req_header().method == Method::HEAD {
        return session.write_response_header(Box::new(head), true).await;
    }
    session.write_response_header(Box::new(head), false).await?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|cause| {
            pingora::Error::because(pingora::ErrorType::InternalError, "a page of ours broke off", cause).into_in()
        })?;
        if let Ok(data) = frame.into_data() {
            session.write_response_body(Some(data), false).await?;
        }
    }
    session.write_response_body(None, true).await
}

#[cfg(test)]
pub(crate) mod tests {
    use axum::extract::Extension;
    use axum::routing::{get, post};

    use super::*;

    /// Pages that show what the bridge does with requests and answers.
    pub(crate) fn pages() -> Pages {
        let streamed = || async {
            let pieces = ["one ", "two ", "three"].map(|piece| Ok::<_, std::convert::Infallible>(Bytes::from(piece)));
            Body::from_stream(futures_util::stream::iter(pieces))
        };
        let who = |Extension(context): Extension<RequestContext>, request: Request<Body>| async move {
            let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
            format!("{} {} {} {host} {}", context.site, context.origin, context.client_address, request.uri())
        };
        let router = Router::new()
            .route(
                "/.vestibule/login",
                get(who).post(|body: String| async move { format!("got {} bytes", body.len()) }),
            )
            .route("/.vestibule/code", post(|body: String| async move { body }))
            .route("/.vestibule/streamed", get(streamed))
            .route("/.vestibule/nothing", get(|| async { StatusCode::NO_CONTENT }))
            .route("/.vestibule/panics", get(|| async { panic!("as the test wants it") as &'static str }));
        Pages::new(router)
    }

    #[test]
    fn handlers_see_the_path_whatever_form_the_target_had() {
        for (target, path) in [("/a?b", "/a?b"), ("http://h/a?b", "/a?b"), ("https://h", "/"), ("//h/a", "//h/a")] {
            assert_eq!(origin_form(target.as_bytes()), path.as_bytes(), "{target}");
        }
    }
}
