//! Giving a number with a ticket, in a real browser.

use super::{PHONE, give_code, give_password};
use crate::harness::browser::{Browser, JavaScript};
use crate::harness::evidence::SecretKind;
use crate::harness::stack::Plan;

#[tokio::test]
async fn a_newcomer_gives_a_number_with_the_ticket_that_came_by_another_way() {
    for script in [JavaScript::On, JavaScript::Off] {
        let stack = Plan::new()
            .set("two_factor.phone_numbers", "self_registered")
            .set("two_factor.enrolment.ticket", "required")
            .start();
        let ada = stack.add_account("ada", "");
        let opened = stack.command(&["user", "open-enrolment", "ada", "--ticket", "--json"], "").done();
        let told: serde_json::Value = serde_json::from_str(&opened).unwrap();
        let ticket = told["ticket"].as_str().unwrap();
        stack.evidence().keep(SecretKind::Password, ticket);

        let browser = Browser::start(script).await;
        browser.open(&format!("{}/wanted", stack.site())).await;
        give_password(&browser, "ada", &ada.password).await;
        browser.find("[name=ticket][autocomplete=off][required]").await;
        browser.picture("ticket-asked-for").await;
        browser.fill("phone", PHONE).await;
        browser.fill("ticket", "aaaa-aaaa-aaaa-aaaa-aaaa").await;
        browser.leave_by("button.main").await;
        browser.wait_for_text("This ticket is not right").await;
        browser.picture("ticket-wrong").await;
        let kept = browser.run(
            "return [document.querySelector('[name=phone]').value, document.querySelector('[name=ticket]').value]",
        );
        let kept: [String; 2] = serde_json::from_value(kept.await).unwrap();
        assert_eq!(kept[0].replace(' ', ""), PHONE, "the number stays");
        assert_eq!(kept[1], "", "the ticket is typed again");
        assert!(browser.has("[name=ticket][aria-invalid]").await);
        assert_eq!(stack.vendor.requests().len(), 0);

        // as it is read off a letter
        browser.fill("ticket", &ticket.to_uppercase().replace('-', " ")).await;
        browser.leave_by("button.main").await;
        browser.find("[name=code]").await;
        give_code(&browser, &stack.vendor.newest_code(PHONE)).await;
        browser.wait_for_url("the page first asked for", |url| url.ends_with("/wanted")).await;
        assert_eq!(stack.count("enrolment_tickets"), 0);
        browser.close().await;
    }
}
