//! What is written down about who did what: the events and their fields. Writes nothing. Floor: ground.

use std::net::IpAddr;

use super::account::AccountId;
use super::site::SiteName;
use super::time::UnixMillis;

/// What happened. The names are stable: scripts and reports rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditEvent {
    PasswordRefused,
    PasswordAccepted,
    CodeSent,
    CodeNotSent,
    CodeRefused,
    SignedIn,
    SignedOut,
    PhoneEnrolled,
    AccountAdded,
    AccountChanged,
    AccountRemoved,
    PasswordSet,
    PasswordRehashed,
    PasswordChanged,
    PhoneSet,
    PhoneCleared,
    /// By its own user, who begins to change it.
    PhoneProved,
    /// By its own user.
    PhoneChanged,
    EnrolmentOpened,
    TicketAccepted,
    TicketRefused,
    AccountUnlocked,
    AccountDisabled,
    AccountEnabled,
    SessionsEnded,
    TwoFactorActivated,
    TwoFactorReset,
    AccountsRekeyed,
    AccountsRestored,
    OlderCopyFound,
    OperatorAppointed,
    OperatorDismissed,
    SmsUnblocked,
    ApiTokenCreated,
    ApiTokenRevoked,
}

impl AuditEvent {
    /// Every event there is.
    pub const ALL: [Self; 35] = [
        Self::PasswordRefused,
        Self::PasswordAccepted,
        Self::CodeSent,
        Self::CodeNotSent,
        Self::CodeRefused,
        Self::SignedIn,
        Self::SignedOut,
        Self::PhoneEnrolled,
        Self::AccountAdded,
        Self::AccountChanged,
        Self::AccountRemoved,
        Self::PasswordSet,
        Self::PasswordRehashed,
        Self::PasswordChanged,
        Self::PhoneSet,
        Self::PhoneCleared,
        Self::PhoneProved,
        Self::PhoneChanged,
        Self::TicketAccepted,
        Self::TicketRefused,
        Self::EnrolmentOpened,
        Self::AccountUnlocked,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::SessionsEnded,
        Self::TwoFactorActivated,
        Self::TwoFactorReset,
        Self::AccountsRekeyed,
        Self::AccountsRestored,
        Self::OlderCopyFound,
        Self::OperatorAppointed,
        Self::OperatorDismissed,
        Self::SmsUnblocked,
        Self::ApiTokenCreated,
        Self::ApiTokenRevoked,
    ];

    /// Whether its records are links of the audit chain: what operators do and what changes security. Not the steps of signing in, so that
    /// sign-ins do not queue behind one row.
    #[must_use]
    pub fn is_chained(self) -> bool {
        match self {
            Self::PasswordRefused
            | Self::PasswordAccepted
            | Self::PasswordRehashed
            | Self::CodeSent
            | Self::CodeNotSent
            | Self::CodeRefused
            | Self::PhoneProved
            | Self::TicketAccepted
            | Self::TicketRefused
            | Self::SignedIn
            | Self::SignedOut => false,
            Self::PhoneEnrolled
            | Self::AccountAdded
            | Self::AccountChanged
            | Self::AccountRemoved
            | Self::PasswordSet
            | Self::PasswordChanged
            | Self::PhoneSet
            | Self::PhoneCleared
            | Self::PhoneChanged
            | Self::EnrolmentOpened
            | Self::AccountUnlocked
            | Self::AccountDisabled
            | Self::AccountEnabled
            | Self::SessionsEnded
            | Self::TwoFactorActivated
            | Self::TwoFactorReset
            | Self::AccountsRekeyed
            | Self::AccountsRestored
            | Self::OlderCopyFound
            | Self::OperatorAppointed
            | Self::OperatorDismissed
            | Self::SmsUnblocked
            | Self::ApiTokenCreated
            | Self::ApiTokenRevoked => true,
        }
    }

    /// The event of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// The stable name, as stored and printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PasswordRefused => "password_refused",
            Self::PasswordAccepted => "password_accepted",
            Self::CodeSent => "code_sent",
            Self::CodeNotSent => "code_not_sent",
            Self::CodeRefused => "code_refused",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::PhoneEnrolled => "phone_enrolled",
            Self::AccountAdded => "account_added",
            Self::AccountChanged => "account_changed",
            Self::AccountRemoved => "account_removed",
            Self::PasswordSet => "password_set",
            Self::PasswordRehashed => "password_rehashed",
            Self::PasswordChanged => "password_changed",
            Self::PhoneSet => "phone_set",
            Self::PhoneCleared => "phone_cleared",
            Self::PhoneProved => "phone_proved",
            Self::PhoneChanged => "phone_changed",
            Self::EnrolmentOpened => "enrolment_opened",
            Self::TicketAccepted => "ticket_accepted",
            Self::TicketRefused => "ticket_refused",
            Self::AccountUnlocked => "account_unlocked",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::SessionsEnded => "sessions_ended",
            Self::TwoFactorActivated => "two_factor_activated",
            Self::TwoFactorReset => "two_factor_reset",
            Self::AccountsRekeyed => "accounts_rekeyed",
            Self::AccountsRestored => "accounts_restored",
            Self::OlderCopyFound => "older_copy_found",
            Self::OperatorAppointed => "operator_appointed",
            Self::OperatorDismissed => "operator_dismissed",
            Self::SmsUnblocked => "sms_unblocked",
            Self::ApiTokenCreated => "api_token_created",
            Self::ApiTokenRevoked => "api_token_revoked",
        }
    }
}

/// One line of the audit trail, written in the transaction of what it tells.
#[derive(Clone, Debug)]
pub struct AuditRecord {
    pub at: UnixMillis,
    pub event: AuditEvent,
    /// The account it is about; `None` for the installation as a whole or a name that does not exist.
    pub account: Option<AccountId>,
    /// Who did it: `user:anna`, `cli:root`, `operator:olga`, `token:crm`, `system`.
    pub actor: String,
    pub site: Option<SiteName>,
    /// The client's address, where a request caused it.
    pub source: Option<IpAddr>,
    /// The operator's reason, or the reason of a refusal. Never a secret.
    pub reason: Option<String>,
    /// The request that caused it, as pages and the log name it: 16 hexadecimal digits. `None` for the command line.
    pub request_id: Option<String>,
}

/// A record as it is read back: as text, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Given by the database; later records have higher ones.
    pub id: i64,
    pub at: UnixMillis,
    pub event: String,
    pub account: Option<String>,
    /// The name of the account, as it was when a link was written.
    pub user_name: Option<String>,
    pub actor: String,
    pub site: Option<String>,
    pub source: Option<String>,
    pub reason: Option<String>,
    pub request_id: Option<String>,
    /// `None`: no link of the chain.
    pub link: Option<Link>,
}

/// What makes a record a link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// From 1, without gaps.
    pub number: i64,
    /// Over the record, the number and the hash before.
    pub hash: Vec<u8>,
    /// The data key, in hexadecimal.
    pub key_id: String,
    /// The hash, keyed with it.
    pub mac: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_found_by_its_name() {
        // `name` names each variant: what is missing in ALL is seen here
        let named = include_str!("audit.rs").lines().filter(|line| line.contains(" => \"")).count();
        assert_eq!(AuditEvent::ALL.len(), named);
        for event in AuditEvent::ALL {
            assert_eq!(AuditEvent::parse(event.name()), Some(event));
        }
        assert_eq!(AuditEvent::parse("Signed_In"), None);
    }
}
