//! The streams that are open on this node, and the one task that looks at them: when the feed brought something, and when the next one
//! runs out of time. Ten thousand silent streams cost nothing between. Floor: edge.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;

use super::StreamEnd;
use super::open::OpenStream;
use crate::gateway::handle::Current;

/// Two looks are at least this far apart, so that a burst of revocations is one look. Our own choice: it is lost in the bound of a second.
const APART: Duration = Duration::from_millis(20);
/// The longest without a look: a clock that was set, or a machine that slept, moves ends that a timer knows nothing of. Our own choice.
const LONGEST: Duration = Duration::from_secs(30);

/// The streams that are open on this node.
#[derive(Debug)]
pub(in crate::gateway) struct LiveStreams {
    current: Arc<ArcSwap<Current>>,
    open: Mutex<Open>,
    /// Tells the task to look again.
    look: Notify,
    /// When the task will look by itself; the end of time while it is looking, so that who comes meanwhile tells it.
    next_look: AtomicI64,
    going_away: AtomicBool,
}

#[derive(Debug, Default)]
struct Open {
    streams: HashMap<u64, Arc<OpenStream>>,
    last_number: u64,
    /// Whether the task runs.
    watched: bool,
}

/// A stream among the others, for as long as this lives.
#[derive(Debug)]
pub(super) struct Joined {
    streams: Arc<LiveStreams>,
    number: u64,
}

impl Drop for Joined {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.streams.remove(&self.number);
        if open.streams.is_empty() {
            self.streams.look.notify_one();
        }
    }
}

impl LiveStreams {
    /// None yet.
    pub(in crate::gateway) fn new(current: Arc<ArcSwap<Current>>) -> Arc<Self> {
        Arc::new(Self {
            current,
            open: Mutex::default(),
            look: Notify::new(),
            next_look: AtomicI64::new(i64::MAX),
            going_away: AtomicBool::new(false),
        })
    }

    /// How many are open.
    pub(in crate::gateway) fn count(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).streams.len()
    }

    /// From here on `stream` ends when its session does. Must be called from within a runtime.
    pub(super) fn join(self: &Arc<Self>, stream: &Arc<OpenStream>) -> Joined {
        let number = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.last_number += 1;
            let number = open.last_number;
            open.streams.insert(number, Arc::clone(stream));
            if !open.watched {
                open.watched = true;
                tokio::spawn(Arc::clone(self).watch());
            }
            number
        };
        if self.going_away.load(Ordering::SeqCst) {
            stream.end(StreamEnd::GoingAway);
        }
        // What happened before it joined nobody has looked at.
        let next = stream.look(self.current.load().parts.clock.now());
        if next.is_some_and(|at| at.0 < self.next_look.load(Ordering::SeqCst)) {
            self.look.notify_one();
        }
        Joined { streams: Arc::clone(self), number }
    }

    /// Ends all of them, and every one that joins later.
    pub(in crate::gateway) fn go_away(&self) {
        self.going_away.store(true, Ordering::SeqCst);
        for stream in self.all() {
            stream.end(StreamEnd::GoingAway);
        }
    }

    /// Looks for as long as there are any.
    async fn watch(self: Arc<Self>) {
        loop {
            // One and the same in every parts that a reload brings. Before the look: what comes during it is told.
            let current = self.current.load_full();
            let mut changes = current.parts.sessions.changes();
            self.next_look.store(i64::MAX, Ordering::SeqCst);
            let now = current.parts.clock.now();
            let next = self.all().iter().filter_map(|stream| stream.look(now)).min();
            if self.has_nothing_to_watch() {
                return;
            }
            let wait = next.map_or(LONGEST, |at| at.since(now).min(LONGEST));
            self.next_look.store(now.plus(wait).0, Ordering::SeqCst);
            tokio::select! {
                _ = changes.changed() => {}
                () = self.look.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
            tokio::time::sleep(APART).await;
        }
    }

    fn has_nothing_to_watch(&self) -> bool {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.watched = !open.streams.is_empty();
        !open.watched
    }

    /// Copied, so that nobody waits for the lock while they are looked at.
    fn all(&self) -> Vec<Arc<OpenStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).streams.values().cloned().collect()
    }
}
