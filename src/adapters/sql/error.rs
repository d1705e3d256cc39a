//! Why the database could not tell. For the log: nobody branches on it, and none of it is shown to a user. Floor: edge.

use std::path::PathBuf;
use std::time::Duration;

use crate::login::ports::PortError;

/// What went wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    #[error("the audit chain cannot go on without the data keys")]
    Unkeyed,
    #[error("accounts.url: {0}")]
    Address(&'static str),
    #[error("the database file {path} cannot be used")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the database did not answer within {0:?}")]
    TimedOut(Duration),
    #[error("the database refused, or broke off")]
    Engine(#[from] sqlx::Error),
    #[error("it is unknown whether the transaction was committed")]
    CommitUnknown(#[source] sqlx::Error),
    #[error("the database has schema {found}, made by a newer version; this one knows up to {known}")]
    NewerSchema { found: i64, known: i64 },
    #[error("the copy is not sound, and was taken away again: {0}")]
    BadCopy(String),
    #[error("the column {0} holds something that this version never writes")]
    Unreadable(&'static str),
    #[error("{field} is sealed with the data key {key}, which is not among accounts.encryption_keys")]
    UnknownKey { field: &'static str, key: String },
    #[error("{0} does not open: it was changed, or moved here from another row")]
    Damaged(&'static str),
    #[error(
        "rows are sealed with data keys that are not among accounts.encryption_keys: {}. Put them back, below the others, and run `vestibule accounts rekey` before taking them out", .0.join(", ")
    )]
    MissingKeys(Vec<String>),
}

impl From<SqlError> for PortError {
    fn from(error: SqlError) -> Self {
        Self::new("sql", error)
    }
}

impl SqlError {
    /// Whether nothing but time was missing.
    pub(super) fn is_out_of_time(&self) -> bool {
        matches!(self, Self::TimedOut(_) | Self::Engine(sqlx::Error::PoolTimedOut))
    }

    /// Whether the database undid the whole transaction for a reason that lies in others, so that the same may be tried again.
    pub(super) fn may_be_repeated(&self) -> bool {
        let Self::Engine(sqlx::Error::Database(error)) = self else { return false };
        // SQLite: BUSY and its two kin. PostgreSQL: serialization_failure, deadlock_detected.
        error.code().is_some_and(|code| matches!(code.as_ref(), "5" | "261" | "517" | "40001" | "40P01"))
    }
}
