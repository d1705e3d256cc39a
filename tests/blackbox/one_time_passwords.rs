//! Passwords that an operator has made: for one sign-in, for so long, and changed there after every factor was shown.

use crate::harness::evidence::SecretKind;
use crate::harness::stack::{Account, Plan, Stack};
use crate::harness::steps::{CODE, NEW_PASSWORD, not_this};

const NUMBER: &str = "+32470123456";
const CHOSEN: &str = "zeventien fietsen in de regen";

#[tokio::test]
async fn a_one_time_password_is_changed_after_the_code_and_opens_nothing_before() {
    let stack = Stack::start();
    let anna = stack.add_account_with_one_time_password("anna", NUMBER);
    stack.evidence().keep(SecretKind::Password, CHOSEN);
    let (person, page, code) = stack.owing_a_code(&anna).await;
    // not before the code
    assert_eq!(person.open(NEW_PASSWORD).await.expect(303).location().as_deref(), Some(CODE));
    person.give_code(&page, &not_this(&code, 1)).await.expect(422);
    let answer = person.give_code(&page, &code).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    assert!(page.has_form_with("new_password"), "{}", page.reads());
    assert!(!person.is_in().await, "the code alone is not enough");
    assert_eq!(stack.sessions_opened(), 0);
    for (password, why) in [
        ("short", "at least 8 characters"),
        ("password1", "tried first"),
        ("marketing1", "contain your name"),
        (anna.password.as_str(), "the password you were given"),
    ] {
        let refused = person.choose_password(&page, password).await.expect(422);
        assert!(refused.reads().contains(why), "{password}: {}", refused.reads());
    }
    let differing = [("new_password", CHOSEN), ("repeated", "something else entirely")];
    person.submit(&page.form_with("new_password"), &page.asked, &differing).await.expect(422);
    assert!(!person.is_in().await);
    let copy = person.copy();
    let answer = person.choose_password(&page, CHOSEN).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/inside"));
    assert!(person.is_in().await);
    // once: neither this form nor the one-time password works again
    copy.choose_password(&page, "another chosen password").await;
    assert!(!copy.is_in().await);
    assert_eq!(stack.sessions_opened(), 1);
    let old = stack.person();
    let page = old.follow("/inside").await.expect(200);
    old.type_password(&page, &anna.name, &anna.password).await.expect(422);
    let anna = Account { password: CHOSEN.to_owned(), ..anna };
    assert!(stack.signed_in(&anna).await.is_in().await);
    assert_eq!(stack.count("audit WHERE event = 'password_changed' AND actor = 'user:anna'"), 1);
}

#[tokio::test]
async fn an_expired_one_time_password_is_refused_like_a_wrong_one() {
    let stack = Stack::start();
    let anna = stack.add_account_with_one_time_password("anna", NUMBER);
    let person = stack.person();
    let page = person.follow("/inside").await.expect(200);
    let wrong = person.type_password(&page, &anna.name, "not-the-password").await.expect(422);
    // a code is owed when it expires: the code opens nothing either
    let (late, code_page, code) = stack.owing_a_code(&anna).await;
    stack.sql("UPDATE accounts SET password_expires_at = 1000");
    let answer = late.give_code(&code_page, &code).await.expect(303);
    let choose = late.follow_from(answer).await.expect(200);
    late.choose_password(&choose, CHOSEN).await.expect(410);
    assert!(!late.is_in().await);

    let refused = person.type_password(&page, &anna.name, &anna.password).await.expect(422);
    let without_reference = |text: String| text.split("Reference").next().unwrap().to_owned();
    assert_eq!(without_reference(refused.reads()), without_reference(wrong.reads()));
    assert_eq!(stack.count("audit WHERE reason = 'one_time_password_expired'"), 1);
    assert_eq!(stack.vendor.requests().len(), 1, "no SMS for an expired one");
    assert_eq!(stack.sessions_opened(), 0);
}

#[tokio::test]
async fn it_is_changed_before_activation_and_while_a_number_is_given_too() {
    let staged = Plan::new().set("two_factor.activation", "staged").start();
    let anna = staged.add_account_with_one_time_password("anna", "");
    let person = staged.person();
    let page = person.give_password("/inside", &anna).await.expect(200);
    assert!(!person.is_in().await);
    let answer = person.choose_password(&page, CHOSEN).await.expect(303);
    person.follow_from(answer).await.expect(200);
    assert!(person.is_in().await);
    // activated while the page is open: the password alone opens nothing any more
    let bert = staged.add_account_with_one_time_password("bert", "");
    let late = staged.person();
    let page = late.give_password("/inside", &bert).await.expect(200);
    staged.command(&["two-factor", "activate", "--reason", "going live"], "").done();
    late.choose_password(&page, CHOSEN).await.expect(410);
    assert!(!late.is_in().await);

    let stack = Plan::new().set("two_factor.phone_numbers", "self_registered").start();
    let carla = stack.add_account_with_one_time_password("carla", "");
    let person = stack.person();
    let page = person.give_password("/inside", &carla).await.expect(200);
    let answer = person.give_number(&page, NUMBER).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let code = stack.vendor.newest_code(NUMBER);
    let answer = person.give_code(&page, &code).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    assert_eq!(stack.count("accounts WHERE phone IS NOT NULL"), 0);
    person.choose_password(&page, CHOSEN).await.expect(303);
    assert!(person.is_in().await);
    assert_eq!(stack.count("accounts WHERE phone IS NOT NULL"), 1);
}
