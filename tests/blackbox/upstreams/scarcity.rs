//! A process that may open only few files: there is room for what is needed, who is one too many is told so, and no server is blamed.

use super::application::Nginx;
use super::{count_of, plan, said_of_servers, until};
use crate::harness::gateway::{OpenFiles, probe};
use crate::harness::stack::Stack;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// With so many files 48 connections fit: (256 - 128) / 4 are for kept connections to upstreams, and half of what is left.
const FILES: u64 = 256;
const FITTING: usize = 48;

/// What the node may raise its limit to.
fn most_of(stack: &Stack) -> Option<u64> {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", stack.nodes[0].process_id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    line.split_whitespace().nth(4).unwrap().parse().ok()
}

/// From here on the node may open so many files, those included that it has open. What it may raise the limit to stays.
fn let_open(stack: &Stack, files: u64) {
    let id = Pid::from_raw(i32::try_from(stack.nodes[0].process_id()).unwrap());
    prlimit(id, Resource::Nofile, Rlimit { current: Some(files), maximum: most_of(stack) }).unwrap();
}

fn connected(stack: &Stack) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", stack.nodes[0].port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

/// The first line and more of the answer to a GET over `stream`, which stays open when the answer lets it.
fn asked(stream: &mut TcpStream, path: &str) -> String {
    let port = stream.peer_addr().unwrap().port();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").unwrap();
    let mut buffer = vec![0; 16 << 10];
    let read = stream.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

#[tokio::test]
async fn idle_sockets_that_fill_the_room_take_nothing_from_probes_and_open_connections() {
    let app = Nginx::start("app");
    let health = json!({ "path": "/health", "interval": "100ms", "timeout": "1s", "unhealthy_after": 1 });
    let stack = plan(json!({ "servers": [app.server()], "health": health })).start();
    let id = Pid::from_raw(i32::try_from(stack.nodes[0].process_id()).unwrap());
    prlimit(id, Resource::Nofile, Rlimit { current: Some(FILES), maximum: Some(FILES) }).unwrap();
    stack.nodes[0].reload();
    until("it is told", async || stack.nodes[0].log().contains("limits.connections.total is 10000, but 48 fit")).await;
    let warned = stack.nodes[0].log().lines().any(|line| line.contains("48 fit into the 256") && line.contains("WARN"));
    assert!(warned, "{}", stack.nodes[0].log());
    until("it is reloaded", async || stack.nodes[0].log().contains("the configuration was reloaded")).await;
    let mut open = connected(&stack);
    assert!(asked(&mut open, "/before").starts_with("HTTP/1.1 200"));
    let mut idle: Vec<TcpStream> = (2..FITTING).map(|_| connected(&stack)).collect();
    until("there is no room", async || {
        idle.push(connected(&stack));
        asked(&mut connected(&stack), "/x").contains("too_many_connections")
    })
    .await;
    // One that was opened first may be taken second, and be among the 32 that are told instead.
    assert!(idle.len() <= FITTING + 32, "{} idle sockets are more than fit", idle.len());
    let crowd: Vec<TcpStream> = (0..20).map(|_| connected(&stack)).collect();
    for _ in 0..3 {
        assert_eq!(probe(stack.nodes[0].port(), "/.vestibule/live"), Some(200));
        assert_eq!(probe(stack.nodes[0].port(), "/.vestibule/ready"), Some(200));
        assert!(asked(&mut open, "/meanwhile").starts_with("HTTP/1.1 200"));
        let refused = asked(&mut connected(&stack), "/.vestibule/login");
        assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("connection: close"), "{refused}");
    }
    let asked_before = app.log("/health").len();
    until("health is asked for", async || app.log("/health").len() > asked_before + 3).await;
    assert_eq!(said_of_servers(&stack), []);
    drop(crowd);
    drop(idle);
    until("there is room again", async || asked(&mut connected(&stack), "/after").starts_with("HTTP/1.1 200")).await;
}

#[tokio::test]
async fn no_server_is_blamed_when_this_process_can_open_no_more_files() {
    let (one, other) = (Nginx::start("one"), Nginx::start("other"));
    let health = json!({ "path": "/health", "interval": "100ms", "timeout": "1s", "unhealthy_after": 1 });
    let stack = plan(json!({ "servers": [one.server(), other.server()], "health": health })).start();
    let mut open = connected(&stack);
    assert_eq!(asked(&mut open, "/.vestibule/live").lines().next(), Some("HTTP/1.1 200 OK"));
    let_open(&stack, 8);
    until("health cannot be asked for", async || count_of(&stack, "the server's health could not be asked for") > 3)
        .await;
    assert!(asked(&mut open, "/lacking").starts_with("HTTP/1.1 502"));
    assert_eq!(count_of(&stack, "this process cannot open a connection, to whatever server"), 1);
    let_open(&stack, 1024);
    for number in 0..4 {
        assert!(asked(&mut connected(&stack), &format!("/{number}")).starts_with("HTTP/1.1 200"));
    }
    let blame = ["the server is unhealthy", "the server is left alone for a while"];
    assert!(blame.iter().all(|words| count_of(&stack, words) == 0), "{:?}", said_of_servers(&stack));
}

#[tokio::test]
async fn a_node_that_is_started_with_few_files_takes_what_fits_answers_probes_when_full_and_recovers() {
    // 1,024 is what many systems give: (1,024 - 128) / 4 are for kept connections, and half of what is left for those from downstream.
    const FITTING: usize = 336;
    let app = Nginx::start("app");
    let limits = OpenFiles { soft: 256, hard: 1024 };
    let stack = plan(json!({ "servers": [app.server()] })).open_files(limits).start();
    let log = stack.nodes[0].log();
    assert!(log.contains("limits.connections.total is 10000, but 336 fit into the 1024 files"), "{log}");
    assert_eq!(most_of(&stack), Some(1024));
    let mut open = connected(&stack);
    assert!(asked(&mut open, "/before").starts_with("HTTP/1.1 200"));
    let mut idle: Vec<TcpStream> = Vec::new();
    until("there is no room", async || {
        idle.extend((0..10).map(|_| connected(&stack)));
        asked(&mut connected(&stack), "/x").contains("too_many_connections")
    })
    .await;
    assert!((FITTING - 20..FITTING + 40).contains(&idle.len()), "{} idle sockets", idle.len());
    for path in ["/.vestibule/live", "/.vestibule/ready"] {
        assert_eq!(probe(stack.nodes[0].port(), path), Some(200));
    }
    assert!(asked(&mut open, "/meanwhile").starts_with("HTTP/1.1 200"));
    idle.clear();
    until("there is room again", async || asked(&mut connected(&stack), "/after").starts_with("HTTP/1.1 200")).await;
    assert!(!stack.nodes[0].log().contains("Too many open files"), "{}", stack.nodes[0].log());
}
