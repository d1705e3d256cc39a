//! Parts that are gone, silent or forgetful: sign-in closes at once and says so, what is open goes on, and everything
//! comes back by itself.

use crate::harness::children::free_port;
use crate::harness::person::{Answer, Person};
use crate::harness::postgres::{Postgres, ask_database};
use crate::harness::sms_vendor::{Behaviour, FakeSmsVendor};
use crate::harness::stack::{Account, Plan, Stack};
use futures_util::future::join_all;
use serde_json::json;
use sqlx::{ConnectOptions, Executor};
use std::time::{Duration, Instant};

const PHONE: &str = "+32470111222";

/// "Well under a second": what somebody waits to learn that signing in does not work while Redis is gone.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The same while the accounts are gone: statements get two and a half seconds.
const SOON: Duration = Duration::from_secs(4);

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Its port refuses.
    Killed,
    /// It holds its connections and answers nothing.
    Frozen,
}

#[tokio::test]
async fn without_redis_sign_in_is_closed_and_sessions_go_on() {
    let mut stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let late = stack.add_account("bob", "+32470111333");
    let inside = stack.signed_in(&account).await;
    for fault in [Fault::Killed, Fault::Frozen] {
        let page = stack.person();
        let form = page.open("/.vestibule/login").await.expect(200);
        let half_way = stack.person();
        let code_page = half_way.give_password("/", &late).await.expect(200);
        let code = stack.vendor.newest_code(&late.phone);
        let sent = stack.vendor.requests().len();

        match fault {
            Fault::Killed => stack.redis().kill(),
            Fault::Frozen => stack.redis().freeze(),
        }

        let began = Instant::now();
        let answer = send_password(&page, &form, &account).await;
        sign_in_is_closed(&answer, began, AT_ONCE, &format!("{fault:?}: a password"));
        let began = Instant::now();
        let answer = half_way.give_code(&code_page, &code).await;
        sign_in_is_closed(&answer, began, AT_ONCE, &format!("{fault:?}: a code"));
        let began = Instant::now();
        let answer = half_way.submit(&code_page.form_to("/.vestibule/code/resend"), &code_page.asked, &[]).await;
        sign_in_is_closed(&answer, began, AT_ONCE, &format!("{fault:?}: another code"));
        assert_eq!(stack.vendor.requests().len(), sent, "an SMS that nobody can answer");
        for _ in 0..20 {
            let began = Instant::now();
            inside.fetch("/").await.expect(200);
            assert!(began.elapsed() < Duration::from_millis(500), "{fault:?}: {:?}", began.elapsed());
        }

        match fault {
            Fault::Killed => stack.redis().start_again(),
            Fault::Frozen => stack.redis().thaw(),
        }
        let back = Instant::now();
        until_sign_in_is_open(&stack, &account).await;
        println!("{fault:?}: sign-in is open again {:?} after Redis", back.elapsed());
        let person = stack.signed_in(&account).await;
        person.fetch("/").await.expect(200);
        inside.fetch("/").await.expect(200);
    }
    // A session can be ended while Redis is gone.
    stack.redis().kill();
    let copied = inside.copy();
    let page = inside.open("/.vestibule/logout").await.expect(200);
    inside.submit(&page.form_to("/.vestibule/logout"), "/.vestibule/logout", &[]).await;
    copied.fetch("/").await.expect(401);
}

#[tokio::test]
async fn a_node_starts_without_redis_and_takes_it_up_when_it_comes() {
    let mut stack = Plan::new().prepare();
    let account = stack.add_account("ada", PHONE);
    stack.redis().kill();
    stack.start_nodes().unwrap_or_else(|failure| panic!("it does not start without Redis: {}", failure.log));
    let person = stack.person();
    let form = person.open("/.vestibule/login").await.expect(200);
    let began = Instant::now();
    let answer = send_password(&person, &form, &account).await;
    sign_in_is_closed(&answer, began, AT_ONCE, "never seen");
    stack.redis().start_again();
    until_sign_in_is_open(&stack, &account).await;
    stack.signed_in(&account).await.fetch("/").await.expect(200);
}

