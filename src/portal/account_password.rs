//! Another password for one's own account. Floor: edge.

use axum::response::Response;

use super::account::{live, said};
use super::login::BUSY_WAIT;
use super::new_password::shown;
use super::visit::{Submission, Visit, with_cookies};
use crate::domain::session::Session;
use crate::login::own_account::PasswordChangeOutcome;
use crate::pages::own::{ChangePasswordPage, ChangePasswordProblem, OwnPage};
use crate::pages::page::{FormAge, MessageKind, NewPasswordProblem, Page};
use crate::web::paths;

/// GET: the form.
pub(super) async fn show(visit: Visit) -> Response {
    match live(&visit) {
        Ok(session) => page(&visit, &session, FormAge::Fresh, None),
        Err(answer) => *answer,
    }
}

/// POST: the present password, and the new one twice.
pub(super) async fn submit(submission: Submission) -> Response {
    let session = match live(&submission.visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let (visit, opened) = submission.of_session(&session);
    let Ok(form) = opened else { return page(&visit, &session, FormAge::Expired, None) };
    let again = |problem| page(&visit, &session, FormAge::Fresh, Some(problem));
    if form.field("password").is_empty() {
        return again(ChangePasswordProblem::PresentMissing);
    }
    if form.field("new_password").is_empty() {
        return again(ChangePasswordProblem::New(NewPasswordProblem::Missing));
    }
    if form.field("new_password") != form.field("repeated") {
        return again(ChangePasswordProblem::New(NewPasswordProblem::Differs));
    }
    let (present, chosen) = (form.secret("password"), form.secret("new_password"));
    match visit.login().change_own_password(&session, present, chosen, visit.client()).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(PasswordChangeOutcome::Changed(session)) => {
            let names = visit.cookie_names();
            let cookie = names.set(names.session, &visit.login().sessions().cookie(&session));
            with_cookies(said(&visit, "password-changed"), [cookie])
        }
        Ok(PasswordChangeOutcome::Refused) => again(ChangePasswordProblem::PresentNotCorrect),
        Ok(PasswordChangeOutcome::Problem(problem)) => again(ChangePasswordProblem::New(shown(problem))),
        Ok(PasswordChangeOutcome::TooMany(wait)) => visit.page(&Page::TooManyTries { wait }),
        Ok(PasswordChangeOutcome::Busy) => visit.page(&Page::Waiting { wait: BUSY_WAIT }),
        Ok(PasswordChangeOutcome::Over) => visit.see(paths::LOGOUT),
    }
}

fn page(visit: &Visit, session: &Session, form: FormAge, problem: Option<ChangePasswordProblem>) -> Response {
    let min_length = visit.login().settings().password_rules.min_length;
    let page = ChangePasswordPage { user_name: session.user_name.as_str().to_owned(), min_length, form, problem };
    visit.form_page(&Page::Own(OwnPage::Password(page)), session.id.bytes())
}
