//! What every adapter of `PendingLogins` and `Limits` has to do, whatever it is made of. Each rule uses ids of its own. Tests only. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::limits::{Charge, Rate, UnfinishedCaps};
use crate::domain::pending::{LoginHandle, LoginId};
use crate::domain::time::UnixMillis;
use crate::login::ports::{AttemptTurn, CodeRequest, CodeTurn, LimitKey, Limits, PendingLogins};

const NOW: UnixMillis = UnixMillis(1_795_512_600_000);
const MINUTE: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(600);

/// Any bytes: records and codes are opaque to the stores.
const RECORD: &[u8] = b"\x00record\r\n\xff";
const CODE: &[u8] = b"\x00code\r\n\xfe";
const OTHER: &[u8] = b"other";

fn id() -> LoginId {
    LoginHandle::random().login_id()
}

fn after(seconds: u64) -> UnixMillis {
    NOW.plus(Duration::from_secs(seconds))
}

/// A request at `now` for a code that lives five minutes; one wait of 30 s, then one of 60 s; four sends.
fn request(now: UnixMillis, fresh: &[u8]) -> CodeRequest<'_> {
    const WAITS: &[Duration] = &[Duration::from_secs(30), Duration::from_secs(60)];
    CodeRequest { now, fresh, code_until: now.plus(5 * MINUTE), waits: WAITS, most_sends: 4 }
}

fn sent(code: &[u8], number: u32) -> CodeTurn {
    CodeTurn::Send { code: code.to_vec(), number }
}

fn granted(code: &[u8]) -> AttemptTurn {
    AttemptTurn::Granted { record: RECORD.to_vec(), code: code.to_vec() }
}

/// The contract of `PendingLogins`.
pub(super) async fn pending_logins(store: Arc<dyn PendingLogins>) {
    what_is_not_there_is_not_there(&*store).await;
    a_new_login_has_its_record_and_nothing_else(&*store).await;
    a_login_is_gone_after_its_ttl(&*store).await;
    putting_again_begins_again(&*store).await;
    an_attempt_is_spent_only_on_a_living_code(&*store).await;
    spent_attempts_stay_spent_whatever_is_sent_again(&*store).await;
    a_hundred_parallel_attempts_spend_exactly_the_limit(&store).await;
    a_code_is_the_same_while_it_lives_and_fresh_after(&*store).await;
    the_next_send_waits_and_the_last_wait_repeats(&*store).await;
    a_hundred_parallel_requests_send_once(&store).await;
    a_send_taken_back_does_not_count(&*store).await;
    another_record_drops_the_code_and_keeps_the_counts(&*store).await;
    a_finished_login_is_gone(&*store).await;
    the_longest_record_fits(&*store).await;
}

async fn what_is_not_there_is_not_there(store: &dyn PendingLogins) {
    let id = id();
    assert_eq!(store.peek(&id).await.unwrap(), None);
    assert!(!store.replace(&id, RECORD).await.unwrap());
    assert_eq!(store.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::Gone);
    assert_eq!(store.next_code(&id, &request(NOW, CODE)).await.unwrap(), CodeTurn::Gone);
    store.take_back_send(&id, 1).await.unwrap();
    store.finish(&id).await.unwrap();
    assert_eq!(store.peek(&id).await.unwrap(), None, "none of this made one");
}

async fn a_new_login_has_its_record_and_nothing_else(store: &dyn PendingLogins) {
    let (id, other) = (id(), id());
    store.put(&id, RECORD, TTL).await.unwrap();
    let stored = store.peek(&id).await.unwrap().unwrap();
    assert_eq!(stored.record, RECORD);
    assert_eq!((stored.code_until, stored.attempts, stored.sends, stored.last_send_at), (None, 0, 0, None));
    assert_eq!(store.peek(&other).await.unwrap(), None);
    assert_eq!(store.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::NoCode);
    assert_eq!(store.peek(&id).await.unwrap().unwrap().attempts, 0, "nothing is spent without a code");
}

async fn a_login_is_gone_after_its_ttl(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, RECORD, Duration::from_millis(80)).await.unwrap();
    let _ = store.next_code(&id, &request(NOW, CODE)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), async {
        while store.peek(&id).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("a login is gone after its TTL");
    assert_eq!(store.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::Gone);
    assert_eq!(store.next_code(&id, &request(NOW, CODE)).await.unwrap(), CodeTurn::Gone);
    assert!(!store.replace(&id, RECORD).await.unwrap());
    store.put(&id, RECORD, Duration::ZERO).await.unwrap();
    assert_eq!(store.peek(&id).await.unwrap(), None, "no time to live is no life");
}

