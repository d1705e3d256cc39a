//! Getting in, the whole way: the page first asked for, the password, the code, and the page again; what the pages say
//! on the way, and what moving about in a browser does not do.

use crate::harness::person::Answer;
use crate::harness::stack::{Accounts, Pending, Plan, Stack};
use crate::harness::steps::{CODE, LOGIN, LOGOUT, RESEND, SESSION, not_this};

#[tokio::test]
async fn the_whole_way_over_redis_and_sqlite() {
    whole_way(Plan::new()).await;
}

#[tokio::test]
async fn the_whole_way_over_memory_and_sqlite() {
    whole_way(Plan::new().pending(Pending::Memory)).await;
}

#[tokio::test]
async fn the_whole_way_over_redis_and_postgresql() {
    whole_way(Plan::new().accounts(Accounts::Postgres)).await;
}

async fn whole_way(plan: Plan) {
    let stack = plan.start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.person();
    let page = person.give_password("/reports?year=2026&of=a%20b", &anna).await.expect(200);
    assert!(page.reads().contains("ending in 56"), "{}", page.reads());
    let code = stack.vendor.newest_code(&anna.phone);
    let sms = stack.vendor.messages_to(&anna.phone).remove(0).text;
    assert!(sms.starts_with(&code) && sms.ends_with(&format!("\n@localhost #{code}")), "{sms}");

    let answer = person.give_code(&page, &code).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/reports?year=2026&of=a%20b"));
    assert_eq!(set_cookies(&answer, "vestibule"), 1, "{:?}", answer.headers);
    assert_eq!(person.cookie("vestibule-login"), None, "the login's cookie is gone");
    assert_eq!(answer.header("cache-control"), "no-store");
    let there = person.follow_from(answer).await.expect(200).json();
    assert_eq!(there["target"], "/reports?year=2026&of=a%20b");

    let seen = stack.upstream.request_to("/reports");
    assert_eq!(seen.header("x-forwarded-user"), Some("anna"));
    assert!(!seen.headers_named("cookie").iter().any(|cookie| cookie.contains("vestibule")), "{:?}", seen.headers);
    assert_eq!(stack.upstream.count(), 1, "nothing went up before the sign-in");
    let who = person.fetch(SESSION).await.expect(200).json();
    assert_eq!((&who["user"], &who["factors"]), (&"anna".into(), &serde_json::json!(["password", "code"])));
    assert_eq!(stack.vendor.messages().len(), 1);
    assert_eq!(stack.sql("SELECT outcome FROM code_attempts"), "right");
}

#[tokio::test]
async fn a_program_without_a_session_gets_a_problem_document_and_no_redirect() {
    let stack = Stack::start();
    let answer = stack.person().fetch("/data.json").await.expect(401);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.location(), None);
    assert_eq!(stack.upstream.count(), 0);
}

#[tokio::test]
async fn a_wrong_code_says_how_many_tries_are_left_and_the_right_one_still_works() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let wrong = person.give_code(&page, &not_this(&code, 1)).await.expect(422);
    assert!(wrong.reads().contains("This code is not correct"), "{}", wrong.reads());
    assert!(wrong.reads().contains("4 tries are left"), "{}", wrong.reads());
    for (typed, says) in [("", "Enter the code"), ("12ab56", "6 digits"), ("1234567", "6 digits")] {
        let answer = person.give_code(&wrong, typed).await.expect(422);
        assert!(answer.reads().contains(says), "{typed}: {}", answer.reads());
    }
    assert_eq!(stack.count("code_attempts"), 1, "what is no code is no try");
    let spaced = format!(" {}-{} ", &code[..3], &code[3..]);
    person.give_code(&wrong, &spaced).await.expect(303);
    assert!(person.is_in().await);
}

#[tokio::test]
async fn after_five_wrong_codes_the_sign_in_is_over_and_the_right_code_opens_nothing() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    for step in 1..=4 {
        person.give_code(&page, &not_this(&code, step)).await.expect(422);
    }
    let fifth = person.give_code(&page, &not_this(&code, 5)).await.expect(410);
    assert!(fifth.reads().contains("this sign-in has been closed"), "{}", fifth.reads());
    person.give_code(&page, &code).await.expect(410);
    assert!(!person.is_in().await);
    assert_eq!((stack.count("code_attempts"), stack.sessions_opened()), (5, 0));
    // From the start again it works: the wait of an hour begins at ten.
    stack.signed_in(&anna).await;
}

#[tokio::test]
async fn an_expired_code_is_replaced_without_the_password_again() {
    let stack = Plan::new()
        .set("two_factor.code.lifetime", "3s")
        .set("two_factor.code.resend_after", serde_json::json!(["1ms"]))
        .start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let expired = person.open_until(CODE, |page| page.reads().contains("can no longer be used")).await;
    assert!(!expired.has_form_with("code"), "there is nothing to type");
    let late = person.give_code(&page, &code).await.expect(422);
    assert!(late.reads().contains("This code has expired. Ask for a new one."), "{}", late.reads());
    assert_eq!(stack.count("code_attempts"), 0, "an expired code is no try");

    let answer = person.ask_again(&expired).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let fresh = stack.vendor.wait_for_message(&anna.phone, 2).code();
    assert_ne!(fresh, code);
    let answer = person.give_code(&page, &fresh).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/inside"));
    assert!(person.is_in().await);
}

