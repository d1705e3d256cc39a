//! The code page and the page for the number. Floor: edge.

use super::{Browser, SECOND};
use crate::login::ports::SmsResult;

#[tokio::test]
async fn reload_and_back_send_nothing_and_keep_the_login() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    let code = browser.outside.last_code();
    for page in ["/.vestibule/code", "/.vestibule/code", "/.vestibule/login", "/.vestibule/login?return_to=/z"] {
        assert_eq!(browser.get(page).await.status, 200, "{page}");
    }
    assert_eq!(browser.outside.sms_count(), 1);
    assert_eq!(browser.code(&code).await.leads_to(), "/a?b=c#d");
}

#[tokio::test]
async fn wrong_codes_are_counted_and_the_fifth_ends_the_login() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    let wrong = if browser.outside.last_code() == "000000" { "000001" } else { "000000" };
    for left in ["4 tries are left", "3 tries are left", "2 tries are left", "This is the last try"] {
        let answer = browser.code(wrong).await;
        assert_eq!(answer.status, 422);
        assert!(answer.says(left), "{}", answer.body);
    }
    let answer = browser.code(wrong).await;
    assert_eq!(answer.status, 410);
    assert!(answer.says("too many times") && answer.says("Reference: "));
}

#[tokio::test]
async fn what_is_no_code_costs_no_try() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    for (typed, text) in [("", "Enter the code"), ("12345", "6 digits"), ("abcdef", "6 digits")] {
        let answer = browser.code(typed).await;
        assert_eq!(answer.status, 422);
        assert!(answer.says(text));
    }
    let code = browser.outside.last_code();
    assert_eq!(browser.code(&format!(" {}-{} ", &code[..3], &code[3..])).await.leads_to(), "/a?b=c#d");
}

#[tokio::test]
async fn an_expired_code_is_replaced_without_the_password() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    let code = browser.outside.last_code();
    let csrf = browser.get("/.vestibule/code").await.field("csrf");
    browser.outside.pass(301 * SECOND);
    let answer = browser.post("/.vestibule/code", &[("csrf", &csrf), ("code", &code)]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.says("has expired") && answer.says("Send a new code") && !answer.says("name=\"code\""));
    let again = browser.fill("/.vestibule/code", "/.vestibule/code/resend", &[]).await;
    assert_eq!(again.leads_to(), "/.vestibule/code?said=again");
    assert!(browser.get("/.vestibule/code?said=again").await.says("We sent the code again"));
    let code = browser.outside.last_code();
    assert_eq!(browser.code(&code).await.leads_to(), "/a?b=c#d");
}

#[tokio::test]
async fn asking_again_too_early_says_how_long_to_wait() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    let answer = browser.fill("/.vestibule/code", "/.vestibule/code/resend", &[]).await;
    let page = answer.leads_to().to_owned();
    assert_eq!(page, "/.vestibule/code?said=early");
    assert!(browser.get(&page).await.says("You can ask again in 30 seconds"));
    browser.outside.pass(31 * SECOND);
    assert!(!browser.get(&page).await.says("too early"), "the wait is over");
    assert_eq!(browser.outside.sms_count(), 1);
}

#[tokio::test]
async fn the_last_sms_is_announced_and_then_refused() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    for left in ["3 more times", "2 more times", "one more time"] {
        assert!(browser.get("/.vestibule/code").await.says(left));
        browser.outside.pass(31 * SECOND);
        browser.fill("/.vestibule/code", "/.vestibule/code/resend", &[]).await;
    }
    let page = browser.get("/.vestibule/code").await;
    assert!(page.says("No more text messages") && !page.says("code/resend"));
    browser.outside.pass(31 * SECOND);
    let answer = browser.fill("/.vestibule/code", "/.vestibule/code/resend", &[]).await;
    assert_eq!(answer.leads_to(), "/.vestibule/code?said=none");
}

#[tokio::test]
async fn an_sms_that_could_not_be_sent_is_admitted() {
    let mut browser = Browser::active().await;
    browser.outside.sms_results.lock().unwrap().push(SmsResult::Transient);
    let answer = browser.password("anna").await;
    let page = answer.leads_to().to_owned();
    assert_eq!(page, "/.vestibule/code?said=not-sent");
    let answer = browser.get(&page).await;
    assert!(answer.says("could not send you a text message") && !answer.says("We sent a code"));
    assert!(!answer.says("name=\"code\""), "there is nothing to type");
    let again = browser.fill("/.vestibule/code", "/.vestibule/code/resend", &[]).await;
    assert_eq!(again.leads_to(), "/.vestibule/code?said=again");
}

