//! From a page to what its template shows: every sentence chosen, every count and time put into words.
//!
//! Floor: pages.

mod code;
mod new_password;
mod own;

use std::time::Duration;

use fluent_bundle::FluentValue;
use minijinja::{Value, context};

use super::circle::{CircleCause, CirclePage};
use super::enrolment::{PhonePage, TicketField};
use super::look::Contact;
use super::page::{
    Chrome, FormAge, Interrupted, LoginNotice, LoginPage, LoginProblem, Message, MessageKind, NoNumberReason,
    OverReason, Page, StepUpPage, UserNameField,
};
use super::texts;
use crate::domain::phone::PhoneProblem;
use crate::domain::time::Day;
use crate::web::paths;

/// What a template gets beside the chrome.
pub(super) struct View {
    pub(super) template: &'static str,
    pub(super) title: String,
    /// Whether the reference of the request is shown: it is on every refusal.
    pub(super) refers: bool,
    pub(super) notice: Option<Notice>,
    pub(super) problem: Option<FieldProblem>,
    pub(super) values: Value,
}

/// A sentence above the form.
pub(super) struct Notice {
    /// `info`, `good` or `bad`: the class of the box.
    pub(super) tone: &'static str,
    pub(super) text: String,
}

/// What is wrong with a form.
pub(super) struct FieldProblem {
    /// The id of the field that the summary leads to.
    pub(super) field: &'static str,
    /// In the box at the top.
    pub(super) summary: String,
    /// Beside the field; `None`: the summary is about the whole form.
    pub(super) inline: Option<String>,
}

/// A page of sentences with one way on.
struct Outcome {
    title: &'static str,
    paragraphs: Vec<String>,
    contact: Option<(&'static str, &'static str)>,
    action: Option<(&'static str, String)>,
    refers: bool,
}

/// Looks up texts in the page's language.
struct Words<'a>(Chrome<'a>);

type Values<'a> = &'a [(&'a str, FluentValue<'a>)];

impl Words<'_> {
    fn say(&self, key: &str) -> String {
        self.with(key, &[])
    }

    fn with(&self, key: &str, values: Values<'_>) -> String {
        texts::text(self.0.language, key, values)
    }

    fn day(&self, day: Day) -> String {
        let (year, month, day) = day.parts();
        self.with("day-in-words", &[("day", day.into()), ("month", month.into()), ("year", year.into())])
    }

    fn time(&self, key: &str, wait: Duration) -> String {
        self.with(key, &[("time", texts::duration(self.0.language, wait).into())])
    }
}

/// What the template of `page` shows.
pub(super) fn view(page: &Page, chrome: Chrome<'_>) -> View {
    let words = Words(chrome);
    match page {
        Page::Login(page) => login(page, &words),
        Page::Phone(page) => phone(page, &words),
        Page::Code(page) => code::view(page, &words),
        Page::NewPassword(page) => new_password::view(page, &words),
        Page::StepUp(page) => step_up(page, &words),
        Page::Own(page) => own::view(page, &words),
        Page::Logout { user_name, stay_href } => View {
            template: "logout.html",
            title: words.say("logout-title"),
            refers: false,
            notice: None,
            problem: None,
            values: context! { user_name, stay_href },
        },
        Page::SignedOut => outcome(
            Outcome {
                title: "signed-out-title",
                paragraphs: vec![words.say("signed-out-lead")],
                contact: None,
                action: Some(("sign-in-again", paths::LOGIN.to_owned())),
                refers: false,
            },
            &words,
        ),
        Page::NoNumber(reason) => outcome(
            Outcome {
                title: "no-number-title",
                paragraphs: vec![words.say(match reason {
                    NoNumberReason::NotRegistered => "no-number-lead",
                    NoNumberReason::EnrolmentClosed => "no-number-closed",
                    NoNumberReason::Operator => "no-number-operator",
                })],
                contact: Some(("no-number-ask", "no-number-ask-nobody")),
                action: None,
                refers: true,
            },
            &words,
        ),
        Page::Over(reason) => outcome(
            Outcome {
                title: "over-title",
                paragraphs: vec![words.say(match reason {
                    OverReason::AttemptsUsed => "over-attempts",
                    OverReason::Gone => "over-gone",
                    OverReason::NumberTaken => "over-number-taken",
                })],
                contact: (*reason == OverReason::NumberTaken).then_some(("no-number-ask", "no-number-ask-nobody")),
                action: Some(("sign-in-again", paths::LOGIN.to_owned())),
                refers: true,
            },
            &words,
        ),
        Page::CodesPaused { wait } => outcome(
            Outcome {
                title: "codes-paused-title",
                paragraphs: std::iter::once(words.say("codes-paused-lead"))
                    .chain(wait.map(|wait| words.time("codes-paused-wait", wait)))
                    .collect(),
                contact: wait.is_none().then_some(("codes-paused-ask", "codes-paused-ask-nobody")),
                action: wait.map(|_| ("sign-in-again", paths::LOGIN.to_owned())),
                refers: true,
            },
            &words,
        ),
        Page::TooManyTries { wait } => waiting("too-many-title", "too-many-lead", *wait, &words),
        Page::Waiting { wait } => waiting("waiting-title", "waiting-lead", *wait, &words),
        Page::Circle(page) => circle(page, &words),
        Page::NotSent { sign_in_href } => outcome(
            Outcome {
                title: "not-sent-title",
                paragraphs: vec![words.say("not-sent-lead"), words.say("not-sent-advice")],
                contact: None,
                action: Some(("sign-in-again", sign_in_href.clone())),
                refers: true,
            },
            &words,
        ),
        Page::InFrame { sign_in_href } => outcome(
            Outcome {
                title: "interrupted-title",
                paragraphs: vec![words.say("in-frame-lead")],
                contact: None,
                action: Some(("sign-in-again", sign_in_href.clone())),
                refers: true,
            },
            &words,
        ),
        Page::Interrupted { what, sign_in_href } => {
            let keys: &[&str] = match what {
                Interrupted::Opening => &["login-session-ended"],
                Interrupted::Sending => &["interrupted-lead", "interrupted-advice"],
            };
            outcome(
                Outcome {
                    title: "interrupted-title",
                    paragraphs: keys.iter().map(|key| words.say(key)).collect(),
                    contact: None,
                    action: Some(("sign-in-again", sign_in_href.clone())),
                    refers: true,
                },
                &words,
            )
        }
        Page::Message(page) => message(page, &words),
    }
}

