//! The user's own page: what it shows, what it ends, and what it does not do for anybody else. Floor: edge.

use std::sync::atomic::Ordering;

use http::StatusCode;

use super::Browser;
use crate::domain::pending::Activation;

const ACCOUNT: &str = "/.vestibule/account";
const END: &str = "/.vestibule/account/end";
const END_OTHERS: &str = "/.vestibule/account/end-others";

const PASSWORD: &str = "/.vestibule/account/password";
const NEW: &str = "zeventien fietsen in de regen";

fn passwords<'a>(present: &'a str, chosen: &'a str) -> [(&'static str, &'a str); 3] {
    [("password", present), ("new_password", chosen), ("repeated", chosen)]
}

/// Another browser of whoever has this name, with the same outside.
pub(super) async fn signed_in_beside(browser: &Browser, user_name: &str) -> Browser {
    let mut other = browser.another();
    other.outside.pass(super::SECOND * 60);
    other.password(user_name).await;
    let code = other.outside.last_code();
    assert_eq!(other.code(&code).await.leads_to(), "/a?b=c#d");
    other
}

pub(super) async fn is_in(browser: &mut Browser) -> bool {
    browser.get("/.vestibule/session").await.status == StatusCode::OK
}

#[tokio::test]
async fn one_session_is_ended_and_the_others_go_on() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let page = here.get(ACCOUNT).await;
    assert!(page.says("ending in 56") && page.says("127.0.0.1") && page.says("this one"), "{}", page.body);
    let answer = here.fill(ACCOUNT, END, &[("session", &page.field("session"))]).await;
    assert_eq!(answer.leads_to(), "/.vestibule/account?said=ended");
    assert!(here.get("/.vestibule/account?said=ended").await.says("That session has ended."));
    assert!(is_in(&mut here).await && !is_in(&mut there).await);
}

#[tokio::test]
async fn all_others_are_ended_and_nobody_elses() {
    let mut here = Browser::signed_in().await;
    let (mut there, mut stranger) = (signed_in_beside(&here, "anna").await, signed_in_beside(&here, "dora").await);
    let answer = here.fill(ACCOUNT, END_OTHERS, &[]).await;
    assert_eq!(answer.leads_to(), "/.vestibule/account?said=others-ended");
    assert!(is_in(&mut here).await && !is_in(&mut there).await && is_in(&mut stranger).await);
    assert!(!here.get(ACCOUNT).await.says(END_OTHERS), "nothing is left to end");
}

#[tokio::test]
async fn the_id_of_somebody_elses_session_ends_nothing() {
    let mut here = Browser::signed_in().await;
    let mut stranger = signed_in_beside(&here, "dora").await;
    let session = stranger.get("/.vestibule/session").await;
    let (_, id) = session.body.split_once("\"session\":\"").unwrap();
    for id in [&id[..32], "", "not-an-id"] {
        let answer = here.fill(PASSWORD, END, &[("session", id)]).await;
        assert_eq!(answer.leads_to(), "/.vestibule/account?said=no-such-session", "{id}");
    }
    assert!(is_in(&mut stranger).await);
}

#[tokio::test]
async fn nothing_is_ended_without_the_token_of_this_session() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let session = here.get(ACCOUNT).await.field("session");
    let foreign = there.get(ACCOUNT).await.field("csrf");
    for token in ["", "AAAA", &foreign] {
        for path in [END, END_OTHERS, PASSWORD] {
            let mut fields = vec![("csrf", token), ("session", &session)];
            fields.extend(passwords(super::PASSWORD, NEW));
            let answer = here.post(path, &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
            assert!(answer.says("nothing was done"));
        }
    }
    assert!(is_in(&mut there).await);
}

#[tokio::test]
async fn the_present_session_is_ended_by_signing_out() {
    let mut here = Browser::signed_in().await;
    let session = here.get("/.vestibule/session").await;
    let (_, id) = session.body.split_once("\"session\":\"").unwrap();
    assert_eq!(here.fill(PASSWORD, END, &[("session", &id[..32])]).await.leads_to(), "/.vestibule/logout");
    assert!(is_in(&mut here).await);
}

