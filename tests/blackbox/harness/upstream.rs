//! The application behind the gateway: an HTTP/1.1 server that keeps every request as it came and answers as the path
//! says. It knows nothing of sign-in; `X-Forwarded-User` is a header like any other to it.
//!
//! | path | answer |
//! | --- | --- |
//! | `/events` | an event stream: one event for each `emit`, until `finish_streams` |
//! | `/socket` | a WebSocket that sends back what it gets; `close me` closes it |
//! | `/slow?ms=N` | after N milliseconds |
//! | `/hold` | when the test says so, with `finish_streams` |
//! | `/big?bytes=N` | N bytes, of a known pattern |
//! | `/stall` | a head, then nothing |
//! | `/drip` | a gibibyte, little by little |
//! | `/pause` | the first mebibyte of a gibibyte, then nothing |
//! | `/drop` | the connection is closed without an answer |
//! | `/broken` | half a body, then closed |
//! | `/status?code=N` | that status |
//! | `/page` | the page that a test put there, with `put_page` |
//! | `/redirect?to=PATH` | 303 to that path, or to our sign-in and back |
//! | `/cookie` | sets cookies, one of them with the name of ours |
//! | `/hsts` | says itself for how long browsers use https |
//! | anything else | what was asked, as JSON |

use super::wire::{Connection, Received, fakes, listen};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

#[derive(Debug)]
pub(crate) struct Upstream {
    inside: Arc<Inside>,
    port: u16,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Inside {
    name: String,
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    /// Bytes of the body that is coming in, for uploads that are still under way.
    body_bytes: AtomicU64,
    open_streams: AtomicUsize,
    events: broadcast::Sender<Event>,
    page: Mutex<String>,
}

#[derive(Clone, Debug)]
enum Event {
    Say(String),
    Finish,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        Self::named("app")
    }

