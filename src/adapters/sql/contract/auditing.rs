//! The audit trail: what is written, how it is read back, and what shows when somebody writes to it by hand. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{DAY, HOUR, NOW, Store, adding, anna, audit, change, keys, name, new_account, rows_in, signed_in};
use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::connection::{Connection, Done};
use crate::adapters::sql::database::Database;
use crate::adapters::sql::error::SqlError;
use crate::adapters::sql::trail_reading::OUTSIDE;
use crate::domain::account::AccountId;
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::audit_chain::{Fault, KnownHead};
use crate::domain::time::UnixMillis;
use crate::login::directory::{AccountChange, Directory as _, Imported};
use crate::login::ports::Ledger as _;
use crate::login::trail::{Trail as _, TrailAccount, TrailFilter, TrailTurn};
use crate::login::upkeep::AccountsUpkeep as _;

const KEPT: Duration = Duration::from_secs(400 * 24 * 3600);
const ROWS: &str = "SELECT COUNT(*) AS count FROM audit";
const LINKS: &str = "SELECT COUNT(*) AS count FROM audit WHERE number IS NOT NULL";

async fn by_hand(database: &Database, sql: &'static str) {
    database.write(|tx| run(tx, sql)).await.unwrap();
}

async fn run(mut tx: Connection, sql: &'static str) -> Result<Done<()>, SqlError> {
    tx.execute(sql, []).await?;
    tx.commit(()).await
}

async fn enable_and_disable(node: &SqlLedger, id: &AccountId, times: u32) {
    for number in 0..times {
        let (what, event) = match number % 2 {
            0 => (AccountChange::Disable, AuditEvent::AccountDisabled),
            _ => (AccountChange::Enable, AuditEvent::AccountEnabled),
        };
        let at = NOW.plus(Duration::from_secs(u64::from(number)));
        let record = AuditRecord { account: Some(*id), reason: Some(number.to_string()), ..audit(event, at) };
        let _ = node.change(id, &what, &record).await.unwrap();
    }
}

async fn faults(node: &SqlLedger) -> Vec<Fault> {
    node.verify(None).await.unwrap().faults
}

async fn row_of(database: &Database, number: i64) -> i64 {
    let row = database.row("SELECT id FROM audit WHERE number = $1", [number.into()]).await.unwrap();
    row.unwrap().int("id").unwrap()
}

pub(super) async fn what_operators_do_is_chained_and_signing_in_is_not(store: &Store) {
    let node = store.node().await;
    assert!(node.verify(None).await.unwrap().is_sound(), "also before anything was written");
    let entries = ["bert", "carla", "dirk"].map(|user_name| adding(new_account(user_name, None)));
    assert_eq!(node.import(&entries).await.unwrap(), Imported::Done(Vec::new()));
    let account = anna(&node).await;
    signed_in(&node, &account, NOW).await;
    let _ = change(&node, &account.id, AccountChange::EndSessions).await;
    let _ = change(&node, &account.id, AccountChange::Remove).await;
    let report = node.verify(None).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.links, report.head.number, report.begins_after), (6, 6, 0));
    assert_eq!(node.head().await.unwrap(), report.head);
    let all = node.page(&TrailFilter::default(), TrailTurn::OldestFirst { after: None }, 100).await.unwrap();
    for line in &all {
        let event = AuditEvent::parse(&line.event).unwrap();
        assert_eq!(line.link.is_some(), event.is_chained(), "{line:?}");
    }
    assert_eq!(all.last().unwrap().user_name.as_deref(), Some("anna"), "the name stays when the account is gone");
}

