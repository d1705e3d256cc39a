//! The counts that the guard against pumping decides by, gathered and written behind the lock of `sends`: caps, prefixes that are closed, and what
//! was told about caps that fill up. What is allowed is decided in `login::sending::guard`. Floor: edge.

use std::time::Duration;

use super::connection::Connection;
use super::error::SqlError;
use super::guesses::{times, wait_for};
use super::handovers::LEFT_LYING;
use super::value::Row;
use crate::domain::limits::{ConversionRule, GuardMode, SendCaps};
use crate::domain::time::UnixMillis;
use crate::login::sending::guard::{Cap, NoticeCaps, Recipient, Scope, caps_for, caps_for_notices, is_pumped};
use crate::login::sending::ports::{Block, GuardReport, NewSend, NumberIs};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// A share of a cap is told of once in this time. Our own figure.
const TOLD_EVERY: Duration = Duration::from_secs(3600);

/// What the guard says to a message, and what there is to tell about it.
pub(super) struct Guarded {
    /// `None`: it may be sent.
    pub(super) refused: Option<(&'static str, Duration)>,
    pub(super) reports: Vec<GuardReport>,
    pub(super) recipient: Recipient,
}

/// Asks every cap that the message falls under, as if it were counted next.
pub(super) async fn ask(
    tx: &mut Connection,
    send: &NewSend,
    caps: &SendCaps,
    now: UnixMillis,
) -> Result<Guarded, SqlError> {
    let recipient = recipient(tx, send).await?;
    let mut guarded = Guarded { refused: None, reports: Vec::new(), recipient };
    match recipient {
        Recipient::Known => {}
        Recipient::Newcomer => {
            let (until, begun) = block(tx, send, &caps.conversion, now).await?;
            guarded.reports.extend(begun.map(GuardReport::Blocked));
            if let Some(until) = until {
                guarded.refuse(caps.guard, "prefix_blocked", until.since(now));
            }
        }
    }
    // no cap makes anybody wait for longer than a closed prefix, as a rule, and under attack this is asked often
    if guarded.refused.is_some() {
        return Ok(guarded);
    }
    for cap in caps_for(caps, recipient) {
        let counted = count(tx, &cap, send, now.minus(cap.window)).await?;
        if cap.is_full(counted) {
            guarded.refuse(cap.mode, cap.name(), wait_of(tx, &cap, send, now).await?);
        } else if let Some(percent) = cap.alarm(counted)
            && tells(tx, &cap, send, percent, now).await?
        {
            guarded.reports.push(GuardReport::Fills { cap: cap.name(), most: cap.most, percent });
        }
    }
    Ok(guarded)
}

/// The cap that leaves no room for one more notice to the number with this keyed hash; `None`: there is room. Asked behind the lock of `sends`.
pub(super) async fn full_for_notices(
    tx: &mut Connection,
    number: &[u8; 32],
    caps: &SendCaps,
    now: UnixMillis,
) -> Result<Option<&'static str>, SqlError> {
    const TOTAL: &str = "SELECT COUNT(*) AS count FROM sms_sends WHERE at > $1 AND outcome <> 'not_sent'";
    const NOTICES: &str =
        "SELECT COUNT(*) AS count FROM sms_sends WHERE notice = 1 AND at > $1 AND outcome <> 'not_sent'";
    let NoticeCaps { total_minute, total_day, notices_day, number_day } = caps_for_notices(caps);
    for (name, sql, window, most) in [
        ("total_minute", TOTAL, MINUTE, total_minute),
        ("total_day", TOTAL, DAY, total_day),
        ("notices_day", NOTICES, DAY, notices_day),
    ] {
        let row = tx.row(sql, [now.minus(window).into()]).await?;
        if row.map_or(Ok(0), |row| row.count("count"))? >= most {
            return Ok(Some(name));
        }
    }
    let row = tx
        .row(
            "SELECT COUNT(*) AS count FROM sms_sends WHERE number_hash = $2 AND notice = 1 AND at > $1 AND outcome <> 'not_sent'",
            [now.minus(DAY).into(), number.as_slice().into()],
        )
        .await?;
    let is_full = row.map_or(Ok(0), |row| row.count("count"))? >= number_day;
    Ok(is_full.then_some("notices_to_number_day"))
}

