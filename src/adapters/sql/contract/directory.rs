//! What operators do, and how the database is kept. Floor: edge.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fixture::{
    DAY, HOUR, NOW, SEND_CAPS, Store, add, adding, anna, attempt, audit, change, guess, hash, keys, login, name,
    new_account, newcomer, opening, phone, rows_in, send, session, signed_in,
};
use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::connection::{Connection, Done};
use crate::adapters::sql::database::{Database, DatabaseSettings};
use crate::adapters::sql::error::SqlError;
use crate::domain::account::{AccountId, AccountStatus};
use crate::domain::audit::AuditEvent;
use crate::domain::language::Language;
use crate::domain::limits::CodeAttemptCaps;
use crate::domain::revocation::Revoked;
use crate::domain::session::Factors;
use crate::login::directory::{AccountChange, Changed, Directory as _, ImportEntry, Imported, SignIns};
use crate::login::ports::{AttemptCharge, Ledger, Opened, Opening, PasswordSubject, RevocationFeed as _};
use crate::login::sending::ports::SendLedger as _;

/// Longer than any test lets pass.
const AUDIT_KEPT: Duration = Duration::from_secs(365 * 24 * 3600);
/// How many steps the schema has.
const STEPS: i64 = 12;
const ACCOUNTS: &str = "SELECT COUNT(*) AS count FROM accounts";
const TRAIL: &str = "SELECT COUNT(*) AS count FROM audit";

pub(super) async fn an_import_is_all_or_nothing(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let database = store.database().await;
    let unknown = ImportEntry::Change {
        id: AccountId::random(),
        change: AccountChange::Disable,
        audit: audit(AuditEvent::AccountDisabled, NOW),
    };
    let disabling = ImportEntry::Change {
        id: account.id,
        change: AccountChange::Disable,
        audit: audit(AuditEvent::AccountDisabled, NOW),
    };
    for (last, outcome) in [
        (adding(new_account("anna", None)), Changed::NameTaken),
        (unknown, Changed::NotFound),
        (adding(new_account("bert", None)), Changed::NameTaken),
    ] {
        let entries = [adding(new_account("bert", None)), disabling.clone(), last];
        assert_eq!(node.import(&entries).await.unwrap(), Imported::Refused(2, outcome));
        assert_eq!((rows_in(&database, ACCOUNTS).await, rows_in(&database, TRAIL).await), (1, 1));
        assert_eq!(node.account(&account.id).await.unwrap().unwrap().status, AccountStatus::Active);
        assert!(node.rows_after(0, NOW).await.unwrap().is_empty());
    }
    let Imported::Done(rows) = node.import(&[adding(new_account("bert", None)), disabling]).await.unwrap() else {
        panic!("nothing stands against it")
    };
    assert_eq!(rows, node.rows_after(0, NOW).await.unwrap());
    assert_eq!((rows_in(&database, ACCOUNTS).await, rows_in(&database, TRAIL).await), (2, 3));
}

pub(super) async fn imports_that_wait_for_each_other_are_both_done(store: &Store) {
    let node = store.node().await;
    let accounts = [anna(&node).await, add(&node, new_account("bert", Some("+32470123457"))).await];
    let ending = |account: usize| ImportEntry::Change {
        id: accounts[account].id,
        change: AccountChange::Profile {
            name: Some(format!("Anna {}", rand::random::<u64>())),
            email: None,
            language: None,
        },
        audit: audit(AuditEvent::AccountChanged, NOW),
    };
    // each locks what the other wants next, sooner or later: the database undoes one, which is then done again
    for _ in 0..3 {
        let (forth, back) = ([ending(0), ending(1)], [ending(1), ending(0)]);
        let (first, second) = tokio::join!(node.import(&forth), node.import(&back));
        assert_eq!((first.unwrap(), second.unwrap()), (Imported::Done(Vec::new()), Imported::Done(Vec::new())));
    }
}

