//! How many SMS may be sent: exact, whoever sends at the same time. Floor: edge.

use std::time::Duration;

use super::fixture::{DAY, HOUR, NOW, SEND_CAPS, Store, anna, audit, login, opening, send};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::AccountId;
use crate::domain::audit::AuditEvent;
use crate::domain::limits::SendCaps;
use crate::domain::phone::Country;
use crate::domain::time::UnixMillis;
use crate::login::ports::{Ledger as _, Opened, SmsResult};
use crate::login::sending::order::Record;
use crate::login::sending::ports::{ChargedSend, Handover, NewSend, SendCharge, SendLedger as _, SendOutcome};

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
    let charge =
        store.node().await.charge_send(&send(AccountId::random()), &caps, NOW.plus(DAY / 4)).await.unwrap().charge;
    assert_eq!(charge, SendCharge::Guarded("total_day", DAY - DAY / 4));
}

pub(super) async fn a_login_has_its_own_sends(store: &Store) {
    let node = store.node().await;
    let send = send(AccountId::random());
    let caps = SendCaps { per_half_hour: 100, per_day: 100, ..SEND_CAPS };
    for _ in 0..4 {
        assert!(matches!(node.charge_send(&send, &caps, NOW).await.unwrap().charge, SendCharge::Granted(_)));
    }
    assert_eq!(node.charge_send(&send, &caps, NOW.plus(DAY)).await.unwrap().charge, SendCharge::LoginSpent);
    let other = NewSend { login: login(), ..send };
    assert!(matches!(node.charge_send(&other, &caps, NOW).await.unwrap().charge, SendCharge::Granted(_)));
}

pub(super) async fn what_did_not_go_out_is_given_back(store: &Store) {
    let node = store.node().await;
    let send = send(AccountId::random());
    for outcome in [SendOutcome::NotSent, SendOutcome::NotSent, SendOutcome::Accepted, SendOutcome::MaybeSent] {
        for _ in 0..2 {
            let SendCharge::Granted(id) = node.charge_send(&send, &SEND_CAPS, NOW).await.unwrap().charge else {
                panic!("given back sends count: {outcome:?}")
            };
            node.settle_send(&id, outcome, &[], &audit(AuditEvent::CodeSent, NOW)).await.unwrap();
            // too late: what has gone out stays counted
            node.settle_send(&id, SendOutcome::NotSent, &[], &audit(AuditEvent::CodeNotSent, NOW)).await.unwrap();
        }
    }
    assert_eq!(node.charge_send(&send, &SEND_CAPS, NOW).await.unwrap().charge, SendCharge::LoginSpent);
}

pub(super) async fn a_window_of_sends_opens_again(store: &Store) {
    let node = store.node().await;
    let account = AccountId::random();
    for number in 0..5_u32 {
        let at = NOW.plus(Duration::from_secs(60) * number);
        assert!(matches!(
            node.charge_send(&send(account), &SEND_CAPS, at).await.unwrap().charge,
            SendCharge::Granted(_)
        ));
    }
    let charge = node.charge_send(&send(account), &SEND_CAPS, NOW.plus(Duration::from_secs(600))).await.unwrap().charge;
    assert_eq!(charge, SendCharge::Wait(Duration::from_secs(1200)));
    for number in 0..5_u32 {
        let at = NOW.plus(HALF_HOUR * (number + 2));
        assert!(matches!(
            node.charge_send(&send(account), &SEND_CAPS, at).await.unwrap().charge,
            SendCharge::Granted(_)
        ));
    }
    let charge = node.charge_send(&send(account), &SEND_CAPS, NOW.plus(DAY / 2)).await.unwrap().charge;
    assert_eq!(charge, SendCharge::Wait(DAY / 2), "ten in a day");
    assert!(matches!(
        node.charge_send(&send(account), &SEND_CAPS, NOW.plus(DAY)).await.unwrap().charge,
        SendCharge::Granted(_)
    ));
}

