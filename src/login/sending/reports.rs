//! What operators are told about SMS that were sent, and the one thing they undo. The port behind `vestibule sms stats` and `unblock`. Floor: login.

use std::fmt;

use async_trait::async_trait;

use super::guard::Cap;
use super::ports::Block;
use crate::domain::audit::AuditRecord;
use crate::domain::time::UnixMillis;
use crate::login::ports::PortResult;

/// What the ledger tells operators about SMS.
#[async_trait]
pub trait SmsReports: Send + Sync + fmt::Debug {
    /// How providers fared since then, and what is closed at `now`.
    async fn stats(&self, since: UnixMillis, now: UnixMillis) -> PortResult<SmsStats>;

    /// How many messages a cap counts at `now`; of prefixes and dial codes, those of the fullest one.
    async fn counted(&self, cap: &Cap, now: UnixMillis) -> PortResult<u32>;

    /// Opens a number prefix (seven digits) to newcomers again. `false` when it is not closed.
    async fn unblock(&self, digits: &str, audit: &AuditRecord) -> PortResult<bool>;
}

/// What there is to tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmsStats {
    /// Codes sent, as the limits count them, and those among them that went to newcomers.
    pub sent: u32,
    pub to_newcomers: u32,
    pub providers: Vec<ProviderStats>,
    pub blocks: Vec<Block>,
}

/// How a provider fared in a country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderStats {
    pub provider: String,
    /// Two capitals.
    pub country: String,
    /// How often it was asked to send.
    pub asked: u32,
    pub accepted: u32,
    /// Nobody knows whether it took the message.
    pub maybe_sent: u32,
    /// It said that it cannot, or did not answer.
    pub failed: u32,
    /// It said that the number cannot be texted.
    pub recipient_refused: u32,
    /// Codes whose fate is known, failures included, and those among them that were entered.
    pub judged: u32,
    pub entered: u32,
}

impl ProviderStats {
    /// The share of entered codes among those whose fate is known, in percent.
    #[must_use]
    pub fn entered_percent(&self) -> Option<u32> {
        self.entered.saturating_mul(100).checked_div(self.judged)
    }
}
