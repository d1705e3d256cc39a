//! Who is not signed in, and what they are told: never a byte of the application.

use super::{PHONE, ask_raw, head, status};
use crate::harness::raw::{self, open_socket};
use crate::harness::stack::{Plan, Stack};
use reqwest::Method;
use serde_json::json;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Error;

const NAVIGATION: [(&str, &str); 3] =
    [("accept", "text/html,*/*;q=0.8"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];

#[tokio::test]
async fn a_page_leads_to_the_sign_in_and_everything_else_is_a_401() {
    let stack = Stack::start();
    let person = stack.person();

    let answer = person.open("/some/page?x=1&y=%2F").await.expect(303);
    assert_eq!(answer.location().unwrap(), "/.vestibule/login?return_to=%2Fsome%2Fpage%3Fx%3D1%26y%3D%252F");
    let old_browser = [("accept", "text/html")];
    person.send(Method::GET, "/", &old_browser, None).await.expect(303);
    person.send(Method::HEAD, "/", &NAVIGATION, None).await.expect(303);

    let fetch = [("accept", "*/*"), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty")];
    let xhr = [("accept", "text/html, */*"), ("x-requested-with", "XMLHttpRequest")];
    let api = [("accept", "application/json"), ("authorization", "Bearer x")];
    let image = [("accept", "image/*"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")];
    let curl = [("accept", "*/*"), ("user-agent", "curl/8.0")];
    for headers in [&fetch[..], &xhr, &api, &image, &curl, &[]] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
            let answer = person.send(method.clone(), "/api/things", headers, None).await.expect(401);
            assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {headers:?}");
            assert_eq!(answer.header("www-authenticate"), "Vestibule");
            assert_eq!(answer.header("cache-control"), "no-store");
            assert_eq!(answer.location(), None);
            let problem = answer.json();
            assert_eq!(problem["status"], 401);
            assert_eq!(problem["code"], "sign_in_required", "{problem}");
            assert_eq!(problem["request_id"], answer.header("x-request-id"), "{problem}");
        }
    }
    // A form that was sent is no page to come back to: what was typed would be lost on the way.
    let answer = person.post("/form", &[("field", "value")]).await.expect(401);
    assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");

    assert!(matches!(open_socket(&person, "/socket").await, Err(Error::Http(answer)) if answer.status() == 401));
    assert_eq!(stack.upstream.count(), 0, "something reached the application");
}

#[tokio::test]
async fn a_body_that_nobody_will_read_is_not_asked_for() {
    let stack = Stack::start();
    let person = stack.person();
    let fields = ["Content-Length: 1073741824", "Content-Type: application/octet-stream", "Expect: 100-continue"];
    let request = head(&person, "POST /upload HTTP/1.1", &fields);
    let answer = raw::exchange(person.port(), request.as_bytes(), Duration::from_secs(5)).await;
    assert_eq!(raw::statuses(&answer), [401], "{}", String::from_utf8_lossy(&answer));
    assert_eq!(stack.upstream.count(), 0);
    assert_eq!(stack.upstream.body_bytes_under_way(), 0);
}

#[tokio::test]
async fn no_cookie_but_a_whole_and_living_one_opens_anything() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.signed_in(&account).await;
    let cookie = person.cookie("vestibule").unwrap();
    let pending = stack.person();
    let page = pending.give_password("/", &account).await;
    assert!(page.has_form_with("code"));
    let login_cookie = pending.cookie("vestibule-login").unwrap();
    stack.upstream.forget();

    let mut changed = cookie.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    let mut parts = cookie.split('.');
    let (version, key) = (parts.next().unwrap(), parts.next().unwrap());
    for cookies in [
        String::new(),
        "vestibule=".to_owned(),
        format!("vestibule={changed}"),
        format!("vestibule={}", &cookie[..cookie.len() - 2]),
        format!("vestibule={version}.{key}."),
        format!("vestibule={cookie}; vestibule={cookie}"),
        format!("vestibule={cookie}; vestibule=x"),
        format!("VESTIBULE={cookie}"),
        format!("\u{2000}vestibule={cookie}"),
        format!("=vestibule={cookie}"),
        format!("$Version=1; $vestibule={cookie}"),
        format!("vestibule=\"{cookie}\""),
        format!("__Host-vestibule={cookie}"),
        format!("vestibule={login_cookie}"),
        format!("vestibule-login={login_cookie}"),
        format!("vestibule-login={cookie}"),
    ] {
        let stranger = stack.person();
        let answer = ask_raw(&stranger, "/", &[&format!("Cookie: {cookies}"), "Accept: application/json"]).await;
        assert!(matches!(status(&answer), 400 | 401), "{cookies:?}: {answer}");
    }
    pending.fetch("/").await.expect(401);
    assert_eq!(stack.upstream.count(), 0);
    person.fetch("/").await.expect(200);
}

#[tokio::test]
async fn every_request_of_a_connection_is_judged_by_itself() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let with = head(&person, "GET /mine HTTP/1.1", &[]).replace("Connection: close\r\n", "");
    let without = head(&stack.person(), "GET /theirs HTTP/1.1", &[]);
    let answer = raw::exchange(person.port(), (with + &without).as_bytes(), Duration::from_secs(5)).await;
    assert_eq!(raw::statuses(&answer)[0], 200);
    assert!(raw::statuses(&answer)[1..].iter().all(|status| *status == 401), "{:?}", raw::statuses(&answer));
    assert_eq!(stack.upstream.requests_to("/theirs").len(), 0);
}

