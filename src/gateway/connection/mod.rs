//! A connection from downstream, from its acceptance to its orderly end: counted, its heads read whole and checked as they were on the wire
//! before pingora sees a byte, and what is wrong or late answered by us. Connections that chose HTTP/2 are `http2`'s. What a request may do is
//! decided elsewhere. Floor: edge.

pub mod count;
pub mod guarded;
mod head_reader;
mod refusal;
pub mod state;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp as _, ServerApp};
use pingora::listeners::PreTlsProcess;
use pingora::protocols::http::ServerSession;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream as TcpStream;
use pingora::protocols::{ALPN, GetSocketDigest, Stream};
use pingora::server::ShutdownWatch;
use pingora::upstreams::peer::Tracer;

use self::count::{Place, TooMany};
use self::guarded::{Guarded, HeadRead, HeadTimes};
use self::state::ConnectionState;
use super::handle::GatewayHandle;
use super::head::HeadMistake;
use super::http2::{self, Http2Limits};
use super::streams::ending::EndingStreams;
use crate::domain::network::folded;
use crate::web::paths;

/// How long a connection may take over its one request when there is no room for it. Our own choice: a probe's is sent at once.
const NO_ROOM_FOR_LONG: Duration = Duration::from_secs(1);

/// What serves the connections of the listeners of one use.
#[derive(Debug)]
pub struct Connections {
    handle: GatewayHandle,
    requests: Arc<EndingStreams>,
}

impl Connections {
    /// Hands each request to `requests` once its head is read and clear.
    #[must_use]
    pub fn new(handle: GatewayHandle, requests: EndingStreams) -> Self {
        Self { handle, requests: Arc::new(requests) }
    }

    fn place_for(&self, stream: &Stream) -> Result<Place, TooMany> {
        let current = self.handle.current();
        let settings = &current.parts.settings;
        self.handle.connections().enter(peer_of(&**stream), settings.connections, &settings.trusted_proxies)
    }

    /// Its streams, until the connection ends.
    pub(super) async fn serve_http2(&self, stream: Stream, shutdown: &ShutdownWatch) {
        let limits = Http2Limits::of(&self.handle.current().parts.settings);
        http2::serve(&self.requests, stream, shutdown, limits).await;
    }

    /// One request, and quickly, for which there is no room: only whether this process lives is told all the same. Those who look after it ask
    /// over a connection of their own, and would end it when they hear nothing.
    async fn serve_one_too_many(&self, stream: Stream, shutdown: &ShutdownWatch) {
        let Some(place) = self.handle.connections().enter_to_be_told() else { return };
        let mut guarded = Box::new(Guarded::new(stream, Some(place), Arc::new(ConnectionState::default())));
        let current = self.handle.current();
        let times = HeadTimes { first_byte: NO_ROOM_FOR_LONG, whole: NO_ROOM_FOR_LONG };
        match guarded.read_head(&current.parts.settings.limits, times, std::future::pending()).await {
            HeadRead::Head(head) if asks_for_a_probe(&head.bytes) => {
                let state = guarded.state();
                state.begin_request(true);
                let mut session = ServerSession::new_http1(guarded);
                session.set_pipelined_prefix(head.bytes);
                state::CONNECTION.scope(state, self.requests.process_new_http(session, shutdown)).await;
            }
            HeadRead::Head(_) => refusal::refuse(guarded, HeadMistake::NoRoom, &current).await,
            HeadRead::Wrong(mistake) => refusal::refuse(guarded, mistake, &current).await,
            HeadRead::Nothing => guarded.end_at_once(),
        }
    }

