//! Every page of ours in every kind of window: a small phone, a dark room, a wide screen; in all languages.

use super::{PHONE, as_far_as_the_code, give_code, give_password};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::children::free_port;
use crate::harness::stack::{Plan, Stack};
use serde_json::json;

/// The width that WCAG 2.2, 1.4.10 asks for.
const NARROW: u32 = 320;

#[tokio::test]
async fn every_page_can_be_read_in_a_narrow_window_and_in_the_dark() {
    let stack = Plan::new()
        .set("two_factor.phone_numbers", "self_registered")
        .set("upstreams.gone", json!({ "servers": [format!("http://127.0.0.1:{}", free_port())] }))
        .set("sites.0.routes", json!([{ "path": "/closed", "access": "deny" }, { "path": "/gone", "upstream": "gone", "access": "public" }]))
        .set("sites.0.portal", json!({
            "name": "Acme Marketing Platform & Co", "support": "helpdesk@example.com", "password_help": "https://intranet.example.com/password",
        }))
        .start();
    let browser = Browser::start(JavaScript::On).await;
    let site = stack.site();

    browser.open(&format!("{site}/closed")).await;
    look(&browser, "denied").await;
    browser.open(&format!("{site}/gone")).await;
    look(&browser, "bad-gateway").await;
    browser.open(&format!("{site}/.vestibule/none")).await;
    look(&browser, "not-found").await;

    let account = stack.add_account("ada", PHONE);
    browser.open(&format!("{site}/wanted")).await;
    look(&browser, "sign-in").await;
    give_password(&browser, "ada", "not the password").await;
    browser.find("[role=alert]").await;
    look(&browser, "sign-in-mistake").await;
    let code = as_far_as_the_code(&browser, &stack, &account, "/wanted").await;
    look(&browser, "code").await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    give_code(&browser, wrong).await;
    browser.find("[role=alert]").await;
    look(&browser, "code-mistake").await;
    for _ in 0..4 {
        give_code(&browser, wrong).await;
        browser.wait_for_text(" ").await;
    }
    browser.wait_for_text("closed").await;
    look(&browser, "too-many-codes").await;

    let newcomer = stack.add_account("bob", "");
    browser.open(&format!("{site}/wanted")).await;
    browser.open(&format!("{site}/.vestibule/login")).await;
    give_password(&browser, "bob", &newcomer.password).await;
    browser.find("[name=phone]").await;
    look(&browser, "number").await;
    browser.fill("phone", "+32 2 555 12 34").await;
    browser.leave_by("button.main").await;
    browser.find("[role=alert]").await;
    look(&browser, "number-mistake").await;
    browser.fill("phone", "+32470111444").await;
    browser.leave_by("button.main").await;
    browser.find("[name=code]").await;
    look(&browser, "number-code").await;
    give_code(&browser, &stack.vendor.newest_code("+32470111444")).await;
    browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;

    browser.open(&format!("{site}/.vestibule/logout")).await;
    look(&browser, "sign-out").await;
    browser.leave_by("button.main").await;
    browser.wait_for_text("signed out").await;
    look(&browser, "signed-out").await;
    browser.close().await;
}

#[tokio::test]
async fn pages_that_end_a_sign_in_can_be_read_too() {
    let mut stack = Stack::start();
    let nobody = stack.add_account("bob", "");
    let browser = Browser::start(JavaScript::On).await;
    browser.open(&format!("{}/wanted", stack.site())).await;
    give_password(&browser, "bob", &nobody.password).await;
    browser.wait_for_text("No phone number").await;
    look(&browser, "no-number").await;
    browser.open(&format!("{}/.vestibule/login", stack.site())).await;
    stack.redis().kill();
    give_password(&browser, "bob", &nobody.password).await;
    browser.wait_for_text("does not work right now").await;
    look(&browser, "sign-in-unavailable").await;
    browser.close().await;

    let stack = Plan::new().set("two_factor.activation", "staged").start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    browser.open(&format!("{}/wanted", stack.site())).await;
    give_password(&browser, "ada", &account.password).await;
    browser.wait_for_url("the application", |url| url.ends_with("/wanted")).await;
    stack.command(&["two-factor", "activate", "--reason", "a test"], "").done();
    browser
        .wait_until("the page that asks for a code", async |browser| {
            browser.open(&format!("{}/wanted", stack.site())).await;
            browser.text().await.contains("Now with a code")
        })
        .await;
    look(&browser, "step-up").await;
    browser.leave_by("button.main").await;
    browser.find("[name=code]").await;
    give_code(&browser, &stack.vendor.newest_code(PHONE)).await;
    browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted")).await;
    browser.close().await;
}

