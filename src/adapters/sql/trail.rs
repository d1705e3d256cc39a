//! The audit trail: only ever added to, in the transaction of what it tells, so that what cannot be written down does not happen. Records of
//! what operators do and of what changes security are links of a chain (`domain::audit_chain`).
//!
//! Records wait in their connection and are written by its `commit`: the chain's head is the lock that everybody takes last. Floor: edge.

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::value::{Row, Value};
use crate::domain::audit::{AuditLine, AuditRecord, Link};
use crate::domain::audit_chain::{self, ChainHead};
use crate::domain::keys::Keys;
use crate::domain::user_name::UserName;

/// A record that waits to be written.
pub(super) struct Waiting {
    record: AuditRecord,
    user_name: Option<String>,
}

/// A record that was written, with its link.
pub(super) struct Written {
    record: AuditRecord,
    link: Option<ChainHead>,
}

/// Writes down something that changes nothing else.
pub(super) async fn record(mut tx: Connection, record: &AuditRecord) -> Result<Done<()>, SqlError> {
    append(&mut tx, record).await?;
    tx.commit(()).await
}

/// Adds one record to the transaction. A link of the chain keeps the user name of its account as it is at that moment.
pub(super) async fn append(tx: &mut Connection, record: &AuditRecord) -> Result<(), SqlError> {
    let user_name = match &record.account {
        Some(account) if record.event.is_chained() => {
            let row = tx.row("SELECT user_name FROM accounts WHERE id = $1", [account.into()]).await?;
            row.map(|row| row.text("user_name")).transpose()?
        }
        Some(_) | None => None,
    };
    tx.write_down_at_commit(Waiting { record: record.clone(), user_name });
    Ok(())
}

/// The same for an account whose name is known.
pub(super) fn append_about(tx: &mut Connection, record: &AuditRecord, user_name: &UserName) {
    let user_name = record.event.is_chained().then(|| user_name.as_str().to_owned());
    tx.write_down_at_commit(Waiting { record: record.clone(), user_name });
}

/// Says it in the log as well, once it is committed: why somebody was refused is looked for there first, and with the link there, who takes
/// rows away has to take them out of the log, too.
pub(super) fn tell(written: &Written) {
    let Written { record, link } = written;
    tracing::info!(
        target: "vestibule::audit",
        event = record.event.name(),
        actor = record.actor,
        site = record.site.as_ref().map(tracing::field::display),
        client = record.source.map(tracing::field::display),
        reason = record.reason,
        request = record.request_id,
        head = link.as_ref().map(tracing::field::display),
        "audit"
    );
}

/// Writes what waits. Called by `commit`, after everything else.
pub(super) async fn write(
    tx: &mut Connection,
    keys: Option<&Keys>,
    waiting: Vec<Waiting>,
) -> Result<Vec<Written>, SqlError> {
    let links = waiting.iter().filter(|waiting| waiting.record.event.is_chained()).count();
    let mut head = if links == 0 { ChainHead::default() } else { lock_head(tx, links).await? };
    let mut written = Vec::with_capacity(waiting.len());
    for Waiting { record, user_name } in waiting {
        let mut line = line_of(&record, user_name);
        if record.event.is_chained() {
            let link = audit_chain::link(keys.ok_or(SqlError::Unkeyed)?, &head, &line);
            head = ChainHead { number: link.number, hash: link.hash.clone() };
            line.link = Some(link);
        }
        let link = line.link.is_some().then(|| head.clone());
        insert(tx, line).await?;
        written.push(Written { record, link });
    }
    if links > 0 {
        tx.execute("UPDATE audit_head SET hash = $1", [head.hash.as_slice().into()]).await?;
    }
    Ok(written)
}

/// The last link before the `links` that are added now; the others wait until this transaction is over.
async fn lock_head(tx: &mut Connection, links: usize) -> Result<ChainHead, SqlError> {
    let links = i64::try_from(links).map_err(|_| SqlError::Unreadable("audit_head.number"))?;
    let row = tx.row("UPDATE audit_head SET number = number + $1 RETURNING number, hash", [links.into()]).await?;
    let head = read_head(&row.ok_or(SqlError::Unreadable("audit_head.number"))?)?;
    Ok(ChainHead { number: head.number - links, hash: head.hash })
}

/// The columns `number` and `hash`.
pub(super) fn read_head(row: &Row) -> Result<ChainHead, SqlError> {
    Ok(ChainHead { number: row.int("number")?, hash: row.optional_bytes("hash")?.unwrap_or_default() })
}

/// As it will be read back; the id comes with the insertion.
fn line_of(record: &AuditRecord, user_name: Option<String>) -> AuditLine {
    AuditLine {
        id: 0,
        at: record.at,
        event: record.event.name().to_owned(),
        account: record.account.map(|account| account.to_string()),
        user_name,
        actor: record.actor.clone(),
        site: record.site.as_ref().map(ToString::to_string),
        source: record.source.map(|source| source.to_string()),
        reason: record.reason.clone(),
        request_id: record.request_id.clone(),
        link: None,
    }
}

async fn insert(tx: &mut Connection, line: AuditLine) -> Result<(), SqlError> {
    let (number, hash, key_id, mac) = match line.link {
        Some(Link { number, hash, key_id, mac }) => (Some(number), Some(hash), Some(key_id), Some(mac)),
        None => (None, None, None, None),
    };
    tx.execute(
        "INSERT INTO audit (at, event, account, user_name, actor, site, source, reason, request_id, number, hash, key_id, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        [
            line.at.into(),
            line.event.into(),
            line.account.into(),
            line.user_name.into(),
            line.actor.into(),
            line.site.into(),
            line.source.into(),
            line.reason.into(),
            line.request_id.into(),
            Value::Int(number),
            hash.into(),
            key_id.into(),
            mac.into(),
        ],
    )
    .await?;
    Ok(())
}
