//! What operators change: accounts added, changed and taken away, one by one or as an import, each with its line in the audit trail. Floor: edge.

use super::accounts;
use super::connection::{Connection, Done};
use super::error::SqlError;
use super::feed;
use super::guesses;
use super::notices;
use super::operators;
use super::personal::{self, Field};
use super::sessions;
use super::tickets;
use super::trail;
use super::value::Value;
use crate::domain::account::{Account, AccountId, AccountStatus};
use crate::domain::audit::AuditRecord;
use crate::domain::keys::Keys;
use crate::domain::language::Language;
use crate::domain::notice::Change;
use crate::domain::password_hash::PasswordHash;
use crate::domain::phone::PhoneNumber;
use crate::domain::ticket::Ticket;
use crate::domain::time::UnixMillis;
use crate::login::directory::{AccountChange, Changed, ImportEntry, Imported, NewAccount};

/// Adds and changes all or none.
pub(super) async fn import(
    mut tx: Connection,
    keys: &Keys,
    entries: &[ImportEntry],
) -> Result<Done<Imported>, SqlError> {
    let mut ended = Vec::new();
    let mut is_changed = false;
    for (index, entry) in entries.iter().enumerate() {
        let changed = match entry {
            ImportEntry::Add { account, audit } => add(&mut tx, keys, account, audit).await?,
            ImportEntry::Change { id, change, audit } => {
                apply(&mut tx, keys, id, change, audit, Tells::AllButFirstNumbers).await?
            }
        };
        match changed {
            Changed::Done(rows) => {
                is_changed = true;
                ended.extend(rows);
            }
            Changed::Unchanged => {}
            Changed::NotFound | Changed::NameTaken | Changed::HasNumber => {
                return tx.roll_back(Imported::Refused(index, changed)).await;
            }
        }
    }
    if is_changed {
        feed::count(&mut tx, &ended).await?;
    }
    tx.commit(Imported::Done(ended)).await
}

/// One change of one account.
pub(super) async fn change(
    mut tx: Connection,
    keys: &Keys,
    id: &AccountId,
    change: &AccountChange,
    audit: &AuditRecord,
) -> Result<Done<Changed>, SqlError> {
    let changed = apply(&mut tx, keys, id, change, audit, Tells::EveryChange).await?;
    match changed {
        Changed::Done(ref ended) => {
            feed::count(&mut tx, ended).await?;
            tx.commit(changed).await
        }
        Changed::Unchanged | Changed::NotFound | Changed::NameTaken | Changed::HasNumber => tx.roll_back(changed).await,
    }
}

async fn add(tx: &mut Connection, keys: &Keys, account: &NewAccount, audit: &AuditRecord) -> Result<Changed, SqlError> {
    let id = audit.account.unwrap_or_else(AccountId::random);
    let row = id.to_string();
    let phone = account.phone.as_ref();
    let added = tx
        .execute(
            "INSERT INTO accounts (id, user_name, name, email, phone, phone_hash, phone_version, phone_set_at, language, status, epoch,
                 password, password_set_at, created_at, enrolment_until, codes_locked, password_expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, 'active', 1, $9, $10, $10, $11, 0, $12) ON CONFLICT (user_name) DO NOTHING",
            [
                row.as_str().into(),
                (&account.user_name).into(),
                personal::seal(keys, Field::AccountName, &row, account.name.as_deref()),
                personal::seal(keys, Field::AccountEmail, &row, account.email.as_deref()),
                personal::seal(keys, Field::AccountPhone, &row, phone.map(|phone| phone.e164())),
                personal::phone_hash(keys, phone),
                phone.map(|_| audit.at).into(),
                account.language.into(),
                (&account.password).into(),
                audit.at.into(),
                account.enrolment_until.filter(|_| phone.is_none()).into(),
                account.password_expires_at.into(),
            ],
        )
        .await?;
    if added == 0 {
        return Ok(Changed::NameTaken);
    }
    tickets::replace(tx, keys, &id, account.ticket.as_ref().filter(|_| phone.is_none())).await?;
    trail::append_about(tx, &AuditRecord { account: Some(id), ..audit.clone() }, &account.user_name);
    Ok(Changed::Done(Vec::new()))
}

