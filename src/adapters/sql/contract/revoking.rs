//! The feed: numbered in the order of the commits, without gaps, and what it is told. Floor: edge.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fixture::{
    DAY, HOUR, NOW, Store, add, anna, audit, change, login, new_account, newcomer, opening, signed_in,
};
use crate::domain::account::Epoch;
use crate::domain::audit::AuditEvent;
use crate::domain::revocation::Revoked;
use crate::login::directory::{AccountChange, Changed, Directory as _};
use crate::login::ports::{Ledger, Opened, RevocationFeed as _};

pub(super) async fn numbers_have_no_gaps_and_follow_the_commits(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let accounts = [anna(&nodes[0]).await, add(&nodes[0], new_account("bert", Some("+32470123457"))).await];
    let mut ids = Vec::new();
    for number in 0..30 {
        ids.push(signed_in(&nodes[0], &accounts[number % 2], NOW).await);
    }
    // accounts that are added take a number without a row
    let begun = nodes[0].head().await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn({
        let (node, is_over) = (store.node().await, Arc::clone(&is_over));
        async move {
            let mut seen: Vec<i64> = Vec::new();
            loop {
                let last_round = is_over.load(Ordering::SeqCst);
                let rows = node.rows_after(seen.last().copied().unwrap_or(begun), NOW).await.unwrap();
                seen.extend(rows.iter().map(|row| row.number));
                if last_round {
                    return seen;
                }
                tokio::task::yield_now().await;
            }
        }
    });
    let tasks = ids.into_iter().enumerate().map(|(number, id)| {
        let node = nodes[number % 2].clone();
        let account = accounts[number % 2].id;
        tokio::spawn(async move {
            if number % 5 == 0 {
                let change = AccountChange::EndSessions;
                let _ = node.change(&account, &change, &audit(AuditEvent::SessionsEnded, NOW)).await;
            }
            let _ = Ledger::end_session(&node, &id, &audit(AuditEvent::SignedOut, NOW)).await;
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    is_over.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    let all: Vec<i64> = (begun + 1..).take(seen.len()).collect();
    assert!(!seen.is_empty());
    assert_eq!(seen, all, "a reader that goes on from the last number it saw misses nothing");
    assert_eq!(nodes[0].rows_after(0, NOW).await.unwrap().len(), all.len());
}

pub(super) async fn the_feed_forgets_after_a_day(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let id = signed_in(&node, &account, NOW).await;
    let row = Ledger::end_session(&node, &id, &audit(AuditEvent::SignedOut, NOW)).await.unwrap().unwrap();
    assert_eq!(node.rows_after(0, NOW.plus(23 * HOUR)).await.unwrap(), std::slice::from_ref(&row));
    assert!(node.rows_after(row.number, NOW).await.unwrap().is_empty());
    assert!(node.rows_after(0, NOW.plus(DAY + HOUR)).await.unwrap().is_empty());
    let other = signed_in(&node, &account, NOW).await;
    let next = Ledger::end_session(&node, &other, &audit(AuditEvent::SignedOut, NOW)).await.unwrap().unwrap();
    let later = NOW.plus(DAY + HOUR);
    assert_eq!(
        node.rows_after(row.number, later).await.unwrap(),
        std::slice::from_ref(&next),
        "who follows misses nothing"
    );
    assert_eq!(node.head().await.unwrap(), next.number);
}

pub(super) async fn activation_is_recorded_once(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let (with_number, without) = (anna(&nodes[0]).await, add(&nodes[0], new_account("bert", None)).await);
    let open_longer = newcomer(&nodes[0]).await;
    assert_eq!(nodes[0].census(NOW).await.unwrap().without_number, 1);
    let tasks = (0..10_usize).map(|number| {
        let node = nodes[number % 2].clone();
        let at = NOW.plus(std::time::Duration::from_millis(number as u64));
        tokio::spawn(
            async move { node.activate(Some(NOW.plus(HOUR)), &audit(AuditEvent::TwoFactorActivated, at)).await },
        )
    });
    let mut records = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        records.push(task.await.unwrap().unwrap());
    }
    assert_eq!(records.iter().filter(|record| record.by_this_call).count(), 1);
    assert_eq!(records.iter().map(|record| record.at).collect::<BTreeSet<_>>().len(), 1);
    let rows = nodes[0].rows_after(0, NOW).await.unwrap();
    assert_eq!(rows.iter().map(|row| &row.what).collect::<Vec<_>>(), [&Revoked::TwoFactorActivated]);
    assert_eq!(nodes[1].account(&without.id).await.unwrap().unwrap().enrolment_until, Some(NOW.plus(HOUR)));
    assert_eq!(nodes[1].account(&with_number.id).await.unwrap().unwrap().enrolment_until, None);
    assert_eq!(nodes[1].account(&open_longer.id).await.unwrap().unwrap().enrolment_until, Some(NOW.plus(DAY)));
}

pub(super) async fn ending_everything_moves_every_account(store: &Store) {
    let node = store.node().await;
    let accounts = [anna(&node).await, add(&node, new_account("bert", Some("+32470123457"))).await];
    for account in &accounts {
        signed_in(&node, account, NOW).await;
    }
    assert!(matches!(change(&node, &accounts[0].id, AccountChange::EndSessions).await, Changed::Done(_)));
    let before = node.head().await.unwrap();
    assert_eq!(node.end_all_sessions(&audit(AuditEvent::SessionsEnded, NOW)).await.unwrap(), 1);
    assert!(node.sessions(None, NOW).await.unwrap().is_empty());
    let rows = node.rows_after(before, NOW).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [before + 1, before + 2]);
    for (account, epoch) in accounts.iter().zip([Epoch(3), Epoch(2)]) {
        assert!(rows.iter().any(|row| row.what == Revoked::AccountBefore(account.id, epoch)), "{rows:?}");
        assert_eq!(node.open_session(&opening(account, login(), NOW)).await.unwrap(), Opened::Stale);
    }
}

pub(super) async fn a_session_ends_once(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let id = signed_in(&node, &account, NOW).await;
    let end = async || Ledger::end_session(&node, &id, &audit(AuditEvent::SignedOut, NOW)).await.unwrap();
    let row = end().await.unwrap();
    assert_eq!(row.what, Revoked::Session(id));
    assert_eq!(end().await, None);
    assert_eq!(node.rows_after(0, NOW).await.unwrap(), [row]);
}
