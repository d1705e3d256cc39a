//! One account at a glance, and the ways to what can be done. Floor: edge.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::Desk;
use super::deed::{self, Deed};
use super::visit::Visit;
use super::words::{self, time, time_or};
use crate::admin::operations::{OperationError, Refusal};
use crate::domain::account::AccountStatus;
use crate::domain::operator::{Forbidden, OperatorRole, may_do_to};
use crate::domain::session::Factors;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountOverview, SessionOverview};
use crate::pages::operators::{AccountPage, DeedLink, Fact, OperatorsPage, SessionLine};

pub(super) async fn show(State(desk): State<Arc<Desk>>, Path(name): Path<String>, visit: Visit) -> Response {
    let Ok(name) = UserName::parse(&name) else { return visit.no_account() };
    let looked = async {
        let account = desk.operations.account(&name).await?;
        let sessions = desk.operations.sessions(Some(&name), visit.now).await?;
        Ok((account, sessions))
    };
    match looked.await {
        Ok((account, sessions)) => visit.page(&OperatorsPage::Account(page(&visit, &account, &sessions))),
        Err(OperationError::Refused(Refusal::NoSuchAccount(_))) => visit.no_account(),
        Err(error) => visit.failed(&error),
    }
}

fn page(visit: &Visit, account: &AccountOverview, sessions: &[SessionOverview]) -> AccountPage {
    let now = visit.now;
    let subject = deed::subject(account);
    let judged = |deed: &Deed| may_do_to(visit.session.account, visit.role, deed.action(), &subject, now);
    let enrolment = visit.operations().policy().enrolment;
    let sensible = Deed::ALL.into_iter().filter(|deed| deed.makes_sense(account, enrolment));
    let (allowed, refused): (Vec<Deed>, Vec<Deed>) = sensible.partition(|deed| judged(deed).is_ok());
    // what the role lacks is no news to whoever has it; why else something is missing is
    let why = refused.iter().filter_map(|deed| judged(deed).err()).find(|why| *why != Forbidden::NeedsAdmin);
    AccountPage {
        user_name: account.user_name.to_string(),
        notice: match visit.query("done").as_str() {
            "nothing" => Some("It was so already: nothing was changed.".to_owned()),
            done => Deed::parse(done).map(|deed| deed.done().to_owned()),
        },
        warnings: words::warnings(account, visit.operations().policy(), now),
        facts: facts(visit, account),
        sessions: sessions.iter().map(|session| session_line(session, judged(&Deed::EndSession).is_ok())).collect(),
        trail_href: (account.operator_role.is_none() || visit.role == OperatorRole::Admin)
            .then(|| format!("/audit?account={}", account.user_name.as_str().replace('+', "%2B"))),
        deeds: allowed
            .iter()
            .map(|deed| DeedLink { href: deed.href(account.user_name.as_str()), label: deed.label() })
            .collect(),
        not_allowed: why.map(|why| sentence(&why.to_string())),
    }
}

fn facts(visit: &Visit, account: &AccountOverview) -> Vec<Fact> {
    let now = visit.now;
    let number = match account.phone_set_at.filter(|_| account.phone.is_some()) {
        Some(at) => format!("{}, since {}", words::number(account), time(at)),
        None => words::number(account),
    };
    let enrolment = match account.enrolment_until {
        Some(until) if until > now => format!("open until {}", time(until)),
        Some(_) | None => "closed".to_owned(),
    };
    let password = match account.password_expires_at {
        Some(until) => format!("one-time, until {}", time(until)),
        None => format!("the user's own, since {}", time(account.password_set_at)),
    };
    let mut facts = vec![
        Fact {
            label: "State",
            value: match account.status {
                AccountStatus::Active => "active".to_owned(),
                AccountStatus::Disabled => "disabled".to_owned(),
            },
        },
        Fact { label: "Number", value: number },
        Fact { label: "Last sign-in", value: time_or(account.last_sign_in_at, "never") },
        Fact { label: "Password", value: password },
        Fact { label: "Giving a number at sign-in", value: enrolment },
        Fact {
            label: "Wrong in a row",
            value: format!("{} passwords, {} codes", account.password_failures, account.code_failures),
        },
        Fact { label: "Name", value: account.name.clone().unwrap_or_else(|| "not given".to_owned()) },
        Fact { label: "E-mail", value: account.email.clone().unwrap_or_else(|| "not given".to_owned()) },
        Fact { label: "Created", value: time(account.created_at) },
    ];
    if let Some(role) = account.operator_role {
        facts.push(Fact { label: "Operator", value: role.name().to_owned() });
    }
    facts
}

fn session_line(session: &SessionOverview, may_end: bool) -> SessionLine {
    let end = format!("{}?session={}", Deed::EndSession.href(session.user_name.as_str()), session.id);
    SessionLine {
        end_href: may_end.then_some(end),
        site: session.site.to_string(),
        with: match session.factors {
            Factors::Password => "password",
            Factors::PasswordAndCode => "password and code",
        },
        opened: time(session.opened_at),
        ends: time(session.absolute_end),
        from: session.source.map(|source| source.to_string()).unwrap_or_default(),
        device: session.user_agent.clone().unwrap_or_default(),
    }
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => String::new(),
    }
}
