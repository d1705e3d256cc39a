//! Ends what flows for a session when the session ends: WebSockets, event streams, long transfers, also while they are silent.
//! The connection is cut without a word of its protocol; whoever comes back is judged anew. Floor: edge.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use tokio::sync::Notify;

use super::handle::Current;
use super::proxy::Gateway;
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;
use crate::login::sessions::Standing;
use crate::web::request_id::RequestId;

/// How often a silent stream is looked at. Our own choice: with the feed's half second it keeps the bound of a second.
const LOOK: Duration = Duration::from_millis(400);

tokio::task_local! {
    /// Where the phase that admits a request says so to the task that serves it.
    static SLOT: Arc<Slot>;
}

#[derive(Debug, Default)]
struct Slot {
    stream: OnceLock<Arc<OpenStream>>,
    opened: Notify,
}

/// A request that goes on for a session.
#[derive(Debug)]
pub(super) struct OpenStream {
    current: Arc<Current>,
    session: Session,
    request_id: RequestId,
    /// When a piece of a body last flowed.
    flowed_at: AtomicI64,
}

/// Why a stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// Signed out, revoked, or the account has moved on.
    Revoked,
    /// Two-factor sign-in was activated, and the session has no code.
    CodeOwed,
    /// The feed of revocations has been silent for too long.
    CannotTell,
    /// The absolute end of the session.
    Absolute,
    /// Nothing flowed for as long as a session may be idle.
    Idle,
}

impl StreamEnd {
    /// The stable word for the log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Revoked => "session_ended",
            Self::CodeOwed => "code_required",
            Self::CannotTell => "sessions_cannot_be_told",
            Self::Absolute => "session_out_of_time",
            Self::Idle => "stream_idle",
        }
    }

    /// What is answered when nothing of the application's answer was sent yet.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Revoked | Self::CodeOwed | Self::Absolute | Self::Idle => StatusCode::UNAUTHORIZED,
            Self::CannotTell => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl OpenStream {
    /// Tells the task that serves this request whose stream it is.
    pub(super) fn open(current: Arc<Current>, session: Session, request_id: RequestId) -> Arc<Self> {
        let flowed_at = AtomicI64::new(current.parts.clock.now().0);
        let stream = Arc::new(Self { current, session, request_id, flowed_at });
        // Outside of `EndingStreams` there is no slot; then pieces of a body are looked at, and silence is not.
        let _ = SLOT.try_with(|slot| {
            let _ = slot.stream.set(Arc::clone(&stream));
            slot.opened.notify_one();
        });
        stream
    }

    /// A piece of a body flows now; `Some` when it must not.
    pub(super) fn flows(&self) -> Option<StreamEnd> {
        let now = self.current.parts.clock.now();
        let end = self.end(now);
        self.flowed_at.store(now.0, Ordering::Relaxed);
        end
    }

    fn end(&self, now: UnixMillis) -> Option<StreamEnd> {
        let sessions = &self.current.parts.sessions;
        let lifetimes = sessions.lifetimes();
        match sessions.standing(&self.session, now) {
            Standing::Good => {}
            Standing::Ended => return Some(StreamEnd::Revoked),
            Standing::CodeOwed => return Some(StreamEnd::CodeOwed),
            Standing::CannotTell => return Some(StreamEnd::CannotTell),
        }
        if now >= self.session.absolute_end(lifetimes) {
            return Some(StreamEnd::Absolute);
        }
        let silent = now.since(UnixMillis(self.flowed_at.load(Ordering::Relaxed)));
        (silent >= lifetimes.idle).then_some(StreamEnd::Idle)
    }
}

impl Slot {
    async fn until_over(&self) {
        self.opened.notified().await;
        let Some(stream) = self.stream.get() else { return std::future::pending().await };
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(end) = stream.end(stream.current.parts.clock.now()) {
                // The phase that logs a request does not run when it is cut.
                tracing::info!(
                    target: "vestibule::access",
                    request = %stream.request_id,
                    site = stream.session.site.as_str(),
                    user = stream.session.user_name.as_str(),
                    reason = end.name(),
                    "stream cut"
                );
                return;
            }
        }
    }
}

/// The gateway's application with that guard around it.
pub struct EndingStreams(Arc<HttpProxy<Gateway>>);

impl EndingStreams {
    /// Puts the guard around `proxy`.
    #[must_use]
    pub fn around(proxy: HttpProxy<Gateway>) -> Self {
        Self(Arc::new(proxy))
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
        tokio::select! {
            biased;
            served = SLOT.scope(Arc::clone(&slot), self.0.process_new_http(session, shutdown)) => served,
            () = slot.until_over() => None,
        }
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.0.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.0.server_options()
    }

    async fn http_cleanup(&self) {
        self.0.http_cleanup().await;
    }
}
