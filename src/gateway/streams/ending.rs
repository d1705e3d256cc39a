//! Serves requests, and drops the one whose stream is over.
//! The connection is cut without a word of its protocol; whoever comes back is judged anew. Floor: edge.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use tokio::sync::Notify;

use super::live::LiveStreams;
use super::open::OpenStream;
use crate::domain::session::Session;
use crate::gateway::handle::{Current, GatewayHandle};
use crate::gateway::proxy::Gateway;

/// A request that still goes on after this long is among the live streams; most never are. Our own choice: with the feed's half second
/// it keeps the bound of a second.
const SHORT: Duration = Duration::from_millis(100);

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
pub(in crate::gateway) fn open(current: Arc<Current>, session: Option<Session>) -> Arc<OpenStream> {
    let stream = Arc::new(OpenStream::new(current, session));
    // Outside of `EndingStreams` there is no slot; then pieces of a body are looked at, and silence is not.
    let _ = SLOT.try_with(|slot| {
        let _ = slot.stream.set(Arc::clone(&stream));
        slot.opened.notify_one();
    });
    stream
}

impl Slot {
    async fn until_over(&self, live: &Arc<LiveStreams>) {
        self.opened.notified().await;
        let Some(stream) = self.stream.get() else { return std::future::pending().await };
        tokio::time::sleep(SHORT).await;
        let _among_the_others = live.join(stream);
        let end = stream.until_over().await;
        if !stream.can_be_cut(end) {
            std::future::pending::<()>().await;
        }
    }
}

/// The gateway's application with that guard around it.
pub struct EndingStreams {
    proxy: Arc<HttpProxy<Gateway>>,
    live: Arc<LiveStreams>,
}

impl EndingStreams {
    /// Puts the guard around `proxy`.
    #[must_use]
    pub fn around(proxy: HttpProxy<Gateway>, gateway: &GatewayHandle) -> Self {
        Self { proxy: Arc::new(proxy), live: gateway.streams() }
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
        let slot = Arc::new(Slot::default());
        let mut serving = pin!(SLOT.scope(Arc::clone(&slot), self.proxy.process_new_http(session, shutdown)));
        tokio::select! {
            biased;
            served = &mut serving => served,
            () = slot.until_over(&self.live) => None,
        }
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.proxy.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.proxy.server_options()
    }

    async fn http_cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}
