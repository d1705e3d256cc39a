//! What must not be readable: a search through everything after a day of everything, and the memory of the process itself.

use crate::harness::children::{Process, Program, free_port, running_as_root, wait_for};
use crate::harness::evidence::SecretKind;
use crate::harness::gateway::{BINARY, probe};
use crate::harness::person::Person;
use crate::harness::sms_vendor::Behaviour;
use crate::harness::stack::{Account, Accounts, Pending, Plan, Stack};
use crate::harness::steps::{RESEND, not_this};
use rustix::process::Signal;
use serde_json::json;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

#[tokio::test]
async fn after_a_day_of_everything_no_secret_is_readable_beside_sqlite() {
    day_of_everything(Accounts::Sqlite).await;
}

#[tokio::test]
async fn after_a_day_of_everything_no_secret_is_readable_beside_postgresql() {
    day_of_everything(Accounts::Postgres).await;
}

async fn day_of_everything(accounts: Accounts) {
    let office = free_port();
    let stack = Plan::new()
        .accounts(accounts)
        .set("admin", json!({ "listen": format!("127.0.0.1:{office}"), "url": format!("http://localhost:{office}") }))
        .environment("METRICS_TOKEN", "spring-tide-at-noon")
        .set("metrics.token", json!({ "env": "METRICS_TOKEN" }))
        .set("two_factor.activation", "staged")
        .set("two_factor.phone_numbers", "self_registered")
        .set("two_factor.code.resend_after", json!(["1ms"]))
        .start();
    let anna = stack.add_account("anna", "+32470123456");
    let bert = stack.add_account("bert", "");

    // Before activation, and the step up after it.
    let early = stack.person();
    early.give_password("/inside", &anna).await.expect(200);
    stack.command(&["two-factor", "activate", "--reason", "going live"], "").done();
    early.open_until("/inside", |page| page.status == 303).await;
    let step = early.follow("/inside").await;
    let answer = early.submit(&step.form_to(RESEND), &step.asked, &[]).await.expect(303);
    let page = early.follow_from(answer).await.expect(200);
    early.give_code(&page, &stack.vendor.newest_code(&anna.phone)).await.expect(303);

    // Mistakes on the way.
    let person = stack.person();
    let form = person.follow("/inside?from=mail").await.expect(200);
    person.type_password(&form, "anna", "not-the-password").await.expect(422);
    person.type_password(&form, "nobody", &anna.password).await.expect(422);
    let page = person.give_password("/inside?from=mail", &anna).await.expect(200);
    let code = stack.vendor.wait_for_message(&anna.phone, 2).code();
    person.give_code(&page, &not_this(&code, 3)).await.expect(422);
    person.give_code(&page, &format!("{code}0")).await.expect(422);
    person.ask_again(&page).await.expect(303);
    person.give_code(&page, &code).await.expect(303);
    person.post("/save", &[("note", "of the application")]).await.expect(200);
    person.fetch("/.vestibule/session").await.expect(200);
    person.sign_out().await.expect(303);

    // A number of one's own.
    let newcomer = stack.person();
    let page = newcomer.give_password("/inside", &bert).await.expect(200);
    let answer = newcomer.give_number(&page, "+32470765432").await.expect(303);
    let page = newcomer.follow_from(answer).await.expect(200);
    newcomer.give_code(&page, &stack.vendor.newest_code("+32470765432")).await.expect(303);

    // A vendor that fails, and says what it got while it does.
    for status in [500, 400, 200] {
        let said = format!("cannot deliver to {} from {}", anna.phone, crate::harness::sms_vendor::VENDOR_TOKEN);
        stack.vendor.behave(Behaviour {
            status: Some(status),
            body: Some(json!({ "error": said })),
            echoes: true,
            ..Behaviour::default()
        });
        stack.person().give_password("/inside", &bert_with_number(&bert)).await;
    }

    // What the command line shows.
    for args in [
        &["user", "list"][..],
        &["user", "show", "anna"],
        &["user", "export"],
        &["session", "list"],
        &["config", "show"],
        &["check"],
        &["two-factor", "status"],
    ] {
        let said = stack.command(args, "");
        assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
        stack.evidence().saw_text(&format!("vestibule {}", args.join(" ")), &(said.stdout + &said.stderr));
    }
    stack.command(&["user", "set-phone", "bert", "+32470999999", "--reason", "new phone"], "").done();
    stack.evidence().keep(SecretKind::PhoneNumber, "+32470999999");

    // What is counted.
    let scraper = Person::new(&format!("http://localhost:{office}"), office, stack.evidence().clone())
        .with_header("authorization", "Bearer spring-tide-at-noon");
    let counted = scraper.open("/metrics").await.expect(200).text();
    assert!(counted.contains("vestibule_codes_entered_total{country=\"BE\"} "), "{counted}");
    stack.evidence().keep(SecretKind::Password, "spring-tide-at-noon");

    assert!(stack.settings.yaml().contains("level: debug") && stack.nodes[0].records().len() > 50);
    let kinds: std::collections::BTreeSet<_> =
        stack.evidence().secrets().into_iter().map(|secret| secret.kind).collect();
    let leaks = stack.leaks();
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(kinds.len() >= 4, "the search is for secrets of every kind: {kinds:?}");

    planted_ones_are_found(&stack, &early).await;
}

