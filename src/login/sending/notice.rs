//! Telling a number that it is not the account's any more: after the fact, in the background, and without a code. Floor: login.

use std::sync::Arc;

use super::order::serving;
use super::ports::SendOutcome;
use crate::domain::account::Account;
use crate::domain::language::Language;
use crate::domain::site::SiteName;
use crate::login::Login;
use crate::login::fail_point::effect;
use crate::login::ports::SmsMessage;

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
        let providers = serving(number.country(), &self.settings.sending.orders, &self.ports.senders);
        let providers: Vec<_> = providers.into_iter().map(Arc::clone).collect();
        let told = effect("account.old_number_told", self.hand_over(&providers, &message, self.now())).await;
        if told.outcome == SendOutcome::NotSent {
            tracing::warn!(country = %number.country(), "the old number could not be told that it was replaced");
        }
    }
}
