//! The end of a session is the end of its streams, on every node, within a second: whatever ended it, and whatever flows or does not.

use super::{BOUND, Ended, KINDS, Kind, PHONE, open};
use crate::harness::children::wait_for;
use crate::harness::endings::{WAYS, Way, end};
use crate::harness::person::Person;
use crate::harness::raw::read_until_silence;
use crate::harness::stack::{Account, Accounts, Plan, Stack};
use futures_util::stream::{self, StreamExt};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Each way once for each, so that every kind of stream meets every way on every node.
const PEOPLE: usize = WAYS.len() * 5;

struct Trial {
    way: Way,
    kind: Kind,
    node: usize,
    /// When somebody began to end the session, and when that was said to be done.
    asked: Instant,
    done: Instant,
    stream: JoinHandle<(Ended, Instant)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_streams_end_within_a_second_of_their_sessions() {
    let stack = Plan::new().nodes(2).set("limits.sms.total_minute", 1000).start();
    let people = signed_in(&stack).await;
    let mut trials = Vec::new();
    for (number, (account, person)) in people.iter().enumerate() {
        let (way, round) = (WAYS[number % WAYS.len()], number / WAYS.len());
        let mut streams = Vec::new();
        for node in 0..2 {
            // Two of the five at each node, others in the next round.
            for kind in [KINDS[(round + node) % KINDS.len()], KINDS[(round + node + 2) % KINDS.len()]] {
                streams.push((node, kind, open(&stack.at_node(person, node), kind).await));
            }
        }
        let asked = Instant::now();
        let done = end(&stack, way, person, account).await;
        let trial = |(node, kind, stream)| Trial { way, kind, node, asked, done, stream };
        trials.extend(streams.into_iter().map(trial));
    }
    assert_eq!(trials.len(), 4 * PEOPLE);

    let (mut since_done, mut since_asked) = (Vec::new(), Vec::new());
    for trial in trials {
        let Trial { way, kind, node, asked, done, stream } = trial;
        let (ended, at) = tokio::time::timeout(Duration::from_secs(20), stream)
            .await
            .unwrap_or_else(|_| panic!("{kind:?} at node {node} goes on after {way:?}"))
            .unwrap();
        let expected = match kind {
            Kind::SilentSocket | Kind::BusySocket => Ended::Closed(4401, "session_ended".to_owned()),
            Kind::SilentEvents | Kind::SilentDownload | Kind::BusyDownload => Ended::Cut,
        };
        assert_eq!(ended, expected, "{kind:?} at node {node} after {way:?}");
        let took = at.saturating_duration_since(done);
        assert!(took < BOUND, "{kind:?} at node {node} went on for {took:?} after {way:?}");
        since_done.push(took);
        since_asked.push(at - asked);
    }
    wait_for("the application to see all of them end", || (stack.upstream.open_streams() == 0).then_some(()));
    since_done.sort();
    since_asked.sort();
    let (half, last) = (since_done.len() / 2, since_done.len() - 1);
    println!(
        "{} streams ended {:?} in the median and {:?} at most after that was said to be done ({:?} and {:?} after it was asked for)",
        since_done.len(),
        since_done[half],
        since_done[last],
        since_asked[half],
        since_asked[last],
    );

    // Each of them is told once in the log, with what it was.
    let cuts: Vec<serde_json::Value> =
        stack.nodes.iter().flat_map(|node| node.records()).filter(|record| record["message"] == "stream cut").collect();
    assert_eq!(cuts.len(), since_done.len());
    for cut in &cuts {
        assert_eq!(cut["reason"], "session_ended", "{cut}");
        assert!(cut["user"].as_str().is_some_and(|user| user.starts_with("person-")), "{cut}");
        assert!(cut["duration_ms"].is_u64() && cut["bytes"].as_u64() > Some(0), "{cut}");
        let (path, status) = (cut["path"].as_str().unwrap(), &cut["status"]);
        assert_eq!(*status, if path == "/socket" { 101 } else { 200 }, "{cut}");
    }
    let requests = stack.nodes.iter().flat_map(|node| node.records()).filter(|record| {
        record["message"] == "request"
            && matches!(record["path"].as_str(), Some("/socket" | "/events" | "/pause" | "/drip"))
    });
    assert_eq!(requests.count(), 0, "a stream was logged twice");
}

/// Everybody who takes part, with the same password: it is hashed once.
async fn signed_in(stack: &Stack) -> Vec<(Account, Person)> {
    let accounts: Vec<Account> = stack.add_accounts(PEOPLE);
    stream::iter(accounts)
        .map(async |account| {
            let person = stack.signed_in(&account).await;
            (account, person)
        })
        .buffer_unordered(5)
        .collect()
        .await
}

#[tokio::test]
async fn an_upload_that_has_stopped_flowing_ends_within_a_second_too() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let head = format!(
        "POST /upload HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Length: 100000\r\n\r\nabc",
        person.host(),
        person.cookie_header("/upload").unwrap()
    );
    let mut upload = TcpStream::connect(("127.0.0.1", person.port())).await.unwrap();
    upload.write_all(head.as_bytes()).await.unwrap();
    wait_for("the first bytes at the application", || (stack.upstream.body_bytes_under_way() > 0).then_some(()));
    stack.command(&["session", "end", "--user", "ada", "--reason", "a test"], "").done();
    let done = Instant::now();
    let answer = read_until_silence(&mut upload, Duration::from_secs(20)).await;
    let took = done.elapsed();
    assert!(took < BOUND, "it went on for {took:?}");
    assert_eq!(String::from_utf8_lossy(&answer), "");
    let cut = wait_for("the line in the log", || {
        stack.nodes[0].records().into_iter().find(|record| record["message"] == "stream cut")
    });
    assert_eq!((cut["reason"].as_str(), cut["path"].as_str()), (Some("session_ended"), Some("/upload")), "{cut}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn activation_ends_the_streams_of_sessions_without_a_code() {
    let stack = Plan::new().accounts(Accounts::Postgres).nodes(2).set("two_factor.activation", "staged").start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.person();
    person.give_password("/", &account).await.expect(200);
    let mut streams = Vec::new();
    for node in 0..2 {
        for kind in KINDS {
            streams.push((node, kind, open(&stack.at_node(&person, node), kind).await));
        }
    }
    stack.command(&["two-factor", "activate", "--reason", "a test"], "").done();
    let done = Instant::now();
    for (node, kind, stream) in streams {
        let (ended, at) = stream.await.unwrap();
        let took = at.saturating_duration_since(done);
        assert!(took < BOUND, "{kind:?} at node {node} went on for {took:?}");
        if matches!(kind, Kind::SilentSocket | Kind::BusySocket) {
            assert_eq!(ended, Ended::Closed(4401, "code_required".to_owned()));
        } else {
            assert_eq!(ended, Ended::Cut);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_ends_streams_too_the_silent_ones_first() {
    let (idle, lifetime) = (Duration::from_secs(2), Duration::from_secs(5));
    let stack = Plan::new().set("session.idle_timeout", "2s").set("session.lifetime", "5s").start();
    let account = stack.add_account("ada", PHONE);
    let before = Instant::now();
    let person = stack.signed_in(&account).await;
    let after = Instant::now();
    let silent = [Kind::SilentSocket, Kind::SilentEvents, Kind::SilentDownload];
    let mut streams = Vec::new();
    for kind in KINDS {
        streams.push((kind, Instant::now(), open(&person, kind).await, Instant::now()));
    }
    for (kind, opening, stream, opened) in streams {
        let (ended, at) = stream.await.unwrap();
        let (earliest, latest) = if silent.contains(&kind) {
            (opening + idle, opened + idle)
        } else {
            (before + lifetime, after + lifetime)
        };
        assert!(at >= earliest, "{kind:?} ended {:?} too early", earliest - at);
        assert!(at < latest + BOUND, "{kind:?} ended {:?} too late", at - latest);
        match kind {
            Kind::SilentSocket => assert_eq!(ended, Ended::Closed(4408, "stream_idle".to_owned())),
            Kind::BusySocket => assert_eq!(ended, Ended::Closed(4401, "session_out_of_time".to_owned())),
            Kind::SilentEvents | Kind::SilentDownload | Kind::BusyDownload => assert_eq!(ended, Ended::Cut),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_outlive_a_reload_unless_it_says_otherwise() {
    let mut stack = Plan::new().set("session.idle_timeout", "1h").start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let mut streams = Vec::new();
    for kind in KINDS {
        streams.push(open(&person, kind).await);
    }
    stack.settings.set("sites.0.portal", serde_json::json!({ "name": "Other" }));
    reload(&stack, 1);
    person.fetch("/").await.expect(200);
    assert_eq!(stack.upstream.open_streams(), KINDS.len());
    assert!(streams.iter().all(|stream| !stream.is_finished()));
    // Sessions that may not live for as long as this one already has.
    stack.settings.set("session.idle_timeout", "1s").set("session.lifetime", "1s");
    reload(&stack, 2);
    let reloaded = Instant::now();
    for stream in streams {
        let (ended, at) = stream.await.unwrap();
        assert_ne!(ended, Ended::Whole);
        assert!(at.saturating_duration_since(reloaded) < BOUND + BOUND);
    }
}

/// Reloads for the `count`th time and waits until that is done.
fn reload(stack: &Stack, count: usize) {
    stack.rewrite_config(0);
    stack.nodes[0].reload();
    wait_for("the reload", || {
        let reloads = stack.nodes[0].log().matches("the configuration was reloaded").count();
        (reloads >= count).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_ends_says_goodbye_to_sockets_once_requests_had_their_time() {
    let drain = Duration::from_secs(2);
    let mut stack = Plan::new().set("shutdown.drain", "2s").start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let sockets = [open(&person, Kind::SilentSocket).await, open(&person, Kind::BusySocket).await];
    let events = open(&person, Kind::SilentEvents).await;
    let slow = tokio::spawn({
        let person = person.copy();
        async move { person.fetch("/slow?ms=1000").await }
    });
    wait_for("the slow request", || (!stack.upstream.requests_to("/slow").is_empty()).then_some(()));
    let told = Instant::now();
    stack.node().process().signal(rustix::process::Signal::TERM);
    slow.await.unwrap().expect(200);
    for socket in sockets {
        let (ended, at) = socket.await.unwrap();
        assert_eq!(ended, Ended::Closed(1001, "going_away".to_owned()));
        assert!(at - told >= drain, "{:?}: before the time to finish was over", at - told);
        assert!(at - told < drain + BOUND, "{:?}", at - told);
    }
    assert_eq!(events.await.unwrap().0, Ended::Cut);
    assert!(stack.node().process().wait().success());
    println!(
        "a node with open sockets ended {:?} after it was told, {drain:?} of which were to finish",
        told.elapsed()
    );
    assert!(told.elapsed() < drain + 2 * BOUND + BOUND, "{:?}", told.elapsed());
}
