//! Listeners behind a proxy that opens each connection with a PROXY header: it is read before anything else, also before TLS, and the
//! address in it is the connection's peer from there on. Required or not there at all, never guessed. Floor: edge.

mod header;

use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::http::ResponseHeader;
use pingora::listeners::PreTlsProcess;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream as L4Stream;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{Digest, GetProxyDigest as _, GetSocketDigest as _, SocketDigest, Stream};
use pingora::server::ShutdownWatch;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::connection::{BeforeTls, peer_of, unheard};
use super::handle::GatewayHandle;
use super::seldom::Seldom;
use crate::web::origin::Scheme;
use header::{Announcement, HeaderMistake, Progress};

/// How long the whole header may take. Our own choice: a proxy sends it in one piece with the connection.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a connection's header said, for later phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProxyHeader {
    /// Whether the connection's peer is the one that the header names.
    pub(super) names: Named,
    /// What the client spoke with the proxy; `None`: it does not say.
    pub(super) scheme: Option<Scheme>,
}

/// Whom a header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The peer of the connection is that address.
    Somebody,
    /// The peer of the connection is the proxy itself; whoever is behind it is unknown.
    Nobody,
}

/// Reads the header at the beginning of connections. Only `trusted_proxies` may send one.
#[derive(Debug)]
pub(super) struct ProxyProtocol {
    handle: GatewayHandle,
    /// What happens before TLS in any case, with the peer that the header names.
    before_tls: BeforeTls,
    complaint: Mutex<Seldom>,
}

/// Why a connection is closed without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// The peer is not in `trusted_proxies`.
    Stranger,
    /// The bytes are no header.
    Header(HeaderMistake),
    /// The header was not there in time.
    Late,
    /// The connection ended within the header.
    Cut,
    /// Nothing came at all: how load balancers look whether somebody listens.
    Silent,
}

impl Refused {
    fn name(self) -> &'static str {
        match self {
            Self::Stranger => "not_a_trusted_proxy",
            Self::Header(mistake) => mistake.name(),
            Self::Late => "proxy_header_late",
            Self::Cut => "proxy_header_cut",
            Self::Silent => "nothing_sent",
        }
    }
}

impl ProxyProtocol {
    pub(super) fn new(handle: GatewayHandle) -> Arc<Self> {
        Arc::new(Self { before_tls: BeforeTls::new(handle.clone()), handle, complaint: Mutex::default() })
    }

    /// Reads the header off `stream` and makes the address in it the peer. On an error the connection has to be closed.
    async fn receive(&self, stream: &mut L4Stream) -> Result<(), Refused> {
        let proxy = peer_of(stream);
        let read = match proxy {
            Some(proxy) if self.handle.current().parts.settings.trusted_proxies.contains(proxy) => {
                tokio::time::timeout(DEADLINE, read_header(stream)).await.unwrap_or(Err(Refused::Late))
            }
            Some(_) | None => Err(Refused::Stranger),
        };
        match read {
            Ok(announcement) => {
                take_over(stream, announcement);
                Ok(())
            }
            Err(refused) => {
                self.complain(proxy, refused);
                Err(refused)
            }
        }
    }

    fn complain(&self, peer: Option<IpAddr>, refused: Refused) {
        if refused == Refused::Silent {
            return;
        }
        let happened = self.complaint.lock().unwrap_or_else(PoisonError::into_inner).happened();
        let Some(refused_in_all) = happened else { return };
        tracing::warn!(
            peer = peer.map(tracing::field::display),
            reason = refused.name(),
            others_since_last = refused_in_all - 1,
            "a connection to a listener with proxy_protocol was closed: it has to begin with a PROXY header, from one of trusted_proxies"
        );
    }
}

/// Reads a header and not a byte more: what follows is TLS or HTTP.
async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> Result<Announcement, Refused> {
    let mut bytes = Vec::with_capacity(128);
    loop {
        let more = match header::read(&bytes) {
            Progress::Whole(announcement) => return Ok(announcement),
            Progress::Bad(mistake) => return Err(Refused::Header(mistake)),
            Progress::More(more) => u64::try_from(more).unwrap_or(u64::MAX),
        };
        match (&mut *stream).take(more).read_buf(&mut bytes).await {
            Ok(0) | Err(_) if bytes.is_empty() => return Err(Refused::Silent),
            Ok(0) | Err(_) => return Err(Refused::Cut),
            Ok(_) => {}
        }
    }
}

