//! One's own account: sessions ended by whom they belong to, and a password changed from one of them. Floor: edge.

use std::collections::BTreeSet;

use super::fixture::{
    NOW, Store, add, anna, attempt, audit, change, guess, hash, login, new_account, opening, signed_in,
};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::{Account, AccountId};
use crate::domain::audit::AuditEvent;
use crate::domain::revocation::Revoked;
use crate::domain::session::{Session, SessionId};
use crate::login::directory::{AccountChange, Changed};
use crate::login::own_account::{NumberReplaced, NumberReplacement, OwnAccount as _, OwnPasswordChange};
use crate::login::ports::{AttemptCharge, Ledger as _, Opened};

pub(super) async fn a_session_is_ended_by_its_own_account_only(store: &Store) {
    let node = store.node().await;
    let (anna, bert) = (anna(&node).await, add(&node, new_account("bert", Some("+32470123457"))).await);
    let (of_anna, of_bert) = (signed_in(&node, &anna, NOW).await, signed_in(&node, &bert, NOW).await);
    let record = audit(AuditEvent::SessionsEnded, NOW);
    assert_eq!(node.end_own_session(&anna.id, &of_bert, &record).await.unwrap(), None);
    let row = node.end_own_session(&anna.id, &of_anna, &record).await.unwrap().unwrap();
    assert_eq!(row.what, Revoked::Session(of_anna));
    assert_eq!(node.end_own_session(&anna.id, &of_anna, &record).await.unwrap(), None, "once");
    assert_eq!(ids(&node, &anna).await, []);
    assert_eq!(ids(&node, &bert).await, [of_bert]);
}

pub(super) async fn all_others_end_and_the_one_that_asks_goes_on(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let (anna, bert) = (anna(&nodes[0]).await, add(&nodes[0], new_account("bert", Some("+32470123457"))).await);
    let of_bert = signed_in(&nodes[0], &bert, NOW).await;
    let (kept, other) = (session(&nodes[0], &anna).await, session(&nodes[0], &anna).await);
    let third = signed_in(&nodes[0], &anna, NOW).await;
    let record = audit(AuditEvent::SessionsEnded, NOW);
    let rows = nodes[0].end_other_sessions(&kept, &record).await.unwrap();
    let ended: BTreeSet<_> = rows.iter().map(|row| format!("{:?}", row.what)).collect();
    assert_eq!(ended, [other.id, third].map(|id| format!("{:?}", Revoked::Session(id))).into());
    assert_eq!(ids(&nodes[0], &anna).await, [kept.id]);
    assert_eq!(ids(&nodes[0], &bert).await, [of_bert]);
    assert_eq!(nodes[0].end_other_sessions(&kept, &record).await.unwrap(), [], "none is left");
    // two that end each other, again and again: each time somebody is heard, and neither waits for the other for ever
    for _ in 0..10 {
        let pair = [session(&nodes[0], &anna).await, session(&nodes[1], &anna).await];
        let (first, second) = tokio::join!(
            nodes[0].end_other_sessions(&pair[0], &record),
            nodes[1].end_other_sessions(&pair[1], &record)
        );
        assert!(!first.unwrap().is_empty() || !second.unwrap().is_empty());
    }
    assert!(matches!(change(&nodes[0], &anna.id, AccountChange::EndSessions).await, Changed::Done(_)));
    let _newer = signed_in(&nodes[0], &nodes[0].account(&anna.id).await.unwrap().unwrap(), NOW).await;
    assert_eq!(nodes[0].end_other_sessions(&kept, &record).await.unwrap(), [], "of an epoch that is over");
}

pub(super) async fn a_changed_password_ends_all_but_the_session_that_changed_it(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    let (kept, other) = (session(&node, &anna).await, signed_in(&node, &anna, NOW).await);
    let (epoch, row) = node.change_password(&changing(&kept, 'B')).await.unwrap().unwrap();
    assert_eq!(row.what, Revoked::AccountBefore(anna.id, epoch));
    assert!(epoch > anna.epoch);
    let changed = node.account(&anna.id).await.unwrap().unwrap();
    assert_eq!((changed.password.stored(), changed.epoch), (hash('B').stored(), epoch));
    assert_eq!(ids(&node, &anna).await, [kept.id]);
    assert_ne!(kept.id, other);
    assert!(matches!(guess(&node, &anna, login(), NOW).await, AttemptCharge::Stale), "its code is owed in vain");
    assert_eq!(node.open_session(&opening(&anna, login(), NOW)).await.unwrap(), Opened::Stale);
    assert!(matches!(
        node.charge_code_attempt(&attempt(&changed, login()), &super::fixture::CODE_CAPS, NOW).await.unwrap(),
        AttemptCharge::Granted(_)
    ));
    // from the same cookie again, or from the session that was ended
    assert_eq!(node.change_password(&changing(&kept, 'C')).await.unwrap(), None);
    let ended = Session { id: other, epoch, ..kept.clone() };
    assert_eq!(node.change_password(&changing(&ended, 'C')).await.unwrap(), None);
    assert_eq!(node.account(&anna.id).await.unwrap().unwrap().password.stored(), hash('B').stored());
    let going_on = kept.continued_in(epoch, NOW, NOW);
    assert!(node.change_password(&changing(&going_on, 'D')).await.unwrap().is_some());
}

