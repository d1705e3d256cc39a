//! Remembers that Redis does not answer, so that nobody waits for it in vain: after three failures in a row it is asked once a second, and
//! all others are told at once. Knows no Redis. Floor: edge.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row that open it. Our own figure: fewer would make one lost packet an outage.
const FAILURES: u32 = 3;

/// Between two probes while it is open (security X5: one a second).
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Closed at first.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Open, and not asked again before then.
    next_probe: Option<Instant>,
}

impl Breaker {
    /// Whether an operation may be tried at `now`. While open, one a second is: the probe.
    pub(super) fn admits(&self, now: Instant) -> bool {
        let mut state = self.state();
        match state.next_probe {
            None => true,
            Some(at) if now < at => false,
            Some(_) => {
                state.next_probe = Some(now + PROBE_EVERY);
                true
            }
        }
    }

    /// It answered, with success or with an error of its own.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        let was_open = state.next_probe.is_some();
        *state = State::default();
        drop(state);
        if was_open {
            tracing::info!("Redis answers again: sign-in is open");
        }
    }

    /// It did not answer.
    pub(super) fn failed(&self, now: Instant) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        let opens = state.failures >= FAILURES && state.next_probe.is_none();
        if opens {
            state.next_probe = Some(now + PROBE_EVERY);
        }
        drop(state);
        if opens {
            tracing::error!("Redis does not answer: sign-in is closed until it does; sessions go on");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner) // every state is a good one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn three_failures_open_it_and_one_answer_closes_it() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            assert!(breaker.admits(now));
            breaker.failed(now);
        }
        assert!(!breaker.admits(now));
        assert!(!breaker.admits(now + Duration::from_millis(999)));
        let later = now + PROBE_EVERY;
        assert!(breaker.admits(later), "one probe");
        assert!(!breaker.admits(later), "and no second one");
        breaker.failed(later);
        assert!(!breaker.admits(later + Duration::from_millis(999)));
        assert!(breaker.admits(later + PROBE_EVERY));
        breaker.answered();
        assert!(breaker.admits(later) && breaker.admits(later));
    }

    #[tokio::test(start_paused = true)]
    async fn failures_that_do_not_follow_each_other_open_nothing() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..9 {
            breaker.failed(now);
            breaker.failed(now);
            breaker.answered();
        }
        assert!(breaker.admits(now));
    }
}
