//! Operations on sessions. Floor: edge.

use crate::admin::operations::{Act, Effect, OperationError, Operations, Reason, Refusal};
use crate::domain::audit::AuditEvent;
use crate::domain::operator::OperatorAction;
use crate::domain::session::SessionId;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountChange, SessionOverview};

/// Which sessions to end.
#[derive(Clone, Debug)]
pub enum WhichSessions {
    One(SessionId),
    /// Of this user, by whoever may end this user's sessions.
    OneOfUser(UserName, SessionId),
    /// Pending logins of the account end too.
    OfUser(UserName),
    /// Everybody's.
    All,
}

/// What has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Ended {
    Some(Effect),
    /// So many of everybody's.
    All(u64),
}

impl Operations {
    /// Sessions that are not over, newest first; of one user or of all.
    ///
    /// # Errors
    /// When there is no such account, or the directory could not tell.
    pub async fn sessions(
        &self,
        of: Option<&UserName>,
        now: UnixMillis,
    ) -> Result<Vec<SessionOverview>, OperationError> {
        let account = match of {
            Some(name) => Some(self.account(name).await?.id),
            None => None,
        };
        Ok(self.directory.sessions(account.as_ref(), now).await?)
    }

    /// Ends sessions on every node.
    ///
    /// # Errors
    /// When there is no such session or account.
    pub async fn end_sessions(&self, act: &Act, which: &WhichSessions, why: &Reason) -> Result<Ended, OperationError> {
        let audit = act.record(AuditEvent::SessionsEnded, None, Some(why));
        match which {
            WhichSessions::One(id) => {
                let _begun = self.permit(act, OperatorAction::EndEverybodysSessions).await?;
                let row = self.directory.end_session(id, &audit).await?.ok_or(Refusal::NoSuchSession)?;
                Ok(Ended::Some(Effect::Done(vec![row])))
            }
            WhichSessions::OneOfUser(name, id) => {
                let account = self.account(name).await?;
                let change = AccountChange::EndSession(*id);
                self.change(act, &account, change, AuditEvent::SessionsEnded, Some(why)).await.map(Ended::Some)
            }
            WhichSessions::OfUser(name) => {
                let account = self.account(name).await?;
                let change = AccountChange::EndSessions;
                self.change(act, &account, change, AuditEvent::SessionsEnded, Some(why)).await.map(Ended::Some)
            }
            WhichSessions::All => {
                let _begun = self.permit(act, OperatorAction::EndEverybodysSessions).await?;
                Ok(Ended::All(self.directory.end_all_sessions(&audit).await?))
            }
        }
    }
}