pub(super) async fn rows_changed_added_exchanged_and_taken_away_by_hand_are_named(store: &Store) {
    let (node, database) = (store.node().await, store.database().await);
    let account = anna(&node).await;
    enable_and_disable(&node, &account.id, 6).await;
    let mut rows = vec![0];
    for number in 1..=7 {
        rows.push(row_of(&database, number).await);
    }
    let changed = |number: usize| Fault::Changed { row: rows[number], number: number as i64 };
    // what is done by hand, how it is undone, and what shows
    for (done, undone, expected) in [
        (
            "UPDATE audit SET reason = 'nothing happened' WHERE number = 3",
            "UPDATE audit SET reason = '1' WHERE number = 3",
            vec![changed(3)],
        ),
        (
            "UPDATE audit SET reason = CASE number WHEN 3 THEN '2' ELSE '1' END WHERE number IN (3, 4)",
            "UPDATE audit SET reason = CASE number WHEN 3 THEN '1' ELSE '2' END WHERE number IN (3, 4)",
            vec![changed(3), changed(4)],
        ),
        (
            "INSERT INTO audit (at, event, actor) VALUES (1, 'account_enabled', 'cli:root')",
            "DELETE FROM audit WHERE at = 1",
            vec![Fault::Outside { row: rows[7] + 1, event: "account_enabled".into() }],
        ),
        (
            "UPDATE audit SET number = NULL WHERE number = 4",
            "UPDATE audit SET number = 4 WHERE number IS NULL AND reason = '2'",
            vec![
                Fault::Missing { first: 4, last: 4, before_row: rows[5] },
                Fault::Outside { row: rows[4], event: "account_disabled".into() },
            ],
        ),
    ] {
        by_hand(&database, done).await;
        assert_eq!(faults(&node).await, expected, "{done}");
        by_hand(&database, undone).await;
        assert_eq!(faults(&node).await, [], "{undone}");
    }
    let head = node.head().await.unwrap();
    by_hand(&database, "DELETE FROM audit WHERE number IN (3, 4)").await;
    let missing = Fault::Missing { first: 3, last: 4, before_row: rows[5] };
    assert_eq!(faults(&node).await, std::slice::from_ref(&missing));
    by_hand(&database, "DELETE FROM audit WHERE number = 7").await;
    assert_eq!(faults(&node).await, [missing.clone(), Fault::EndCutOff { first: 7, last: 7 }]);
    by_hand(&database, "UPDATE audit_head SET number = 6, hash = (SELECT hash FROM audit WHERE number = 6)").await;
    assert_eq!(faults(&node).await, std::slice::from_ref(&missing), "an end that is cut off with its head");
    let known = KnownHead::parse(&head.to_string()).unwrap();
    let report = node.verify(Some(&known)).await.unwrap();
    assert_eq!(report.faults, [missing, Fault::OlderThanKnown { known: 7, last: 6 }], "is seen by who knows the head");
}

