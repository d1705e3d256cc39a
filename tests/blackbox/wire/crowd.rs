//! Too many connections: those beyond the limit are closed unheard, the others go on.

use super::{Ended, PATIENCE, Wire, holds_answers};
use crate::harness::stack::{Plan, Stack};
use crate::harness::tls::SecureStack;
use serde_json::json;
use std::time::Instant;

/// Asks once and keeps the connection; `None` when it was closed instead.
async fn kept(stack: &Stack) -> Option<Wire> {
    let mut wire = Wire::to(stack.nodes[0].port()).await;
    wire.send(b"GET /.vestibule/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
    match wire.read_until(|got| holds_answers(got, 1)).await {
        Ended::Open => Some(wire),
        Ended::Closed | Ended::Reset => {
            assert!(wire.got.is_empty(), "{}", wire.text());
            None
        }
    }
}

async fn as_many_as_possible(stack: &Stack, most: usize) -> Vec<Wire> {
    let mut wires = Vec::new();
    let started = Instant::now();
    while wires.len() < most && started.elapsed() < PATIENCE {
        wires.extend(kept(stack).await);
    }
    wires
}

#[tokio::test]
async fn connections_beyond_the_limit_of_a_network_are_closed_unheard() {
    let stack = Plan::new().set("limits.connections", json!({ "total": 100, "per_network": 3 })).start();
    let mut wires = as_many_as_possible(&stack, 3).await;
    assert_eq!(wires.len(), 3);
    for _ in 0..10 {
        assert!(kept(&stack).await.is_none());
    }
    let log = stack.nodes[0].log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("too many connections")).collect();
    assert!((1..=2).contains(&warnings.len()) && warnings[0].contains("WARN"), "{warnings:#?}");
    // Those that are in go on, and who leaves makes room.
    for wire in &mut wires {
        wire.send(b"GET /.vestibule/live HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert_eq!(wire.read_until(|got| holds_answers(got, 2)).await, Ended::Open);
    }
    wires.pop();
    assert_eq!(as_many_as_possible(&stack, 1).await.len(), 1);
}

#[tokio::test]
async fn a_trusted_proxy_may_have_as_many_as_there_are_in_all() {
    let stack = Plan::new()
        .set("limits.connections", json!({ "total": 5, "per_network": 1 }))
        .set("trusted_proxies", json!(["127.0.0.0/8"]))
        .start();
    let wires = as_many_as_possible(&stack, 5).await;
    assert_eq!(wires.len(), 5);
    let mut one_too_many = Wire::to(stack.nodes[0].port()).await;
    one_too_many.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(one_too_many.read_until(|_| false).await, Ended::Closed);
    assert_eq!(one_too_many.statuses(), [503], "{}", one_too_many.text());
}

#[tokio::test]
async fn a_connection_counts_before_it_has_spoken_tls() {
    let plan = Plan::new().set("limits.connections", json!({ "total": 100, "per_network": 3 }));
    let secure = SecureStack::prepare(plan, |_, _| ()).started();
    // The plain listener shares the count: who asks there is refused when enough are silent at the other one, and not when they are gone.
    let (mut silent, started) = (Vec::new(), Instant::now());
    while kept(&secure.stack).await.is_some() {
        assert!(started.elapsed() < PATIENCE, "{} are connected", silent.len());
        silent.push(Wire::to(secure.port).await);
    }
    for _ in 0..10 {
        let mut refused = Wire::to(secure.port).await;
        assert_ne!(refused.read_until(|_| false).await, Ended::Open);
    }
    let log = secure.stack.nodes[0].log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR")).collect();
    let told = lines.iter().filter(|line| line.contains("too many connections")).count();
    assert!((1..=2).contains(&told) && !log.contains("closed unheard"), "{lines:#?}");
    silent.clear();
    assert_eq!(as_many_as_possible(&secure.stack, 1).await.len(), 1);
}
