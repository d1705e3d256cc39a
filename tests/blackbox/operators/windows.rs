//! Every page of operators, and the account page of users, in every kind of window: wide and narrow, light and dark.

use super::pages::sign_in;
use super::{ANNA, Office};
use crate::browser::{as_far_as_the_code, give_code};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::stack::Plan;
use serde_json::json;

const WINDOWS: [(&str, u32, bool); 4] =
    [("wide", 1280, false), ("wide-dark", 1280, true), ("phone", 390, false), ("phone-dark", 390, true)];

/// Looks at the page that is open: nothing of it may stand beyond the edge.
async fn look(browser: &Browser, name: &str) {
    for (window, width, dark) in WINDOWS {
        browser.set_dark(dark).await;
        let mut height = 800;
        for _as_high_as_it_is in 0..2 {
            let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
            browser.command("Emulation.setDeviceMetricsOverride", metrics).await;
            height = browser.run("return document.documentElement.scrollHeight").await.as_u64().unwrap().max(800);
        }
        browser.picture(&format!("operators-{window}-{name}")).await;
        let wide = browser.run("return document.documentElement.scrollWidth").await.as_u64().unwrap();
        assert!(wide <= u64::from(width), "{name} is {wide} wide in a window of {width}");
        // one first heading, and none that skips a level
        let levels = browser.run("return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])").await;
        let levels: Vec<u64> = serde_json::from_value(levels).unwrap();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{name}: {levels:?}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
    }
}

async fn look_at(browser: &Browser, office: &Office, pages: &[(&str, &str)]) {
    for (name, path) in pages {
        browser.open(&format!("{}{path}", office.url())).await;
        look(browser, name).await;
    }
}

#[tokio::test]
async fn every_page_of_an_installation_that_runs_fits_its_window() {
    let office = Office::open();
    office.close_a_prefix();
    for name in ["bert", "carla-with-a-name-that-is-rather-long@marketing.example.com"] {
        office.stack.add_account(name, "+32473444444");
    }
    office.stack.command(&["user", "disable", "bert", "--reason", "left the company"], "").done();
    let browser = Browser::start(JavaScript::Off).await;
    let code = as_far_as_the_code(&browser, &office.stack, &office.anna, "/inside").await;
    give_code(&browser, &code).await;
    browser.open(&format!("{}/.vestibule/account", office.stack.site())).await;
    look(&browser, "users-account").await;

    sign_in(&office, &browser, &office.olga).await;
    let pages = [
        ("search", "/"),
        ("search-found", "/?q=a"),
        ("search-nobody", "/?q=zzz"),
        ("account", "/accounts/anna"),
        ("account-disabled", "/accounts/bert"),
        ("account-oneself", "/accounts/olga"),
        ("deed", "/accounts/anna/set-phone"),
        ("deed-remove", "/accounts/anna/remove"),
        ("add", "/add"),
        ("operators", "/operators"),
        ("two-factor-active", "/two-factor"),
        ("sms", "/sms"),
        ("sms-open-prefix", "/sms/open-prefix?prefix=3247012"),
        ("audit", "/audit"),
        ("audit-account", "/audit?account=anna&event=signed_in"),
        ("audit-none", "/audit?actor=nobody"),
        ("audit-wrong", "/audit?event=nothing"),
        ("sign-in-again", "/sign-in-again?return_to=/"),
        ("not-found", "/nothing-here"),
    ];
    look_at(&browser, &office, &pages).await;
    browser.close().await;
}

#[tokio::test]
async fn every_page_of_an_installation_that_begins_fits_its_window() {
    let office = Office::of(Plan::new().set("two_factor.activation", "staged"));
    for (name, phone) in [("bert", ""), ("carla", ""), ("dora", ANNA)] {
        office.stack.add_account(name, phone);
    }
    let browser = Browser::start(JavaScript::Off).await;
    sign_in(&office, &browser, &office.hugo).await;
    let pages = [
        ("helpdesk-audit", "/audit"),
        ("helpdesk-account", "/accounts/olga"),
        ("helpdesk-sms", "/sms"),
        ("helpdesk-refused", "/add"),
    ];
    look_at(&browser, &office, &pages).await;
    browser.leave_by("a[href='/.vestibule/logout']").await;
    look(&browser, "sign-out").await;
    browser.leave_by("button.main").await;
    sign_in(&office, &browser, &office.olga).await;
    look_at(&browser, &office, &[("two-factor", "/two-factor"), ("activate", "/two-factor/activate")]).await;
    browser.close().await;
}
