//! Moves what is sealed and hashed to the first data key, a few rows a transaction. A value that somebody else changes meanwhile is left to
//! him: what is replaced has to be what was read. Cut off anywhere, the next run goes on. Floor: edge.

use super::connection::{Connection, Done};
use super::database::Database;
use super::error::SqlError;
use super::personal::{self, COLUMNS, Column, Field};
use super::value::Row;
use crate::domain::keys::{HashPurpose, Keys};
use crate::login::upkeep::Rekeyed;

/// Rows a transaction. Our own figure: nobody waits long for it.
const BATCH: u32 = 200;
/// How often all columns are gone through, for what is written with another key meanwhile. Our own figure.
const ROUNDS: u32 = 3;

/// Moves everything, and says which keys are still in use.
pub(super) async fn move_all(database: &Database, keys: &Keys) -> Result<Rekeyed, SqlError> {
    let mut moved = 0;
    for _ in 0..ROUNDS {
        let mut in_this_round = 0;
        for column in &COLUMNS {
            in_this_round += move_column(database, keys, column).await?;
        }
        moved += in_this_round;
        if in_this_round == 0 {
            break;
        }
    }
    let used = personal::key_ids_in_use(database).await?;
    let others = keys.key_ids().into_iter().enumerate().skip(1);
    let (in_use, unused) = others.partition(|(_, id)| used.contains(id));
    Ok(Rekeyed { moved, unused, in_use })
}

async fn move_column(database: &Database, keys: &Keys, column: &Column) -> Result<u64, SqlError> {
    let first = keys.first_key_id_bytes();
    let mut moved = 0;
    let mut after = String::new();
    loop {
        let rows = database
            .rows(column.under_other_keys, [after.as_str().into(), first.as_slice().into(), BATCH.into()])
            .await?;
        let Some(last) = rows.last() else { return Ok(moved) };
        after = last.text("id")?;
        let changes = rows.iter().map(|row| change(keys, column.field, row)).collect::<Result<Vec<_>, _>>()?;
        moved += database.write(|tx| put(tx, keys, column, &changes)).await?;
    }
}

/// One value under another key.
struct Change {
    id: String,
    sealed: Vec<u8>,
    plain: zeroize::Zeroizing<String>,
}

fn change(keys: &Keys, field: Field, row: &Row) -> Result<Change, SqlError> {
    let id = row.text("id")?;
    let damaged = SqlError::Damaged(field.path());
    let sealed = row.optional_bytes(field.column())?.ok_or(SqlError::Unreadable(field.path()))?;
    let plain = personal::open(keys, field, &id, row)?.map(zeroize::Zeroizing::new).ok_or(damaged)?;
    Ok(Change { id, sealed, plain })
}

async fn put(mut tx: Connection, keys: &Keys, column: &Column, changes: &[Change]) -> Result<Done<u64>, SqlError> {
    let mut moved = 0;
    for change in changes {
        let id = change.id.as_str();
        let sealed = personal::seal(keys, column.field, id, Some(&change.plain));
        let replaced = tx.execute(column.replace, [id.into(), change.sealed.as_slice().into(), sealed]).await?;
        if replaced > 0 && column.field == Field::AccountPhone {
            move_hashes(&mut tx, keys, id, &change.plain).await?;
        }
        moved += replaced;
    }
    tx.commit(moved).await
}

/// The keyed hashes of a number whose row is locked: by which it is found, and by which its SMS are counted.
async fn move_hashes(tx: &mut Connection, keys: &Keys, id: &str, e164: &str) -> Result<(), SqlError> {
    let hash = keys.hash(HashPurpose::PhoneLookup, e164.as_bytes());
    tx.execute("UPDATE accounts SET phone_hash = $2 WHERE id = $1", [id.into(), hash.as_slice().into()]).await?;
    for older in keys.hashes(HashPurpose::PhoneLookup, e164.as_bytes()).into_iter().skip(1) {
        tx.execute(
            "UPDATE sms_sends SET number_hash = $2 WHERE number_hash = $1",
            [older.as_slice().into(), hash.as_slice().into()],
        )
        .await?;
    }
    Ok(())
}
