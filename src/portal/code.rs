//! The code page, and asking for another SMS. After a send the browser is sent on, so that neither reload nor back sends again. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;

use super::login;
use super::visit::{Submission, Visit};
use crate::domain::pending::LoginHandle;
use crate::domain::session::Session;
use crate::login::sessions::SessionCheck;
use crate::login::{CodeOutcome, CodeStage, PendingStage, PendingView, SendReport, StepUpOutcome};
use crate::pages::page::{
    CodeFor, CodeNotice, CodePage, CodeProblem, CodeState, MessageKind, OverReason, Page, ShownNumber,
};
use crate::web::paths;
use crate::web::return_path::ReturnPath;

/// The query field that says what came of asking for an SMS. It chooses a sentence and does nothing, so it may come from anybody.
const SAID: &str = "said";
/// The query field with a waiting time in seconds.
const WAIT: &str = "wait";

/// GET: the form of the pending login. Spends and sends nothing.
pub(super) async fn show(visit: Visit) -> Response {
    let (handle, pending) = match pending(&visit).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    match &pending.stage {
        PendingStage::Phone => visit.see(paths::PHONE),
        PendingStage::NewPassword => visit.see(paths::NEW_PASSWORD),
        PendingStage::Code(stage) => page(&visit, &handle, stage, notice_in(&visit), None),
    }
}

/// POST: the code step.
pub(super) async fn submit(submission: Submission) -> Response {
    let (visit, opened) = submission.of_login();
    let Ok((form, handle)) = opened else { return stale(&visit).await };
    let typed = form.field("code").to_owned();
    let is_empty = typed.trim().is_empty();
    let problem = match visit.login().submit_code(&visit.context.site, &handle, typed, visit.client()).await {
        Err(_logged) => return visit.message(MessageKind::SignInUnavailable),
        Ok(CodeOutcome::SignedIn { session, return_path }) => return visit.signed_in(&session, &return_path).await,
        Ok(CodeOutcome::NeedsNewPassword) => return visit.see(paths::NEW_PASSWORD),
        Ok(CodeOutcome::Malformed) if is_empty => CodeProblem::Missing,
        Ok(CodeOutcome::Malformed) => CodeProblem::NotDigits,
        Ok(CodeOutcome::Wrong { left }) => CodeProblem::Wrong { attempts_left: left },
        Ok(CodeOutcome::Expired) => CodeProblem::Expired,
        Ok(CodeOutcome::Spent) => return visit.page(&Page::Over(OverReason::AttemptsUsed)),
        Ok(CodeOutcome::TooMany(wait)) => return visit.page(&Page::CodesPaused { wait: Some(wait) }),
        Ok(CodeOutcome::Locked) => return visit.page(&Page::CodesPaused { wait: None }),
        Ok(CodeOutcome::Over) => return visit.page(&Page::Over(OverReason::Gone)),
        Ok(CodeOutcome::NumberTaken) => return visit.page(&Page::Over(OverReason::NumberTaken)),
    };
    again(&visit, None, Some(problem)).await
}

/// POST: another SMS for the pending login, or the first one for a session that has to show a code.
pub(super) async fn resend(submission: Submission) -> Response {
    let submission = match submission.visit.session() {
        SessionCheck::StepUp(session) if submission.is_of_session(&session) => {
            return step_up(submission, Arc::unwrap_or_clone(session)).await;
        }
        SessionCheck::StepUp(_) | SessionCheck::Live(_) | SessionCheck::None(_) | SessionCheck::CannotTell => {
            submission
        }
    };
    let (visit, opened) = submission.of_login();
    let Ok((_, handle)) = opened else { return stale(&visit).await };
    match visit.login().resend_code(&visit.context.site, &handle, visit.client(), visit.language).await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(Some(SendReport::Sent)) => visit.see(&said_again(paths::CODE)),
        Ok(Some(report)) => after_first_send(&visit, report),
        Ok(None) => over(&visit),
    }
}

/// On to the code page, which says what came of the SMS unless it is simply on its way.
pub(super) fn after_first_send(visit: &Visit, report: SendReport) -> Response {
    said_of_send(visit, paths::CODE, report).unwrap_or_else(|| over(visit))
}

/// On to the page at `path`, which says what came of the SMS unless it is simply on its way. `None`: what it was for is over.
pub(super) fn said_of_send(visit: &Visit, path: &str, report: SendReport) -> Option<Response> {
    let said = match report {
        SendReport::Sent => return Some(visit.see(path)),
        SendReport::Over => return None,
        SendReport::MaybeSent => "maybe".to_owned(),
        SendReport::NotSent => "not-sent".to_owned(),
        SendReport::NumberRefused => "refused".to_owned(),
        SendReport::Wait(_) => "early".to_owned(),
        SendReport::TooOften(wait) => format!("often&{WAIT}={}", wait.as_millis().div_ceil(1000)),
        SendReport::NoneLeft => "none".to_owned(),
    };
    Some(visit.see(&format!("{path}?{SAID}={said}")))
}

/// The page at `path`, which says that the SMS was sent again.
pub(super) fn said_again(path: &str) -> String {
    format!("{path}?{SAID}=again")
}

