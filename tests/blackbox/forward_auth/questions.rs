//! The question itself: the same decision as for what the gateway carries, and what forged, doubled and odd questions come to.

use super::PHONE;
use crate::harness::person::Person;
use crate::harness::raw;
use crate::harness::stack::{Plan, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn rules() -> Value {
    json!([
        { "path": "/open/never/*", "access": "deny" },
        { "path": "/open/*", "access": "public" },
        { "path": "/hook", "methods": ["POST"], "networks": ["203.0.113.0/24"], "access": "public" },
    ])
}

fn trusting() -> Plan {
    Plan::new().set("trusted_proxies", json!(["127.0.0.1"])).set("sites.0.routes", rules())
}

#[tokio::test]
async fn a_question_is_decided_as_the_request_itself_would_be() {
    let stack = trusting().start();
    let ada = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let paths = [
        "/",
        "/page",
        "/open/page",
        "/open/",
        "/open",
        "/open/never/page",
        "/open/../page",
        "/open/%2e%2e/page",
        "/open%2fpage",
        "//open/page",
        "/open/;x/page",
        "/hook",
        "/.vestibule",
        "/x/..%2f.vestibule/login",
        "/open/%zz",
    ];
    for person in [&ada, &stack.person(), &stack.person().with_header("x-forwarded-for", "203.0.113.9")] {
        for path in paths {
            for method in ["GET", "HEAD", "POST", "DELETE", "PROPFIND", "TRACE", "FOO"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let carried = ask(person, &format!("{method} {path}"), &[]).await;
                let told = [format!("X-Original-Method: {method}"), format!("X-Original-URI: {path}")];
                let told: Vec<&str> = told.iter().map(String::as_str).collect();
                let asked = ask(person, "GET /.vestibule/verify", &told).await;
                let expected = match status(&carried) {
                    404 | 405 => 403,
                    other => other,
                };
                assert_eq!(status(&asked), expected, "{method} {path}\n{carried}\n{asked}");
                let in_path = ask(person, &format!("{method} /.vestibule/verify{path}"), &[]).await;
                assert_eq!(status(&in_path), status(&carried), "{method} {path}\n{carried}\n{in_path}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_but_a_trusted_proxy_is_believed() {
    let stack = Plan::new().set("sites.0.routes", json!([{ "path": "/open/*", "access": "public" }])).start();
    let ada = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let stranger = stack.person();
    let forged = ["X-Original-Method: GET", "X-Original-URI: /open/page"];
    for (target, fields) in [
        ("/.vestibule/verify", &forged as &[&str]),
        (
            "/.vestibule/verify",
            &[
                "X-Forwarded-Method: GET",
                "X-Forwarded-Uri: /open/page",
                "X-Forwarded-Proto: http",
                "X-Forwarded-Host: localhost",
            ],
        ),
        ("/.vestibule/verify", &["X-Original-Method: GET", "X-Original-URL: http://localhost/open/page"]),
        ("/.vestibule/verify/open/page", &[]),
        ("/.vestibule/verify/../../open/page", &[]),
        ("/.vestibule/verify", &[]),
    ] {
        let page = [fields, &["Accept: text/html"]].concat();
        let answer = ask(&stranger, &format!("GET {target}"), &page).await;
        assert!([303, 401].contains(&status(&answer)), "{target} {fields:?}: {answer}");
        let location = format!("{}/.vestibule/login?return_to=%2F\r\n", stranger.site());
        assert!(answer.contains(&location), "{target} {fields:?}: {answer}");
        // whoever is signed in is so, whatever is told
        assert_eq!(status(&ask(&ada, &format!("GET {target}"), fields).await), 200, "{target} {fields:?}");
    }
    let originals = originals(&stack);
    assert!(originals.iter().all(|original| original.starts_with('(')), "{originals:?}");
    assert!(originals.iter().any(|original| original == "(told by a peer outside trusted_proxies)"), "{originals:?}");
}

#[tokio::test]
async fn a_question_that_is_not_clear_opens_nothing() {
    let stack = trusting().start();
    let ada = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let (get, open) = ("X-Original-Method: GET", "X-Original-URI: /open/page");
    let before = stack.upstream.count();
    for fields in [
        &[] as &[&str],
        &[get],
        &[open],
        &[get, get, open],
        &[get, open, open],
        &[get, open, "X-Original-URI: /private"],
        &["X-Original-Method: GET, POST", open],
        &["X-Original-Method: GET /x", open],
        &[get, "X-Original-URI: http://localhost/open/page"],
        &[get, "X-Original-URL: /open/page"],
        &[get, "X-Original-URL: //localhost/open/page"],
        &[get, "X-Original-URL: https://evil.example.com/open/page"],
        &[get, "X-Original-URL: http://localhost@evil.example.com/open/page"],
        &[get, open, "X-Original-URL: http://localhost/open/page"],
        &[get, open, "X-Forwarded-Method: GET"],
        &[get, open, "X-Forwarded-Uri: /open/page"],
        &["X-Forwarded-Method: GET", "X-Forwarded-Uri: /open/page"],
        &[
            "X-Forwarded-Method: GET",
            "X-Forwarded-Uri: /open/page",
            "X-Forwarded-Host: evil.example.com",
            "X-Forwarded-Proto: http",
        ],
    ] {
        for person in [&ada, &stack.person()] {
            let answer = ask(person, "GET /.vestibule/verify", fields).await;
            assert!([401, 403, 421].contains(&status(&answer)), "{fields:?}: {answer}");
            assert!(!answer.to_lowercase().contains("x-forwarded-user"), "{fields:?}: {answer}");
        }
    }
    for (line, expected) in [
        ("GET /.vestibule/verify/../login", &[401_u16] as &[u16]),
        ("GET /.vestibule/verify/..%2flogin", &[401]),
        ("GET /.vestibule/verify/.vestibule/login", &[404]),
        ("GET /.vestibule//verify/open/page", &[404]),
        ("GET /.vestibule/verify%2fopen/page", &[404]),
        ("GET /.vestibule/Verify", &[404]),
        ("GET /.vestibule/verifyx", &[404]),
        ("CONNECT localhost:1", &[400, 405]),
        ("CONNECT /.vestibule/verify/open/page", &[400, 405]),
        ("HEAD /.vestibule/verify/private", &[401]),
        ("GET http://evil.example.com/.vestibule/verify/open/page", &[400]),
    ] {
        let answer = ask(&stack.person(), line, &[]).await;
        assert!(expected.contains(&status(&answer)), "{line}: {answer}");
    }
    let elsewhere = raw::exchange(
        ada.port(),
        b"GET /.vestibule/verify/open/page HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n",
        Duration::from_secs(10),
    )
    .await;
    assert_eq!(raw::statuses(&elsewhere), [421]);
    assert_eq!(stack.upstream.count(), before);
}

#[tokio::test]
async fn the_answer_says_who_it_is_or_nobody() {
    let stack =
        trusting().set("sites.0.identity.headers", json!({ "user": "Remote-User", "email": "Remote-Email" })).start();
    let ada = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let answer = ask(&ada, "GET /.vestibule/verify/page", &["Remote-User: root"]).await.to_lowercase();
    assert!(answer.contains("\r\nremote-user: ada\r\n") && answer.contains("\r\nremote-email: \r\n"), "{answer}");
    assert!(answer.contains("\r\ncache-control: no-store\r\n"), "{answer}");
    let session = answer.split("\r\nx-vestibule-session: ").nth(1).unwrap();
    assert!(!session.starts_with('\r'), "{answer}");
    let answer = ask(&stack.person(), "GET /.vestibule/verify/open/page", &["Remote-User: root"]).await.to_lowercase();
    for name in ["remote-user", "remote-email", "x-vestibule-session"] {
        assert!(answer.contains(&format!("\r\n{name}: \r\n")), "{answer}");
    }
    let head = ask(&ada, "HEAD /.vestibule/verify/page", &[]).await.to_lowercase();
    assert!(head.contains("\r\nremote-user: ada\r\n"), "{head}");
}

#[tokio::test]
async fn a_site_without_an_upstream_passes_nothing_on() {
    let stack = trusting()
        .change(|settings| {
            settings.remove("sites.0.upstream").remove("upstreams");
        })
        .start();
    let ada = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let answer = ada.open("/page").await.expect(404);
    assert!(answer.reads().contains("There is nothing at this address"), "{}", answer.reads());
    assert_eq!(ada.fetch("/open/page").await.expect(404).json()["code"], "no_upstream");
    stack.person().open("/page").await.expect(303);
    let records = stack.nodes[0].records();
    assert!(records.iter().any(|record| record["reason"] == "no_upstream"));
    let told = |record: &Value| record["message"].as_str().is_some_and(|text| text.contains("without an upstream"));
    assert!(records.iter().any(|record| record["level"] == "WARN" && told(record)));
    let said = stack.command(&["check"], "");
    assert!(format!("{}{}", said.stdout, said.stderr).contains("has no upstream"), "{said:?}");
    let explained = stack.command(&["explain", &format!("{}/page", stack.site())], "").done();
    assert!(
        explained.contains("none: another proxy carries it") && explained.contains("x-forwarded-user"),
        "{explained}"
    );
}

fn originals(stack: &Stack) -> Vec<String> {
    let records = stack.nodes[0].records();
    records.iter().filter_map(|record| Some(record["original"].as_str()?.to_owned())).collect()
}

/// A request written by hand, with the cookies and lasting headers of a person.
async fn ask(person: &Person, line: &str, fields: &[&str]) -> String {
    let mut head = format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", person.host());
    if let Some(cookies) = person.cookie_header("/") {
        head.push_str(&format!("Cookie: {cookies}\r\n"));
    }
    for (name, value) in person.lasting_headers() {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    for field in fields {
        head.push_str(&format!("{field}\r\n"));
    }
    head.push_str("\r\n");
    let answer = raw::exchange(person.port(), head.as_bytes(), Duration::from_secs(10)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
