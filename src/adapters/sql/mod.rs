//! Accounts, counters that cap guessing and sending, sessions, the feed of revocations and the audit trail, in SQLite or PostgreSQL: one set
//! of statements for both. Implements the ports `Ledger`, `RevocationFeed`, `SendLedger`, `OwnAccount`, `Directory`, `Outbox` and `Trail`; decides nothing but what has to be decided inside
//! a transaction. Floor: edge.
//!
//! Start at `ledger`: each verb of a port is one function that works on one transaction. Locks are taken in one order: account (or session),
//! then what hangs on it, then the heads: of enrolments, of the feed, of the audit chain.

pub mod database;
pub mod error;

mod accounts;
mod activation;
mod api_tokens;
mod backup;
mod changes;
mod connection;
mod directory;
mod feed;
mod guesses;
mod handovers;
mod ledger;
mod notices;
mod numbers;
mod operators;
mod overview;
mod own_account;
mod personal;
mod rekey;
mod restoring;
mod retention;
mod schema;
mod sends;
mod sessions;
mod sms_guard;
mod sms_reports;
mod tickets;
mod tidy;
mod trail;
mod trail_reading;
mod upkeep;
mod value;

#[cfg(test)]
mod contract;

use std::sync::Arc;

use crate::domain::keys::Keys;
use database::Database;
use error::SqlError;

/// The ports over one database.
#[derive(Clone, Debug)]
pub struct SqlLedger {
    database: Database,
    keys: Arc<Keys>,
}

impl SqlLedger {
    /// `keys`: the data keys.
    #[must_use]
    pub fn new(database: Database, keys: Arc<Keys>) -> Self {
        Self { database: database.with_keys(Arc::clone(&keys)), keys }
    }

    /// The ids of the data keys that rows are sealed with, in hexadecimal. Such a key cannot be taken out of the configuration.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn key_ids_in_use(&self) -> Result<Vec<String>, SqlError> {
        personal::key_ids_in_use(&self.database).await
    }

    /// Whether accounts have a hash that is not argon2id: imported, and not signed in since. Checking one may take longer than one of ours.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn has_foreign_hashes(&self) -> Result<bool, SqlError> {
        let sql = "SELECT id FROM accounts WHERE password NOT LIKE '$argon2id$%' LIMIT 1";
        Ok(self.database.row(sql, []).await?.is_some())
    }

    /// Whether the database was ever a copy that was put back: then serving opens no enrolment by itself.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn was_restored(&self) -> Result<bool, SqlError> {
        restoring::was_restored(&self.database).await
    }

    /// Refuses when a row is sealed with a data key that is not given: asked at start, before anybody signs in.
    ///
    /// # Errors
    /// `MissingKeys` names them; else the database does not answer.
    pub async fn check_keys(&self) -> Result<(), SqlError> {
        let given = self.keys.key_ids();
        let mut missing = self.key_ids_in_use().await?;
        missing.retain(|key| !given.contains(key));
        if missing.is_empty() { Ok(()) } else { Err(SqlError::MissingKeys(missing)) }
    }
}

/// The name of a row that nobody can guess: 16 random bytes, in hexadecimal digits.
fn fresh_id() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}
