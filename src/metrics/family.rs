//! Making families and registering them. A name or a label that the library refuses is a mistake of ours, found by the first test that counts.
//! Floor: ground.

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Why a family can be made and registered.
const NAMES_ARE_OURS: &str = "names and labels are fixed and well formed";

/// The families so far.
#[derive(Debug, Default)]
pub(super) struct Families {
    registry: Registry,
    described: Vec<(String, String)>,
}

impl Families {
    pub(super) fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// Names and meanings.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        self.described.clone()
    }

    pub(super) fn counter(&mut self, name: &str, help: &str) -> IntCounter {
        self.keep(name, help, IntCounter::new(name, help))
    }

    pub(super) fn counters(&mut self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.keep(name, help, IntCounterVec::new(Opts::new(name, help), labels))
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str) -> IntGauge {
        self.keep(name, help, IntGauge::new(name, help))
    }

    pub(super) fn gauges(&mut self, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
        self.keep(name, help, IntGaugeVec::new(Opts::new(name, help), labels))
    }

    /// A share between 0 and 1.
    pub(super) fn ratios(&mut self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.keep(name, help, GaugeVec::new(Opts::new(name, help), labels))
    }

    /// Seconds, with their fractions.
    pub(super) fn moment(&mut self, name: &str, help: &str) -> Gauge {
        self.keep(name, help, Gauge::new(name, help))
    }

    /// `buckets` in seconds.
    pub(super) fn histograms(&mut self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> HistogramVec {
        self.keep(name, help, HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels))
    }

    /// Always 1.
    pub(super) fn constant(&mut self, name: &str, help: &str, label: &str, value: &str) {
        self.gauges(name, help, &[label]).with_label_values(&[value]).set(1);
    }

    fn keep<C: Collector + Clone + 'static>(&mut self, name: &str, help: &str, made: prometheus::Result<C>) -> C {
        let family = made.expect(NAMES_ARE_OURS);
        self.registry.register(Box::new(family.clone())).expect(NAMES_ARE_OURS);
        self.described.push((name.to_owned(), help.to_owned()));
        family
    }
}
