//! Who the upstream is told the user is, and that nobody else can say so.

use std::time::Duration;

use super::rig::{Rig, Upstream, answer, read_body};
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::time::UnixMillis;

#[test]
fn the_upstream_learns_the_user_and_nothing_of_ours() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let session = rig.session("anna");
    let cookie = format!("Cookie: a=1; vestibule={}; b=2; vestibule-login=x", rig.sessions.cookie(&session));
    let line = "GET /app%2F..//x;y?z=%00 HTTP/1.1";
    let answer = rig.ask("GET /app%2F..//x;y?z=%00", &[&cookie, "Authorization: Bearer of-the-application"]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    let got = upstream.last();
    assert_eq!(got.line, line, "the target goes on byte for byte");
    assert_eq!(got.field("x-forwarded-user"), Some("anna"));
    assert_eq!(got.field("x-vestibule-session"), Some(session.id.to_string().as_str()));
    assert_eq!(got.field("cookie"), Some("a=1; b=2"));
    assert_eq!(got.field("authorization"), Some("Bearer of-the-application"));
    assert_eq!(got.field("host"), Some("app.localhost"));
    assert_eq!(got.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(got.field("x-forwarded-host"), Some("app.localhost"));
    assert_eq!(got.field("x-forwarded-proto"), Some("http"));
}

#[test]
fn no_spelling_of_an_identity_header_reaches_the_upstream() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let spellings = [
        "X-Forwarded-User",
        "x-forwarded-user",
        "X-FORWARDED-USER",
        "X_Forwarded_User",
        "X-Forwarded_User",
        "X_Forwarded-User",
        "x_forwarded_user",
        "X.Forwarded.User",
        "X-Forwarded.User",
        "X~Forwarded~User",
        "X!Forwarded!User",
        "X#Forwarded#User",
        "X$Forwarded$User",
        "X%Forwarded%User",
        "X&Forwarded&User",
        "X'Forwarded'User",
        "X*Forwarded*User",
        "X+Forwarded+User",
        "X^Forwarded^User",
        "X`Forwarded`User",
        "X|Forwarded|User",
        "X-Forwarded-Email",
        "X_Forwarded_Email",
        "X-Forwarded-Preferred-Username",
        "x_forwarded_preferred_username",
        "X-Forwarded-Groups",
        "X_Forwarded_Groups",
        "X-Vestibule-Session",
        "X_Vestibule_Session",
        "x-vestibule_session",
        "X.Vestibule.Session",
        "X-Vestibule-Assertion",
        "X_Vestibule_Assertion",
        "X+Vestibule+Assertion",
        "X-Vestibule-User",
        "Forwarded",
        "X-Real-IP",
        "X_Real_IP",
        "X-Original-URL",
        "X_Original_URL",
        "X-Rewrite-URL",
        "X-Forwarded-Prefix",
        "X-Forwarded-Uri",
        "X-Forwarded-Server",
        "X-Forwarded-For",
        "X_Forwarded_For",
        "X-Forwarded-Host",
        "X.Forwarded.Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Port",
        "X-Client-IP",
    ];
    assert!(spellings.len() >= 40);
    let cookie = rig.cookie();
    let mut client = rig.client();
    for name in spellings {
        let spoof = format!("{name}: eve");
        for (line, signed_in) in [("GET /app", Some(cookie.as_str())), ("GET /public/x", None)] {
            let fields: Vec<&str> = [spoof.as_str()].into_iter().chain(signed_in).collect();
            assert_eq!(client.ask(line, &fields, b"").status, 200, "{name}");
            let got = upstream.last();
            assert!(!got.fields.iter().any(|field| field.contains("eve")), "{name}: {got:?}");
        }
    }
}

#[test]
fn the_identity_cannot_be_nominated_away() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let cookie = rig.cookie();
    let answer = rig.ask("GET /app", &[&cookie, "Connection: close, X-Forwarded-User, X-Vestibule-Session, Cookie"]);
    assert_eq!(answer.status, 200);
    let got = upstream.last();
    assert_eq!(got.field("x-forwarded-user"), Some("anna"));
    assert!(got.field("x-vestibule-session").is_some());
    assert_eq!(rig.ask("GET /app", &[&cookie, "Connection: X-Forwarded-For"]).status, 400);
}

#[test]
fn an_upstream_can_neither_set_nor_see_our_cookies() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        let fields = ["Set-Cookie: app=1", "Set-Cookie: vestibule=planted; Path=/", "X-Vestibule-Session: echo"];
        answer(socket, "200 OK", &fields, b"ok")
    });
    let rig = Rig::before(&upstream);
    let answer = rig.ask("GET /app", &[&rig.cookie()]);
    let set: Vec<&String> =
        answer.fields.iter().filter(|field| field.to_lowercase().starts_with("set-cookie")).collect();
    assert_eq!(set, ["Set-Cookie: app=1"]);
    assert_eq!(answer.field("x-vestibule-session"), None);
}

#[test]
fn an_active_session_is_renewed_on_an_answer_that_no_shared_cache_keeps() {
    let upstream = Upstream::with(|socket, got| {
        read_body(socket, got);
        answer(socket, "200 OK", &["Cache-Control: public, max-age=60", "CDN-Cache-Control: max-age=60"], b"ok")
    });
    let rig = Rig::before(&upstream);
    let cookie = rig.cookie();
    let early = rig.ask("GET /app", &[&cookie]);
    assert_eq!(early.field("set-cookie"), None);
    rig.pass(Duration::from_secs(181));
    rig.hear_the_feed();
    let later = rig.ask("GET /app", &[&cookie]);
    let set = later.field("set-cookie").unwrap();
    assert!(set.starts_with("vestibule=v1.") && set.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
    assert_eq!(later.field("vary"), Some("Cookie"));
    for answer in [&early, &later] {
        assert_eq!(answer.field("cache-control"), Some("private, max-age=60"));
        assert_eq!(answer.field("cdn-cache-control"), None);
    }
    let public = rig.ask("GET /public/x", &[]);
    assert_eq!(public.field("cache-control"), Some("public, max-age=60"), "public pages stay cacheable");
}

#[test]
fn while_nobody_can_tell_the_public_pages_go_on() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let cookie = rig.cookie();
    rig.pass(Duration::from_secs(200));
    let waiting = rig.ask("GET /app", &[&cookie]);
    assert_eq!(waiting.status, 503);
    assert!(waiting.field("retry-after").is_some());
    assert_eq!(waiting.field("set-cookie"), None, "nobody is signed out by it");
    assert_eq!(rig.ask("GET /public/x", &[&cookie]).status, 200);
    assert_eq!(upstream.last().field("x-forwarded-user"), None);
}

#[test]
fn an_ended_session_is_refused_at_once() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let session = rig.session("anna");
    let cookie = format!("Cookie: vestibule={}", rig.sessions.cookie(&session));
    assert_eq!(rig.ask("GET /app", &[&cookie]).status, 200);
    rig.sessions.apply(&[FeedRow { number: 1, at: UnixMillis(0), what: Revoked::Session(session.id) }]);
    assert_eq!(rig.ask("GET /app", &[&cookie]).status, 401);
    assert_eq!(upstream.got().len(), 1);
}
