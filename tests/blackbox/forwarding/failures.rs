//! What is said when the application fails: a page of ours for people, a problem document for programs, never a hang.

use super::PHONE;
use crate::harness::children::free_port;
use crate::harness::person::Answer;
use crate::harness::stack::{Plan, Stack};
use crate::harness::upstream::Upstream;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn an_application_that_does_not_answer_is_a_page_of_ours() {
    let stack = Plan::new()
        .set("upstreams.app.timeouts", json!({ "read": "1s" }))
        .set("upstreams.gone", json!({ "servers": [format!("http://127.0.0.1:{}", free_port())] }))
        .set("sites.0.routes", json!([{ "path": "/gone/*", "upstream": "gone" }]))
        .start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for (target, status) in [("/gone/", 502), ("/drop", 502), ("/slow?ms=20000", 504)] {
        let began = Instant::now();
        is_a_page_of_ours(&person.open(target).await, status);
        is_a_problem(&person.fetch(target).await, status);
        let answer = person.send(Method::POST, target, &[("accept", "application/json")], Some(b"x".to_vec())).await;
        is_a_problem(&answer, status);
        assert!(began.elapsed() < Duration::from_secs(10), "{target} took {:?}", began.elapsed());
    }
    // Too late for a page: the answer must not look whole.
    for target in ["/broken", "/stall"] {
        let cut = person.try_send(Method::GET, target, &[], None).await;
        assert!(cut.is_err(), "{target}: {cut:?}");
    }
    person.open("/").await.expect(200);
}

#[tokio::test]
async fn what_the_application_itself_says_is_passed_on() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for code in [204, 301, 304, 401, 403, 404, 418, 500, 502, 503, 504] {
        let answer = person.open(&format!("/status?code={code}")).await.expect(code);
        assert!(matches!(answer.text().as_str(), "" | "as asked"), "{code}: {}", answer.text());
        assert_eq!(answer.header("www-authenticate"), "");
    }
}

#[tokio::test]
async fn a_request_that_may_have_had_an_effect_is_never_sent_twice() {
    let other = Upstream::named("other");
    let stack = Plan::new()
        .change({
            let url = other.url();
            move |settings| {
                settings.set("upstreams.app.servers.1", url);
            }
        })
        .start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for _ in 0..4 {
        // Connections that are kept: on these a request is tried again when nothing can have come of it.
        for _ in 0..4 {
            person.open("/").await.expect(200);
        }
        let answer = person.send(Method::POST, "/drop", &[], Some(b"order=1".to_vec())).await;
        is_a_problem(&answer, 502);
    }
    assert_eq!(stack.upstream.requests_to("/drop").len() + other.requests_to("/drop").len(), 4);
}

#[tokio::test]
async fn another_server_is_tried_when_one_is_gone() {
    let stack = Plan::new()
        .change(|settings| {
            settings.set("upstreams.app.servers.1", format!("http://127.0.0.1:{}", free_port()));
        })
        .start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for number in 0..10 {
        let target = format!("/{number}");
        if number % 2 == 0 {
            person.open(&target).await.expect(200);
        } else {
            person.post(&target, &[("field", "value")]).await.expect(200);
        }
    }
    assert_eq!(stack.upstream.count(), 10);
}

#[track_caller]
fn is_a_page_of_ours(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}: {}", answer.asked, answer.text());
    assert!(answer.header("content-type").starts_with("text/html"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{answer:?}");
    let id = answer.header("x-request-id");
    assert!(!id.is_empty() && answer.reads().contains(id), "no request id on the page: {}", answer.reads());
    assert!(!answer.text().contains("127.0.0.1"), "the page names what is behind: {}", answer.text());
}

#[track_caller]
fn is_a_problem(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}: {}", answer.asked, answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["status"], status);
    assert_eq!(answer.json()["request_id"], answer.header("x-request-id"));
}
