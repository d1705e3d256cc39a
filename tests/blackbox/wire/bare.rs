//! What stands opposite: an application that keeps the heads it got, and a pingora with nothing on it. What reaches the application
//! through that one and not through ours is what the gateway adds.

use crate::harness::wire::{Connection, Received, fakes, listen};
use pingora::apps::ServerApp;
use pingora::protocols::l4::stream::Stream;
use pingora::proxy::{ProxyHttp, Session, http_proxy};
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;
use std::sync::{Arc, Mutex};

/// Keeps every head the moment it is complete, then reads the body and answers 200.
#[derive(Debug)]
pub(super) struct Recorder {
    heads: Arc<Mutex<Vec<Received>>>,
    port: u16,
    server: tokio::task::JoinHandle<()>,
}

impl Recorder {
    pub(super) fn start() -> Self {
        let (listener, port) = listen();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        let server = fakes().spawn(async move {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let (mut connection, kept) = (Connection::new(stream, number), Arc::clone(&kept));
                number += 1;
                tokio::spawn(async move {
                    while let Ok(Some(mut head)) = connection.read_head().await {
                        kept.lock().unwrap().push(head.clone());
                        if connection.read_body(&mut head, |_| ()).await.is_err()
                            || connection.answer(200, &[], b"ok").await.is_err()
                        {
                            return;
                        }
                    }
                });
            }
        });
        Self { heads, port, server }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn forget(&self) {
        self.heads.lock().unwrap().clear();
    }

    /// What came with `mark` in its path, and what came with a target of another form. A head of an earlier vector may be late: it is none of these.
    pub(super) fn got(&self, mark: &str) -> Vec<Received> {
        let is_wanted = |head: &&Received| head.target.contains(mark) || !head.target.contains("/public/");
        self.heads.lock().unwrap().iter().filter(is_wanted).cloned().collect()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A proxy of pingora as it comes: one method, which names the upstream.
pub(super) struct BarePingora {
    pub(super) port: u16,
    server: tokio::task::JoinHandle<()>,
}

struct To(u16);

#[async_trait::async_trait]
impl ProxyHttp for To {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _session: &mut Session, _ctx: &mut ()) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(("127.0.0.1", self.0), false, String::new())))
    }
}

impl BarePingora {
    pub(super) fn before(recorder: &Recorder) -> Self {
        let (listener, port) = listen();
        let proxy = Arc::new(http_proxy(&Arc::new(ServerConf::default()), To(recorder.port)));
        let server = fakes().spawn(async move {
            let (_open, shutdown) = tokio::sync::watch::channel(false);
            while let Ok((socket, _)) = listener.accept().await {
                let (proxy, shutdown) = (Arc::clone(&proxy), shutdown.clone());
                tokio::spawn(async move { proxy.process_new(Box::new(Stream::from(socket)), &shutdown).await });
            }
        });
        Self { port, server }
    }
}

impl Drop for BarePingora {
    fn drop(&mut self) {
        self.server.abort();
    }
}
