//! `/metrics`: what a scraper gets after people have signed in, read with the parser of the Prometheus project, and who gets nothing.

use crate::harness::children::{free_port, run};
use crate::harness::gateway::installed;
use crate::harness::person::{Answer, Person};
use crate::harness::sms_vendor::Behaviour;
use crate::harness::stack::{Plan, Stack};
use crate::harness::steps::not_this;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

const TOKEN: &str = "spring-tide-at-noon";
const ANNA: &str = "+32470111222";

/// A stack with a place for operators, where the figures are.
struct Counting {
    stack: Stack,
    port: u16,
}

impl Counting {
    fn of(plan: Plan) -> Self {
        let port = free_port();
        let admin = json!({ "listen": format!("127.0.0.1:{port}"), "url": format!("http://localhost:{port}") });
        Self { stack: plan.set("admin", admin).start(), port }
    }

    /// Somebody without a cookie who asks for the operators' address by this name.
    fn scraper(&self, name: &str) -> Person {
        Person::new(&format!("http://{name}:{}", self.port), self.port, self.stack.evidence().clone())
    }

    async fn scrape(&self) -> Figures {
        Figures::read(self.scraper("127.0.0.1").open("/metrics").await.expect(200))
    }

    /// Scrapes until a line is there, and then once more whole.
    async fn scrape_until(&self, line: &str) -> Figures {
        let scraper = self.scraper("127.0.0.1");
        scraper.open_until("/metrics", |answer| answer.text().lines().any(|told| told == line)).await;
        self.scrape().await
    }
}

/// Families by name.
#[derive(Debug)]
struct Figures(BTreeMap<String, Value>);

impl Figures {
    fn read(answer: Answer) -> Self {
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        let mut command = Command::new(installed("prometheus/bin/python"));
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/blackbox/metrics/read.py"));
        let families: Vec<Value> = serde_json::from_str(&run(command, &answer.text()).done()).unwrap();
        Self(families.into_iter().map(|family| (family["name"].as_str().unwrap().to_owned(), family)).collect())
    }

    fn value(&self, sample: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: BTreeMap<&str, &str> = labels.iter().copied().collect();
        let mut samples = self.0.values().flat_map(|family| family["samples"].as_array().unwrap());
        let found = samples.find(|found| found["name"] == sample && found["labels"] == json!(labels));
        found.and_then(|sample| sample["value"].as_f64())
    }

    /// What only ever grows: counters, and the counts and sums of histograms.
    fn growing(&self) -> BTreeMap<String, f64> {
        let families = self.0.values().filter(|family| family["type"] == "counter" || family["type"] == "histogram");
        let samples = families.flat_map(|family| family["samples"].as_array().unwrap());
        samples
            .map(|sample| (format!("{}{}", sample["name"], sample["labels"]), sample["value"].as_f64().unwrap()))
            .collect()
    }
}

