//! The audit trail: only ever added to, in the transaction of what it tells, so that what cannot be written down does not happen. Floor: edge.

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::value::Value;
use crate::domain::audit::AuditRecord;

/// Writes down something that changes nothing else.
pub(super) async fn record(mut tx: Connection, record: &AuditRecord) -> Result<Done<()>, SqlError> {
    append(&mut tx, record).await?;
    tx.commit(()).await
}

/// Says it in the log as well, once it is written down: why somebody was refused is looked for there first.
pub(super) fn tell(record: &AuditRecord) {
    tracing::info!(
        target: "vestibule::audit",
        event = record.event.name(),
        actor = record.actor,
        site = record.site.as_ref().map(tracing::field::display),
        client = record.source.map(tracing::field::display),
        reason = record.reason,
        request = record.request_id,
        "audit"
    );
}

/// Adds one line.
pub(super) async fn append(tx: &mut Connection, record: &AuditRecord) -> Result<(), SqlError> {
    tx.execute(
        "INSERT INTO audit (at, event, account, actor, site, source, reason, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            record.at.into(),
            record.event.name().into(),
            record.account.as_ref().into(),
            record.actor.as_str().into(),
            Value::Text(record.site.as_ref().map(ToString::to_string)),
            Value::Text(record.source.map(|source| source.to_string())),
            record.reason.clone().into(),
            record.request_id.clone().into(),
        ],
    )
    .await?;
    Ok(())
}
