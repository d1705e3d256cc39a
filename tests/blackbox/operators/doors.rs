//! Who gets in where operators sign in, and who does not.

use super::{Office, SESSION_COOKIE, do_it};
use crate::harness::stack::Plan;
use crate::harness::steps::LOGIN;

#[tokio::test]
async fn a_user_gets_the_answer_of_a_wrong_password_and_no_sms() {
    let office = Office::open();
    let person = office.somebody();
    let page = person.follow("/").await.expect(200);
    let wrong = person.type_password(&page, "olga", "not-the-password").await.expect(422);
    let user = person.type_password(&page, &office.anna.name, &office.anna.password).await.expect(422);
    let without_reference = |text: String| text.split("Reference").next().unwrap().replace("anna", "olga").to_owned();
    assert_eq!(without_reference(user.text()), without_reference(wrong.text()));
    assert_eq!(office.stack.count("audit WHERE reason = 'not_an_operator' AND site = '@operators'"), 1);
    assert!(office.stack.vendor.requests().is_empty());
}

#[tokio::test]
async fn both_factors_are_asked_of_operators_also_before_activation() {
    let office = Office::of(Plan::new().set("two_factor.activation", "staged"));
    let olga = office.somebody();
    let page = olga.give_password("/", &office.olga).await.expect(200);
    assert!(page.has_form_with("code"), "{}", page.reads());
    assert_eq!(olga.open("/").await.expect(303).location().as_deref(), Some("/.vestibule/login?return_to=%2F"));
    // the sites still ask for the password alone, and such a session is nothing here
    let user = office.stack.person();
    user.give_password("/inside", &office.olga).await.expect(200);
    assert!(user.is_in().await);
    let there = office.somebody();
    there.set_cookie(SESSION_COOKIE, &user.cookie("vestibule").unwrap());
    there.open("/").await.expect(303);
}

#[tokio::test]
async fn a_session_of_one_side_is_none_at_the_other() {
    let office = Office::open();
    let user = office.stack.signed_in(&office.olga).await;
    let operator = office.signed_in(&office.olga).await;
    operator.open("/").await.expect(200);
    for (names, value) in
        [(["vestibule", SESSION_COOKIE], user.cookie("vestibule")), (["vestibule", SESSION_COOKIE], None)]
    {
        let value = value.unwrap_or_else(|| operator.cookie(SESSION_COOKIE).unwrap());
        let here = office.somebody();
        let there = office.stack.person();
        for name in names {
            here.set_cookie(name, &value);
            there.set_cookie(name, &value);
        }
        let is_operators = operator.cookie(SESSION_COOKIE).as_ref() == Some(&value);
        assert_eq!(here.open("/").await.status == 200, is_operators);
        assert_eq!(there.is_in().await, !is_operators);
    }
    // the browser sends both cookies to both ports; the application sees neither
    user.set_cookie(SESSION_COOKIE, &operator.cookie(SESSION_COOKIE).unwrap());
    assert!(user.is_in().await);
    let seen = office.stack.upstream.requests_to("/inside").pop().unwrap();
    assert!(!String::from_utf8_lossy(&seen.raw_head).contains("vestibule-operator"));
}

#[tokio::test]
async fn only_the_operators_host_is_answered_there() {
    let office = Office::open();
    let person = office.somebody();
    for host in ["localhost:1", "127.0.0.1", "operators.example"] {
        let elsewhere = person.at_site(&format!("http://{host}"));
        elsewhere.open("/").await.expect(421);
        elsewhere.open(LOGIN).await.expect(421);
    }
    person.open("/.vestibule/live").await.expect(200);
    person.open("/.vestibule/ready").await.expect(200);
    // and the operators' host is none of the sites'
    let at_the_sites = person.at_port(office.stack.nodes[0].port());
    at_the_sites.open("/").await.expect(421);
    let nothing = office.signed_in(&office.hugo).await;
    nothing.open("/no/such/page").await.expect(404);
    nothing.open("/.vestibule/verify").await.expect(404);
}