/// What the query of this request says came of asking for an SMS.
pub(super) fn notice_in(visit: &Visit) -> Option<CodeNotice> {
    notice(visit.query(SAID).as_deref(), visit.query(WAIT).as_deref())
}

/// The pending login of this browser, or the answer when there is none: on for whoever is signed in, else from the start.
pub(super) async fn pending(visit: &Visit) -> Result<(LoginHandle, PendingView), Response> {
    let handle = visit.handle();
    if let Some(handle) = handle {
        match visit.login().pending(&visit.context.site, &handle).await {
            Err(_logged) => return Err(visit.message(MessageKind::SignInUnavailable)),
            Ok(Some(view)) => return Ok((handle, view)),
            Ok(None) => {}
        }
    } else if !matches!(visit.session(), SessionCheck::Live(_)) {
        return Err(visit.see(paths::LOGIN));
    }
    Err(over(visit))
}

/// The login is over: said so, unless this browser is signed in by now (a form sent twice, the back button).
pub(super) fn over(visit: &Visit) -> Response {
    match visit.session() {
        SessionCheck::Live(_) => visit.see(ReturnPath::root().as_str()),
        SessionCheck::StepUp(_) | SessionCheck::None(_) | SessionCheck::CannotTell => {
            visit.page(&Page::Over(OverReason::Gone))
        }
    }
}

async fn step_up(submission: Submission, session: Session) -> Response {
    let (visit, opened) = submission.of_session(&session);
    let Ok(form) = opened else { return stale(&visit).await };
    let return_to = ReturnPath::parse_or_root(Some(form.field(paths::RETURN_TO)));
    let step = visit.login().step_up(session.clone(), return_to.as_str().to_owned(), visit.client(), visit.language);
    match step.await {
        Err(_logged) => visit.message(MessageKind::SignInUnavailable),
        Ok(StepUpOutcome::NeedsCode(handle, report)) => {
            visit.with_login_cookie(after_first_send(&visit, report), &handle)
        }
        Ok(StepUpOutcome::PasswordNeeded) => login::form_for(&visit, &session, &return_to),
    }
}

/// A form of another sign-in, or of none: the page as it is now.
async fn stale(visit: &Visit) -> Response {
    again(visit, Some(CodeNotice::FormExpired), None).await
}

async fn again(visit: &Visit, notice: Option<CodeNotice>, problem: Option<CodeProblem>) -> Response {
    match pending(visit).await {
        Err(answer) => answer,
        Ok((handle, PendingView { stage: PendingStage::Code(stage), .. })) => {
            page(visit, &handle, &stage, notice, problem)
        }
        Ok((_, PendingView { stage: PendingStage::Phone, .. })) => visit.see(paths::PHONE),
        Ok((_, PendingView { stage: PendingStage::NewPassword, .. })) => visit.see(paths::NEW_PASSWORD),
    }
}

fn page(
    visit: &Visit,
    handle: &LoginHandle,
    stage: &CodeStage,
    notice: Option<CodeNotice>,
    problem: Option<CodeProblem>,
) -> Response {
    let page = page_of(visit, stage, notice, problem, CodeFor::SignIn);
    visit.form_page(&Page::Code(page), handle.bytes())
}

/// The page for a code that is owed.
pub(super) fn page_of(
    visit: &Visit,
    stage: &CodeStage,
    notice: Option<CodeNotice>,
    problem: Option<CodeProblem>,
    owed_for: CodeFor,
) -> CodePage {
    let settings = visit.login().settings();
    let none_sent = stage.sends_left == settings.sending.caps.per_login;
    let wait = stage.resend_at.since(visit.login().now());
    CodePage {
        owed_for,
        number: if stage.enrolling {
            ShownNumber::Whole(stage.number.international().to_string())
        } else {
            ShownNumber::Ending(stage.number.last_two().to_owned())
        },
        length: settings.code_length,
        lifetime: settings.code_lifetime,
        sends_left: stage.sends_left,
        wait,
        state: match (none_sent, stage.code_until) {
            (true, _) => CodeState::NotSent,
            (false, Some(_)) => CodeState::Sent,
            (false, None) => CodeState::Expired,
        },
        // by the time the page is drawn the wait may be over
        notice: notice.filter(|notice| *notice != CodeNotice::TooEarly || wait > Duration::ZERO),
        problem,
    }
}

fn notice(said: Option<&str>, wait: Option<&str>) -> Option<CodeNotice> {
    const LONGEST: u64 = 24 * 3600; // no limit of ours lasts longer
    match said? {
        "again" => Some(CodeNotice::SentAgain),
        "maybe" => Some(CodeNotice::MaybeSent),
        "not-sent" => Some(CodeNotice::NotSent),
        "refused" => Some(CodeNotice::NumberRefused),
        "early" => Some(CodeNotice::TooEarly),
        "often" => Some(CodeNotice::TooOften(Duration::from_secs(wait?.parse::<u64>().ok()?.min(LONGEST)))),
        "none" => Some(CodeNotice::NoneLeft),
        _ => None,
    }
}
