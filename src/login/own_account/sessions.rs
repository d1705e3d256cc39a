//! One's own sessions: seeing them, ending one, ending all the others. Floor: login.

use std::sync::Arc;

use super::AccountView;
use crate::domain::audit::AuditEvent;
use crate::domain::session::{Session, SessionId};
use crate::login::fail_point::effect;
use crate::login::{Client, Login, StepError};

impl Login {
    /// The account of a session, with its sessions. `Ok(None)`: the account has moved on, and the session is over.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn own_account(self: &Arc<Self>, session: &Session) -> Result<Option<AccountView>, StepError> {
        let (login, session) = (Arc::clone(self), session.clone());
        self.to_its_end(async move {
            let Some(account) = login.own(&session).await? else { return Ok(None) };
            let sessions = login.ports.own_account.open_sessions(&account.id, login.now()).await?;
            let phone_ending = account.phone.as_ref().map(|phone| phone.last_two().to_owned());
            let number_may = login.number_may(&account, login.now());
            Ok(Some(AccountView { phone_ending, number_may, sessions }))
        })
        .await
    }

    /// Ends one of the sessions of the account of `session`. `false`: it is none of them, or has ended already.
    ///
    /// # Errors
    /// The ledger could not tell: the session may still be open.
    pub async fn end_own_session(
        self: &Arc<Self>,
        session: &Session,
        ended: SessionId,
        client: Client,
    ) -> Result<bool, StepError> {
        let (login, session) = (Arc::clone(self), session.clone());
        self.to_its_end(async move {
            let reason = Some(format!("the session {ended}, from the account page"));
            let audit = login.own_audit(AuditEvent::SessionsEnded, &session, &client, login.now(), reason);
            let row = effect(
                "account.session_ended",
                login.ports.own_account.end_own_session(&session.account, &ended, &audit),
            )
            .await?;
            login.sessions.apply(row.as_slice());
            Ok(row.is_some())
        })
        .await
    }

    /// Ends every other session of the account of `session`, and gives back how many there were.
    ///
    /// # Errors
    /// The ledger could not tell: they may still be open.
    pub async fn end_other_sessions(self: &Arc<Self>, session: &Session, client: Client) -> Result<usize, StepError> {
        let (login, session) = (Arc::clone(self), session.clone());
        self.to_its_end(async move {
            let reason = Some("all other sessions, from the account page".to_owned());
            let audit = login.own_audit(AuditEvent::SessionsEnded, &session, &client, login.now(), reason);
            let rows =
                effect("account.others_ended", login.ports.own_account.end_other_sessions(&session, &audit)).await?;
            login.sessions.apply(&rows);
            Ok(rows.len())
        })
        .await
    }
}
