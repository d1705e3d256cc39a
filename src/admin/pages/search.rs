//! The first page: looking for an account. Floor: edge.

use axum::response::Response;

use super::visit::Visit;
use super::words;
use crate::admin::accounts::{AccountFilter, PhoneFilter};
use crate::domain::account::AccountStatus;
use crate::domain::operator::OperatorAction;
use crate::pages::operators::{OperatorsPage, SearchPage};

/// The most that is shown: who gets more says more of the name.
const MOST: usize = 50;

pub(super) async fn show(visit: Visit) -> Response {
    let query: String = visit.query("q").trim().chars().take(200).collect();
    let found = if query.is_empty() {
        Vec::new()
    } else {
        match visit.operations().list(&filter(&query), visit.now).await {
            Ok(found) => found,
            Err(error) => return visit.failed(&error),
        }
    };
    let policy = visit.operations().policy();
    let notice = match visit.query("done").as_str() {
        "remove" => Some("The account was removed.".to_owned()),
        _ => None,
    };
    visit.page(&OperatorsPage::Search(SearchPage {
        query,
        more: found.len() > MOST,
        found: found.iter().take(MOST).map(|account| words::line(account, policy, visit.now)).collect(),
        notice,
        may_add: visit.role.may(OperatorAction::Add),
    }))
}

fn filter(query: &str) -> AccountFilter {
    match query.to_lowercase().as_str() {
        "locked" => AccountFilter { only_locked: true, ..AccountFilter::default() },
        "disabled" => AccountFilter { status: Some(AccountStatus::Disabled), ..AccountFilter::default() },
        "without number" => AccountFilter { phone: Some(PhoneFilter::Without), ..AccountFilter::default() },
        _ => AccountFilter { matching: Some(query.to_owned()), ..AccountFilter::default() },
    }
}
