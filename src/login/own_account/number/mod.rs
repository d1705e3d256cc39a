//! Another number for one's own account: the password, a code on the old number, the new number and a code on that, in this order. Each step reads
//! account and session anew; the number is kept in the last transaction alone. The codes are in `codes`. Floor: login.

mod codes;

use std::sync::Arc;
use std::time::Duration;

use super::NumberMay;
use super::password::OwnPassword;
use crate::domain::account::Account;
use crate::domain::language::Language;
use crate::domain::number_change::{NumberChange, OwedCode, ProvesOld};
use crate::domain::pending::{LoginFacts, LoginHandle, LoginId, NeedsPhone, PendingLogin};
use crate::domain::phone::{PhoneNumber, PhoneProblem};
use crate::domain::secret::SecretText;
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;
use crate::login::fail_point::effect;
use crate::login::ports::{PortResult, StoredLogin};
use crate::login::{Audience, Client, CodeStage, Login, PhonePolicy, SendReport, StepError, is_unmoved};

/// Where a change of number stands.
#[derive(Clone, Debug)]
pub enum NumberStage {
    /// Nothing was begun, or it is over: the password is asked for, for another number or for the first one.
    Password(NumberMay),
    /// A code on the old number is owed.
    OldCode(CodeStage),
    /// The new number is to be given.
    NewNumber,
    /// A code on the new number is owed.
    NewCode(CodeStage),
    /// It cannot be changed here: operators do that, or there is none.
    NotHere,
}

/// What came of the password that begins a change.
#[derive(Debug)]
#[must_use]
pub enum NumberChangeBegun {
    /// The code on the old number is asked for next.
    NeedsCode(LoginHandle, SendReport),
    /// There is no number: it is asked for next, as at a sign-in, and what is kept with it is a session in the place of this one.
    NeedsPhone(LoginHandle),
    /// Not correct, or paused after too many tries: the answer is one.
    Refused,
    /// Too many failures from this network; again after this long.
    TooMany(Duration),
    /// Too much is being hashed: again in a few seconds.
    Busy,
    /// It cannot be changed here.
    NotHere,
    /// The account has moved on, or the session has ended.
    Over,
}

/// What came of a code in a change.
#[derive(Debug)]
#[must_use]
pub enum NumberCodeOutcome {
    /// The old number is proved; the new one is asked for next, under another handle.
    OldProved(LoginHandle),
    /// The number is kept. The session goes on with a cookie made from this; the one before has ended.
    Changed(Box<Session>),
    /// Not a code by its form; nothing was counted.
    Malformed,
    /// Wrong; so many tries are left for this number.
    Wrong { left: u32 },
    /// No code is in its lifetime: ask for a new one. Nothing was counted.
    Expired,
    /// The tries are used up: begin again.
    Spent,
    /// Too many wrong codes; again after this long.
    TooMany(Duration),
    /// Codes of this account are refused until an operator unlocks it.
    Locked,
    /// Right, but the number is on as many accounts as may have it. The change is over.
    NumberTaken,
    /// The change is over: begin again.
    Over,
}

/// What came of the new number.
#[derive(Debug)]
#[must_use]
pub enum NewNumberOutcome {
    /// The code is asked for next.
    NeedsCode(SendReport),
    /// It cannot be used, and why.
    Problem(PhoneProblem),
    /// It is the number that the account has.
    Same,
    /// The change is over: begin again.
    Over,
}

/// A stored change with its account as it is now.
struct Found {
    stored: StoredLogin,
    change: NumberChange,
    account: Account,
}

