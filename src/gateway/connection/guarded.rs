//! The stream of a connection with our hands on it: reads a head whole, within its time and size, before anybody else sees a byte, and ends
//! so that the other end can read what was said last. Everything between is passed on untouched; a WebSocket that is to end is stopped
//! between two frames and left to `streams`. Floor: edge.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream, TimingDigest,
    UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

use super::count::Place;
use super::head_reader::HeadReader;
use super::state::ConnectionState;
use crate::gateway::head::HeadMistake;
use crate::gateway::settings::RequestLimits;

/// Room for a usual head, as in pingora.
const FIRST_ROOM: usize = 4096;
/// How long the other end gets to read our last answer and to stop sending. Our own choice: some round trips.
const LINGER: Duration = Duration::from_secs(2);
/// So much of what it still sends is read away meanwhile: closing over unread bytes would take the answer back (RFC 9112 §9.6).
const LINGER_BYTES: usize = 1 << 20;

/// A stream that is read and written through this.
#[derive(Debug)]
pub struct Guarded {
    inner: Stream,
    /// Dropped when the connection is closed.
    place: Option<Place>,
    state: Arc<ConnectionState>,
    /// What was read of the next head.
    bytes: BytesMut,
    reader: HeadReader,
    end: End,
}

/// How the stream ends when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing was said that somebody may still be reading, or nobody is there.
    AtOnce,
    /// Something was said: the other end gets the time to read it.
    InOrder,
}

/// How long a head may take.
#[derive(Clone, Copy, Debug)]
pub struct HeadTimes {
    /// Until its first byte.
    pub first_byte: Duration,
    /// From its first byte to its end.
    pub whole: Duration,
}

/// What came of waiting for a head.
#[derive(Debug)]
pub enum HeadRead {
    /// A head without mistakes.
    Head(WireHead),
    /// None: the other end said nothing in time, or went away. There is nobody to answer.
    Nothing,
    /// One that is not clear or came too slowly. `read_so_far` has it.
    Wrong(HeadMistake),
}

/// A head as it came.
#[derive(Debug)]
pub struct WireHead {
    /// The head, and behind it what came along.
    pub bytes: BytesMut,
    /// Whether the connection has to end with this request: another one seems to have come along, or it cannot be said where one would begin.
    pub is_last: bool,
}

impl Guarded {
    /// Puts `inner` under guard. `place` is given back when the connection is closed.
    #[must_use]
    pub fn new(inner: Stream, place: Option<Place>, state: Arc<ConnectionState>) -> Self {
        let (bytes, reader) = (BytesMut::new(), HeadReader::default());
        Self { inner, place, state, bytes, reader, end: End::AtOnce }
    }

    /// What the requests of this connection share with it.
    #[must_use]
    pub fn state(&self) -> Arc<ConnectionState> {
        Arc::clone(&self.state)
    }

    /// Reads up to the end of a head and checks it as it was on the wire. Its first byte is waited for until `give_up`, too.
    pub async fn read_head(
        &mut self,
        limits: &RequestLimits,
        times: HeadTimes,
        give_up: impl Future<Output = ()>,
    ) -> HeadRead {
        let first = tokio::select! {
            biased;
            first = timeout(times.first_byte, self.read_more()) => first,
            () = give_up => return HeadRead::Nothing,
        };
        match first {
            Ok(Ok(read)) if read > 0 => {}
            Ok(Ok(_) | Err(_)) | Err(_) => return HeadRead::Nothing,
        }
        let deadline = Instant::now() + times.whole;
        loop {
            match self.reader.read_on(&self.bytes, limits) {
                Ok(None) => {}
                Ok(Some(head)) => {
                    let is_last = head.is_last(self.bytes.len().saturating_sub(head.end));
                    let mut bytes = std::mem::take(&mut self.bytes);
                    let _empty_line = bytes.split_to(head.start);
                    self.reader = HeadReader::default();
                    self.end = End::InOrder;
                    return HeadRead::Head(WireHead { bytes, is_last });
                }
                Err(mistake) => return HeadRead::Wrong(mistake),
            }
            match timeout_at(deadline, self.read_more()).await {
                Ok(Ok(read)) if read > 0 => {}
                Ok(Ok(_) | Err(_)) => return HeadRead::Nothing,
                Err(_elapsed) => return HeadRead::Wrong(HeadMistake::TooSlow),
            }
        }
    }

