//! What goes on flowing for a session: when and how it ends (`ends`), what a WebSocket is told then and what passes through it untouched
//! before (`sockets`), and how many a node can hold while nothing happens (`many`).

mod ends;
mod many;
mod sockets;

use crate::harness::person::Person;
use crate::harness::raw::open_socket;
use futures_util::StreamExt;
use reqwest::Method;
use std::time::Instant;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const PHONE: &str = "+32470111222";

/// The longest that any node may go on with a session that was ended (design §5, revocation).
const BOUND: std::time::Duration = std::time::Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SilentSocket,
    /// Something is said all the time, in both directions.
    BusySocket,
    SilentEvents,
    /// Begun, and then nothing more comes.
    SilentDownload,
    /// A little comes all the time.
    BusyDownload,
}

const KINDS: [Kind; 5] =
    [Kind::SilentSocket, Kind::BusySocket, Kind::SilentEvents, Kind::SilentDownload, Kind::BusyDownload];

/// How a stream ended, as its client saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ended {
    /// A WebSocket, with a close frame and the end of the connection behind it.
    Closed(u16, String),
    /// The connection, in the middle.
    Cut,
    /// With all that belongs to it: nobody would know that something is missing.
    Whole,
}

/// Opens a stream and sees it flow; then the client reads until it ends, and says how and when.
async fn open(person: &Person, kind: Kind) -> JoinHandle<(Ended, Instant)> {
    match kind {
        Kind::SilentSocket | Kind::BusySocket => {
            let mut socket = open_socket(person, "/socket").await.unwrap();
            say_something(&mut socket).await;
            tokio::spawn(async move {
                let ended = if kind == Kind::BusySocket { talk(&mut socket).await } else { hear(&mut socket).await };
                (ended, Instant::now())
            })
        }
        Kind::SilentEvents => read(person, "/events").await,
        Kind::SilentDownload => read(person, "/pause").await,
        Kind::BusyDownload => read(person, "/drip").await,
    }
}

async fn read(person: &Person, target: &str) -> JoinHandle<(Ended, Instant)> {
    let mut response = person.begin(Method::GET, target, &[], None).await.unwrap();
    assert_eq!(response.status(), 200);
    response.chunk().await.unwrap().unwrap();
    tokio::spawn(async move {
        loop {
            match response.chunk().await {
                Ok(Some(_)) => {}
                Ok(None) => return (Ended::Whole, Instant::now()),
                Err(_) => return (Ended::Cut, Instant::now()),
            }
        }
    })
}

async fn say_something(socket: &mut WebSocketStream<TcpStream>) {
    use futures_util::SinkExt;
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
}

/// Says things and hears them come back for as long as that goes on.
async fn talk(socket: &mut WebSocketStream<TcpStream>) -> Ended {
    use futures_util::SinkExt;
    loop {
        if socket.send(Message::text("again")).await.is_err() {
            return hear(socket).await;
        }
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => return closed(socket, frame).await,
            Some(Ok(_)) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            Some(Err(_)) | None => return Ended::Cut,
        }
    }
}

async fn hear(socket: &mut WebSocketStream<TcpStream>) -> Ended {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(frame))) => return closed(socket, frame).await,
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Ended::Cut,
        }
    }
}

/// After a close frame comes the end of the connection, and nothing else.
async fn closed(
    socket: &mut WebSocketStream<TcpStream>,
    frame: Option<tokio_tungstenite::tungstenite::protocol::CloseFrame>,
) -> Ended {
    let frame = frame.expect("a close frame with a code");
    assert!(socket.next().await.is_none_or(|more| more.is_err()), "something after the close frame");
    Ended::Closed(frame.code.into(), frame.reason.to_string())
}
