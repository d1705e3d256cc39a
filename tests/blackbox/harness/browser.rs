//! A real headless Chromium over its driver, with or without JavaScript.
//!
//! With `VESTIBULE_SCREENSHOTS=FOLDER` every `picture` is kept there.

use super::children::{Process, Program, find_program, fresh_folder, kill_those_naming, wait_for};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Browser {
    client: Client,
    folder: tempfile::TempDir,
    _driver: Process,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JavaScript {
    On,
    Off,
}

/// How the window looks.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) dark: bool,
    /// Whether it keeps cookies.
    pub(crate) cookies: bool,
    /// A key whose certificates are believed whoever signed them, as `Issued::public_key_hash` gives it.
    pub(crate) trusted_key: Option<String>,
}

impl Default for Window {
    fn default() -> Self {
        Self { width: 1024, height: 800, dark: false, cookies: true, trusted_key: None }
    }
}

/// How often an element of a page that is just being left is looked for on the next one.
const STALE_TRIES: usize = 20;

/// `false` when the element belonged to a page that had been left meanwhile: nothing was done.
fn is_done(done: Result<(), fantoccini::error::CmdError>) -> bool {
    match done {
        Ok(()) => true,
        Err(error) if is_stale(&error) => false,
        Err(error) => panic!("{error}"),
    }
}

/// Whether an element belongs to a page that has been left. While that happens, chromedriver passes on what Chromium itself says.
fn is_stale(error: &fantoccini::error::CmdError) -> bool {
    let said = error.to_string();
    ["stale element", "does not belong to the document"].iter().any(|words| said.contains(words))
}

impl Browser {
    pub(crate) async fn start(script: JavaScript) -> Self {
        Self::start_in(script, Window::default()).await
    }

    pub(crate) async fn start_in(script: JavaScript, window: Window) -> Self {
        let folder = fresh_folder("browser");
        let log = folder.path().join("driver.log");
        let driver = Program::killed_with("TERM", None, find_program("chromedriver", &[]))
            .args(["--port=0", "--allowed-ips=127.0.0.1"])
            .env("TMPDIR", folder.path())
            .env("HOME", folder.path())
            .start(&log);
        let port: u16 = wait_for("chromedriver", || {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let (_, after) = said.split_once("started successfully on port ")?;
            after.split_once('.')?.0.trim().parse().ok()
        });
        let mut args = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--no-proxy-server".to_owned(),
            "--lang=en-US".to_owned(),
            format!("--user-data-dir={}", folder.path().join("profile").display()),
            format!("--window-size={},{}", window.width, window.height),
        ];
        if let Some(hash) = &window.trusted_key {
            args.push(format!("--ignore-certificate-errors-spki-list={hash}"));
        }
        if window.dark {
            args.push("--force-dark-mode".to_owned());
            args.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let mut preferences = json!({ "intl.accept_languages": "en-US,en" });
        if script == JavaScript::Off {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        if !window.cookies {
            preferences["profile.default_content_setting_values.cookies"] = json!(2);
        }
        let mut capabilities = fantoccini::wd::Capabilities::new();
        capabilities.insert("browserName".to_owned(), json!("chrome"));
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        capabilities.insert(
            "goog:chromeOptions".to_owned(),
            json!({ "binary": find_program("chromium", &[]), "args": args, "prefs": preferences }),
        );
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap_or_else(|error| panic!("no browser: {error}\n{}", std::fs::read_to_string(&log).unwrap()));
        Self { client, folder, _driver: driver }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// The one element that a CSS selector finds, waiting for it to be there.
    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(Duration::from_secs(15)).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("no {css} on {}: {error}\n{}", self.url().await, self.text().await),
        }
    }

    pub(crate) async fn has(&self, css: &str) -> bool {
        !self.client.find_all(Locator::Css(css)).await.unwrap().is_empty()
    }

    /// Types into the field with this name, in place of what stands there.
    pub(crate) async fn fill(&self, name: &str, value: &str) {
        let css = format!("[name={name}]");
        for _ in 0..STALE_TRIES {
            let field = self.find(&css).await;
            let filled = match field.clear().await {
                Ok(()) => field.send_keys(value).await,
                Err(error) => Err(error),
            };
            if is_done(filled) {
                return;
            }
        }
        panic!("{css} went away again and again on {}", self.url().await);
    }