    /// The part of a head that is there.
    #[must_use]
    pub fn read_so_far(&self) -> &[u8] {
        &self.bytes
    }

    /// Says the last thing on this connection, within `limit`, and closes it in order.
    pub async fn say_last(mut self: Box<Self>, bytes: &[u8], limit: Duration) {
        self.end = End::InOrder;
        let saying = async {
            self.inner.write_all(bytes).await?;
            self.inner.flush().await
        };
        if !matches!(timeout(limit, saying).await, Ok(Ok(()))) {
            self.end = End::AtOnce;
        }
    }

    /// From here on, nothing is waited for when it is dropped: there was nothing to say, or it was heard.
    pub fn end_at_once(&mut self) {
        self.end = End::AtOnce;
    }

    fn take_inner(&mut self) -> Stream {
        std::mem::replace(&mut self.inner, Box::new(io::Cursor::new(Vec::new())))
    }

    /// Zero when the other end has closed.
    async fn read_more(&mut self) -> io::Result<usize> {
        self.bytes.reserve(FIRST_ROOM);
        self.inner.read_buf(&mut self.bytes).await
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        if self.state.tunnel().is_parting() {
            // Still counted, and of no other request.
            let rest = Self::new(self.take_inner(), self.place.take(), Arc::default());
            return self.state.tunnel().leave(Box::new(rest));
        }
        let runtime = match self.end {
            End::AtOnce => return,
            End::InOrder => tokio::runtime::Handle::try_current(),
        };
        let Ok(runtime) = runtime else { return };
        runtime.spawn(close_in_order(self.take_inner(), self.place.take()));
    }
}

/// Ends our half, then reads away what the other end still sends until it has ended its own.
async fn close_in_order(mut stream: Stream, _place: Option<Place>) {
    let closing = async {
        Shutdown::shutdown(&mut *stream).await;
        let mut left = LINGER_BYTES;
        let mut unread = [0; 4096];
        while let Ok(read) = stream.read(&mut unread).await
            && read > 0
            && left > read
        {
            left -= read;
        }
    };
    // Whoever does not end it in time is cut off.
    let _ = timeout(LINGER, closing).await;
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, wanted) = (buf.filled().len(), buf.remaining() > 0);
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        match &read {
            // The other end has closed or is gone.
            Poll::Ready(Ok(())) if wanted && buf.filled().len() == before => self.end = End::AtOnce,
            Poll::Ready(Err(_)) => self.end = End::AtOnce,
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let allowed = buf.get(..self.state.tunnel().may_write(buf)).unwrap_or_default();
        if allowed.is_empty() && !buf.is_empty() {
            // Whoever waits for this is dropped in a moment.
            return Poll::Pending;
        }
        let written = std::task::ready!(Pin::new(&mut self.inner).poll_write(cx, allowed))?;
        self.state.tunnel().wrote(allowed.get(..written).unwrap_or_default());
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state.tunnel().is_parting() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.state.tunnel().is_open() {
            // Frames are counted one piece at a time.
            let piece = bufs.iter().find(|piece| !piece.is_empty());
            return self.poll_write(cx, piece.map_or(&[], |piece| piece));
        }
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for Guarded {
    async fn shutdown(&mut self) {
        if self.state.tunnel().is_parting() {
            return;
        }
        Shutdown::shutdown(&mut *self.inner).await;
    }
}

#[async_trait]
impl Peek for Guarded {
    async fn try_peek(&mut self, buf: &mut [u8]) -> io::Result<bool> {
        self.inner.try_peek(buf).await
    }
}

impl UniqueID for Guarded {
    fn id(&self) -> UniqueIDType {
        self.inner.id()
    }
}

impl Ssl for Guarded {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.selected_alpn_proto()
    }
}

impl GetTimingDigest for Guarded {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.inner.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.inner.get_write_pending_time()
    }
}

impl GetProxyDigest for Guarded {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.inner.get_proxy_digest()
    }

    fn set_proxy_digest(&mut self, digest: ProxyDigest) {
        self.inner.set_proxy_digest(digest);
    }
}

impl GetSocketDigest for Guarded {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.get_socket_digest()
    }

    fn set_socket_digest(&mut self, digest: SocketDigest) {
        self.inner.set_socket_digest(digest);
    }
}

#[cfg(test)]
#[path = "guarded_tests.rs"]
mod tests;
