//! The sign-in page: user name and password. Floor: edge.

use std::time::Duration;

use axum::response::Response;

use super::code;
use super::visit::{Submission, Visit};
use crate::domain::pending::LoginHandle;
use crate::domain::session::Session;
use crate::login::sessions::{NoSession, SessionCheck};
use crate::login::{Audience, LoginSettings, PasswordOutcome, PasswordSubmission, PhonePolicy};
use crate::pages::page::{
    LoginNotice, LoginPage, LoginProblem, MessageKind, NoNumberReason, Page, StepUpPage, UserNameField,
};
use crate::web::paths;
use crate::web::return_path::ReturnPath;

/// How long somebody waits who came when too many were signing in: about as long as the queue of hashes takes to empty (our own figure).
pub(super) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The field of a form that is shown again because it came without the cookie: without it once more, no cookie will ever come.
const COOKIE_MISSING: &str = "cookie_missing";

/// GET: the form, or the way on for whoever is signed in already. Changes nothing: a pending login stays what it is, and nothing is sent.
pub(super) async fn show(visit: Visit) -> Response {
    let return_to = ReturnPath::parse_or_root(visit.query(paths::RETURN_TO).as_deref());
    match visit.session() {
        SessionCheck::Live(_) => visit.on_to(&return_to),
        SessionCheck::CannotTell => visit.message(MessageKind::SignInUnavailable),
        SessionCheck::StepUp(session) => step_up(&visit, &session, &return_to).await,
        SessionCheck::None(reason) => {
            let notice = match reason {
                NoSession::OutOfTime | NoSession::Ended => Some(LoginNotice::SessionEnded),
                NoSession::Absent | NoSession::Doubled | NoSession::Unreadable | NoSession::OtherSite => None,
            };
            form(&visit, LoginPage { return_to: return_to.as_str().to_owned(), notice, ..LoginPage::default() })
        }
    }
}

/// POST: the password step.
pub(super) async fn submit(submission: Submission) -> Response {
    let (visit, opened) = submission.of_login();
    let (fields, _) = match opened {
        Ok(opened) => opened,
        Err(stale) => {
            let unbound = visit.handle().is_none();
            if unbound && !stale.shown_again(COOKIE_MISSING).is_empty() {
                return visit.circle(visit.login_cookie_problem(), paths::LOGIN);
            }
            let page = LoginPage {
                user_name: UserNameField::Open(stale.shown_again("username").to_owned()),
                return_to: ReturnPath::parse_or_root(Some(stale.shown_again(paths::RETURN_TO))).as_str().to_owned(),
                notice: Some(if unbound { LoginNotice::CookieMissing } else { LoginNotice::FormExpired }),
                problem: None,
                announced: None,
            };
            return form(&visit, page);
        }
    };
    let return_to = ReturnPath::parse_or_root(Some(fields.field(paths::RETURN_TO)));
    let user_name = fields.field("username").trim();
    let again = |problem| {
        let page = LoginPage {
            user_name: UserNameField::Open(user_name.to_owned()),
            return_to: return_to.as_str().to_owned(),
            notice: None,
            problem: Some(problem),
            announced: None,
        };
        form(&visit, page)
    };
    if user_name.is_empty() {
        return again(LoginProblem::UserNameMissing);
    }
    if fields.field("password").is_empty() {
        return again(LoginProblem::PasswordMissing);
    }
    let submission = PasswordSubmission {
        site: visit.context.site.clone(),
        user_name: user_name.to_owned(),
        password: fields.secret("password"),
        client: visit.client(),
        return_path: return_to.as_str().to_owned(),
        page_language: visit.language,
    };
    match visit.login().submit_password(submission).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(PasswordOutcome::Refused) => again(LoginProblem::NotCorrect),
        Ok(PasswordOutcome::TooMany(wait)) => visit.page(&Page::TooManyTries { wait }),
        Ok(PasswordOutcome::Busy) => visit.page(&Page::Waiting { wait: BUSY_WAIT }),
        Ok(PasswordOutcome::NoNumber) => visit.page(&Page::NoNumber(no_number(visit.login().settings()))),
        Ok(PasswordOutcome::NeedsPhone(handle)) => visit.with_login_cookie(visit.see(paths::PHONE), &handle),
        Ok(PasswordOutcome::NeedsNewPassword(handle)) => {
            visit.with_login_cookie(visit.see(paths::NEW_PASSWORD), &handle)
        }
        Ok(PasswordOutcome::NeedsCode(handle, report)) => {
            visit.with_login_cookie(code::after_first_send(&visit, report), &handle)
        }
        Ok(PasswordOutcome::SignedIn { session, return_path }) => visit.signed_in(&session, &return_path).await,
    }
}

fn no_number(settings: &LoginSettings) -> NoNumberReason {
    match (settings.audience, settings.phone_policy) {
        (Audience::Operators, _) => NoNumberReason::Operator,
        (Audience::Users, PhonePolicy::PreRegistered) => NoNumberReason::NotRegistered,
        (Audience::Users, PhonePolicy::SelfRegistered(_)) => NoNumberReason::EnrolmentClosed,
    }
}

/// The form, bound to the login cookie: the one that is there, or a new one. It never takes the place of a cookie that is in use.
pub(super) fn form(visit: &Visit, page: LoginPage) -> Response {
    let page = Page::Login(LoginPage { announced: visit.login().announced_activation(), ..page });
    match visit.handle() {
        Some(handle) => visit.form_page(&page, handle.bytes()),
        None => {
            let handle = LoginHandle::random();
            visit.with_login_cookie(visit.form_page(&page, handle.bytes()), &handle)
        }
    }
}

/// The form for somebody whose session has no code: the password again, and the code after it.
pub(super) fn form_for(visit: &Visit, session: &Session, return_to: &ReturnPath) -> Response {
    let page = LoginPage {
        user_name: UserNameField::Fixed(session.user_name.as_str().to_owned()),
        return_to: return_to.as_str().to_owned(),
        notice: Some(LoginNotice::TwoFactorNeeded),
        problem: None,
        announced: None,
    };
    form(visit, page)
}

async fn step_up(visit: &Visit, session: &Session, return_to: &ReturnPath) -> Response {
    if let Some(handle) = visit.handle() {
        match visit.login().pending(&visit.context.site, &handle).await {
            Err(_logged) => return visit.message(MessageKind::SignInUnavailable),
            Ok(Some(_)) => return visit.see(paths::CODE), // asked for in another tab
            Ok(None) => {}
        }
    }
    if visit.login().step_up_until(session) <= visit.login().now() {
        return form_for(visit, session, return_to);
    }
    let page =
        StepUpPage { return_to: return_to.as_str().to_owned(), user_name: session.user_name.as_str().to_owned() };
    visit.form_page(&Page::StepUp(page), session.id.bytes())
}
