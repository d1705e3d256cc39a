//! `vestibule explain`: which rule decides about a request, why, and what the upstream would get. Asks nobody: it reads the configuration.
//! With an access log it says the same of every request in it, in counts. Floor: roof.

mod folding;
mod log_line;
mod replay;
mod report;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::Method;
use serde_json::json;
use url::Url;

use super::Common;
use super::output::{self, Failure};
use crate::app::settings_of;
use crate::config::site::{Access as ConfigAccess, Route, Site};
use crate::config::upstream::Upstream;
use crate::config::{Config, TrustedProxiesHeader};
use crate::gateway::classify::METHODS;
use crate::gateway::route_rules::{Access, RequestKind, RequestTraits, RouteRules};
use crate::gateway::settings::ASSERTION;
use crate::gateway::upstreams::settings::UpstreamHost;
use crate::web::canonical_path::{self, PathReading};
use crate::web::origin::Origin;

/// `vestibule explain [METHOD] URL`, or with `--access-log`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A method, then a URL; or a URL alone, which is asked for with GET
    #[arg(required_unless_present = "access_log", conflicts_with = "access_log", num_args = 1..=2, value_names = ["METHOD", "URL"])]
    request: Vec<String>,
    /// Replay an access log of nginx or Apache (combined or common format, also gzipped; `-` is standard input) and list what would be refused
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// The site that the log is of, when there are several
    #[arg(long, value_name = "NAME", requires = "access_log")]
    site: Option<String>,
    /// The address of the client, for rules with networks
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))]
    client: IpAddr,
    /// Take an OPTIONS request for a CORS preflight, as browsers send it
    #[arg(long)]
    preflight: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Who passes a request on.
enum CarriedBy {
    /// This gateway, to the upstream of this name.
    Us(String),
    /// The proxy that asks at `/.vestibule/verify`: the site has no upstream.
    AnotherProxy,
}

/// What is said about one request.
struct Explanation {
    site: String,
    decision: &'static str,
    why: String,
    /// `None` where nothing goes on, or another proxy carries it.
    upstream: Option<String>,
    /// What the upstream gets, or the other proxy learns.
    headers: Vec<(String, String)>,
    open_paths: Vec<String>,
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.access_log {
        Some(log) => explain_log(common, log, arguments),
        None => explain_request(common, arguments),
    }
}

fn explain_log(common: &Common, path: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let loaded = common.load()?;
    let sites = &loaded.config.sites;
    let site = match (sites.as_slice(), &arguments.site) {
        ([site], None) => site,
        (_, None) => {
            let names: Vec<&str> = sites.iter().map(|site| site.name.as_str()).collect();
            return Err(Failure::usage(format!("--site says which site the log is of: {}", names.join(", "))));
        }
        (_, Some(name)) => sites
            .iter()
            .find(|site| site.name == *name)
            .ok_or_else(|| Failure::usage(format!("there is no site {name:?}")))?,
    };
    let cannot_read = |error: io::Error| Failure::because(&format!("{} cannot be read", path.display()), &error);
    let mut log = open(path).map_err(cannot_read)?;
    let tally = replay::replay(&mut log, &Arc::new(settings_of::site(site))).map_err(cannot_read)?;
    if arguments.json {
        output::print_json(&report::json(&tally, site))
    } else {
        output::print(&report::text(&tally, site))
    }
}

/// A log as text, also when it is gzipped.
fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let source: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    let mut source = BufReader::with_capacity(1 << 16, source);
    if source.fill_buf()?.starts_with(&GZIP) {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, flate2::bufread::MultiGzDecoder::new(source))));
    }
    Ok(Box::new(source))
}