pub(super) async fn ten_thousand_accounts_are_imported_in_seconds(store: &Store) {
    let node = store.node().await;
    let entries: Vec<ImportEntry> =
        (0..10_000).map(|number| adding(new_account(&format!("user{number}"), Some("+32470123456")))).collect();
    let begun = Instant::now();
    assert_eq!(node.import(&entries).await.unwrap(), Imported::Done(Vec::new()));
    let took = begun.elapsed();
    println!("ten thousand accounts took {took:?}");
    assert_eq!(rows_in(&store.database().await, ACCOUNTS).await, 10_000);
    // an unoptimised build on a busy machine; the release build takes a fraction
    assert!(took < Duration::from_secs(30), "{took:?}");
}

pub(super) async fn every_change_does_what_it_says_and_no_more(store: &Store) {
    let node = store.node().await;
    let (account, bystander) = (anna(&node).await, add(&node, new_account("bert", Some("+32470123457"))).await);
    let before = format!("{:?}", node.find(&bystander.user_name).await.unwrap());
    let done = async |this| assert!(matches!(change(&node, &account.id, this).await, Changed::Done(_)));
    let now = async || node.find(&account.user_name).await.unwrap().unwrap();

    done(AccountChange::Profile { name: Some("Anna B".into()), email: None, language: Some(Language::Fr) }).await;
    let seen = now().await;
    assert_eq!(
        (seen.name.as_deref(), seen.email.as_deref(), seen.language),
        (Some("Anna B"), Some("anna@example.com"), Some(Language::Fr))
    );
    done(AccountChange::Password(hash('B'))).await;
    assert_eq!(now().await.password.stored(), hash('B').stored());
    done(AccountChange::Phone(phone("+32470999999"))).await;
    assert_eq!((now().await.phone, now().await.phone_set_at), (Some(phone("+32470999999")), Some(NOW)));
    assert_eq!(
        change(&node, &account.id, AccountChange::OpenEnrolment { until: NOW, ticket: None }).await,
        Changed::HasNumber
    );
    done(AccountChange::ClearPhone).await;
    assert_eq!((now().await.phone, now().await.enrolment_until), (None, None));
    done(AccountChange::OpenEnrolment { until: NOW.plus(DAY), ticket: None }).await;
    assert_eq!(now().await.enrolment_until, Some(NOW.plus(DAY)));
    done(AccountChange::Phone(phone("+32470999998"))).await;
    assert_eq!(now().await.enrolment_until, None);
    done(AccountChange::Disable).await;
    assert_eq!(now().await.status, AccountStatus::Disabled);
    done(AccountChange::Enable).await;
    assert_eq!(now().await.status, AccountStatus::Active);
    let subject = PasswordSubject::Account(account.id);
    let _ = node.charge_password(&subject, &super::fixture::PASSWORD_CAPS, NOW).await.unwrap();
    let _ = guess(&node, &node.account(&account.id).await.unwrap().unwrap(), login(), NOW).await;
    assert_eq!((now().await.password_failures, now().await.code_failures), (1, 1));
    done(AccountChange::Unlock).await;
    assert_eq!((now().await.password_failures, now().await.code_failures), (0, 0));
    done(AccountChange::Remove).await;
    assert!(node.find(&account.user_name).await.unwrap().is_none());
    assert_eq!(change(&node, &account.id, AccountChange::Enable).await, Changed::NotFound);
    assert_eq!(format!("{:?}", node.find(&bystander.user_name).await.unwrap()), before);
}

