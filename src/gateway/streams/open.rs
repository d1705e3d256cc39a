//! One request that is being proxied: whose it is, when something last flowed, and whether it is over.
//! Ends nothing itself: it says so to whom it may concern. Floor: edge.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Version;
use tokio::sync::Notify;

use super::StreamEnd;
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;
use crate::gateway::handle::Current;
use crate::gateway::route_rules::UpstreamName;
use crate::gateway::settings::GatewaySettings;
use crate::login::sessions::Standing;

/// A piece of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Piece {
    /// Others follow.
    OneOfMore,
    /// None does; it may be empty.
    Last,
}

/// How long a request may wait, where pingora does not see to it; `None`: somebody else does.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::gateway) struct Waits {
    /// For the next piece of its body.
    pub(in crate::gateway) piece: Option<Duration>,
    /// For the head of the answer, from the request's last piece to the head's last byte.
    pub(in crate::gateway) answer: Option<Duration>,
}

impl Waits {
    /// A piece that comes over HTTP/2 has no limit in pingora; while the server is slow to take one, the next is not read: that is not the
    /// client's doing, and has a limit of its own. Of the head of an answer pingora limits each read: in all it may take what the server may
    /// be silent, and the time for two connections.
    pub(in crate::gateway) fn of(version: Version, settings: &GatewaySettings, upstream: &UpstreamName) -> Self {
        let known = settings.upstreams.iter().find(|known| known.name == *upstream).map(|known| known.timeouts);
        let write = known.map(|timeouts| timeouts.write).unwrap_or_default();
        Self {
            piece: (version == Version::HTTP_2).then(|| settings.timeouts.read.max(write)),
            answer: known.map(|timeouts| timeouts.read + 2 * timeouts.connect),
        }
    }
}

/// Since when the next piece is waited for, when none is.
const NOT_WAITED_FOR: i64 = i64::MAX;

/// A request that is being proxied.
#[derive(Debug)]
pub(in crate::gateway) struct OpenStream {
    current: Arc<Current>,
    /// `None` on a public path, asked for by nobody who is signed in.
    session: Option<Arc<Session>>,
    /// When a piece of a body last flowed.
    flowed_at: AtomicI64,
    /// Since when the next piece of the request's body is waited for.
    waited_since: AtomicI64,
    /// Since when the head of the answer is waited for.
    answer_waited_since: AtomicI64,
    waits: Waits,
    /// Set once: the first reason stays.
    over: OnceLock<StreamEnd>,
    is_over: Notify,
    /// Whether the application has begun to answer.
    answered: AtomicBool,
    /// Whether a piece of a body was stopped because it is over: whoever sent it is being answered.
    stopped: AtomicBool,
}

impl OpenStream {
    /// Begins now. No piece of its body is waited for yet.
    pub(super) fn new(current: Arc<Current>, session: Option<Arc<Session>>, waits: Waits) -> Self {
        let now = current.parts.clock.now().0;
        let flowed_at = AtomicI64::new(now);
        Self {
            current,
            session,
            flowed_at,
            waited_since: AtomicI64::new(NOT_WAITED_FOR),
            answer_waited_since: AtomicI64::new(now),
            waits,
            over: OnceLock::new(),
            is_over: Notify::new(),
            answered: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }

    /// The application answers now; `Some` when nothing of it may go on to the client.
    pub(in crate::gateway) fn answers(&self) -> Option<StreamEnd> {
        // Said before looking: either this look sees the end, or whoever ends the stream sees that it is answered, and cuts it.
        self.answered.store(true, Ordering::SeqCst);
        self.answer_waited_since.store(NOT_WAITED_FOR, Ordering::Relaxed);
        self.flows()
    }

    /// Whether it can be cut without a word. Before the application has begun to answer somebody is still waiting for one, who is told so
    /// when it comes, or fails to come, in its place: nothing flows until then, and a browser whose connection breaks before any answer
    /// may send the request once more by itself.
    pub(super) fn can_be_cut(&self, end: StreamEnd) -> bool {
        matches!(end, StreamEnd::GoingAway | StreamEnd::BodyTooSlow | StreamEnd::AnswerTooSlow)
            || self.answered.load(Ordering::SeqCst)
    }

    /// Whether the next piece of an upload is waited for, so that there is no answer to wait for: the application has not seen the whole of it.
    pub(super) fn is_silent_upload(&self) -> bool {
        self.waits_for_body() && !self.stopped.load(Ordering::SeqCst)
    }

    /// A server is there for the request's body: from here on, it is waited for.
    pub(in crate::gateway) fn wait_for_body(&self) {
        self.waited_since.store(self.current.parts.clock.now().0, Ordering::Relaxed);
    }

    /// Nothing more of the request is to come: from here on, the head of the answer is waited for. Likewise when one came that is none yet (1xx).
    pub(in crate::gateway) fn wait_for_answer(&self) {
        self.answer_waited_since.store(self.current.parts.clock.now().0, Ordering::Relaxed);
    }

    /// Whether more of the request's body is to come.
    pub(in crate::gateway) fn waits_for_body(&self) -> bool {
        self.waited_since.load(Ordering::Relaxed) != NOT_WAITED_FOR
    }

    /// A piece of the request's body flows now, perhaps the last one; `Some` when it must not.
    pub(in crate::gateway) fn flows_up(&self, piece: Piece) -> Option<StreamEnd> {
        let over = self.flows();
        match piece {
            Piece::Last => {
                self.waited_since.store(NOT_WAITED_FOR, Ordering::Relaxed);
                if !self.answered.load(Ordering::SeqCst) {
                    self.wait_for_answer();
                }
            }
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
        let over = self.over();
        if over.is_some() {
            self.stopped.store(true, Ordering::SeqCst);
        }
        over
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
        let next = next.and_then(|at| Ok(at.min(self.next_piece_by(now)?).min(self.answer_by(now)?)));
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
        match self.waits.piece {
            Some(longest) if since != NOT_WAITED_FOR => {
                let by = UnixMillis(since).plus(longest);
                if now >= by { Err(StreamEnd::BodyTooSlow) } else { Ok(by) }
            }
            Some(_) | None => Ok(UnixMillis(i64::MAX)),
        }
    }

    /// When the head of the answer has to be here. While a piece of the body is to come, that has its own time.
    fn answer_by(&self, now: UnixMillis) -> Result<UnixMillis, StreamEnd> {
        let since = self.answer_waited_since.load(Ordering::Relaxed);
        match self.waits.answer {
            Some(longest) if since != NOT_WAITED_FOR && !self.waits_for_body() => {
                let by = UnixMillis(since).plus(longest);
                if now >= by { Err(StreamEnd::AnswerTooSlow) } else { Ok(by) }
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
