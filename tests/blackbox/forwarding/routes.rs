//! Which rule decides: public, denied, elsewhere, and several sites in one process.

use super::{PHONE, ask_raw, status};
use crate::harness::stack::{Plan, Stack};
use crate::harness::upstream::Upstream;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_first_rule_that_matches_decides() {
    let media = Upstream::named("media");
    let stack = Plan::new()
        .set("trusted_proxies", json!(["127.0.0.1"]))
        .set("upstreams.media", json!({ "servers": [media.url()] }))
        .set(
            "sites.0.routes",
            json!([
                { "path": "/open/secret/*", "access": "deny" },
                { "path": "/open/*", "access": "public" },
                { "path": "/exactly", "access": "public" },
                { "path": "/hooks/*", "methods": ["POST"], "networks": ["203.0.113.0/24", "2001:db8::/32"], "access": "public" },
                { "path": "/reads/*", "methods": ["GET"], "access": "public" },
                { "path": "/media/*", "upstream": "media" },
                { "path": "/media-open/*", "upstream": "media", "access": "public" },
                { "path": "/never", "access": "deny" },
            ]),
        )
        .start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let from = |client: &str| stack.person().with_header("x-forwarded-for", client);
    let (inside, outside, sixth) = (from("203.0.113.9"), from("198.51.100.9"), from("2001:db8::9"));
    let (get, post) = (Method::GET, Method::POST);
    for (who, method, path, expected) in [
        (&outside, &get, "/open/page", 200),
        (&outside, &post, "/open/a/b/c", 200),
        (&outside, &get, "/open/", 200),
        (&outside, &get, "/open", 401),
        (&outside, &get, "/Open/page", 401),
        (&outside, &get, "/openly", 401),
        (&outside, &get, "/open/secret/page", 403),
        (&person, &get, "/open/secret/page", 403),
        (&outside, &get, "/exactly", 200),
        (&outside, &get, "/exactly?x=1", 200),
        (&outside, &get, "/exactly/", 401),
        (&outside, &get, "/exactly/page", 401),
        (&inside, &post, "/hooks/a", 200),
        (&sixth, &post, "/hooks/a", 200),
        (&inside, &get, "/hooks/a", 401),
        (&outside, &post, "/hooks/a", 401),
        (&outside, &get, "/reads/a", 200),
        (&outside, &Method::HEAD, "/reads/a", 200),
        (&outside, &post, "/reads/a", 401),
        (&outside, &get, "/media/a", 401),
        (&person, &get, "/media/a", 200),
        (&outside, &get, "/media-open/a", 200),
        (&person, &get, "/never", 403),
        (&outside, &get, "/", 401),
        (&person, &get, "/", 200),
    ] {
        let before = stack.upstream.count() + media.count();
        let answer = who.send(method.clone(), path, &[], None).await;
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text());
        let reached = stack.upstream.count() + media.count() - before;
        assert_eq!(reached, usize::from(expected == 200), "{method} {path}");
    }
    assert_eq!(media.count(), 2);
    let visitor = stack.upstream.requests_to("/open/page").remove(0);
    assert_eq!(visitor.header("x-forwarded-user"), None);
    // Someone with a session is known on public pages too.
    person.open("/open/known").await.expect(200);
    assert_eq!(stack.upstream.request_to("/open/known").header("x-forwarded-user"), Some("ada"));
}

