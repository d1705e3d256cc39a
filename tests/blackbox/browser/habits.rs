//! What people do with a sign-in that nobody planned: back, reload, two tabs, a page left open, a pasted code.

use super::{PHONE, as_far_as_the_code, give_code, give_password};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::stack::{Plan, Stack};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fantoccini::key::Key;
use rand::RngCore;
use serde_json::json;

#[tokio::test]
async fn going_back_and_reloading_send_no_second_sms() {
    for script in [JavaScript::On, JavaScript::Off] {
        let stack = Stack::start();
        let account = stack.add_account("ada", PHONE);
        let browser = Browser::start(script).await;
        let code = as_far_as_the_code(&browser, &stack, &account, "/wanted?x=1").await;
        let code_page = browser.url().await;
        for _ in 0..2 {
            browser.client().refresh().await.unwrap();
            browser.find("[name=code]").await;
        }
        browser.back().await;
        browser.wait_for_text("Sign in").await;
        browser.client().forward().await.unwrap();
        browser.find("[name=code]").await;
        // The application's own address leads to where the sign-in stands, not to its beginning.
        browser.open(&code_page).await;
        browser.find("[name=code]").await;
        assert_eq!(stack.vendor.requests().len(), 1, "{script:?}");
        give_code(&browser, &code).await;
        browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted?x=1")).await;
        assert_eq!(stack.vendor.requests().len(), 1, "{script:?}");
        assert_eq!(browser.complaints().await, [""; 0]);

        // Back, into the sign-in that is over: nothing is sent, and the way on is the page.
        browser.back().await;
        browser.open(&format!("{}/again", stack.site())).await;
        browser.wait_for_text("/again").await;
        assert_eq!(stack.vendor.requests().len(), 1, "{script:?}");
        browser.close().await;
    }
}

#[tokio::test]
async fn a_mistake_is_told_beside_its_field() {
    for script in [JavaScript::On, JavaScript::Off] {
        let stack = Stack::start();
        let account = stack.add_account("ada", PHONE);
        let browser = Browser::start(script).await;
        browser.open(&format!("{}/wanted", stack.site())).await;
        give_password(&browser, "ada", "not the password").await;
        browser.wait_for_text("is not correct").await;
        is_tied_to_its_problem(&browser, "password").await;
        let name = browser.find("[name=username]").await.prop("value").await.unwrap();
        assert_eq!(name.as_deref(), Some("ada"), "the name has to be typed again");
        let password = browser.find("[name=password]").await.prop("value").await.unwrap();
        assert_eq!(password.as_deref(), Some(""), "a password comes back");
        browser.picture(&format!("mistake-{script:?}-password")).await;

        give_password(&browser, "ada", &account.password).await;
        browser.find("[name=code]").await;
        let code = stack.vendor.newest_code(PHONE);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        give_code(&browser, wrong).await;
        browser.wait_for_text("not correct").await;
        browser.wait_for_text("4 tries are left").await;
        is_tied_to_its_problem(&browser, "code").await;
        browser.picture(&format!("mistake-{script:?}-code")).await;
        give_code(&browser, "12").await;
        browser.wait_for_text("6 digits").await;
        give_code(&browser, &code).await;
        browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted")).await;
        assert_eq!(complaints(&browser).await, [""; 0]);
        browser.close().await;
    }
}

/// What the console says, but that a form came back with a mistake in it (422).
async fn complaints(browser: &Browser) -> Vec<String> {
    browser.complaints().await.into_iter().filter(|said| !said.contains("status of 422")).collect()
}

/// A screen reader tells the problem when it comes to the field.
async fn is_tied_to_its_problem(browser: &Browser, field: &str) {
    let field = browser.find(&format!("[name={field}]")).await;
    assert_eq!(field.attr("aria-invalid").await.unwrap().as_deref(), Some("true"));
    let described = field.attr("aria-describedby").await.unwrap().unwrap_or_default();
    assert!(!described.is_empty());
    for id in described.split(' ') {
        assert!(!browser.find(&format!("#{id}")).await.text().await.unwrap().is_empty(), "{id}");
    }
    assert!(browser.client().title().await.unwrap().starts_with("Error"), "the title does not say it");
}

