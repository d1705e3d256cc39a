//! Accounts as a sign-in reads them, and the lock that every verb on one account begins with. Floor: edge.

use super::connection::Connection;
use super::database::Database;
use super::error::SqlError;
use super::personal::{self, Field};
use super::value::{Row, Value};
use crate::domain::account::{Account, AccountId, AccountStatus, Epoch, PhoneVersion};
use crate::domain::keys::Keys;
use crate::domain::language::Language;
use crate::domain::operator::OperatorRole;
use crate::domain::password_hash::PasswordHash;
use crate::domain::user_name::UserName;

const BY_ID_OR_NAME: &str = "SELECT id, user_name, name, email, phone, phone_version, language, status, epoch, password, password_expires_at, enrolment_until, codes_locked, operator_role
     FROM accounts WHERE id = $1 OR user_name = $2";

pub(super) async fn by_name(database: &Database, keys: &Keys, name: &UserName) -> Result<Option<Account>, SqlError> {
    let row = database.row(BY_ID_OR_NAME, [Value::Text(None), name.into()]).await?;
    row.map(|row| read(&row, keys)).transpose()
}

pub(super) async fn by_id(database: &Database, keys: &Keys, id: &AccountId) -> Result<Option<Account>, SqlError> {
    let row = database.row(BY_ID_OR_NAME, [id.into(), Value::Text(None)]).await?;
    row.map(|row| read(&row, keys)).transpose()
}

/// Locks the account until the transaction ends, and reads it.
pub(super) async fn lock(tx: &mut Connection, keys: &Keys, id: &AccountId) -> Result<Option<Account>, SqlError> {
    if tx.execute("UPDATE accounts SET epoch = epoch WHERE id = $1", [id.into()]).await? == 0 {
        return Ok(None);
    }
    let row = tx.row(BY_ID_OR_NAME, [id.into(), Value::Text(None)]).await?;
    row.map(|row| read(&row, keys)).transpose()
}

fn read(row: &Row, keys: &Keys) -> Result<Account, SqlError> {
    let id = row.text("id")?;
    Ok(Account {
        id: row.parsed("id", AccountId::parse)?,
        user_name: row.user_name()?,
        name: personal::open(keys, Field::AccountName, &id, row)?,
        email: personal::open(keys, Field::AccountEmail, &id, row)?,
        password: row.parsed("password", |text| PasswordHash::from_stored(text).ok())?,
        password_expires_at: row.optional_at("password_expires_at")?,
        status: row.parsed("status", status_from)?,
        epoch: Epoch(row.int("epoch")?),
        phone: personal::open_phone(keys, &id, row)?,
        phone_version: PhoneVersion(row.int("phone_version")?),
        enrolment_until: row.optional_at("enrolment_until")?,
        language: row.optional_parsed("language", Language::parse)?,
        codes_locked: row.int("codes_locked")? != 0,
        operator_role: row.optional_parsed("operator_role", OperatorRole::parse)?,
    })
}

/// As stored.
pub(super) fn status_from(text: &str) -> Option<AccountStatus> {
    match text {
        "active" => Some(AccountStatus::Active),
        "disabled" => Some(AccountStatus::Disabled),
        _ => None,
    }
}