#[tokio::test]
async fn a_path_that_readers_differ_about_is_never_public() {
    let stack = Plan::new()
        .set(
            "sites.0.routes",
            json!([{ "path": "/open/never/*", "access": "deny" }, { "path": "/open/*", "access": "public" }]),
        )
        .start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let nobody = stack.person();
    for path in [
        "/open/../admin",
        "/open/..%2fadmin",
        "/open/%2e%2e/admin",
        "/open/%2E%2E%2Fadmin",
        "/open/.%2e/admin",
        "/open/..;/admin",
        "/open/x;/../../admin",
        "/open/..%5cadmin",
        "/open/..\\admin",
        "/open/%252e%252e/admin",
        "/open/%252e%252e%252fadmin",
        "/open//admin",
        "//open/admin",
        "/open/./admin",
        "/open%2fadmin",
        "/open/a%00",
        "/open/a%0aadmin",
        "/open/%c0%ae%c0%ae/admin",
        "/open/%zz",
        "/open/a%3fb",
        "/open/a%23b",
        "/open/..%ef%bc%8fadmin/%2e%2e",
    ] {
        let answer = ask_raw(&nobody, path, &["Accept: application/json"]).await;
        assert!(matches!(status(&answer), 400 | 401), "{path}: {answer}");
        assert_eq!(stack.upstream.count(), 0, "{path}");
        // Someone who is signed in may ask, and what goes on is what was asked, byte for byte.
        let answer = ask_raw(&person, path, &[]).await;
        if status(&answer) == 200 {
            let seen = stack.upstream.requests().pop().unwrap();
            assert_eq!(seen.target, path);
            stack.upstream.forget();
        }
    }
    for path in ["/open/%61dmin", "/open/caf%C3%A9", "/open/a%20b", "/%6fpen/x"] {
        let answer = ask_raw(&nobody, path, &[]).await;
        assert_eq!(status(&answer), 200, "{path}: {answer}");
        assert_eq!(stack.upstream.requests().pop().unwrap().target, path);
    }
    stack.upstream.forget();
    for path in ["/open/never/x", "/open/never%2fx", "/open//never/x", "/open/x/..%2fnever/x", "/open/never;/x"] {
        for who in [&person, &nobody] {
            let answer = ask_raw(who, path, &["Accept: application/json"]).await;
            assert!(matches!(status(&answer), 400 | 401 | 403), "{path}: {answer}");
        }
        assert_eq!(stack.upstream.count(), 0, "{path}");
    }
}

#[tokio::test]
async fn nothing_under_our_own_paths_reaches_the_application() {
    let stack =
        Plan::new().set("sites.0.routes", json!([{ "path": "/" }, { "path": "/*", "access": "public" }])).start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    for path in [
        "/.vestibule",
        "/.vestibule/",
        "/.vestibule/none",
        "/.vestibule/login/none",
        "/.Vestibule/login",
        "/.VESTIBULE/x",
        "/%2evestibule/login",
        "/.vestibule%2flogin",
        "/.vestibul%65/x",
        "//.vestibule/login",
        "/x/../.vestibule/login",
        "/x/%2e%2e/.vestibule/login",
        "/.vestibule;x/login",
        "/.vestibule\\login",
        "/%252evestibule/login",
        "/./.vestibule/x",
    ] {
        for who in [&person, &stack.person()] {
            let answer = ask_raw(who, path, &[]).await;
            assert!(matches!(status(&answer), 303 | 400 | 401 | 403 | 404 | 405), "{path}: {answer}");
        }
        assert_eq!(stack.upstream.count(), 0, "{path}: {:#?}", stack.upstream.requests());
    }
}

