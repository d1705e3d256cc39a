//! `state` and `accounts`: where pending logins, and where accounts, sessions, counters and the audit log are kept. Floor: roof.

use std::path::PathBuf;

use crate::domain::secret::{SecretBytes, SecretText};

/// Where pending logins and network limits are kept. May forget at any moment.
#[derive(Clone, Debug)]
pub enum State {
    /// In this process; for one node.
    Memory,
    Redis {
        /// `redis:`, `rediss:`, `redis+sentinel:` or `redis+cluster:`; may hold a password.
        url: SecretText,
    },
}

/// Where everything durable is kept.
#[derive(Clone, Debug)]
pub struct Accounts {
    pub store: AccountStore,
    /// 32 bytes each, for phone numbers and e-mail at rest; the first encrypts, all decrypt.
    pub encryption_keys: Vec<SecretBytes>,
}

/// The database.
#[derive(Clone, Debug)]
pub enum AccountStore {
    Sqlite {
        /// Absolute.
        path: PathBuf,
    },
    Postgres {
        /// May hold a password.
        url: SecretText,
    },
}
