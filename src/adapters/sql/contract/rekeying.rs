//! Moving to another data key: all of it, beside others who write, and on from where it was cut off. Floor: edge.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::fixture::{
    NOW, SEND_CAPS, Store, add, adding, anna, audit, change, keys, name, new_account, phone, rows_in, send, signed_in,
};
use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::connection::{Connection, Done};
use crate::adapters::sql::error::SqlError;
use crate::adapters::sql::personal::{COLUMNS, Field};
use crate::domain::audit::AuditEvent;
use crate::domain::keys::HashPurpose;
use crate::domain::notice::Way;
use crate::login::directory::{AccountChange, Changed, Directory as _, ImportEntry, Imported};
use crate::login::notices::{Claim, Outbox as _};
use crate::login::ports::Ledger as _;
use crate::login::sending::ports::{NewSend, SendCharge, SendLedger as _};
use crate::login::upkeep::{AccountsUpkeep as _, Rekeyed};

async fn under(store: &Store, seeds: &[u8]) -> SqlLedger {
    SqlLedger::new(store.database().await, Arc::new(keys(seeds)))
}

async fn rekeyed(node: &SqlLedger) -> Rekeyed {
    node.rekey(&audit(AuditEvent::AccountsRekeyed, NOW)).await.unwrap()
}

pub(super) async fn all_moves_to_the_first_key_and_the_old_one_can_go(store: &Store) {
    let old = under(store, &[1]).await;
    let account = anna(&old).await;
    let nadia = add(&old, new_account("nadia", None)).await;
    let session = signed_in(&old, &account, NOW).await;
    let number = keys(&[1]).hash(HashPurpose::PhoneLookup, b"+32470123456");
    let send = NewSend { number, ..send(account.id) };
    assert!(matches!(old.charge_send(&send, &SEND_CAPS, NOW).await.unwrap().charge, SendCharge::Granted(_)));
    assert!(matches!(change(&old, &nadia.id, AccountChange::ResetTwoFactor).await, Changed::Done(_)));

    let both = under(store, &[2, 1]).await;
    let old_key = keys(&[1]).key_ids().remove(0);
    // two names, two addresses and a number; a name and an address with the session; a notice
    assert_eq!(rekeyed(&both).await, Rekeyed { moved: 8, unused: vec![(1, old_key.clone())], in_use: vec![] });
    assert_eq!(rekeyed(&both).await, Rekeyed { moved: 0, unused: vec![(1, old_key)], in_use: vec![] });

    let new = under(store, &[2]).await;
    new.check_keys().await.unwrap();
    let moved = new.account(&account.id).await.unwrap().unwrap();
    assert_eq!((&moved.phone, &moved.name, &moved.email), (&account.phone, &account.name, &account.email));
    assert_eq!(new.sessions(Some(&account.id), NOW).await.unwrap()[0].id, session);
    assert!(matches!(new.claim(Way::Mail, &SEND_CAPS, NOW).await.unwrap(), Claim::Notice(_)), "it can be told");
    let number = keys(&[2]).hash(HashPurpose::PhoneLookup, b"+32470123456");
    let database = store.database().await;
    for sql in ["SELECT id FROM accounts WHERE phone_hash = $1", "SELECT id FROM sms_sends WHERE number_hash = $1"] {
        assert_eq!(database.rows(sql, [number.as_slice().into()]).await.unwrap().len(), 1, "{sql}");
    }
    assert_eq!(rows_in(&database, "SELECT COUNT(*) AS count FROM audit WHERE event = 'accounts_rekeyed'").await, 2);
}

pub(super) async fn a_move_that_was_cut_off_goes_on(store: &Store) {
    let old = under(store, &[1]).await;
    let many: Vec<ImportEntry> =
        (0..450).map(|number| adding(new_account(&format!("user{number}"), Some("+32470123456")))).collect();
    assert_eq!(old.import(&many).await.unwrap(), Imported::Done(Vec::new()));
    let database = store.database().await;
    database.write(exchange_last_two_names).await.unwrap();

    let both = under(store, &[2, 1]).await;
    let error = both.rekey(&audit(AuditEvent::AccountsRekeyed, NOW)).await.unwrap_err();
    assert!(crate::login::chain(&error).contains("accounts.name does not open"), "{error:?}");
    assert_eq!(both.key_ids_in_use().await.unwrap().len(), 2, "part of it was moved");

    database.write(exchange_last_two_names).await.unwrap();
    let rest = rekeyed(&both).await;
    assert!(rest.moved > 900 && rest.moved < 1350, "{rest:?}");
    under(store, &[2]).await.check_keys().await.unwrap();
}

