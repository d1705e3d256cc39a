//! The port `AccountsUpkeep`: which function each verb is. Floor: edge.

use std::path::Path;

use async_trait::async_trait;

use super::directory::BULK_LIMIT;
use super::{SqlLedger, rekey, restoring, trail};
use crate::domain::audit::AuditRecord;
use crate::login::ports::PortResult;
use crate::login::upkeep::{AccountsUpkeep, BackUp, Rekeyed};

#[async_trait]
impl AccountsUpkeep for SqlLedger {
    async fn back_up(&self, to: &Path) -> PortResult<BackUp> {
        Ok(self.database.back_up(to).await?)
    }

    async fn rekey(&self, audit: &AuditRecord) -> PortResult<Rekeyed> {
        self.database.write(|tx| trail::record(tx, audit)).await?;
        Ok(rekey::move_all(&self.database, &self.keys).await?)
    }

    async fn restored(&self, audit: &AuditRecord) -> PortResult<u64> {
        let ended = self.database.write_within(BULK_LIMIT, |tx| restoring::end_all(tx, None, audit)).await?;
        Ok(ended.unwrap_or(0))
    }
}
