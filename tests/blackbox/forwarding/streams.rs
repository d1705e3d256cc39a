//! How bytes flow: connections that are kept, bodies larger than memory should grow, events and WebSockets.

use super::{PHONE, head};
use crate::harness::children::wait_for;
use crate::harness::gateway::Gateway;
use crate::harness::raw::{open_socket, read_until_silence, statuses};
use crate::harness::stack::Stack;
use crate::harness::upstream::pattern;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use sha2::Digest;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Far more than the gateway may hold of it; with `VESTIBULE_LARGE_MIB` set, that many mebibytes.
fn large_bytes(usual_mebibytes: usize) -> usize {
    let set = std::env::var("VESTIBULE_LARGE_MIB").ok();
    set.map_or(usual_mebibytes, |count| count.parse().expect("VESTIBULE_LARGE_MIB is a number")) << 20
}

/// What the gateway's memory may grow by while a large body passes.
const GROWTH_BYTES: u64 = 50 << 20;

#[tokio::test]
async fn connections_are_kept_on_both_sides() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let request = |number: usize| {
        let body = if number % 3 == 2 { "abc" } else { "" };
        let line = if body.is_empty() { format!("GET /{number} HTTP/1.1") } else { format!("POST /{number} HTTP/1.1") };
        let length = format!("Content-Length: {}", body.len());
        head(&person, &line, &[&length]).replace("Connection: close\r\n", "") + body
    };
    let mut stream = TcpStream::connect(("127.0.0.1", person.port())).await.unwrap();
    for number in 0..12 {
        stream.write_all(request(number).as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let read = stream.read_buf(&mut answer).await.unwrap();
            assert!(read > 0, "closed before answer {number}: {}", String::from_utf8_lossy(&answer));
        }
        assert_eq!(statuses(&answer), [200]);
    }
    let upstream_connections: BTreeSet<usize> =
        stack.upstream.requests().iter().map(|request| request.connection).collect();
    // A connection goes back a moment after its answer is out: the next request may come before that, and then needs another.
    assert!(upstream_connections.len() <= 3, "{upstream_connections:?}");
}

#[tokio::test]
async fn an_upload_flows_through_without_being_held() {
    let mut stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let before = memory(stack.node(), "VmRSS");
    let large_bytes = large_bytes(300);
    for framing in [Framing::Length, Framing::Chunks] {
        let field = match framing {
            Framing::Length => format!("Content-Length: {large_bytes}"),
            Framing::Chunks => "Transfer-Encoding: chunked".to_owned(),
        };
        let piece = pattern(1 << 20);
        let mut hash = sha2::Sha256::new();
        let mut stream = TcpStream::connect(("127.0.0.1", person.port())).await.unwrap();
        stream.write_all(head(&person, "POST /upload HTTP/1.1", &[&field]).as_bytes()).await.unwrap();
        for number in 0..large_bytes / piece.len() {
            if framing == Framing::Chunks {
                stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
            }
            stream.write_all(&piece).await.unwrap();
            if framing == Framing::Chunks {
                stream.write_all(b"\r\n").await.unwrap();
            }
            hash.update(&piece);
            if number == 20 {
                wait_for("the first bytes at the application, the last not yet sent", || {
                    (stack.upstream.body_bytes_under_way() > 10 << 20).then_some(())
                });
            }
        }
        if framing == Framing::Chunks {
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        }
        let answer = read_until_silence(&mut stream, Duration::from_secs(20)).await;
        assert_eq!(statuses(&answer), [200], "{}", String::from_utf8_lossy(&answer));
        let seen = stack.upstream.request_to("/upload");
        assert_eq!(seen.body_bytes, large_bytes as u64);
        assert_eq!(seen.body_sha256, hex::encode(hash.finalize()));
        stack.upstream.forget();
    }
    let growth = memory(stack.node(), "VmHWM").saturating_sub(before);
    println!("memory grew by {} KiB while 2 × {} MiB were uploaded", growth >> 10, large_bytes >> 20);
    assert!(growth < GROWTH_BYTES, "memory grew by {growth} bytes");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length,
    Chunks,
}

