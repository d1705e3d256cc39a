//! What each database does when it is stopped, locked, killed or stolen: an error in time, nothing lost, nothing to read. Floor: edge.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fixture::{NOW, PASSWORD_CAPS, Store, anna, keys, name, opening, rows_in, signed_in};
use super::postgres::Server;
use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::connection::Connection;
use crate::adapters::sql::database::{Database, DatabaseSettings};
use crate::adapters::sql::error::SqlError;
use crate::login::ports::{Ledger as _, PasswordSubject, RevocationFeed as _};

const IN_TIME: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_stands_still_is_an_error_in_time_and_comes_back() {
    let server = Server::start();
    let url = server.fresh_database().await;
    let database = Database::open(&url, &DatabaseSettings::default()).await.unwrap();
    let node = SqlLedger::new(database.clone(), Arc::new(keys(&[1])));
    let account = anna(&node).await;
    server.signal_all("-STOP");
    for _ in 0..3 {
        let begun = Instant::now();
        assert!(node.account(&account.id).await.is_err());
        assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
        let begun = Instant::now();
        assert!(node.charge_password(&PasswordSubject::Account(account.id), &PASSWORD_CAPS, NOW).await.is_err());
        assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
        let begun = Instant::now();
        assert!(node.rows_after(0, NOW).await.is_err() && database.probe().await.is_err());
        assert!(begun.elapsed() < IN_TIME * 2, "{:?}", begun.elapsed());
    }
    server.signal_all("-CONT");
    let begun = Instant::now();
    while node.account(&account.id).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_stops_amid_a_transaction_is_an_error_in_time_and_the_transaction_is_undone() {
    let server = Server::start();
    let url = server.fresh_database().await;
    let database = Database::open(&url, &DatabaseSettings::default()).await.unwrap();
    let server = &server;
    let begun = Instant::now();
    let written = database
        .write(async |mut tx: Connection| {
            tx.execute("INSERT INTO installation (key, value) VALUES ('a', 'b')", []).await?;
            server.signal_all("-STOP");
            tx.row("SELECT n FROM feed_head", []).await?;
            tx.commit(()).await
        })
        .await;
    assert!(matches!(written, Err(SqlError::TimedOut(_))), "{written:?}");
    assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
    server.signal_all("-CONT");
    let begun = Instant::now();
    while database.probe().await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come back");
    }
    assert_eq!(rows_in(&database, "SELECT COUNT(*) AS count FROM installation").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_is_killed_keeps_what_was_answered() {
    let mut server = Server::start();
    let url = server.fresh_database().await;
    let node = SqlLedger::new(Database::open(&url, &DatabaseSettings::default()).await.unwrap(), Arc::new(keys(&[1])));
    let account = anna(&node).await;
    let opening = opening(&account, super::fixture::login(), NOW);
    let _ = node.open_session(&opening).await.unwrap();
    server.signal_all("-KILL");
    let begun = Instant::now();
    assert!(node.account(&account.id).await.is_err());
    assert!(begun.elapsed() < IN_TIME);
    server.start_again();
    let begun = Instant::now();
    let session = loop {
        match node.session_of_login(&opening.login).await {
            Ok(session) => break session,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(session.unwrap().id, opening.session.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_locked_by_another_process_is_an_error_in_time_for_writers_only() {
    let store = Store::sqlite().await;
    let node = store.node().await;
    let account = anna(&node).await;
    let mut other = Command::new("sqlite3")
        .arg(store.url().trim_start_matches("sqlite://"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sqlite3 is installed");
    other.stdin.as_mut().unwrap().write_all(b"BEGIN EXCLUSIVE;\nSELECT 'locked';\n").unwrap();
    let mut line = String::new();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "locked");
    for _ in 0..2 {
        let begun = Instant::now();
        assert!(node.charge_password(&PasswordSubject::Account(account.id), &PASSWORD_CAPS, NOW).await.is_err());
        assert!(begun.elapsed() < IN_TIME, "{:?}", begun.elapsed());
        assert!(node.account_by_name(&name("anna")).await.unwrap().is_some());
        assert!(node.rows_after(0, NOW).await.unwrap().is_empty());
    }
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(node.charge_password(&PasswordSubject::Account(account.id), &PASSWORD_CAPS, NOW).await.is_ok());
}

#[tokio::test]
async fn what_was_answered_is_in_the_files_of_sqlite() {
    let store = Store::sqlite().await;
    let node = store.node().await;
    let account = anna(&node).await;
    let opening = opening(&account, super::fixture::login(), NOW);
    let _ = node.open_session(&opening).await.unwrap();
    // the files as a process that is killed leaves them
    let path = store.url().trim_start_matches("sqlite://");
    let copy = tempfile::tempdir().unwrap();
    for ending in ["", "-wal"] {
        fs::copy(format!("{path}{ending}"), copy.path().join(format!("accounts.db{ending}"))).unwrap();
    }
    let url = format!("sqlite://{}", copy.path().join("accounts.db").display());
    let after = SqlLedger::new(Database::open(&url, &DatabaseSettings::default()).await.unwrap(), Arc::new(keys(&[1])));
    assert_eq!(after.session_of_login(&opening.login).await.unwrap().unwrap().id, opening.session.id);
}

#[tokio::test]
async fn a_stolen_sqlite_file_gives_no_number_no_address_and_no_name_and_is_ours_alone() {
    let store = Store::sqlite().await;
    let node = store.node().await;
    let account = anna(&node).await;
    signed_in(&node, &account, NOW).await;
    let path = store.url().trim_start_matches("sqlite://");
    for ending in ["", "-wal", "-shm"] {
        let file = format!("{path}{ending}");
        let bytes = fs::read(&file).unwrap();
        for secret in ["470123456", "anna@example.com", "Anna Ó"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {file}");
        }
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    let all = [fs::read(path).unwrap(), fs::read(format!("{path}-wal")).unwrap()].concat();
    assert!(all.windows(4).any(|window| window == b"anna"), "the search finds what is there");
}

#[tokio::test]
async fn a_temporary_database_goes_with_its_last_handle_and_odd_addresses_are_refused() {
    let database = Database::temporary(&DatabaseSettings::default()).await.unwrap();
    assert!(database.probe().await.is_ok());
    for url in ["mysql://x", "sqlite://relative.db", "accounts.db", "postgres://[", ""] {
        let refused = Database::open(url, &DatabaseSettings::default()).await.unwrap_err();
        assert!(refused.to_string().starts_with("accounts.url"), "{url}: {refused}");
    }
    let missing = Database::open("sqlite:///no/such/directory/accounts.db", &DatabaseSettings::default()).await;
    assert!(missing.unwrap_err().to_string().contains("/no/such/directory/accounts.db"));
}
