//! Signing in and out, stepping up, and what is said when that cannot be done. Floor: edge.

use std::sync::atomic::Ordering;

use http::Request;
use http::header::CONTENT_TYPE;

use super::{Browser, SECOND, settings};
use crate::domain::pending::Activation;
use crate::domain::time::Day;
use crate::login::{Announcement, LoginSettings};
use crate::portal::fakes::PASSWORD;

#[tokio::test]
async fn password_and_code_lead_to_the_page_first_asked_for() {
    let mut browser = Browser::signed_in().await;
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-vestibule", "__Host-vestibule-bounces"]);
    let session: serde_json::Value =
        serde_json::from_str(&browser.get("/.vestibule/session").await.body).expect("JSON");
    assert_eq!((&session["user"], &session["factors"][1]), (&"anna".into(), &"code".into()));
    assert_eq!(session["expires_at"], "2027-01-15T09:00:00Z");
}

#[tokio::test]
async fn a_script_without_browser_headers_signs_in_with_the_token_of_the_page() {
    let mut browser = Browser::active().await;
    let csrf = browser.get("/.vestibule/login").await.field("csrf");
    let request = Request::post("/.vestibule/login").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let body = format!("csrf={csrf}&username=anna&password={PASSWORD}");
    assert_eq!(browser.ask(request, body).await.leads_to(), "/.vestibule/code");
}

