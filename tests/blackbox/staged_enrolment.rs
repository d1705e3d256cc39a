//! Before two-factor sign-in is activated, people register their number of their own will, on the account page: password, number, code, as at a sign-in.

use crate::account::look;
use crate::browser::{give_code, give_password};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::evidence::SecretKind;
use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Plan, Stack};
use crate::harness::steps::{CODE, PHONE, SESSION};

const NUMBER: &str = "+32470111222";
const ACCOUNT: &str = "/.vestibule/account";
const ACCOUNT_PHONE: &str = "/.vestibule/account/phone";

fn staged() -> Plan {
    Plan::new().set("two_factor.activation", "staged").set("two_factor.phone_numbers", "self_registered")
}

async fn signed_in(stack: &Stack, account: &Account) -> Person {
    stack.evidence().keep(SecretKind::PhoneNumber, NUMBER);
    let person = stack.person();
    person.give_password("/inside", account).await.expect(200);
    person
}

/// The answer to the password.
async fn begin(person: &Person, account: &Account) -> Answer {
    let page = person.open(ACCOUNT_PHONE).await.expect(200);
    person.submit(&page.form_with("password"), &page.asked, &[("password", &account.password)]).await
}

/// The page that asks for the code.
async fn as_far_as_the_code(person: &Person, account: &Account) -> Answer {
    let answer = begin(person, account).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some(PHONE));
    let page = person.follow_from(answer).await.expect(200);
    let answer = person.give_number(&page, NUMBER).await.expect(303);
    person.follow_from(answer).await.expect(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_registered_ahead_and_activation_finds_it() {
    let mut stack = staged().start();
    let ada = stack.add_account("ada", "");
    let person = signed_in(&stack, &ada).await;
    let old_cookie = person.copy();
    let page = person.open(ACCOUNT).await.expect(200);
    assert!(page.text().contains("Register your phone number"), "{}", page.reads());
    let form = person.open(ACCOUNT_PHONE).await.expect(200);
    let wrong = person.submit(&form.form_with("password"), &form.asked, &[("password", "not-it")]).await.expect(422);
    assert!(wrong.text().contains("Register your phone number"), "{}", wrong.reads());
    assert_eq!(stack.vendor.messages().len(), 0);
    let page = as_far_as_the_code(&person, &ada).await;
    assert_eq!(page.asked, CODE);
    assert_eq!(stack.count("accounts WHERE phone IS NOT NULL"), 0, "it is kept with the code");
    let answer = person.give_code(&page, &stack.vendor.newest_code(NUMBER)).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some(ACCOUNT));
    let page = person.follow_from(answer).await.expect(200);
    assert!(page.reads().contains("ending in 22"), "{}", page.reads());
    assert_eq!(person.fetch(SESSION).await.json()["factors"], serde_json::json!(["password", "code"]));
    old_cookie.fetch("/").await.expect(401);
    // everybody else goes on with the password, and so does this person, until activation
    let other = stack.add_account("bert", "");
    signed_in(&stack, &other).await;
    let again = signed_in(&stack, &ada).await;
    assert_eq!(again.fetch(SESSION).await.json()["factors"], serde_json::json!(["password"]));
    stack.command(&["two-factor", "activate", "--reason", "going live"], "").done();
    again.open_until("/data.json", |answer| answer.status != 200).await;
    assert!(person.is_in().await, "the session that showed a code goes on");
    stack.settings.set("two_factor.activation", "active");
    let known = Account { phone: NUMBER.to_owned(), ..ada };
    assert!(stack.signed_in(&known).await.is_in().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_once_an_operator_has_closed_it() {
    for act in [
        &["user", "clear-phone", "ada", "--reason", "a test"][..],
        &["user", "set-phone", "ada", "+32470111777", "--reason", "a test"],
        &["user", "reset-two-factor", "ada", "--reason", "a test"],
    ] {
        let stack = staged().start();
        stack.evidence().keep(SecretKind::PhoneNumber, "+32470111777");
        let ada = stack.add_account("ada", "");
        let person = signed_in(&stack, &ada).await;
        let page = as_far_as_the_code(&person, &ada).await;
        let code = stack.vendor.newest_code(NUMBER);
        stack.command(act, "").done();
        person.give_code(&page, &code).await.expect(410);
        assert_eq!(stack.count("audit WHERE event = 'phone_enrolled'"), 0, "{act:?}");
        assert_eq!(stack.sessions_opened(), 1, "{act:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_or_when_people_may_not_the_page_offers_nothing() {
    let pre_registered = Plan::new().set("two_factor.activation", "staged").start();
    let (closed, of_an_operator) = (staged().start(), staged().start());
    let (closes, appoints) =
        ("UPDATE accounts SET enrolment_until = NULL", "UPDATE accounts SET operator_role = 'helpdesk'");
    for (stack, statement) in [(&pre_registered, closes), (&closed, closes), (&of_an_operator, appoints)] {
        let ada = stack.add_account("ada", "");
        stack.sql(statement);
        let person = signed_in(stack, &ada).await;
        let page = person.open(ACCOUNT).await.expect(200);
        assert!(!page.text().contains(ACCOUNT_PHONE), "{}", page.reads());
        assert_eq!(person.open(ACCOUNT_PHONE).await.expect(303).location().as_deref(), Some(ACCOUNT));
        let csrf = person.open("/.vestibule/account/password").await.form_with("csrf").fields[0].1.clone();
        let fields = [("csrf", csrf.as_str()), ("password", &ada.password)];
        assert_eq!(person.post(ACCOUNT_PHONE, &fields).await.expect(303).location().as_deref(), Some(ACCOUNT));
        assert_eq!(stack.vendor.messages().len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_may_die_when_it_has_begun() {
    let mut stack = staged().environment("VESTIBULE_FAILPOINT", "account.enrolment_put").start();
    let ada = stack.add_account("ada", "");
    let person = signed_in(&stack, &ada).await;
    let page = person.open(ACCOUNT_PHONE).await.expect(200);
    let typed = [("password", ada.password.as_str())];
    let _lost = person.try_submit(&page.form_with("password"), &page.asked, &typed).await;
    stack.node().process().wait();
    stack.node().start_again(&[]);
    let person = person.copy();
    assert!(person.is_in().await, "the session is what it was");
    let page = as_far_as_the_code(&person, &ada).await;
    person.give_code(&page, &stack.vendor.newest_code(NUMBER)).await.expect(303);
    assert_eq!(stack.count("accounts WHERE phone IS NOT NULL"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_registers_a_number_in_a_browser() {
    for script in [JavaScript::On, JavaScript::Off] {
        let stack = staged().start();
        stack.evidence().keep(SecretKind::PhoneNumber, NUMBER);
        let ada = stack.add_account("ada", "");
        let browser = Browser::start(script).await;
        browser.open(&format!("{}/inside", stack.site())).await;
        give_password(&browser, &ada.name, &ada.password).await;
        browser.open(&format!("{}{ACCOUNT}", stack.site())).await;
        look(&browser, &format!("staged-{script:?}-1-account")).await;
        browser.leave_by("a[href='/.vestibule/account/phone']").await;
        browser.wait_for_text("Register your phone number").await;
        look(&browser, &format!("staged-{script:?}-2-password")).await;
        browser.fill("password", &ada.password).await;
        browser.leave_by("button.main").await;
        browser.fill("phone", "0470 11 12 22").await;
        look(&browser, &format!("staged-{script:?}-3-number")).await;
        browser.leave_by("button.main").await;
        give_code(&browser, &stack.vendor.newest_code(NUMBER)).await;
        browser.wait_for_text("Codes go to your number ending in 22.").await;
        look(&browser, &format!("staged-{script:?}-4-done")).await;
        assert!(browser.complaints().await.is_empty(), "{:?}", browser.complaints().await);
        browser.close().await;
    }
}
