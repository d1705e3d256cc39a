//! Tickets of enrolments: kept as keyed hashes, one an account, each try counted and committed before it is compared, and used up in the transaction
//! that keeps the number. Compares nothing. Floor: edge.

use async_trait::async_trait;

use super::SqlLedger;
use super::connection::{Connection, Done};
use super::error::SqlError;
use crate::domain::account::AccountId;
use crate::domain::keys::Keys;
use crate::domain::ticket::{ChargedTicket, Ticket, TicketHash};
use crate::domain::time::UnixMillis;
use crate::login::ports::{NewAttempt, PortResult};
use crate::login::tickets::{TicketCharge, Tickets};

#[async_trait]
impl Tickets for SqlLedger {
    async fn charge_ticket(&self, attempt: &NewAttempt, most: u32, now: UnixMillis) -> PortResult<TicketCharge> {
        Ok(match self.database.write(|tx| charge(tx, attempt, most, now)).await? {
            Counted::Compare(hash) => TicketCharge::Granted(ChargedTicket::committed(hash)),
            Counted::Spent => TicketCharge::Spent,
            Counted::NotMade => TicketCharge::NotMade,
            Counted::Stale => TicketCharge::Stale,
        })
    }
}

/// What counting a try came to, before the commit.
enum Counted {
    Compare(TicketHash),
    Spent,
    NotMade,
    Stale,
}

async fn charge(
    mut tx: Connection,
    attempt: &NewAttempt,
    most: u32,
    now: UnixMillis,
) -> Result<Done<Counted>, SqlError> {
    let is_open = tx
        .execute(
            "UPDATE accounts SET epoch = epoch WHERE id = $1 AND status = 'active' AND epoch = $2 AND phone_version = $3
                 AND phone IS NULL AND enrolment_until > $4",
            [(&attempt.account).into(), attempt.epoch.into(), attempt.phone_version.into(), now.into()],
        )
        .await?;
    if is_open == 0 {
        return tx.roll_back(Counted::Stale).await;
    }
    let of_account = "SELECT tries FROM enrolment_tickets WHERE account = $1";
    let Some(ticket) = tx.row(of_account, [(&attempt.account).into()]).await? else {
        return tx.roll_back(Counted::NotMade).await;
    };
    if ticket.count("tries")? >= most {
        return tx.roll_back(Counted::Spent).await;
    }
    let counted = "UPDATE enrolment_tickets SET tries = tries + 1 WHERE account = $1 RETURNING hash";
    let row = tx.row(counted, [(&attempt.account).into()]).await?;
    let stored = match row {
        Some(row) => row.optional_bytes("hash")?.and_then(|bytes| TicketHash::from_stored(&bytes)),
        None => None,
    };
    let hash = stored.ok_or(SqlError::Unreadable("enrolment_tickets.hash"))?;
    tx.commit(Counted::Compare(hash)).await
}

/// Puts a ticket in the place of whatever the account has; `None`: it has none then. The lock on the account is held.
pub(super) async fn replace(
    tx: &mut Connection,
    keys: &Keys,
    account: &AccountId,
    ticket: Option<&Ticket>,
) -> Result<(), SqlError> {
    tx.execute("DELETE FROM enrolment_tickets WHERE account = $1", [account.into()]).await?;
    if let Some(ticket) = ticket {
        let hash = ticket.hash(account, keys);
        tx.execute(
            "INSERT INTO enrolment_tickets (account, hash, tries) VALUES ($1, $2, 0)",
            [account.into(), hash.bytes().as_slice().into()],
        )
        .await?;
    }
    Ok(())
}

/// `false`: this is not the account's ticket any more. The lock on the account is held.
pub(super) async fn use_up(tx: &mut Connection, account: &AccountId, ticket: &TicketHash) -> Result<bool, SqlError> {
    let used = "DELETE FROM enrolment_tickets WHERE account = $1 AND hash = $2";
    Ok(tx.execute(used, [account.into(), ticket.bytes().as_slice().into()]).await? > 0)
}
