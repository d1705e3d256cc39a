//! A pending login as a page shows it. Reads only: spends and sends nothing. Floor: login.

use super::Login;
use super::ports::{PortResult, StoredLogin};
use crate::domain::pending::{LoginId, PendingLogin};
use crate::domain::phone::PhoneNumber;
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;

/// A pending login as a page shows it.
#[derive(Clone, Debug)]
pub struct PendingView {
    pub user_name: String,
    pub return_path: String,
    pub ends_at: UnixMillis,
    pub stage: PendingStage,
    /// Whether the number has to come with a ticket, which was not shown yet.
    pub ticket_owed: bool,
}

/// What a pending login waits for.
#[derive(Clone, Debug)]
pub enum PendingStage {
    Phone,
    Code(CodeStage),
    NewPassword,
}

/// A pending login that waits for its code.
#[derive(Clone, Debug)]
pub struct CodeStage {
    /// The number the code goes to. Show its last two digits; all of it only while enrolling.
    pub number: PhoneNumber,
    pub enrolling: bool,
    /// Until when the code is good; `None` when none was sent or it has expired.
    pub code_until: Option<UnixMillis>,
    pub attempts_left: u32,
    pub sends_left: u32,
    /// When the code may be sent again.
    pub resend_at: UnixMillis,
}

impl Login {
    pub(super) async fn view(&self, site: &SiteName, id: &LoginId) -> PortResult<Option<PendingView>> {
        let now = self.now();
        let Some(found) = self.find(site, id, now).await? else {
            return Ok(None);
        };
        let facts = found.login.facts();
        let ticket_owed = self.owes_ticket(&found.login);
        let stage = match &found.login {
            PendingLogin::NeedsPhone(_) => PendingStage::Phone,
            PendingLogin::NeedsNewPassword(_) => PendingStage::NewPassword,
            PendingLogin::NeedsCode(login) => {
                let Some(number) = login.candidate().or(found.account.phone.as_ref()).cloned() else {
                    return Ok(None);
                };
                PendingStage::Code(CodeStage {
                    enrolling: login.candidate().is_some(),
                    number,
                    code_until: found.stored.code_until.filter(|until| *until > now),
                    attempts_left: self.settings.code_attempts.per_login.saturating_sub(found.stored.attempts),
                    sends_left: self.settings.sending.caps.per_login.saturating_sub(found.stored.sends),
                    resend_at: self.resend_at(&found.stored, now),
                })
            }
        };
        Ok(Some(PendingView {
            user_name: facts.user_name.as_str().to_owned(),
            return_path: facts.return_path.clone(),
            ends_at: facts.ends_at,
            stage,
            ticket_owed,
        }))
    }

    pub(super) fn resend_at(&self, stored: &StoredLogin, now: UnixMillis) -> UnixMillis {
        let Some(last) = stored.last_send_at else {
            return now;
        };
        let waits = &self.settings.resend_waits;
        let index = usize::try_from(stored.sends.saturating_sub(1)).unwrap_or(usize::MAX);
        last.plus(waits.get(index).or(waits.last()).copied().unwrap_or_default())
    }
}
