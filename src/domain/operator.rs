//! Operators, people who sign in and programs with a token: what each role may do, and to whom. Pure rules over facts that are read where the change
//! is made. The command line is no operator: whoever may run it may do everything. Floor: ground.

use std::fmt;
use std::time::Duration;

use super::account::AccountId;
use super::api_token::ApiTokenId;
use super::time::UnixMillis;

/// What an account may do as an operator. Most accounts have no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorRole {
    /// Helps people who cannot sign in.
    Helpdesk,
    /// Everything that can be done on the pages.
    Admin,
}

impl OperatorRole {
    /// As stored, and as commands take it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Helpdesk => "helpdesk",
            Self::Admin => "admin",
        }
    }

    /// From its name; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Helpdesk, Self::Admin].into_iter().find(|role| role.name() == text)
    }

    /// Whether the role is enough for the action. Says nothing of whom it is done to.
    #[must_use]
    pub fn may(self, action: OperatorAction) -> bool {
        use OperatorAction as Action;
        match action {
            Action::Unlock | Action::ResetTwoFactor | Action::EndSessions | Action::OneTimePassword => true,
            Action::SetPhone
            | Action::ClearPhone
            | Action::OpenEnrolment
            | Action::Add
            | Action::ChangeProfile
            | Action::Disable
            | Action::Enable
            | Action::Remove
            | Action::ChangeOperators
            | Action::EndEverybodysSessions
            | Action::OpenPrefix
            | Action::Activate => self == Self::Admin,
            Action::ImportOwnPassword => false,
        }
    }
}

impl fmt::Display for OperatorRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who acts as an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorId {
    /// Somebody who signed in.
    Account(AccountId),
    /// A program with a token.
    Token(ApiTokenId),
}

impl OperatorId {
    /// As stored: `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("token:") {
            Some(id) => ApiTokenId::parse(id).map(Self::Token),
            None => AccountId::parse(text).map(Self::Account),
        }
    }
}

impl From<AccountId> for OperatorId {
    fn from(account: AccountId) -> Self {
        Self::Account(account)
    }
}

impl fmt::Display for OperatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(id) => id.fmt(f),
            Self::Token(id) => write!(f, "token:{id}"),
        }
    }
}

/// What can be done to an account or to the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAction {
    Unlock,
    ResetTwoFactor,
    EndSessions,
    OneTimePassword,
    SetPhone,
    ClearPhone,
    OpenEnrolment,
    Add,
    ChangeProfile,
    Disable,
    Enable,
    Remove,
    /// Appoint and dismiss.
    ChangeOperators,
    EndEverybodysSessions,
    /// Lets newcomers with a number prefix get codes again.
    OpenPrefix,
    Activate,
    /// A password that exists elsewhere: only the command line takes one.
    ImportOwnPassword,
}

/// Which operators lately gave an account something to sign in with. What the command line gave is nobody's here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gifts {
    /// Who made the latest one-time password, and until when that counts.
    pub password: Option<(OperatorId, UnixMillis)>,
    /// Who set the latest number, or let the user give one, and until when that counts.
    pub number: Option<(OperatorId, UnixMillis)>,
}

/// The account that something is done to, as it is in the transaction that does it.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    pub account: AccountId,
    pub role: Option<OperatorRole>,
    pub gifts: Gifts,
}

/// Why an operator may not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("whoever asks is no operator (any more)")]
    NotAnOperator,
    #[error("this needs an operator with the role admin")]
    NeedsAdmin,
    #[error("this can be done on the command line only")]
    CommandLineOnly,
    #[error("nobody can do this to the own account: ask another operator")]
    Oneself,
    #[error("the account is an operator's: this needs the role admin")]
    AnOperator,
    #[error("you gave this account a one-time password: another operator has to give it the number")]
    GavePassword,
    #[error("you gave this account a number, or let one be given: another operator has to give it the password")]
    GaveNumber,
    #[error("too many actions in an hour (limits.operator_actions_hour): again in {} minutes", .0.as_secs().div_ceil(60).max(1))]
    TooMany(Duration),
}

