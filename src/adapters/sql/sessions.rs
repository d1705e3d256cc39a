//! Opening and ending sessions. A login opens one session and no more, because its id is unique in the table; every ending leaves a row in the
//! feed in the same transaction. Floor: edge.

use super::accounts;
use super::activation;
use super::connection::{Connection, Done};
use super::database::Database;
use super::error::SqlError;
use super::feed;
use super::guesses;
use super::notices;
use super::numbers;
use super::personal::{self, Field};
use super::tickets;
use super::trail;
use super::value::{Row, Value};
use crate::domain::account::{AccountId, Epoch};
use crate::domain::audit::AuditRecord;
use crate::domain::keys::Keys;
use crate::domain::notice::Change;
use crate::domain::pending::LoginId;
use crate::domain::phone::PhoneNumber;
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::{Factors, Session, SessionId};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::login::NewPassword;
use crate::login::ports::{Opened, Opening};

/// Opens the session of a login, with all that belongs to it, or does nothing.
pub(super) async fn open(mut tx: Connection, keys: &Keys, opening: &Opening) -> Result<Done<Opened>, SqlError> {
    let session = &opening.session;
    let account = tx
        .row(
            "UPDATE accounts SET last_sign_in_at = $1 WHERE id = $2 AND status = 'active' AND epoch = $3 AND phone_version = $4
                 AND (password_expires_at IS NULL OR password_expires_at > $1)
             RETURNING phone_hash, enrolment_until, password_expires_at",
            [opening.now.into(), (&session.account).into(), session.epoch.into(), opening.phone_version.into()],
        )
        .await?;
    let Some(account) = account else {
        let used = tx.row("SELECT id FROM sessions WHERE login_id = $1", [(&opening.login).into()]).await?.is_some();
        return tx.roll_back(if used { Opened::AlreadyUsed } else { Opened::Stale }).await;
    };
    if insert(&mut tx, keys, opening).await? == 0 {
        return tx.roll_back(Opened::AlreadyUsed).await;
    }
    if account.optional_at("password_expires_at")?.is_some() && opening.new_password.is_none() {
        return tx.roll_back(Opened::PasswordOwed).await;
    }
    if let Some(password) = &opening.new_password
        && !replace_one_time_password(&mut tx, &session.account, password, opening.now).await?
    {
        return tx.roll_back(Opened::Stale).await;
    }
    let has_number = account.optional_bytes("phone_hash")?.is_some();
    let may_enrol = !has_number && account.optional_at("enrolment_until")?.is_some_and(|until| opening.now < until);
    match (session.factors, &opening.new_phone) {
        (Factors::Password, _) if activation::activated_at(&mut tx).await?.is_some() => {
            return tx.roll_back(Opened::CodeNeeded).await;
        }
        // a code was shown, so it went to a number: the one on the account or the one being enrolled
        (Factors::PasswordAndCode, None) if !has_number => return tx.roll_back(Opened::Stale).await,
        (Factors::Password, Some(_)) => return tx.roll_back(Opened::Stale).await,
        (Factors::PasswordAndCode, Some(_)) if !may_enrol => return tx.roll_back(Opened::EnrolmentClosed).await,
        (Factors::PasswordAndCode, Some(phone)) => {
            // enrolments go one after another from here: each counts what those before it have stored
            tx.execute("UPDATE enrolment_head SET n = n + 1", []).await?;
            if numbers::accounts_with(&mut tx, keys, &phone.number).await? >= u64::from(phone.most_accounts) {
                return tx.roll_back(Opened::NumberTaken).await;
            }
            if let Some(ticket) = &phone.ticket
                && !tickets::use_up(&mut tx, &session.account, ticket).await?
            {
                return tx.roll_back(Opened::EnrolmentClosed).await;
            }
            let account =
                accounts::lock(&mut tx, keys, &session.account).await?.ok_or(SqlError::Unreadable("accounts"))?;
            let audit = opening.audit.first().ok_or(SqlError::Unreadable("audit"))?;
            notices::write(&mut tx, keys, &account, Change::NumberSet, Some(&phone.number), audit).await?;
            set_phone(&mut tx, keys, &session.account, &phone.number, opening.now).await?;
            guesses::clear_code_failures(&mut tx, &opening.login, &session.account).await?;
        }
        (Factors::PasswordAndCode, None) => {
            guesses::clear_code_failures(&mut tx, &opening.login, &session.account).await?
        }
        (Factors::Password, None) => {}
    }
    for record in &opening.audit {
        trail::append(&mut tx, record).await?;
    }
    let mut ended = Vec::new();
    if let Some(replaced) = &opening.replaces {
        let rows = tx
            .execute(
                "UPDATE sessions SET ended_at = $1, end_reason = 'replaced' WHERE id = $2 AND account = $3 AND ended_at IS NULL",
                [opening.now.into(), replaced.into(), (&session.account).into()],
            )
            .await?;
        // it was ended meanwhile: what would replace it is ended with it
        if rows == 0 {
            return tx.roll_back(Opened::Stale).await;
        }
        ended.push(feed::append(&mut tx, opening.now, Revoked::Session(*replaced)).await?);
    }
    if opening.new_phone.is_some() || opening.new_password.is_some() {
        feed::count(&mut tx, &ended).await?;
    }
    tx.commit(Opened::Opened(ended)).await
}

