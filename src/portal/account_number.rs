//! Another number for one's own account: the password, the code on the old number, the new number, the code on that. One address shows whichever is
//! next; each is sent to an address of its own. Floor: edge.

use axum::response::Response;

use super::account::{live, said};
use super::code;
use super::login::BUSY_WAIT;
use super::visit::{Submission, Visit, with_cookies};
use crate::domain::session::Session;
use crate::login::own_account::{NewNumberOutcome, NumberChangeBegun, NumberCodeOutcome, NumberMay, NumberStage};
use crate::login::{CodeStage, SendReport};
use crate::pages::own::{
    NewNumberPage, NewNumberProblem, NumberIs, NumberPasswordPage, NumberPasswordProblem, OwnPage,
};
use crate::pages::page::{CodeFor, CodeNotice, CodeProblem, FormAge, MessageKind, Page};
use crate::web::paths;

/// What the number was typed as, and what is wrong with it.
#[derive(Default)]
struct Typed {
    phone: String,
    problem: Option<NewNumberProblem>,
}

/// GET: whatever is next.
pub(super) async fn show(visit: Visit) -> Response {
    match live(&visit) {
        Ok(session) => next(&visit, &session, code::notice_in(&visit), None).await,
        Err(answer) => *answer,
    }
}

/// POST: the password that begins it.
pub(super) async fn begin(submission: Submission) -> Response {
    let session = match live(&submission.visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let (visit, opened) = submission.of_session(&session);
    let number = number_is(&visit, &session).await;
    let Ok(form) = opened else { return password_page(&visit, &session, number, FormAge::Expired, None) };
    let again = |problem| password_page(&visit, &session, number, FormAge::Fresh, Some(problem));
    if form.field("password").is_empty() {
        return again(NumberPasswordProblem::Missing);
    }
    let step = visit.login().begin_number_change(
        &session,
        form.secret("password"),
        paths::ACCOUNT.to_owned(),
        visit.client(),
        visit.language,
    );
    match step.await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(NumberChangeBegun::NeedsCode(handle, report)) => {
            visit.with_login_cookie(after_send(&visit, report), &handle)
        }
        Ok(NumberChangeBegun::NeedsPhone(handle)) => visit.with_login_cookie(visit.see(paths::PHONE), &handle),
        Ok(NumberChangeBegun::Refused) => again(NumberPasswordProblem::NotCorrect),
        Ok(NumberChangeBegun::TooMany(wait)) => visit.page(&Page::TooManyTries { wait }),
        Ok(NumberChangeBegun::Busy) => visit.page(&Page::Waiting { wait: BUSY_WAIT }),
        Ok(NumberChangeBegun::NotHere) => visit.see(paths::ACCOUNT),
        Ok(NumberChangeBegun::Over) => visit.see(paths::LOGOUT),
    }
}

