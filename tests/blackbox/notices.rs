//! People are told of changes to their second factor: at the number they had, and by mail; once, also when a server fails or a node dies.

mod servers;

use crate::harness::children::wait_for;
use crate::harness::evidence::SecretKind;
use crate::harness::mail_server::{FakeMailServer, MAIL_PASSWORD, MAIL_USER, MailBehaviour, MailTls};
use crate::harness::sms_vendor::Behaviour;
use crate::harness::stack::{Account, Accounts, Plan, Stack};
use serde_json::json;

const OLD: &str = "+32470111222";
const NEW: &str = "+32470111999";
const WHY: [&str; 2] = ["--reason", "lost phone"];

/// Mail goes to `server`, which is on this machine.
fn plan(server: &FakeMailServer) -> Plan {
    let url = format!("smtp://127.0.0.1:{}", server.port());
    Plan::new().set("mail", json!({ "server": url, "from": "Acme <no-reply@example.com>", "timeout": "2s" }))
}

fn add(stack: &Stack, phone: &str) -> Account {
    for number in [OLD, NEW] {
        stack.evidence().keep(SecretKind::PhoneNumber, number);
    }
    let anna = stack.add_account("anna", phone);
    stack.command(&["user", "import", &import(stack)], "").done();
    anna
}

/// A file that gives Anna an address and a language.
fn import(stack: &Stack) -> String {
    let path = stack.folder().join("addresses.csv");
    std::fs::write(&path, "username,email,language\nanna,anna@example.com,nl\n").unwrap();
    path.display().to_string()
}

fn do_it(stack: &Stack, args: &[&str]) {
    stack.command(&[&["user"], args, &WHY].concat(), "").done();
}

