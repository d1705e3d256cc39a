//! The recipes of the docs keep the promises that the gateway keeps when it carries the traffic itself.

use super::PHONE;
use super::front::{Front, Kind, passes_on};
use crate::browser;
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::children::{PATIENCE, wait_for};
use crate::harness::person::Person;
use crate::harness::raw;
use crate::harness::stack::Plan;
use crate::harness::wire::Received;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, Message};

#[tokio::test]
async fn nginx_with_the_recipe_keeps_the_promises() {
    keeps_the_promises(&Front::start(Kind::Nginx)).await;
}

#[tokio::test]
async fn caddy_with_the_recipe_keeps_the_promises() {
    keeps_the_promises(&Front::start(Kind::Caddy)).await;
}

#[tokio::test]
async fn traefik_with_the_recipe_keeps_the_promises() {
    keeps_the_promises(&Front::start(Kind::Traefik)).await;
}

#[tokio::test]
async fn envoy_with_the_recipe_keeps_the_promises() {
    keeps_the_promises(&Front::start(Kind::Envoy)).await;
}

async fn keeps_the_promises(front: &Front) {
    strangers_are_refused(front).await;
    let account = front.stack.add_account("ada", PHONE);
    let person = front.signed_in(&account, "/page?a=b%20c").await;
    person.set_cookie("app", "1");
    the_application_learns_who_it_is(front, &person).await;
    nobody_says_who_he_is(front, &person).await;
    only_what_the_rules_open_is_open(front).await;
    forms_and_sockets_work(front, &person).await;
    // all that was asked about is known, and its query is not in the log
    let originals = front.originals();
    assert!(originals.iter().any(|original| original == "GET /page"), "{originals:?}");
    assert!(!originals.iter().any(|original| original.contains('?')), "{originals:?}");

    let page = person.open("/.vestibule/logout").await.expect(200);
    person.submit(&page.form_to("/.vestibule/logout"), "/.vestibule/logout", &[]).await;
    person.open("/page").await.expect(303);
    person.fetch("/page").await.expect(401);
}

async fn strangers_are_refused(front: &Front) {
    let stranger = front.person();
    let answer = stranger.open("/page?a=b%20c").await.expect(303);
    let sign_in = format!("{}/.vestibule/login?return_to=%2Fpage%3Fa%3Db%2520c", stranger.site());
    assert_eq!(answer.location(), Some(sign_in));
    let answer = stranger.fetch("/api").await.expect(401);
    assert_eq!(answer.header("www-authenticate"), "Vestibule");
    assert_eq!(answer.json()["code"], "sign_in_required");
    let answer = stranger.post("/form", &[("a", "b")]).await.expect(401);
    assert_eq!(answer.location().filter(|_| answer.status != 401), None);
    assert_eq!(stranger.send(Method::DELETE, "/api", &[], None).await.status, 401);
    assert_eq!(front.stack.upstream.count(), 0, "{:#?}", front.stack.upstream.requests());
}

async fn the_application_learns_who_it_is(front: &Front, person: &Person) {
    person.fetch("/who").await.expect(200);
    let seen = front.stack.upstream.request_to("/who");
    assert_eq!(seen.header("x-forwarded-user"), Some("ada"));
    assert!(seen.header("x-vestibule-session").is_some_and(|session| !session.is_empty()));
    assert_eq!(cookies(&seen), ["app=1"], "{:#?}", seen.headers);
    let host = person.host();
    assert_eq!((seen.header("host"), seen.header("x-forwarded-proto")), (Some(host), Some("http")));
    // the same with ours behind, between and twice
    let session = person.cookie("vestibule").unwrap();
    let cookie = format!("Cookie: a=1; vestibule-login=x; b=2; vestibule={session}; vestibule-bounces=1; c=3");
    let answer = ask(person, "GET /mixed", &[&cookie], "").await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(cookies(&front.stack.upstream.request_to("/mixed")), ["a=1", "b=2", "c=3"]);
    let twice = format!("Cookie: vestibule={session}; vestibule={session}; c=3");
    let answer = ask(person, "GET /open/twice", &[&twice], "").await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = front.stack.upstream.request_to("/open/twice");
    assert!(cookies(&seen).iter().all(|pair| !pair.starts_with("vestibule")), "{:#?}", seen.headers);
}

