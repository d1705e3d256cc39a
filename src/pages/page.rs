//! Every page there is, as plain values: what it says depends on these alone.
//!
//! Holds no texts and no HTML (`view` and the templates do). Floor: pages.

use std::time::Duration;

use http::StatusCode;

use super::circle::CirclePage;
use super::enrolment::{PhonePage, TicketField};
use super::look::SiteLook;
use super::own::OwnPage;
use crate::domain::language::Language;
use crate::domain::time::Day;

/// What surrounds a page: whose it is, in which language, and what ties it to the request.
#[derive(Clone, Copy, Debug)]
pub struct Chrome<'a> {
    pub site: &'a SiteLook,
    pub language: Language,
    /// The token of the page's forms; empty on pages without one.
    pub csrf: &'a str,
    /// Shown on every refusal.
    pub request_id: &'a str,
    /// Path and query of the page, for links to the same page in other languages; `None`: no such links.
    pub here: Option<&'a str>,
}

/// A page.
#[derive(Clone, Debug)]
pub enum Page {
    Login(LoginPage),
    Phone(PhonePage),
    Code(CodePage),
    NewPassword(NewPasswordPage),
    StepUp(StepUpPage),
    /// Asks whether to sign out.
    Logout {
        user_name: String,
        stay_href: String,
    },
    SignedOut,
    /// Somebody's own account.
    Own(OwnPage),
    /// The password was right, but no code can be sent: whom to ask.
    NoNumber(NoNumberReason),
    /// A sign-in that cannot go on.
    Over(OverReason),
    /// Too many wrong codes.
    CodesPaused {
        /// `None`: until an operator acts.
        wait: Option<Duration>,
    },
    /// Too many failures from one network.
    TooManyTries {
        wait: Duration,
    },
    /// More sign-ins at once than there is room for.
    Waiting {
        wait: Duration,
    },
    /// Somebody comes back to the sign-in page again and again.
    Circle(CirclePage),
    /// A form was sent to the application after the session had ended.
    NotSent {
        /// The sign-in page that leads back.
        sign_in_href: String,
    },
    /// A frame on a page of the application has no session. The only page of ours that shows itself in a frame, on pages of its own site.
    InFrame {
        /// The sign-in page that leads back; it opens in place of the page that the frame is on.
        sign_in_href: String,
    },
    /// A session ended while its request was with the application.
    Interrupted {
        what: Interrupted,
        /// The sign-in page that leads back.
        sign_in_href: String,
    },
    Message(Message),
}

/// What was under way when its session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// A page that was opened: it can be opened again.
    Opening,
    /// A form that was sent: it may have been carried out.
    Sending,
}

/// User name and password.
#[derive(Clone, Debug, Default)]
pub struct LoginPage {
    pub user_name: UserNameField,
    /// Where to go afterwards, with query and fragment. Checked before it is used, not here.
    pub return_to: String,
    pub notice: Option<LoginNotice>,
    pub problem: Option<LoginProblem>,
    /// The day from which a code will be needed.
    pub announced: Option<Day>,
}

/// The field of the user name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserNameField {
    /// As typed before; empty at first.
    Open(String),
    /// Somebody is signed in already and is asked for the password again.
    Fixed(String),
}

impl Default for UserNameField {
    fn default() -> Self {
        Self::Open(String::new())
    }
}

/// What the sign-in page says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginNotice {
    /// The form was too old, or of another browser; nothing was done.
    FormExpired,
    /// The form came without the cookie it is bound to; nothing was done.
    CookieMissing,
    SessionEnded,
    /// A session without a code has to begin again from the password.
    TwoFactorNeeded,
}

/// What was wrong with a sign-in form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginProblem {
    UserNameMissing,
    PasswordMissing,
    /// Not correct, or paused after too many tries: the sentence is one, and true for both.
    NotCorrect,
}

/// Whether what was sent before could still be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormAge {
    Fresh,
    /// The form was too old, or of another sign-in; nothing was done.
    Expired,
}

/// The code.
#[derive(Clone, Debug)]
pub struct CodePage {
    pub owed_for: CodeFor,
    pub number: ShownNumber,
    /// Digits of a code.
    pub length: u8,
    /// How long a code is good from its sending.
    pub lifetime: Duration,
    pub sends_left: u32,
    /// How long until another SMS may be asked for; zero: now.
    pub wait: Duration,
    pub state: CodeState,
    pub notice: Option<CodeNotice>,
    pub problem: Option<CodeProblem>,
}

/// What a code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeFor {
    SignIn,
    /// Of an account whose number is being changed.
    OldNumber,
    /// To take its place.
    NewNumber,
}

/// How much of a phone number may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownNumber {
    /// Its last two digits.
    Ending(String),
    /// All of it in its international form, while it is being enrolled.
    Whole(String),
}

/// What there is to be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeState {
    /// A code is on its way and in its lifetime.
    Sent,
    /// None was sent yet.
    NotSent,
    /// The one that was sent is past its lifetime.
    Expired,
}

/// What came of asking for an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeNotice {
    /// The form was too old, or of another sign-in; nothing was done.
    FormExpired,
    SentAgain,
    /// Nobody knows whether the SMS went out.
    MaybeSent,
    NotSent,
    /// This number cannot be texted.
    NumberRefused,
    /// Asked again within the waiting time.
    TooEarly,
    /// The limit of the account, the number or the network.
    TooOften(Duration),
    NoneLeft,
}

/// What was wrong with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeProblem {
    Missing,
    /// Not a code by its form; no try was counted.
    NotDigits,
    Wrong {
        attempts_left: u32,
    },
    Expired,
}

