//! Who may ask, and how wrong requests are told apart.

use super::{ACCOUNTS, Office, problem};
use crate::harness::stack::{Accounts, Plan};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn nobody_is_answered_without_a_token_that_is_good() {
    let office = Office::open();
    let token = office.token("crm", "admin");
    let right = office.showing(&format!("Bearer {token}"));
    right.get(ACCOUNTS).await.expect(200);
    for path in [ACCOUNTS, "/api/v1/openapi.json", "/api/v1/nothing", "/api/", "/api/v2/accounts"] {
        let answer = office.stranger().get(path).await;
        problem(&answer, 401, "token_required");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"vestibule\"");
    }
    let wrong = format!("{}A", &token[..token.len() - 1]);
    for field in [format!("Bearer {wrong}B"), format!("Bearer vst_{}", "A".repeat(43)), "Bearer x".to_owned()] {
        let answer = office.showing(&field).get(ACCOUNTS).await;
        problem(&answer, 401, "token_required");
        assert!(answer.header("www-authenticate").contains("invalid_token"), "{field}");
    }
    problem(&office.showing(&format!("Basic {token}")).get(ACCOUNTS).await, 401, "token_required");
    // a session is none, wherever it was opened; and a token is none at a site
    let olga = office.stack.add_account("olga", "+32470111111");
    let user = office.stack.signed_in(&olga).await;
    let cookie = office.stranger();
    for name in ["vestibule", "vestibule-operator"] {
        cookie.0.set_cookie(name, &user.cookie("vestibule").unwrap());
    }
    problem(&cookie.get(ACCOUNTS).await, 401, "token_required");
    office.stack.person().with_header("authorization", &format!("Bearer {token}")).fetch("/inside").await.expect(401);
    office.stack.command(&["token", "revoke", "crm", "--reason", "over"], "").done();
    problem(&right.get(ACCOUNTS).await, 401, "token_required");
    assert_eq!(office.stack.count("audit WHERE event IN ('api_token_created', 'api_token_revoked') AND number > 0"), 2);
    office.stack.command(&["audit", "verify"], "").done();
}

#[tokio::test]
async fn wrong_tokens_are_limited_by_network_and_right_ones_are_answered_all_the_same() {
    let office = Office::of(Plan::new().set("limits.network.failures_minute", 3));
    let right = office.program("crm", "admin");
    let wrong = office.showing(&format!("Bearer vst_{}", "A".repeat(43)));
    for _ in 0..3 {
        problem(&wrong.get(ACCOUNTS).await, 401, "token_required");
    }
    let answer = wrong.get(ACCOUNTS).await;
    problem(&answer, 429, "too_many_requests");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() <= 60);
    right.get(ACCOUNTS).await.expect(200);
    // signing in is another matter
    let olga = office.stack.add_account("olga", "+32470111111");
    office.stack.signed_in(&olga).await;
}

