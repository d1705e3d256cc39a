//! The outbox: written with the change or not at all, told by one node, kept until it is told, and never at the cost of codes. Floor: edge.

use std::time::Duration;

use super::fixture::{
    DAY, HOUR, NOW, SEND_CAPS, Store, add, anna, audit, change, hash, new_account, new_phone, newcomer, opening, phone,
    rows_in, send, session,
};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::AccountId;
use crate::domain::audit::AuditEvent;
use crate::domain::language::Language;
use crate::domain::limits::SendCaps;
use crate::domain::notice::{Change, Recipient, Way};
use crate::domain::session::Factors;
use crate::domain::time::UnixMillis;
use crate::login::directory::{AccountChange, Changed, Directory as _, ImportEntry, Imported};
use crate::login::notices::{Claim, Claimed, Fate, Outbox as _};
use crate::login::own_account::{NumberReplaced, NumberReplacement, OwnAccount as _};
use crate::login::ports::{Ledger as _, Opened, Opening};
use crate::login::sending::ports::{SendCharge, SendLedger as _, SendOutcome};

const NOTICES: &str = "SELECT COUNT(*) AS count FROM notices";
const TOLD: Fate = Fate::Over(SendOutcome::Accepted);

async fn claimed(node: &SqlLedger, way: Way, now: UnixMillis) -> Option<Claimed> {
    match node.claim(way, &SEND_CAPS, now).await.unwrap() {
        Claim::Notice(claimed) => Some(*claimed),
        Claim::Nothing => None,
        Claim::PutOff { cap, .. } => panic!("{cap}"),
    }
}

/// Everything that is to be told: what, and to whom. It counts as told.
async fn told(node: &SqlLedger) -> Vec<(Change, String, Option<String>)> {
    let mut told = Vec::new();
    for way in Way::ALL {
        while let Some(claimed) = claimed(node, way, NOW).await {
            node.settle(&claimed, TOLD).await.unwrap();
            let to = match &claimed.to {
                Recipient::Number(number) => number.e164().to_owned(),
                Recipient::Address(address) => address.clone(),
            };
            assert_eq!((claimed.tries, claimed.notice.at, claimed.notice.language), (1, NOW, Language::Nl));
            told.push((claimed.notice.change, to, claimed.notice.ending));
        }
    }
    told
}

pub(super) async fn each_change_is_told_where_the_account_could_be_reached_before_it(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let (old, mail) = ("+32470123456".to_owned(), "anna@example.com".to_owned());
    let one_time = AccountChange::OneTimePassword { hash: hash('B'), until: NOW.plus(DAY) };
    for (changing, change_told, number) in [
        (AccountChange::ResetTwoFactor, Change::TwoFactorReset, old.as_str()),
        (one_time, Change::PasswordGiven, &old),
        (AccountChange::Phone(phone("+32470999888")), Change::NumberSet, &old),
        (AccountChange::ClearPhone, Change::NumberCleared, "+32470999888"),
    ] {
        let ending = (change_told == Change::NumberSet).then(|| "88".to_owned());
        assert!(matches!(change(&node, &account.id, changing).await, Changed::Done(_)));
        let all = told(&node).await;
        assert_eq!(all, [(change_told, number.to_owned(), ending.clone()), (change_told, mail.clone(), ending)]);
    }
    // a first number is told to the address alone; what changes nothing, or nothing of the second factor, to nobody
    assert!(matches!(change(&node, &account.id, AccountChange::Phone(phone(&old))).await, Changed::Done(_)));
    assert_eq!(told(&node).await, [(Change::NumberSet, mail, Some("56".to_owned()))]);
    for quiet in [AccountChange::Phone(phone(&old)), AccountChange::Unlock, AccountChange::EndSessions] {
        let _changed = change(&node, &account.id, quiet).await;
    }
    assert_eq!(told(&node).await, []);
    let import = |number: &str| {
        let change = AccountChange::Phone(phone(number));
        [ImportEntry::Change { id: account.id, change, audit: audit(AuditEvent::PhoneChanged, NOW) }]
    };
    assert!(matches!(change(&node, &account.id, AccountChange::ClearPhone).await, Changed::Done(_)));
    let _cleared = told(&node).await;
    assert!(matches!(node.import(&import("+32470111111")).await.unwrap(), Imported::Done(_)));
    assert_eq!(told(&node).await, [], "an import of first numbers writes to nobody");
    assert!(matches!(node.import(&import("+32470111112")).await.unwrap(), Imported::Done(_)));
    assert_eq!(told(&node).await.len(), 2);
}

