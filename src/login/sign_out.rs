//! Ending one's own session, everywhere. Floor: login.

use super::fail_point::effect;
use super::ports::PortResult;
use super::{Client, Login};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::session::Session;

impl Login {
    pub(super) async fn sign_out_step(&self, session: &Session, client: &Client) -> PortResult<()> {
        let audit = AuditRecord {
            at: self.now(),
            event: AuditEvent::SignedOut,
            account: Some(session.account),
            actor: format!("user:{}", session.user_name.as_str()),
            site: Some(session.site.clone()),
            source: Some(client.address),
            reason: None,
            request_id: Some(client.request_id.clone()),
        };
        let row = effect("sign_out.session_ended", self.ports.ledger.end_session(&session.id, &audit)).await?;
        self.sessions.apply(row.as_slice());
        Ok(())
    }
}
