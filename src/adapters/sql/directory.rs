//! The port `Directory`: which function each verb is. Floor: edge.

use std::time::Duration;

use async_trait::async_trait;

use super::{SqlLedger, activation, changes, numbers, operators, overview, sessions};
use crate::domain::account::AccountId;
use crate::domain::audit::AuditRecord;
use crate::domain::operator::Forbidden;
use crate::domain::phone::PhoneNumber;
use crate::domain::revocation::FeedRow;
use crate::domain::session::SessionId;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{
    AccountChange, AccountOverview, ActingOperator, ActivationRecord, Census, Changed, Directory, ImportEntry,
    Imported, SessionOverview, SignIns, Standing,
};
use crate::login::ports::PortResult;

/// What touches every account may take this long. Our own figure: ten thousand accounts take a few seconds.
pub(super) const BULK_LIMIT: Duration = Duration::from_secs(120);

#[async_trait]
impl Directory for SqlLedger {
    async fn import(&self, entries: &[ImportEntry]) -> PortResult<Imported> {
        Ok(self.database.write_within(BULK_LIMIT, |tx| changes::import(tx, &self.keys, entries)).await?)
    }

    async fn find(&self, name: &UserName) -> PortResult<Option<AccountOverview>> {
        Ok(overview::find(&self.database, &self.keys, name).await?)
    }

    async fn list(&self, after: Option<&UserName>, most: u32) -> PortResult<Vec<AccountOverview>> {
        Ok(overview::list(&self.database, &self.keys, after, most).await?)
    }

    async fn accounts_with(&self, number: &PhoneNumber) -> PortResult<u64> {
        Ok(numbers::read_accounts_with(&self.database, &self.keys, number).await?)
    }

    async fn change(&self, id: &AccountId, change: &AccountChange, audit: &AuditRecord) -> PortResult<Changed> {
        Ok(self.database.write(|tx| changes::change(tx, &self.keys, id, change, audit)).await?)
    }

    async fn change_as(
        &self,
        operator: &ActingOperator,
        id: &AccountId,
        change: &AccountChange,
        audit: &AuditRecord,
    ) -> PortResult<Result<Changed, Forbidden>> {
        Ok(self.database.write(|tx| operators::change(tx, &self.keys, operator, id, change, audit)).await?)
    }

    async fn begin_action(
        &self,
        operator: &ActingOperator,
        per_hour: u32,
        now: UnixMillis,
    ) -> PortResult<Result<(), Forbidden>> {
        Ok(self.database.write(|tx| operators::begin(tx, &self.keys, operator, per_hour, now)).await?)
    }

    async fn standing(&self, id: &AccountId) -> PortResult<Option<Standing>> {
        Ok(operators::standing(&self.database, id).await?)
    }

    async fn operators(&self) -> PortResult<Vec<AccountOverview>> {
        Ok(overview::operators(&self.database, &self.keys).await?)
    }

    async fn sessions(&self, account: Option<&AccountId>, now: UnixMillis) -> PortResult<Vec<SessionOverview>> {
        Ok(overview::sessions(&self.database, account, now).await?)
    }

    async fn end_session(&self, id: &SessionId, audit: &AuditRecord) -> PortResult<Option<FeedRow>> {
        Ok(self.database.write(|tx| sessions::end(tx, id, audit)).await?)
    }

    async fn end_all_sessions(&self, audit: &AuditRecord) -> PortResult<u64> {
        Ok(self.database.write_within(BULK_LIMIT, |tx| sessions::end_all(tx, audit)).await?)
    }

    async fn activate(&self, window_until: Option<UnixMillis>, audit: &AuditRecord) -> PortResult<ActivationRecord> {
        Ok(self.database.write_within(BULK_LIMIT, |tx| activation::activate(tx, window_until, audit)).await?)
    }

    async fn activated_at(&self) -> PortResult<Option<UnixMillis>> {
        Ok(activation::read_activated_at(&self.database).await?)
    }

    async fn sign_ins(&self, later: UnixMillis, earlier: UnixMillis) -> PortResult<SignIns> {
        Ok(overview::sign_ins(&self.database, later, earlier).await?)
    }

    async fn census(&self, now: UnixMillis) -> PortResult<Census> {
        Ok(overview::census(&self.database, now).await?)
    }
}
