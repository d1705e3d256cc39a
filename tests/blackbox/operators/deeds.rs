//! What operators may do, and to whom.

use super::{ANNA, Office, do_it};
use crate::harness::evidence::SecretKind;
use crate::harness::stack::{Account, Accounts, Plan};
use crate::harness::steps::SESSION;

#[tokio::test]
async fn the_helpdesk_resets_two_factor_and_the_session_ends() {
    let office = Office::open();
    let anna = office.stack.signed_in(&office.anna).await;
    let hugo = office.signed_in(&office.hugo).await;
    assert!(anna.is_in().await);
    let done = do_it(&hugo, "/accounts/anna/reset-two-factor", &[("reason", "new phone, called back")]).await;
    assert_eq!(done.expect(303).location().as_deref(), Some("/accounts/anna?done=reset-two-factor"));
    assert!(!anna.is_in().await, "on this node at once");
    assert_eq!(office.audited("two_factor_reset", "operator:hugo"), 1);
    assert_eq!(office.stack.count("audit WHERE reason = 'new phone, called back'"), 1);
    assert!(office.stack.signed_in(&office.anna).await.is_in().await);
}

#[tokio::test]
async fn one_session_of_a_user_is_ended_and_the_others_go_on() {
    let office = Office::open();
    let first = office.stack.signed_in(&office.anna).await;
    let second = office.stack.signed_in(&office.anna).await;
    let hugo = office.signed_in(&office.hugo).await;
    let session = first.fetch(SESSION).await.json()["session"].as_str().unwrap().to_owned();
    let path = format!("/accounts/anna/end-session?session={session}");
    assert!(hugo.open("/accounts/anna").await.expect(200).text().contains(&path));
    let done = do_it(&hugo, &path, &[("reason", "laptop lost")]).await.expect(303);
    assert_eq!(done.location().as_deref(), Some("/accounts/anna?done=end-session"));
    assert!(!first.is_in().await && second.is_in().await);
    assert_eq!(office.audited("sessions_ended", "operator:hugo"), 1);
    let again = do_it(&hugo, &path, &[("reason", "laptop lost")]).await.expect(422);
    assert!(again.reads().contains("There is no session of this id"), "{}", again.reads());
    let of_another = path.replace("/anna/", "/olga/");
    hugo.open(&of_another).await.expect(403);
}

