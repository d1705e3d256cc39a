//! What keeps strangers from running up a bill: caps on everybody's messages and on those to newcomers, what is said when they fill up, and when a
//! number prefix is closed because its codes are not entered. Pure: counts are handed in, by whoever holds them still meanwhile. Floor: login.
//!
//! Who has signed in before is counted in the total alone: no attack on the other caps, which fall on newcomers, locks anybody out who works here.

use std::time::Duration;

use crate::domain::limits::{ConversionRule, GuardMode, SendCaps};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// One SMS of a day in so many may be a notice. Our own figure.
const NOTICES_ONE_IN: u32 = 10;
/// The shares of a cap at which somebody is told.
const ALARMS_PERCENT: [u32; 3] = [100, 80, 50];

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// An account that has signed in before, at the number that is on it.
    Known,
    /// An account that never signed in, or a number that is being put on one: it may be anybody's.
    Newcomer,
}

/// Whose messages are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    Total,
    /// All newcomers': the total without the reserve.
    Newcomers,
    /// Newcomers' with the first seven digits of this number.
    Prefix,
    /// Newcomers' with the dial code of this number.
    DialCode,
}

/// So many messages in a scope and a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    pub scope: Scope,
    pub window: Duration,
    pub most: u32,
    pub mode: GuardMode,
}

impl Cap {
    /// What logs and the audit trail call it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (self.scope, self.window > MINUTE, self.window >= DAY) {
            (Scope::Total, false, _) => "total_minute",
            (Scope::Total, true, _) => "total_day",
            (Scope::Newcomers, false, _) => "newcomers_minute",
            (Scope::Newcomers, true, _) => "newcomers_day",
            (Scope::Prefix, _, false) => "prefix_10m",
            (Scope::Prefix, _, true) => "prefix_day",
            (Scope::DialCode, ..) => "dial_code_day",
        }
    }

    /// Whether there is no room for one more beside those `counted`.
    #[must_use]
    pub fn is_full(&self, counted: u32) -> bool {
        counted >= self.most
    }

    /// The highest share, in percent, that one more beside those `counted` reaches; `None` when it reaches none.
    #[must_use]
    pub fn alarm(&self, counted: u32) -> Option<u32> {
        let (before, after, most) = (u64::from(counted) * 100, (u64::from(counted) + 1) * 100, u64::from(self.most));
        ALARMS_PERCENT.into_iter().find(|percent| {
            let share = u64::from(*percent) * most;
            before < share && share <= after
        })
    }
}

/// The caps that a message falls under.
#[must_use]
pub fn caps_for(caps: &SendCaps, recipient: Recipient) -> Vec<Cap> {
    let enforced = |scope, window, most| Cap { scope, window, most, mode: GuardMode::Enforce };
    let guarded = |scope, window, most| Cap { scope, window, most, mode: caps.guard };
    let without_reserve = |most| without_reserve(caps, most);
    let mut list =
        vec![enforced(Scope::Total, MINUTE, caps.total_per_minute), enforced(Scope::Total, DAY, caps.total_per_day)];
    match recipient {
        Recipient::Known => {}
        Recipient::Newcomer => list.extend([
            guarded(Scope::Newcomers, MINUTE, without_reserve(caps.total_per_minute)),
            guarded(Scope::Newcomers, DAY, without_reserve(caps.total_per_day)),
            guarded(Scope::Prefix, 10 * MINUTE, caps.prefix_per_ten_minutes),
            guarded(Scope::Prefix, DAY, caps.prefix_per_day),
            guarded(Scope::DialCode, DAY, caps.dial_code_per_day),
        ]),
    }
    list
}

/// How many SMS of each kind there may be for one more notice to be sent. Notices hold no code and nobody waits for one: they never take of the
/// reserve, and all of them together have a share of a day that leaves the rest to codes, so that no number of changes locks anybody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoticeCaps {
    /// Of any kind, to everybody.
    pub total_minute: u32,
    pub total_day: u32,
    /// Notices.
    pub notices_day: u32,
    /// Notices to one number.
    pub number_day: u32,
}

/// The caps that a notice falls under.
#[must_use]
pub fn caps_for_notices(caps: &SendCaps) -> NoticeCaps {
    NoticeCaps {
        total_minute: without_reserve(caps, caps.total_per_minute),
        total_day: without_reserve(caps, caps.total_per_day),
        notices_day: (caps.total_per_day / NOTICES_ONE_IN).max(1),
        number_day: caps.per_day,
    }
}

