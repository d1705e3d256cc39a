//! The operators' pages that tell what happened, as plain values: SMS, the audit trail, and what activating would bring about. Floor: pages.

use serde::Serialize;

/// What became of the SMS that were sent.
#[derive(Clone, Debug, Serialize)]
pub struct SmsPage {
    /// `a day`
    pub span: &'static str,
    pub spans: Vec<SpanLink>,
    pub sent: u32,
    pub to_newcomers: u32,
    pub providers: Vec<ProviderLine>,
    pub caps: Vec<CapLine>,
    pub prefixes: Vec<PrefixLine>,
    pub notice: Option<String>,
}

/// The way to the figures of another span of time.
#[derive(Clone, Debug, Serialize)]
pub struct SpanLink {
    pub href: String,
    pub text: &'static str,
    pub is_shown: bool,
}

/// How a provider fares in a country.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderLine {
    pub provider: String,
    pub country: String,
    /// `75 %`; `None`: nothing is known yet.
    pub rate: Option<String>,
    pub entered: u32,
    pub judged: u32,
    pub asked: u32,
    pub accepted: u32,
    pub maybe_sent: u32,
    pub failed: u32,
    pub recipient_refused: u32,
}

/// How full a cap is.
#[derive(Clone, Debug, Serialize)]
pub struct CapLine {
    pub whose: &'static str,
    pub window: String,
    pub counted: u32,
    pub most: u32,
    pub percent: u32,
    pub only_observed: bool,
}

/// A number prefix that newcomers get no codes at.
#[derive(Clone, Debug, Serialize)]
pub struct PrefixLine {
    pub prefix: String,
    pub since: String,
    pub until: String,
    pub entered: u32,
    pub judged: u32,
    /// Where it can be opened, by whoever may.
    pub open_href: Option<String>,
}

/// Records of the audit trail, and the question they answer.
#[derive(Clone, Debug, Serialize)]
pub struct AuditPage {
    pub typed: AuditTyped,
    pub events: Vec<EventChoice>,
    /// Whose records has to be said.
    pub needs_account: bool,
    /// What about the question is wrong, and which field.
    pub problem: Option<String>,
    pub problem_field: &'static str,
    /// `None`: nothing was looked for.
    pub lines: Option<Vec<TrailLine>>,
    pub newest_href: Option<String>,
    pub older_href: Option<String>,
}

/// The question, as it was typed.
#[derive(Clone, Debug, Serialize)]
pub struct AuditTyped {
    pub account: String,
    pub event: String,
    pub actor: String,
    pub from: String,
    pub to: String,
}

impl AuditTyped {
    /// The fields by name.
    #[must_use]
    pub fn fields(&self) -> [(&'static str, &str); 5] {
        [
            ("account", &self.account),
            ("event", &self.event),
            ("actor", &self.actor),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }
}

/// An event to choose.
#[derive(Clone, Debug, Serialize)]
pub struct EventChoice {
    pub name: &'static str,
    pub text: String,
    pub is_chosen: bool,
}

/// A record. What is not there is empty.
#[derive(Clone, Debug, Serialize)]
pub struct TrailLine {
    pub time: String,
    /// The same to the millisecond, for machines.
    pub moment: String,
    pub event: String,
    pub account: String,
    pub account_href: Option<String>,
    pub actor: String,
    pub source: String,
    pub site: String,
    pub reason: String,
    pub request_id: String,
}

/// What activating now would bring about.
#[derive(Clone, Debug, Serialize)]
pub struct RehearsalReport {
    /// `12 of 300 accounts could not sign in`, or that all can.
    pub verdict: String,
    pub is_clear: bool,
    pub groups: Vec<RehearsalGroup>,
    pub facts: Vec<super::operators::Fact>,
}

/// What stands out, with whom it concerns.
#[derive(Clone, Debug, Serialize)]
pub struct RehearsalGroup {
    pub title: String,
    /// What it means, and what helps.
    pub text: &'static str,
    pub lines: Vec<RehearsalLine>,
    /// So many more are not shown.
    pub more: usize,
}

/// One account or country.
#[derive(Clone, Debug, Serialize)]
pub struct RehearsalLine {
    pub name: String,
    pub href: Option<String>,
    pub detail: String,
}