/// Changes the account, whose lock it takes, and writes the audit line; or does nothing when it says anything but `Done`.
pub(super) async fn apply(
    tx: &mut Connection,
    keys: &Keys,
    id: &AccountId,
    change: &AccountChange,
    audit: &AuditRecord,
    tells: Tells,
) -> Result<Changed, SqlError> {
    let Some(account) = accounts::lock(tx, keys, id).await? else { return Ok(Changed::NotFound) };
    let outcome = match change {
        AccountChange::Profile { name, email, language } => {
            profile(tx, keys, &account, name.as_deref(), email.as_deref(), *language).await?
        }
        AccountChange::Password(hash) if hash.stored() == account.password.stored() => Changed::Unchanged,
        AccountChange::Password(hash) => {
            set_password(tx, id, hash, None, audit).await?;
            end_everything(tx, &account, audit).await?
        }
        AccountChange::OneTimePassword { hash, until } => {
            set_password(tx, id, hash, Some(*until), audit).await?;
            end_everything(tx, &account, audit).await?
        }
        AccountChange::Phone(phone) if account.phone.as_ref() == Some(phone) => Changed::Unchanged,
        AccountChange::Phone(phone) => {
            sessions::set_phone(tx, keys, id, phone, audit.at).await?;
            // what was opened with a code to the old number ends with it; a first number takes nothing away
            if account.phone.is_some() { end_everything(tx, &account, audit).await? } else { Changed::Done(Vec::new()) }
        }
        AccountChange::ClearPhone if account.phone.is_none() && account.enrolment_until.is_none() => Changed::Unchanged,
        AccountChange::ClearPhone => {
            tx.execute(
                "UPDATE accounts SET phone = NULL, phone_hash = NULL, phone_set_at = NULL, phone_version = phone_version + 1,
                     enrolment_until = NULL WHERE id = $1",
                [id.into()],
            )
            .await?;
            tickets::replace(tx, keys, id, None).await?;
            end_everything(tx, &account, audit).await?
        }
        AccountChange::OpenEnrolment { until, ticket } => {
            open_enrolment(tx, keys, &account, *until, ticket.as_ref()).await?
        }
        AccountChange::Unlock => {
            let passwords = guesses::forget_password_failures(tx, id).await?;
            let codes = guesses::forgive_code_failures(tx, id).await?;
            if passwords || codes { Changed::Done(Vec::new()) } else { Changed::Unchanged }
        }
        AccountChange::ResetTwoFactor => {
            guesses::forget_password_failures(tx, id).await?;
            guesses::forgive_code_failures(tx, id).await?;
            end_everything(tx, &account, audit).await?
        }
        AccountChange::Disable => match account.status {
            AccountStatus::Disabled => Changed::Unchanged,
            AccountStatus::Active => {
                tx.execute("UPDATE accounts SET status = 'disabled' WHERE id = $1", [id.into()]).await?;
                end_everything(tx, &account, audit).await?
            }
        },
        AccountChange::Enable => match account.status {
            AccountStatus::Active => Changed::Unchanged,
            AccountStatus::Disabled => {
                tx.execute("UPDATE accounts SET status = 'active' WHERE id = $1", [id.into()]).await?;
                Changed::Done(Vec::new())
            }
        },
        AccountChange::Remove => {
            guesses::forget_password_failures(tx, id).await?;
            tx.execute("DELETE FROM code_attempts WHERE account = $1", [id.into()]).await?;
            tickets::replace(tx, keys, id, None).await?;
            let ended = end_everything(tx, &account, audit).await?;
            tx.execute("DELETE FROM accounts WHERE id = $1", [id.into()]).await?;
            ended
        }
        AccountChange::EndSessions => end_everything(tx, &account, audit).await?,
        AccountChange::EndSession(session) => match sessions::end_one_of(tx, id, session, audit).await? {
            Some(row) => Changed::Done(vec![row]),
            None => Changed::Unchanged,
        },
        AccountChange::OperatorRole(role) if *role == account.operator_role => Changed::Unchanged,
        AccountChange::OperatorRole(role) => {
            let name = role.map(|role| role.name().to_owned());
            tx.execute("UPDATE accounts SET operator_role = $2 WHERE id = $1", [id.into(), name.into()]).await?;
            end_everything(tx, &account, audit).await?
        }
    };
    if let Changed::Done(_) = outcome {
        operators::note_gift(tx, id, change, None).await?;
        if let Some((told, new_number)) = told_of(&account, change, tells) {
            notices::write(tx, keys, &account, told, new_number, audit).await?;
        }
        trail::append_about(tx, audit, &account.user_name);
    }
    Ok(outcome)
}

