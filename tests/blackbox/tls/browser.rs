//! Chromium over TLS: the sign-in and the application over HTTP/2, WebSockets over a connection of their own.

use super::PHONE;
use crate::harness::browser::{Browser, JavaScript, Window};
use crate::harness::children::wait_for;
use crate::harness::tls::SecureStack;
use std::time::Duration;

/// What a promise of the page comes to.
async fn awaited(browser: &Browser, script: &str) -> serde_json::Value {
    browser.run(&format!("window.came = undefined; ({script}).then(value => window.came = {{ value }}, error => window.came = {{ value: 'failed: ' + error }});")).await;
    let began = std::time::Instant::now();
    loop {
        let came = browser.run("return window.came").await;
        if !came.is_null() {
            return came["value"].clone();
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nothing comes of {script}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_browser_signs_in_over_http_2_and_opens_websockets_beside_it() {
    let secure = SecureStack::start();
    let account = secure.stack.add_account("ada", PHONE);
    let window = Window { trusted_key: Some(secure.issued.public_key_hash()), ..Window::default() };
    let browser = Browser::start_in(JavaScript::On, window).await;
    let protocol = "return performance.getEntriesByType('navigation')[0].nextHopProtocol";

    // Typed without https, as people do: sent there, and to the page in the end.
    browser.open(&format!("http://localhost:{}/wanted?x=1", secure.stack.nodes[0].port())).await;
    browser.wait_for_url("the sign-in page over https", |url| url.starts_with(&secure.site())).await;
    assert_eq!(browser.run(protocol).await, "h2", "our page");
    browser.fill("username", &account.name).await;
    browser.fill("password", &account.password).await;
    browser.click("button.main").await;
    browser.find("[name=code]").await;
    let code = secure.stack.vendor.wait_for_message(PHONE, 1).code();
    browser.fill("code", &code).await;
    browser.click("button.main").await;
    browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted?x=1")).await;
    browser.wait_for_text("x-forwarded-user").await;
    assert_eq!(browser.run(protocol).await, "h2", "the application's page");
    assert_eq!(browser.complaints().await, [""; 0]);
    let seen = secure.stack.upstream.request_to("/wanted");
    assert_eq!((seen.header("x-forwarded-user"), seen.header("cookie")), (Some("ada"), None));

    let socket = "new Promise((resolve, reject) => {
        const socket = window.socket = new WebSocket(location.origin.replace('https', 'wss') + '/socket');
        socket.onopen = () => socket.send('hello');
        socket.onmessage = message => resolve(message.data);
        socket.onerror = () => reject('no socket');
    })";
    assert_eq!(awaited(&browser, socket).await, "hello");
    let upgrade = secure.stack.upstream.request_to("/socket");
    assert_eq!(upgrade.header("upgrade").map(str::to_ascii_lowercase).as_deref(), Some("websocket"));

    let events = "new Promise((resolve, reject) => {
        const events = window.events = new EventSource('/events');
        events.onmessage = message => resolve(message.data);
        events.onerror = () => reject('no events');
    })";
    let waiting = awaited(&browser, events);
    let emitting = async {
        // again and again: the stream may not be open yet
        loop {
            secure.stack.upstream.emit("over HTTP/2");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        event = waiting => assert_eq!(event, "over HTTP/2"),
        () = emitting => {}
    }
    wait_for("both streams", || (secure.stack.upstream.open_streams() == 2).then_some(()));

    // More cookies than a head may have fields: the browser sends each as a field of its own.
    browser.run("for (let i = 0; i < 120; i++) document.cookie = `c${i}=x; path=/`").await;
    assert_eq!(awaited(&browser, "fetch('/crumbs').then(answer => answer.status)").await, 200);
    let crumbs = secure.stack.upstream.request_to("/crumbs");
    assert_eq!(crumbs.header("cookie").unwrap().split("; ").count(), 120);

    // The end of the session ends both streams and leaves the browser able to sign in again.
    secure.stack.command(&["session", "end", "--user", "ada", "--reason", "test"], "").done();
    wait_for("the streams to end", || (secure.stack.upstream.open_streams() == 0).then_some(()));
    browser.open(&format!("{}/again", secure.site())).await;
    browser.find("[name=username]").await;
    browser.close().await;
}