/// POST: a code, on the old number or on the new one.
pub(super) async fn submit_code(submission: Submission) -> Response {
    let session = match live(&submission.visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let (visit, opened) = submission.of_session(&session);
    let Ok(form) = opened else { return next(&visit, &session, Some(CodeNotice::FormExpired), None).await };
    let Some(handle) = visit.handle() else { return over(&visit) };
    let typed = form.field("code").to_owned();
    let is_empty = typed.trim().is_empty();
    let problem = match visit.login().submit_number_code(&session, &handle, typed, visit.client()).await {
        Err(_logged) => return visit.message(MessageKind::SignInUnavailable),
        Ok(NumberCodeOutcome::OldProved(handle)) => {
            return visit.with_login_cookie(visit.see(paths::ACCOUNT_PHONE), &handle);
        }
        Ok(NumberCodeOutcome::Changed(session)) => {
            let names = visit.cookie_names();
            let cookie = names.set(names.session, &visit.login().sessions().cookie(&session));
            return with_cookies(said(&visit, "number-changed"), [cookie, names.delete(names.login)]);
        }
        Ok(NumberCodeOutcome::Malformed) if is_empty => CodeProblem::Missing,
        Ok(NumberCodeOutcome::Malformed) => CodeProblem::NotDigits,
        Ok(NumberCodeOutcome::Wrong { left }) => CodeProblem::Wrong { attempts_left: left },
        Ok(NumberCodeOutcome::Expired) => CodeProblem::Expired,
        Ok(NumberCodeOutcome::TooMany(wait)) => return visit.page(&Page::CodesPaused { wait: Some(wait) }),
        Ok(NumberCodeOutcome::Locked) => return visit.page(&Page::CodesPaused { wait: None }),
        Ok(NumberCodeOutcome::NumberTaken) => return said(&visit, "number-taken"),
        Ok(NumberCodeOutcome::Spent | NumberCodeOutcome::Over) => return over(&visit),
    };
    next(&visit, &session, None, Some(problem)).await
}

/// POST: another SMS.
pub(super) async fn resend(submission: Submission) -> Response {
    let session = match live(&submission.visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let (visit, opened) = submission.of_session(&session);
    if opened.is_err() {
        return next(&visit, &session, Some(CodeNotice::FormExpired), None).await;
    }
    let Some(handle) = visit.handle() else { return over(&visit) };
    match visit.login().resend_number_code(&session, &handle, visit.client(), visit.language).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(Some(SendReport::Sent)) => visit.see(&code::said_again(paths::ACCOUNT_PHONE)),
        Ok(Some(report)) => after_send(&visit, report),
        Ok(None) => over(&visit),
    }
}

/// GET: the new number, also when one was given but not proved yet.
pub(super) async fn show_number(visit: Visit) -> Response {
    match live(&visit) {
        Ok(session) => number_page(&visit, &session, FormAge::Fresh, Typed::default()).await,
        Err(answer) => *answer,
    }
}

/// POST: the new number.
pub(super) async fn submit_number(submission: Submission) -> Response {
    let session = match live(&submission.visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let (visit, opened) = submission.of_session(&session);
    let form = match opened {
        Ok(form) => form,
        Err(stale) => {
            let typed = Typed { phone: stale.shown_again("phone").to_owned(), problem: None };
            return number_page(&visit, &session, FormAge::Expired, typed).await;
        }
    };
    let Some(handle) = visit.handle() else { return over(&visit) };
    let phone = form.field("phone").to_owned();
    let step = visit.login().submit_new_number(&session, &handle, phone.clone(), visit.client(), visit.language);
    let problem = match step.await {
        Err(_logged) => return visit.message(MessageKind::SignInUnavailable),
        Ok(NewNumberOutcome::NeedsCode(report)) => return after_send(&visit, report),
        Ok(NewNumberOutcome::Over) => return over(&visit),
        Ok(NewNumberOutcome::Problem(problem)) => NewNumberProblem::Unusable(problem),
        Ok(NewNumberOutcome::Same) => NewNumberProblem::Same,
    };
    number_page(&visit, &session, FormAge::Fresh, Typed { phone, problem: Some(problem) }).await
}

/// The change is over: said on the account page.
fn over(visit: &Visit) -> Response {
    said(visit, "number-not-changed")
}

fn after_send(visit: &Visit, report: SendReport) -> Response {
    code::said_of_send(visit, paths::ACCOUNT_PHONE, report).unwrap_or_else(|| over(visit))
}

/// The page of the present stage; `notice` and `problem` are of a code.
async fn next(visit: &Visit, session: &Session, notice: Option<CodeNotice>, problem: Option<CodeProblem>) -> Response {
    let code_page = |stage: &CodeStage, owed_for| {
        let page = code::page_of(visit, stage, notice, problem, owed_for);
        visit.form_page(&Page::Code(page), session.id.bytes())
    };
    match visit.login().number_change(session, visit.handle().as_ref()).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(None) => visit.see(paths::LOGOUT),
        Ok(Some(NumberStage::NotHere)) => visit.see(paths::ACCOUNT),
        Ok(Some(NumberStage::Password(_))) if notice.is_some() || problem.is_some() => over(visit),
        Ok(Some(NumberStage::Password(may))) => password_page(visit, session, asked_for(may), FormAge::Fresh, None),
        Ok(Some(NumberStage::OldCode(stage))) => code_page(&stage, CodeFor::OldNumber),
        Ok(Some(NumberStage::NewNumber)) => visit.see(paths::ACCOUNT_PHONE_NUMBER),
        Ok(Some(NumberStage::NewCode(stage))) => code_page(&stage, CodeFor::NewNumber),
    }
}

/// Whether the account has a number, for the page that asks for the password again.
async fn number_is(visit: &Visit, session: &Session) -> NumberIs {
    match visit.login().number_change(session, None).await {
        Ok(Some(NumberStage::Password(may))) => asked_for(may),
        Ok(_) | Err(_) => NumberIs::Another,
    }
}

fn asked_for(may: NumberMay) -> NumberIs {
    match may {
        NumberMay::BeGiven => NumberIs::First,
        NumberMay::BeChanged | NumberMay::NotBeTouched => NumberIs::Another,
    }
}

fn password_page(
    visit: &Visit,
    session: &Session,
    number: NumberIs,
    form: FormAge,
    problem: Option<NumberPasswordProblem>,
) -> Response {
    let page = NumberPasswordPage { number, user_name: session.user_name.as_str().to_owned(), form, problem };
    visit.form_page(&Page::Own(OwnPage::NumberPassword(page)), session.id.bytes())
}

async fn number_page(visit: &Visit, session: &Session, form: FormAge, typed: Typed) -> Response {
    match visit.login().number_change(session, visit.handle().as_ref()).await {
        Err(_logged) => return visit.message(MessageKind::SignInUnavailable),
        Ok(None) => return visit.see(paths::LOGOUT),
        Ok(Some(NumberStage::NewNumber | NumberStage::NewCode(_))) => {}
        Ok(Some(NumberStage::Password(_) | NumberStage::OldCode(_) | NumberStage::NotHere)) => {
            return visit.see(paths::ACCOUNT_PHONE);
        }
    }
    let (example, calling_codes) = super::phone::numbers_asked_for(visit);
    let page = NewNumberPage { phone: typed.phone, example, calling_codes, form, problem: typed.problem };
    visit.form_page(&Page::Own(OwnPage::NewNumber(page)), session.id.bytes())
}
