//! Tickets of enrolments: tries under load, one use, and what makes one worthless. Floor: edge.

use std::sync::Arc;

use super::fixture::{DAY, NOW, Store, anna, attempt, change, keys, login, new_phone, newcomer, opening, phone};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::Account;
use crate::domain::ticket::{Ticket, TicketHash};
use crate::login::NewPhone;
use crate::login::directory::{AccountChange, Changed};
use crate::login::ports::{Ledger as _, Opened, Opening};
use crate::login::tickets::{TicketCharge, Tickets as _};

async fn with_ticket(node: &SqlLedger, account: &Account) -> Ticket {
    let ticket = Ticket::generate();
    let opens = AccountChange::OpenEnrolment { until: NOW.plus(DAY), ticket: Some(ticket.clone()) };
    assert_eq!(change(node, &account.id, opens).await, Changed::Done(Vec::new()));
    ticket
}

fn enrolling(account: &Account, ticket: TicketHash, number: &str) -> Opening {
    let new_phone = NewPhone { ticket: Some(ticket), ..new_phone(number) };
    Opening { new_phone: Some(new_phone), ..opening(account, login(), NOW) }
}

pub(super) async fn a_ticket_is_compared_as_often_as_it_may_be_tried_under_parallel_tries(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = newcomer(&nodes[0]).await;
    let ticket = with_ticket(&nodes[0], &account).await;
    let tries = (0..40).map(|place| {
        let (node, attempt) = (nodes[place % 2].clone(), attempt(&account, login()));
        tokio::spawn(async move { node.charge_ticket(&attempt, 10, NOW).await })
    });
    let mut granted = 0;
    for attempted in tries.collect::<Vec<_>>() {
        match attempted.await.unwrap() {
            Ok(TicketCharge::Granted(paid)) => {
                assert!(ticket.check(&account.id, &keys(&[1]), paid).is_some());
                granted += 1;
            }
            Ok(TicketCharge::Spent) => {}
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert_eq!(error.port(), "sql"),
        }
    }
    let mut charged = granted;
    while let TicketCharge::Granted(_) = nodes[0].charge_ticket(&attempt(&account, login()), 10, NOW).await.unwrap() {
        charged += 1;
    }
    assert_eq!(charged, 10, "{granted} in parallel");
    with_ticket(&nodes[0], &account).await;
    let charge = nodes[0].charge_ticket(&attempt(&account, login()), 10, NOW).await.unwrap();
    assert!(matches!(charge, TicketCharge::Granted(_)), "another ticket has tries of its own");
}

pub(super) async fn a_ticket_is_used_up_with_the_one_number_that_is_kept(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = newcomer(&nodes[0]).await;
    let old = with_ticket(&nodes[0], &account).await.hash(&account.id, &keys(&[1]));
    let ticket = with_ticket(&nodes[0], &account).await.hash(&account.id, &keys(&[1]));
    let late = nodes[0].open_session(&enrolling(&account, old, "+32470123499")).await.unwrap();
    assert_eq!(late, Opened::EnrolmentClosed, "another one was made since");
    let openings = (10..30).map(|number| enrolling(&account, ticket, &format!("+324701234{number}"))).collect();
    assert_eq!(super::signing_in::in_parallel(&nodes, openings, &Opened::Stale).await, 1);

    let enrolled = nodes[0].account(&account.id).await.unwrap().unwrap();
    assert!(enrolled.phone.is_some());
    assert!(matches!(change(&nodes[0], &account.id, AccountChange::ClearPhone).await, Changed::Done(_)));
    let cleared = nodes[0].account(&account.id).await.unwrap().unwrap();
    let opens = AccountChange::OpenEnrolment { until: NOW.plus(DAY), ticket: None };
    assert_eq!(change(&nodes[0], &account.id, opens).await, Changed::Done(Vec::new()));
    let again = nodes[0].open_session(&enrolling(&cleared, ticket, "+32470123498")).await.unwrap();
    assert_eq!(again, Opened::EnrolmentClosed, "it was used");
}

pub(super) async fn a_ticket_is_worth_nothing_outside_its_window_or_once_there_is_a_number(store: &Store) {
    let node = store.node().await;
    let account = newcomer(&node).await;
    let charge = async |account: &Account, now| node.charge_ticket(&attempt(account, login()), 10, now).await.unwrap();
    assert!(matches!(charge(&account, NOW).await, TicketCharge::NotMade));
    with_ticket(&node, &account).await;
    assert!(matches!(charge(&account, NOW.plus(DAY)).await, TicketCharge::Stale), "the window has closed");
    assert!(matches!(charge(&anna(&node).await, NOW).await, TicketCharge::Stale));
    let again = AccountChange::OpenEnrolment { until: NOW.plus(2 * DAY), ticket: None };
    assert!(matches!(change(&node, &account.id, again).await, Changed::Done(_)));
    assert!(matches!(charge(&account, NOW).await, TicketCharge::NotMade), "opened again without one");
    with_ticket(&node, &account).await;
    for this in [AccountChange::Phone(phone("+32470123477")), AccountChange::ClearPhone] {
        assert!(matches!(change(&node, &account.id, this).await, Changed::Done(_)));
    }
    let opens = AccountChange::OpenEnrolment { until: NOW.plus(DAY), ticket: None };
    assert!(matches!(change(&node, &account.id, opens).await, Changed::Done(_)));
    let cleared = node.account(&account.id).await.unwrap().unwrap();
    assert!(matches!(charge(&cleared, NOW).await, TicketCharge::NotMade), "it does not come back");
    let disabled = change(&node, &account.id, AccountChange::Disable).await;
    assert!(matches!(disabled, Changed::Done(_)));
    assert!(matches!(charge(&cleared, NOW).await, TicketCharge::Stale));
}

pub(super) async fn a_ticket_is_told_under_the_key_it_was_made_with(store: &Store) {
    let node = store.node().await;
    let account = newcomer(&node).await;
    let ticket = with_ticket(&node, &account).await;
    let node = SqlLedger::new(store.database().await, Arc::new(keys(&[2, 1])));
    let TicketCharge::Granted(paid) = node.charge_ticket(&attempt(&account, login()), 10, NOW).await.unwrap() else {
        panic!("it is there")
    };
    let shown = ticket.check(&account.id, &keys(&[2, 1]), paid).unwrap();
    let opened = node.open_session(&enrolling(&account, *shown.ticket(), "+32470123456")).await.unwrap();
    assert_eq!(opened, Opened::Opened(Vec::new()));
}
