//! The table of `verify`: one line a question of another proxy, and what it is told.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;
use crate::gateway::answers::Answer;
use crate::gateway::classify::tests::{check, over_tls, site};
use crate::gateway::classify::{Verdict, classify};
use crate::gateway::headers::request::PeerTrust;
use crate::web::origin::Scheme;

const URL: &str = "https://app.example.com";
const HOST: &str = "app.example.com";
const LIVE: (&str, &str) = ("cookie", "__Host-vestibule=live");
const GET: (&str, &str) = ("x-original-method", "GET");
const PAGE: (&str, &str) = ("accept", "text/html");

fn told(method: &str, target: &str, host: &str, fields: &[(&str, &str)], peer_trust: PeerTrust) -> Verification {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let headers: HeaderMap = fields
        .iter()
        .map(|(name, value)| (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query.as_bytes())));
    let head = RequestHead { method: &method, path: path.as_bytes(), query, host, headers: &headers };
    match classify(&head, Arrival { peer_trust, ..over_tls() }, &[site(URL)], check) {
        Verdict::Verify(verification) => verification,
        other => panic!("{target}: {other:?}"),
    }
}

/// The status, and behind it who may go on, or the reason for the log.
fn written(verification: &Verification) -> String {
    match &verification.outcome {
        Ok(admission) => match admission.session() {
            Some(session) => format!("200 {}", session.user_name.as_str()),
            None => "200".to_owned(),
        },
        Err(refusal) => {
            let answer = Answer::to_verification(refusal, verification);
            format!("{} {}", answer.status().as_u16(), answer.reason())
        }
    }
}

fn trusted(target: &str, fields: &[(&str, &str)]) -> String {
    written(&told("GET", target, HOST, fields, PeerTrust::Trusted))
}

const VERIFY: &str = "/.vestibule/verify";

#[test]
fn nginx_tells_method_and_path() {
    for (fields, said) in [
        (&[GET, ("x-original-uri", "/public/a?b=c")] as &[(&str, &str)], "200"),
        (&[GET, ("x-original-uri", "/public/a"), LIVE], "200 anna"),
        (&[GET, ("x-original-uri", "/private"), LIVE], "200 anna"),
        (&[GET, ("x-original-uri", "/private")], "401 no_session"),
        (&[GET, ("x-original-uri", "/private"), PAGE], "401 no_session"),
        (&[GET, ("x-original-uri", "/private"), ("cookie", "__Host-vestibule=step-up")], "401 code_required"),
        (&[GET, ("x-original-uri", "/private"), ("cookie", "__Host-vestibule=unknown")], "503 sessions_cannot_be_told"),
        (&[GET, ("x-original-uri", "/closed/a"), LIVE], "403 denied_by_rule"),
        (&[("x-original-method", "POST"), ("x-original-uri", "/hook")], "200"),
        (&[GET, ("x-original-uri", "/hook")], "401 no_session"),
        (&[("x-original-method", "TRACE"), ("x-original-uri", "/public/a"), LIVE], "403 method_not_allowed"),
        (&[("x-original-method", "get"), ("x-original-uri", "/public/a"), LIVE], "403 method_not_allowed"),
        (&[("x-original-method", "CONNECT"), ("x-original-uri", "/public/a"), LIVE], "403 method_not_allowed"),
        // a path that readers differ about, or that might be ours
        (&[GET, ("x-original-uri", "/public/../private")], "401 no_session"),
        (&[GET, ("x-original-uri", "/public/%2e%2e/private")], "401 no_session"),
        (&[GET, ("x-original-uri", "/public%2fa")], "401 no_session"),
        (&[GET, ("x-original-uri", "//public/a")], "401 no_session"),
        // as for a request to us, a fragment is no part of a target; then it is not known what is asked for
        (&[GET, ("x-original-uri", "/public/a#/private")], "403 denied_by_rule"),
        (&[GET, ("x-original-uri", "/private?/public/a")], "401 no_session"),
        (&[GET, ("x-original-uri", "/closed;x/a"), LIVE], "403 denied_by_rule"),
        (&[GET, ("x-original-uri", "/.vestibule/login"), LIVE], "403 not_found"),
        (&[GET, ("x-original-uri", "/public/%2e%2e/.vestibule/login"), LIVE], "403 not_found"),
        // the whole URL
        (&[GET, ("x-original-url", "https://app.example.com/public/a?b")], "200"),
        (&[GET, ("x-original-url", "http://app.example.com/public/a")], "401 https_only"),
        (&[GET, ("x-original-url", "https://other.example.com/public/a"), LIVE], "421 unknown_host"),
        // a page of another site that opens a WebSocket
        (
            &[GET, ("x-original-uri", "/ws"), LIVE, ("sec-websocket-key", "a"), ("origin", "https://evil.example.com")],
            "403 websocket_refused",
        ),
        (
            &[GET, ("x-original-uri", "/ws"), LIVE, ("sec-websocket-key", "a"), ("origin", "https://app.example.com")],
            "200 anna",
        ),
    ] {
        assert_eq!(trusted(VERIFY, fields), said, "{fields:?}");
    }
}

