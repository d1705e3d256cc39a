//! The arguments, and the verbs over a real database.

use clap::Parser as _;
use serde_json::Value;

use super::*;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    user: Arguments,
}

fn parsed(line: &str) -> Result<Arguments, clap::Error> {
    Line::try_parse_from(std::iter::once("user").chain(line.split(' ')).chain(["--json"])).map(|line| line.user)
}

#[test]
fn what_takes_something_away_needs_a_reason() {
    for verb in ["clear-phone", "disable", "remove", "reset-two-factor", "set-password --generate"] {
        assert!(parsed(&format!("{verb} ann")).is_err(), "{verb}");
        assert!(parsed(&format!("{verb} ann --reason left")).is_ok(), "{verb}");
        assert!(parsed(&format!("{verb} ann --reason=")).is_err(), "{verb}");
    }
    for verb in ["unlock", "enable", "show", "open-enrolment"] {
        assert!(parsed(&format!("{verb} ann")).is_ok(), "{verb}");
    }
}

#[test]
fn a_password_is_no_argument() {
    assert!(parsed("add ann --phone +32470123456 --language nl --password-stdin").is_ok());
    assert!(parsed("add ann --generate").is_ok());
    assert!(parsed("add ann --generate --password-stdin").is_err());
    assert!(parsed("add ann --password secret").is_err());
    assert!(parsed("set-password ann secret").is_err());
}

#[test]
fn arguments_are_checked_before_anything_is_asked() {
    for line in [
        "show mıke",
        "list --status gone",
        "list --phone XX",
        "add ann --language it --generate",
        "open-enrolment ann --for 7",
    ] {
        assert!(parsed(line).is_err(), "{line}");
    }
    assert_eq!(window("36h"), Ok(Duration::from_secs(36 * 3600)));
    assert!(window("31d").is_err() && window("0d").is_err() && window("").is_err() && window("7é").is_err());
}

/// What a line prints, as JSON, and how it ends; `Err` holds what goes to standard error.
async fn told(desk: &Desk, line: &str) -> Result<(Value, CommandEnd), String> {
    let answer =
        parsed(line).unwrap_or_else(|error| panic!("{error}")).verb.run(desk).await.map_err(|e| e.to_string())?;
    Ok((serde_json::from_str(&answer.text).unwrap_or(Value::String(answer.text)), answer.end))
}

async fn done(desk: &Desk, line: &str) -> Value {
    match told(desk, line).await {
        Ok((value, CommandEnd::Done)) => value,
        other => panic!("{line}: {other:?}"),
    }
}

#[tokio::test]
async fn an_account_lives_through_all_verbs() {
    let desk = Desk::temporary().await;
    let added = done(&desk, "add Ann --generate --phone +32470123456 --language nl").await;
    assert_eq!((&added["user_name"], added["password"].as_str().map(str::len)), (&json!("ann"), Some(24)));
    assert!(told(&desk, "add ann --generate").await.unwrap_err().contains("already"));
    assert!(told(&desk, "set-phone ann +32470123457").await.unwrap_err().contains("--reason"));
    assert_eq!(done(&desk, "set-phone ann +32470123457 --reason new").await["changed"], true);
    assert_eq!(done(&desk, "set-phone ann +32470123457").await["changed"], false);
    assert!(told(&desk, "open-enrolment ann").await.unwrap_err().contains("has a number"));
    assert_eq!(done(&desk, "clear-phone ann --reason lost").await["changed"], true);
    assert!(done(&desk, "open-enrolment ann --for 2d").await["enrolment_until"].is_string());
    assert_eq!(done(&desk, "list --phone enrolling").await[0]["user_name"], "ann");
    assert!(done(&desk, "set-password ann --generate --reason forgotten").await["password"].is_string());
    for (line, is_changed) in [
        ("reset-two-factor ann --reason called", true),
        ("unlock ann", false),
        ("disable ann --reason left", true),
        ("disable ann --reason left", false),
        ("enable ann", true),
        ("remove ann --reason gone", true),
    ] {
        assert_eq!(done(&desk, line).await["changed"], is_changed, "{line}");
    }
    assert!(told(&desk, "show ann").await.unwrap_err().contains("no account ann"));
    assert_eq!(done(&desk, "list").await, json!([]));
}

