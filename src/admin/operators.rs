//! Who may sign in as an operator. The first is appointed on the command line, which needs none. Floor: edge.

use crate::admin::operations::{Act, Effect, OperationError, Operations, Reason};
use crate::domain::account::AccountId;
use crate::domain::audit::AuditEvent;
use crate::domain::operator::OperatorRole;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountChange, AccountOverview, Standing};

impl Operations {
    /// The operators, by user name.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn operators(&self) -> Result<Vec<AccountOverview>, OperationError> {
        Ok(self.directory.operators().await?)
    }

    /// What an account is at this moment, for somebody who is signed in as an operator. `None` when it is gone.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn standing(&self, account: &AccountId) -> Result<Option<Standing>, OperationError> {
        Ok(self.directory.standing(account).await?)
    }

    /// Gives the account a role, or another one. Its sessions end, so that nobody goes on with what was decided before.
    ///
    /// # Errors
    /// When there is no such account, or whoever acts may not.
    pub async fn appoint(
        &self,
        act: &Act,
        name: &UserName,
        role: OperatorRole,
        why: &Reason,
    ) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        let change = AccountChange::OperatorRole(Some(role));
        self.change(act, &account, change, AuditEvent::OperatorAppointed, Some(why)).await
    }

    /// Takes the role away; the account's sessions end, also those at the sites.
    ///
    /// # Errors
    /// When there is no such account, or whoever acts may not.
    pub async fn dismiss(&self, act: &Act, name: &UserName, why: &Reason) -> Result<Effect, OperationError> {
        let account = self.account(name).await?;
        let change = AccountChange::OperatorRole(None);
        self.change(act, &account, change, AuditEvent::OperatorDismissed, Some(why)).await
    }
}