/// Of which changes people are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tells {
    EveryChange,
    /// In an import: a company that moves its numbers here does not write to everybody.
    AllButFirstNumbers,
}

/// What the account is told of a change, with the number that is new.
fn told_of<'a>(
    account: &Account,
    change: &'a AccountChange,
    tells: Tells,
) -> Option<(Change, Option<&'a PhoneNumber>)> {
    match change {
        AccountChange::Phone(_) if account.phone.is_none() && tells == Tells::AllButFirstNumbers => None,
        AccountChange::Phone(number) => Some((Change::NumberSet, Some(number))),
        AccountChange::ClearPhone => account.phone.as_ref().map(|_| (Change::NumberCleared, None)),
        AccountChange::ResetTwoFactor => Some((Change::TwoFactorReset, None)),
        AccountChange::OneTimePassword { .. } => Some((Change::PasswordGiven, None)),
        AccountChange::Profile { .. }
        | AccountChange::Password(_)
        | AccountChange::OpenEnrolment { .. }
        | AccountChange::Unlock
        | AccountChange::Disable
        | AccountChange::Enable
        | AccountChange::Remove
        | AccountChange::EndSessions
        | AccountChange::EndSession(_)
        | AccountChange::OperatorRole(_) => None,
    }
}

/// `expires_at`: until when it is good, for a one-time password.
async fn set_password(
    tx: &mut Connection,
    id: &AccountId,
    hash: &PasswordHash,
    expires_at: Option<UnixMillis>,
    audit: &AuditRecord,
) -> Result<(), SqlError> {
    tx.execute(
        "UPDATE accounts SET password = $2, password_set_at = $3, password_expires_at = $4 WHERE id = $1",
        [id.into(), hash.into(), audit.at.into(), expires_at.into()],
    )
    .await?;
    guesses::forget_password_failures(tx, id).await?;
    Ok(())
}

/// Ends the account's sessions and pending logins.
async fn end_everything(tx: &mut Connection, account: &Account, audit: &AuditRecord) -> Result<Changed, SqlError> {
    Ok(Changed::Done(vec![sessions::end_all_of(tx, &account.id, account.epoch, audit).await?]))
}

/// `None` stays.
async fn profile(
    tx: &mut Connection,
    keys: &Keys,
    account: &Account,
    name: Option<&str>,
    email: Option<&str>,
    language: Option<Language>,
) -> Result<Changed, SqlError> {
    let name = name.filter(|name| account.name.as_deref() != Some(*name));
    let email = email.filter(|email| account.email.as_deref() != Some(*email));
    let language = language.filter(|language| account.language != Some(*language));
    if name.is_none() && email.is_none() && language.is_none() {
        return Ok(Changed::Unchanged);
    }
    let row = account.id.to_string();
    tx.execute(
        "UPDATE accounts SET name = COALESCE($2, name), email = COALESCE($3, email), language = COALESCE($4, language) WHERE id = $1",
        [
            row.as_str().into(),
            personal::seal(keys, Field::AccountName, &row, name),
            personal::seal(keys, Field::AccountEmail, &row, email),
            Value::from(language),
        ],
    )
    .await?;
    Ok(Changed::Done(Vec::new()))
}

async fn open_enrolment(
    tx: &mut Connection,
    keys: &Keys,
    account: &Account,
    until: UnixMillis,
    ticket: Option<&Ticket>,
) -> Result<Changed, SqlError> {
    if account.phone.is_some() {
        return Ok(Changed::HasNumber);
    }
    if account.enrolment_until == Some(until) && ticket.is_none() {
        return Ok(Changed::Unchanged);
    }
    tickets::replace(tx, keys, &account.id, ticket).await?;
    tx.execute("UPDATE accounts SET enrolment_until = $2 WHERE id = $1", [(&account.id).into(), until.into()]).await?;
    Ok(Changed::Done(Vec::new()))
}
