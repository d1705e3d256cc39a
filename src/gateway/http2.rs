//! One connection that speaks HTTP/2: its limits, its streams, each a request of its own that is judged like any other, and its end.
//! Frames, flow control and header compression are h2's, what a malformed stream is, is pingora's and h2's. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use pingora::apps::HttpServerApp;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{H2Accept, H2Options, HttpSession, handshake};
use pingora::protocols::{Digest, Stream};
use pingora::server::ShutdownWatch;
use tokio::task::JoinSet;

use super::settings::GatewaySettings;

/// Streams that a client may have open at a time (security H7; Envoy's edge guide has the same).
const STREAMS: u32 = 100;
/// Requests under way on one connection. A client may take streams back and open others faster than the work for them ends (CVE-2023-44487);
/// twice what it may have open is more than any browser comes to. Our own choice.
const REQUESTS: usize = 2 * STREAMS as usize;
/// Malformed streams before the connection is given up: as pingora has it.
const MALFORMED: usize = 32;
/// Bytes of a request's body that may be on their way before somebody takes them, of one stream and of all of a connection together. h2's 64 KiB are
/// a round trip for every 64 KiB. Our own choice: at 50 ms it is 20 MiB a second, and a connection whose uploads nobody takes holds no more.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;
/// To send the preface and the first frames. The TLS handshake is over by then. Our own choice, as for heads (security H8).
const PREFACE: Duration = Duration::from_secs(10);

/// How long a client may take to close a connection that it was asked to leave. Our own choice.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What a connection is bounded by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Http2Limits {
    /// Bytes of a decoded header list, 32 for each field included (RFC 9113 §6.5.2).
    pub(super) header_list_bytes: usize,
    /// How long a connection without a request may stay.
    pub(super) idle: Duration,
}

impl Http2Limits {
    /// As they are now; a connection keeps those it began with.
    pub(super) fn of(settings: &GatewaySettings) -> Self {
        Self { header_list_bytes: settings.limits.head_bytes, idle: settings.timeouts.keepalive }
    }
}

/// Serves the streams of a connection until it ends.
pub(super) async fn serve<A>(app: &Arc<A>, stream: Stream, shutdown: &ShutdownWatch, limits: Http2Limits)
where
    A: HttpServerApp + Send + Sync + 'static,
{
    let digest = Arc::new(Digest {
        ssl_digest: stream.get_ssl_digest(),
        timing_digest: stream.get_timing_digest(),
        proxy_digest: stream.get_proxy_digest(),
        socket_digest: stream.get_socket_digest(),
    });
    let Ok(Ok(mut connection)) = tokio::time::timeout(PREFACE, handshake(stream, Some(options(limits)))).await else {
        return;
    };
    let mut shutting_down = shutdown.clone();
    let mut idle = limits.idle;
    let mut goodbye = Goodbye::Unsaid;
    let mut malformed = 0;
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = shutting_down.changed(), if goodbye == Goodbye::Unsaid => {
                connection.graceful_shutdown();
                goodbye = Goodbye::Said;
            }
            Some(_) = requests.join_next(), if !requests.is_empty() => {}
            accepted = HttpSession::from_h2_conn(&mut connection, Arc::clone(&digest)) => match accepted {
                Ok(Some(H2Accept::Session(session))) if requests.len() < REQUESTS => {
                    let (app, shutdown) = (Arc::clone(app), shutdown.clone());
                    requests.spawn(async move {
                        app.process_new_http(ServerSession::new_http2(session), &shutdown).await;
                    });
                }
                Ok(Some(H2Accept::Session(_))) => {
                    tracing::warn!("a client takes HTTP/2 streams back faster than their work ends; its connection is closed");
                    break;
                }
                Ok(Some(H2Accept::Rejected)) => {
                    malformed += 1;
                    if malformed >= MALFORMED {
                        break;
                    }
                }
                Ok(None) | Err(_) => break,
            },
            () = tokio::time::sleep(idle), if requests.is_empty() => match goodbye {
                // A request that is on its way just now is still answered.
                Goodbye::Unsaid => {
                    connection.graceful_shutdown();
                    (goodbye, idle) = (Goodbye::Said, LAST_WORDS);
                }
                Goodbye::Said => break,
            },
        }
    }
    // Requests notice for themselves that nobody is there any more, and are logged.
    requests.detach_all();
}

