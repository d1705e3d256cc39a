//! Servers that go, hang and come back, under load and over a reload.

use super::application::Nginx;
use super::{count_of, open_to_all, plan, said_of_servers, until};
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Requests at the same time.
const WORKERS: usize = 16;

#[tokio::test]
async fn when_one_of_two_servers_is_killed_under_load_at_most_what_was_under_way_fails() {
    const EACH: usize = 150;
    let (mut one, other) = (Nginx::start("one"), Nginx::start("other"));
    let stack = open_to_all(json!({ "servers": [one.server(), other.server()] }));
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (person, done) = (stack.person(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut failed = Vec::new();
                for number in 0..EACH {
                    let method = if (worker + number) % 2 == 0 { Method::GET } else { Method::POST };
                    let body = (method == Method::POST).then(|| b"x=1".to_vec());
                    let answer = person.send(method, "/page", &[], body).await;
                    done.fetch_add(1, Ordering::SeqCst);
                    if answer.status != 200 {
                        failed.push(answer.status);
                    }
                }
                failed
            })
        })
        .collect();
    until("a third is done", async || done.load(Ordering::SeqCst) > WORKERS * EACH / 3).await;
    one.kill();
    let mut failed = Vec::new();
    for worker in workers {
        failed.extend(worker.await.unwrap());
    }
    eprintln!("measured: {} of {} requests failed: {failed:?}", failed.len(), WORKERS * EACH);
    assert!(failed.len() <= WORKERS, "{failed:?}");
    assert!(!one.log("/page").is_empty() && !other.log("/page").is_empty());
    assert!(count_of(&stack, "the server is left alone for a while") >= 1, "{:?}", said_of_servers(&stack));
}

#[tokio::test]
async fn a_frozen_server_is_taken_out_by_its_check_and_comes_back() {
    let (mut one, other) = (Nginx::start("one"), Nginx::start("other"));
    let stack = open_to_all(json!({
        "servers": [one.server(), other.server()],
        "health": { "path": "/health", "interval": "100ms", "timeout": "300ms", "unhealthy_after": 2, "healthy_after": 2 },
        "timeouts": { "read": "1s" },
    }));
    let person = stack.person();
    one.freeze();
    until("the check notices", async || count_of(&stack, "the server is unhealthy") == 1).await;
    let began = Instant::now();
    for number in 0..20 {
        person.open(&format!("/{number}")).await.expect(200);
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    one.start_again();
    until("the check notices", async || count_of(&stack, "the server is healthy again") == 1).await;
    for _ in 0..4 {
        person.open("/again").await.expect(200);
    }
    assert_eq!((one.log("/again").len(), other.log("/again").len()), (2, 2));
    let said = said_of_servers(&stack);
    let unhealthy = said.iter().find(|(message, _, _)| message == "the server is unhealthy").unwrap();
    assert_eq!(
        (unhealthy.1.as_str(), unhealthy.2.as_str()),
        (one.server().as_str(), "/health did not answer within 300ms")
    );
}

#[tokio::test]
async fn without_a_check_a_server_that_is_gone_is_found_again_by_itself() {
    let (mut one, other) = (Nginx::start("one"), Nginx::start("other"));
    let stack = open_to_all(json!({ "servers": [one.server(), other.server()] }));
    let person = stack.person();
    one.kill();
    for number in 0..10 {
        person.post(&format!("/{number}"), &[("a", "b")]).await.expect(200);
    }
    assert_eq!(count_of(&stack, "a server cannot be connected to"), 1, "{:?}", said_of_servers(&stack));
    one.start_again();
    until("it gets requests again", async || {
        person.open("/again").await.expect(200);
        !one.log("/again").is_empty()
    })
    .await;
    assert_eq!(count_of(&stack, "the server answers again"), 1);
    drop(other);
}

#[tokio::test]
async fn a_reload_keeps_connections_and_what_is_known_of_servers_that_did_not_change() {
    let (one, other, third) = (Nginx::start("one"), Nginx::start("other"), Nginx::start("third"));
    one.be_sick(true);
    let health = json!({ "path": "/health", "interval": "100ms" });
    let mut stack = plan(json!({ "servers": [one.server(), other.server()], "health": health }))
        .set("upstreams.media", json!({ "servers": [third.server()] }))
        .set("sites.0.routes", json!([{ "path": "/media/*", "access": "public", "upstream": "media" }, { "path": "/*", "access": "public" }]))
        .start();
    let person = stack.person();
    until("the check notices", async || count_of(&stack, "the server is unhealthy") == 1).await;
    person.open("/before").await.expect(200);
    person.open("/media/before").await.expect(200);

    stack.settings.set("upstreams.media", json!({ "servers": [third.server()], "timeouts": { "read": "59s" } }));
    stack.rewrite_config(0);
    stack.nodes[0].reload();
    until("the reload", async || stack.nodes[0].log().contains("the configuration was reloaded")).await;

    for _ in 0..4 {
        person.open("/after").await.expect(200);
        person.open("/media/after").await.expect(200);
    }
    let connection = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let kept = connection(&other.log("/before")[0]);
    assert!(other.log("/after").iter().all(|line| connection(line) == kept), "the connection was not kept");
    let made = connection(&third.log("/media/before")[0]);
    assert!(
        third.log("/media/after").iter().all(|line| connection(line) != made),
        "changed settings, and an old connection"
    );
    assert!(one.log("/after").is_empty());
    assert_eq!(count_of(&stack, "the server is unhealthy"), 1, "it was found out twice: {:?}", said_of_servers(&stack));
}

#[tokio::test]
async fn an_application_behind_a_unix_socket_is_one_like_any_other() {
    let mut socket = Nginx::on_socket("socket");
    let stack = open_to_all(json!({
        "servers": [socket.server()],
        "host": "server",
        "health": { "path": "/health", "interval": "100ms" },
    }));
    let person = stack.person();
    for _ in 0..3 {
        assert_eq!(person.open("/page?x=1").await.expect(200).text(), "socket localhost /page?x=1");
    }
    let lines = socket.log("/page?x=1");
    let connections: std::collections::HashSet<_> = lines.iter().map(|line| line.split(' ').next()).collect();
    assert_eq!(connections.len(), 1, "the connection is not kept: {lines:?}");
    until("the check asks there", async || socket.log("/health").len() > 1).await;
    socket.kill();
    until("the check notices", async || count_of(&stack, "the server is unhealthy") == 1).await;
    let gone = person.open("/page").await.expect(503);
    assert!(gone.reads().contains(gone.header("x-request-id")), "{}", gone.reads());
    assert_eq!(gone.header("retry-after"), "5");
    socket.start_again();
    until("it is back", async || person.open("/page").await.status == 200).await;
}

#[tokio::test]
async fn a_user_stays_with_a_server_over_sign_ins_and_nodes() {
    let servers = [Nginx::start("a"), Nginx::start("b"), Nginx::start("c")];
    let stack = crate::harness::stack::Plan::new()
        .set("upstreams.app", json!({ "servers": servers.each_ref().map(Nginx::server), "balance": "session" }))
        .nodes(2)
        .start();
    let account = stack.add_account("ada", "+32470111222");
    for _ in 0..2 {
        let person = stack.signed_in(&account).await;
        for node in &stack.nodes {
            for _ in 0..3 {
                person.at_port(node.port()).open("/mine").await.expect(200);
            }
        }
    }
    let mut counts = servers.each_ref().map(|server| server.log("/mine").len());
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 12]);
}
