//! Something that is done to an account: a form that asks for the reason, and the operation it stands for. Floor: edge.

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;

use super::account::sentence;
use super::visit::{Submission, Visit};
use super::words;
use crate::admin::accounts::PasswordSource;
use crate::admin::operations::{Effect, OperationError, Reason, Refusal};
use crate::admin::sessions::{Ended, WhichSessions};
use crate::domain::operator::{Forbidden, OperatorRole, Subject, may_do_to};
use crate::domain::session::SessionId;
use crate::domain::user_name::UserName;
use crate::login::directory::AccountOverview;
use crate::pages::operators::{
    DeedField, DeedNotice, DeedPage, DeedProblem, OneTimePasswordPage, OperatorsPage, TicketPage,
};

/// What can be done to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Unlock,
    ResetTwoFactor,
    OneTimePassword,
    EndSessions,
    EndSession,
    SetPhone,
    ClearPhone,
    OpenEnrolment,
    Disable,
    Enable,
    Appoint,
    Dismiss,
    Remove,
}

/// What was typed before, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Typed {
    /// The field beside the reason, if the deed has one.
    pub(super) field: String,
    pub(super) reason: String,
    pub(super) problem: Option<DeedProblem>,
    pub(super) notice: Option<DeedNotice>,
}

/// What the rules look at.
pub(super) fn subject(account: &AccountOverview) -> Subject {
    Subject { account: account.id, role: account.operator_role, gifts: account.gifts }
}

/// GET: asks. Whoever may not, or signed in too long ago, learns it before typing anything.
pub(super) async fn ask(Path((name, deed)): Path<(String, String)>, visit: Visit) -> Response {
    let (name, deed) = match named(&visit, &name, &deed) {
        Ok(named) => named,
        Err(not_found) => return *not_found,
    };
    let account = match visit.operations().account(&name).await {
        Ok(account) => account,
        Err(OperationError::Refused(_)) => return visit.no_account(),
        Err(error) => return visit.failed(&error),
    };
    let role = visit.role;
    if let Err(why) = may_do_to(visit.session.account, role, deed.action(), &subject(&account), visit.now) {
        return forbidden(&visit, &why, &words::href(name.as_str()));
    }
    if !visit.is_fresh() {
        return visit.ask_again();
    }
    let field = match deed {
        Deed::EndSession => visit.query(deed.field_name()),
        _ => String::new(),
    };
    form(&visit, &name, deed, Typed { field, ..Typed::default() })
}