#[tokio::test]
async fn nothing_follows_a_refused_upgrade_to_the_application() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let upgrade = head(
        &person,
        "GET /no-socket-here HTTP/1.1",
        &["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    )
    .replace("Connection: close", "Connection: Upgrade");
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: app\r\nX-Forwarded-User: eve\r\n\r\n";
    let answer = raw::exchange(person.port(), (upgrade + smuggled).as_bytes(), Duration::from_secs(2)).await;
    assert_eq!(raw::statuses(&answer).first(), Some(&200), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(stack.upstream.requests_to("/smuggled").len(), 0);
}

#[tokio::test]
async fn heads_that_readers_differ_about_go_nowhere() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let host = person.host().to_owned();
    let cookies = person.cookie_header("/").unwrap();
    let body = "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    for (what, request) in [
        (
            "both lengths",
            format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
        ),
        ("two lengths", format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nContent-Length: 5\r\n")),
        (
            "the same length twice",
            format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nContent-Length: 4\r\n"),
        ),
        ("a list of lengths", format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4, 4\r\n")),
        ("a signed length", format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: +4\r\n")),
        ("another encoding", format!("POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip, chunked\r\n")),
        ("a hidden encoding", format!("POST / HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: \u{b}chunked\r\n")),
        ("chunks in HTTP/1.0", format!("POST / HTTP/1.0\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n")),
        ("a blank before the colon", format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-A : 1\r\n")),
        ("a folded line", format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-A: 1\r\n folded\r\n")),
        ("a bare line feed", format!("GET / HTTP/1.1\nHost: {host}\nX-A: 1\r\n")),
        ("a bare carriage return", format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-A: 1\r2\r\n")),
        ("a NUL", format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-A: 1\u{0}\r\n")),
        ("no host", "GET / HTTP/1.1\r\n".to_owned()),
        ("two hosts", format!("GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n")),
        ("a target of another host", format!("GET http://elsewhere.example/ HTTP/1.1\r\nHost: {host}\r\n")),
    ] {
        let request = format!("{request}Cookie: {cookies}\r\n\r\n{body}");
        let answer = raw::exchange(person.port(), request.as_bytes(), Duration::from_secs(2)).await;
        let statuses = raw::statuses(&answer);
        assert!(matches!(statuses[..], [] | [400 | 421 | 501 | 505]), "{what}: {}", String::from_utf8_lossy(&answer));
        assert_eq!(stack.upstream.count(), 0, "{what}: {:#?}", stack.upstream.requests());
    }
    for method in ["TRACE", "TRACK", "CONNECT"] {
        let target = if method == "CONNECT" { host.as_str() } else { "/" };
        let request = head(&person, &format!("{method} {target} HTTP/1.1"), &[]);
        let answer = raw::exchange(person.port(), request.as_bytes(), Duration::from_secs(2)).await;
        assert!(matches!(raw::statuses(&answer)[..], [400 | 405]), "{method}: {}", String::from_utf8_lossy(&answer));
    }
    // A target is not mended, so that nobody can take it for another one than was judged.
    for target in ["/a \"b\"", "/a\"b\"", "/a#b"] {
        assert_eq!(status(&ask_raw(&person, target, &[]).await), 400, "{target}");
    }
    assert_eq!(stack.upstream.count(), 0);
}

#[tokio::test]
async fn a_request_beyond_the_limits_is_refused() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let long = "x".repeat(40_000);
    let answer = ask_raw(&person, "/", &[&format!("X-Long: {long}")]).await;
    assert_eq!(status(&answer), 431);
    let many: Vec<String> = (0..150).map(|number| format!("X-{number}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(status(&ask_raw(&person, "/", &many).await), 431);
    assert_eq!(status(&ask_raw(&person, &format!("/{}", "x".repeat(9000)), &[]).await), 414);
    assert_eq!(stack.upstream.count(), 0);
    assert_eq!(status(&ask_raw(&person, &format!("/{}", "x".repeat(8000)), &[]).await), 200);
}

#[tokio::test]
async fn a_host_that_is_nobodys_is_misdirected() {
    let stack = Plan::new().set("sites.0.routes", json!([{ "path": "/*", "access": "public" }])).start();
    let port = stack.person().port();
    for host in ["elsewhere.example", "127.0.0.1", "localhost", "localhost:1", "localhost.:{PORT}", "xlocalhost:{PORT}"]
    {
        let host = host.replace("{PORT}", &port.to_string());
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = raw::exchange(port, request.as_bytes(), Duration::from_secs(5)).await;
        assert_eq!(raw::statuses(&answer), [421], "{host}: {}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(stack.upstream.count(), 0);
    stack.person().fetch("/").await.expect(200);
}
