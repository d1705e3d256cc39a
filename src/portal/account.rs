//! The user's own page: its sessions, and ending them. Needs a session with every factor that is required now. Floor: edge.

use std::sync::Arc;

use axum::response::Response;

use super::visit::{Submission, Visit};
use crate::domain::session::{Session, SessionId};
use crate::login::directory::SessionOverview;
use crate::login::own_account::{AccountView, NumberMay};
use crate::login::sessions::SessionCheck;
use crate::pages::own::{AccountNotice, AccountPage, OwnNumber, OwnPage, ShownSession};
use crate::pages::page::{FormAge, MessageKind, Page};
use crate::web::device::Device;
use crate::web::paths;
use crate::web::return_path::ReturnPath;

/// The query field that says what has been done. It chooses a sentence and does nothing, so it may come from anybody.
const SAID: &str = "said";

/// GET: the page.
pub(super) async fn show(visit: Visit) -> Response {
    let session = match live(&visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let notice = match visit.query(SAID).as_deref() {
        Some("ended") => Some(AccountNotice::SessionEnded),
        Some("no-such-session") => Some(AccountNotice::NoSuchSession),
        Some("others-ended") => Some(AccountNotice::OthersEnded),
        Some("password-changed") => Some(AccountNotice::PasswordChanged),
        Some("number-changed") => Some(AccountNotice::NumberChanged),
        Some("number-not-changed") => Some(AccountNotice::NumberNotChanged),
        Some("number-taken") => Some(AccountNotice::NumberTaken),
        Some(_) | None => None,
    };
    page(&visit, &session, FormAge::Fresh, notice).await
}

/// POST: ends one session. The one that asks is asked whether it wants to sign out.
pub(super) async fn end(submission: Submission) -> Response {
    let session = match live(&submission.visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let (visit, opened) = submission.of_session(&session);
    let Ok(form) = opened else { return page(&visit, &session, FormAge::Expired, None).await };
    let Some(ended) = SessionId::parse(form.field("session")) else {
        return said(&visit, "no-such-session");
    };
    if ended == session.id {
        return visit.see(paths::LOGOUT);
    }
    match visit.login().end_own_session(&session, ended, visit.client()).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(true) => said(&visit, "ended"),
        Ok(false) => said(&visit, "no-such-session"),
    }
}

/// POST: ends all sessions but the one that asks.
pub(super) async fn end_others(submission: Submission) -> Response {
    let session = match live(&submission.visit) {
        Ok(session) => session,
        Err(answer) => return *answer,
    };
    let (visit, opened) = submission.of_session(&session);
    if opened.is_err() {
        return page(&visit, &session, FormAge::Expired, None).await;
    }
    match visit.login().end_other_sessions(&session, visit.client()).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(_count) => said(&visit, "others-ended"),
    }
}

/// The session that asks, or the answer for whoever has none that is good now.
pub(super) fn live(visit: &Visit) -> Result<Session, Box<Response>> {
    match visit.session() {
        SessionCheck::Live(session) => Ok(Arc::unwrap_or_clone(session)),
        SessionCheck::StepUp(_) | SessionCheck::None(_) => {
            Err(Box::new(visit.see(&ReturnPath::parse_or_root(Some(paths::ACCOUNT)).sign_in_url())))
        }
        SessionCheck::CannotTell => Err(Box::new(visit.message(MessageKind::SignInUnavailable))),
    }
}

/// Back to the page, which says what has been done: neither reload nor back does it again.
pub(super) fn said(visit: &Visit, what: &str) -> Response {
    visit.see(&format!("{}?{SAID}={what}", paths::ACCOUNT))
}

async fn page(visit: &Visit, session: &Session, form: FormAge, notice: Option<AccountNotice>) -> Response {
    let view = match visit.login().own_account(session).await {
        Err(_logged) => return visit.message(MessageKind::SignInUnavailable),
        // ended a moment ago, and not heard of here yet
        Ok(None) => return visit.see(paths::LOGOUT),
        Ok(Some(view)) => view,
    };
    let AccountView { phone_ending, number_may, sessions } = view;
    let mut sessions: Vec<ShownSession> =
        sessions.into_iter().map(|overview| shown(visit, session, overview)).collect();
    sessions.sort_by_key(|shown| !shown.is_this);
    let page = AccountPage {
        user_name: session.user_name.as_str().to_owned(),
        number: match (phone_ending, number_may) {
            (None, NumberMay::BeGiven) => OwnNumber::NoneYet,
            (None, NumberMay::BeChanged | NumberMay::NotBeTouched) => OwnNumber::None,
            (Some(ending), NumberMay::BeChanged) => OwnNumber::EndingOwn(ending),
            (Some(ending), NumberMay::BeGiven | NumberMay::NotBeTouched) => OwnNumber::Ending(ending),
        },
        sessions,
        form,
        notice,
    };
    visit.form_page(&Page::Own(OwnPage::Account(page)), session.id.bytes())
}

fn shown(visit: &Visit, session: &Session, overview: SessionOverview) -> ShownSession {
    ShownSession {
        id: overview.id.to_string(),
        is_this: overview.id == session.id,
        device: overview.user_agent.as_deref().map(Device::named_by).unwrap_or_default(),
        elsewhere: (overview.site != session.site).then(|| visit.site_name(&overview.site)),
        opened_at: overview.opened_at,
        source: overview.source.map(|address| address.to_string()),
    }
}
