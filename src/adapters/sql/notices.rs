//! The port `Outbox`: what people are still to be told, written in the transaction of the change and taken by one node at a time. A node that dies
//! with a notice keeps it from the others until its lease is over: then it is told again, which is better than not at all. Floor: edge.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::connection::{Connection, Done};
use super::error::SqlError;
use super::personal::{self, Field};
use super::value::Row;
use super::{SqlLedger, sms_guard};
use crate::domain::account::{Account, AccountId};
use crate::domain::audit::AuditRecord;
use crate::domain::keys::{HashPurpose, Keys};
use crate::domain::language::Language;
use crate::domain::limits::SendCaps;
use crate::domain::notice::{Change, Notice, Recipient, Way};
use crate::domain::phone::PhoneNumber;
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::login::chain;
use crate::login::notices::{Claim, Claimed, Fate, Outbox};
use crate::login::ports::PortResult;
use crate::login::sending::ports::SendOutcome;

/// How long a notice belongs to the node that took it: longer than any message takes to be handed over. Our own figure.
const LEASE: Duration = Duration::from_secs(300);
/// How long a notice waits that the limits of SMS leave no room for. Our own figure.
const PUT_OFF: Duration = Duration::from_secs(900);

/// What is sealed of a notice.
#[derive(Serialize, Deserialize)]
struct Content {
    to: String,
    user_name: String,
    ending: Option<String>,
}

/// Writes down what `account`, as it was before the change, is to be told, to each place where it can be reached: the number it had, and its
/// e-mail address. The first number of an account is told to the address alone: a code was typed that came there, or an operator gave it.
pub(super) async fn write(
    tx: &mut Connection,
    keys: &Keys,
    account: &Account,
    change: Change,
    new_number: Option<&PhoneNumber>,
    audit: &AuditRecord,
) -> Result<(), SqlError> {
    let number = account.phone.as_ref().map(|number| (Way::Sms, number.e164()));
    let address = account.email.as_deref().map(|address| (Way::Mail, address));
    for (way, to) in number.into_iter().chain(address) {
        let id = super::fresh_id();
        let content = Content {
            to: to.to_owned(),
            user_name: account.user_name.as_str().to_owned(),
            ending: new_number.map(|number| number.last_two().to_owned()),
        };
        let content = serde_json::to_string(&content).map_err(|_| SqlError::Unreadable("notices.content"))?;
        tx.execute(
            "INSERT INTO notices (id, account, change, way, site, language, at, content, due_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7)",
            [
                id.as_str().into(),
                (&account.id).into(),
                change.name().into(),
                way.name().into(),
                audit.site.as_ref().map(ToString::to_string).into(),
                account.language.unwrap_or(Language::En).tag().into(),
                audit.at.into(),
                personal::seal(keys, Field::NoticeContent, &id, Some(&content)),
            ],
        )
        .await?;
    }
    Ok(())
}

#[async_trait]
impl Outbox for SqlLedger {
    async fn is_due(&self, way: Way, now: UnixMillis) -> PortResult<bool> {
        let sql = "SELECT id FROM notices WHERE way = $1 AND due_at <= $2 LIMIT 1";
        Ok(self.database.row(sql, [way.name().into(), now.into()]).await?.is_some())
    }

    async fn claim(&self, way: Way, caps: &SendCaps, now: UnixMillis) -> PortResult<Claim> {
        Ok(self.database.write(|tx| claim(tx, &self.keys, way, caps, now)).await?)
    }

    async fn settle(&self, claimed: &Claimed, fate: Fate) -> PortResult<()> {
        Ok(self.database.write(|tx| settle(tx, claimed, fate)).await?)
    }
}

