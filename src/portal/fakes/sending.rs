//! One provider of SMS that does what the test says, and a ledger that grants every message. Floor: edge.

use async_trait::async_trait;

use super::Outside;
use crate::domain::audit::AuditRecord;
use crate::domain::code::Code;
use crate::domain::language::Language;
use crate::domain::limits::SendCaps;
use crate::domain::pending::LoginId;
use crate::domain::phone::Country;
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::login::ports::{PortResult, SmsMessage, SmsResult, SmsSender, SmsTexts};
use crate::login::sending::ports::{
    ChargedSend, Handover, Lately, NewSend, ProviderBreakers, RestRules, SendCharge, SendId, SendLedger, SendOutcome,
};

#[async_trait]
impl SendLedger for Outside {
    async fn lately(&self, _login: &LoginId, _country: Country, _now: UnixMillis) -> PortResult<Lately> {
        drop(self.answering()?);
        Ok(Lately::default())
    }

    async fn charge_send(&self, _send: &NewSend, _caps: &SendCaps, _now: UnixMillis) -> PortResult<ChargedSend> {
        drop(self.answering()?);
        let charge = SendCharge::Granted(SendId("1".to_owned()));
        Ok(ChargedSend { charge, reports: Vec::new() })
    }

    async fn settle_send(
        &self,
        _id: &SendId,
        _outcome: SendOutcome,
        _asked: &[Handover],
        _audit: &AuditRecord,
    ) -> PortResult<()> {
        Ok(())
    }
}

#[async_trait]
impl ProviderBreakers for Outside {
    async fn rests(&self, _provider: &str, _now: UnixMillis) -> PortResult<bool> {
        Ok(false)
    }

    async fn failed(&self, _provider: &str, _rules: &RestRules, _now: UnixMillis) -> PortResult<bool> {
        Ok(false)
    }

    async fn answered(&self, _provider: &str) -> PortResult<bool> {
        Ok(false)
    }
}

#[async_trait]
impl SmsSender for Outside {
    fn name(&self) -> &str {
        "fake"
    }

    fn countries(&self) -> &[Country] {
        &[]
    }

    async fn send(&self, message: &SmsMessage<'_>) -> SmsResult {
        if let Some(result) = self.sms_results.lock().unwrap().pop() {
            return result;
        }
        self.state().texts.extend(message.code.map(|code| code.reveal().to_owned()));
        SmsResult::Accepted(None)
    }
}

impl SmsTexts for Outside {
    fn text(&self, _site: &SiteName, _language: Language, code: &Code) -> String {
        code.reveal().to_owned()
    }
}
