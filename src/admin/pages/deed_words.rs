//! What can be done to an account, and what the pages call it. Floor: edge.

use super::deed::Deed;
use super::words;
use crate::admin::operations::EnrolmentPolicy;
use crate::domain::account::AccountStatus;
use crate::domain::operator::OperatorAction;
use crate::login::directory::AccountOverview;

impl Deed {
    /// In the order in which they are offered.
    pub(super) const ALL: [Self; 13] = [
        Self::Unlock,
        Self::ResetTwoFactor,
        Self::OneTimePassword,
        Self::EndSessions,
        Self::EndSession,
        Self::SetPhone,
        Self::ClearPhone,
        Self::OpenEnrolment,
        Self::Disable,
        Self::Enable,
        Self::Appoint,
        Self::Dismiss,
        Self::Remove,
    ];

    /// As in the path.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unlock => "unlock",
            Self::ResetTwoFactor => "reset-two-factor",
            Self::OneTimePassword => "one-time-password",
            Self::EndSessions => "end-sessions",
            Self::EndSession => "end-session",
            Self::SetPhone => "set-phone",
            Self::ClearPhone => "clear-phone",
            Self::OpenEnrolment => "open-enrolment",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Appoint => "appoint",
            Self::Dismiss => "dismiss",
            Self::Remove => "remove",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|deed| deed.name() == text)
    }

    pub(super) fn href(self, user_name: &str) -> String {
        format!("{}/{}", words::href(user_name), self.name())
    }

    /// What the role has to allow.
    pub(super) fn action(self) -> OperatorAction {
        match self {
            Self::Unlock => OperatorAction::Unlock,
            Self::ResetTwoFactor => OperatorAction::ResetTwoFactor,
            Self::OneTimePassword => OperatorAction::OneTimePassword,
            Self::EndSessions | Self::EndSession => OperatorAction::EndSessions,
            Self::SetPhone => OperatorAction::SetPhone,
            Self::ClearPhone => OperatorAction::ClearPhone,
            Self::OpenEnrolment => OperatorAction::OpenEnrolment,
            Self::Disable => OperatorAction::Disable,
            Self::Enable => OperatorAction::Enable,
            Self::Appoint | Self::Dismiss => OperatorAction::ChangeOperators,
            Self::Remove => OperatorAction::Remove,
        }
    }

    /// Whether the account is such that it would change something, as far as can be seen.
    pub(super) fn makes_sense(self, account: &AccountOverview, enrolment: EnrolmentPolicy) -> bool {
        match self {
            Self::Disable => account.status == AccountStatus::Active,
            Self::Enable => account.status == AccountStatus::Disabled,
            Self::ClearPhone => account.phone.is_some() || account.enrolment_until.is_some(),
            Self::OpenEnrolment => account.phone.is_none() && enrolment != EnrolmentPolicy::PreRegistered,
            Self::Dismiss => account.operator_role.is_some(),
            // beside each session
            Self::EndSession => false,
            Self::Unlock
            | Self::ResetTwoFactor
            | Self::OneTimePassword
            | Self::EndSessions
            | Self::SetPhone
            | Self::Appoint
            | Self::Remove => true,
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Unlock => "Unlock",
            Self::ResetTwoFactor => "Reset two-factor sign-in",
            Self::OneTimePassword => "Make a one-time password",
            Self::EndSessions => "End all sessions",
            Self::EndSession => "End this session",
            Self::SetPhone => "Set the number",
            Self::ClearPhone => "Clear the number",
            Self::OpenEnrolment => "Let the user give a number",
            Self::Disable => "Disable",
            Self::Enable => "Enable",
            Self::Appoint => "Appoint as operator",
            Self::Dismiss => "Dismiss as operator",
            Self::Remove => "Remove",
        }
    }

    /// What it does, before it is done.
    pub(super) fn explained(self) -> &'static str {
        match self {
            Self::Unlock => "Wrong passwords and codes are forgotten, so that the user can sign in at once.",
            Self::ResetTwoFactor => {
                "Every session, open stream and pending sign-in of this user ends within a second, wrong passwords and codes are forgotten, and the next \
                 sign-in sends a new code to the number on the account. The number stays."
            }
            Self::OneTimePassword => {
                "A password is made and shown once on the next page. The user's own stops working, every session ends, and the user chooses another one \
                 at the first sign-in."
            }
            Self::EndSession => "This session ends within a second, with what is open in it. The others go on.",
            Self::EndSessions => "Every session and pending sign-in of this user ends within a second, at every site.",
            Self::SetPhone => {
                "Codes go to this number from now on. When it takes the place of another one, every session ends. Be sure whose number it is."
            }
            Self::ClearPhone => {
                "The account has no number then: every session ends, and the user cannot sign in with a code until a number is set or the user may give one."
            }
            Self::OpenEnrolment => {
                "Whoever signs in with the password next may give the number. Do this only when you know that the password is in the right hands. Where \
                 tickets are asked for (two_factor.enrolment.ticket), one is made and shown once on the next page, and one made before is good for nothing."
            }
            Self::Disable => "The account cannot sign in any more, and every session ends.",
            Self::Enable => "The account can sign in again.",
            Self::Appoint => {
                "This account may sign in on these pages. Its sessions end. A helpdesk operator can unlock, reset two-factor sign-in, end sessions and make one-time passwords for users; an admin can do everything here."
            }
            Self::Dismiss => "This account is no operator any more. Its sessions end, here and at the sites.",
            Self::Remove => "The account is gone and every session ends. The audit trail stays. This cannot be undone.",
        }
    }

    /// What was done.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Unlock => "Unlocked: wrong passwords and codes are forgotten.",
            Self::ResetTwoFactor => "Two-factor sign-in was reset: every session has ended.",
            Self::OneTimePassword => "A one-time password was made.",
            Self::EndSessions => "Every session has ended.",
            Self::EndSession => "The session has ended.",
            Self::SetPhone => "The number was set.",
            Self::ClearPhone => "The number was cleared.",
            Self::OpenEnrolment => "The user may give a number at the next sign-in.",
            Self::Disable => "The account was disabled.",
            Self::Enable => "The account was enabled.",
            Self::Appoint => "The account is an operator.",
            Self::Dismiss => "The account is no operator.",
            Self::Remove => "The account was removed.",
        }
    }
}