    /// `name` is in every JSON answer: which upstream was it?
    pub(crate) fn named(name: &str) -> Self {
        let (listener, port) = listen();
        let inside = Arc::new(Inside {
            name: name.to_owned(),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            body_bytes: AtomicU64::new(0),
            open_streams: AtomicUsize::new(0),
            events: broadcast::channel(1024).0,
            page: Mutex::default(),
        });
        let shared = inside.clone();
        let server = fakes().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                let shared = shared.clone();
                tokio::spawn(async move {
                    let mut connection = Connection::new(stream, number);
                    while let Ok(Some(back)) = serve_one(connection, &shared).await {
                        connection = back;
                    }
                });
            }
        });
        Self { inside, port, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Every request so far (those whose body is still coming in are not there yet), without health checks.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.inside.requests.lock().unwrap().iter().filter(|request| request.path() != "/health").cloned().collect()
    }

    pub(crate) fn requests_to(&self, path: &str) -> Vec<Received> {
        self.requests().into_iter().filter(|request| request.path() == path).collect()
    }

    /// The one request to a path; panics when there is none, or more.
    #[track_caller]
    pub(crate) fn request_to(&self, path: &str) -> Received {
        let mut found = self.requests_to(path);
        assert_eq!(found.len(), 1, "requests to {path}: {found:#?}");
        found.remove(0)
    }

    pub(crate) fn count(&self) -> usize {
        self.requests().len()
    }

    pub(crate) fn forget(&self) {
        self.inside.requests.lock().unwrap().clear();
    }

    pub(crate) fn connections(&self) -> usize {
        self.inside.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn body_bytes_under_way(&self) -> u64 {
        self.inside.body_bytes.load(Ordering::SeqCst)
    }

    pub(crate) fn open_streams(&self) -> usize {
        self.inside.open_streams.load(Ordering::SeqCst)
    }

    /// What `/page` shows from now on.
    pub(crate) fn put_page(&self, html: &str) {
        html.clone_into(&mut self.inside.page.lock().unwrap());
    }

    /// One event to every open event stream.
    pub(crate) fn emit(&self, event: &str) {
        let _ = self.inside.events.send(Event::Say(event.to_owned()));
    }

    pub(crate) fn finish_streams(&self) {
        let _ = self.inside.events.send(Event::Finish);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The bytes of `/big`: the same for every length, and no two neighbours alike.
pub(crate) fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(pattern_byte).collect()
}

fn pattern_byte(position: usize) -> u8 {
    u8::try_from((position.wrapping_mul(31) ^ (position >> 8)) & 0xff).unwrap_or_default()
}

/// Gives the connection back when another request may follow on it.
async fn serve_one(mut connection: Connection, inside: &Inside) -> io::Result<Option<Connection>> {
    let Some(mut request) = connection.read_head().await? else {
        return Ok(None);
    };
    if request.headers_named("expect").iter().any(|value| value.eq_ignore_ascii_case("100-continue")) {
        connection.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    connection.read_body(&mut request, |bytes| inside.body_bytes.store(bytes, Ordering::SeqCst)).await?;
    inside.requests.lock().unwrap().push(request.clone());
    let number = |name: &str| request.query(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or(0);
    match request.path() {
        "/events" => {
            let _open = Open::new(inside);
            event_stream(&mut connection, inside).await?;
        }
        "/socket" if request.header("upgrade").is_some() => {
            let _open = Open::new(inside);
            socket(connection, &request).await?;
            return Ok(None);
        }
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            connection.answer_json(200, &json!({ "slow": true })).await?;
        }
        "/hold" => {
            let mut events = inside.events.subscribe();
            let _open = Open::new(inside);
            while let Ok(Event::Say(_)) = events.recv().await {}
            connection.answer_json(200, &json!({ "held": true })).await?;
        }
        "/big" => big(&mut connection, usize::try_from(number("bytes")).unwrap_or(0)).await?,
        "/stall" => {
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf").await?;
            let _open = Open::new(inside);
            connection.closed().await;
            return Ok(None);
        }
        "/drip" => {
            let _open = Open::new(inside);
            drip(&mut connection).await?;
        }
        "/pause" => {
            let _open = Open::new(inside);
            connection.write(GIBIBYTE_HEAD).await?;
            connection.write(&vec![b'p'; 1 << 20]).await?;
            connection.closed().await;
            return Ok(None);
        }
        "/broken" => {
            connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf").await?;
            return Ok(None);
        }
        "/drop" => return Ok(None),
        "/status" => {
            let status = u16::try_from(number("code")).unwrap_or(500);
            connection.answer(status, &[("content-type", "text/plain")], b"as asked").await?;
        }
        "/page" => {
            let page = inside.page.lock().unwrap().clone();
            connection.answer(200, &[("content-type", "text/html; charset=utf-8")], page.as_bytes()).await?;
        }
        "/redirect" => {
            let to = request.target.split_once("to=").map_or("/.vestibule/login?return_to=/redirect", |(_, to)| to);
            connection.answer(303, &[("location", to)], b"").await?;
        }
        "/cookie" => {
            let cookies = [
                ("set-cookie", "app=1; Path=/"),
                ("set-cookie", "vestibule=planted; Path=/"),
                ("set-cookie", "__Host-vestibule=planted; Path=/; Secure"),
                ("set-cookie", "theme=dark"),
            ];
            connection.answer(200, &cookies, b"cookies").await?;
        }
        "/hsts" => {
            let own = [("strict-transport-security", "max-age=5; includeSubDomains")];
            connection.answer(200, &own, b"as the application says").await?;
        }
        _ => connection.answer_json(200, &echo(&request, &inside.name)).await?,
    }
    Ok(Some(connection))
}

fn echo(request: &Received, name: &str) -> serde_json::Value {
    json!({
        "upstream": name,
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "body": request.text(),
        "body_bytes": request.body_bytes,
        "body_sha256": request.body_sha256,
    })
}

async fn event_stream(connection: &mut Connection, inside: &Inside) -> io::Result<()> {
    let mut events = inside.events.subscribe();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
                transfer-encoding: chunked\r\n\r\n";
    connection.write(head.as_bytes()).await?;
    connection.write_chunk(b": open\n\n").await?;
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(Event::Say(text)) => connection.write_chunk(format!("data: {text}\n\n").as_bytes()).await?,
                Ok(Event::Finish) | Err(_) => return connection.write(b"0\r\n\r\n").await,
            },
            closed = connection.closed() => if closed { return Err(io::ErrorKind::BrokenPipe.into()) },
        }
    }
}

