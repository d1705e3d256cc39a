//! Whoever comes back to the sign-in page again and again is told why, after the third time, and the log names the cause.

use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Plan, Stack, secret_file};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore;
use serde_json::json;

const PHONE: &str = "+32470111222";
const SESSION: &str = "vestibule";

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_is_told_at_the_second_form() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.person();
    let page = person.follow("/wanted?x=1").await.expect(200);
    person.forget_cookies();
    let again = person.type_password(&page, &account.name, &account.password).await.expect(403);
    assert!(again.reads().contains("your browser did not send our cookie back"), "{}", again.reads());
    person.forget_cookies();
    let told = person.type_password(&again, &account.name, &account.password).await;
    is_told(&stack, &told, "circle_no_cookies", "Allow cookies for this site");
    assert_eq!(stack.vendor.requests().len(), 0);

    // Once they are allowed, the same form goes on.
    let page = person.follow("/wanted?x=1").await.expect(200);
    person.forget_cookies();
    let again = person.type_password(&page, &account.name, &account.password).await.expect(403);
    let code = person.type_password(&again, &account.name, &account.password).await;
    assert!(person.follow_from(code).await.has_form_with("code"));
}

#[tokio::test]
async fn a_session_that_is_not_sent_back_is_told_after_the_third_sign_in() {
    let stack = Plan::new().set("limits.sms.per_30m", 20).set("limits.sms.per_day", 20).start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.person();
    for round in 0..3 {
        let page = person.open("/wanted").await;
        assert_eq!(page.status, 303, "after {round} sign-ins: {}", page.reads());
        sign_in(&stack, &person, &account).await;
        person.drop_cookie(SESSION);
    }
    is_told(&stack, &person.open("/wanted").await, "circle_session_cookie_not_sent", "Delete the cookies of this site");
    // Programs get what they always get, and whoever tries again may.
    person.fetch("/wanted").await.expect(401);
    sign_in(&stack, &person, &account).await;
    person.open("/wanted").await.expect(200);
}

#[tokio::test]
async fn signing_in_and_out_is_no_circle() {
    let stack = Plan::new().set("limits.sms.per_30m", 20).set("limits.sms.per_day", 20).start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.person();
    for _ in 0..5 {
        sign_in(&stack, &person, &account).await;
        person.open("/wanted").await.expect(200);
        person.sign_out().await;
        assert_eq!(person.open("/wanted").await.status, 303);
    }
}

#[tokio::test]
async fn nodes_with_different_keys_send_nobody_round_without_end() {
    let mut stack = Plan::new().nodes(2).start();
    let account = stack.add_account("ada", PHONE);
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    let file = secret_file(stack.folder(), "sign-other.key", &STANDARD.encode(key));
    stack.settings.set("signing_keys", json!([{ "file": file }]));
    stack.rewrite_config(1);
    let environment = stack.environment().to_vec();
    stack.nodes[1].start_again(&environment);
    let person = stack.signed_in(&account).await;
    let other = stack.at_node(&person, 1);
    let mut rounds = 0;
    let told = loop {
        let page = other.open("/wanted").await;
        let Some(location) = page.location() else { break page };
        rounds += 1;
        assert!(rounds <= 3, "round and round");
        assert_eq!(person.open(&location).await.location().as_deref(), Some("/wanted"));
    };
    is_told(&stack, &told, "circle_unreadable_cookie", "does not know your session");
}

#[tokio::test]
async fn an_application_that_sends_back_to_sign_in_is_found_out() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let target = "/redirect?to=/.vestibule/login?return_to=/redirect";
    let told = person.follow(target).await;
    is_told(&stack, &told, "circle_by_application", "sends you back to sign-in");
    assert!(stack.upstream.requests_to("/redirect").len() <= 5, "{:?}", stack.upstream.requests_to("/redirect"));
    // The count is ours, and nothing of it goes up.
    assert!(
        stack
            .upstream
            .requests()
            .iter()
            .all(|request| !request.header("cookie").unwrap_or_default().contains("vestibule"))
    );
}

async fn sign_in(stack: &Stack, person: &Person, account: &Account) {
    let sent = stack.vendor.messages_to(&account.phone).len();
    let page = person.follow("/.vestibule/login?return_to=/wanted").await;
    let page = person.type_password(&page, &account.name, &account.password).await;
    let page = person.follow_from(page).await;
    let code = stack.vendor.wait_for_message(&account.phone, sent + 1).code();
    let answer = person.submit(&page.form_with("code"), &page.asked, &[("code", &code)]).await;
    assert_eq!(answer.location().as_deref(), Some("/wanted"), "{}", answer.reads());
}

/// The page says what to do and carries the reference of a line in the log that names the cause.
#[track_caller]
fn is_told(stack: &Stack, page: &Answer, reason: &str, advice: &str) {
    assert_eq!(page.status, 403, "{}", page.reads());
    assert!(page.reads().contains("Signing in does not hold") && page.reads().contains(advice), "{}", page.reads());
    let records: Vec<_> = stack.nodes.iter().flat_map(|node| node.records()).collect();
    let told = records.iter().find(|record| record["reason"] == reason && record["level"] == "WARN");
    let told = told.unwrap_or_else(|| panic!("no {reason} in the log: {}", page.reads()));
    assert!(page.reads().contains(told["request"].as_str().unwrap()), "the page refers to another request");
}
