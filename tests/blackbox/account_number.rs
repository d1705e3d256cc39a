//! The number changed by its user: password, a code on the old number, a code on the new one; and nothing when a step is missing.

use crate::account::look;
use crate::browser::{as_far_as_the_code, give_code};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::children::wait_for;
use crate::harness::evidence::SecretKind;
use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Accounts, Plan, Stack};
use futures_util::future::join_all;
use vestibule::login::fail_point;

const OLD: &str = "+32470111222";
const NEW: &str = "+32470111999";
const ACCOUNT: &str = "/.vestibule/account";
const PHONE: &str = "/.vestibule/account/phone";

fn plan() -> Plan {
    Plan::new()
        .set("two_factor.phone_numbers", "self_registered")
        .set("limits.sms.per_30m", 100)
        .set("limits.sms.per_day", 100)
}

/// The steps of a change, each with what comes back; at the first that gets no answer it stops.
async fn change(stack: &Stack, person: &Person, account: &Account, to: &str) -> Result<Answer, reqwest::Error> {
    let page = as_far_as_the_new_code(stack, person, account, to).await?;
    let code = stack.vendor.newest_code(to);
    person.try_submit(&page.form_with("code"), &page.asked, &[("code", &code)]).await
}

/// The page that asks for the code on the new number.
async fn as_far_as_the_new_code(
    stack: &Stack,
    person: &Person,
    account: &Account,
    to: &str,
) -> Result<Answer, reqwest::Error> {
    let sent = stack.vendor.messages_to(&account.phone).len();
    let page = person.open(PHONE).await.expect(200);
    let typed = [("password", account.password.as_str())];
    person.try_submit(&page.form_with("password"), &page.asked, &typed).await?.expect(303);
    let code = stack.vendor.wait_for_message(&account.phone, sent + 1).code();
    let page = person.open(PHONE).await.expect(200);
    let answer = person.try_submit(&page.form_with("code"), &page.asked, &[("code", &code)]).await?.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let answer = person.try_submit(&page.form_with("phone"), &page.asked, &[("phone", to)]).await?.expect(303);
    Ok(person.follow_from(answer).await.expect(200))
}

