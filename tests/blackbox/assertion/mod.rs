//! The signed assertion: what the application gets, verified by libraries of others with the keys that the running program publishes, and
//! what they refuse.

mod samples;

use crate::harness::evidence::SecretKind;
use crate::harness::person::Person;
use crate::harness::stack::{Plan, Stack, secret_file};
use crate::harness::upstream::Upstream;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rand::RngCore;
use reqwest::Method;
use samples::Sample;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PHONE: &str = "+32470111222";
const OTHER_PHONE: &str = "+32470111333";
const HEADER: &str = "x-vestibule-assertion";
const KEYS: &str = "/.vestibule/jwks.json";

fn asserting() -> Plan {
    Plan::new().set("sites.0.identity", json!({ "assertion": "on" }))
}

/// What the application got with a request to `path`.
async fn assertion_at(stack: &Stack, person: &Person, path: &str) -> String {
    person.open(path).await.expect(200);
    stack.upstream.request_to(path).header(HEADER).expect("an assertion").to_owned()
}

fn part(assertion: &str, at: usize) -> Value {
    let part = assertion.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

async fn published(person: &Person) -> Vec<Value> {
    person.send(Method::GET, KEYS, &[], None).await.expect(200).json()["keys"].as_array().unwrap().clone()
}

#[expect(clippy::disallowed_methods, reason = "what is signed now is compared with the machine's own clock")]
fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn libraries_of_others_verify_it_with_the_published_keys() {
    let stack = asserting().start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let assertion = assertion_at(&stack, &person, "/inside").await;
    let session = stack.upstream.request_to("/inside").header("x-vestibule-session").unwrap().to_owned();
    let now = seconds_now();
    for sample in Sample::ALL {
        let verdicts = sample.judges(&stack.site(), 0, &[&assertion]);
        let claims = verdicts[0].claims();
        for (claim, expected) in [
            ("iss", json!(stack.site())),
            ("aud", json!(stack.site())),
            ("sub", json!("ada")),
            ("sid", json!(session)),
            ("amr", json!(["pwd", "sms"])),
        ] {
            assert_eq!(claims[claim], expected, "{sample:?} {claim}");
        }
        let [signed, ends, shown] = ["iat", "exp", "auth_time"].map(|claim| claims[claim].as_u64().unwrap());
        assert_eq!(ends - signed, 60);
        assert!(signed <= now + 1 && now - signed < 30, "{claims}");
        assert!(shown <= signed && signed - shown < 60, "{claims}");
        assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    }
}

#[tokio::test]
async fn the_samples_refuse_what_is_old_forged_or_for_another_site() {
    let second_upstream = Upstream::named("second");
    let stack = asserting()
        .set("upstreams.second", json!({ "servers": [second_upstream.url()] }))
        .set(
            "sites.1",
            json!({
                "name": "second", "url": "http://second.localhost:{PORT}", "upstream": "second",
                "identity": { "assertion": "on" },
            }),
        )
        .start();
    let account = stack.add_account("ada", PHONE);
    let person = stack.signed_in(&account).await;
    let good = assertion_at(&stack, &person, "/inside").await;

    let second = person.at_site(&stack.site().replace("localhost", "second.localhost"));
    let page = second.give_password("/", &account).await;
    let code = stack.vendor.wait_for_message(PHONE, 2).code();
    second.give_code(&page, &code).await.expect(303);
    second.open("/there").await.expect(200);
    let elsewhere = second_upstream.request_to("/there").header(HEADER).unwrap().to_owned();

    let keys = published(&person).await;
    let public = keys[0]["x"].as_str().unwrap();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let mut raised = part(&good, 1);
    raised["sub"] = json!("root");
    let raised = encoded(&raised);
    let kid = &part(&good, 0)["kid"];
    let unsigned = encoded(&json!({ "alg": "none", "kid": kid, "typ": "JWT" }));
    let symmetric = encoded(&json!({ "alg": "HS256", "kid": kid, "typ": "JWT" }));
    let unknown = encoded(&json!({ "alg": "EdDSA", "kid": "00000000", "typ": "JWT" }));
    let with_public_key = |secret: &[u8]| {
        let message = format!("{symmetric}.{raised}");
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes())))
    };
    for sample in Sample::ALL {
        let words = sample.words();
        let refused = [
            (elsewhere.clone(), words.issuer),
            (format!("{unsigned}.{raised}."), words.algorithm),
            (format!("{unsigned}.{claims}.{signature}"), words.algorithm),
            (with_public_key(&URL_SAFE_NO_PAD.decode(public).unwrap()), words.algorithm),
            (with_public_key(public.as_bytes()), words.algorithm),
            (format!("{head}.{raised}.{signature}"), words.signature),
            (format!("{unknown}.{claims}.{signature}"), words.key),
            (String::new(), ""),
            ("a.b.c".to_owned(), ""),
            (format!("{good}.x"), ""),
        ];
        let mut given: Vec<&str> = refused.iter().map(|(assertion, _)| assertion.as_str()).collect();
        given.push(&good);
        let verdicts = sample.judges(&stack.site(), 0, &given);
        for ((assertion, word), verdict) in refused.iter().zip(&verdicts) {
            assert!(verdict.refusal().contains(word), "{sample:?}: {} for {assertion}", verdict.refusal());
        }
        assert_eq!(verdicts.last().unwrap().claims()["sub"], "ada");

        let verdict = sample.judges_by_audience_alone(&stack.site(), &elsewhere);
        assert!(verdict.refusal().contains(words.audience), "{sample:?}: {}", verdict.refusal());
        assert_eq!(sample.judges(&stack.site(), 25, &[&good])[0].claims()["sub"], "ada");
        let verdict = sample.judges(&stack.site(), 66, &[&good]).remove(0);
        assert!(verdict.refusal().contains(words.old), "{sample:?}: {}", verdict.refusal());
    }
}