async fn nobody_says_who_he_is(front: &Front, person: &Person) {
    let upstream = &front.stack.upstream;
    let session = format!("Cookie: vestibule={}", person.cookie("vestibule").unwrap());
    for (number, name) in [
        "X-Forwarded-User",
        "x-forwarded-user",
        "X_Forwarded_User",
        "x-forwarded_user",
        "X.Forwarded.User",
        "X-Forwarded-Email",
        "X-Forwarded-Preferred-Username",
        "X-Forwarded-Groups",
        "X-Vestibule-Session",
        "X_Vestibule-Session",
        "X-Vestibule-User",
        "X-Vestibule-Assertion",
        "X-HTTP-Method-Override",
        "X-Original-URL",
        "X-Rewrite-URL",
    ]
    .into_iter()
    .enumerate()
    {
        let forged = format!("{name}: forged");
        for (target, cookie) in [(format!("/named/{number}"), session.as_str()), (format!("/open/{number}"), "A: b")] {
            let doubled = [forged.as_str(), &forged, cookie];
            for fields in [&doubled[1..], &doubled[..]] {
                let answer = ask(person, &format!("GET {target}"), fields, "").await;
                // some refuse such a request: it is no way in either
                assert!([200, 400, 401, 403].contains(&status(&answer)), "{name}: {answer}");
            }
            for seen in upstream.requests_to(&target) {
                let reached = seen.headers.iter().any(|(_, value)| value.contains("forged"));
                assert!(!reached, "{name} at {target}: {:#?}", seen.headers);
                let user = seen.header("x-forwarded-user").unwrap_or_default();
                assert_eq!(user, if target.starts_with("/open") { "" } else { "ada" }, "{name}");
            }
        }
    }
    let plain = ask(person, "GET /open/plain", &["X-Forwarded-User: forged"], "").await;
    assert_eq!(status(&plain), 200, "{plain}");
    assert_eq!(upstream.request_to("/open/plain").header("x-forwarded-user").unwrap_or_default(), "");
}

async fn only_what_the_rules_open_is_open(front: &Front) {
    let upstream = &front.stack.upstream;
    let stranger = front.person();
    stranger.open("/open/page").await.expect(200);
    stranger.send(Method::HEAD, "/open/page", &[], None).await.expect(200);
    stranger.post("/hook", &[("a", "b")]).await.expect(200);
    stranger.fetch("/hook").await.expect(401);
    stranger.fetch("/open/never/page").await.expect(403);
    let before = upstream.count();
    for fields in [
        &["X-Original-URI: /open/page"] as &[&str],
        &["X-Original-Method: GET", "X-Original-URI: /open/page"],
        &["X-Original-URL: http://localhost/open/page"],
        &["X-Original-Method: GET", "X-Original-URL: http://localhost/open/page"],
        &["X-Forwarded-Uri: /open/page"],
        &["X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/page"],
        &["X-Forwarded-Uri: /open/page", "X-Forwarded-Uri: /open/page"],
        &["X-Forwarded-Proto: https"],
        &["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: other.example.com"],
        &["X-Rewrite-URL: /open/page", "X-HTTP-Method-Override: POST"],
        &["Connection: X-Original-URI, X-Original-Method, X-Forwarded-Uri, X-Forwarded-Method"],
        &["Connection: X-Forwarded-User, Cookie"],
    ] {
        for line in ["GET /private", "POST /private", "GET /hook"] {
            let answer = ask(&stranger, line, fields, "").await;
            assert!((400..500).contains(&status(&answer)), "{line} {fields:?}: {answer}");
        }
    }
    for target in [
        "/open/../private",
        "/open/%2e%2e/private",
        "/open/..%2fprivate",
        "/open%2f..%2fprivate",
        "/open/..;/private",
        "//open/../private",
        "/open/\\..\\private",
        "/private#/open/page",
        "/private?/open/page",
        "/open/..%252fprivate",
        "/.vestibule/../private",
        "/.vestibule/verify/../../private",
        "/.vestibule/verify/open/page",
    ] {
        for line in [format!("GET {target}"), format!("GET http://{}{target}", stranger.host())] {
            let answer = ask(&stranger, &line, &[], "").await;
            assert_ne!(status(&answer), 200, "{line}: {answer}");
        }
    }
    for line in ["TRACE /open/page", "CONNECT localhost:1", "get /open/page", "GET /.Vestibule/login"] {
        let answer = ask(&stranger, line, &[], "").await;
        assert_ne!(status(&answer), 200, "{line}: {answer}");
    }
    assert_eq!(upstream.count(), before, "{:#?}", upstream.requests());
}

