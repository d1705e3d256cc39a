//! Many at once, over nodes, with a Redis that forgets: what a code, a password and an SMS cost is counted in SQL, and holds.

use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Account, Accounts, Pending, Plan, Stack};
use crate::harness::steps::not_this;
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test]
async fn a_hundred_right_codes_at_once_open_one_session_over_two_nodes() {
    one_session_of_a_hundred(Plan::new().accounts(Accounts::Postgres).nodes(2)).await;
}

#[tokio::test]
async fn a_hundred_right_codes_at_once_open_one_session_in_one_process() {
    one_session_of_a_hundred(Plan::new().pending(Pending::Memory)).await;
}

async fn one_session_of_a_hundred(plan: Plan) {
    let stack = open_to_many(plan).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let old = person.copy();
    let answers = all_at_once(&stack, &person, &page, &vec![code.clone(); 100]).await;
    let cookies: usize = answers.iter().map(session_cookies).sum();
    assert_eq!((cookies, stack.sessions_opened()), (1, 1), "{}", statuses(&answers));
    assert_eq!(answers.iter().filter(|answer| answer.status == 303 && session_cookies(answer) == 1).count(), 1);
    assert!(stack.count("code_attempts") <= 5);
    assert!(person.is_in().await);
    // Nor does it open another one later.
    old.give_code(&page, &code).await.expect(410);
    assert_eq!(stack.sessions_opened(), 1);
}

#[tokio::test]
async fn of_a_hundred_wrong_codes_over_two_nodes_with_a_flush_between_exactly_five_are_compared() {
    let stack = open_to_many(Plan::new().accounts(Accounts::Postgres).nodes(2)).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let answers = all_at_once(&stack, &person, &page, &wrong_codes(&code, 50)).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 422 | 410)), "{}", statuses(&answers));
    assert_eq!(stack.count("code_attempts"), 5);
    stack.redis.as_ref().unwrap().flush();
    let answers = all_at_once(&stack, &person, &page, &wrong_codes(&code, 50)).await;
    assert!(answers.iter().all(|answer| answer.status == 410), "{}", statuses(&answers));
    person.give_code(&page, &code).await.expect(410);
    assert_eq!((stack.count("code_attempts"), stack.sessions_opened()), (5, 0));
    assert!(!person.is_in().await);
}

#[tokio::test]
async fn a_flush_in_the_middle_of_a_hundred_wrong_codes_gives_no_further_guess() {
    let stack = open_to_many(Plan::new()).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let wrong = wrong_codes(&code, 100);
    let flush = async {
        // Not before some were counted, and not after all were answered.
        while stack.count("code_attempts") < 2 {
            tokio::task::yield_now().await;
        }
        stack.redis.as_ref().unwrap().flush();
    };
    let (answers, ()) = tokio::join!(all_at_once(&stack, &person, &page, &wrong), flush);
    assert!(answers.iter().all(|answer| matches!(answer.status, 422 | 410)), "{}", statuses(&answers));
    person.give_code(&page, &code).await.expect(410);
    assert!((2..=5).contains(&stack.count("code_attempts")));
    assert_eq!(stack.sessions_opened(), 0);
}

#[tokio::test]
async fn of_a_hundred_wrong_codes_in_one_process_exactly_five_are_compared() {
    let stack = open_to_many(Plan::new().pending(Pending::Memory)).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let answers = all_at_once(&stack, &person, &page, &wrong_codes(&code, 100)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 422).count(), 4, "{}", statuses(&answers));
    person.give_code(&page, &code).await.expect(410);
    assert_eq!((stack.count("code_attempts"), stack.sessions_opened()), (5, 0));
}

#[tokio::test]
async fn a_redis_that_lost_its_last_writes_gives_no_further_guess() {
    let mut stack = open_to_many(Plan::new()).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let saved = stack.redis().save();
    for step in 1..=2 {
        person.give_code(&page, &not_this(&code, step)).await.expect(422);
    }
    stack.redis().go_back_to(&saved);
    let third = retried(async || person.give_code(&page, &not_this(&code, 3)).await).await.expect(422);
    assert!(third.reads().contains("2 tries are left"), "{}", third.reads());
    let answers = all_at_once(&stack, &person, &page, &wrong_codes(&code, 50)).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 422 | 410)), "{}", statuses(&answers));
    stack.redis().go_back_to(&saved);
    retried(async || person.give_code(&page, &code).await).await.expect(410);
    assert_eq!((stack.count("code_attempts"), stack.sessions_opened()), (5, 0));
}

