//! A feed in which nothing is ever revoked, for tests of what lies above. Floor: login.

use async_trait::async_trait;

use super::ports::{PortResult, RevocationFeed};
use crate::domain::revocation::FeedRow;
use crate::domain::time::UnixMillis;

#[derive(Debug)]
pub(crate) struct SilentFeed;

#[async_trait]
impl RevocationFeed for SilentFeed {
    async fn head(&self) -> PortResult<i64> {
        Ok(0)
    }

    async fn rows_after(&self, _number: i64, _now: UnixMillis) -> PortResult<Vec<FeedRow>> {
        Ok(Vec::new())
    }

    async fn activated_at(&self) -> PortResult<Option<UnixMillis>> {
        Ok(None)
    }
}