/// pingora keeps the peer's address in a cell that is written once, and has one place for words about a proxy.
fn take_over(stream: &mut L4Stream, announcement: Announcement) {
    if let Some(source) = announcement.source {
        let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
        let _ = digest.peer_addr.set(Some(SocketAddr::Inet(source)));
        stream.set_socket_digest(digest);
    }
    let names = if announcement.source.is_some() { Named::Somebody } else { Named::Nobody };
    let said: ProxyHeader = ProxyHeader { names, scheme: announcement.scheme };
    // The response is one to CONNECT, which nobody sent: it is not looked at.
    if let Ok(response) = ResponseHeader::build(200, Some(0)) {
        stream.set_proxy_digest(ProxyDigest::new(Box::new(response), Some(Box::new(said))));
    }
}

/// What the header of this connection said; `None` for one that has none.
pub(super) fn header_of(digest: &Digest) -> Option<ProxyHeader> {
    digest.proxy_digest.as_ref()?.user_data.as_ref()?.downcast_ref().copied()
}

#[async_trait]
impl PreTlsProcess for ProxyProtocol {
    async fn process(&self, stream: &mut L4Stream) -> pingora::Result<()> {
        match self.receive(stream).await {
            Ok(()) => self.before_tls.process(stream).await,
            Err(refused) => Err(unheard(refused.name())),
        }
    }
}

/// An application whose connections begin with a PROXY header: on plain listeners it is read here, on TLS ones it has been read before.
#[derive(Debug)]
pub(super) struct BehindProxy<A> {
    inner: Arc<A>,
    proxy_protocol: Arc<ProxyProtocol>,
}

impl<A> BehindProxy<A> {
    pub(super) fn around(inner: A, proxy_protocol: Arc<ProxyProtocol>) -> Self {
        Self { inner: Arc::new(inner), proxy_protocol }
    }

    /// `None`: the connection is not one to go on with.
    async fn introduced(&self, stream: Stream) -> Option<Stream> {
        if stream.get_proxy_digest().is_some() {
            return Some(stream);
        }
        // anything else would be TLS whose header was not read
        let mut plain: Box<L4Stream> = stream.into_any().downcast().ok()?;
        self.proxy_protocol.receive(&mut plain).await.ok()?;
        Some(plain)
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServerApp for BehindProxy<A> {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let stream = self.introduced(stream).await?;
        self.inner.process_new(stream, shutdown).await
    }

    async fn cleanup(&self) {
        self.inner.cleanup().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn what_follows_the_header_is_left_for_tls_or_http() {
        for whole in [
            b"PROXY TCP4 198.51.100.7 10.0.0.1 1 2\r\nGET / HTTP/1.1".as_slice(),
            b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0GET / HTTP/1.1",
        ] {
            for piece in 1..whole.len() {
                let (mut ours, mut theirs) = tokio::io::duplex(1024);
                let writing = tokio::spawn({
                    let whole = whole.to_vec();
                    async move {
                        for bytes in whole.chunks(piece) {
                            theirs.write_all(bytes).await.unwrap();
                            tokio::task::yield_now().await;
                        }
                    }
                });
                read_header(&mut ours).await.unwrap();
                let mut rest = Vec::new();
                ours.read_to_end(&mut rest).await.unwrap();
                writing.await.unwrap();
                assert_eq!(rest, b"GET / HTTP/1.1", "in pieces of {piece}");
            }
        }
    }

    #[tokio::test]
    async fn a_connection_that_ends_too_soon_is_told_apart_from_one_that_only_looked() {
        for (bytes, refused) in [
            (b"".as_slice(), Refused::Silent),
            (b"PRO", Refused::Cut),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c1234", Refused::Cut),
            (b"GET /", Refused::Header(HeaderMistake::NoHeader)),
        ] {
            assert_eq!(read_header(&mut &*bytes).await, Err(refused));
        }
    }
}
