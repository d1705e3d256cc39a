//! Takes old records out of the audit trail. Links of the chain go from its beginning only, after they were checked, and the last one that
//! goes is kept as a sealed checkpoint in the same transaction: the chain can be checked from there. Floor: edge.

use super::SqlLedger;
use super::connection::{Connection, Done};
use super::error::SqlError;
use super::trail_reading::{BATCH, LINKS, line, read_checkpoint};
use crate::domain::audit_chain::{ChainCheck, Checkpoint};
use crate::domain::keys::Keys;
use crate::domain::time::UnixMillis;

/// What taking some links away came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many; 0 when none is old enough.
    Links(u64),
    /// The chain is broken among those that are old enough: nothing is taken away, because it would take the evidence along.
    Broken { after: i64 },
}

impl SqlLedger {
    /// Takes away at most `most` links older than `before`.
    pub(super) async fn shorten_chain(
        &self,
        before: UnixMillis,
        most: u64,
        now: UnixMillis,
    ) -> Result<Taken, SqlError> {
        self.database.write(|tx| shorten(tx, &self.keys, before, most, now)).await
    }
}

/// A record whose clock was ahead holds what follows it until its own time has come: links go in their order.
async fn shorten(
    mut tx: Connection,
    keys: &Keys,
    before: UnixMillis,
    most: u64,
    now: UnixMillis,
) -> Result<Done<Taken>, SqlError> {
    // locks the row: two nodes that tidy at once take turns
    let row = tx
        .row("UPDATE audit_checkpoint SET number = number RETURNING number, hash, at, key_id, seal", [])
        .await?
        .ok_or(SqlError::Unreadable("audit_checkpoint.number"))?;
    let checkpoint = read_checkpoint(&row)?;
    let mut check = ChainCheck::begin(keys, &checkpoint, None);
    let (mut taken, mut last, mut taking) = (0, checkpoint.head.clone(), true);
    // usually ends with the first link that stays; links of a key that is gone are proved by later ones only
    'reading: loop {
        let rows = tx.rows(LINKS, [check.last().number.into(), BATCH.into()]).await?;
        for row in &rows {
            let line = line(row)?;
            taking = taking && taken < most && line.at < before;
            if !taking && check.is_proven() {
                break 'reading;
            }
            check.line(&line);
            if !check.is_sound() {
                return tx.roll_back(Taken::Broken { after: last.number }).await;
            }
            if taking {
                last = check.last().clone();
                taken += 1;
            }
        }
        if rows.is_empty() {
            break;
        }
    }
    if last == checkpoint.head {
        return tx.roll_back(Taken::Links(0)).await;
    }
    if !check.is_proven() {
        return tx.roll_back(Taken::Broken { after: checkpoint.head.number }).await;
    }
    let taken = tx
        .execute(
            "DELETE FROM audit WHERE number > $1 AND number <= $2",
            [checkpoint.head.number.into(), last.number.into()],
        )
        .await?;
    let next = Checkpoint::seal(keys, last, now);
    tx.execute(
        "UPDATE audit_checkpoint SET number = $1, hash = $2, at = $3, key_id = $4, seal = $5",
        [
            next.head.number.into(),
            next.head.hash.as_slice().into(),
            next.at.into(),
            next.key_id.into(),
            next.seal.as_slice().into(),
        ],
    )
    .await?;
    tx.commit(Taken::Links(taken)).await
}
