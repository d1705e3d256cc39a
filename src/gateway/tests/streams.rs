//! Bodies that flow: nothing is held back, and what belongs to a session ends with it.

use std::io::{Read as _, Write as _};
use std::sync::mpsc::{SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::rig::{Client, PATIENCE, Rig, Upstream, answer};
use super::wire::{read_chunk, read_head};
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
fn a_wish_for_a_websocket_that_no_server_may_fulfil_goes_on_as_a_plain_request() {
    let [upgrade, connection, version, key] = UPGRADE;
    for (line, fields) in [
        ("GET /public/ws", vec![upgrade, version, key]),
        ("GET /public/ws", vec![upgrade, "Connection: keep-alive", version, key]),
        ("GET /public/ws", vec![upgrade, connection, version]),
        ("GET /public/ws", vec![upgrade, connection, version, key, "Content-Length: 2"]),
        ("POST /public/ws", vec![upgrade, connection, version, key, "Content-Length: 0"]),
    ] {
        let upstream = echoing();
        let rig = Rig::before(&upstream);
        let mut client = rig.client();
        client.send_head(line, &fields);
        if fields.contains(&"Content-Length: 2") {
            client.send(b"ab");
        }
        assert_eq!(client.read_head().status, 200, "{line} {fields:?}");
        assert_eq!(upstream.last().field("upgrade"), None, "{line} {fields:?}");
    }
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

/// What is heard of a WebSocket that says nothing until it ends, and what makes it end.
fn silent_websocket_after(what: impl FnOnce(&Rig, &Session)) -> Vec<u8> {
    let upstream = echoing();
    let rig = Rig::before(&upstream);
    let (mut client, session) = websocket(&rig);
    assert_eq!(rig.handle.requests_under_way(), 1);
    what(&rig, &session);
    let heard = client.read_rest();
    drop(client);
    while rig.handle.requests_under_way() > 0 {
        std::thread::yield_now();
    }
    heard
}

/// An open WebSocket of a session.
fn websocket(rig: &Rig) -> (Client, Session) {
    let session = rig.session("anna");
    let cookie = format!("Cookie: vestibule={}", rig.sessions.cookie(&session));
    let mut client = rig.client();
    client.send_head("GET /ws", &[&UPGRADE[..], &[&cookie]].concat());
    assert_eq!(client.read_head().status, 101);
    (client, session)
}

fn revoke(rig: &Rig, session: &Session) {
    rig.sessions.apply(&[FeedRow { number: 1, at: UnixMillis(0), what: Revoked::Session(session.id) }]);
}

fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    let length = u8::try_from(2 + reason.len()).unwrap();
    [&[0x88, length][..], &code.to_be_bytes(), reason.as_bytes()].concat()
}

#[test]
fn a_silent_websocket_ends_with_its_session() {
    assert_eq!(silent_websocket_after(revoke), close_frame(4401, "session_ended"));
}

#[test]
fn a_websocket_that_is_silent_for_as_long_as_a_session_may_be_idle_ends() {
    let heard = silent_websocket_after(|rig, _| {
        for _ in 0..18 {
            rig.pass(Duration::from_secs(100));
            rig.hear_the_feed();
        }
    });
    assert_eq!(heard, close_frame(4408, "stream_idle"));
}

#[test]
fn a_silent_websocket_does_not_outlive_the_time_in_which_sessions_can_be_told() {
    let heard = silent_websocket_after(|rig, _| rig.pass(Duration::from_secs(181)));
    assert_eq!(heard, close_frame(1013, "sessions_cannot_be_told"));
}

#[test]
fn a_node_that_ends_tells_every_websocket_public_ones_too() {
    let heard = silent_websocket_after(|rig, _| rig.handle.end_streams());
    assert_eq!(heard, close_frame(1001, "going_away"));

    let upstream = echoing();
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    client.send_head("GET /public/ws", &UPGRADE);
    assert_eq!(client.read_head().status, 101);
    rig.handle.end_streams();
    assert_eq!(client.read_rest(), close_frame(1001, "going_away"));
}

#[test]
fn what_is_said_after_the_end_of_a_session_does_not_go_up() {
    let went_up = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&went_up);
    let upstream = Upstream::with(move |socket, _got| {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        socket.get_mut().write_all(head).unwrap();
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes);
        kept.lock().unwrap().push(bytes);
        false
    });
    let rig = Rig::before(&upstream);
    let (mut client, session) = websocket(&rig);
    client.send(b"before ");
    // Within the moment in which nobody looks at a request that may be a short one.
    revoke(&rig, &session);
    client.send(b"after");
    assert_eq!(client.read_rest(), close_frame(4401, "session_ended"));
    let heard = loop {
        if let Some(bytes) = went_up.lock().unwrap().pop() {
            break bytes;
        }
        std::thread::yield_now();
    };
    assert!(heard.is_empty() || heard == b"before ", "{heard:?}");
}

