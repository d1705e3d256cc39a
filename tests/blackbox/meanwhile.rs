//! What an operator does to an account while its user is signing in: the sign-in is held between any two of its effects, the operator acts,
//! and the sign-in goes on. Nobody is in by what the operator has ended, and what he has set is what stays.

use crate::harness::children::fresh_folder;
use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Plan, Stack};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long any node may go on with what has ended (design §5, revocation).
const BOUND: Duration = Duration::from_secs(1);
/// The effects of a right code, in their order; the session is committed with the third.
const OF_A_CODE: [&str; 4] =
    ["code.attempt_spent", "code.attempt_charged", "code.session_opened", "code.login_finished"];
/// The effects of giving a number, and of the SMS that goes there.
const OF_A_NUMBER: [&str; 3] = ["phone.number_put", "send.charged", "send.settled"];

/// What the operator does, after `user`; the name of the account stands second.
type Act = &'static [&'static str];

const RESET: Act = &["reset-two-factor", "NAME", "--reason", "called"];
const CLEAR: Act = &["clear-phone", "NAME", "--reason", "stolen"];
const REPLACE: Act = &["set-phone", "NAME", "+32470999999", "--reason", "new phone"];

/// A program that waits at its fail-points.
struct Held {
    stack: Stack,
    folder: tempfile::TempDir,
}

impl Held {
    fn start(plan: Plan) -> Self {
        let folder = fresh_folder("held");
        let plan = plan.environment("VESTIBULE_FAILPOINT", &format!("wait:{}", folder.path().display()));
        Self { stack: plan.set("limits.network.failures_minute", 10_000).start(), folder }
    }

    fn operator(&self, act: Act, account: &Account) {
        let words: Vec<&str> = std::iter::once("user")
            .chain(act.iter().map(|word| if *word == "NAME" { &account.name } else { *word }))
            .collect();
        self.stack.command(&words, "").done();
    }