/// Nothing is left to be told.
#[track_caller]
fn all_told(stack: &Stack) {
    wait_for("the outbox to be empty", || (stack.count("notices") == 0).then_some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_changes_is_told_to_the_number_there_was_and_by_mail() {
    for accounts in [Accounts::Sqlite, Accounts::Postgres] {
        let server = FakeMailServer::start(MailTls::Never);
        // nobody serves: the command line writes down what is to be told, and asks nobody
        let mut stack = plan(&server).accounts(accounts).nodes(2).prepare();
        add(&stack, OLD);
        do_it(&stack, &["set-phone", "anna", NEW]);
        assert_eq!((stack.count("notices"), server.connections()), (2, 0));
        stack.start_nodes().unwrap();
        let mail = server.wait_for_mail(1);
        all_told(&stack);
        let told = stack.vendor.notices_to(OLD);
        assert!(told.len() == 1 && told[0].contains("gaan inlogcodes naar een nummer dat eindigt op 99"), "{told:?}");
        assert_eq!((mail.to.as_str(), mail.over_tls), ("anna@example.com", false));
        assert!(mail.text().contains("account anna") && mail.text().contains("eindigt op 99"), "{}", mail.text());
        assert_eq!(mail.header("From").as_deref(), Some("Acme <no-reply@example.com>"));
        assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
        for (number, deed, word) in [
            (2, ["reset-two-factor", "anna"].as_slice(), "opnieuw ingesteld"),
            (3, &["clear-phone", "anna"], "van je account"),
        ] {
            do_it(&stack, deed);
            let mail = server.wait_for_mail(number);
            assert!(mail.text().contains(word), "{}", mail.text());
            all_told(&stack);
            let told = stack.vendor.notices_to(NEW);
            assert!(told.len() == number - 1 && told.last().unwrap().contains(word), "{told:?}");
        }
        do_it(&stack, &["set-password", "anna", "--generate"]);
        let mail = server.wait_for_mail(4);
        assert!(mail.text().contains("eenmalig wachtwoord"), "{}", mail.text());
        all_told(&stack);
        // no message twice, by any of two nodes
        assert_eq!((server.mails().len(), stack.vendor.notices_to(NEW).len()), (4, 2));
        assert_eq!((stack.vendor.notices_to(OLD).len(), stack.count("sms_sends WHERE notice = 1")), (1, 3));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_enrols_a_number_is_told_by_mail_alone() {
    let server = FakeMailServer::start(MailTls::Never);
    let stack = plan(&server).set("two_factor.phone_numbers", "self_registered").start();
    let anna = add(&stack, "");
    let person = stack.person();
    let page = person.give_password("/inside", &anna).await.expect(200);
    let answer = person.give_number(&page, OLD).await.expect(303);
    let page = person.follow_from(answer).await.expect(200);
    person.give_code(&page, &stack.vendor.newest_code(OLD)).await.expect(303);
    let mail = server.wait_for_mail(1);
    assert!(mail.text().contains("eindigt op 22"), "{}", mail.text());
    all_told(&stack);
    assert!(stack.vendor.notices_to(OLD).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_fails_holds_nothing_up_and_is_tried_again() {
    let server = FakeMailServer::start(MailTls::Never);
    server.behave(MailBehaviour { answers: vec![("MAIL", "451 4.3.0 later")], ..MailBehaviour::default() });
    let stack = plan(&server).start();
    add(&stack, OLD);
    stack.vendor.behave(Behaviour { status: Some(500), ..Behaviour::default() });
    do_it(&stack, &["set-phone", "anna", NEW]);
    wait_for("both to have been tried", || {
        (stack.count("notices WHERE tries >= 1 AND lease IS NULL") == 2).then_some(())
    });
    assert!(stack.count("sms_sends WHERE notice = 1 AND outcome = 'not_sent'") >= 1);
    server.behave(MailBehaviour::default());
    stack.vendor.behave(Behaviour::default());
    server.wait_for_mail(1);
    all_told(&stack);
    assert_eq!((server.mails().len(), stack.vendor.notices_to(OLD).len()), (1, 1));
    assert!(stack.nodes[0].log().contains("the mail server did not take a mail"));
    // an address that the server will never take is given up at once
    server.behave(MailBehaviour { answers: vec![("RCPT", "550 5.1.1 nobody here")], ..MailBehaviour::default() });
    do_it(&stack, &["reset-two-factor", "anna"]);
    all_told(&stack);
    assert!(stack.nodes[0].log().contains("somebody could not be told of a change; it is given up"));
}

/// Behind every effect of telling the program may die: the notice stays until it is known to be told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_may_die_behind_every_effect_of_telling() {
    for name in vestibule::login::fail_point::ALL.iter().filter(|name| name.starts_with("notice.")) {
        let server = FakeMailServer::start(MailTls::Never);
        let mut stack = plan(&server).environment("VESTIBULE_FAILPOINT", name).prepare();
        add(&stack, OLD);
        do_it(&stack, &["set-phone", "anna", NEW]);
        // it may die before it is ready
        let _died = stack.start_nodes();
        wait_for("the program to die", || stack.nodes[0].log().contains("dies at a fail-point").then_some(()));
        assert!(stack.count("notices") >= 1, "{name}");
        // long after: leases are over
        stack.sql("UPDATE notices SET due_at = 0");
        stack.node().start_again(&[]);
        all_told(&stack);
        assert!(!server.mails().is_empty() && !stack.vendor.notices_to(OLD).is_empty(), "{name}");
        assert!(server.mails().len() + stack.vendor.notices_to(OLD).len() <= 3, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn probing_greets_the_mail_server_and_sends_nothing() {
    let server = FakeMailServer::start(MailTls::Never);
    server.behave(MailBehaviour { asks_password: true, ..MailBehaviour::default() });
    let url = format!("smtp://127.0.0.1:{}", server.port());
    let mail = json!({ "server": url, "from": "no-reply@example.com", "user": MAIL_USER, "password": { "env": "MAIL_PASSWORD" } });
    for (password, word) in [(MAIL_PASSWORD, "it would take mail from here"), ("not-it-8c1f", "535")] {
        let stack = Plan::new().set("mail", mail.clone()).environment("MAIL_PASSWORD", password).start();
        let told = stack.command(&["check", "--probe"], "");
        let told = format!("{}{}", told.stdout, told.stderr);
        let line = told.lines().find(|line| line.contains("mail.server")).unwrap_or_else(|| panic!("{told}"));
        assert!(line.contains(word), "{line}");
    }
    assert!(server.mails().is_empty() && !server.said().iter().any(|line| line.starts_with("MAIL")));
}
