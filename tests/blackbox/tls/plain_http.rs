//! What plain http is for beside a site with https: a redirect, challenges of certificate authorities, and no word of HSTS.

use super::PHONE;
use crate::harness::children::fresh_folder;
use crate::harness::raw;
use crate::harness::stack::Plan;
use crate::harness::tls::SecureStack;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::time::Duration;

/// A request over plain http, and what came back.
async fn ask(secure: &SecureStack, line: &str, host: &str) -> (u16, String) {
    let request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let answer = raw::exchange(secure.stack.nodes[0].port(), request.as_bytes(), Duration::from_secs(20)).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let statuses = raw::statuses(&answer);
    assert_eq!(statuses.len(), 1, "{text}");
    (statuses[0], text)
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

#[tokio::test]
async fn a_plain_request_is_sent_to_https_whatever_its_method() {
    let secure = SecureStack::start();
    for (line, target) in [
        ("GET /", "/"),
        ("GET /a/b?c=d&e=%2F", "/a/b?c=d&e=%2F"),
        ("HEAD /x", "/x"),
        ("POST /form?x=1", "/form?x=1"),
        ("DELETE /thing", "/thing"),
        ("GET /.vestibule/login?return_to=%2F", "/.vestibule/login?return_to=%2F"),
        ("GET /.well-known/acme-challenge/abc", "/.well-known/acme-challenge/abc"),
        ("GET //other.example/%2e%2e", "//other.example/%2e%2e"),
    ] {
        for host in
            ["localhost".to_owned(), format!("localhost:{}", secure.stack.nodes[0].port()), "LOCALHOST".to_owned()]
        {
            let (status, answer) = ask(&secure, line, &host).await;
            assert_eq!(status, 308, "{line}: {answer}");
            assert_eq!(field(&answer, "location"), Some(format!("{}{target}", secure.site()).as_str()), "{line}");
            // nothing over plain http may say so (RFC 6797 §7.2), and no cookie goes that way but the one that counts redirects
            assert_eq!(field(&answer, "strict-transport-security"), None);
            assert!(field(&answer, "set-cookie").is_none_or(|cookie| cookie.contains("-bounces=")), "{answer}");
        }
    }
    assert_eq!(ask(&secure, "GET /", "other.example").await.0, 421);
    assert_eq!(ask(&secure, "GET /.vestibule/live", "other.example").await.0, 200);
    assert_eq!(secure.stack.upstream.count(), 0);
}

#[tokio::test]
async fn challenges_are_answered_from_their_folder_alone() {
    let webroot = fresh_folder("webroot");
    let place = webroot.path().join(".well-known/acme-challenge");
    std::fs::create_dir_all(place.join("folder")).unwrap();
    std::fs::write(place.join("tok_EN-1"), "tok_EN-1.thumbprint").unwrap();
    std::fs::write(place.join("large"), "x".repeat(5000)).unwrap();
    std::fs::write(place.join("with.dot"), "x").unwrap();
    std::fs::write(webroot.path().join("outside"), "outside").unwrap();
    std::fs::write(webroot.path().join(".well-known/outside"), "outside").unwrap();
    symlink(webroot.path().join("outside"), place.join("link")).unwrap();
    let path = webroot.path().display().to_string();
    let secure = SecureStack::start_with(Plan::new(), move |settings, _| {
        settings.set("listen.0.acme_webroot", path);
    });
    // whatever the host: an authority asks for the name that it is to certify, and that may be none of ours yet
    for host in ["localhost", "new.example", "127.0.0.1"] {
        let (status, answer) = ask(&secure, "GET /.well-known/acme-challenge/tok_EN-1", host).await;
        assert_eq!((status, answer.split_once("\r\n\r\n").unwrap().1), (200, "tok_EN-1.thumbprint"));
        assert_eq!(field(&answer, "content-length"), Some("19"));
        assert_eq!(field(&answer, "x-content-type-options"), Some("nosniff"));
    }
    let (status, answer) = ask(&secure, "HEAD /.well-known/acme-challenge/tok_EN-1", "localhost").await;
    assert_eq!((status, answer.split_once("\r\n\r\n").unwrap().1), (200, ""));
    for name in ["nothing", "folder", "large", "link"] {
        let (status, answer) = ask(&secure, &format!("GET /.well-known/acme-challenge/{name}"), "localhost").await;
        assert_eq!(status, 404, "{name}: {answer}");
    }
    for path in [
        "/.well-known/acme-challenge/",
        "/.well-known/acme-challenge/with.dot",
        "/.well-known/acme-challenge/../outside",
        "/.well-known/acme-challenge/..%2Foutside",
        "/.well-known/acme-challenge/%2e%2e/%2e%2e/outside",
        "/.well-known/acme-challenge/folder/x",
        "/.well-known/acme-challenge//tok_EN-1",
        "/.well-known/acme-challenge/tok_EN-1/",
        "/.well-known/outside",
        "/outside",
    ] {
        let (status, answer) = ask(&secure, &format!("GET {path}"), "localhost").await;
        assert_eq!(status, 308, "{path}: {answer}");
        assert!(!answer.contains("\r\n\r\noutside"), "{path}");
    }
    assert_eq!(ask(&secure, "POST /.well-known/acme-challenge/tok_EN-1", "localhost").await.0, 308);
    // On the listener with TLS it is a path like any other.
    assert_eq!(secure.person().fetch("/.well-known/acme-challenge/tok_EN-1").await.status, 401);
    // What is put there later is found.
    std::fs::write(place.join("later"), "later.thumbprint").unwrap();
    assert_eq!(ask(&secure, "GET /.well-known/acme-challenge/later", "localhost").await.0, 200);
}

#[test]
fn a_webroot_that_cannot_be_meant_is_a_mistake() {
    for (key, value, word) in [
        ("listen.0.acme_webroot", json!("/nonexistent/webroot"), "/nonexistent/webroot is no folder"),
        ("listen.1.acme_webroot", json!("/"), "only by a listener that redirects"),
    ] {
        let secure = SecureStack::prepare(Plan::new().set(key, value), |_, _| {});
        let checked = secure.stack.command(&["check"], "");
        let printed = format!("{}{}", checked.stdout, checked.stderr);
        assert!(checked.code == Some(1) && printed.contains(word), "{printed}");
    }
}

#[tokio::test]
async fn browsers_are_told_to_come_by_https_unless_the_application_says_so_itself() {
    const HSTS: &str = "strict-transport-security";
    for (config, expected) in [
        (json!({}), "max-age=31536000"),
        (json!({ "max_age": "1d", "include_subdomains": "on" }), "max-age=86400; includeSubDomains"),
        (json!({ "max_age": "0s" }), "max-age=0"),
        (json!({ "max_age": "off" }), ""),
    ] {
        let secure = SecureStack::start_with(Plan::new().set("sites.0.hsts", config), |_, _| {});
        let stranger = secure.person();
        let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
        for (what, answer) in [
            ("our page", stranger.open("/.vestibule/login").await.expect(200)),
            ("our redirect", stranger.open("/x").await.expect(303)),
            ("our refusal", stranger.fetch("/x").await.expect(401)),
            ("the application's page", person.open("/x").await.expect(200)),
            ("our page for a broken application", person.open("/drop").await.expect(502)),
        ] {
            assert_eq!(answer.header(HSTS), expected, "{what}");
            assert!(answer.headers.get_all(HSTS).iter().count() <= 1, "{what}");
        }
        let own = person.open("/hsts").await.expect(200);
        assert_eq!(own.header(HSTS), "max-age=5; includeSubDomains", "what the application says");
        assert_eq!(own.headers.get_all(HSTS).iter().count(), 1);
    }
    // A site with http (on loopback) says nothing, whatever is configured.
    let stack = Plan::new().set("sites.0.hsts", json!({ "max_age": "1d" })).start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for path in ["/x", "/.vestibule/account", "/.vestibule/login"] {
        assert_eq!(person.open(path).await.header(HSTS), "", "{path}");
    }
}