pub(super) async fn people_are_told_of_what_they_do_themselves(store: &Store) {
    let node = store.node().await;
    let account = newcomer(&node).await;
    let enrolling =
        Opening { new_phone: Some(new_phone("+32470123456")), ..opening(&account, super::fixture::login(), NOW) };
    assert_eq!(node.open_session(&enrolling).await.unwrap(), Opened::Opened(Vec::new()));
    assert_eq!(told(&node).await, [(Change::NumberSet, "nadia@example.com".to_owned(), Some("56".to_owned()))]);
    let account = node.account(&account.id).await.unwrap().unwrap();
    let replacing = |version| NumberReplacement {
        session: crate::domain::session::Session {
            id: enrolling.session.id,
            ..session(&account, Factors::PasswordAndCode, NOW)
        },
        login: super::fixture::login(),
        phone_version: version,
        new_phone: new_phone("+32470123499"),
        password_at: NOW,
        audit: crate::domain::audit::AuditRecord { account: Some(account.id), ..audit(AuditEvent::PhoneChanged, NOW) },
    };
    let stale = crate::domain::account::PhoneVersion(99);
    assert_eq!(node.replace_number(&replacing(stale)).await.unwrap(), NumberReplaced::Stale);
    assert_eq!(told(&node).await, [], "what was not done is not told");
    assert!(matches!(node.replace_number(&replacing(account.phone_version)).await.unwrap(), NumberReplaced::Done(..)));
    let ending = Some("99".to_owned());
    assert_eq!(
        told(&node).await,
        [
            (Change::NumberSet, "+32470123456".to_owned(), ending.clone()),
            (Change::NumberSet, "nadia@example.com".to_owned(), ending)
        ]
    );
}

pub(super) async fn of_many_nodes_one_tells(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let account = anna(&nodes[0]).await;
    for _ in 0..5 {
        assert!(matches!(change(&nodes[0], &account.id, AccountChange::ResetTwoFactor).await, Changed::Done(_)));
    }
    let roomy = SendCaps { total_per_day: 1000, total_per_minute: 1000, per_day: 100, ..SEND_CAPS };
    for way in Way::ALL {
        let claims = (0..40).map(|place| {
            let node = nodes[place % 2].clone();
            tokio::spawn(async move { node.claim(way, &roomy, NOW).await })
        });
        let mut ids = Vec::new();
        for claim in claims.collect::<Vec<_>>() {
            match claim.await.unwrap() {
                Ok(Claim::Notice(claimed)) => ids.push(claimed.id),
                Ok(Claim::Nothing) => {}
                Ok(Claim::PutOff { cap, .. }) => panic!("{cap}"),
                Err(error) => assert_eq!(error.port(), "sql"),
            }
        }
        while let Claim::Notice(claimed) = nodes[0].claim(way, &roomy, NOW).await.unwrap() {
            ids.push(claimed.id);
        }
        ids.sort();
        let all = ids.len();
        ids.dedup();
        assert_eq!((all, ids.len()), (5, 5), "{way:?}");
    }
}

pub(super) async fn a_notice_of_a_node_that_died_comes_up_again_and_the_dead_one_settles_nothing(store: &Store) {
    let node = store.node().await;
    let database = store.database().await;
    let account = anna(&node).await;
    assert!(matches!(change(&node, &account.id, AccountChange::ResetTwoFactor).await, Changed::Done(_)));
    let dead = claimed(&node, Way::Mail, NOW).await.unwrap();
    let minutes = |count: u64| NOW.plus(Duration::from_secs(60 * count));
    assert!(
        !node.is_due(Way::Mail, minutes(4)).await.unwrap() && claimed(&node, Way::Mail, minutes(4)).await.is_none()
    );
    assert!(node.is_due(Way::Mail, minutes(6)).await.unwrap());
    let alive = claimed(&node, Way::Mail, minutes(6)).await.unwrap();
    assert_eq!((&alive.id, alive.tries), (&dead.id, 2));
    node.settle(&dead, TOLD).await.unwrap();
    assert_eq!(rows_in(&database, NOTICES).await, 2, "it is the other one's");
    node.settle(&alive, Fate::Again(minutes(30))).await.unwrap();
    assert!(claimed(&node, Way::Mail, minutes(29)).await.is_none());
    let last = claimed(&node, Way::Mail, minutes(30)).await.unwrap();
    node.settle(&last, Fate::Over(SendOutcome::NotSent)).await.unwrap();
    assert_eq!(rows_in(&database, NOTICES).await, 1);
}

