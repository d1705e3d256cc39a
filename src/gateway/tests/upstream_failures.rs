//! What people see when the application fails, and that nothing is done twice.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use super::rig::{Client, Plan, Rig, Upstream, answer, read_body};
use crate::gateway::upstreams::settings::UpstreamSettings;

/// An address that refuses connections: it was ours a moment ago.
fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn an_application_that_is_not_there_is_a_502_of_ours() {
    let upstream = Upstream::plain();
    let rig = Plan { upstreams: vec![refusing()], ..Plan::before(&upstream) }.start();
    let page = rig.ask("GET /app", &[&rig.cookie(), "Accept: text/html"]);
    assert_eq!(page.status, 502);
    assert!(page.text().contains(page.field("x-request-id").unwrap()), "{}", page.text());
    let program = rig.ask("GET /public/x", &[]);
    assert_eq!(program.status, 502);
    let problem: serde_json::Value = serde_json::from_slice(&program.body).unwrap();
    assert_eq!(problem["code"], "upstream_unreachable");
}

#[test]
fn another_server_is_tried_when_one_refuses() {
    let upstream = Upstream::plain();
    let rig = Plan { upstreams: vec![refusing(), upstream.address], ..Plan::before(&upstream) }.start();
    for _ in 0..4 {
        let posted = rig.client().ask("POST /public/x", &["Content-Length: 5"], b"hello");
        assert_eq!(posted.status, 200);
    }
    assert_eq!(upstream.got().len(), 4);
    assert!(upstream.got().iter().all(|got| got.body() == b"hello"));
}

#[test]
fn an_application_that_does_not_answer_is_a_504() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        // Waits until the other end gives up.
        std::io::Read::read(socket, &mut [0]).is_ok_and(|count| count > 0)
    });
    let change = |upstream: &mut UpstreamSettings| upstream.timeouts.read = Duration::from_millis(200);
    let rig = Plan { change, ..Plan::before(&upstream) }.start();
    assert_eq!(rig.ask("GET /public/x", &[]).status, 504);
    assert_eq!(upstream.got().len(), 1, "a request that may have been executed is not sent again");
}

#[test]
fn nonsense_from_the_application_is_a_502() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        socket.get_mut().write_all(b"nonsense\r\n\r\n").is_err()
    });
    let rig = Rig::before(&upstream);
    assert_eq!(rig.ask("GET /public/x", &[]).status, 502);
}

#[test]
fn an_answer_that_breaks_off_is_not_passed_off_as_whole() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        socket.get_mut().write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").is_err()
    });
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    client.send_head("GET /public/x", &[]);
    assert_eq!(client.read_head().status, 200);
    assert_eq!(client.read_chunk(), b"hello");
    assert!(client.is_closed(), "no last chunk");
}

#[test]
fn a_post_is_never_sent_twice() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        // The first request of a connection is answered; at the second the connection is cut, after it was read.
        got.line.contains("first") && answer(socket, "200 OK", &[], b"ok")
    });
    let rig = Rig::before(&upstream);
    assert_eq!(rig.ask("GET /public/first", &[]).status, 200);
    let mut client = Client::to(rig.address);
    assert_eq!(client.ask("POST /public/second", &["Content-Length: 1"], b"x").status, 502);
    assert_eq!(upstream.got().iter().filter(|got| got.line.starts_with("POST")).count(), 1);
}

#[test]
fn what_the_application_itself_refuses_is_passed_on() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        answer(socket, "401 Unauthorized", &["WWW-Authenticate: Basic"], b"its own")
    });
    let rig = Rig::before(&upstream);
    let answer = rig.ask("GET /app", &[&rig.cookie()]);
    assert_eq!((answer.status, answer.text().as_str()), (401, "its own"));
    assert_eq!(answer.field("www-authenticate"), Some("Basic"));
}