#[tokio::test]
async fn a_one_time_password_is_shown_once_and_must_be_changed() {
    let office = Office::open();
    let hugo = office.signed_in(&office.hugo).await;
    let page = do_it(&hugo, "/accounts/anna/one-time-password", &[("reason", "ticket 1")]).await.expect(200);
    assert_eq!(page.header("cache-control"), "no-store");
    let text = page.text();
    let password = text.split("id=\"password\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    hugo.open("/accounts/anna").await.expect(200);
    let anna = Account { password, ..office.anna.clone() };
    let person = office.stack.person();
    let sent = office.stack.vendor.messages_to(ANNA).len();
    let page = person.give_password("/inside", &anna).await.expect(200);
    let code = office.stack.vendor.wait_for_message(ANNA, sent + 1).code();
    let answer = person.give_code(&page, &code).await.expect(303);
    assert!(person.follow_from(answer).await.has_form_with("new_password"));
}

#[tokio::test]
async fn the_helpdesk_does_no_more_than_that_and_nothing_to_operators_or_itself() {
    let office = Office::of(Plan::new().set("two_factor.phone_numbers", "self_registered"));
    let hugo = office.signed_in(&office.hugo).await;
    let own = do_it(&hugo, "/accounts/anna/unlock", &[("reason", "x")]).await;
    let form = hugo.open("/accounts/anna/unlock").await.form_with("csrf");
    let token = form.fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    own.expect(303);
    for (who, deed) in [
        ("anna", "set-phone"),
        ("anna", "clear-phone"),
        ("anna", "open-enrolment"),
        ("anna", "disable"),
        ("anna", "remove"),
        ("anna", "appoint"),
        ("olga", "unlock"),
        ("olga", "one-time-password"),
        ("hugo", "unlock"),
        ("hugo", "reset-two-factor"),
    ] {
        let path = format!("/accounts/{who}/{deed}");
        hugo.open(&path).await.expect(403);
        let typed = [("csrf", token.as_str()), ("reason", "x"), ("phone", "+32470999999"), ("role", "admin")];
        let typed: Vec<(&str, &str)> = typed
            .into_iter()
            .filter(|(name, _)| {
                matches!((*name, deed), ("csrf" | "reason", _) | ("phone", "set-phone") | ("role", "appoint"))
            })
            .collect();
        hugo.post(&path, &typed).await.expect(403);
    }
    hugo.post("/two-factor/activate", &[("csrf", &token), ("reason", "x")]).await.expect(403);
    hugo.post("/add", &[("csrf", &token), ("reason", "x"), ("username", "new")]).await.expect(403);
    assert_eq!(office.stack.count("audit WHERE actor = 'operator:hugo' AND event NOT IN ('account_unlocked')"), 0);
    assert_eq!(office.stack.count("accounts"), 3);
    let olga = office.signed_in(&office.olga).await;
    olga.open("/accounts/olga/dismiss").await.expect(403);
    olga.open("/accounts/hugo/unlock").await.expect(200);
}

#[tokio::test]
async fn one_operator_gives_a_password_or_a_number_and_not_both() {
    let office = Office::of(Plan::new().accounts(Accounts::Postgres));
    office.stack.evidence().keep(SecretKind::PhoneNumber, "+32473444444");
    let olga = office.signed_in(&office.olga).await;
    do_it(&olga, "/accounts/anna/one-time-password", &[("reason", "ticket 1")]).await.expect(200);
    let refused = olga.open("/accounts/anna/set-phone").await.expect(403);
    assert!(refused.reads().contains("another operator has to give it the number"), "{}", refused.reads());
    let glance = olga.open("/accounts/anna").await.expect(200);
    assert!(!glance.text().contains("/accounts/anna/set-phone"), "{}", glance.reads());
    // the other way round, with another account; and another admin may
    do_it(&olga, "/accounts/hugo/set-phone", &[("reason", "new phone"), ("phone", "+32473444444")]).await.expect(303);
    olga.open("/accounts/hugo/one-time-password").await.expect(403);
    let petra = office.stack.add_account("petra", "+32474555555");
    office.stack.command(&["operator", "appoint", "petra", "--role", "admin", "--reason", "second"], "").done();
    let petra = office.signed_in(&petra).await;
    petra.open("/accounts/anna/set-phone").await.expect(200);
    do_it(&petra, "/accounts/hugo/one-time-password", &[("reason", "ticket 2")]).await.expect(200);
    // the command line is nobody's
    office.stack.command(&["user", "set-password", "anna", "--generate", "--reason", "cli"], "").done();
    olga.open("/accounts/anna/set-phone").await.expect(200);
}

#[tokio::test]
async fn an_operator_does_so_much_in_an_hour_and_no_more() {
    let office = Office::of(Plan::new().set("limits.operator_actions_hour", 2));
    let hugo = office.signed_in(&office.hugo).await;
    for _ in 0..2 {
        do_it(&hugo, "/accounts/anna/end-sessions", &[("reason", "x")]).await.expect(303);
    }
    let refused = do_it(&hugo, "/accounts/anna/end-sessions", &[("reason", "x")]).await.expect(429);
    assert!(refused.reads().contains("again in 60 minutes"), "{}", refused.reads());
    assert_eq!(office.audited("sessions_ended", "operator:hugo"), 2);
    let olga = office.signed_in(&office.olga).await;
    do_it(&olga, "/accounts/anna/end-sessions", &[("reason", "x")]).await.expect(303);
}

#[tokio::test]
async fn a_reason_is_needed_and_what_is_wrong_is_said() {
    let office = Office::open();
    let olga = office.signed_in(&office.olga).await;
    let refused = do_it(&olga, "/accounts/anna/disable", &[("reason", "  ")]).await.expect(422);
    assert!(refused.reads().contains("Say why"), "{}", refused.reads());
    let landline = [("reason", "ticket 3"), ("phone", "+32 2 555 12 12")];
    let refused = do_it(&olga, "/accounts/anna/set-phone", &landline).await.expect(422);
    assert!(refused.text().contains("value=\"ticket 3\"") && refused.text().contains("+32 2 555 12 12"));
    assert_eq!(office.stack.count("audit WHERE actor = 'operator:olga' AND event <> 'signed_in' AND event <> 'password_accepted' AND event <> 'code_sent'"), 0);
    olga.open("/accounts/nobody").await.expect(404);
    olga.open("/accounts/anna/dance").await.expect(404);
}