pub(super) async fn a_change_ends_what_it_says_it_ends(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    for (this, ends_sessions, ends_logins) in [
        (AccountChange::Profile { name: Some("Anna C".into()), email: None, language: None }, false, false),
        (AccountChange::Password(hash('B')), true, true),
        (AccountChange::Unlock, false, false),
        (AccountChange::ResetTwoFactor, true, true),
        (AccountChange::Phone(phone("+32470999998")), true, true),
        (AccountChange::ClearPhone, true, true),
        (AccountChange::EndSessions, true, true),
        (AccountChange::Disable, true, true),
    ] {
        // after `ClearPhone`; without a number nobody signs in
        let _ = change(&node, &account.id, AccountChange::Phone(phone("+32470999999"))).await;
        let before = node.account(&account.id).await.unwrap().unwrap();
        signed_in(&node, &before, NOW).await;
        let open_before = node.sessions(Some(&account.id), NOW).await.unwrap().len();
        let Changed::Done(rows) = change(&node, &account.id, this.clone()).await else { panic!("{this:?}") };
        let open = node.sessions(Some(&account.id), NOW).await.unwrap().len();
        assert_eq!(open, if ends_sessions { 0 } else { open_before }, "{this:?}");
        assert_eq!(rows.len(), usize::from(ends_sessions), "{this:?}");
        let stale = matches!(guess(&node, &before, login(), NOW).await, AttemptCharge::Stale);
        assert_eq!(stale, ends_logins, "{this:?}");
        if let Some(row) = rows.first() {
            let after = node.account(&account.id).await.unwrap().unwrap();
            assert_eq!(row.what, Revoked::AccountBefore(account.id, after.epoch));
            assert!(after.epoch > before.epoch);
        }
    }
}

pub(super) async fn a_first_number_ends_no_session(store: &Store) {
    let node = store.node().await;
    let account = newcomer(&node).await;
    let opening = Opening { session: session(&account, Factors::Password, NOW), ..opening(&account, login(), NOW) };
    assert_eq!(node.open_session(&opening).await.unwrap(), Opened::Opened(Vec::new()));
    let number = AccountChange::Phone(phone("+32470123456"));
    assert_eq!(change(&node, &account.id, number).await, Changed::Done(Vec::new()));
    assert_eq!(node.sessions(Some(&account.id), NOW).await.unwrap().len(), 1);
}

pub(super) async fn a_reset_keeps_the_number_and_forgets_failures(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let _ = node.charge_password(&PasswordSubject::Account(account.id), &super::fixture::PASSWORD_CAPS, NOW).await;
    let caps = CodeAttemptCaps { in_a_row: 1, ..super::fixture::CODE_CAPS };
    for _ in 0..2 {
        let _ = node.charge_code_attempt(&attempt(&account, login()), &caps, NOW).await.unwrap();
    }
    let locked = node.find(&account.user_name).await.unwrap().unwrap();
    assert_eq!((locked.password_failures, locked.code_failures, locked.codes_locked), (1, 1, true));
    assert!(matches!(change(&node, &account.id, AccountChange::ResetTwoFactor).await, Changed::Done(_)));
    let reset = node.find(&account.user_name).await.unwrap().unwrap();
    assert_eq!((reset.password_failures, reset.code_failures, reset.codes_locked), (0, 0, false));
    assert_eq!((reset.phone, reset.phone_set_at), (locked.phone, locked.phone_set_at));
    assert_eq!(reset.password.stored(), locked.password.stored());
}

pub(super) async fn what_was_so_already_is_not_written_down(store: &Store) {
    let node = store.node().await;
    let (account, other) = (anna(&node).await, newcomer(&node).await);
    let closed = add(&node, new_account("carla", None)).await;
    let database = store.database().await;
    let same =
        AccountChange::Profile { name: account.name.clone(), email: account.email.clone(), language: account.language };
    for (id, this) in [
        (account.id, same),
        (account.id, AccountChange::Profile { name: None, email: None, language: None }),
        (account.id, AccountChange::Password(hash('A'))),
        (account.id, AccountChange::Phone(phone("+32470123456"))),
        (closed.id, AccountChange::ClearPhone),
        (other.id, AccountChange::OpenEnrolment { until: NOW.plus(DAY), ticket: None }),
        (account.id, AccountChange::Unlock),
        (account.id, AccountChange::Enable),
    ] {
        assert_eq!(change(&node, &id, this.clone()).await, Changed::Unchanged, "{this:?}");
    }
    assert_eq!(rows_in(&database, TRAIL).await, 3);
    assert!(matches!(change(&node, &account.id, AccountChange::Disable).await, Changed::Done(_)));
    assert_eq!(change(&node, &account.id, AccountChange::Disable).await, Changed::Unchanged);
    assert_eq!(rows_in(&database, TRAIL).await, 4);
}

