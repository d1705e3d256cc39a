//! Telling a number that it is not the account's any more: after the fact, in the background, and without a code. Floor: login.

use std::sync::Arc;

use super::order::senders_for;
use crate::domain::account::Account;
use crate::domain::language::Language;
use crate::domain::site::SiteName;
use crate::login::Login;
use crate::login::fail_point::effect;
use crate::login::ports::{SmsMessage, SmsResult};

impl Login {
    /// `account` as it was before its number changed. Nobody waits for it, and a failure is only logged: the number is changed.
    pub(in crate::login) fn tell_old_number(self: &Arc<Self>, site: &SiteName, account: Account) {
        let (login, site) = (Arc::clone(self), site.clone());
        self.runtime.spawn(async move { login.hand_notice_over(&site, &account).await });
    }

    async fn hand_notice_over(&self, site: &SiteName, account: &Account) {
        let Some(number) = &account.phone else { return };
        let language = account.language.unwrap_or(Language::En);
        let text = self.ports.texts.number_changed(site, language);
        let message = SmsMessage { to: number, text: &text, code: None, app: self.app_name(site), language };
        let ends = tokio::time::Instant::now() + self.settings.send_time_limit;
        for sender in senders_for(number.country(), &self.ports.senders) {
            let sent = effect("account.old_number_told", tokio::time::timeout_at(ends, sender.send(&message))).await;
            match sent {
                Ok(SmsResult::Accepted(_) | SmsResult::MaybeSent) => return,
                Ok(SmsResult::Recipient | SmsResult::Provider | SmsResult::Transient) => {}
                Err(_elapsed) => break,
            }
        }
        tracing::warn!(country = %number.country(), "the old number could not be told that it was replaced");
    }
}
