//! What is counted of requests, for each site apart. The counters of a site are looked up once, when another configuration comes into force or when the
//! first request of a kind ends; after that a request adds to atomics. Decides nothing. Floor: edge.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use super::classify::Verdict;
use super::settings::SiteSettings;
use crate::domain::site::SiteName;
use crate::metrics::{self, Counter, SecondsHistogram};

/// What was decided about a request, as it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Its head was not clear.
    Unclear,
    /// It went on, for somebody who is signed in.
    SignedIn,
    /// It went on, and nobody had to be signed in.
    Public,
    /// It was for our own pages.
    OwnPage,
    /// Another proxy was told that it may go on.
    Verified,
    /// It was answered by the gateway instead.
    Refused,
    /// It was about this process: probes, challenges, metrics.
    Probe,
}

const DECISIONS: usize = 7;
/// No status at all, and the classes from 1xx to 5xx.
const STATUSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// The figures of all sites.
#[derive(Debug)]
pub(super) struct RequestFigures {
    of_sites: HashMap<SiteName, SiteFigures>,
    of_no_site: SiteFigures,
}

/// The figures of a site; of none, its name is empty.
#[derive(Debug)]
pub(super) struct SiteFigures {
    site: String,
    requests: [[OnceLock<Counter>; STATUSES.len()]; DECISIONS],
    seconds: [OnceLock<SecondsHistogram>; DECISIONS],
    own_seconds: SecondsHistogram,
    upstream_seconds: SecondsHistogram,
}

/// What is counted when a request ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) decision: Decision,
    pub(super) status: Option<u16>,
    /// The reason that the log has.
    pub(super) reason: Option<&'static str>,
    /// `None`: it went on for as long as both ends liked, or was cut.
    pub(super) duration: Option<Duration>,
}

impl Decision {
    pub(super) fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Probe(_) | Verdict::AcmeChallenge(_) | Verdict::Metrics => Self::Probe,
            Verdict::Portal(_) => Self::OwnPage,
            Verdict::Proxy(passage) if passage.admission.session().is_some() => Self::SignedIn,
            Verdict::Proxy(_) => Self::Public,
            Verdict::Verify(verification) if verification.outcome.is_ok() => Self::Verified,
            Verdict::Verify(_) | Verdict::Refuse(_) => Self::Refused,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Unclear => "unclear",
            Self::SignedIn => "signed_in",
            Self::Public => "public",
            Self::OwnPage => "own_page",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Probe => "probe",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Unclear => 0,
            Self::SignedIn => 1,
            Self::Public => 2,
            Self::OwnPage => 3,
            Self::Verified => 4,
            Self::Refused => 5,
            Self::Probe => 6,
        }
    }
}

impl RequestFigures {
    pub(super) fn of_sites<'a>(sites: impl Iterator<Item = &'a SiteName>) -> Self {
        Self {
            of_sites: sites.map(|site| (site.clone(), SiteFigures::new(site.as_str()))).collect(),
            of_no_site: SiteFigures::new(""),
        }
    }

    pub(super) fn of(&self, site: Option<&SiteSettings>) -> &SiteFigures {
        site.and_then(|site| self.of_sites.get(&site.name)).unwrap_or(&self.of_no_site)
    }
}

impl SiteFigures {
    fn new(site: &str) -> Self {
        Self {
            site: site.to_owned(),
            requests: Default::default(),
            seconds: Default::default(),
            own_seconds: metrics::all().own_seconds.with_label_values(&[site]),
            upstream_seconds: metrics::all().upstream_seconds.with_label_values(&[site]),
        }
    }

    /// Counts a request at its end.
    pub(super) fn ended(&self, ended: Ended) {
        let decision = ended.decision;
        let class = usize::from(ended.status.unwrap_or_default() / 100);
        let status = if class < STATUSES.len() { class } else { 0 };
        let labels =
            |status: usize| [self.site.as_str(), decision.name(), STATUSES.get(status).copied().unwrap_or("none")];
        if let Some(counter) = self.requests.get(decision.place()).and_then(|row| row.get(status)) {
            counter.get_or_init(|| metrics::all().requests.with_label_values(&labels(status))).inc();
        }
        if let (Some(histogram), Some(duration)) = (self.seconds.get(decision.place()), ended.duration) {
            let of = || metrics::all().request_seconds.with_label_values(&[self.site.as_str(), decision.name()]);
            histogram.get_or_init(of).observe(duration.as_secs_f64());
        }
        if let Some(reason) = ended.reason {
            metrics::all().refusals.with_label_values(&[self.site.as_str(), reason]).inc();
        }
    }

    /// An application began to answer: `whole` after the request's head, of which it was waited for during `upstream`.
    pub(super) fn began_to_answer(&self, whole: Duration, upstream: Duration) {
        self.upstream_seconds.observe(upstream.as_secs_f64());
        self.own_seconds.observe(whole.saturating_sub(upstream).as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_once_where_it_belongs() {
        let figures = RequestFigures::of_sites([SiteName::new("counted-apart")].iter());
        let site = figures.of_sites.get(&SiteName::new("counted-apart")).unwrap();
        let ended =
            Ended { decision: Decision::SignedIn, status: Some(204), reason: None, duration: Some(Duration::ZERO) };
        site.ended(ended);
        site.ended(ended);
        site.ended(Ended { status: None, reason: Some("client_gone"), duration: None, ..ended });
        let counted = |status| metrics::all().requests.with_label_values(&["counted-apart", "signed_in", status]).get();
        assert_eq!((counted("2xx"), counted("none"), counted("5xx")), (2, 1, 0));
        assert_eq!(metrics::all().refusals.with_label_values(&["counted-apart", "client_gone"]).get(), 1);
        assert_eq!(
            metrics::all().request_seconds.with_label_values(&["counted-apart", "signed_in"]).get_sample_count(),
            2
        );
    }
}
