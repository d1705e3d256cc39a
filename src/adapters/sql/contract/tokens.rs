//! Tokens of the admin API: recognised while they are good, and held to the rules of operators in the transaction itself. Floor: edge.

use std::time::Duration;

use super::fixture::{DAY, HOUR, NOW, Store, add, anna, audit, change, hash, name, new_account, phone, rows_in};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::Account;
use crate::domain::api_token::{ApiToken, ApiTokenId, ApiTokenName, KnownApiToken};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::operator::{Forbidden, OperatorAction, OperatorId, OperatorRole};
use crate::domain::time::UnixMillis;
use crate::login::api_tokens::ApiTokens as _;
use crate::login::directory::{AccountChange, ActingOperator, Changed, Directory as _};
use crate::login::ports::{Ledger as _, RevocationFeed as _};
use crate::login::upkeep::AccountsUpkeep as _;

fn called(text: &str) -> ApiTokenName {
    ApiTokenName::parse(text).unwrap()
}

fn token(called_so: &str, role: OperatorRole) -> KnownApiToken {
    KnownApiToken {
        id: ApiTokenId::random(),
        name: called(called_so),
        role,
        created_at: NOW,
        expires_at: NOW.plus(DAY),
        last_used_at: None,
    }
}

async fn made(node: &SqlLedger, called_so: &str, role: OperatorRole) -> (ApiToken, KnownApiToken) {
    let (secret, known) = (ApiToken::generate(), token(called_so, role));
    assert!(node.create(&known, &secret.hash(), &audit(AuditEvent::ApiTokenCreated, NOW)).await.unwrap());
    (secret, known)
}

async fn revoke(node: &SqlLedger, called_so: &str) -> bool {
    node.revoke(&called(called_so), &audit(AuditEvent::ApiTokenRevoked, NOW)).await.unwrap()
}

const CHAINED: &str = "SELECT COUNT(*) AS count FROM audit WHERE number IS NOT NULL AND event IN ('api_token_created', 'api_token_revoked')";

pub(super) async fn a_token_is_recognised_until_it_expires_or_is_revoked(store: &Store) {
    let nodes = [store.node().await, store.node().await];
    let head = nodes[0].head().await.unwrap();
    let (secret, known) = made(&nodes[0], "crm", OperatorRole::Helpdesk).await;
    let (other, _) = made(&nodes[0], "other", OperatorRole::Admin).await;
    assert!(nodes[0].head().await.unwrap() > head, "an older copy would not have it");
    let at = async |node: &SqlLedger, now| node.recognise(&secret.hash(), now).await.unwrap();
    let found = at(&nodes[1], NOW).await.unwrap();
    assert_eq!((found.id, found.name, found.role), (known.id, known.name, OperatorRole::Helpdesk));
    assert_eq!(found.last_used_at, None);
    // noted once a minute
    let soon = NOW.plus(Duration::from_secs(59));
    assert_eq!(at(&nodes[1], soon).await.unwrap().last_used_at, Some(NOW));
    let later = NOW.plus(Duration::from_secs(60));
    assert!(at(&nodes[1], later).await.is_some());
    assert_eq!(nodes[0].all().await.unwrap()[0].last_used_at, Some(later));
    assert!(at(&nodes[0], NOW.plus(DAY)).await.is_none(), "it is over");
    assert!(nodes[0].recognise(&ApiToken::generate().hash(), NOW).await.unwrap().is_none());
    assert!(revoke(&nodes[0], "crm").await);
    assert!(!revoke(&nodes[0], "crm").await);
    assert!(at(&nodes[1], NOW).await.is_none());
    assert!(nodes[1].recognise(&other.hash(), NOW).await.unwrap().is_some());
    assert_eq!(rows_in(&store.database().await, CHAINED).await, 3);
}

pub(super) async fn a_name_is_one_tokens_at_a_time_also_at_once(store: &Store) {
    let node = store.node().await;
    let create = async || {
        let known = token("crm", OperatorRole::Admin);
        node.create(&known, &ApiToken::generate().hash(), &audit(AuditEvent::ApiTokenCreated, NOW)).await.unwrap()
    };
    let created = futures_util::future::join_all((0..10).map(|_| create())).await;
    assert_eq!(created.iter().filter(|created| **created).count(), 1);
    assert_eq!(rows_in(&store.database().await, CHAINED).await, 1);
    assert!(revoke(&node, "crm").await);
    assert!(create().await, "the name is free again");
}

