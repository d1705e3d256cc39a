//! What is counted of signing in: the steps by what came of them, and codes by country. Words are fixed; names, numbers and networks are never among
//! them. Decides nothing. Floor: login.

use super::sending::ports::GuardReport;
use super::{CodeOutcome, NewPasswordOutcome, PasswordOutcome, PhoneOutcome, SendReport, StepError, StepUpOutcome};
use crate::domain::phone::Country;
use crate::login::ports::SmsResult;
use crate::metrics;

/// Counts a step; what could not be told is counted as such.
pub(super) fn step<T>(step: &str, outcome: &Result<T, StepError>, name: impl FnOnce(&T) -> &'static str) {
    let name = outcome.as_ref().map_or("unavailable", name);
    metrics::all().sign_in_steps.with_label_values(&[step, name]).inc();
}

pub(super) fn code_sent(country: Country, report: SendReport) {
    metrics::all().codes_sent.with_label_values(&[country.to_string().as_str(), of_send(report)]).inc();
}

pub(super) fn code_entered(country: Country) {
    metrics::all().codes_entered.with_label_values(&[country.to_string()]).inc();
}

pub(super) fn provider_answered(provider: &str, country: Country, answer: &SmsResult) {
    let answer = match answer {
        SmsResult::Accepted(_) => "accepted",
        SmsResult::Recipient => "recipient",
        SmsResult::Provider => "provider",
        SmsResult::Transient => "transient",
        SmsResult::MaybeSent => "maybe_sent",
    };
    metrics::all().sms_sends.with_label_values(&[provider, country.to_string().as_str(), answer]).inc();
}

pub(super) fn guard(report: &GuardReport) {
    let figures = metrics::all();
    match report {
        GuardReport::Fills { cap, percent, .. } => {
            figures.sms_cap_alarms.with_label_values(&[*cap, percent.to_string().as_str()]).inc();
        }
        GuardReport::WouldRefuse(cap) => figures.sms_cap_refusals.with_label_values(&[*cap, "observe"]).inc(),
        // how many are closed is read from the ledger
        GuardReport::Blocked(_) => {}
    }
}

pub(super) fn refused_by_cap(cap: &'static str) {
    metrics::all().sms_cap_refusals.with_label_values(&[cap, "enforce"]).inc();
}

pub(super) fn of_password(outcome: &PasswordOutcome) -> &'static str {
    match outcome {
        PasswordOutcome::Refused => "refused",
        PasswordOutcome::TooMany(_) => "too_many",
        PasswordOutcome::Busy => "busy",
        PasswordOutcome::NoNumber => "no_number",
        PasswordOutcome::NeedsPhone(_) => "needs_phone",
        PasswordOutcome::NeedsCode(..) => "needs_code",
        PasswordOutcome::NeedsNewPassword(_) => "needs_new_password",
        PasswordOutcome::SignedIn { .. } => "signed_in",
    }
}

pub(super) fn of_phone(outcome: &PhoneOutcome) -> &'static str {
    match outcome {
        PhoneOutcome::NeedsCode(_) => "needs_code",
        PhoneOutcome::Problem(_) => "not_usable",
        PhoneOutcome::TicketRefused => "ticket_refused",
        PhoneOutcome::TooMany(_) => "too_many",
        PhoneOutcome::Over => "over",
        PhoneOutcome::Closed => "closed",
    }
}

pub(super) fn of_code(outcome: &CodeOutcome) -> &'static str {
    match outcome {
        CodeOutcome::SignedIn { .. } => "signed_in",
        CodeOutcome::Malformed => "malformed",
        CodeOutcome::Wrong { .. } => "wrong",
        CodeOutcome::Expired => "expired",
        CodeOutcome::Spent => "spent",
        CodeOutcome::TooMany(_) => "too_many",
        CodeOutcome::Locked => "locked",
        CodeOutcome::NeedsNewPassword => "needs_new_password",
        CodeOutcome::NumberTaken => "number_taken",
        CodeOutcome::Over => "over",
    }
}

pub(super) fn of_new_password(outcome: &NewPasswordOutcome) -> &'static str {
    match outcome {
        NewPasswordOutcome::SignedIn { .. } => "signed_in",
        NewPasswordOutcome::Problem(_) => "not_usable",
        NewPasswordOutcome::Busy => "busy",
        NewPasswordOutcome::NumberTaken => "number_taken",
        NewPasswordOutcome::Over => "over",
    }
}

pub(super) fn of_resend(outcome: &Option<SendReport>) -> &'static str {
    outcome.map_or("over", of_send)
}

pub(super) fn of_step_up(outcome: &StepUpOutcome) -> &'static str {
    match outcome {
        StepUpOutcome::NeedsCode(..) => "needs_code",
        StepUpOutcome::PasswordNeeded => "password_needed",
    }
}

fn of_send(report: SendReport) -> &'static str {
    match report {
        SendReport::Sent => "sent",
        SendReport::MaybeSent => "maybe_sent",
        SendReport::NotSent => "not_sent",
        SendReport::NumberRefused => "number_refused",
        SendReport::Wait(_) => "too_early",
        SendReport::TooOften(_) => "too_often",
        SendReport::NoneLeft => "none_left",
        SendReport::Over => "over",
    }
}
