//! Which server gets a request, with what `Host`, and how often: what a raw server counts.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::rig::{Got, PATIENCE, Plan, Rig, Upstream, answer, read_body};
use crate::gateway::upstreams::settings::{Balance, HealthSettings, UpstreamHost};

/// What becomes of `line` on a connection that was used before, at an upstream that does `second` with it: the status, and how often it
/// was sent. A connection may come back a moment after its answer: what went over a new one says nothing, and is done again.
fn on_a_kept_connection(line: &str, second: fn(&mut BufReader<TcpStream>, &Got) -> bool) -> (u16, usize) {
    for _ in 0..20 {
        let upstream = Upstream::with(move |socket, got| {
            read_body(socket, got);
            if got.line.contains("first") { answer(socket, "200 OK", &[], b"ok") } else { second(socket, got) }
        });
        let rig = Rig::before(&upstream);
        assert_eq!(rig.ask("GET /public/first", &[]).status, 200);
        let status = rig.client().ask(line, &["Content-Length: 0"], b"").status;
        let sent: Vec<Got> = upstream.got().into_iter().filter(|got| got.line.contains("second")).collect();
        if sent.first().is_some_and(|got| got.connection == 1) {
            return (status, sent.len());
        }
    }
    panic!("no connection is ever kept");
}

#[test]
fn a_get_is_sent_again_when_a_kept_connection_was_closed_and_a_post_is_not() {
    for (method, status, executions) in
        [("GET", 200, 2), ("HEAD", 200, 2), ("POST", 502, 1), ("PUT", 502, 1), ("DELETE", 502, 1)]
    {
        // Closed after it was read; on a new connection it is answered.
        let came_to = on_a_kept_connection(&format!("{method} /public/second"), |socket, got| {
            let body: &[u8] = if got.line.starts_with("HEAD") { b"" } else { b"ok" };
            got.connection > 1 && answer(socket, "200 OK", &[], body)
        });
        assert_eq!(came_to, (status, executions), "{method}");
    }
}

#[test]
fn a_second_try_is_the_last() {
    assert_eq!(on_a_kept_connection("GET /public/second", |_, _| false), (502, 2));
}

#[test]
fn an_answer_that_had_begun_is_not_asked_for_again() {
    let came_to = on_a_kept_connection("GET /public/second", |socket, _| {
        let _ = socket.get_mut().write_all(b"HTTP/1.1 200 O");
        false
    });
    assert_eq!(came_to, (502, 1));
}

#[test]
fn the_host_is_the_site_s_the_server_s_or_a_given_one() {
    let host_of = |change| {
        let upstream = Upstream::plain();
        let rig = Plan { change, ..Plan::before(&upstream) }.start();
        assert_eq!(rig.ask("GET /public/x", &[]).status, 200);
        let got = upstream.last();
        assert_eq!(got.field("x-forwarded-host"), Some("app.localhost"));
        assert_eq!(got.fields.iter().filter(|field| field.to_ascii_lowercase().starts_with("host:")).count(), 1);
        (got.field("host").unwrap().to_owned(), upstream.address.to_string())
    };
    assert_eq!(host_of(|_| ()).0, "app.localhost");
    let (host, address) = host_of(|upstream| upstream.host = UpstreamHost::Server);
    assert_eq!(host, address);
    let named = host_of(|upstream| upstream.host = UpstreamHost::Named("app.internal:81".parse().unwrap()));
    assert_eq!(named.0, "app.internal:81");
}

#[test]
fn a_client_stays_with_its_server() {
    let servers = [Upstream::plain(), Upstream::plain(), Upstream::plain()];
    let plan = Plan {
        upstreams: servers.iter().map(|server| server.address).collect(),
        trusted: &["127.0.0.1/32"],
        change: |upstream| upstream.balance = Balance::Client,
        ..Plan::before(&servers[0])
    };
    let rig = plan.start();
    for round in 0..3 {
        for client in 0..30 {
            let forwarded = format!("X-Forwarded-For: 198.51.100.{client}");
            let asked = rig.ask(&format!("GET /public/{client}"), &[&forwarded, "X-Forwarded-Proto: http"]);
            assert_eq!(asked.status, 200, "{round}");
        }
    }
    for client in 0..30 {
        let line = format!("GET /public/{client} HTTP/1.1");
        let counts = servers.each_ref().map(|server| server.got().iter().filter(|got| got.line == line).count());
        assert!(counts.contains(&3), "client {client} went to {counts:?}");
    }
    assert!(servers.iter().all(|server| server.got().len() > 3), "one server got nearly nothing");
}

