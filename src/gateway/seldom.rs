//! A line of the log that strangers can cause: it comes at most every few seconds, so that a flood of connections does not become one of lines.
//! Says nothing itself. Floor: edge.

use std::time::{Duration, Instant};

/// How far two lines are apart. Our own choice.
const APART: Duration = Duration::from_secs(5);

/// When the line was last said, and what happened since.
#[derive(Debug, Default)]
pub(super) struct Seldom {
    said_at: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    /// It happened once more; `Some` when it is to be said, with how often it happened since the last time, this one included.
    pub(super) fn happened(&mut self) -> Option<u64> {
        self.unsaid += 1;
        if self.said_at.is_some_and(|at| at.elapsed() < APART) {
            return None;
        }
        self.said_at = Some(Instant::now());
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_and_the_others_are_counted_until_it_is_time() {
        let mut seldom = Seldom::default();
        assert_eq!(seldom.happened(), Some(1));
        assert_eq!((seldom.happened(), seldom.happened()), (None, None));
        seldom.said_at = Instant::now().checked_sub(APART);
        assert_eq!(seldom.happened(), Some(3));
        assert_eq!(seldom.happened(), None);
    }
}
