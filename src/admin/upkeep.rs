//! What operators do to the accounts as a whole. Floor: edge.

use std::path::Path;
use std::sync::Arc;

use crate::admin::operations::{Act, OperationError, Reason, Refusal};
use crate::domain::audit::AuditEvent;
use crate::login::upkeep::{AccountsUpkeep, BackUp, Rekeyed};

/// The operations on all accounts at once.
#[derive(Clone, Debug)]
pub struct Upkeep {
    accounts: Arc<dyn AccountsUpkeep>,
}

impl Upkeep {
    #[must_use]
    pub fn new(accounts: Arc<dyn AccountsUpkeep>) -> Upkeep {
        Upkeep { accounts }
    }

    /// Copies the database into a new file while others use it; gives back how large the copy is.
    ///
    /// # Errors
    /// When there is such a file already, when the database is a server with tools of its own, or when it could not be copied.
    pub async fn back_up(&self, to: &Path) -> Result<u64, OperationError> {
        match self.accounts.back_up(to).await? {
            BackUp::Done { size_bytes } => Ok(size_bytes),
            BackUp::Exists => Err(Refusal::FileExists(to.to_owned()).into()),
            BackUp::OwnTools { address } => Err(Refusal::OwnTools { file: to.to_owned(), address }.into()),
        }
    }

    /// Moves what is sealed and hashed to the first data key, so that the others can be taken out of the configuration.
    ///
    /// # Errors
    /// When the accounts could not tell; what was moved stays so, and the next call goes on.
    pub async fn rekey(&self, act: &Act, why: Option<&Reason>) -> Result<Rekeyed, OperationError> {
        Ok(self.accounts.rekey(&act.record(AuditEvent::AccountsRekeyed, None, why)).await?)
    }

    /// The database is a copy that was put back on purpose: everybody signs in again, and nobody enrols a number until an operator says so. Gives
    /// back how many sessions that ended, of those the copy knows.
    ///
    /// # Errors
    /// When the accounts could not tell: then it may or may not be done; do it again.
    pub async fn restored(&self, act: &Act, why: &Reason) -> Result<u64, OperationError> {
        Ok(self.accounts.restored(&act.record(AuditEvent::AccountsRestored, None, Some(why))).await?)
    }
}
