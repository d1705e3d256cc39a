//! What a person in a browser sees when the session has ended: nothing that was typed is lost without a word, and nothing false is said.

use super::{PHONE, as_far_as_the_code, give_code, give_password};
use crate::harness::browser::{Browser, JavaScript, Window};
use crate::harness::children::PATIENCE;
use crate::harness::person::Person;
use crate::harness::stack::{Account, Stack};
use regex::Regex;

const FORM: &str = "<!doctype html><meta charset=utf-8><title>form</title>\
    <form method=post action=/save><textarea name=text></textarea><button>Save</button></form>";

/// Far more than the buffers of a connection.
const UPLOAD_BYTES: usize = 20 << 20;

#[tokio::test]
async fn a_form_that_comes_too_late_says_that_it_was_not_sent() {
    let (stack, account, browser) = signed_in(JavaScript::On).await;
    stack.upstream.put_page(FORM);
    browser.open(&format!("{}/page?x=1", stack.site())).await;
    browser.fill("text", "an hour's work").await;
    end_sessions(&stack, &browser, &account).await;
    browser.leave_by("button").await;
    browser.wait_for_text("was not passed on").await;
    browser.picture("not-sent").await;
    assert_eq!(stack.upstream.requests_to("/save").len(), 0);
    let sign_in = browser.find("a.button").await.prop("href").await.unwrap().unwrap();

    // As the page says: back, and it is still there.
    browser.back().await;
    let kept = browser.find("[name=text]").await.prop("value").await.unwrap();
    assert_eq!(kept.as_deref(), Some("an hour's work"));
    browser.open(&sign_in).await;
    signs_in_again(&browser, &stack, &account).await;
    browser.wait_for_url("the page of the form", |url| url.ends_with("/page?x=1")).await;
    browser.close().await;
}

#[tokio::test]
async fn a_page_that_does_not_say_where_it_is_leads_back_to_the_start() {
    let (stack, account, browser) = signed_in(JavaScript::Off).await;
    stack.upstream.put_page(&format!("{FORM}<meta name=referrer content=no-referrer>"));
    browser.open(&format!("{}/page", stack.site())).await;
    browser.fill("text", "words").await;
    end_sessions(&stack, &browser, &account).await;
    browser.leave_by("button").await;
    browser.wait_for_text("was not passed on").await;
    let href = browser.find("a.button").await.attr("href").await.unwrap().unwrap_or_default();
    assert!(href.ends_with("return_to=%2F"), "{href}");
    browser.close().await;
}

#[tokio::test]
async fn a_large_upload_that_comes_too_late_shows_the_page_and_no_error_of_the_browser() {
    let (stack, account, browser) = signed_in(JavaScript::On).await;
    stack.upstream.put_page(
        "<!doctype html><title>upload</title><form method=post action=/save enctype=multipart/form-data>\
         <input type=file name=file><button>Send</button></form>",
    );
    browser.open(&format!("{}/page", stack.site())).await;
    end_sessions(&stack, &browser, &account).await;
    for throughput in [None, Some(1_500_000)] {
        browser
            .run(&format!(
                "const files = new DataTransfer(); \
                 files.items.add(new File([new Uint8Array({UPLOAD_BYTES})], 'film.bin')); \
                 document.querySelector('[name=file]').files = files.files"
            ))
            .await;
        if let Some(bytes_a_second) = throughput {
            browser.throttle_uploads(bytes_a_second).await;
        }
        browser.leave_by("button").await;
        browser.wait_for_text("was not passed on").await;
        browser.back().await;
    }
    assert_eq!(stack.upstream.requests_to("/save").len(), 0);
    browser.close().await;
}

#[tokio::test]
async fn what_was_with_the_application_already_is_not_called_unsent() {
    let (stack, account, browser) = signed_in(JavaScript::On).await;
    let other = stack.add_account("bob", "+32470111333");
    let person = stack.signed_in(&other).await;
    stack.upstream.put_page(&FORM.replace("/save", "/hold"));
    browser.open(&format!("{}/page", stack.site())).await;
    browser.fill("text", "an order").await;
    let by_a_program = tokio::spawn({
        let person = person.clone();
        async move { person.send(reqwest::Method::POST, "/hold", &[], Some(b"x".to_vec())).await }
    });
    let copy = copy_of(&stack, &browser).await;
    let ending = async {
        let both = async {
            while stack.upstream.open_streams() != 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, both).await.expect("both at the application");
        ended(&stack, &copy, &account).await;
        ended(&stack, &person, &other).await;
        stack.upstream.finish_streams();
    };
    // The driver may wait for the answer before it says that the button is pressed.
    let ((), _pressed) = tokio::join!(ending, browser.run("document.querySelector('button').click()"));
    browser.wait_for_text("We do not know whether it was saved").await;
    browser.picture("interrupted").await;
    let href = browser.find("a.button").await.attr("href").await.unwrap().unwrap_or_default();
    assert!(href.ends_with("return_to=%2Fpage"), "{href}");
    let problem = by_a_program.await.unwrap().expect(401).json();
    assert_eq!(problem["code"], "session_ended_meanwhile");
    assert_eq!(problem["sign_in"], format!("{}/.vestibule/login", stack.site()));
    assert_eq!(stack.upstream.requests_to("/hold").len(), 2, "it was sent again");
    browser.close().await;
}