fn login(page: &LoginPage, words: &Words<'_>) -> View {
    let (user_name, fixed) = match &page.user_name {
        UserNameField::Open(name) => (name, false),
        UserNameField::Fixed(name) => (name, true),
    };
    let notice = page.notice.map(|notice| match notice {
        LoginNotice::FormExpired => Notice { tone: "info", text: words.say("login-form-expired") },
        LoginNotice::CookieMissing => Notice { tone: "info", text: words.say("login-cookie-missing") },
        LoginNotice::SessionEnded => Notice { tone: "info", text: words.say("login-session-ended") },
        LoginNotice::TwoFactorNeeded => Notice { tone: "info", text: words.say("login-two-factor-needed") },
    });
    let problem = page.problem.map(|problem| match problem {
        LoginProblem::UserNameMissing => FieldProblem::both("username", words.say("login-user-name-missing")),
        LoginProblem::PasswordMissing => FieldProblem::both("password", words.say("login-password-missing")),
        LoginProblem::NotCorrect => FieldProblem {
            field: if fixed { "password" } else { "username" },
            summary: words.say("login-not-correct"),
            inline: None,
        },
    });
    let help = words.0.site.password_help.as_ref();
    View {
        template: "login.html",
        title: words.say("login-title"),
        refers: problem.is_some() || matches!(page.notice, Some(LoginNotice::FormExpired | LoginNotice::CookieMissing)),
        notice,
        problem,
        values: context! {
            user_name,
            fixed,
            return_to => page.return_to.as_str(),
            announcement => page.announced.map(|day| words.with("login-announcement", &[("day", words.day(day).into())])),
            cookie_missing => page.notice == Some(LoginNotice::CookieMissing),
            help_href => help.and_then(|contact| contact.href.as_deref()),
            help_text => help.map(|contact| contact.text.as_str()),
        },
    }
}

fn phone(page: &PhonePage, words: &Words<'_>) -> View {
    let problem =
        page.problem.as_ref().map(|problem| phone_problem(problem, words)).or(ticket_problem(page.ticket, words));
    let shown = calling_codes(&page.calling_codes, words);
    View {
        template: "phone.html",
        title: words.say("phone-title"),
        refers: problem.is_some() || page.form == FormAge::Expired,
        notice: (page.form == FormAge::Expired).then(|| Notice { tone: "info", text: words.say("phone-form-expired") }),
        problem,
        values: context! {
            phone => page.phone.as_str(),
            example => page.example.as_str(),
            countries => shown,
            ticket => page.ticket != TicketField::NotAsked,
        },
    }
}

/// What is wrong with a ticket, at its field.
fn ticket_problem(ticket: TicketField, words: &Words<'_>) -> Option<FieldProblem> {
    match ticket {
        TicketField::NotAsked | TicketField::Asked => None,
        TicketField::Missing => Some(FieldProblem::both("ticket", words.say("ticket-missing"))),
        TicketField::NotRight => Some(FieldProblem::both("ticket", words.say("ticket-not-right"))),
    }
}

/// What is wrong with a number, at its field.
fn phone_problem(problem: &PhoneProblem, words: &Words<'_>) -> FieldProblem {
    let key = match problem {
        PhoneProblem::Empty => "phone-missing",
        PhoneProblem::UnknownCharacter(_)
        | PhoneProblem::SpreadsheetMangled
        | PhoneProblem::Extension
        | PhoneProblem::MissingCountryCode
        | PhoneProblem::TooShort
        | PhoneProblem::TooLong
        | PhoneProblem::NotANumber => "phone-not-a-number",
        PhoneProblem::CountryNotAllowed { .. } => "phone-country-not-allowed",
        PhoneProblem::NotMobile => "phone-not-mobile",
    };
    FieldProblem::both("phone", words.say(key))
}