/// Checked very often, so that the test is short.
fn check_often(healthy_after: u32) -> HealthSettings {
    HealthSettings {
        path: "/health?deep=1".to_owned(),
        interval: Duration::from_millis(20),
        timeout: Duration::from_secs(2),
        healthy_after,
        unhealthy_after: 2,
        statuses: vec![200],
        host: None,
    }
}

#[test]
fn an_unhealthy_server_gets_nothing_and_when_all_are_people_get_a_503_at_once() {
    let sick = [Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false))];
    let server = |sick: &Arc<AtomicBool>| {
        let sick = Arc::clone(sick);
        Upstream::with(move |socket, got| {
            read_body(socket, got);
            let is_check = got.line.starts_with("GET /health?deep=1 ");
            match is_check && sick.load(Ordering::SeqCst) {
                true => answer(socket, "503 Service Unavailable", &[], b""),
                false => answer(socket, "200 OK", &[], b"ok"),
            }
        })
    };
    let servers = sick.each_ref().map(server);
    let plan = Plan {
        upstreams: servers.iter().map(|server| server.address).collect(),
        change: |upstream| upstream.health = Some(check_often(3)),
        ..Plan::before(&servers[0])
    };
    let rig = plan.start();
    let requests = |server: &Upstream| server.got().iter().filter(|got| !got.line.contains("/health")).count();
    let check = |server: &Upstream| server.got().into_iter().find(|got| got.line.contains("/health"));

    sick[0].store(true, Ordering::SeqCst);
    // Enough in a row go to the other one.
    until("one server gets nothing", || {
        let before = requests(&servers[0]);
        (0..6).for_each(|_| assert_eq!(rig.ask("GET /public/x", &[]).status, 200));
        requests(&servers[0]) == before
    });
    let asked = check(&servers[0]).unwrap();
    assert_eq!(asked.field("host"), Some(servers[0].address.to_string().as_str()));
    assert_eq!((asked.field("x-forwarded-for"), asked.field("cookie")), (None, None));

    sick[1].store(true, Ordering::SeqCst);
    until("none is left", || rig.ask("GET /public/x", &[]).status == 503);
    let before = requests(&servers[0]) + requests(&servers[1]);
    let began = Instant::now();
    let program = rig.ask("POST /public/x", &["Content-Length: 0"]);
    assert_eq!((program.status, program.field("retry-after")), (503, Some("5")));
    assert!(program.text().contains("upstream_none_healthy"), "{}", program.text());
    let page = rig.ask("GET /public/x", &["Accept: text/html"]);
    assert!(page.text().contains(page.field("x-request-id").unwrap()), "{}", page.text());
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(requests(&servers[0]) + requests(&servers[1]), before);

    sick[0].store(false, Ordering::SeqCst);
    until("it comes back", || rig.ask("GET /public/x", &[]).status == 200);
    let before = requests(&servers[1]);
    (0..4).for_each(|_| assert_eq!(rig.ask("GET /public/x", &[]).status, 200));
    assert_eq!(requests(&servers[1]), before);
}

#[test]
fn what_the_application_answers_is_no_reason_to_leave_it_alone() {
    let failing = Upstream::with(|socket, got| {
        read_body(socket, got);
        answer(socket, "500 Internal Server Error", &[], b"mine")
    });
    let other = Upstream::plain();
    let rig = Plan { upstreams: vec![failing.address, other.address], ..Plan::before(&failing) }.start();
    let statuses: Vec<u16> = (0..20).map(|_| rig.ask("GET /public/x", &[]).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 500).count(), 10, "{statuses:?}");
}

#[test]
fn a_server_that_lets_three_requests_in_a_row_without_an_answer_is_left_alone() {
    let hung = Upstream::with(|socket, got| {
        read_body(socket, got);
        false
    });
    let other = Upstream::plain();
    let rig = Plan { upstreams: vec![hung.address, other.address], ..Plan::before(&hung) }.start();
    let statuses: Vec<u16> = (0..30).map(|_| rig.ask("GET /public/x", &[]).status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 502).count(), 3, "{statuses:?}");
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
