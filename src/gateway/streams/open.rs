//! One request that is being proxied: whose it is, when something last flowed, and whether it is over.
//! Ends nothing itself: it says so to whom it may concern. Floor: edge.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::StreamEnd;
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;
use crate::gateway::handle::Current;
use crate::login::sessions::Standing;

/// A request that is being proxied.
#[derive(Debug)]
pub(in crate::gateway) struct OpenStream {
    current: Arc<Current>,
    /// `None` on a public path, asked for by nobody who is signed in.
    session: Option<Session>,
    /// When a piece of a body last flowed.
    flowed_at: AtomicI64,
    /// Set once: the first reason stays.
    over: OnceLock<StreamEnd>,
    is_over: Notify,
    /// Whether the application has begun to answer.
    answered: AtomicBool,
}

impl OpenStream {
    /// Begins now.
    pub(super) fn new(current: Arc<Current>, session: Option<Session>) -> Self {
        let flowed_at = AtomicI64::new(current.parts.clock.now().0);
        Self {
            current,
            session,
            flowed_at,
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
        end == StreamEnd::GoingAway || self.answered.load(Ordering::SeqCst)
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
        match next {
            Ok(at) => Some(at),
            Err(end) => {
                self.end(end);
                None
            }
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