/// `false` when the one-time password was replaced already. The logins that are still pending were begun with it: they end, because the phone
/// version moves. The epoch stays, which would end the session that is being opened as well.
async fn replace_one_time_password(
    tx: &mut Connection,
    id: &AccountId,
    password: &NewPassword,
    now: UnixMillis,
) -> Result<bool, SqlError> {
    let replaced = tx
        .execute(
            "UPDATE accounts SET password = $3, password_set_at = $4, password_expires_at = NULL, phone_version = phone_version + 1
             WHERE id = $1 AND password = $2 AND password_expires_at IS NOT NULL",
            [id.into(), (&password.replaced).into(), (&password.chosen).into(), now.into()],
        )
        .await?;
    Ok(replaced > 0)
}

/// Puts a number on the account and closes enrolment, with its ticket. Pending logins end, because the phone version moves.
pub(super) async fn set_phone(
    tx: &mut Connection,
    keys: &Keys,
    id: &AccountId,
    phone: &PhoneNumber,
    now: UnixMillis,
) -> Result<(), SqlError> {
    tx.execute(
        "UPDATE accounts SET phone = $2, phone_hash = $3, phone_set_at = $4, phone_version = phone_version + 1, enrolment_until = NULL WHERE id = $1",
        [
            id.into(),
            personal::seal(keys, Field::AccountPhone, &id.to_string(), Some(phone.e164())),
            personal::phone_hash(keys, Some(phone)),
            now.into(),
        ],
    )
    .await?;
    tickets::replace(tx, keys, id, None).await
}

/// The session that a login opened, also when it has ended since.
pub(super) async fn of_login(database: &Database, keys: &Keys, login: &LoginId) -> Result<Option<Session>, SqlError> {
    let row = database
        .row(
            "SELECT id, account, site, user_name, name, email, epoch, factors, opened_at, password_at, absolute_end
             FROM sessions WHERE login_id = $1",
            [login.into()],
        )
        .await?;
    row.map(|row| read(&row, keys)).transpose()
}

/// Ends one session.
pub(super) async fn end(
    mut tx: Connection,
    id: &SessionId,
    audit: &AuditRecord,
) -> Result<Done<Option<FeedRow>>, SqlError> {
    let ended = tx
        .execute(
            "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL",
            [id.into(), audit.at.into(), audit.event.name().into()],
        )
        .await?;
    if ended == 0 {
        return tx.roll_back(None).await;
    }
    trail::append(&mut tx, audit).await?;
    let row = feed::append(&mut tx, audit.at, Revoked::Session(*id)).await?;
    tx.commit(Some(row)).await
}

/// Ends a session of this account. `None`: it has no such session, or it has ended.
pub(super) async fn end_one_of(
    tx: &mut Connection,
    account: &AccountId,
    id: &SessionId,
    audit: &AuditRecord,
) -> Result<Option<FeedRow>, SqlError> {
    let ended = tx
        .execute(
            "UPDATE sessions SET ended_at = $3, end_reason = $4 WHERE id = $1 AND account = $2 AND ended_at IS NULL",
            [id.into(), account.into(), audit.at.into(), audit.event.name().into()],
        )
        .await?;
    if ended == 0 {
        return Ok(None);
    }
    feed::append(tx, audit.at, Revoked::Session(*id)).await.map(Some)
}