async fn claim(
    mut tx: Connection,
    keys: &Keys,
    way: Way,
    caps: &SendCaps,
    now: UnixMillis,
) -> Result<Done<Claim>, SqlError> {
    if way == Way::Sms {
        // ahead of the row, as whoever counts a code takes it first
        tx.execute("UPDATE sms_head SET n = n + 1", []).await?;
    }
    let lease = super::fresh_id();
    // who waited for another node's claim looks at the row again, and finds it not due
    let taken = tx
        .row(
            "UPDATE notices SET tries = tries + 1, due_at = $3, lease = $4
             WHERE id = (SELECT id FROM notices WHERE way = $1 AND due_at <= $2 ORDER BY due_at, id LIMIT 1) AND due_at <= $2
             RETURNING id, account, change, site, language, at, content, tries",
            [way.name().into(), now.into(), now.plus(LEASE).into(), lease.as_str().into()],
        )
        .await?;
    let Some(row) = taken else { return tx.roll_back(Claim::Nothing).await };
    let mut claimed = match read(&row, keys, way, lease) {
        Ok(claimed) => claimed,
        Err(error) => {
            // it will not be readable later, and those behind it are
            tracing::error!(cause = chain(&error), "a notice cannot be read; it is told to nobody");
            tx.execute("DELETE FROM notices WHERE id = $1", [row.text("id")?.into()]).await?;
            return tx.commit(Claim::Nothing).await;
        }
    };
    if let Recipient::Number(number) = &claimed.to {
        let hash = keys.hash(HashPurpose::PhoneLookup, number.e164().as_bytes());
        if let Some(cap) = sms_guard::full_for_notices(&mut tx, &hash, caps, now).await? {
            tx.execute(
                "UPDATE notices SET tries = tries - 1, due_at = $2, lease = NULL WHERE id = $1",
                [claimed.id.as_str().into(), now.plus(PUT_OFF).into()],
            )
            .await?;
            return tx.commit(Claim::PutOff { cap, at: claimed.notice.at, id: claimed.id }).await;
        }
        let send = super::fresh_id();
        tx.execute(
            "INSERT INTO sms_sends (id, login_id, account, number_hash, country, at, outcome, dial_code, notice)
             VALUES ($1, $2, $3, $4, $5, $6, 'charged', $7, 1)",
            [
                send.as_str().into(),
                format!("notice:{}", claimed.id).into(),
                (&claimed.notice.account).into(),
                hash.as_slice().into(),
                number.country().as_str().into(),
                now.into(),
                u32::from(number.country().calling_code()).into(),
            ],
        )
        .await?;
        claimed.send = Some(send);
    }
    tx.commit(Claim::Notice(Box::new(claimed))).await
}

fn read(row: &Row, keys: &Keys, way: Way, lease: String) -> Result<Claimed, SqlError> {
    let id = row.text("id")?;
    let field = Field::NoticeContent;
    let content = personal::open(keys, field, &id, row)?.map(zeroize::Zeroizing::new);
    let content: Content = content
        .and_then(|content| serde_json::from_str(&content).ok())
        .ok_or(SqlError::Unreadable("notices.content"))?;
    let to = match way {
        Way::Sms => {
            Recipient::Number(PhoneNumber::from_stored(&content.to).ok_or(SqlError::Unreadable("notices.content"))?)
        }
        Way::Mail => Recipient::Address(content.to),
    };
    Ok(Claimed {
        to,
        tries: row.count("tries")?,
        notice: Notice {
            change: row.parsed("change", Change::parse)?,
            account: row.parsed("account", AccountId::parse)?,
            user_name: content.user_name,
            site: row.optional_text("site")?.map(|site| SiteName::new(&site)),
            language: row.parsed("language", Language::parse)?,
            at: row.at("at")?,
            ending: content.ending,
        },
        id,
        lease,
        send: None,
    })
}

/// A node whose lease is over changes nothing: the notice is another's.
async fn settle(mut tx: Connection, claimed: &Claimed, fate: Fate) -> Result<Done<()>, SqlError> {
    let (id, lease) = (claimed.id.as_str(), claimed.lease.as_str());
    match fate {
        Fate::Over(_) => {
            tx.execute("DELETE FROM notices WHERE id = $1 AND lease = $2", [id.into(), lease.into()]).await?;
        }
        Fate::Again(at) => {
            tx.execute(
                "UPDATE notices SET due_at = $3, lease = NULL WHERE id = $1 AND lease = $2",
                [id.into(), lease.into(), at.into()],
            )
            .await?;
        }
    }
    if let Some(send) = &claimed.send {
        let outcome = match fate {
            Fate::Over(SendOutcome::Accepted) => "accepted",
            Fate::Over(SendOutcome::MaybeSent) => "maybe_sent",
            Fate::Over(SendOutcome::NotSent) | Fate::Again(_) => "not_sent",
        };
        tx.execute("UPDATE sms_sends SET outcome = $2 WHERE id = $1", [send.as_str().into(), outcome.into()]).await?;
    }
    tx.commit(()).await
}
