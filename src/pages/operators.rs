//! The operators' pages as plain values, and as answers. In English only: operators of one installation share a language, and it is that of the
//! command line. What a page says is decided where it is made; here it is put into HTML.
//!
//! Floor: pages.

use bytes::Bytes;
use http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY};
use http::{Response, StatusCode};
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::look::SiteLook;
use super::operators_figures::{AuditPage, RehearsalReport, SmsPage};
use super::{render, security_headers};
use crate::web::paths;

/// What surrounds an operators' page.
#[derive(Clone, Copy, Debug)]
pub struct OperatorsChrome<'a> {
    pub site: &'a SiteLook,
    /// Who is signed in, with the role; `None`: nobody, as far as can be told.
    pub operator: Option<(&'a str, &'a str)>,
    /// The token of the page's forms.
    pub csrf: &'a str,
    pub request_id: &'a str,
}

/// An operators' page.
#[derive(Clone, Debug)]
pub enum OperatorsPage {
    Search(SearchPage),
    Account(AccountPage),
    Deed(DeedPage),
    OneTimePassword(OneTimePasswordPage),
    Ticket(TicketPage),
    Operators { operators: Vec<AccountLine> },
    TwoFactor(TwoFactorPage),
    Sms(SmsPage),
    Audit(AuditPage),
    SignInAgain { return_to: String },
    Message(MessagePage),
}

/// The first page: looking for an account.
#[derive(Clone, Debug, Serialize)]
pub struct SearchPage {
    /// What was looked for; empty: nothing yet.
    pub query: String,
    pub found: Vec<AccountLine>,
    /// More than these were found.
    pub more: bool,
    pub notice: Option<String>,
    pub may_add: bool,
}

/// An account in a list.
#[derive(Clone, Debug, Serialize)]
pub struct AccountLine {
    pub href: String,
    pub user_name: String,
    pub name: String,
    /// `+32 … 56`, or that there is none.
    pub number: String,
    /// `active`, or what stands in the way of signing in.
    pub state: String,
    pub last_sign_in: String,
    /// `helpdesk`, `admin` or nothing.
    pub role: String,
}

/// An account at a glance.
#[derive(Clone, Debug, Serialize)]
pub struct AccountPage {
    pub user_name: String,
    pub notice: Option<String>,
    /// What stands in the way of signing in, first.
    pub warnings: Vec<String>,
    pub facts: Vec<Fact>,
    pub sessions: Vec<SessionLine>,
    /// Where its records are, for whoever may see them.
    pub trail_href: Option<String>,
    pub deeds: Vec<DeedLink>,
    /// Why there is nothing to do, or not all.
    pub not_allowed: Option<String>,
}

/// One thing that is known.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    pub label: &'static str,
    pub value: String,
}

/// An open session.
#[derive(Clone, Debug, Serialize)]
pub struct SessionLine {
    pub site: String,
    pub with: &'static str,
    pub opened: String,
    pub ends: String,
    pub from: String,
    pub device: String,
    /// Where it can be ended, by whoever may.
    pub end_href: Option<String>,
}

/// The way to something that can be done.
#[derive(Clone, Debug, Serialize)]
pub struct DeedLink {
    pub href: String,
    pub label: &'static str,
}

/// Asks for the reason of something, and does nothing before it is sent.
#[derive(Clone, Debug, Serialize)]
pub struct DeedPage {
    pub title: String,
    pub paragraphs: Vec<String>,
    /// Where the form goes: the page itself.
    pub action: String,
    pub back: String,
    pub fields: Vec<DeedField>,
    /// As typed before.
    pub reason: String,
    pub button: &'static str,
    /// Which field is wrong, and what about it.
    pub problem: Option<DeedProblem>,
    /// Nothing was done, although nothing is wrong with what was typed.
    pub notice: Option<DeedNotice>,
}

/// A line to type or choose beside the reason.
#[derive(Clone, Debug, Serialize)]
pub struct DeedField {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: String,
    pub value: String,
    /// What there is to choose from; empty: it is typed.
    pub choices: Vec<&'static str>,
    pub required: bool,
}

/// What is wrong with what was typed.
#[derive(Clone, Debug, Serialize)]
pub struct DeedProblem {
    /// Its name; empty: it is about the whole.
    pub field: &'static str,
    pub text: String,
    #[serde(skip)]
    pub status: StatusCode,
}

/// Why nothing was done yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeedNotice {
    /// The form was of another session.
    FormExpired,
    /// The sign-in is too old.
    NotFresh,
}

