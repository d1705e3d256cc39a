//! Reading the audit trail back: page by page for operators, and link by link for the check of its chain. Floor: edge.

use async_trait::async_trait;

use super::SqlLedger;
use super::error::SqlError;
use super::trail::read_head;
use super::value::Row;
use crate::domain::audit::{AuditLine, Link};
use crate::domain::audit_chain::{ChainCheck, ChainHead, ChainReport, Checkpoint, Fault, KnownHead};
use crate::domain::time::UnixMillis;
use crate::login::ports::PortResult;
use crate::login::trail::{Trail, TrailFilter, TrailTurn};

/// Rows that are read at a time for a check. Our own figure.
pub(super) const BATCH: i64 = 1000;
/// How often a check begins anew when retention takes rows away meanwhile. Our own figure.
const MOST_TRIES: u32 = 5;

#[async_trait]
impl Trail for SqlLedger {
    async fn page(&self, filter: &TrailFilter, turn: TrailTurn, most: u32) -> PortResult<Vec<AuditLine>> {
        let (sql, from) = match turn {
            TrailTurn::NewestFirst { before } => (NEWEST_FIRST, before.unwrap_or(i64::MAX)),
            TrailTurn::OldestFirst { after } => (OLDEST_FIRST, after.unwrap_or(i64::MIN)),
        };
        let values = [
            from.into(),
            filter.event.map(|event| event.name().to_owned()).into(),
            filter.actor.clone().into(),
            filter.since.into(),
            filter.until.into(),
            filter.account.as_ref().map(|account| account.user_name.as_str().to_owned()).into(),
            filter.account.as_ref().and_then(|account| account.id.as_ref()).into(),
            most.into(),
        ];
        let rows = self.database.rows(sql, values).await?;
        Ok(rows.iter().map(line).collect::<Result<_, _>>()?)
    }

    async fn verify(&self, known: Option<&KnownHead>) -> PortResult<ChainReport> {
        for _ in 1..MOST_TRIES {
            let checkpoint = self.checkpoint().await?;
            let report = self.check_from(&checkpoint, known).await?;
            if report.is_sound() || self.checkpoint().await? == checkpoint {
                return Ok(report);
            }
        }
        let checkpoint = self.checkpoint().await?;
        Ok(self.check_from(&checkpoint, known).await?)
    }

    async fn head(&self) -> PortResult<ChainHead> {
        Ok(self.chain_head().await?)
    }
}

/// The columns of a line; the name of an account as it was when the record was written, else as it is.
macro_rules! lines_where {
    ($condition:literal) => {
        concat!(
            "SELECT audit.id, audit.at, audit.event, audit.account, COALESCE(audit.user_name, accounts.user_name) AS user_name, audit.actor,
                 audit.site, audit.source, audit.reason, audit.request_id, audit.number, audit.hash, audit.key_id, audit.mac
             FROM audit LEFT JOIN accounts ON accounts.id = audit.account
             WHERE ($2 IS NULL OR audit.event = $2) AND ($3 IS NULL OR audit.actor = $3) AND ($4 IS NULL OR audit.at >= $4)
                 AND ($5 IS NULL OR audit.at < $5)
                 AND ($6 IS NULL OR audit.user_name = $6 OR audit.actor = 'user:' || $6 OR audit.account = $7) AND ",
            $condition,
            " LIMIT $8"
        )
    };
}
const NEWEST_FIRST: &str = lines_where!("audit.id < $1 ORDER BY audit.id DESC");
const OLDEST_FIRST: &str = lines_where!("audit.id > $1 ORDER BY audit.id");

/// So many links after a number.
pub(super) const LINKS: &str =
    "SELECT id, at, event, account, user_name, actor, site, source, reason, request_id, number, hash, key_id, mac
    FROM audit WHERE number > $1 ORDER BY number, id LIMIT $2";