#[tokio::test]
async fn a_wrong_password_says_one_sentence_and_keeps_the_user_name() {
    let mut browser = Browser::active().await;
    let mut pages = Vec::new();
    for name in ["anna", "nobody"] {
        let fields = [("username", name), ("password", "wrong"), ("return_to", "/x")];
        let answer = browser.fill("/.vestibule/login", "/.vestibule/login", &fields).await;
        assert_eq!(answer.status, 422);
        assert_eq!((answer.field("username").as_str(), answer.field("return_to").as_str()), (name, "/x"));
        assert!(!answer.says("wrong\""), "the password is not shown again");
        let reference = answer.body.find("Reference: ").unwrap();
        pages.push(answer.body.replace(name, "?").replace(&answer.body[reference..reference + 27], ""));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn an_empty_field_is_named() {
    let mut browser = Browser::active().await;
    for (fields, text) in [
        ([("username", " "), ("password", "x")], "Enter your user name"),
        ([("username", "anna"), ("password", "")], "Enter your password"),
    ] {
        let answer = browser.fill("/.vestibule/login", "/.vestibule/login", &fields).await;
        assert_eq!(answer.status, 422);
        assert!(answer.says(text), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_form_left_open_overnight_shows_itself_again() {
    let mut browser = Browser::active().await;
    browser.get("/.vestibule/login").await;
    browser.cookies.clear(); // the browser was closed, or the key was changed
    let fields = [("csrf", "old"), ("username", "anna"), ("password", PASSWORD), ("return_to", "/x?y")];
    let answer = browser.post("/.vestibule/login", &fields).await;
    assert_eq!(answer.status, 403);
    assert!(answer.says("was out of date") && answer.says("Reference: "));
    assert_eq!((answer.field("username").as_str(), answer.field("return_to").as_str()), ("anna", "/x?y"));
    let csrf = answer.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("username", "anna"), ("password", PASSWORD)];
    assert_eq!(browser.post("/.vestibule/login", &fields).await.leads_to(), "/.vestibule/code");
}

#[tokio::test]
async fn whoever_is_signed_in_goes_on() {
    let mut browser = Browser::signed_in().await;
    assert_eq!(browser.get("/.vestibule/login?return_to=%2Fx%3Fy").await.leads_to(), "/x?y");
    assert_eq!(browser.get("/.vestibule/login?return_to=%2F%2Fevil.example").await.leads_to(), "/");
    assert_eq!(browser.get("/.vestibule/code").await.leads_to(), "/");
}

#[tokio::test]
async fn signing_out_asks_first_and_ends_the_session_everywhere() {
    let mut browser = Browser::signed_in().await;
    let copied = browser.cookies.clone();
    assert!(browser.get("/.vestibule/logout").await.says("Sign out?"));
    assert_eq!(browser.get("/.vestibule/session").await.status, 200, "GET does nothing");
    let unbound = browser.post("/.vestibule/logout", &[("csrf", "x")]).await;
    assert!(unbound.says("Sign out?"), "a form of another page does nothing");
    assert_eq!(browser.fill("/.vestibule/logout", "/.vestibule/logout", &[]).await.leads_to(), "/.vestibule/logout");
    assert!(browser.get("/.vestibule/logout").await.says("You have signed out"));
    assert!(browser.cookies.is_empty());
    browser.cookies = copied;
    assert_eq!(browser.get("/.vestibule/session").await.status, 401);
    assert!(browser.get("/.vestibule/login").await.says("Your session has ended"));
}

#[tokio::test]
async fn the_activation_is_announced_from_its_day_on_until_it_is_there() {
    let day = |text| Day::parse(text).unwrap();
    // the outside begins on 2027-01-15 at 8 o'clock
    let said = Announcement { from: day("2027-01-16").begins(), activation: day("2027-02-01") };
    let settings = LoginSettings { announcement: Some(said), ..settings() };
    let mut browser = Browser::with(Activation::Staged, settings).await;
    let announced = "From 1 February 2027 on, signing in here will also take a code";
    assert!(!browser.get("/.vestibule/login").await.says(announced), "it is too early");
    browser.outside.pass(16 * 3600 * SECOND);
    let page = browser.get("/.vestibule/login").await;
    assert!(page.says(announced), "{}", page.body);
    for (language, says) in
        [("nl", "Vanaf 1 februari 2027"), ("fr", "partir du 1er février 2027"), ("de", "dem 1. Februar 2027")]
    {
        browser.language = language;
        let page = browser.get("/.vestibule/login").await;
        assert!(page.says(says), "{}", page.body);
    }
    browser.sessions.activate();
    assert!(!browser.get("/.vestibule/login").await.says("1. Februar"));
}

#[tokio::test]
async fn before_activation_the_password_is_enough_and_then_a_code_is_asked_for() {
    let mut browser = Browser::at(Activation::Staged).await;
    assert_eq!(browser.password("anna").await.leads_to(), "/a?b=c#d");
    assert_eq!(browser.get("/.vestibule/session").await.status, 200);
    browser.sessions.activate();
    assert_eq!(browser.get("/.vestibule/session").await.status, 401);
    let page = browser.get("/.vestibule/login?return_to=%2Fx").await;
    assert!(page.says("Now with a code") && browser.outside.sms_count() == 0, "GET sends nothing");
    let fields = [("csrf", page.field("csrf")), ("return_to", page.field("return_to"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(browser.post("/.vestibule/code/resend", &fields).await.leads_to(), "/.vestibule/code");
    assert_eq!(browser.get("/.vestibule/login?return_to=%2Fx").await.leads_to(), "/.vestibule/code", "a second tab");
    assert_eq!(browser.outside.sms_count(), 1);
    let code = browser.outside.last_code();
    assert_eq!(browser.code(&code).await.leads_to(), "/x");
    assert!(browser.get("/.vestibule/session").await.says("\"code\""));
}

#[tokio::test]
async fn a_step_up_with_an_old_password_asks_for_it_again() {
    let mut browser = Browser::at(Activation::Staged).await;
    browser.password("anna").await;
    browser.sessions.activate();
    browser.outside.pass(601 * SECOND);
    let page = browser.get("/.vestibule/login?return_to=%2Fx").await;
    assert!(page.says("also takes a code") && page.says(" readonly"));
    assert_eq!(page.field("username"), "anna");
    let fields = [("csrf", page.field("csrf")), ("return_to", page.field("return_to"))];
    let [csrf, return_to] = fields.map(|(_, value)| value);
    let fields = [("csrf", csrf.as_str()), ("return_to", &return_to), ("username", "anna"), ("password", PASSWORD)];
    assert_eq!(browser.post("/.vestibule/login", &fields).await.leads_to(), "/.vestibule/code");
    let code = browser.outside.last_code();
    assert_eq!(browser.code(&code).await.leads_to(), "/x");
}

#[tokio::test]
async fn a_step_up_of_somebody_without_a_number_begins_at_the_password() {
    let mut browser = Browser::at(Activation::Staged).await;
    browser.password("ben").await;
    browser.sessions.activate();
    let page = browser.get("/.vestibule/login?return_to=%2Fx").await;
    let csrf = page.field("csrf");
    let answer = browser.post("/.vestibule/code/resend", &[("csrf", &csrf), ("return_to", "/x")]).await;
    assert!(answer.says("also takes a code") && answer.says(" readonly"));
    assert_eq!(answer.field("return_to"), "/x");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503_and_never_a_way_in() {
    let mut browser = Browser::active().await;
    let csrf = browser.get("/.vestibule/login").await.field("csrf");
    browser.outside.fall_silent();
    let fields = [("csrf", csrf.as_str()), ("username", "anna"), ("password", PASSWORD)];
    let answer = browser.post("/.vestibule/login", &fields).await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains_key("retry-after") && answer.says("Reference: "));
    assert_eq!(browser.get("/.vestibule/code").await.status, 503);
}

#[tokio::test]
async fn a_sign_out_that_is_not_certain_keeps_the_cookie() {
    let mut browser = Browser::signed_in().await;
    let csrf = browser.get("/.vestibule/logout").await.field("csrf");
    browser.outside.fall_silent();
    assert_eq!(browser.post("/.vestibule/logout", &[("csrf", &csrf)]).await.status, 503);
    assert!(browser.cookies.contains_key("__Host-vestibule"));
}

#[tokio::test]
async fn too_many_and_too_busy_say_when_to_come_back() {
    let mut browser = Browser::active().await;
    browser.outside.busy.store(true, Ordering::Relaxed);
    let answer = browser.password("anna").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (503, &"5".parse().unwrap()));
    browser.outside.network_is_full.store(true, Ordering::Relaxed);
    let answer = browser.password("anna").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["retry-after"]), (429, &"42".parse().unwrap()));
}

#[tokio::test]
async fn whoever_keeps_coming_back_with_a_session_is_told_so_at_the_fourth_time() {
    let mut browser = Browser::signed_in().await;
    browser.cookies.remove("__Host-vestibule-bounces");
    for _ in 0..3 {
        assert_eq!(browser.get("/.vestibule/login?return_to=%2Fx").await.leads_to(), "/x");
    }
    let told = browser.get("/.vestibule/login?return_to=%2Fx").await;
    assert_eq!(told.status, 403);
    assert!(told.says("sends you back to sign-in") && told.says("href=\"/x\""), "{}", told.body);
    // and begins anew
    assert_eq!(browser.get("/.vestibule/login?return_to=%2Fx").await.leads_to(), "/x");
}

#[tokio::test]
async fn a_form_without_its_cookie_is_shown_again_once() {
    let mut browser = Browser::active().await;
    let page = browser.get("/.vestibule/login").await;
    let fields = |page: &super::Answer, missing| {
        [
            ("username", "anna".to_owned()),
            ("password", PASSWORD.to_owned()),
            ("csrf", page.field("csrf")),
            ("cookie_missing", missing),
        ]
    };
    let send = async |browser: &mut Browser, fields: &[(&str, String)]| {
        browser.cookies.clear();
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        browser.post("/.vestibule/login", &fields).await
    };
    let again = send(&mut browser, &fields(&page, String::new())).await;
    assert_eq!(again.status, 403);
    assert!(again.says("did not send our cookie back") && again.says("value=\"anna\""), "{}", again.body);
    let told = send(&mut browser, &fields(&again, again.field("cookie_missing"))).await;
    assert_eq!(told.status, 403);
    assert!(told.says("Allow cookies for this site") && !told.says("<form"), "{}", told.body);
}

#[tokio::test]
async fn a_sign_in_page_over_http_says_so() {
    let mut browser = Browser::active().await;
    let request = http::Request::post("/.vestibule/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://app.example.com");
    let told = browser.ask(request, "username=anna&password=x".to_owned()).await;
    assert_eq!(told.status, 403);
    assert!(told.says("This page was opened over http"), "{}", told.body);
}
