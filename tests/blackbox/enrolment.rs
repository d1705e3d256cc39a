//! Where numbers come from: given by the user inside the window and kept after the code, or by the operator alone.

use crate::harness::evidence::SecretKind;
use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Plan, Stack};
use crate::harness::steps::{CODE, PHONE, SESSION};
use futures_util::future::join_all;
use serde_json::json;

const NUMBER: &str = "+32470123456";
const OTHER: &str = "+32470765432";

#[tokio::test]
async fn a_number_is_asked_for_at_the_first_sign_in_and_kept_once_its_code_was_typed() {
    let stack = self_registered().start();
    let anna = stack.add_account("anna", "");
    let (person, page) = asked_for_a_number(&stack, &anna).await;
    assert!(page.reads().contains("Tell us where to send it"), "{}", page.reads());
    assert_eq!(page.header("cache-control"), "no-store");

    for (typed, says) in [
        ("", "Enter your mobile phone number"),
        ("12", "Enter the whole number"),
        ("+3222345678", "Enter the number of a mobile phone"),
        ("+12025550123", "We cannot send text messages to this country"),
    ] {
        let answer = person.give_number(&page, typed).await.expect(422);
        assert!(answer.reads().contains(says), "{typed}: {}", answer.reads());
    }
    assert_eq!(stack.vendor.requests().len(), 0);

    // As it is written at home: the first of the allowed countries.
    let answer = person.give_number(&page, "0470 12 34 56").await.expect(303);
    assert_eq!(answer.location().as_deref(), Some(CODE));
    let page = person.follow_from(answer).await.expect(200);
    assert!(page.reads().contains("+32 470 12 34 56"), "{}", page.reads());
    assert_eq!(stack.count("accounts WHERE phone IS NULL"), 1, "a number is none before its code");
    let code = stack.vendor.newest_code(NUMBER);
    let answer = person.give_code(&page, &code).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/inside"));
    assert!(person.is_in().await);
    assert_eq!(stack.count("accounts WHERE phone IS NOT NULL AND enrolment_until IS NULL"), 1);
    assert_eq!(stack.count("audit WHERE event = 'phone_enrolled'"), 1);

    // From now on it is the account's.
    let known = Account { phone: NUMBER.to_owned(), ..anna };
    stack.signed_in(&known).await;
}

#[tokio::test]
async fn outside_the_window_the_answer_says_whom_to_ask() {
    let stack = self_registered().set("sites.0.portal.support", "helpdesk@example.com").start();
    let anna = stack.add_account("anna", "");
    close_the_window(&stack);
    let person = stack.person();
    let page = person.give_password("/inside", &anna).await.expect(403);
    assert!(
        page.reads().contains("The time in which you could add your number yourself has passed"),
        "{}",
        page.reads()
    );
    assert!(page.reads().contains("helpdesk@example.com"), "{}", page.reads());
    person.post(PHONE, &[("phone", NUMBER)]).await;
    assert!(!person.is_in().await);
    assert_eq!((stack.vendor.requests().len(), stack.sessions_opened()), (0, 0));

    // An operator opens it again.
    stack.command(&["user", "open-enrolment", "anna", "--for", "1h", "--reason", "on leave"], "").done();
    enrol(&stack, &anna, NUMBER).await;
}

#[tokio::test]
async fn a_window_that_closes_on_the_way_keeps_no_number() {
    let stack = self_registered().start();
    let anna = stack.add_account("anna", "");
    let bert = stack.add_account("bert", "");
    let (asked, asked_page) = asked_for_a_number(&stack, &bert).await;
    let (person, page, code) = owing_the_first_code(&stack, &anna, NUMBER).await;
    close_the_window(&stack);
    let late = asked.give_number(&asked_page, OTHER).await.expect(403);
    assert!(late.reads().contains("has passed"), "{}", late.reads());
    person.give_code(&page, &code).await.expect(410);
    assert!(!person.is_in().await);
    assert_eq!((stack.count("accounts WHERE phone IS NOT NULL"), stack.sessions_opened()), (0, 0));
    assert_eq!(stack.vendor.messages_to(OTHER).len(), 0);
}