#[tokio::test]
async fn an_import_from_a_file_is_the_same_twice_and_keeps_its_passwords_in_a_file() {
    let desk = Desk::temporary().await;
    let folder = tempfile::tempdir().unwrap();
    let (people, passwords) = (folder.path().join("people.csv"), folder.path().join("passwords.csv"));
    std::fs::write(&people, "\u{feff}username;phone\r\nann;0470 12 34 56\r\nbob;\r\n").unwrap();
    let line = format!("import {} --passwords {}", people.display(), passwords.display());
    let first = done(&desk, &line).await;
    assert_eq!((&first["added"], &first["passwords"]), (&json!(["ann", "bob"]), &json!([])));
    let written = std::fs::read_to_string(&passwords).unwrap();
    assert_eq!(written.lines().count(), 2);
    assert!(told(&desk, &line).await.is_err(), "a file of passwords is not written over");
    let again = done(&desk, &format!("import {}", people.display())).await;
    assert_eq!((&again["added"], &again["unchanged"]), (&json!([]), &json!(2)));

    std::fs::write(&people, "username,phone\ncleo,\ndora,3.247E+10\n").unwrap();
    std::fs::remove_file(&passwords).unwrap();
    let (refused, end) = told(&desk, &line).await.unwrap();
    assert_eq!((end, &refused["problems"][0]["line"]), (CommandEnd::Refused, &json!(3)));
    assert!(!passwords.exists());
    assert_eq!(done(&desk, "list").await.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn tickets_are_made_where_they_are_asked_for_and_shown_once() {
    use crate::login::tickets::TicketPolicy;

    let desk = Desk::temporary().await;
    assert!(told(&desk, "add ann --generate --ticket").await.unwrap_err().contains("nobody is asked for a ticket"));
    done(&desk, "add ann --generate").await;
    assert!(told(&desk, "open-enrolment ann --ticket").await.unwrap_err().contains("nobody is asked for a ticket"));
    assert_eq!(done(&desk, "open-enrolment ann").await["ticket"], Value::Null);

    let desk = Desk::temporary_with(TicketPolicy::Required).await;
    let is_ticket = |value: &Value| value.as_str().is_some_and(|text| Ticket::parse(text).is_some());
    assert!(is_ticket(&done(&desk, "add ann --generate --ticket").await["ticket"]));
    assert_eq!(done(&desk, "add bob --generate").await.get("ticket"), None);
    let with_number = told(&desk, "add cleo --generate --ticket --phone +32470123456").await;
    assert!(with_number.unwrap_err().contains("has one"));
    let (first, second) = (done(&desk, "open-enrolment bob").await, done(&desk, "open-enrolment bob --ticket").await);
    assert!(is_ticket(&first["ticket"]) && is_ticket(&second["ticket"]) && first["ticket"] != second["ticket"]);

    let folder = tempfile::tempdir().unwrap();
    let (people, tickets) = (folder.path().join("people.csv"), folder.path().join("tickets.csv"));
    std::fs::write(&people, "username,phone\ndora,\nemil,+32470123456\n").unwrap();
    let imported = done(&desk, &format!("import {} --tickets {}", people.display(), tickets.display())).await;
    assert_eq!((&imported["tickets"], imported["passwords"].as_array().map(Vec::len)), (&json!([]), Some(2)));
    let written = std::fs::read_to_string(&tickets).unwrap();
    let ticket = written.trim().strip_prefix("dora,").unwrap();
    assert!(Ticket::parse(ticket).is_some(), "{written}");
}