#[tokio::test]
async fn a_redis_that_lost_its_last_writes_opens_no_second_session() {
    let mut stack = open_to_many(Plan::new()).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let before = person.copy();
    let saved = stack.redis().save();
    person.give_code(&page, &code).await.expect(303);
    stack.redis().go_back_to(&saved);
    retried(async || before.give_code(&page, &code).await).await.expect(410);
    assert!(!before.is_in().await && person.is_in().await);
    assert_eq!(stack.sessions_opened(), 1);
}

#[tokio::test]
async fn a_redis_that_lost_its_last_writes_sends_no_further_sms() {
    let mut stack = open_to_many(Plan::new()).set("two_factor.code.resend_after", json!(["1ms"])).start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let saved = stack.redis().save();
    for _ in 0..3 {
        person.ask_again(&page).await.expect(303);
    }
    assert_eq!(stack.vendor.messages().len(), 4);
    stack.redis().go_back_to(&saved);
    let answer = retried(async || person.ask_again(&page).await).await.expect(303);
    let said = person.follow_from(answer).await.expect(200);
    assert!(said.reads().contains("No more text messages can be sent for this sign-in"), "{}", said.reads());
    assert_eq!(stack.vendor.requests().len(), 4);
    person.give_code(&page, &code).await.expect(303);
}

#[tokio::test]
async fn ten_wrong_codes_an_hour_are_the_most_over_all_sign_ins_of_an_account() {
    let stack = open_to_many(Plan::new()).start();
    let anna = stack.add_account("anna", "+32470123456");
    let bert = stack.add_account("bert", "+32470765432");
    for _ in 0..2 {
        let (person, page, code) = stack.owing_a_code(&anna).await;
        all_at_once(&stack, &person, &page, &wrong_codes(&code, 20)).await;
    }
    assert_eq!(stack.count("code_attempts"), 10);
    stack.redis.as_ref().unwrap().flush();
    let (person, page, code) = stack.owing_a_code(&anna).await;
    let paused = person.give_code(&page, &code).await.expect(429);
    assert!(paused.reads().contains("There have been too many wrong codes"), "{}", paused.reads());
    let seconds: u64 = paused.header("retry-after").parse().unwrap();
    assert!((3000..=3600).contains(&seconds), "{seconds}");
    assert_eq!((stack.count("code_attempts"), stack.sessions_opened()), (10, 0));
    stack.signed_in(&bert).await;
    // An operator may help.
    stack.command(&["user", "unlock", "anna", "--reason", "called"], "").done();
    person.give_code(&page, &code).await.expect(303);
}

#[tokio::test]
async fn a_code_from_before_a_change_of_the_account_is_refused() {
    let stack = open_to_many(Plan::new()).start();
    let changes: [(&str, &[&str], &str); 8] = [
        ("reset", &["reset-two-factor", "--reason", "called"], ""),
        ("change", &["set-phone", "+32470999999", "--reason", "new phone"], ""),
        ("clear", &["clear-phone", "--reason", "lost"], ""),
        ("passwd", &["set-password", "--password-stdin", "--reason", "drill"], "a-new-and-long-password-9\n"),
        ("disabled", &["disable", "--reason", "left"], ""),
        ("offandon", &["disable", "--reason", "holiday"], ""),
        ("removed", &["remove", "--reason", "left"], ""),
        ("ended", &["end", "--user", "ended", "--reason", "drill"], ""),
    ];
    for (place, (name, command, input)) in changes.into_iter().enumerate() {
        let account = stack.add_account(name, &format!("+3247{}01234", 10 + place));
        let (person, page, code) = stack.owing_a_code(&account).await;
        let args = if name == "ended" {
            [&["session"], command].concat()
        } else {
            [&["user", command[0], name], &command[1..]].concat()
        };
        stack.command(&args, input).done();
        if name == "offandon" {
            stack.command(&["user", "enable", name], "").done();
        }
        let refused = person.give_code(&page, &code).await;
        assert_eq!(refused.status, 410, "{name}: {}", refused.reads());
        assert!(!person.is_in().await, "{name}");
    }
    assert_eq!((stack.count("code_attempts"), stack.sessions_opened()), (0, 0));
    stack.evidence().keep(crate::harness::evidence::SecretKind::Password, "a-new-and-long-password-9");
}

