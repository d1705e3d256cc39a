//! Answers that cannot be passed on: each is a 502 of ours, and nothing of it reaches the next request (security X55, X56).

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use super::rig::{PATIENCE, Rig, Upstream, answer, read_body};

/// Answers the path `/public/bad` with these bytes and everything else with `ok`, and keeps its connections.
fn upstream_saying(bad: Vec<u8>) -> Upstream {
    Upstream::with(move |socket, got| {
        read_body(socket, got);
        match got.line.contains("/bad") {
            true => socket.get_mut().write_all(&bad).is_ok(),
            false => answer(socket, "200 OK", &[], b"ok"),
        }
    })
}

#[test]
fn an_answer_that_is_not_clear_is_a_502_and_its_connection_is_not_used_again() {
    let large = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Large: {}\r\n\r\n", "x".repeat(70_000));
    let flood = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".repeat(10_000);
    for (what, bytes) in [
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        ("a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!"),
        ("a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello"),
        ("a space in a name", "HTTP/1.1 200 OK\r\nContent Length: 5\r\n\r\nhello"),
        ("a line without a colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n"),
        ("a NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
        ("no status", "HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n"),
        (
            "a protocol that nobody asked for",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ),
        ("another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        ("a head of 70,000 bytes", &large),
        ("answers on the way without end", &flood),
    ] {
        let upstream = upstream_saying(bytes.as_bytes().to_vec());
        let rig = Rig::before(&upstream);
        let mut client = rig.client();
        client.send_head("GET /public/bad", &[]);
        let refused = loop {
            let answer = client.read_answer(false);
            if answer.status >= 200 {
                break answer;
            }
        };
        assert_eq!(refused.status, 502, "{what}");
        assert!(refused.text().contains("upstream_broke_off"), "{what}: {}", refused.text());
        let next = rig.ask("GET /public/good", &[]);
        assert_eq!((next.status, next.text().as_str()), (200, "ok"), "{what}");
        let connections: Vec<usize> = upstream.got().iter().map(|got| got.connection).collect();
        assert_eq!(connections, [1, 2], "{what}");
    }
}

#[test]
fn what_a_server_says_to_its_own_connection_is_not_passed_on() {
    let bytes = "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: a\r\nX-Other: b\r\nContent-Length: 2\r\n\r\nok";
    let upstream = upstream_saying(bytes.into());
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    let answer = client.ask("GET /public/bad", &[], b"");
    assert_eq!((answer.status, answer.text().as_str(), answer.field("x-other")), (200, "ok", Some("b")));
    assert_eq!((answer.field("x-hop"), answer.field("keep-alive")), (None, None), "{:?}", answer.fields);
    assert_eq!(client.ask("GET /public/good", &[], b"").text(), "ok", "the connection goes on");
}

/// Each byte comes within the time of a read, and the head has no end: the gateway's own clock ends it.
#[test]
fn an_answer_whose_head_comes_byte_by_byte_does_not_outlast_its_time() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        let stream = socket.get_mut();
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut bytes = b"HTTP/1.1 200 OK\r\nX-Drip: ".to_vec();
        while stream.write_all(&bytes).is_ok() {
            bytes = b"x".to_vec();
            if stream.read(&mut [0]).is_ok() {
                break;
            }
        }
        false
    });
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    client.send_head("GET /public/drip", &[]);
    client.socket.get_ref().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let began = Instant::now();
    loop {
        match client.socket.read(&mut [0]) {
            Ok(0) => break,
            Ok(_) => panic!("something of it was passed on"),
            Err(_nothing_yet) => assert!(began.elapsed() < PATIENCE, "it goes on"),
        }
        rig.pass(Duration::from_secs(10));
        rig.hear_the_feed();
    }
}

/// pingora takes the chunks and drops the length, as RFC 9112 §6.3 allows. What follows must stay where it is.
#[test]
fn what_is_hidden_behind_an_answer_with_two_framings_reaches_nobody() {
    let bytes = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n\
                 HTTP/1.1 200 OK\r\nX-Hidden: yes\r\nContent-Length: 6\r\n\r\nhidden";
    let upstream = upstream_saying(bytes.into());
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    let first = client.ask("GET /public/bad", &[], b"");
    assert_eq!((first.status, first.text().as_str()), (200, "hello"));
    assert_eq!(first.field("content-length"), None);
    for _ in 0..3 {
        let next = client.ask("GET /public/good", &[], b"");
        assert_eq!((next.text().as_str(), next.field("x-hidden")), ("ok", None));
    }
}

#[test]
fn an_early_hint_passes_and_the_answer_after_it() {
    let bytes = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let upstream = upstream_saying(bytes.into());
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    client.send_head("GET /public/bad", &[]);
    assert_eq!(client.read_head().status, 103);
    assert_eq!(client.read_answer(false).status, 200);
}
