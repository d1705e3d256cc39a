//! What is told of the installation as a whole and of what happened: open sessions, two-factor sign-in, the audit trail, this API. Floor: edge.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::bodies::{Asked, AuditQuery, Named, at_most, page_size};
use super::caller::Caller;
use super::cursor;
use super::document::document;
use super::problem::Refused;
use crate::admin::audit::{AuditFilter, AuditView};
use crate::admin::view::{SessionView, TwoFactorView};
use crate::domain::audit::AuditEvent;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;

/// Sessions that are not over, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SessionList {
    sessions: Vec<SessionView>,
}

/// Records of the audit trail, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AuditList {
    records: Vec<AuditView>,
    /// Asks for the next page; null: there are no more.
    next_cursor: Option<String>,
}

pub(super) async fn sessions(caller: Caller, Named(name): Named) -> Result<Json<SessionList>, Refused> {
    let sessions = caller.operations().sessions(Some(&name), caller.now).await?;
    Ok(Json(SessionList { sessions: sessions.iter().map(SessionView::of).collect() }))
}

pub(super) async fn two_factor(caller: Caller) -> Result<Json<TwoFactorView>, Refused> {
    let status = caller.operations().two_factor_status(caller.now).await?;
    Ok(Json(TwoFactorView::of(&status)))
}

pub(super) async fn audit(caller: Caller, Asked(query): Asked<AuditQuery>) -> Result<Json<AuditList>, Refused> {
    let most = page_size(query.limit)?;
    let before = query.cursor.as_deref().map(|text| cursor::read(text, |key| key.parse::<i64>().ok())).transpose()?;
    let invalid = |what: &str| Refused::unprocessable("invalid_query", what.to_owned());
    let filter = AuditFilter {
        account: match query.user_name.as_deref() {
            None => None,
            Some(text) => Some(UserName::parse(text).map_err(|problem| invalid(&problem.to_string()))?),
        },
        event: match query.event.as_deref() {
            None => None,
            Some(text) => Some(AuditEvent::parse(text).ok_or_else(|| invalid("event: there is none of this name"))?),
        },
        actor: match query.actor {
            Some(text) if text.chars().any(char::is_control) => return Err(invalid("actor: one line")),
            actor => actor.map(|text| at_most(200, text)).transpose()?,
        },
        since: query.since.as_deref().map(moment).transpose()?,
        until: query.until.as_deref().map(moment).transpose()?,
    };
    caller.operations().may_read_audit(caller.role(), &filter).await?;
    let records = caller.operations().audit_page(&filter, before, most).await?;
    let is_full = usize::try_from(most).is_ok_and(|most| records.len() == most);
    let next_cursor = records.last().filter(|_| is_full).map(|record| cursor::after(&record.id.to_string()));
    Ok(Json(AuditList { records, next_cursor }))
}

/// This API, as OpenAPI 3.1.
pub(super) async fn openapi(_caller: Caller) -> Response {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], document().to_string()).into_response()
}

fn moment(text: &str) -> Result<UnixMillis, Refused> {
    let at = OffsetDateTime::parse(text, &Rfc3339).ok();
    let millis = at.and_then(|at| i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok());
    millis.map(UnixMillis).ok_or_else(|| {
        Refused::unprocessable("invalid_query", "since, until: a moment such as 2026-11-24T09:30:00Z (RFC 3339)")
    })
}
