//! Telling people what has changed: after the fact, apart from it, and without a code. What is to be told was written down with the change; here it
//! is taken, handed over and ticked off, again and again for a while when nobody takes it. A change never waits for it. Floor: login.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::fail_point::effect;
use super::ports::{PortResult, SmsMessage};
use super::sending::order::serving;
use super::sending::ports::SendOutcome;
use super::{Login, SendReport};
use crate::domain::limits::SendCaps;
use crate::domain::notice::{Notice, Recipient, Way};
use crate::domain::phone::PhoneNumber;
use crate::domain::time::UnixMillis;

/// How often a notice is tried. Our own figure: with the waits below, the last time is half a day after the first.
const MOST_TRIES: u32 = 10;
/// The wait after the first try; each further one is four times as long, up to `LONGEST_WAIT`. Our own figures.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(4 * 3600);
/// What happened longer ago is told to nobody any more. Our own figure.
const TOLD_WITHIN: Duration = Duration::from_secs(3 * 24 * 3600);
/// So many notices are carried out before it is looked whether the process ends or the configuration is another. Our own figure.
const AT_ONCE: u32 = 50;

/// What people are still to be told. SQL: it is written in the transaction of the change.
#[async_trait]
pub trait Outbox: Send + Sync + fmt::Debug {
    /// Whether a notice of this way waits for somebody to take it. Only reads.
    async fn is_due(&self, way: Way, now: UnixMillis) -> PortResult<bool>;

    /// Takes one that is due, for this node alone until its lease is over, and counts the try; an SMS is counted as one that is sent.
    async fn claim(&self, way: Way, caps: &SendCaps, now: UnixMillis) -> PortResult<Claim>;

    /// Says what became of it. Nothing happens when the lease was over and another node has taken it.
    async fn settle(&self, claimed: &Claimed, fate: Fate) -> PortResult<()>;
}

/// What taking a notice came to.
#[derive(Debug)]
#[must_use]
pub enum Claim {
    Notice(Box<Claimed>),
    /// The limits of SMS leave no room for it; it waits, and the try does not count.
    PutOff {
        id: String,
        /// When the change was.
        at: UnixMillis,
        /// The limit, as the log calls it.
        cap: &'static str,
    },
    /// Nothing is due.
    Nothing,
}

/// A notice in the hands of this node.
#[derive(Debug)]
pub struct Claimed {
    pub id: String,
    /// Names the claim: another one has another name.
    pub lease: String,
    pub notice: Notice,
    pub to: Recipient,
    /// Which try this is, from 1.
    pub tries: u32,
    /// The SMS as it was counted.
    pub send: Option<String>,
}

/// What becomes of a notice after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is taken off the list. `NotSent`: given up.
    Over(SendOutcome),
    /// It was not sent, and is due again then.
    Again(UnixMillis),
}

/// Sends a mail. One call is one attempt, within the time limit of its settings.
#[async_trait]
pub trait MailSender: Send + Sync + fmt::Debug {
    async fn send(&self, mail: &Mail) -> MailResult;
}

/// A mail of plain text. `Debug` leaves out all but the id.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Letters and digits; the same when it is sent again, so that a reader can tell the second copy.
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// What `Date` says.
    pub at: UnixMillis,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a mail server made of a mail. The adapter has logged the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum MailResult {
    Taken,
    /// It does not take mail for this address, now or later.
    Refused,
    /// It does not answer, or says that it cannot now. It may have been taken all the same; it is sent again then.
    NotNow,
}

/// The text of a notice, from the language files.
pub trait NoticeTexts: Send + Sync + fmt::Debug {
    fn sms(&self, notice: &Notice) -> String;

    /// Subject and text.
    fn mail(&self, notice: &Notice) -> (String, String);
}

/// Tells people what has changed.
#[derive(Clone, Debug)]
pub struct Notices {
    /// Knows the providers of SMS and the limits.
    pub login: Arc<Login>,
    pub outbox: Arc<dyn Outbox>,
    pub texts: Arc<dyn NoticeTexts>,
    /// `None`: no mail is sent, and what would be is forgotten.
    pub mail: Option<Arc<dyn MailSender>>,
}

