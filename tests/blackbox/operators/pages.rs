//! The operators' pages in a real browser, without a script: the journey of an operator, and what each page looks like.

use super::Office;
use crate::browser::{give_code, give_password};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::stack::{Account, Plan};

pub(super) async fn sign_in(office: &Office, browser: &Browser, account: &Account) {
    let sent = office.stack.vendor.messages_to(&account.phone).len();
    browser.open(&office.url()).await;
    give_password(browser, &account.name, &account.password).await;
    browser.find("[name=code]").await;
    let code = office.stack.vendor.wait_for_message(&account.phone, sent + 1).code();
    give_code(browser, &code).await;
    browser.find("[name=q]").await;
}

#[tokio::test]
async fn an_operator_signs_in_finds_helps_and_signs_out() {
    let office = Office::open();
    let browser = Browser::start(JavaScript::Off).await;
    sign_in(&office, &browser, &office.hugo).await;
    browser.picture("operators-search").await;
    browser.fill("q", "ann").await;
    browser.leave_by("button.main").await;
    browser.picture("operators-found").await;
    browser.leave_by("tbody a").await;
    browser.wait_for_text("+32 … 33").await;
    browser.picture("operators-account").await;
    browser.leave_by("a[href='/accounts/anna/reset-two-factor']").await;
    browser.picture("operators-reset").await;
    browser.fill("reason", "new phone").await;
    browser.leave_by("button.main").await;
    browser.wait_for_text("Two-factor sign-in was reset").await;
    browser.leave_by("a[href='/accounts/anna/one-time-password']").await;
    browser.fill("reason", "ticket 4").await;
    browser.leave_by("button.main").await;
    browser.find("#password").await;
    browser.picture("operators-password").await;
    browser.leave_by("a[href='/.vestibule/logout']").await;
    browser.leave_by("button.main").await;
    browser.open(&office.url()).await;
    browser.find("[name=username]").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    assert_eq!(office.audited("two_factor_reset", "operator:hugo"), 1);
    assert_eq!(office.audited("password_set", "operator:hugo"), 1);
}

#[tokio::test]
async fn an_admin_adds_an_account_and_activates() {
    let office = Office::of(Plan::new().set("two_factor.activation", "staged"));
    let browser = Browser::start(JavaScript::Off).await;
    sign_in(&office, &browser, &office.olga).await;
    browser.leave_by("a[href='/add']").await;
    browser.fill("username", "bert").await;
    browser.fill("phone", "+32 2 555 12 12").await;
    browser.fill("reason", "new colleague").await;
    browser.leave_by("button.main").await;
    browser.find("[aria-invalid]").await;
    browser.picture("operators-add-wrong").await;
    browser.fill("phone", "+32475666666").await;
    browser.leave_by("button.main").await;
    browser.find("#password").await;
    browser.leave_by("a[href='/accounts/bert']").await;
    browser.wait_for_text("one-time, until").await;
    browser.leave_by("a[href='/operators']").await;
    browser.wait_for_text("helpdesk").await;
    browser.picture("operators-operators").await;
    browser.leave_by("a[href='/two-factor']").await;
    browser.picture("operators-two-factor").await;
    browser.leave_by("a[href='/two-factor/activate']").await;
    browser.picture("operators-activate").await;
    browser.fill("reason", "decided on Monday").await;
    browser.leave_by("button.main").await;
    browser.wait_for_text("every user needs a password and a code").await;
    assert_eq!(office.audited("two_factor_activated", "operator:olga"), 1);
    browser.open(&format!("{}/sign-in-again?return_to=/add", office.url())).await;
    browser.picture("operators-sign-in-again").await;
    browser.open(&format!("{}/accounts/olga", office.url())).await;
    browser.wait_for_text("ask another operator").await;
    browser.picture("operators-oneself").await;
    let mut complaints = browser.complaints().await;
    complaints.retain(|complaint| !complaint.contains("/add - "));
    assert_eq!(complaints, Vec::<String>::new());
    browser.close().await;
}