/// Asks for a password in place of a one-time password.
#[derive(Clone, Debug)]
pub struct NewPasswordPage {
    /// For password managers, and to see whose it is.
    pub user_name: String,
    /// Characters that it needs at least.
    pub min_length: usize,
    pub form: FormAge,
    pub problem: Option<NewPasswordProblem>,
}

/// What was wrong with a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewPasswordProblem {
    Missing,
    /// The second time it was typed otherwise.
    Differs,
    TooShort,
    TooLong,
    Common,
    /// Built on a name of the user or of the site.
    Named,
    Guessable,
    /// The one that has to be changed.
    Same,
}

/// Asks a session without a code for one.
#[derive(Clone, Debug)]
pub struct StepUpPage {
    /// Where to go afterwards.
    pub return_to: String,
    pub user_name: String,
}

/// Why there is no number to send a code to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoNumberReason {
    NotRegistered,
    /// The time to add it oneself is over.
    EnrolmentClosed,
    /// An operator's number is never given at the sign-in.
    Operator,
}

/// Why a sign-in cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverReason {
    /// Its tries are used up.
    AttemptsUsed,
    /// Too old, used, unknown, or overtaken by a change of the account: which of these is not told apart.
    Gone,
    /// The number is on as many accounts as may have it. Only for whoever has typed back a code that was sent there.
    NumberTaken,
}

/// A refusal or an error that needs nothing but a sentence and a way on.
#[derive(Clone, Debug)]
pub struct Message {
    pub kind: MessageKind,
    /// What "try again" opens; `None`: no such button (the request was not a GET).
    pub again_href: Option<String>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// 400
    BadRequest,
    /// 403: a form that did not come from a page of ours.
    FormRefused,
    /// 403: the operator's rules deny the address.
    Denied,
    /// 404
    NotFound,
    /// 405
    Method,
    /// 413
    TooLarge,
    /// 414
    UriTooLong,
    /// 421: no site has this host.
    Misdirected,
    /// 429
    Busy,
    /// 431
    Headers,
    /// 500
    Internal,
    /// 502
    BadGateway,
    /// 503: a store or a sender that signing in needs does not answer.
    SignInUnavailable,
    /// 503: the application.
    Unavailable,
    /// 504
    GatewayTimeout,
}

impl MessageKind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::BadRequest,
        Self::FormRefused,
        Self::Denied,
        Self::NotFound,
        Self::Method,
        Self::TooLarge,
        Self::UriTooLong,
        Self::Misdirected,
        Self::Busy,
        Self::Headers,
        Self::Internal,
        Self::BadGateway,
        Self::SignInUnavailable,
        Self::Unavailable,
        Self::GatewayTimeout,
    ];

    /// The status it is sent with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::FormRefused | Self::Denied => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Headers => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::SignInUnavailable | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        }
    }
}

impl Page {
    /// The status it is sent with. A form with a mistake in it is 422, so that scripts and password managers see that it did not succeed.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Login(LoginPage { problem: Some(_), .. })
            | Self::Phone(PhonePage { problem: Some(_), .. })
            | Self::Phone(PhonePage { ticket: TicketField::Missing | TicketField::NotRight, .. })
            | Self::Code(CodePage { problem: Some(_), .. })
            | Self::NewPassword(NewPasswordPage { problem: Some(_), .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            // shown again instead of a bare error, but nothing was done, and programs have to see that
            Self::Login(LoginPage { notice: Some(LoginNotice::FormExpired | LoginNotice::CookieMissing), .. })
            | Self::Phone(PhonePage { form: FormAge::Expired, .. })
            | Self::NewPassword(NewPasswordPage { form: FormAge::Expired, .. })
            | Self::Code(CodePage { notice: Some(CodeNotice::FormExpired), .. }) => StatusCode::FORBIDDEN,
            Self::Login(_)
            | Self::Phone(_)
            | Self::Code(_)
            | Self::NewPassword(_)
            | Self::StepUp(_)
            | Self::Logout { .. }
            | Self::SignedOut => StatusCode::OK,
            Self::NoNumber(_) | Self::Circle(_) => StatusCode::FORBIDDEN,
            Self::Over(_) => StatusCode::GONE,
            Self::CodesPaused { .. } | Self::TooManyTries { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Waiting { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotSent { .. } | Self::InFrame { .. } | Self::Interrupted { .. } => StatusCode::UNAUTHORIZED,
            Self::Own(page) => page.status(),
            Self::Message(message) => message.kind.status(),
        }
    }

    /// What the `Retry-After` header says, in whole seconds rounded up; `None`: there is none.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        let wait = match self {
            Self::CodesPaused { wait } => (*wait)?,
            Self::TooManyTries { wait } | Self::Waiting { wait } => *wait,
            Self::Message(message) => match message.kind {
                MessageKind::SignInUnavailable | MessageKind::Unavailable | MessageKind::Busy => {
                    Duration::from_secs(10)
                }
                MessageKind::BadRequest
                | MessageKind::FormRefused
                | MessageKind::Denied
                | MessageKind::NotFound
                | MessageKind::Method
                | MessageKind::TooLarge
                | MessageKind::UriTooLong
                | MessageKind::Misdirected
                | MessageKind::Headers
                | MessageKind::Internal
                | MessageKind::BadGateway
                | MessageKind::GatewayTimeout => return None,
            },
            Self::Login(_)
            | Self::Phone(_)
            | Self::Code(_)
            | Self::NewPassword(_)
            | Self::StepUp(_)
            | Self::Logout { .. }
            | Self::SignedOut
            | Self::Own(_)
            | Self::NoNumber(_)
            | Self::Over(_)
            | Self::Circle(_)
            | Self::NotSent { .. }
            | Self::InFrame { .. }
            | Self::Interrupted { .. } => return None,
        };
        Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).map(|seconds| seconds.max(1))
    }
}