#[tokio::test]
async fn another_sms_can_be_asked_for_only_after_the_wait_and_the_page_says_so() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let says_when = |seconds: u32| page.reads().contains(&format!("You can ask again in {seconds} seconds"));
    assert!((20..=30).any(says_when), "{}", page.reads());
    assert!(page.reads().contains("We can send it 3 more times"), "{}", page.reads());
    let early = person.ask_again(&page).await.expect(303);
    let page = person.follow_from(early).await.expect(200);
    assert!(page.reads().contains("It is too early to send another text message"), "{}", page.reads());
    assert_eq!(stack.vendor.messages().len(), 1);
    person.give_code(&page, &code).await.expect(303);
}

#[tokio::test]
async fn asking_again_sends_the_same_code_until_the_messages_are_used_up() {
    let stack = Plan::new().set("two_factor.code.resend_after", serde_json::json!(["1ms"])).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, mut page, code) = stack.owing_a_code(&anna).await;
    for (sent, left) in [(2, "We can send it 2 more times"), (3, "one more time"), (4, "No more text messages")] {
        let answer = person.ask_again(&page).await.expect(303);
        let again = person.follow_from(answer).await.expect(200);
        assert_eq!(stack.vendor.wait_for_message(&anna.phone, sent).code(), code, "a late SMS works as well");
        assert!(again.reads().contains("We sent the code again") && again.reads().contains(left), "{}", again.reads());
        if sent < 4 {
            page = again;
        }
    }
    let answer = person.ask_again(&page).await.expect(303);
    let last = person.follow_from(answer).await.expect(200);
    assert!(last.reads().contains("No more text messages can be sent"), "{}", last.reads());
    assert_eq!(stack.vendor.messages().len(), 4);
    person.give_code(&last, &code).await.expect(303);
}

#[tokio::test]
async fn reload_and_back_send_nothing_and_lose_nothing() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.person();
    let sign_in = person.follow("/inside").await.expect(200);
    // The answer to a form is a redirect: a reload asks for the page and sends no form again.
    let sent = person.type_password(&sign_in, &anna.name, &anna.password).await.expect(303);
    assert_eq!(sent.location().as_deref(), Some(CODE));
    let page = person.open(CODE).await.expect(200);
    let code = stack.vendor.newest_code(&anna.phone);
    for target in [CODE, LOGIN, "/inside", "/.vestibule/code?said=again", CODE] {
        person.follow(target).await.expect(200);
    }
    let early = person.ask_again(&page).await.expect(303);
    person.follow_from(early).await.expect(200);
    assert_eq!(stack.vendor.messages().len(), 1);
    assert_eq!(stack.count("code_attempts"), 0);
    person.give_code(&page, &code).await.expect(303);

    // Signed in by now: the old pages and forms lead on, and do nothing.
    let cookie = person.cookie("vestibule");
    assert_eq!(person.open(CODE).await.expect(303).location().as_deref(), Some("/"));
    assert_eq!(person.give_code(&page, &code).await.expect(303).location().as_deref(), Some("/"));
    assert_eq!(person.ask_again(&page).await.expect(303).location().as_deref(), Some("/"));
    assert_eq!(person.cookie("vestibule"), cookie);
    assert_eq!((stack.sessions_opened(), stack.vendor.messages().len()), (1, 1));
}

#[tokio::test]
async fn two_tabs_share_one_sign_in() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.person();
    let (first_tab, second_tab) = (person.follow("/one").await.expect(200), person.follow("/two").await.expect(200));
    let answer = person.type_password(&first_tab, &anna.name, &anna.password).await.expect(303);
    let first_code = stack.vendor.newest_code(&anna.phone);
    let page = person.follow_from(answer).await.expect(200);
    // The form of the other tab belongs to the browser's earlier cookie: shown again, and nothing is sent.
    let stale = person.type_password(&second_tab, &anna.name, &anna.password).await.expect(403);
    assert!(stale.reads().contains("nothing was sent"), "{}", stale.reads());
    assert_eq!(stale.form_with("password").fields.iter().find(|(name, _)| name == "username").unwrap().1, "anna");
    assert_eq!(stack.vendor.messages().len(), 1);
    person.give_code(&page, &first_code).await.expect(303);
    // Signed in, so the second tab's page simply opens.
    assert_eq!(person.open("/two").await.expect(200).json()["target"], "/two");
}