/// Says yes to an upgrade, then `first`; and `second` when it is told to.
fn saying(first: Vec<u8>, second: Vec<u8>) -> (Upstream, SyncSender<()>) {
    let (say, told) = sync_channel::<()>(0);
    let told = Mutex::new(told);
    let upstream = Upstream::with(move |socket, _got| {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        socket.get_mut().write_all(&[head, &first[..]].concat()).unwrap();
        if told.lock().unwrap().recv_timeout(PATIENCE).is_ok() {
            let _ = socket.get_mut().write_all(&second);
        }
        // Until the gateway has closed.
        let _ = socket.read(&mut [0]);
        false
    });
    (upstream, say)
}

fn read_exactly(client: &mut Client, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    client.socket.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_last_frame_is_whole_and_nothing_but_the_goodbye_follows() {
    // A fragment, of whose message the rest does not come any more.
    let half = [&[0x01, 126, 0x01, 0x00][..], &[b'x'; 100]].concat();
    let rest = [vec![b'y'; 156], vec![0x80, 0x01, b'z']].concat();
    let (upstream, say) = saying(half.clone(), rest);
    let rig = Rig::before(&upstream);
    let (mut client, session) = websocket(&rig);
    assert_eq!(read_exactly(&mut client, half.len()), half);
    revoke(&rig, &session);
    say.send(()).unwrap();
    assert_eq!(client.read_rest(), [vec![b'y'; 156], close_frame(4401, "session_ended")].concat());
}

#[test]
fn a_frame_that_is_not_finished_is_not_waited_for_and_nothing_is_put_into_it() {
    let half = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[b'x'; 100]].concat();
    let (upstream, _say) = saying(half.clone(), Vec::new());
    let rig = Rig::before(&upstream);
    let (mut client, session) = websocket(&rig);
    assert_eq!(read_exactly(&mut client, half.len()), half);
    revoke(&rig, &session);
    assert_eq!(client.read_rest(), b"");
}

#[test]
fn after_the_application_s_own_goodbye_nothing_is_said() {
    let goodbye = close_frame(4000, "theirs");
    let (upstream, _say) = saying(goodbye.clone(), Vec::new());
    let rig = Rig::before(&upstream);
    let (mut client, session) = websocket(&rig);
    assert_eq!(read_exactly(&mut client, goodbye.len()), goodbye);
    revoke(&rig, &session);
    assert_eq!(client.read_rest(), b"");
}

#[test]
fn frames_pass_as_they_are_compressed_or_not() {
    let upstream = Upstream::with(|socket, got| {
        let extensions = got.field("sec-websocket-extensions").unwrap().to_owned();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Extensions: {extensions}\r\n\r\n"
        );
        socket.get_mut().write_all(head.as_bytes()).unwrap();
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = socket.read(&mut bytes) {
            socket.get_mut().write_all(&bytes[..count]).unwrap();
        }
        false
    });
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
    client.send_head("GET /ws", &[&UPGRADE[..], &[&rig.cookie(), offer]].concat());
    let answer = client.read_head();
    assert_eq!(answer.field("sec-websocket-extensions"), Some("permessage-deflate; client_max_window_bits"));
    // Compressed, with the longest form of a length; a ping in the middle of fragments; a mask; all bits that are reserved.
    let frames = [
        &[0x41, 127, 0, 0, 0, 0, 0, 0, 0, 5][..],
        &[1, 2, 3, 4, 5, 0x89, 0, 0xf0, 126, 0, 1, 9, 0x80, 0x82, 1, 2, 3, 4, 8, 9],
    ]
    .concat();
    client.send(&frames);
    assert_eq!(read_exactly(&mut client, frames.len()), frames);
}
