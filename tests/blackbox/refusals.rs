//! Being refused at the first door: one answer whatever the reason, limits before any hashing, and forms that are not taken.

use crate::harness::person::Answer;
use crate::harness::stack::{Account, Plan, Stack};
use crate::harness::steps::LOGIN;
use reqwest::Method;
use std::time::{Duration, Instant};

#[tokio::test]
async fn unknown_wrong_waiting_closed_locked_and_disabled_get_the_same_bytes() {
    let stack = Stack::start();
    let person = stack.person();
    let page = person.follow("/inside").await.expect(200);
    let accounts = all_kinds(&stack);
    let mut answers = Vec::new();
    for (kind, account) in &accounts {
        let answer = person.type_password(&page, &account.name, &account.password).await.expect(422);
        assert!(answer.reads().contains("User name or password is not correct, or sign-in is paused"), "{kind}");
        answers.push((kind, comparable(&answer, &account.name)));
    }
    for (kind, answer) in &answers {
        assert_eq!(answer, &answers[0].1, "{kind} can be told from {}", answers[0].0);
    }
    assert_eq!(stack.vendor.messages().len(), 0);
    // The reasons are told apart where operators look.
    let mut reasons: Vec<String> = stack
        .sql("SELECT reason FROM audit WHERE event = 'password_refused' ORDER BY id")
        .lines()
        .map(str::to_owned)
        .collect();
    reasons.sort();
    let expected = [
        "account_disabled",
        "closed_after_failures",
        "codes_locked",
        "unknown_user_name",
        "waiting_after_failures",
        "wrong_password",
        "wrong_password",
    ];
    assert_eq!(reasons, expected);
    assert!(!stack.nodes[0].log().contains("nobdy"), "a name that does not exist may be a password");
}

#[tokio::test]
async fn a_refusal_comes_at_the_tick_whatever_its_reason() {
    let stack = Plan::new().set("limits.network.failures_minute", 1000).start();
    let person = stack.person();
    let page = person.follow("/inside").await.expect(200);
    for (kind, account) in all_kinds(&stack) {
        let mut took = Vec::new();
        for _ in 0..5 {
            let began = Instant::now();
            person.type_password(&page, &account.name, &account.password).await.expect(422);
            took.push(began.elapsed());
        }
        took.sort();
        println!("{kind:>14}: median {:?}, from {:?} to {:?}", took[2], took[0], took[4]);
        assert!(took[0] >= Duration::from_millis(300), "{kind} came after {:?}", took[0]);
    }
}

#[tokio::test]
async fn a_network_with_too_many_failures_waits_and_others_do_not() {
    let stack = Plan::new().set("trusted_proxies", serde_json::json!(["127.0.0.1"])).start();
    let anna = stack.add_account("anna", "+32470123456");
    let from = |address: &str| stack.person().with_header("x-forwarded-for", address);
    let person = from("198.51.100.7");
    let page = person.follow("/inside").await.expect(200);
    let tries = (0..20).map(|number| {
        let (person, page) = (person.clone(), page.clone());
        async move { person.type_password(&page, &format!("guess{number}"), "made-up").await }
    });
    for answer in futures_util::future::join_all(tries).await {
        answer.expect(422);
    }
    let counted = stack.count("password_failures");
    let waits = person.type_password(&page, &anna.name, &anna.password).await.expect(429);
    let seconds: u64 = waits.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(waits.reads().contains("Too many sign-ins from your network have failed"), "{}", waits.reads());
    assert_eq!(stack.count("password_failures"), counted, "nothing was looked at");
    let neighbour = from("198.51.100.8");
    neighbour.give_password("/inside", &anna).await.expect(200).form_with("code");
}

#[tokio::test]
async fn imported_hashes_are_replaced_by_better_ones_at_the_first_sign_in() {
    let stack = Stack::start();
    let hashes = [
        ("bcrypt", "+32470111111", bcrypt::hash("a-password-of-old", 5).unwrap()),
        ("django", "+32470222222", django_pbkdf2("a-password-of-old", "saltysalt", 1000)),
    ];
    let mut file = "username,phone,password_hash\n".to_owned();
    for (name, phone, hash) in &hashes {
        file.push_str(&format!("{name},{phone},\"{hash}\"\n"));
    }
    let path = stack.folder().join("people.csv");
    std::fs::write(&path, &file).unwrap();
    let import = || stack.command(&["user", "import", path.to_str().unwrap()], "").done();
    import();
    assert_eq!(stack.count("accounts WHERE password LIKE '$argon2id$%'"), 0);
    for (name, phone, _) in &hashes {
        let account =
            Account { name: (*name).to_owned(), password: "a-password-of-old".to_owned(), phone: (*phone).to_owned() };
        let refused = Account { password: "a-password-of-now".to_owned(), ..account.clone() };
        assert_eq!(stack.person().give_password("/", &refused).await.status, 422);
        stack.signed_in(&account).await;
        stack.signed_in(&account).await;
    }
    assert_eq!(stack.count("accounts WHERE password LIKE '$argon2id$%m=19456,t=2,p=1$%'"), 2);
    let better = stack.sql("SELECT password FROM accounts ORDER BY user_name");
    import();
    assert_eq!(
        stack.sql("SELECT password FROM accounts ORDER BY user_name"),
        better,
        "importing again changes nothing"
    );
}