#[tokio::test]
async fn a_number_of_the_operators_cannot_be_replaced_by_the_user() {
    for policy in ["pre_registered", "self_registered"] {
        let stack = Plan::new().set("two_factor.phone_numbers", policy).start();
        let anna = stack.add_account("anna", NUMBER);
        let (person, page, code) = stack.owing_a_code(&anna).await;
        assert!(!page.text().contains(PHONE), "no way there");
        assert_eq!(person.open(PHONE).await.expect(303).location().as_deref(), Some(CODE));
        let csrf = page.form_with("code").fields[0].1.clone();
        person.post(PHONE, &[("csrf", &csrf), ("phone", OTHER)]).await.expect(403);
        assert_eq!(stack.vendor.messages_to(OTHER).len(), 0);
        person.give_code(&page, &code).await.expect(303);
        assert_eq!(stack.signed_in(&anna).await.fetch(SESSION).await.json()["user"], "anna");
    }
}

#[tokio::test]
async fn without_a_number_nobody_signs_in_where_numbers_are_the_operators() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "");
    let person = stack.person();
    let page = person.give_password("/inside", &anna).await.expect(403);
    assert!(page.reads().contains("there is no mobile phone number on your account"), "{}", page.reads());
    assert!(!person.is_in().await);
    let refused = stack.command(&["user", "open-enrolment", "anna"], "");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    stack.command(&["user", "set-phone", "anna", NUMBER], "").done();
    stack.signed_in(&Account { phone: NUMBER.to_owned(), ..anna }).await;
}

#[tokio::test]
async fn another_number_can_be_given_before_the_code_and_only_the_last_one_is_proved() {
    let stack = self_registered().set("two_factor.code.resend_after", json!(["1ms"])).start();
    let anna = stack.add_account("anna", "");
    let (person, page, first_code) = owing_the_first_code(&stack, &anna, NUMBER).await;
    assert!(page.text().contains(&format!("href=\"{PHONE}\"")), "a way back to the number");
    let asked = person.open(PHONE).await.expect(200);
    let answer = person.give_number(&asked, OTHER).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let code = stack.vendor.newest_code(OTHER);
    assert_ne!(code, first_code);
    person.give_code(&page, &first_code).await.expect(422);
    person.give_code(&page, &code).await.expect(303);
    let known = Account { phone: OTHER.to_owned(), ..anna };
    stack.signed_in(&known).await;
    assert_eq!(stack.vendor.messages_to(NUMBER).len(), 1);
}

#[tokio::test]
async fn of_twenty_who_enrol_at_once_one_wins() {
    let stack = self_registered()
        .set("limits.sms.per_30m", 100)
        .set("limits.sms.per_day", 100)
        .set("limits.code_failures.per_hour", 100)
        .set("limits.network.failures_minute", 1000)
        .start();
    let anna = stack.add_account("anna", "");
    let mut owing = Vec::new();
    for number in 10..30 {
        let phone = format!("+3247{number}01234");
        let (person, page, code) = owing_the_first_code(&stack, &anna, &phone).await;
        owing.push((person, page, code, phone));
    }
    let answers = join_all(owing.iter().map(|(person, page, code, _)| person.give_code(page, code))).await;
    let won: Vec<usize> = (0..20).filter(|place| answers[*place].status == 303).collect();
    assert_eq!(won.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| matches!(answer.status, 303 | 410)));
    for (place, (person, ..)) in owing.iter().enumerate() {
        assert_eq!(person.is_in().await, place == won[0]);
    }
    assert_eq!(stack.sessions_opened(), 1);
    let winner = Account { phone: owing[won[0]].3.clone(), ..anna };
    stack.signed_in(&winner).await;
}

#[tokio::test]
async fn a_number_of_another_account_is_refused_and_only_whoever_holds_it_is_told() {
    let stack = self_registered().start();
    let anna = stack.add_account("anna", NUMBER);
    let bert = stack.add_account("bert", "");
    let (person, page, code) = owing_the_first_code(&stack, &bert, NUMBER).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let guessed = person.give_code(&page, wrong).await.expect(422);
    assert!(!guessed.reads().contains("another account"), "{}", guessed.reads());
    let refused = person.give_code(&page, &code).await.expect(410);
    assert!(refused.reads().contains("This number is on another account already"), "{}", refused.reads());
    assert!(!person.is_in().await);
    assert_eq!((stack.count("accounts WHERE phone IS NOT NULL"), stack.sessions_opened()), (1, 0));
    assert_eq!(stack.count("audit WHERE event = 'code_refused' AND reason = 'number_taken'"), 1);
    person.give_code(&page, &code).await.expect(410);
    enrol(&stack, &bert, OTHER).await;
    stack.signed_in(&anna).await;

    // An operator may, and is told.
    let told = stack.command(&["user", "set-phone", "bert", NUMBER, "--reason", "one phone at the desk"], "");
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.contains("2 accounts have this number"), "{told:?}");
}