impl Notices {
    /// Carries out what is due by this way; gives back how many were taken. To be called again and again, by every node.
    ///
    /// # Errors
    /// The outbox could not tell; what was taken comes up again.
    pub async fn carry_out(&self, way: Way) -> PortResult<u32> {
        for taken in 0..AT_ONCE {
            let now = self.login.now();
            // most of the time nothing is, and to claim is to write
            if !self.outbox.is_due(way, now).await? {
                return Ok(taken);
            }
            let caps = &self.login.settings.sending.caps;
            match effect("notice.claimed", self.outbox.claim(way, caps, now)).await? {
                Claim::Nothing => return Ok(taken),
                Claim::PutOff { id, at, cap } => {
                    tracing::warn!(notice = id, cap, %at, "a limit of SMS leaves no room for a notice now; it waits");
                }
                Claim::Notice(claimed) => {
                    let fate = self.fate(&claimed, now).await;
                    effect("notice.settled", self.outbox.settle(&claimed, fate)).await?;
                }
            }
        }
        Ok(AT_ONCE)
    }

    async fn fate(&self, claimed: &Claimed, now: UnixMillis) -> Fate {
        let Claimed { id, notice, tries, .. } = claimed;
        let (change, account) = (notice.change.name(), notice.account);
        let is_too_late = now.since(notice.at) > TOLD_WITHIN || *tries > MOST_TRIES;
        let tried = if is_too_late {
            Tried::NotNow
        } else {
            match &claimed.to {
                Recipient::Number(number) => self.try_sms(number, notice, now).await,
                Recipient::Address(address) => self.try_mail(id, address, notice).await,
            }
        };
        let way = match claimed.to {
            Recipient::Number(_) => Way::Sms.name(),
            Recipient::Address(_) => Way::Mail.name(),
        };
        match tried {
            Tried::Told => {
                tracing::info!(notice = id, way, change, %account, "somebody was told of a change");
                Fate::Over(SendOutcome::Accepted)
            }
            Tried::MaybeTold => {
                tracing::warn!(notice = id, way, change, %account, "somebody may have been told of a change; it is not sent twice");
                Fate::Over(SendOutcome::MaybeSent)
            }
            Tried::NobodySends => Fate::Over(SendOutcome::NotSent),
            Tried::NotNow if !is_too_late && *tries < MOST_TRIES => Fate::Again(now.plus(wait_after(*tries))),
            Tried::Refused | Tried::NotNow => {
                tracing::warn!(notice = id, way, change, %account, tries, "somebody could not be told of a change; it is given up");
                Fate::Over(SendOutcome::NotSent)
            }
        }
    }

    async fn try_sms(&self, number: &PhoneNumber, notice: &Notice, now: UnixMillis) -> Tried {
        let ports = &self.login.ports;
        let providers = serving(number.country(), &self.login.settings.sending.orders, &ports.senders);
        let providers: Vec<_> = providers.into_iter().map(Arc::clone).collect();
        let text = self.texts.sms(notice);
        let first = self.login.settings.sending.app_names.first().map(|(_, app)| app.as_str());
        let app = notice.site.as_ref().map(|site| self.login.app_name(site)).or(first).unwrap_or_default();
        let message = SmsMessage { to: number, text: &text, code: None, app, language: notice.language };
        let told = effect("notice.handed_over", self.login.hand_over(&providers, &message, now)).await;
        match (told.outcome, told.report) {
            (SendOutcome::Accepted, _) => Tried::Told,
            (SendOutcome::MaybeSent, _) => Tried::MaybeTold,
            (SendOutcome::NotSent, SendReport::NumberRefused) => Tried::Refused,
            (SendOutcome::NotSent, _) => Tried::NotNow,
        }
    }

    async fn try_mail(&self, id: &str, address: &str, notice: &Notice) -> Tried {
        let Some(mail) = &self.mail else { return Tried::NobodySends };
        let (subject, text) = self.texts.mail(notice);
        let message = Mail { id: id.to_owned(), to: address.to_owned(), subject, text, at: notice.at };
        match effect("notice.mailed", mail.send(&message)).await {
            MailResult::Taken => Tried::Told,
            MailResult::Refused => Tried::Refused,
            MailResult::NotNow => Tried::NotNow,
        }
    }
}

/// What came of one try.
enum Tried {
    Told,
    MaybeTold,
    Refused,
    NotNow,
    /// There is no way to send it.
    NobodySends,
}

fn wait_after(tries: u32) -> Duration {
    let times = 4_u32.checked_pow(tries.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_WAIT.checked_mul(times).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_the_last_try_is_half_a_day_after_the_first() {
        let waits: Vec<u64> = (1..MOST_TRIES).map(|tries| wait_after(tries).as_secs()).collect();
        assert_eq!(waits, [5, 20, 80, 320, 1280, 5120, 14400, 14400, 14400]);
        assert!((11 * 3600..24 * 3600).contains(&waits.iter().sum::<u64>()));
    }
}