pub(super) async fn parallel_records_of_two_nodes_are_one_chain(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let mut accounts = Vec::new();
    for number in 0..8 {
        let account = new_account(&format!("user{number}"), None);
        accounts.push(super::fixture::add(&nodes[0], account).await.id);
    }
    let tasks: Vec<_> = accounts
        .into_iter()
        .enumerate()
        .map(|(number, id)| {
            let node = nodes[number % 2].clone();
            tokio::spawn(async move { enable_and_disable(&node, &id, 5).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let report = nodes[0].verify(None).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.links, 8 + 8 * 5);
}

pub(super) async fn retention_takes_the_oldest_and_the_chain_goes_on(store: &Store) {
    let (node, database) = (store.node().await, store.database().await);
    let account = anna(&node).await;
    enable_and_disable(&node, &account.id, 4).await;
    let old = node.head().await.unwrap();
    let later = NOW.plus(KEPT);
    let record = AuditRecord { account: Some(account.id), ..audit(AuditEvent::PhoneCleared, later) };
    let _ = node.change(&account.id, &AccountChange::ClearPhone, &record).await.unwrap();
    signed_out(&node, NOW).await;

    node.tidy(KEPT, later).await.unwrap();
    assert_eq!(rows_in(&database, ROWS).await, 7, "nothing is older than that");
    node.tidy(KEPT, later.plus(DAY)).await.unwrap();
    assert_eq!(rows_in(&database, ROWS).await, 1, "five links went, and one record that is none");
    let report = node.verify(Some(&KnownHead::parse(&old.to_string()).unwrap())).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.links, report.begins_after, report.tidied_at), (1, 5, Some(later.plus(DAY))));

    node.tidy(KEPT, later.plus(KEPT + DAY)).await.unwrap();
    let empty = node.verify(None).await.unwrap();
    assert!(empty.is_sound(), "{empty:?}");
    assert_eq!((empty.links, &empty.head), (0, &report.head), "the number goes on when nothing is left");
    enable_and_disable(&node, &account.id, 1).await;
    assert_eq!(node.verify(None).await.unwrap().head.number, 7);

    by_hand(&database, "UPDATE audit_checkpoint SET number = number - 1").await;
    assert!(matches!(faults(&node).await.first(), Some(Fault::CheckpointChanged { .. })));
}

async fn signed_out(node: &SqlLedger, at: UnixMillis) {
    node.record(&audit(AuditEvent::SignedOut, at)).await.unwrap();
}

pub(super) async fn retention_takes_no_evidence_away(store: &Store) {
    let (node, database) = (store.node().await, store.database().await);
    let account = anna(&node).await;
    enable_and_disable(&node, &account.id, 4).await;
    by_hand(&database, "UPDATE audit SET at = 1 WHERE number <= 3").await;
    assert_eq!(node.tidy(KEPT, NOW).await.unwrap(), 0, "made old by hand");
    assert_eq!(rows_in(&database, LINKS).await, 5);
    assert_eq!(faults(&node).await.len(), 3);
}

pub(super) async fn a_chain_outlives_the_data_key_it_began_with(store: &Store) {
    let old = store.node().await;
    let account = anna(&old).await;
    enable_and_disable(&old, &account.id, 2).await;
    let both = SqlLedger::new(store.database().await, Arc::new(keys(&[2, 1])));
    let new = SqlLedger::new(store.database().await, Arc::new(keys(&[2])));
    assert!(matches!(faults(&new).await.as_slice(), [Fault::Unproven { number: 1, .. }]));
    let rekeyed = both.rekey(&audit(AuditEvent::AccountsRekeyed, NOW.plus(HOUR))).await.unwrap();
    assert!(rekeyed.in_use.is_empty(), "{rekeyed:?}");
    assert!(new.check_keys().await.is_ok() && both.verify(None).await.unwrap().is_sound());
    assert_eq!(new.verify(None).await.unwrap().links, 4);
    assert_eq!(faults(&new).await, []);
    new.tidy(KEPT, NOW.plus(KEPT + HOUR + Duration::from_secs(60))).await.unwrap();
    let report = new.verify(None).await.unwrap();
    assert_eq!((report.faults.as_slice(), report.begins_after), ([].as_slice(), 3), "what is proved later can go");
}

pub(super) async fn the_trail_is_read_page_by_page_and_by_what_is_asked_for(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let bert = super::fixture::add(&node, new_account("bert", None)).await;
    signed_in(&node, &account, NOW.plus(HOUR)).await;
    enable_and_disable(&node, &bert.id, 3).await;
    let events = async |filter: &TrailFilter, turn, most| {
        let lines = node.page(filter, turn, most).await.unwrap();
        lines.iter().map(|line| (line.id, line.event.clone())).collect::<Vec<_>>()
    };
    let all = events(&TrailFilter::default(), TrailTurn::OldestFirst { after: None }, 100).await;
    assert_eq!(all.len(), 6);
    let newest = TrailTurn::NewestFirst { before: None };
    assert_eq!(events(&TrailFilter::default(), newest, 2).await, [all[5].clone(), all[4].clone()]);
    let next = TrailTurn::NewestFirst { before: Some(all[4].0) };
    assert_eq!(events(&TrailFilter::default(), next, 1).await, [all[3].clone()]);
    let next = TrailTurn::OldestFirst { after: Some(all[0].0) };
    assert_eq!(events(&TrailFilter::default(), next, 1).await, [all[1].clone()]);

    let none = TrailFilter::default;
    let of = |user_name: &str, id| Some(TrailAccount { user_name: name(user_name), id });
    for (filter, expected) in [
        (TrailFilter { event: Some(AuditEvent::AccountDisabled), ..none() }, 2),
        (TrailFilter { actor: Some("test".into()), ..none() }, 6),
        (TrailFilter { actor: Some("tes".into()), ..none() }, 0),
        (TrailFilter { since: Some(NOW.plus(HOUR)), ..none() }, 1),
        (TrailFilter { until: Some(NOW.plus(HOUR)), ..none() }, 5),
        (TrailFilter { account: of("anna", Some(account.id)), ..none() }, 2),
        (TrailFilter { account: of("anna", None), ..none() }, 1),
        (TrailFilter { account: of("bert", None), since: Some(NOW), until: Some(NOW.plus(HOUR)), ..none() }, 4),
    ] {
        let turn = TrailTurn::OldestFirst { after: None };
        assert_eq!(events(&filter, turn, 100).await.len(), expected, "{filter:?}");
    }
}

#[test]
fn what_is_outside_the_chain_is_told_by_the_events_that_belong_there() {
    for event in AuditEvent::ALL {
        let is_named = OUTSIDE.contains(&format!("'{}'", event.name()));
        assert_eq!(is_named, !event.is_chained(), "{}", event.name());
    }
}
