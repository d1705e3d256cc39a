//! To which providers messages were handed, and what became of the codes in them: what the order of providers goes by, and what operators are shown.
//! Floor: edge.

use std::time::Duration;

use super::connection::Connection;
use super::database::Database;
use super::error::SqlError;
use crate::domain::pending::LoginId;
use crate::domain::phone::Country;
use crate::domain::time::UnixMillis;
use crate::login::ports::SmsResult;
use crate::login::sending::order::{MOST_JUDGED, Record};
use crate::login::sending::ports::{Handover, Lately, SendId};

/// A code that was not entered by then counts as one that never will be: longer than any pending login lives (design §4.2).
pub(super) const LEFT_LYING: Duration = Duration::from_secs(10 * 60);
/// Older messages say nothing about a provider today. Our own figure.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Who was asked for the login, and the latest codes of each provider in a country.
pub(super) async fn lately(
    database: &Database,
    login: &LoginId,
    country: Country,
    now: UnixMillis,
) -> Result<Lately, SqlError> {
    let asked =
        database.rows("SELECT DISTINCT provider FROM sms_handovers WHERE login_id = $1", [login.into()]).await?;
    let records = database
        .rows(
            "SELECT provider, COUNT(*) AS judged, COUNT(CASE WHEN fate = 'entered' THEN 1 END) AS entered FROM
                 (SELECT provider, fate, ROW_NUMBER() OVER (PARTITION BY provider ORDER BY at DESC) AS place FROM sms_handovers
                  WHERE country = $1 AND at > $2 AND answer <> 'recipient' AND (fate IS NOT NULL OR at < $3)) AS latest
             WHERE place <= $4 GROUP BY provider",
            [country.as_str().into(), now.minus(DAY).into(), now.minus(LEFT_LYING).into(), MOST_JUDGED.into()],
        )
        .await?;
    Ok(Lately {
        asked: asked.iter().map(|row| row.text("provider")).collect::<Result<_, _>>()?,
        records: records
            .iter()
            .map(|row| {
                let record = Record { judged: row.count("judged")?, entered: row.count("entered")? };
                Ok((row.text("provider")?, record))
            })
            .collect::<Result<_, SqlError>>()?,
    })
}

/// Writes down who was asked. A code can only be entered from the last message that went out: all others have failed already.
pub(super) async fn insert(tx: &mut Connection, id: &SendId, asked: &[Handover]) -> Result<(), SqlError> {
    let last_out = asked.iter().rposition(|handover| answer(&handover.answer).1 == Fate::Open);
    for (place, handover) in asked.iter().enumerate() {
        let (answer, fate) = answer(&handover.answer);
        let fate = match fate {
            Fate::Open if Some(place) == last_out => None,
            Fate::Open | Fate::Failed => Some("not_entered".to_owned()),
            Fate::Blameless => None,
        };
        tx.execute(
            "INSERT INTO sms_handovers (send_id, place, login_id, provider, country, at, answer, fate)
             SELECT id, $2, login_id, $3, country, at, $4, $5 FROM sms_sends WHERE id = $1",
            [
                id.0.as_str().into(),
                i64::try_from(place).unwrap_or(i64::MAX).into(),
                handover.provider.as_str().into(),
                answer.into(),
                fate.into(),
            ],
        )
        .await?;
    }
    Ok(())
}

/// Another message is sent for the login: the code of those before it did not come, as far as anybody can tell.
pub(super) async fn asked_again(tx: &mut Connection, login: &LoginId) -> Result<(), SqlError> {
    tx.execute(
        "UPDATE sms_handovers SET fate = 'not_entered' WHERE login_id = $1 AND fate IS NULL AND answer <> 'recipient'",
        [login.into()],
    )
    .await?;
    Ok(())
}

/// The right code was entered: it came with the last message.
pub(super) async fn entered(tx: &mut Connection, login: &LoginId) -> Result<(), SqlError> {
    tx.execute(
        "UPDATE sms_handovers SET fate = 'entered' WHERE login_id = $1 AND fate IS NULL AND answer <> 'recipient'",
        [login.into()],
    )
    .await?;
    Ok(())
}

/// What an answer means for the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It may be entered.
    Open,
    /// The provider is to blame that it will not be.
    Failed,
    /// It will not be, and no provider is to blame.
    Blameless,
}

fn answer(answer: &SmsResult) -> (&'static str, Fate) {
    match answer {
        SmsResult::Accepted(_) => ("accepted", Fate::Open),
        SmsResult::MaybeSent => ("maybe_sent", Fate::Open),
        SmsResult::Recipient => ("recipient", Fate::Blameless),
        SmsResult::Provider => ("provider", Fate::Failed),
        SmsResult::Transient => ("transient", Fate::Failed),
    }
}
