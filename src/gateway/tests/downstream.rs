//! What the gateway does with requests before they go anywhere.

use super::rig::{Plan, Rig, Upstream};

#[test]
fn whoever_is_not_signed_in_never_reaches_the_upstream() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    for (line, fields, status) in [
        ("GET /app", &[] as &[&str], 401),
        ("GET /app", &["Accept: text/html"], 303),
        ("GET /app", &["Upgrade: x"], 401),
        ("GET /app", &["Upgrade: websocket", "Connection: Upgrade"], 401),
        ("POST /app", &["Content-Length: 3"], 401),
        ("GET /app", &["Cookie: vestibule=v1.0.x"], 401),
        ("GET /app", &["X-Forwarded-User: anna"], 401),
        ("GET /public/..%2fapp", &[], 401),
        ("GET /closed", &[], 403),
        ("GET //.vestibule/login", &[], 404),
        ("TRACE /public/x", &[], 405),
        ("TRACK /public/x", &[], 405),
        ("FOO /public/x", &[], 405),
        ("CONNECT app.localhost:80", &[], 405),
    ] {
        assert_eq!(rig.ask(line, fields).status, status, "{line} {fields:?}");
    }
    assert_eq!(upstream.got().len(), 0, "{:?}", upstream.got());
}

#[test]
fn a_refusal_has_a_form_that_fits_who_asks() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let page = rig.ask("GET /app?x=1", &["Accept: text/html"]);
    assert_eq!(page.field("location"), Some("/.vestibule/login?return_to=%2Fapp%3Fx%3D1"));
    let program = rig.ask("GET /app", &[]);
    assert_eq!(program.field("content-type"), Some("application/problem+json"));
    assert_eq!(program.field("www-authenticate"), Some("Vestibule"));
    let problem: serde_json::Value = serde_json::from_slice(&program.body).unwrap();
    assert_eq!(problem["code"], "sign_in_required");
    assert_eq!(problem["request_id"], program.field("x-request-id").unwrap());
    let sent = ["Sec-Fetch-Mode: navigate", "Content-Length: 0", "Referer: http://app.localhost/edit?id=1"];
    let form = rig.ask("POST /app", &sent);
    assert_eq!(form.status, 401);
    assert!(form.text().contains("/.vestibule/login?return_to=%2Fedit%3Fid%3D1"), "{}", form.text());
    let german = rig.ask("GET /closed", &["Accept: text/html", "Accept-Language: de"]);
    assert_eq!((german.status, german.field("content-language")), (403, Some("de")));
    for answer in [page, program, form] {
        assert_eq!(answer.field("cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn a_body_that_nobody_will_read_is_not_asked_for() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    let answer = client.ask("POST /app", &["Content-Length: 1073741824", "Expect: 100-continue"], b"");
    assert_eq!(answer.status, 401);
    assert!(client.is_closed());
}

#[test]
fn a_connection_is_kept_between_our_answers_and_the_upstream_s() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let cookie = rig.cookie();
    let mut client = rig.client();
    for _ in 0..2 {
        assert_eq!(client.ask("GET /app", &[&cookie], b"").text(), "ok");
        assert_eq!(client.ask("GET /app", &[], b"").status, 401);
        assert_eq!(client.ask("HEAD /app", &[], b"").status, 401);
        assert_eq!(client.ask("GET /.vestibule/login", &[], b"").status, 200);
        assert_eq!(client.ask("HEAD /.vestibule/login", &[], b"").status, 200);
        assert_eq!(client.ask("GET /.vestibule/live", &[], b"").text(), "live\n");
        assert_eq!(client.ask("POST /app", &[&cookie, "Content-Length: 5"], b"hello").text(), "ok");
    }
    let connections: Vec<usize> = upstream.got().iter().map(|got| got.connection).collect();
    assert_eq!(connections, [1, 1, 1, 1], "the upstream's connection is kept too");
}

#[test]
fn every_request_of_a_connection_is_judged_by_itself() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    assert_eq!(client.ask("GET /app", &[&rig.cookie()], b"").status, 200);
    assert_eq!(client.ask("GET /app", &[], b"").status, 401);
    assert_eq!(upstream.got().len(), 1);
}

#[test]
fn a_pipelined_request_is_not_answered_unjudged() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let mut client = rig.client();
    client.send(
        format!(
            "GET /app HTTP/1.1\r\nHost: app.localhost\r\n{}\r\n\r\nGET /secret HTTP/1.1\r\nHost: app.localhost\r\n\r\n",
            rig.cookie()
        )
        .as_bytes(),
    );
    assert_eq!(client.read_answer(false).status, 200);
    assert!(upstream.got().iter().all(|got| got.line.starts_with("GET /app ")), "{:?}", upstream.got());
}

