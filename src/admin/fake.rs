//! A directory in memory and a quick hasher, for the tests of the operations. What SQL has to do is held by the directory's contract, not here.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use crate::domain::account::{AccountId, AccountStatus, Epoch};
use crate::domain::audit::{AuditLine, AuditRecord};
use crate::domain::audit_chain::{ChainHead, ChainReport, KnownHead};
use crate::domain::operator::{self, Forbidden, Gifts, OperatorId, Subject};
use crate::domain::password::Password;
use crate::domain::password_hash::{Argon2Settings, HashMemory, PasswordHash};
use crate::domain::phone::PhoneNumber;
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::SessionId;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::{
    AccountChange, AccountOverview, ActingOperator, ActivationRecord, Census, Changed, Directory, ImportEntry,
    Imported, NewAccount, SessionOverview, SignIns, Standing,
};
use crate::login::ports::{PasswordVerdict, PasswordVerifier, PortError, PortResult};
use crate::login::trail::{Trail, TrailFilter, TrailTurn};

#[derive(Debug, Default)]
pub(super) struct FakeDirectory {
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    accounts: Vec<AccountOverview>,
    audit: Vec<AuditRecord>,
    activated: Option<UnixMillis>,
    rows: i64,
}

impl FakeDirectory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn audit(&self) -> Vec<AuditRecord> {
        self.state().audit.clone()
    }

    /// As if the user had enrolled it.
    pub(super) fn enrol(&self, name: &UserName, phone: PhoneNumber) {
        let mut state = self.state();
        state.accounts.iter_mut().find(|a| a.user_name == *name).unwrap().phone = Some(phone);
    }
}

impl State {
    fn role_of(&self, operator: OperatorId) -> Option<operator::OperatorRole> {
        self.accounts.iter().find(|a| OperatorId::Account(a.id) == operator).and_then(|a| a.operator_role)
    }

    fn add(&mut self, new: &NewAccount, audit: &AuditRecord) -> Result<(), Changed> {
        if self.accounts.iter().any(|a| a.user_name == new.user_name) {
            return Err(Changed::NameTaken);
        }
        self.accounts.push(AccountOverview {
            id: AccountId::random(),
            user_name: new.user_name.clone(),
            name: new.name.clone(),
            email: new.email.clone(),
            phone: new.phone.clone(),
            phone_set_at: new.phone.as_ref().map(|_| audit.at),
            language: new.language,
            status: AccountStatus::Active,
            epoch: Epoch(1),
            password: new.password.clone(),
            password_set_at: audit.at,
            password_expires_at: new.password_expires_at,
            created_at: audit.at,
            enrolment_until: new.enrolment_until,
            last_sign_in_at: None,
            password_failures: 0,
            password_wait_until: None,
            code_failures: 0,
            codes_locked: false,
            operator_role: None,
            gifts: Gifts::default(),
        });
        self.audit.push(audit.clone());
        Ok(())
    }

    fn change(&mut self, id: &AccountId, change: &AccountChange, audit: &AuditRecord) -> Changed {
        self.rows += 1;
        let number = self.rows;
        let Some(at) = self.accounts.iter().position(|a| a.id == *id) else {
            return Changed::NotFound;
        };
        let account = &mut self.accounts[at];
        match change {
            AccountChange::Profile { name, email, language } => {
                account.name = name.clone().or(account.name.take());
                account.email = email.clone().or(account.email.take());
                account.language = language.or(account.language);
            }
            AccountChange::Password(hash) => (account.password, account.password_expires_at) = (hash.clone(), None),
            AccountChange::OneTimePassword { hash, until } => {
                (account.password, account.password_expires_at) = (hash.clone(), Some(*until));
            }
            AccountChange::Phone(phone) if account.phone.as_ref() == Some(phone) => return Changed::Unchanged,
            AccountChange::Phone(phone) => account.phone = Some(phone.clone()),
            AccountChange::ClearPhone if account.phone.is_none() && account.enrolment_until.is_none() => {
                return Changed::Unchanged;
            }
            AccountChange::ClearPhone => (account.phone, account.enrolment_until) = (None, None),
            AccountChange::OpenEnrolment { .. } if account.phone.is_some() => return Changed::HasNumber,
            AccountChange::OpenEnrolment { until, ticket: _ } => account.enrolment_until = Some(*until),
            AccountChange::Unlock => account.codes_locked = false,
            AccountChange::Disable => account.status = AccountStatus::Disabled,
            AccountChange::Enable => account.status = AccountStatus::Active,
            AccountChange::OperatorRole(role) => account.operator_role = *role,
            AccountChange::EndSessions | AccountChange::EndSession(_) | AccountChange::ResetTwoFactor => {}
            AccountChange::Remove => {
                self.accounts.remove(at);
            }
        }
        self.audit.push(audit.clone());
        Changed::Done(vec![FeedRow { number, at: audit.at, what: Revoked::AccountBefore(*id, Epoch(2)) }])
    }
}

#[async_trait]
impl Directory for FakeDirectory {
    async fn import(&self, entries: &[ImportEntry]) -> PortResult<Imported> {
        let mut state = self.state();
        let mut next = state.clone();
        for (at, entry) in entries.iter().enumerate() {
            let changed = match entry {
                ImportEntry::Add { account, audit } => next.add(account, audit).err(),
                ImportEntry::Change { id, change, audit } => match next.change(id, change, audit) {
                    Changed::Done(_) | Changed::Unchanged => None,
                    refused => Some(refused),
                },
            };
            if let Some(refused) = changed {
                return Ok(Imported::Refused(at, refused));
            }
        }
        *state = next;
        Ok(Imported::Done(Vec::new()))
    }