    pub(crate) async fn click(&self, css: &str) {
        for _ in 0..STALE_TRIES {
            if is_done(self.find(css).await.click().await) {
                return;
            }
        }
        panic!("{css} went away again and again on {}", self.url().await);
    }

    /// Clicks on what sends a form or opens another page, and waits until this page has been left. A form is sent a moment after the click:
    /// without the wait, what comes next may be done to the old page, or be overtaken by the answer to the form.
    pub(crate) async fn leave_by(&self, css: &str) {
        let page = self.find("html").await;
        self.click(css).await;
        self.wait_until_left(page).await;
    }

    /// The back button, and on from this page.
    pub(crate) async fn back(&self) {
        let page = self.find("html").await;
        self.client.back().await.unwrap();
        self.wait_until_left(page).await;
    }

    async fn wait_until_left(&self, page: Element) {
        self.wait_until("another page", async |_| match page.tag_name().await {
            Ok(_) => false,
            Err(error) if is_stale(&error) => true,
            Err(error) => panic!("{error}"),
        })
        .await;
    }

    /// What a reader sees on the page.
    pub(crate) async fn text(&self) -> String {
        let Ok(body) = self.client.find(Locator::Css("body")).await else {
            return String::new();
        };
        body.text().await.unwrap_or_default()
    }

    /// Waits until the page shows a text.
    pub(crate) async fn wait_for_text(&self, text: &str) {
        self.wait_until(&format!("the text {text:?}"), async |browser| browser.text().await.contains(text)).await;
    }

    /// Waits until the address bar fits.
    pub(crate) async fn wait_for_url(&self, what: &str, fits: impl Fn(&str) -> bool) {
        self.wait_until(what, async |browser| fits(&browser.url().await)).await;
    }

    pub(crate) async fn wait_until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self).await {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "waited in vain for {what} on {}:\n{}",
                self.url().await,
                self.text().await
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a script in the page (works also where the page's own scripts are switched off).
    pub(crate) async fn run(&self, script: &str) -> serde_json::Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What the page complained about in its console: refused by the policy, not found, failed.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(BrowserLog).await.unwrap();
        log.as_array()
            .into_iter()
            .flatten()
            .filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
            .map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// A command of Chromium's own protocol: the size of the window, dark mode.
    pub(crate) async fn command(&self, name: &str, parameters: serde_json::Value) {
        self.client.issue_cmd(DevTools { name: name.to_owned(), parameters }).await.unwrap();
    }

    /// What is sent from now on goes up no faster than this.
    pub(crate) async fn throttle_uploads(&self, bytes_a_second: u32) {
        self.command("Network.enable", json!({})).await;
        let limits =
            json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second });
        self.command("Network.emulateNetworkConditions", limits).await;
    }

    /// As a screen of this width, down to that of a small phone.
    pub(crate) async fn set_width(&self, width: u32) {
        let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    pub(crate) async fn set_dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.command("Emulation.setEmulatedMedia", media).await;
    }

    /// Keeps a picture of the page when a folder for them was named.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("VESTIBULE_SCREENSHOTS").map(PathBuf::from) else {
            return;
        };
        std::fs::create_dir_all(&folder).unwrap();
        let png = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), png).unwrap();
    }

    pub(crate) async fn close(self) {
        let _ = self.client.clone().close().await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        kill_those_naming(self.folder.path());
    }
}

/// Chromium's own command for the console of the page.
#[derive(Debug)]
struct BrowserLog;

impl fantoccini::wd::WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

#[derive(Debug)]
struct DevTools {
    name: String,
    parameters: serde_json::Value,
}

impl fantoccini::wd::WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.name, "params": self.parameters }).to_string()))
    }
}

#[tokio::test]
async fn a_page_is_shown_with_and_without_scripts() {
    for (script, expected) in [(JavaScript::On, "scripted"), (JavaScript::Off, "plain")] {
        let browser = Browser::start(script).await;
        let page = "data:text/html,<title>t</title><body>plain<script>document.body.textContent='scripted'</script>";
        browser.open(page).await;
        browser.wait_for_text(expected).await;
        browser.picture("harness").await;
        browser.close().await;
    }
}
