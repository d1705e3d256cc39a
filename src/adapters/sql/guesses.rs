//! Guesses, counted and committed before anything is compared: passwords by subject, codes by login and account. Compares nothing. Floor: edge.

use std::time::Duration;

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::value::Row;
use super::{handovers, trail};
use crate::domain::account::AccountId;
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::limits::{CodeAttemptCaps, PasswordAttemptCaps};
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::LoginId;
use crate::domain::time::UnixMillis;
use crate::login::ports::{CountedFailure, NewAttempt, PasswordCharge, PasswordSubject};

/// A window of the caps on codes.
const HOUR: Duration = Duration::from_secs(3600);
/// Likewise.
pub(super) const THIRTY_DAYS: Duration = Duration::from_secs(30 * 24 * 3600);

/// What counting a guess of a code came to, before the commit: `AttemptCharge` holds the proof of a commit and cannot be made earlier.
pub(super) enum Counted {
    /// As this guess of its login, from 1.
    Number(u32),
    LoginSpent,
    Wait(Duration),
    Locked,
    Stale,
}

/// Counts a password failure. The same statements for every subject and, but for the count itself, every outcome.
pub(super) async fn charge_password(
    mut tx: Connection,
    subject: &PasswordSubject,
    caps: &PasswordAttemptCaps,
    now: UnixMillis,
) -> Result<Done<PasswordCharge>, SqlError> {
    let subject = subject_key(subject);
    let row = tx
        .row(
            "INSERT INTO password_failures (subject, failures, wait_until, at) VALUES ($1, 0, 0, $2)
             ON CONFLICT (subject) DO UPDATE SET at = $2 RETURNING failures, wait_until",
            [subject.as_str().into(), now.into()],
        )
        .await?
        .ok_or(SqlError::Unreadable("password_failures.failures"))?;
    let (failures, wait_until) = (row.count("failures")?, row.at("wait_until")?);
    if failures >= caps.in_a_row {
        return tx.commit(PasswordCharge::Closed).await;
    }
    if now < wait_until {
        return tx.commit(PasswordCharge::Wait(wait_until)).await;
    }
    let failures = failures.saturating_add(1);
    // what costs no wait leaves the old one standing: guesses of the same moment, or of a node whose clock is behind, do not wait for it
    let wait = caps.wait_after(failures);
    let wait_after = if wait.is_zero() { wait_until } else { now.plus(wait) };
    let counted = CountedFailure { wait_before: wait_until, wait_after };
    tx.execute(
        "UPDATE password_failures SET failures = $2, wait_until = $3 WHERE subject = $1",
        [subject.into(), failures.into(), counted.wait_after.into()],
    )
    .await?;
    tx.commit(PasswordCharge::Granted(counted)).await
}

/// Takes one counted failure back, and the wait it began unless another guess has set it meanwhile.
pub(super) async fn take_back_password(
    mut tx: Connection,
    subject: &PasswordSubject,
    counted: CountedFailure,
) -> Result<Done<()>, SqlError> {
    tx.execute(
        "UPDATE password_failures SET failures = failures - 1,
             wait_until = CASE WHEN wait_until = $2 THEN $3 ELSE wait_until END
         WHERE subject = $1 AND failures > 0",
        [subject_key(subject).into(), counted.wait_after.into(), counted.wait_before.into()],
    )
    .await?;
    tx.commit(()).await
}

/// Forgets an account's password failures, and puts a better hash in place of the one that was looked at.
pub(super) async fn accept_password(
    mut tx: Connection,
    id: &AccountId,
    rehash: Option<(&PasswordHash, &PasswordHash)>,
    audit: &AuditRecord,
) -> Result<Done<()>, SqlError> {
    // the account first: the order in which an operator's change takes its locks
    let mut replaced = 0;
    if let Some((stored, better)) = rehash {
        replaced = tx
            .execute(
                "UPDATE accounts SET password = $3 WHERE id = $1 AND password = $2",
                [id.into(), stored.into(), better.into()],
            )
            .await?;
    }
    forget_password_failures(&mut tx, id).await?;
    trail::append(&mut tx, audit).await?;
    if replaced > 0 {
        trail::append(&mut tx, &AuditRecord { event: AuditEvent::PasswordRehashed, ..audit.clone() }).await?;
    }
    tx.commit(()).await
}

/// Forgets an account's password failures; gives back whether there were any.
pub(super) async fn forget_password_failures(tx: &mut Connection, id: &AccountId) -> Result<bool, SqlError> {
    let subject = subject_key(&PasswordSubject::Account(*id));
    Ok(tx.execute("DELETE FROM password_failures WHERE subject = $1", [subject.into()]).await? > 0)
}

