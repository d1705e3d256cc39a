//! The system's clock behind the `Clock` port: the one place that reads the time of day. Floor: roof.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::UnixMillis;
use crate::login::ports::Clock;

/// The time of day of this machine.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter behind the Clock port")]
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
