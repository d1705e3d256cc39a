//! What is counted while the process runs: every family with its name, its meaning and its labels, once. There is one set a process, as there is one
//! log, and like a line of the log a figure decides nothing. Where they are read, and by whom, is the gateway's.
//!
//! Values of labels are words of this program and names of the configuration, never anything that came from outside: their number is bounded, and
//! none is a secret. Who counts often resolves a child once and keeps it: adding to it is an atomic, and nothing waits. Floor: ground.

mod family;

use std::sync::LazyLock;

use prometheus::{
    Gauge, GaugeVec, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};

pub use prometheus::{Histogram as SecondsHistogram, IntCounter as Counter};

use family::Families;

/// The media type of [`text`]: the text format of Prometheus, version 0.0.4.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All families.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    described: Vec<(String, String)>,
    pub requests: IntCounterVec,
    pub refusals: IntCounterVec,
    pub request_seconds: HistogramVec,
    pub own_seconds: HistogramVec,
    pub upstream_seconds: HistogramVec,
    pub connections: IntGauge,
    pub connections_refused: IntCounterVec,
    pub streams: IntGauge,
    pub streams_ended: IntCounterVec,
    pub sign_in_steps: IntCounterVec,
    pub codes_sent: IntCounterVec,
    pub codes_entered: IntCounterVec,
    pub sms_sends: IntCounterVec,
    pub sms_provider_resting: IntGaugeVec,
    pub sms_success_ratio: GaugeVec,
    pub sms_codes_judged: IntGaugeVec,
    pub sms_codes_entered: IntGaugeVec,
    pub sms_figures_at: Gauge,
    pub sms_cap_alarms: IntCounterVec,
    pub sms_cap_refusals: IntCounterVec,
    pub sms_prefixes_closed: IntGauge,
    pub hashing_waiting: IntGauge,
    pub hashing_refused: IntCounter,
    pub feed_age_seconds: Gauge,
    pub outside_failures: IntCounterVec,
    pub certificate_ends: IntGaugeVec,
    pub config_loaded_at: Gauge,
    pub config_reloads: IntCounterVec,
}

/// The set of this process.
#[must_use]
pub fn all() -> &'static Metrics {
    static ALL: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &ALL
}

/// Everything as it is, for Prometheus.
#[must_use]
pub fn text() -> String {
    let mut text = String::new();
    TextEncoder::new().encode_utf8(&all().registry.gather(), &mut text).expect("text takes every figure");
    text
}

/// Every family by name, with its meaning.
#[must_use]
pub fn described() -> &'static [(String, String)] {
    &all().described
}