/// The country codes that can be texted, in a sentence.
fn calling_codes(codes: &[u16], words: &Words<'_>) -> Option<String> {
    // a long list helps nobody to read it; the refusal then says that the country is the reason
    let shown: Vec<String> = codes.iter().map(|code| format!("+{code}")).collect();
    (2..=8).contains(&shown.len()).then(|| words.with("phone-countries", &[("codes", shown.join(", ").into())]))
}

fn step_up(page: &StepUpPage, words: &Words<'_>) -> View {
    View {
        template: "step_up.html",
        title: words.say("step-up-title"),
        refers: false,
        notice: None,
        problem: None,
        values: context! { return_to => page.return_to.as_str(), user_name => page.user_name.as_str() },
    }
}

fn waiting(title: &'static str, lead: &str, wait: Duration, words: &Words<'_>) -> View {
    let paragraphs = vec![words.time(lead, wait)];
    let action = Some(("try-again", paths::LOGIN.to_owned()));
    outcome(Outcome { title, paragraphs, contact: None, action, refers: true }, words)
}

fn circle(page: &CirclePage, words: &Words<'_>) -> View {
    let name = match page.cause {
        CircleCause::CookiesNotSent => "circle-no-cookies",
        CircleCause::PageOverHttp => "circle-http",
        CircleCause::SessionNotSent => "circle-not-kept",
        CircleCause::DoubledCookie => "circle-doubled",
        CircleCause::UnreadableCookie | CircleCause::OtherSite => "circle-not-known",
        CircleCause::OutOfTime => "circle-clock",
        CircleCause::Ended => "circle-ended",
        CircleCause::Application => "circle-application",
        CircleCause::HttpsNotSeen => "circle-https",
    };
    let paragraphs = vec![words.say(name), words.say(&format!("{name}-advice"))];
    let action = Some(("try-again", page.again_href.clone()));
    let contact = Some(("circle-ask", "circle-ask-nobody"));
    outcome(Outcome { title: "circle-title", paragraphs, contact, action, refers: true }, words)
}

fn message(page: &Message, words: &Words<'_>) -> View {
    let again = || page.again_href.clone().map(|href| ("try-again", href));
    let start = || Some(("start-page", "/".to_owned()));
    let (name, action) = match page.kind {
        MessageKind::BadRequest => ("bad-request", start()),
        MessageKind::FormRefused => ("form-refused", Some(("open-sign-in", paths::LOGIN.to_owned()))),
        MessageKind::Denied => ("denied", start()),
        MessageKind::NotFound => ("not-found", start()),
        MessageKind::Method => ("method", start()),
        MessageKind::TooLarge => ("too-large", None),
        MessageKind::UriTooLong => ("uri-too-long", start()),
        MessageKind::Misdirected => ("misdirected", None),
        MessageKind::Busy => ("busy", again()),
        MessageKind::Headers => ("headers", None),
        MessageKind::Internal => ("internal", again()),
        MessageKind::BadGateway => ("bad-gateway", again()),
        MessageKind::SignInUnavailable => ("sign-in-unavailable", again()),
        MessageKind::Unavailable => ("unavailable", again()),
        MessageKind::GatewayTimeout => ("gateway-timeout", again()),
    };
    View {
        template: "outcome.html",
        title: words.say(&format!("{name}-title")),
        refers: true,
        notice: None,
        problem: None,
        values: outcome_values(
            &[words.say(&format!("{name}-lead")), words.say(&format!("{name}-advice"))],
            None,
            action,
            words,
        ),
    }
}

fn outcome(outcome: Outcome, words: &Words<'_>) -> View {
    View {
        template: "outcome.html",
        title: words.say(outcome.title),
        refers: outcome.refers,
        notice: None,
        problem: None,
        values: outcome_values(&outcome.paragraphs, outcome.contact, outcome.action, words),
    }
}

fn outcome_values(
    paragraphs: &[String],
    ask: Option<(&str, &str)>,
    action: Option<(&str, String)>,
    words: &Words<'_>,
) -> Value {
    let contact = ask.and(words.0.site.support.as_ref());
    let nobody = ask.filter(|_| contact.is_none()).map(|(_, nobody)| words.say(nobody));
    context! {
        paragraphs => paragraphs.to_vec(),
        ask_key => contact.and(ask).map(|(key, _)| key),
        ask_nobody => nobody,
        action_text => action.as_ref().map(|(key, _)| words.say(key)),
        action_href => action.map(|(_, href)| href),
    }
}

impl FieldProblem {
    fn both(field: &'static str, text: String) -> Self {
        Self { field, summary: text.clone(), inline: Some(text) }
    }
}

/// A contact for the templates: text and, when it can be one, link.
pub(super) fn contact(contact: Option<&Contact>) -> Option<Value> {
    contact.map(
        |contact| context! { text => contact.text.as_str(), href => contact.href.as_deref(), is_url => contact.is_url },
    )
}
