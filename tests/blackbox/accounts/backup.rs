//! `accounts backup`: a copy that is whole whatever is written meanwhile, and nobody else's to read.

use crate::harness::children::run;
use crate::harness::postgres;
use crate::harness::stack::{Accounts, Plan, Stack};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_beside_a_running_gateway_is_whole_and_private() {
    let stack = Stack::start();
    let anna = stack.add_account("anna", "+32470111222");
    let person = stack.signed_in(&anna).await;
    let file = stack.folder().join("copy.db");
    let name = file.to_str().unwrap();

    // each import is one transaction: the copy has all of one or nothing of it
    let is_over = AtomicBool::new(false);
    let imports = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut imports = 0;
            while !is_over.load(Ordering::SeqCst) {
                let list = stack.folder().join(format!("list{imports}.csv"));
                let lines: Vec<String> = (0..50)
                    .map(|n| format!("import{imports}.{n},+3247{:07},{HASH}", 1_000_000 + imports * 50 + n))
                    .collect();
                std::fs::write(&list, format!("username,phone,password_hash\n{}\n", lines.join("\n"))).unwrap();
                stack.command(&["user", "import", list.to_str().unwrap()], "").done();
                imports += 1;
            }
            imports
        });
        let counted = || stack.sql("SELECT COUNT(*) FROM accounts").parse::<u32>().unwrap();
        crate::harness::children::wait_for("an import", || (counted() > 50).then_some(()));
        stack.command(&["accounts", "backup", name], "").done();
        is_over.store(true, Ordering::SeqCst);
        writer.join().unwrap()
    });
    assert!(imports > 0);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    person.fetch("/").await.expect(200);

    let mut copy = Plan::new().accounts_at(format!("sqlite://{name}")).prepare();
    copy.settings.set("accounts.encryption_keys", stack.settings.get("accounts.encryption_keys"));
    let counted: u32 = copy.sql("SELECT COUNT(*) FROM accounts").parse().unwrap();
    assert!(counted > 1 && counted % 50 == 1, "{counted} accounts");
    copy.command(&["user", "show", "anna"], "").done();
    copy.start_nodes().unwrap();
    copy.signed_in(&anna).await.fetch("/").await.expect(200);

    let before = std::fs::read(&file).unwrap();
    let again = stack.command(&["accounts", "backup", name], "");
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("overwrites nothing"), "{}", again.stderr);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let nowhere = stack.command(&["accounts", "backup", "/nowhere/copy.db"], "");
    assert_eq!(nowhere.code, Some(1));
    assert!(nowhere.stderr.contains("/nowhere"), "{}", nowhere.stderr);
}

const HASH: &str =
    "\"$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_is_copied_by_the_line_that_is_said() {
    let stack = Plan::new().accounts(Accounts::Postgres).start();
    let anna = stack.add_account("anna", "+32470111222");
    let file = stack.folder().join("copy of it.dump");
    let said = stack.command(&["accounts", "backup", file.to_str().unwrap()], "");
    assert_eq!(said.code, Some(1));
    let line = said.stderr.lines().map(str::trim).find(|line| line.contains("pg_dump")).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", line]).env("PATH", postgres::path_with_tools());
    run(shell, "").done();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let url = postgres::fresh_database();
    let mut restore = Command::new("pg_restore");
    restore.args(["--exit-on-error", "--no-owner", "--dbname", &url]).arg(&file);
    restore.env("PATH", postgres::path_with_tools());
    run(restore, "").done();
    let mut copy = Plan::new().accounts_at(url).prepare();
    copy.settings.set("accounts.encryption_keys", stack.settings.get("accounts.encryption_keys"));
    copy.start_nodes().unwrap();
    copy.signed_in(&anna).await.fetch("/").await.expect(200);
}