#[test]
fn traefik_and_caddy_tell_host_and_scheme_too() {
    const METHOD: (&str, &str) = ("x-forwarded-method", "GET");
    const PROTO: (&str, &str) = ("x-forwarded-proto", "https");
    const FOR: (&str, &str) = ("x-forwarded-host", HOST);
    const OPEN: (&str, &str) = ("x-forwarded-uri", "/public/a");
    let ask =
        |fields: &[(&str, &str)]| written(&told("GET", VERIFY, "vestibule.internal:8080", fields, PeerTrust::Trusted));
    for (fields, said) in [
        (&[METHOD, PROTO, FOR, OPEN] as &[(&str, &str)], "200"),
        (&[METHOD, ("x-forwarded-proto", "wss"), FOR, OPEN], "200"),
        (&[METHOD, ("x-forwarded-proto", "WSS"), FOR, OPEN], "200"),
        (&[METHOD, ("x-forwarded-proto", "http"), FOR, OPEN], "401 https_only"),
        (&[METHOD, ("x-forwarded-proto", "https, http"), FOR, OPEN], "421 unknown_host"),
        (&[METHOD, ("x-forwarded-proto", "gopher"), FOR, OPEN], "421 unknown_host"),
        (&[METHOD, PROTO, FOR, ("x-forwarded-uri", "/private"), LIVE], "200 anna"),
        (&[METHOD, PROTO, ("x-forwarded-host", "other.example.com"), OPEN], "421 unknown_host"),
        (&[METHOD, PROTO, ("x-forwarded-host", "app.example.com@other"), OPEN], "421 unknown_host"),
        (&[METHOD, PROTO, OPEN], "421 unknown_host"),
        (&[METHOD, PROTO, FOR, ("x-forwarded-host", "other.example.com"), OPEN], "421 unknown_host"),
    ] {
        assert_eq!(ask(fields), said, "{fields:?}");
    }
}

#[test]
fn envoy_tells_in_the_path_and_hands_the_answer_on() {
    for (target, fields, said) in [
        ("/.vestibule/verify/public/a?b=c", &[] as &[(&str, &str)], "200"),
        ("/.vestibule/verify/private", &[LIVE], "200 anna"),
        ("/.vestibule/verify/private", &[], "401 no_session"),
        ("/.vestibule/verify/private", &[PAGE], "303 no_session"),
        ("/.vestibule/verify/", &[LIVE], "200 anna"),
        ("/.vestibule/verify/closed/a", &[LIVE], "403 denied_by_rule"),
        ("/.vestibule/verify/../login", &[], "401 no_session"),
        ("/.vestibule/verify/..%2flogin", &[], "401 no_session"),
        ("/.vestibule/verify/.vestibule/login", &[LIVE], "404 not_found"),
        ("/.vestibule/verify/public/../closed/a", &[LIVE], "403 denied_by_rule"),
        ("/.vestibule/verify//public/a", &[], "401 no_session"),
    ] {
        assert_eq!(trusted(target, fields), said, "{target} {fields:?}");
    }
    let closed = told("TRACE", "/.vestibule/verify/public/a", HOST, &[LIVE], PeerTrust::Trusted);
    assert_eq!(written(&closed), "405 method_not_allowed");
    let head = told("HEAD", "/.vestibule/verify/hook", HOST, &[], PeerTrust::Trusted);
    assert_eq!(written(&head), "401 no_session");
}

