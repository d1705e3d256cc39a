//! Our pages in a real browser: the demo as a visitor meets it (`demo`), what is seen when a session has ended (`endings`), what people do
//! that nobody planned (`habits`), and every page in every kind of window (`pages`).

mod demo;
mod endings;
mod habits;
mod pages;
mod tickets;

use crate::harness::browser::Browser;
use crate::harness::stack::{Account, Stack};

const PHONE: &str = "+32470111222";

/// Types name and password on the page that is open, and sends them.
pub(crate) async fn give_password(browser: &Browser, name: &str, password: &str) {
    browser.fill("username", name).await;
    browser.fill("password", password).await;
    browser.leave_by("button.main").await;
}

/// Types the code on the page that is open, and sends it.
pub(crate) async fn give_code(browser: &Browser, code: &str) {
    browser.fill("code", code).await;
    browser.leave_by("button.main").await;
}

/// From a page of the application to the page that asks for the code; the newest code is the answer.
pub(crate) async fn as_far_as_the_code(browser: &Browser, stack: &Stack, account: &Account, target: &str) -> String {
    let sent = stack.vendor.messages_to(&account.phone).len();
    browser.open(&format!("{}{target}", stack.site())).await;
    give_password(browser, &account.name, &account.password).await;
    browser.find("[name=code]").await;
    stack.vendor.wait_for_message(&account.phone, sent + 1).code()
}
