//! Figures that nothing counts by itself: how providers fared lately and which of them rest, read from the stores again and again, and when the
//! configuration was loaded. A store that does not answer leaves them as they were, which their time shows. Floor: roof.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::rooms::Rooms;
use crate::adapters::sql::SqlLedger;
use crate::config::Config;
use crate::domain::time::UnixMillis;
use crate::login::chain;
use crate::login::ports::{Clock, PortResult};
use crate::login::sending::ports::ProviderBreakers;
use crate::login::sending::reports::{SmsReports as _, SmsStats};
use crate::metrics;

/// Our own choice: somewhat more often than Prometheus usually reads, so that stores are asked no more often, whoever reads.
const EVERY: Duration = Duration::from_secs(10);
/// In which a success rate is told: as `sms stats` does.
const LATELY: Duration = Duration::from_secs(24 * 3600);

/// Where the figures of SMS are read.
pub(super) struct SmsFigures(ArcSwap<Sources>);

struct Sources {
    ledger: Arc<SqlLedger>,
    breakers: Arc<dyn ProviderBreakers>,
    clock: Arc<dyn Clock>,
    providers: Vec<String>,
}

impl SmsFigures {
    pub(super) fn of(rooms: &Rooms, config: &Config) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(Sources::of(rooms, config))))
    }

    /// What a reload brought.
    pub(super) fn replace(&self, rooms: &Rooms, config: &Config) {
        self.0.store(Arc::new(Sources::of(rooms, config)));
    }

    /// Goes on reading until the process ends. Stores that do not answer are said once, and again when they do.
    pub(super) async fn follow(self: Arc<Self>) {
        let mut silent = false;
        loop {
            let sources = self.0.load_full();
            match sources.read().await {
                Ok(()) if silent => {
                    silent = false;
                    tracing::info!("the figures of SMS for metrics can be read again");
                }
                Ok(()) => {}
                Err(error) if !silent => {
                    silent = true;
                    tracing::warn!(
                        cause = chain(&error),
                        "the figures of SMS for metrics cannot be read; they stay as they were"
                    );
                }
                Err(_) => {}
            }
            tokio::time::sleep(EVERY).await;
        }
    }
}

impl Sources {
    fn of(rooms: &Rooms, config: &Config) -> Self {
        Self {
            ledger: Arc::clone(&rooms.ledger),
            breakers: Arc::clone(&rooms.stores.breakers),
            clock: Arc::clone(&rooms.stores.clock),
            providers: config.sms.providers.iter().map(|provider| provider.name().to_owned()).collect(),
        }
    }

    async fn read(&self) -> PortResult<()> {
        let now = self.clock.now();
        let stats = self.ledger.stats(now.minus(LATELY), now).await?;
        let mut resting = HashMap::new();
        for provider in &self.providers {
            resting.insert(provider.as_str(), self.breakers.rests(provider, now).await?);
        }
        tell(&stats, &resting, now);
        Ok(())
    }
}

fn tell(stats: &SmsStats, resting: &HashMap<&str, bool>, now: UnixMillis) {
    let figures = metrics::all();
    // whom the configuration names no more, and what is longer ago, is gone from here too
    figures.sms_provider_resting.reset();
    for (provider, rests) in resting {
        figures.sms_provider_resting.with_label_values(&[*provider]).set(i64::from(*rests));
    }
    figures.sms_success_ratio.reset();
    figures.sms_codes_judged.reset();
    figures.sms_codes_entered.reset();
    for of in &stats.providers {
        let labels = [of.provider.as_str(), of.country.as_str()];
        figures.sms_codes_judged.with_label_values(&labels).set(i64::from(of.judged));
        figures.sms_codes_entered.with_label_values(&labels).set(i64::from(of.entered));
        if of.judged > 0 {
            let ratio = f64::from(of.entered) / f64::from(of.judged);
            figures.sms_success_ratio.with_label_values(&labels).set(ratio);
        }
    }
    figures.sms_prefixes_closed.set(i64::try_from(stats.blocks.len()).unwrap_or(i64::MAX));
    figures.sms_figures_at.set(seconds(now));
}

/// Another configuration is in force.
pub(super) fn config_loaded(now: UnixMillis) {
    metrics::all().config_loaded_at.set(seconds(now));
}

/// A reload was asked for.
pub(super) fn reloaded(outcome: &'static str) {
    metrics::all().config_reloads.with_label_values(&[outcome]).inc();
}

fn seconds(at: UnixMillis) -> f64 {
    Duration::from_millis(u64::try_from(at.0).unwrap_or_default()).as_secs_f64()
}