pub(super) async fn notices_leave_room_for_codes(store: &Store) {
    let node = store.node().await;
    let account = anna(&node).await;
    let caps = SendCaps { total_per_minute: 100, total_per_day: 30, per_day: 10, per_half_hour: 10, ..SEND_CAPS };
    for _ in 0..20 {
        assert!(matches!(change(&node, &account.id, AccountChange::ResetTwoFactor).await, Changed::Done(_)));
    }
    for _ in 0..3 {
        assert!(matches!(node.claim(Way::Sms, &caps, NOW).await.unwrap(), Claim::Notice(_)));
    }
    let Claim::PutOff { cap, id, .. } = node.claim(Way::Sms, &caps, NOW).await.unwrap() else {
        panic!("a tenth is all")
    };
    assert_eq!(cap, "notices_day");
    // they count in the total, and not as the account's or the number's own
    let number = super::fixture::keys(&[1])
        .hash(crate::domain::keys::HashPurpose::PhoneLookup, account.phone.as_ref().unwrap().e164().as_bytes());
    let mut sent = 0;
    loop {
        let one = crate::login::sending::ports::NewSend { number, ..send(AccountId::random()) };
        match node.charge_send(&one, &SendCaps { per_day: 100, per_half_hour: 100, ..caps }, NOW).await.unwrap().charge
        {
            SendCharge::Granted(_) => sent += 1,
            SendCharge::Guarded(cap, _) => break assert_eq!(cap, "total_day"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sent, 27);
    // codes have used up all but the reserve: none is sent before the day is over
    let later = NOW.plus(HOUR);
    let roomy = SendCaps { total_per_day: 34, reserve_percent: 20, ..caps };
    assert!(matches!(node.claim(Way::Sms, &roomy, later).await.unwrap(), Claim::PutOff { cap: "total_day", .. }));
    let database = store.database().await;
    let row = database.row("SELECT tries FROM notices WHERE id = $1", [id.as_str().into()]).await.unwrap().unwrap();
    assert_eq!(row.int("tries").unwrap(), 0, "to be put off is no try");
    assert!(matches!(node.claim(Way::Sms, &caps, NOW.plus(DAY + HOUR)).await.unwrap(), Claim::Notice(_)));
}

pub(super) async fn what_did_not_go_out_as_a_notice_is_given_back(store: &Store) {
    let node = store.node().await;
    let database = store.database().await;
    let account = add(&node, new_account("bert", Some("+32470123456"))).await;
    assert!(matches!(change(&node, &account.id, AccountChange::ClearPhone).await, Changed::Done(_)));
    let sms = claimed(&node, Way::Sms, NOW).await.unwrap();
    node.settle(&sms, Fate::Again(NOW)).await.unwrap();
    assert_eq!(rows_in(&database, "SELECT COUNT(*) AS count FROM sms_sends WHERE outcome = 'not_sent'").await, 1);
    let sms = claimed(&node, Way::Sms, NOW).await.unwrap();
    node.settle(&sms, Fate::Over(SendOutcome::MaybeSent)).await.unwrap();
    assert_eq!(rows_in(&database, "SELECT COUNT(*) AS count FROM sms_sends WHERE outcome = 'maybe_sent'").await, 1);
}

pub(super) async fn a_notice_that_cannot_be_read_keeps_nobody_from_theirs(store: &Store) {
    let node = store.node().await;
    let database = store.database().await;
    let account = anna(&node).await;
    assert!(matches!(change(&node, &account.id, AccountChange::ResetTwoFactor).await, Changed::Done(_)));
    let content = database.row("SELECT content FROM notices WHERE way = 'sms'", []).await.unwrap().unwrap();
    let foreign = content.optional_bytes("content").unwrap();
    database
        .write(|mut tx| {
            let foreign = foreign.clone();
            async move {
                tx.execute("UPDATE notices SET content = $1 WHERE way = 'mail'", [foreign.into()]).await?;
                tx.commit(()).await
            }
        })
        .await
        .unwrap();
    assert!(claimed(&node, Way::Mail, NOW).await.is_none());
    assert_eq!(rows_in(&database, NOTICES).await, 1);
    assert!(claimed(&node, Way::Sms, NOW).await.is_some());
}