async fn putting_again_begins_again(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, OTHER, TTL).await.unwrap();
    let _ = store.next_code(&id, &request(NOW, CODE)).await.unwrap();
    let _ = store.spend_attempt(&id, 5, NOW).await.unwrap();
    store.put(&id, RECORD, TTL).await.unwrap();
    let stored = store.peek(&id).await.unwrap().unwrap();
    assert_eq!(
        (stored.record.as_slice(), stored.code_until, stored.attempts, stored.sends, stored.last_send_at),
        (RECORD, None, 0, 0, None)
    );
    assert_eq!(store.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::NoCode);
}

async fn an_attempt_is_spent_only_on_a_living_code(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    assert_eq!(store.next_code(&id, &request(NOW, CODE)).await.unwrap(), sent(CODE, 1));
    let until = NOW.plus(5 * MINUTE);
    assert_eq!(store.peek(&id).await.unwrap().unwrap().code_until, Some(until));
    assert_eq!(store.spend_attempt(&id, 2, NOW).await.unwrap(), granted(CODE));
    assert_eq!(
        store.spend_attempt(&id, 2, until).await.unwrap(),
        AttemptTurn::NoCode,
        "the end is no part of its life"
    );
    assert_eq!(store.peek(&id).await.unwrap().unwrap().attempts, 1);
    assert_eq!(store.spend_attempt(&id, 2, until.minus(Duration::from_millis(1))).await.unwrap(), granted(CODE));
    assert_eq!(store.spend_attempt(&id, 2, NOW).await.unwrap(), AttemptTurn::NoneLeft);
    assert_eq!(store.spend_attempt(&id, 2, until).await.unwrap(), AttemptTurn::NoneLeft, "another code would not help");
    assert_eq!(store.peek(&id).await.unwrap().unwrap().attempts, 2);
}

async fn spent_attempts_stay_spent_whatever_is_sent_again(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    let _ = store.next_code(&id, &request(NOW, CODE)).await.unwrap();
    assert_eq!(store.spend_attempt(&id, 1, NOW).await.unwrap(), granted(CODE));
    assert_eq!(store.next_code(&id, &request(after(400), OTHER)).await.unwrap(), sent(OTHER, 2));
    assert_eq!(store.spend_attempt(&id, 1, after(400)).await.unwrap(), AttemptTurn::NoneLeft);
}

async fn a_hundred_parallel_attempts_spend_exactly_the_limit(store: &Arc<dyn PendingLogins>) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    let _ = store.next_code(&id, &request(NOW, CODE)).await.unwrap();
    let turns = in_parallel(store, move |store| async move { store.spend_attempt(&id, 5, NOW).await.unwrap() }).await;
    assert_eq!(turns.iter().filter(|turn| **turn == granted(CODE)).count(), 5);
    assert_eq!(turns.iter().filter(|turn| **turn == AttemptTurn::NoneLeft).count(), 95);
    assert_eq!(store.peek(&id).await.unwrap().unwrap().attempts, 5);
}

async fn a_code_is_the_same_while_it_lives_and_fresh_after(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    assert_eq!(store.next_code(&id, &request(NOW, CODE)).await.unwrap(), sent(CODE, 1));
    let later = after(299);
    assert_eq!(
        store.next_code(&id, &request(later, OTHER)).await.unwrap(),
        sent(CODE, 2),
        "the same: a late SMS still works"
    );
    assert_eq!(store.peek(&id).await.unwrap().unwrap().code_until, Some(later.plus(5 * MINUTE)), "and it lives on");
    let much_later = later.plus(5 * MINUTE);
    assert_eq!(store.next_code(&id, &request(much_later, OTHER)).await.unwrap(), sent(OTHER, 3));
    assert_eq!(store.spend_attempt(&id, 5, much_later).await.unwrap(), granted(OTHER));
}

async fn the_next_send_waits_and_the_last_wait_repeats(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    for (seconds, expected) in [
        (0, sent(CODE, 1)),
        (0, CodeTurn::Wait(Duration::from_secs(30))),
        (29, CodeTurn::Wait(Duration::from_secs(1))),
        (30, sent(CODE, 2)),
        (60, CodeTurn::Wait(Duration::from_secs(30))),
        (90, sent(CODE, 3)),
        (149, CodeTurn::Wait(Duration::from_secs(1))),
        (150, sent(CODE, 4)),
        (150, CodeTurn::NoneLeft),
        (500, CodeTurn::NoneLeft),
    ] {
        assert_eq!(store.next_code(&id, &request(after(seconds), CODE)).await.unwrap(), expected, "after {seconds} s");
    }
    let stored = store.peek(&id).await.unwrap().unwrap();
    assert_eq!((stored.sends, stored.last_send_at), (4, Some(after(150))));
    let without_waits = CodeRequest { waits: &[], most_sends: 9, ..request(after(150), CODE) };
    assert_eq!(store.next_code(&id, &without_waits).await.unwrap(), sent(CODE, 5));
}

