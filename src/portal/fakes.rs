//! An outside in memory for the tests of the portal: the ports with just enough behind them, and a switch that silences every store. Floor: edge.

mod own_account;
mod sending;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::account::{Account, AccountId, AccountStatus, Epoch, PhoneVersion};
use crate::domain::audit::AuditRecord;
use crate::domain::keys::Keys;
use crate::domain::limits::{Charge, CodeAttemptCaps, PasswordAttemptCaps, Rate, UnfinishedCaps};
use crate::domain::password::Password;
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::{ChargedAttempt, LoginId};
use crate::domain::phone::PhoneNumber;
use crate::domain::revocation::{FeedRow, Revoked};
use crate::domain::session::{Session, SessionId};
use crate::domain::ticket::{ChargedTicket, Ticket, TicketHash};
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::directory::SessionOverview;
use crate::login::ports::{
    AttemptCharge, AttemptTurn, Clock, CodeRequest, CodeTurn, CountedFailure, Ledger, LimitKey, Limits, NewAttempt,
    Opened, Opening, PasswordCharge, PasswordSubject, PasswordVerdict, PasswordVerifier, PendingLogins, PortError,
    PortResult, SmsResult, StoredLogin,
};
use crate::login::tickets::{TicketCharge, Tickets};

/// The password of every account.
pub(super) const PASSWORD: &str = "three-green-tulips";

/// Everything outside.
#[derive(Debug)]
pub(super) struct Outside {
    now: AtomicI64,
    silent: AtomicBool,
    /// What the next SMS come to; when it is empty they are taken.
    pub(super) sms_results: Mutex<Vec<SmsResult>>,
    /// What passwords come to besides right and wrong.
    pub(super) busy: AtomicBool,
    /// Every failure of a network is over its limit.
    pub(super) network_is_full: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    accounts: Vec<Account>,
    logins: HashMap<LoginId, (StoredLogin, Option<Vec<u8>>)>,
    attempts: HashMap<LoginId, u32>,
    texts: Vec<String>,
    ended: i64,
    sessions: Vec<SessionOverview>,
    /// Logins one of whose codes was right without opening a session.
    accepted: HashSet<LoginId>,
    /// What is kept of each account's ticket, and how often it was tried.
    tickets: HashMap<AccountId, (TicketHash, u32)>,
}

impl Outside {
    pub(super) fn new() -> Arc<Self> {
        let outside = Self {
            now: AtomicI64::new(1_800_000_000_000),
            silent: AtomicBool::new(false),
            sms_results: Mutex::default(),
            busy: AtomicBool::new(false),
            network_is_full: AtomicBool::new(false),
            state: Mutex::default(),
        };
        let open_until = UnixMillis(outside.now.load(Ordering::Relaxed)).plus(Duration::from_secs(86_400));
        for (name, phone, enrolment_until) in [
            ("anna", Some("+32470123456"), None),
            ("ben", None, Some(open_until)),
            ("carla", None, None),
            ("olga", Some("+32470123458"), None),
            ("dora", Some("+32470123459"), None),
        ] {
            outside.state().accounts.push(account(name, phone, enrolment_until));
        }
        Arc::new(outside)
    }

    /// From now on no store answers.
    pub(super) fn fall_silent(&self) {
        self.silent.store(true, Ordering::Relaxed);
    }

    pub(super) fn pass(&self, time: Duration) {
        self.now.fetch_add(time.as_millis() as i64, Ordering::Relaxed);
    }

    /// How many SMS were handed to the provider.
    pub(super) fn sms_count(&self) -> usize {
        self.state().texts.len()
    }

    /// Makes a ticket for an account, in the place of one made before.
    pub(super) fn make_ticket(&self, user_name: &str, keys: &Keys) -> Ticket {
        let mut state = self.state();
        let account = state.accounts.iter().find(|account| account.user_name.as_str() == user_name).unwrap().id;
        let ticket = Ticket::generate();
        state.tickets.insert(account, (ticket.hash(&account, keys), 0));
        ticket
    }

    /// Changes the row of an account, past every rule.
    pub(super) fn change_account(&self, user_name: &str, change: impl FnOnce(&mut Account)) {
        let mut state = self.state();
        let account = state.accounts.iter_mut().find(|account| account.user_name.as_str() == user_name);
        change(account.expect("one of the accounts"));
    }

    /// Every code that was sent, oldest first.
    pub(super) fn codes(&self) -> Vec<String> {
        self.state().texts.clone()
    }

    /// The code of the last SMS.
    pub(super) fn last_code(&self) -> String {
        self.state().texts.last().expect("an SMS was sent").clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn answering(&self) -> PortResult<MutexGuard<'_, State>> {
        if self.silent.load(Ordering::Relaxed) { Err(PortError::new("fake", "silent")) } else { Ok(self.state()) }
    }
}

