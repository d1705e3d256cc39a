//! Accounts, counters that cap guessing and sending, sessions, the feed of revocations and the audit trail, in SQLite or PostgreSQL: one set
//! of statements for both. Implements the ports `Ledger`, `RevocationFeed` and `Directory`; decides nothing but what has to be decided inside
//! a transaction. Floor: edge.
//!
//! Start at `ledger`: each verb of a port is one function that works on one transaction. Locks are taken in one order: account (or session),
//! then what hangs on it, then the feed's head.

pub mod database;
pub mod error;

mod accounts;
mod activation;
mod changes;
mod connection;
mod directory;
mod feed;
mod guesses;
mod ledger;
mod overview;
mod personal;
mod schema;
mod sends;
mod sessions;
mod trail;
mod value;

use std::sync::Arc;

use crate::domain::keys::Keys;
use database::Database;

/// The three ports over one database.
#[derive(Clone, Debug)]
pub struct SqlLedger {
    database: Database,
    keys: Arc<Keys>,
}

impl SqlLedger {
    /// `keys`: the data keys.
    #[must_use]
    pub fn new(database: Database, keys: Arc<Keys>) -> Self {
        Self { database, keys }
    }
}