async fn done_by(
    node: &SqlLedger,
    token: &KnownApiToken,
    action: OperatorAction,
    on: &Account,
    change: AccountChange,
    now: UnixMillis,
) -> Result<Changed, Forbidden> {
    let acting = ActingOperator { operator: OperatorId::Token(token.id), action, gift_until: now.plus(DAY) };
    let record = AuditRecord { account: Some(on.id), ..audit(AuditEvent::AccountChanged, now) };
    node.change_as(&acting, &on.id, &change, &record).await.unwrap()
}

pub(super) async fn a_token_acts_with_its_role_as_it_is_in_the_transaction(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    let olga = add(&node, new_account("olga", Some("+32473444444"))).await;
    let _ = change(&node, &olga.id, AccountChange::OperatorRole(Some(OperatorRole::Helpdesk))).await;
    let (_, desk) = made(&node, "desk", OperatorRole::Helpdesk).await;
    let (_, crm) = made(&node, "crm", OperatorRole::Admin).await;
    let (unlock, reset) = (OperatorAction::ResetTwoFactor, || AccountChange::ResetTwoFactor);
    assert!(matches!(done_by(&node, &desk, unlock, &anna, reset(), NOW).await, Ok(Changed::Done(_))));
    assert_eq!(done_by(&node, &desk, unlock, &olga, reset(), NOW).await, Err(Forbidden::AnOperator));
    let clear =
        async |token| done_by(&node, token, OperatorAction::ClearPhone, &anna, AccountChange::ClearPhone, NOW).await;
    assert_eq!(clear(&desk).await, Err(Forbidden::NeedsAdmin));
    assert!(matches!(done_by(&node, &crm, unlock, &olga, reset(), NOW).await, Ok(Changed::Done(_))));
    // one token gives a password or a number, and another one may give the other
    let password = || AccountChange::OneTimePassword { hash: hash('B'), until: NOW.plus(DAY) };
    let gave = done_by(&node, &crm, OperatorAction::OneTimePassword, &anna, password(), NOW).await;
    assert!(matches!(gave, Ok(Changed::Done(_))));
    let number = || AccountChange::Phone(phone("+32470999999"));
    let set = async |token| done_by(&node, token, OperatorAction::SetPhone, &anna, number(), NOW).await;
    assert_eq!(set(&crm).await, Err(Forbidden::GavePassword));
    assert_eq!(node.find(&name("anna")).await.unwrap().unwrap().gifts.password.unwrap().0, OperatorId::Token(crm.id));
    let (_, other) = made(&node, "other", OperatorRole::Admin).await;
    assert!(matches!(set(&other).await, Ok(Changed::Done(_))));
    // over, or revoked meanwhile
    let late = done_by(&node, &other, unlock, &anna, reset(), NOW.plus(DAY)).await;
    assert_eq!(late, Err(Forbidden::NotAnOperator));
    assert!(revoke(&node, "crm").await);
    assert_eq!(clear(&crm).await, Err(Forbidden::NotAnOperator));
    assert!(node.account(&anna.id).await.unwrap().unwrap().phone.is_some());
}

pub(super) async fn parallel_actions_of_one_token_stay_within_the_hour(store: &Store) {
    let node = store.node().await;
    let (_, desk) = made(&node, "desk", OperatorRole::Helpdesk).await;
    let begin = async |action, now| {
        let acting = ActingOperator { operator: OperatorId::Token(desk.id), action, gift_until: now };
        node.begin_action(&acting, 3, now).await.unwrap()
    };
    let begun = futures_util::future::join_all((0..10).map(|_| begin(OperatorAction::Unlock, NOW))).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 3, "{begun:?}");
    assert_eq!(begin(OperatorAction::Unlock, NOW).await, Err(Forbidden::TooMany(HOUR)));
    assert_eq!(begin(OperatorAction::SetPhone, NOW).await, Err(Forbidden::NeedsAdmin));
    assert_eq!(begin(OperatorAction::Unlock, NOW.plus(HOUR)).await, Ok(()));
    assert!(revoke(&node, "desk").await);
    assert_eq!(begin(OperatorAction::Unlock, NOW.plus(HOUR)).await, Err(Forbidden::NotAnOperator));
}

pub(super) async fn a_token_of_an_older_copy_is_none_any_more(store: &Store) {
    let node = store.node().await;
    let (secret, _) = made(&node, "crm", OperatorRole::Admin).await;
    node.restored(&audit(AuditEvent::AccountsRestored, NOW)).await.unwrap();
    assert!(node.recognise(&secret.hash(), NOW).await.unwrap().is_none());
    assert!(node.all().await.unwrap().is_empty());
}