#[tokio::test]
async fn a_frame_without_a_session_leads_the_whole_page_to_sign_in() {
    let (stack, account, browser) = signed_in(JavaScript::On).await;
    stack.upstream.put_page("<!doctype html><title>t</title><iframe name=inner width=600 height=500></iframe>");
    browser.open(&format!("{}/page?x=1", stack.site())).await;
    end_sessions(&stack, &browser, &account).await;
    browser.run("document.querySelector('iframe').src = '/inner'").await;
    let inner = "document.querySelector('iframe').contentDocument";
    browser
        .wait_until("the message in the frame", async |browser| {
            let text = browser.run(&format!("return {inner}?.body?.innerText ?? ''")).await;
            text.as_str().unwrap_or_default().contains("Sign in to see")
        })
        .await;
    browser.picture("in-frame").await;
    browser.run(&format!("{inner}.querySelector('a.button').click()")).await;
    browser.find("[name=password]").await;
    signs_in_again(&browser, &stack, &account).await;
    browser.wait_for_url("the page that the frame is on", |url| url.ends_with("/page?x=1")).await;
    browser.close().await;
}

#[tokio::test]
async fn a_browser_that_keeps_no_cookies_says_so() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start_in(JavaScript::On, Window { cookies: false, ..Window::default() }).await;
    browser.open(&format!("{}/wanted", stack.site())).await;
    give_password(&browser, &account.name, &account.password).await;
    browser.wait_for_text("did not send our cookie back").await;
    give_password(&browser, &account.name, &account.password).await;
    browser.wait_for_text("Allow cookies for this site").await;
    browser.picture("no-cookies").await;
    browser.close().await;
}

#[tokio::test]
async fn the_script_of_the_docs_signs_in_beside_the_page_and_sends_again_what_failed() {
    let (stack, account, browser) = signed_in(JavaScript::On).await;
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/single-page-apps.md")).unwrap();
    let script = Regex::new(r"(?s)```js\n(.*?)```").unwrap().captures(&docs).unwrap()[1]
        .replace("/?signed-in", "/page?signed-in");
    stack
        .upstream
        .put_page(&format!("<!doctype html><title>app</title><body><script>{script}</script><p id=said></p>"));
    browser.open(&format!("{}/page", stack.site())).await;
    browser.run("document.getElementById('said').textContent = 'a draft that must stay'").await;
    end_sessions(&stack, &browser, &account).await;
    let main = browser.client().window().await.unwrap();
    browser
        .run(
            "const send = (text) => fetchSignedIn('/save', { method: 'POST', body: text }).then((answer) => answer.json()); \
             Promise.all([send('one'), send('two')]).then((answers) => { \
               document.getElementById('said').textContent += ' and ' + answers.map((answer) => answer.body).join(' and '); })",
        )
        .await;
    browser.click("dialog button").await;
    browser.wait_until("the window of the sign-in", async |browser| windows(browser).await.len() == 2).await;
    let popup = windows(&browser).await.into_iter().find(|window| *window != main).unwrap();
    browser.client().switch_to_window(popup).await.unwrap();
    let sent = stack.vendor.messages_to(PHONE).len();
    give_password(&browser, &account.name, &account.password).await;
    browser.find("[name=code]").await;
    browser.picture("beside-the-page").await;
    let code = stack.vendor.wait_for_message(PHONE, sent + 1).code();
    browser.fill("code", &code).await;
    browser.click("button.main").await;
    browser.wait_until("the window to close itself", async |browser| windows(browser).await.len() == 1).await;
    browser.client().switch_to_window(main).await.unwrap();
    browser.wait_for_text("a draft that must stay and one and two").await;
    assert!(!browser.has("dialog").await);
    assert_eq!(stack.upstream.requests_to("/save").len(), 2);
    browser.close().await;
}

async fn windows(browser: &Browser) -> Vec<fantoccini::wd::WindowHandle> {
    browser.client().windows().await.unwrap()
}

async fn signed_in(script: JavaScript) -> (Stack, Account, Browser) {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(script).await;
    let code = as_far_as_the_code(&browser, &stack, &account, "/").await;
    give_code(&browser, &code).await;
    browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;
    (stack, account, browser)
}

async fn end_sessions(stack: &Stack, browser: &Browser, account: &Account) {
    ended(stack, &copy_of(stack, browser).await, account).await;
}

/// Somebody with the browser's cookie.
async fn copy_of(stack: &Stack, browser: &Browser) -> Person {
    let copy = stack.person();
    copy.set_cookie("vestibule", browser.client().get_named_cookie("vestibule").await.unwrap().value());
    copy
}

/// Ended by an operator, and over at the node.
async fn ended(stack: &Stack, person: &Person, account: &Account) {
    stack.command(&["session", "end", "--user", &account.name, "--reason", "test"], "").done();
    person.open_until("/.vestibule/session", |answer| answer.status == 401).await;
}

async fn signs_in_again(browser: &Browser, stack: &Stack, account: &Account) {
    let sent = stack.vendor.messages_to(&account.phone).len();
    give_password(browser, &account.name, &account.password).await;
    browser.find("[name=code]").await;
    give_code(browser, &stack.vendor.wait_for_message(&account.phone, sent + 1).code()).await;
}