async fn socket(mut connection: Connection, request: &Received) -> io::Result<()> {
    let key = request.header("sec-websocket-key").unwrap_or_default();
    let accept = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    connection.write(head.as_bytes()).await?;
    let mut socket = WebSocketStream::from_raw_socket(connection.into_stream(), Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) if text.as_str() == "close me" => {
                let _ = socket.close(None).await;
            }
            Message::Text(_) | Message::Binary(_) => {
                if socket.send(message).await.is_err() {
                    break;
                }
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => (),
        }
    }
    Ok(())
}

const GIBIBYTE_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";

async fn drip(connection: &mut Connection) -> io::Result<()> {
    connection.write(GIBIBYTE_HEAD).await?;
    for _ in 0..1 << 16 {
        connection.write(&[b'd'; 1 << 14]).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn big(connection: &mut Connection, bytes: usize) -> io::Result<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {bytes}\r\n\r\n");
    connection.write(head.as_bytes()).await?;
    let mut from = 0;
    while from < bytes {
        let to = bytes.min(from + (64 << 10));
        let piece: Vec<u8> = (from..to).map(pattern_byte).collect();
        connection.write(&piece).await?;
        from = to;
    }
    Ok(())
}

/// Counts a stream as open for as long as it lives.
struct Open<'a>(&'a Inside);

impl<'a> Open<'a> {
    fn new(inside: &'a Inside) -> Self {
        inside.open_streams.fetch_add(1, Ordering::SeqCst);
        Self(inside)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open_streams.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn the_fakes_do_what_they_say() {
    use super::person::Person;
    use super::raw;
    let upstream = Upstream::start();
    let person = Person::new("http://localhost", upstream.port, Arc::default());
    person.set_cookie("a", "1");
    let echoed = person.post("/form?x=1", &[("name", "a b")]).await.expect(200);
    assert_eq!(echoed.json()["body"], "name=a+b");
    let seen = upstream.request_to("/form");
    assert_eq!((seen.header("Cookie"), seen.header("host")), (Some("a=1"), Some("localhost")));
    assert!(seen.raw_head.starts_with(b"POST /form?x=1 HTTP/1.1\r\n"));

    assert_eq!(person.fetch("/big?bytes=200000").await.body, pattern(200_000));
    person.open("/cookie").await;
    assert_eq!(person.cookie("theme").as_deref(), Some("dark"));
    assert_eq!(person.open("/status?code=418").await.status, 418);
    assert!(person.try_send(reqwest::Method::GET, "/drop", &[], None).await.is_err());

    let mut events = person.begin(reqwest::Method::GET, "/events", &[], None).await.unwrap();
    assert_eq!(events.chunk().await.unwrap().unwrap(), ": open\n\n");
    upstream.emit("one");
    assert_eq!(events.chunk().await.unwrap().unwrap(), "data: one\n\n");
    assert_eq!(upstream.open_streams(), 1);
    upstream.finish_streams();
    assert!(events.chunk().await.unwrap().is_none());

    let mut socket = raw::open_socket(&person, "/socket").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    socket.send(Message::text("close me")).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));

    let answer =
        raw::exchange(upstream.port, b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n", Duration::from_secs(1)).await;
    assert_eq!(raw::statuses(&answer), [200, 200]);
}
