//! Bodies that stop coming: over HTTP/2 as over HTTP/1.1 their request ends, and no server is blamed for it.

use std::io::Read as _;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use pingora::protocols::ALPN;

use super::rig::{PATIENCE, Plan, Rig, Upstream, answer};
use super::wire::read_chunk;
use crate::gateway::upstreams::settings::{Balance, UpstreamSettings};

/// Longer than a piece of a body may take.
const TOO_LONG: Duration = Duration::from_secs(61);
/// Not as long; twice this is.
const NOT_TOO_LONG: Duration = Duration::from_secs(40);

/// An upstream that tells of each piece of a body, and answers at its end.
fn counting() -> (Upstream, Receiver<()>) {
    let (arrived, has_arrived) = channel();
    let arrived = Mutex::new(arrived);
    let upstream = Upstream::with(move |socket, _| {
        while read_chunk(socket).is_some() {
            let _ = arrived.lock().unwrap().send(());
        }
        answer(socket, "200 OK", &[], b"ok")
    });
    (upstream, has_arrived)
}

/// Posts pieces of a body over HTTP/2 and does `between` when one has arrived at the upstream; `after` follows the last. The status, or why
/// there is none.
async fn post(rig: &Rig, pieces: usize, mut between: impl FnMut(usize), ends: bool) -> Result<u16, h2::Error> {
    let socket = tokio::net::TcpStream::connect(rig.address).await.unwrap();
    let (streams, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut streams = streams.ready().await.unwrap();
    let request = http::Request::post("http://app.localhost/public/upload").body(()).unwrap();
    let (response, mut body) = streams.send_request(request, false).unwrap();
    for piece in 0..pieces {
        body.send_data(Bytes::from_static(b"piece"), false).unwrap();
        between(piece);
    }
    if ends {
        body.send_data(Bytes::new(), true).unwrap();
    }
    let response = tokio::time::timeout(PATIENCE, response).await.expect("it comes to an end");
    response.map(|response| response.status().as_u16())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn a_body_that_stops_coming_over_http_2_ends_its_request() {
    let (upstream, has_arrived) = counting();
    let rig = Plan { speaks: ALPN::H2, ..Plan::before(&upstream) }.start();
    let came_to = runtime().block_on(post(
        &rig,
        1,
        |_| {
            has_arrived.recv_timeout(PATIENCE).unwrap();
            rig.pass(TOO_LONG);
        },
        false,
    ));
    assert_eq!(came_to.unwrap_err().reason(), Some(h2::Reason::CANCEL));
}

#[test]
fn a_body_over_http_2_may_take_as_long_as_it_keeps_coming() {
    let (upstream, has_arrived) = counting();
    let rig = Plan { speaks: ALPN::H2, ..Plan::before(&upstream) }.start();
    let came_to = runtime().block_on(post(
        &rig,
        4,
        |_| {
            has_arrived.recv_timeout(PATIENCE).unwrap();
            rig.pass(NOT_TOO_LONG);
        },
        true,
    ));
    assert_eq!(came_to.unwrap(), 200);
}

#[test]
fn a_server_that_waits_for_a_body_is_not_blamed_for_its_silence() {
    fn change(upstream: &mut UpstreamSettings) {
        upstream.timeouts.read = Duration::from_millis(200);
        upstream.balance = Balance::Client;
    }
    for speaks in [ALPN::H1, ALPN::H2] {
        let waiting = || Upstream::with(|socket, _| socket.read(&mut [0]).is_ok_and(|count| count > 0));
        let servers = [waiting(), waiting()];
        let addresses = servers.iter().map(|server| server.address).collect();
        let is_http2 = speaks == ALPN::H2;
        let rig = Plan { upstreams: addresses, change, speaks, ..Plan::before(&servers[0]) }.start();
        // One more than the requests without an answer after which a server is left alone.
        for _ in 0..4 {
            let status = if is_http2 {
                runtime().block_on(post(&rig, 0, |_| (), false)).unwrap()
            } else {
                rig.ask("POST /public/upload", &["Content-Length: 5"]).status
            };
            assert_eq!(status, 408, "over HTTP/2: {is_http2}");
        }
        let mut asked = servers.map(|server| server.got().len());
        asked.sort_unstable();
        assert_eq!(asked, [0, 4], "over HTTP/2: {is_http2}");
    }
}