#[test]
fn heads_that_readers_differ_about_are_refused_and_the_connection_closed() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let host = "Host: app.localhost\r\n";
    for head in [
        "GET /public/x HTTP/1.1\r\n\r\n".to_owned(),
        format!("GET /public/x HTTP/1.1\r\n{host}{host}\r\n"),
        format!("GET http://other.localhost/public/x HTTP/1.1\r\n{host}\r\n"),
        format!("POST /public/x HTTP/1.1\r\n{host}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
        format!("POST /public/x HTTP/1.1\r\n{host}Content-Length: 3, 3\r\n\r\nabc"),
        format!("POST /public/x HTTP/1.1\r\n{host}Content-Length: +3\r\n\r\nabc"),
        format!("POST /public/x HTTP/1.1\r\n{host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("POST /public/x HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("POST /public/x HTTP/1.1\r\n{host}Transfer-Encoding: identity\r\n\r\n"),
        format!("POST /public/x HTTP/1.0\r\n{host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("GET /public/x HTTP/1.1\r\n{host}A: b\r\n c\r\n\r\n"),
        format!("GET /public/x HTTP/1.1\r\n{host}A: b\rc\r\n\r\n"),
        format!("GET /public/x HTTP/1.1\r\n{host}A: b\0c\r\n\r\n"),
        format!("GET /public/x HTTP/1.1\r\n{host}A : b\r\n\r\n"),
        "GET /public/x HTTP/1.1\nHost: app.localhost\n\n".to_owned(),
        format!("OPTIONS * HTTP/1.1\r\n{host}\r\n"),
    ] {
        let mut client = rig.client();
        client.send(head.as_bytes());
        assert_eq!(client.read_answer(false).status, 400, "{head:?}");
        assert!(client.is_closed(), "{head:?}");
    }
    assert_eq!(upstream.got().len(), 0, "{:?}", upstream.got());
}

#[test]
fn heads_beyond_their_limits_are_refused() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    assert_eq!(rig.ask(&format!("GET /public/{}", "a".repeat(8192)), &[]).status, 414);
    assert_eq!(rig.ask("GET /public/x", &[&format!("A: {}", "a".repeat(33_000))]).status, 431);
    assert_eq!(rig.ask("GET /public/x", &["A: b"; 100]).status, 431);
    assert_eq!(rig.ask(&format!("GET /public/{}", "a".repeat(8000)), &["A: b"; 90]).status, 200);
}

#[test]
fn another_host_is_served_nothing_but_probes() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let to = |target: &str| {
        let mut client = rig.client();
        client.send(format!("GET {target} HTTP/1.1\r\nHost: 10.0.0.7\r\n\r\n").as_bytes());
        client.read_answer(false)
    };
    assert_eq!(to("/public/x").status, 421);
    assert_eq!(to("/.vestibule/login").status, 421);
    assert_eq!(to("/.vestibule/live").status, 200);
    assert_eq!(to("/.vestibule/ready").status, 200);
    rig.handle.drain();
    assert_eq!(to("/.vestibule/ready").status, 503);
    assert_eq!(to("/.vestibule/live").status, 200);
    assert_eq!(rig.ask("GET /public/x", &[]).status, 200, "requests go on while draining");
}

#[test]
fn an_https_site_behind_a_proxy_is_served_as_the_proxy_says() {
    let upstream = Upstream::plain();
    let behind = Plan { url: "https://app.localhost", trusted: &["127.0.0.0/8"], ..Plan::before(&upstream) }.start();
    assert_eq!(behind.ask("GET /public/x", &["X-Forwarded-Proto: https", "X-Forwarded-For: 198.51.100.7"]).status, 200);
    let got = upstream.last();
    assert_eq!(got.field("x-forwarded-proto"), Some("https"));
    assert_eq!(got.field("x-forwarded-port"), Some("443"));
    assert_eq!(got.field("x-forwarded-for"), Some("198.51.100.7, 127.0.0.1"));
    let plain = behind.ask("GET /public/x?y=z", &["X-Forwarded-Proto: http"]);
    assert_eq!((plain.status, plain.field("location")), (308, Some("https://app.localhost/public/x?y=z")));
    let exposed = Plan { url: "https://app.localhost", ..Plan::before(&upstream) }.start();
    assert_eq!(exposed.ask("GET /public/x", &["X-Forwarded-Proto: https"]).status, 308);
    assert_eq!(upstream.got().len(), 1);
}
