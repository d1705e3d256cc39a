//! Staying in and being put out: a session ends when it is told to, on every node, and not before.

use crate::harness::children::wait_for;
use crate::harness::endings::{WAYS, end};
use crate::harness::html;
use crate::harness::person::Person;
use crate::harness::raw::open_socket;
use crate::harness::stack::{Account, Accounts, Plan, Stack};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

const PHONE: &str = "+32470111222";

/// The longest that any node may go on with a session that was ended (design §5, revocation).
const BOUND: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_ended_is_over_on_both_nodes_within_a_second() {
    ended_on_both_nodes(&Plan::new().accounts(Accounts::Postgres).nodes(2).start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_is_ended_is_over_within_a_second_with_sqlite_too() {
    ended_on_both_nodes(&Plan::new().nodes(2).start()).await;
}

/// Each way to end a session, with requests and open streams at both nodes.
async fn ended_on_both_nodes(stack: &Stack) {
    let mut slowest = Duration::ZERO;
    for (number, way) in WAYS.into_iter().enumerate() {
        let account = stack.add_account(&format!("user{number}"), &format!("+3247011122{number}"));
        let other = stack.add_account(&format!("other{number}"), &format!("+3247011133{number}"));
        let first = stack.signed_in(&account).await;
        let second = first.at_port(stack.nodes[1].port());
        let bystander = stack.signed_in(&other).await.at_port(stack.nodes[1].port());
        for person in [&first, &second, &bystander] {
            person.fetch("/").await.expect(200);
        }
        let mut streams = Vec::new();
        for person in [&first, &second] {
            let mut events = person.begin(Method::GET, "/events", &[], None).await.unwrap();
            events.chunk().await.unwrap().unwrap();
            streams.push((events, open_socket(person, "/socket").await.unwrap()));
        }
        let streams_before = stack.upstream.open_streams();
        assert_eq!(streams_before, 4);

        let ended = end(stack, way, &first, &account).await;

        for person in [first.copy(), second.copy()] {
            let copied = person;
            loop {
                let answer = copied.fetch("/").await;
                if answer.status == 401 {
                    break;
                }
                assert_eq!(answer.status, 200, "{way:?}");
                assert!(ended.elapsed() < BOUND, "{way:?}: still open at port {}", copied.port());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        slowest = slowest.max(ended.elapsed());
        wait_for("all streams of the session to end", || (stack.upstream.open_streams() == 0).then_some(()));
        println!("{way:?}: requests refused and streams ended after {:?}", ended.elapsed());
        assert!(ended.elapsed() < BOUND + BOUND / 2, "{way:?}: streams went on for {:?}", ended.elapsed());
        bystander.fetch("/").await.expect(200);
    }
    println!("the slowest way took {slowest:?}");
}

#[tokio::test]
async fn a_copied_cookie_opens_nothing_after_sign_out_whatever_happens_then() {
    let mut stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.signed_in(&account).await;
    let elsewhere = stack.signed_in(&account).await;
    let copied = person.copy();
    copied.fetch("/").await.expect(200);

    // Looking at the question ends nothing; only the answer does.
    person.open("/.vestibule/logout").await.expect(200);
    person.fetch("/").await.expect(200);
    let page = person.follow_from(person.sign_out().await).await.expect(200);
    assert!(page.reads().contains("signed out"), "{}", page.reads());
    assert_eq!(person.cookie("vestibule"), None, "the browser still has its cookie");
    copied.fetch("/").await.expect(401);
    copied.open("/").await.expect(303);

    let environment = stack.environment().to_vec();
    stack.node().start_again(&environment);
    // A copy has no connection from before.
    let copied = copied.copy();
    copied.fetch("/").await.expect(401);
    stack.redis().flush();
    copied.fetch("/").await.expect(401);
    stack.redis().kill();
    stack.redis().start_again();
    copied.fetch("/").await.expect(401);
    // Another browser of the same person is not signed out with it.
    elsewhere.copy().fetch("/").await.expect(200);
}

#[tokio::test]
async fn a_sign_out_that_another_site_asks_for_is_none() {
    let stack = Stack::start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let page = person.open("/.vestibule/logout").await.expect(200);
    let form = page.form_to("/.vestibule/logout");
    let csrf = form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let body = |csrf: &str| {
        Some(format!("csrf={}", form_urlencoded::byte_serialize(csrf.as_bytes()).collect::<String>()).into_bytes())
    };
    let form_type = ("content-type", "application/x-www-form-urlencoded");
    let same = person.site().to_owned();
    for (what, headers, body) in [
        ("no token", vec![form_type, ("origin", &same), ("sec-fetch-site", "same-origin")], body("")),
        ("a forged token", vec![form_type, ("origin", &same), ("sec-fetch-site", "same-origin")], body("AAAA")),
        (
            "another site",
            vec![form_type, ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            body(&csrf),
        ),
        (
            "a neighbour",
            vec![form_type, ("origin", "http://evil.localhost"), ("sec-fetch-site", "same-site")],
            body(&csrf),
        ),
        ("another origin", vec![form_type, ("origin", "https://evil.example")], body(&csrf)),
    ] {
        let copied = person.copy();
        let answer = copied.send(Method::POST, "/.vestibule/logout", &headers, body).await;
        assert_ne!(answer.status, 303, "{what}: {}", answer.text());
        person.fetch("/").await.expect(200);
    }
}

#[tokio::test]
async fn a_session_ends_when_nobody_used_it_and_at_its_last_end_whatever_is_used() {
    let stack = Plan::new().set("session.idle_timeout", "2s").set("session.lifetime", "6s").start();
    let account = stack.add_account("ada", PHONE);
    let began = Instant::now();
    let busy = stack.signed_in(&account).await;
    let opened = Instant::now();
    let idle = busy.copy();
    let mut renewed = 0;
    let mut cookie = busy.cookie("vestibule").unwrap();
    let mut idle_for = None;
    let lasted = loop {
        let answer = busy.fetch("/busy").await;
        let now = opened.elapsed();
        if answer.status == 401 {
            break now;
        }
        answer.clone().expect(200);
        let new = busy.cookie("vestibule").unwrap();
        if new == cookie {
            assert_eq!(answer.header("set-cookie"), "");
        } else {
            renewed += 1;
            let cache = answer.header("cache-control");
            assert!(cache.contains("private") || cache.contains("no-store"), "a shared cache may keep it: {cache:?}");
            cookie = new;
        }
        if idle_for.is_none() && idle.copy().fetch("/idle").await.status == 401 {
            idle_for = Some(now);
        }
        assert!(now < Duration::from_secs(20), "it never ends");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let idle_for = idle_for.expect("the unused cookie to end first");
    println!("idle end after {idle_for:?}, absolute end after {lasted:?}, {renewed} cookies");
    assert!((1.5..3.5).contains(&idle_for.as_secs_f64()), "{idle_for:?}");
    assert!(began.elapsed() >= Duration::from_secs(6) && lasted < Duration::from_secs(8), "{lasted:?}");
    // A tenth of two seconds is 200 ms: no more than 30 in six seconds.
    assert!((5..=31).contains(&renewed), "{renewed} cookies");
    assert_eq!(cookie_attributes(&stack, &account).await, ["HttpOnly", "Path=/", "SameSite=Lax"]);
}

/// What stands beside the session cookie, but for its value.
async fn cookie_attributes(stack: &Stack, account: &Account) -> Vec<String> {
    let person = stack.person();
    let sent = stack.vendor.messages_to(&account.phone).len();
    let page = person.give_password("/", account).await;
    let code = stack.vendor.wait_for_message(&account.phone, sent + 1).code();
    let answer = person.give_code(&page, &code).await.expect(303);
    let cookies = answer.headers.get_all("set-cookie");
    let session = cookies.iter().find_map(|value| value.to_str().ok()?.strip_prefix("vestibule="));
    let mut attributes: Vec<String> = session.unwrap().split("; ").skip(1).map(str::to_owned).collect();
    attributes.sort();
    attributes
}

#[tokio::test]
async fn streams_end_with_the_session_they_belong_to() {
    let stack = Plan::new().set("session.idle_timeout", "4s").set("session.lifetime", "4s").start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let mut events = person.begin(Method::GET, "/events", &[], None).await.unwrap();
    events.chunk().await.unwrap().unwrap();
    let _socket = open_socket(&person, "/socket").await.unwrap();
    let began = Instant::now();
    wait_for("both streams to end", || {
        stack.upstream.emit("still there");
        (stack.upstream.open_streams() == 0).then_some(())
    });
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
}

#[tokio::test]
async fn asking_who_is_signed_in_is_no_activity() {
    let stack = Plan::new().set("session.idle_timeout", "2s").start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let who = person.fetch("/.vestibule/session").await.expect(200);
    assert_eq!(who.json()["user"], "ada", "{}", who.text());
    assert_eq!(who.header("cache-control"), "no-store");
    stack.person().fetch("/.vestibule/session").await.expect(401);
    let began = Instant::now();
    while person.fetch("/.vestibule/session").await.status == 200 {
        assert!(began.elapsed() < Duration::from_secs(5), "asking kept the session alive");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    person.fetch("/").await.expect(401);
}

#[tokio::test]
async fn sessions_outlive_a_change_of_keys_that_goes_by_the_book() {
    let mut stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let old = stack.settings.get("signing_keys.0");
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    let file = crate::harness::stack::secret_file(stack.folder(), "sign-new.key", &STANDARD.encode(key));
    let new = json!({ "file": file });

    let before = stack.signed_in(&account).await;
    serve_with_keys(&mut stack, json!([old, new]));
    before.copy().fetch("/").await.expect(200);
    serve_with_keys(&mut stack, json!([new, old]));
    before.copy().fetch("/").await.expect(200);
    let after = stack.signed_in(&account).await;
    assert_ne!(key_id(&before), key_id(&after));
    serve_with_keys(&mut stack, json!([new]));
    after.copy().fetch("/").await.expect(200);
    before.copy().fetch("/").await.expect(401);
    before.copy().open("/").await.expect(303);
}

fn key_id(person: &Person) -> String {
    person.cookie("vestibule").unwrap().split('.').nth(1).unwrap().to_owned()
}

fn serve_with_keys(stack: &mut Stack, keys: serde_json::Value) {
    stack.settings.set("signing_keys", keys);
    stack.rewrite_config(0);
    let environment = stack.environment().to_vec();
    stack.node().start_again(&environment);
}

#[tokio::test]
async fn activation_asks_every_open_session_for_a_code_within_a_second() {
    let stack = Plan::new().accounts(Accounts::Postgres).nodes(2).set("two_factor.activation", "staged").start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.person();
    let answer = person.give_password("/before", &account).await.expect(200);
    assert_eq!(answer.asked, "/before");
    assert_eq!(stack.vendor.requests().len(), 0, "an SMS before activation");
    let other = person.at_port(stack.nodes[1].port());
    other.fetch("/").await.expect(200);

    stack.command(&["two-factor", "activate", "--reason", "a test"], "").done();
    let activated = Instant::now();
    for person in [&person, &other] {
        while person.fetch("/").await.status == 200 {
            assert!(activated.elapsed() < BOUND, "a password is still enough at port {}", person.port());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(person.fetch("/").await.expect(401).json()["code"], "code_required");

    // The password was given a moment ago: only the code is asked for.
    let page = person.follow("/after?x=1").await.expect(200);
    assert!(!page.has_form_with("password"), "{}", page.reads());
    let form = html::forms(&page.text()).into_iter().find(|form| form.action.contains("/.vestibule/code")).unwrap();
    let answer = person.submit(&form, &page.asked, &[]).await;
    let page = person.follow_from(answer).await;
    let code = stack.vendor.wait_for_message(PHONE, 1).code();
    let answer = person.give_code(&page, &code).await;
    let page = person.follow_from(answer).await.expect(200);
    assert_eq!(page.asked, "/after?x=1");
    other.fetch("/").await.expect(200);
}
