//! The audit trail: who did what and what happened, newest first, a page at a time. An admin sees all of it; a helpdesk the records of one account that
//! is no operator's, which is what helping needs. Floor: edge.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;

use super::visit::Visit;
use super::words;
use crate::admin::audit::{AuditFilter, AuditView};
use crate::admin::operations::{OperationError, Refusal};
use crate::domain::audit::AuditEvent;
use crate::domain::operator::{Forbidden, OperatorRole};
use crate::domain::time::Day;
use crate::domain::user_name::UserName;
use crate::pages::operators::OperatorsPage;
use crate::pages::operators_figures::{AuditPage, AuditTyped, EventChoice, TrailLine};

const HERE: &str = "/audit";
/// Records on a page. Our own figure.
const MOST: u32 = 50;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What was asked for that cannot be read.
#[derive(Debug, Default)]
struct Mistake {
    field: &'static str,
    text: String,
}

/// GET: records that the query asks for.
pub(super) async fn show(visit: Visit) -> Response {
    let typed = AuditTyped {
        account: asked(&visit, "account"),
        event: asked(&visit, "event"),
        actor: asked(&visit, "actor"),
        from: asked(&visit, "from"),
        to: asked(&visit, "to"),
    };
    let filter = match filter(&typed) {
        Ok(filter) => filter,
        Err(mistake) => return visit.page(&empty(&visit, typed, Some(mistake))),
    };
    let needs_account = visit.role == OperatorRole::Helpdesk;
    if needs_account && filter.account.is_none() {
        // nothing was looked for yet, or everybody's records
        let only_here = [&typed.event, &typed.actor, &typed.from, &typed.to].iter().all(|field| field.is_empty());
        let mistake =
            Mistake { field: "account", text: "Say whose records: the helpdesk sees those of one account.".to_owned() };
        return visit.page(&empty(&visit, typed, (!only_here).then_some(mistake)));
    }
    match visit.operations().may_read_audit(visit.role, &filter).await {
        Ok(()) => {}
        Err(OperationError::Refused(Refusal::Forbidden(Forbidden::AnOperator))) => {
            let text = "The account is an operator's: its records are for admins.".to_owned();
            return visit.refusal(StatusCode::FORBIDDEN, "Not allowed", text, HERE);
        }
        Err(OperationError::Refused(refusal)) => {
            let mistake = Mistake { field: "account", text: super::account::sentence(&refusal.to_string()) };
            return visit.page(&empty(&visit, typed, Some(mistake)));
        }
        Err(error) => return visit.failed(&error),
    }
    let after: Option<i64> = visit.query("after").parse().ok();
    match visit.operations().audit_page(&filter, after, MOST + 1).await {
        Ok(views) => visit.page(&page(typed, &views, after.is_some(), needs_account)),
        Err(error) => visit.failed(&error),
    }
}

fn asked(visit: &Visit, field: &str) -> String {
    visit.query(field).trim().chars().take(200).collect()
}

fn filter(typed: &AuditTyped) -> Result<AuditFilter, Mistake> {
    let is_said = |text: &str| !text.is_empty();
    let account = Some(typed.account.as_str()).filter(|text| is_said(text)).map(UserName::parse).transpose();
    let account = account
        .map_err(|problem| Mistake { field: "account", text: super::account::sentence(&problem.to_string()) })?;
    let event = match typed.event.as_str() {
        "" => None,
        name => Some(
            AuditEvent::parse(name)
                .ok_or_else(|| Mistake { field: "event", text: format!("There is no event {name:?}.") })?,
        ),
    };
    Ok(AuditFilter {
        account,
        event,
        actor: Some(typed.actor.clone()).filter(|text| is_said(text)),
        since: day("from", &typed.from)?.map(Day::begins),
        // the last day is shown whole
        until: day("to", &typed.to)?.map(|day| day.begins().plus(DAY)),
    })
}

fn day(field: &'static str, text: &str) -> Result<Option<Day>, Mistake> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || Mistake { field, text: format!("{text:?} is no day: write it as 2026-11-24.") };
    Day::parse(text).map(Some).ok_or_else(wrong)
}