#[tokio::test]
async fn twenty_who_ask_again_at_once_get_one_sms() {
    for pending in [Pending::Redis, Pending::Memory] {
        let stack = open_to_many(Plan::new().pending(pending))
            .set("two_factor.code.resend_after", json!(["1ms", "5m"]))
            .start();
        let anna = stack.add_account("anna", "+32470123456");
        let (person, page, code) = stack.owing_a_code(&anna).await;
        let answers = join_all((0..20).map(|_| person.ask_again(&page))).await;
        assert!(answers.iter().all(|answer| answer.status == 303), "{}", statuses(&answers));
        assert_eq!(stack.vendor.requests().len(), 2, "the first, and one more");
        assert_eq!(stack.count("sms_sends"), 2);
        person.give_code(&page, &code).await.expect(303);
    }
}

#[tokio::test]
async fn of_fifty_wrong_passwords_at_once_five_are_looked_at_and_then_the_right_one_waits() {
    let stack = open_to_many(Plan::new().accounts(Accounts::Postgres).nodes(2)).start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.person();
    let page = person.follow("/inside").await.expect(200);
    for name in ["anna", "nobody"] {
        let tries = (0..50).map(|number| {
            let (person, page) = (stack.at_node(&person, number % 2), &page);
            async move { person.type_password(page, name, "not-the-password").await }
        });
        let answers = join_all(tries).await;
        assert!(answers.iter().all(|answer| answer.status == 422), "{name}: {}", statuses(&answers));
    }
    assert_eq!(stack.sql("SELECT failures FROM password_failures ORDER BY subject"), "5\n5");
    for reason in ["wrong_password", "unknown_user_name"] {
        assert_eq!(stack.count(&format!("audit WHERE reason = '{reason}'")), 5, "{reason}");
    }
    stack.redis.as_ref().unwrap().flush();
    person.type_password(&page, &anna.name, &anna.password).await.expect(422);
    assert_eq!(stack.vendor.requests().len(), 0);
    stack.command(&["user", "unlock", "anna"], "").done();
    person.type_password(&page, &anna.name, &anna.password).await.expect(303);
}

#[tokio::test]
async fn five_sms_in_half_an_hour_are_the_most_also_when_redis_forgets() {
    let stack = open_to_many(Plan::new()).start();
    let anna = stack.add_account("anna", "+32470123456");
    for _ in 0..5 {
        stack.owing_a_code(&anna).await;
        stack.redis.as_ref().unwrap().flush();
    }
    // Also for another account with the same number, and under parallel sign-ins.
    let twin = stack.add_account("twin", &anna.phone);
    let people: Vec<(Person, &Account)> = (0..8).map(|place| (stack.person(), [&anna, &twin][place % 2])).collect();
    let pages = join_all(people.iter().map(|(person, account)| person.give_password("/inside", account))).await;
    for page in pages {
        assert!(page.reads().contains("Too many text messages were sent. You can ask again in"), "{}", page.reads());
    }
    assert_eq!(stack.vendor.requests().len(), 5);
    assert_eq!(stack.count("sms_sends WHERE outcome <> 'not_sent'"), 5);
}

/// What one network may do is not what these tests are about: all their people sit behind one address.
fn open_to_many(plan: Plan) -> Plan {
    plan.set("limits.network.failures_minute", 10_000)
}

/// As many wrong codes, all of the right form.
fn wrong_codes(code: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| not_this(code, u8::try_from(number % 9).unwrap() + 1)).collect()
}

/// Every code in the same form at the same time, turn by turn to every node.
async fn all_at_once(stack: &Stack, person: &Person, page: &Answer, codes: &[String]) -> Vec<Answer> {
    let form = page.form_with("code");
    let tries = codes.iter().enumerate().map(|(place, code)| {
        let (person, form) = (stack.at_node(person, place % stack.nodes.len()), &form);
        async move { person.submit(form, &page.asked, &[("code", code)]).await }
    });
    join_all(tries).await
}

/// A Redis that comes back is asked again only after a moment: until then it is 503, which costs nothing.
async fn retried(step: impl AsyncFn() -> Answer) -> Answer {
    let began = std::time::Instant::now();
    loop {
        let answer = step().await;
        if answer.status != 503 {
            return answer;
        }
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "Redis is back, and sign-in is not");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn session_cookies(answer: &Answer) -> usize {
    let cookies = answer.headers.get_all("set-cookie").iter();
    cookies.filter(|value| value.to_str().unwrap().starts_with("vestibule=v1.")).count()
}

fn statuses(answers: &[Answer]) -> String {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    format!("{statuses:?}")
}