pub(super) async fn twenty_changes_of_a_password_at_once_are_one(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let anna = anna(&nodes[0]).await;
    let mut changes = Vec::new();
    for number in 0..20_usize {
        changes.push((nodes[number % 2].clone(), changing(&session(&nodes[0], &anna).await, 'B')));
    }
    let tasks: Vec<_> = changes
        .into_iter()
        .map(|(node, change)| tokio::spawn(async move { node.change_password(&change).await }))
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap().unwrap().is_some());
    }
    assert_eq!(won, 1);
    assert_eq!(ids(&nodes[0], &anna).await.len(), 1);
}

pub(super) async fn a_right_code_that_opens_no_session_counts_once(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    let id = login();
    let record = audit(AuditEvent::PhoneProved, NOW);
    for _ in 0..3 {
        assert!(matches!(guess(&node, &anna, id, NOW).await, AttemptCharge::Granted(_)));
    }
    assert!(node.accept_code(&id, &anna.id, &record).await.unwrap());
    assert!(!node.accept_code(&id, &anna.id, &record).await.unwrap(), "a code works once");
    let database = store.database().await;
    let left = "SELECT COUNT(*) AS count FROM code_attempts WHERE outcome = 'charged'";
    assert_eq!(super::fixture::rows_in(&database, left).await, 0, "wrong ones in a row are forgotten");
    assert!(!node.accept_code(&login(), &AccountId::random(), &record).await.unwrap());
}

pub(super) async fn a_replaced_number_ends_all_but_the_session_that_replaced_it(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    let (kept, other) = (session(&node, &anna).await, session(&node, &anna).await);
    let replacement = replacing(&kept, &anna, "+32470999001");
    let NumberReplaced::Done(epoch, row) = node.replace_number(&replacement).await.unwrap() else {
        panic!("it was not replaced");
    };
    assert_eq!(row.what, Revoked::AccountBefore(anna.id, epoch));
    let changed = node.account(&anna.id).await.unwrap().unwrap();
    assert_eq!((changed.phone.as_ref(), changed.epoch), (Some(&replacement.new_phone.number), epoch));
    assert!(changed.phone_version > anna.phone_version);
    assert_eq!(ids(&node, &anna).await, [kept.id]);
    let going_on = kept.continued_in(epoch, NOW, NOW);
    for stale in [
        replacing(&kept, &changed, "+32470999002"),
        replacing(&going_on, &anna, "+32470999002"),
        replacing(&Session { id: other.id, ..going_on.clone() }, &changed, "+32470999002"),
    ] {
        assert_eq!(node.replace_number(&stale).await.unwrap(), NumberReplaced::Stale);
    }
    assert!(matches!(
        node.replace_number(&replacing(&going_on, &changed, "+32470999003")).await.unwrap(),
        NumberReplaced::Done(..)
    ));
    let carla = add(&node, new_account("carla", Some("+32470999005"))).await;
    let of_carla = session(&node, &carla).await;
    let taken = node.replace_number(&replacing(&of_carla, &carla, "+32470999003")).await.unwrap();
    assert_eq!(taken, NumberReplaced::NumberTaken, "it is anna's");
    assert_eq!(node.account(&carla.id).await.unwrap().unwrap().epoch, carla.epoch);
}

pub(super) async fn twenty_replacements_of_a_number_at_once_are_one(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let anna = anna(&nodes[0]).await;
    let mut replacements = Vec::new();
    for number in 0..20_usize {
        let session = session(&nodes[0], &anna).await;
        replacements.push((nodes[number % 2].clone(), replacing(&session, &anna, &format!("+324709990{number:02}"))));
    }
    let tasks: Vec<_> = replacements
        .into_iter()
        .map(|(node, replacement)| {
            tokio::spawn(async move {
                let replaced = node.replace_number(&replacement).await.unwrap();
                matches!(replaced, NumberReplaced::Done(..)).then_some(replacement.new_phone.number)
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        won.extend(task.await.unwrap());
    }
    assert_eq!(won.len(), 1);
    assert_eq!(nodes[0].account(&anna.id).await.unwrap().unwrap().phone.as_ref(), won.first());
}

fn replacing(session: &Session, account: &Account, number: &str) -> NumberReplacement {
    NumberReplacement {
        session: session.clone(),
        login: login(),
        phone_version: account.phone_version,
        new_phone: super::fixture::new_phone(number),
        password_at: NOW,
        audit: audit(AuditEvent::PhoneChanged, NOW),
    }
}

fn changing(session: &Session, salt: char) -> OwnPasswordChange {
    OwnPasswordChange { session: session.clone(), chosen: hash(salt), audit: audit(AuditEvent::PasswordChanged, NOW) }
}

async fn session(node: &SqlLedger, account: &Account) -> Session {
    let opening = opening(account, login(), NOW);
    assert_eq!(node.open_session(&opening).await.unwrap(), Opened::Opened(Vec::new()));
    opening.session
}

async fn ids(node: &SqlLedger, account: &Account) -> Vec<SessionId> {
    node.open_sessions(&account.id, NOW).await.unwrap().iter().map(|session| session.id).collect()
}
