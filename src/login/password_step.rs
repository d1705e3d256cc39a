//! User name and password. Limits first, counted in SQL before anything is hashed; unknown name, wrong password, locked and disabled
//! do the same work, write the same rows and get the same answer at the same tick. Floor: login.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::fail_point::effect;
use super::networks::Networks;
use super::ports::{CountedFailure, Opened, Opening, PasswordCharge, PasswordSubject, PasswordVerdict, PortResult};
use super::sending::SendReport;
use super::{Audience, Client, Login, NewPassword, PhonePolicy, chain};
use crate::domain::account::{Account, AccountStatus};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::keys::HashPurpose;
use crate::domain::language::Language;
use crate::domain::limits::Charge;
use crate::domain::number_change::OwedCode;
use crate::domain::password::Password;
use crate::domain::pending::{
    Activation, LoginFacts, LoginHandle, LoginId, NeedsCode, NeedsNewPassword, NeedsPhone, PasswordOnly, PendingLogin,
};
use crate::domain::secret::SecretText;
use crate::domain::session::{Person, Session};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;

/// What a person typed into the sign-in form.
#[derive(Debug)]
pub struct PasswordSubmission {
    pub site: SiteName,
    pub user_name: String,
    pub password: SecretText,
    pub client: Client,
    /// Where to go afterwards; a checked path on the site's host.
    pub return_path: String,
    pub page_language: Language,
}

/// What came of it.
#[derive(Debug)]
#[must_use]
pub enum PasswordOutcome {
    /// Not correct, or paused after too many tries: the answer is one.
    Refused,
    /// Too many failures from this network; again after this long.
    TooMany(Duration),
    /// Too many sign-ins at once; again in a few seconds.
    Busy,
    /// Right, but the account has no number and may not enrol one.
    NoNumber,
    /// Right; the number is asked for next.
    NeedsPhone(LoginHandle),
    /// Right; the code is asked for next.
    NeedsCode(LoginHandle, SendReport),
    /// Right, and enough; but a one-time password: another one is asked for next.
    NeedsNewPassword(LoginHandle),
    /// Right, and enough.
    SignedIn { session: Box<Session>, return_path: String },
}

/// What looking at name and password found.
pub(super) enum Verdict {
    Right(Box<Account>),
    Refused,
    TooMany(Duration),
    Busy,
}

impl Login {
    pub(super) async fn password_step(&self, submission: PasswordSubmission) -> PortResult<PasswordOutcome> {
        let began = tokio::time::Instant::now();
        let now = self.now();
        let verdict = self.look(&submission, now).await;
        let outcome = match verdict {
            Ok(Verdict::Right(account)) => self.go_on(*account, &submission, now).await,
            Ok(Verdict::Refused) => Ok(PasswordOutcome::Refused),
            Ok(Verdict::TooMany(wait)) => return Ok(PasswordOutcome::TooMany(wait)),
            Ok(Verdict::Busy) => return Ok(PasswordOutcome::Busy),
            Err(error) => return Err(error),
        };
        self.wait_for_tick(began).await;
        outcome
    }

    /// Until the tick at which a step that began then answers.
    pub(super) async fn wait_for_tick(&self, began: tokio::time::Instant) {
        let tick = self.settings.tick.saturating_mul(self.ticks.load(Ordering::Relaxed));
        tokio::time::sleep_until(next_tick(began, tick)).await;
    }

    pub(super) async fn look(&self, submission: &PasswordSubmission, now: UnixMillis) -> PortResult<Verdict> {
        let networks = Networks::of(&*self.ports.limits, &self.settings.networks, submission.client.address);
        if let Charge::Wait(wait) = networks.charge_failure(now).await? {
            tracing::info!(reason = "network_limit", client = %submission.client.address, "a sign-in was not looked at");
            return Ok(Verdict::TooMany(wait));
        }
        let looked = self.look_at_password(submission, now).await;
        if !matches!(looked, Ok(Verdict::Refused)) {
            // nothing was wrong: neither the password, nor what was never looked at
            self.best_effort("network failure taken back", networks.give_back_failure()).await;
        }
        looked
    }

