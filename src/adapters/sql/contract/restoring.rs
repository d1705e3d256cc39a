//! An older copy: what tells it from the newest, and what is ended when it is found or said. Floor: edge.

use std::time::Duration;

use super::fixture::{
    DAY, HOUR, NOW, Store, anna, audit, change, hash, login, new_phone, newcomer, opening, phone, rows_in, signed_in,
};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::Epoch;
use crate::domain::audit::AuditEvent;
use crate::domain::revocation::{RevocationSet, Revoked};
use crate::domain::session::Factors;
use crate::domain::ticket::Ticket;
use crate::login::directory::{AccountChange, Changed};
use crate::login::markers::MarkedDatabase as _;
use crate::login::ports::{Ledger as _, Opened, Opening, RevocationFeed as _};
use crate::login::upkeep::AccountsUpkeep as _;

pub(super) async fn every_security_change_moves_the_head(store: &Store) {
    let node = store.node().await;
    let mut last = node.head().await.unwrap();
    let account = anna(&node).await;
    let nadia = newcomer(&node).await;
    let mut moved = async |what: &str| {
        let head = node.head().await.unwrap();
        assert!(head > last, "{what} does not move the head");
        last = head;
    };
    moved("an account more").await;
    let until = NOW.plus(HOUR);
    for this in [
        AccountChange::Profile { name: None, email: Some("a@example.com".into()), language: None },
        AccountChange::Password(hash('B')),
        AccountChange::OneTimePassword { hash: hash('C'), until: NOW.plus(DAY) },
        AccountChange::Phone(phone("+32470999999")),
        AccountChange::ResetTwoFactor,
        AccountChange::ClearPhone,
        AccountChange::OpenEnrolment { until, ticket: Some(Ticket::generate()) },
        AccountChange::Phone(phone("+32470999998")),
        AccountChange::Disable,
        AccountChange::Enable,
        AccountChange::EndSessions,
        AccountChange::Remove,
    ] {
        let what = format!("{this:?}");
        assert!(matches!(change(&node, &account.id, this).await, Changed::Done(_)), "{what}");
        moved(&what).await;
    }
    let enrolling = Opening { new_phone: Some(new_phone("+32470123458")), ..opening(&nadia, login(), NOW) };
    assert_eq!(node.open_session(&enrolling).await.unwrap(), Opened::Opened(Vec::new()));
    moved("a first number").await;
    let before = node.head().await.unwrap();
    let nadia = node.account(&nadia.id).await.unwrap().unwrap();
    signed_in(&node, &nadia, NOW).await;
    assert_eq!(node.head().await.unwrap(), before, "people sign in without waiting for each other");
}

pub(super) async fn an_older_copy_is_ended_once_by_whichever_node_comes_first(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let (account, nadia) = (anna(&nodes[0]).await, newcomer(&nodes[0]).await);
    signed_in(&nodes[0], &account, NOW).await;
    let head = nodes[0].head().await.unwrap();
    let at = NOW.plus(HOUR);
    let record = audit(AuditEvent::OlderCopyFound, at);
    assert!(!nodes[0].end_all_of_older_copy(head, &record).await.unwrap(), "as far as that it has come");
    assert_eq!(nodes[0].head().await.unwrap(), head);
    let (one, other) = tokio::join!(
        nodes[0].end_all_of_older_copy(head + 40, &record),
        nodes[1].end_all_of_older_copy(head + 41, &record),
    );
    assert!(one.unwrap() != other.unwrap());
    assert!(nodes[0].head().await.unwrap() > head + 1000);
    everything_is_ended(store, &nodes[0], head, at).await;
    assert_eq!(rows_in(&store.database().await, FOUND).await, 1);

    let late = Opening { new_phone: Some(new_phone("+32470123458")), ..opening(&nadia, login(), at) };
    assert_eq!(nodes[0].open_session(&late).await.unwrap(), Opened::Stale);
    let again = nodes[0].account(&nadia.id).await.unwrap().unwrap();
    let late = Opening { new_phone: Some(new_phone("+32470123458")), ..opening(&again, login(), at) };
    assert_eq!(nodes[0].open_session(&late).await.unwrap(), Opened::EnrolmentClosed);
}

const FOUND: &str = "SELECT COUNT(*) AS count FROM audit WHERE event = 'older_copy_found'";

pub(super) async fn a_copy_put_back_on_purpose_ends_everything(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    newcomer(&node).await;
    signed_in(&node, &account, NOW).await;
    signed_in(&node, &account, NOW).await;
    let (head, at) = (node.head().await.unwrap(), NOW.plus(HOUR));
    assert!(!node.was_restored().await.unwrap());
    assert_eq!(node.restored(&audit(AuditEvent::AccountsRestored, at)).await.unwrap(), 2);
    assert!(node.was_restored().await.unwrap());
    everything_is_ended(store, &node, head, at).await;
}

async fn everything_is_ended(store: &Store, node: &SqlLedger, head: i64, at: crate::domain::time::UnixMillis) {
    let rows = node.rows_after(head, at).await.unwrap();
    assert_eq!(rows.iter().filter(|row| row.what == Revoked::Everybody).count(), 1);
    let mut set = RevocationSet::default();
    rows.iter().for_each(|row| set.apply(row));
    let database = store.database().await;
    let left = "SELECT COUNT(*) AS count FROM accounts WHERE enrolment_until IS NOT NULL OR epoch < 1000000";
    assert_eq!(rows_in(&database, left).await, 0);
    assert_eq!(rows_in(&database, "SELECT COUNT(*) AS count FROM enrolment_tickets").await, 0);
    assert_eq!(rows_in(&database, "SELECT COUNT(*) AS count FROM sessions WHERE ended_at IS NULL").await, 0);
    let account = node.account_by_name(&super::fixture::name("anna")).await.unwrap().unwrap();
    // an epoch that the copy never knew, and an account that it does not have
    let known = crate::domain::account::Account { epoch: Epoch(500), ..account.clone() };
    let unknown =
        crate::domain::account::Account { id: crate::domain::account::AccountId::random(), ..account.clone() };
    let later = at.plus(Duration::from_secs(1));
    assert!(set.has_ended(&super::fixture::session(&known, Factors::PasswordAndCode, later)));
    assert!(set.has_ended(&super::fixture::session(&unknown, Factors::PasswordAndCode, at)));
    assert!(!set.has_ended(&super::fixture::session(&unknown, Factors::PasswordAndCode, later)));
    assert!(!set.has_ended(&super::fixture::session(&account, Factors::PasswordAndCode, later)));
    // nothing is kept longer than sessions live
    set.forget_before(later);
    assert!(!set.has_ended(&super::fixture::session(&unknown, Factors::PasswordAndCode, at)));
}