#[tokio::test]
async fn an_operator_without_a_number_learns_where_it_comes_from() {
    let office = Office::of(Plan::new().set("two_factor.phone_numbers", "self_registered"));
    let nora = office.stack.add_account("nora", "");
    office.stack.command(&["operator", "appoint", "nora", "--role", "helpdesk", "--reason", "new"], "").done();
    let person = office.somebody();
    let page = person.give_password("/", &nora).await.expect(403);
    assert!(page.reads().contains("vestibule user set-phone"), "{}", page.reads());
    assert!(!page.has_form_with("phone"));
}

#[tokio::test]
async fn a_dismissed_operator_is_out_at_once() {
    let office = Office::open();
    let hugo = office.signed_in(&office.hugo).await;
    hugo.open("/accounts/anna").await.expect(200);
    office.stack.command(&["operator", "dismiss", "hugo", "--reason", "left"], "").done();
    // at the very next request, whether the node has heard of it or not
    hugo.open("/accounts/anna").await.expect(303);
    assert_eq!(office.stack.count("audit WHERE event = 'operator_dismissed' AND reason = 'left'"), 1);
    let page = office.somebody().give_password("/", &office.hugo).await;
    assert!(!page.has_form_with("code"), "{}", page.reads());
}

#[tokio::test]
async fn an_older_sign_in_is_asked_for_again_and_loses_nothing_typed() {
    let office = Office::open();
    let hugo = office.signed_in(&office.hugo).await;
    let path = "/accounts/anna/reset-two-factor";
    let page = hugo.open(path).await.expect(200);
    office.age(&hugo, 301);
    // before anything is typed
    let asked = hugo.open(path).await.expect(303).location().unwrap();
    assert_eq!(asked, "/sign-in-again?return_to=%2Faccounts%2Fanna%2Freset-two-factor");
    // and when it was typed already
    let again = hugo.submit(&page.form_with("reason"), &page.asked, &[("reason", "ticket 7")]).await.expect(403);
    assert!(again.text().contains("value=\"ticket 7\""), "{}", again.text());
    assert_eq!(office.audited("two_factor_reset", "operator:hugo"), 0);
    // looking does not need it
    hugo.open("/accounts/anna").await.expect(200);
    // sign in again, in the same browser
    let page = hugo.open(&asked).await.expect(200);
    let out = hugo.submit(&page.form_to("/sign-in-again"), &page.asked, &[]).await.expect(303);
    let login = hugo.follow_from(out).await.expect(200);
    let sent = office.stack.vendor.messages_to(&office.hugo.phone).len();
    let answer = hugo.type_password(&login, &office.hugo.name, &office.hugo.password).await;
    let code_page = hugo.follow_from(answer).await;
    let code = office.stack.vendor.wait_for_message(&office.hugo.phone, sent + 1).code();
    let back = hugo.give_code(&code_page, &code).await.expect(303);
    assert_eq!(back.location().as_deref(), Some(path));
    // the form of the old session is shown again with what was typed, and can be sent then
    let page = hugo.submit(&again.form_with("reason"), &again.asked, &[]).await.expect(403);
    assert!(page.text().contains("value=\"ticket 7\""), "{}", page.text());
    hugo.submit(&page.form_with("reason"), &page.asked, &[]).await.expect(303);
    assert_eq!(office.audited("two_factor_reset", "operator:hugo"), 1);
}

#[tokio::test]
async fn a_form_of_another_session_or_site_does_nothing() {
    let office = Office::open();
    let hugo = office.signed_in(&office.hugo).await;
    let olga = office.signed_in(&office.olga).await;
    let path = "/accounts/anna/end-sessions";
    let token = |page: &crate::harness::person::Answer| {
        page.form_with("csrf").fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone()
    };
    let page = olga.open(path).await.expect(200);
    hugo.post(path, &[("csrf", &token(&page)), ("reason", "x")]).await.expect(403);
    hugo.post(path, &[("reason", "x")]).await.expect(403);
    let own = hugo.open(path).await.expect(200);
    let foreign = hugo.copy().with_header("sec-fetch-site", "same-site");
    foreign.post(path, &[("csrf", &token(&own)), ("reason", "x")]).await.expect(403);
    assert_eq!(office.stack.count("audit WHERE event = 'sessions_ended'"), 0);
    do_it(&hugo, path, &[("reason", "x")]).await.expect(303);
    assert_eq!(office.audited("sessions_ended", "operator:hugo"), 1);
}
