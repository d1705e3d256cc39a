//! How many SMS may be sent: exact, whoever sends at the same time. Floor: edge.

use std::time::Duration;

use super::fixture::{DAY, NOW, SEND_CAPS, Store, audit, login};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::AccountId;
use crate::domain::audit::AuditEvent;
use crate::domain::limits::SendCaps;
use crate::domain::phone::Country;
use crate::login::ports::{Ledger as _, NewSend, SendCharge, SendOutcome};

const HALF_HOUR: Duration = Duration::from_secs(1800);

pub(super) async fn forty_parallel_sends_stay_within_the_accounts_limit(store: &Store) {
    let account = AccountId::random();
    let sends = (0..40).map(|number| NewSend { number: [number; 32], ..send(account) }).collect();
    assert_eq!(granted_in_parallel(store, sends, SEND_CAPS).await, 5);
}

pub(super) async fn forty_parallel_sends_over_two_accounts_stay_within_the_numbers_limit(store: &Store) {
    let accounts = [AccountId::random(), AccountId::random()];
    let sends = (0..40).map(|number| NewSend { number: [9; 32], ..send(accounts[number % 2]) }).collect();
    assert_eq!(granted_in_parallel(store, sends, SEND_CAPS).await, 5);
}

pub(super) async fn forty_parallel_sends_stay_within_the_total(store: &Store) {
    let caps = SendCaps { total_per_day: 7, ..SEND_CAPS };
    let sends = (0..40).map(|number| NewSend { number: [number; 32], ..send(AccountId::random()) }).collect();
    assert_eq!(granted_in_parallel(store, sends, caps).await, 7);
    let charge = store.node().await.charge_send(&send(AccountId::random()), &caps, NOW.plus(DAY / 4)).await.unwrap();
    assert_eq!(charge, SendCharge::TotalSpent(DAY - DAY / 4));
}

pub(super) async fn a_login_has_its_own_sends(store: &Store) {
    let node = store.node().await;
    let send = send(AccountId::random());
    let caps = SendCaps { per_half_hour: 100, per_day: 100, ..SEND_CAPS };
    for _ in 0..4 {
        assert!(matches!(node.charge_send(&send, &caps, NOW).await.unwrap(), SendCharge::Granted(_)));
    }
    assert_eq!(node.charge_send(&send, &caps, NOW.plus(DAY)).await.unwrap(), SendCharge::LoginSpent);
    let other = NewSend { login: login(), ..send };
    assert!(matches!(node.charge_send(&other, &caps, NOW).await.unwrap(), SendCharge::Granted(_)));
}

pub(super) async fn what_did_not_go_out_is_given_back(store: &Store) {
    let node = store.node().await;
    let send = send(AccountId::random());
    for outcome in [SendOutcome::NotSent, SendOutcome::NotSent, SendOutcome::Accepted, SendOutcome::MaybeSent] {
        for _ in 0..2 {
            let SendCharge::Granted(id) = node.charge_send(&send, &SEND_CAPS, NOW).await.unwrap() else {
                panic!("given back sends count: {outcome:?}")
            };
            node.settle_send(&id, outcome, &audit(AuditEvent::CodeSent, NOW)).await.unwrap();
            // too late: what has gone out stays counted
            node.settle_send(&id, SendOutcome::NotSent, &audit(AuditEvent::CodeNotSent, NOW)).await.unwrap();
        }
    }
    assert_eq!(node.charge_send(&send, &SEND_CAPS, NOW).await.unwrap(), SendCharge::LoginSpent);
}

pub(super) async fn a_window_of_sends_opens_again(store: &Store) {
    let node = store.node().await;
    let account = AccountId::random();
    for number in 0..5_u32 {
        let at = NOW.plus(Duration::from_secs(60) * number);
        assert!(matches!(node.charge_send(&send(account), &SEND_CAPS, at).await.unwrap(), SendCharge::Granted(_)));
    }
    let charge = node.charge_send(&send(account), &SEND_CAPS, NOW.plus(Duration::from_secs(600))).await.unwrap();
    assert_eq!(charge, SendCharge::Wait(Duration::from_secs(1200)));
    for number in 0..5_u32 {
        let at = NOW.plus(HALF_HOUR * (number + 2));
        assert!(matches!(node.charge_send(&send(account), &SEND_CAPS, at).await.unwrap(), SendCharge::Granted(_)));
    }
    let charge = node.charge_send(&send(account), &SEND_CAPS, NOW.plus(DAY / 2)).await.unwrap();
    assert_eq!(charge, SendCharge::Wait(DAY / 2), "ten in a day");
    assert!(matches!(
        node.charge_send(&send(account), &SEND_CAPS, NOW.plus(DAY)).await.unwrap(),
        SendCharge::Granted(_)
    ));
}

fn send(account: AccountId) -> NewSend {
    NewSend { account, login: login(), number: [7; 32], country: Country::parse("BE").unwrap() }
}

async fn granted_in_parallel(store: &Store, sends: Vec<NewSend>, caps: SendCaps) -> u32 {
    let nodes: [SqlLedger; 2] = [store.node().await, store.node().await];
    let tasks = sends.into_iter().enumerate().map(|(number, send)| {
        let node = nodes[number % 2].clone();
        tokio::spawn(async move { node.charge_send(&send, &caps, NOW).await })
    });
    let mut granted = 0;
    for task in tasks.collect::<Vec<_>>() {
        if let Ok(SendCharge::Granted(_)) = task.await.unwrap() {
            granted += 1;
        }
    }
    granted
}