/// Records that have to be links, and are none. The names are those of the events that are not chained.
pub(super) const OUTSIDE: &str = "SELECT id, at, event, account, user_name, actor, site, source, reason, request_id, number, hash, key_id, mac
    FROM audit WHERE number IS NULL AND event NOT IN ('password_refused', 'password_accepted', 'password_rehashed', 'code_sent',
        'code_not_sent', 'code_refused', 'phone_proved', 'ticket_accepted', 'ticket_refused', 'signed_in', 'signed_out') ORDER BY id LIMIT 101";

impl SqlLedger {
    /// Rows are appended while this reads: what the head's row says is read after the rows, and what it says there must be.
    async fn check_from(&self, checkpoint: &Checkpoint, known: Option<&KnownHead>) -> Result<ChainReport, SqlError> {
        let mut check = ChainCheck::begin(&self.keys, checkpoint, known);
        let mut last_number = checkpoint.head.number;
        let head = loop {
            let before = last_number;
            while let Some(number) = self.check_links(&mut check, last_number).await? {
                last_number = number;
            }
            let head = self.chain_head().await?;
            if head.number <= check.last().number || last_number == before {
                break head;
            }
        };
        for row in &self.database.rows(OUTSIDE, []).await? {
            match line(row) {
                Ok(line) => check.line(&line),
                Err(_) => check.fault(Fault::Unreadable { row: row.int("id")? }),
            }
        }
        Ok(check.end(&head))
    }

    /// Some links after `number`; gives back the number of the last one, `None` when there are no more.
    async fn check_links(&self, check: &mut ChainCheck<'_>, number: i64) -> Result<Option<i64>, SqlError> {
        let rows = self.database.rows(LINKS, [number.into(), BATCH.into()]).await?;
        let mut last = None;
        for row in &rows {
            // a number that is none ends the walk: SQLite sorts it last
            let Ok(number) = row.int("number") else {
                check.fault(Fault::Unreadable { row: row.int("id")? });
                continue;
            };
            last = Some(number);
            match line(row) {
                Ok(line) => check.line(&line),
                Err(_) => check.fault(Fault::Unreadable { row: row.int("id")? }),
            }
        }
        Ok(last)
    }

    async fn chain_head(&self) -> Result<ChainHead, SqlError> {
        let row = self.database.row("SELECT number, hash FROM audit_head", []).await?;
        // somebody has taken the row away: nothing is the end then
        row.map_or_else(|| Ok(ChainHead::default()), |row| read_head(&row))
    }

    async fn checkpoint(&self) -> Result<Checkpoint, SqlError> {
        let row = self.database.row("SELECT number, hash, at, key_id, seal FROM audit_checkpoint", []).await?;
        row.map_or_else(|| Ok(Checkpoint::default()), |row| read_checkpoint(&row))
    }
}

pub(super) fn read_checkpoint(row: &Row) -> Result<Checkpoint, SqlError> {
    Ok(Checkpoint {
        head: read_head(row)?,
        at: row.optional_at("at")?.unwrap_or_default(),
        key_id: row.optional_text("key_id")?.unwrap_or_default(),
        seal: row.optional_bytes("seal")?.unwrap_or_default(),
    })
}

/// What the row holds, whoever wrote it.
pub(super) fn line(row: &Row) -> Result<AuditLine, SqlError> {
    let link = match row.optional_int("number")? {
        Some(number) => Some(Link {
            number,
            hash: row.optional_bytes("hash")?.unwrap_or_default(),
            key_id: row.optional_text("key_id")?.unwrap_or_default(),
            mac: row.optional_bytes("mac")?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(AuditLine {
        id: row.int("id")?,
        at: UnixMillis(row.int("at")?),
        event: row.text("event")?,
        account: row.optional_text("account")?,
        user_name: row.optional_text("user_name")?,
        actor: row.text("actor")?,
        site: row.optional_text("site")?,
        source: row.optional_text("source")?,
        reason: row.optional_text("reason")?,
        request_id: row.optional_text("request_id")?,
        link,
    })
}
