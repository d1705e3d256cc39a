//! The port `SmsReports`: how providers fared, and which prefixes are closed. Floor: edge.

use async_trait::async_trait;

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::handovers::LEFT_LYING;
use super::{SqlLedger, trail};
use crate::domain::audit::AuditRecord;
use crate::domain::time::UnixMillis;
use crate::login::ports::PortResult;
use crate::login::sending::guard::{Cap, Scope};
use crate::login::sending::ports::Block;
use crate::login::sending::reports::{ProviderStats, SmsReports, SmsStats};

#[async_trait]
impl SmsReports for SqlLedger {
    async fn stats(&self, since: UnixMillis, now: UnixMillis) -> PortResult<SmsStats> {
        Ok(stats(self, since, now).await?)
    }

    async fn counted(&self, cap: &Cap, now: UnixMillis) -> PortResult<u32> {
        Ok(counted(self, cap, now).await?)
    }

    async fn unblock(&self, digits: &str, audit: &AuditRecord) -> PortResult<bool> {
        Ok(self.database.write(|tx| unblock(tx, digits, audit)).await?)
    }
}

async fn stats(ledger: &SqlLedger, since: UnixMillis, now: UnixMillis) -> Result<SmsStats, SqlError> {
    let sent = ledger
        .database
        .row(
            "SELECT COUNT(*) AS sent, COUNT(CASE WHEN newcomer = 1 THEN 1 END) AS to_newcomers
             FROM sms_sends WHERE at > $1 AND outcome <> 'not_sent'",
            [since.into()],
        )
        .await?;
    let (sent, to_newcomers) = match sent {
        Some(row) => (row.count("sent")?, row.count("to_newcomers")?),
        None => (0, 0),
    };
    let providers = ledger
        .database
        .rows(
            "SELECT provider, country, COUNT(*) AS asked,
                 COUNT(CASE WHEN answer = 'accepted' THEN 1 END) AS accepted,
                 COUNT(CASE WHEN answer = 'maybe_sent' THEN 1 END) AS maybe_sent,
                 COUNT(CASE WHEN answer IN ('provider', 'transient') THEN 1 END) AS failed,
                 COUNT(CASE WHEN answer = 'recipient' THEN 1 END) AS recipient_refused,
                 COUNT(CASE WHEN answer <> 'recipient' AND (fate IS NOT NULL OR at < $2) THEN 1 END) AS judged,
                 COUNT(CASE WHEN fate = 'entered' THEN 1 END) AS entered
             FROM sms_handovers WHERE at > $1 GROUP BY provider, country ORDER BY country, provider",
            [since.into(), now.minus(LEFT_LYING).into()],
        )
        .await?;
    let blocks = ledger
        .database
        .rows(
            "SELECT digits, blocked_at, counted_from, judged, entered FROM sms_blocks WHERE counted_from > $1 ORDER BY blocked_at",
            [now.into()],
        )
        .await?;
    Ok(SmsStats {
        sent,
        to_newcomers,
        providers: providers
            .iter()
            .map(|row| {
                Ok(ProviderStats {
                    provider: row.text("provider")?,
                    country: row.text("country")?,
                    asked: row.count("asked")?,
                    accepted: row.count("accepted")?,
                    maybe_sent: row.count("maybe_sent")?,
                    failed: row.count("failed")?,
                    recipient_refused: row.count("recipient_refused")?,
                    judged: row.count("judged")?,
                    entered: row.count("entered")?,
                })
            })
            .collect::<Result<_, SqlError>>()?,
        blocks: blocks
            .iter()
            .map(|row| {
                Ok(Block {
                    digits: row.text("digits")?,
                    blocked_at: row.at("blocked_at")?,
                    until: row.at("counted_from")?,
                    judged: row.count("judged")?,
                    entered: row.count("entered")?,
                })
            })
            .collect::<Result<_, SqlError>>()?,
    })
}

async fn counted(ledger: &SqlLedger, cap: &Cap, now: UnixMillis) -> Result<u32, SqlError> {
    let sql = match cap.scope {
        Scope::Total => "SELECT COUNT(*) AS count FROM sms_sends WHERE at > $1 AND outcome <> 'not_sent'",
        Scope::Newcomers => {
            "SELECT COUNT(*) AS count FROM sms_sends WHERE newcomer = 1 AND at > $1 AND outcome <> 'not_sent'"
        }
        Scope::Prefix => {
            "SELECT COUNT(*) AS count FROM sms_sends WHERE newcomer = 1 AND at > $1 AND outcome <> 'not_sent'
             GROUP BY prefix ORDER BY count DESC LIMIT 1"
        }
        Scope::DialCode => {
            "SELECT COUNT(*) AS count FROM sms_sends WHERE newcomer = 1 AND at > $1 AND outcome <> 'not_sent'
             GROUP BY dial_code ORDER BY count DESC LIMIT 1"
        }
    };
    let row = ledger.database.row(sql, [now.minus(cap.window).into()]).await?;
    row.map_or(Ok(0), |row| row.count("count"))
}

/// What was sent until now does not count against the prefix again.
async fn unblock(mut tx: Connection, digits: &str, audit: &AuditRecord) -> Result<Done<bool>, SqlError> {
    let unblocked = tx
        .execute(
            "UPDATE sms_blocks SET counted_from = $2 WHERE digits = $1 AND counted_from > $2",
            [digits.into(), audit.at.into()],
        )
        .await?;
    if unblocked == 0 {
        return tx.roll_back(false).await;
    }
    trail::append(&mut tx, audit).await?;
    tx.commit(true).await
}
