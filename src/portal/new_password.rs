//! The page that asks for a password in place of a one-time password, after every factor was shown. Floor: edge.

use axum::response::Response;

use super::code;
use super::login::BUSY_WAIT;
use super::visit::{Submission, Visit};
use crate::domain::password::Weakness;
use crate::login::{NewPasswordOutcome, PasswordProblem, PendingStage};
use crate::pages::page::{FormAge, MessageKind, NewPasswordPage, NewPasswordProblem, OverReason, Page};
use crate::web::paths;

/// GET: the form.
pub(super) async fn show(visit: Visit) -> Response {
    page(&visit, FormAge::Fresh, None).await
}

/// POST: the new password, typed twice.
pub(super) async fn submit(submission: Submission) -> Response {
    let (visit, opened) = submission.of_login();
    let Ok((form, handle)) = opened else { return page(&visit, FormAge::Expired, None).await };
    if form.field("new_password").is_empty() {
        return page(&visit, FormAge::Fresh, Some(NewPasswordProblem::Missing)).await;
    }
    if form.field("new_password") != form.field("repeated") {
        return page(&visit, FormAge::Fresh, Some(NewPasswordProblem::Differs)).await;
    }
    let step = visit.login().choose_password(&visit.context.site, &handle, form.secret("new_password"), visit.client());
    match step.await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(NewPasswordOutcome::SignedIn { session, return_path }) => visit.signed_in(&session, &return_path).await,
        Ok(NewPasswordOutcome::Busy) => visit.page(&Page::Waiting { wait: BUSY_WAIT }),
        Ok(NewPasswordOutcome::NumberTaken) => visit.page(&Page::Over(OverReason::NumberTaken)),
        Ok(NewPasswordOutcome::Over) => code::over(&visit),
        Ok(NewPasswordOutcome::Problem(problem)) => page(&visit, FormAge::Fresh, Some(shown(problem))).await,
    }
}

/// How the page names what is wrong.
pub(super) fn shown(problem: PasswordProblem) -> NewPasswordProblem {
    match problem {
        PasswordProblem::Empty => NewPasswordProblem::Missing,
        PasswordProblem::TooLong => NewPasswordProblem::TooLong,
        PasswordProblem::Same => NewPasswordProblem::Same,
        PasswordProblem::Weak(Weakness::TooShort { .. }) => NewPasswordProblem::TooShort,
        PasswordProblem::Weak(Weakness::Common) => NewPasswordProblem::Common,
        PasswordProblem::Weak(Weakness::NamesUserOrSite) => NewPasswordProblem::Named,
        PasswordProblem::Weak(Weakness::Guessable) => NewPasswordProblem::Guessable,
    }
}

async fn page(visit: &Visit, form: FormAge, problem: Option<NewPasswordProblem>) -> Response {
    let (handle, pending) = match code::pending(visit).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match pending.stage {
        PendingStage::Phone => return visit.see(paths::PHONE),
        PendingStage::Code(_) => return visit.see(paths::CODE),
        PendingStage::NewPassword => {}
    }
    let min_length = visit.login().settings().password_rules.min_length;
    let page = NewPasswordPage { user_name: pending.user_name, min_length, form, problem };
    visit.form_page(&Page::NewPassword(page), handle.bytes())
}
