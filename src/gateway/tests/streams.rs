//! Bodies that flow: nothing is held back, and what belongs to a session ends with it.

use std::io::{Read as _, Write as _};
use std::sync::Mutex;
use std::sync::mpsc::{channel, sync_channel};
use std::time::Duration;

use super::rig::{PATIENCE, Rig, Upstream, answer, read_chunk, read_head};
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;

#[test]
fn events_arrive_one_by_one() {
    let (next, wait) = sync_channel::<()>(0);
    let wait = Mutex::new(wait);
    let upstream = Upstream::with(move |socket, _got| {
        let socket = socket.get_mut();
        socket
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            .unwrap();
        for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
            socket.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).unwrap();
            // The next event is not even written before the client has this one.
            wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        socket.write_all(b"0\r\n\r\n").is_ok()
    });
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    client.send_head("GET /events", &[&rig.cookie()]);
    assert_eq!(client.read_head().status, 200);
    for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
        assert_eq!(client.read_chunk(), event.as_bytes());
        next.send(()).unwrap();
    }
    assert_eq!(client.read_chunk(), b"");
}

#[test]
fn an_upload_flows_through_piece_by_piece() {
    let (arrived, has_arrived) = channel();
    let arrived = Mutex::new(arrived);
    let upstream = Upstream::with(move |socket, got| {
        assert_eq!(got.field("transfer-encoding"), Some("chunked"));
        let mut total = 0;
        while let Some(chunk) = read_chunk(socket) {
            total += chunk.len();
            arrived.lock().unwrap().send(total).unwrap();
        }
        answer(socket, "200 OK", &[], total.to_string().as_bytes())
    });
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    client.send_head("POST /upload", &[&rig.cookie(), "Transfer-Encoding: chunked"]);
    let piece = vec![b'a'; 8192];
    let mut sent = 0;
    for _ in 0..64 {
        client.send(b"2000\r\n");
        client.send(&piece);
        client.send(b"\r\n");
        sent += piece.len();
        // The next piece is not sent before the upstream has this one.
        while has_arrived.recv_timeout(PATIENCE).unwrap() < sent {}
    }
    client.send(b"0\r\n\r\n");
    assert_eq!(client.read_answer(false).text(), sent.to_string());
}

#[test]
fn an_upload_with_a_length_keeps_it() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let body = vec![b'x'; 3 * 1024 * 1024];
    let length = format!("Content-Length: {}", body.len());
    let answer = rig.client().ask("PUT /upload", &[&rig.cookie(), &length], &body);
    assert_eq!(answer.status, 200);
    let got = upstream.last();
    assert_eq!(got.field("transfer-encoding"), None);
    assert_eq!(got.body().len(), body.len());
}

/// Says yes to an upgrade and sends back what it gets.
fn echoing() -> Upstream {
    Upstream::with(|socket, got| {
        if got.field("upgrade") != Some("websocket") {
            return answer(socket, "200 OK", &[], b"no upgrade");
        }
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        socket.get_mut().write_all(head).unwrap();
        let mut bytes = [0; 64];
        while let Ok(count @ 1..) = socket.read(&mut bytes) {
            if socket.get_mut().write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        false
    })
}

const UPGRADE: [&str; 4] =
    ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZQ=="];

#[test]
fn a_websocket_is_refused_without_a_session_and_passes_with_one() {
    let upstream = echoing();
    let rig = Rig::before(&upstream);
    assert_eq!(rig.ask("GET /ws", &UPGRADE).status, 401);
    assert_eq!(rig.ask("GET /ws", &["Upgrade: x"]).status, 401);
    assert_eq!(rig.ask("GET /ws", &["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings"]).status, 401);
    assert_eq!(upstream.got().len(), 0);

    let cookie = rig.cookie();
    let mut client = rig.client();
    client.send_head("GET /ws", &[&UPGRADE[..], &[&cookie]].concat());
    assert_eq!(client.read_head().status, 101);
    for text in ["hello", "again"] {
        client.send(text.as_bytes());
        let mut back = vec![0; text.len()];
        client.socket.read_exact(&mut back).unwrap();
        assert_eq!(back, text.as_bytes());
    }
    let got = upstream.last();
    assert_eq!(got.field("x-forwarded-user"), Some("anna"));
    assert_eq!(got.field("cookie"), None);
}

#[test]
fn another_upgrade_goes_on_as_a_plain_request() {
    let upstream = echoing();
    let rig = Rig::before(&upstream);
    let answer = rig.ask("GET /ws", &[&rig.cookie(), "Upgrade: x", "Connection: Upgrade"]);
    assert_eq!(answer.text(), "no upgrade");
    assert_eq!(upstream.last().field("upgrade"), None);
}

#[test]
fn nothing_follows_a_refused_upgrade_to_the_upstream() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let cookie = rig.cookie();
    let mut client = rig.client();
    client.send_head("GET /ws", &[&UPGRADE[..], &[&cookie]].concat());
    client.send(b"GET /admin HTTP/1.1\r\nHost: app.localhost\r\n\r\n");
    let status = client.read_answer(false).status;
    assert!(status == 200 || status == 400, "{status}: 400 when the bytes came before the answer");
    // What came later still is a request of its own, and nobody is signed in for it.
    if let Some(next) = read_head(&mut client.socket) {
        assert!(next[0].contains(" 401 "), "{next:?}");
    }
    assert!(upstream.got().iter().all(|got| got.line.starts_with("GET /ws ")), "{:?}", upstream.got());
}

/// A WebSocket that says nothing: what makes it end?
fn silent_websocket_after(what: impl FnOnce(&Rig, &Session)) -> bool {
    let upstream = echoing();
    let rig = Rig::before(&upstream);
    let session = rig.session("anna");
    let cookie = format!("Cookie: vestibule={}", rig.sessions.cookie(&session));
    let mut client = rig.client();
    client.send_head("GET /ws", &[&UPGRADE[..], &[&cookie]].concat());
    assert_eq!(client.read_head().status, 101);
    assert_eq!(rig.handle.requests_under_way(), 1);
    what(&rig, &session);
    let closed = client.is_closed();
    while rig.handle.requests_under_way() > 0 {
        std::thread::yield_now();
    }
    closed
}

#[test]
fn a_silent_websocket_ends_with_its_session() {
    assert!(silent_websocket_after(|rig, session| {
        rig.sessions.apply(&[FeedRow { number: 1, at: UnixMillis(0), what: Revoked::Session(session.id) }]);
    }));
}

#[test]
fn a_websocket_that_is_silent_for_as_long_as_a_session_may_be_idle_ends() {
    assert!(silent_websocket_after(|rig, _| rig.pass(Duration::from_secs(1800))));
}

#[test]
fn a_websocket_ends_with_its_session_at_the_next_byte() {
    let upstream = echoing();
    let rig = Rig::before(&upstream);
    let session = rig.session("anna");
    let cookie = format!("Cookie: vestibule={}", rig.sessions.cookie(&session));
    let mut client = rig.client();
    client.send_head("GET /ws", &[&UPGRADE[..], &[&cookie]].concat());
    assert_eq!(client.read_head().status, 101);
    rig.sessions.apply(&[FeedRow { number: 1, at: UnixMillis(0), what: Revoked::Session(session.id) }]);
    client.send(b"hello");
    assert!(client.is_closed());
}
