//! Which SMS providers rest, in this process: for one node, and for the demo. Gone with the process, and then all are asked again. Floor: edge.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::domain::time::UnixMillis;
use crate::login::ports::PortResult;
use crate::login::sending::ports::{ProviderBreakers, RestRules};

/// One entry a provider of the configuration that fails.
#[derive(Debug, Default)]
pub struct MemoryProviderBreakers(Mutex<HashMap<String, Failures>>);

#[derive(Debug)]
struct Failures {
    count: u32,
    counted_until: UnixMillis,
    rests_until: Option<UnixMillis>,
}

impl MemoryProviderBreakers {
    fn failures(&self) -> MutexGuard<'_, HashMap<String, Failures>> {
        // a panic between two assignments below is not possible; if it were, a provider would rest too soon
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ProviderBreakers for MemoryProviderBreakers {
    async fn rests(&self, provider: &str, now: UnixMillis) -> PortResult<bool> {
        Ok(self.failures().get(provider).and_then(|failures| failures.rests_until).is_some_and(|until| now < until))
    }

    async fn failed(&self, provider: &str, rules: &RestRules, now: UnixMillis) -> PortResult<bool> {
        let mut failures = self.failures();
        let failures =
            failures.entry(provider.to_owned()).or_insert(Failures { count: 0, counted_until: now, rests_until: None });
        if failures.rests_until.is_some_and(|until| now < until) {
            return Ok(false);
        }
        if now >= failures.counted_until {
            *failures = Failures { count: 0, counted_until: now.plus(rules.within), rests_until: None };
        }
        failures.count += 1;
        if failures.count < rules.failures {
            return Ok(false);
        }
        let until = now.plus(rules.rest);
        *failures = Failures {
            count: rules.failures.saturating_sub(1),
            counted_until: until.plus(rules.within),
            rests_until: Some(until),
        };
        Ok(true)
    }

    async fn answered(&self, provider: &str) -> PortResult<bool> {
        Ok(self.failures().remove(provider).is_some_and(|failures| failures.rests_until.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::adapters::contract_of_breakers;

    #[tokio::test]
    async fn memory_keeps_the_contract_of_provider_breakers() {
        contract_of_breakers::provider_breakers(Arc::new(MemoryProviderBreakers::default())).await;
    }
}
