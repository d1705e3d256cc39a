//! What operators do, held to the rules of `domain::operator` by facts that the transaction itself reads; and how much of it in an hour.
//! Floor: edge.

use std::time::Duration;

use super::accounts::{self, status_from};
use super::api_tokens;
use super::changes::{self, Tells};
use super::connection::{Connection, Done};
use super::database::Database;
use super::error::SqlError;
use super::feed;
use super::value::{Row, Value};
use crate::domain::account::{AccountId, AccountStatus, Epoch};
use crate::domain::audit::AuditRecord;
use crate::domain::keys::Keys;
use crate::domain::operator::{self, Forbidden, Gifts, OperatorId, OperatorRole, Subject};
use crate::domain::time::UnixMillis;
use crate::login::directory::{AccountChange, ActingOperator, Changed, Standing};

/// What `per_hour` counts, and how long rows of it are kept.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// One change of one account by an operator.
pub(super) async fn change(
    mut tx: Connection,
    keys: &Keys,
    operator: &ActingOperator,
    id: &AccountId,
    change: &AccountChange,
    audit: &AuditRecord,
) -> Result<Done<Result<Changed, Forbidden>>, SqlError> {
    // The lock on the account is what two operators wait for. The operator's own row is not locked, or two who change each other would wait
    // for ever: who is dismissed at this very moment was one when it began.
    let Some(account) = accounts::lock(&mut tx, keys, id).await? else {
        return tx.roll_back(Ok(Changed::NotFound)).await;
    };
    let Some(role) = role_of(&mut tx, &operator.operator, audit.at).await? else {
        return tx.roll_back(Err(Forbidden::NotAnOperator)).await;
    };
    let given = tx
        .row(
            "SELECT password_given_by, password_given_until, number_given_by, number_given_until FROM accounts WHERE id = $1",
            [id.into()],
        )
        .await?;
    let gifts = given.as_ref().map(gifts).transpose()?.unwrap_or_default();
    let subject = Subject { account: account.id, role: account.operator_role, gifts };
    if let Err(forbidden) = operator::may_do_to(operator.operator, role, operator.action, &subject, audit.at) {
        return tx.roll_back(Err(forbidden)).await;
    }
    let changed = changes::apply(&mut tx, keys, id, change, audit, Tells::EveryChange).await?;
    match changed {
        Changed::Done(ref ended) => {
            feed::count(&mut tx, ended).await?;
            note_gift(&mut tx, id, change, Some(operator)).await?;
            tx.commit(Ok(changed)).await
        }
        Changed::Unchanged | Changed::NotFound | Changed::NameTaken | Changed::HasNumber => {
            tx.roll_back(Ok(changed)).await
        }
    }
}

/// Writes down who gave the account a password or a number; `None`: the command line, which is nobody here.
pub(super) async fn note_gift(
    tx: &mut Connection,
    id: &AccountId,
    change: &AccountChange,
    by: Option<&ActingOperator>,
) -> Result<(), SqlError> {
    let sql = match change {
        AccountChange::OneTimePassword { .. } | AccountChange::Password(_) => {
            "UPDATE accounts SET password_given_by = $2, password_given_until = $3 WHERE id = $1"
        }
        AccountChange::Phone(_) | AccountChange::OpenEnrolment { .. } | AccountChange::ClearPhone => {
            "UPDATE accounts SET number_given_by = $2, number_given_until = $3 WHERE id = $1"
        }
        AccountChange::Profile { .. }
        | AccountChange::Unlock
        | AccountChange::ResetTwoFactor
        | AccountChange::Disable
        | AccountChange::Enable
        | AccountChange::Remove
        | AccountChange::EndSessions
        | AccountChange::EndSession(_)
        | AccountChange::OperatorRole(_) => return Ok(()),
    };
    let by = by.filter(|_| !matches!(change, AccountChange::ClearPhone));
    let (operator, until) = (by.map(|by| by.operator.to_string()), by.map(|by| by.gift_until));
    tx.execute(sql, [id.into(), operator.into(), until.into()]).await?;
    Ok(())
}

/// Counts an action ahead of it.
pub(super) async fn begin(
    mut tx: Connection,
    keys: &Keys,
    operator: &ActingOperator,
    per_hour: u32,
    now: UnixMillis,
) -> Result<Done<Result<(), Forbidden>>, SqlError> {
    let role = match &operator.operator {
        OperatorId::Account(account) => {
            let account = accounts::lock(&mut tx, keys, account).await?;
            account.filter(|account| account.status == AccountStatus::Active).and_then(|account| account.operator_role)
        }
        OperatorId::Token(token) => api_tokens::lock(&mut tx, token, now).await?,
    };
    let Some(role) = role else {
        return tx.roll_back(Err(Forbidden::NotAnOperator)).await;
    };
    if let Err(forbidden) = operator::may_begin(role, operator.action) {
        return tx.roll_back(Err(forbidden)).await;
    }
    let counted = tx
        .row(
            "SELECT COUNT(*) AS count, MIN(at) AS first FROM operator_actions WHERE operator = $1 AND at > $2",
            [operator.operator.to_string().into(), now.minus(HOUR).into()],
        )
        .await?
        .ok_or(SqlError::Unreadable("operator_actions"))?;
    if counted.count("count")? >= per_hour {
        let first = counted.optional_at("first")?.unwrap_or(now);
        return tx.roll_back(Err(Forbidden::TooMany(first.plus(HOUR).since(now)))).await;
    }
    let counted = "INSERT INTO operator_actions (operator, at) VALUES ($1, $2)";
    tx.execute(counted, [operator.operator.to_string().into(), now.into()]).await?;
    tx.commit(Ok(())).await
}

/// An account's standing as an operator.
pub(super) async fn standing(database: &Database, id: &AccountId) -> Result<Option<Standing>, SqlError> {
    let sql = "SELECT user_name, operator_role, status, epoch FROM accounts WHERE id = $1";
    let Some(row) = database.row(sql, [id.into()]).await? else { return Ok(None) };
    Ok(Some(Standing {
        user_name: row.user_name()?,
        role: row.optional_parsed("operator_role", OperatorRole::parse)?,
        status: row.parsed("status", status_from)?,
        epoch: Epoch(row.int("epoch")?),
    }))
}

/// The columns that say who gave what.
pub(super) fn gifts(row: &Row) -> Result<Gifts, SqlError> {
    let gift = |by, until| -> Result<_, SqlError> {
        Ok(row.optional_parsed(by, OperatorId::parse)?.zip(row.optional_at(until)?))
    };
    Ok(Gifts {
        password: gift("password_given_by", "password_given_until")?,
        number: gift("number_given_by", "number_given_until")?,
    })
}

async fn role_of(
    tx: &mut Connection,
    operator: &OperatorId,
    now: UnixMillis,
) -> Result<Option<OperatorRole>, SqlError> {
    let id = match operator {
        OperatorId::Account(id) => id,
        OperatorId::Token(id) => return api_tokens::role(tx, id, now).await,
    };
    let sql = "SELECT operator_role FROM accounts WHERE id = $1 AND status = 'active'";
    match tx.row(sql, [Value::from(id)]).await? {
        Some(row) => row.optional_parsed("operator_role", OperatorRole::parse),
        None => Ok(None),
    }
}
