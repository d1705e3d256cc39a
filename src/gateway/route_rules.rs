//! Which requests need a session, which are public and which are refused: the operator's rules, first match wins.
//! What no rule matches needs sign-in. Reads paths as `web::canonical_path` understood them. Floor: edge (pure).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Method;

use crate::domain::network::Networks;
use crate::web::canonical_path::{Ambiguous, PathReading};
use crate::web::path_pattern::PathPattern;

/// What a request needs to reach the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A live session of this site.
    SignIn,
    /// Nothing.
    Public,
    /// It is refused, session or not.
    Deny,
}

/// The name of an upstream in the configuration. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamName(Arc<str>);

impl UpstreamName {
    /// Takes the name as the configuration gave it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UpstreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What rules tell requests to one path apart by.
#[derive(Clone, Copy, Debug)]
pub struct RequestTraits<'a> {
    /// As it came.
    pub method: &'a Method,
    /// Those that it asks the application to take it for (`overriding`); usually none.
    pub overriding: &'a [Method],
    /// Who asks.
    pub client: IpAddr,
    /// Whether it asks for something, or only whether it may.
    pub kind: RequestKind,
}

/// What a browser means by a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// A CORS preflight: a browser asks, without cookies, whether a script of another site may send something.
    Preflight,
    /// Everything else.
    Ordinary,
}

/// Which kinds of requests a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleScope {
    /// All.
    Every,
    /// CORS preflights only.
    Preflights,
}

/// One rule: a request has to match all four to be meant.
#[derive(Clone, Debug)]
pub struct RouteRule {
    /// Which paths.
    pub path: PathPattern,
    /// Which methods; empty means all. `GET` includes `HEAD`.
    pub methods: Vec<Method>,
    /// Which kinds of requests.
    pub scope: RuleScope,
    /// Which clients; `None` means all. An empty list means nobody.
    pub networks: Option<Networks>,
    /// What such a request needs.
    pub access: Access,
    /// Where it goes, if not to the site's upstream.
    pub upstream: Option<UpstreamName>,
}

impl RouteRule {
    fn matches(&self, path: &str, request: &RequestTraits<'_>) -> bool {
        let method_fits = self.methods.is_empty()
            || self.methods.contains(request.method)
            || (*request.method == Method::HEAD && self.methods.contains(&Method::GET));
        let kind_fits = match self.scope {
            RuleScope::Every => true,
            RuleScope::Preflights => request.kind == RequestKind::Preflight,
        };
        let client_fits = self.networks.as_ref().is_none_or(|networks| networks.contains(request.client));
        method_fits && kind_fits && client_fits && self.path.matches(path)
    }
}

/// A site's rules in their order.
#[derive(Clone, Debug)]
pub struct RouteRules(Vec<RouteRule>);

/// What the rules say about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteDecision<'a> {
    /// What it needs.
    pub access: Access,
    /// Where it goes; `None`: to the site's upstream.
    pub upstream: Option<&'a UpstreamName>,
    /// The rule that decided, counted from 1; `None` when none matched.
    pub rule: Option<usize>,
}

impl RouteRules {
    /// Takes the rules in the order of the configuration.
    #[must_use]
    pub fn new(rules: Vec<RouteRule>) -> Self {
        Self(rules)
    }

