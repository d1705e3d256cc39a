//! A moment in time as the rest of the house passes it around. Reads no clock. Floor: ground.

use std::fmt;
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds. Never negative in practice; a clock set before 1970 reads as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// `self` later by `duration`; saturates at the end of time.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// `self` earlier by `duration`; saturates.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2026-11-24 09:30 UTC`: for people, and read alike in every language.
    #[must_use]
    pub fn to_the_minute(self) -> String {
        let text = self.to_string();
        match (text.get(..10), text.get(11..16)) {
            (Some(day), Some(minute)) => format!("{day} {minute} UTC"),
            (Some(_) | None, _) => text,
        }
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(::time::Date);

impl Day {
    /// From `2026-11-24`; `None` for anything else, and for days that there are not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let form = ::time::macros::format_description!("[year]-[month]-[day]");
        ::time::Date::parse(text, form).ok().map(Self)
    }

    /// When it begins in UTC.
    #[must_use]
    pub fn begins(self) -> UnixMillis {
        UnixMillis(self.0.midnight().assume_utc().unix_timestamp().saturating_mul(1000))
    }

    /// Year, month from 1 and day of the month from 1.
    #[must_use]
    pub fn parts(self) -> (i32, u8, u8) {
        (self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

/// `2026-11-24T09:30:00.250Z`: RFC 3339 in UTC.
impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match ::time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000) {
            Ok(at) => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                at.year(),
                u8::from(at.month()),
                at.day(),
                at.hour(),
                at.minute(),
                at.second(),
                at.millisecond()
            ),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// A span as operators type it: a count and `m`, `h` or `d`, such as `90m`, `24h` or `7d`. `None` for anything else.
#[must_use]
pub fn span(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    };
    let count: u32 = text.strip_suffix(unit)?.parse().ok()?;
    Some(Duration::from_secs(u64::from(count) * seconds))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_people_to_the_minute() {
        assert_eq!(UnixMillis(1_795_512_659_999).to_the_minute(), "2026-11-24 09:30 UTC");
    }

    #[test]
    fn a_moment_shows_itself_in_utc() {
        assert_eq!(UnixMillis(1_795_512_600_250).to_string(), "2026-11-24T09:30:00.250Z");
    }

    #[test]
    fn a_day_is_read_from_its_one_form_and_begins_at_midnight() {
        let day = Day::parse("2026-11-24").unwrap();
        assert_eq!((day.parts(), day.begins().to_string().as_str()), ((2026, 11, 24), "2026-11-24T00:00:00.000Z"));
        for wrong in ["2026-02-30", "24-11-2026", "2026-11-24T00:00", "2026-1-4", ""] {
            assert_eq!(Day::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_span_says_its_unit() {
        for (text, seconds) in [("90m", 90 * 60), ("24h", 24 * 3600), ("7d", 7 * 24 * 3600), ("0m", 0)] {
            assert_eq!(span(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "d", "7", "-1h", "1w", "1h30m", "4294967296d", "7é"] {
            assert_eq!(span(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn time_that_runs_backwards_is_no_time() {
        assert_eq!(UnixMillis(5).since(UnixMillis(9)), Duration::ZERO);
        assert_eq!(UnixMillis(9).since(UnixMillis(5)), Duration::from_millis(4));
    }
}
