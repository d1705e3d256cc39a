//! What requests meet: a server that takes no connection, or lets several requests in a row without an answer, is left alone for a
//! while, longer each time. What the application answers does not count, whatever its status. Pure but for atomics; reads no clock.
//! Floor: edge.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The first rest. Our own choice: a server that is being started again is back in about this time.
const FIRST: Duration = Duration::from_secs(2);
/// The longest. Our own choice: what is back is used within a minute, and what is not costs a request a minute.
const LONGEST: Duration = Duration::from_secs(60);
/// Requests in a row without an answer that begin a rest: a single slow page says nothing about a server. Our own choice.
const UNANSWERED: u32 = 3;

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incident {
    /// No connection: nothing was sent.
    NoConnection,
    /// No answer, or none that is HTTP.
    NoAnswer,
}

/// How one server stands. Times are milliseconds since some moment that is the caller's.
#[derive(Debug, Default)]
pub(super) struct Rest {
    until: AtomicU64,
    /// While one request tries a server that has rested, the others stay away.
    trial_until: AtomicU64,
    /// Rests since the last answer.
    rests: AtomicU32,
    /// Requests without an answer since the last answer.
    unanswered: AtomicU32,
}

impl Rest {
    /// Whether the server should be left alone.
    pub(super) fn lasts(&self, now: u64) -> bool {
        let on_trial = || self.rests.load(Ordering::Relaxed) > 0 && self.trial_until.load(Ordering::Relaxed) > now;
        self.until.load(Ordering::Relaxed) > now || on_trial()
    }

    /// A request goes to the server: if it has rested, it is on trial for as long as connecting may take.
    pub(super) fn tried(&self, now: u64, trial: Duration) {
        if self.rests.load(Ordering::Relaxed) > 0 {
            self.trial_until.store(now + millis(trial), Ordering::Relaxed);
        }
    }

    /// Takes note of an incident; how long the rest is that begins with it, if one does.
    pub(super) fn failed(&self, incident: Incident, now: u64) -> Option<Duration> {
        if self.until.load(Ordering::Relaxed) > now {
            // The others that were under way when it began.
            return None;
        }
        let rests = self.rests.load(Ordering::Relaxed);
        let begins = match incident {
            Incident::NoConnection => true,
            Incident::NoAnswer => self.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= UNANSWERED || rests > 0,
        };
        if !begins {
            return None;
        }
        let rest = FIRST.saturating_mul(1_u32.checked_shl(rests).unwrap_or(u32::MAX)).min(LONGEST);
        self.until.store(now + millis(rest), Ordering::Relaxed);
        self.rests.store(rests.saturating_add(1).min(31), Ordering::Relaxed);
        Some(rest)
    }

    /// An answer came. Whether it ends a time of rests. One that comes during a rest was under way before it, and says nothing.
    pub(super) fn answered(&self, now: u64) -> bool {
        let rests = self.rests.load(Ordering::Relaxed);
        if (rests == 0 && self.unanswered.load(Ordering::Relaxed) == 0) || self.until.load(Ordering::Relaxed) > now {
            return false;
        }
        self.unanswered.store(0, Ordering::Relaxed);
        self.rests.swap(0, Ordering::Relaxed) > 0
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_until_an_answer_comes() {
        let rest = Rest::default();
        let mut now = 0;
        let mut lengths = Vec::new();
        for _ in 0..8 {
            assert!(!rest.lasts(now));
            let length = rest.failed(Incident::NoConnection, now).unwrap();
            lengths.push(length.as_secs());
            assert!(rest.lasts(now) && rest.lasts(now + millis(length) - 1));
            now += millis(length);
        }
        assert_eq!(lengths, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(rest.answered(now));
        assert!(!rest.answered(now), "said once");
        assert_eq!(rest.failed(Incident::NoConnection, now), Some(FIRST));
    }

    #[test]
    fn what_was_under_way_when_a_rest_began_neither_prolongs_nor_ends_it() {
        let rest = Rest::default();
        rest.failed(Incident::NoConnection, 0).unwrap();
        assert_eq!(rest.failed(Incident::NoConnection, 1), None);
        assert_eq!(rest.failed(Incident::NoAnswer, 1), None);
        assert!(!rest.answered(2));
        assert!(rest.lasts(3));
        assert_eq!(rest.failed(Incident::NoConnection, 2000), Some(2 * FIRST));
    }

    #[test]
    fn one_slow_page_is_no_reason_and_three_in_a_row_are() {
        let rest = Rest::default();
        for _ in 0..5 {
            assert_eq!(rest.failed(Incident::NoAnswer, 0), None);
            assert_eq!(rest.failed(Incident::NoAnswer, 0), None);
            assert!(!rest.answered(0));
        }
        assert_eq!(rest.failed(Incident::NoAnswer, 0), None);
        assert_eq!(rest.failed(Incident::NoAnswer, 0), None);
        assert_eq!(rest.failed(Incident::NoAnswer, 0), Some(FIRST));
        assert_eq!(rest.failed(Incident::NoAnswer, 2000), Some(2 * FIRST), "after a rest one is enough");
    }

    #[test]
    fn after_a_rest_one_request_tries_while_the_others_stay_away() {
        let rest = Rest::default();
        rest.tried(0, Duration::from_secs(3));
        assert!(!rest.lasts(0), "a server that is well is not on trial");
        rest.failed(Incident::NoConnection, 0).unwrap();
        assert!(!rest.lasts(2000));
        rest.tried(2000, Duration::from_secs(3));
        assert!(rest.lasts(2001) && rest.lasts(4999));
        assert!(!rest.lasts(5000), "when the trial says nothing, another may");
        rest.tried(5000, Duration::from_secs(3));
        assert!(rest.answered(5001));
        assert!(!rest.lasts(5001));
    }
}