pub(super) async fn a_code_is_credited_to_the_provider_that_sent_it_last(store: &Store) {
    use SmsResult::{Accepted, MaybeSent, Recipient, Transient};
    let node = store.node().await;
    let anna = anna(&node).await;
    let login = login();
    let to_anna = NewSend { login, ..send(anna.id) };
    hand_over(&node, &to_anna, &[("first", Accepted(None))], NOW).await;
    let lately = node.lately(&login, to_anna.country, NOW).await.unwrap();
    assert_eq!(
        (lately.asked.as_slice(), lately.records),
        (["first".to_owned()].as_slice(), vec![]),
        "nobody knows yet"
    );
    let handovers = [("broken", Transient), ("slow", MaybeSent), ("second", Accepted(None))];
    hand_over(&node, &to_anna, &handovers, NOW.plus(HOUR / 100)).await;
    let opening = opening(&anna, login, NOW.plus(HOUR / 90));
    assert_eq!(node.open_session(&opening).await.unwrap(), Opened::Opened(Vec::new()));
    let lately = node.lately(&super::fixture::login(), to_anna.country, NOW.plus(HOUR / 80)).await.unwrap();
    assert_eq!(lately.asked, [""; 0], "another login");
    assert_eq!(
        sorted(lately.records),
        [("broken", 1, 0), ("first", 1, 0), ("second", 1, 1), ("slow", 1, 0)].map(record).to_vec()
    );
    let refused = NewSend { number: [8; 32], ..send(anna.id) };
    hand_over(&node, &refused, &[("second", Recipient)], NOW).await;
    let later = NOW.plus(HOUR);
    let records = node.lately(&login, to_anna.country, later).await.unwrap().records;
    assert!(records.contains(&record(("second", 1, 1))), "a number that cannot be texted is nobody's fault");
    let elsewhere = node.lately(&login, Country::parse("NL").unwrap(), later).await.unwrap();
    assert_eq!(elsewhere.records, []);
    assert_eq!(node.lately(&login, to_anna.country, NOW.plus(DAY * 2)).await.unwrap().records, []);
}

pub(super) async fn a_code_left_lying_counts_after_a_while_and_only_the_latest_count(store: &Store) {
    let node = store.node().await;
    let country = send(AccountId::random()).country;
    for number in 0..70_u8 {
        let send = NewSend { number: [number; 32], ..send(AccountId::random()) };
        let at = NOW.plus(Duration::from_secs(60) * u32::from(number));
        hand_over(&node, &send, &[("main", SmsResult::Accepted(None))], at).await;
    }
    let records = async |at| node.lately(&login(), country, at).await.unwrap().records;
    assert_eq!(records(NOW.plus(Duration::from_secs(600))).await, []);
    assert_eq!(records(NOW.plus(Duration::from_secs(660))).await, [record(("main", 1, 0))]);
    assert_eq!(records(NOW.plus(HOUR * 3)).await, [record(("main", 60, 0))]);
}

async fn hand_over(node: &SqlLedger, send: &NewSend, handovers: &[(&str, SmsResult)], now: UnixMillis) {
    let SendCharge::Granted(id) = node.charge_send(send, &SEND_CAPS, now).await.unwrap().charge else {
        panic!("refused")
    };
    let asked: Vec<Handover> = handovers
        .iter()
        .map(|(provider, answer)| Handover { provider: (*provider).to_owned(), answer: answer.clone() })
        .collect();
    let audit = audit(AuditEvent::CodeSent, now);
    node.settle_send(&id, SendOutcome::Accepted, &asked, &audit).await.unwrap();
}

fn record((provider, judged, entered): (&str, u32, u32)) -> (String, Record) {
    (provider.to_owned(), Record { judged, entered })
}

fn sorted(mut records: Vec<(String, Record)>) -> Vec<(String, Record)> {
    records.sort_by(|left, right| left.0.cmp(&right.0));
    records
}

async fn granted_in_parallel(store: &Store, sends: Vec<NewSend>, caps: SendCaps) -> u32 {
    let nodes: [SqlLedger; 2] = [store.node().await, store.node().await];
    let tasks = sends.into_iter().enumerate().map(|(number, send)| {
        let node = nodes[number % 2].clone();
        tokio::spawn(async move { node.charge_send(&send, &caps, NOW).await })
    });
    let mut granted = 0;
    for task in tasks.collect::<Vec<_>>() {
        if let Ok(ChargedSend { charge: SendCharge::Granted(_), .. }) = task.await.unwrap() {
            granted += 1;
        }
    }
    granted
}