#[tokio::test]
async fn two_accounts_that_enrol_one_number_at_once_do_not_both_get_it() {
    let stack = self_registered().set("two_factor.code.resend_after", json!(["1ms"])).start();
    let mut owing = Vec::new();
    for name in ["anna", "bert"] {
        let account = stack.add_account(name, "");
        owing.push((owing_the_first_code(&stack, &account, NUMBER).await, account));
    }
    let answers = join_all(owing.iter().map(|((person, page, code), _)| person.give_code(page, code))).await;
    let mut came_to: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    came_to.sort_unstable();
    assert_eq!(came_to, [303, 410]);
    assert_eq!((stack.count("accounts WHERE phone IS NOT NULL"), stack.sessions_opened()), (1, 1));
}

#[tokio::test]
async fn where_a_ticket_is_asked_for_the_password_alone_sets_no_number() {
    let stack = self_registered().set("two_factor.enrolment.ticket", "required").start();
    let anna = stack.add_account("anna", "");
    let (thief, thiefs_page) = asked_for_a_number(&stack, &anna).await;
    let refused = thief.submit(&thiefs_page.form_with("phone"), PHONE, &[("phone", OTHER), ("ticket", "")]).await;
    assert!(refused.expect(422).reads().contains("Enter the ticket"));
    assert_eq!(stack.vendor.requests().len(), 0);

    let opened = stack.command(&["user", "open-enrolment", "anna", "--ticket", "--json"], "").done();
    let told: serde_json::Value = serde_json::from_str(&opened).unwrap();
    let ticket = told["ticket"].as_str().unwrap();
    // in no log, table or page
    for secret in [ticket.to_owned(), ticket.replace('-', "")] {
        stack.evidence().keep(SecretKind::Password, &secret);
    }
    let person = stack.person();
    let page = person.give_password("/inside", &anna).await.expect(200);
    let wrong = [("phone", OTHER), ("ticket", "aaaa-aaaa-aaaa-aaaa-aaaa")];
    let page = person.submit(&page.form_with("phone"), PHONE, &wrong).await.expect(422);
    assert!(page.reads().contains("This ticket is not right"), "{}", page.reads());
    let right = [("phone", NUMBER), ("ticket", ticket)];
    let answer = person.submit(&page.form_with("phone"), PHONE, &right).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    person.give_code(&page, &stack.vendor.newest_code(NUMBER)).await.expect(303);
    assert!(person.is_in().await);
    assert_eq!(stack.count("enrolment_tickets"), 0, "it is used up");
    assert_eq!(stack.count("audit WHERE event = 'ticket_refused' AND reason = 'wrong_ticket'"), 1);
    assert_eq!(stack.count("audit WHERE event = 'phone_enrolled' AND reason = 'with_ticket'"), 1);
    let again = [("phone", OTHER), ("ticket", ticket)];
    thief.submit(&thiefs_page.form_with("phone"), PHONE, &again).await.expect(410);
}

fn self_registered() -> Plan {
    Plan::new().set("two_factor.phone_numbers", "self_registered")
}

fn close_the_window(stack: &Stack) {
    stack.sql("UPDATE accounts SET enrolment_until = 1 WHERE enrolment_until IS NOT NULL");
}

/// The password given, and the page that asks for a number.
async fn asked_for_a_number(stack: &Stack, account: &Account) -> (Person, Answer) {
    let person = stack.person();
    let page = person.give_password("/inside", account).await.expect(200);
    assert_eq!(page.asked, PHONE);
    (person, page)
}

/// A number given as well, and the page that asks for the code that was sent there.
async fn owing_the_first_code(stack: &Stack, account: &Account, number: &str) -> (Person, Answer, String) {
    let (person, page) = asked_for_a_number(stack, account).await;
    let answer = person.give_number(&page, number).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let code = stack.vendor.newest_code(number);
    (person, page, code)
}

async fn enrol(stack: &Stack, account: &Account, number: &str) {
    let (person, page, code) = owing_the_first_code(stack, account, number).await;
    person.give_code(&page, &code).await.expect(303);
    assert!(person.is_in().await);
}