async fn a_hundred_parallel_requests_send_once(store: &Arc<dyn PendingLogins>) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    let turns =
        in_parallel(store, move |store| async move { store.next_code(&id, &request(NOW, CODE)).await.unwrap() }).await;
    assert_eq!(turns.iter().filter(|turn| **turn == sent(CODE, 1)).count(), 1);
    assert_eq!(turns.iter().filter(|turn| **turn == CodeTurn::Wait(Duration::from_secs(30))).count(), 99);
}

async fn a_send_taken_back_does_not_count(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    assert_eq!(store.next_code(&id, &request(NOW, CODE)).await.unwrap(), sent(CODE, 1));
    store.take_back_send(&id, 1).await.unwrap();
    let stored = store.peek(&id).await.unwrap().unwrap();
    assert_eq!((stored.sends, stored.last_send_at), (0, None));
    assert_eq!(store.next_code(&id, &request(NOW, OTHER)).await.unwrap(), sent(CODE, 1), "at once, and the same code");
    assert_eq!(store.next_code(&id, &request(after(30), OTHER)).await.unwrap(), sent(CODE, 2));
    store.take_back_send(&id, 1).await.unwrap();
    let stored = store.peek(&id).await.unwrap().unwrap();
    assert_eq!((stored.sends, stored.last_send_at), (2, Some(after(30))), "another send followed");
}

async fn another_record_drops_the_code_and_keeps_the_counts(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, OTHER, TTL).await.unwrap();
    let _ = store.next_code(&id, &request(NOW, CODE)).await.unwrap();
    let _ = store.spend_attempt(&id, 5, NOW).await.unwrap();
    assert!(store.replace(&id, RECORD).await.unwrap());
    let stored = store.peek(&id).await.unwrap().unwrap();
    assert_eq!((stored.record.as_slice(), stored.code_until, stored.attempts, stored.sends), (RECORD, None, 1, 1));
    assert_eq!(store.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::NoCode);
    assert_eq!(store.next_code(&id, &request(NOW, OTHER)).await.unwrap(), CodeTurn::Wait(Duration::from_secs(30)));
    assert_eq!(store.next_code(&id, &request(after(30), OTHER)).await.unwrap(), sent(OTHER, 2));
}

async fn a_finished_login_is_gone(store: &dyn PendingLogins) {
    let id = id();
    store.put(&id, RECORD, TTL).await.unwrap();
    let _ = store.next_code(&id, &request(NOW, CODE)).await.unwrap();
    store.finish(&id).await.unwrap();
    assert_eq!(store.peek(&id).await.unwrap(), None);
    assert_eq!(store.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::Gone);
}

async fn the_longest_record_fits(store: &dyn PendingLogins) {
    let id = id();
    let record = vec![0xa5; 16 * 1024];
    store.put(&id, &record, TTL).await.unwrap();
    assert_eq!(store.peek(&id).await.unwrap().unwrap().record, record);
}

/// The contract of `Limits`.
pub(super) async fn limits(limits: Arc<dyn Limits>) {
    a_window_begins_with_the_first_charge(&*limits).await;
    a_hundred_parallel_charges_spend_exactly_the_rate(&limits).await;
    what_is_given_back_can_be_spent_again(&*limits).await;
    a_shorter_window_holds_at_once(&*limits).await;
    a_login_counts_once_and_not_when_completed(&*limits).await;
    logins_never_completed_count_for_a_day(&*limits).await;
    a_cap_of_nothing_grants_nothing(&*limits).await;
}

fn key() -> LimitKey {
    LimitKey(format!("fail:2001:db8::/64:{}", id()))
}

const FIVE_A_MINUTE: Rate = Rate { count: 5, window: MINUTE };

async fn a_window_begins_with_the_first_charge(limits: &dyn Limits) {
    let (key, other) = (key(), key());
    for seconds in [0, 10, 20, 30, 59] {
        assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, after(seconds)).await.unwrap(), Charge::Granted);
    }
    assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, after(59)).await.unwrap(), Charge::Wait(Duration::from_secs(1)));
    assert_eq!(limits.try_spend(&other, FIVE_A_MINUTE, after(59)).await.unwrap(), Charge::Granted);
    for _ in 0..5 {
        assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, after(60)).await.unwrap(), Charge::Granted);
    }
    assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, after(61)).await.unwrap(), Charge::Wait(Duration::from_secs(59)));
}