impl Guarded {
    /// The longest wait of all that refuse is the one that is told.
    fn refuse(&mut self, mode: GuardMode, why: &'static str, wait: Duration) {
        match mode {
            GuardMode::Observe => self.reports.push(GuardReport::WouldRefuse(why)),
            GuardMode::Enforce if self.refused.is_none_or(|(_, longest)| longest < wait) => {
                self.refused = Some((why, wait));
            }
            GuardMode::Enforce => {}
        }
    }
}

async fn recipient(tx: &mut Connection, send: &NewSend) -> Result<Recipient, SqlError> {
    if send.number_is == NumberIs::New {
        return Ok(Recipient::Newcomer);
    }
    let signed_in = "SELECT id FROM accounts WHERE id = $1 AND last_sign_in_at IS NOT NULL";
    Ok(match tx.row(signed_in, [(&send.account).into()]).await? {
        Some(_) => Recipient::Known,
        None => Recipient::Newcomer,
    })
}

async fn count(tx: &mut Connection, cap: &Cap, send: &NewSend, since: UnixMillis) -> Result<u32, SqlError> {
    let (prefix, dial_code) = (hex::encode(send.prefix), u32::from(send.dial_code));
    let row = match cap.scope {
        Scope::Total => {
            let sql = "SELECT COUNT(*) AS count FROM sms_sends WHERE at > $1 AND outcome <> 'not_sent'";
            tx.row(sql, [since.into()]).await?
        }
        Scope::Newcomers => {
            let sql =
                "SELECT COUNT(*) AS count FROM sms_sends WHERE newcomer = 1 AND at > $1 AND outcome <> 'not_sent'";
            tx.row(sql, [since.into()]).await?
        }
        Scope::Prefix => {
            let sql = "SELECT COUNT(*) AS count FROM sms_sends WHERE prefix = $2 AND newcomer = 1 AND at > $1 AND outcome <> 'not_sent'";
            tx.row(sql, [since.into(), prefix.into()]).await?
        }
        Scope::DialCode => {
            let sql = "SELECT COUNT(*) AS count FROM sms_sends WHERE dial_code = $2 AND newcomer = 1 AND at > $1 AND outcome <> 'not_sent'";
            tx.row(sql, [since.into(), dial_code.into()]).await?
        }
    };
    row.map_or(Ok(0), |row| row.count("count"))
}

/// How long until a full cap has room again: when the one that is `most` back leaves the window.
async fn wait_of(tx: &mut Connection, cap: &Cap, send: &NewSend, now: UnixMillis) -> Result<Duration, SqlError> {
    let Some(before) = cap.most.checked_sub(1) else { return Ok(cap.window) };
    let (prefix, dial_code) = (hex::encode(send.prefix), u32::from(send.dial_code));
    let decisive: Vec<Row> = match cap.scope {
        Scope::Total => {
            let sql = "SELECT at FROM sms_sends WHERE outcome <> 'not_sent' ORDER BY at DESC LIMIT 1 OFFSET $1";
            tx.rows(sql, [before.into()]).await?
        }
        Scope::Newcomers => {
            let sql = "SELECT at FROM sms_sends WHERE newcomer = 1 AND outcome <> 'not_sent' ORDER BY at DESC LIMIT 1 OFFSET $1";
            tx.rows(sql, [before.into()]).await?
        }
        Scope::Prefix => {
            let sql = "SELECT at FROM sms_sends WHERE prefix = $2 AND newcomer = 1 AND outcome <> 'not_sent' ORDER BY at DESC LIMIT 1 OFFSET $1";
            tx.rows(sql, [before.into(), prefix.into()]).await?
        }
        Scope::DialCode => {
            let sql = "SELECT at FROM sms_sends WHERE dial_code = $2 AND newcomer = 1 AND outcome <> 'not_sent' ORDER BY at DESC LIMIT 1 OFFSET $1";
            tx.rows(sql, [before.into(), dial_code.into()]).await?
        }
    };
    Ok(wait_for(&times(&decisive)?, 1, cap.window, now).unwrap_or(Duration::from_secs(1)))
}