#[tokio::test]
async fn a_new_key_verifies_before_it_signs_and_the_old_one_after() {
    let mut stack = asserting().start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let by_old = assertion_at(&stack, &person, "/old").await;
    let old_file = stack.settings.get("signing_keys.0");
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    let key = STANDARD.encode(key);
    stack.evidence().keep(SecretKind::Credential, &key);
    let new_file = json!({ "file": secret_file(stack.folder(), "second.key", &key) });

    reload_with(&mut stack, json!([old_file, new_file]));
    let keys = wait_for_keys(&person, |keys| keys.len() == 2).await;
    let (old_kid, new_kid) = (keys[0]["kid"].clone(), keys[1]["kid"].clone());
    let still_by_old = assertion_at(&stack, &person, "/added").await;
    assert_eq!((&part(&by_old, 0)["kid"], &part(&still_by_old, 0)["kid"]), (&old_kid, &old_kid));

    reload_with(&mut stack, json!([new_file, old_file]));
    let moved = wait_for_keys(&person, |keys| keys[0]["kid"] == new_kid).await;
    assert_eq!(moved, [keys[1].clone(), keys[0].clone()]);
    let by_new = assertion_at(&stack, &person, "/moved").await;
    assert_eq!(part(&by_new, 0)["kid"], new_kid);
    for sample in Sample::ALL {
        for verdict in sample.judges(&stack.site(), 0, &[&still_by_old, &by_new]) {
            assert_eq!(verdict.claims()["sub"], "ada", "{sample:?}");
        }
    }

    reload_with(&mut stack, json!([new_file]));
    wait_for_keys(&person, |keys| keys.len() == 1).await;
    for sample in Sample::ALL {
        let verdicts = sample.judges(&stack.site(), 0, &[&still_by_old, &by_new]);
        assert!(verdicts[0].refusal().contains(sample.words().key), "{sample:?}: {}", verdicts[0].refusal());
        assert_eq!(verdicts[1].claims()["sub"], "ada", "{sample:?}");
    }
}

fn reload_with(stack: &mut Stack, signing_keys: Value) {
    stack.settings.set("signing_keys", signing_keys);
    stack.rewrite_config(0);
    stack.node().reload();
}

