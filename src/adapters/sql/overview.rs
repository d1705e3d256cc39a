//! What operators are shown: accounts with their counters, open sessions, and how many accounts are ready for activation. Reads only. Floor: edge.

use super::accounts::status_from;
use super::database::Database;
use super::error::SqlError;
use super::operators;
use super::personal::{self, Field};
use super::sessions::factors;
use super::value::{Row, Value};
use crate::domain::account::{AccountId, Epoch};
use crate::domain::keys::Keys;
use crate::domain::language::Language;
use crate::domain::operator::OperatorRole;
use crate::domain::password_hash::PasswordHash;
use crate::domain::session::SessionId;
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountOverview, Census, SessionOverview, SignIns};

/// By user name: the one called `$1`, or those after `$2`. An account's failures hang on `a:<id>` (`guesses::subject_key`).
const ACCOUNTS: &str =
    "SELECT a.id, a.user_name, a.name, a.email, a.phone, a.phone_set_at, a.language, a.status, a.epoch, a.password,
        a.password_set_at, a.password_expires_at, a.created_at, a.enrolment_until, a.codes_locked, a.last_sign_in_at,
        a.operator_role, a.password_given_by, a.password_given_until, a.number_given_by, a.number_given_until,
        COALESCE(p.failures, 0) AS password_failures, COALESCE(p.wait_until, 0) AS wait_until,
        (SELECT COUNT(*) FROM code_attempts c WHERE c.account = a.id AND c.outcome = 'charged') AS code_failures
     FROM accounts a LEFT JOIN password_failures p ON p.subject = 'a:' || a.id
     WHERE a.user_name = $1 OR a.user_name > $2 ORDER BY a.user_name LIMIT $3";

pub(super) async fn find(
    database: &Database,
    keys: &Keys,
    name: &UserName,
) -> Result<Option<AccountOverview>, SqlError> {
    let row = database.row(ACCOUNTS, [name.into(), Value::Text(None), 1_i64.into()]).await?;
    row.map(|row| read_account(&row, keys)).transpose()
}

pub(super) async fn list(
    database: &Database,
    keys: &Keys,
    after: Option<&UserName>,
    most: u32,
) -> Result<Vec<AccountOverview>, SqlError> {
    // every name comes after the empty text
    let after = after.map_or("", UserName::as_str);
    let rows = database.rows(ACCOUNTS, [Value::Text(None), after.into(), most.into()]).await?;
    rows.iter().map(|row| read_account(row, keys)).collect()
}

pub(super) async fn sessions(
    database: &Database,
    account: Option<&AccountId>,
    now: UnixMillis,
) -> Result<Vec<SessionOverview>, SqlError> {
    let rows = database
        .rows(
            "SELECT id, account, user_name, site, factors, opened_at, absolute_end, source, user_agent FROM sessions
             WHERE ended_at IS NULL AND absolute_end > $1 AND ($2 IS NULL OR account = $2) ORDER BY opened_at DESC, id",
            [now.into(), account.into()],
        )
        .await?;
    rows.iter().map(read_session).collect()
}

pub(super) async fn sign_ins(database: &Database, later: UnixMillis, earlier: UnixMillis) -> Result<SignIns, SqlError> {
    let row = database
        .row(
            "SELECT COUNT(CASE WHEN at >= $1 THEN 1 END) AS since_later, COUNT(*) AS since_earlier, MIN(at) AS first_at
             FROM audit WHERE event = 'signed_in' AND at >= $2",
            [later.into(), earlier.into()],
        )
        .await?
        .ok_or(SqlError::Unreadable("audit"))?;
    Ok(SignIns {
        since_later: row.count("since_later").map(u64::from)?,
        since_earlier: row.count("since_earlier").map(u64::from)?,
        first_at: row.optional_at("first_at")?,
    })
}

pub(super) async fn census(database: &Database, now: UnixMillis) -> Result<Census, SqlError> {
    let row = database
        .row(
            "SELECT COUNT(CASE WHEN status = 'active' AND phone IS NOT NULL THEN 1 END) AS with_number,
                 COUNT(CASE WHEN status = 'active' AND phone IS NULL AND enrolment_until > $1 THEN 1 END) AS enrolling,
                 COUNT(CASE WHEN status = 'active' AND phone IS NULL AND COALESCE(enrolment_until, 0) <= $1 THEN 1 END) AS without_number,
                 COUNT(CASE WHEN status = 'disabled' THEN 1 END) AS disabled
             FROM accounts",
            [now.into()],
        )
        .await?
        .ok_or(SqlError::Unreadable("accounts"))?;
    let count = |column| row.int(column).map(|count| u64::try_from(count).unwrap_or(0));
    Ok(Census {
        with_number: count("with_number")?,
        enrolling: count("enrolling")?,
        without_number: count("without_number")?,
        disabled: count("disabled")?,
    })
}

/// The operators, by user name.
pub(super) async fn operators(database: &Database, keys: &Keys) -> Result<Vec<AccountOverview>, SqlError> {
    let names =
        database.rows("SELECT user_name FROM accounts WHERE operator_role IS NOT NULL ORDER BY user_name", []).await?;
    let mut operators = Vec::with_capacity(names.len());
    for row in &names {
        operators.extend(find(database, keys, &row.user_name()?).await?);
    }
    Ok(operators)
}

fn read_account(row: &Row, keys: &Keys) -> Result<AccountOverview, SqlError> {
    let id = row.text("id")?;
    Ok(AccountOverview {
        id: row.parsed("id", AccountId::parse)?,
        user_name: row.user_name()?,
        name: personal::open(keys, Field::AccountName, &id, row)?,
        email: personal::open(keys, Field::AccountEmail, &id, row)?,
        phone: personal::open_phone(keys, &id, row)?,
        phone_set_at: row.optional_at("phone_set_at")?,
        language: row.optional_parsed("language", Language::parse)?,
        status: row.parsed("status", status_from)?,
        epoch: Epoch(row.int("epoch")?),
        password: row.parsed("password", |text| PasswordHash::from_stored(text).ok())?,
        password_set_at: row.at("password_set_at")?,
        password_expires_at: row.optional_at("password_expires_at")?,
        created_at: row.at("created_at")?,
        enrolment_until: row.optional_at("enrolment_until")?,
        last_sign_in_at: row.optional_at("last_sign_in_at")?,
        password_failures: row.count("password_failures")?,
        password_wait_until: row.optional_at("wait_until")?.filter(|until| until.0 > 0),
        code_failures: row.count("code_failures")?,
        codes_locked: row.int("codes_locked")? != 0,
        operator_role: row.optional_parsed("operator_role", OperatorRole::parse)?,
        gifts: operators::gifts(row)?,
    })
}

fn read_session(row: &Row) -> Result<SessionOverview, SqlError> {
    Ok(SessionOverview {
        id: row.parsed("id", SessionId::parse)?,
        account: row.parsed("account", AccountId::parse)?,
        user_name: row.user_name()?,
        site: SiteName::new(&row.text("site")?),
        factors: factors(row)?,
        opened_at: row.at("opened_at")?,
        absolute_end: row.at("absolute_end")?,
        source: row.source()?,
        user_agent: row.optional_text("user_agent")?,
    })
}
