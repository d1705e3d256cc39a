//! What operators do, and are refused, by what the transaction sees. Floor: edge.

use super::fixture::{DAY, HOUR, NOW, Store, add, anna, audit, change, hash, new_account, phone};
use crate::adapters::sql::SqlLedger;
use crate::domain::account::Account;
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::operator::{Forbidden, OperatorAction, OperatorRole};
use crate::domain::time::UnixMillis;
use crate::login::directory::{AccountChange, ActingOperator, Changed, Directory as _};

async fn operator(node: &SqlLedger, name: &str, number: &str, role: OperatorRole) -> Account {
    let account = add(node, new_account(name, Some(number))).await;
    assert!(matches!(change(node, &account.id, AccountChange::OperatorRole(Some(role))).await, Changed::Done(_)));
    account
}

async fn done_by(
    node: &SqlLedger,
    operator: &Account,
    action: OperatorAction,
    on: &Account,
    change: AccountChange,
    now: UnixMillis,
) -> Result<Changed, Forbidden> {
    let acting = ActingOperator { operator: operator.id.into(), action, gift_until: now.plus(DAY) };
    let record = AuditRecord { account: Some(on.id), ..audit(AuditEvent::AccountChanged, now) };
    node.change_as(&acting, &on.id, &change, &record).await.unwrap()
}

pub(super) async fn an_operators_role_is_the_one_in_the_transaction(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    let hugo = operator(&node, "hugo", "+32471222222", OperatorRole::Helpdesk).await;
    let (action, reset) = (OperatorAction::ResetTwoFactor, AccountChange::ResetTwoFactor);
    let reset = async |on: &Account| done_by(&node, &hugo, action, on, reset.clone(), NOW).await;
    assert!(matches!(reset(&anna).await, Ok(Changed::Done(_))));
    assert_eq!(reset(&hugo).await, Err(Forbidden::Oneself));
    let olga = operator(&node, "olga", "+32473444444", OperatorRole::Admin).await;
    assert_eq!(reset(&olga).await, Err(Forbidden::AnOperator));
    let standing = node.standing(&hugo.id).await.unwrap().unwrap();
    assert_eq!((standing.role, standing.epoch.0), (Some(OperatorRole::Helpdesk), hugo.epoch.0 + 1));
    let names: Vec<String> =
        node.operators().await.unwrap().iter().map(|account| account.user_name.to_string()).collect();
    assert_eq!(names, ["hugo", "olga"]);
    for ending in [AccountChange::OperatorRole(None), AccountChange::Disable] {
        assert!(matches!(change(&node, &hugo.id, ending).await, Changed::Done(_)));
        assert_eq!(reset(&anna).await, Err(Forbidden::NotAnOperator));
        let _ = change(&node, &hugo.id, AccountChange::OperatorRole(Some(OperatorRole::Admin))).await;
    }
}

pub(super) async fn one_operator_gives_a_password_or_a_number_also_at_once(store: &Store) {
    let node = store.node().await;
    let anna = anna(&node).await;
    let olga = operator(&node, "olga", "+32473444444", OperatorRole::Admin).await;
    let password = || AccountChange::OneTimePassword { hash: hash('B'), until: NOW.plus(DAY) };
    let number = |last: u32| AccountChange::Phone(phone(&format!("+3247012340{last}")));
    for round in 0..5 {
        // what the command line gives is nobody's, so that each round begins anew
        let _ = change(&node, &anna.id, password()).await;
        let _ = change(&node, &anna.id, AccountChange::Phone(phone("+32470123456"))).await;
        let _ = change(&node, &anna.id, AccountChange::Phone(phone("+32470123457"))).await;
        let (gave_password, gave_number) = tokio::join!(
            done_by(&node, &olga, OperatorAction::OneTimePassword, &anna, password(), NOW),
            done_by(&node, &olga, OperatorAction::SetPhone, &anna, number(round), NOW),
        );
        assert!(gave_password.is_ok() != gave_number.is_ok(), "{gave_password:?} {gave_number:?}");
    }
    let later = NOW.plus(DAY);
    let late = done_by(&node, &olga, OperatorAction::SetPhone, &anna, number(9), later).await;
    assert!(matches!(late, Ok(Changed::Done(_))), "{late:?}");
}

pub(super) async fn parallel_actions_of_one_operator_stay_within_the_hour(store: &Store) {
    let node = store.node().await;
    let hugo = operator(&node, "hugo", "+32471222222", OperatorRole::Helpdesk).await;
    let begin = async |action, now| {
        let acting = ActingOperator { operator: hugo.id.into(), action, gift_until: now };
        node.begin_action(&acting, 3, now).await.unwrap()
    };
    let begun = futures_util::future::join_all((0..10).map(|_| begin(OperatorAction::Unlock, NOW))).await;
    assert_eq!(begun.iter().filter(|begun| begun.is_ok()).count(), 3, "{begun:?}");
    assert_eq!(begin(OperatorAction::Unlock, NOW).await, Err(Forbidden::TooMany(HOUR)));
    assert_eq!(begin(OperatorAction::SetPhone, NOW).await, Err(Forbidden::NeedsAdmin));
    assert_eq!(begin(OperatorAction::Unlock, NOW.plus(HOUR)).await, Ok(()));
    let _ = change(&node, &hugo.id, AccountChange::OperatorRole(None)).await;
    assert_eq!(begin(OperatorAction::Unlock, NOW.plus(HOUR)).await, Err(Forbidden::NotAnOperator));
}