async fn exchange_last_two_names(mut tx: Connection) -> Result<Done<()>, SqlError> {
    let rows = tx.rows("SELECT id, name FROM accounts ORDER BY id DESC LIMIT 2", []).await?;
    for (row, other) in [(&rows[0], &rows[1]), (&rows[1], &rows[0])] {
        let (id, name) = (row.text("id")?, other.optional_bytes("name")?);
        tx.execute("UPDATE accounts SET name = $2 WHERE id = $1", [id.into(), name.into()]).await?;
    }
    tx.commit(()).await
}

pub(super) async fn what_others_write_meanwhile_stays(store: &Store) {
    let old = under(store, &[1]).await;
    let mut accounts = Vec::new();
    for number in 0..20 {
        accounts.push(add(&old, new_account(&format!("user{number}"), Some("+32470123456"))).await.id);
    }
    let is_over = Arc::new(AtomicBool::new(false));
    // a node that has the new key second: it goes on writing with the old one
    let writer = tokio::spawn({
        let (node, is_over, accounts) = (under(store, &[1, 2]).await, Arc::clone(&is_over), accounts.clone());
        async move {
            let mut round = 0;
            while round == 0 || !is_over.load(Ordering::SeqCst) {
                for id in &accounts {
                    let number = phone(&format!("+3247{:07}", 1_000_000 + round));
                    assert!(matches!(change(&node, id, AccountChange::Phone(number)).await, Changed::Done(_)));
                }
                round += 1;
            }
            phone(&format!("+3247{:07}", 1_000_000 + round - 1))
        }
    });
    let both = under(store, &[2, 1]).await;
    for _ in 0..5 {
        let _ = rekeyed(&both).await;
    }
    is_over.store(true, Ordering::SeqCst);
    let last = writer.await.unwrap();
    let while_written = rekeyed(&both).await;
    assert!(while_written.in_use.is_empty(), "{while_written:?}");
    let new = under(store, &[2]).await;
    for number in 0..20 {
        let account = new.account_by_name(&name(&format!("user{number}"))).await.unwrap().unwrap();
        assert_eq!(account.phone.as_ref(), Some(&last));
    }
}

/// A column of bytes holds what a key has sealed or hashed: it is moved with the others, or named here with the reason why not.
#[tokio::test]
async fn every_column_of_bytes_is_moved() {
    const WITH_THE_NUMBER: [&str; 2] = ["accounts.phone_hash", "sms_sends.number_hash"];
    // a link of the present key proves those before it
    const OF_THE_CHAIN: [&str; 5] =
        ["audit.hash", "audit.mac", "audit_head.hash", "audit_checkpoint.hash", "audit_checkpoint.seal"];
    // every key is tried, and it is gone within the window of an enrolment
    const TRIED_WITH_EACH_KEY: [&str; 1] = ["enrolment_tickets.hash"];
    // of 256 random bits, without a key
    const WITHOUT_A_KEY: [&str; 1] = ["api_tokens.hash"];
    let store = Store::sqlite().await;
    let rows = store
        .database()
        .await
        .rows(
            "SELECT m.name || '.' || p.name AS path FROM sqlite_master m JOIN pragma_table_info(m.name) p
             WHERE m.type = 'table' AND p.type = 'BLOB'",
            [],
        )
        .await
        .unwrap();
    let sealed: Vec<&str> = COLUMNS.iter().map(|column| column.field.path()).collect();
    assert!(sealed.contains(&Field::AccountPhone.path()) && rows.len() > sealed.len());
    for row in rows {
        let path = row.text("path").unwrap();
        assert!(
            [&sealed[..], &WITH_THE_NUMBER, &OF_THE_CHAIN, &TRIED_WITH_EACH_KEY, &WITHOUT_A_KEY]
                .iter()
                .any(|paths| paths.contains(&path.as_str())),
            "{path} is not in personal::COLUMNS: `accounts rekey` would leave it with the old key"
        );
    }
}
