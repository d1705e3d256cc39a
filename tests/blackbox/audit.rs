//! The audit trail from outside: what it names, and what shows when somebody writes to it by hand.

use crate::harness::children::wait_for;
use crate::harness::stack::Stack;
use serde_json::Value;

#[tokio::test]
async fn the_trail_names_requests_and_origins_and_shows_what_was_done_to_it_by_hand() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470123456");
    stack.signed_in(&anna).await;
    stack.command(&["user", "disable", "anna", "--reason", "left"], "").done();

    let lines = stack.command(&["audit", "export", "--format", "jsonl"], "").done();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| lines.iter().find(|line| line["event"] == event).unwrap_or_else(|| panic!("no {event}"));
    for event in ["password_accepted", "code_sent", "signed_in"] {
        let request = of(event)["request_id"].as_str().unwrap();
        let records = stack.nodes[0].records();
        assert!(
            records.iter().any(|record| record["target"] == "vestibule::access" && record["request"] == request),
            "{event}: {request}"
        );
    }
    assert_eq!(of("account_added")["reason"], "with a password from elsewhere");
    assert_eq!(
        (&of("account_disabled")["user_name"], &of("account_disabled")["reason"]),
        (&"anna".into(), &"left".into())
    );

    // what the log tells at the start holds ever after
    let told = wait_for("a head in the log", || {
        let records = stack.nodes[0].records();
        records.iter().find_map(|record| record["head"].as_str().map(str::to_owned))
    });
    let report = stack.command(&["audit", "verify", "--head", &told, "--json"], "").done();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["sound"], &report["known_head"]), (&true.into(), &"found".into()), "{report}");
    let head = report["head"].as_str().unwrap();

    let row = of("account_disabled")["id"].to_string();
    stack.sql("UPDATE audit SET reason = 'on holiday' WHERE event = 'account_disabled'");
    let changed = stack.command(&["audit", "verify"], "");
    assert_eq!(changed.code, Some(1));
    assert!(changed.stdout.contains(&format!("row {row} ")), "{}", changed.stdout);

    stack.sql("DELETE FROM audit WHERE event = 'account_disabled'");
    stack.sql("UPDATE audit_head SET (number, hash) = (SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1)");
    stack.command(&["audit", "verify"], "").done();
    let cut = stack.command(&["audit", "verify", "--head", head], "");
    assert_eq!(cut.code, Some(1), "{}", cut.stdout);
}
