//! The table of `classify`: one line a request, and what happens to it.

use std::time::Duration;

use super::*;
use crate::domain::account::{AccountId, Epoch, PhoneVersion};
use crate::domain::pending::{Activation, LoginFacts};
use crate::domain::session::{Person, Session, SessionLifetimes};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::gateway::headers::request::PeerTrust;
use crate::gateway::route_rules::{RouteRule, RouteRules, RuleScope};
use crate::gateway::settings::IdentityHeaders;
use crate::web::origin::Origin;
use crate::web::path_pattern::PathPattern;

pub(crate) fn session(user: &str) -> Session {
    let facts = LoginFacts {
        site: SiteName::new("marketing"),
        account: AccountId::from_bytes([7; 16]),
        user_name: UserName::parse(user).unwrap(),
        epoch: Epoch(1),
        phone_version: PhoneVersion(1),
        password_at: UnixMillis(0),
        ends_at: UnixMillis(0),
        return_path: "/".into(),
        step_up_of: None,
    };
    let login = Activation::Staged.password_only(facts).unwrap();
    let hour = Duration::from_secs(3600);
    Session::open_with_password_only(
        &login,
        Person::default(),
        SessionLifetimes { idle: hour, absolute: hour },
        UnixMillis(0),
    )
}

pub(crate) fn site(url: &str) -> Arc<SiteSettings> {
    let rule = |path: &str, methods: &[Method], access| RouteRule {
        path: PathPattern::parse(path).unwrap(),
        methods: methods.to_vec(),
        scope: RuleScope::Every,
        networks: None,
        access,
        upstream: None,
    };
    Arc::new(SiteSettings {
        name: SiteName::new("marketing"),
        origin: Origin::parse(url).unwrap(),
        rules: RouteRules::new(vec![
            rule("/public/*", &[], Access::Public),
            rule("/hook", &[Method::POST], Access::Public),
            rule("/closed/*", &[], Access::Deny),
            RouteRule { scope: RuleScope::Preflights, ..rule("/api/*", &[], Access::Public) },
        ]),
        upstream: Some(UpstreamName::new("app")),
        identity: IdentityHeaders::usual(),
        strict_transport: None,
    })
}

/// Writes a verdict the way the tables below do.
fn written(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Probe(Probe::Live) => "live".into(),
        Verdict::Probe(Probe::Ready) => "ready".into(),
        Verdict::Metrics => "metrics".into(),
        Verdict::AcmeChallenge(token) => format!("{token:?}"),
        Verdict::Portal(_) => "portal".into(),
        Verdict::Proxy(passage) => match passage.admission.session() {
            Some(session) => format!("proxy as {}", session.user_name.as_str()),
            None => "proxy".into(),
        },
        Verdict::Refuse(Refusal::Misdirected) => "421".into(),
        Verdict::Refuse(Refusal::Method) => "405".into(),
        Verdict::Refuse(Refusal::ToHttps(..)) => "308".into(),
        Verdict::Refuse(Refusal::NotFound(_)) => "404".into(),
        Verdict::Refuse(Refusal::Denied(_)) => "403".into(),
        Verdict::Refuse(Refusal::WebSocket(_)) => "403 websocket".into(),
        Verdict::Refuse(Refusal::ToSignIn(_, path, reason)) => format!("303 {} {}", path.as_str(), reason.name()),
        Verdict::Refuse(Refusal::Circle(_, path, cause)) => format!("403 {} {}", path.as_str(), cause.name()),
        Verdict::Refuse(Refusal::Unauthorized(_, reason)) => format!("401 {}", reason.name()),
        Verdict::Refuse(Refusal::CannotTell(_)) => "503".into(),
        Verdict::Refuse(Refusal::Unclear(_)) => "400".into(),
        Verdict::Refuse(Refusal::NoUpstream(_)) => "404 no upstream".into(),
        Verdict::Verify(_) => "verify".into(),
    }
}

/// What the cookies of these tests are worth.
pub(crate) fn check(site: &SiteSettings, cookie: &str) -> SessionCheck {
    assert_eq!(site.name.as_str(), "marketing");
    match cookie {
        "live" => SessionCheck::Live(Arc::new(session("anna"))),
        "step-up" => SessionCheck::StepUp(Arc::new(session("anna"))),
        "unknown" => SessionCheck::CannotTell,
        "other-site" => SessionCheck::None(NoSession::OtherSite),
        "old" => SessionCheck::None(NoSession::OutOfTime),
        "ended" => SessionCheck::None(NoSession::Ended),
        _ => SessionCheck::None(NoSession::Unreadable),
    }
}