/// Starts a new epoch of the account, whose lock is held: sessions and pending logins of the one before have ended.
pub(super) async fn end_all_of(
    tx: &mut Connection,
    id: &AccountId,
    epoch: Epoch,
    audit: &AuditRecord,
) -> Result<FeedRow, SqlError> {
    end_all_before(tx, id, Epoch(epoch.0 + 1), audit).await
}

/// The same with the number of the new epoch; a session that was moved to it already goes on.
pub(super) async fn end_all_before(
    tx: &mut Connection,
    id: &AccountId,
    next: Epoch,
    audit: &AuditRecord,
) -> Result<FeedRow, SqlError> {
    tx.execute("UPDATE accounts SET epoch = $2 WHERE id = $1", [id.into(), next.into()]).await?;
    tx.execute(
        "UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE account = $1 AND epoch < $4 AND ended_at IS NULL",
        [id.into(), audit.at.into(), audit.event.name().into(), next.into()],
    )
    .await?;
    feed::append(tx, audit.at, Revoked::AccountBefore(*id, next)).await
}

/// Starts a new epoch of every account; gives back how many sessions that ended.
pub(super) async fn end_all(mut tx: Connection, audit: &AuditRecord) -> Result<Done<u64>, SqlError> {
    tx.execute("UPDATE accounts SET epoch = epoch + 1", []).await?;
    let ended = tx
        .execute(
            "UPDATE sessions SET ended_at = $1, end_reason = $2 WHERE ended_at IS NULL AND absolute_end > $1",
            [audit.at.into(), audit.event.name().into()],
        )
        .await?;
    trail::append(&mut tx, audit).await?;
    feed::append_every_account(&mut tx, audit.at).await?;
    tx.commit(ended).await
}

/// Gives back 0 when the login has opened a session before.
async fn insert(tx: &mut Connection, keys: &Keys, opening: &Opening) -> Result<u64, SqlError> {
    let session = &opening.session;
    let id = session.id.to_string();
    tx.execute(
        "INSERT INTO sessions (id, login_id, account, site, user_name, name, email, epoch, factors, opened_at, password_at, absolute_end, source, user_agent)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (login_id) DO NOTHING",
        [
            id.as_str().into(),
            (&opening.login).into(),
            (&session.account).into(),
            (&session.site).into(),
            (&session.user_name).into(),
            personal::seal(keys, Field::SessionName, &id, session.name.as_deref()),
            personal::seal(keys, Field::SessionEmail, &id, session.email.as_deref()),
            session.epoch.into(),
            Value::Int(Some(i64::from(session.factors.number()))),
            session.opened_at.into(),
            session.password_at.into(),
            session.absolute_end.into(),
            opening.source.to_string().into(),
            opening.user_agent.clone().into(),
        ],
    )
    .await
}

fn read(row: &Row, keys: &Keys) -> Result<Session, SqlError> {
    let id = row.text("id")?;
    let opened_at: UnixMillis = row.at("opened_at")?;
    Ok(Session {
        id: row.parsed("id", SessionId::parse)?,
        site: SiteName::new(&row.text("site")?),
        account: row.parsed("account", AccountId::parse)?,
        user_name: row.user_name()?,
        name: personal::open(keys, Field::SessionName, &id, row)?,
        email: personal::open(keys, Field::SessionEmail, &id, row)?,
        epoch: Epoch(row.int("epoch")?),
        factors: factors(row)?,
        opened_at,
        password_at: row.at("password_at")?,
        seen_at: opened_at,
        absolute_end: row.at("absolute_end")?,
    })
}

/// The column `factors`.
pub(super) fn factors(row: &Row) -> Result<Factors, SqlError> {
    u8::try_from(row.int("factors")?).ok().and_then(Factors::from_number).ok_or(SqlError::Unreadable("factors"))
}