#[test]
fn what_is_not_told_clearly_is_not_told() {
    let open = ("x-original-uri", "/public/a");
    for (target, fields, unsaid) in [
        (VERIFY, &[] as &[(&str, &str)], Unsaid::Absent),
        (VERIFY, &[GET], Unsaid::Incomplete),
        (VERIFY, &[open], Unsaid::Incomplete),
        (VERIFY, &[GET, GET, open], Unsaid::Doubled),
        (VERIFY, &[GET, open, open], Unsaid::Doubled),
        (VERIFY, &[("x-original-method", "GET, POST"), open], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-uri", "public/a")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-uri", "https://app.example.com/public/a")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-uri", "/public/a b")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-url", "/public/a")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-url", "//app.example.com/public/a")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-uri", "/public/a\"b")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-url", "https://app.example.com?/public/a")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-url", "https://app.example.com,x/public/a")], Unsaid::Unreadable),
        (VERIFY, &[GET, ("x-original-url", "https://evil@app.example.com/public/a")], Unsaid::Unreadable),
        (VERIFY, &[("x-forwarded-method", "GET"), ("x-forwarded-uri", "/public/a")], Unsaid::Incomplete),
        (VERIFY, &[GET, open, ("x-original-url", "https://app.example.com/private")], Unsaid::Conflicting),
        (VERIFY, &[GET, open, ("x-forwarded-uri", "/private")], Unsaid::Conflicting),
        (VERIFY, &[GET, open, ("x-forwarded-method", "POST")], Unsaid::Conflicting),
        ("/.vestibule/verify/public/a", &[GET], Unsaid::Conflicting),
        ("/.vestibule/verify/public/a", &[("x-forwarded-uri", "/")], Unsaid::Conflicting),
    ] {
        let anybody = told("GET", target, HOST, fields, PeerTrust::Trusted);
        assert_eq!(anybody.original, Err(unsaid), "{fields:?}");
        assert_eq!(anybody.return_path, ReturnPath::root());
        // the site denies something, and what is asked for may be that
        let signed_in = told("GET", target, HOST, &[fields, &[LIVE]].concat(), PeerTrust::Trusted);
        assert!(anybody.outcome.is_err() && signed_in.outcome.is_err(), "{fields:?}");
    }
    // from anybody but a trusted proxy, nothing is told
    for fields in [&[GET, open] as &[(&str, &str)], &[("x-forwarded-method", "GET"), ("x-forwarded-uri", "/public/a")]]
    {
        let forged = told("GET", VERIFY, HOST, fields, PeerTrust::Untrusted);
        assert_eq!(forged.original, Err(Unsaid::Untrusted));
        assert!(forged.outcome.is_err());
    }
    assert!(told("GET", "/.vestibule/verify/public/a", HOST, &[], PeerTrust::Untrusted).outcome.is_err());
}

#[test]
fn a_refusal_names_the_way_to_sign_in() {
    let asked = [GET, ("x-original-uri", "/page?a=b%20c"), PAGE];
    for (target, location) in [
        ("/.vestibule/verify", "https://app.example.com/.vestibule/login?return_to=%2Fpage%3Fa%3Db%2520c"),
        ("/.vestibule/verify?redirect=1", "https://app.example.com/.vestibule/login?return_to=%2Fpage%3Fa%3Db%2520c"),
    ] {
        let verification = told("GET", target, HOST, &asked, PeerTrust::Trusted);
        let Err(refusal) = &verification.outcome else { panic!("let through") };
        let answer = Answer::to_verification(refusal, &verification);
        assert_eq!(answer.field("location"), Some(location), "{target}");
        let status = if target.ends_with('1') { 303 } else { 401 };
        assert_eq!(answer.status().as_u16(), status);
    }
}

#[test]
fn whoever_goes_round_between_http_and_https_is_told_so() {
    let ask = |count: &str, fields: &[(&str, &str)]| {
        let cookie = format!("__Host-vestibule-bounces={count}");
        let headers: HeaderMap = fields
            .iter()
            .chain([&("cookie", cookie.as_str())])
            .map(|(name, value)| {
                (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
            })
            .collect();
        let head =
            RequestHead { method: &Method::GET, path: VERIFY.as_bytes(), query: None, host: HOST, headers: &headers };
        let over_http = Arrival { scheme: Scheme::Http, peer_trust: PeerTrust::Trusted, ..over_tls() };
        written(&verify(&head, over_http, &[site(URL)], check))
    };
    // also where it is not known what is asked for
    for fields in [&[GET, ("x-original-uri", "/private")] as &[(&str, &str)], &[]] {
        assert_eq!(ask("2", fields), "401 https_only", "{fields:?}");
        assert_eq!(ask("3", fields), "403 circle_https_not_seen", "{fields:?}");
    }
}
