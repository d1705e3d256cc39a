//! `vestibule demo` as a visitor meets it, with and without JavaScript, and with a client that is no browser.

use super::{give_code, give_password};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::children::{Process, Program, free_port, fresh_folder, wait_for};
use crate::harness::gateway::{BINARY, probe};
use crate::harness::person::Person;
use regex::Regex;
use std::path::PathBuf;
use std::sync::Arc;

/// The demo, and its terminal.
#[derive(Debug)]
struct Demo {
    port: u16,
    terminal: PathBuf,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        for _ in 0..5 {
            let folder = fresh_folder("demo");
            let terminal = folder.path().join("terminal");
            let port = free_port();
            let listen = format!("127.0.0.1:{port}");
            let mut process =
                Program::new(BINARY).args(["demo", "--listen", &listen]).in_folder(folder.path()).start(&terminal);
            let up = wait_for("the demo", || {
                if !process.is_running() {
                    return Some(false);
                }
                let told = std::fs::read_to_string(&terminal).unwrap_or_default().contains("Ctrl-C");
                (told && probe(port, "/.vestibule/ready") == Some(200)).then_some(true)
            });
            if up {
                return Self { port, terminal, _process: process, _folder: folder };
            }
        }
        panic!("the demo does not start");
    }

    fn shown(&self) -> String {
        std::fs::read_to_string(&self.terminal).unwrap()
    }

    /// What the welcome says to open.
    fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The accounts that the welcome names, with their passwords.
    fn accounts(&self) -> Vec<(String, String)> {
        let line = Regex::new(r"(?m)^ +(?:Sign in +)?([a-z]+) +([a-z]+-[a-z]+-[a-z]+) ").unwrap();
        line.captures_iter(&self.shown()).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
    }

    /// All codes that the terminal has shown, oldest first.
    fn codes(&self) -> Vec<String> {
        let code = Regex::new(r"@localhost #(\d+)").unwrap();
        code.captures_iter(&self.shown()).map(|found| found[1].to_owned()).collect()
    }

    fn wait_for_code(&self, count: usize) -> String {
        wait_for(&format!("code {count} on the terminal"), || self.codes().get(count - 1).cloned())
    }
}

#[tokio::test]
async fn both_accounts_of_the_demo_sign_in_with_and_without_javascript() {
    for script in [JavaScript::On, JavaScript::Off] {
        let demo = Demo::start();
        assert!(demo.shown().contains(&demo.url()), "it does not say what to open: {}", demo.shown());
        let accounts = demo.accounts();
        assert_eq!(accounts.len(), 2, "{}", demo.shown());

        let (name, password) = &accounts[0];
        let browser = Browser::start(script).await;
        browser.open(&format!("{}/?from=here&x=%2F#part", demo.url())).await;
        browser.wait_for_text("Sign in").await;
        browser.picture(&format!("demo-{script:?}-1-sign-in")).await;
        give_password(&browser, name, password).await;
        browser.find("[name=code]").await;
        browser.picture(&format!("demo-{script:?}-2-code")).await;
        give_code(&browser, &demo.wait_for_code(1)).await;
        browser.wait_for_text(&format!("Hello, {name}")).await;
        let fragment = if script == JavaScript::On { "#part" } else { "" };
        assert_eq!(browser.url().await, format!("{}/?from=here&x=%2F{fragment}", demo.url()));
        browser.picture(&format!("demo-{script:?}-3-application")).await;
        use_the_application(&browser, script, name).await;
        sign_out(&browser, &demo).await;
        assert_eq!(browser.complaints().await, [""; 0]);
        browser.close().await;

        let (name, password) = &accounts[1];
        let browser = Browser::start(script).await;
        browser.open(&demo.url()).await;
        give_password(&browser, name, password).await;
        browser.find("[name=phone]").await;
        browser.picture(&format!("demo-{script:?}-4-number")).await;
        browser.fill("phone", "+32 470 12 34 57").await;
        browser.leave_by("button.main").await;
        browser.find("[name=code]").await;
        browser.picture(&format!("demo-{script:?}-5-code")).await;
        give_code(&browser, &demo.wait_for_code(2)).await;
        browser.wait_for_text(&format!("Hello, {name}")).await;
        sign_out(&browser, &demo).await;
        give_again(&browser, &demo, name, password).await;
        assert_eq!(browser.complaints().await, [""; 0]);
        browser.close().await;
        assert_eq!(demo.codes().len(), 3, "{}", demo.shown());
    }
}

/// The number that was given is kept: only password and code are asked for now.
async fn give_again(browser: &Browser, demo: &Demo, name: &str, password: &str) {
    browser.open(&demo.url()).await;
    give_password(browser, name, password).await;
    browser.find("[name=code]").await;
    browser.wait_for_text("ending in 57").await;
    give_code(browser, &demo.wait_for_code(3)).await;
    browser.wait_for_text(&format!("Hello, {name}")).await;
}

async fn use_the_application(browser: &Browser, script: JavaScript, name: &str) {
    browser.fill("text", "a note from the suite").await;
    browser.leave_by("form[action='/notes'] button").await;
    browser.wait_for_text("a note from the suite").await;
    if script == JavaScript::Off {
        return;
    }
    browser.wait_for_text(&format!("Hello {name}, this socket is yours.")).await;
    browser.fill("message", "are you there").await;
    browser.click("#say button").await;
    browser.wait_for_text("echo are you there").await;
    browser.click("#fetch").await;
    browser.wait_for_text("\"user\": \"").await;
    let fetched = browser.find("#fetched").await.text().await.unwrap();
    assert!(fetched.starts_with("200") && fetched.contains(&format!("\"x-forwarded-user\": \"{name}\"")), "{fetched}");
    assert!(!fetched.contains("vestibule="), "{fetched}");
}

async fn sign_out(browser: &Browser, demo: &Demo) {
    browser.open(&demo.url()).await;
    browser.leave_by("a[href='/.vestibule/logout']").await;
    browser.leave_by("button.main").await;
    browser.wait_for_text("You have signed out").await;
    browser.open(&demo.url()).await;
    browser.find("[name=password]").await;
}

#[tokio::test]
async fn the_demo_signs_in_a_client_that_is_no_browser() {
    let demo = Demo::start();
    let (name, password) = demo.accounts().remove(0);
    let person = Person::new(&demo.url(), demo.port, Arc::default());
    let page = person.follow("/?x=1").await.expect(200);
    let form = page.form_with("password");
    let answer = person.submit(&form, &page.asked, &[("username", &name), ("password", &password)]).await;
    let page = person.follow_from(answer).await.expect(200);
    let answer = person.give_code(&page, &demo.wait_for_code(1)).await;
    let page = person.follow_from(answer).await.expect(200);
    assert_eq!(page.asked, "/?x=1");
    assert!(page.reads().contains(&format!("Hello, {name}")), "{}", page.reads());
}

#[tokio::test]
async fn the_demo_says_what_to_do_and_nothing_else() {
    let demo = Demo::start();
    let person = Person::new(&demo.url(), demo.port, Arc::default());
    person.follow("/").await.expect(200);
    person.fetch("/").await.expect(401);
    let shown = demo.shown();
    let lines: Vec<&str> = shown.lines().filter(|line| !line.trim().is_empty()).collect();
    assert!(lines.len() <= 10, "{} lines: {shown}", lines.len());
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "too wide: {shown}");
}
