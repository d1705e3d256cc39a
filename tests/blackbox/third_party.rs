//! A real application of somebody else's behind the doors: it answers through us as it answers without us.

use crate::harness::browser::{Browser, JavaScript};
use crate::harness::children::wait_for;
use crate::harness::evidence::SecretKind;
use crate::harness::html;
use crate::harness::jupyter::{self, Jupyter};
use crate::harness::person::{Answer, Person};
use crate::harness::raw::open_socket;
use crate::harness::stack::{Account, Plan, Stack};
use crate::harness::upstream::pattern;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use regex::Regex;
use reqwest::Method;
use serde_json::json;
use sha2::Digest;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const PHONE: &str = "+32470111222";

/// More than any buffer on the way, and no multiple of one.
const UPLOAD_BYTES: usize = (3 << 20) + 7;

#[tokio::test]
async fn a_real_application_answers_as_it_does_without_us() {
    let jupyter = Jupyter::start();
    let stack = in_front_of(&jupyter);
    let account = stack.add_account("ada", PHONE);
    let through = stack.signed_in(&account).await;
    // The same address bar, the connection going straight to the application.
    let direct = Person::new(&stack.site(), jupyter.port(), Arc::default());

    let expected = tour(&direct, &jupyter).await;
    let answers = tour(&through, &jupyter).await;

    for (expected, answer) in expected.iter().zip(&answers) {
        assert_eq!(answer, expected, "another answer than without us");
    }
    assert_eq!(answers.len(), expected.len());
    assert!(answers.len() > 30, "only {} answers compared", answers.len());
}

#[tokio::test]
async fn the_pages_of_a_real_application_work_in_a_browser() {
    let jupyter = Jupyter::start();
    let stack = in_front_of(&jupyter);
    let account = stack.add_account("ada", PHONE);
    let upload = stack.folder().join("from-the-browser.txt");
    std::fs::write(&upload, "brought by a browser\n").unwrap();

    let direct = Browser::start(JavaScript::On).await;
    direct.open(&format!("http://localhost:{}/tree", jupyter.port())).await;
    use_the_pages(&direct, &jupyter, &upload).await;
    let expected = complaints(&direct).await;
    direct.close().await;
    for file in ["from-the-browser.txt", "typed.txt"] {
        std::fs::remove_file(jupyter.file(file)).unwrap();
    }

    let browser = Browser::start(JavaScript::On).await;
    browser.open(&format!("{}/tree", stack.site())).await;
    sign_in(&browser, &stack, &account).await;
    use_the_pages(&browser, &jupyter, &upload).await;
    assert_eq!(complaints(&browser).await, expected, "the console has more to say than without us");
    assert_eq!(std::fs::read_to_string(jupyter.file("from-the-browser.txt")).unwrap(), "brought by a browser\n");
    browser.close().await;
}

fn in_front_of(jupyter: &Jupyter) -> Stack {
    Plan::new().set("upstreams.app.servers", json!([jupyter.url()])).start()
}

/// What one person does there, from the first page to a terminal; every answer on the way, without what must differ
/// from one visit to the next.
async fn tour(person: &Person, jupyter: &Jupyter) -> Vec<Seen> {
    let mut tour = Tour { person: person.clone(), seen: Vec::new() };
    tour.get("/").await;
    tour.get("/tree?x=%2F&y=a+b").await;
    let page = tour.get("/login?next=%2Ftree").await;
    tour.post("/login?next=%2Ftree", &[("password", jupyter::PASSWORD), ("_xsrf", "forged")]).await;
    let form = page.form_with("password");
    let answer = person.submit(&form, "/login", &[("password", "wrong")]).await;
    tour.keep("a wrong password", &answer);
    let form = answer.form_with("password");
    let answer = person.submit(&form, "/login", &[("password", jupyter::PASSWORD)]).await;
    tour.keep("its sign-in", &answer);
    assert_eq!(answer.location().as_deref(), Some("/tree"), "{}", answer.text());

    let page = tour.get("/tree").await.expect(200);
    tour.assets(&page).await;
    tour.files(jupyter).await;
    tour.terminal().await;
    tour.get("/logout").await;
    tour.get("/api/contents").await;
    tour.seen
}

struct Tour {
    person: Person,
    seen: Vec<Seen>,
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    what: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Tour {
    async fn get(&mut self, target: &str) -> Answer {
        let answer = self.person.open(target).await;
        self.keep(&format!("GET {target}"), &answer);
        answer
    }

    async fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.person.post(target, fields).await;
        self.keep(&format!("POST {target}"), &answer);
        answer
    }