#[tokio::test]
async fn a_download_waits_for_its_reader() {
    let mut stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let bytes = large_bytes(120);
    let before = memory(stack.node(), "VmRSS");
    let target = format!("/big?bytes={bytes}");
    let mut response = person.begin(Method::GET, &target, &[], None).await.unwrap();
    assert_eq!(response.headers()["content-length"], bytes.to_string());
    let mut read = response.chunk().await.unwrap().unwrap().len();
    // Nobody reads until the gateway takes no more.
    let mut same = 0;
    let mut last = 0;
    wait_for("the gateway to hold what it will", || {
        let now = memory(stack.node(), "VmRSS");
        same = if now == last { same + 1 } else { 0 };
        last = now;
        (same == 100).then_some(())
    });
    while let Some(piece) = response.chunk().await.unwrap() {
        read += piece.len();
    }
    assert_eq!(read, bytes);
    let growth = memory(stack.node(), "VmHWM").saturating_sub(before);
    println!("memory grew by {} KiB while {} MiB waited for a reader", growth >> 10, bytes >> 20);
    assert!(growth < GROWTH_BYTES, "memory grew by {growth} bytes");
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let mut events = person.begin(Method::GET, "/events", &[], None).await.unwrap();
    assert_eq!(events.status(), 200);
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    assert_eq!(events.chunk().await.unwrap().unwrap(), ": open\n\n");
    for number in 0..20 {
        // The next is said only when the one before has arrived.
        stack.upstream.emit(&format!("event {number}"));
        assert_eq!(events.chunk().await.unwrap().unwrap(), format!("data: event {number}\n\n"));
    }
    assert_eq!(stack.upstream.open_streams(), 1);
    stack.upstream.finish_streams();
    assert!(events.chunk().await.unwrap().is_none());
}

// The client's side is closed by a task of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_stream_that_nobody_reads_any_more_ends_at_the_application() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let mut events = person.begin(Method::GET, "/events", &[], None).await.unwrap();
    events.chunk().await.unwrap().unwrap();
    assert_eq!(stack.upstream.open_streams(), 1);
    drop(events);
    wait_for("the stream to end", || (stack.upstream.open_streams() == 0).then_some(()));
}

#[tokio::test]
async fn a_websocket_whose_browser_is_gone_ends_at_the_application() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let socket = open_socket(&person, "/socket").await.unwrap();
    wait_for("the socket", || (stack.upstream.open_streams() == 1).then_some(()));
    drop(socket);
    wait_for("the socket to end", || (stack.upstream.open_streams() == 0).then_some(()));
}

#[tokio::test]
async fn a_websocket_sends_back_what_it_gets() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let mut socket = open_socket(&person, "/socket?room=1").await.unwrap();
    let large = Message::Binary(Bytes::from(pattern(1 << 20)));
    for message in [Message::text("hello"), Message::text("Zoë 👋"), Message::binary(vec![]), large] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::Ping(Bytes::from_static(b"?"))).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong(Bytes::from_static(b"?")));
    let seen = stack.upstream.request_to("/socket");
    assert_eq!(seen.target, "/socket?room=1");
    assert_eq!(seen.header("x-forwarded-user"), Some("ada"));
    assert_eq!(seen.header("cookie"), None);

    socket.send(Message::text("close me")).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    assert!(socket.next().await.is_none());
    let mut socket = open_socket(&person, "/socket").await.unwrap();
    socket.close(None).await.unwrap();
    wait_for("the application to see it close", || (stack.upstream.open_streams() == 0).then_some(()));
}

/// `VmRSS` (now) or `VmHWM` (the most so far) of a node, in bytes.
fn memory(node: &mut Gateway, what: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process().id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kibibytes: u64 = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap();
    kibibytes << 10
}
