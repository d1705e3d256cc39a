//! Whether two-factor sign-in is active: recorded once, and never taken back. Floor: edge.

use super::connection::{Connection, Done};
use super::database::Database;
use super::error::SqlError;
use super::feed;
use super::trail;
use super::value::Row;
use crate::domain::audit::AuditRecord;
use crate::domain::revocation::Revoked;
use crate::domain::time::UnixMillis;
use crate::login::directory::ActivationRecord;

const ACTIVATED_AT: &str = "SELECT value FROM installation WHERE key = 'two_factor_activated_at'";

/// Records the activation, unless it is recorded already, and opens enrolment for accounts without a number.
pub(super) async fn activate(
    mut tx: Connection,
    window_until: Option<UnixMillis>,
    audit: &AuditRecord,
) -> Result<Done<ActivationRecord>, SqlError> {
    let recorded = tx
        .execute(
            "INSERT INTO installation (key, value) VALUES ('two_factor_activated_at', $1) ON CONFLICT (key) DO NOTHING",
            [audit.at.0.to_string().into()],
        )
        .await?;
    if recorded == 0 {
        let at = activated_at(&mut tx).await?.ok_or(SqlError::Unreadable("installation.value"))?;
        return tx.roll_back(ActivationRecord { at, by_this_call: false }).await;
    }
    if let Some(until) = window_until {
        // a window that an operator has opened for longer stays as it is
        tx.execute(
            "UPDATE accounts SET enrolment_until = $1 WHERE phone IS NULL AND (enrolment_until IS NULL OR enrolment_until < $1)",
            [until.into()],
        )
        .await?;
    }
    trail::append(&mut tx, audit).await?;
    feed::append(&mut tx, audit.at, Revoked::TwoFactorActivated).await?;
    tx.commit(ActivationRecord { at: audit.at, by_this_call: true }).await
}

/// When it was activated, as the transaction sees it.
pub(super) async fn activated_at(tx: &mut Connection) -> Result<Option<UnixMillis>, SqlError> {
    tx.row(ACTIVATED_AT, []).await?.map(|row| read(&row)).transpose()
}

/// When it was activated.
pub(super) async fn read_activated_at(database: &Database) -> Result<Option<UnixMillis>, SqlError> {
    database.row(ACTIVATED_AT, []).await?.map(|row| read(&row)).transpose()
}

fn read(row: &Row) -> Result<UnixMillis, SqlError> {
    row.parsed("value", |text| text.parse().ok().map(UnixMillis))
}
