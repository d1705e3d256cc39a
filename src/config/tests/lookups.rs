//! Values in files and in the environment, and secrets.

use std::path::Path;

use serde_json::json;

use super::super::surroundings::Readers;
use super::super::{Loaded, Problem};
use super::{Imagined, SMALL, small_with};

fn read_in(changes: &[(&str, &str)], surroundings: &Imagined, readers: Readers) -> Result<Loaded, Vec<Problem>> {
    let text = super::super::document::write(&small_with(changes));
    super::super::read(&text, surroundings, Path::new("/etc/vestibule"), readers).and_then(super::super::whole)
}

fn first(result: Result<Loaded, Vec<Problem>>) -> String {
    let problems = result.unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[test]
fn any_single_value_may_stand_in_a_file_or_in_the_environment() {
    let mut surroundings = Imagined::default().with_file("/etc/vestibule/sender", "Acme\n", Readers::Others);
    surroundings.variables = [("ATTEMPTS", "3"), ("GRACE", "2m"), ("ACCESS", "off")].into();
    let changes = [
        ("/sms/sender", "{ file: sender }"),
        ("/two_factor/code/attempts", "{ env: ATTEMPTS }"),
        ("/session/revocation_grace", "{ env: GRACE }"),
        ("/log/access", "{ env: ACCESS }"),
    ];
    let config = read_in(&changes, &surroundings, Readers::OnlyUs).unwrap().config;
    assert_eq!(config.sms.sender.as_deref(), Some("Acme"));
    assert_eq!(config.two_factor.code.attempts, 3);
    assert_eq!(config.session.revocation_grace.as_secs(), 120);
    assert!(!config.log.access);
}

#[test]
fn what_is_looked_up_in_vain_is_named() {
    let surroundings = Imagined::default().with_file("/x", "sixty", Readers::OnlyUs);
    for (value, word) in [
        ("{ file: /nowhere }", "/nowhere cannot be read"),
        ("{ env: NOT_SET }", "NOT_SET is not set"),
        ("{ file: /x }", "/x"),
        ("{ path: /x }", "{ file: PATH }"),
        ("{ file: /x, env: X }", "{ file: PATH }"),
    ] {
        let said = first(read_in(&[("/two_factor/code/attempts", value)], &surroundings, Readers::OnlyUs));
        assert!(said.starts_with("two_factor.code.attempts: ") && said.contains(word), "{said}");
    }
}

#[test]
fn a_secret_stands_where_nobody_else_reads_it() {
    let surroundings = Imagined::default().with_file("/open", "hunter2hunter2", Readers::Others);
    let auth = "/sms/providers/0/auth";
    let said = first(read_in(&[(auth, "{ bearer: { file: /open } }")], &surroundings, Readers::OnlyUs));
    assert!(said.contains("chmod 600 /open"), "{said}");
    let said = first(read_in(&[(auth, "{ bearer: hunter2 }")], &surroundings, Readers::Others));
    assert!(said.contains("others can read") && !said.contains("hunter2"), "{said}");
    assert!(read_in(&[(auth, "{ bearer: hunter2 }")], &surroundings, Readers::OnlyUs).is_ok());
    let state = "\"redis://:hunter2@10.0.0.7/0\"";
    let said = first(read_in(&[("/state/url", state)], &surroundings, Readers::Others));
    assert!(said.contains("state.url") && !said.contains("hunter2"), "{said}");
    assert!(read_in(&[("/state/url", "\"redis://10.0.0.7/0\"")], &surroundings, Readers::Others).is_ok());
}

#[test]
fn secrets_are_neither_shown_nor_printed() {
    let variables = [("DATABASE", "postgres://vestibule:hunter2@10.0.0.8/accounts")].into();
    let surroundings = Imagined { variables, ..Imagined::default() };
    let changes = [
        ("/state/url", "\"rediss://user:hunter2@10.0.0.7/0\""),
        ("/accounts/url", "{ env: DATABASE }"),
        ("/sms/providers/0/auth", "{ basic: { user: acme, password: hunter2 } }"),
    ];
    let loaded = read_in(&changes, &surroundings, Readers::OnlyUs).unwrap();
    let shown = loaded.in_force_as_yaml();
    for (text, name) in [(&shown, "shown"), (&format!("{:?}", loaded.config), "printed")] {
        assert!(!text.contains("hunter2"), "{name}: {text}");
        assert!(!text.contains(&super::key_named("/run/secrets/sign")[..20]), "{name}: {text}");
    }
    assert_eq!(loaded.in_force["state"]["url"], json!("rediss://user:(secret)@10.0.0.7/0"));
    assert_eq!(loaded.in_force["signing_keys"], json!(["(secret)"]));
    assert_eq!(loaded.in_force["session"]["idle_timeout"], json!("1h"));
    assert!(loaded.in_force["sms"]["providers"][0].get("sender").is_none());
}

#[test]
fn no_mistake_repeats_a_secret() {
    let surroundings = Imagined::default().with_file("/key", "hunter2hunter2", Readers::OnlyUs);
    for (pointer, value) in [
        ("/state/url", "\"mysql://:hunter2@x/0\""),
        ("/state/url", "\"redis://:hunter2@\""),
        ("/accounts/url", "\"postgres://u:hunter2@/x\""),
        ("/accounts/url", "\"postgres://u:hunter2@[x/x\""),
        ("/signing_keys/0", "{ file: /key }"),
        ("/signing_keys/0", "{ value: hunter2 }"),
        ("/sms/providers/0/auth", "{ bearer: \"hunter2\\nx\" }"),
        ("/sms/providers/0/auth", "{ bearer: [hunter2] }"),
    ] {
        let said = first(read_in(&[(pointer, value)], &surroundings, Readers::OnlyUs));
        assert!(!said.contains("hunter2"), "{pointer} {value}: {said}");
    }
}

#[test]
fn what_is_in_force_can_be_read_again() {
    let loaded = super::read(SMALL).unwrap();
    let mut again = loaded.in_force.clone();
    again["signing_keys"] = json!([{ "file": "/run/secrets/sign" }]);
    again["accounts"]["encryption_keys"] = json!([{ "file": "/run/secrets/data" }]);
    let again = super::read_value(&again).unwrap();
    assert_eq!(format!("{:?}", again.config), format!("{:?}", loaded.config));
}
