//! A login opens one session, of an account that has not moved on, and one number is enrolled. Floor: edge.

use super::fixture::{
    DAY, NOW, Store, add, anna, audit, change, guess, hash, keys, login, new_account, new_phone, newcomer, opening,
    phone, rows_in, session,
};
use std::sync::Arc;

use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::connection::{Connection, Done};
use crate::adapters::sql::error::SqlError;
use crate::domain::account::{Epoch, PhoneVersion};
use crate::domain::audit::AuditEvent;
use crate::domain::revocation::Revoked;
use crate::domain::session::Factors;
use crate::login::directory::{AccountChange, Changed, Directory as _, NewAccount};
use crate::login::ports::{Ledger as _, Opened, Opening, RevocationFeed as _};
use crate::login::{NewPassword, NewPhone};

const SESSIONS: &str = "SELECT COUNT(*) AS count FROM sessions";

pub(super) async fn a_hundred_parallel_openings_of_one_login_open_one_session(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = anna(&nodes[0]).await;
    let login = login();
    let openings = (0..100).map(|_| opening(&account, login, NOW)).collect();
    assert_eq!(in_parallel(&nodes, openings, &Opened::AlreadyUsed).await, 1);
    assert_eq!(rows_in(&store.database().await, SESSIONS).await, 1);
    assert_eq!(nodes[0].open_session(&opening(&account, login, NOW)).await.unwrap(), Opened::AlreadyUsed);
}

pub(super) async fn twenty_parallel_enrolments_keep_one_number(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = newcomer(&nodes[0]).await;
    let openings = (10..30)
        .map(|number| Opening {
            new_phone: Some(new_phone(&format!("+324701234{number}"))),
            ..opening(&account, login(), NOW)
        })
        .collect();
    assert_eq!(in_parallel(&nodes, openings, &Opened::Stale).await, 1);
    let enrolled = nodes[1].account(&account.id).await.unwrap().unwrap();
    assert!(enrolled.phone.is_some());
    assert_eq!(enrolled.phone_version, PhoneVersion(account.phone_version.0 + 1));
    assert_eq!(enrolled.enrolment_until, None);
    assert_eq!(rows_in(&store.database().await, SESSIONS).await, 1);
}

pub(super) async fn one_number_enrolled_by_ten_accounts_at_once_stays_within_its_limit(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    for (most_accounts, number) in [(1, "+32470123456"), (3, "+32470123457")] {
        let mut openings = Vec::new();
        for place in 0..10 {
            let enrolment_until = Some(NOW.plus(DAY));
            let account = new_account(&format!("anna{most_accounts}{place}"), None);
            let account = add(&nodes[0], NewAccount { enrolment_until, ..account }).await;
            let new_phone = Some(NewPhone { most_accounts, ..new_phone(number) });
            openings.push(Opening { new_phone, ..opening(&account, login(), NOW) });
        }
        assert_eq!(in_parallel(&nodes, openings.clone(), &Opened::NumberTaken).await, most_accounts);
        assert_eq!(nodes[0].accounts_with(&phone(number)).await.unwrap(), u64::from(most_accounts));
        let opened = openings.iter().map(|opening| opening.session.account);
        for account in opened {
            let account = nodes[1].account(&account).await.unwrap().unwrap();
            assert_eq!(account.phone.is_none(), account.enrolment_until.is_some(), "who was refused may give another");
        }
    }
    assert_eq!(rows_in(&store.database().await, SESSIONS).await, 4);
}

pub(super) async fn a_number_counts_under_older_keys_and_on_disabled_accounts(store: &Store) {
    let node = store.node().await;
    let first = anna(&node).await;
    assert!(matches!(change(&node, &first.id, AccountChange::Disable).await, Changed::Done(_)));
    // a new data key signs from now on; the first one's rows are still there
    let node = SqlLedger::new(store.database().await, Arc::new(keys(&[2, 1])));
    let account = newcomer(&node).await;
    let enrolling = |new_phone| Opening { new_phone: Some(new_phone), ..opening(&account, login(), NOW) };
    assert_eq!(node.open_session(&enrolling(new_phone("+32470123456"))).await.unwrap(), Opened::NumberTaken);
    // operators are not held to it
    let second = add(&node, new_account("bert", Some("+32470123456"))).await;
    assert_eq!((second.phone, node.accounts_with(&phone("+32470123456")).await.unwrap()), (first.phone, 2));
    let two = NewPhone { most_accounts: 2, ..new_phone("+32470123456") };
    assert_eq!(node.open_session(&enrolling(two)).await.unwrap(), Opened::NumberTaken);
    let three = NewPhone { most_accounts: 3, ..new_phone("+32470123456") };
    assert_eq!(node.open_session(&enrolling(three)).await.unwrap(), Opened::Opened(Vec::new()));
}

