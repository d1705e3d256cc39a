//! Getting in, the whole way: the page first asked for, the password, the code, and the page again.

use crate::harness::stack::{Accounts, Pending, Plan};

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
    assert!(page.reads().contains("56"), "{}", page.reads());
    assert!(!page.reads().contains("470123456"));
    let code = stack.vendor.newest_code(&anna.phone);
    let answer = person.give_code(&page, &code).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/reports?year=2026&of=a%20b"));
    let there = person.follow_from(answer).await.expect(200).json();
    assert_eq!(there["target"], "/reports?year=2026&of=a%20b");
    let user = stack.upstream.request_to("/reports");
    assert_eq!(user.header("x-forwarded-user"), Some("anna"));
    assert_eq!(stack.upstream.requests().len(), 1, "nothing went up before the sign-in");
}
