//! Several providers: who is asked, who is asked next, and who is not asked first any more.

use crate::harness::sms_vendor::{Behaviour, FakeSmsVendor};
use crate::harness::stack::{Plan, Stack};
use serde_json::{Value, json};

const NUMBER: &str = "+32470111222";

/// A second provider beside the first.
fn with_second(second: &FakeSmsVendor) -> Plan {
    let url = second.url();
    Plan::new().set("sms.providers.0.timeout", "1s").set("two_factor.code.resend_after", json!(["1ms"])).change(
        move |settings| {
            let mut provider = settings.get("sms.providers.0");
            provider["name"] = json!("second");
            provider["url"] = json!(url);
            settings.set("sms.providers.1", provider);
        },
    )
}

#[tokio::test]
async fn a_message_that_may_be_out_comes_again_from_another_provider_with_the_same_code() {
    let second = FakeSmsVendor::start();
    let stack = with_second(&second).start();
    let account = stack.add_account("ada", NUMBER);
    stack.vendor.behave(Behaviour { drop_after_taking: true, ..Behaviour::default() });
    let person = stack.person();
    let page = person.give_password("/", &account).await.expect(200);
    assert!(page.reads().contains("We sent a code"), "{}", page.reads());
    let codes = [stack.vendor.newest_code(NUMBER), second.newest_code(NUMBER)];
    assert_eq!(codes[0], codes[1]);
    assert_eq!((stack.vendor.requests().len(), second.requests().len()), (1, 1), "each once");
    assert_eq!(stack.count("sms_sends"), 1, "and it counts once");
    person.give_code(&page, &codes[0]).await.expect(303);
    let handovers = "SELECT provider, answer, fate FROM sms_handovers ORDER BY place";
    assert_eq!(stack.sql(handovers).trim(), "main|maybe_sent|not_entered\nsecond|accepted|entered");
}

#[tokio::test]
async fn who_asks_again_is_sent_the_same_code_by_another_provider() {
    let second = FakeSmsVendor::start();
    let stack = with_second(&second).start();
    let account = stack.add_account("ada", NUMBER);
    let person = stack.person();
    let page = person.give_password("/", &account).await.expect(200);
    let code = stack.vendor.newest_code(NUMBER);
    assert_eq!(second.requests().len(), 0);
    let answer = person.ask_again(&page).await;
    let page = person.follow_from(answer).await.expect(200);
    assert!(page.reads().contains("We sent the code again"), "{}", page.reads());
    assert_eq!((stack.vendor.requests().len(), second.newest_code(NUMBER)), (1, code.clone()));
    person.give_code(&page, &code).await.expect(303);
    let stats: Value = serde_json::from_str(&stack.command(&["sms", "stats", "--json"], "").done()).unwrap();
    let told: Vec<(&str, u64, u64)> = stats["providers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["provider"].as_str().unwrap(), of["judged"].as_u64().unwrap(), of["entered"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("main", 1, 0), ("second", 1, 1)], "{stats:#}");
    let shown = stack.command(&["sms", "stats"], "").done();
    assert!(shown.contains("2 codes sent in 24 h, 2 of them to newcomers") && shown.contains("1 of 1"), "{shown}");
}

#[tokio::test]
async fn a_number_that_cannot_be_texted_is_tried_with_nobody_else() {
    let second = FakeSmsVendor::start();
    let refusal = json!([{ "class": "recipient", "status": [400] }]);
    let stack = with_second(&second).set("sms.providers.0.errors", refusal).start();
    let account = stack.add_account("ada", NUMBER);
    stack.vendor.behave(Behaviour { status: Some(400), ..Behaviour::default() });
    let page = stack.person().give_password("/", &account).await.expect(200);
    assert!(page.reads().contains("Text messages cannot be sent to this number"), "{}", page.reads());
    assert_eq!(second.requests().len(), 0);
    assert_eq!(stack.sql("SELECT outcome FROM sms_sends").trim(), "not_sent");
}

#[tokio::test]
async fn an_order_of_its_own_holds_for_a_country() {
    let second = FakeSmsVendor::start();
    let stack = with_second(&second).set("sms.orders", json!({ "NL": ["second", "main"] })).start();
    for (name, number) in [("belgian", NUMBER), ("dutch", "+31612345678")] {
        stack.person().give_password("/", &stack.add_account(name, number)).await.expect(200);
    }
    let to = |vendor: &FakeSmsVendor| vendor.messages().into_iter().map(|sms| sms.to).collect::<Vec<_>>();
    assert_eq!((to(&stack.vendor), to(&second)), (vec![NUMBER.to_owned()], vec!["+31612345678".to_owned()]));
}

#[tokio::test]
async fn a_provider_that_fails_again_and_again_is_asked_last_by_every_node() {
    let second = FakeSmsVendor::start();
    let stack = with_second(&second)
        .nodes(2)
        .set("sms.breaker", json!({ "failures": 3, "within": "1h", "rest": "1h" }))
        .start();
    stack.vendor.behave(Behaviour { status: Some(500), ..Behaviour::default() });
    let asks = async |stack: &Stack, node: usize, number: usize| {
        let account = stack.add_account(&format!("user{number}"), &format!("+3247011122{number}"));
        let person = stack.at_node(&stack.person(), node);
        let page = person.give_password("/", &account).await.expect(200);
        assert!(page.reads().contains("We sent a code"), "{}", page.reads());
    };
    for number in 0..3 {
        asks(&stack, 0, number).await;
    }
    assert_eq!(stack.vendor.requests().len(), 3);
    assert!(stack.nodes[0].log().contains("the SMS provider fails again and again"));
    asks(&stack, 1, 3).await;
    assert_eq!(stack.vendor.requests().len(), 3, "the other node knows");
}