    async fn find(&self, name: &UserName) -> PortResult<Option<AccountOverview>> {
        Ok(self.state().accounts.iter().find(|a| a.user_name == *name).cloned())
    }

    async fn list(&self, after: Option<&UserName>, most: u32) -> PortResult<Vec<AccountOverview>> {
        let mut accounts = self.state().accounts.clone();
        accounts.sort_by(|a, b| a.user_name.cmp(&b.user_name));
        accounts.retain(|a| after.is_none_or(|name| a.user_name > *name));
        accounts.truncate(most as usize);
        Ok(accounts)
    }

    async fn accounts_with(&self, number: &PhoneNumber) -> PortResult<u64> {
        Ok(self.state().accounts.iter().filter(|account| account.phone.as_ref() == Some(number)).count() as u64)
    }

    async fn change(&self, id: &AccountId, change: &AccountChange, audit: &AuditRecord) -> PortResult<Changed> {
        Ok(self.state().change(id, change, audit))
    }

    async fn change_as(
        &self,
        operator: &ActingOperator,
        id: &AccountId,
        change: &AccountChange,
        audit: &AuditRecord,
    ) -> PortResult<Result<Changed, Forbidden>> {
        let mut state = self.state();
        let role = state.role_of(operator.operator);
        let Some(role) = role else { return Ok(Err(Forbidden::NotAnOperator)) };
        let Some(account) = state.accounts.iter().find(|a| a.id == *id) else { return Ok(Ok(Changed::NotFound)) };
        let subject = Subject { account: account.id, role: account.operator_role, gifts: account.gifts };
        Ok(operator::may_do_to(operator.operator, role, operator.action, &subject, audit.at)
            .map(|()| state.change(id, change, audit)))
    }

    async fn begin_action(
        &self,
        operator: &ActingOperator,
        _per_hour: u32,
        _now: UnixMillis,
    ) -> PortResult<Result<(), Forbidden>> {
        let state = self.state();
        let role = state.role_of(operator.operator);
        Ok(role.ok_or(Forbidden::NotAnOperator).and_then(|role| operator::may_begin(role, operator.action)))
    }

    async fn standing(&self, _id: &AccountId) -> PortResult<Option<Standing>> {
        Ok(None)
    }

    async fn operators(&self) -> PortResult<Vec<AccountOverview>> {
        Ok(self.state().accounts.iter().filter(|a| a.operator_role.is_some()).cloned().collect())
    }

    async fn sessions(&self, _account: Option<&AccountId>, _now: UnixMillis) -> PortResult<Vec<SessionOverview>> {
        Ok(Vec::new())
    }

    async fn end_session(&self, _id: &SessionId, _audit: &AuditRecord) -> PortResult<Option<FeedRow>> {
        Ok(None)
    }

    async fn end_all_sessions(&self, audit: &AuditRecord) -> PortResult<u64> {
        self.state().audit.push(audit.clone());
        Ok(0)
    }

    async fn activate(&self, window_until: Option<UnixMillis>, audit: &AuditRecord) -> PortResult<ActivationRecord> {
        let mut state = self.state();
        if let Some(at) = state.activated {
            return Ok(ActivationRecord { at, by_this_call: false });
        }
        state.activated = Some(audit.at);
        state.audit.push(audit.clone());
        for account in state.accounts.iter_mut().filter(|a| a.phone.is_none()) {
            account.enrolment_until = window_until.or(account.enrolment_until);
        }
        Ok(ActivationRecord { at: audit.at, by_this_call: true })
    }

    async fn activated_at(&self) -> PortResult<Option<UnixMillis>> {
        Ok(self.state().activated)
    }

    async fn sign_ins(&self, _later: UnixMillis, _earlier: UnixMillis) -> PortResult<SignIns> {
        Ok(SignIns::default())
    }

    async fn census(&self, _now: UnixMillis) -> PortResult<Census> {
        Ok(Census::default())
    }
}

/// Has nothing to read: the command line's tests read the real one.
#[async_trait]
impl Trail for FakeDirectory {
    async fn page(&self, _filter: &TrailFilter, _turn: TrailTurn, _most: u32) -> PortResult<Vec<AuditLine>> {
        Ok(Vec::new())
    }

    async fn verify(&self, _known: Option<&KnownHead>) -> PortResult<ChainReport> {
        Err(PortError::new("fake", "there is no chain"))
    }

    async fn head(&self) -> PortResult<ChainHead> {
        Ok(ChainHead::default())
    }
}

/// Hashes with the least that is allowed, on the test's own thread.
#[derive(Debug)]
pub(super) struct FakeHasher;

#[async_trait]
impl PasswordVerifier for FakeHasher {
    async fn verify(
        &self,
        _user_name: Option<&UserName>,
        stored: Option<&PasswordHash>,
        password: &Password,
    ) -> PortResult<PasswordVerdict> {
        let mut memory = HashMemory::new(&Argon2Settings::default());
        let is_right = stored.is_some_and(|hash| hash.verify(password, &mut memory));
        Ok(if is_right { PasswordVerdict::Right { rehash: None } } else { PasswordVerdict::Wrong })
    }

    async fn hash(&self, password: &Password) -> PortResult<PasswordHash> {
        let settings = Argon2Settings::default();
        Ok(PasswordHash::of(password, &settings, &mut HashMemory::new(&settings)))
    }
}
