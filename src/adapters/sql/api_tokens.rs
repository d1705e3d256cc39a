//! Tokens of the admin API: kept as hashes, found by them, and counted on to be there in each transaction that one of them causes. Floor: edge.

use std::time::Duration;

use async_trait::async_trait;

use super::connection::{Connection, Done};
use super::database::Database;
use super::error::SqlError;
use super::value::{Row, Value};
use super::{SqlLedger, feed, trail};
use crate::domain::api_token::{ApiTokenHash, ApiTokenId, ApiTokenName, KnownApiToken};
use crate::domain::audit::AuditRecord;
use crate::domain::operator::OperatorRole;
use crate::domain::time::UnixMillis;
use crate::login::api_tokens::ApiTokens;
use crate::login::ports::PortResult;

/// How often it is written down that a token is in use: not at each of a thousand requests.
const NOTED_EVERY: Duration = Duration::from_secs(60);

#[async_trait]
impl ApiTokens for SqlLedger {
    async fn create(&self, token: &KnownApiToken, hash: &ApiTokenHash, audit: &AuditRecord) -> PortResult<bool> {
        Ok(self.database.write(|tx| create(tx, token, hash, audit)).await?)
    }

    async fn revoke(&self, name: &ApiTokenName, audit: &AuditRecord) -> PortResult<bool> {
        Ok(self.database.write(|tx| revoke(tx, name, audit)).await?)
    }

    async fn all(&self) -> PortResult<Vec<KnownApiToken>> {
        Ok(list(&self.database).await?)
    }

    async fn recognise(&self, hash: &ApiTokenHash, now: UnixMillis) -> PortResult<Option<KnownApiToken>> {
        let Some(token) = find(&self.database, hash, now).await? else { return Ok(None) };
        if token.last_used_at.is_none_or(|at| now.since(at) >= NOTED_EVERY) {
            self.database.write(|tx| note_use(tx, &token.id, now)).await?;
        }
        Ok(Some(token))
    }
}

async fn create(
    mut tx: Connection,
    token: &KnownApiToken,
    hash: &ApiTokenHash,
    audit: &AuditRecord,
) -> Result<Done<bool>, SqlError> {
    let created = tx
        .execute(
            "INSERT INTO api_tokens (id, name, role, hash, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (name) DO NOTHING",
            [
                token.id.to_string().into(),
                token.name.as_str().into(),
                token.role.name().into(),
                hash.bytes().as_slice().into(),
                token.created_at.into(),
                token.expires_at.into(),
            ],
        )
        .await?;
    if created == 0 {
        return tx.roll_back(false).await;
    }
    write_down(&mut tx, audit).await?;
    tx.commit(true).await
}

async fn revoke(mut tx: Connection, name: &ApiTokenName, audit: &AuditRecord) -> Result<Done<bool>, SqlError> {
    if tx.execute("DELETE FROM api_tokens WHERE name = $1", [name.as_str().into()]).await? == 0 {
        return tx.roll_back(false).await;
    }
    write_down(&mut tx, audit).await?;
    tx.commit(true).await
}

/// An older copy of the database would not have it, or have it still: the head is moved.
async fn write_down(tx: &mut Connection, audit: &AuditRecord) -> Result<(), SqlError> {
    feed::count(tx, &[]).await?;
    trail::append(tx, audit).await
}

async fn list(database: &Database) -> Result<Vec<KnownApiToken>, SqlError> {
    let sql = "SELECT id, name, role, created_at, expires_at, last_used_at FROM api_tokens ORDER BY name";
    database.rows(sql, []).await?.iter().map(read).collect()
}

/// What the comparison of hashes tells by its time is of use to nobody: they are of random bytes.
async fn find(database: &Database, hash: &ApiTokenHash, now: UnixMillis) -> Result<Option<KnownApiToken>, SqlError> {
    let sql = "SELECT id, name, role, created_at, expires_at, last_used_at FROM api_tokens WHERE hash = $1 AND expires_at > $2";
    database.row(sql, [hash.bytes().as_slice().into(), now.into()]).await?.as_ref().map(read).transpose()
}

async fn note_use(mut tx: Connection, id: &ApiTokenId, now: UnixMillis) -> Result<Done<()>, SqlError> {
    let sql = "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1";
    tx.execute(sql, [id.to_string().into(), now.into()]).await?;
    tx.commit(()).await
}

/// The role of a token that is good at `now`; `None`: it is none any more.
pub(super) async fn role(
    tx: &mut Connection,
    id: &ApiTokenId,
    now: UnixMillis,
) -> Result<Option<OperatorRole>, SqlError> {
    let sql = "SELECT role FROM api_tokens WHERE id = $1 AND expires_at > $2";
    let row = tx.row(sql, [Value::from(id.to_string()), now.into()]).await?;
    row.map(|row| row.parsed("role", OperatorRole::parse)).transpose()
}

/// The same, with the lock for which everybody waits who does something with the token.
pub(super) async fn lock(
    tx: &mut Connection,
    id: &ApiTokenId,
    now: UnixMillis,
) -> Result<Option<OperatorRole>, SqlError> {
    let sql = "UPDATE api_tokens SET role = role WHERE id = $1 AND expires_at > $2 RETURNING role";
    let row = tx.row(sql, [Value::from(id.to_string()), now.into()]).await?;
    row.map(|row| row.parsed("role", OperatorRole::parse)).transpose()
}

fn read(row: &Row) -> Result<KnownApiToken, SqlError> {
    Ok(KnownApiToken {
        id: row.parsed("id", ApiTokenId::parse)?,
        name: row.parsed("name", ApiTokenName::parse)?,
        role: row.parsed("role", OperatorRole::parse)?,
        created_at: row.at("created_at")?,
        expires_at: row.at("expires_at")?,
        last_used_at: row.optional_at("last_used_at")?,
    })
}