async fn wait_for_keys(person: &Person, are_there: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let looking = async {
        loop {
            let keys = published(person).await;
            if are_there(&keys) {
                return keys;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking).await.expect("the keys are there in time")
}

#[tokio::test]
async fn each_session_has_its_own_and_nobody_else_gets_one() {
    let stack = asserting().set("sites.0.routes", json!([{ "path": "/open/*", "access": "public" }])).start();
    let ada = stack.add_account("ada", PHONE);
    let sessions = [
        stack.signed_in(&ada).await,
        stack.signed_in(&ada).await,
        stack.signed_in(&stack.add_account("bob", OTHER_PHONE)).await,
    ];
    let mut seen = Vec::new();
    for (number, person) in sessions.iter().enumerate() {
        let assertion = assertion_at(&stack, person, &format!("/inside/{number}")).await;
        let session = stack.upstream.request_to(&format!("/inside/{number}"));
        let claims = part(&assertion, 1);
        assert_eq!(claims["sid"].as_str(), session.header("x-vestibule-session"));
        assert_eq!(claims["sub"].as_str(), session.header("x-forwarded-user"));
        // On a public path it is known who is signed in, and said in the same way.
        let again = assertion_at(&stack, person, &format!("/open/{number}")).await;
        let signed = |assertion: &str| part(assertion, 1)["iat"].as_u64().unwrap();
        assert!(again == assertion || signed(&again) >= signed(&assertion) + 30, "signed twice in half a lifetime");
        seen.push(claims["jti"].clone());
    }
    assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2]);

    let forged = format!("{}.x", "a".repeat(40));
    for spelling in ["X-Vestibule-Assertion", "x_vestibule_assertion", "X.Vestibule.Assertion"] {
        let path = format!("/open/{}", spelling.len());
        stack.upstream.forget();
        stack.person().send(Method::GET, &path, &[(spelling, &forged)], None).await.expect(200);
        let got = stack.upstream.request_to(&path);
        assert!(!String::from_utf8_lossy(&got.raw_head).contains(&forged), "{spelling}: {got:#?}");
        assert_eq!(got.header(HEADER), None, "{spelling}");
        sessions[0].send(Method::GET, "/inside", &[(spelling, &forged)], None).await.expect(200);
        assert_eq!(part(stack.upstream.request_to("/inside").header(HEADER).unwrap(), 1)["sub"], "ada");
    }
}

#[tokio::test]
async fn before_activation_it_says_that_only_a_password_was_shown() {
    let stack = asserting().set("two_factor.activation", "staged").start();
    let person = stack.person();
    person.give_password("/", &stack.add_account("ada", PHONE)).await.expect(200);
    let assertion = assertion_at(&stack, &person, "/inside").await;
    for sample in Sample::ALL {
        assert_eq!(sample.judges(&stack.site(), 0, &[&assertion])[0].claims()["amr"], json!(["pwd"]));
    }
}

#[tokio::test]
async fn the_keys_are_for_everybody_and_only_where_assertions_are_used() {
    let stack = asserting().start();
    let nobody = stack.person();
    let answer = nobody.send(Method::GET, KEYS, &[], None).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/jwk-set+json");
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(answer.header("set-cookie"), "");
    let head = nobody.send(Method::HEAD, KEYS, &[], None).await.expect(200);
    assert_eq!(head.header("content-length"), answer.body.len().to_string());
    assert!(head.body.is_empty());
    nobody.send(Method::POST, KEYS, &[], None).await.expect(405);
    for key in published(&nobody).await {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["use"], &key["alg"]),
            (&json!("OKP"), &json!("Ed25519"), &json!("sig"), &json!("EdDSA"))
        );
        assert!(key.get("d").is_none());
    }
    assert_eq!(stack.upstream.count(), 0);

    let without = Stack::start();
    without.person().send(Method::GET, KEYS, &[], None).await.expect(404);
    let person = without.signed_in(&without.add_account("ada", PHONE)).await;
    person.open("/inside").await.expect(200);
    assert_eq!(without.upstream.request_to("/inside").header(HEADER), None);
}
