//! How often passwords and codes may be guessed. Floor: edge.

use std::time::Duration;

use super::fixture::{
    CODE_CAPS, DAY, HOUR, NOW, PASSWORD_CAPS, Store, anna, attempt, audit, change, guess, hash, login, opening,
};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::{Epoch, PhoneVersion};
use crate::domain::audit::AuditEvent;
use crate::domain::limits::CodeAttemptCaps;
use crate::domain::time::UnixMillis;
use crate::login::directory::{AccountChange, Changed, Directory as _};
use crate::login::ports::{AttemptCharge, Ledger as _, Opened, PasswordCharge, PasswordSubject};

/// No cap but the one under test.
const MANY: CodeAttemptCaps = CodeAttemptCaps { per_login: 1000, per_hour: 1000, in_a_row: 1000, per_30_days: 1000 };

pub(super) async fn a_hundred_parallel_guesses_on_two_nodes_are_granted_five_times(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = anna(&nodes[0]).await;
    let login = login();
    let guesses = (0..100).map(|number| {
        let (node, account) = (nodes[number % 2].clone(), account.clone());
        tokio::spawn(async move { node.charge_code_attempt(&attempt(&account, login), &CODE_CAPS, NOW).await })
    });
    let mut granted = Vec::new();
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            Ok(AttemptCharge::Granted(paid)) => granted.push(paid.number()),
            Ok(AttemptCharge::LoginSpent) => {}
            // too busy to tell, which grants nothing
            Err(error) => assert_eq!(error.port(), "sql"),
            Ok(other) => panic!("{other:?}"),
        }
    }
    granted.sort_unstable();
    assert_eq!(granted, [1, 2, 3, 4, 5]);
}

pub(super) async fn an_account_is_granted_ten_guesses_an_hour_over_all_logins(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    for number in 0..10 {
        let at = NOW.plus(Duration::from_secs(60 * number));
        assert!(matches!(guess(&node, &account, login(), at).await, AttemptCharge::Granted(_)), "{number}");
    }
    let AttemptCharge::Wait(wait) = guess(&node, &account, login(), NOW.plus(HOUR / 2)).await else {
        panic!("the eleventh is granted")
    };
    assert_eq!(wait, HOUR / 2);
    assert!(matches!(guess(&node, &account, login(), NOW.plus(HOUR)).await, AttemptCharge::Granted(_)));
    assert!(matches!(guess(&node, &account, login(), NOW.plus(HOUR)).await, AttemptCharge::Wait(_)));
}

pub(super) async fn parallel_guesses_over_many_logins_are_granted_ten_times(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = anna(&nodes[0]).await;
    let guesses = (0..40).map(|number| {
        let (node, account) = (nodes[number % 2].clone(), account.clone());
        tokio::spawn(async move { node.charge_code_attempt(&attempt(&account, login()), &CODE_CAPS, NOW).await })
    });
    let mut granted = 0;
    for guess in guesses.collect::<Vec<_>>() {
        if let Ok(AttemptCharge::Granted(_)) = guess.await.unwrap() {
            granted += 1;
        }
    }
    assert_eq!(granted, 10);
}

pub(super) async fn fifty_wrong_guesses_in_a_row_lock_the_codes_until_an_operator_unlocks(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let caps = CodeAttemptCaps { in_a_row: 50, ..MANY };
    let years = |number: u32| NOW.plus(DAY * 31 * number);
    for number in 0..50 {
        let charge = node.charge_code_attempt(&attempt(&account, login()), &caps, years(number)).await.unwrap();
        assert!(matches!(charge, AttemptCharge::Granted(_)), "{number}: {charge:?}");
    }
    assert!(!node.account(&account.id).await.unwrap().unwrap().codes_locked);
    for number in 50..53 {
        let charge = node.charge_code_attempt(&attempt(&account, login()), &caps, years(number)).await.unwrap();
        assert!(matches!(charge, AttemptCharge::Locked), "{charge:?}");
    }
    assert!(node.account(&account.id).await.unwrap().unwrap().codes_locked);
    assert!(matches!(change(&node, &account.id, AccountChange::Unlock).await, Changed::Done(_)));
    let charge = node.charge_code_attempt(&attempt(&account, login()), &caps, years(53)).await.unwrap();
    assert!(matches!(charge, AttemptCharge::Granted(_)), "{charge:?}");
}

pub(super) async fn two_hundred_wrong_guesses_in_thirty_days_lock_the_codes_though_sign_ins_come_between(
    store: &Store,
) {
    let node = store.node().await;
    let account = anna(&node).await;
    let caps = CodeAttemptCaps { in_a_row: 50, per_30_days: 200, ..MANY };
    for round in 0..49_u32 {
        let (login, at) = (login(), NOW.plus(HOUR * round));
        for _wrong_or_right in 0..5 {
            let charge = node.charge_code_attempt(&attempt(&account, login), &caps, at).await.unwrap();
            assert!(matches!(charge, AttemptCharge::Granted(_)), "{round}: {charge:?}");
        }
        assert_eq!(node.open_session(&opening(&account, login, at)).await.unwrap(), Opened::Opened(Vec::new()));
    }
    // four of each round were wrong, and so are the next four
    let last = login();
    for _wrong in 0..4 {
        let charge = node.charge_code_attempt(&attempt(&account, last), &caps, NOW.plus(DAY * 3)).await.unwrap();
        assert!(matches!(charge, AttemptCharge::Granted(_)), "{charge:?}");
    }
    let charge = node.charge_code_attempt(&attempt(&account, login()), &caps, NOW.plus(DAY * 3)).await.unwrap();
    assert!(matches!(charge, AttemptCharge::Locked), "{charge:?}");
    assert!(matches!(change(&node, &account.id, AccountChange::Unlock).await, Changed::Done(_)));
    let charge = node.charge_code_attempt(&attempt(&account, login()), &caps, NOW.plus(DAY * 3)).await.unwrap();
    assert!(matches!(charge, AttemptCharge::Granted(_)), "{charge:?}");
}

