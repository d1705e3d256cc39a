//! What keeps strangers from running up a bill, and does not stop who has signed in before. Floor: edge.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fixture::{DAY, HOUR, NOW, SEND_CAPS, Store, anna, audit, login, send, signed_in};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::{Account, AccountId};
use crate::domain::audit::AuditEvent;
use crate::domain::limits::{ConversionRule, GuardMode, SendCaps};
use crate::domain::time::UnixMillis;
use crate::login::ports::SmsResult;
use crate::login::sending::guard::{Recipient, caps_for};
use crate::login::sending::ports::{
    ChargedSend, GuardReport, Handover, NewSend, NumberIs, SendCharge, SendLedger as _, SendOutcome,
};
use crate::login::sending::reports::{ProviderStats, SmsReports as _};

/// Within the caps of an account and a number, whatever number it is.
fn to_newcomer(number: u32) -> NewSend {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    NewSend { number: hash, ..send(AccountId::random()) }
}

async fn charged(node: &SqlLedger, send: &NewSend, caps: &SendCaps, now: UnixMillis) -> ChargedSend {
    node.charge_send(send, caps, now).await.unwrap()
}

async fn sent(node: &SqlLedger, send: &NewSend, caps: &SendCaps, now: UnixMillis) -> ChargedSend {
    let charged = charged(node, send, caps, now).await;
    if let SendCharge::Granted(id) = &charged.charge {
        let asked = [Handover { provider: "main".into(), answer: SmsResult::Accepted(None) }];
        node.settle_send(id, SendOutcome::Accepted, &asked, &audit(AuditEvent::CodeSent, now)).await.unwrap();
    }
    charged
}

fn nobody() -> ProviderStats {
    ProviderStats {
        provider: "main".into(),
        country: "BE".into(),
        asked: 0,
        accepted: 0,
        maybe_sent: 0,
        failed: 0,
        recipient_refused: 0,
        judged: 0,
        entered: 0,
    }
}

fn is_granted(charged: &ChargedSend) -> bool {
    matches!(charged.charge, SendCharge::Granted(_))
}

pub(super) async fn newcomers_are_stopped_at_each_cap_and_known_people_are_not(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    let of_anna = || NewSend { login: login(), ..send(anna.id) };
    signed_in(&node, &anna, NOW).await;
    let soon = NOW.plus(Duration::from_secs(1));
    for (number, (caps, cap, wait)) in (0..).zip([
        (SendCaps { prefix_per_ten_minutes: 3, ..SEND_CAPS }, "prefix_10m", HOUR / 6),
        (SendCaps { prefix_per_day: 3, ..SEND_CAPS }, "prefix_day", DAY),
        (SendCaps { dial_code_per_day: 3, ..SEND_CAPS }, "dial_code_day", DAY),
        (SendCaps { total_per_minute: 4, reserve_percent: 25, ..SEND_CAPS }, "newcomers_minute", HOUR / 60),
        (SendCaps { total_per_day: 4, reserve_percent: 25, ..SEND_CAPS }, "newcomers_day", DAY),
    ]) {
        let day = DAY * 2 * (number + 1);
        let (at, later) = (NOW.plus(day), soon.plus(day));
        for newcomer in 0..3 {
            assert!(is_granted(&charged(&node, &to_newcomer(number * 100 + newcomer), &caps, at).await), "{cap}");
        }
        let asked = caps_for(&caps, Recipient::Newcomer).into_iter().find(|of| of.name() == cap).unwrap();
        assert_eq!(node.counted(&asked, later).await.unwrap(), 3, "{cap}: as operators are told");
        let refused = charged(&node, &to_newcomer(number * 100 + 3), &caps, later).await;
        assert_eq!(refused.charge, SendCharge::Guarded(cap, wait - Duration::from_secs(1)));
        assert!(is_granted(&charged(&node, &of_anna(), &caps, later).await), "{cap}: who has signed in before");
        let new_number = NewSend { number_is: NumberIs::New, number: [9; 32], ..of_anna() };
        assert!(!is_granted(&charged(&node, &new_number, &caps, later).await), "{cap}: a number may be anybody's");
        let elsewhere = NewSend { dial_code: 31, prefix: [4; 32], ..to_newcomer(number * 100 + 4) };
        let is_of_numbers = matches!(cap, "prefix_10m" | "prefix_day" | "dial_code_day");
        assert_eq!(is_granted(&charged(&node, &elsewhere, &caps, later).await), is_of_numbers, "{cap}: elsewhere");
    }
}

