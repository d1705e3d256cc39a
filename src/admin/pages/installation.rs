//! What is about the installation as a whole: its operators, and two-factor sign-in for everybody. Floor: edge.

use axum::response::Response;
use http::StatusCode;

use super::deed::{Typed, forbidden};
use super::rehearsal;
use super::visit::{Submission, Visit};
use super::words;
use crate::admin::operations::{OperationError, Reason, Refusal};
use crate::domain::operator::{OperatorAction, may_begin};
use crate::pages::operators::{DeedNotice, DeedPage, DeedProblem, Fact, OperatorsPage, TwoFactorPage};

const ACTIVATE: &str = "/two-factor/activate";

/// GET: who may sign in here.
pub(super) async fn operators(visit: Visit) -> Response {
    let policy = visit.operations().policy();
    match visit.operations().operators().await {
        Ok(operators) => {
            let operators = operators.iter().map(|account| words::line(account, policy, visit.now)).collect();
            visit.page(&OperatorsPage::Operators { operators })
        }
        Err(error) => visit.failed(&error),
    }
}

/// GET: how things stand with two-factor sign-in.
pub(super) async fn two_factor(visit: Visit) -> Response {
    let status = match visit.operations().two_factor_status(visit.now).await {
        Ok(status) => status,
        Err(error) => return visit.failed(&error),
    };
    let rehearsal = match status.activated_at {
        Some(_) => None,
        None => match visit.operations().rehearse_two_factor(visit.now).await {
            Ok(rehearsal) => Some(rehearsal::report(&rehearsal)),
            Err(error) => return visit.failed(&error),
        },
    };
    let census = status.census;
    let fact = |label, count: u64| Fact { label, value: count.to_string() };
    let may_activate = status.activated_at.is_none() && visit.role.may(OperatorAction::Activate);
    visit.page(&OperatorsPage::TwoFactor(TwoFactorPage {
        active_since: status.activated_at.map(words::time),
        facts: vec![
            fact("Accounts with a number", census.with_number),
            fact("Without one, who may give it at sign-in", census.enrolling),
            fact("Without one, who cannot sign in with a code", census.without_number),
            fact("Disabled", census.disabled),
        ],
        rehearsal,
        activate_href: may_activate.then_some(ACTIVATE),
        notice: (visit.query("done") == "activate").then(|| "Two-factor sign-in is active.".to_owned()),
    }))
}

/// GET: asks.
pub(super) async fn ask_activate(visit: Visit) -> Response {
    if let Err(why) = may_begin(visit.role, OperatorAction::Activate) {
        return forbidden(&visit, &why, "/two-factor");
    }
    if !visit.is_fresh() {
        return visit.ask_again();
    }
    form(&visit, Typed::default())
}

/// POST: activates, for ever.
pub(super) async fn activate(submission: Submission) -> Response {
    let (visit, opened) = submission.open();
    let fields = match opened {
        Ok(fields) => fields,
        Err(stale) => {
            let reason = stale.shown_again("reason").to_owned();
            return form(&visit, Typed { reason, notice: Some(DeedNotice::FormExpired), ..Typed::default() });
        }
    };
    let typed = fields.field("reason").to_owned();
    if !visit.is_fresh() {
        return form(&visit, Typed { reason: typed, notice: Some(DeedNotice::NotFresh), ..Typed::default() });
    }
    let Some(reason) = Reason::parse(&typed) else {
        let text = "Say why, in 1 to 500 characters.".to_owned();
        let problem = Some(DeedProblem { field: "reason", text, status: StatusCode::UNPROCESSABLE_ENTITY });
        return form(&visit, Typed { reason: typed, problem, ..Typed::default() });
    };
    match visit.operations().activate_two_factor(&visit.act(), &reason).await {
        Ok(_) => {
            visit.login().sessions().activate();
            visit.see("/two-factor?done=activate")
        }
        Err(OperationError::Refused(Refusal::Forbidden(why))) => forbidden(&visit, &why, "/two-factor"),
        Err(error) => visit.failed(&error),
    }
}

fn form(visit: &Visit, typed: Typed) -> Response {
    let explained = "From now on every user needs a password and a code, at every site. This cannot be undone. Sessions that were opened with a password \
                     alone are asked for a code at their next request.";
    visit.page(&OperatorsPage::Deed(DeedPage {
        title: "Activate two-factor sign-in".to_owned(),
        paragraphs: vec![explained.to_owned()],
        action: ACTIVATE.to_owned(),
        back: "/two-factor".to_owned(),
        fields: Vec::new(),
        reason: typed.reason,
        button: "Activate for everybody",
        problem: typed.problem,
        notice: typed.notice,
    }))
}
