//! Who am I, until when: JSON for the application's own scripts. Does not count as activity. Floor: edge.

use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, VARY, WWW_AUTHENTICATE};
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::visit::Visit;
use crate::domain::session::{Factors, Session};
use crate::domain::time::UnixMillis;
use crate::login::sessions::SessionCheck;
use crate::pages::security_headers;
use crate::web::problem::{self, Problem};

/// GET: the session, or a problem document.
pub(super) async fn show(visit: Visit) -> Response {
    match visit.session() {
        SessionCheck::Live(session) => {
            let document = document(&visit, &session);
            answer(StatusCode::OK, "application/json", document)
        }
        SessionCheck::StepUp(_) => refuse(&visit, "code_required", "This session has to show a code first."),
        SessionCheck::None(reason) => refuse(&visit, reason.name(), "Nobody is signed in."),
        SessionCheck::CannotTell => {
            let problem = Problem {
                status: StatusCode::SERVICE_UNAVAILABLE,
                code: "session_unknown",
                detail: "Whether this session is still open cannot be told at the moment.",
            };
            answer(problem.status, problem::MEDIA_TYPE, problem.to_json(visit.context.request_id))
        }
    }
}

fn document(visit: &Visit, session: &Session) -> String {
    let ends_at = session.ends_at(visit.login().sessions().lifetimes());
    json!({
        "user": session.user_name.as_str(),
        "session": session.id.to_string(),
        "opened_at": rfc3339(session.opened_at),
        "expires_at": rfc3339(ends_at),
        "factors": match session.factors {
            Factors::Password => &["password"][..],
            Factors::PasswordAndCode => &["password", "code"],
        },
    })
    .to_string()
}

fn refuse(visit: &Visit, code: &'static str, detail: &'static str) -> Response {
    let problem = Problem { status: StatusCode::UNAUTHORIZED, code, detail };
    let mut response = answer(
        problem.status,
        problem::MEDIA_TYPE,
        problem.to_json_with_sign_in(visit.context.request_id, &visit.context.origin),
    );
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Vestibule"));
    response
}

fn answer(status: StatusCode, media_type: &'static str, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    security_headers::put(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    response
}

/// `None` for a moment beyond the year 9999, which no session reaches.
fn rfc3339(at: UnixMillis) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(at.seconds()).ok()?.format(&Rfc3339).ok()
}
