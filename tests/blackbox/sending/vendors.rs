//! One vendor, over real sockets, in every bad mood.

use crate::harness::children::free_port;
use crate::harness::sms_vendor::Behaviour;
use crate::harness::stack::{Plan, Stack};
use crate::harness::steps::CODE;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A mood, and what comes of it.
struct Mood {
    name: &'static str,
    behaviour: Behaviour,
    /// On the page that the person comes to.
    sees: &'static str,
    /// What counts against the limits: the outcome of the SMS.
    charged: &'static str,
    /// Its class in the log, with the level.
    logged: (&'static str, &'static str),
}

const SENT: &str = "We sent a code to your phone number ending in";
const UNSURE: &str = "The text message may be on its way, but we are not sure";
const NOT_SENT: &str = "We could not send you a text message. Wait a minute and try again, or ask for help";
const NUMBER_REFUSED: &str = "Text messages cannot be sent to this number. Ask for help";
/// What a vendor says of itself is nobody's business.
const VENDOR_WORDS: &str = "MegaText Ltd: originator quota exhausted";

#[tokio::test]
async fn each_mood_of_a_vendor_has_its_sentence_its_charge_and_its_line_in_the_log() {
    let stack = strict().start();
    let usual = Behaviour::default;
    let saying = |status: &str| Some(json!({ "status": status, "message": VENDOR_WORDS }));
    let moods = [
        Mood { name: "well", behaviour: usual(), sees: SENT, charged: "accepted", logged: ("INFO", "accepted") },
        Mood {
            name: "slow",
            behaviour: Behaviour { delay: Duration::from_secs(20), ..usual() },
            sees: UNSURE,
            charged: "maybe_sent",
            logged: ("WARN", "maybe_sent"),
        },
        Mood {
            name: "reset",
            behaviour: Behaviour { resets: true, ..usual() },
            sees: UNSURE,
            charged: "maybe_sent",
            logged: ("WARN", "maybe_sent"),
        },
        Mood {
            name: "accepted and lost",
            behaviour: Behaviour { drop_after_taking: true, ..usual() },
            sees: UNSURE,
            charged: "maybe_sent",
            logged: ("WARN", "maybe_sent"),
        },
        Mood {
            name: "429",
            behaviour: Behaviour { status: Some(429), body: saying("throttled"), ..usual() },
            sees: NOT_SENT,
            charged: "not_sent",
            logged: ("WARN", "transient"),
        },
        Mood {
            name: "5xx",
            behaviour: Behaviour { status: Some(503), body: saying("down"), ..usual() },
            sees: NOT_SENT,
            charged: "not_sent",
            logged: ("WARN", "transient"),
        },
        Mood {
            name: "401",
            behaviour: Behaviour { status: Some(401), body: saying("who are you"), ..usual() },
            sees: NOT_SENT,
            charged: "not_sent",
            logged: ("ERROR", "provider"),
        },
        Mood {
            name: "200, but refused",
            behaviour: Behaviour { body: saying("no_credit"), ..usual() },
            sees: NOT_SENT,
            charged: "not_sent",
            logged: ("ERROR", "provider"),
        },
        Mood {
            name: "200, but not to this number",
            behaviour: Behaviour { body: saying("bad_number"), ..usual() },
            sees: NUMBER_REFUSED,
            charged: "not_sent",
            logged: ("WARN", "recipient"),
        },
        Mood {
            name: "garbage",
            behaviour: Behaviour {
                raw: Some(b"<html>\0\xff please sign in to the hotel's network".to_vec()),
                ..usual()
            },
            sees: UNSURE,
            charged: "maybe_sent",
            logged: ("WARN", "maybe_sent"),
        },
        Mood {
            name: "ten megabytes",
            behaviour: Behaviour { raw: Some(vec![b'a'; 10 << 20]), ..usual() },
            sees: UNSURE,
            charged: "maybe_sent",
            logged: ("WARN", "maybe_sent"),
        },
    ];
    for (number, mood) in moods.into_iter().enumerate() {
        let account = stack.add_account(&format!("user{number}"), &format!("+324701112{number:02}"));
        stack.vendor.behave(mood.behaviour);
        let asked = stack.vendor.requests().len();
        let logged = stack.nodes[0].records().len();
        let began = Instant::now();
        let person = stack.person();
        let page = person.give_password("/wanted", &account).await.expect(200);
        let took = began.elapsed();
        println!("{}: {took:.1?}: {}", mood.name, mood.sees);
        assert!(page.reads().contains(mood.sees), "{}: {}", mood.name, page.reads());
        for word in ["MegaText", "quota", "zeppelin", "127.0.0.1"] {
            assert!(!page.text().contains(word), "{}: {word} is on the page", mood.name);
        }
        assert!(took < Duration::from_secs(8), "{}: {took:?}", mood.name);
        assert_eq!(page.has_form_with("code"), mood.charged != "not_sent", "{}: {}", mood.name, page.reads());
        assert_eq!(stack.vendor.requests().len(), asked + 1, "{}: once", mood.name);
        assert_eq!(last_outcome(&stack), mood.charged, "{}", mood.name);
        let lines = stack.nodes[0].records().split_off(logged);
        let line = lines.iter().find(|line| text(line, "class") == mood.logged.1);
        let line = line.unwrap_or_else(|| panic!("{}: no line of class {}: {lines:#?}", mood.name, mood.logged.1));
        assert_eq!(text(line, "level"), mood.logged.0, "{}: {line}", mood.name);
        assert!(!stack.nodes[0].log().contains("MegaText"), "{}: a vendor's words are in the log", mood.name);
    }
    assert_eq!(stack.count("sms_sends"), 11);
}

#[tokio::test]
async fn a_vendor_that_refuses_connections_costs_nothing() {
    let stack = strict().set("sms.providers.0.url", format!("http://127.0.0.1:{}/send", free_port())).start();
    let person = stack.person();
    let account = stack.add_account("ada", "+32470111222");
    let page = person.give_password("/", &account).await.expect(200);
    assert!(page.reads().contains(NOT_SENT), "{}", page.reads());
    assert_eq!(last_outcome(&stack), "not_sent");
    assert!(stack.nodes[0].records().iter().any(|line| text(line, "class") == "transient"));
    // nothing was spent: at once again, and as often as before
    let page = person.open(CODE).await.expect(200);
    assert!(page.reads().contains("We can send it 4 more times"), "{}", page.reads());
}

/// One vendor that says `queued` when it takes a message, and is not waited for long.
fn strict() -> Plan {
    Plan::new()
        .set("sms.providers.0.name", "zeppelin")
        .set("sms.providers.0.timeout", "1s")
        .set("sms.providers.0.success.json", json!([{ "pointer": "/status", "in": ["queued"] }]))
        .set(
            "sms.providers.0.errors",
            json!([{ "class": "recipient", "json": [{ "pointer": "/status", "in": ["bad_number"] }] }]),
        )
}

fn last_outcome(stack: &Stack) -> String {
    stack.sql("SELECT outcome FROM sms_sends ORDER BY at DESC LIMIT 1").trim().to_owned()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line.get(field).or_else(|| line.get("fields")?.get(field)).and_then(Value::as_str).unwrap_or_default()
}
