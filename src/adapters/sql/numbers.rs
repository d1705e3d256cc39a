//! How many accounts have one number, told by its keyed hash: also by those of older data keys, until `rekey` has moved their rows. Floor: edge.

use super::connection::Connection;
use super::database::Database;
use super::error::SqlError;
use super::value::{Row, Value};
use crate::domain::keys::{HashPurpose, Keys};
use crate::domain::phone::PhoneNumber;

const COUNT: &str = "SELECT COUNT(*) AS accounts FROM accounts WHERE phone_hash = $1";

/// As the transaction sees it. Disabled accounts count: they may be enabled again.
pub(super) async fn accounts_with(tx: &mut Connection, keys: &Keys, number: &PhoneNumber) -> Result<u64, SqlError> {
    let mut accounts = 0;
    for hash in hashes(keys, number) {
        accounts += counted(tx.row(COUNT, [hash]).await?)?;
    }
    Ok(accounts)
}

/// The same, as last committed.
pub(super) async fn read_accounts_with(
    database: &Database,
    keys: &Keys,
    number: &PhoneNumber,
) -> Result<u64, SqlError> {
    let mut accounts = 0;
    for hash in hashes(keys, number) {
        accounts += counted(database.row(COUNT, [hash]).await?)?;
    }
    Ok(accounts)
}

fn hashes(keys: &Keys, number: &PhoneNumber) -> Vec<Value> {
    let hashes = keys.hashes(HashPurpose::PhoneLookup, number.e164().as_bytes());
    hashes.iter().map(|hash| Value::Bytes(Some(hash.to_vec()))).collect()
}

fn counted(row: Option<Row>) -> Result<u64, SqlError> {
    row.map_or(Ok(0), |row| row.count("accounts").map(u64::from))
}
