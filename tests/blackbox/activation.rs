//! Two-factor sign-in for everybody: staged, switched on over running nodes, asked of open sessions, and never off again.

use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Accounts, Plan, Stack};
use crate::harness::steps::{CODE, LOGIN, PHONE, RESEND, SESSION};

#[tokio::test]
async fn before_activation_the_password_is_enough() {
    let stack = staged().start();
    let with = stack.add_account("anna", "+32470123456");
    let without = stack.add_account("bert", "");
    for account in [&with, &without] {
        let person = stack.person();
        let page = person.give_password("/reports?a=1", account).await.expect(200);
        assert_eq!(page.json()["target"], "/reports?a=1");
        assert_eq!(person.fetch(SESSION).await.json()["factors"], serde_json::json!(["password"]));
    }
    assert_eq!(stack.vendor.requests().len(), 0);
    let status = stack.command(&["two-factor", "status", "--json"], "").done();
    assert!(status.contains("\"active\": false"), "{status}");
}

#[tokio::test]
async fn activation_switches_everybody_on_every_node_at_once_and_keeps_their_pages() {
    let stack = staged().accounts(Accounts::Postgres).nodes(2).start();
    let anna = stack.add_account("anna", "+32470123456");
    let bert = stack.add_account("bert", "+32470765432");
    let person = signed_in_with_password(&stack, &anna).await;
    assert!(stack.at_node(&person, 1).is_in().await, "a session of one node is one of the other");
    let old_cookie = person.copy();
    let at_password = stack.at_node(&stack.person(), 1);
    let open_form = at_password.follow("/inside").await.expect(200);

    activate(&stack);
    for node in 0..2 {
        wait_until_asked_for_a_code(&stack.at_node(&person, node)).await;
    }
    // Not a page, not a script, not a form: nothing of the application without a code.
    let before = stack.upstream.count();
    let refused = person.fetch("/data.json").await.expect(401);
    assert_eq!(refused.json()["code"], "code_required", "{}", refused.text());
    assert_ne!(person.post("/save", &[("a", "1")]).await.status, 200);
    person.fetch(SESSION).await.expect(401);
    assert_eq!(stack.upstream.count(), before);

    // The page is kept, the password is fresh enough: a button and a code.
    let step = person.follow("/reports?year=2026").await.expect(200);
    assert!(step.reads().contains("now also takes a code"), "{}", step.reads());
    assert!(!step.has_form_with("password"));
    assert_eq!(stack.vendor.requests().len(), 0, "looking at the page sends nothing");
    let answer = person.submit(&step.form_to(RESEND), &step.asked, &[]).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    assert_eq!(page.asked, CODE);
    let code = stack.vendor.newest_code(&anna.phone);
    let elsewhere = stack.at_node(&person, 1);
    let answer = elsewhere.give_code(&page, &code).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/reports?year=2026"));
    assert!(elsewhere.is_in().await && person.is_in().await);
    assert_eq!(person.fetch(SESSION).await.json()["factors"], serde_json::json!(["password", "code"]));
    wait_until_out(&old_cookie).await;
    assert_eq!(stack.count("sessions WHERE ended_at IS NULL"), 1, "the new one took the old one's place");

    // A password form that was open meanwhile leads to the code, not in.
    let answer = at_password.type_password(&open_form, &bert.name, &bert.password).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some(CODE));
    assert!(!at_password.is_in().await);
    stack.signed_in(&bert).await;
}

#[tokio::test]
async fn a_session_whose_password_is_old_gives_it_again_and_then_the_code() {
    let stack = staged().set("two_factor.login_lifetime", "8s").set("two_factor.code.lifetime", "8s").start();
    let anna = stack.add_account("anna", "+32470123456");
    let bert = stack.add_account("bert", "+32470765432");
    let person = signed_in_with_password(&stack, &anna).await;
    activate(&stack);
    wait_until_asked_for_a_code(&person).await;
    let page = person.open_until("/.vestibule/login?return_to=%2Freports", |page| page.has_form_with("password")).await;
    assert!(page.reads().contains("Enter your password once more"), "{}", page.reads());
    assert!(page.text().contains("value=\"anna\"") && page.text().contains("readonly"), "the name stands there");
    let answer = person.type_password(&page, "anna", "not-the-password").await.expect(422);
    assert!(!answer.has_form_with("code"));
    let answer = person.type_password(&page, "anna", &anna.password).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let code = stack.vendor.newest_code(&anna.phone);
    let answer = person.give_code(&page, &code).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/reports"));
    assert!(person.is_in().await);
    stack.signed_in(&bert).await;
}

