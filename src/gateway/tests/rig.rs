//! What the tests stand on: a gateway on a port of its own, an upstream that records bytes, a client that sends them.

use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd as _;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pingora::apps::ServerApp as _;
use pingora::protocols::l4::stream::Stream as L4Stream;
use pingora::protocols::{ALPN, GetSocketDigest as _, SocketDigest};
use pingora::server::configuration::ServerConf;

use super::wire::{read_chunk, read_chunked, read_head};
use crate::domain::keys::Keys;
use crate::domain::language::Language;
use crate::domain::network::Networks;
use crate::domain::pending::Activation;
use crate::domain::secret::SecretBytes;
use crate::domain::session::{Session, SessionLifetimes};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::gateway::assertions::Assertions;
use crate::gateway::handle::{GatewayHandle, GatewayParts};
use crate::gateway::message_pages::MessagePages;
use crate::gateway::route_rules::tests::rule;
use crate::gateway::route_rules::{Access, RouteRules, UpstreamName};
use crate::gateway::settings::{
    AccessLog, ConnectionLimits, DownstreamTimeouts, GatewaySettings, IdentityHeaders, ListenerTask, MetricsAccess,
    RequestLimits, SiteSettings,
};
use crate::gateway::upstreams::settings::{UpstreamServer, UpstreamSettings};
use crate::gateway::{bridge, classify, service, upstreams};
use crate::login::ports::Clock;
use crate::login::sessions::{SessionRules, Sessions};
use crate::login::silent_feed::SilentFeed;
use crate::pages::look::{LookSettings, SiteLook};
use crate::web::origin::{Origin, Scheme};

/// Longer than anything here takes; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const LIFETIMES: SessionLifetimes =
    SessionLifetimes { idle: Duration::from_secs(1800), absolute: Duration::from_secs(3600) };

#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}

fn rules() -> SessionRules {
    let keys = Arc::new(Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap());
    SessionRules { keys, lifetimes: LIFETIMES, grace: Duration::from_secs(180) }
}

/// A running gateway. It stops with the runtime, when dropped.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) handle: GatewayHandle,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) clock: Arc<TestClock>,
    runtime: tokio::runtime::Runtime,
}

/// What differs from rig to rig.
pub(crate) struct Plan {
    pub(crate) upstreams: Vec<SocketAddr>,
    pub(crate) url: &'static str,
    pub(crate) trusted: &'static [&'static str],
    pub(crate) portal_body: Duration,
    pub(crate) change: fn(&mut UpstreamSettings),
    /// What clients speak.
    pub(crate) speaks: ALPN,
}

impl Plan {
    /// A site at `http://app.localhost` before one upstream.
    pub(crate) fn before(upstream: &Upstream) -> Self {
        Self {
            upstreams: vec![upstream.address],
            url: "http://app.localhost",
            trusted: &[],
            portal_body: Duration::from_secs(10),
            change: |_| (),
            speaks: ALPN::H1,
        }
    }

