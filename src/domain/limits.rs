//! The figures that cap guessing and sending, as plain values. The configuration fills them; the stores enforce them. Floor: ground.

use std::time::Duration;

/// So many in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub window: Duration,
}

/// What a charge against a limit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Charge {
    /// Counted; go on.
    Granted,
    /// Not counted; asking again makes sense after this long.
    Wait(Duration),
}

/// How codes may be guessed. SQL counts them, so that losing Redis gives no further guess.
#[derive(Clone, Copy, Debug)]
pub struct CodeAttemptCaps {
    /// Guesses a login (security A6; OWASP ASVS 5.0 6.6.3). Our own figure: 5.
    pub per_login: u32,
    /// Guesses an account in an hour, over all logins. Our own figure: 10.
    pub per_hour: u32,
    /// Wrong guesses in a row after which an operator has to unlock (NIST SP 800-63B-4 §3.2.2 allows at most 100).
    pub in_a_row: u32,
    /// Wrong guesses in 30 days, successes notwithstanding, after which an operator has to unlock.
    pub per_30_days: u32,
}

/// How passwords may be guessed (NIST SP 800-63B-4 §3.2.2: "30 seconds up to an hour", at most 100 in a row).
#[derive(Clone, Copy, Debug)]
pub struct PasswordAttemptCaps {
    /// Failures in a row that cost no wait.
    pub free: u32,
    /// The first wait; it doubles with each further failure.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// Failures in a row after which an operator has to unlock.
    pub in_a_row: u32,
}

impl PasswordAttemptCaps {
    /// How long to wait after the `failures`-th failure in a row.
    #[must_use]
    pub fn wait_after(&self, failures: u32) -> Duration {
        let Some(beyond) = failures.checked_sub(self.free).filter(|beyond| *beyond > 0) else {
            return Duration::ZERO;
        };
        let doublings = (beyond - 1).min(31);
        self.first_wait.saturating_mul(1_u32 << doublings).min(self.longest_wait)
    }
}

/// How many SMS may be sent. SQL counts them.
#[derive(Clone, Copy, Debug)]
pub struct SendCaps {
    /// A login, the first one included.
    pub per_login: u32,
    /// An account and a number, each, in 30 minutes.
    pub per_half_hour: u32,
    /// An account and a number, each, in 24 hours.
    pub per_day: u32,
    /// Everybody together in a minute.
    pub total_per_minute: u32,
    /// Everybody together in 24 hours.
    pub total_per_day: u32,
    /// The share of both totals that newcomers cannot use up.
    pub reserve_percent: u32,
    /// To newcomers whose numbers share their first seven digits.
    pub prefix_per_ten_minutes: u32,
    /// The same in 24 hours.
    pub prefix_per_day: u32,
    /// To newcomers whose numbers share their dial code, in 24 hours.
    pub dial_code_per_day: u32,
    pub conversion: ConversionRule,
    pub guard: GuardMode,
}

#[cfg(test)]
impl SendCaps {
    /// For tests: the figures of a login, an account and a number are the defaults, all others are out of the way.
    pub(crate) const ROOMY: Self = Self {
        per_login: 4,
        per_half_hour: 5,
        per_day: 10,
        total_per_minute: 1000,
        total_per_day: 1000,
        reserve_percent: 0,
        prefix_per_ten_minutes: 1000,
        prefix_per_day: 1000,
        dial_code_per_day: 1000,
        conversion: ConversionRule { least_judged: 100, least_percent: 10, block: Duration::from_secs(12 * 3600) },
        guard: GuardMode::Enforce,
    };
}

/// When the codes to newcomers with a number prefix are so rarely entered that it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversionRule {
    /// Fewer codes in 24 hours say nothing.
    pub least_judged: u32,
    /// A smaller share of entered codes closes the prefix.
    pub least_percent: u32,
    /// For so long.
    pub block: Duration,
}

/// What is done about messages to newcomers that go beyond their caps. The totals, and the caps of an account and a number, hold in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardMode {
    /// They are not sent.
    Enforce,
    /// They are reported, and sent.
    Observe,
}

/// Logins that had a code sent and were not completed.
#[derive(Clone, Copy, Debug)]
pub struct UnfinishedCaps {
    /// A login older than this counts as never completed.
    pub settle_after: Duration,
    /// Never completed in 24 hours.
    pub never_completed: u32,
    /// Younger than `settle_after` and not completed yet.
    pub under_way: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_the_fifth_failure_up_to_an_hour() {
        let caps = PasswordAttemptCaps {
            free: 4,
            first_wait: Duration::from_secs(30),
            longest_wait: Duration::from_secs(3600),
            in_a_row: 100,
        };
        let seconds: Vec<u64> = (1..=12).map(|n| caps.wait_after(n).as_secs()).collect();
        assert_eq!(seconds, [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600]);
        assert_eq!(caps.wait_after(u32::MAX).as_secs(), 3600);
    }
}