/// Whether this share of the cap has not been told of lately; it counts as told then.
async fn tells(
    tx: &mut Connection,
    cap: &Cap,
    send: &NewSend,
    percent: u32,
    now: UnixMillis,
) -> Result<bool, SqlError> {
    let of = match cap.scope {
        Scope::Total | Scope::Newcomers => String::new(),
        Scope::Prefix => hex::encode(send.prefix),
        Scope::DialCode => send.dial_code.to_string(),
    };
    let subject = format!("{}:{of}", cap.name());
    let told = tx
        .execute(
            "INSERT INTO sms_alarms (subject, percent, at) VALUES ($1, $2, $3)
             ON CONFLICT (subject, percent) DO UPDATE SET at = excluded.at WHERE sms_alarms.at <= $4",
            [subject.into(), percent.into(), now.into(), now.minus(TOLD_EVERY).into()],
        )
        .await?;
    Ok(told > 0)
}

/// Until when the prefix is closed, and the block when it begins now.
async fn block(
    tx: &mut Connection,
    send: &NewSend,
    rule: &ConversionRule,
    now: UnixMillis,
) -> Result<(Option<UnixMillis>, Option<Block>), SqlError> {
    let prefix = hex::encode(send.prefix);
    let row = tx.row("SELECT counted_from FROM sms_blocks WHERE prefix = $1", [prefix.as_str().into()]).await?;
    let counted_from = row.map(|row| row.at("counted_from")).transpose()?;
    if let Some(until) = counted_from.filter(|until| now < *until) {
        return Ok((Some(until), None));
    }
    let since = now.minus(DAY).max(counted_from.unwrap_or(UnixMillis(0)));
    let (judged, entered) = conversion(tx, &prefix, since, now).await?;
    if !is_pumped(rule, judged, entered) {
        return Ok((None, None));
    }
    let block =
        Block { digits: send.prefix_digits.clone(), blocked_at: now, until: now.plus(rule.block), judged, entered };
    tx.execute(
        "INSERT INTO sms_blocks (prefix, digits, blocked_at, counted_from, judged, entered) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (prefix) DO UPDATE SET blocked_at = excluded.blocked_at, counted_from = excluded.counted_from,
             judged = excluded.judged, entered = excluded.entered",
        [
            prefix.into(),
            block.digits.as_str().into(),
            now.into(),
            block.until.into(),
            judged.into(),
            entered.into(),
        ],
    )
    .await?;
    Ok((Some(block.until), Some(block)))
}

/// Messages to newcomers with the prefix whose fate is known, and those among them whose code was entered.
async fn conversion(
    tx: &mut Connection,
    prefix: &str,
    since: UnixMillis,
    now: UnixMillis,
) -> Result<(u32, u32), SqlError> {
    let row = tx
        .row(
            "SELECT COUNT(*) AS judged, COALESCE(SUM(entered), 0) AS entered FROM
                 (SELECT MAX(CASE WHEN handover.fate = 'entered' THEN 1 ELSE 0 END) AS entered
                  FROM sms_sends AS send JOIN sms_handovers AS handover ON handover.send_id = send.id
                  WHERE send.prefix = $1 AND send.newcomer = 1 AND send.at > $2 AND handover.answer IN ('accepted', 'maybe_sent')
                      AND (handover.fate IS NOT NULL OR send.at < $3)
                  GROUP BY send.id) AS sends",
            [prefix.into(), since.into(), now.minus(LEFT_LYING).into()],
        )
        .await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.count("judged")?, row.count("entered")?)))
}