pub(super) async fn while_only_observing_newcomers_are_sent_to_and_reported(store: &Store) {
    let node = store.node().await;
    let caps = SendCaps { prefix_per_day: 2, total_per_day: 4, guard: GuardMode::Observe, ..SEND_CAPS };
    let mut reports = Vec::new();
    for number in 0..4 {
        let charged = charged(&node, &to_newcomer(number), &caps, NOW).await;
        assert!(is_granted(&charged), "{number}");
        reports.push(charged.reports.contains(&GuardReport::WouldRefuse("prefix_day")));
    }
    assert_eq!(reports, [false, false, true, true]);
    let beyond = charged(&node, &to_newcomer(4), &caps, NOW).await;
    assert_eq!(beyond.charge, SendCharge::Guarded("total_day", DAY), "the total holds in any case");
}

pub(super) async fn a_cap_that_fills_up_is_told_once_an_hour(store: &Store) {
    let node = store.node().await;
    let caps = SendCaps { total_per_day: 10, ..SEND_CAPS };
    let told = async |number, at| {
        let reports = charged(&node, &to_newcomer(number), &caps, at).await.reports;
        let percents = reports.into_iter().filter_map(|report| match report {
            GuardReport::Fills { cap: "total_day", percent, most: 10 } => Some(percent),
            GuardReport::Fills { .. } | GuardReport::Blocked(_) | GuardReport::WouldRefuse(_) => None,
        });
        percents.collect::<Vec<_>>()
    };
    let (half_an_hour, mut percents) = (HOUR / 2, Vec::new());
    for (number, at) in (0..).zip([0, 1, 1, 1, 1, 48, 49, 49, 49, 49]) {
        percents.push(told(number, NOW.plus(half_an_hour * at)).await);
    }
    // a day later the first leaves and another one comes, and half an hour after that four leave and four come: half full each time
    let none = Vec::new;
    assert_eq!(percents, [vec![], none(), none(), none(), vec![50], vec![50], none(), none(), none(), none()]);
    let mut percents = Vec::new();
    let next_week = NOW.plus(DAY * 7);
    for number in 20..31 {
        percents.extend(told(number, next_week).await);
    }
    assert_eq!(percents, [50, 80, 100]);
}

pub(super) async fn a_prefix_whose_codes_nobody_enters_is_closed_until_it_is_unblocked(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    signed_in(&node, &anna, NOW).await;
    let rule = ConversionRule { least_judged: 20, least_percent: 10, block: 12 * HOUR };
    let caps = SendCaps { conversion: rule, ..SEND_CAPS };
    for number in 0..20 {
        assert!(is_granted(&sent(&node, &to_newcomer(number), &caps, NOW).await));
    }
    assert!(is_granted(&charged(&node, &to_newcomer(20), &caps, NOW.plus(HOUR / 10)).await), "codes may yet come in");
    let later = NOW.plus(HOUR / 4);
    let refused = charged(&node, &to_newcomer(21), &caps, later).await;
    assert_eq!(refused.charge, SendCharge::Guarded("prefix_blocked", 12 * HOUR));
    let [GuardReport::Blocked(block)] = refused.reports.as_slice() else { panic!("{refused:?}") };
    assert_eq!((block.digits.as_str(), block.judged, block.entered), ("3247012", 20, 0));
    let again = charged(&node, &to_newcomer(22), &caps, later.plus(HOUR)).await;
    assert_eq!(again.charge, SendCharge::Guarded("prefix_blocked", 11 * HOUR));
    assert_eq!(again.reports, [], "told once");
    let known = NewSend { login: login(), ..send(anna.id) };
    assert!(is_granted(&charged(&node, &known, &caps, later).await));
    let elsewhere = NewSend { prefix: [5; 32], ..to_newcomer(23) };
    assert!(is_granted(&charged(&node, &elsewhere, &caps, later).await));
    let stats = node.stats(NOW.minus(HOUR), later).await.unwrap();
    assert_eq!((stats.blocks.as_slice(), stats.sent), ([block.clone()].as_slice(), 23));
    let main = ProviderStats { asked: 20, accepted: 20, judged: 20, ..nobody() };
    assert_eq!(stats.providers, [main]);
    let unblocking = audit(AuditEvent::SmsUnblocked, later);
    assert!(!node.unblock("3247013", &unblocking).await.unwrap());
    assert!(node.unblock("3247012", &unblocking).await.unwrap());
    assert!(!node.unblock("3247012", &unblocking).await.unwrap(), "once");
    assert!(is_granted(&charged(&node, &to_newcomer(25), &caps, later.plus(HOUR)).await), "and stays so");
    assert_eq!(node.stats(NOW.minus(HOUR), later).await.unwrap().blocks, []);
}