fn without_reserve(caps: &SendCaps, most: u32) -> u32 {
    let reserve = u64::from(most) * u64::from(caps.reserve_percent.min(100)) / 100;
    most.saturating_sub(u32::try_from(reserve).unwrap_or(u32::MAX))
}

/// Whether so few of the codes to newcomers with a number prefix were entered that somebody else must be after the messages.
#[must_use]
pub fn is_pumped(rule: &ConversionRule, judged: u32, entered: u32) -> bool {
    judged >= rule.least_judged && u64::from(entered) * 100 < u64::from(rule.least_percent) * u64::from(judged)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPS: SendCaps = SendCaps {
        per_login: 4,
        per_half_hour: 5,
        per_day: 10,
        total_per_minute: 60,
        total_per_day: 5000,
        reserve_percent: 20,
        prefix_per_ten_minutes: 30,
        prefix_per_day: 100,
        dial_code_per_day: 1000,
        conversion: ConversionRule { least_judged: 20, least_percent: 10, block: Duration::from_secs(12 * 3600) },
        guard: GuardMode::Enforce,
    };

    fn named(caps: &SendCaps, recipient: Recipient) -> Vec<(&'static str, u32)> {
        caps_for(caps, recipient).iter().map(|cap| (cap.name(), cap.most)).collect()
    }

    #[test]
    fn who_has_signed_in_before_falls_under_the_total_alone() {
        assert_eq!(named(&CAPS, Recipient::Known), [("total_minute", 60), ("total_day", 5000)]);
        assert_eq!(
            named(&CAPS, Recipient::Newcomer),
            [
                ("total_minute", 60),
                ("total_day", 5000),
                ("newcomers_minute", 48),
                ("newcomers_day", 4000),
                ("prefix_10m", 30),
                ("prefix_day", 100),
                ("dial_code_day", 1000),
            ]
        );
        let tiny = SendCaps { total_per_minute: 1, ..CAPS };
        assert!(
            named(&tiny, Recipient::Newcomer).contains(&("newcomers_minute", 1)),
            "a reserve of less than one is none"
        );
    }

    #[test]
    fn notices_leave_the_reserve_and_most_of_a_day_to_codes() {
        let of = |caps| {
            let NoticeCaps { total_minute, total_day, notices_day, number_day } = caps_for_notices(&caps);
            (total_minute, total_day, notices_day, number_day)
        };
        assert_eq!(of(CAPS), (48, 4000, 500, 10));
        assert_eq!(of(SendCaps { total_per_minute: 1, total_per_day: 3, ..CAPS }), (1, 3, 1, 10));
    }

    #[test]
    fn observing_leaves_the_total_in_force() {
        let observed = SendCaps { guard: GuardMode::Observe, ..CAPS };
        for cap in caps_for(&observed, Recipient::Newcomer) {
            assert_eq!(cap.mode == GuardMode::Enforce, cap.scope == Scope::Total, "{cap:?}");
        }
    }

    #[test]
    fn each_share_is_told_once_on_the_way_up() {
        let told = |most| {
            let cap = Cap { scope: Scope::Total, window: DAY, most, mode: GuardMode::Enforce };
            (0..most + 3)
                .filter_map(|counted| cap.alarm(counted).map(|percent| (counted + 1, percent)))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(100), [(50, 50), (80, 80), (100, 100)]);
        assert_eq!(told(7), [(4, 50), (6, 80), (7, 100)]);
        assert_eq!(told(1), [(1, 100)]);
        assert_eq!(told(0), []);
        let cap = Cap { scope: Scope::Total, window: DAY, most: 2, mode: GuardMode::Enforce };
        assert_eq!([0, 1, 2].map(|counted| cap.is_full(counted)), [false, false, true]);
    }

    #[test]
    fn a_prefix_whose_codes_are_not_entered_is_pumped() {
        let rule = CAPS.conversion;
        assert!(!is_pumped(&rule, 19, 0), "too few to judge by");
        assert!(is_pumped(&rule, 20, 0) && is_pumped(&rule, 20, 1));
        assert!(!is_pumped(&rule, 20, 2) && !is_pumped(&rule, 1000, 100));
    }
}
