//! When an older copy of the database is in its place: everything that was open ends, API tokens among it, and nobody enrols a number until an
//! operator says so.
//! What a copy does not know (sessions of accounts made since, epochs that moved since) ends as well. Floor: edge.

use async_trait::async_trait;

use super::connection::{Connection, Done};
use super::database::Database;
use super::error::SqlError;
use super::{SqlLedger, feed, trail};
use crate::domain::audit::AuditRecord;
use crate::login::markers::{Installation, MarkedDatabase};
use crate::login::ports::PortResult;

/// How far epochs and the feed's head are moved on: further than both move between two copies. Our own figure.
const STEP: i64 = 1_000_000;

#[async_trait]
impl MarkedDatabase for SqlLedger {
    async fn installation(&self) -> PortResult<Installation> {
        if let Some(id) = installation_id(&self.database).await? {
            return Ok(Installation { id, is_new: false });
        }
        let fresh = super::fresh_id();
        self.database.write(|tx| name_installation(tx, &fresh)).await?;
        let id = installation_id(&self.database).await?.ok_or(SqlError::Unreadable("installation.value"))?;
        Ok(Installation { is_new: id == fresh, id })
    }

    async fn end_all_of_older_copy(&self, marker: i64, audit: &AuditRecord) -> PortResult<bool> {
        let limit = super::directory::BULK_LIMIT;
        let ended = self.database.write_within(limit, |tx| end_all(tx, Some(marker), audit)).await?;
        Ok(ended.is_some())
    }
}

/// Ends every session and pending login, closes enrolment, and moves epochs and the feed's head on. Gives back how many sessions that ended;
/// `None`, with nothing changed, when the database has come as far as `behind`.
pub(super) async fn end_all(
    mut tx: Connection,
    behind: Option<i64>,
    audit: &AuditRecord,
) -> Result<Done<Option<u64>>, SqlError> {
    tx.execute("UPDATE accounts SET epoch = epoch + $1, enrolment_until = NULL", [STEP.into()]).await?;
    tx.execute("DELETE FROM enrolment_tickets", []).await?;
    // one that was revoked since would be good again
    tx.execute("DELETE FROM api_tokens", []).await?;
    // whoever wrote them has told them since
    tx.execute("DELETE FROM notices", []).await?;
    let ended = tx
        .execute(
            "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL AND absolute_end > $1",
            [audit.at.into(), audit.event.name().into()],
        )
        .await?;
    tx.execute(
        "INSERT INTO installation (key, value) VALUES ('restored_at', $1) ON CONFLICT (key) DO UPDATE SET value = $1",
        [audit.at.0.to_string().into()],
    )
    .await?;
    trail::append(&mut tx, audit).await?;
    if !feed::append_everybody(&mut tx, audit.at, behind, STEP).await? {
        return tx.roll_back(None).await;
    }
    tx.commit(Some(ended)).await
}

/// Whether the database was ever a copy that was put back.
pub(super) async fn was_restored(database: &Database) -> Result<bool, SqlError> {
    Ok(database.row("SELECT value FROM installation WHERE key = 'restored_at'", []).await?.is_some())
}

async fn installation_id(database: &Database) -> Result<Option<String>, SqlError> {
    database.row("SELECT value FROM installation WHERE key = 'id'", []).await?.map(|row| row.text("value")).transpose()
}

async fn name_installation(mut tx: Connection, id: &str) -> Result<Done<()>, SqlError> {
    tx.execute("INSERT INTO installation (key, value) VALUES ('id', $1) ON CONFLICT (key) DO NOTHING", [id.into()])
        .await?;
    tx.commit(()).await
}