fn explain_request(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let (method, url) = match arguments.request.as_slice() {
        [url] => ("GET", url),
        [method, url] => (method.as_str(), url),
        _ => return Err(Failure::usage("give a URL, or a method and a URL")),
    };
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| Failure::usage(format!("{method:?} is no method; GET and POST are")))?;
    let (url, raw_path) = split(url)?;
    let loaded = common.load()?;
    let site = loaded
        .config
        .sites
        .iter()
        .find(|site| is_of(&site.url, &url))
        .ok_or_else(|| Failure::new(format!("no site has the host of {url}: such a request gets 421")))?;
    if arguments.preflight && method != Method::OPTIONS {
        return Err(Failure::usage("a preflight is an OPTIONS request: explain OPTIONS URL --preflight"));
    }
    let kind = if arguments.preflight { RequestKind::Preflight } else { RequestKind::Ordinary };
    let request = RequestTraits { method: &method, overriding: &[], client: arguments.client, kind };
    let explanation = explain(site, &raw_path, &request, &loaded.config);
    if arguments.json { output::print_json(&explanation.to_json()) } else { output::print(&explanation.to_text()) }
}

/// The URL, and its path as it was written: reading it into a URL tidies what the gateway would see untidied.
fn split(text: &str) -> Result<(Url, String), Failure> {
    let url = Url::parse(text)
        .map_err(|_| Failure::usage(format!("{text:?} is no URL; https://marketing.example.com/x is one")))?;
    let behind_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let path = behind_scheme.find(['/', '?', '#']).and_then(|at| behind_scheme.get(at..)).unwrap_or("/");
    let path = path.split(['?', '#']).next().unwrap_or("/");
    Ok((url, if path.is_empty() { "/".to_owned() } else { path.to_owned() }))
}

fn is_of(origin: &Origin, url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    origin.scheme().as_str() == url.scheme() && origin.host() == host && origin.port() == port
}

fn explain(site: &Site, raw_path: &str, request: &RequestTraits<'_>, config: &Config) -> Explanation {
    let rules = settings_of::rules(site);
    let reading = canonical_path::read(raw_path.as_bytes());
    let (decision, why, carried) = if METHODS.contains(&request.method.as_str()) {
        judge(site, &rules, &reading, request)
    } else {
        let capitals = request.method.as_str().to_ascii_uppercase();
        let known = METHODS.contains(&capitals.as_str());
        let remark = if known { format!("; {capitals} is, and case matters") } else { String::new() };
        ("refused with 405", format!("{} is never passed on{remark}", request.method), None)
    };
    let open_paths = site.routes.iter().filter(|route| route.access == ConfigAccess::Public).map(open_path).collect();
    let signed_in = decision == "sign-in needed";
    let (upstream, headers) = match carried {
        Some(CarriedBy::Us(upstream)) => {
            let told =
                headers(site, host_for(site, config.upstreams.get(&upstream)), request.client, signed_in, config);
            (Some(upstream), told)
        }
        Some(CarriedBy::AnotherProxy) => (None, identity(site, signed_in)),
        None => (None, Vec::new()),
    };
    Explanation { site: site.name.clone(), decision, why, upstream, headers, open_paths }
}

/// A public path as the list shows it.
fn open_path(route: &Route) -> String {
    let methods: Vec<&str> = route.methods.iter().map(Method::as_str).collect();
    let methods = match methods.as_slice() {
        _ if route.preflight => "CORS preflights only".to_owned(),
        [] => "any method".to_owned(),
        methods => methods.join(", "),
    };
    let networks: Vec<String> = route.networks.iter().map(ToString::to_string).collect();
    let from = if networks.is_empty() { String::new() } else { format!(", from {}", networks.join(", ")) };
    format!("{} ({methods}{from})", route.path)
}

fn judge(
    site: &Site,
    rules: &RouteRules,
    reading: &PathReading<'_>,
    request: &RequestTraits<'_>,
) -> (&'static str, String, Option<CarriedBy>) {
    match reading {
        PathReading::Ours => return ("answered by Vestibule itself", "the path is one of its own".to_owned(), None),
        PathReading::MightBeOurs => {
            return (
                "refused with 404",
                "some programs would read the path as one of Vestibule's own".to_owned(),
                None,
            );
        }
        PathReading::Clear(_) | PathReading::Ambiguous(_) => {}
    }
    let decided = rules.decide(reading, request);
    let mut why = match decided.rule {
        Some(number) => {
            let path = site.routes.get(number - 1).map(|_| format!("routes[{}]", number - 1)).unwrap_or_default();
            format!("{path} matches first")
        }
        None => "no rule matches, and what no rule matches needs sign-in".to_owned(),
    };
    if matches!(reading, PathReading::Ambiguous(_)) {
        why.push_str("; programs read this path in different ways, so it never counts as public");
    }
    let upstream = decided.upstream.map(|name| name.as_str().to_owned()).or_else(|| site.upstream.clone());
    let carried = upstream.map_or(CarriedBy::AnotherProxy, CarriedBy::Us);
    match decided.access {
        Access::Deny => ("refused with 403", why, None),
        Access::Public => ("public: no sign-in", why, Some(carried)),
        Access::SignIn => ("sign-in needed", why, Some(carried)),
    }
}