#[tokio::test]
async fn what_happened_is_counted_and_read_by_the_parser_of_prometheus() {
    let counting = Counting::of(Plan::new());
    let anna = counting.stack.add_account("anna", ANNA);
    let before = counting.scrape().await;
    let person = counting.stack.person();
    let page = person.give_password("/inside", &anna).await.expect(200);
    let code = counting.stack.vendor.newest_code(ANNA);
    person.give_code(&page, &not_this(&code, 1)).await.expect(422);
    person.give_code(&page, &code).await.expect(303);
    person.open("/inside").await.expect(200);
    person.open("/missing-at-the-application").await;
    person.fetch("/.vestibule/session").await.expect(200);
    counting.stack.person().fetch("/inside").await.expect(401);
    let after = counting.scrape().await;

    let told = |name: &str, labels: &[(&str, &str)]| after.value(name, labels);
    assert_eq!(told("vestibule_sign_in_steps_total", &[("step", "password"), ("outcome", "needs_code")]), Some(1.0));
    assert_eq!(told("vestibule_sign_in_steps_total", &[("step", "code"), ("outcome", "wrong")]), Some(1.0));
    assert_eq!(told("vestibule_sign_in_steps_total", &[("step", "code"), ("outcome", "signed_in")]), Some(1.0));
    assert_eq!(told("vestibule_codes_sent_total", &[("country", "BE"), ("outcome", "sent")]), Some(1.0));
    assert_eq!(told("vestibule_codes_entered_total", &[("country", "BE")]), Some(1.0));
    let sends = [("provider", "main"), ("country", "BE"), ("answer", "accepted")];
    assert_eq!(told("vestibule_sms_sends_total", &sends), Some(1.0));
    let of_site = |decision, status| [("site", "marketing"), ("decision", decision), ("status", status)];
    assert!(told("vestibule_requests_total", &of_site("signed_in", "2xx")) >= Some(1.0), "{:#?}", after.0);
    assert_eq!(told("vestibule_requests_total", &of_site("refused", "4xx")), Some(1.0));
    assert_eq!(told("vestibule_refusals_total", &[("site", "marketing"), ("reason", "no_session")]), Some(2.0));
    for histogram in ["vestibule_own_duration_seconds_count", "vestibule_upstream_duration_seconds_count"] {
        assert!(told(histogram, &[("site", "marketing")]) >= Some(2.0), "{histogram}");
    }
    assert!(
        told("vestibule_request_duration_seconds_count", &[("site", "marketing"), ("decision", "own_page")])
            >= Some(4.0)
    );
    assert_eq!(told("vestibule_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
    assert!(told("vestibule_connections", &[]) >= Some(1.0));
    assert!(told("vestibule_revocation_feed_age_seconds", &[]) < Some(30.0));
    assert_eq!(told("vestibule_sms_provider_resting", &[("provider", "main")]), Some(0.0));
    assert!(told("vestibule_config_loaded_timestamp_seconds", &[]) > Some(1.7e9));

    for (name, family) in &after.0 {
        assert_ne!(family["type"], "unknown", "{name} has no TYPE");
        assert_ne!(family["help"], "", "{name} has no HELP");
        assert!(name.starts_with("vestibule_"), "{name}");
    }
    for (sample, value) in before.growing() {
        assert!(after.growing()[&sample] >= value, "{sample} went back");
    }
    let samples = after.0.values().flat_map(|family| family["samples"].as_array().unwrap());
    let labels: Vec<String> = samples.map(|sample| sample["labels"].to_string()).collect();
    for outside in ["anna", "47011", "/inside", "missing-at", "localhost"] {
        assert!(!labels.iter().any(|label| label.contains(outside)), "{outside} is in a label");
    }

    let lately = [("provider", "main"), ("country", "BE")];
    let later = counting.scrape_until("vestibule_sms_success_ratio{country=\"BE\",provider=\"main\"} 1").await;
    assert_eq!(later.value("vestibule_sms_codes_judged", &lately), Some(1.0));
    assert_eq!(later.value("vestibule_sms_codes_entered", &lately), Some(1.0));
}

#[tokio::test]
async fn what_goes_wrong_is_counted_too() {
    let mut counting = Counting::of(Plan::new().set("sms.breaker.failures", 2));
    let anna = counting.stack.add_account("anna", ANNA);
    counting.stack.vendor.behave(Behaviour { status: Some(503), ..Behaviour::default() });
    for _twice in 0..2 {
        counting.stack.person().give_password("/inside", &anna).await;
    }
    let resting = counting.scrape_until("vestibule_sms_provider_resting{provider=\"main\"} 1").await;
    let sends = [("provider", "main"), ("country", "BE"), ("answer", "transient")];
    assert_eq!(resting.value("vestibule_sms_sends_total", &sends), Some(2.0));
    assert_eq!(resting.value("vestibule_codes_sent_total", &[("country", "BE"), ("outcome", "not_sent")]), Some(2.0));

    counting.stack.redis().kill();
    counting.stack.person().give_password("/inside", &anna).await;
    let down = counting.scrape().await;
    assert!(down.value("vestibule_outside_failures_total", &[("part", "redis")]) >= Some(1.0), "{:#?}", down.0);
    let unavailable = [("step", "password"), ("outcome", "unavailable")];
    assert!(down.value("vestibule_sign_in_steps_total", &unavailable) >= Some(1.0), "{:#?}", down.0);
}

#[tokio::test]
async fn figures_are_told_to_whom_the_configuration_names() {
    let counting = Counting::of(Plan::new());
    let site = counting.stack.person();
    assert_ne!(site.open("/metrics").await.status, 200, "not at a site");
    let named = counting.scraper("attacker.example").open("/metrics").await.expect(403);
    assert!(named.text().contains("metrics.token"), "{}", named.text());
    counting.scraper("[::1]").send(Method::HEAD, "/metrics", &[], None).await.expect(200);
    let posted = counting.scraper("127.0.0.1").send(Method::POST, "/metrics", &[], None).await;
    assert_ne!(posted.status, 200);

    let locked = Counting::of(
        Plan::new().environment("METRICS_TOKEN", TOKEN).set("metrics.token", json!({ "env": "METRICS_TOKEN" })),
    );
    let scraper = locked.scraper("vestibule-metrics");
    let refused = scraper.open("/metrics").await.expect(401);
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    scraper.send(Method::GET, "/metrics", &[("authorization", &format!("Bearer {TOKEN}?"))], None).await.expect(401);
    scraper.with_header("authorization", &format!("Bearer {TOKEN}")).open("/metrics").await.expect(200);

    let closed = Counting::of(Plan::new().set("metrics.networks", json!(["192.0.2.0/24"])));
    closed.scraper("127.0.0.1").open("/metrics").await.expect(403);
}
