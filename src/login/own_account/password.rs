//! Another password for one's own account: the present one first, counted and paced as at a sign-in. Other sessions and pending logins end with the
//! old one; the session that asks goes on in the new epoch. Floor: login.

use std::sync::Arc;
use std::time::Duration;

use super::OwnPasswordChange;
use crate::domain::audit::AuditEvent;
use crate::domain::language::Language;
use crate::domain::password::Password;
use crate::domain::secret::SecretText;
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;
use crate::login::fail_point::effect;
use crate::login::password_step::Verdict;
use crate::login::ports::PortResult;
use crate::login::{Client, Login, PasswordProblem, PasswordSubmission, StepError};

/// What came of changing a password.
#[derive(Debug)]
#[must_use]
pub enum PasswordChangeOutcome {
    /// Done. The session goes on with a cookie made from this; the one before has ended.
    Changed(Box<Session>),
    /// The present password is not correct, or paused after too many tries: the answer is one.
    Refused,
    /// The new one cannot be used, and why.
    Problem(PasswordProblem),
    /// Too many failures from this network; again after this long.
    TooMany(Duration),
    /// Too much is being hashed: again in a few seconds.
    Busy,
    /// The account has moved on, or the session has ended.
    Over,
}

/// What looking at the password of somebody who is signed in found.
pub(super) enum OwnPassword {
    Right,
    Refused,
    TooMany(Duration),
    Busy,
    Over,
}

impl Login {
    /// Puts `chosen` in place of the password of the account of `session`.
    ///
    /// # Errors
    /// A store or the hashing could not tell. If the change was made all the same, the session has ended with the others.
    pub async fn change_own_password(
        self: &Arc<Self>,
        session: &Session,
        current: SecretText,
        chosen: SecretText,
        client: Client,
    ) -> Result<PasswordChangeOutcome, StepError> {
        let (login, session) = (Arc::clone(self), session.clone());
        self.to_its_end(async move { login.own_password_step(&session, current, &chosen, client).await }).await
    }

    async fn own_password_step(
        &self,
        session: &Session,
        current: SecretText,
        chosen: &SecretText,
        client: Client,
    ) -> PortResult<PasswordChangeOutcome> {
        let now = self.now();
        let Some(account) = self.own(session).await? else { return Ok(PasswordChangeOutcome::Over) };
        // what it says of the new one tells nothing of the present one
        let password = match self.fit(chosen, &account) {
            Ok(password) => password,
            Err(problem) => return Ok(PasswordChangeOutcome::Problem(problem)),
        };
        let is_same = Password::typed(current.reveal()).is_ok_and(|current| current == password);
        match self.look_at_own_password(session, current, &client, now).await? {
            OwnPassword::Right if is_same => return Ok(PasswordChangeOutcome::Problem(PasswordProblem::Same)),
            OwnPassword::Right => {}
            OwnPassword::Refused => return Ok(PasswordChangeOutcome::Refused),
            OwnPassword::TooMany(wait) => return Ok(PasswordChangeOutcome::TooMany(wait)),
            OwnPassword::Busy => return Ok(PasswordChangeOutcome::Busy),
            OwnPassword::Over => return Ok(PasswordChangeOutcome::Over),
        }
        let change = OwnPasswordChange {
            session: session.clone(),
            chosen: self.ports.passwords.hash(&password).await?,
            audit: self.own_audit(AuditEvent::PasswordChanged, session, &client, now, None),
        };
        let changed = effect("account.password_changed", self.ports.own_account.change_password(&change)).await?;
        let Some((epoch, row)) = changed else { return Ok(PasswordChangeOutcome::Over) };
        self.sessions.apply(&[row]);
        Ok(PasswordChangeOutcome::Changed(Box::new(session.continued_in(epoch, now, now))))
    }

    /// The password of somebody who is signed in, looked at as at a sign-in: the same limits, the same pace, the same lines in the audit trail.
    pub(super) async fn look_at_own_password(
        &self,
        session: &Session,
        password: SecretText,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<OwnPassword> {
        let began = tokio::time::Instant::now();
        let submission = PasswordSubmission {
            site: session.site.clone(),
            user_name: session.user_name.as_str().to_owned(),
            password,
            client: client.clone(),
            return_path: String::new(),
            page_language: Language::En,
        };
        let found = match self.look(&submission, now).await? {
            Verdict::TooMany(wait) => return Ok(OwnPassword::TooMany(wait)),
            Verdict::Busy => return Ok(OwnPassword::Busy),
            Verdict::Refused => OwnPassword::Refused,
            // the user name may have changed hands
            Verdict::Right(account) if account.id == session.account && account.epoch == session.epoch => {
                OwnPassword::Right
            }
            Verdict::Right(_) => OwnPassword::Over,
        };
        self.wait_for_tick(began).await;
        Ok(found)
    }
}
