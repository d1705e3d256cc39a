//! `vestibule explain`: which rule decides about a request, why, and what the upstream would get. Asks nobody: it reads the configuration.
//! Floor: roof.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use http::Method;
use serde_json::json;
use url::Url;

use super::Common;
use super::output::{self, Failure};
use crate::app::settings_of;
use crate::config::site::Site;
use crate::gateway::classify::METHODS;
use crate::gateway::route_rules::{Access, RequestKind, RequestTraits, RouteRules, RuleScope};
use crate::gateway::settings::ASSERTION;
use crate::web::canonical_path::{self, PathReading};
use crate::web::origin::Origin;

/// `vestibule explain [METHOD] URL`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A method, then a URL; or a URL alone, which is asked for with GET
    #[arg(required = true, num_args = 1..=2, value_names = ["METHOD", "URL"])]
    request: Vec<String>,
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

/// What is said about one request.
struct Explanation {
    site: String,
    decision: &'static str,
    why: String,
    upstream: Option<String>,
    headers: Vec<(String, String)>,
    open_paths: Vec<String>,
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let (method, url) = match arguments.request.as_slice() {
        [url] => ("GET", url),
        [method, url] => (method.as_str(), url),
        _ => return Err(Failure::usage("give a URL, or a method and a URL")),
    };
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
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
    let explanation = explain(site, &raw_path, &RequestTraits { method: &method, client: arguments.client, kind });
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

fn explain(site: &Site, raw_path: &str, request: &RequestTraits<'_>) -> Explanation {
    let rules = settings_of::rules(site);
    let reading = canonical_path::read(raw_path.as_bytes());
    let (decision, why, to_upstream) = if METHODS.contains(&request.method.as_str()) {
        judge(site, &rules, &reading, request)
    } else {
        ("refused with 405", format!("{} is never passed on", request.method), None)
    };
    let open_paths = rules
        .public()
        .map(|rule| {
            let methods: Vec<&str> = rule.methods.iter().map(Method::as_str).collect();
            let methods = match (rule.scope, methods.as_slice()) {
                (RuleScope::Preflights, _) => "CORS preflights only".to_owned(),
                (RuleScope::Every, []) => "any method".to_owned(),
                (RuleScope::Every, methods) => methods.join(", "),
            };
            format!(
                "{} ({methods}{})",
                rule.path,
                if rule.networks.is_some() { ", from some networks only" } else { "" }
            )
        })
        .collect();
    let signed_in = decision == "sign-in needed";
    let headers = if to_upstream.is_some() { headers(site, request.client, signed_in) } else { Vec::new() };
    Explanation { site: site.name.clone(), decision, why, upstream: to_upstream, headers, open_paths }
}

fn judge(
    site: &Site,
    rules: &RouteRules,
    reading: &PathReading<'_>,
    request: &RequestTraits<'_>,
) -> (&'static str, String, Option<String>) {
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
    let upstream = decided.upstream.map_or(site.upstream.as_str(), |name| name.as_str()).to_owned();
    match decided.access {
        Access::Deny => ("refused with 403", why, None),
        Access::Public => ("public: no sign-in", why, Some(upstream)),
        Access::SignIn => ("sign-in needed", why, Some(upstream)),
    }
}

fn headers(site: &Site, client: IpAddr, signed_in: bool) -> Vec<(String, String)> {
    let mut headers = vec![
        ("Host".to_owned(), site.url.authority().to_owned()),
        ("X-Forwarded-For".to_owned(), client.to_string()),
        ("X-Forwarded-Host".to_owned(), site.url.authority().to_owned()),
        ("X-Forwarded-Proto".to_owned(), site.url.scheme().as_str().to_owned()),
        ("X-Forwarded-Port".to_owned(), site.url.port().to_string()),
    ];
    if signed_in {
        let names = &site.identity.headers;
        headers.push((names.user.to_string(), "(the user name)".to_owned()));
        headers.extend(
            names.email.iter().map(|name| (name.to_string(), "(the e-mail address, if there is one)".to_owned())),
        );
        headers.extend(
            names
                .preferred_username
                .iter()
                .map(|name| (name.to_string(), "(the person's name, or the user name)".to_owned())),
        );
        headers.push((names.session.to_string(), "(an id of the session)".to_owned()));
        if site.identity.assertion {
            headers.push((ASSERTION.to_string(), "(a signed JWT, good for a minute)".to_owned()));
        }
    }
    headers
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
        if let Some(upstream) = &self.upstream {
            let _ = writeln!(text, "upstream  {upstream}, which gets beside what the client sent:");
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
