//! Sending a code: may it be sent, what is sent, by whom, and what became of it. Who is asked in which order (`order`) and what an answer means for
//! the next (`handing_over`) is decided over facts; adapters only send. Floor: login.

pub mod guard;
pub mod order;
pub mod ports;
pub mod reports;

mod handing_over;
#[cfg(test)]
mod simulation;

use std::sync::Arc;
use std::time::Duration;

use self::handing_over::HandedOver;
use self::order::{Course, PROBE_ONE_IN, Standing, order, serving};
use self::ports::{ChargedSend, GuardReport, NewSend, NumberIs, RestRules, SendCharge, SendId, SendOutcome};
use super::fail_point::effect;
use super::figures;
use super::networks::Networks;
use super::ports::{CodeRequest, CodeTurn, PortResult, SmsMessage, SmsSender};
use super::{Client, Login};
use crate::domain::account::Account;
use crate::domain::audit::AuditEvent;
use crate::domain::code::Code;
use crate::domain::keys::HashPurpose;
use crate::domain::language::Language;
use crate::domain::limits::{Charge, SendCaps};
use crate::domain::number_change::OwedCode;
use crate::domain::pending::LoginId;
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;

/// The operator's figures for sending.
#[derive(Clone, Debug)]
pub struct SendingSettings {
    pub caps: SendCaps,
    /// For numbers of these countries these providers are asked, in this order; for all others those that serve them.
    pub orders: Vec<(Country, Vec<String>)>,
    /// When a provider that fails is left alone.
    pub rests: RestRules,
    /// How long all providers together may take for one SMS.
    pub time_limit: Duration,
    /// The name a site gives itself in an SMS.
    pub app_names: Vec<(SiteName, String)>,
}

/// What became of an SMS that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum SendReport {
    /// On its way.
    Sent,
    /// It may be on its way: a provider was asked and nobody knows what came of it.
    MaybeSent,
    /// No provider took it; trying again may help.
    NotSent,
    /// This number cannot be texted.
    NumberRefused,
    /// Asked too early; again after this long. The last code may still be on its way.
    Wait(Duration),
    /// Asked too often for this account, number or network; again after this long.
    TooOften(Duration),
    /// This login's messages are used up.
    NoneLeft,
    /// The login is over.
    Over,
}

/// Whether an SMS may be sent, all limits asked.
enum Counted {
    Granted(SendId),
    /// With the reason for the audit trail.
    Refused(SendReport, &'static str),
}

impl Login {
    /// Sends a code to the number the login owes one from: the account's own, read now, or the one being enrolled.
    pub(super) async fn send_code(
        &self,
        id: &LoginId,
        login: OwedCode<'_>,
        account: &Account,
        client: &Client,
        page_language: Language,
        now: UnixMillis,
    ) -> PortResult<SendReport> {
        let Some(number) = login.candidate().or(account.phone.as_ref()) else {
            return Ok(SendReport::Over);
        };
        if !self.settings.countries.contains(&number.country()) {
            return self.not_sent(SendReport::NumberRefused, "country_not_allowed", login, client, now).await;
        }
        let report = self.send_code_to(number, id, login, account, client, page_language, now).await?;
        figures::code_sent(number.country(), report);
        Ok(report)
    }

    #[expect(clippy::too_many_arguments, reason = "the step above, with the number it has chosen")]
    async fn send_code_to(
        &self,
        number: &PhoneNumber,
        id: &LoginId,
        login: OwedCode<'_>,
        account: &Account,
        client: &Client,
        page_language: Language,
        now: UnixMillis,
    ) -> PortResult<SendReport> {
        let providers = self.providers_for(id, number.country(), now).await?;
        let fresh = login.seal_code(id, &Code::random(self.settings.code_length), &self.signing_keys);
        let request = CodeRequest {
            now,
            fresh: &fresh,
            code_until: now.plus(self.settings.code_lifetime).min(login.facts().ends_at),
            waits: &self.settings.resend_waits,
            most_sends: self.settings.sending.caps.per_login,
        };
        let (sealed, turn) = match effect("send.code_chosen", self.ports.pending.next_code(id, &request)).await? {
            CodeTurn::Send { code, number } => (code, number),
            CodeTurn::Wait(wait) => return Ok(SendReport::Wait(wait)),
            CodeTurn::NoneLeft => return Ok(SendReport::NoneLeft),
            CodeTurn::Gone => return Ok(SendReport::Over),
        };
        let Some(code) = login.open_code(id, &sealed, &self.signing_keys) else {
            return Ok(SendReport::Over);
        };
        let networks = Networks::of(&*self.ports.limits, &self.settings.networks, client.address);
        let number_is = if login.candidate().is_some() { NumberIs::New } else { NumberIs::OnTheAccount };
        let send_id = match self.charge_send(id, &networks, number, number_is, account, now).await {
            Ok(Counted::Granted(send_id)) => send_id,
            Ok(Counted::Refused(report, reason)) => {
                self.undo_turn(id, turn, &networks).await;
                return self.not_sent(report, reason, login, client, now).await;
            }
            Err(error) => {
                self.undo_turn(id, turn, &networks).await;
                return Err(error);
            }
        };
        let language = account.language.unwrap_or(page_language);
        let text = self.ports.texts.text(&login.facts().site, language, &code);
        let app = self.app_name(&login.facts().site);
        let message = SmsMessage { to: number, text: &text, code: Some(&code), app, language };
        let HandedOver { outcome, report, asked } = self.hand_over(&providers, &message, now).await;
        if report == SendReport::NotSent {
            tracing::error!(country = %number.country(), "no SMS provider took the message; this user cannot sign in now");
        }
        let event = if outcome == SendOutcome::NotSent { AuditEvent::CodeNotSent } else { AuditEvent::CodeSent };
        // the message is out or not, whatever can be written down: the person goes on to the code
        let audit = self.audit(event, login.facts(), client, now, None);
        let settled = effect("send.settled", self.ports.send_ledger.settle_send(&send_id, outcome, &asked, &audit));
        self.best_effort("send settled", settled).await;
        if outcome == SendOutcome::NotSent {
            self.undo_turn(id, turn, &networks).await;
        }
        Ok(report)
    }