/// Whether the client was told that no new stream is taken (GOAWAY).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goodbye {
    Unsaid,
    Said,
}

fn options(limits: Http2Limits) -> H2Options {
    let mut options = H2Options::default();
    options
        .max_concurrent_streams(STREAMS)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(limits.header_list_bytes).unwrap_or(u32::MAX));
    options
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use pingora::apps::ReusedHttpStream;
    use pingora::http::ResponseHeader;
    use tokio::sync::Notify;

    use super::*;

    /// Answers each request when it is told to.
    #[derive(Default)]
    struct Waiting {
        begun: AtomicUsize,
        go_on: Notify,
    }

    #[async_trait]
    impl HttpServerApp for Waiting {
        async fn process_new_http(
            self: &Arc<Self>,
            mut session: ServerSession,
            _: &ShutdownWatch,
        ) -> Option<ReusedHttpStream> {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.go_on.notified().await;
            let head = ResponseHeader::build(204, None).unwrap();
            session.write_response_header(Box::new(head)).await.unwrap();
            session.finish().await.unwrap();
            None
        }
    }

    struct Connected {
        app: Arc<Waiting>,
        streams: h2::client::SendRequest<bytes::Bytes>,
        /// Comes to its end when the connection does.
        client: tokio::task::JoinHandle<Result<(), h2::Error>>,
        shutdown: tokio::sync::watch::Sender<bool>,
    }

    async fn connected(idle: Duration) -> Connected {
        let (near, far) = tokio::io::duplex(1 << 20);
        let app = Arc::new(Waiting::default());
        let (shutdown, watch) = tokio::sync::watch::channel(false);
        let serving = Arc::clone(&app);
        tokio::spawn(async move {
            serve(&serving, Box::new(far), &watch, Http2Limits { header_list_bytes: 32 * 1024, idle }).await;
        });
        let (streams, connection) = h2::client::handshake(near).await.unwrap();
        Connected { app, streams, client: tokio::spawn(connection), shutdown }
    }

    impl Connected {
        fn ask(&mut self) -> h2::client::ResponseFuture {
            let request = http::Request::get("https://h/").body(()).unwrap();
            self.streams.send_request(request, true).unwrap().0
        }
    }

    async fn soon<T>(what: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(20), what).await.expect("it comes to an end")
    }

    #[tokio::test]
    async fn a_connection_without_requests_does_not_stay() {
        let connected = connected(Duration::from_millis(100)).await;
        soon(connected.client).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_connection_is_not_idle_while_a_request_is_under_way() {
        let mut connected = connected(Duration::from_millis(100)).await;
        let answer = connected.ask();
        while connected.app.begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        // longer than an idle connection may stay
        assert!(tokio::time::timeout(Duration::from_millis(500), &mut connected.client).await.is_err());
        connected.app.go_on.notify_one();
        assert_eq!(soon(answer).await.unwrap().status(), 204);
        soon(connected.client).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_is_under_way_at_the_end_is_answered_and_nothing_new_is_taken() {
        let mut connected = connected(Duration::from_secs(60)).await;
        let answer = connected.ask();
        while connected.app.begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        connected.shutdown.send(true).unwrap();
        connected.app.go_on.notify_one();
        assert_eq!(soon(answer).await.unwrap().status(), 204);
        soon(connected.client).await.unwrap().unwrap();
        assert!(connected.streams.ready().await.is_err());
    }

    #[tokio::test]
    async fn streams_taken_back_faster_than_their_work_ends_close_the_connection() {
        let mut connected = connected(Duration::from_secs(60)).await;
        for begun in 1.. {
            let Ok(ready) = connected.streams.clone().ready().await else { break };
            connected.streams = ready;
            let answer = connected.ask();
            while connected.app.begun.load(Ordering::SeqCst) < begun && !connected.client.is_finished() {
                tokio::task::yield_now().await;
            }
            drop(answer);
            if connected.client.is_finished() {
                break;
            }
            assert!(begun <= REQUESTS, "the connection is still there");
        }
        assert_eq!(connected.app.begun.load(Ordering::SeqCst), REQUESTS);
    }
}