pub(super) async fn a_session_does_not_open_once_the_account_has_moved_on(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let mut other = account.clone();
    other.epoch = Epoch(account.epoch.0 + 1);
    assert_eq!(node.open_session(&opening(&other, login(), NOW)).await.unwrap(), Opened::Stale);
    other = account.clone();
    other.phone_version = PhoneVersion(account.phone_version.0 + 1);
    assert_eq!(node.open_session(&opening(&other, login(), NOW)).await.unwrap(), Opened::Stale);
    for moved in [AccountChange::EndSessions, AccountChange::ClearPhone, AccountChange::Disable, AccountChange::Remove]
    {
        let _ = change(&node, &account.id, AccountChange::Enable).await;
        let before = node.account(&account.id).await.unwrap().unwrap();
        assert!(matches!(change(&node, &account.id, moved.clone()).await, Changed::Done(_)));
        assert_eq!(node.open_session(&opening(&before, login(), NOW)).await.unwrap(), Opened::Stale, "{moved:?}");
    }
    assert_eq!(rows_in(&store.database().await, SESSIONS).await, 0);
}

pub(super) async fn enrolment_closes_with_its_window_and_with_the_first_number(store: &Store) {
    let node = store.node().await;
    let account = newcomer(&node).await;
    let enrolling = |now| Opening { new_phone: Some(new_phone("+32470123456")), ..opening(&account, login(), now) };
    assert_eq!(node.open_session(&enrolling(NOW.plus(DAY))).await.unwrap(), Opened::EnrolmentClosed);
    assert_eq!(
        node.open_session(&opening(&account, login(), NOW)).await.unwrap(),
        Opened::Stale,
        "a code went nowhere"
    );
    assert_eq!(node.open_session(&enrolling(NOW)).await.unwrap(), Opened::Opened(Vec::new()));
    let enrolled = node.account(&account.id).await.unwrap().unwrap();
    assert_eq!(enrolled.phone, Some(phone("+32470123456")));
    let again = Opening { new_phone: Some(new_phone("+32470123457")), ..opening(&enrolled, login(), NOW) };
    assert_eq!(node.open_session(&again).await.unwrap(), Opened::EnrolmentClosed);
    assert_eq!(node.account(&account.id).await.unwrap().unwrap().phone, Some(phone("+32470123456")));
}

pub(super) async fn a_session_comes_back_by_its_login(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let opening = opening(&account, login(), NOW);
    assert!(node.session_of_login(&opening.login).await.unwrap().is_none());
    assert_eq!(node.open_session(&opening).await.unwrap(), Opened::Opened(Vec::new()));
    let back = node.session_of_login(&opening.login).await.unwrap().unwrap();
    assert_eq!(format!("{back:?}"), format!("{:?}", opening.session));
    assert_eq!(node.find(&account.user_name).await.unwrap().unwrap().last_sign_in_at, Some(NOW));
    let listed = node.sessions(Some(&account.id), NOW).await.unwrap();
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [back.id]);
}

pub(super) async fn the_password_alone_opens_nothing_once_two_factor_is_active(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let by_password =
        || Opening { session: session(&account, Factors::Password, NOW), ..opening(&account, login(), NOW) };
    assert_eq!(node.open_session(&by_password()).await.unwrap(), Opened::Opened(Vec::new()));
    node.activate(None, &audit(AuditEvent::TwoFactorActivated, NOW)).await.unwrap();
    assert_eq!(node.open_session(&by_password()).await.unwrap(), Opened::CodeNeeded);
    assert_eq!(node.open_session(&opening(&account, login(), NOW)).await.unwrap(), Opened::Opened(Vec::new()));
}

pub(super) async fn the_password_alone_does_not_clear_code_failures(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let failures = async || node.find(&account.user_name).await.unwrap().unwrap().code_failures;
    let login = login();
    for _ in 0..3 {
        let _ = guess(&node, &account, login, NOW).await;
    }
    let by_password = Opening {
        session: session(&account, Factors::Password, NOW),
        ..opening(&account, super::fixture::login(), NOW)
    };
    assert_eq!(node.open_session(&by_password).await.unwrap(), Opened::Opened(Vec::new()));
    assert_eq!(failures().await, 3);
    assert_eq!(node.open_session(&opening(&account, login, NOW)).await.unwrap(), Opened::Opened(Vec::new()));
    assert_eq!(failures().await, 0);
}