#[tokio::test]
async fn a_session_of_one_site_is_none_at_another() {
    let second_upstream = Upstream::named("second");
    let stack = Plan::new()
        .set("upstreams.second", json!({ "servers": [second_upstream.url()] }))
        .set("sites.1", json!({ "name": "second", "url": "http://second.localhost:{PORT}", "upstream": "second" }))
        .start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.signed_in(&account).await;
    let second = person.at_site(&stack.site().replace("localhost", "second.localhost"));
    second.open("/").await.expect(303);
    let cookie = person.cookie("vestibule").unwrap();
    second.set_cookie("vestibule", &cookie);
    second.fetch("/").await.expect(401);
    assert_eq!(second_upstream.count(), 0);

    // The pending login of one is none at the other either.
    let pending = stack.person();
    let page = pending.give_password("/", &account).await;
    let elsewhere = pending.at_site(second.site());
    for cookie in pending.cookies() {
        elsewhere.set_cookie(&cookie.name, &cookie.value);
    }
    let code = stack.vendor.wait_for_message(PHONE, 2).code();
    let form = page.form_with("code");
    let answer = elsewhere.submit(&form, &page.asked, &[("code", &code)]).await;
    assert!(elsewhere.cookie("vestibule").is_none(), "{} {}", answer.status, answer.reads());
    elsewhere.fetch("/").await.expect(401);

    second.forget_cookies();
    let page = second.give_password("/mine?x=1", &account).await;
    let code = stack.vendor.wait_for_message(PHONE, 3).code();
    let answer = second.give_code(&page, &code).await;
    let page = second.follow_from(answer).await.expect(200);
    assert_eq!((page.json()["upstream"].as_str(), page.asked.as_str()), (Some("second"), "/mine?x=1"));
    person.fetch("/").await.expect(200);
    person.set_cookie("vestibule", &second.cookie("vestibule").unwrap());
    person.fetch("/").await.expect(401);
}

#[tokio::test]
async fn two_people_on_one_connection_pool_are_not_mixed_up() {
    let stack = Stack::start();
    let ada = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let bob = stack.signed_in(&stack.add_account("bob", "+32470111333")).await;
    for number in 0..10 {
        let (one, other) = (format!("/ada/{number}"), format!("/bob/{number}"));
        let (first, second) = tokio::join!(ada.open(&one), bob.open(&other));
        first.expect(200);
        second.expect(200);
        assert_eq!(stack.upstream.request_to(&one).header("x-forwarded-user"), Some("ada"));
        assert_eq!(stack.upstream.request_to(&other).header("x-forwarded-user"), Some("bob"));
    }
}

#[tokio::test]
async fn a_preflight_is_let_through_by_a_rule_and_nothing_else_is() {
    let stack =
        Plan::new().set("sites.0.routes", json!([{ "path": "/api/*", "preflight": "on", "access": "public" }])).start();
    let nobody = stack.person();
    let preflight = [
        ("origin", "https://scripts.example"),
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "content-type,x-http-method-override"),
        ("x-http-method-override", "PUT"),
    ];
    nobody.send(Method::OPTIONS, "/api/things", &preflight, None).await.expect(200);
    let seen = stack.upstream.request_to("/api/things");
    assert_eq!(seen.header("origin"), Some("https://scripts.example"));
    assert_eq!(seen.header("access-control-request-method"), Some("PUT"));
    assert_eq!((seen.header("x-forwarded-user"), seen.header("x-http-method-override")), (None, None));

    stack.upstream.forget();
    for (method, path, headers, body) in [
        (Method::PUT, "/api/things", &preflight[..], None),
        (Method::GET, "/api/things", &preflight[..], None),
        (Method::OPTIONS, "/other", &preflight[..], None),
        (Method::OPTIONS, "/api/..%2fthings", &preflight[..], None),
        (Method::OPTIONS, "/api/things", &preflight[..1], None),
        (Method::OPTIONS, "/api/things", &preflight[1..], None),
        (Method::OPTIONS, "/api/things", &[], None),
        (Method::OPTIONS, "/api/things", &preflight[..], Some(b"x".to_vec())),
    ] {
        nobody.send(method, path, headers, body).await.expect(401);
    }
    assert_eq!(stack.upstream.count(), 0);
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    person.send(Method::PUT, "/api/things", &[], None).await.expect(200);

    let url = format!("{}/api/things", stack.site());
    let said = stack.command(&["explain", "OPTIONS", &url, "--preflight"], "").done();
    assert!(said.contains("public: no sign-in") && said.contains("/api/* (CORS preflights only)"), "{said}");
    let said = stack.command(&["explain", "OPTIONS", &url], "").done();
    assert!(said.contains("sign-in needed"), "{said}");
    let said = stack.command(&["explain", "PUT", &url, "--preflight"], "");
    assert_eq!(said.code, Some(2), "{said:?}");
}
