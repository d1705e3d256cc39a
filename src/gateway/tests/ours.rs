//! Our own pages over the bridge.

use std::time::Duration;

use super::rig::{Plan, Rig, Upstream};

#[test]
fn a_page_knows_where_it_is_asked_for() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let answer = rig.ask("GET /.vestibule/login?return_to=%2F", &[]);
    assert_eq!(answer.text(), "marketing http://app.localhost 127.0.0.1 app.localhost /.vestibule/login?return_to=%2F");
    let absolute = rig.ask("GET http://app.localhost/.vestibule/login", &[]);
    assert!(absolute.text().ends_with(" /.vestibule/login"), "{}", absolute.text());
    assert_eq!(upstream.got().len(), 0);
}

#[test]
fn bodies_arrive_whole_whatever_their_framing() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    assert_eq!(client.ask("POST /.vestibule/code", &["Content-Length: 5"], b"hello").text(), "hello");
    let chunked =
        client.ask("POST /.vestibule/code", &["Transfer-Encoding: chunked"], b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");
    assert_eq!(chunked.text(), "hello");
    let mut client = rig.client();
    client.send_head("POST /.vestibule/code", &["Content-Length: 5", "Expect: 100-continue"]);
    assert_eq!(client.read_head().status, 100);
    client.send(b"hello");
    assert_eq!(client.read_answer(false).text(), "hello");
}

#[test]
fn answers_keep_their_framing_and_the_connection() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    let streamed = client.ask("GET /.vestibule/streamed", &[], b"");
    assert_eq!(streamed.field("transfer-encoding"), Some("chunked"));
    assert_eq!(streamed.text(), "one two three");
    let nothing = client.ask("GET /.vestibule/nothing", &[], b"");
    assert_eq!((nothing.status, nothing.field("content-length")), (204, None));
    let head = client.ask("HEAD /.vestibule/login", &[], b"");
    assert_eq!(head.status, 200);
    assert!(head.field("content-length").is_some_and(|length| length != "0"), "{head:?}");
    assert_eq!(client.ask("GET /.vestibule/unheard-of", &[], b"").status, 404);
    assert_eq!(client.ask("GET /.vestibule/login", &[], b"").status, 200);
}

#[test]
fn a_body_too_large_or_too_slow_is_refused() {
    let upstream = Upstream::plain();
    let rig = Plan { portal_body: Duration::from_millis(200), ..Plan::before(&upstream) }.start();
    assert_eq!(rig.ask("POST /.vestibule/code", &["Content-Length: 16385"]).status, 413);
    let mut chunks = Vec::new();
    for _ in 0..20 {
        chunks.extend(format!("400\r\n{}\r\n", "a".repeat(1024)).bytes());
    }
    let mut client = rig.client();
    assert_eq!(client.ask("POST /.vestibule/code", &["Transfer-Encoding: chunked"], &chunks).status, 413);
    let mut client = rig.client();
    assert_eq!(client.ask("POST /.vestibule/code", &["Content-Length: 5"], b"hel").status, 408);
    assert!(client.is_closed());
}

#[test]
fn a_page_that_panics_is_an_answer_and_not_a_cut_connection() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let answer = rig.ask("GET /.vestibule/panics", &["Accept: text/html"]);
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains(answer.field("x-request-id").unwrap()));
    assert_eq!(rig.ask("GET /.vestibule/login", &[]).status, 200);
}