#[tokio::test]
async fn a_second_browser_can_do_nothing_with_the_code_of_the_first() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let (first, page, code) = stack.owing_a_code(&anna).await;
    let second = stack.person();
    second.follow("/inside").await.expect(200);
    second.post(CODE, &[("code", &code), ("csrf", &token(&page))]).await.expect(410);
    assert!(!second.is_in().await);
    assert_eq!(stack.count("code_attempts"), 0);
    // With a sign-in of its own for the same account, it owes a code of its own.
    let (second, second_page, second_code) = stack.owing_a_code(&anna).await;
    assert_ne!(second_code, code);
    second.give_code(&second_page, &code).await.expect(422);
    first.give_code(&page, &code).await.expect(303);
    assert!(first.is_in().await && !second.is_in().await);
}

#[tokio::test]
async fn a_code_of_another_pending_login_is_refused_and_costs_the_other_nothing() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let bert = stack.add_account("bert", "+32470765432");
    let (of_anna, anna_page, anna_code) = stack.owing_a_code(&anna).await;
    let (of_bert, bert_page, bert_code) = stack.owing_a_code(&bert).await;
    let refused = of_bert.give_code(&bert_page, &anna_code).await.expect(422);
    assert!(refused.reads().contains("4 tries are left"), "{}", refused.reads());
    assert_eq!(attempts_of(&stack, "anna"), "0");
    assert_eq!(attempts_of(&stack, "bert"), "1");
    // The form of one with the cookies of the other is no form of this browser.
    of_bert.post(CODE, &[("code", &anna_code), ("csrf", &token(&anna_page))]).await.expect(403);
    assert_eq!(attempts_of(&stack, "anna"), "0");
    of_anna.give_code(&anna_page, &anna_code).await.expect(303);
    of_bert.give_code(&bert_page, &bert_code).await.expect(303);
    assert_eq!(of_bert.fetch(SESSION).await.json()["user"], "bert");
}

#[tokio::test]
async fn a_pending_login_of_another_site_is_none_here_and_loses_nothing() {
    let stack = Plan::new()
        .set(
            "sites.1",
            serde_json::json!({ "name": "intranet", "url": "http://intranet.localhost:{PORT}", "upstream": "app" }),
        )
        .start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let there = person.at_site(&stack.site().replace("localhost", "intranet.localhost"));
    for cookie in person.cookies() {
        there.set_cookie(&cookie.name, &cookie.value);
    }
    there.post(CODE, &[("code", &code), ("csrf", &token(&page))]).await.expect(410);
    there.post(RESEND, &[("csrf", &token(&page))]).await.expect(410);
    assert_eq!((stack.count("code_attempts"), stack.vendor.messages().len()), (0, 1));
    person.give_code(&page, &code).await.expect(303);
    // Nor is a session of one a session of the other.
    for cookie in person.cookies() {
        there.set_cookie(&cookie.name, &cookie.value);
    }
    assert!(person.is_in().await && !there.is_in().await);
}

#[tokio::test]
async fn signing_in_while_signed_in_goes_on_to_the_page() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.signed_in(&anna).await;
    let answer = person.open("/.vestibule/login?return_to=%2Freports%3Fa%3D1").await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/reports?a=1"));
    let elsewhere = person.open("/.vestibule/login?return_to=https%3A%2F%2Fevil.example%2F").await.expect(303);
    assert_eq!(elsewhere.location().as_deref(), Some("/"));
    assert_eq!((stack.sessions_opened(), stack.vendor.messages().len()), (1, 1));
}

#[tokio::test]
async fn signing_out_asks_first_and_then_ends_the_session_for_every_copy_of_its_cookie() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.signed_in(&anna).await;
    let other_device = stack.signed_in(&anna).await;
    let stolen = person.copy();
    let question = person.open(LOGOUT).await.expect(200);
    assert!(question.reads().contains("You are signed in as anna"), "{}", question.reads());
    person.post(LOGOUT, &[("csrf", "made-up")]).await.expect(200);
    assert!(person.is_in().await, "neither the question nor a made-up form ends anything");
    let answer = person.sign_out().await.expect(303);
    assert_eq!(person.cookie("vestibule"), None);
    let page = person.follow_from(answer).await.expect(200);
    assert!(page.reads().contains("You have signed out"), "{}", page.reads());
    assert!(!stolen.is_in().await && !person.is_in().await);
    assert!(other_device.is_in().await, "only this one");
    stolen.fetch(SESSION).await.expect(401);
}

/// The token that stands in the forms of a page.
fn token(page: &Answer) -> String {
    page.form_with("code").fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone()
}

fn set_cookies(answer: &Answer, name: &str) -> usize {
    let start = format!("{name}=");
    answer.headers.get_all("set-cookie").iter().filter(|value| value.to_str().unwrap().starts_with(&start)).count()
}

fn attempts_of(stack: &Stack, name: &str) -> String {
    stack.sql(&format!(
        "SELECT count(*) FROM code_attempts JOIN accounts ON accounts.id = code_attempts.account WHERE user_name = '{name}'"
    ))
}