#[tokio::test]
async fn a_session_without_a_number_gives_its_password_again_before_it_enrols() {
    let stack = staged().set("two_factor.phone_numbers", "self_registered").start();
    let anna = stack.add_account("anna", "");
    stack.sql("UPDATE accounts SET enrolment_until = 1");
    let person = signed_in_with_password(&stack, &anna).await;
    activate(&stack);
    wait_until_asked_for_a_code(&person).await;
    let step = person.follow("/inside").await.expect(200);
    let page = person.submit(&step.form_to(RESEND), &step.asked, &[]).await.expect(200);
    let answer = person.type_password(&page, "anna", &anna.password).await.expect(303);
    // Activation opened the window for everybody who has no number.
    assert_eq!(answer.location().as_deref(), Some(PHONE));
    let page = person.follow_from(answer).await.expect(200);
    let answer = person.give_number(&page, "+32470123456").await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let code = stack.vendor.newest_code("+32470123456");
    person.give_code(&page, &code).await.expect(303);
    assert!(person.is_in().await);
}

#[tokio::test]
async fn once_activated_by_the_command_staged_is_refused_at_every_start() {
    let mut stack = staged().start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = signed_in_with_password(&stack, &anna).await;
    activate(&stack);
    // Also a node that starts with the old file, before the operator changes it.
    stack.nodes.clear();
    refused_to_start(&mut stack);
    refused_to_start(&mut stack);
    stack.settings.set("two_factor.activation", "active");
    stack.start_nodes().unwrap();
    let again = stack.person();
    again.set_cookie("vestibule", &person.cookie("vestibule").unwrap());
    assert!(!again.is_in().await, "with the cookie of before");
    stack.signed_in(&anna).await;
}

#[tokio::test]
async fn once_served_with_active_staged_is_refused_at_every_start() {
    let mut stack = Stack::start();
    assert_eq!(stack.count("installation WHERE key = 'two_factor_activated_at'"), 1);
    let recorded = stack.sql("SELECT value FROM installation WHERE key = 'two_factor_activated_at'");
    stack.nodes.clear();
    stack.settings.set("two_factor.activation", "staged");
    refused_to_start(&mut stack);
    stack.settings.set("two_factor.activation", "active");
    stack.start_nodes().unwrap();
    assert_eq!(stack.sql("SELECT value FROM installation WHERE key = 'two_factor_activated_at'"), recorded);
    assert_eq!(stack.count("audit WHERE event = 'two_factor_activated'"), 1);
}

fn staged() -> Plan {
    Plan::new().set("two_factor.activation", "staged")
}

fn activate(stack: &Stack) {
    let said = stack.command(&["two-factor", "activate", "--reason", "going live"], "").done();
    assert!(said.starts_with("active since"), "{said}");
}

async fn signed_in_with_password(stack: &Stack, account: &Account) -> Person {
    let person = stack.person();
    person.give_password("/inside", account).await.expect(200);
    assert!(person.is_in().await);
    person
}

async fn wait_until_asked_for_a_code(person: &Person) {
    // A request that is under way in that very moment is cut off with a 401.
    let asked = person.open_until("/inside", |page| page.status == 303).await;
    assert!(asked.location().is_some_and(|location| location.starts_with(LOGIN)), "{:?}", asked.location());
}

async fn wait_until_out(person: &Person) {
    person.open_until("/inside", |page: &Answer| page.status == 303).await;
}

/// Tries to start a node; it must say why it does not.
fn refused_to_start(stack: &mut Stack) {
    let failure = stack.start_nodes().expect_err("it started");
    assert_eq!(failure.code, Some(1));
    assert!(failure.log.contains("two-factor sign-in was activated on"), "{}", failure.log);
}
