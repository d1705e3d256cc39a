//! Two nodes on one PostgreSQL: a person may be carried by another one at every step, and so may what ends the sign-in.

use crate::harness::stack::{Accounts, Plan};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_changes_nodes_at_every_step_and_a_reset_in_between_holds_at_both() {
    let stack = Plan::new().accounts(Accounts::Postgres).nodes(2).start();
    let anna = stack.add_account("anna", "+32470111222");
    let here = stack.person();
    let there = stack.at_node(&here, 1);

    let page = here.give_password("/", &anna).await;
    let code = stack.vendor.wait_for_message(&anna.phone, 1).code();
    there.give_code(&page, &code).await.expect(303);
    here.fetch("/").await.expect(200);
    there.fetch("/").await.expect(200);

    // a second browser owes its code when she is reset
    let second = stack.person();
    let page = stack.at_node(&second, 1).give_password("/", &anna).await;
    let code = stack.vendor.wait_for_message(&anna.phone, 2).code();
    stack.command(&["user", "reset-two-factor", "anna", "--reason", "phone lent"], "").done();
    let reset = Instant::now();
    for person in [&here, &there] {
        while person.fetch("/").await.status != 401 {
            assert!(reset.elapsed() < Duration::from_secs(1), "the session goes on at port {}", person.port());
            tokio::task::yield_now().await;
        }
    }
    let sessions = stack.sessions_opened();
    let _ = second.give_code(&page, &code).await;
    assert!(!second.is_in().await && !stack.at_node(&second, 1).is_in().await, "a code from before the reset");
    assert_eq!(stack.sessions_opened(), sessions);

    let page = there.give_password("/", &anna).await;
    let code = stack.vendor.wait_for_message(&anna.phone, 3).code();
    here.give_code(&page, &code).await.expect(303);
    there.fetch("/").await.expect(200);

    let stolen = here.copy();
    there.sign_out().await.expect(303);
    let signed_out = Instant::now();
    for copy in [&stolen, &stack.at_node(&stolen, 1)] {
        while copy.fetch("/").await.status != 401 {
            assert!(signed_out.elapsed() < Duration::from_secs(1), "the session goes on at port {}", copy.port());
            tokio::task::yield_now().await;
        }
    }
}