async fn forms_and_sockets_work(front: &Front, person: &Person) {
    person.post("/form", &[("text", "a b")]).await.expect(200);
    let seen = front.stack.upstream.request_to("/form");
    assert_eq!((seen.method.as_str(), seen.text().as_str()), ("POST", "text=a+b"));
    assert_eq!(seen.header("x-forwarded-user"), Some("ada"));

    let mut socket = raw::open_socket(person, "/socket").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    drop(socket);
    let opened = front.stack.upstream.requests_to("/socket").len();
    assert_eq!(refused_socket(&front.person(), None).await, 401);
    assert_eq!(refused_socket(person, Some("http://evil.example.com")).await, 403);
    assert_eq!(front.stack.upstream.requests_to("/socket").len(), opened);
}

/// The status with which a WebSocket is refused.
async fn refused_socket(person: &Person, origin: Option<&str>) -> u16 {
    let mut request = format!("ws://{}/socket", person.host()).into_client_request().unwrap();
    let origin = origin.unwrap_or(person.site());
    request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
    if let Some(cookies) = person.cookie_header("/socket") {
        request.headers_mut().insert("cookie", HeaderValue::from_str(&cookies).unwrap());
    }
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", person.port())).await.unwrap();
    match tokio_tungstenite::client_async(request, stream).await {
        Err(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_renewed_session_reaches_the_browser_through_each_proxy() {
    for kind in [Kind::Nginx, Kind::Caddy, Kind::Traefik, Kind::Envoy] {
        let front = Front::start_with(kind, || Plan::new().set("session.idle_timeout", "8s"));
        let person = front.signed_in(&front.stack.add_account("ada", PHONE), "/").await;
        let first = person.cookie("vestibule").unwrap();
        let began = Instant::now();
        let renewed = loop {
            let answer = person.fetch("/").await.expect(200);
            let cookie = person.cookie("vestibule").unwrap();
            if cookie != first {
                assert!(answer.header("set-cookie").starts_with("vestibule="), "{kind:?}: {:?}", answer.headers);
                break cookie;
            }
            assert!(began.elapsed() < PATIENCE, "{kind:?}: no cookie came");
        };
        assert!(person.fetch("/").await.expect(200).header("set-cookie").is_empty() && !renewed.is_empty());
    }
}

#[tokio::test]
async fn without_an_answer_nobody_is_let_through() {
    for kind in [Kind::Nginx, Kind::Caddy, Kind::Traefik, Kind::Envoy] {
        let mut front = Front::start(kind);
        let person = front.signed_in(&front.stack.add_account("ada", PHONE), "/").await;
        let before = front.stack.upstream.count();
        front.stack.node().kill();
        for target in ["/", "/open/page"] {
            let answer = person.fetch(target).await;
            assert!((500..=504).contains(&answer.status), "{kind:?} {target}: {}", answer.status);
        }
        assert_eq!(front.stack.upstream.count(), before, "{kind:?}");
        front.stack.node().start_again(&[]);
        wait_for("the proxy to go on", || passes_on(person.port()).then_some(()));
    }
}

#[tokio::test]
async fn someone_signs_in_with_a_browser_through_nginx() {
    let front = Front::start(Kind::Nginx);
    let account = front.stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    let site = front.person().site().to_owned();
    browser.open(&format!("{site}/wanted?x=1#part")).await;
    browser::give_password(&browser, &account.name, &account.password).await;
    let code = front.stack.vendor.wait_for_message(PHONE, 1).code();
    browser::give_code(&browser, &code).await;
    browser.wait_for_url("the page first asked for", |url| url.contains("/wanted?x=1")).await;
    browser.wait_for_text("/wanted").await;
    assert_eq!(front.stack.upstream.request_to("/wanted").header("x-forwarded-user"), Some("ada"));
    browser.close().await;
}

/// The single cookies that an application got.
fn cookies(request: &Received) -> Vec<String> {
    let pairs = request.headers_named("cookie").into_iter().flat_map(|field| field.split(';').map(str::trim));
    pairs.filter(|pair| !pair.is_empty()).map(str::to_owned).collect()
}

/// A request written by hand, on a connection of its own; no cookies but those in `fields`.
async fn ask(person: &Person, line: &str, fields: &[&str], body: &str) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    let request =
        format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{fields}{length}\r\n{body}", person.host());
    let answer = raw::exchange(person.port(), request.as_bytes(), Duration::from_secs(10)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
