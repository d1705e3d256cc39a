//! What sending asks of the outside besides the providers themselves: the counts of messages with what became of them, and which providers
//! rest. Floor: login.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::order::Record;
use crate::domain::account::AccountId;
use crate::domain::audit::AuditRecord;
use crate::domain::limits::SendCaps;
use crate::domain::pending::LoginId;
use crate::domain::phone::Country;
use crate::domain::time::UnixMillis;
use crate::login::ports::{PortResult, SmsResult};

/// Messages, counted and judged. SQL; one verb a transaction. That a code was entered is noted when its login is completed.
#[async_trait]
pub trait SendLedger: Send + Sync + fmt::Debug {
    /// Who was asked for this login before, and how codes fared lately in this country.
    async fn lately(&self, login: &LoginId, country: Country, now: UnixMillis) -> PortResult<Lately>;

    /// Counts an SMS ahead of sending it: for the login, the account, the number, the numbers around it and everybody.
    async fn charge_send(&self, send: &NewSend, caps: &SendCaps, now: UnixMillis) -> PortResult<ChargedSend>;

    /// Says what became of a counted SMS, and who was asked to send it, in that order.
    async fn settle_send(
        &self,
        id: &SendId,
        outcome: SendOutcome,
        asked: &[Handover],
        audit: &AuditRecord,
    ) -> PortResult<()>;
}

/// What the ledger knows when a message is to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lately {
    /// Providers that were asked for earlier messages of the login.
    pub asked: Vec<String>,
    /// By provider; those that sent nothing lately are not there.
    pub records: Vec<(String, Record)>,
}

/// A message was handed to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    pub provider: String,
    pub answer: SmsResult,
}

/// An SMS about to be sent.
#[derive(Clone, Debug)]
pub struct NewSend {
    pub account: AccountId,
    pub login: LoginId,
    /// Keyed hash of the number.
    pub number: [u8; 32],
    pub number_is: NumberIs,
    pub country: Country,
    pub dial_code: u16,
    /// Keyed hash of the number's first seven digits.
    pub prefix: [u8; 32],
    /// Those digits, kept only when the prefix is closed.
    pub prefix_digits: String,
}

/// Whether the number is the account's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberIs {
    OnTheAccount,
    /// It is being put there by whoever is signing in.
    New,
}

/// Names a counted SMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendId(pub String);

/// Whether an SMS may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum SendCharge {
    Granted(SendId),
    /// The account's or the number's limit; again after this long.
    Wait(Duration),
    /// The login's sends are spent.
    LoginSpent,
    /// What is refused to keep the bill small, by the name of the cap; again after this long.
    Guarded(&'static str, Duration),
}

/// What charging an SMS came to, and what there is to tell an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ChargedSend {
    pub charge: SendCharge,
    pub reports: Vec<GuardReport>,
}

/// What an operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuardReport {
    /// So much of a cap is used up: 50, 80 or 100 percent.
    Fills { cap: &'static str, most: u32, percent: u32 },
    /// A prefix is closed from now on.
    Blocked(Block),
    /// It is only observed, else this cap would have refused the message.
    WouldRefuse(&'static str),
}

/// A number prefix that newcomers get no messages at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The first seven digits of its numbers.
    pub digits: String,
    pub blocked_at: UnixMillis,
    pub until: UnixMillis,
    /// Codes whose fate was known, and those among them that were entered.
    pub judged: u32,
    pub entered: u32,
}

/// What became of an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// A provider took it.
    Accepted,
    /// It may have gone out; counts like one that has.
    MaybeSent,
    /// It certainly did not go out: given back.
    NotSent,
}

/// Which providers rest, for all nodes. It may be forgotten: then providers are asked again.
#[async_trait]
pub trait ProviderBreakers: Send + Sync + fmt::Debug {
    /// Whether it rests at `now`.
    async fn rests(&self, provider: &str, now: UnixMillis) -> PortResult<bool>;

    /// It failed. `true` when it rests from now on. After a rest one more failure is enough for the next.
    async fn failed(&self, provider: &str, rules: &RestRules, now: UnixMillis) -> PortResult<bool>;

    /// It did what it is there for: its failures are forgotten. `true` when it had been resting.
    async fn answered(&self, provider: &str) -> PortResult<bool>;
}

/// When a provider rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestRules {
    /// So many failures in a row within `within` let it rest.
    pub failures: u32,
    pub within: Duration,
    pub rest: Duration,
}