impl Login {
    /// Where the change that `handle` names stands, to draw its page; spends and sends nothing. `Ok(None)`: the session is over.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn number_change(
        self: &Arc<Self>,
        session: &Session,
        handle: Option<&LoginHandle>,
    ) -> Result<Option<NumberStage>, StepError> {
        let (login, session, id) = (Arc::clone(self), session.clone(), handle.map(LoginHandle::login_id));
        self.to_its_end(async move { login.number_stage(&session, id.as_ref()).await }).await
    }

    /// Begins a change with the password; a code goes to the old number. Where there is no number, the first one is asked for, as at a sign-in
    /// that leads to `return_path`.
    ///
    /// # Errors
    /// A store or the hashing could not tell.
    pub async fn begin_number_change(
        self: &Arc<Self>,
        session: &Session,
        password: SecretText,
        return_path: String,
        client: Client,
        page_language: Language,
    ) -> Result<NumberChangeBegun, StepError> {
        let (login, session) = (Arc::clone(self), session.clone());
        let step = async move { login.begin_change(&session, password, return_path, &client, page_language).await };
        self.to_its_end(step).await
    }

    /// A code in a change: on the old number, or on the new one.
    ///
    /// # Errors
    /// A store could not tell; the guess stays counted. If the number was kept all the same, the session has ended.
    pub async fn submit_number_code(
        self: &Arc<Self>,
        session: &Session,
        handle: &LoginHandle,
        typed: String,
        client: Client,
    ) -> Result<NumberCodeOutcome, StepError> {
        let (login, session, id) = (Arc::clone(self), session.clone(), handle.login_id());
        self.to_its_end(async move { login.number_code_step(&session, &id, &typed, &client).await }).await
    }

    /// The new number.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn submit_new_number(
        self: &Arc<Self>,
        session: &Session,
        handle: &LoginHandle,
        typed: String,
        client: Client,
        page_language: Language,
    ) -> Result<NewNumberOutcome, StepError> {
        let (login, session, id) = (Arc::clone(self), session.clone(), handle.login_id());
        self.to_its_end(async move { login.new_number_step(&session, &id, &typed, &client, page_language).await }).await
    }

    /// A new SMS for the code that a change owes. `Ok(None)`: the change is over.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn resend_number_code(
        self: &Arc<Self>,
        session: &Session,
        handle: &LoginHandle,
        client: Client,
        page_language: Language,
    ) -> Result<Option<SendReport>, StepError> {
        let (login, session, id) = (Arc::clone(self), session.clone(), handle.login_id());
        self.to_its_end(async move {
            let now = login.now();
            let Some(found) = login.find_change(&session, &id, now).await? else { return Ok(None) };
            let owed = match &found.change {
                NumberChange::OldCode(waiting) => OwedCode::OldNumber(waiting),
                NumberChange::NewCode(waiting) => OwedCode::NewNumber(waiting),
                NumberChange::NewNumber(_) => return Ok(None),
            };
            Ok(Some(login.send_code(&id, owed, &found.account, &client, page_language, now).await?))
        })
        .await
    }

    async fn number_stage(&self, session: &Session, id: Option<&LoginId>) -> PortResult<Option<NumberStage>> {
        let now = self.now();
        let Some(account) = self.own(session).await? else { return Ok(None) };
        let may = self.number_may(&account, now);
        if may == NumberMay::NotBeTouched {
            return Ok(Some(NumberStage::NotHere));
        }
        let found = match id {
            Some(id) => self.find_change(session, id, now).await?,
            None => None,
        };
        let Some(Found { stored, change, account }) = found else { return Ok(Some(NumberStage::Password(may))) };
        let stage = |number: &PhoneNumber| CodeStage {
            number: number.clone(),
            enrolling: matches!(change, NumberChange::NewCode(_)),
            code_until: stored.code_until.filter(|until| *until > now),
            attempts_left: self.settings.code_attempts.per_login.saturating_sub(stored.attempts),
            sends_left: self.settings.sending.caps.per_login.saturating_sub(stored.sends),
            resend_at: self.resend_at(&stored, now),
        };
        Ok(Some(match (&change, &account.phone) {
            (NumberChange::OldCode(_), Some(number)) => NumberStage::OldCode(stage(number)),
            (NumberChange::OldCode(_), None) => NumberStage::NotHere,
            (NumberChange::NewNumber(_), _) => NumberStage::NewNumber,
            (NumberChange::NewCode(waiting), _) => NumberStage::NewCode(stage(waiting.number())),
        }))
    }

    async fn begin_change(
        &self,
        session: &Session,
        password: SecretText,
        return_path: String,
        client: &Client,
        page_language: Language,
    ) -> PortResult<NumberChangeBegun> {
        let now = self.now();
        let Some(account) = self.own(session).await? else { return Ok(NumberChangeBegun::Over) };
        let may = self.number_may(&account, now);
        if may == NumberMay::NotBeTouched {
            return Ok(NumberChangeBegun::NotHere);
        }
        match self.look_at_own_password(session, password, client, now).await? {
            OwnPassword::Right => {}
            OwnPassword::Refused => return Ok(NumberChangeBegun::Refused),
            OwnPassword::TooMany(wait) => return Ok(NumberChangeBegun::TooMany(wait)),
            OwnPassword::Busy => return Ok(NumberChangeBegun::Busy),
            OwnPassword::Over => return Ok(NumberChangeBegun::Over),
        }
        let facts = LoginFacts {
            site: session.site.clone(),
            account: account.id,
            user_name: account.user_name.clone(),
            epoch: account.epoch,
            phone_version: account.phone_version,
            password_at: now,
            ends_at: now.plus(self.settings.login_lifetime),
            return_path: String::new(),
            step_up_of: None,
        };
        let handle = LoginHandle::random();
        let id = handle.login_id();
        if may == NumberMay::BeGiven {
            let facts = LoginFacts { return_path, step_up_of: Some(session.id), ..facts };
            let record = PendingLogin::NeedsPhone(NeedsPhone::new(facts)).seal(&id, &self.signing_keys);
            let ttl = self.settings.login_lifetime;
            effect("account.enrolment_put", self.ports.pending.put(&id, &record, ttl)).await?;
            return Ok(NumberChangeBegun::NeedsPhone(handle));
        }
        let waiting = ProvesOld::new(facts, session.id);
        self.put_change(&id, &NumberChange::OldCode(waiting.clone()), now).await?;
        let report = self.send_code(&id, OwedCode::OldNumber(&waiting), &account, client, page_language, now).await?;
        Ok(NumberChangeBegun::NeedsCode(handle, report))
    }

    async fn new_number_step(
        &self,
        session: &Session,
        id: &LoginId,
        typed: &str,
        client: &Client,
        page_language: Language,
    ) -> PortResult<NewNumberOutcome> {
        let now = self.now();
        let Some(found) = self.find_change(session, id, now).await? else { return Ok(NewNumberOutcome::Over) };
        let number = match PhoneNumber::parse(typed, self.settings.countries.first().copied(), &self.settings.countries)
        {
            Ok(number) if found.account.phone.as_ref() == Some(&number) => return Ok(NewNumberOutcome::Same),
            Ok(number) => number,
            Err(problem) => return Ok(NewNumberOutcome::Problem(problem)),
        };
        let waiting = match found.change.clone() {
            // the form sent twice: the code that is on its way stays good
            NumberChange::NewCode(waiting) if *waiting.number() == number => waiting,
            NumberChange::NewCode(waiting) => waiting.forget_number().with_number(number),
            NumberChange::NewNumber(proved) => proved.with_number(number),
            NumberChange::OldCode(_) => return Ok(NewNumberOutcome::Over),
        };
        let stored = NumberChange::NewCode(waiting.clone());
        if found.change != stored {
            let record = stored.seal(id, &self.signing_keys);
            effect("account.number_put", self.ports.pending.replace(id, &record)).await?;
        }
        let report =
            self.send_code(id, OwedCode::NewNumber(&waiting), &found.account, client, page_language, now).await?;
        Ok(NewNumberOutcome::NeedsCode(report))
    }

    async fn put_change(&self, id: &LoginId, change: &NumberChange, now: UnixMillis) -> PortResult<()> {
        let record = change.seal(id, &self.signing_keys);
        let ttl = change.facts().ends_at.since(now);
        effect("account.change_put", self.ports.pending.put(id, &record, ttl)).await
    }

    /// The change under `id`, if it is this session's, in time, and its account has not moved on.
    async fn find_change(&self, session: &Session, id: &LoginId, now: UnixMillis) -> PortResult<Option<Found>> {
        let Some(stored) = self.ports.pending.peek(id).await? else { return Ok(None) };
        let Some(change) = NumberChange::open(id, &stored.record, &self.signing_keys) else { return Ok(None) };
        let facts = change.facts();
        if *change.session() != session.id || facts.account != session.account || facts.ends_at <= now {
            return Ok(None);
        }
        let Some(account) = self.own(session).await? else { return Ok(None) };
        let goes_on = is_unmoved(&account, facts) && self.number_may(&account, now) == NumberMay::BeChanged;
        Ok(goes_on.then_some(Found { stored, change, account }))
    }

    /// Once two-factor sign-in is active nobody without a number has a session that would ask this. An operator's first number is never given here:
    /// it opens the operators' pages too, and while a password alone makes a session a thief of one could give his own.
    pub(super) fn number_may(&self, account: &Account, now: UnixMillis) -> NumberMay {
        match (self.settings.audience, self.settings.phone_policy) {
            (Audience::Operators, _) | (Audience::Users, PhonePolicy::PreRegistered) => NumberMay::NotBeTouched,
            (Audience::Users, PhonePolicy::SelfRegistered(_)) if account.phone.is_some() => NumberMay::BeChanged,
            (Audience::Users, PhonePolicy::SelfRegistered(_)) => {
                let window_is_open = account.enrolment_until.is_some_and(|until| now < until);
                if window_is_open && account.operator_role.is_none() {
                    NumberMay::BeGiven
                } else {
                    NumberMay::NotBeTouched
                }
            }
        }
    }
}