#[tokio::test]
async fn wrong_requests_are_told_apart() {
    let office = Office::open();
    let crm = office.program("crm", "admin");
    problem(&crm.get("/api/v1/nothing").await, 404, "no_such_path");
    problem(&crm.get("/api/v1/accounts/nobody").await, 404, "no_such_account");
    problem(&crm.get("/api/v1/accounts/%C3%A9").await, 404, "no_such_account");
    let answer = crm.0.send(Method::DELETE, ACCOUNTS, &[], None).await;
    problem(&answer, 405, "method_not_allowed");
    assert!(answer.header("allow").contains("GET"), "{}", answer.header("allow"));
    let send = async |content_type: &str, body: &str| {
        let body = Some(body.as_bytes().to_vec());
        crm.0.send(Method::POST, ACCOUNTS, &[("content-type", content_type)], body).await
    };
    problem(&send("text/plain", "{}").await, 415, "not_json");
    problem(&send("application/x-www-form-urlencoded", "user_name=anna").await, 415, "not_json");
    problem(&send("application/json", "{").await, 400, "malformed_json");
    let unknown =
        send("application/json; charset=utf-8", r#"{"user_name": "anna", "reason": "x", "two_factor": false}"#).await;
    let document = problem(&unknown, 422, "invalid_body");
    assert!(document["detail"].as_str().unwrap().contains("unknown field `two_factor`"), "{document}");
    problem(&crm.post(ACCOUNTS, &json!({ "user_name": "anna" })).await, 422, "invalid_body");
    problem(&crm.post(ACCOUNTS, &json!({ "user_name": "anna", "reason": " " })).await, 422, "reason_missing");
    problem(&crm.post(ACCOUNTS, &json!({ "user_name": "a b", "reason": "x" })).await, 422, "invalid_user_name");
    let landline = json!({ "user_name": "anna", "reason": "x", "phone": "+3225551212" });
    problem(&crm.post(ACCOUNTS, &landline).await, 422, "phone_refused");
    let name = json!({ "user_name": "anna", "reason": "x", "name": "=1+1" });
    problem(&crm.post(ACCOUNTS, &name).await, 422, "profile_refused");
    for (query, code) in [
        ("exempt=1", "invalid_query"),
        ("limit=0", "invalid_query"),
        ("limit=201", "invalid_query"),
        ("status=gone", "invalid_query"),
        ("phone=Belgium", "invalid_query"),
        ("cursor=x", "invalid_cursor"),
    ] {
        problem(&crm.get(&format!("{ACCOUNTS}?{query}")).await, 422, code);
    }
    for query in ["event=none", "since=yesterday", "actor=a%00b", "cursor=MQ"] {
        assert_eq!(crm.get(&format!("/api/v1/audit?{query}")).await.status, 422, "{query}");
    }
    assert_eq!(office.stack.count("accounts"), 0);
}

#[tokio::test]
async fn a_helpdesk_token_helps_users_and_does_no_more() {
    let office =
        Office::of(Plan::new().accounts(Accounts::Postgres).set("two_factor.phone_numbers", "self_registered"));
    office.stack.add_account("anna", "+32472333333");
    office.stack.add_account("olga", "+32470111111");
    office.stack.command(&["operator", "appoint", "olga", "--role", "helpdesk", "--reason", "first"], "").done();
    let desk = office.program("desk", "helpdesk");
    for deed in ["unlock", "reset-two-factor", "end-sessions", "one-time-password"] {
        desk.deed("anna", deed).await.expect(200);
        problem(&desk.deed("olga", deed).await, 403, "an_operator");
    }
    for deed in ["clear-phone", "open-enrolment", "disable", "enable", "remove"] {
        problem(&desk.deed("anna", deed).await, 403, "needs_admin");
        problem(&desk.deed("nobody", deed).await, 403, "needs_admin");
    }
    let number = json!({ "phone": "+32470999999", "reason": "x" });
    problem(&desk.post("/api/v1/accounts/anna/set-phone", &number).await, 403, "needs_admin");
    let anna = json!({ "user_name": "anna", "reason": "x" });
    problem(&desk.post(ACCOUNTS, &anna).await, 403, "needs_admin");
    let name = json!({ "name": "Anna", "reason": "x" });
    problem(&desk.say(Method::PATCH, "/api/v1/accounts/anna", &name).await, 403, "needs_admin");
    assert_eq!(office.stack.count("audit WHERE actor = 'token:desk' AND event = 'password_set'"), 1);
    assert_eq!(office.stack.count("audit WHERE event = 'phone_cleared' OR event = 'account_removed'"), 0);
    // the trail of one user
    let records = desk.get("/api/v1/audit?user_name=anna").await.expect(200).json();
    assert_eq!(records["records"][0]["user_name"], "anna");
    problem(&desk.get("/api/v1/audit").await, 403, "needs_admin");
    problem(&desk.get("/api/v1/audit?user_name=olga").await, 403, "an_operator");
    // one token gives a password or a number
    let crm = office.program("crm", "admin");
    crm.deed("olga", "one-time-password").await.expect(200);
    problem(&crm.post("/api/v1/accounts/olga/set-phone", &number).await, 403, "gave_password");
    office.program("other", "admin").post("/api/v1/accounts/olga/set-phone", &number).await.expect(200);
    office.stack.evidence().keep(crate::harness::evidence::SecretKind::PhoneNumber, "+32470999999");
}

#[tokio::test]
async fn a_token_does_so_much_in_an_hour_and_no_more() {
    let office = Office::of(Plan::new().set("limits.operator_actions_hour", 2));
    office.stack.add_account("anna", "+32472333333");
    let desk = office.program("desk", "helpdesk");
    for _ in 0..2 {
        desk.deed("anna", "end-sessions").await.expect(200);
    }
    let answer = desk.deed("anna", "end-sessions").await;
    problem(&answer, 429, "too_many_requests");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 3000);
    desk.get("/api/v1/accounts/anna").await.expect(200);
    office.program("other", "helpdesk").deed("anna", "end-sessions").await.expect(200);
}
