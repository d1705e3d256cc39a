//! Streams of one connection: cut with the session they belong to, each alone; bodies of any length; an end that waits for them.

use super::PHONE;
use super::raw_http2::connect;
use crate::harness::children::wait_for;
use crate::harness::person::Person;
use crate::harness::stack::Plan;
use crate::harness::tls::SecureStack;
use h2::client::SendRequest;
use h2::{Reason, RecvStream};
use serde_json::json;
use std::time::{Duration, Instant};

type Streams = SendRequest<bytes::Bytes>;

async fn connected(secure: &SecureStack) -> Streams {
    let stream = connect(secure.port, &secure.authority.certificate_file(), "localhost", &["h2"]).await;
    // room for all streams, so that one that is not read holds up no other
    let mut builder = h2::client::Builder::new();
    let (streams, connection) = builder.initial_connection_window_size(16 << 20).handshake(stream).await.unwrap();
    tokio::spawn(connection);
    streams
}

async fn get(streams: &mut Streams, person: &Person, target: &str) -> http::Response<RecvStream> {
    let request = http::Request::get(format!("{}{target}", person.site()))
        .header("cookie", person.cookie_header("/").unwrap())
        .body(())
        .unwrap();
    *streams = streams.clone().ready().await.unwrap();
    let (answer, _) = streams.send_request(request, true).unwrap();
    answer.await.unwrap()
}

async fn piece(body: &mut RecvStream) -> Option<Result<bytes::Bytes, h2::Error>> {
    let piece = tokio::time::timeout(Duration::from_secs(20), body.data()).await.expect("nothing comes any more");
    if let Some(Ok(data)) = &piece {
        let _ = body.flow_control().release_capacity(data.len());
    }
    piece
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_s_streams_end_with_it_and_the_others_go_on() {
    let secure = SecureStack::start();
    let stack = &secure.stack;
    let ada = secure.signed_in(&stack.add_account("ada", PHONE)).await;
    let bob = secure.signed_in(&stack.add_account("bob", "+32470111333")).await;
    let mut streams = connected(&secure).await;
    let mut slowest = Duration::ZERO;
    for trial in 0..5 {
        let ada = if trial == 0 { ada.clone() } else { secure.signed_in(&again("ada", &secure)).await };
        let mut adas = get(&mut streams, &ada, "/events").await.into_body();
        let mut bobs = get(&mut streams, &bob, "/events").await.into_body();
        // A download that nobody reads: it is as silent as the events are.
        let mut download = get(&mut streams, &ada, "/big?bytes=50000000").await.into_body();
        for body in [&mut adas, &mut bobs] {
            assert_eq!(piece(body).await.unwrap().unwrap(), ": open\n\n");
        }
        download.data().await.unwrap().unwrap();

        stack.command(&["session", "end", "--user", "ada", "--reason", "test"], "").done();
        let began = Instant::now();
        let end = loop {
            match piece(&mut adas).await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => panic!("the stream ended as if it had been whole"),
            }
        };
        slowest = slowest.max(began.elapsed());
        assert!(end.is_reset(), "{end:?}");
        let cut = loop {
            match download.data().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => break error,
                None => panic!("the download ended as if it had been whole"),
            }
        };
        slowest = slowest.max(began.elapsed());
        assert!(cut.is_reset(), "{cut:?}");

        stack.upstream.emit("still here");
        assert_eq!(piece(&mut bobs).await.unwrap().unwrap(), "data: still here\n\n");
        assert_eq!(get(&mut streams, &bob, "/after").await.status(), 200);
        assert_eq!(get(&mut streams, &ada, "/after").await.status(), 401);
        drop(bobs);
        wait_for("the streams to end at the application", || (stack.upstream.open_streams() == 0).then_some(()));
    }
    println!("streams over HTTP/2 were cut at most {slowest:?} after the session's end, of 10");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

/// An account that was added before.
fn again(name: &str, secure: &SecureStack) -> crate::harness::stack::Account {
    let password = format!("{name}-another-unlikely-phrase-{:x}", rand::random::<u32>());
    let words = ["user", "set-password", name, "--password-stdin", "--reason", "test"];
    secure.stack.command(&words, &format!("{password}\n")).done();
    crate::harness::stack::Account { name: name.to_owned(), password, phone: PHONE.to_owned() }
}

