//! What the application learns of who asks, and that nobody else can tell it.

use super::{PHONE, ask_raw, status};
use crate::harness::stack::{Plan, Stack};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_application_learns_the_user_and_nothing_of_ours() {
    let stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.signed_in(&account).await;
    person.set_cookie("app", "1");
    person.set_cookie("vestibule-login", "kept-by-nobody");
    let authorization = [("authorization", "Basic YTpi"), ("x-custom", "kept")];
    person.send(Method::GET, "/learns?a=1&b=%2F", &authorization, None).await.expect(200);

    let seen = stack.upstream.request_to("/learns");
    assert_eq!(seen.target, "/learns?a=1&b=%2F");
    assert_eq!(seen.header("x-forwarded-user"), Some("ada"));
    assert_eq!(seen.header("cookie"), Some("app=1"));
    assert_eq!(seen.header("authorization"), Some("Basic YTpi"), "the application's own sign-in is its own");
    assert_eq!(seen.header("x-custom"), Some("kept"));
    assert_eq!(seen.header("host"), Some(person.host()));
    assert_eq!(seen.header("x-forwarded-host"), Some(person.host()));
    assert_eq!(seen.header("x-forwarded-proto"), Some("http"));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(seen.header("x-forwarded-port"), person.host().rsplit_once(':').map(|(_, port)| port));
    let session = seen.header("x-vestibule-session").expect("a name for the session").to_owned();
    assert!(!person.cookie("vestibule").unwrap().contains(&session));

    person.open("/again").await.expect(200);
    assert_eq!(stack.upstream.request_to("/again").header("x-vestibule-session"), Some(session.as_str()));
    let other = stack.signed_in(&account).await;
    other.open("/other").await.expect(200);
    assert_ne!(stack.upstream.request_to("/other").header("x-vestibule-session"), Some(session.as_str()));
}

#[tokio::test]
async fn no_spelling_of_an_identity_header_reaches_the_application() {
    let stack = Plan::new()
        .set("sites.0.routes", json!([{ "path": "/open/*", "access": "public" }]))
        .set("sites.0.identity", json!({ "headers": { "user": "Remote-User", "email": "X-Mail" } }))
        .start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let nobody = stack.person();
    for spelling in SPELLINGS {
        let field = format!("{spelling}: eve");
        for (who, path, expected) in [(&nobody, "/open/x", None), (&person, "/closed", Some("ada"))] {
            stack.upstream.forget();
            let answer = ask_raw(who, path, &[&field, &field, "X-Kept: yes"]).await;
            if status(&answer) == 400 {
                assert_eq!(stack.upstream.count(), 0, "{spelling}: refused and passed on");
                continue;
            }
            assert_eq!(status(&answer), 200, "{spelling}: {answer}");
            let seen = stack.upstream.request_to(path);
            assert!(!seen.raw_head.windows(3).any(|bytes| bytes == b"eve"), "{spelling}: {seen:#?}");
            assert_eq!(seen.header("remote-user"), expected, "{spelling}");
            assert_eq!(seen.header("x-kept"), Some("yes"), "{spelling}");
        }
    }
}

const SPELLINGS: [&str; 58] = [
    "Remote-User",
    "remote-user",
    "REMOTE-USER",
    "rEmOtE-uSeR",
    "Remote_User",
    "REMOTE_USER",
    "Remote.User",
    "Remote~User",
    "Remote!User",
    "Remote'User",
    "Remote*User",
    "Remote+User",
    "Remote`User",
    "Remote|User",
    "Remote^User",
    "Remote#User",
    "Remote$User",
    "Remote%User",
    "Remote&User",
    "Remote-User ",
    " Remote-User",
    "Remote-User\t",
    "X-Mail",
    "X_Mail",
    "x.mail",
    "X-Forwarded-User",
    "x-forwarded-user",
    "X_Forwarded_User",
    "X-Forwarded_User",
    "X_Forwarded-User",
    "X.Forwarded.User",
    "X~Forwarded~User",
    "X-Forwarded-Email",
    "X_FORWARDED_EMAIL",
    "X-Forwarded-Preferred-Username",
    "X_Forwarded_Preferred_Username",
    "X-Forwarded-Groups",
    "X_Forwarded_Groups",
    "X-Vestibule-Session",
    "X_Vestibule_Session",
    "x-vestibule.session",
    "X-Vestibule-User",
    "X_Vestibule_User",
    "X-Vestibule-Assertion",
    "X_Vestibule_Assertion",
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X-Forwarded-Host",
    "X_Forwarded_Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Uri",
    "X-Forwarded-Server",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-Real-IP",
    "Forwarded",
];

#[tokio::test]
async fn the_identity_cannot_be_nominated_away() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for nominated in ["X-Forwarded-User", "x-forwarded-user, Cookie", "close, X-Vestibule-Session, X-Forwarded-For"] {
        stack.upstream.forget();
        let fields = [format!("Connection: {nominated}"), "X-Custom: 1".to_owned(), "Cookie: app=1".to_owned()];
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let answer = ask_raw(&person, "/nominated", &fields).await;
        if status(&answer) == 400 {
            assert_eq!(stack.upstream.count(), 0);
            continue;
        }
        assert_eq!(status(&answer), 200, "{nominated}: {answer}");
        let seen = stack.upstream.request_to("/nominated");
        assert_eq!(seen.header("x-forwarded-user"), Some("ada"), "{nominated}");
        assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1"), "{nominated}");
        assert!(seen.header("x-vestibule-session").is_some(), "{nominated}");
    }
}

#[tokio::test]
async fn what_belongs_to_one_connection_does_not_go_on() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let fields = [
        "Connection: X-Hop, Keep-Alive",
        "X-Hop: only to the gateway",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: Basic YTpi",
        "TE: trailers",
        "Trailer: X-Late",
        "X-End: to the application",
    ];
    let answer = ask_raw(&person, "/hops", &fields).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = stack.upstream.request_to("/hops");
    for gone in ["x-hop", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer"] {
        assert_eq!(seen.headers_named(gone), [""; 0], "{gone}");
    }
    assert_eq!(seen.header("x-end"), Some("to the application"));
}

#[tokio::test]
async fn our_cookies_do_not_come_from_the_application() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let before = person.copy();
    let answer = person.open("/cookie").await.expect(200);
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    // At an http site ours has no prefix; the name with it is the application's to use.
    assert_eq!(set, ["app=1; Path=/", "__Host-vestibule=planted; Path=/; Secure", "theme=dark"]);
    assert_eq!(person.cookie("vestibule"), before.cookie("vestibule"));
    before.open("/next").await.expect(200);
}

#[tokio::test]
async fn a_proxy_in_front_is_believed_only_when_it_is_named() {
    let stack = Plan::new().set("trusted_proxies", json!(["127.0.0.1"])).start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let fields = ["X-Forwarded-For: 198.51.100.7", "X-Real-IP: 198.51.100.7", "X_Forwarded_User: eve"];
    let answer = ask_raw(&person, "/through-a-proxy", &fields).await;
    assert_eq!(status(&answer), 200, "{answer}");
    let seen = stack.upstream.request_to("/through-a-proxy");
    assert_eq!(seen.header("x-forwarded-for"), Some("198.51.100.7, 127.0.0.1"));
    assert_eq!(seen.header("x-real-ip"), Some("198.51.100.7"));
    assert_eq!(seen.header("x-forwarded-user"), Some("ada"), "an identity is believed from nobody");
    assert!(!String::from_utf8_lossy(&seen.raw_head).contains("eve"), "{seen:#?}");
}
