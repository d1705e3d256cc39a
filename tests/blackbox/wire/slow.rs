//! Who takes too long: to begin a request, to finish its head, to send its body.

use super::{Ended, PATIENCE, Wire, holds_answers};
use crate::harness::stack::{Plan, Stack};
use serde_json::json;
use std::time::{Duration, Instant};

const HEAD: Duration = Duration::from_secs(1);

fn stack() -> Stack {
    Plan::new()
        .set("timeouts.head", "1s")
        .set("timeouts.keepalive", "2s")
        .set("timeouts.public_body", "1s")
        .set("sites.0.routes", json!([{ "path": "/public/*", "access": "public" }]))
        .start()
}

/// Sends byte after byte, five a second, until an answer begins or all are sent; says how long it took.
async fn drip(wire: &mut Wire, bytes: &[u8]) -> Duration {
    let started = Instant::now();
    for byte in bytes {
        wire.send(&[*byte]).await;
        if wire.read_on(Duration::from_millis(200)).await != Ended::Open || !wire.got.is_empty() {
            break;
        }
    }
    started.elapsed()
}

#[tokio::test]
async fn a_head_that_drips_is_answered_when_its_time_is_over() {
    let stack = stack();
    let person = stack.person();
    let head =
        format!("GET /public/x HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\nA: {}", person.host(), "a".repeat(200));
    for begun in [0, head.len() - 200] {
        let mut wire = Wire::to(person.port()).await;
        wire.send(&head.as_bytes()[..begun]).await;
        let took = drip(&mut wire, &head.as_bytes()[begun..]).await;
        assert!(took >= HEAD * 9 / 10 && took < HEAD * 5, "{took:?}");
        assert_eq!(wire.read_on(PATIENCE).await, Ended::Closed);
        assert_eq!(wire.statuses(), [408], "{}", wire.text());
        // As much as is known decides the form.
        assert_eq!(wire.text().contains("text/html"), begun > 0, "{}", wire.text());
        assert!(wire.text().to_lowercase().contains("x-request-id: "), "{}", wire.text());
    }
    let log = stack.nodes[0].log();
    let line = log.lines().find(|line| line.contains("head_too_slow")).expect("a line in the access log");
    assert!(line.contains("vestibule::access") && line.contains("408"), "{line}");
    assert_eq!(stack.upstream.count(), 0);
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_without_a_word() {
    let stack = stack();
    let person = stack.person();
    let mut silent = Wire::to(person.port()).await;
    let mut kept = Wire::to(person.port()).await;
    kept.send(format!("GET /public/x HTTP/1.1\r\nHost: {}\r\n\r\n", person.host()).as_bytes()).await;
    kept.read_until(|got| holds_answers(got, 1)).await;
    let (answered, started) = (kept.got.len(), Instant::now());
    for wire in [&mut silent, &mut kept] {
        assert_eq!(wire.read_on(PATIENCE).await, Ended::Closed);
    }
    assert!(started.elapsed() < PATIENCE / 2, "{:?}", started.elapsed());
    assert_eq!((silent.got.len(), kept.got.len()), (0, answered), "{}", kept.text());
}

#[tokio::test]
async fn a_body_may_take_its_time_with_a_session_only() {
    let stack = stack();
    let person = stack.signed_in(&stack.add_account("ada", crate::forwarding::PHONE)).await;
    let head = |cookie: &str| {
        format!("POST /public/x HTTP/1.1\r\nHost: {}\r\n{cookie}Content-Length: 12\r\n\r\n", person.host())
    };
    let mut stranger = Wire::to(person.port()).await;
    stranger.send(head("").as_bytes()).await;
    let took = drip(&mut stranger, b"twelve bytes").await;
    assert!(took >= HEAD * 9 / 10 && took < HEAD * 5 / 2, "{took:?}");
    assert_eq!(stranger.read_on(PATIENCE).await, Ended::Closed);
    assert_eq!(stranger.statuses(), [408], "{}", stranger.text());
    assert!(stack.nodes[0].log().contains("body_too_slow"));
    assert_eq!(stack.upstream.requests_to("/public/x").len(), 0);

    let mut known = Wire::to(person.port()).await;
    known.send(head(&format!("Cookie: {}\r\n", person.cookie_header("/").unwrap())).as_bytes()).await;
    drip(&mut known, b"twelve bytes").await;
    known.read_until(|got| holds_answers(got, 1)).await;
    assert_eq!(known.statuses(), [200], "{}", known.text());
}
