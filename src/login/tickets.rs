//! The ticket that a first number has to come with where the configuration asks for one: counted in SQL, then compared, then kept in the pending
//! login until the number is. The port behind it is here too. Floor: login.

use std::fmt;

use async_trait::async_trait;

use super::fail_point::effect;
use super::networks::Networks;
use super::ports::{NewAttempt, PortResult};
use super::{Client, Login, PhonePolicy};
use crate::domain::audit::AuditEvent;
use crate::domain::limits::Charge;
use crate::domain::pending::{LoginFacts, PendingLogin};
use crate::domain::ticket::{ChargedTicket, Ticket, TicketShown};
use crate::domain::time::UnixMillis;

/// Tries at one ticket, over all sign-ins. Our own figure: nobody guesses 99 bits, and whoever has the password and tries has the ticket made anew,
/// by an operator who sees it in the audit trail.
const MOST_TRIES: u32 = 10;

/// Whether a first number has to come with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketPolicy {
    Off,
    Required,
}

/// What the ledger knows of tickets. SQL.
#[async_trait]
pub trait Tickets: Send + Sync + fmt::Debug {
    /// Counts a try at the account's ticket ahead of comparing it.
    async fn charge_ticket(&self, attempt: &NewAttempt, most: u32, now: UnixMillis) -> PortResult<TicketCharge>;
}

/// Whether a ticket may be compared.
#[derive(Debug)]
#[must_use]
pub enum TicketCharge {
    /// Counted and committed.
    Granted(ChargedTicket),
    /// Its tries are spent: it is good for nothing until an operator makes another one.
    Spent,
    /// None was made, or it was used.
    NotMade,
    /// The account is gone, disabled or has moved on since the password, or its enrolment is closed.
    Stale,
}

/// What came of a ticket.
pub(super) enum TicketLook {
    /// `None`: none is asked for.
    Shown(Option<TicketShown>),
    Refused,
    /// Too many failures from this network.
    TooMany(std::time::Duration),
}

impl Login {
    /// Whether the number of this login has to come with a ticket that was not shown yet.
    pub(super) fn owes_ticket(&self, login: &PendingLogin) -> bool {
        let shown = match login {
            PendingLogin::NeedsPhone(_) | PendingLogin::NeedsNewPassword(_) => None,
            PendingLogin::NeedsCode(login) => login.ticket(),
        };
        self.asks_for_tickets() && shown.is_none()
    }

    pub(super) fn asks_for_tickets(&self) -> bool {
        match self.settings.phone_policy {
            PhonePolicy::SelfRegistered(TicketPolicy::Required) => true,
            PhonePolicy::SelfRegistered(TicketPolicy::Off) | PhonePolicy::PreRegistered => false,
        }
    }

    /// Looks at a ticket, unless none is asked for. `attempt`: whose it is.
    pub(super) async fn look_at_ticket(
        &self,
        attempt: &NewAttempt,
        facts: &LoginFacts,
        typed: &str,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<TicketLook> {
        if !self.asks_for_tickets() {
            return Ok(TicketLook::Shown(None));
        }
        let networks = Networks::of(&*self.ports.limits, &self.settings.networks, client.address);
        if let Charge::Wait(wait) = networks.charge_failure(now).await? {
            tracing::info!(reason = "network_limit", client = %client.address, "a ticket was not looked at");
            return Ok(TicketLook::TooMany(wait));
        }
        let looked = self.compare_ticket(attempt, typed, now).await;
        if !matches!(looked, Ok(Err(_))) {
            self.best_effort("network failure taken back", networks.give_back_failure()).await;
        }
        let (event, reason) = match &looked? {
            Ok(shown) => {
                let accepted = self.audit(AuditEvent::TicketAccepted, facts, client, now, None);
                effect("ticket.accepted_recorded", self.ports.ledger.record(&accepted)).await?;
                return Ok(TicketLook::Shown(Some(*shown)));
            }
            Err(reason) => (AuditEvent::TicketRefused, *reason),
        };
        let refused = self.audit(event, facts, client, now, Some(reason));
        effect("ticket.refusal_recorded", self.ports.ledger.record(&refused)).await?;
        Ok(TicketLook::Refused)
    }

    /// The reason of a refusal is for the audit trail.
    async fn compare_ticket(
        &self,
        attempt: &NewAttempt,
        typed: &str,
        now: UnixMillis,
    ) -> PortResult<Result<TicketShown, &'static str>> {
        let Some(ticket) = Ticket::parse(typed) else { return Ok(Err("not_a_ticket")) };
        let charge = effect("ticket.charged", self.ports.tickets.charge_ticket(attempt, MOST_TRIES, now));
        Ok(match charge.await? {
            TicketCharge::Granted(paid) => ticket.check(&attempt.account, &self.data_keys, paid).ok_or("wrong_ticket"),
            TicketCharge::Spent => Err("ticket_tries_spent"),
            TicketCharge::NotMade => Err("no_ticket_was_made"),
            TicketCharge::Stale => Err("account_moved_on"),
        })
    }
}
