//! Whom a door is for, what that asks of them, and where their numbers come from. Floor: login.

use super::Login;
use super::tickets::TicketPolicy;
use crate::domain::pending::Activation;
use crate::domain::time::{Day, UnixMillis};

/// Whom a door is for. A session of one is none at the other: the name of the site in it says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody with an account.
    Users,
    /// Accounts with an operator's role, with both factors also before activation, and without enrolment: their numbers come from the
    /// command line or from another operator.
    Operators,
}

/// Where phone numbers come from: a security decision of the operator's, so there is no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhonePolicy {
    /// The operator gives the number; the user can only prove it.
    PreRegistered,
    /// The user gives it at the first sign-in, inside a window, perhaps with a ticket.
    SelfRegistered(TicketPolicy),
}

/// What the sign-in page says of the activation beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Said from then on.
    pub from: UnixMillis,
    /// When it is to be activated.
    pub activation: Day,
}

impl Login {
    /// The day from which a code will be needed, while none is and it is to be said.
    #[must_use]
    pub fn announced_activation(&self) -> Option<Day> {
        let announcement = self.settings.announcement?;
        let is_said = self.activation() == Activation::Staged && announcement.from <= self.now();
        is_said.then_some(announcement.activation)
    }

    /// Whether a code is required here now.
    pub(super) fn activation(&self) -> Activation {
        match self.settings.audience {
            Audience::Users => self.sessions.activation(),
            Audience::Operators => Activation::Active,
        }
    }
}
