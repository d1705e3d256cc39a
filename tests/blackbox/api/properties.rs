//! What a tool makes of the API that knows nothing but its document: requests that are right by it, requests that are wrong in each way it can think
//! of, and every answer held against what is said of it.

use super::{ACCOUNTS, Office, problem};
use crate::harness::children::run;
use crate::harness::gateway::BINARY;
use crate::harness::stack::Plan;
use std::path::Path;
use std::process::Command;

/// Requests that are made up for each operation, in each phase.
const EXAMPLES: &str = "20";
/// The tool is ended then, and the test has failed.
const MOST_SECONDS: &str = "300";

/// Numbers that no account has are refused, and so are cursors that nobody was given, though the document cannot say which they are.
const CONFIG: &str = r#"
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 404, 409, 422]
[checks.negative_data_rejection]
expected-statuses = [400, 401, 404, 405, 413, 415, 422]
"#;

#[tokio::test]
async fn every_answer_is_as_the_document_says() {
    let plan = Plan::new().set("limits.operator_actions_hour", 10_000).set("limits.network.failures_minute", 10_000);
    let office = Office::of(plan);
    office.stack.add_account("anna", "+32472333333");
    let token = office.token("schemathesis", "admin");
    let target = Path::new(BINARY).ancestors().nth(2).expect("the program is in target/debug");
    let program = target.join("third_party/schemathesis/bin/schemathesis");
    assert!(program.is_file(), "Schemathesis is not installed: run scripts/prepare test");
    // what is gone is not found by the others
    ask(&office, &program, &token, &["--exclude-operation-id", "remove"]);
    ask(&office, &program, &token, &["--include-operation-id", "remove"]);
    // it has got through: things were done
    for event in ["two_factor_reset", "phone_cleared", "password_set", "account_added", "account_removed"] {
        let done = format!("audit WHERE actor = 'token:schemathesis' AND event = '{event}'");
        assert!(office.stack.count(&done) > 0, "{event}");
    }
    problem(&office.stranger().get(ACCOUNTS).await, 401, "token_required");
    office.stack.command(&["audit", "verify"], "").done();
}

fn ask(office: &Office, program: &Path, token: &str, which: &[&str]) {
    let config = office.stack.folder().join("schemathesis.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let mut command = Command::new("timeout");
    command.arg(MOST_SECONDS).arg(program).arg("--config-file").arg(&config);
    command.args(["run", &format!("{}/api/v1/openapi.json", office.url()), "--url", &office.url()]);
    command.args(["--header", &format!("Authorization: Bearer {token}"), "--phases", "examples,coverage,fuzzing"]);
    command.args(["--max-examples", EXAMPLES, "--seed", "1", "--no-shrink"]);
    command.args(["--generation-database", "none", "--suppress-health-check", "all", "--request-timeout", "20"]);
    command.args(which).args(["--continue-on-failure", "--no-color", "--checks", "all"]);
    command.current_dir(office.stack.folder()).env("PYTHONDONTWRITEBYTECODE", "1");
    let said = run(command, "");
    println!("{}", said.stdout);
    assert_eq!(said.code, Some(0), "{}\n{}", said.stdout, said.stderr);
}
