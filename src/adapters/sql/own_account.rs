//! The port `OwnAccount`: what people see and change of their own. Every statement names the account, so that an id of somebody else's session
//! does nothing. Floor: edge.

use async_trait::async_trait;

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::{SqlLedger, feed, guesses, overview, sessions, trail};
use crate::domain::account::{AccountId, Epoch};
use crate::domain::audit::AuditRecord;
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::{Session, SessionId};
use crate::domain::time::UnixMillis;
use crate::login::directory::SessionOverview;
use crate::login::own_account::{OwnAccount, OwnPasswordChange};
use crate::login::ports::PortResult;

#[async_trait]
impl OwnAccount for SqlLedger {
    async fn open_sessions(&self, account: &AccountId, now: UnixMillis) -> PortResult<Vec<SessionOverview>> {
        Ok(overview::sessions(&self.database, Some(account), now).await?)
    }

    async fn end_own_session(
        &self,
        account: &AccountId,
        id: &SessionId,
        audit: &AuditRecord,
    ) -> PortResult<Option<FeedRow>> {
        let ended = self.database.write(|tx| end_one(tx, account, id, audit)).await?;
        if ended.is_some() {
            trail::tell(audit);
        }
        Ok(ended)
    }

    async fn change_password(&self, change: &OwnPasswordChange) -> PortResult<Option<(Epoch, FeedRow)>> {
        let changed = self.database.write(|tx| change_password(tx, change)).await?;
        if changed.is_some() {
            trail::tell(&change.audit);
        }
        Ok(changed)
    }

    async fn end_other_sessions(&self, kept: &Session, audit: &AuditRecord) -> PortResult<Vec<FeedRow>> {
        let ended = self.database.write(|tx| end_others(tx, kept, audit)).await?;
        if !ended.is_empty() {
            trail::tell(audit);
        }
        Ok(ended)
    }
}

async fn end_one(
    mut tx: Connection,
    account: &AccountId,
    id: &SessionId,
    audit: &AuditRecord,
) -> Result<Done<Option<FeedRow>>, SqlError> {
    let ended = tx
        .execute(
            "UPDATE sessions SET ended_at = $3, end_reason = $4 WHERE id = $1 AND account = $2 AND ended_at IS NULL",
            [id.into(), account.into(), audit.at.into(), audit.event.name().into()],
        )
        .await?;
    if ended == 0 {
        return tx.roll_back(None).await;
    }
    trail::append(&mut tx, audit).await?;
    let row = feed::append(&mut tx, audit.at, Revoked::Session(*id)).await?;
    tx.commit(Some(row)).await
}

async fn change_password(
    mut tx: Connection,
    change: &OwnPasswordChange,
) -> Result<Done<Option<(Epoch, FeedRow)>>, SqlError> {
    let (session, audit) = (&change.session, &change.audit);
    let next = Epoch(session.epoch.0 + 1);
    let changed = tx
        .execute(
            "UPDATE accounts SET password = $3, password_set_at = $4, password_expires_at = NULL
             WHERE id = $1 AND epoch = $2 AND status = 'active'",
            [(&session.account).into(), session.epoch.into(), (&change.chosen).into(), audit.at.into()],
        )
        .await?;
    // taken out of those that end: it goes on in the next epoch, unless it was ended meanwhile
    let kept = tx
        .execute(
            "UPDATE sessions SET epoch = $3, password_at = $4 WHERE id = $1 AND account = $2 AND ended_at IS NULL",
            [(&session.id).into(), (&session.account).into(), next.into(), audit.at.into()],
        )
        .await?;
    if changed == 0 || kept == 0 {
        return tx.roll_back(None).await;
    }
    guesses::forget_password_failures(&mut tx, &session.account).await?;
    trail::append(&mut tx, audit).await?;
    let row = sessions::end_all_before(&mut tx, &session.account, next, audit).await?;
    tx.commit(Some((next, row))).await
}

async fn end_others(mut tx: Connection, kept: &Session, audit: &AuditRecord) -> Result<Done<Vec<FeedRow>>, SqlError> {
    // the account first: two browsers that end each other do not wait for each other's rows
    let is_there = tx
        .execute(
            "UPDATE accounts SET epoch = epoch WHERE id = $1 AND epoch = $2",
            [(&kept.account).into(), kept.epoch.into()],
        )
        .await?;
    if is_there == 0 {
        return tx.roll_back(Vec::new()).await;
    }
    let ended = tx
        .rows(
            "UPDATE sessions SET ended_at = $3, end_reason = $4
             WHERE account = $1 AND id <> $2 AND ended_at IS NULL AND absolute_end > $3 RETURNING id",
            [(&kept.account).into(), (&kept.id).into(), audit.at.into(), audit.event.name().into()],
        )
        .await?;
    if ended.is_empty() {
        return tx.roll_back(Vec::new()).await;
    }
    trail::append(&mut tx, audit).await?;
    let mut rows = Vec::with_capacity(ended.len());
    for row in &ended {
        let id = row.parsed("id", SessionId::parse)?;
        rows.push(feed::append(&mut tx, audit.at, Revoked::Session(id)).await?);
    }
    tx.commit(rows).await
}