impl Metrics {
    fn new() -> Self {
        // in seconds
        const OWN: &[f64] = &[0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];
        const WHOLE: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
        let mut of = Families::default();
        of.constant(
            "vestibule_build_info",
            "Always 1; the version is in the label.",
            "version",
            env!("CARGO_PKG_VERSION"),
        );
        Self {
            requests: of.counters(
                "vestibule_requests_total",
                "Requests that ended, by what was decided about them and the class of the status that was sent.",
                &["site", "decision", "status"],
            ),
            refusals: of.counters(
                "vestibule_refusals_total",
                "Requests that the gateway answered itself, or that failed, by the reason that the log has.",
                &["site", "reason"],
            ),
            request_seconds: of.histograms(
                "vestibule_request_duration_seconds",
                "From the head of a request to the end of its answer; without WebSockets and streams that were cut.",
                &["site", "decision"],
                WHOLE,
            ),
            own_seconds: of.histograms(
                "vestibule_own_duration_seconds",
                "The gateway's own part of the time until an application's answer began.",
                &["site"],
                OWN,
            ),
            upstream_seconds: of.histograms(
                "vestibule_upstream_duration_seconds",
                "The application's part: from the choice of a server to the head of its answer, with connecting and sending.",
                &["site"],
                WHOLE,
            ),
            connections: of.gauge("vestibule_connections", "Connections that are open, of all listeners."),
            connections_refused: of.counters(
                "vestibule_connections_refused_total",
                "Connections that were one too many: in_all or from_network.",
                &["reason"],
            ),
            streams: of.gauge("vestibule_streams", "Requests that have gone on for longer than a moment, WebSockets among them."),
            streams_ended: of.counters(
                "vestibule_streams_ended_total",
                "Requests that were cut while they went on, by the reason that the log has.",
                &["reason"],
            ),
            sign_in_steps: of.counters(
                "vestibule_sign_in_steps_total",
                "Steps of signing in, by what came of them.",
                &["step", "outcome"],
            ),
            codes_sent: of.counters(
                "vestibule_codes_sent_total",
                "Codes that were to be sent, by country of the number and what came of it.",
                &["country", "outcome"],
            ),
            codes_entered: of.counters(
                "vestibule_codes_entered_total",
                "Right codes, by country of the number.",
                &["country"],
            ),
            sms_sends: of.counters(
                "vestibule_sms_sends_total",
                "SMS that a provider was asked to send, by the class of its answer.",
                &["provider", "country", "answer"],
            ),
            sms_provider_resting: of.gauges(
                "vestibule_sms_provider_resting",
                "1 while a provider is left alone because it failed again and again, else 0.",
                &["provider"],
            ),
            sms_success_ratio: of.ratios(
                "vestibule_sms_success_ratio",
                "Codes of the last 24 hours that were entered, among those whose fate is known: as `sms stats` has it.",
                &["provider", "country"],
            ),
            sms_codes_judged: of.gauges(
                "vestibule_sms_codes_judged",
                "Codes of the last 24 hours whose fate is known, failures included.",
                &["provider", "country"],
            ),
            sms_codes_entered: of.gauges(
                "vestibule_sms_codes_entered",
                "Those among them that were entered.",
                &["provider", "country"],
            ),
            sms_figures_at: of.moment(
                "vestibule_sms_figures_timestamp_seconds",
                "When the figures of the last 24 hours and the resting providers were last read from the stores.",
            ),
            sms_cap_alarms: of.counters(
                "vestibule_sms_cap_alarms_total",
                "How often a cap of SMS filled to 50, 80 or 100 percent.",
                &["cap", "percent"],
            ),
            sms_cap_refusals: of.counters(
                "vestibule_sms_cap_refusals_total",
                "SMS that a cap refused, or would have refused where it only observes.",
                &["cap", "mode"],
            ),
            sms_prefixes_closed: of.gauge("vestibule_sms_prefixes_closed", "Number prefixes that newcomers get no codes at."),
            hashing_waiting: of.gauge("vestibule_hashing_waiting", "Passwords that wait for a hashing thread."),
            hashing_refused: of.counter(
                "vestibule_hashing_refused_total",
                "Passwords that were not looked at because too many were waiting.",
            ),
            feed_age_seconds: of.moment(
                "vestibule_revocation_feed_age_seconds",
                "Since the feed of ended sessions was last heard.",
            ),
            outside_failures: of.counters(
                "vestibule_outside_failures_total",
                "Calls that a part of the outside could not answer: sql, redis, hashing and others.",
                &["part"],
            ),
            certificate_ends: of.gauges(
                "vestibule_certificate_expiry_timestamp_seconds",
                "When the certificate in use ends, by its file.",
                &["file"],
            ),
            config_loaded_at: of.moment(
                "vestibule_config_loaded_timestamp_seconds",
                "When the configuration in force was loaded.",
            ),
            config_reloads: of.counters(
                "vestibule_config_reloads_total",
                "Reloads that were asked for: done or refused.",
                &["outcome"],
            ),
            described: of.described(),
            registry: of.registry(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_named_as_prometheus_names_them() {
        for (name, help) in described() {
            assert!(name.starts_with("vestibule_"), "{name}");
            assert!(help.ends_with('.') && !help.contains('\n'), "{name}: {help}");
        }
        let counted = all().requests.with_label_values(&["a\"b\\c", "signed_in", "2xx"]);
        counted.inc();
        let text = text();
        assert!(text.contains("# TYPE vestibule_requests_total counter\n"), "{text}");
        assert!(
            text.contains(r#"vestibule_requests_total{decision="signed_in",site="a\"b\\c",status="2xx"} 1"#),
            "{text}"
        );
    }

    #[test]
    fn every_family_is_explained_to_operators() {
        let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).unwrap();
        for (name, _) in described() {
            assert!(page.contains(&format!("`{name}")), "docs/metrics.md does not tell of {name}");
        }
        for told in page.split('`').filter(|word| word.starts_with("vestibule_")) {
            let name = told.split(['{', ' ']).next().unwrap();
            assert!(
                described().iter().any(|(known, _)| known == name),
                "docs/metrics.md tells of {name}, which there is none of"
            );
        }
    }
}