/// POST: does it.
pub(super) async fn submit(Path((name, deed)): Path<(String, String)>, submission: Submission) -> Response {
    let (visit, opened) = submission.open();
    let (name, deed) = match named(&visit, &name, &deed) {
        Ok(named) => named,
        Err(not_found) => return *not_found,
    };
    let field = deed.field_name();
    let fields = match opened {
        Ok(fields) => fields,
        Err(stale) => {
            let shown = |name: &str| stale.shown_again(name).to_owned();
            let notice = Some(DeedNotice::FormExpired);
            let typed = Typed { field: shown(field), reason: shown("reason"), problem: None, notice };
            return form(&visit, &name, deed, typed);
        }
    };
    let typed = |problem, notice| Typed {
        field: fields.field(field).to_owned(),
        reason: fields.field("reason").to_owned(),
        problem,
        notice,
    };
    if !visit.is_fresh() {
        return form(&visit, &name, deed, typed(None, Some(DeedNotice::NotFresh)));
    }
    let wrong = |field, text: &str, status| {
        let problem = DeedProblem { field, text: text.to_owned(), status };
        form(&visit, &name, deed, typed(Some(problem), None))
    };
    let Some(reason) = Reason::parse(fields.field("reason")) else {
        return wrong("reason", "Say why, in 1 to 500 characters.", StatusCode::UNPROCESSABLE_ENTITY);
    };
    match deed.perform(&visit, &name, fields.field(field), &reason).await {
        Ok(Outcome::Done(effect)) => {
            if let Effect::Done(rows) = &effect {
                visit.login().sessions().apply(rows);
            }
            visit.see(&match (deed, effect) {
                (Deed::Remove, _) => "/?done=remove".to_owned(),
                (_, Effect::Done(_)) => format!("{}?done={}", words::href(name.as_str()), deed.name()),
                (_, Effect::Unchanged) => format!("{}?done=nothing", words::href(name.as_str())),
            })
        }
        Ok(Outcome::Password { rows, page }) => {
            visit.login().sessions().apply(&rows);
            visit.page(&OperatorsPage::OneTimePassword(page))
        }
        Ok(Outcome::Ticket(page)) => visit.page(&OperatorsPage::Ticket(page)),
        Err(OperationError::Refused(Refusal::NoSuchAccount(_))) => visit.no_account(),
        Err(OperationError::Refused(Refusal::Forbidden(why))) => forbidden(&visit, &why, &words::href(name.as_str())),
        Err(OperationError::Refused(refusal)) => {
            wrong(field, &sentence(&refusal.to_string()), StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => visit.failed(&error),
    }
}

/// The page for whoever may not.
pub(super) fn forbidden(visit: &Visit, why: &Forbidden, back: &str) -> Response {
    let status = match why {
        Forbidden::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Forbidden::NotAnOperator
        | Forbidden::NeedsAdmin
        | Forbidden::CommandLineOnly
        | Forbidden::Oneself
        | Forbidden::AnOperator
        | Forbidden::GavePassword
        | Forbidden::GaveNumber => StatusCode::FORBIDDEN,
    };
    tracing::info!(reason = %why, operator = visit.session.user_name.as_str(), "an operator was refused");
    visit.refusal(status, "Not allowed", sentence(&why.to_string()), back)
}

/// What a deed came to.
enum Outcome {
    Done(Effect),
    Password {
        rows: Vec<crate::domain::revocation::FeedRow>,
        page: OneTimePasswordPage,
    },
    /// Ends nothing.
    Ticket(TicketPage),
}

impl Deed {
    async fn perform(
        self,
        visit: &Visit,
        name: &UserName,
        typed: &str,
        why: &Reason,
    ) -> Result<Outcome, OperationError> {
        let (operations, act) = (visit.operations(), visit.act());
        let effect = match self {
            Self::Unlock => operations.unlock(&act, name, Some(why)).await?,
            Self::ResetTwoFactor => operations.reset_two_factor(&act, name, why).await?,
            Self::OneTimePassword => {
                let source = PasswordSource::Generated;
                let (effect, password) = operations.set_password(&act, name, source, why).await?;
                let rows = match effect {
                    Effect::Done(rows) => rows,
                    Effect::Unchanged => Vec::new(),
                };
                let until = operations.one_time_until(act.now);
                let page = OneTimePasswordPage {
                    user_name: name.to_string(),
                    password: password.map(|password| password.reveal().to_owned()).unwrap_or_default(),
                    until: words::time(until),
                    back: words::href(name.as_str()),
                };
                return Ok(Outcome::Password { rows, page });
            }
            Self::EndSessions => {
                match operations.end_sessions(&act, &WhichSessions::OfUser(name.clone()), why).await? {
                    Ended::Some(effect) => effect,
                    Ended::All(_) => Effect::Unchanged,
                }
            }
            Self::EndSession => {
                let Some(session) = SessionId::parse(typed.trim()) else { return Err(Refusal::NoSuchSession.into()) };
                let which = WhichSessions::OneOfUser(name.clone(), session);
                match operations.end_sessions(&act, &which, why).await? {
                    Ended::Some(Effect::Unchanged) => return Err(Refusal::NoSuchSession.into()),
                    Ended::Some(effect) => effect,
                    Ended::All(_) => Effect::Unchanged,
                }
            }
            Self::SetPhone => operations.set_phone(&act, name, typed, Some(why)).await?,
            Self::ClearPhone => operations.clear_phone(&act, name, why).await?,
            Self::OpenEnrolment => {
                let opened = operations.open_enrolment(&act, name, None, Some(why)).await?;
                let Some(ticket) = opened.ticket else { return Ok(Outcome::Done(opened.effect)) };
                return Ok(Outcome::Ticket(TicketPage {
                    user_name: name.to_string(),
                    ticket: ticket.reveal().to_string(),
                    until: words::time(opened.until),
                    back: words::href(name.as_str()),
                }));
            }
            Self::Disable => operations.disable(&act, name, why).await?,
            Self::Enable => operations.enable(&act, name, Some(why)).await?,
            Self::Appoint => {
                // the choice has no third way; what is neither is taken for the one that may do less
                let role = OperatorRole::parse(typed).unwrap_or(OperatorRole::Helpdesk);
                operations.appoint(&act, name, role, why).await?
            }
            Self::Dismiss => operations.dismiss(&act, name, why).await?,
            Self::Remove => operations.remove(&act, name, why).await?,
        };
        Ok(Outcome::Done(effect))
    }

    /// The field beside the reason; empty: there is none.
    fn field_name(self) -> &'static str {
        match self {
            Self::SetPhone => "phone",
            Self::EndSession => "session",
            Self::Appoint => "role",
            Self::Unlock
            | Self::ResetTwoFactor
            | Self::OneTimePassword
            | Self::EndSessions
            | Self::ClearPhone
            | Self::OpenEnrolment
            | Self::Disable
            | Self::Enable
            | Self::Dismiss
            | Self::Remove => "",
        }
    }
}

fn named(visit: &Visit, name: &str, deed: &str) -> Result<(UserName, Deed), Box<Response>> {
    let Ok(name) = UserName::parse(name) else { return Err(Box::new(visit.no_account())) };
    match Deed::parse(deed) {
        Some(deed) => Ok((name, deed)),
        None => {
            let text = "There is no page here.".to_owned();
            Err(Box::new(visit.refusal(StatusCode::NOT_FOUND, "Not found", text, "/")))
        }
    }
}

fn form(visit: &Visit, name: &UserName, deed: Deed, typed: Typed) -> Response {
    let back = words::href(name.as_str());
    let field = deed.field_name();
    let fields = match deed {
        Deed::SetPhone => vec![DeedField {
            name: field,
            label: "Mobile number",
            hint: "With its country code, such as +32 470 12 34 56.".to_owned(),
            value: typed.field,
            choices: Vec::new(),
            required: true,
        }],
        Deed::EndSession => vec![DeedField {
            name: field,
            label: "Session",
            hint: "By its id, as the page of the account gives it.".to_owned(),
            value: typed.field,
            choices: Vec::new(),
            required: true,
        }],
        Deed::Appoint => vec![DeedField {
            name: field,
            label: "Role",
            hint: String::new(),
            value: typed.field,
            choices: vec![OperatorRole::Helpdesk.name(), OperatorRole::Admin.name()],
            required: true,
        }],
        _ => Vec::new(),
    };
    visit.page(&OperatorsPage::Deed(DeedPage {
        title: format!("{}: {name}", deed.label()),
        paragraphs: vec![deed.explained().to_owned()],
        action: deed.href(name.as_str()),
        back,
        fields,
        reason: typed.reason,
        button: deed.label(),
        problem: typed.problem,
        notice: typed.notice,
    }))
}
