//! Handing a message to one provider after another: what each answer means for the next, as a pure function, and the loop around it, which keeps to
//! one time for all of them. No provider is asked twice for one message: a second copy comes from another one or not at all. Floor: login.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::SendReport;
use super::ports::{Handover, SendOutcome};
use crate::domain::time::UnixMillis;
use crate::login::Login;
use crate::login::fail_point::effect;
use crate::login::figures;
use crate::login::ports::{SmsMessage, SmsResult, SmsSender};

/// With less time than this left nobody is asked any more: the answer could not be waited for. Our own figure.
const LEAST_TIME: Duration = Duration::from_secs(1);

/// What came of a message after one provider or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) outcome: SendOutcome,
    /// `None`: the next provider is asked.
    pub(super) report: Option<SendReport>,
}

/// What a provider's answer makes of a message, `before` being what those before it have made of it.
#[must_use]
pub(super) fn after(before: SendOutcome, answer: &SmsResult) -> Progress {
    match answer {
        SmsResult::Accepted(_) => Progress { outcome: SendOutcome::Accepted, report: Some(SendReport::Sent) },
        SmsResult::Recipient => Progress { outcome: before, report: Some(SendReport::NumberRefused) },
        SmsResult::MaybeSent => Progress { outcome: SendOutcome::MaybeSent, report: None },
        SmsResult::Provider | SmsResult::Transient => Progress { outcome: before, report: None },
    }
}

/// What the person is told when nobody is left to ask.
pub(super) fn at_the_end(outcome: SendOutcome) -> SendReport {
    match outcome {
        SendOutcome::Accepted => SendReport::Sent,
        SendOutcome::MaybeSent => SendReport::MaybeSent,
        SendOutcome::NotSent => SendReport::NotSent,
    }
}

/// What was done with a message.
#[derive(Debug)]
pub(in crate::login) struct HandedOver {
    pub(in crate::login) outcome: SendOutcome,
    pub(in crate::login) report: SendReport,
    /// Who was asked, in that order.
    pub(super) asked: Vec<Handover>,
}

impl Login {
    /// Asks one provider after another, within the time limit of all together.
    pub(in crate::login) async fn hand_over(
        &self,
        providers: &[Arc<dyn SmsSender>],
        message: &SmsMessage<'_>,
        now: UnixMillis,
    ) -> HandedOver {
        let ends = Instant::now() + self.settings.sending.time_limit;
        let least_time = LEAST_TIME.min(self.settings.sending.time_limit);
        let (mut outcome, mut asked) = (SendOutcome::NotSent, Vec::new());
        for sender in providers {
            if ends.saturating_duration_since(Instant::now()) < least_time {
                break;
            }
            let answer = effect("send.handed_over", tokio::time::timeout_at(ends, sender.send(message))).await;
            let answer = answer.unwrap_or_else(|_elapsed| {
                tracing::warn!(provider = sender.name(), "the time for sending ran out; the message may have gone out");
                SmsResult::MaybeSent
            });
            figures::provider_answered(sender.name(), message.to.country(), &answer);
            self.note_answer(sender.name(), &answer, now).await;
            let progress = after(outcome, &answer);
            asked.push(Handover { provider: sender.name().to_owned(), answer });
            outcome = progress.outcome;
            if let Some(report) = progress.report {
                return HandedOver { outcome, report, asked };
            }
        }
        HandedOver { outcome, report: at_the_end(outcome), asked }
    }

    /// Failures in a row let a provider rest; an answer about the message itself ends that.
    async fn note_answer(&self, provider: &str, answer: &SmsResult, now: UnixMillis) {
        match answer {
            SmsResult::Accepted(_) | SmsResult::Recipient => {
                let noted = effect("send.answer_noted", self.ports.breakers.answered(provider));
                if self.best_effort("SMS provider's answer noted", noted).await == Some(true) {
                    tracing::info!(provider, "the SMS provider works again");
                }
            }
            SmsResult::Provider | SmsResult::Transient | SmsResult::MaybeSent => {
                let rules = &self.settings.sending.rests;
                let noted = effect("send.failure_noted", self.ports.breakers.failed(provider, rules, now));
                if self.best_effort("SMS provider's failure noted", noted).await == Some(true) {
                    let rest_s = rules.rest.as_secs();
                    tracing::error!(provider, rest_s, "the SMS provider fails again and again: others are asked first");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answers: &[SmsResult]) -> (SendOutcome, SendReport, usize) {
        let mut outcome = SendOutcome::NotSent;
        for (asked, answer) in (1..).zip(answers) {
            let progress = after(outcome, answer);
            outcome = progress.outcome;
            if let Some(report) = progress.report {
                return (outcome, report, asked);
            }
        }
        (outcome, at_the_end(outcome), answers.len())
    }

    #[test]
    fn each_answer_leads_to_the_next_provider_or_to_the_person() {
        use SendOutcome as O;
        use SendReport as R;
        use SmsResult::{MaybeSent, Provider, Recipient, Transient};
        let accepted = || SmsResult::Accepted(None);
        for (answers, told_as) in [
            (vec![], (O::NotSent, R::NotSent, 0)),
            (vec![accepted(), accepted()], (O::Accepted, R::Sent, 1)),
            (vec![Transient, Provider, accepted()], (O::Accepted, R::Sent, 3)),
            (vec![Transient, Provider], (O::NotSent, R::NotSent, 2)),
            (vec![MaybeSent, accepted()], (O::Accepted, R::Sent, 2)),
            (vec![MaybeSent, Transient], (O::MaybeSent, R::MaybeSent, 2)),
            (vec![Recipient, accepted()], (O::NotSent, R::NumberRefused, 1)),
            (vec![MaybeSent, Recipient, accepted()], (O::MaybeSent, R::NumberRefused, 2)),
        ] {
            assert_eq!(told(&answers), told_as, "{answers:?}");
        }
    }
}