/// The same search finds what is put there on purpose: in a log, an answer, Redis, the database, and what the application got.
async fn planted_ones_are_found(stack: &Stack, person: &Person) {
    use base64::Engine;
    let planted = ["planted-in-the-log", "planted-in-an-answer", "planted-in-redis", "planted in SQL/+"];
    for secret in planted {
        stack.evidence().keep(SecretKind::Password, secret);
    }
    assert!(stack.leaks().is_empty());
    person.open("/.vestibule/planted-in-the-log").await.expect(404);
    person.open("/planted-in-an-answer").await.expect(200);
    let mut redis = stack.redis.as_ref().unwrap().connection();
    redis::cmd("SET").arg("planted").arg(hex::encode("planted-in-redis")).exec(&mut redis).unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.encode("x planted in SQL/+ x");
    stack.sql(&format!("INSERT INTO installation (key, value) VALUES ('planted', '{encoded}')"));
    let leaks = stack.leaks();
    let found = |place: &str, form: &str| leaks.iter().any(|leak| leak.place.contains(place) && leak.form == form);
    assert!(found("log 0", "plain") && found("answer to", "plain") && found("upstream", "plain"), "{leaks:#?}");
    assert!(found("Redis, as saved", "hex") && found("Redis, planted", "hex"), "{leaks:#?}");
    assert!(found("accounts.db", "base64") || found("PostgreSQL", "base64"), "{leaks:#?}");
    for secret in planted {
        stack.evidence().forget(secret);
    }
}

#[tokio::test]
async fn a_password_typed_as_the_user_name_is_in_no_log_and_no_table() {
    let stack = Stack::start();
    let person = stack.person();
    let form = person.follow("/inside").await.expect(200);
    person.type_password(&form, "correct-horse-battery", "x").await.expect(422);
    let looked = [
        stack.nodes[0].log(),
        stack.sql("SELECT actor, reason, event FROM audit"),
        stack.sql("SELECT subject FROM password_failures"),
    ];
    for text in looked {
        assert!(!text.contains("correct-horse"), "{text}");
        assert!(!text.is_empty());
    }
}