#[tokio::test]
async fn a_form_that_is_not_wholly_ours_does_nothing() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.person();
    let page = person.follow("/inside").await.expect(200);
    let csrf = page.form_with("password").fields.iter().find(|(name, _)| name == "csrf").unwrap().1.clone();
    let fields = [("csrf", csrf.as_str()), ("return_to", "/"), ("username", "anna"), ("password", &anna.password)];

    let doubled = [&fields[..], &[("username", "anna")]].concat();
    person.post(LOGIN, &doubled).await.expect(400);
    let without_token = person.post(LOGIN, &fields[1..]).await.expect(403);
    assert!(without_token.reads().contains("so nothing was sent"), "{}", without_token.reads());
    assert!(without_token.text().contains("value=\"anna\""), "the user name is kept");
    assert!(!without_token.text().contains(&anna.password));
    let made_up = [&[("csrf", "made-up")], &fields[1..]].concat();
    person.post(LOGIN, &made_up).await.expect(403);
    let of_somebody_else = stack.person();
    of_somebody_else.follow("/inside").await.expect(200);
    of_somebody_else.post(LOGIN, &fields).await.expect(403);

    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let form = ("content-type", "application/x-www-form-urlencoded");
    for foreign in [
        vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
    ] {
        let headers = [&foreign[..], &[form]].concat();
        let answer = person.send(Method::POST, LOGIN, &headers, Some(body.clone().into_bytes())).await;
        assert_eq!(answer.status, 403, "{foreign:?}");
    }
    let json = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
    person.send(Method::POST, LOGIN, &json, Some(body.clone().into_bytes())).await.expect(400);
    let large = format!("{body}&padding={}", "x".repeat(20_000));
    person
        .send(Method::POST, LOGIN, &[form, ("sec-fetch-site", "same-origin")], Some(large.into_bytes()))
        .await
        .expect(413);

    assert_eq!((stack.count("password_failures"), stack.vendor.messages().len()), (0, 0), "nothing was looked at");
    // A program that says neither where it is nor where it comes from is no browser: the token decides.
    person.send(Method::POST, LOGIN, &[form], Some(body.into_bytes())).await.expect(303);
    assert_eq!(stack.vendor.messages().len(), 1);
}

#[tokio::test]
async fn a_form_left_open_overnight_shows_itself_again_with_the_user_name() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let person = stack.person();
    let page = person.follow("/reports?a=1").await.expect(200);
    // The browser was closed meanwhile, and brought its windows back without their cookies.
    person.forget_cookies();
    let again = person.type_password(&page, &anna.name, &anna.password).await.expect(403);
    assert!(
        again.reads().contains("This page was out of date, or your browser did not send our cookie back"),
        "{}",
        again.reads()
    );
    let fields = again.form_with("password").fields;
    let value = |name: &str| fields.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (value("username"), value("password"), value("return_to")),
        (Some("anna"), Some(""), Some("/reports?a=1"))
    );
    assert_eq!(stack.count("password_failures"), 0);
    let answer = person.type_password(&again, &anna.name, &anna.password).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    let answer = person.give_code(&page, &stack.vendor.newest_code(&anna.phone)).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/reports?a=1"));
}

/// What each reason for a refusal looks like: names of one length, and what is typed.
fn all_kinds(stack: &Stack) -> Vec<(&'static str, Account)> {
    let add = |name: &str, number: u32| stack.add_account(name, &format!("+3247{number}01234"));
    let (wrong, disabled, waiting, closed, locked) =
        (add("wrong", 10), add("disab", 11), add("waits", 12), add("close", 13), add("locks", 14));
    stack.command(&["user", "disable", "disab", "--reason", "left"], "").done();
    let failures = |name: &str, failures: u32, wait_until: i64| {
        stack.sql(&format!(
            "INSERT INTO password_failures SELECT 'a:' || id, {failures}, {wait_until}, 0 FROM accounts WHERE user_name = '{name}'"
        ));
    };
    failures("waits", 5, 9_999_999_999_999);
    failures("close", 100, 0);
    stack.sql("UPDATE accounts SET codes_locked = 1 WHERE user_name = 'locks'");
    let unknown = Account { name: "nobdy".to_owned(), ..wrong.clone() };
    let mistyped = Account { password: "not-the-password".to_owned(), ..wrong.clone() };
    let too_long = Account { password: "x".repeat(2000), ..wrong };
    vec![
        ("unknown", unknown),
        ("wrong", mistyped),
        ("disabled", disabled),
        ("waiting", waiting),
        ("closed", closed),
        ("codes locked", locked),
        ("too long", too_long),
    ]
}

/// All of an answer but what differs from request to request, and the name that was typed.
fn comparable(answer: &Answer, name: &str) -> String {
    let id = answer.header("x-request-id");
    let headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(header, _)| *header != "date" && *header != "x-request-id")
        .map(|(header, value)| format!("{header}: {}", value.to_str().unwrap()))
        .collect();
    format!("{}\n{}\n{}", answer.status, headers.join("\n"), answer.text().replace(name, "NAME").replace(id, "ID"))
}

fn django_pbkdf2(password: &str, salt: &str, iterations: u32) -> String {
    use base64::Engine;
    let mut hash = [0; 32];
    ring::pbkdf2::derive(
        ring::pbkdf2::PBKDF2_HMAC_SHA256,
        iterations.try_into().unwrap(),
        salt.as_bytes(),
        password.as_bytes(),
        &mut hash,
    );
    format!("pbkdf2_sha256${iterations}${salt}${}", base64::engine::general_purpose::STANDARD.encode(hash))
}