/// Looks at the page that is open, in every kind of window.
async fn look(browser: &Browser, name: &str) {
    for (window, width, dark) in [("wide", 1024, false), ("narrow", NARROW, false), ("dark", 480, true)] {
        browser.set_width(width).await;
        browser.set_dark(dark).await;
        browser.picture(&format!("page-{name}-{window}")).await;
        let wide = browser.run("return document.documentElement.scrollWidth").await.as_u64().unwrap();
        assert!(wide <= u64::from(width), "{name} is {wide} wide in a window of {width}");
        let faint = browser.run(FAINT_TEXTS).await;
        assert_eq!(faint, json!([]), "{name}, {window}: texts with too little contrast");
        let small = browser.run(SMALL_TARGETS).await;
        assert_eq!(small, json!([]), "{name}, {window}: buttons too small for a finger");
    }
    let amiss = browser.run(AMISS).await;
    assert_eq!(amiss, json!([]), "{name}");
    browser.set_dark(false).await;
    let refused: Vec<String> =
        browser.complaints().await.into_iter().filter(|said| !said.contains("Failed to load resource")).collect();
    assert_eq!(refused, [""; 0], "{name}");
}

/// Texts whose contrast to what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
const FAINT_TEXTS: &str = r"
const channel = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return c.startsWith('color(') ? [m[0] * 255, m[1] * 255, m[2] * 255, m[3] ?? 1] : [m[0], m[1], m[2], m[3] ?? 1]; };
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c[3] > 0.99) return c;
  }
  return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255];
};
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  const text = walker.currentNode.textContent.trim();
  if (!text || !element.checkVisibility() || element.closest('script,style')) continue;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < 4.5) found.push(text + ': ' + contrast.toFixed(2));
}
return found;
";

/// Fields and buttons lower than 24 pixels (WCAG 2.2, 2.5.8).
const SMALL_TARGETS: &str = r"
return [...document.querySelectorAll('button, input:not([type=hidden]), a.button')]
  .filter((e) => e.checkVisibility())
  .map((e) => [e.name || e.textContent, e.getBoundingClientRect()])
  .filter(([, box]) => box.height < 24 || box.width < 24)
  .map(([name, box]) => name + ': ' + box.width + ' × ' + box.height);
";

/// What a screen reader needs and does not find.
const AMISS: &str = r"
const amiss = [];
if (!document.documentElement.lang) amiss.push('no language');
if (!document.title.trim()) amiss.push('no title');
if (document.querySelectorAll('h1').length !== 1) amiss.push('not one h1');
if (document.querySelectorAll('main').length !== 1) amiss.push('not one main');
for (const field of document.querySelectorAll('input:not([type=hidden])')) {
  if (!field.labels.length) amiss.push('no label: ' + field.name);
  for (const id of (field.getAttribute('aria-describedby') || '').split(' ').filter(Boolean)) {
    if (!document.getElementById(id)) amiss.push('describes nothing: ' + id);
  }
}
for (const image of document.querySelectorAll('img')) {
  if (!image.hasAttribute('alt')) amiss.push('no alt: ' + image.src);
  if (!image.complete || !image.naturalWidth) amiss.push('no picture: ' + image.src);
}
const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
if (new Set(ids).size !== ids.length) amiss.push('an id twice');
if (document.querySelector('[style], style, script:not([src]), [onclick]')) amiss.push('inline style or code');
return amiss;
";

#[tokio::test]
async fn no_language_is_too_long_for_a_narrow_window() {
    let stack = Plan::new().set("two_factor.phone_numbers", "self_registered").start();
    let browser = Browser::start(JavaScript::Off).await;
    browser.set_width(NARROW).await;
    for (number, language) in ["de", "fr", "nl", "en"].into_iter().enumerate() {
        let phone = format!("+3247011122{number}");
        let account = stack.add_account(&format!("user{number}"), &phone);
        browser.client().delete_all_cookies().await.unwrap();
        browser.open(&format!("{}/wanted", stack.site())).await;
        if language != "en" || browser.has("nav a[hreflang=en]").await {
            browser.leave_by(&format!("nav a[hreflang={language}]")).await;
        }
        fits(&browser, language, "sign-in").await;
        give_password(&browser, &account.name, "not the password").await;
        browser.find("[role=alert]").await;
        fits(&browser, language, "sign-in-mistake").await;
        give_password(&browser, &account.name, &account.password).await;
        browser.find("[name=code]").await;
        fits(&browser, language, "code").await;
        give_code(&browser, "12").await;
        browser.find("[role=alert]").await;
        fits(&browser, language, "code-mistake").await;
        give_code(&browser, &stack.vendor.newest_code(&phone)).await;
        browser.wait_for_url("the application", |url| !url.contains("/.vestibule/")).await;
        browser.open(&format!("{}/.vestibule/logout", stack.site())).await;
        fits(&browser, language, "sign-out").await;
        browser.leave_by("button.main").await;
        browser.find("h1").await;
        fits(&browser, language, "signed-out").await;
    }
    browser.close().await;
}

async fn fits(browser: &Browser, language: &str, name: &str) {
    browser.picture(&format!("narrow-{language}-{name}")).await;
    let shown = browser.run("return [document.documentElement.scrollWidth, document.documentElement.lang]").await;
    assert!(shown[0].as_u64().unwrap() <= u64::from(NARROW), "{language}, {name}: {shown}");
    assert_eq!(shown[1], language, "{name}");
}
