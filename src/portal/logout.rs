//! Signing out: GET asks, POST does. Floor: edge.

use std::sync::Arc;

use axum::response::Response;

use super::visit::{Submission, Visit, with_cookies};
use crate::domain::session::Session;
use crate::login::sessions::SessionCheck;
use crate::pages::page::{MessageKind, Page};
use crate::web::paths;

/// GET: the question, or that nobody is signed in.
pub(super) async fn ask(visit: Visit) -> Response {
    match visit.session() {
        SessionCheck::Live(session) | SessionCheck::StepUp(session) => question(&visit, &session),
        SessionCheck::None(_) => visit.page(&Page::SignedOut),
        SessionCheck::CannotTell => visit.message(MessageKind::SignInUnavailable),
    }
}

/// POST: ends the session everywhere. The cookie goes only when that is certain: as long as it may be open, signing out can be tried again.
pub(super) async fn submit(submission: Submission) -> Response {
    let session = match submission.visit.session() {
        SessionCheck::Live(session) | SessionCheck::StepUp(session) => session,
        SessionCheck::None(_) => return submission.visit.see(paths::LOGOUT),
        SessionCheck::CannotTell => return submission.visit.message(MessageKind::SignInUnavailable),
    };
    let (visit, opened) = submission.of_session(&session);
    if opened.is_err() {
        return question(&visit, &session);
    }
    match visit.login().sign_out(Arc::unwrap_or_clone(session), visit.client()).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(()) => {
            let names = visit.cookie_names();
            // the session last: curl 7.88 forgets a deletion that is followed by one of a cookie it does not have
            let login = visit.handle().and_then(|_| names.delete(names.login));
            let bounces = visit.bounces().forget(names);
            with_cookies(visit.see(paths::LOGOUT), [login, bounces, names.delete(names.session)])
        }
    }
}

fn question(visit: &Visit, session: &Session) -> Response {
    let page = Page::Logout { user_name: session.user_name.as_str().to_owned(), stay_href: "/".to_owned() };
    visit.form_page(&page, session.id.bytes())
}