    /// What a request needs. One whose path readers differ about is denied when any reading is denied, and never public:
    /// what one reader takes for a public page may be a private one for the application. One that the application may take for another method is
    /// denied when either is denied, and public only when both are.
    #[must_use]
    pub fn decide(&self, path: &PathReading<'_>, request: &RequestTraits<'_>) -> RouteDecision<'_> {
        match path {
            PathReading::Clear(path) => self.strictest(&[path], request, Access::Public),
            PathReading::Ambiguous(Ambiguous { readings }) => {
                let readings: Vec<&str> = readings.iter().map(String::as_str).collect();
                self.strictest(&readings, request, Access::SignIn)
            }
            PathReading::Ours | PathReading::MightBeOurs => {
                RouteDecision { access: Access::Deny, upstream: None, rule: None }
            }
        }
    }

    /// The decision about the first of `readings`, made stricter by what the others and the other methods come to; `most` is the most that
    /// may be allowed.
    fn strictest(&self, readings: &[&str], request: &RequestTraits<'_>, most: Access) -> RouteDecision<'_> {
        let as_it_came = readings.iter().map(|path| self.first_match(path, request));
        let overridden = request.overriding.iter().flat_map(|method| {
            // what the application takes for something else, it takes for no preflight
            let request = RequestTraits { method, overriding: &[], kind: RequestKind::Ordinary, ..*request };
            readings.iter().map(move |path| self.first_match(path, &request))
        });
        let mut decided: Option<RouteDecision<'_>> = None;
        // A preflight is nobody's, and of nobody the header is not passed on (`headers::request`): only what is denied counts.
        let counts =
            |decision: &RouteDecision<'_>| request.kind == RequestKind::Ordinary || decision.access == Access::Deny;
        for decision in as_it_came.chain(overridden.filter(counts)) {
            if decision.access == Access::Deny {
                return decision;
            }
            let first = decided.get_or_insert(decision);
            if decision.access == Access::SignIn || most == Access::SignIn {
                first.access = Access::SignIn;
            }
        }
        decided.unwrap_or(RouteDecision { access: Access::SignIn, upstream: None, rule: None })
    }

    /// The rules that make something public, for the log at start.
    pub fn public(&self) -> impl Iterator<Item = &RouteRule> {
        self.0.iter().filter(|rule| rule.access == Access::Public)
    }

    /// Whether there is anything that nobody may ask for.
    #[must_use]
    pub fn deny_something(&self) -> bool {
        self.0.iter().any(|rule| rule.access == Access::Deny)
    }

    fn first_match(&self, path: &str, request: &RequestTraits<'_>) -> RouteDecision<'_> {
        let found = self.0.iter().enumerate().find(|(_, rule)| rule.matches(path, request));
        match found {
            Some((at, rule)) => {
                RouteDecision { access: rule.access, upstream: rule.upstream.as_ref(), rule: Some(at + 1) }
            }
            None => RouteDecision { access: Access::SignIn, upstream: None, rule: None },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::web::canonical_path::read;

    /// A GET from anywhere.
    fn get() -> RequestTraits<'static> {
        RequestTraits {
            method: &Method::GET,
            client: "1.1.1.1".parse().unwrap(),
            overriding: &[],
            kind: RequestKind::Ordinary,
        }
    }

    pub(crate) fn rule(path: &str, methods: &[Method], networks: &[&str], access: Access) -> RouteRule {
        let networks = Networks::new(networks.iter().map(|network| network.parse().unwrap()).collect());
        RouteRule {
            path: PathPattern::parse(path).unwrap(),
            methods: methods.to_vec(),
            scope: RuleScope::Every,
            networks: (!networks.is_empty()).then_some(networks),
            access,
            upstream: path.starts_with("/media").then(|| UpstreamName::new("media")),
        }
    }

    fn rules() -> RouteRules {
        RouteRules::new(vec![
            rule("/unsubscribe/*", &[], &[], Access::Public),
            rule("/pixel.gif", &[Method::GET], &[], Access::Public),
            rule("/api/hooks/*", &[Method::POST], &["203.0.113.0/24"], Access::Public),
            rule("/media/*", &[], &[], Access::SignIn),
            rule("/admin/*", &[], &["10.0.0.0/8"], Access::SignIn),
            rule("/admin/*", &[], &[], Access::Deny),
            rule("/admin", &[], &[], Access::Deny),
        ])
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        use Access::{Deny, Public, SignIn};
        let rules = rules();
        for (line, access, rule) in [
            ("GET /unsubscribe/x/y 1.1.1.1", Public, Some(1)),
            ("GET /unsubscribe/ 1.1.1.1", Public, Some(1)),
            ("DELETE /unsubscribe/x 1.1.1.1", Public, Some(1)),
            ("GET /unsubscribe 1.1.1.1", SignIn, None),
            ("GET /unsubscribed/x 1.1.1.1", SignIn, None),
            ("GET /Unsubscribe/x 1.1.1.1", SignIn, None),
            ("GET /uns%75bscribe/x 1.1.1.1", Public, Some(1)),
            ("GET /unsubscribe/a%20b 1.1.1.1", Public, Some(1)),
            ("GET /pixel.gif 1.1.1.1", Public, Some(2)),
            ("HEAD /pixel.gif 1.1.1.1", Public, Some(2)),
            ("POST /pixel.gif 1.1.1.1", SignIn, None),
            ("GET /pixel.gif/x 1.1.1.1", SignIn, None),
            ("POST /api/hooks/a 203.0.113.9", Public, Some(3)),
            ("POST /api/hooks/a ::ffff:203.0.113.9", Public, Some(3)),
            ("POST /api/hooks/a 203.0.114.9", SignIn, None),
            ("GET /api/hooks/a 203.0.113.9", SignIn, None),
            ("GET /admin/x 10.1.1.1", SignIn, Some(5)),
            ("GET /admin/x 1.1.1.1", Deny, Some(6)),
            ("GET /admin 1.1.1.1", Deny, Some(7)),
            ("GET / 1.1.1.1", SignIn, None),
        ] {
            let [method, path, client] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let path = read(path.as_bytes());
            let method: Method = method.parse().unwrap();
            let request = RequestTraits {
                method: &method,
                client: client.parse().unwrap(),
                overriding: &[],
                kind: RequestKind::Ordinary,
            };
            let decision = rules.decide(&path, &request);
            assert_eq!((decision.access, decision.rule), (access, rule), "{line}");
        }
    }

    #[test]
    fn a_path_that_readers_differ_about_is_never_public() {
        let rules = rules();
        for path in [
            "/unsubscribe/..%2fadmin",
            "/unsubscribe/%2e%2e/admin",
            "/unsubscribe/../unsubscribe/x",
            "/unsubscribe//x",
            "//unsubscribe/x",
            "/unsubscribe/x;y",
            "/unsubscribe\\x",
            "/unsubscribe/%00",
            "/unsubscribe/%252e%252e/admin",
            "/unsubscribe/x%2fy",
            "/unsubscribe/%5cx",
            "/unsubscribe/%ff",
            "/unsubscribe/%",
            "/./unsubscribe/x",
            "/unsubscribe/x/..",
        ] {
            let decision = rules.decide(&read(path.as_bytes()), &get());
            assert_ne!(decision.access, Access::Public, "{path}");
        }
    }

    #[test]
    fn a_path_that_some_reader_takes_for_a_denied_one_is_denied() {
        let rules = rules();
        for path in [
            "/x/..%2fadmin/y",
            "/x/%2e%2e/admin/y",
            "//admin/y",
            "/admin;a/y",
            "/x\\..\\admin\\y",
            "/%61dmin%2fy",
            "/x/%252e%252e/admin/y",
        ] {
            let decision = rules.decide(&read(path.as_bytes()), &get());
            assert_eq!(decision.access, Access::Deny, "{path}");
        }
    }

    #[test]
    fn what_some_reader_takes_for_a_denied_path_is_denied() {
        let rules = RouteRules::new(vec![
            rule("/admin", &[], &[], Access::Deny),
            rule("/secret/*", &[], &[], Access::Deny),
            rule("/*", &[], &[], Access::Public),
        ]);
        for path in [
            "/admin%3f",
            "/admin%3Fx=1",
            "/admin%23",
            "/admin%23x",
            "/admin%00",
            "/admin%00.png",
            "/adm%00in",
            "/admin%ff",
            "/adm%80in",
            "/%c1%a1dmin",
            "/admin%253f",
            "/admin%2523",
            "/%2561dmin",
            "/x/%c0%ae%c0%ae/admin",
            "/x%c0%af..%c0%afadmin",
            "/x%e0%80%af..%e0%80%afadmin",
            "/%u0061dmin",
            "/admin;x",
            "/admin%3bx",
            "/secret%2f",
            "/secret%5cx",
            "//secret/",
            "/secret/%00",
            "/secret/.",
            "/secret/%3f",
            "/x%2f..%2fsecret%2f%3fy",
            "/secret%c0%afx",
            "/secret%u002fx",
            "/secret/x%252f..%252f",
        ] {
            let decision = rules.decide(&read(path.as_bytes()), &get());
            assert_eq!(decision.access, Access::Deny, "{path}");
        }
        for path in ["/x%3f", "/x%00", "/x%ff", "/x//y", "/x;admin", "/administrator%3f", "/x%3fadmin"] {
            let decision = rules.decide(&read(path.as_bytes()), &get());
            assert_eq!(decision.access, Access::SignIn, "{path}");
        }
    }

    #[test]
    fn a_request_that_may_be_taken_for_another_method_has_to_satisfy_the_rules_for_both() {
        use Access::{Deny, Public, SignIn};
        let rules = RouteRules::new(vec![
            rule("/items/*", &[Method::DELETE], &[], Deny),
            rule("/hooks/*", &[Method::POST], &[], Public),
            rule("/open/*", &[], &[], Public),
            RouteRule { scope: RuleScope::Preflights, ..rule("/api/*", &[], &[], Public) },
            rule("/api/*", &[Method::DELETE], &[], Deny),
        ]);
        for (path, method, overriding, access) in [
            ("/items/1", "POST", "", SignIn),
            ("/items/1", "DELETE", "", Deny),
            ("/items/1", "POST", "DELETE", Deny),
            ("/items/1", "DELETE", "GET", Deny),
            ("/items/1", "POST", "PUT,DELETE", Deny),
            ("/items//1", "POST", "DELETE", Deny),
            ("/hooks/1", "POST", "", Public),
            ("/hooks/1", "POST", "POST", Public),
            ("/hooks/1", "POST", "DELETE", SignIn),
            ("/hooks/1", "GET", "POST", SignIn),
            ("/open/1", "POST", "DELETE", Public),
            ("/open//1", "POST", "DELETE", SignIn),
        ] {
            let method = method.parse().unwrap();
            let overriding: Vec<Method> =
                overriding.split(',').filter(|name| !name.is_empty()).map(|name| name.parse().unwrap()).collect();
            let request = RequestTraits { method: &method, overriding: &overriding, ..get() };
            assert_eq!(rules.decide(&read(path.as_bytes()), &request).access, access, "{path} {method} {overriding:?}");
        }
        let preflight = |overriding: &[Method]| {
            let request = RequestTraits { method: &Method::OPTIONS, kind: RequestKind::Preflight, ..get() };
            rules.decide(&read(b"/api/x"), &RequestTraits { overriding, ..request }).access
        };
        assert_eq!((preflight(&[]), preflight(&[Method::PUT]), preflight(&[Method::DELETE])), (Public, Public, Deny));
    }

    #[test]
    fn a_rule_can_name_another_upstream() {
        let rules = rules();
        let media = rules.decide(&read(b"/media/x"), &get());
        assert_eq!(media.upstream.map(UpstreamName::as_str), Some("media"));
        assert_eq!(media.access, Access::SignIn);
    }

    #[test]
    fn a_rule_for_preflights_is_for_nothing_else() {
        let preflights =
            RouteRule { scope: RuleScope::Preflights, ..rule("/api/*", &[], &["203.0.113.0/24"], Access::Public) };
        let rules = RouteRules::new(vec![preflights]);
        let access = |path: &str, method: &Method, client: &str, kind| {
            let request = RequestTraits { method, overriding: &[], client: client.parse().unwrap(), kind };
            rules.decide(&read(path.as_bytes()), &request).access
        };
        let (inside, outside) = ("203.0.113.9", "198.51.100.9");
        let options = &Method::OPTIONS;
        assert_eq!(access("/api/x", options, inside, RequestKind::Preflight), Access::Public);
        assert_eq!(access("/api/x", options, inside, RequestKind::Ordinary), Access::SignIn);
        assert_eq!(access("/api/x", &Method::GET, inside, RequestKind::Ordinary), Access::SignIn);
        assert_eq!(access("/api/x", options, outside, RequestKind::Preflight), Access::SignIn);
        assert_eq!(access("/other", options, inside, RequestKind::Preflight), Access::SignIn);
        assert_eq!(access("/api//x", options, inside, RequestKind::Preflight), Access::SignIn, "readers differ");
    }
}
