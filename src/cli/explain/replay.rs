//! An access log against the rules of a site: every line is judged by the gateway's own `classify`, as a request without a session.
//! Keeps counts, not lines, and a bounded number of them. Floor: roof.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{self, BufRead, Read as _};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, HeaderValue, Method};

use super::folding::Folding;
use super::log_line::{self, LogLine, LoggedRequest};
use crate::gateway::classify::{Arrival, ListenerUse, Refusal, Verdict, classify};
use crate::gateway::head::RequestHead;
use crate::gateway::headers::request::PeerTrust;
use crate::gateway::route_rules::{RequestKind, RequestTraits};
use crate::gateway::settings::SiteSettings;
use crate::login::sessions::{NoSession, SessionCheck};
use crate::web::canonical_path::{self, PathReading};
use crate::web::origin::Scheme;

/// Different paths that are counted apart. Our own choice: some tens of megabytes.
const MOST_PATHS: usize = 20_000;
/// Different addresses of a path that are counted.
pub(super) const MOST_ADDRESSES: usize = 50;
/// Longer lines are counted as unreadable. Servers refuse longer heads.
const LONGEST_LINE: u64 = 64 * 1024;
/// Unreadable lines that are shown.
const SHOWN: usize = 5;

/// What a log came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) lines: u64,
    pub(super) unreadable: u64,
    /// Number and beginning of the first unreadable lines.
    pub(super) first_unreadable: Vec<(u64, String)>,
    pub(super) without_request: u64,
    pub(super) clients_with_names: u64,
    /// By what would happen to it, and its path.
    pub(super) paths: HashMap<(Outcome, String), Count>,
    /// Requests to paths that were too many to be counted apart.
    pub(super) uncounted: BTreeMap<Outcome, u64>,
    /// No path is new any more, and folding makes no room: it is not tried for every line.
    is_full: bool,
    /// Rules that decided about a request at all, counted from 1.
    pub(super) rules_used: BTreeSet<usize>,
}

/// What would happen to a request without a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// It would be sent to the sign-in page, or get a 401.
    SignIn,
    /// 403.
    Denied,
    /// To the application: the rule, counted from 1.
    Public(usize),
    /// Vestibule's own page.
    Ours,
    /// 404: some programs would read the path as one of Vestibule's own.
    NotFound,
    /// 405.
    Method,
}

/// How often and by whom a path was asked for.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) requests: u64,
    /// Those of which the log says what asked.
    pub(super) with_agent: u64,
    pub(super) browsers: u64,
    pub(super) addresses: HashSet<IpAddr>,
    /// Requests until there were as many addresses as are counted.
    pub(super) requests_by_addresses: u64,
    pub(super) methods: BTreeMap<String, u64>,
    pub(super) statuses: BTreeMap<u16, u64>,
    /// Readers differ about the path, so that no rule makes it public.
    pub(super) ambiguous: bool,
}

/// Reads a log to its end.
///
/// # Errors
/// When it cannot be read on.
pub(super) fn replay(log: &mut impl BufRead, site: &Arc<SiteSettings>) -> io::Result<Tally> {
    let sites = [Arc::clone(site)];
    let mut tally = Tally::default();
    let mut folding = Folding::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        if log.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        tally.lines += 1;
        let is_whole = line.last() == Some(&b'\n');
        if !is_whole && line.len() as u64 >= LONGEST_LINE {
            skip_line(log)?;
            tally.note_unreadable(&line);
            continue;
        }
        let text = line.trim_ascii_end();
        match log_line::read(text) {
            Some(read) => tally.add(&read, &sites, &mut folding),
            None if text.is_empty() => tally.lines -= 1,
            None => tally.note_unreadable(text),
        }
    }
    tally.fold(&mut folding);
    Ok(tally)
}

fn skip_line(log: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = log.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        let is_over = end.is_some() || buffer.is_empty();
        log.consume(used);
        if is_over {
            return Ok(());
        }
    }
}

impl Tally {
    fn note_unreadable(&mut self, line: &[u8]) {
        self.unreadable += 1;
        if self.first_unreadable.len() < SHOWN {
            let beginning: String = String::from_utf8_lossy(line).chars().take(100).collect();
            self.first_unreadable.push((self.lines, printable(&beginning)));
        }
    }