#[tokio::test]
async fn bodies_of_any_length_pass_in_both_directions() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut streams = connected(&secure).await;
    let bytes = 30 << 20;
    let mut body = get(&mut streams, &person, &format!("/big?bytes={bytes}")).await.into_body();
    let mut read = 0;
    while let Some(piece) = piece(&mut body).await {
        read += piece.unwrap().len();
    }
    assert_eq!(read, bytes);

    let request = http::Request::post(format!("{}/upload", person.site()))
        .header("cookie", person.cookie_header("/").unwrap())
        .body(())
        .unwrap();
    let (answer, mut upload) = streams.send_request(request, false).unwrap();
    let mut left = bytes;
    while left > 0 {
        upload.reserve_capacity(left.min(64 << 10));
        let room = std::future::poll_fn(|context| upload.poll_capacity(context)).await.unwrap().unwrap();
        upload.send_data(vec![b'a'; room].into(), room == left).unwrap();
        left -= room;
    }
    assert_eq!(answer.await.unwrap().status(), 200);
    assert_eq!(secure.stack.upstream.request_to("/upload").body_bytes, bytes as u64);
}

// The client's side is driven by a task of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_taken_back_ends_at_the_application() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut streams = connected(&secure).await;
    let body = get(&mut streams, &person, "/events").await.into_body();
    wait_for("the stream", || (secure.stack.upstream.open_streams() == 1).then_some(()));
    drop(body);
    wait_for("the stream to end", || (secure.stack.upstream.open_streams() == 0).then_some(()));
    assert_eq!(get(&mut streams, &person, "/after").await.status(), 200);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_whole_answer() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut streams = connected(&secure).await;
    let mut body = get(&mut streams, &person, "/broken").await.into_body();
    let end = loop {
        match piece(&mut body).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("half an answer ended as if it had been whole"),
        }
    };
    assert!(end.is_reset(), "{end:?}");
    assert_eq!(get(&mut streams, &person, "/after").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_the_process_waits_for_streams() {
    let mut secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut streams = connected(&secure).await;
    let mut under_way = streams.clone();
    let asked = person.clone();
    let slow = tokio::spawn(async move { get(&mut under_way, &asked, "/slow?ms=2000").await.status() });
    wait_for("the request at the application", || (secure.stack.upstream.count() > 0).then_some(()));
    secure.stack.node().process().signal(rustix::process::Signal::TERM);
    assert_eq!(slow.await.unwrap(), 200);
    wait_for("the end", || (!secure.stack.node().process().is_running()).then_some(()));
    // a new stream is not taken
    let request = http::Request::get(format!("{}/late", person.site())).body(()).unwrap();
    let refused = match streams.clone().ready().await {
        Ok(_) => streams.send_request(request, true).is_err(),
        Err(_) => true,
    };
    assert!(refused);
}

#[tokio::test]
async fn a_stream_without_its_body_holds_up_no_other() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut streams = connected(&secure).await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let request = http::Request::post(format!("{}/held", person.site()))
            .header("cookie", person.cookie_header("/").unwrap())
            .body(())
            .unwrap();
        streams = streams.ready().await.unwrap();
        waiting.push(streams.send_request(request, false).unwrap());
    }
    assert_eq!(get(&mut streams, &person, "/beside").await.status(), 200);
    for (_, upload) in &mut waiting {
        upload.send_reset(Reason::CANCEL);
    }
    assert_eq!(get(&mut streams, &person, "/beside").await.status(), 200);
    assert_eq!(secure.stack.upstream.requests_to("/held").len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_one_connection_take_no_more_connections_to_upstreams_than_there_is_room_for() {
    const ROOM: usize = 5;
    let plan = Plan::new().set("limits.connections", json!({ "total": ROOM, "per_network": ROOM }));
    let secure = SecureStack::prepare(plan, |_, _| ()).started();
    let ada = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut streams = connected(&secure).await;
    let mut open = Vec::new();
    for _ in 0..ROOM {
        let answer = get(&mut streams, &ada, "/events").await;
        assert_eq!(answer.status(), 200);
        open.push(answer.into_body());
    }
    let refused = get(&mut streams, &ada, "/one-too-many").await;
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (http::StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
    );
    let mut body = refused.into_body();
    let mut document = Vec::new();
    while let Some(data) = piece(&mut body).await {
        document.extend(data.unwrap());
    }
    assert!(String::from_utf8_lossy(&document).contains("too_many_requests"));
    // Pages of ours take none.
    assert_eq!(get(&mut streams, &ada, "/.vestibule/session").await.status(), 200);
    assert!(secure.stack.nodes[0].log().contains("too many requests for upstreams"));
    open.pop();
    let began = Instant::now();
    while get(&mut streams, &ada, "/room-again").await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "the place is not given back");
    }
    assert!(secure.stack.upstream.requests_to("/one-too-many").is_empty());
}