/// A password that is seen once.
#[derive(Clone, Debug, Serialize)]
pub struct OneTimePasswordPage {
    pub user_name: String,
    pub password: String,
    pub until: String,
    pub back: String,
}

/// A ticket that is seen once.
#[derive(Clone, Debug, Serialize)]
pub struct TicketPage {
    pub user_name: String,
    pub ticket: String,
    pub until: String,
    pub back: String,
}

/// Whether two-factor sign-in is active, and who is ready for it.
#[derive(Clone, Debug, Serialize)]
pub struct TwoFactorPage {
    pub active_since: Option<String>,
    pub facts: Vec<Fact>,
    /// While it is not active.
    pub rehearsal: Option<RehearsalReport>,
    /// Where it can be switched on, by whoever may.
    pub activate_href: Option<&'static str>,
    pub notice: Option<String>,
}

/// A refusal or an error.
#[derive(Clone, Debug, Serialize)]
pub struct MessagePage {
    #[serde(skip)]
    pub status: StatusCode,
    pub title: &'static str,
    pub text: String,
    pub href: String,
    pub link: &'static str,
}

impl OperatorsPage {
    fn status(&self) -> StatusCode {
        match self {
            Self::Search(_)
            | Self::Account(_)
            | Self::OneTimePassword(_)
            | Self::Ticket(_)
            | Self::Operators { .. }
            | Self::TwoFactor(_)
            | Self::Sms(_)
            | Self::SignInAgain { .. } => StatusCode::OK,
            Self::Audit(page) => match page.problem {
                Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
                None => StatusCode::OK,
            },
            Self::Deed(page) => match (&page.problem, page.notice) {
                (Some(problem), _) => problem.status,
                (None, Some(DeedNotice::FormExpired | DeedNotice::NotFresh)) => StatusCode::FORBIDDEN,
                (None, None) => StatusCode::OK,
            },
            Self::Message(page) => page.status,
        }
    }

    fn template(&self) -> (&'static str, String, Value) {
        match self {
            Self::Search(page) => ("operators/search.html", "Accounts".to_owned(), Value::from(Serde(page))),
            Self::Account(page) => ("operators/account.html", page.user_name.clone(), Value::from(Serde(page))),
            Self::Deed(page) => ("operators/deed.html", page.title.clone(), Value::from(Serde(page))),
            Self::OneTimePassword(page) => {
                ("operators/password.html", "One-time password".to_owned(), Value::from(Serde(page)))
            }
            Self::Ticket(page) => ("operators/ticket.html", "Ticket".to_owned(), Value::from(Serde(page))),
            Self::Operators { operators } => (
                "operators/operators.html",
                "Operators".to_owned(),
                context! { operators => Value::from(Serde(operators)) },
            ),
            Self::TwoFactor(page) => {
                ("operators/two_factor.html", "Two-factor sign-in".to_owned(), Value::from(Serde(page)))
            }
            Self::Sms(page) => ("operators/sms.html", "SMS".to_owned(), Value::from(Serde(page))),
            Self::Audit(page) => ("operators/audit.html", "Audit trail".to_owned(), Value::from(Serde(page))),
            Self::SignInAgain { return_to } => {
                ("operators/again.html", "Sign in again".to_owned(), context! { return_to => return_to })
            }
            Self::Message(page) => ("operators/message.html", page.title.to_owned(), Value::from(Serde(page))),
        }
    }
}

/// The page as an answer, with its status and every header that pages of ours carry: it is never kept.
#[must_use]
pub fn answer(page: &OperatorsPage, chrome: &OperatorsChrome<'_>) -> Response<Bytes> {
    let (template, title, values) = page.template();
    let surroundings = context! {
        site => context! { name => chrome.site.name() },
        files => render::files(chrome.site),
        paths => context! { logout => paths::LOGOUT },
        operator => chrome.operator.map(|(name, role)| context! { name, role }),
        csrf => chrome.csrf,
        reference => (page.status() != StatusCode::OK).then_some(chrome.request_id),
        title,
        page => values,
    };
    let html = render::draw(template, surroundings).unwrap_or_else(|error| {
        // the tests draw every page; what is left are mistakes of ours that no input causes
        tracing::error!(%error, "a page could not be drawn");
        "<!doctype html><title>500</title><p>This page could not be drawn.</p>".to_owned()
    });
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = page.status();
    let headers = response.headers_mut();
    security_headers::put(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    headers.insert(VARY, HeaderValue::from_static("Cookie"));
    match page.status() {
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("10"));
        }
        StatusCode::UNAUTHORIZED => {
            headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Vestibule"));
        }
        _ => {}
    }
    response
}

#[cfg(test)]
#[path = "operators_tests.rs"]
mod tests;
