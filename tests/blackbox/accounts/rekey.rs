//! `accounts rekey`: another data key, beside a running gateway, step by step as the operators' page has it.

use crate::harness::children::wait_for;
use crate::harness::stack::{Accounts, Plan, Stack, secret_file};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_key_is_replaced_beside_a_running_gateway_with_sqlite() {
    a_data_key_is_replaced(Accounts::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_key_is_replaced_beside_a_running_gateway_with_postgres() {
    a_data_key_is_replaced(Accounts::Postgres).await;
}

async fn a_data_key_is_replaced(accounts: Accounts) {
    let mut stack = Plan::new().accounts(accounts).start();
    let anna = stack.add_account("anna", "+32470111222");
    let person = stack.signed_in(&anna).await;
    let old = stack.settings.get("accounts.encryption_keys.0");
    let new = json!({ "file": secret_file(stack.folder(), "data2.key", &STANDARD.encode([7; 32])) });

    reload(&mut stack, json!([new, old]), "the configuration was reloaded");
    // the number is still under the old key
    reload(&mut stack, json!([new]), "not among accounts.encryption_keys");
    let refused = stack.command(&["user", "list"], "");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("vestibule accounts rekey"), "{}", refused.stderr);
    let probed = stack.command(&["check", "--probe"], "");
    assert!((probed.stdout + &probed.stderr).contains("vestibule accounts rekey"));

    stack.settings.set("accounts.encryption_keys", json!([new, old]));
    let moved = stack.command(&["accounts", "rekey", "--reason", "yearly"], "").done();
    assert!(moved.contains("1 values moved") && moved.contains("accounts.encryption_keys[1]"), "{moved}");
    assert_eq!(stack.sql("SELECT COUNT(DISTINCT substr(phone, 1, 4)) FROM accounts"), "1");
    assert_eq!(stack.sql("SELECT reason FROM audit WHERE event = 'accounts_rekeyed'"), "yearly");

    reload(&mut stack, json!([new]), "the configuration was reloaded");
    person.fetch("/").await.expect(200);
    stack.signed_in(&anna).await.fetch("/").await.expect(200);
    let environment = stack.environment().to_vec();
    stack.node().start_again(&environment);
    stack.signed_in(&anna).await.fetch("/").await.expect(200);
}

/// Other data keys for the running node, and what its log then says.
fn reload(stack: &mut Stack, keys: serde_json::Value, said: &str) {
    stack.settings.set("accounts.encryption_keys", keys);
    stack.rewrite_config(0);
    let before = stack.nodes[0].log().len();
    stack.nodes[0].reload();
    wait_for(said, || stack.nodes[0].log()[before..].contains(said).then_some(()));
}