fn account(name: &str, phone: Option<&str>, enrolment_until: Option<UnixMillis>) -> Account {
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    Account {
        id: AccountId::random(),
        user_name: UserName::parse(name).unwrap(),
        name: None,
        email: None,
        password: PasswordHash::from_stored(hash).unwrap(),
        password_expires_at: (name == "olga").then_some(UnixMillis(i64::MAX)),
        status: AccountStatus::Active,
        epoch: Epoch(1),
        phone: phone.map(|number| PhoneNumber::from_stored(number).unwrap()),
        phone_version: PhoneVersion(1),
        enrolment_until,
        language: None,
        codes_locked: false,
        operator_role: None,
    }
}

impl Clock for Outside {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.now.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl PendingLogins for Outside {
    async fn put(&self, id: &LoginId, record: &[u8], _ttl: Duration) -> PortResult<()> {
        let login =
            StoredLogin { record: record.to_vec(), code_until: None, attempts: 0, sends: 0, last_send_at: None };
        self.answering()?.logins.insert(*id, (login, None));
        Ok(())
    }

    async fn peek(&self, id: &LoginId) -> PortResult<Option<StoredLogin>> {
        Ok(self.answering()?.logins.get(id).map(|(login, _)| login.clone()))
    }

    async fn replace(&self, id: &LoginId, record: &[u8]) -> PortResult<bool> {
        let mut state = self.answering()?;
        let Some((login, code)) = state.logins.get_mut(id) else { return Ok(false) };
        login.record = record.to_vec();
        login.code_until = None;
        *code = None;
        Ok(true)
    }

    async fn spend_attempt(&self, id: &LoginId, most: u32, now: UnixMillis) -> PortResult<AttemptTurn> {
        let mut state = self.answering()?;
        let Some((login, code)) = state.logins.get_mut(id) else { return Ok(AttemptTurn::Gone) };
        let Some(code) = code.clone().filter(|_| login.code_until.is_some_and(|until| now < until)) else {
            return Ok(AttemptTurn::NoCode);
        };
        if login.attempts == most {
            return Ok(AttemptTurn::NoneLeft);
        }
        login.attempts += 1;
        Ok(AttemptTurn::Granted { record: login.record.clone(), code })
    }

    async fn next_code(&self, id: &LoginId, request: &CodeRequest<'_>) -> PortResult<CodeTurn> {
        let mut state = self.answering()?;
        let Some((login, code)) = state.logins.get_mut(id) else { return Ok(CodeTurn::Gone) };
        if login.sends == request.most_sends {
            return Ok(CodeTurn::NoneLeft);
        }
        if let (Some(last), Some(wait)) = (login.last_send_at, request.waits.first()) {
            let due = last.plus(*wait);
            if request.now < due {
                return Ok(CodeTurn::Wait(due.since(request.now)));
            }
        }
        if login.code_until.is_none_or(|until| until <= request.now) {
            *code = Some(request.fresh.to_vec());
        }
        login.code_until = Some(request.code_until);
        login.sends += 1;
        login.last_send_at = Some(request.now);
        Ok(CodeTurn::Send { code: code.clone().unwrap(), number: login.sends })
    }

    async fn take_back_send(&self, id: &LoginId, _number: u32) -> PortResult<()> {
        if let Some((login, _)) = self.answering()?.logins.get_mut(id) {
            login.sends -= 1;
            login.last_send_at = None;
        }
        Ok(())
    }

    async fn finish(&self, id: &LoginId) -> PortResult<()> {
        self.answering()?.logins.remove(id);
        Ok(())
    }
}

#[async_trait]
impl Limits for Outside {
    async fn try_spend(&self, _key: &LimitKey, _rate: Rate, _now: UnixMillis) -> PortResult<Charge> {
        drop(self.answering()?);
        let full = self.network_is_full.load(Ordering::Relaxed);
        Ok(if full { Charge::Wait(Duration::from_secs(42)) } else { Charge::Granted })
    }

    async fn give_back(&self, _key: &LimitKey) -> PortResult<()> {
        Ok(())
    }

    async fn begin_login(
        &self,
        _key: &LimitKey,
        _login: &LoginId,
        _caps: UnfinishedCaps,
        _now: UnixMillis,
    ) -> PortResult<Charge> {
        Ok(Charge::Granted)
    }

    async fn complete_login(&self, _key: &LimitKey, _login: &LoginId) -> PortResult<()> {
        Ok(())
    }
}

#[async_trait]
impl Ledger for Outside {
    async fn account_by_name(&self, name: &UserName) -> PortResult<Option<Account>> {
        Ok(self.answering()?.accounts.iter().find(|account| account.user_name == *name).cloned())
    }