    /// As its own scripts ask.
    async fn ask(
        &mut self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<serde_json::Value>,
    ) -> Answer {
        let referer = format!("{}/tree", self.person.site());
        let xsrf = self.person.cookie("_xsrf").unwrap_or_default();
        let mut all = vec![
            ("accept", "application/json, text/javascript, */*; q=0.01"),
            ("x-requested-with", "XMLHttpRequest"),
            ("x-xsrftoken", xsrf.as_str()),
            ("referer", referer.as_str()),
        ];
        all.extend_from_slice(headers);
        if body.is_some() {
            all.push(("content-type", "application/json"));
        }
        let body = body.map(|body| body.to_string().into_bytes());
        let answer = self.person.send(method.clone(), target, &all, body).await;
        self.keep(&format!("{method} {target} {headers:?}"), &answer);
        answer
    }

    async fn assets(&mut self, page: &Answer) {
        let mut assets: Vec<String> = html::tags(&page.text())
            .iter()
            .filter_map(|tag| match tag.name.as_str() {
                "script" | "img" => tag.attribute("src"),
                "link" => tag.attribute("href"),
                _ => None,
            })
            .filter(|address| address.starts_with('/'))
            .map(str::to_owned)
            .collect();
        assets.push("/static/nbclassic/tree/js/main.min.js".to_owned());
        for asset in assets {
            let answer = self.ask(Method::GET, &asset, &[], None).await;
            let etag = answer.header("etag").to_owned();
            if !etag.is_empty() {
                self.ask(Method::GET, &asset, &[("if-none-match", &etag)], None).await;
            }
            self.ask(Method::GET, &asset, &[("range", "bytes=10-59")], None).await;
            self.ask(Method::GET, &asset, &[("accept-encoding", "gzip")], None).await;
            self.ask(Method::HEAD, &asset, &[], None).await;
        }
        self.ask(Method::GET, "/static/none.js", &[], None).await.expect(404);
    }

    async fn files(&mut self, jupyter: &Jupyter) {
        let blob = pattern(UPLOAD_BYTES);
        let content = json!({ "type": "file", "format": "base64", "content": STANDARD.encode(&blob) });
        self.ask(Method::PUT, "/api/contents/blob.bin", &[], Some(content)).await.expect(201);
        assert_eq!(std::fs::read(jupyter.file("blob.bin")).unwrap(), blob, "something else arrived");
        let answer = self.ask(Method::GET, "/files/blob.bin?download=1", &[], None).await.expect(200);
        assert_eq!(answer.body, blob, "something else came back");
        self.ask(Method::GET, "/files/blob.bin", &[("range", "bytes=1000000-1999999")], None).await;
        self.ask(Method::HEAD, "/files/blob.bin", &[], None).await.expect(200);
        let path = "/api/contents/with%20blank%20%C3%A9.txt";
        let content = json!({ "type": "file", "format": "text", "content": "Zoë & co\n" });
        self.ask(Method::PUT, path, &[], Some(content)).await.expect(201);
        self.ask(Method::GET, path, &[], None).await.expect(200);
        self.ask(Method::PATCH, path, &[], Some(json!({ "path": "renamed.txt" }))).await.expect(200);
        self.ask(Method::GET, "/files/renamed.txt", &[], None).await.expect(200);
        self.ask(Method::GET, "/api/contents?content=1", &[], None).await.expect(200);
        self.ask(Method::PUT, "/api/contents/bad.txt", &[("x-xsrftoken", "forged")], Some(json!({}))).await;
        self.ask(Method::POST, "/api/contents", &[], Some(json!({ "type": "directory" }))).await.expect(201);
        for path in ["blob.bin", "renamed.txt", "Untitled%20Folder"] {
            self.ask(Method::DELETE, &format!("/api/contents/{path}"), &[], None).await.expect(204);
        }
        self.ask(Method::GET, "/api/contents/blob.bin", &[], None).await.expect(404);
        self.ask(Method::OPTIONS, "/api/contents", &[], None).await;
    }

    async fn terminal(&mut self) {
        let terminal = self.ask(Method::POST, "/api/terminals", &[], None).await.expect(200).json();
        let name = terminal["name"].as_str().unwrap();
        let mut socket = open_socket(&self.person, &format!("/terminals/websocket/{name}")).await.unwrap();
        let typed =
            json!(["stdin", "stty -echo; printf 'through%s\\n' -and-back; head -c 200000 /dev/zero | tr '\\0' x\r"]);
        socket.send(Message::text(typed.to_string())).await.unwrap();
        let mut shown = String::new();
        let mut crosses = 0;
        while crosses < 200_000 {
            let message = tokio::time::timeout(Duration::from_secs(20), socket.next()).await;
            let Ok(Some(Ok(Message::Text(text)))) = message else {
                panic!("{message:?} after {} bytes", shown.len());
            };
            let message: serde_json::Value = serde_json::from_str(&text).unwrap();
            if message[0] == "stdout" {
                let text = message[1].as_str().unwrap();
                crosses += text.matches('x').count();
                shown.push_str(text);
            }
        }
        assert!(shown.contains("through-and-back"), "{}", &shown[..200]);
        socket.close(None).await.unwrap();
        self.ask(Method::DELETE, &format!("/api/terminals/{name}"), &[], None).await.expect(204);
    }