    /// One request after the other, until the connection ends.
    async fn serve_http1(&self, mut guarded: Box<Guarded>, shutdown: &ShutdownWatch) {
        let state = guarded.state();
        let mut is_first = true;
        loop {
            let current = self.handle.current();
            let settings = &current.parts.settings;
            let times = HeadTimes { first_byte: settings.timeouts.keepalive, whole: settings.timeouts.head };
            let head = match guarded.read_head(&settings.limits, times, shut_down(shutdown, is_first)).await {
                HeadRead::Head(head) => head,
                HeadRead::Nothing => {
                    guarded.end_at_once();
                    return;
                }
                HeadRead::Wrong(mistake) => {
                    let _under_way = self.handle.begin();
                    return refusal::refuse(guarded, mistake, &current).await;
                }
            };
            is_first = false;
            drop(current);
            state.begin_request(head.is_last);
            let mut session = ServerSession::new_http1(guarded);
            session.set_pipelined_prefix(head.bytes);
            let served =
                state::CONNECTION.scope(Arc::clone(&state), self.requests.process_new_http(session, shutdown)).await;
            let Some((stream, _settings)) = served.map(pingora::apps::ReusedHttpStream::consume) else { return };
            match stream.into_any().downcast::<Guarded>() {
                Ok(same) => guarded = same,
                Err(_other) => return,
            }
        }
    }
}

#[async_trait]
impl ServerApp for Connections {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        // A TLS connection was counted before its handshake, by `BeforeTls`.
        let counted_before = stream.get_ssl_digest().is_some();
        let place = match (!counted_before).then(|| self.place_for(&stream)).transpose() {
            Ok(place) => place,
            Err(TooMany::InAll) => {
                self.serve_one_too_many(stream, shutdown).await;
                return None;
            }
            Err(TooMany::FromNetwork) => return None,
        };
        if matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
            self.serve_http2(stream, shutdown).await;
            return None;
        }
        let guarded = Guarded::new(stream, place, Arc::new(ConnectionState::default()));
        self.serve_http1(Box::new(guarded), shutdown).await;
        None
    }

    async fn cleanup(&self) {
        self.requests.http_cleanup().await;
    }
}

/// What happens to the connections of TLS listeners before the handshake: they are counted, and too many are closed unheard.
#[derive(Debug)]
pub struct BeforeTls(GatewayHandle);

impl BeforeTls {
    /// For all listeners that `handle` serves.
    #[must_use]
    pub fn new(handle: GatewayHandle) -> Self {
        Self(handle)
    }
}

#[async_trait]
impl PreTlsProcess for BeforeTls {
    async fn process(&self, stream: &mut TcpStream) -> pingora::Result<()> {
        let current = self.0.current();
        let settings = &current.parts.settings;
        let counted = self.0.connections().enter(peer_of(stream), settings.connections, &settings.trusted_proxies);
        let Ok(place) = counted else {
            return Err(unheard("too many connections"));
        };
        // The tracer lives as long as the socket, whatever is wrapped around it.
        stream.tracer = Some(Tracer(Box::new(place.into_tracer())));
        Ok(())
    }
}

/// What pingora is told of a connection that is closed before TLS. It makes an error of each, and whoever refused it has said what there is to
/// say, at most every few seconds: the log leaves lines with these words out.
pub const UNHEARD: &str = "closed unheard";

/// Whether the first line asks for one of the probes.
fn asks_for_a_probe(head: &[u8]) -> bool {
    let mut words = head.split(|byte| *byte == b' ' || *byte == b'\r');
    let method = words.next();
    let target = words.next();
    matches!(method, Some(b"GET" | b"HEAD"))
        && [paths::LIVE, paths::READY].iter().any(|probe| target == Some(probe.as_bytes()))
}

/// The error that closes a connection before TLS.
pub(super) fn unheard(why: &str) -> Box<pingora::Error> {
    pingora::Error::explain(pingora::ErrorType::AcceptError, format!("{UNHEARD}: {why}"))
}

/// `None` when there is no address: a closed socket, or a unix socket.
pub(super) fn peer_of(stream: &(impl GetSocketDigest + ?Sized)) -> Option<IpAddr> {
    match stream.get_socket_digest()?.peer_addr()? {
        SocketAddr::Inet(address) => Some(folded(address.ip())),
        SocketAddr::Unix(_) => None,
    }
}

/// Ends when this process takes no more requests on connections that have had one. Whoever has just connected is still served.
async fn shut_down(shutdown: &ShutdownWatch, is_first: bool) {
    let mut shutdown = shutdown.clone();
    if is_first || shutdown.wait_for(|down| *down).await.is_err() {
        std::future::pending().await
    }
}