#[tokio::test]
async fn a_redis_that_forgets_only_makes_people_start_again() {
    let mut stack = Stack::start();
    let account = stack.add_account("ada", PHONE);
    let inside = stack.signed_in(&account).await;
    let person = stack.person();
    let page = person.give_password("/wanted", &account).await;
    let code = stack.vendor.wait_for_message(PHONE, 2).code();
    stack.redis().flush();
    let answer = person.give_code(&page, &code).await;
    let after = person.follow_from(answer).await;
    assert!(person.cookie("vestibule").is_none(), "{}", after.reads());
    assert!(after.status < 500, "{}: {}", after.status, after.reads());
    person.fetch("/").await.expect(401);
    inside.fetch("/").await.expect(200);
    let again = stack.signed_in(&account).await;
    again.fetch("/").await.expect(200);
}

#[tokio::test]
async fn while_postgres_does_not_answer_traffic_goes_on_for_the_grace_and_public_pages_for_ever() {
    let mut postgres = Postgres::start();
    let grace = Duration::from_secs(5);
    let stack = Plan::new()
        .accounts_at(postgres.fresh_database())
        .set("session.revocation_grace", "5s")
        .set("sites.0.routes", json!([{ "path": "/open/*", "access": "public" }]))
        .start();
    let account = stack.add_account("ada", PHONE);
    for fault in [Fault::Frozen, Fault::Killed] {
        let inside = stack.signed_in(&account).await;
        let page = stack.person();
        let form = page.open("/.vestibule/login").await.expect(200);
        match fault {
            Fault::Killed => postgres.kill(),
            Fault::Frozen => postgres.freeze(),
        }
        let began = Instant::now();
        let answer = send_password(&page, &form, &account).await;
        sign_in_is_closed(&answer, began, SOON, &format!("{fault:?}: a password"));
        let lasted = loop {
            let asked = Instant::now();
            let answer = inside.fetch("/").await;
            assert!(asked.elapsed() < Duration::from_millis(500), "{fault:?}: {:?}", asked.elapsed());
            page.fetch("/open/page").await.expect(200);
            if answer.status != 200 {
                cannot_tell(&answer);
                break began.elapsed();
            }
            assert!(began.elapsed() < grace * 3, "{fault:?}: it goes on without anybody knowing who was put out");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        println!("{fault:?}: signed-in requests went on for {lasted:?} of {grace:?}");
        assert!(lasted > grace - Duration::from_secs(1) && lasted < grace + Duration::from_secs(1), "{lasted:?}");
        let page_answer = inside.open("/").await.expect(503);
        assert!(page_answer.header("content-type").starts_with("text/html"), "{page_answer:?}");
        assert!(inside.cookie("vestibule").is_some(), "it is no sign-out");
        page.fetch("/other").await.expect(401);
        page.fetch("/open/page").await.expect(200);

        match fault {
            Fault::Killed => postgres.start_again(),
            Fault::Frozen => postgres.thaw(),
        }
        let back = Instant::now();
        while inside.copy().fetch("/").await.status != 200 {
            assert!(back.elapsed() < Duration::from_secs(20), "{fault:?}: it does not come back");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        println!("{fault:?}: signed-in requests go on {:?} after the accounts", back.elapsed());
        until_sign_in_is_open(&stack, &account).await;
    }
    drop(stack);
    drop(postgres);
}

#[tokio::test]
async fn while_sqlite_is_locked_sign_in_is_closed_and_sessions_go_on() {
    let stack = Plan::new().set("session.revocation_grace", "3s").start();
    let account = stack.add_account("ada", PHONE);
    let inside = stack.signed_in(&account).await;
    let page = stack.person();
    let form = page.open("/.vestibule/login").await.expect(200);
    let file = stack.folder().join("accounts.db");
    let mut lock = sqlx::sqlite::SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    lock.execute("BEGIN EXCLUSIVE").await.unwrap();
    let began = Instant::now();
    let answer = send_password(&page, &form, &account).await;
    sign_in_is_closed(&answer, began, SOON, "locked");
    // What was ended can still be read, so nobody has to be refused.
    while began.elapsed() < Duration::from_secs(5) {
        inside.fetch("/").await.expect(200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    lock.execute("ROLLBACK").await.unwrap();
    until_sign_in_is_open(&stack, &account).await;
    stack.signed_in(&account).await.fetch("/").await.expect(200);
}

#[tokio::test]
async fn with_both_stores_stopped_somebody_browses_for_half_a_minute_without_a_failure() {
    let postgres = Postgres::start();
    let mut stack = Plan::new().accounts_at(postgres.fresh_database()).start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let in_redis = stack.redis().commands_processed();
    stack.redis().freeze();
    postgres.freeze();
    let began = Instant::now();
    let (mut count, mut slowest) = (0_u32, Duration::ZERO);
    while began.elapsed() < Duration::from_secs(30) {
        let asked = Instant::now();
        let answer = if count.is_multiple_of(10) {
            person.post("/form", &[("field", "value")]).await
        } else {
            person.open(&format!("/page/{count}")).await
        };
        answer.expect(200);
        slowest = slowest.max(asked.elapsed());
        count += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stack.redis().thaw();
    postgres.thaw();
    println!("{count} requests in half a minute without stores, the slowest {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    // What was waiting in its sockets has been carried out by now; the second question is one itself.
    let asked = stack.redis().commands_processed() - in_redis;
    println!("{asked} commands reached Redis meanwhile, questions of this test among them");
    assert!(asked <= 5, "{asked} commands reached Redis meanwhile");
}

#[tokio::test]
async fn a_signed_in_request_asks_neither_store() {
    let postgres = Postgres::start();
    let url = postgres.fresh_database();
    let mut stack = Plan::new().accounts_at(url.clone()).start();
    let person = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let transactions = || -> u64 {
        let statement = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
        ask_database(&url, statement).parse().unwrap()
    };
    let asked_before = (stack.redis().commands_processed(), transactions());
    let began = Instant::now();
    for number in 0..3000 {
        person.fetch(&format!("/{number}")).await.expect(200);
    }
    let took = began.elapsed();
    let in_redis = stack.redis().commands_processed() - asked_before.0;
    let in_sql = transactions() - asked_before.1;
    println!("3000 requests in {took:?}: {in_redis} commands in Redis, {in_sql} transactions in SQL");
    // Twice a second, whatever is going on, the feed of revocations is read and the marker compared; what the sign-in did may be counted late.
    let others = (took.as_secs() + 1) * 8 + 30;
    assert!(in_redis <= others, "{in_redis}: the path of a request asks Redis");
    assert!(in_sql <= others, "{in_sql}, of which the feed and the sign-in account for {others}");
}

#[tokio::test]
async fn a_vendor_that_fails_is_said_on_the_page_and_one_can_ask_again() {
    let stack =
        Plan::new().set("sms.providers.0.timeout", "1s").set("two_factor.code.resend_after", json!(["1ms"])).start();
    let behaviour = Behaviour::default;
    let failing = [
        ("an error", Failed::Surely, Behaviour { status: Some(500), ..behaviour() }),
        ("a refusal", Failed::Surely, Behaviour { status: Some(403), ..behaviour() }),
        // It may have been sent: the person waits for it a little, and asks again.
        ("a hang", Failed::Perhaps, Behaviour { delay: Duration::from_secs(20), ..behaviour() }),
        ("a cut connection", Failed::Perhaps, Behaviour { drop_after_taking: true, ..behaviour() }),
    ];
    for (number, (what, failed, behaviour)) in failing.into_iter().enumerate() {
        let account = stack.add_account(&format!("user{number}"), &format!("+3247011122{number}"));
        let person = stack.person();
        stack.vendor.behave(behaviour);
        let began = Instant::now();
        let page = person.give_password("/wanted", &account).await;
        assert!(began.elapsed() < Duration::from_secs(5), "{what}: {:?}", began.elapsed());
        assert_eq!(page.status, 200, "{what}: {}", page.reads());
        let says_so = page.reads().contains("could not send");
        assert_eq!(says_so, failed == Failed::Surely, "{what}: {}", page.reads());
        assert!(!page.reads().contains("127.0.0.1"), "{what}: {}", page.reads());

        stack.vendor.behave(Behaviour::default());
        let sent = stack.vendor.messages_to(&account.phone).len();
        let answer = person.submit(&page.form_to("/.vestibule/code/resend"), &page.asked, &[]).await;
        let page = person.follow_from(answer).await.expect(200);
        let code = stack.vendor.wait_for_message(&account.phone, sent + 1).code();
        let answer = person.give_code(&page, &code).await;
        assert_eq!(person.follow_from(answer).await.expect(200).asked, "/wanted", "{what}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failed {
    Surely,
    Perhaps,
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_said_on_the_page() {
    let nowhere = format!("http://127.0.0.1:{}/send", free_port());
    let stack = Plan::new().set("sms.providers.0.url", nowhere).start();
    let page = stack.person().give_password("/", &stack.add_account("ada", PHONE)).await.expect(200);
    assert!(page.reads().contains("could not send"), "{}", page.reads());
}

#[tokio::test]
async fn the_next_vendor_sends_when_one_fails() {
    let second = FakeSmsVendor::start();
    let url = second.url();
    let stack = Plan::new()
        .change(move |settings| {
            let mut provider = settings.get("sms.providers.0");
            provider["name"] = json!("second");
            provider["url"] = json!(url);
            settings.set("sms.providers.1", provider);
        })
        .start();
    let account = stack.add_account("ada", PHONE);
    stack.vendor.behave(Behaviour { status: Some(500), ..Behaviour::default() });
    let person = stack.person();
    let page = person.give_password("/", &account).await.expect(200);
    assert!(!page.reads().contains("could not send"), "{}", page.reads());
    let code = second.newest_code(PHONE);
    let answer = person.give_code(&page, &code).await;
    person.follow_from(answer).await.expect(200);
    assert_eq!(second.messages().len(), 1);
}

#[tokio::test]
async fn a_slow_vendor_makes_nobody_else_wait() {
    let stack = Stack::start();
    let inside = stack.signed_in(&stack.add_account("ada", PHONE)).await;
    let accounts: Vec<Account> =
        (0..12).map(|number| stack.add_account(&format!("user{number}"), &format!("+324702222{number:02}"))).collect();
    let delay = Duration::from_secs(3);
    stack.vendor.behave(Behaviour { delay, ..Behaviour::default() });
    let began = Instant::now();
    let waiting = join_all(accounts.iter().map(async |account| {
        let page = stack.person().give_password("/", account).await.expect(200);
        assert!(page.has_form_with("code"), "{}", page.reads());
    }));
    let browsing = async {
        let mut slowest = Duration::ZERO;
        while began.elapsed() < delay {
            let asked = Instant::now();
            inside.fetch("/").await.expect(200);
            stack.person().open("/.vestibule/login").await.expect(200);
            slowest = slowest.max(asked.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slowest
    };
    let (_, slowest) = tokio::join!(waiting, browsing);
    println!("twelve sign-ins over a vendor of {delay:?}: {:?}; others waited {slowest:?} at most", began.elapsed());
    assert!(began.elapsed() < 3 * delay, "they waited for each other: {:?}", began.elapsed());
    assert!(slowest < Duration::from_secs(1), "others waited {slowest:?}");
}

async fn send_password(person: &Person, page: &Answer, account: &Account) -> Answer {
    let typed = [("username", account.name.as_str()), ("password", account.password.as_str())];
    person.submit(&page.form_with("password"), &page.asked, &typed).await
}

#[track_caller]
fn sign_in_is_closed(answer: &Answer, began: Instant, limit: Duration, what: &str) {
    let took = began.elapsed();
    println!("{what}: {} after {took:?}", answer.status);
    assert_eq!(answer.status, 503, "{what}: {}", answer.reads());
    assert!(took < limit, "{what} took {took:?}");
    assert!(answer.reads().contains("does not work right now"), "{what}: {}", answer.reads());
    assert!(!answer.header("retry-after").is_empty(), "{what}: {:?}", answer.headers);
    assert!(answer.reads().contains(answer.header("x-request-id")), "{what}: {}", answer.reads());
}

#[track_caller]
fn cannot_tell(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.json()["code"], "sessions_cannot_be_told");
    assert!(!answer.header("retry-after").is_empty(), "{:?}", answer.headers);
}

/// Asks with a password that is right until the page for the code comes; every try before it has to be a 503.
async fn until_sign_in_is_open(stack: &Stack, account: &Account) {
    let began = Instant::now();
    loop {
        let person = stack.person();
        let form = person.open("/.vestibule/login").await.expect(200);
        let answer = send_password(&person, &form, account).await;
        if answer.status != 503 {
            let page = person.follow_from(answer).await.expect(200);
            assert!(page.has_form_with("code"), "{}", page.reads());
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "sign-in stays closed: {}", answer.reads());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
