//! The ports `Ledger`, `SendLedger` and `RevocationFeed`: which function each verb is. Floor: edge.

use async_trait::async_trait;

use super::guesses::{self, Counted};
use super::{SqlLedger, accounts, activation, feed, handovers, sends, sessions, trail};
use crate::domain::account::{Account, AccountId};
use crate::domain::audit::AuditRecord;
use crate::domain::limits::{CodeAttemptCaps, PasswordAttemptCaps, SendCaps};
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::{ChargedAttempt, LoginId};
use crate::domain::phone::Country;
use crate::domain::revocation::FeedRow;
use crate::domain::session::{Session, SessionId};
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::ports::{
    AttemptCharge, CountedFailure, Ledger, NewAttempt, Opened, Opening, PasswordCharge, PasswordSubject, PortResult,
    RevocationFeed,
};
use crate::login::sending::ports::{ChargedSend, Handover, Lately, NewSend, SendId, SendLedger, SendOutcome};

#[async_trait]
impl Ledger for SqlLedger {
    async fn account_by_name(&self, name: &UserName) -> PortResult<Option<Account>> {
        Ok(accounts::by_name(&self.database, &self.keys, name).await?)
    }

    async fn account(&self, id: &AccountId) -> PortResult<Option<Account>> {
        Ok(accounts::by_id(&self.database, &self.keys, id).await?)
    }

    async fn charge_password(
        &self,
        subject: &PasswordSubject,
        caps: &PasswordAttemptCaps,
        now: UnixMillis,
    ) -> PortResult<PasswordCharge> {
        Ok(self.database.write(|tx| guesses::charge_password(tx, subject, caps, now)).await?)
    }

    async fn take_back_password(&self, subject: &PasswordSubject, counted: CountedFailure) -> PortResult<()> {
        Ok(self.database.write(|tx| guesses::take_back_password(tx, subject, counted)).await?)
    }

    async fn accept_password(
        &self,
        id: &AccountId,
        rehash: Option<(&PasswordHash, &PasswordHash)>,
        audit: &AuditRecord,
    ) -> PortResult<()> {
        Ok(self.database.write(|tx| guesses::accept_password(tx, id, rehash, audit)).await?)
    }

    async fn record(&self, audit: &AuditRecord) -> PortResult<()> {
        Ok(self.database.write(|tx| trail::record(tx, audit)).await?)
    }

    async fn charge_code_attempt(
        &self,
        attempt: &NewAttempt,
        caps: &CodeAttemptCaps,
        now: UnixMillis,
    ) -> PortResult<AttemptCharge> {
        let counted = self.database.write(|tx| guesses::charge_code(tx, attempt, caps, now)).await?;
        Ok(match counted {
            Counted::Number(number) => AttemptCharge::Granted(ChargedAttempt::committed(number)),
            Counted::LoginSpent => AttemptCharge::LoginSpent,
            Counted::Wait(wait) => AttemptCharge::Wait(wait),
            Counted::Locked => AttemptCharge::Locked,
            Counted::Stale => AttemptCharge::Stale,
        })
    }

    async fn open_session(&self, opening: &Opening) -> PortResult<Opened> {
        Ok(self.database.write(|tx| sessions::open(tx, &self.keys, opening)).await?)
    }

    async fn session_of_login(&self, login: &LoginId) -> PortResult<Option<Session>> {
        Ok(sessions::of_login(&self.database, &self.keys, login).await?)
    }

    async fn end_session(&self, id: &SessionId, audit: &AuditRecord) -> PortResult<Option<FeedRow>> {
        Ok(self.database.write(|tx| sessions::end(tx, id, audit)).await?)
    }
}

#[async_trait]
impl SendLedger for SqlLedger {
    async fn lately(&self, login: &LoginId, country: Country, now: UnixMillis) -> PortResult<Lately> {
        Ok(handovers::lately(&self.database, login, country, now).await?)
    }

    async fn charge_send(&self, send: &NewSend, caps: &SendCaps, now: UnixMillis) -> PortResult<ChargedSend> {
        Ok(self.database.write(|tx| sends::charge(tx, send, caps, now)).await?)
    }

    async fn settle_send(
        &self,
        id: &SendId,
        outcome: SendOutcome,
        asked: &[Handover],
        audit: &AuditRecord,
    ) -> PortResult<()> {
        Ok(self.database.write(|tx| sends::settle(tx, id, outcome, asked, audit)).await?)
    }
}

#[async_trait]
impl RevocationFeed for SqlLedger {
    async fn head(&self) -> PortResult<i64> {
        Ok(feed::head(&self.database).await?)
    }

    async fn rows_after(&self, number: i64, now: UnixMillis) -> PortResult<Vec<FeedRow>> {
        Ok(feed::rows_after(&self.database, number, now).await?)
    }

    async fn activated_at(&self) -> PortResult<Option<UnixMillis>> {
        Ok(activation::read_activated_at(&self.database).await?)
    }
}