/// The `Host` that the servers of an upstream get.
fn host_for(site: &Site, upstream: Option<&Upstream>) -> String {
    match upstream.map(|upstream| (&upstream.host, upstream.servers.as_slice())) {
        Some((UpstreamHost::Named(name), _)) => String::from_utf8_lossy(name.as_bytes()).into_owned(),
        Some((UpstreamHost::Server, [server])) => settings_of::upstream_server(server).authority(),
        Some((UpstreamHost::Server, _)) => "(the server's own name)".to_owned(),
        Some((UpstreamHost::Site, _)) | None => site.url.authority().to_owned(),
    }
}

fn headers(site: &Site, host: String, client: IpAddr, signed_in: bool, config: &Config) -> Vec<(String, String)> {
    let mut headers = vec![
        ("Host".to_owned(), host),
        ("X-Forwarded-For".to_owned(), client.to_string()),
        ("X-Forwarded-Host".to_owned(), site.url.authority().to_owned()),
        ("X-Forwarded-Proto".to_owned(), site.url.scheme().as_str().to_owned()),
        ("X-Forwarded-Port".to_owned(), site.url.port().to_string()),
    ];
    match config.trusted_proxies_header {
        TrustedProxiesHeader::XForwardedFor => {}
        TrustedProxiesHeader::Forwarded => {
            headers.push(("Forwarded".to_owned(), "(the same, as in RFC 7239)".to_owned()))
        }
    }
    if signed_in {
        headers.extend(identity(site, signed_in));
    }
    headers
}

/// The headers that say who it is; where nobody is signed in, another proxy gets them without a value.
fn identity(site: &Site, signed_in: bool) -> Vec<(String, String)> {
    let (names, assertion) = (&site.identity.headers, ASSERTION);
    let told = [
        (Some(&names.user), "(the user name)"),
        (names.email.as_ref(), "(the e-mail address, if there is one)"),
        (names.preferred_username.as_ref(), "(the person's name, or the user name)"),
        (Some(&names.session), "(an id of the session)"),
        (site.identity.assertion.then_some(&assertion), "(a signed JWT, good for a minute)"),
    ];
    let value =
        |told: &str| if signed_in { told.to_owned() } else { "(empty, unless somebody is signed in)".to_owned() };
    told.into_iter().filter_map(|(name, what)| Some((name?.to_string(), value(what)))).collect()
}

impl Explanation {
    fn to_json(&self) -> serde_json::Value {
        let headers: serde_json::Map<String, serde_json::Value> =
            self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        json!({
            "site": self.site,
            "decision": self.decision,
            "why": self.why,
            "upstream": self.upstream,
            "headers": headers,
            "paths_without_sign_in": self.open_paths,
        })
    }

    fn to_text(&self) -> String {
        let mut text = format!("site      {}\ndecision  {}\nwhy       {}\n", self.site, self.decision, self.why);
        if !self.headers.is_empty() {
            let _ = match &self.upstream {
                Some(upstream) => writeln!(text, "upstream  {upstream}, which gets beside what the client sent:"),
                None => writeln!(text, "upstream  none: another proxy carries it, and gets from /.vestibule/verify:"),
            };
            for (name, value) in &self.headers {
                let _ = writeln!(text, "            {name}: {value}");
            }
        }
        if self.open_paths.is_empty() {
            text.push_str("\nEvery path of this site needs sign-in.\n");
        } else {
            text.push_str("\nPaths of this site that need no sign-in:\n");
            for path in &self.open_paths {
                let _ = writeln!(text, "  {path}");
            }
        }
        text
    }
}
