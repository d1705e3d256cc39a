//! Counters of networks and number prefixes in this process: for one node, and for the demo. Gone with the process, and with it only
//! what design §5.1 lets Redis forget as well. Floor: edge.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::limits::{Charge, Rate, UnfinishedCaps};
use crate::domain::pending::LoginId;
use crate::domain::time::UnixMillis;
use crate::login::ports::{LimitKey, Limits, PortError, PortResult};

/// How long a login that was never completed counts (design §5.1: a day).
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Fewer counters than this are not worth looking through for those that are over. Our own figure.
const SWEEP_FROM: usize = 1024;

/// More counters than this are not kept: sign-in is refused rather than memory used up. Our own figure; about 100 MB.
const MOST_COUNTERS: usize = 1_000_000;

/// All counters of this process.
#[derive(Default)]
pub struct MemoryLimits {
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    windows: HashMap<LimitKey, Window>,
    logins: HashMap<LimitKey, HashMap<LoginId, UnixMillis>>,
    sweep_at: usize,
}

struct Window {
    charged: u32,
    ends_at: UnixMillis,
}

#[derive(Debug, thiserror::Error)]
#[error("more than {MOST_COUNTERS} networks are being counted")]
struct TooManyCounters;

impl MemoryLimits {
    fn counters(&self) -> MutexGuard<'_, Counters> {
        // a panic between two assignments below is not possible; if it were, a count would be off by one
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counters {
    fn make_room(&mut self, now: UnixMillis) -> PortResult<()> {
        let len = self.windows.len() + self.logins.len();
        if len >= self.sweep_at.max(SWEEP_FROM) {
            self.windows.retain(|_, window| now < window.ends_at);
            let day_ago = now.minus(DAY);
            for logins in self.logins.values_mut() {
                logins.retain(|_, begun_at| *begun_at > day_ago);
            }
            self.logins.retain(|_, logins| !logins.is_empty());
            self.sweep_at = (self.windows.len() + self.logins.len()).saturating_mul(2).min(MOST_COUNTERS);
        }
        if self.windows.len() + self.logins.len() >= MOST_COUNTERS {
            return Err(PortError::new("memory", TooManyCounters));
        }
        Ok(())
    }
}

#[async_trait]
impl Limits for MemoryLimits {
    async fn try_spend(&self, key: &LimitKey, rate: Rate, now: UnixMillis) -> PortResult<Charge> {
        let mut counters = self.counters();
        counters.make_room(now)?;
        let fresh_end = now.plus(rate.window);
        let window = counters.windows.entry(key.clone()).or_insert(Window { charged: 0, ends_at: fresh_end });
        if now >= window.ends_at {
            *window = Window { charged: 0, ends_at: fresh_end };
        }
        window.ends_at = window.ends_at.min(fresh_end); // the configured window became shorter, or the clock went back
        if window.charged >= rate.count {
            return Ok(Charge::Wait(window.ends_at.since(now)));
        }
        window.charged += 1;
        Ok(Charge::Granted)
    }

    async fn give_back(&self, key: &LimitKey) -> PortResult<()> {
        if let Some(window) = self.counters().windows.get_mut(key) {
            window.charged = window.charged.saturating_sub(1);
        }
        Ok(())
    }

    async fn begin_login(
        &self,
        key: &LimitKey,
        login: &LoginId,
        caps: UnfinishedCaps,
        now: UnixMillis,
    ) -> PortResult<Charge> {
        let mut counters = self.counters();
        counters.make_room(now)?;
        let logins = counters.logins.entry(key.clone()).or_default();
        logins.retain(|_, begun_at| *begun_at > now.minus(DAY));
        if logins.contains_key(login) {
            return Ok(Charge::Granted);
        }
        let settled_before = now.minus(caps.settle_after);
        let (settled, under_way): (Vec<UnixMillis>, Vec<UnixMillis>) =
            logins.values().partition(|begun_at| **begun_at <= settled_before);
        let full = wait_when_full(settled, caps.never_completed, DAY, now);
        if let Some(wait) = full.or_else(|| wait_when_full(under_way, caps.under_way, caps.settle_after, now)) {
            return Ok(Charge::Wait(wait));
        }
        logins.insert(*login, now);
        Ok(Charge::Granted)
    }

    async fn complete_login(&self, key: &LimitKey, login: &LoginId) -> PortResult<()> {
        if let Some(logins) = self.counters().logins.get_mut(key) {
            logins.remove(login);
        }
        Ok(())
    }
}

/// `None` while there are fewer than `cap`; else how long until enough of them have stayed for `stays`.
fn wait_when_full(mut begun: Vec<UnixMillis>, cap: u32, stays: Duration, now: UnixMillis) -> Option<Duration> {
    let beyond = begun.len().checked_sub(usize::try_from(cap).unwrap_or(usize::MAX))?;
    begun.sort_unstable();
    Some(begun.get(beyond).map_or(stays, |frees_one| frees_one.plus(stays).since(now)))
}

impl fmt::Debug for MemoryLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLimits").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::adapters::contract;

    #[tokio::test]
    async fn memory_keeps_the_contract_of_limits() {
        contract::limits(Arc::new(MemoryLimits::default())).await;
    }

    #[tokio::test]
    async fn counters_that_are_over_do_not_pile_up() {
        let limits = MemoryLimits::default();
        let rate = Rate { count: 1, window: Duration::from_secs(60) };
        for n in 0..20 * SWEEP_FROM {
            let now = UnixMillis(i64::try_from(n).unwrap() * 1000);
            assert_eq!(limits.try_spend(&LimitKey(n.to_string()), rate, now).await.unwrap(), Charge::Granted);
        }
        assert!(limits.counters().windows.len() <= 2 * SWEEP_FROM);
    }
}