pub(super) async fn a_guess_is_stale_once_the_account_has_moved_on(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let mut other = account.clone();
    other.epoch = Epoch(account.epoch.0 + 1);
    assert!(matches!(guess(&node, &other, login(), NOW).await, AttemptCharge::Stale));
    other = account.clone();
    other.phone_version = PhoneVersion(account.phone_version.0 - 1);
    assert!(matches!(guess(&node, &other, login(), NOW).await, AttemptCharge::Stale));
    for moved in [AccountChange::EndSessions, AccountChange::ClearPhone, AccountChange::Disable, AccountChange::Remove]
    {
        let _ = change(&node, &account.id, AccountChange::Enable).await;
        let present = node.account(&account.id).await.unwrap().unwrap();
        assert!(matches!(guess(&node, &present, login(), NOW).await, AttemptCharge::Granted(_)));
        assert!(matches!(change(&node, &account.id, moved.clone()).await, Changed::Done(_)));
        assert!(matches!(guess(&node, &present, login(), NOW).await, AttemptCharge::Stale), "{moved:?}");
    }
}

pub(super) async fn passwords_cost_a_doubling_wait_and_close_at_a_hundred_for_names_that_exist_and_that_do_not(
    store: &Store,
) {
    let node = store.node().await;
    let account = anna(&node).await;
    for subject in [PasswordSubject::Account(account.id), PasswordSubject::Unknown([7; 32])] {
        let mut now = NOW;
        let mut waits = Vec::new();
        for failure in 1..=100 {
            loop {
                match charge_password(&node, &subject, now).await {
                    PasswordCharge::Granted(_) => break,
                    PasswordCharge::Wait(until) => {
                        waits.push(until.since(now).as_secs());
                        now = until;
                    }
                    PasswordCharge::Closed => panic!("closed before failure {failure}"),
                }
            }
        }
        assert_eq!(waits.get(..9), Some([30, 60, 120, 240, 480, 960, 1920, 3600, 3600].as_slice()), "{subject:?}");
        assert_eq!(waits.len(), 95, "the first five cost no wait");
        assert_eq!(charge_password(&node, &subject, now.plus(DAY * 300)).await, PasswordCharge::Closed);
    }
    assert!(matches!(change(&node, &account.id, AccountChange::Unlock).await, Changed::Done(_)));
    assert!(matches!(
        charge_password(&node, &PasswordSubject::Account(account.id), NOW).await,
        PasswordCharge::Granted(_)
    ));
}

pub(super) async fn parallel_password_guesses_are_granted_up_to_the_first_wait(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = anna(&nodes[0]).await;
    let charges = (0..40_u8).map(|number| {
        let node = nodes[usize::from(number % 2)].clone();
        // read from the clock before others that were counted first
        let now = NOW.minus(Duration::from_millis(number.into()));
        tokio::spawn(
            async move { node.charge_password(&PasswordSubject::Account(account.id), &PASSWORD_CAPS, now).await },
        )
    });
    let mut granted = 0;
    for charge in charges.collect::<Vec<_>>() {
        if let Ok(PasswordCharge::Granted(_)) = charge.await.unwrap() {
            granted += 1;
        }
    }
    assert_eq!(granted, 5);
}

pub(super) async fn an_accepted_password_forgets_failures_and_replaces_only_the_hash_that_was_looked_at(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let subject = PasswordSubject::Account(account.id);
    let accepted = audit(AuditEvent::PasswordAccepted, NOW);
    for _ in 0..5 {
        assert!(matches!(charge_password(&node, &subject, NOW).await, PasswordCharge::Granted(_)));
    }
    node.accept_password(&account.id, Some((&hash('B'), &hash('C'))), &accepted).await.unwrap();
    assert!(matches!(charge_password(&node, &subject, NOW).await, PasswordCharge::Granted(_)));
    assert_eq!(node.account(&account.id).await.unwrap().unwrap().password.stored(), hash('A').stored());
    node.accept_password(&account.id, Some((&hash('A'), &hash('C'))), &accepted).await.unwrap();
    let present = node.account(&account.id).await.unwrap().unwrap();
    assert_eq!((present.password.stored(), present.epoch), (hash('C').stored(), account.epoch));
    assert_eq!(node.find(&account.user_name).await.unwrap().unwrap().password_failures, 0);
}

async fn charge_password(node: &SqlLedger, subject: &PasswordSubject, now: UnixMillis) -> PasswordCharge {
    node.charge_password(subject, &PASSWORD_CAPS, now).await.unwrap()
}