/// Whether an operator may do this at all.
///
/// # Errors
/// The role is not enough.
pub fn may_begin(role: OperatorRole, action: OperatorAction) -> Result<(), Forbidden> {
    match (role.may(action), OperatorRole::Admin.may(action)) {
        (true, _) => Ok(()),
        (false, true) => Err(Forbidden::NeedsAdmin),
        (false, false) => Err(Forbidden::CommandLineOnly),
    }
}

/// Whether an operator may do this to that account.
///
/// Four eyes: whoever gave an account a one-time password does not give it a number while that password could be used, nor the other way
/// round, so that nobody holds both factors of somebody else.
///
/// # Errors
/// Why not.
pub fn may_do_to(
    operator: impl Into<OperatorId>,
    role: OperatorRole,
    action: OperatorAction,
    subject: &Subject,
    now: UnixMillis,
) -> Result<(), Forbidden> {
    let operator = operator.into();
    may_begin(role, action)?;
    if operator == OperatorId::Account(subject.account) {
        return Err(Forbidden::Oneself);
    }
    if subject.role.is_some() && role != OperatorRole::Admin {
        return Err(Forbidden::AnOperator);
    }
    let counts = |gift: Option<(OperatorId, UnixMillis)>| gift.is_some_and(|(by, until)| by == operator && now < until);
    match action {
        OperatorAction::SetPhone | OperatorAction::OpenEnrolment if counts(subject.gifts.password) => {
            Err(Forbidden::GavePassword)
        }
        OperatorAction::OneTimePassword if counts(subject.gifts.number) => Err(Forbidden::GaveNumber),
        OperatorAction::SetPhone
        | OperatorAction::OpenEnrolment
        | OperatorAction::OneTimePassword
        | OperatorAction::Unlock
        | OperatorAction::ResetTwoFactor
        | OperatorAction::EndSessions
        | OperatorAction::ClearPhone
        | OperatorAction::Add
        | OperatorAction::ChangeProfile
        | OperatorAction::Disable
        | OperatorAction::Enable
        | OperatorAction::Remove
        | OperatorAction::ChangeOperators
        | OperatorAction::EndEverybodysSessions
        | OperatorAction::OpenPrefix
        | OperatorAction::Activate
        | OperatorAction::ImportOwnPassword => Ok(()),
    }
}

/// How old a sign-in may be for what changes security. Our own choice: long enough to fill in a form.
pub const FRESH_FOR: Duration = Duration::from_secs(300);

/// Whether a sign-in is recent enough for what changes security.
#[must_use]
pub fn is_fresh(opened_at: UnixMillis, now: UnixMillis) -> bool {
    now.since(opened_at) <= FRESH_FOR
}

