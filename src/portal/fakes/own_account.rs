//! People's own accounts in the outside in memory. Floor: edge.

use async_trait::async_trait;

use super::{Outside, State};
use crate::domain::account::{AccountId, Epoch};
use crate::domain::audit::AuditRecord;
use crate::domain::pending::LoginId;
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::{Session, SessionId};
use crate::domain::time::UnixMillis;
use crate::login::directory::SessionOverview;
use crate::login::own_account::{NumberReplaced, NumberReplacement, OwnAccount, OwnPasswordChange};
use crate::login::ports::PortResult;

impl State {
    fn end(&mut self, audit: &AuditRecord, which: impl Fn(&SessionOverview) -> bool) -> Vec<FeedRow> {
        let ended: Vec<SessionId> =
            self.sessions.extract_if(.., |session| which(session)).map(|session| session.id).collect();
        let mut rows = Vec::new();
        for id in ended {
            self.ended += 1;
            rows.push(FeedRow { number: self.ended, at: audit.at, what: Revoked::Session(id) });
        }
        rows
    }
}

#[async_trait]
impl OwnAccount for Outside {
    async fn open_sessions(&self, account: &AccountId, _now: UnixMillis) -> PortResult<Vec<SessionOverview>> {
        let state = self.answering()?;
        Ok(state.sessions.iter().filter(|session| session.account == *account).cloned().collect())
    }

    async fn end_own_session(
        &self,
        account: &AccountId,
        id: &SessionId,
        audit: &AuditRecord,
    ) -> PortResult<Option<FeedRow>> {
        Ok(self.answering()?.end(audit, |session| session.account == *account && session.id == *id).pop())
    }

    async fn change_password(&self, change: &OwnPasswordChange) -> PortResult<Option<(Epoch, FeedRow)>> {
        let mut state = self.answering()?;
        let session = &change.session;
        let found =
            state.accounts.iter_mut().find(|account| account.id == session.account && account.epoch == session.epoch);
        let Some(account) = found else { return Ok(None) };
        account.epoch.0 += 1;
        account.password = change.chosen.clone();
        let epoch = account.epoch;
        let _ended = state.end(&change.audit, |other| other.account == session.account && other.id != session.id);
        state.ended += 1;
        let what = Revoked::AccountBefore(session.account, epoch);
        Ok(Some((epoch, FeedRow { number: state.ended, at: change.audit.at, what })))
    }

    async fn accept_code(&self, login: &LoginId, _account: &AccountId, _audit: &AuditRecord) -> PortResult<bool> {
        Ok(self.answering()?.accepted.insert(*login))
    }

    async fn replace_number(&self, replacement: &NumberReplacement) -> PortResult<NumberReplaced> {
        let mut state = self.answering()?;
        let session = &replacement.session;
        let new_phone = &replacement.new_phone;
        let holders = state.accounts.iter().filter(|account| account.phone.as_ref() == Some(&new_phone.number)).count();
        if holders >= new_phone.most_accounts as usize {
            return Ok(NumberReplaced::NumberTaken);
        }
        let found = state.accounts.iter_mut().find(|account| {
            account.id == session.account
                && account.epoch == session.epoch
                && account.phone_version == replacement.phone_version
        });
        let Some(account) = found else { return Ok(NumberReplaced::Stale) };
        account.epoch.0 += 1;
        account.phone_version.0 += 1;
        account.phone = Some(new_phone.number.clone());
        let epoch = account.epoch;
        let _ended = state.end(&replacement.audit, |other| other.account == session.account && other.id != session.id);
        state.ended += 1;
        let what = Revoked::AccountBefore(session.account, epoch);
        Ok(NumberReplaced::Done(epoch, FeedRow { number: state.ended, at: replacement.audit.at, what }))
    }

    async fn end_other_sessions(&self, kept: &Session, audit: &AuditRecord) -> PortResult<Vec<FeedRow>> {
        Ok(self.answering()?.end(audit, |session| session.account == kept.account && session.id != kept.id))
    }
}