    async fn look_at_password(&self, submission: &PasswordSubmission, now: UnixMillis) -> PortResult<Verdict> {
        let user_name = UserName::parse(&submission.user_name).ok();
        let account = match &user_name {
            Some(name) => self.ports.ledger.account_by_name(name).await?,
            None => None,
        };
        let subject = match &account {
            Some(account) => PasswordSubject::Account(account.id),
            None => {
                let counted =
                    user_name.as_ref().map_or(submission.user_name.as_bytes(), |name| name.as_str().as_bytes());
                PasswordSubject::Unknown(self.data_keys.hash(HashPurpose::Counter, counted))
            }
        };
        let refused = |reason: &str| self.refused(account.as_ref(), submission, now, reason);
        let caps = &self.settings.password_attempts;
        let charge = effect("password.failure_charged", self.ports.ledger.charge_password(&subject, caps, now));
        let counted = match charge.await? {
            PasswordCharge::Granted(counted) => counted,
            PasswordCharge::Wait(_) => {
                effect("password.refusal_recorded", self.ports.ledger.record(&refused("waiting_after_failures")))
                    .await?;
                return Ok(Verdict::Refused);
            }
            PasswordCharge::Closed => {
                effect("password.refusal_recorded", self.ports.ledger.record(&refused("closed_after_failures")))
                    .await?;
                return Ok(Verdict::Refused);
            }
        };
        let typed = Password::typed(submission.password.reveal());
        let (password, stored) = match &typed {
            Ok(password) => (password.clone(), account.as_ref().map(|account| &account.password)),
            // too long or not text: the same work, and never right
            Err(_) => (Password::generate(), None),
        };
        let verdict = self.ports.passwords.verify(user_name.as_ref(), stored, &password).await;
        if !matches!(verdict, Ok(PasswordVerdict::Right { .. } | PasswordVerdict::Wrong)) {
            // counted, but not looked at: a flood of sign-ins must not close anybody's account
            self.take_back_failure(&subject, counted).await;
        }
        let rehash = match verdict? {
            PasswordVerdict::Right { rehash } => rehash,
            PasswordVerdict::Wrong => {
                let reason = if account.is_some() { "wrong_password" } else { "unknown_user_name" };
                effect("password.refusal_recorded", self.ports.ledger.record(&refused(reason))).await?;
                return Ok(Verdict::Refused);
            }
            PasswordVerdict::Busy => return Ok(Verdict::Busy),
        };
        let Some(account) = account else {
            return Ok(Verdict::Refused);
        };
        if account.status == AccountStatus::Disabled {
            effect(
                "password.refusal_recorded",
                self.ports.ledger.record(&self.refused(Some(&account), submission, now, "account_disabled")),
            )
            .await?;
            return Ok(Verdict::Refused);
        }
        if self.settings.audience == Audience::Operators && account.operator_role.is_none() {
            effect(
                "password.refusal_recorded",
                self.ports.ledger.record(&self.refused(Some(&account), submission, now, "not_an_operator")),
            )
            .await?;
            return Ok(Verdict::Refused);
        }
        if account.codes_locked {
            effect(
                "password.refusal_recorded",
                self.ports.ledger.record(&self.refused(Some(&account), submission, now, "codes_locked")),
            )
            .await?;
            return Ok(Verdict::Refused);
        }
        if account.password_expires_at.is_some_and(|until| until <= now) {
            effect(
                "password.refusal_recorded",
                self.ports.ledger.record(&self.refused(Some(&account), submission, now, "one_time_password_expired")),
            )
            .await?;
            return Ok(Verdict::Refused);
        }
        let accepted = AuditRecord {
            event: AuditEvent::PasswordAccepted,
            reason: None,
            ..self.refused(Some(&account), submission, now, "")
        };
        let rehash = rehash.as_ref().map(|new| (&account.password, new));
        let accepted =
            effect("password.accepted", self.ports.ledger.accept_password(&account.id, rehash, &accepted)).await;
        if let Err(error) = accepted {
            // if it was committed after all, there is nothing left to take back
            self.take_back_failure(&subject, counted).await;
            return Err(error);
        }
        Ok(Verdict::Right(Box::new(account)))
    }

    async fn take_back_failure(&self, subject: &PasswordSubject, counted: CountedFailure) {
        let taken_back = effect("password.failure_taken_back", self.ports.ledger.take_back_password(subject, counted));
        self.best_effort("password failure taken back", taken_back).await;
    }

