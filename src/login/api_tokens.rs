//! The tokens of the admin API, as the ledger keeps them: the port behind `token` and the API. What a token may do is asked where it does it
//! (`login::directory`). Also what networks may try that show wrong ones. Floor: login.

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;

use super::Login;
use super::networks::Networks;
use super::ports::PortResult;
use crate::domain::api_token::{ApiTokenHash, ApiTokenName, KnownApiToken};
use crate::domain::audit::AuditRecord;
use crate::domain::limits::Charge;
use crate::domain::time::UnixMillis;

/// Tokens of the admin API. Each verb is one transaction with its audit record.
#[async_trait]
pub trait ApiTokens: Send + Sync + fmt::Debug {
    /// Keeps a new one. `false`, with nothing written, when there is one of this name.
    async fn create(&self, token: &KnownApiToken, hash: &ApiTokenHash, audit: &AuditRecord) -> PortResult<bool>;

    /// Takes one away: from then on it is good for nothing, on every node. `false`, with nothing written, when there is none of this name.
    async fn revoke(&self, name: &ApiTokenName, audit: &AuditRecord) -> PortResult<bool>;

    /// All of them by name, those that are over included.
    async fn all(&self) -> PortResult<Vec<KnownApiToken>>;

    /// The one that is shown, if it is good at `now`; that it was used is noted.
    async fn recognise(&self, hash: &ApiTokenHash, now: UnixMillis) -> PortResult<Option<KnownApiToken>>;
}

impl Login {
    /// Counts a token that was none against its network, as a failure of its own kind. `Wait`: there were too many.
    ///
    /// # Errors
    /// The limits could not tell.
    pub async fn charge_wrong_token(&self, address: IpAddr, now: UnixMillis) -> PortResult<Charge> {
        Networks::of(&*self.ports.limits, &self.settings.networks, address).charge_wrong_token(now).await
    }
}