    pub(crate) fn start(self) -> Rig {
        let site = SiteSettings {
            name: SiteName::new("marketing"),
            origin: Origin::parse(self.url).unwrap(),
            rules: RouteRules::new(vec![
                rule("/public/*", &[], &[], Access::Public),
                rule("/closed", &[], &[], Access::Deny),
            ]),
            upstream: Some(UpstreamName::new("app")),
            identity: IdentityHeaders::usual(),
            strict_transport: None,
        };
        let server = |address: &SocketAddr| UpstreamServer::Network {
            scheme: Scheme::Http,
            host: address.ip().to_string(),
            port: address.port(),
        };
        let mut upstream = upstreams::tests::settings_of(self.upstreams.iter().map(server).collect());
        (self.change)(&mut upstream);
        let settings = GatewaySettings {
            sites: vec![Arc::new(site)],
            upstreams: vec![upstream],
            trusted_proxies: Networks::new(self.trusted.iter().map(|network| network.parse().unwrap()).collect()),
            forwarding_header: crate::web::client_address::ForwardingHeader::XForwardedFor,
            limits: RequestLimits::default(),
            timeouts: DownstreamTimeouts { portal_body: self.portal_body, ..DownstreamTimeouts::default() },
            connections: ConnectionLimits::default(),
            access_log: AccessLog::On,
            metrics: MetricsAccess { networks: Networks::default(), token: None },
        };
        let sessions = Arc::new(Sessions::new(rules(), Activation::Staged));
        let clock = Arc::new(TestClock(AtomicI64::new(0)));
        // One thread, as each of a server's (`service::server`): with a second one that hears of sockets meanwhile, pingora may read a 101
        // before it has taken notice that the request has no body, and then ends the WebSocket at once.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(sessions.listen(&SilentFeed, 0, clock.now())).unwrap();
        let look = SiteLook::new(LookSettings {
            name: "Acme Marketing".into(),
            languages: vec![Language::En, Language::De],
            support: None,
            password_help: None,
            accent: None,
            logo: None,
        });
        let handle = GatewayHandle::new(GatewayParts {
            settings,
            pages: bridge::tests::pages(),
            operators: None,
            message_pages: MessagePages::new([(SiteName::new("marketing"), Arc::new(look))]),
            sessions: Arc::clone(&sessions),
            assertions: Assertions::new(rules().keys),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        });
        runtime.spawn(handle.clone().check_health());
        let conf = Arc::new(ServerConf { max_retries: 2, ..ServerConf::default() });
        let proxy = Arc::new(service::application(&handle, &ListenerTask::Sites, &conf));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let is_http2 = self.speaks == ALPN::H2;
        runtime.spawn(async move {
            let (_keep, shutdown) = tokio::sync::watch::channel(false);
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (proxy, shutdown) = (Arc::clone(&proxy), shutdown.clone());
                let digest = SocketDigest::from_raw_fd(socket.as_raw_fd());
                let mut stream = L4Stream::from(socket);
                stream.set_nodelay().unwrap();
                stream.set_socket_digest(digest);
                tokio::spawn(async move {
                    if is_http2 {
                        return proxy.serve_http2(Box::new(stream), &shutdown).await;
                    }
                    let mut next: Option<pingora::protocols::Stream> = Some(Box::new(stream));
                    while let Some(stream) = next {
                        next = proxy.process_new(stream, &shutdown).await;
                    }
                });
            }
        });
        Rig { address, handle, sessions, clock, runtime }
    }
}

impl Rig {
    pub(crate) fn before(upstream: &Upstream) -> Self {
        Plan::before(upstream).start()
    }

    pub(crate) fn session(&self, user: &str) -> Session {
        classify::tests::session(user)
    }

    /// `Cookie: …` of a live session of `anna`.
    pub(crate) fn cookie(&self) -> String {
        format!("Cookie: vestibule={}", self.sessions.cookie(&self.session("anna")))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
        // Timers know nothing of this clock; other rules make every stream be looked at.
        self.sessions.replace_rules(rules());
    }

    pub(crate) fn hear_the_feed(&self) {
        self.runtime.block_on(self.sessions.listen(&SilentFeed, 0, self.clock.now())).unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client::to(self.address)
    }

    /// One request on a connection of its own: its head line and fields without `Host`, which is the site's.
    pub(crate) fn ask(&self, line: &str, fields: &[&str]) -> Answer {
        self.client().ask(line, fields, b"")
    }
}