#[tokio::test]
async fn what_is_pending_is_in_redis_under_a_lifetime_and_sealed() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    let (person, _, _) = stack.owing_a_code(&anna).await;
    let contents = stack.redis.as_ref().unwrap().contents();
    let cookie = person.cookie("vestibule-login").unwrap();
    assert!(contents.iter().any(|(key, ..)| key.starts_with("vestibule:login:{")), "{contents:?}");
    for (key, life_ms, value) in contents {
        // how far the accounts have come is no secret, and of use after years
        let is_marker = key.starts_with("vestibule:marker:{");
        assert!(is_marker || (1..=24 * 3600 * 1000).contains(&life_ms), "{key} has the lifetime {life_ms}");
        assert!(key.starts_with("vestibule:"), "{key}");
        let text = String::from_utf8_lossy(&value);
        assert!(!text.contains("anna") && !text.contains("/inside"), "{key} is not sealed: {text}");
        assert!(!key.contains(&cookie), "the key would be the cookie");
    }
}

#[test]
fn the_memory_of_the_program_is_closed_to_its_own_user_and_to_core_files() {
    let stack = Plan::new().pending(Pending::Memory).prepare();
    let mut program = as_a_plain_user(&stack);
    let neighbour =
        Program::killed_with("KILL", Some(PLAIN_USER), "sleep").arg("1000").start(&stack.folder().join("sleep.log"));

    let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");

    // What another process of the same user may read: of a process that does nothing about it, and of ours.
    wait_for("the neighbour to be itself", || may_read(neighbour.id(), "environ").then_some(()));
    for file in ["environ", "maps", "mem", "auxv"] {
        assert!(may_read(neighbour.id(), file), "the test cannot fail: {file} of the neighbour cannot be read either");
        assert!(!may_read(program.id(), file), "/proc/PID/{file} can be read by another process of the same user");
    }

    for (signal, number) in [(Signal::SEGV, 11), (Signal::ABORT, 6)] {
        // Rust's own handler takes the first SIGSEGV for a sign of a full stack, sees that it is none, and steps aside.
        let ended = wait_for("the program to end by a signal", || {
            program.signal(signal);
            program.exit_status()
        });
        assert_eq!(ended.signal(), Some(number));
        assert!(!ended.core_dumped(), "{signal:?} left a core file");
        let files: Vec<String> = std::fs::read_dir(stack.folder())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        assert!(!files.iter().any(|file| file.starts_with("core")), "{files:?}");
        program = as_a_plain_user(&stack);
    }
}

/// PostgreSQL's tests need this user as well.
const PLAIN_USER: &str = "postgres";

/// The program of a stack without nodes, as a user that is not root, in the stack's folder.
fn as_a_plain_user(stack: &Stack) -> Process {
    stack.command(&["check"], "").done();
    if running_as_root() {
        let owned = Command::new("chown").args(["-R", PLAIN_USER]).arg(stack.folder()).status().unwrap();
        assert!(owned.success());
    }
    let mut process = Program::killed_with("KILL", Some(PLAIN_USER), BINARY)
        .args(["serve", "--config"])
        .arg(stack.folder().join("command.yaml"))
        .in_folder(stack.folder())
        .start(&stack.folder().join("plain.log"));
    let port = stack.site().rsplit(':').next().unwrap().parse().unwrap();
    wait_for("the program to be ready", || {
        let log = || std::fs::read_to_string(stack.folder().join("plain.log")).unwrap();
        assert!(process.is_running(), "it ended: {}", log());
        (probe(port, "/.vestibule/ready") == Some(200)).then_some(())
    });
    process
}

/// Whether a process of the plain user may open a file under `/proc` of another one.
fn may_read(process_id: u32, file: &str) -> bool {
    let mut command = Command::new("setpriv");
    if running_as_root() {
        command.args(["--reuid", PLAIN_USER, "--regid", PLAIN_USER, "--init-groups"]);
    }
    command.args(["sh", "-c", &format!("exec 3</proc/{process_id}/{file}")]);
    command.stderr(std::process::Stdio::null()).status().unwrap().success()
}

fn bert_with_number(bert: &Account) -> Account {
    Account { phone: "+32470765432".to_owned(), ..bert.clone() }
}
