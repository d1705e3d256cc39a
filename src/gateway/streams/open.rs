//! One request that is being proxied: whose it is, when something last flowed, and whether it is over.
//! Ends nothing itself: it says so to whom it may concern. Floor: edge.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;

use super::StreamEnd;
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;
use crate::gateway::handle::Current;
use crate::login::sessions::Standing;

/// A piece of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Piece {
    /// Others follow.
    OneOfMore,
    /// None does; it may be empty.
    Last,
}

/// Since when the next piece is waited for, when none is.
const NOT_WAITED_FOR: i64 = i64::MAX;

/// A request that is being proxied.
#[derive(Debug)]
pub(in crate::gateway) struct OpenStream {
    current: Arc<Current>,
    /// `None` on a public path, asked for by nobody who is signed in.
    session: Option<Session>,
    /// When a piece of a body last flowed.
    flowed_at: AtomicI64,
    /// Since when the next piece of the request's body is waited for.
    waited_since: AtomicI64,
    /// How long it may take; `None`: somebody else sees to it.
    longest_wait: Option<Duration>,
    /// Set once: the first reason stays.
    over: OnceLock<StreamEnd>,
    is_over: Notify,
    /// Whether the application has begun to answer.
    answered: AtomicBool,
}

impl OpenStream {
    /// Begins now. No piece of its body is waited for yet; once one is, it may take `longest_wait`.
    pub(super) fn new(current: Arc<Current>, session: Option<Session>, longest_wait: Option<Duration>) -> Self {
        let flowed_at = AtomicI64::new(current.parts.clock.now().0);
        Self {
            current,
            session,
            flowed_at,
            waited_since: AtomicI64::new(NOT_WAITED_FOR),
            longest_wait,
            over: OnceLock::new(),
            is_over: Notify::new(),
            answered: AtomicBool::new(false),
        }
    }

    /// The application answers now; `Some` when nothing of it may go on to the client.
    pub(in crate::gateway) fn answers(&self) -> Option<StreamEnd> {
        // Said before looking: either this look sees the end, or whoever ends the stream sees that it is answered, and cuts it.
        self.answered.store(true, Ordering::SeqCst);
        self.flows()
    }

    /// Whether it can be cut without a word. Before the application has begun to answer somebody is still waiting for one, who is told so
    /// when it comes, or fails to come, in its place: nothing flows until then, and a browser whose connection breaks before any answer
    /// may send the request once more by itself.
    pub(super) fn can_be_cut(&self, end: StreamEnd) -> bool {
        matches!(end, StreamEnd::GoingAway | StreamEnd::BodyTooSlow) || self.answered.load(Ordering::SeqCst)
    }

    /// A server is there for the request's body: from here on, it is waited for.
    pub(in crate::gateway) fn wait_for_body(&self) {
        self.waited_since.store(self.current.parts.clock.now().0, Ordering::Relaxed);
    }

    /// Whether more of the request's body is to come.
    pub(in crate::gateway) fn waits_for_body(&self) -> bool {
        self.waited_since.load(Ordering::Relaxed) != NOT_WAITED_FOR
    }

    /// A piece of the request's body flows now, perhaps the last one; `Some` when it must not.
    pub(in crate::gateway) fn flows_up(&self, piece: Piece) -> Option<StreamEnd> {
        let over = self.flows();
        match piece {
            Piece::Last => self.waited_since.store(NOT_WAITED_FOR, Ordering::Relaxed),
            Piece::OneOfMore if self.waits_for_body() => self.wait_for_body(),
            Piece::OneOfMore => {}
        }
        over
    }

    /// A piece of a body flows now; `Some` when it must not.
    pub(in crate::gateway) fn flows(&self) -> Option<StreamEnd> {
        let now = self.current.parts.clock.now();
        self.look(now);
        self.flowed_at.store(now.0, Ordering::Relaxed);
        self.over()
    }

    /// Why it is over; `None` while it is not.
    pub(in crate::gateway) fn over(&self) -> Option<StreamEnd> {
        self.over.get().copied()
    }

    /// Waits until it is over.
    pub(super) async fn until_over(&self) -> StreamEnd {
        loop {
            // A permit is kept when it was ended before anybody waited.
            let told = self.is_over.notified();
            if let Some(end) = self.over() {
                return end;
            }
            told.await;
        }
    }

    /// From here on it is over. The first reason counts.
    pub(super) fn end(&self, end: StreamEnd) {
        let _ = self.over.set(end);
        self.is_over.notify_one();
    }

    /// Ends it when its session says so; else when it has to be looked at again at the latest, if nothing changes meanwhile.
    pub(super) fn look(&self, now: UnixMillis) -> Option<UnixMillis> {
        let next = match &self.session {
            None => Ok(UnixMillis(i64::MAX)),
            Some(session) => self.standing(session, now),
        };
        let next = next.and_then(|at| Ok(at.min(self.next_piece_by(now)?)));
        match next {
            Ok(at) => Some(at),
            Err(end) => {
                self.end(end);
                None
            }
        }
    }

    /// When the next piece has to be here.
    fn next_piece_by(&self, now: UnixMillis) -> Result<UnixMillis, StreamEnd> {
        let since = self.waited_since.load(Ordering::Relaxed);
        match self.longest_wait {
            Some(longest) if since != NOT_WAITED_FOR => {
                let by = UnixMillis(since).plus(longest);
                if now >= by { Err(StreamEnd::BodyTooSlow) } else { Ok(by) }
            }
            Some(_) | None => Ok(UnixMillis(i64::MAX)),
        }
    }

    fn standing(&self, session: &Session, now: UnixMillis) -> Result<UnixMillis, StreamEnd> {
        let sessions = &self.current.parts.sessions;
        let lifetimes = sessions.lifetimes();
        match sessions.standing(session, now) {
            Standing::Good => {}
            Standing::Ended => return Err(StreamEnd::Revoked),
            Standing::CodeOwed => return Err(StreamEnd::CodeOwed),
            Standing::CannotTell => return Err(StreamEnd::CannotTell),
        }
        let absolute_end = session.absolute_end(lifetimes);
        if now >= absolute_end {
            return Err(StreamEnd::Absolute);
        }
        let idle_end = UnixMillis(self.flowed_at.load(Ordering::Relaxed)).plus(lifetimes.idle);
        if now >= idle_end {
            return Err(StreamEnd::Idle);
        }
        Ok(absolute_end.min(idle_end).min(sessions.tells_until()))
    }
}