/// A raw connection.
pub(crate) struct Client {
    pub(crate) socket: BufReader<TcpStream>,
}

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket: BufReader::new(socket) }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn send_head(&mut self, line: &str, fields: &[&str]) {
        let mut head = format!("{line} HTTP/1.1\r\nHost: app.localhost\r\n");
        for field in fields {
            head.push_str(field);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        self.send(head.as_bytes());
    }

    pub(crate) fn ask(&mut self, line: &str, fields: &[&str], body: &[u8]) -> Answer {
        self.send_head(line, fields);
        self.send(body);
        self.read_answer(line.starts_with("HEAD "))
    }

    pub(crate) fn read_head(&mut self) -> Answer {
        let head = read_head(&mut self.socket).expect("an answer");
        let status = head.first().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, fields: head.into_iter().skip(1).collect(), body: Vec::new() }
    }

    pub(crate) fn read_answer(&mut self, to_head: bool) -> Answer {
        let mut answer = self.read_head();
        let bodiless = to_head || answer.status == 204 || answer.status == 304 || answer.status < 200;
        if bodiless {
            return answer;
        }
        if answer.field("transfer-encoding") == Some("chunked") {
            answer.body = read_chunked(&mut self.socket);
        } else if let Some(length) = answer.field("content-length").map(|length| length.parse().unwrap()) {
            answer.body = vec![0; length];
            self.socket.read_exact(&mut answer.body).unwrap();
        } else {
            self.socket.read_to_end(&mut answer.body).unwrap();
        }
        answer
    }

    /// One chunk of a chunked body.
    pub(crate) fn read_chunk(&mut self) -> Vec<u8> {
        read_chunk(&mut self.socket).unwrap_or_default()
    }

    /// Everything up to the end of the connection.
    pub(crate) fn read_rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.socket.read_to_end(&mut rest) {
            Ok(_) => rest,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => rest,
            Err(error) => panic!("{error} after {rest:?}"),
        }
    }

    /// Whether the other end has closed, and nothing more was there to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.read_rest().is_empty()
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn field<'a>(fields: &'a [String], name: &str) -> Option<&'a str> {
    fields.iter().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A request as it arrived at the upstream.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) line: String,
    pub(crate) fields: Vec<String>,
    /// Shared by all copies: filled in once it was read.
    body: Arc<Mutex<Vec<u8>>>,
    /// Counts connections from 1.
    pub(crate) connection: usize,
}

impl Got {
    pub(crate) fn body(&self) -> Vec<u8> {
        self.body.lock().unwrap().clone()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }
}

/// What an upstream does with a connection after it has read a head: it may read and write as it likes. `false` closes.
type Behaviour = dyn Fn(&mut BufReader<TcpStream>, &Got) -> bool + Send + Sync;

/// A server that keeps what it got, byte for byte.
pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Upstream {
    /// Answers each request with `200` and `ok`, and keeps the connection.
    pub(crate) fn plain() -> Self {
        Self::with(|socket, got| {
            read_body(socket, got);
            answer(socket, "200 OK", &["X-Upstream: yes"], b"ok")
        })
    }

    pub(crate) fn with(behave: impl Fn(&mut BufReader<TcpStream>, &Got) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let (kept, behave): (_, Arc<Behaviour>) = (Arc::clone(&got), Arc::new(behave));
        std::thread::spawn(move || {
            for (count, socket) in listener.incoming().enumerate() {
                let (socket, got, behave) = (socket.unwrap(), Arc::clone(&kept), Arc::clone(&behave));
                std::thread::spawn(move || serve(socket, count + 1, &got, &*behave));
            }
        });
        Self { address, got }
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub(crate) fn last(&self) -> Got {
        self.got().last().expect("a request came").clone()
    }
}

fn serve(socket: TcpStream, connection: usize, kept: &Mutex<Vec<Got>>, behave: &Behaviour) {
    // Longer than the client's, so that it is never the upstream that ends what the gateway should have ended.
    socket.set_read_timeout(Some(PATIENCE * 3)).unwrap();
    socket.set_nodelay(true).unwrap();
    let mut socket = BufReader::new(socket);
    while let Some(head) = read_head(&mut socket) {
        let line = head.first().cloned().unwrap_or_default();
        let got = Got { line, fields: head.into_iter().skip(1).collect(), body: Arc::default(), connection };
        kept.lock().unwrap().push(got.clone());
        if !behave(&mut socket, &got) {
            return;
        }
    }
}

/// Writes an answer with a length.
pub(crate) fn answer(socket: &mut BufReader<TcpStream>, status: &str, fields: &[&str], body: &[u8]) -> bool {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for field in fields {
        head.push_str(field);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    let written = socket.get_mut().write_all(head.as_bytes()).and_then(|()| socket.get_mut().write_all(body));
    written.is_ok()
}

/// Reads the body that `got` announces.
pub(crate) fn read_body(socket: &mut BufReader<TcpStream>, got: &Got) {
    if got.field("transfer-encoding") == Some("chunked") {
        *got.body.lock().unwrap() = read_chunked(socket);
    } else if let Some(length) = got.field("content-length").map(|length| length.parse().unwrap()) {
        let mut body = vec![0; length];
        socket.read_exact(&mut body).unwrap();
        *got.body.lock().unwrap() = body;
    }
}
