//! The feed of revocations: rows numbered inside the revoking transaction, whose lock on the head is held until the commit. So numbers follow
//! the order of the commits, and a node that has read row n has missed nothing before it. Security changes that end nothing (a first number)
//! take a number without a row: the head counts them all, and tells an older copy of the database from the newest (`login::markers`).
//! Floor: edge.

use super::connection::Connection;
use super::database::Database;
use super::error::SqlError;
use super::value::{Row, Value};
use crate::domain::account::{AccountId, Epoch};
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::SessionId;
use crate::domain::time::UnixMillis;

/// How far back the feed goes: the longest a session lives (NIST SP 800-63B-4 §2.2.3: 24 h), and an hour for clocks that differ.
pub(super) const KEPT: std::time::Duration = std::time::Duration::from_secs(25 * 3600);

/// Adds one row. Called after every other lock of the transaction is taken: everybody takes this one last.
pub(super) async fn append(tx: &mut Connection, at: UnixMillis, what: Revoked) -> Result<FeedRow, SqlError> {
    let number = take_numbers(tx, 1).await?;
    let (kind, subject, epoch) = match &what {
        Revoked::Session(id) => ("session", Some(id.to_string()), None),
        Revoked::AccountBefore(id, epoch) => ("account", Some(id.to_string()), Some(epoch.0)),
        Revoked::Everybody => ("everybody", None, None),
        Revoked::TwoFactorActivated => ("activated", None, None),
    };
    tx.execute(
        "INSERT INTO feed (number, at, kind, subject, epoch) VALUES ($1, $2, $3, $4, $5)",
        [number.into(), at.into(), kind.into(), subject.into(), Value::Int(epoch)],
    )
    .await?;
    Ok(FeedRow { number, at, what })
}

/// Counts a security change that `ended` nothing; the rows of one that did have counted it. Called where `append` is: last.
pub(super) async fn count(tx: &mut Connection, ended: &[FeedRow]) -> Result<(), SqlError> {
    if ended.is_empty() {
        take_numbers(tx, 1).await?;
    }
    Ok(())
}

/// Moves the head on by `step` from where it is, or from `behind` when that is further, and ends every session there is. `false`, with nothing
/// done, when the head has come as far as `behind`.
pub(super) async fn append_everybody(
    tx: &mut Connection,
    at: UnixMillis,
    behind: Option<i64>,
    step: i64,
) -> Result<bool, SqlError> {
    let head = take_numbers(tx, 0).await?;
    let missing = behind.map(|number| number.saturating_sub(head));
    if missing.is_some_and(|missing| missing <= 0) {
        return Ok(false);
    }
    take_numbers(tx, step.saturating_add(missing.unwrap_or(0))).await?;
    append(tx, at, Revoked::Everybody).await?;
    append_every_account(tx, at).await?;
    Ok(true)
}

/// Adds a row for the present epoch of every account. The head is locked first and counted up by what was added: in PostgreSQL each
/// statement sees the accounts of its own moment.
pub(super) async fn append_every_account(tx: &mut Connection, at: UnixMillis) -> Result<(), SqlError> {
    let last = take_numbers(tx, 0).await?;
    let added = tx
        .execute(
            "INSERT INTO feed (number, at, kind, subject, epoch)
             SELECT $1 + ROW_NUMBER() OVER (ORDER BY id), $2, 'account', id, epoch FROM accounts",
            [last.into(), at.into()],
        )
        .await?;
    take_numbers(tx, i64::try_from(added).map_err(|_| SqlError::Unreadable("feed_head.n"))?).await?;
    Ok(())
}

/// The number of the last row, also when that row is gone.
pub(super) async fn head(database: &Database) -> Result<i64, SqlError> {
    let head = database.row("SELECT n FROM feed_head", []).await?;
    head.ok_or(SqlError::Unreadable("feed_head.n"))?.int("n")
}

/// The rows after `number`. From the start, only those that can still end a session; a node that follows gets every row, so that a clock that
/// is wrong elsewhere hides nothing from it.
pub(super) async fn rows_after(database: &Database, number: i64, now: UnixMillis) -> Result<Vec<FeedRow>, SqlError> {
    let oldest = if number == 0 { now.minus(KEPT) } else { UnixMillis(i64::MIN) };
    let rows = database
        .rows(
            "SELECT number, at, kind, subject, epoch FROM feed WHERE number > $1 AND at > $2 ORDER BY number",
            [number.into(), oldest.into()],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Counts the head up by `count` and gives back the last number taken.
async fn take_numbers(tx: &mut Connection, count: i64) -> Result<i64, SqlError> {
    let head = tx.row("UPDATE feed_head SET n = n + $1 RETURNING n", [count.into()]).await?;
    head.ok_or(SqlError::Unreadable("feed_head.n"))?.int("n")
}

fn read(row: &Row) -> Result<FeedRow, SqlError> {
    let what = match row.text("kind")?.as_str() {
        "session" => Revoked::Session(row.parsed("subject", SessionId::parse)?),
        "account" => Revoked::AccountBefore(row.parsed("subject", AccountId::parse)?, Epoch(row.int("epoch")?)),
        "everybody" => Revoked::Everybody,
        "activated" => Revoked::TwoFactorActivated,
        _ => return Err(SqlError::Unreadable("feed.kind")),
    };
    Ok(FeedRow { number: row.int("number")?, at: row.at("at")?, what })
}