#[tokio::test]
async fn an_expired_code_is_replaced_without_the_password() {
    let stack =
        Plan::new().set("two_factor.code.lifetime", "3s").set("two_factor.code.resend_after", json!(["1ms"])).start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    let code = as_far_as_the_code(&browser, &stack, &account, "/wanted").await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    give_code(&browser, &code).await;
    browser.wait_for_text("expired").await;
    browser.picture("code-expired").await;
    assert!(!browser.has("[name=password]").await);
    browser.leave_by("#resend").await;
    browser.find("[name=code]").await;
    let fresh = stack.vendor.wait_for_message(PHONE, 2).code();
    give_code(&browser, &fresh).await;
    browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted")).await;
    assert_eq!(complaints(&browser).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn the_wait_before_another_sms_is_shown_and_counted_down() {
    let stack = Plan::new().set("two_factor.code.resend_after", json!(["4s", "30s"])).start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    let first = as_far_as_the_code(&browser, &stack, &account, "/").await;
    browser.wait_for_text("You can ask again in").await;
    browser.wait_for_text("3 more times").await;
    browser.picture("resend-wait").await;
    browser.leave_by("#resend").await;
    browser.wait_for_text("too early").await;
    assert_eq!(stack.vendor.requests().len(), 1);
    browser.picture("resend-too-early").await;
    browser.wait_for_text("You can ask again now.").await;
    browser.leave_by("#resend").await;
    browser.wait_for_text("sent the code again").await;
    browser.wait_for_text("2 more times").await;
    browser.picture("resend-sent").await;
    assert_eq!(stack.vendor.wait_for_message(PHONE, 2).code(), first, "a late SMS would not work any more");
    give_code(&browser, &first).await;
    browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;
    assert_eq!(complaints(&browser).await, [""; 0]);
    browser.close().await;
}

#[tokio::test]
async fn a_code_may_be_pasted_with_blanks_and_dashes() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    for (front, middle, back) in [("  ", " ", "  "), ("", "-", ""), ("", "\u{a0}", " ")] {
        let browser = Browser::start(JavaScript::On).await;
        let code = as_far_as_the_code(&browser, &stack, &account, "/").await;
        let pasted = format!("{front}{}{middle}{}{back}", &code[..3], &code[3..]);
        let script = format!(
            "const field = document.querySelector('[name=code]'); field.focus(); \
             document.execCommand('insertText', false, {}); return field.value",
            json!(pasted)
        );
        let kept = browser.run(&script).await;
        assert_eq!(kept, json!(pasted), "the field cuts what was pasted");
        browser.leave_by("button.main").await;
        browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;
        browser.close().await;
    }
}

#[tokio::test]
async fn two_tabs_do_not_spoil_each_other() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    let first_tab = browser.client().window().await.unwrap();
    browser.open(&format!("{}/first", stack.site())).await;
    browser.find("[name=password]").await;
    let second_tab = browser.client().new_window(true).await.unwrap().handle;
    browser.client().switch_to_window(second_tab.clone()).await.unwrap();
    browser.open(&format!("{}/second", stack.site())).await;
    give_password(&browser, &account.name, &account.password).await;
    browser.find("[name=code]").await;

    // The first tab shows an older form; its person types on, and is not sent away.
    browser.client().switch_to_window(first_tab.clone()).await.unwrap();
    give_password(&browser, &account.name, &account.password).await;
    browser.find("[role=status]").await;
    browser.picture("two-tabs-older-form").await;
    assert_eq!(stack.vendor.requests().len(), 1);
    browser.fill("password", &account.password).await;
    browser.leave_by("button.main").await;
    browser.find("[name=code]").await;
    stack.vendor.wait_for_message(PHONE, 2);
    let messages = stack.vendor.messages_to(PHONE);
    browser.picture("two-tabs").await;
    give_code(&browser, &messages.last().unwrap().code()).await;
    browser.wait_for_url("the page of this tab", |url| url.ends_with("/first")).await;

    // The second is signed in with it, whatever it shows.
    browser.client().switch_to_window(second_tab).await.unwrap();
    give_code(&browser, &messages.last().unwrap().code()).await;
    browser.open(&format!("{}/second", stack.site())).await;
    browser.wait_for_text("/second").await;
    browser.close().await;
}

#[tokio::test]
async fn a_form_that_was_open_overnight_shows_itself_again() {
    let mut stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::Off).await;
    browser.open(&format!("{}/wanted?x=1", stack.site())).await;
    browser.find("[name=password]").await;
    browser.client().delete_all_cookies().await.unwrap();
    give_password(&browser, &account.name, &account.password).await;
    shows_itself_again(&browser, "ada").await;
    browser.picture("form-overnight").await;

    // And when the keys have changed meanwhile.
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    let file = crate::harness::stack::secret_file(stack.folder(), "sign-new.key", &STANDARD.encode(key));
    stack.settings.set("signing_keys", json!([{ "file": file }]));
    stack.rewrite_config(0);
    let environment = stack.environment().to_vec();
    stack.node().start_again(&environment);
    give_password(&browser, &account.name, &account.password).await;
    shows_itself_again(&browser, "ada").await;

    browser.fill("password", &account.password).await;
    browser.leave_by("button.main").await;
    browser.find("[name=code]").await;
    give_code(&browser, &stack.vendor.newest_code(PHONE)).await;
    browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted?x=1")).await;
    browser.close().await;
}