async fn a_hundred_parallel_charges_spend_exactly_the_rate(limits: &Arc<dyn Limits>) {
    let key = key();
    let charges = in_parallel(limits, move |limits| {
        let key = key.clone();
        async move { limits.try_spend(&key, FIVE_A_MINUTE, NOW).await.unwrap() }
    })
    .await;
    assert_eq!(charges.iter().filter(|charge| **charge == Charge::Granted).count(), 5);
}

async fn what_is_given_back_can_be_spent_again(limits: &dyn Limits) {
    let key = key();
    limits.give_back(&key).await.unwrap();
    for _ in 0..5 {
        assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, NOW).await.unwrap(), Charge::Granted);
    }
    limits.give_back(&key).await.unwrap();
    assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, NOW).await.unwrap(), Charge::Granted);
    assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, NOW).await.unwrap(), Charge::Wait(MINUTE));
    for _ in 0..9 {
        limits.give_back(&key).await.unwrap();
    }
    for _ in 0..5 {
        assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, NOW).await.unwrap(), Charge::Granted);
    }
    assert_eq!(limits.try_spend(&key, FIVE_A_MINUTE, NOW).await.unwrap(), Charge::Wait(MINUTE), "nothing is owed");
}

async fn a_shorter_window_holds_at_once(limits: &dyn Limits) {
    let key = key();
    let hour = Rate { count: 1, window: 60 * MINUTE };
    assert_eq!(limits.try_spend(&key, hour, NOW).await.unwrap(), Charge::Granted);
    assert_eq!(limits.try_spend(&key, Rate { count: 1, window: MINUTE }, NOW).await.unwrap(), Charge::Wait(MINUTE));
}

const CAPS: UnfinishedCaps =
    UnfinishedCaps { settle_after: Duration::from_secs(900), never_completed: 3, under_way: 2 };

async fn a_login_counts_once_and_not_when_completed(limits: &dyn Limits) {
    let (key, first, second, third) = (key(), id(), id(), id());
    limits.complete_login(&key, &first).await.unwrap();
    for login in [first, first, second, second] {
        assert_eq!(limits.begin_login(&key, &login, CAPS, NOW).await.unwrap(), Charge::Granted);
    }
    assert_eq!(
        limits.begin_login(&key, &third, CAPS, after(100)).await.unwrap(),
        Charge::Wait(Duration::from_secs(800))
    );
    limits.complete_login(&key, &first).await.unwrap();
    assert_eq!(limits.begin_login(&key, &third, CAPS, after(100)).await.unwrap(), Charge::Granted);
    assert_eq!(
        limits.begin_login(&key, &first, CAPS, after(100)).await.unwrap(),
        Charge::Wait(Duration::from_secs(800))
    );
}

async fn logins_never_completed_count_for_a_day(limits: &dyn Limits) {
    let key = key();
    for n in 0..3 {
        assert_eq!(limits.begin_login(&key, &id(), CAPS, after(n * 1000)).await.unwrap(), Charge::Granted);
    }
    let day = 24 * 60 * 60;
    assert_eq!(
        limits.begin_login(&key, &id(), CAPS, after(3000)).await.unwrap(),
        Charge::Wait(Duration::from_secs(day - 3000))
    );
    assert_eq!(limits.begin_login(&key, &id(), CAPS, after(day)).await.unwrap(), Charge::Granted);
    assert_eq!(limits.begin_login(&key, &id(), CAPS, after(day)).await.unwrap(), Charge::Granted);
    assert_eq!(
        limits.begin_login(&key, &id(), CAPS, after(day)).await.unwrap(),
        Charge::Wait(Duration::from_secs(900))
    );
}

async fn a_cap_of_nothing_grants_nothing(limits: &dyn Limits) {
    let never = UnfinishedCaps { under_way: 0, ..CAPS };
    assert_eq!(limits.begin_login(&key(), &id(), never, NOW).await.unwrap(), Charge::Wait(CAPS.settle_after));
    let nothing = Rate { count: 0, window: MINUTE };
    assert_eq!(limits.try_spend(&key(), nothing, NOW).await.unwrap(), Charge::Wait(MINUTE));
}

async fn in_parallel<P, F, T>(port: &Arc<P>, act: impl Fn(Arc<P>) -> F) -> Vec<T>
where
    P: ?Sized,
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..100).map(|_| tokio::spawn(act(Arc::clone(port)))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
