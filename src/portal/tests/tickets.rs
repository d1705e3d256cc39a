//! A first number with a ticket, where one is asked for. Floor: edge.

use super::{Browser, keys, settings};
use crate::domain::pending::Activation;
use crate::login::tickets::TicketPolicy;
use crate::login::{LoginSettings, PhonePolicy};

const PHONE: &str = "/.vestibule/phone";
const NUMBER: &str = "0470 98 76 54";
const NOT_RIGHT: &str = "This ticket is not right";

async fn asking_for_tickets() -> Browser {
    let phone_policy = PhonePolicy::SelfRegistered(TicketPolicy::Required);
    let mut browser = Browser::with(Activation::Active, LoginSettings { phone_policy, ..settings() }).await;
    assert_eq!(browser.password("ben").await.leads_to(), PHONE);
    browser
}

#[tokio::test]
async fn a_number_needs_the_ticket_of_its_account_and_uses_it_up() {
    let mut browser = asking_for_tickets().await;
    let of_anna = browser.outside.make_ticket("anna", &keys());
    let ticket = browser.outside.make_ticket("ben", &keys()).reveal();
    assert!(browser.get(PHONE).await.says("name=\"ticket\""));
    for (typed, says) in [
        ("", "Enter the ticket"),
        ("abc", NOT_RIGHT),
        ("aaaa-aaaa-aaaa-aaaa-aaaa", NOT_RIGHT),
        (&of_anna.reveal(), NOT_RIGHT),
    ] {
        let answer = browser.fill(PHONE, PHONE, &[("phone", NUMBER), ("ticket", typed)]).await;
        assert_eq!(answer.status, 422);
        assert!(answer.says(says) && !answer.says("value=\"abc\""), "{typed}: {}", answer.body);
        assert_eq!(answer.field("phone"), NUMBER, "the number is kept");
    }
    let without_number = browser.fill(PHONE, PHONE, &[("phone", "12"), ("ticket", &ticket)]).await;
    assert!(without_number.says("Enter the whole number"));
    assert_eq!(browser.outside.sms_count(), 0);

    let typed = ticket.to_uppercase().replace('-', " ");
    let answer = browser.fill(PHONE, PHONE, &[("phone", NUMBER), ("ticket", &typed)]).await;
    assert_eq!(answer.leads_to(), "/.vestibule/code");
    assert!(!browser.get(PHONE).await.says("name=\"ticket\""), "it was shown for this sign-in");
    let code = browser.outside.last_code();
    assert_eq!(browser.code(&code).await.leads_to(), "/a?b=c#d");
}

#[tokio::test]
async fn a_ticket_that_was_made_anew_or_tried_too_often_keeps_no_number() {
    let mut browser = asking_for_tickets().await;
    let first = browser.outside.make_ticket("ben", &keys()).reveal();
    let answer = browser.fill(PHONE, PHONE, &[("phone", NUMBER), ("ticket", &first)]).await;
    assert_eq!(answer.leads_to(), "/.vestibule/code");
    let second = browser.outside.make_ticket("ben", &keys()).reveal();
    let code = browser.outside.last_code();
    assert_eq!(browser.code(&code).await.status, 410);
    assert_eq!(browser.get("/.vestibule/session").await.status, 401);

    let mut browser = browser.another();
    browser.password("ben").await;
    for _ in 0..10 {
        let answer = browser.fill(PHONE, PHONE, &[("phone", NUMBER), ("ticket", &first)]).await;
        assert!(answer.says(NOT_RIGHT));
    }
    let spent = browser.fill(PHONE, PHONE, &[("phone", NUMBER), ("ticket", &second)]).await;
    assert!(spent.says(NOT_RIGHT), "nothing else is told");
}