async fn shows_itself_again(browser: &Browser, name: &str) {
    browser.wait_for_text("out of date").await;
    let kept = browser.find("[name=username]").await.prop("value").await.unwrap();
    assert_eq!(kept.as_deref(), Some(name));
}

#[tokio::test]
async fn who_is_signed_in_is_not_asked_again() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    let code = as_far_as_the_code(&browser, &stack, &account, "/").await;
    give_code(&browser, &code).await;
    browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;
    browser.open(&format!("{}/.vestibule/login?return_to=%2Fdirect%3Fx%3D1", stack.site())).await;
    browser.wait_for_url("the page", |url| url.ends_with("/direct?x=1")).await;
    browser.open(&format!("{}/.vestibule/code", stack.site())).await;
    assert!(!browser.has("[name=code]").await, "{}", browser.text().await);
    assert_eq!(stack.vendor.requests().len(), 1);

    browser.open(&format!("{}/.vestibule/logout", stack.site())).await;
    browser.wait_for_text("signed in as ada").await;
    browser.picture("sign-out-question").await;
    browser.leave_by("a[href='/']").await;
    browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;
    browser.open(&format!("{}/.vestibule/logout", stack.site())).await;
    browser.leave_by("button.main").await;
    browser.wait_for_text("You have signed out").await;
    browser.picture("signed-out").await;
    // Back shows no page of the application from a cache.
    browser.back().await;
    browser.open(&format!("{}/closed", stack.site())).await;
    browser.find("[name=password]").await;
    browser.close().await;
}

#[tokio::test]
async fn the_language_is_chosen_by_the_browser_and_changed_on_the_page() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    browser.open(&format!("{}/wanted?x=1", stack.site())).await;
    assert_eq!(page_language(&browser).await, "en");
    for (language, word) in [("nl", "Wachtwoord"), ("fr", "Mot de passe"), ("de", "Passwort"), ("nl", "Wachtwoord")] {
        browser.leave_by(&format!("nav a[hreflang={language}]")).await;
        browser.wait_for_text(word).await;
        assert_eq!(page_language(&browser).await, language);
    }
    give_password(&browser, "ada", "not the password").await;
    browser.find("[role=alert]").await;
    assert_eq!(page_language(&browser).await, "nl", "the choice is forgotten with a mistake");
    give_password(&browser, "ada", &account.password).await;
    browser.find("[name=code]").await;
    assert_eq!(page_language(&browser).await, "nl", "the choice is forgotten on the next page");
    browser.picture("code-dutch").await;
    give_code(&browser, &stack.vendor.newest_code(PHONE)).await;
    browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted?x=1")).await;
    browser.close().await;
}

async fn page_language(browser: &Browser) -> String {
    browser.run("return document.documentElement.lang").await.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_keyboard_is_enough() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    browser.open(&format!("{}/wanted", stack.site())).await;
    browser.find("[name=password]").await;
    tab_to(&browser, "username").await;
    press(&browser, "ada").await;
    tab_to(&browser, "password").await;
    has_a_visible_focus(&browser).await;
    press(&browser, &account.password).await;
    press(&browser, &Key::Enter.to_string()).await;
    browser.find("[name=code]").await;
    let focused = browser.run("return document.activeElement.name || ''").await;
    assert_eq!(focused, "code", "the code cannot be typed at once");
    press(&browser, &stack.vendor.newest_code(PHONE)).await;
    press(&browser, &Key::Enter.to_string()).await;
    browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted")).await;
    browser.close().await;
}

/// Goes on with the tabulator until the field with this name has the focus.
async fn tab_to(browser: &Browser, name: &str) {
    for _ in 0..10 {
        if browser.run("return document.activeElement.name || ''").await == name {
            return;
        }
        press(browser, &Key::Tab.to_string()).await;
    }
    panic!("the tabulator does not come to {name}");
}

async fn press(browser: &Browser, keys: &str) {
    browser.client().active_element().await.unwrap().send_keys(keys).await.unwrap();
}

async fn has_a_visible_focus(browser: &Browser) {
    let script = "const s = getComputedStyle(document.activeElement); \
                  return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'";
    assert_eq!(browser.run(script).await, true, "the focus cannot be seen");
}
