//! What is done to the accounts as a whole: a copy of them, the way back from one, and other keys. The port behind `vestibule accounts`. Floor: login.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;

use super::ports::PortResult;
use crate::domain::audit::AuditRecord;

/// The accounts as a whole, for operators.
#[async_trait]
pub trait AccountsUpkeep: Send + Sync + fmt::Debug {
    /// Writes a consistent copy into a new file that only its owner may read, while others go on writing. The copy has been examined.
    async fn back_up(&self, to: &Path) -> PortResult<BackUp>;

    /// Seals and hashes with the first data key what is under another one, a few rows a transaction, while others go on writing. Cut off, it
    /// goes on where it was when it is asked again.
    async fn rekey(&self, audit: &AuditRecord) -> PortResult<Rekeyed>;

    /// The database is a copy that was put back: ends every session and pending login and closes enrolment for every account. Gives back how
    /// many sessions that ended, of those the copy knows.
    async fn restored(&self, audit: &AuditRecord) -> PortResult<u64>;
}

/// What a backup came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum BackUp {
    /// The copy is there, this large.
    Done { size_bytes: u64 },
    /// There is a file of this name, and it stays as it is.
    Exists,
    /// The database is a PostgreSQL server, which is copied with its own tools; its address without the password.
    OwnTools { address: String },
}

/// What moving to the first data key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rekeyed {
    /// Sealed values that were moved.
    pub moved: u64,
    /// Keys of the list that nothing is sealed with any more, by their place in the list (from 0) and their id.
    pub unused: Vec<(usize, String)>,
    /// The same for keys other than the first that rows are sealed with all the same: somebody still writes with them.
    pub in_use: Vec<(usize, String)>,
}
