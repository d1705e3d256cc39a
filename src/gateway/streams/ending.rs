//! Serves requests, and drops the one whose stream is over. A WebSocket is told why, between two frames; whatever else flows is cut in the
//! middle, so that nobody takes it for complete. Whoever comes back is judged anew. Floor: edge.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use tokio::sync::Notify;

use super::live::LiveStreams;
use super::open::{OpenStream, Waits};
use super::tunnel::Tunnel;
use super::{StreamEnd, farewell};
use crate::domain::session::Session;
use crate::gateway::connection::state::ConnectionState;
use crate::gateway::handle::{Current, GatewayHandle};
use crate::gateway::proxy::Gateway;

/// A request that still goes on after this long is among the live streams; most never are. Our own choice: with the feed's half second
/// it keeps the bound of a second.
const SHORT: Duration = Duration::from_millis(100);

/// How long a frame that is under way may take to its end, when it is the last. Our own choice, within the bound of a second.
const HALF_A_FRAME: Duration = Duration::from_millis(250);

/// How long an upload that is over has for its next piece, which is answered with why; a silent one is cut. Our own choice, within the bound of a second.
const NEXT_PIECE: Duration = Duration::from_millis(250);

tokio::task_local! {
    /// Where the phase that admits a request says so to the task that serves it.
    static SLOT: Arc<Slot>;
}

#[derive(Debug, Default)]
struct Slot {
    stream: OnceLock<Arc<OpenStream>>,
    opened: Notify,
}

/// A stream begins; the task that serves this request is told of it.
pub(in crate::gateway) fn open(current: Arc<Current>, session: Option<Arc<Session>>, waits: Waits) -> Arc<OpenStream> {
    let stream = Arc::new(OpenStream::new(current, session, waits));
    // Outside of `EndingStreams` there is no slot; then pieces of a body are looked at, and silence is not.
    let _ = SLOT.try_with(|slot| {
        let _ = slot.stream.set(Arc::clone(&stream));
        slot.opened.notify_one();
    });
    stream
}

impl Slot {
    async fn until_over(&self, live: &Arc<LiveStreams>) -> StreamEnd {
        self.opened.notified().await;
        let Some(stream) = self.stream.get() else { return std::future::pending().await };
        let end = if let Ok(end) = tokio::time::timeout(SHORT, stream.until_over()).await {
            end
        } else {
            let _among_the_others = live.join(stream);
            stream.until_over().await
        };
        if !stream.can_be_cut(end) {
            tokio::time::sleep(NEXT_PIECE).await;
            if !stream.is_silent_upload() {
                std::future::pending::<()>().await;
            }
        }
        end
    }
}

/// The gateway's application with that guard around it.
pub struct EndingStreams {
    proxy: Arc<HttpProxy<Gateway>>,
    gateway: GatewayHandle,
    live: Arc<LiveStreams>,
}

/// What became of a request.
enum Served {
    /// It was served, and the connection may be good for another.
    ToItsEnd(Option<ReusedHttpStream>),
    /// Its stream is over, and what served it is gone.
    Cut(StreamEnd),
}

impl EndingStreams {
    /// Puts the guard around `proxy`.
    #[must_use]
    pub fn around(proxy: HttpProxy<Gateway>, gateway: &GatewayHandle) -> Self {
        Self { proxy: Arc::new(proxy), gateway: gateway.clone(), live: gateway.streams() }
    }

    async fn serve(&self, session: ServerSession, shutdown: &ShutdownWatch, tunnel: Option<&Tunnel>) -> Served {
        let slot = Arc::new(Slot::default());
        let mut serving = pin!(SLOT.scope(Arc::clone(&slot), self.proxy.process_new_http(session, shutdown)));
        let end = tokio::select! {
            biased;
            served = &mut serving => return Served::ToItsEnd(served),
            end = slot.until_over(&self.live) => end,
        };
        if let Some(tunnel) = tunnel.filter(|tunnel| tunnel.is_open()) {
            tunnel.part();
            tokio::select! {
                biased;
                () = tunnel.until_between() => {}
                _ = &mut serving => {}
                () = tokio::time::sleep(HALF_A_FRAME) => {}
            }
        }
        Served::Cut(end)
    }
}

impl std::fmt::Debug for EndingStreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EndingStreams")
    }
}

#[async_trait]
impl HttpServerApp for EndingStreams {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let connection = ConnectionState::of_this_request();
        let tunnel = connection.as_deref().map(ConnectionState::tunnel);
        let end = match self.serve(session, shutdown, tunnel).await {
            Served::ToItsEnd(served) => return served,
            Served::Cut(end) => end,
        };
        if let Some(tunnel) = tunnel
            && let Some(mut stream) = tunnel.take()
            && tunnel.may_close()
        {
            // The process waits for it when it ends.
            let _under_way = self.gateway.begin();
            // An error: nobody is there any more, or does not listen.
            let _ = farewell::say(&mut stream, end).await;
        }
        None
    }

    async fn http_cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}