fn judged(method: &str, target: &str, fields: &[(&str, &str)], arrival: Arrival, url: &str) -> String {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut headers = HeaderMap::new();
    let mut host = Origin::parse(url).unwrap().authority().to_owned();
    for (name, value) in fields {
        if *name == "host" {
            host = (*value).to_owned();
        }
        headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.as_bytes())));
    let head = RequestHead { method: &method, path: path.as_bytes(), query, host: &host, headers: &headers };
    written(&classify(&head, arrival, &[site(url)], check))
}

pub(crate) fn over_tls() -> Arrival {
    Arrival {
        scheme: Scheme::Https,
        client: "198.51.100.7".parse().unwrap(),
        listener: ListenerUse::Sites,
        peer_trust: PeerTrust::Untrusted,
    }
}

const URL: &str = "https://app.example.com";

/// `METHOD target (cookie) [fields]` → verdict.
fn check_table(table: &[(&str, &str, &str)]) {
    for (request, fields, verdict) in table {
        let mut words = request.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let mut sent: Vec<(String, String)> = fields
            .split('|')
            .filter_map(|field| field.split_once(": "))
            .map(|(name, value)| (name.trim().to_lowercase(), value.to_owned()))
            .collect();
        if let Some(cookie) = words.next() {
            sent.push(("cookie".into(), format!("a=1; __Host-vestibule={}", cookie.trim_matches(['(', ')']))));
        }
        let sent: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(judged(method, target, &sent, over_tls(), URL), *verdict, "{request} {fields}");
    }
}

#[test]
fn a_websocket_with_a_session_is_opened_by_our_own_pages_only() {
    check_table(&[
        ("GET /app (live)", "Upgrade: websocket|Origin: https://app.example.com", "proxy as anna"),
        ("GET /app (live)", "Upgrade: websocket|Origin: HTTPS://APP.EXAMPLE.COM", "proxy as anna"),
        ("GET /app (live)", "Upgrade: websocket", "proxy as anna"),
        ("GET /app (live)", "Upgrade: websocket|Origin: https://evil.example.com", "403 websocket"),
        ("GET /app (live)", "Upgrade: WebSocket|Origin: https://app.example.com:8443", "403 websocket"),
        ("GET /app (live)", "Upgrade: h2c, websocket|Origin: null", "403 websocket"),
        (
            "GET /app (live)",
            "Upgrade: websocket|Origin: https://app.example.com|Origin: https://evil.example.com",
            "403 websocket",
        ),
        ("POST /app (live)", "Upgrade: websocket", "403 websocket"),
        ("GET /app (live)", "Upgrade: websocket|Content-Length: 5", "403 websocket"),
        ("GET /app (live)", "Upgrade: websocket|Transfer-Encoding: chunked", "403 websocket"),
        ("GET /public/x (live)", "Upgrade: websocket|Origin: null", "403 websocket"),
        ("GET /public/x", "Upgrade: websocket|Origin: null", "proxy"),
        ("GET /app (live)", "Origin: https://evil.example.com", "proxy as anna"),
    ]);
}

#[test]
fn whoever_is_signed_in_goes_on() {
    check_table(&[
        ("GET /app (live)", "", "proxy as anna"),
        ("POST /app (live)", "", "proxy as anna"),
        ("PROPFIND /dav (live)", "", "proxy as anna"),
        ("GET /app (live)", "Upgrade: websocket|Connection: Upgrade", "proxy as anna"),
        ("GET /a%2Fb (live)", "", "proxy as anna"),
        ("GET /public/../app (live)", "", "proxy as anna"),
        ("GET /public/x (live)", "", "proxy as anna"),
    ]);
}