pub(super) async fn a_closed_prefix_opens_by_itself(store: &Store) {
    let node = store.node().await;
    let caps = SendCaps { conversion: ConversionRule { least_judged: 5, least_percent: 10, block: HOUR }, ..SEND_CAPS };
    for number in 0..5 {
        assert!(is_granted(&sent(&node, &to_newcomer(number), &caps, NOW).await));
    }
    let later = NOW.plus(HOUR / 4);
    assert!(!is_granted(&charged(&node, &to_newcomer(5), &caps, later).await));
    // over by itself, and what was sent before does not close it again
    assert!(is_granted(&charged(&node, &to_newcomer(24), &caps, later.plus(HOUR)).await));
}

/// A day's replay: ten thousand messages that somebody with accounts of newcomers asks for, over forty prefixes in three countries, while two hundred
/// times people sign in who have done so before. On SQLite alone: it is about the rules, and takes a minute.
#[tokio::test]
async fn ten_thousand_messages_of_an_attack_stop_at_the_caps_while_others_sign_in() {
    const ATTACK: u32 = 10_000;
    let store = Store::sqlite().await;
    let node = store.node().await;
    let anna = anna(&node).await;
    signed_in(&node, &anna, NOW).await;
    // the defaults, but for the limits of the one account that stands for all others
    let caps = SendCaps {
        total_per_minute: 60,
        total_per_day: 5000,
        reserve_percent: 20,
        prefix_per_ten_minutes: 30,
        prefix_per_day: 200,
        dial_code_per_day: 2000,
        conversion: ConversionRule { least_judged: 20, least_percent: 10, block: 12 * HOUR },
        per_half_hour: 1000,
        per_day: 1000,
        ..SEND_CAPS
    };
    let (to_attacker, to_others, why) = replay(&node, &anna, &caps, NOW, ATTACK).await;
    println!(
        "of {ATTACK} messages {to_attacker} were sent, refused: {why:?}; to people known before {to_others} of 200"
    );
    // each of forty prefixes gets twenty, what comes in the ten minutes until they are judged, and the same after twelve hours
    assert!(to_attacker <= 40 * 2 * (20 + 3), "{to_attacker}");
    assert_eq!(to_others, 200);
    // without that breaker the caps hold him; all figures a tenth
    let caps = SendCaps {
        total_per_day: 500,
        prefix_per_day: 20,
        dial_code_per_day: 200,
        conversion: ConversionRule { least_percent: 0, ..caps.conversion },
        ..caps
    };
    let (to_attacker, to_others, why) = replay(&node, &anna, &caps, NOW.plus(DAY * 3), ATTACK / 10).await;
    println!(
        "without the breaker, a tenth of all: {to_attacker} of 1000, refused: {why:?}; to people known before {to_others} of 20"
    );
    assert_eq!((to_attacker, to_others), (400, 20));
}

async fn replay(
    node: &SqlLedger,
    known: &Account,
    caps: &SendCaps,
    begins: UnixMillis,
    messages: u32,
) -> (u32, u32, BTreeMap<&'static str, u32>) {
    let (mut to_attacker, mut to_others, mut why) = (0, 0, BTreeMap::new());
    for number in 0..messages {
        let at = begins.plus(DAY / messages * number);
        let prefix = u8::try_from(number % 40).unwrap();
        let dial_code = [32, 31, 44][usize::from(prefix) % 3];
        let wanted = NewSend { prefix: [prefix; 32], dial_code, ..to_newcomer(number) };
        match sent(node, &wanted, caps, at).await.charge {
            SendCharge::Granted(_) => to_attacker += 1,
            SendCharge::Guarded(cap, _) => *why.entry(cap).or_default() += 1,
            SendCharge::Wait(_) | SendCharge::LoginSpent => panic!("{number}: another limit"),
        }
        if number % 50 == 0 {
            let of_known = NewSend { login: login(), prefix: [prefix; 32], dial_code, ..send(known.id) };
            to_others += u32::from(is_granted(&sent(node, &of_known, caps, at).await));
        }
    }
    (to_attacker, to_others, why)
}
