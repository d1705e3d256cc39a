//! The servers behind, as the real program treats them: real nginx and openssl as applications, killed, frozen, started again, with
//! certificates right and wrong. What raw servers count is told in the unit tests of the gateway.

mod application;
mod certificates;
mod changes;
mod probe;
mod scarcity;
mod trust;

use crate::harness::stack::{Plan, Stack};
use serde_json::{Value, json};
use std::time::Duration;

/// A stack whose site needs no sign-in, with these settings of its upstream.
fn open_to_all(upstream: Value) -> Stack {
    plan(upstream).start()
}

fn plan(upstream: Value) -> Plan {
    Plan::new().set("upstreams.app", upstream).set("sites.0.routes", json!([{ "path": "/*", "access": "public" }]))
}

/// The messages about servers that a node has logged: message, server, cause.
fn said_of_servers(stack: &Stack) -> Vec<(String, String, String)> {
    let text = |record: &Value, key: &str| record[key].as_str().unwrap_or_default().to_owned();
    let records = stack.nodes[0].records();
    let about_servers = records.iter().filter(|record| record["server"].is_string());
    about_servers.map(|record| (text(record, "message"), text(record, "server"), text(record, "cause"))).collect()
}

fn count_of(stack: &Stack, message: &str) -> usize {
    said_of_servers(stack).iter().filter(|(said, _, _)| said == message).count()
}

/// Waits without holding a thread of the test's runtime.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < crate::harness::children::PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