#[cfg(test)]
mod tests {
    use super::OperatorAction as Action;
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);
    const EVERY: [Action; 17] = [
        Action::Unlock,
        Action::ResetTwoFactor,
        Action::EndSessions,
        Action::OneTimePassword,
        Action::SetPhone,
        Action::ClearPhone,
        Action::OpenEnrolment,
        Action::Add,
        Action::ChangeProfile,
        Action::Disable,
        Action::Enable,
        Action::Remove,
        Action::ChangeOperators,
        Action::EndEverybodysSessions,
        Action::OpenPrefix,
        Action::Activate,
        Action::ImportOwnPassword,
    ];

    fn id(byte: u8) -> AccountId {
        AccountId::from_bytes([byte; 16])
    }

    fn subject(role: Option<OperatorRole>, gifts: Gifts) -> Subject {
        Subject { account: id(9), role, gifts }
    }

    #[test]
    fn the_helpdesk_has_four_actions_and_nobody_imports_a_password() {
        for (index, action) in EVERY.into_iter().enumerate() {
            let helpdesk = if index < 4 { Ok(()) } else { Err(Forbidden::NeedsAdmin) };
            let (helpdesk, admin) = match action {
                Action::ImportOwnPassword => (Err(Forbidden::CommandLineOnly), Err(Forbidden::CommandLineOnly)),
                _ => (helpdesk, Ok(())),
            };
            assert_eq!(may_begin(OperatorRole::Helpdesk, action), helpdesk, "{action:?}");
            assert_eq!(may_begin(OperatorRole::Admin, action), admin, "{action:?}");
        }
    }

    #[test]
    fn nobody_acts_on_himself_and_the_helpdesk_on_no_operator() {
        for action in EVERY.into_iter().filter(|action| *action != Action::ImportOwnPassword) {
            for role in [OperatorRole::Helpdesk, OperatorRole::Admin] {
                let own = Subject { account: id(1), role: Some(role), gifts: Gifts::default() };
                let refused = may_do_to(id(1), role, action, &own, NOW);
                assert_eq!(refused, Err(if role.may(action) { Forbidden::Oneself } else { Forbidden::NeedsAdmin }));
            }
            for other in [OperatorRole::Helpdesk, OperatorRole::Admin] {
                let other = subject(Some(other), Gifts::default());
                assert_eq!(may_do_to(id(1), OperatorRole::Admin, action, &other, NOW), Ok(()), "{action:?}");
                let helpdesk = may_do_to(id(1), OperatorRole::Helpdesk, action, &other, NOW);
                let role_is_enough = OperatorRole::Helpdesk.may(action);
                assert_eq!(helpdesk, Err(if role_is_enough { Forbidden::AnOperator } else { Forbidden::NeedsAdmin }));
            }
        }
    }

    #[test]
    fn one_operator_gives_a_password_or_a_number_and_not_both() {
        let later = NOW.plus(Duration::from_secs(1));
        let gave = |password: Option<(AccountId, UnixMillis)>, number: Option<(AccountId, UnixMillis)>| {
            let by = |(account, until)| (OperatorId::Account(account), until);
            subject(None, Gifts { password: password.map(by), number: number.map(by) })
        };
        let may = |action, subject: &Subject| may_do_to(id(1), OperatorRole::Admin, action, subject, NOW);
        for (action, subject, answer) in [
            (Action::SetPhone, gave(Some((id(1), later)), None), Err(Forbidden::GavePassword)),
            (Action::OpenEnrolment, gave(Some((id(1), later)), None), Err(Forbidden::GavePassword)),
            (Action::OneTimePassword, gave(None, Some((id(1), later))), Err(Forbidden::GaveNumber)),
            (Action::SetPhone, gave(Some((id(2), later)), None), Ok(())),
            (Action::SetPhone, gave(Some((id(1), NOW)), None), Ok(())),
            (Action::OneTimePassword, gave(Some((id(1), later)), None), Ok(())),
            (Action::SetPhone, gave(None, Some((id(1), later))), Ok(())),
            (Action::ClearPhone, gave(Some((id(1), later)), None), Ok(())),
        ] {
            assert_eq!(may(action, &subject), answer, "{action:?} {subject:?}");
        }
    }

    #[test]
    fn a_sign_in_is_fresh_for_five_minutes() {
        assert!(is_fresh(NOW, NOW.plus(Duration::from_secs(300))));
        assert!(!is_fresh(NOW, NOW.plus(Duration::from_secs(301))));
    }

    #[test]
    fn a_program_is_held_to_the_same_rules_as_a_person() {
        let token = ApiTokenId::random();
        let program = OperatorId::Token(token);
        let later = NOW.plus(Duration::from_secs(1));
        let gifts = Gifts { password: Some((program, later)), number: None };
        let may = |role, on: &Subject| may_do_to(program, role, Action::SetPhone, on, NOW);
        assert_eq!(may(OperatorRole::Admin, &subject(None, gifts)), Err(Forbidden::GavePassword));
        assert_eq!(may(OperatorRole::Admin, &subject(None, Gifts::default())), Ok(()));
        assert_eq!(may(OperatorRole::Helpdesk, &subject(None, Gifts::default())), Err(Forbidden::NeedsAdmin));
        let operators = subject(Some(OperatorRole::Helpdesk), Gifts::default());
        let unlock = may_do_to(program, OperatorRole::Helpdesk, Action::Unlock, &operators, NOW);
        assert_eq!(unlock, Err(Forbidden::AnOperator));
        for who in [program, OperatorId::Account(id(1))] {
            assert_eq!(OperatorId::parse(&who.to_string()), Some(who));
        }
        assert_eq!(OperatorId::parse("token:12"), None);
    }

    #[test]
    fn a_role_comes_back_from_its_name() {
        for role in [OperatorRole::Helpdesk, OperatorRole::Admin] {
            assert_eq!(OperatorRole::parse(role.name()), Some(role));
        }
        assert_eq!(OperatorRole::parse("Admin"), None);
    }
}
