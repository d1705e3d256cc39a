//! Adding an account, with a one-time password. Floor: edge.

use axum::response::Response;
use http::StatusCode;

use super::account::sentence;
use super::deed::forbidden;
use super::visit::{Submission, Visit};
use super::words;
use crate::admin::accounts::{Newcomer, PasswordSource};
use crate::admin::operations::{OperationError, Reason, Refusal};
use crate::domain::operator::{OperatorAction, may_begin};
use crate::domain::user_name::UserName;
use crate::pages::operators::{DeedField, DeedNotice, DeedPage, DeedProblem, OneTimePasswordPage, OperatorsPage};

/// The fields beside the reason: name, label, hint, and whether they have to be filled in.
const FIELDS: [(&str, &str, &str, bool); 4] = [
    ("username", "User name", "Small letters, digits and . _ @ + -", true),
    ("name", "Name of the person", "", false),
    ("email", "E-mail address", "", false),
    ("phone", "Mobile number", "With its country code, such as +32 470 12 34 56.", false),
];

/// GET: asks.
pub(super) async fn ask(visit: Visit) -> Response {
    if let Err(why) = may_begin(visit.role, OperatorAction::Add) {
        return forbidden(&visit, &why, "/");
    }
    if !visit.is_fresh() {
        return visit.ask_again();
    }
    form(&visit, |_| String::new(), None, None)
}

/// POST: adds, and shows the password once.
pub(super) async fn submit(submission: Submission) -> Response {
    let (visit, opened) = submission.open();
    let fields = match opened {
        Ok(fields) => fields,
        Err(stale) => {
            let shown = |name: &str| stale.shown_again(name).to_owned();
            return form(&visit, shown, None, Some(DeedNotice::FormExpired));
        }
    };
    let typed = |name: &str| fields.field(name).trim().to_owned();
    if !visit.is_fresh() {
        return form(&visit, typed, None, Some(DeedNotice::NotFresh));
    }
    let wrong = |field, text: String| {
        let problem = DeedProblem { field, text, status: StatusCode::UNPROCESSABLE_ENTITY };
        form(&visit, typed, Some(problem), None)
    };
    let user_name = match UserName::parse(&typed("username")) {
        Ok(user_name) => user_name,
        Err(problem) => return wrong("username", sentence(&problem.to_string())),
    };
    let Some(reason) = Reason::parse(fields.field("reason")) else {
        return wrong("reason", "Say why, in 1 to 500 characters.".to_owned());
    };
    let given = |name: &str| Some(typed(name)).filter(|text| !text.is_empty());
    let newcomer = Newcomer {
        user_name: user_name.clone(),
        name: given("name"),
        email: given("email"),
        phone: given("phone"),
        ticket: None,
        language: None,
    };
    let act = visit.act();
    match visit.operations().add(&act, newcomer, PasswordSource::Generated, Some(&reason)).await {
        Ok(password) => {
            let until = visit.operations().one_time_until(act.now);
            visit.page(&OperatorsPage::OneTimePassword(OneTimePasswordPage {
                user_name: user_name.to_string(),
                password: password.map(|password| password.reveal().to_owned()).unwrap_or_default(),
                until: words::time(until),
                back: words::href(user_name.as_str()),
            }))
        }
        Err(OperationError::Refused(Refusal::Forbidden(why))) => forbidden(&visit, &why, "/"),
        Err(OperationError::Refused(refusal)) => {
            let field = match refusal {
                Refusal::Phone(_) => "phone",
                Refusal::NameTaken(_) => "username",
                _ => "",
            };
            wrong(field, sentence(&refusal.to_string()))
        }
        Err(error) => visit.failed(&error),
    }
}

fn form(
    visit: &Visit,
    typed: impl Fn(&str) -> String,
    problem: Option<DeedProblem>,
    notice: Option<DeedNotice>,
) -> Response {
    let fields = FIELDS.map(|(name, label, hint, required)| DeedField {
        name,
        label,
        hint: hint.to_owned(),
        value: typed(name),
        choices: Vec::new(),
        required,
    });
    visit.page(&OperatorsPage::Deed(DeedPage {
        title: "Add an account".to_owned(),
        paragraphs: vec!["A one-time password is made and shown once on the next page.".to_owned()],
        action: "/add".to_owned(),
        back: "/".to_owned(),
        fields: fields.to_vec(),
        reason: typed("reason"),
        button: "Add",
        problem,
        notice,
    }))
}