    /// Begins `step`, lets the operator act when it has reached `place`, and then lets it go on.
    async fn act_at(&self, place: &str, act: Act, account: &Account, step: impl Future<Output = Answer>) -> Answer {
        let (held, reached) = (self.folder.path().join(place), self.folder.path().join(format!("{place}.reached")));
        std::fs::write(&held, "").unwrap();
        let meanwhile = async {
            let began = Instant::now();
            while !reached.exists() {
                assert!(began.elapsed() < Duration::from_secs(20), "the step never came to {place}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            self.operator(act, account);
            std::fs::remove_file(&reached).unwrap();
            std::fs::remove_file(&held).unwrap();
        };
        tokio::join!(step, meanwhile).0
    }
}

/// Out within the bound, whatever a moment ago was.
async fn is_out(person: &Person, what: &str) {
    let began = Instant::now();
    loop {
        match person.open("/inside").await.status {
            200 => assert!(began.elapsed() < BOUND, "{what}: still in"),
            // 401: the session ended while its request was with the application
            303 | 401 => return,
            other => panic!("{what}: {other}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_is_being_typed_opens_nothing_that_outlives_what_an_operator_does() {
    let held = Held::start(Plan::new());
    for (number, act) in [RESET, CLEAR, REPLACE].into_iter().enumerate() {
        for (place, at) in OF_A_CODE.into_iter().enumerate() {
            let account =
                held.stack.add_account(&format!("user{number}-{place}"), &format!("+324701{number}00{place}0"));
            let (person, page, code) = held.stack.owing_a_code(&account).await;
            let what = format!("{} at {at}", act[0]);
            let answer = held.act_at(at, act, &account, person.give_code(&page, &code)).await;
            let was_open = matches!(at, "code.session_opened" | "code.login_finished");
            assert_eq!(answer.status, if was_open { 303 } else { 410 }, "{what}: {}", answer.reads());
            is_out(&person, &what).await;
            assert_eq!(held.stack.count("sessions WHERE ended_at IS NULL"), 0, "{what}");
            // nor does the code open anything later
            let opened = held.stack.sessions_opened();
            person.give_code(&page, &code).await;
            is_out(&person, &what).await;
            assert_eq!(held.stack.sessions_opened(), opened, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_being_given_is_not_kept_when_it_is_cleared_meanwhile() {
    let held = Held::start(Plan::new().set("two_factor.phone_numbers", "self_registered"));
    for (number, act) in [RESET, CLEAR].into_iter().enumerate() {
        for (place, at) in OF_A_NUMBER.into_iter().chain(OF_A_CODE).enumerate() {
            let what = format!("{} at {at}", act[0]);
            let phone = format!("+324702{number}00{place}0");
            let account = held.stack.add_account(&format!("user{number}-{place}"), "");
            let person = held.stack.person();
            let page = person.give_password("/inside", &account).await.expect(200);
            let is_giving = OF_A_NUMBER.contains(&at);
            let given = person.give_number(&page, &phone);
            let answer = if is_giving { held.act_at(at, act, &account, given).await } else { given.await };
            if is_giving {
                let next = person.follow_from(answer).await;
                assert!(!next.has_form_with("code"), "{what}: {}", next.reads());
            } else {
                let page = person.follow_from(answer).await.expect(200);
                let code = held.stack.vendor.wait_for_message(&phone, 1).code();
                let answer = held.act_at(at, act, &account, person.give_code(&page, &code)).await;
                let was_open = matches!(at, "code.session_opened" | "code.login_finished");
                assert_eq!(answer.status, if was_open { 303 } else { 410 }, "{what}: {}", answer.reads());
                is_out(&person, &what).await;
                let shown = held.stack.command(&["user", "show", &account.name, "--json"], "").done();
                let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
                let wanted = match act[0] {
                    "reset-two-factor" if was_open => json!(format!("+32 … {}", &phone[phone.len() - 2..])),
                    _ => json!(null),
                };
                assert_eq!(shown["phone"], wanted, "{what}");
            }
            is_out(&person, &what).await;
            assert_eq!(held.stack.count("sessions WHERE ended_at IS NULL"), 0, "{what}");
        }
    }
}

#[tokio::test]
async fn after_a_reset_the_next_sign_in_sends_a_code_to_the_same_number() {
    let stack =
        Plan::new().set("limits.code_failures.in_a_row", 5).set("limits.network.failures_minute", 10_000).start();
    let anna = stack.add_account("anna", "+32470123456");
    let inside = stack.signed_in(&anna).await;
    let (person, page, code) = stack.owing_a_code(&anna).await;
    for step in 1..=5 {
        person.give_code(&page, &crate::harness::steps::not_this(&code, step)).await;
    }
    let (locked, page, code) = stack.owing_a_code(&anna).await;
    locked.give_code(&page, &code).await.expect(429);
    assert!(stack.command(&["user", "list", "--locked"], "").done().contains("anna"));

    let said = stack.command(&["user", "reset-two-factor", "anna", "--reason", "called, was seen"], "").done();
    assert!(said.contains("+32 … 56"), "{said}");
    is_out(&inside, "the session").await;
    locked.give_code(&page, &code).await.expect(410);
    assert!(stack.signed_in(&anna).await.is_in().await);
    let trail = stack.sql("SELECT event, reason FROM audit WHERE event = 'two_factor_reset'");
    assert_eq!(trail.trim(), "two_factor_reset|called, was seen");
}

#[test]
fn an_account_closed_by_wrong_passwords_is_listed_as_locked_when_its_wait_is_over() {
    let stack = Plan::new().prepare();
    stack.add_account("anna", "+32470123456");
    let id = stack.sql("SELECT id FROM accounts");
    let failures = |count: u32| {
        stack.sql("DELETE FROM password_failures");
        stack.sql(&format!("INSERT INTO password_failures VALUES ('a:{}', {count}, 1, 1)", id.trim()));
        stack.command(&["user", "list", "--locked"], "").done().contains("anna")
    };
    assert!(!failures(99));
    assert!(failures(100));
    assert!(stack.command(&["user", "show", "anna"], "").done().contains("until `user unlock`"));
}
