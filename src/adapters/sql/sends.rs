//! SMS, counted before they are sent. One row is locked by everybody who counts one, so that every limit is exact: the account's and the
//! number's, whoever shares it, and the total. A send takes a few milliseconds, which is far more than money allows a day. Floor: edge.

use std::time::Duration;

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::guesses::{times, wait_for};
use super::sms_guard::{self, Guarded};
use super::{handovers, trail};
use crate::domain::audit::AuditRecord;
use crate::domain::limits::SendCaps;
use crate::domain::time::UnixMillis;
use crate::login::sending::guard::Recipient;
use crate::login::sending::ports::{ChargedSend, Handover, NewSend, SendCharge, SendId, SendOutcome};

const HALF_HOUR: Duration = Duration::from_secs(30 * 60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Counts one SMS. What certainly did not go out does not count.
pub(super) async fn charge(
    mut tx: Connection,
    send: &NewSend,
    caps: &SendCaps,
    now: UnixMillis,
) -> Result<Done<ChargedSend>, SqlError> {
    tx.execute("UPDATE sms_head SET n = n + 1", []).await?;
    let of_login = tx
        .row(
            "SELECT COUNT(*) AS count FROM sms_sends WHERE login_id = $1 AND outcome <> 'not_sent'",
            [(&send.login).into()],
        )
        .await?
        .map_or(Ok(0), |row| row.count("count"))?;
    if of_login >= caps.per_login {
        return tx.roll_back(refused(SendCharge::LoginSpent)).await;
    }
    let most = caps.per_half_hour.max(caps.per_day);
    let of_account = tx
        .rows(
            "SELECT at FROM sms_sends WHERE account = $1 AND notice = 0 AND outcome <> 'not_sent' ORDER BY at DESC LIMIT $2",
            [(&send.account).into(), most.into()],
        )
        .await?;
    let of_number = tx
        .rows(
            "SELECT at FROM sms_sends WHERE number_hash = $1 AND notice = 0 AND outcome <> 'not_sent' ORDER BY at DESC LIMIT $2",
            [send.number.as_slice().into(), most.into()],
        )
        .await?;
    let mut wait = None;
    for counted in [times(&of_account)?, times(&of_number)?] {
        wait = wait.max(wait_for(&counted, caps.per_half_hour, HALF_HOUR, now)).max(wait_for(
            &counted,
            caps.per_day,
            DAY,
            now,
        ));
    }
    if let Some(wait) = wait {
        return tx.roll_back(refused(SendCharge::Wait(wait))).await;
    }
    let Guarded { refused, reports, recipient } = sms_guard::ask(&mut tx, send, caps, now).await?;
    if let Some((why, wait)) = refused {
        let refused = ChargedSend { charge: SendCharge::Guarded(why, wait), reports };
        // a prefix that is closed now stays closed
        let is_news = !refused.reports.is_empty();
        return if is_news { tx.commit(refused).await } else { tx.roll_back(refused).await };
    }
    handovers::asked_again(&mut tx, &send.login).await?;
    let id = super::fresh_id();
    tx.execute(
        "INSERT INTO sms_sends (id, login_id, account, number_hash, country, at, outcome, prefix, dial_code, newcomer)
         VALUES ($1, $2, $3, $4, $5, $6, 'charged', $7, $8, $9)",
        [
            id.as_str().into(),
            (&send.login).into(),
            (&send.account).into(),
            send.number.as_slice().into(),
            send.country.as_str().into(),
            now.into(),
            hex::encode(send.prefix).into(),
            u32::from(send.dial_code).into(),
            i64::from(recipient == Recipient::Newcomer).into(),
        ],
    )
    .await?;
    tx.commit(ChargedSend { charge: SendCharge::Granted(SendId(id)), reports }).await
}

fn refused(charge: SendCharge) -> ChargedSend {
    ChargedSend { charge, reports: Vec::new() }
}

/// Writes down what became of a counted SMS. The first word holds: an SMS that has gone out is not given back later.
pub(super) async fn settle(
    mut tx: Connection,
    id: &SendId,
    outcome: SendOutcome,
    asked: &[Handover],
    audit: &AuditRecord,
) -> Result<Done<()>, SqlError> {
    let outcome = match outcome {
        SendOutcome::Accepted => "accepted",
        SendOutcome::MaybeSent => "maybe_sent",
        SendOutcome::NotSent => "not_sent",
    };
    let settled = tx
        .execute(
            "UPDATE sms_sends SET outcome = $2 WHERE id = $1 AND outcome = 'charged'",
            [id.0.as_str().into(), outcome.into()],
        )
        .await?;
    if settled > 0 {
        handovers::insert(&mut tx, id, asked).await?;
    }
    trail::append(&mut tx, audit).await?;
    tx.commit(()).await
}