pub(super) async fn a_removed_account_leaves_its_trail(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    signed_in(&node, &account, NOW).await;
    assert!(matches!(change(&node, &account.id, AccountChange::Remove).await, Changed::Done(_)));
    assert_eq!(rows_in(&store.database().await, TRAIL).await, 3);
    let rows = node.rows_after(0, NOW).await.unwrap();
    assert!(matches!(rows.first().unwrap().what, Revoked::AccountBefore(id, _) if id == account.id));
    let second = anna(&node).await;
    assert_ne!(second.id, account.id, "a name that changes hands is another account");
}

pub(super) async fn accounts_are_listed_by_name_and_counted(store: &Store) {
    let node = store.node().await;
    for text in ["b_1", "b.1", "zoe", "a-1", "b1", "a+1"] {
        add(&node, new_account(text, (text == "zoe").then_some("+32470123456"))).await;
    }
    newcomer(&node).await;
    let names = async |after: Option<&str>, most| {
        let accounts = node.list(after.map(name).as_ref(), most).await.unwrap();
        accounts.iter().map(|account| account.user_name.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 3).await, ["a+1", "a-1", "b.1"]);
    assert_eq!(names(Some("b.1"), 10).await, ["b1", "b_1", "nadia", "zoe"]);
    let zoe = node.account_by_name(&name("zoe")).await.unwrap().unwrap();
    assert!(matches!(change(&node, &zoe.id, AccountChange::Disable).await, Changed::Done(_)));
    let census = node.census(NOW).await.unwrap();
    assert_eq!((census.with_number, census.enrolling, census.without_number, census.disabled), (0, 1, 5, 1));
    assert_eq!(node.census(NOW.plus(DAY)).await.unwrap().without_number, 6);
}

pub(super) async fn sign_ins_are_counted_from_the_trail(store: &Store) {
    let node = store.node().await;
    let counted = async || node.sign_ins(NOW.minus(DAY), NOW.minus(3 * DAY)).await.unwrap();
    assert_eq!(counted().await, SignIns::default());
    let account = anna(&node).await;
    for days in [4, 3, 2, 1, 0] {
        super::fixture::signed_in(&node, &account, NOW.minus(days * DAY)).await;
    }
    let expected = SignIns { since_later: 2, since_earlier: 4, first_at: Some(NOW.minus(3 * DAY)) };
    assert_eq!(counted().await, expected);
}

pub(super) async fn tidying_takes_what_is_over_and_leaves_what_counts(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let everything = async |node: &SqlLedger, at| {
        let _ = node.charge_password(&PasswordSubject::Unknown([7; 32]), &super::fixture::PASSWORD_CAPS, at).await;
        let _ = node.charge_password(&PasswordSubject::Account(account.id), &super::fixture::PASSWORD_CAPS, at).await;
        let _ = node.charge_send(&send(account.id), &SEND_CAPS, at).await.unwrap();
        let login = login();
        let _ = guess(node, &account, login, at).await;
        let opening = opening(&account, login, at);
        assert_eq!(node.open_session(&opening).await.unwrap(), Opened::Opened(Vec::new()));
        Ledger::end_session(node, &opening.session.id, &audit(AuditEvent::SignedOut, at)).await.unwrap();
        // and a wrong one
        let _ =
            node.charge_code_attempt(&attempt(&account, super::fixture::login()), &super::fixture::CODE_CAPS, at).await;
    };
    everything(&node, NOW).await;
    assert_eq!(node.tidy(AUDIT_KEPT, NOW.plus(23 * HOUR)).await.unwrap(), 0);
    assert_eq!(node.tidy(AUDIT_KEPT, NOW.plus(30 * HOUR)).await.unwrap(), 1, "the feed");
    assert_eq!(
        node.tidy(AUDIT_KEPT, NOW.plus(36 * HOUR)).await.unwrap(),
        1,
        "the session, which would have lived ten hours"
    );
    let later = NOW.plus(DAY * 31);
    let both = [node.clone(), store.node().await];
    let (first, second) = tokio::join!(both[0].tidy(AUDIT_KEPT, later), both[1].tidy(AUDIT_KEPT, later));
    assert_eq!(first.unwrap() + second.unwrap(), 3, "the right guess, the SMS, the name that does not exist");
    let overview = node.find(&account.user_name).await.unwrap().unwrap();
    assert_eq!((overview.password_failures, overview.code_failures), (1, 1));
    assert_eq!(rows_in(&store.database().await, TRAIL).await, 3);
    assert_eq!(node.tidy(AUDIT_KEPT, later).await.unwrap(), 0);
}

