//! The port `OwnAccount`: what people see and change of their own. Every statement names the account, so that an id of somebody else's session
//! does nothing. Floor: edge.

use async_trait::async_trait;

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::{SqlLedger, accounts, feed, guesses, notices, numbers, overview, sessions, trail};
use crate::domain::account::{AccountId, Epoch};
use crate::domain::audit::AuditRecord;
use crate::domain::keys::Keys;
use crate::domain::notice::Change;
use crate::domain::pending::LoginId;
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::{Session, SessionId};
use crate::domain::time::UnixMillis;
use crate::login::directory::SessionOverview;
use crate::login::own_account::{NumberReplaced, NumberReplacement, OwnAccount, OwnPasswordChange};
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
        Ok(self.database.write(|tx| end_one(tx, account, id, audit)).await?)
    }

    async fn change_password(&self, change: &OwnPasswordChange) -> PortResult<Option<(Epoch, FeedRow)>> {
        Ok(self.database.write(|tx| change_password(tx, change)).await?)
    }

    async fn accept_code(&self, login: &LoginId, account: &AccountId, audit: &AuditRecord) -> PortResult<bool> {
        Ok(self.database.write(|tx| accept_code(tx, login, account, audit)).await?)
    }

    async fn replace_number(&self, replacement: &NumberReplacement) -> PortResult<NumberReplaced> {
        Ok(self.database.write(|tx| replace_number(tx, &self.keys, replacement)).await?)
    }

    async fn end_other_sessions(&self, kept: &Session, audit: &AuditRecord) -> PortResult<Vec<FeedRow>> {
        Ok(self.database.write(|tx| end_others(tx, kept, audit)).await?)
    }
}

async fn end_one(
    mut tx: Connection,
    account: &AccountId,
    id: &SessionId,
    audit: &AuditRecord,
) -> Result<Done<Option<FeedRow>>, SqlError> {
    let Some(row) = sessions::end_one_of(&mut tx, account, id, audit).await? else {
        return tx.roll_back(None).await;
    };
    trail::append(&mut tx, audit).await?;
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
    if changed == 0 || !take_along(&mut tx, session, next, audit.at).await? {
        return tx.roll_back(None).await;
    }
    guesses::forget_password_failures(&mut tx, &session.account).await?;
    trail::append(&mut tx, audit).await?;
    let row = sessions::end_all_before(&mut tx, &session.account, next, audit).await?;
    tx.commit(Some((next, row))).await
}

async fn accept_code(
    mut tx: Connection,
    login: &LoginId,
    account: &AccountId,
    audit: &AuditRecord,
) -> Result<Done<bool>, SqlError> {
    let is_there = tx.execute("UPDATE accounts SET epoch = epoch WHERE id = $1", [account.into()]).await?;
    let before = "SELECT number FROM code_attempts WHERE login_id = $1 AND outcome = 'right'";
    if is_there == 0 || tx.row(before, [login.into()]).await?.is_some() {
        return tx.roll_back(false).await;
    }
    guesses::clear_code_failures(&mut tx, login, account).await?;
    trail::append(&mut tx, audit).await?;
    tx.commit(true).await
}

async fn replace_number(
    mut tx: Connection,
    keys: &Keys,
    replacement: &NumberReplacement,
) -> Result<Done<NumberReplaced>, SqlError> {
    let NumberReplacement { session, audit, .. } = replacement;
    let next = Epoch(session.epoch.0 + 1);
    let is_unmoved = tx
        .execute(
            "UPDATE accounts SET epoch = epoch
             WHERE id = $1 AND epoch = $2 AND phone_version = $3 AND status = 'active' AND codes_locked = 0 AND phone IS NOT NULL",
            [(&session.account).into(), session.epoch.into(), replacement.phone_version.into()],
        )
        .await?;
    if is_unmoved == 0 || !take_along(&mut tx, session, next, replacement.password_at).await? {
        return tx.roll_back(NumberReplaced::Stale).await;
    }
    // one after another from here, as at enrolments: each counts what those before it have stored
    tx.execute("UPDATE enrolment_head SET n = n + 1", []).await?;
    let new_phone = &replacement.new_phone;
    if numbers::accounts_with(&mut tx, keys, &new_phone.number).await? >= u64::from(new_phone.most_accounts) {
        return tx.roll_back(NumberReplaced::NumberTaken).await;
    }
    let account = accounts::lock(&mut tx, keys, &session.account).await?.ok_or(SqlError::Unreadable("accounts"))?;
    notices::write(&mut tx, keys, &account, Change::NumberSet, Some(&new_phone.number), audit).await?;
    sessions::set_phone(&mut tx, keys, &session.account, &new_phone.number, audit.at).await?;
    guesses::clear_code_failures(&mut tx, &replacement.login, &session.account).await?;
    trail::append(&mut tx, audit).await?;
    let row = sessions::end_all_before(&mut tx, &session.account, next, audit).await?;
    tx.commit(NumberReplaced::Done(next, row)).await
}

/// Moves a session to the next epoch of its account, so that it is not among those that end. `false`: it was ended meanwhile.
async fn take_along(
    tx: &mut Connection,
    session: &Session,
    next: Epoch,
    password_at: UnixMillis,
) -> Result<bool, SqlError> {
    let moved = tx
        .execute(
            "UPDATE sessions SET epoch = $3, password_at = $4 WHERE id = $1 AND account = $2 AND ended_at IS NULL",
            [(&session.id).into(), (&session.account).into(), next.into(), password_at.into()],
        )
        .await?;
    Ok(moved > 0)
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