#[test]
fn whoever_is_not_is_refused_in_a_fitting_form() {
    check_table(&[
        ("GET /app", "", "401 no_session"),
        ("GET /app", "Accept: */*", "401 no_session"),
        ("GET /app", "Accept: application/json, text/html", "303 /app no_session"),
        ("GET /app?x=1&y=%20", "Accept: text/html;q=0.9", "303 /app?x=1&y=%20 no_session"),
        ("HEAD /app", "Accept: text/html", "303 /app no_session"),
        ("GET /app", "Sec-Fetch-Mode: navigate", "303 /app no_session"),
        ("GET /app", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: document", "303 /app no_session"),
        ("GET /app", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: iframe", "401 no_session"),
        ("GET /app", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: object", "401 no_session"),
        ("GET /app (step-up)", "Sec-Fetch-Mode: navigate|Sec-Fetch-Dest: frame", "401 code_required"),
        ("GET /app", "Sec-Fetch-Mode: cors|Accept: text/html", "401 no_session"),
        ("GET /app", "Sec-Fetch-Mode: websocket|Upgrade: websocket", "401 no_session"),
        ("GET /app", "Accept: text/html|X-Requested-With: XMLHttpRequest", "401 no_session"),
        ("GET /app", "Accept: text/html|Upgrade: websocket", "401 no_session"),
        ("GET /app", "Accept: text/html|Upgrade: x", "401 no_session"),
        ("GET /app", "Upgrade: x", "401 no_session"),
        ("POST /app", "Sec-Fetch-Mode: navigate|Accept: text/html", "401 no_session"),
        ("OPTIONS /app", "Accept: text/html", "401 no_session"),
        ("GET //evil.example", "Accept: text/html", "303 / no_session"),
        ("GET /app (forged)", "Accept: text/html", "303 /app unreadable_cookie"),
        ("GET /app (forged)", "", "401 unreadable_cookie"),
        ("GET /app (step-up)", "", "401 code_required"),
        ("GET /app (step-up)", "Accept: text/html", "303 /app code_required"),
        ("GET /app (live)", "Cookie: __Host-vestibule=live", "401 doubled_cookie"),
        ("GET /app", "Cookie: __Host-vestibule-login=live", "401 no_session"),
        ("GET /app", "Cookie: vestibule=live", "401 no_session"),
        ("GET /app", "Authorization: Bearer live", "401 no_session"),
        ("GET /app", "X-Forwarded-User: anna", "401 no_session"),
        ("GET /app", "User-Agent: kube-probe/1.30", "401 no_session"),
    ]);
}

#[test]
fn a_page_that_is_refused_for_the_third_time_says_why() {
    let page = "Accept: text/html|Cookie: __Host-vestibule-bounces=";
    let three = format!("{page}3");
    check_table(&[
        ("GET /app", &format!("{page}2"), "303 /app no_session"),
        ("GET /app?x", &three, "403 /app?x circle_session_cookie_not_sent"),
        ("GET /app (forged)", &three, "403 /app circle_unreadable_cookie"),
        ("GET /app (other-site)", &three, "403 /app circle_session_of_other_site"),
        ("GET /app (old)", &three, "403 /app circle_session_out_of_time"),
        ("GET /app (ended)", &three, "403 /app circle_session_ended"),
        ("GET /app (live)", &format!("{three}|Cookie: __Host-vestibule=live"), "403 /app circle_doubled_cookie"),
        ("GET /app (step-up)", &three, "303 /app code_required"),
        ("GET /app (live)", &three, "proxy as anna"),
        ("GET /app", "Cookie: __Host-vestibule-bounces=3", "401 no_session"),
        ("POST /app", &three, "401 no_session"),
    ]);
}

#[test]
fn public_paths_are_open_and_closed_ones_closed_to_all() {
    check_table(&[
        ("GET /public/x", "", "proxy"),
        ("GET /public/x", "Upgrade: websocket", "proxy"),
        ("GET /public/x (forged)", "", "proxy"),
        ("GET /public/x (step-up)", "", "proxy"),
        ("GET /public/x (unknown)", "", "proxy"),
        ("POST /hook", "", "proxy"),
        ("GET /hook", "", "401 no_session"),
        ("GET /public/..%2fapp", "", "401 no_session"),
        ("GET /public//x", "", "401 no_session"),
        ("GET /public/%2e%2e/app", "", "401 no_session"),
        ("GET /closed/x", "", "403"),
        ("GET /closed/x (live)", "", "403"),
        ("GET /x/..%2fclosed%2fx (live)", "", "403"),
    ]);
}

#[test]
fn when_sessions_cannot_be_told_the_signed_in_wait() {
    check_table(&[
        ("GET /app (unknown)", "", "503"),
        ("GET /app", "", "401 no_session"),
        ("GET /public/x (unknown)", "", "proxy"),
    ]);
}

#[test]
fn our_own_paths_never_go_upstream() {
    check_table(&[
        ("GET /.vestibule/login", "", "portal"),
        ("POST /.vestibule/login (live)", "", "portal"),
        ("GET /.vestibule/unheard-of (live)", "", "portal"),
        ("GET /.vestibule/live", "", "live"),
        ("HEAD /.vestibule/ready", "", "ready"),
        ("GET /.vestibule/ready", "Host: 10.0.0.7:8080", "ready"),
        ("POST /.vestibule/live", "", "portal"),
        ("GET /.vestibule (live)", "", "404"),
        ("GET //.vestibule/login (live)", "", "404"),
        ("GET /.vestibule%2flogin (live)", "", "404"),
        ("GET /public/..%2f.vestibule/login (live)", "", "404"),
        ("GET /.Vestibule/login (live)", "", "404"),
        ("GET /%2evestibule/login (live)", "", "404"),
    ]);
}

#[test]
fn other_hosts_and_methods_go_nowhere() {
    check_table(&[
        ("GET /public/x (live)", "Host: other.example.com", "421"),
        ("GET /public/x (live)", "Host: app.example.com:8443", "421"),
        ("GET /.vestibule/login", "Host: other.example.com", "421"),
        ("TRACE /public/x (live)", "", "405"),
        ("TRACK /public/x (live)", "", "405"),
        ("CONNECT /public/x (live)", "", "405"),
        ("get /public/x (live)", "", "405"),
        ("SPACEJUMP /public/x (live)", "", "405"),
    ]);
}

#[test]
fn an_https_site_is_not_served_over_plain_http() {
    let plain = Arrival { scheme: Scheme::Http, ..over_tls() };
    let live = [("cookie", "__Host-vestibule=live")];
    assert_eq!(judged("GET", "/app", &live, plain, URL), "308");
    assert_eq!(judged("GET", "/.vestibule/login", &[], plain, URL), "308");
    assert_eq!(judged("GET", "/app", &[("host", "app.example.com:8080")], plain, URL), "308");
    assert_eq!(judged("GET", "/app", &[("host", "other.example.com")], plain, URL), "421");
    assert_eq!(judged("GET", "/.vestibule/live", &[], plain, URL), "live");
    // A browser takes a cookie of ours only over https: one that comes back says that whoever is in front of us is mistaken.
    let counted = [("cookie", "__Host-vestibule-bounces=3")];
    assert_eq!(judged("GET", "/app", &counted, plain, URL), "403 /app circle_https_not_seen");
    let loopback = [("cookie", "vestibule=live")];
    assert_eq!(judged("GET", "/app", &loopback, plain, "http://localhost:8080"), "proxy as anna");
    let redirecting = Arrival { listener: ListenerUse::RedirectToHttps, ..plain };
    assert_eq!(judged("GET", "/public/x", &[], redirecting, URL), "308");
    assert_eq!(judged("GET", "/.vestibule/ready", &[], redirecting, URL), "ready");
}

#[test]
fn only_a_genuine_preflight_passes_for_one() {
    const ASKS: &str = "Origin: https://other.example | Access-Control-Request-Method: PUT";
    let table: Vec<(&str, String, &str)> = vec![
        ("OPTIONS /api/x", ASKS.to_owned(), "proxy"),
        ("OPTIONS /api/x", format!("{ASKS} | Content-Length: 0"), "proxy"),
        ("OPTIONS /api/x (live)", ASKS.to_owned(), "proxy as anna"),
        ("OPTIONS /other", ASKS.to_owned(), "401 no_session"),
        ("OPTIONS /api/%2e%2e/x", ASKS.to_owned(), "401 no_session"),
        ("GET /api/x", ASKS.to_owned(), "401 no_session"),
        ("PUT /api/x", ASKS.to_owned(), "401 no_session"),
        ("OPTIONS /api/x", String::new(), "401 no_session"),
        ("OPTIONS /api/x", "Origin: https://other.example".to_owned(), "401 no_session"),
        ("OPTIONS /api/x", "Access-Control-Request-Method: PUT".to_owned(), "401 no_session"),
        ("OPTIONS /api/x", "Origin:  | Access-Control-Request-Method: PUT".to_owned(), "401 no_session"),
        ("OPTIONS /api/x", format!("{ASKS} | Origin: https://third.example"), "401 no_session"),
        ("OPTIONS /api/x", format!("{ASKS} | Access-Control-Request-Method: GET"), "401 no_session"),
        ("OPTIONS /api/x", format!("{ASKS} | Content-Length: 7"), "401 no_session"),
        ("OPTIONS /api/x", format!("{ASKS} | Transfer-Encoding: chunked"), "401 no_session"),
    ];
    let table: Vec<(&str, &str, &str)> =
        table.iter().map(|(request, fields, verdict)| (*request, fields.as_str(), *verdict)).collect();
    check_table(&table);
}

#[test]
fn challenges_of_certificate_authorities_come_before_everything_where_they_are_answered() {
    const CHALLENGE: &str = "/.well-known/acme-challenge/abc";
    let plain = Arrival { scheme: Scheme::Http, ..over_tls() };
    let answering = Arrival { listener: ListenerUse::RedirectAndChallenges, ..plain };
    let stranger = [("host", "other.example.com")];
    assert_eq!(judged("GET", CHALLENGE, &stranger, answering, URL), "Token(\"abc\")");
    assert_eq!(judged("HEAD", CHALLENGE, &[], answering, URL), "Token(\"abc\")");
    assert_eq!(judged("POST", CHALLENGE, &[], answering, URL), "308");
    assert_eq!(judged("GET", "/.well-known/acme-challenge/a/b", &[], answering, URL), "308");
    assert_eq!(judged("GET", "/public/x", &[], answering, URL), "308");
    assert_eq!(judged("GET", "/.vestibule/live", &[], answering, URL), "live");
    let redirecting = Arrival { listener: ListenerUse::RedirectToHttps, ..plain };
    assert_eq!(judged("GET", CHALLENGE, &[], redirecting, URL), "308");
    assert_eq!(judged("GET", CHALLENGE, &[], over_tls(), URL), "401 no_session");
}