pub(super) async fn data_keys_in_use_are_known_and_a_missing_one_is_named(store: &Store) {
    let old = store.node().await;
    let account = anna(&old).await;
    let both = SqlLedger::new(store.database().await, Arc::new(keys(&[2, 1])));
    let new = SqlLedger::new(store.database().await, Arc::new(keys(&[2])));
    assert_eq!(old.key_ids_in_use().await.unwrap(), keys(&[1]).key_ids());
    assert!(both.check_keys().await.is_ok());
    assert!(matches!(new.check_keys().await, Err(SqlError::MissingKeys(ids)) if ids == keys(&[1]).key_ids()));
    assert!(new.account(&account.id).await.is_err());
    assert_eq!(both.account(&account.id).await.unwrap().unwrap().phone, account.phone);
    assert!(matches!(change(&both, &account.id, AccountChange::Phone(phone("+32470999999"))).await, Changed::Done(_)));
    assert_eq!(both.key_ids_in_use().await.unwrap().len(), 2);
    assert!(matches!(old.check_keys().await, Err(SqlError::MissingKeys(_))));
}

pub(super) async fn nothing_opens_where_it_was_not_written(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    add(&node, new_account("mallory", Some("+32470666666"))).await;
    store.database().await.write(move_mallorys_number_to_anna).await.unwrap();
    let error = node.account(&account.id).await.unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains("accounts.phone does not open"), "{source}");
}

async fn move_mallorys_number_to_anna(mut tx: Connection) -> Result<Done<()>, SqlError> {
    tx.execute(
        "UPDATE accounts SET phone = (SELECT phone FROM accounts WHERE user_name = 'mallory') WHERE user_name = 'anna'",
        [],
    )
    .await?;
    tx.commit(()).await
}

pub(super) async fn a_newer_schema_is_refused(store: &Store) {
    store.database().await.write(come_from_the_future).await.unwrap();
    let opened = Database::open(store.url(), &DatabaseSettings::default()).await;
    assert!(matches!(opened, Err(SqlError::NewerSchema { found: 1000, .. })), "{opened:?}");
}

async fn come_from_the_future(mut tx: Connection) -> Result<Done<()>, SqlError> {
    tx.execute("INSERT INTO schema_version (number) VALUES (1000)", []).await?;
    tx.commit(()).await
}

pub(super) async fn nodes_may_start_at_once(store: &Store) {
    let url = Arc::new(store.url().to_owned());
    let starts = (0..8).map(|_| {
        let url = Arc::clone(&url);
        tokio::spawn(async move { Database::open(&url, &DatabaseSettings::default()).await })
    });
    let mut nodes = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        nodes.push(start.await.unwrap().unwrap());
    }
    assert_eq!(rows_in(&nodes[7], "SELECT COUNT(*) AS count FROM schema_version").await, STEPS);
    assert_eq!(rows_in(&nodes[7], "SELECT COUNT(*) AS count FROM feed_head").await, 1);
}