#[tokio::test]
async fn whoever_has_no_session_or_owes_a_code_signs_in_first_and_comes_back() {
    let sign_in = "/.vestibule/login?return_to=%2F.vestibule%2Faccount";
    let mut nobody = Browser::active().await;
    for path in [END, END_OTHERS, PASSWORD] {
        assert_eq!(nobody.post(path, &[("csrf", "")]).await.leads_to(), sign_in);
    }
    assert_eq!(nobody.get(ACCOUNT).await.leads_to(), sign_in);
    let mut staged = Browser::at(Activation::Staged).await;
    staged.password("anna").await;
    let csrf = staged.get(PASSWORD).await.field("csrf");
    staged.sessions.activate();
    assert_eq!(staged.get(ACCOUNT).await.leads_to(), sign_in);
    for path in [END, END_OTHERS, PASSWORD] {
        assert_eq!(staged.post(path, &[("csrf", &csrf)]).await.leads_to(), sign_in);
    }
    assert!(staged.get(sign_in).await.says("Now with a code"));
}

#[tokio::test]
async fn a_password_is_changed_and_only_this_session_goes_on() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let mut copy = here.another();
    copy.cookies = here.cookies.clone();
    let answer = here.fill(PASSWORD, PASSWORD, &passwords(super::PASSWORD, NEW)).await;
    assert_eq!(answer.leads_to(), "/.vestibule/account?said=password-changed");
    let page = here.get(answer.leads_to()).await;
    assert!(page.says("Your password has been changed.") && !page.says(END), "{}", page.body);
    assert!(is_in(&mut here).await && !is_in(&mut there).await);
    assert!(!is_in(&mut copy).await, "a copy of the old cookie is good for nothing");
}

#[tokio::test]
async fn a_password_that_will_not_do_is_told_at_its_field() {
    let mut here = Browser::signed_in().await;
    let mut there = signed_in_beside(&here, "anna").await;
    let right = super::PASSWORD;
    for (present, chosen, repeated, said) in [
        ("", NEW, NEW, "Enter your password"),
        (right, "", "", "Enter a new password"),
        (right, NEW, "another", "not the same"),
        (right, "short", "short", "at least 8 characters"),
        (right, "password1", "password1", "tried first"),
        (right, right, right, "your password already"),
        ("wrong", NEW, NEW, "The present password is not correct"),
    ] {
        let fields = [("password", present), ("new_password", chosen), ("repeated", repeated)];
        let page = here.fill(PASSWORD, PASSWORD, &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
        assert!(page.says(said), "{said}: {}", page.body);
        assert!(!page.says(NEW) && !page.says(right), "no password is on the page");
    }
    assert!(is_in(&mut there).await);
}

#[tokio::test]
async fn a_present_password_is_looked_at_within_the_limits_of_a_sign_in() {
    let mut here = Browser::signed_in().await;
    here.outside.network_is_full.store(true, Ordering::Relaxed);
    let page = here.fill(PASSWORD, PASSWORD, &passwords(super::PASSWORD, NEW)).await;
    assert_eq!((page.status, &page.headers["retry-after"]), (StatusCode::TOO_MANY_REQUESTS, &"42".parse().unwrap()));
    here.outside.network_is_full.store(false, Ordering::Relaxed);
    here.outside.busy.store(true, Ordering::Relaxed);
    let page = here.fill(PASSWORD, PASSWORD, &passwords(super::PASSWORD, NEW)).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_503() {
    let mut here = Browser::signed_in().await;
    let csrf = here.get(PASSWORD).await.field("csrf");
    here.outside.fall_silent();
    assert_eq!(here.get(ACCOUNT).await.status, StatusCode::SERVICE_UNAVAILABLE);
    let id = "00112233445566778899aabbccddeeff";
    for path in [END, END_OTHERS, PASSWORD] {
        let mut fields = vec![("session", id), ("csrf", &csrf)];
        fields.extend(passwords(super::PASSWORD, NEW));
        let answer = here.post(path, &fields).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert!(is_in(&mut here).await);
}
