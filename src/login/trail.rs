//! What is asked of the audit trail: the port behind `audit`. Nothing here writes: records are written by the verbs of the other ports, in the
//! transaction of what they tell. Floor: login.

use std::fmt;

use async_trait::async_trait;

use super::ports::PortResult;
use crate::domain::account::AccountId;
use crate::domain::audit::{AuditEvent, AuditLine};
use crate::domain::audit_chain::{ChainHead, ChainReport, KnownHead};
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;

/// The audit trail, to read and to check.
#[async_trait]
pub trait Trail: Send + Sync + fmt::Debug {
    /// Lines that the filter lets through, at most `most`.
    async fn page(&self, filter: &TrailFilter, turn: TrailTurn, most: u32) -> PortResult<Vec<AuditLine>>;

    /// Checks the chain from its last checkpoint to its head. `known`: a head that the log has told.
    async fn verify(&self, known: Option<&KnownHead>) -> PortResult<ChainReport>;

    /// Where the chain has got to.
    async fn head(&self) -> PortResult<ChainHead>;
}

/// Which lines. All that is said has to be so.
#[derive(Clone, Debug, Default)]
pub struct TrailFilter {
    pub account: Option<TrailAccount>,
    pub event: Option<AuditEvent>,
    pub actor: Option<String>,
    /// Not before.
    pub since: Option<UnixMillis>,
    /// Before.
    pub until: Option<UnixMillis>,
}

/// What is about an account, or was done by its user.
#[derive(Clone, Debug)]
pub struct TrailAccount {
    /// As it is, or as it was when the line was written.
    pub user_name: UserName,
    /// Of the account that has the name at present, if one has.
    pub id: Option<AccountId>,
}

/// The order of the lines, and where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailTurn {
    /// From the line before this id, or the newest.
    NewestFirst { before: Option<i64> },
    /// From the line after this id, or the oldest.
    OldestFirst { after: Option<i64> },
}