    fn add(&mut self, line: &LogLine, sites: &[Arc<SiteSettings>; 1], folding: &mut Folding) {
        let LoggedRequest::Request { method, path } = &line.request else {
            self.without_request += 1;
            return;
        };
        let client = line.client.unwrap_or_else(|| {
            self.clients_with_names += 1;
            // in no network of a rule
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        });
        let reading = canonical_path::read(path);
        let outcome = self.judge(method, path, &reading, client, sites);
        let shown = match &reading {
            PathReading::Clear(clear) => printable(clear),
            PathReading::Ambiguous(_) | PathReading::Ours | PathReading::MightBeOurs => {
                printable(&String::from_utf8_lossy(path))
            }
        };
        let mut key = (outcome, folding.name(&shown));
        if self.paths.len() >= MOST_PATHS && !self.paths.contains_key(&key) {
            if !self.is_full {
                self.fold(folding);
                key.1 = folding.name(&shown);
                self.is_full = self.paths.len() >= MOST_PATHS;
            }
            if self.is_full && !self.paths.contains_key(&key) {
                *self.uncounted.entry(outcome).or_default() += 1;
                return;
            }
        }
        let count = self.paths.entry(key).or_default();
        count.requests += 1;
        count.with_agent += u64::from(line.user_agent.is_some());
        count.browsers += u64::from(line.user_agent.as_deref().is_some_and(is_browser));
        count.ambiguous |= matches!(reading, PathReading::Ambiguous(_));
        if count.addresses.len() < MOST_ADDRESSES {
            count.addresses.insert(client);
            count.requests_by_addresses += 1;
        }
        *count.statuses.entry(line.status).or_default() += 1;
        if outcome != Outcome::Method || count.methods.len() < MOST_ADDRESSES {
            *count.methods.entry(method.to_string()).or_default() += 1;
        }
    }

    fn judge(
        &mut self,
        method: &Method,
        path: &[u8],
        reading: &PathReading<'_>,
        client: IpAddr,
        sites: &[Arc<SiteSettings>; 1],
    ) -> Outcome {
        let [site] = sites;
        // What a log does not say: browsers send OPTIONS as a preflight, and hardly anybody else does.
        let kind = if *method == Method::OPTIONS { RequestKind::Preflight } else { RequestKind::Ordinary };
        let headers = match kind {
            RequestKind::Ordinary => HeaderMap::new(),
            RequestKind::Preflight => HeaderMap::from_iter([
                (ORIGIN, HeaderValue::from_static("https://elsewhere.example")),
                (ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("GET")),
            ]),
        };
        let head = RequestHead { method, path, query: None, host: site.origin.authority(), headers: &headers };
        let arrival =
            Arrival { scheme: Scheme::Https, client, listener: ListenerUse::Sites, peer_trust: PeerTrust::Untrusted };
        let verdict = classify(&head, arrival, sites, |_, _| SessionCheck::None(NoSession::Absent));
        let rule = site.rules.decide(reading, &RequestTraits { method, overriding: &[], client, kind }).rule;
        let outcome = match verdict {
            Verdict::Probe(_)
            | Verdict::Metrics
            | Verdict::AcmeChallenge(_)
            | Verdict::Portal(_)
            | Verdict::Verify(_) => Outcome::Ours,
            // nobody is signed in here: what may go on is public, whoever carries it
            Verdict::Proxy(_) | Verdict::Refuse(Refusal::NoUpstream(_)) => Outcome::Public(rule.unwrap_or_default()),
            Verdict::Refuse(Refusal::Denied(_)) => Outcome::Denied,
            Verdict::Refuse(Refusal::NotFound(_)) => Outcome::NotFound,
            Verdict::Refuse(Refusal::Method) => Outcome::Method,
            Verdict::Refuse(
                Refusal::ToSignIn(..)
                | Refusal::Unauthorized(..)
                | Refusal::Misdirected
                | Refusal::ToHttps(..)
                | Refusal::Circle(..)
                | Refusal::WebSocket(_)
                | Refusal::CannotTell(_)
                | Refusal::Unclear(_),
            ) => Outcome::SignIn,
        };
        if outcome != Outcome::Method {
            self.rules_used.extend(rule);
        }
        outcome
    }

    /// Puts together what belongs to one folder with many names.
    fn fold(&mut self, folding: &mut Folding) {
        while folding.learn(self.paths.keys().map(|(_, name)| name.as_str())) {
            for ((outcome, name), count) in std::mem::take(&mut self.paths) {
                self.paths.entry((outcome, folding.name(&name))).or_default().take_in(count);
            }
        }
    }
}

impl Count {
    fn take_in(&mut self, other: Self) {
        self.requests += other.requests;
        self.with_agent += other.with_agent;
        self.browsers += other.browsers;
        self.ambiguous |= other.ambiguous;
        let room = MOST_ADDRESSES.saturating_sub(self.addresses.len());
        if room > 0 {
            self.addresses.extend(other.addresses.into_iter().take(room));
            self.requests_by_addresses += other.requests_by_addresses;
        }
        for (method, count) in other.methods {
            *self.methods.entry(method).or_default() += count;
        }
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }
}

/// What people use; most programs that say `Mozilla` as well say what they are.
fn is_browser(user_agent: &str) -> bool {
    let lower = user_agent.to_ascii_lowercase();
    lower.starts_with("mozilla/") && !["bot", "crawl", "spider", "http"].iter().any(|word| lower.contains(word))
}

/// Nothing that a terminal would obey.
fn printable(text: &str) -> String {
    if text.chars().any(char::is_control) { text.escape_debug().to_string() } else { text.to_owned() }
}
