//! Somebody with passwords of people who never signed in has numbers of his own texted: he is stopped at the caps, and nobody else is.

use crate::harness::stack::{Plan, Stack};
use crate::harness::steps::PHONE;
use serde_json::{Value, json};

/// His own, all with the same first seven digits, and those of an account that is known.
fn his(number: usize) -> String {
    format!("+32470999{number:03}")
}

async fn enrols(stack: &Stack, number: usize) -> String {
    let account = stack.add_account(&format!("mark{number}"), "");
    let person = stack.person();
    let page = person.give_password("/", &account).await.expect(200);
    assert_eq!(page.asked, PHONE);
    let answer = person.give_number(&page, &his(number)).await.expect(303);
    person.follow_from(answer).await.expect(200).reads()
}

fn self_registered() -> Plan {
    Plan::new().set("two_factor.phone_numbers", "self_registered")
}

#[tokio::test]
async fn newcomers_stop_at_the_cap_of_their_prefix_and_whoever_is_known_there_signs_in() {
    let stack = self_registered().set("limits.sms.per_prefix_day", 4).start();
    let known = stack.add_account("ada", &his(999));
    stack.signed_in(&known).await;
    for number in 0..3 {
        assert!(enrols(&stack, number).await.contains("We sent a code"), "{number}");
    }
    for number in 3..6 {
        let reads = enrols(&stack, number).await;
        assert!(reads.contains("Too many text messages were sent. You can ask again in 24 hours"), "{number}: {reads}");
    }
    assert_eq!(stack.vendor.messages().len(), 4);
    assert_eq!(stack.count("audit WHERE event = 'code_not_sent' AND reason = 'prefix_day'"), 3);
    assert_eq!(
        alarms(&stack, "prefix_day"),
        [(50, "WARN".to_owned()), (100, "ERROR".to_owned())],
        "four fifths of four is all of them"
    );
    stack.signed_in(&known).await;
}

#[tokio::test]
async fn the_reserve_lets_people_in_who_have_signed_in_before() {
    let stack = self_registered().set("limits.sms.total_day", 6).set("limits.sms.reserve_percent", 50).start();
    let known = stack.add_account("ada", "+32471234567");
    stack.signed_in(&known).await;
    let mut sent = 0;
    for number in 0..4 {
        sent += usize::from(enrols(&stack, number).await.contains("We sent a code"));
    }
    assert_eq!(sent, 2, "half of six is for newcomers, and the first sign-in was one's");
    for _ in 0..3 {
        stack.signed_in(&known).await;
    }
    // the total holds for everybody
    let page = stack.person().give_password("/", &known).await.expect(200);
    assert!(page.reads().contains("Too many text messages were sent"), "{}", page.reads());
    assert_eq!(stack.vendor.messages().len(), 6);
    assert!(alarms(&stack, "total_day").contains(&(100, "ERROR".to_owned())));
}

#[tokio::test]
async fn observing_sends_and_says_what_would_not_have_been_sent() {
    let stack = self_registered().set("limits.sms.per_prefix_day", 1).set("sms.guard", "observe").start();
    for number in 0..3 {
        assert!(enrols(&stack, number).await.contains("We sent a code"), "{number}");
    }
    assert_eq!(stack.nodes[0].log().matches("this SMS would not have been sent").count(), 2);
}

#[tokio::test]
async fn a_closed_prefix_is_shown_and_unblocked_on_the_command_line() {
    let conversion = json!({ "least_sent": 5, "least_percent": 10, "block": "12h" });
    let stack = self_registered().set("limits.sms.conversion", conversion).start();
    for number in 0..5 {
        assert!(enrols(&stack, number).await.contains("We sent a code"), "{number}");
    }
    // as if they lay there for a quarter of an hour
    stack.sql("UPDATE sms_sends SET at = at - 900000");
    stack.sql("UPDATE sms_handovers SET at = at - 900000");
    let reads = enrols(&stack, 5).await;
    assert!(reads.contains("You can ask again in 12 hours"), "{reads}");
    let stats: Value = serde_json::from_str(&stack.command(&["sms", "stats", "--json"], "").done()).unwrap();
    assert_eq!(stats["blocked_prefixes"][0]["prefix"], "+3247099", "{stats:#}");
    assert!(stack.command(&["sms", "stats"], "").done().contains("+3247099"));
    let refused = stack.command(&["sms", "unblock", "+3247098", "--reason", "a mistake"], "");
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    stack.command(&["sms", "unblock", "+3247099", "--reason", "our own phones"], "").done();
    assert_eq!(stack.sql("SELECT reason FROM audit WHERE event = 'sms_unblocked'").trim(), "+3247099: our own phones");
    assert!(enrols(&stack, 6).await.contains("We sent a code"));
}

/// The shares of a cap that were told, with the level.
fn alarms(stack: &Stack, cap: &str) -> Vec<(u64, String)> {
    let told = stack.nodes[0].records().into_iter().filter_map(|line| {
        let fields = line.get("fields").unwrap_or(&line);
        let is_it = fields["cap"] == cap && fields["percent"].is_u64();
        is_it.then(|| (fields["percent"].as_u64().unwrap(), line["level"].as_str().unwrap().to_owned()))
    });
    told.collect()
}
