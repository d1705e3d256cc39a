//! What operators see of the SMS that were sent, and undo. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use crate::admin::operations::{Act, OperationError, Operations, Reason, Refusal};
use crate::domain::audit::AuditEvent;
use crate::domain::limits::SendCaps;
use crate::domain::operator::OperatorAction;
use crate::login::sending::guard::{Cap, Recipient, caps_for};
use crate::login::sending::reports::{SmsReports, SmsStats};

/// The operations on what was sent.
#[derive(Clone, Debug)]
pub struct SentSms {
    reports: Arc<dyn SmsReports>,
}

/// A cap, and how many messages it counts; of prefixes and dial codes, those of the fullest one.
#[derive(Clone, Copy, Debug)]
pub struct CapUse {
    pub cap: Cap,
    pub counted: u32,
}

/// The first seven digits of numbers, as an operator writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixDigits(String);

impl PrefixDigits {
    /// `+3247012` or `3247012`; `None` when it is not seven digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (digits.len() == 7 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| Self(digits.to_owned()))
    }

    /// Without the `+`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SentSms {
    #[must_use]
    pub fn new(reports: Arc<dyn SmsReports>) -> Self {
        Self { reports }
    }

    /// How providers fared in the last so long, and which number prefixes are closed.
    ///
    /// # Errors
    /// When the ledger could not tell.
    pub async fn stats(&self, act: &Act, last: Duration) -> Result<SmsStats, OperationError> {
        Ok(self.reports.stats(act.now.minus(last), act.now).await?)
    }

    /// How full each cap is at the moment.
    ///
    /// # Errors
    /// When the ledger could not tell.
    pub async fn caps(&self, act: &Act, caps: &SendCaps) -> Result<Vec<CapUse>, OperationError> {
        let mut told = Vec::new();
        // newcomers fall under all there are
        for cap in caps_for(caps, Recipient::Newcomer) {
            told.push(CapUse { cap, counted: self.reports.counted(&cap, act.now).await? });
        }
        Ok(told)
    }

    async fn unblock(&self, act: &Act, prefix: &PrefixDigits, why: &Reason) -> Result<(), OperationError> {
        // which prefix it was belongs to the record
        let text = format!("+{}: {why}", prefix.as_str());
        let why = Reason::parse(&text);
        let audit = act.record(AuditEvent::SmsUnblocked, None, why.as_ref());
        match self.reports.unblock(prefix.as_str(), &audit).await? {
            true => Ok(()),
            false => Err(Refusal::PrefixNotClosed(prefix.as_str().to_owned()).into()),
        }
    }
}

impl Operations {
    /// Opens a number prefix to newcomers again.
    ///
    /// # Errors
    /// When it is not closed, an operator may not, or the ledger could not tell.
    pub async fn open_prefix(
        &self,
        sms: &SentSms,
        act: &Act,
        prefix: &PrefixDigits,
        why: &Reason,
    ) -> Result<(), OperationError> {
        let _begun = self.permit(act, OperatorAction::OpenPrefix).await?;
        sms.unblock(act, prefix, why).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_seven_digits() {
        for text in ["+3247012", "3247012"] {
            assert_eq!(PrefixDigits::parse(text).unwrap().as_str(), "3247012");
        }
        for text in ["", "+", "324701", "32470123", "32 47012", "+324701a"] {
            assert_eq!(PrefixDigits::parse(text), None, "{text}");
        }
    }
}