    /// Who is asked to send to a number of this country, in that order.
    async fn providers_for(
        &self,
        id: &LoginId,
        country: Country,
        now: UnixMillis,
    ) -> PortResult<Vec<Arc<dyn SmsSender>>> {
        let serving = serving(country, &self.settings.sending.orders, &self.ports.senders);
        let lately = self.ports.send_ledger.lately(id, country, now).await?;
        let mut standings = Vec::with_capacity(serving.len());
        for sender in &serving {
            let record = lately.records.iter().find(|(provider, _)| provider == sender.name());
            standings.push(Standing {
                rests: self.ports.breakers.rests(sender.name(), now).await?,
                was_asked: lately.asked.iter().any(|provider| provider == sender.name()),
                record: record.map(|(_, record)| *record).unwrap_or_default(),
            });
        }
        let course = if rand::random_ratio(1, PROBE_ONE_IN) { Course::Probe } else { Course::Usual };
        Ok(order(&standings, course).into_iter().filter_map(|place| serving.get(place).copied().cloned()).collect())
    }

    /// Counts a send everywhere it counts: for the network, the numbers around this one, everybody, the account and the number itself.
    async fn charge_send(
        &self,
        id: &LoginId,
        networks: &Networks<'_>,
        number: &PhoneNumber,
        number_is: NumberIs,
        account: &Account,
        now: UnixMillis,
    ) -> PortResult<Counted> {
        if let Charge::Wait(wait) = networks.begin_login(id, now).await? {
            return Ok(Counted::Refused(SendReport::TooOften(wait), "network_limit"));
        }
        let send = NewSend {
            account: account.id,
            login: *id,
            number: self.data_keys.hash(HashPurpose::PhoneLookup, number.e164().as_bytes()),
            number_is,
            country: number.country(),
            dial_code: number.country().calling_code(),
            prefix: self.data_keys.hash(HashPurpose::Counter, number.prefix7().as_bytes()),
            prefix_digits: number.prefix7().to_owned(),
        };
        let charged =
            effect("send.charged", self.ports.send_ledger.charge_send(&send, &self.settings.sending.caps, now));
        let ChargedSend { charge, reports } = charged.await?;
        for report in &reports {
            tell(report, &send);
            figures::guard(report);
        }
        Ok(match charge {
            SendCharge::Granted(send_id) => Counted::Granted(send_id),
            SendCharge::LoginSpent => Counted::Refused(SendReport::NoneLeft, "login_sends_spent"),
            SendCharge::Wait(wait) => Counted::Refused(SendReport::TooOften(wait), "account_or_number_limit"),
            SendCharge::Guarded(cap, wait) => {
                figures::refused_by_cap(cap);
                Counted::Refused(SendReport::TooOften(wait), cap)
            }
        })
    }

    /// Nothing was sent: the send costs no wait, and a login that never had one is not an unfinished one.
    async fn undo_turn(&self, id: &LoginId, turn: u32, networks: &Networks<'_>) {
        self.best_effort("send taken back", effect("send.taken_back", self.ports.pending.take_back_send(id, turn)))
            .await;
        if turn == 1 {
            self.best_effort("network login taken back", networks.complete_login(id)).await;
        }
    }

    /// The name a site gives itself in an SMS.
    pub(super) fn app_name<'a>(&'a self, site: &'a SiteName) -> &'a str {
        let named = self.settings.sending.app_names.iter().find(|(name, _)| name == site);
        named.map_or(site.as_str(), |(_, app)| app.as_str())
    }

    async fn not_sent(
        &self,
        report: SendReport,
        reason: &str,
        login: OwedCode<'_>,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<SendReport> {
        effect(
            "send.refusal_recorded",
            self.ports.ledger.record(&self.audit(AuditEvent::CodeNotSent, login.facts(), client, now, Some(reason))),
        )
        .await?;
        Ok(report)
    }
}

/// What an operator should know, once. The prefix is part of a number, and never all of it.
fn tell(report: &GuardReport, send: &NewSend) {
    let (dial_code, prefix) = (send.dial_code, send.prefix_digits.as_str());
    match report {
        GuardReport::Fills { cap, most, percent: percent @ 100.. } => {
            tracing::error!(
                cap,
                most,
                percent,
                dial_code,
                prefix,
                "a limit of SMS is used up: what goes beyond it is not sent"
            );
        }
        GuardReport::Fills { cap, most, percent } => {
            tracing::warn!(cap, most, percent, dial_code, prefix, "a limit of SMS fills up");
        }
        GuardReport::Blocked(block) => {
            let (sent, entered, until) = (block.judged, block.entered, block.until);
            tracing::error!(
                prefix,
                sent,
                entered,
                %until,
                "codes to this number prefix are not entered: newcomers get none there; `vestibule sms unblock` lifts it"
            );
        }
        GuardReport::WouldRefuse(cap) => {
            tracing::warn!(cap, dial_code, prefix, "sms.guard only observes: this SMS would not have been sent");
        }
    }
}
