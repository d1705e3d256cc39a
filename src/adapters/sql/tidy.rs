//! Takes away what is over and counts no more, a few hundred rows a transaction, so that nobody waits long for it. Harmless when it runs
//! twice, on two nodes, or is cut off. Floor: edge.

use std::time::Duration;

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::guesses::THIRTY_DAYS;
use super::retention::Taken;
use super::{SqlLedger, feed, operators};
use crate::domain::time::UnixMillis;
use crate::login::ports::PortResult;

/// Rows a transaction. Our own figure.
const BATCH: u64 = 500;
/// How much longer than they count rows are kept, so that nodes whose clocks differ agree. Our own figure.
const MARGIN: Duration = Duration::from_secs(3600);
/// How long a session's row is kept after its absolute end: far longer than its login could be shown again. Our own figure.
const SESSIONS_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Each takes the moment before which rows are over, and the size of a batch. Wrong guesses in a row (`charged`) count whatever their age.
const DELETIONS: [(&str, Duration); 9] = [
    (
        "DELETE FROM code_attempts WHERE (login_id, number) IN
             (SELECT login_id, number FROM code_attempts WHERE outcome <> 'charged' AND at < $1 LIMIT $2)",
        THIRTY_DAYS,
    ),
    ("DELETE FROM sms_sends WHERE id IN (SELECT id FROM sms_sends WHERE at < $1 LIMIT $2)", THIRTY_DAYS),
    (
        "DELETE FROM sms_handovers WHERE (send_id, place) IN (SELECT send_id, place FROM sms_handovers WHERE at < $1 LIMIT $2)",
        THIRTY_DAYS,
    ),
    (
        "DELETE FROM sms_blocks WHERE prefix IN (SELECT prefix FROM sms_blocks WHERE counted_from < $1 LIMIT $2)",
        THIRTY_DAYS,
    ),
    (
        "DELETE FROM sms_alarms WHERE (subject, percent) IN (SELECT subject, percent FROM sms_alarms WHERE at < $1 LIMIT $2)",
        THIRTY_DAYS,
    ),
    (
        "DELETE FROM sessions WHERE id IN
             (SELECT id FROM sessions WHERE absolute_end < $1 LIMIT $2)",
        SESSIONS_KEPT,
    ),
    (
        "DELETE FROM operator_actions WHERE id IN (SELECT id FROM operator_actions WHERE at < $1 LIMIT $2)",
        operators::HOUR,
    ),
    ("DELETE FROM feed WHERE number IN (SELECT number FROM feed WHERE at < $1 LIMIT $2)", feed::KEPT),
    // of names that do not exist: anybody can make these
    (
        "DELETE FROM password_failures WHERE subject IN
             (SELECT subject FROM password_failures WHERE subject LIKE 'u:%' AND at < $1 LIMIT $2)",
        THIRTY_DAYS,
    ),
];

impl SqlLedger {
    /// Takes away what is over, and audit records older than `audit_kept`; gives back how many rows. To be called now and then by every node.
    ///
    /// # Errors
    /// The database does not answer. What is done is done, and the next call goes on.
    pub async fn tidy(&self, audit_kept: Duration, now: UnixMillis) -> PortResult<u64> {
        let mut deleted = 0;
        let trail = (
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE number IS NULL AND at < $1 LIMIT $2)",
            audit_kept,
        );
        for (sql, kept) in DELETIONS.into_iter().chain([trail]) {
            loop {
                let batch = self.database.write(|tx| delete(tx, sql, now.minus(kept).minus(MARGIN))).await?;
                deleted += batch;
                if batch < BATCH {
                    break;
                }
            }
        }
        loop {
            match self.shorten_chain(now.minus(audit_kept).minus(MARGIN), BATCH, now).await? {
                Taken::Links(links) => {
                    deleted += links;
                    if links < BATCH {
                        return Ok(deleted);
                    }
                }
                Taken::Broken { after } => {
                    tracing::error!(
                        after,
                        "the audit chain is broken: old records stay until that is looked into (`vestibule audit verify`)"
                    );
                    return Ok(deleted);
                }
            }
        }
    }
}

async fn delete(mut tx: Connection, sql: &'static str, before: UnixMillis) -> Result<Done<u64>, SqlError> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let deleted = tx.execute(sql, [before.into(), limit.into()]).await?;
    tx.commit(deleted).await
}