    fn keep(&mut self, what: &str, answer: &Answer) {
        let body = match std::str::from_utf8(&answer.body) {
            Ok(text) if text.len() < 100_000 => same_on_every_visit(text),
            _ => hex::encode(sha2::Sha256::digest(&answer.body)),
        };
        // What is computed from a token or a time differs as they do.
        let of_the_visit = body.contains("VISIT") || body.contains("TIME");
        let mut headers: Vec<(String, String)> = answer
            .headers
            .iter()
            .filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()))
            .filter(|(name, _)| !of_the_visit || *name != "etag")
            .map(|(name, value)| (name.to_string(), same_on_every_visit(&String::from_utf8_lossy(value.as_bytes()))))
            .filter(|(name, value)| !(name == "set-cookie" && value.contains("vestibule")))
            .collect();
        // What is for one person is marked as such, for caches between us and the browser.
        headers.retain(|(name, value)| !(name == "cache-control" && value == "private"));
        for (_, value) in headers.iter_mut().filter(|(name, _)| name == "cache-control") {
            *value = value.replace("private, ", "");
        }
        headers.sort();
        self.seen.push(Seen { what: same_on_every_visit(what), status: answer.status, headers, body });
    }
}

/// Of the connection, not of the answer; and the time.
const NOT_COMPARED: [&str; 4] = ["connection", "date", "keep-alive", "transfer-encoding"];

/// Tokens, signatures and times replaced.
fn same_on_every_visit(text: &str) -> String {
    static REPLACEMENTS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d{10}", "VISIT"),
            (r#"="?2\|1:0\|[^";]*"?"#, "=VISIT"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
            (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", "TIME"),
        ]
        .map(|(pattern, instead)| (Regex::new(pattern).unwrap(), instead))
        .into()
    });
    REPLACEMENTS
        .iter()
        .fold(text.to_owned(), |text, (pattern, instead)| pattern.replace_all(&text, *instead).into_owned())
}

/// Password and code on our own pages.
async fn sign_in(browser: &Browser, stack: &Stack, account: &Account) {
    browser.fill("username", &account.name).await;
    browser.fill("password", &account.password).await;
    browser.click("form [type=submit]").await;
    browser.find("[name=code]").await;
    let code = stack.vendor.newest_code(&account.phone);
    stack.evidence().keep(SecretKind::Code, &code);
    browser.fill("code", &code).await;
    browser.click("form [type=submit]").await;
}

/// The application's own sign-in page, its list of files, an upload there, and a terminal.
async fn use_the_pages(browser: &Browser, jupyter: &Jupyter, upload: &Path) {
    browser.find("#password_input").await.send_keys(jupyter::PASSWORD).await.unwrap();
    browser.picture("third-party-sign-in").await;
    browser.click("#login_submit").await;
    browser.find("#notebook_list").await;
    browser.wait_for_text("The notebook list is empty.").await;
    browser.find("#upload_span input[type=file]").await.send_keys(&upload.to_string_lossy()).await.unwrap();
    browser.click(".upload_button.btn-primary").await;
    browser.wait_for_text("seconds ago").await;
    browser.picture("third-party-files").await;

    let origin = url::Url::parse(&browser.url().await).unwrap().origin().ascii_serialization();
    browser.open(&format!("{origin}/terminals/new")).await;
    browser.find("textarea.xterm-helper-textarea").await.send_keys("echo typed >typed.txt\n").await.unwrap();
    wait_for("what was typed into the terminal", || {
        (std::fs::read_to_string(jupyter.file("typed.txt")).ok()? == "typed\n").then_some(())
    });
    browser.picture("third-party-terminal").await;
}

/// What the console says, without the addresses.
async fn complaints(browser: &Browser) -> Vec<String> {
    let address = Regex::new(r"http://(localhost|127\.0\.0\.1):\d+").unwrap();
    let mut said: Vec<String> =
        browser.complaints().await.iter().map(|said| address.replace_all(said, "SITE").into_owned()).collect();
    said.sort();
    said
}
