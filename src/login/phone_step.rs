//! The number of an account that has none: read, kept in the pending login alone, and proved by a code sent there. Floor: login.

use std::time::Duration;

use super::fail_point::effect;
use super::ports::{NewAttempt, PortResult};
use super::sending::SendReport;
use super::tickets::TicketLook;
use super::{Client, Login, PhonePolicy};
use crate::domain::language::Language;
use crate::domain::number_change::OwedCode;
use crate::domain::pending::{LoginId, NeedsCode, PendingLogin};
use crate::domain::phone::{PhoneNumber, PhoneProblem};
use crate::domain::site::SiteName;
use crate::domain::ticket::TicketHash;

/// What was typed on the page that asks for a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypedPhone<'a> {
    pub(super) phone: &'a str,
    /// Empty where none is asked for.
    pub(super) ticket: &'a str,
}

/// A number about to be enrolled.
#[derive(Clone, Debug)]
pub struct NewPhone {
    pub number: PhoneNumber,
    /// So many accounts may have it, this one included.
    pub most_accounts: u32,
    /// The ticket that is used up with it, which has to be the account's still. `None`: none was asked for.
    pub ticket: Option<TicketHash>,
}

/// What came of a number.
#[derive(Debug)]
#[must_use]
pub enum PhoneOutcome {
    /// The code is asked for next.
    NeedsCode(SendReport),
    /// The number cannot be used, and why.
    Problem(PhoneProblem),
    /// The ticket is not right, used, or used up: the answer is one.
    TicketRefused,
    /// Too many failures from this network; again after this long.
    TooMany(Duration),
    /// The login is over.
    Over,
    /// The account may not enrol (any more).
    Closed,
}

impl Login {
    pub(super) async fn phone_step(
        &self,
        site: &SiteName,
        id: &LoginId,
        typed: TypedPhone<'_>,
        client: &Client,
        page_language: Language,
    ) -> PortResult<PhoneOutcome> {
        let now = self.now();
        let Some(found) = self.find(site, id, now).await? else {
            return Ok(PhoneOutcome::Over);
        };
        let window_is_open = found.account.enrolment_until.is_some_and(|until| now < until);
        if self.settings.phone_policy == PhonePolicy::PreRegistered || found.account.phone.is_some() || !window_is_open
        {
            return Ok(PhoneOutcome::Closed);
        }
        let number =
            match PhoneNumber::parse(typed.phone, self.settings.countries.first().copied(), &self.settings.countries) {
                Ok(number) => number,
                Err(problem) => return Ok(PhoneOutcome::Problem(problem)),
            };
        let ticket = match &found.login {
            PendingLogin::NeedsNewPassword(_) => return Ok(PhoneOutcome::Over),
            // shown already, with another number
            PendingLogin::NeedsCode(login) if login.ticket().is_some() => login.ticket(),
            PendingLogin::NeedsCode(_) | PendingLogin::NeedsPhone(_) => {
                let facts = found.login.facts();
                let (account, epoch, phone_version) = (facts.account, facts.epoch, facts.phone_version);
                let attempt = NewAttempt { login: *id, account, epoch, phone_version };
                match self.look_at_ticket(&attempt, facts, typed.ticket, client, now).await? {
                    TicketLook::Shown(shown) => shown,
                    TicketLook::Refused => return Ok(PhoneOutcome::TicketRefused),
                    TicketLook::TooMany(wait) => return Ok(PhoneOutcome::TooMany(wait)),
                }
            }
        };
        let login = match found.login {
            // the form sent twice: the code that is on its way stays good
            PendingLogin::NeedsCode(login) if login.candidate() == Some(&number) && login.ticket() == ticket => login,
            PendingLogin::NeedsPhone(login) => self.put_number(id, login.with_candidate(number, ticket)).await?,
            PendingLogin::NeedsCode(login) => match login.forget_candidate() {
                Some(login) => self.put_number(id, login.with_candidate(number, ticket)).await?,
                None => return Ok(PhoneOutcome::Closed),
            },
            PendingLogin::NeedsNewPassword(_) => return Ok(PhoneOutcome::Over),
        };
        let report = self.send_code(id, OwedCode::SignIn(&login), &found.account, client, page_language, now).await?;
        Ok(PhoneOutcome::NeedsCode(report))
    }

    /// Keeps the number in the pending login. A login that has gone meanwhile is noticed when its code is sent.
    async fn put_number(&self, id: &LoginId, login: NeedsCode) -> PortResult<NeedsCode> {
        let record = PendingLogin::NeedsCode(login.clone()).seal(id, &self.signing_keys);
        effect("phone.number_put", self.ports.pending.replace(id, &record)).await?;
        Ok(login)
    }
}