    async fn account(&self, id: &AccountId) -> PortResult<Option<Account>> {
        Ok(self.answering()?.accounts.iter().find(|account| account.id == *id).cloned())
    }

    async fn charge_password(
        &self,
        _subject: &PasswordSubject,
        _caps: &PasswordAttemptCaps,
        now: UnixMillis,
    ) -> PortResult<PasswordCharge> {
        drop(self.answering()?);
        Ok(PasswordCharge::Granted(CountedFailure { wait_before: now, wait_after: now }))
    }

    async fn take_back_password(&self, _subject: &PasswordSubject, _counted: CountedFailure) -> PortResult<()> {
        Ok(())
    }

    async fn accept_password(
        &self,
        _id: &AccountId,
        _rehash: Option<(&PasswordHash, &PasswordHash)>,
        _audit: &AuditRecord,
    ) -> PortResult<()> {
        Ok(())
    }

    async fn record(&self, _audit: &AuditRecord) -> PortResult<()> {
        Ok(())
    }

    async fn charge_code_attempt(
        &self,
        attempt: &NewAttempt,
        caps: &CodeAttemptCaps,
        _now: UnixMillis,
    ) -> PortResult<AttemptCharge> {
        let mut state = self.answering()?;
        let count = state.attempts.entry(attempt.login).or_default();
        if *count == caps.per_login {
            return Ok(AttemptCharge::LoginSpent);
        }
        *count += 1;
        Ok(AttemptCharge::Granted(ChargedAttempt::committed(*count)))
    }

    async fn open_session(&self, opening: &Opening) -> PortResult<Opened> {
        let mut state = self.answering()?;
        if let Some(phone) = &opening.new_phone
            && state.accounts.iter().filter(|account| account.phone.as_ref() == Some(&phone.number)).count()
                >= phone.most_accounts as usize
        {
            return Ok(Opened::NumberTaken);
        }
        if let Some(ticket) = opening.new_phone.as_ref().and_then(|phone| phone.ticket)
            && state.tickets.remove(&opening.session.account).is_none_or(|(kept, _)| kept != ticket)
        {
            return Ok(Opened::EnrolmentClosed);
        }
        let account = state.accounts.iter_mut().find(|account| account.id == opening.session.account).unwrap();
        if let Some(phone) = &opening.new_phone {
            account.phone = Some(phone.number.clone());
            account.phone_version.0 += 1;
        }
        if let Some(password) = &opening.new_password {
            (account.password, account.password_expires_at) = (password.chosen.clone(), None);
        }
        let session = &opening.session;
        state.sessions.push(SessionOverview {
            id: session.id,
            account: session.account,
            user_name: session.user_name.clone(),
            site: session.site.clone(),
            factors: session.factors,
            opened_at: session.opened_at,
            absolute_end: session.absolute_end,
            source: Some(opening.source),
            user_agent: opening.user_agent.clone(),
        });
        Ok(Opened::Opened(Vec::new()))
    }

    async fn session_of_login(&self, _login: &LoginId) -> PortResult<Option<Session>> {
        Ok(None)
    }

    async fn end_session(&self, id: &SessionId, audit: &AuditRecord) -> PortResult<Option<FeedRow>> {
        let mut state = self.answering()?;
        state.ended += 1;
        Ok(Some(FeedRow { number: state.ended, at: audit.at, what: Revoked::Session(*id) }))
    }
}

#[async_trait]
impl Tickets for Outside {
    async fn charge_ticket(&self, attempt: &NewAttempt, most: u32, _now: UnixMillis) -> PortResult<TicketCharge> {
        let mut state = self.answering()?;
        Ok(match state.tickets.get_mut(&attempt.account) {
            None => TicketCharge::NotMade,
            Some((_, tries)) if *tries == most => TicketCharge::Spent,
            Some((kept, tries)) => {
                *tries += 1;
                TicketCharge::Granted(ChargedTicket::committed(*kept))
            }
        })
    }
}

#[async_trait]
impl PasswordVerifier for Outside {
    async fn verify(
        &self,
        _user_name: Option<&UserName>,
        stored: Option<&PasswordHash>,
        password: &Password,
    ) -> PortResult<PasswordVerdict> {
        Ok(match (self.busy.load(Ordering::Relaxed), stored) {
            (true, _) => PasswordVerdict::Busy,
            (false, Some(_)) if password.reveal() == PASSWORD => PasswordVerdict::Right { rehash: None },
            (false, _) => PasswordVerdict::Wrong,
        })
    }

    async fn hash(&self, _password: &Password) -> PortResult<PasswordHash> {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$BBBBBBBBBBBBBBBBBBBBBA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        Ok(PasswordHash::from_stored(hash).unwrap())
    }
}
