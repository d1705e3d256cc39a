//! A session without a code, after activation: asked for one, with the password it was opened with while that is fresh. Floor: login.

use super::fail_point::effect;
use super::ports::PortResult;
use super::sending::SendReport;
use super::{Client, Login};
use crate::domain::account::AccountStatus;
use crate::domain::language::Language;
use crate::domain::number_change::OwedCode;
use crate::domain::pending::{LoginFacts, LoginHandle, LoginId, NeedsCode, PendingLogin};
use crate::domain::session::Session;
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;

/// What came of asking a session for a code.
#[derive(Debug)]
#[must_use]
pub enum StepUpOutcome {
    /// The code is asked for next.
    NeedsCode(LoginHandle, SendReport),
    /// The password is too old, or a number is to be enrolled: sign in from the start.
    PasswordNeeded,
}

impl Login {
    /// Until when the password of a session without a code is fresh enough for a code to follow it.
    #[must_use]
    pub fn step_up_until(&self, session: &Session) -> UnixMillis {
        session.password_at.plus(self.settings.login_lifetime)
    }

    pub(super) async fn step_up_step(
        &self,
        session: &Session,
        return_path: String,
        client: &Client,
        page_language: Language,
    ) -> PortResult<StepUpOutcome> {
        let now = self.now();
        let ends_at = self.step_up_until(session);
        if ends_at <= now {
            return Ok(StepUpOutcome::PasswordNeeded);
        }
        let Some(account) = self.ports.ledger.account(&session.account).await? else {
            return Ok(StepUpOutcome::PasswordNeeded);
        };
        let is_same = account.epoch == session.epoch && account.status == AccountStatus::Active;
        if !is_same || account.phone.is_none() || account.codes_locked {
            return Ok(StepUpOutcome::PasswordNeeded);
        }
        let handle = LoginHandle::random();
        let id = handle.login_id();
        let login = NeedsCode::new(LoginFacts {
            site: session.site.clone(),
            account: account.id,
            user_name: account.user_name.clone(),
            epoch: account.epoch,
            phone_version: account.phone_version,
            password_at: session.password_at,
            ends_at,
            return_path,
            step_up_of: Some(session.id),
        });
        let record = PendingLogin::NeedsCode(login.clone()).seal(&id, &self.signing_keys);
        effect("step_up.login_put", self.ports.pending.put(&id, &record, ends_at.since(now))).await?;
        let report = self.send_code(&id, OwedCode::SignIn(&login), &account, client, page_language, now).await?;
        Ok(StepUpOutcome::NeedsCode(handle, report))
    }

    pub(super) async fn resend_step(
        &self,
        site: &SiteName,
        id: &LoginId,
        client: &Client,
        page_language: Language,
    ) -> PortResult<Option<SendReport>> {
        let now = self.now();
        let Some(found) = self.find(site, id, now).await? else {
            return Ok(None);
        };
        let PendingLogin::NeedsCode(login) = &found.login else {
            return Ok(None);
        };
        Ok(Some(self.send_code(id, OwedCode::SignIn(login), &found.account, client, page_language, now).await?))
    }
}
