//! What is around the pages: other sites, other paths, files, languages, panics. Floor: edge.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::Browser;
use crate::portal::fakes::PASSWORD;
use crate::portal::{Portal, guarded, pages};

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let mut browser = Browser::active().await;
    let csrf = browser.get("/.vestibule/login").await.field("csrf");
    let request = Request::post("/.vestibule/login")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("origin", "https://evil.example");
    let answer = browser.ask(request, format!("csrf={csrf}&username=anna&password={PASSWORD}")).await;
    assert_eq!(answer.status, 403);
    assert_eq!(browser.outside.sms_count(), 0);
}

#[tokio::test]
async fn an_unknown_path_or_method_is_a_page_of_ours() {
    let mut browser = Browser::active().await;
    for (request, status) in [
        (Request::get("/.vestibule/nothing"), 404),
        (Request::get("/.vestibule/"), 404),
        (Request::get("/.vestibule/assets/style.css"), 404),
        (Request::get("/.vestibule/assets/..%2flogin"), 404),
        (Request::delete("/.vestibule/login"), 405),
        (Request::get("/.vestibule/code/resend"), 405),
    ] {
        let answer = browser.ask(request, String::new()).await;
        assert_eq!(answer.status, status);
        assert!(answer.says("Reference: ") && answer.headers.contains_key("content-security-policy"));
    }
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused_unread() {
    let mut browser = Browser::active().await;
    let long = "x".repeat(17 * 1024);
    assert_eq!(browser.post("/.vestibule/login", &[("username", &long)]).await.status, 413);
}

#[tokio::test]
async fn every_file_of_a_page_is_served_for_ever() {
    let mut browser = Browser::active().await;
    let page = browser.get("/.vestibule/login").await;
    let files: Vec<&str> = page.body.split('"').filter(|text| text.starts_with("/.vestibule/assets/")).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let answer = browser.get(file).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.headers["cache-control"].to_str().unwrap().contains("immutable"));
        assert!(!answer.body.is_empty() && !answer.headers.contains_key(SET_COOKIE));
    }
}

#[tokio::test]
async fn a_language_is_chosen_once_and_kept() {
    let mut browser = Browser::active().await;
    browser.language = "de-AT,en;q=0.5";
    assert!(browser.get("/.vestibule/login").await.says("<html lang=\"de\""));
    let answer = browser.get("/.vestibule/login?return_to=%2Fx&lang=nl").await;
    assert_eq!(answer.leads_to(), "/.vestibule/login?return_to=%2Fx");
    let page = browser.get("/.vestibule/login?return_to=%2Fx").await;
    assert!(page.says("<html lang=\"nl\"") && page.headers["content-language"] == "nl");
    assert_eq!(browser.get("/.vestibule/code?lang=xx").await.leads_to(), "/.vestibule/code");
}

#[tokio::test]
async fn a_page_that_panics_is_answered_with_a_reference() {
    let mut browser = Browser::active().await;
    let broken = Router::new().route("/.vestibule/broken", get(async || -> StatusCode { panic!("planted") }));
    browser.router = guarded(broken, Arc::clone(&browser.portal));
    let answer = browser.get("/.vestibule/broken").await;
    assert_eq!(answer.status, 500);
    assert!(answer.says("Something went wrong") && answer.says("Reference: ") && !answer.says("planted"));
    assert!(answer.headers.contains_key("x-request-id"));
}

#[tokio::test]
async fn nothing_is_said_to_a_request_without_a_site() {
    let browser = Browser::active().await;
    let request = Request::get("/.vestibule/login").body(Body::empty()).unwrap();
    let answer = browser.router.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 500);
}

#[tokio::test]
async fn the_keys_of_assertions_are_for_everybody_and_only_where_assertions_are_used() {
    let mut browser = Browser::active().await;
    let set = browser.get("/.vestibule/jwks.json").await;
    assert_eq!(set.status, 200);
    assert_eq!(set.headers["content-type"], "application/jwk-set+json");
    assert_eq!(set.headers["cache-control"], "public, max-age=300");
    assert!(!set.headers.contains_key(SET_COOKIE));
    assert!(set.body.contains("\"crv\":\"Ed25519\""), "{}", set.body);
    let head = browser.ask(Request::head("/.vestibule/jwks.json"), String::new()).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));

    let portal = Portal {
        login: Arc::clone(&browser.portal.login),
        looks: browser.portal.looks.clone(),
        asserting: HashSet::new(),
    };
    browser.router = guarded(pages(), Arc::new(portal));
    assert_eq!(browser.get("/.vestibule/jwks.json").await.status, 404);
}