#[tokio::test]
async fn an_sms_that_may_have_been_sent_is_said_to_be_that_and_its_code_is_good() {
    let mut browser = Browser::active().await;
    browser.outside.sms_results.lock().unwrap().push(SmsResult::MaybeSent);
    let answer = browser.password("anna").await;
    let page = answer.leads_to().to_owned();
    assert_eq!(page, "/.vestibule/code?said=maybe");
    let answer = browser.get(&page).await;
    assert!(answer.says("may be on its way, but we are not sure") && !answer.says("We sent a code"));
    assert!(answer.says("name=\"code\"") && answer.says("3 more times"), "it counts");
    browser.outside.pass(31 * SECOND);
    let again = browser.fill("/.vestibule/code", "/.vestibule/code/resend", &[]).await;
    assert_eq!(again.leads_to(), "/.vestibule/code?said=again");
}

#[tokio::test]
async fn a_code_form_of_an_earlier_login_shows_the_present_one() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    let old = browser.get("/.vestibule/code").await.field("csrf");
    browser.outside.pass(31 * SECOND);
    browser.password("anna").await; // in a second tab
    let code = browser.outside.last_code();
    let answer = browser.post("/.vestibule/code", &[("csrf", &old), ("code", &code)]).await;
    assert_eq!(answer.status, 403);
    assert!(answer.says("was out of date"));
    let csrf = answer.field("csrf");
    assert_eq!(browser.post("/.vestibule/code", &[("csrf", &csrf), ("code", &code)]).await.leads_to(), "/a?b=c#d");
}

#[tokio::test]
async fn a_code_sent_twice_ends_at_the_application() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    let code = browser.outside.last_code();
    let csrf = browser.get("/.vestibule/code").await.field("csrf");
    let before = browser.cookies.clone();
    let fields = [("csrf", csrf.as_str()), ("code", code.as_str())];
    browser.post("/.vestibule/code", &fields).await;
    browser.cookies.extend(before); // the second click left before the first answer came
    let answer = browser.post("/.vestibule/code", &fields).await;
    assert!(answer.status == 410 || answer.leads_to() == "/", "{}", answer.body);
    assert_eq!(browser.get("/.vestibule/code").await.leads_to(), "/");
}

#[tokio::test]
async fn a_number_is_enrolled_only_with_a_code_sent_there() {
    let mut browser = Browser::active().await;
    assert_eq!(browser.password("ben").await.leads_to(), "/.vestibule/phone");
    assert_eq!(browser.get("/.vestibule/code").await.leads_to(), "/.vestibule/phone");
    let page = browser.get("/.vestibule/phone").await;
    assert!(page.says("<strong>+32 4") && page.says("+32, +31"), "{}", page.body);
    for (typed, text) in [
        ("", "Enter your mobile phone number"),
        ("12", "whole number"),
        ("+1 201 555 0123", "to this country"),
        ("+32 2 555 12 12", "mobile phone; this one"),
    ] {
        let answer = browser.fill("/.vestibule/phone", "/.vestibule/phone", &[("phone", typed)]).await;
        assert_eq!(answer.status, 422, "{typed}");
        assert!(answer.says(text), "{typed}: {}", answer.body);
        assert_eq!(answer.field("phone"), typed);
    }
    let phone = [("phone", "0470 12 34 99")];
    assert_eq!(browser.fill("/.vestibule/phone", "/.vestibule/phone", &phone).await.leads_to(), "/.vestibule/code");
    let page = browser.get("/.vestibule/code").await;
    assert!(page.says("+32 470 12 34 99") && page.says("Use a different number"));
    assert_eq!(browser.get("/.vestibule/phone").await.status, 200);
    let code = browser.outside.last_code();
    assert_eq!(browser.code(&code).await.leads_to(), "/a?b=c#d");
}

#[tokio::test]
async fn a_known_number_shows_its_last_two_digits_and_cannot_be_changed() {
    let mut browser = Browser::active().await;
    browser.password("anna").await;
    let page = browser.get("/.vestibule/code").await;
    assert!(page.says("ending in <strong>56</strong>") && !page.says("470"));
    assert_eq!(browser.get("/.vestibule/phone").await.leads_to(), "/.vestibule/code");
    let csrf = page.field("csrf");
    let answer = browser.post("/.vestibule/phone", &[("csrf", &csrf), ("phone", "+32470999999")]).await;
    assert_eq!(answer.status, 403);
    assert_eq!(browser.outside.sms_count(), 1);
}

#[tokio::test]
async fn an_account_that_cannot_get_a_code_is_told_whom_to_ask() {
    let mut browser = Browser::active().await;
    let answer = browser.password("carla").await;
    assert_eq!(answer.status, 403);
    assert!(answer.says("mailto:helpdesk@example.com") && answer.says("Reference: "));
}