    async fn go_on(
        &self,
        account: Account,
        submission: &PasswordSubmission,
        now: UnixMillis,
    ) -> PortResult<PasswordOutcome> {
        let facts = LoginFacts {
            site: submission.site.clone(),
            account: account.id,
            user_name: account.user_name.clone(),
            epoch: account.epoch,
            phone_version: account.phone_version,
            password_at: now,
            ends_at: now.plus(self.settings.login_lifetime),
            return_path: submission.return_path.clone(),
            step_up_of: None,
        };
        let handle = LoginHandle::random();
        if let Some(proof) = self.activation().password_only(facts.clone()) {
            let id = handle.login_id();
            if account.password_expires_at.is_none() {
                return self.open_with_password_only(&proof, None, &account, &id, &submission.client, now).await;
            }
            let login = PendingLogin::NeedsNewPassword(NeedsNewPassword::after_password(proof));
            let record = login.seal(&id, &self.signing_keys);
            effect("password.login_put", self.ports.pending.put(&id, &record, self.settings.login_lifetime)).await?;
            return Ok(PasswordOutcome::NeedsNewPassword(handle));
        }
        let id = handle.login_id();
        if account.phone.is_some() {
            let login = NeedsCode::new(facts);
            effect(
                "password.login_put",
                self.ports.pending.put(
                    &id,
                    &PendingLogin::NeedsCode(login.clone()).seal(&id, &self.signing_keys),
                    self.settings.login_lifetime,
                ),
            )
            .await?;
            let report = self
                .send_code(&id, OwedCode::SignIn(&login), &account, &submission.client, submission.page_language, now)
                .await?;
            return Ok(PasswordOutcome::NeedsCode(handle, report));
        }
        let window_is_open = account.enrolment_until.is_some_and(|until| now < until);
        let may_enrol = match (self.settings.audience, self.settings.phone_policy) {
            (Audience::Users, PhonePolicy::SelfRegistered(_)) => window_is_open,
            (Audience::Users, PhonePolicy::PreRegistered) | (Audience::Operators, _) => false,
        };
        if !may_enrol {
            effect(
                "password.refusal_recorded",
                self.ports.ledger.record(&self.audit(
                    AuditEvent::CodeNotSent,
                    &facts,
                    &submission.client,
                    now,
                    Some("no_number"),
                )),
            )
            .await?;
            return Ok(PasswordOutcome::NoNumber);
        }
        let login = PendingLogin::NeedsPhone(NeedsPhone::new(facts));
        effect(
            "password.login_put",
            self.ports.pending.put(&id, &login.seal(&id, &self.signing_keys), self.settings.login_lifetime),
        )
        .await?;
        Ok(PasswordOutcome::NeedsPhone(handle))
    }

    pub(super) async fn open_with_password_only(
        &self,
        proof: &PasswordOnly,
        new_password: Option<NewPassword>,
        account: &Account,
        id: &LoginId,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<PasswordOutcome> {
        let facts = proof.facts();
        let person = Person { name: account.name.clone(), email: account.email.clone() };
        let session = Session::open_with_password_only(proof, person, self.sessions.lifetimes(), now);
        let mut audit = vec![self.audit(AuditEvent::SignedIn, facts, client, now, Some("password_only"))];
        if new_password.is_some() {
            audit.push(self.audit(AuditEvent::PasswordChanged, facts, client, now, Some("one_time_password")));
        }
        let opening = Opening {
            session: session.clone(),
            login: *id,
            phone_version: facts.phone_version,
            new_phone: None,
            new_password,
            replaces: None,
            source: client.address,
            user_agent: client.user_agent.clone(),
            audit,
            now,
        };
        match effect("password.session_opened", self.ports.ledger.open_session(&opening)).await? {
            Opened::Opened(rows) => {
                self.sessions.apply(&rows);
                Ok(PasswordOutcome::SignedIn { session: Box::new(session), return_path: facts.return_path.clone() })
            }
            Opened::CodeNeeded => {
                // activated a moment ago: the next try asks for the code
                self.sessions.activate();
                debug_assert_eq!(self.sessions.activation(), Activation::Active);
                Ok(PasswordOutcome::Refused)
            }
            Opened::AlreadyUsed
            | Opened::Stale
            | Opened::EnrolmentClosed
            | Opened::NumberTaken
            | Opened::PasswordOwed => Ok(PasswordOutcome::Refused),
        }
    }

    fn refused(
        &self,
        account: Option<&Account>,
        submission: &PasswordSubmission,
        now: UnixMillis,
        reason: &str,
    ) -> AuditRecord {
        AuditRecord {
            at: now,
            event: AuditEvent::PasswordRefused,
            account: account.map(|account| account.id),
            // a name that does not exist may be a password typed into the wrong field: it is not written down
            actor: account
                .map_or_else(|| "user:?".to_owned(), |account| format!("user:{}", account.user_name.as_str())),
            site: Some(submission.site.clone()),
            source: Some(submission.client.address),
            reason: Some(reason.to_owned()),
            request_id: Some(submission.client.request_id.clone()),
        }
    }

    /// Best effort after the fact: what fails here costs a little comfort, never safety.
    /// `None`: it failed, which is logged.
    pub(super) async fn best_effort<T>(
        &self,
        what: &'static str,
        effort: impl Future<Output = PortResult<T>>,
    ) -> Option<T> {
        effort
            .await
            .inspect_err(|error| {
                tracing::warn!(port = error.port(), cause = chain(error), what, "carried on without it");
            })
            .ok()
    }
}

/// The first multiple of `tick` after `began` that has not passed.
fn next_tick(began: tokio::time::Instant, tick: Duration) -> tokio::time::Instant {
    let tick_ms = tick.as_millis().max(1);
    let ticks = began.elapsed().as_millis() / tick_ms + 1;
    began + tick.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
}