fn says(answer: &Answer, what: &str) -> bool {
    answer.location().is_some_and(|to| to.ends_with(what))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_changed_and_the_old_one_is_told() {
    for accounts in [Accounts::Sqlite, Accounts::Postgres] {
        let stack = plan().accounts(accounts).nodes(2).start();
        stack.evidence().keep(SecretKind::PhoneNumber, NEW);
        let ada = stack.add_account("ada", "");
        let ada = enrolled(&stack, ada).await;
        let here = stack.signed_in(&ada).await;
        let there = stack.at_node(&stack.signed_in(&ada).await, 1);
        let copy = here.copy();
        let answer = change(&stack, &here, &ada, NEW).await.unwrap().expect(303);
        let page = here.follow_from(answer).await;
        assert!(page.reads().contains("Your number has been changed.") && page.reads().contains("ending in 99"));
        copy.fetch("/").await.expect(401);
        there.open_until("/.vestibule/session", |answer| answer.status == 401).await;
        here.fetch("/").await.expect(200);
        stack.at_node(&here, 1).open_until("/.vestibule/session", |answer| answer.status == 200).await;
        wait_for("the old number to be told", || {
            stack.vendor.notices_to(OLD).last()?.contains("go to a number ending in 99").then_some(())
        });
        let ada = Account { phone: NEW.to_owned(), ..ada };
        assert!(stack.signed_in(&ada).await.is_in().await);
        for (event, count) in [("phone_proved", 1), ("phone_changed", 1)] {
            assert_eq!(stack.count(&format!("audit WHERE event = '{event}' AND actor = 'user:ada'")), count, "{event}");
        }
        // guesses that were right do not count as failures
        assert_eq!(stack.count("code_attempts WHERE outcome = 'charged'"), 0);
    }
}

#[tokio::test]
async fn where_operators_give_the_numbers_the_page_says_so() {
    let stack = Stack::start();
    let ada = stack.add_account("ada", OLD);
    let here = stack.signed_in(&ada).await;
    let page = here.open(ACCOUNT).await.expect(200);
    assert!(page.reads().contains("Only the people who gave you your account can change it."), "{}", page.reads());
    assert_eq!(here.open(PHONE).await.expect(303).location().as_deref(), Some(ACCOUNT));
    let csrf = here.open("/.vestibule/account/password").await.form_with("csrf").fields[0].1.clone();
    let fields = [("csrf", csrf.as_str()), ("password", &ada.password)];
    assert_eq!(here.post(PHONE, &fields).await.expect(303).location().as_deref(), Some(ACCOUNT));
    assert_eq!(stack.vendor.messages().len(), 1, "of the sign-in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_changes_at_once_one_wins() {
    for accounts in [Accounts::Sqlite, Accounts::Postgres] {
        let stack = plan().accounts(accounts).nodes(2).start();
        let ada = enrolled(&stack, stack.add_account("ada", "")).await;
        let mut waiting = Vec::new();
        for number in 0..4_usize {
            let to = format!("+3247011100{number}");
            stack.evidence().keep(SecretKind::PhoneNumber, &to);
            let person = stack.at_node(&stack.signed_in(&ada).await, number % 2);
            let page = as_far_as_the_new_code(&stack, &person, &ada, &to).await.unwrap();
            let code = stack.vendor.newest_code(&to);
            waiting.push((person, page, code));
        }
        let answers = join_all(waiting.iter().map(|(person, page, code)| person.give_code(page, code))).await;
        let won = answers.iter().filter(|answer| says(answer, "?said=number-changed")).count();
        assert_eq!(won, 1, "{:?}", answers.iter().map(Answer::location).collect::<Vec<_>>());
        assert_eq!(stack.count("audit WHERE event = 'phone_changed'"), 1);
        for ((person, ..), answer) in waiting.iter().zip(&answers) {
            let wins = says(answer, "?said=number-changed");
            let status = if wins { 200 } else { 401 };
            person.open_until("/.vestibule/session", |answer| answer.status == status).await;
        }
    }
}

/// An operator acts while the code on the new number is being typed: the change is over.
#[tokio::test]
async fn what_an_operator_does_meanwhile_ends_a_change() {
    for act in [
        &["user", "set-phone", "ada", "+32470111777", "--reason", "a test"][..],
        &["user", "reset-two-factor", "ada", "--reason", "a test"],
        &["session", "end", "--user", "ada", "--reason", "a test"],
    ] {
        let stack = plan().start();
        stack.evidence().keep(SecretKind::PhoneNumber, "+32470111777");
        let ada = enrolled(&stack, stack.add_account("ada", "")).await;
        let here = stack.signed_in(&ada).await;
        let page = as_far_as_the_new_code(&stack, &here, &ada, NEW).await.unwrap();
        stack.command(act, "").done();
        let answer = here.give_code(&page, &stack.vendor.newest_code(NEW)).await.expect(303);
        assert!(!says(&answer, "?said=number-changed"), "{act:?}: {:?}", answer.location());
        assert_eq!(stack.count("audit WHERE event = 'phone_changed'"), 0, "{act:?}");
    }
}

#[tokio::test]
async fn a_person_changes_the_number_in_a_browser() {
    for script in [JavaScript::On, JavaScript::Off] {
        let stack = plan().start();
        stack.evidence().keep(SecretKind::PhoneNumber, NEW);
        let ada = enrolled(&stack, stack.add_account("ada", "")).await;
        let browser = Browser::start(script).await;
        let code = as_far_as_the_code(&browser, &stack, &ada, "/inside").await;
        give_code(&browser, &code).await;
        browser.open(&format!("{}{ACCOUNT}", stack.site())).await;
        browser.leave_by("a[href='/.vestibule/account/phone']").await;
        look(&browser, &format!("number-{script:?}-1-password")).await;
        let sent = stack.vendor.messages_to(OLD).len();
        browser.fill("password", &ada.password).await;
        browser.leave_by("button.main").await;
        browser.wait_for_text("A code on your present number").await;
        look(&browser, &format!("number-{script:?}-2-old")).await;
        give_code(&browser, &stack.vendor.wait_for_message(OLD, sent + 1).code()).await;
        browser.wait_for_text("Which number shall take its place?").await;
        look(&browser, &format!("number-{script:?}-3-number")).await;
        browser.fill("phone", "0470 11 19 99").await;
        browser.leave_by("button.main").await;
        browser.wait_for_text("A code on your new number").await;
        look(&browser, &format!("number-{script:?}-4-new")).await;
        give_code(&browser, &stack.vendor.newest_code(NEW)).await;
        browser.wait_for_text("Your number has been changed.").await;
        look(&browser, &format!("number-{script:?}-5-changed")).await;
        assert!(browser.complaints().await.is_empty(), "{:?}", browser.complaints().await);
        browser.close().await;
    }
}

/// Behind every effect of a change the program may die: the number is the old one until it is the new one, and nobody is in who should not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_may_die_behind_every_effect_of_a_change() {
    let of_numbers =
        |name: &&&str| name.starts_with("account.") && (name.contains("number") || name.contains("change_put"));
    for name in fail_point::ALL.iter().filter(of_numbers) {
        let mut stack = plan().environment("VESTIBULE_FAILPOINT", name).start();
        stack.evidence().keep(SecretKind::PhoneNumber, NEW);
        let ada = enrolled(&stack, stack.add_account("ada", "")).await;
        let here = stack.signed_in(&ada).await;
        let old_cookie = here.copy();
        let _lost = change(&stack, &here, &ada, NEW).await;
        stack.node().process().wait();
        stack.node().start_again(&[]);
        let is_changed = *name == "account.number_changed";
        old_cookie.copy().fetch("/").await.expect(if is_changed { 401 } else { 200 });
        assert_eq!(stack.count("audit WHERE event = 'phone_changed'"), i64::from(is_changed), "{name}");
        let ada = if is_changed { Account { phone: NEW.to_owned(), ..ada } } else { ada };
        assert!(stack.signed_in(&ada).await.is_in().await, "{name}");
    }
}

/// The account has given its number itself.
async fn enrolled(stack: &Stack, account: Account) -> Account {
    stack.evidence().keep(SecretKind::PhoneNumber, OLD);
    let person = stack.person();
    let page = person.give_password("/inside", &account).await.expect(200);
    let answer = person.give_number(&page, OLD).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    person.give_code(&page, &stack.vendor.newest_code(OLD)).await.expect(303);
    Account { phone: OLD.to_owned(), ..account }
}