pub(super) async fn a_session_that_is_replaced_ends(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let first = super::fixture::signed_in(&node, &account, NOW).await;
    let second = Opening { replaces: Some(first), ..opening(&account, login(), NOW) };
    let Opened::Opened(rows) = node.open_session(&second).await.unwrap() else { panic!("it opens") };
    assert_eq!(rows.iter().map(|row| &row.what).collect::<Vec<_>>(), [&Revoked::Session(first)]);
    assert_eq!(node.rows_after(0, NOW).await.unwrap(), rows);
}

pub(super) async fn what_cannot_be_written_down_does_not_happen(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let database = store.database().await;
    database.write(break_the_trail).await.unwrap();
    let login = login();
    assert!(node.open_session(&opening(&account, login, NOW)).await.is_err());
    assert!(node.session_of_login(&login).await.unwrap().is_none());
    let disabled = node.change(&account.id, &AccountChange::Disable, &audit(AuditEvent::AccountDisabled, NOW)).await;
    assert!(disabled.is_err());
    assert_eq!(node.account(&account.id).await.unwrap().unwrap().epoch, account.epoch);
    assert!(node.rows_after(0, NOW).await.unwrap().is_empty());
}

async fn break_the_trail(mut tx: Connection) -> Result<Done<()>, SqlError> {
    tx.execute("ALTER TABLE audit RENAME TO lost", []).await?;
    tx.commit(()).await
}

/// Opens all at once, spread over the nodes; gives back how many opened. The others came to `other`, or the database was too busy to tell.
pub(super) async fn in_parallel(nodes: &[SqlLedger], openings: Vec<Opening>, other: &Opened) -> u32 {
    let tasks = openings.into_iter().enumerate().map(|(number, opening)| {
        let node = nodes[number % nodes.len()].clone();
        tokio::spawn(async move { node.open_session(&opening).await })
    });
    let mut opened = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task.await.unwrap() {
            Ok(Opened::Opened(rows)) => {
                assert!(rows.is_empty());
                opened += 1;
            }
            Ok(outcome) => assert_eq!(&outcome, other),
            Err(error) => assert_eq!(error.port(), "sql"),
        }
    }
    opened
}

pub(super) async fn a_one_time_password_opens_nothing_until_another_one_is_chosen(store: &Store) {
    let node = store.node().await;
    let until = NOW.plus(DAY);
    let account =
        add(&node, NewAccount { password_expires_at: Some(until), ..new_account("anna", Some("+32470123456")) }).await;
    let choosing = |replaced: char, now| Opening {
        new_password: Some(NewPassword { replaced: hash(replaced), chosen: hash('B') }),
        ..opening(&account, login(), now)
    };
    assert_eq!(node.open_session(&opening(&account, login(), NOW)).await.unwrap(), Opened::PasswordOwed);
    assert_eq!(node.open_session(&choosing('C', NOW)).await.unwrap(), Opened::Stale, "another one was set meanwhile");
    assert_eq!(node.open_session(&choosing('A', until)).await.unwrap(), Opened::Stale, "it has expired");
    assert_eq!(rows_in(&store.database().await, "SELECT COUNT(*) AS count FROM sessions").await, 0);

    let chosen = [choosing('A', NOW), choosing('A', NOW)];
    let (first, second) = tokio::join!(node.open_session(&chosen[0]), node.open_session(&chosen[1]));
    let mut both = [first.unwrap() == Opened::Stale, second.unwrap() == Opened::Stale];
    both.sort_unstable();
    assert_eq!(both, [false, true], "it is changed once");
    let begun_before = node.open_session(&opening(&account, login(), NOW)).await.unwrap();
    assert_eq!(begun_before, Opened::Stale, "a login that was begun with the password that is gone");
    let changed = node.account(&account.id).await.unwrap().unwrap();
    assert_eq!((changed.password.stored(), changed.password_expires_at), (hash('B').stored(), None));
    assert_eq!(node.open_session(&opening(&changed, login(), until)).await.unwrap(), Opened::Opened(Vec::new()));

    let again = AccountChange::OneTimePassword { hash: hash('D'), until };
    assert!(matches!(change(&node, &account.id, again).await, Changed::Done(rows) if rows.len() == 1));
    assert_eq!(node.account(&account.id).await.unwrap().unwrap().password_expires_at, Some(until));
    assert!(matches!(change(&node, &account.id, AccountChange::Password(hash('E'))).await, Changed::Done(_)));
    assert_eq!(node.account(&account.id).await.unwrap().unwrap().password_expires_at, None);
}