/// Counts a guess of a code under the account's lock, so that however many come at once, exactly as many are granted as are allowed.
pub(super) async fn charge_code(
    mut tx: Connection,
    attempt: &NewAttempt,
    caps: &CodeAttemptCaps,
    now: UnixMillis,
) -> Result<Done<Counted>, SqlError> {
    let locked = tx
        .row(
            "UPDATE accounts SET epoch = epoch WHERE id = $1 AND status = 'active' AND epoch = $2 AND phone_version = $3
             RETURNING codes_locked",
            [(&attempt.account).into(), attempt.epoch.into(), attempt.phone_version.into()],
        )
        .await?;
    let Some(account) = locked else { return tx.roll_back(Counted::Stale).await };
    // a right code sent twice at once: its login has signed in, and nothing is counted against the account
    if tx.row("SELECT id FROM sessions WHERE login_id = $1", [(&attempt.login).into()]).await?.is_some() {
        return tx.roll_back(Counted::Stale).await;
    }
    if account.int("codes_locked")? != 0 {
        return tx.roll_back(Counted::Locked).await;
    }
    if is_at_ceiling(&mut tx, attempt, caps, now).await? {
        tx.execute("UPDATE accounts SET codes_locked = 1 WHERE id = $1", [(&attempt.account).into()]).await?;
        return tx.commit(Counted::Locked).await;
    }
    let spent = tx
        .row("SELECT COUNT(*) AS count FROM code_attempts WHERE login_id = $1", [(&attempt.login).into()])
        .await?
        .map_or(Ok(0), |row| row.count("count"))?;
    if spent >= caps.per_login {
        return tx.roll_back(Counted::LoginSpent).await;
    }
    if let Some(wait) = wait_of_hour(&mut tx, attempt, caps, now).await? {
        return tx.roll_back(Counted::Wait(wait)).await;
    }
    let number = spent.saturating_add(1);
    tx.execute(
        "INSERT INTO code_attempts (login_id, number, account, at, outcome) VALUES ($1, $2, $3, $4, 'charged')",
        [(&attempt.login).into(), number.into(), (&attempt.account).into(), now.into()],
    )
    .await?;
    tx.commit(Counted::Number(number)).await
}

/// The login has signed in: its last guess was the right one, and the account's wrong ones in a row are cleared. (They go on counting for 30 days.)
/// Whoever sent the code has delivered it.
pub(super) async fn clear_code_failures(
    tx: &mut Connection,
    login: &LoginId,
    account: &AccountId,
) -> Result<(), SqlError> {
    tx.execute(
        "UPDATE code_attempts SET outcome = 'right'
         WHERE login_id = $1 AND number = (SELECT MAX(number) FROM code_attempts WHERE login_id = $1)",
        [login.into()],
    )
    .await?;
    tx.execute(
        "UPDATE code_attempts SET outcome = 'cleared' WHERE account = $1 AND outcome = 'charged'",
        [account.into()],
    )
    .await?;
    handovers::entered(tx, login).await
}

/// An operator unlocks: none of the account's guesses count any more, but those of a login still do for that login. Gives back whether any did.
pub(super) async fn forgive_code_failures(tx: &mut Connection, account: &AccountId) -> Result<bool, SqlError> {
    let changed = tx
        .execute(
            "UPDATE code_attempts SET outcome = 'forgiven' WHERE account = $1 AND outcome IN ('charged', 'cleared')",
            [account.into()],
        )
        .await?;
    let unlocked =
        tx.execute("UPDATE accounts SET codes_locked = 0 WHERE id = $1 AND codes_locked = 1", [account.into()]).await?;
    Ok(changed > 0 || unlocked > 0)
}

/// How a subject is called in its table.
pub(super) fn subject_key(subject: &PasswordSubject) -> String {
    match subject {
        PasswordSubject::Account(id) => format!("a:{id}"),
        PasswordSubject::Unknown(hash) => format!("u:{}", hex::encode(hash)),
    }
}

/// How long until a sliding window takes one more: `newest_first` are the times counted. `None`: at once.
pub(super) fn wait_for(newest_first: &[UnixMillis], most: u32, window: Duration, now: UnixMillis) -> Option<Duration> {
    let Some(index) = most.checked_sub(1) else { return Some(window) };
    let decisive = newest_first.get(usize::try_from(index).unwrap_or(usize::MAX))?;
    let free_at = decisive.plus(window);
    (now < free_at).then(|| free_at.since(now))
}

/// The column `at` of each row.
pub(super) fn times(rows: &[Row]) -> Result<Vec<UnixMillis>, SqlError> {
    rows.iter().map(|row| row.at("at")).collect()
}

async fn is_at_ceiling(
    tx: &mut Connection,
    attempt: &NewAttempt,
    caps: &CodeAttemptCaps,
    now: UnixMillis,
) -> Result<bool, SqlError> {
    let row = tx
        .row(
            "SELECT COUNT(CASE WHEN outcome = 'charged' THEN 1 END) AS in_a_row, COUNT(CASE WHEN at > $2 THEN 1 END) AS in_30_days
             FROM code_attempts WHERE account = $1 AND outcome IN ('charged', 'cleared')",
            [(&attempt.account).into(), now.minus(THIRTY_DAYS).into()],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    Ok(row.count("in_a_row")? >= caps.in_a_row || row.count("in_30_days")? >= caps.per_30_days)
}

async fn wait_of_hour(
    tx: &mut Connection,
    attempt: &NewAttempt,
    caps: &CodeAttemptCaps,
    now: UnixMillis,
) -> Result<Option<Duration>, SqlError> {
    let rows = tx
        .rows(
            "SELECT at FROM code_attempts WHERE account = $1 AND outcome = 'charged' ORDER BY at DESC LIMIT $2",
            [(&attempt.account).into(), caps.per_hour.into()],
        )
        .await?;
    Ok(wait_for(&times(&rows)?, caps.per_hour, HOUR, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_one_more_when_its_decisive_charge_has_left_it() {
        let minute = Duration::from_secs(60);
        let times = [50_000, 20_000, 10_000].map(UnixMillis);
        assert_eq!(wait_for(&times, 4, minute, UnixMillis(50_000)), None);
        assert_eq!(wait_for(&times, 3, minute, UnixMillis(50_000)), Some(Duration::from_secs(20)));
        assert_eq!(wait_for(&times, 3, minute, UnixMillis(70_000)), None);
        assert_eq!(wait_for(&times, 2, minute, UnixMillis(70_000)), Some(Duration::from_secs(10)));
        assert_eq!(wait_for(&[], 0, minute, UnixMillis(0)), Some(minute), "none allowed is none allowed");
    }
}