fn empty(visit: &Visit, typed: AuditTyped, mistake: Option<Mistake>) -> OperatorsPage {
    let needs_account = visit.role == OperatorRole::Helpdesk;
    let (field, problem) = mistake.map_or(("", None), |mistake| (mistake.field, Some(mistake.text)));
    OperatorsPage::Audit(AuditPage {
        events: events(&typed.event),
        typed,
        needs_account,
        problem,
        problem_field: field,
        lines: None,
        newest_href: None,
        older_href: None,
    })
}

fn page(typed: AuditTyped, views: &[AuditView], is_later_page: bool, needs_account: bool) -> OperatorsPage {
    let shown = usize::try_from(MOST).unwrap_or(usize::MAX);
    let last = views.get(shown.saturating_sub(1)).filter(|_| views.len() > shown);
    OperatorsPage::Audit(AuditPage {
        events: events(&typed.event),
        newest_href: is_later_page.then(|| href(&typed, None)),
        older_href: last.map(|view| href(&typed, Some(view.id))),
        typed,
        needs_account,
        problem: None,
        problem_field: "",
        lines: Some(views.iter().take(shown).map(line).collect()),
    })
}

fn line(view: &AuditView) -> TrailLine {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    TrailLine {
        time: words::time(view.moment),
        moment: view.at.clone(),
        event: view.event.replace('_', " "),
        account: text(&view.user_name),
        account_href: view.user_name.as_deref().filter(|name| UserName::parse(name).is_ok()).map(words::href),
        actor: view.actor.clone(),
        source: text(&view.source),
        site: text(&view.site),
        reason: text(&view.reason),
        request_id: text(&view.request_id),
    }
}

fn events(chosen: &str) -> Vec<EventChoice> {
    let choice = |event: AuditEvent| EventChoice {
        name: event.name(),
        text: event.name().replace('_', " "),
        is_chosen: event.name() == chosen,
    };
    let mut events: Vec<EventChoice> = AuditEvent::ALL.into_iter().map(choice).collect();
    events.sort_by_key(|event| event.name);
    events
}

/// The same question, from the record after this one or from the newest.
fn href(typed: &AuditTyped, after: Option<i64>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in typed.fields().into_iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    if let Some(after) = after {
        query.append_pair("after", &after.to_string());
    }
    match query.finish() {
        query if query.is_empty() => HERE.to_owned(),
        query => format!("{HERE}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(from: &str, to: &str, account: &str, event: &str) -> AuditTyped {
        let own = str::to_owned;
        AuditTyped { account: own(account), event: own(event), actor: String::new(), from: own(from), to: own(to) }
    }

    #[test]
    fn what_is_asked_for_is_read_or_named_as_wrong() {
        let filter_of = |from, to, account, event| filter(&typed(from, to, account, event));
        let read = filter_of("2026-11-24", "2026-11-24", "Anna", "signed_in").unwrap();
        assert_eq!(read.account.unwrap().as_str(), "anna");
        assert_eq!(read.event, Some(AuditEvent::SignedIn));
        assert_eq!(read.until.unwrap().since(read.since.unwrap()), DAY, "the last day is in it");
        assert_eq!(filter_of("", "", "", "").unwrap().since, None);
        for (asked, field) in [
            (filter_of("24-11-2026", "", "", ""), "from"),
            (filter_of("", "tomorrow", "", ""), "to"),
            (filter_of("", "", "an na", ""), "account"),
            (filter_of("", "", "", "opened"), "event"),
        ] {
            assert_eq!(asked.unwrap_err().field, field);
        }
    }

    #[test]
    fn the_next_page_keeps_the_question() {
        assert_eq!(href(&typed("", "", "", ""), None), "/audit");
        assert_eq!(
            href(&typed("2026-11-24", "", "a+b@c", ""), Some(7)),
            "/audit?account=a%2Bb%40c&from=2026-11-24&after=7"
        );
    }
}
