//! Refusals as problem documents (RFC 9457): what is wrong, a stable code for programs, and the request as the log names it. Floor: edge.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;

use crate::admin::operations::{OperationError, Refusal};
use crate::domain::operator::Forbidden;
use crate::login::chain;
use crate::login::ports::PortError;
use crate::pages::security_headers;
use crate::web::problem::MEDIA_TYPE;
use crate::web::request_context::RequestContext;

/// Why a request is not answered as it was asked.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    status: StatusCode,
    code: &'static str,
    detail: String,
    retry_after: Option<Duration>,
    challenge: Option<&'static str>,
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemView {
    /// `urn:vestibule:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// For a person who reads it.
    detail: String,
    /// Stable, for programs: `no_such_account`, `invalid_body`, …
    code: &'static str,
    /// This request, as the log names it.
    request_id: String,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None, challenge: None }
    }

    /// Whoever asks has shown no token (`error` is empty), or one that is none.
    pub(super) fn no_token(challenge: &'static str, detail: &str) -> Self {
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, "token_required", detail) }
    }

    pub(super) fn too_many(wait: Duration, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail) }
    }

    /// What was asked for cannot be so.
    pub(super) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    fn unavailable() -> Self {
        let detail = "The accounts do not answer at the moment. Whether anything was done cannot be told: ask again.";
        Self {
            retry_after: Some(Duration::from_secs(5)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
        }
    }

    fn document(self, request_id: String) -> Vec<u8> {
        let view = ProblemView {
            kind: format!("urn:vestibule:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            request_id,
        };
        serde_json::to_vec(&view).expect("views are plain data")
    }
}

impl From<OperationError> for Refused {
    fn from(error: OperationError) -> Self {
        match error {
            OperationError::Refused(refusal) => refusal.into(),
            OperationError::Unavailable(error) => error.into(),
        }
    }
}

impl From<PortError> for Refused {
    fn from(error: PortError) -> Self {
        tracing::error!(cause = chain(&error), "a request to the admin API could not be answered");
        Self::unavailable()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let (status, code) = match refusal {
            Refusal::Forbidden(forbidden) => return forbidden.into(),
            Refusal::NoSuchAccount(_) => (StatusCode::NOT_FOUND, "no_such_account"),
            Refusal::NoSuchSession => (StatusCode::NOT_FOUND, "no_such_session"),
            Refusal::NameTaken(_) => (StatusCode::CONFLICT, "user_name_taken"),
            Refusal::HasNumber => (StatusCode::CONFLICT, "has_number"),
            Refusal::PreRegistered => (StatusCode::CONFLICT, "numbers_pre_registered"),
            Refusal::Phone(_) => (StatusCode::UNPROCESSABLE_ENTITY, "phone_refused"),
            Refusal::Profile(_) => (StatusCode::UNPROCESSABLE_ENTITY, "profile_refused"),
            Refusal::ReasonMissing => (StatusCode::UNPROCESSABLE_ENTITY, "reason_missing"),
            Refusal::NoTickets
            | Refusal::TicketWithNumber
            | Refusal::Password(_)
            | Refusal::FileExists(_)
            | Refusal::OwnTools { .. }
            | Refusal::PrefixNotClosed(_)
            | Refusal::TokenNameTaken(_)
            | Refusal::NoSuchToken(_) => (StatusCode::CONFLICT, "refused"),
        };
        Self::new(status, code, detail)
    }
}

impl From<Forbidden> for Refused {
    fn from(forbidden: Forbidden) -> Self {
        let code = match forbidden {
            Forbidden::TooMany(wait) => return Self::too_many(wait, forbidden.to_string()),
            // it was one when the request began
            Forbidden::NotAnOperator => return Self::no_token(INVALID, "The token is good for nothing any more."),
            Forbidden::NeedsAdmin => "needs_admin",
            Forbidden::CommandLineOnly => "command_line_only",
            Forbidden::Oneself => "oneself",
            Forbidden::AnOperator => "an_operator",
            Forbidden::GavePassword => "gave_password",
            Forbidden::GaveNumber => "gave_number",
        };
        Self::new(StatusCode::FORBIDDEN, code, forbidden.to_string())
    }
}

/// RFC 6750 §3: a request without a token gets no error code.
pub(super) const MISSING: &str = "Bearer realm=\"vestibule\"";
pub(super) const INVALID: &str = "Bearer realm=\"vestibule\", error=\"invalid_token\"";

/// `finish` writes the document: the request's id is known there.
impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Around every answer: refusals become documents, and nothing is kept by whoever is on the way.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let Some(request_id) = request.extensions().get::<RequestContext>().map(|context| context.request_id.to_string())
    else {
        tracing::error!("the admin API was asked past the gateway");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = next.run(request).await;
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        let (retry_after, challenge) = (refused.retry_after, refused.challenge);
        *response.body_mut() = Body::from(refused.document(request_id));
        let headers = response.headers_mut();
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(wait) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
    }
    security_headers::put(response.headers_mut());
    response
}
