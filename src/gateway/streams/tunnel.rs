//! What the stream of a connection and the task that serves it agree on when a WebSocket is to end: nothing goes down beyond the frame that
//! is under way, and then the stream is left to the task, which says goodbye. Writes nothing itself. Floor: edge.
//!
//! Both ends run in one task, so the locks here are never waited for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pingora::protocols::Stream;
use tokio::sync::Notify;

use super::frames::Frames;

/// One for each connection; means nothing until a protocol is switched on it.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Tunnel {
    is_open: AtomicBool,
    is_parting: AtomicBool,
    said: Mutex<Frames>,
    between: Notify,
    left: Mutex<Option<Stream>>,
}

impl Tunnel {
    /// The next thing that is written is the answer that switches protocols; frames follow.
    pub(in crate::gateway) fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    /// Whether frames flow, or are about to.
    pub(in crate::gateway) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// From here on nothing goes down beyond the frame that is under way, and the stream is left here instead of being closed.
    pub(in crate::gateway) fn part(&self) {
        self.is_parting.store(true, Ordering::Relaxed);
        if self.said().is_between() {
            self.between.notify_one();
        }
    }

    /// Whether the stream is to be left here.
    pub(in crate::gateway) fn is_parting(&self) -> bool {
        self.is_open() && self.is_parting.load(Ordering::Relaxed)
    }

    /// How many of these bytes may be written. Zero: none ever again.
    pub(in crate::gateway) fn may_write(&self, bytes: &[u8]) -> usize {
        if self.is_parting() { self.said().rest_of_frame(bytes) } else { bytes.len() }
    }

    /// These bytes were written.
    pub(in crate::gateway) fn wrote(&self, bytes: &[u8]) {
        if !self.is_open() {
            return;
        }
        let mut said = self.said();
        said.sent(bytes);
        if said.is_between() && self.is_parting() {
            self.between.notify_one();
        }
    }

    /// Waits, after `part`, until no frame is under way.
    pub(super) async fn until_between(&self) {
        self.between.notified().await;
    }

    /// Whether a close frame may be said: between two frames, and not after the server's own.
    pub(super) fn may_close(&self) -> bool {
        let said = self.said();
        said.is_between() && !said.has_closed()
    }

    /// The stream is done with by all others.
    pub(in crate::gateway) fn leave(&self, stream: Stream) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
    }

    /// The stream that was left here.
    pub(super) fn take(&self) -> Option<Stream> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn said(&self) -> MutexGuard<'_, Frames> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

    #[test]
    fn what_is_no_tunnel_is_not_held_up() {
        let tunnel = Tunnel::default();
        tunnel.part();
        assert!(!tunnel.is_parting());
        assert_eq!(tunnel.may_write(b"HTTP/1.1 200 OK\r\n\r\nbody"), 23);
    }

    #[tokio::test]
    async fn after_parting_nothing_goes_down_but_the_rest_of_a_frame() {
        let tunnel = Tunnel::default();
        tunnel.open();
        tunnel.wrote(ANSWER);
        tunnel.wrote(b"\x81\x04ab");
        assert_eq!(tunnel.may_write(b"cd\x81\x01e"), 5);
        tunnel.part();
        assert!(!tunnel.may_close());
        assert_eq!(tunnel.may_write(b"cd\x81\x01e"), 2);
        tunnel.wrote(b"cd");
        tunnel.until_between().await;
        assert!(tunnel.may_close());
        assert_eq!(tunnel.may_write(b"\x81\x01e"), 0);
    }

    #[tokio::test]
    async fn between_two_frames_parting_is_at_once() {
        let tunnel = Tunnel::default();
        tunnel.open();
        tunnel.wrote(ANSWER);
        tunnel.part();
        tunnel.until_between().await;
        assert_eq!(tunnel.may_write(b"\x81\x01e"), 0);
    }

    #[test]
    fn half_an_answer_and_a_goodbye_of_the_server_allow_no_close_frame() {
        let tunnel = Tunnel::default();
        tunnel.open();
        assert!(!tunnel.may_close());
        tunnel.wrote(ANSWER);
        assert!(tunnel.may_close());
        tunnel.wrote(b"\x88\x00");
        assert!(!tunnel.may_close());
    }
}
