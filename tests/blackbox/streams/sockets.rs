//! What a WebSocket is told when its session ends, as a library and a browser understand it.

use super::{Ended, Kind, PHONE, open};
use crate::browser::{as_far_as_the_code, give_code};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::children::wait_for;
use crate::harness::raw::open_socket;
use crate::harness::stack::Stack;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Keeps in the page what becomes of a WebSocket and of an event stream.
const SCRIPT: &str = "
    const socket = new WebSocket('ws://' + location.host + '/socket');
    socket.onopen = () => socket.send('hello');
    socket.onmessage = message => { window.heard = message.data; };
    socket.onclose = event => { window.lastWords = [event.code, event.reason, event.wasClean]; };
    window.events = new EventSource('/events');
    return null;
";

#[tokio::test]
async fn a_page_learns_from_the_close_code_that_its_session_is_over() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let browser = Browser::start(JavaScript::On).await;
    let code = as_far_as_the_code(&browser, &stack, &account, "/").await;
    give_code(&browser, &code).await;
    browser.wait_for_text("x-forwarded-user").await;
    browser.run(SCRIPT).await;
    browser
        .wait_until("both streams", async |browser| {
            browser.run("return [window.heard, window.events.readyState];").await == json!(["hello", 1])
        })
        .await;
    assert_eq!(browser.run("return window.lastWords || null;").await, json!(null));
    stack.command(&["session", "end", "--user", "ada", "--reason", "a test"], "").done();
    browser
        .wait_until("the close event", async |browser| {
            browser.run("return window.lastWords || null;").await == json!([4401, "session_ended", true])
        })
        .await;
    // The event stream asks again by itself, hears 401, and gives up: EventSource.CLOSED.
    browser
        .wait_until("the end of the events", async |browser| {
            browser.run("return window.events.readyState;").await == json!(2)
        })
        .await;
    browser.close().await;
}

#[tokio::test]
async fn what_the_two_ends_say_to_each_other_stays_theirs() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let mut socket = open_socket(&person, "/socket").await.unwrap();
    // The application's own goodbye, with its own code, and ours to it.
    for message in
        [Message::Ping(Bytes::from_static(b"1")), Message::text("x"), Message::Pong(Bytes::from_static(b"2"))]
    {
        socket.send(message).await.unwrap();
    }
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong(Bytes::from_static(b"1")));
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("x"));
    let goodbye = CloseFrame { code: 4999.into(), reason: "enough".into() };
    socket.close(Some(goodbye.clone())).await.unwrap();
    let answered = socket.next().await.unwrap().unwrap();
    assert_eq!(answered, Message::Close(Some(goodbye)));
    wait_for("the application to see it close", || (stack.upstream.open_streams() == 0).then_some(()));
    let cuts = stack.nodes[0].records().iter().filter(|record| record["message"] == "stream cut").count();
    assert_eq!(cuts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_ended_session_reaches_the_application_any_more() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let socket = open(&person, Kind::SilentSocket).await;
    let mut talking = open_socket(&person, "/socket").await.unwrap();
    person.copy().sign_out().await.expect(303);
    // Said after the sign-out was answered, by the node that did it.
    let _ = talking.send(Message::text("too late")).await;
    match talking.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 4401),
        other => panic!("the application answered, or nothing was said: {other:?}"),
    }
    assert_eq!(socket.await.unwrap().0, Ended::Closed(4401, "session_ended".to_owned()));
}

/// A connection that was kept belongs to another thread as often as not: what the application says on it is then heard at any moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_opens_whatever_connections_were_left_behind() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for round in 0..200 {
        futures_util::future::join_all((0..4).map(|_| person.fetch("/"))).await;
        let mut socket = open_socket(&person, "/socket").await.unwrap();
        socket.send(Message::text("hello")).await.unwrap();
        let back = socket.next().await.unwrap().unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(back, Message::text("hello"));
    }
}
