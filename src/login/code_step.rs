//! The code, in the order of design §5: pay for the guess, compare, open the session. Each effect is committed before the next begins,
//! so that a crash between any two lets nobody in. Floor: login.

use std::time::Duration;

use super::fail_point::effect;
use super::figures;
use super::networks::Networks;
use super::ports::{AttemptCharge, AttemptTurn, NewAttempt, Opened, Opening, PortResult};
use super::{Client, Login, NewPassword, NewPhone, is_unmoved};
use crate::domain::account::Account;
use crate::domain::audit::AuditEvent;
use crate::domain::code::TypedCode;
use crate::domain::limits::Charge;
use crate::domain::pending::{
    CodeCheck, LoginFacts, LoginId, NeedsCode, NeedsNewPassword, PendingLogin, VerifiedLogin,
};
use crate::domain::session::{Person, Session};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;

/// What came of a code.
#[derive(Debug)]
#[must_use]
pub enum CodeOutcome {
    SignedIn {
        session: Box<Session>,
        return_path: String,
    },
    /// Not a code by its form; nothing was counted.
    Malformed,
    /// Wrong; so many tries are left for this login.
    Wrong {
        left: u32,
    },
    /// No code is in its lifetime: ask for a new one. Nothing was counted.
    Expired,
    /// This login's tries are used up: start again.
    Spent,
    /// Too many wrong codes for this account or from this network; again after this long.
    TooMany(Duration),
    /// Codes of this account are refused until an operator unlocks it.
    Locked,
    /// Right, with a one-time password: another one is asked for next.
    NeedsNewPassword,
    /// Right, but the number that was to be enrolled is on as many accounts as may have it. The login is over.
    NumberTaken,
    /// The login is over: start again.
    Over,
}

impl Login {
    pub(super) async fn code_step(
        &self,
        site: &SiteName,
        id: &LoginId,
        typed: &str,
        client: &Client,
    ) -> PortResult<CodeOutcome> {
        let now = self.now();
        let Some(typed) = TypedCode::parse(typed, self.settings.code_length) else {
            return Ok(CodeOutcome::Malformed);
        };
        let networks = Networks::of(&*self.ports.limits, &self.settings.networks, client.address);
        if let Charge::Wait(wait) = networks.charge_failure(now).await? {
            tracing::info!(reason = "network_limit", client = %client.address, "a code was not looked at");
            return Ok(CodeOutcome::TooMany(wait));
        }
        let looked = self.look_at_code(site, id, &typed, client, &networks, now).await;
        if looked.is_err() {
            // nobody guessed wrong
            self.best_effort("network failure taken back", networks.give_back_failure()).await;
        }
        let outcome = looked?;
        match &outcome {
            CodeOutcome::SignedIn { .. } | CodeOutcome::NeedsNewPassword => {
                self.best_effort("network failure taken back", networks.give_back_failure()).await;
                self.best_effort("network login completed", networks.complete_login(id)).await;
            }
            CodeOutcome::Expired | CodeOutcome::NumberTaken => {
                self.best_effort("network failure taken back", networks.give_back_failure()).await;
            }
            CodeOutcome::Malformed
            | CodeOutcome::Wrong { .. }
            | CodeOutcome::Spent
            | CodeOutcome::TooMany(_)
            | CodeOutcome::Locked
            | CodeOutcome::Over => {}
        }
        Ok(outcome)
    }

    async fn look_at_code(
        &self,
        site: &SiteName,
        id: &LoginId,
        typed: &TypedCode,
        client: &Client,
        networks: &Networks<'_>,
        now: UnixMillis,
    ) -> PortResult<CodeOutcome> {
        // the login is looked at before it is charged: another site's visitor spends nothing of this one's
        let Some(found) = self.find(site, id, now).await? else {
            return Ok(CodeOutcome::Over);
        };
        if let PendingLogin::NeedsNewPassword(_) = found.login {
            // the right code sent twice
            return Ok(CodeOutcome::NeedsNewPassword);
        }
        let most = self.settings.code_attempts.per_login;
        let (record, sealed_code) =
            match effect("code.attempt_spent", self.ports.pending.spend_attempt(id, most, now)).await? {
                AttemptTurn::Granted { record, code } => (record, code),
                AttemptTurn::NoCode => return Ok(CodeOutcome::Expired),
                AttemptTurn::NoneLeft => return Ok(CodeOutcome::Spent),
                AttemptTurn::Gone => return Ok(CodeOutcome::Over),
            };
        let Some(PendingLogin::NeedsCode(login)) = PendingLogin::open(id, &record, &self.signing_keys) else {
            return Ok(CodeOutcome::Over);
        };
        let facts = login.facts().clone();
        let Some(code) = login.open_code(id, &sealed_code, &self.signing_keys) else {
            return Ok(CodeOutcome::Over);
        };
        let attempt =
            NewAttempt { login: *id, account: facts.account, epoch: facts.epoch, phone_version: facts.phone_version };
        let paid = match effect(
            "code.attempt_charged",
            self.ports.ledger.charge_code_attempt(&attempt, &self.settings.code_attempts, now),
        )
        .await?
        {
            AttemptCharge::Granted(paid) => paid,
            AttemptCharge::LoginSpent => {
                return self.code_refused(CodeOutcome::Spent, "attempts_spent", &facts, client, now).await;
            }
            AttemptCharge::Wait(wait) => {
                return self.code_refused(CodeOutcome::TooMany(wait), "account_limit", &facts, client, now).await;
            }
            AttemptCharge::Locked => {
                return self.code_refused(CodeOutcome::Locked, "codes_locked", &facts, client, now).await;
            }
            AttemptCharge::Stale => {
                return self.code_refused(CodeOutcome::Over, "account_moved_on", &facts, client, now).await;
            }
        };
        let left = most.saturating_sub(paid.number());
        match NeedsCode::check(login, &code, typed, paid) {
            CodeCheck::Wrong if left == 0 => {
                self.code_refused(CodeOutcome::Spent, "wrong_code", &facts, client, now).await
            }
            CodeCheck::Wrong => self.code_refused(CodeOutcome::Wrong { left }, "wrong_code", &facts, client, now).await,
            CodeCheck::Verified(login) if found.account.password_expires_at.is_some() => {
                count_entered(&login, &found.account);
                let login = PendingLogin::NeedsNewPassword(NeedsNewPassword::after_code(*login));
                let record = login.seal(id, &self.signing_keys);
                let is_kept = effect("code.password_owed", self.ports.pending.replace(id, &record)).await?;
                Ok(if is_kept { CodeOutcome::NeedsNewPassword } else { CodeOutcome::Over })
            }
            CodeCheck::Verified(login) => {
                count_entered(&login, &found.account);
                self.open_verified(*login, None, id, &found.account, client, Some(networks), now).await
            }
        }
    }

    /// `networks` were charged for a failure.
    #[expect(clippy::too_many_arguments, reason = "each is a part of one transaction")]
    pub(super) async fn open_verified(
        &self,
        login: VerifiedLogin,
        new_password: Option<NewPassword>,
        id: &LoginId,
        account: &Account,
        client: &Client,
        networks: Option<&Networks<'_>>,
        now: UnixMillis,
    ) -> PortResult<CodeOutcome> {
        let facts = login.facts();
        debug_assert!(is_unmoved(account, facts));
        let person = Person { name: account.name.clone(), email: account.email.clone() };
        let session = Session::open(&login, person, self.sessions.lifetimes(), now);
        let mut audit = vec![self.audit(AuditEvent::SignedIn, facts, client, now, None)];
        if login.new_phone().is_some() {
            if login.ticket().is_none() && self.asks_for_tickets() {
                // begun before tickets were asked for
                return self.code_refused(CodeOutcome::Over, "ticket_owed", facts, client, now).await;
            }
            let with_ticket = login.ticket().map(|_| "with_ticket");
            audit.push(self.audit(AuditEvent::PhoneEnrolled, facts, client, now, with_ticket));
        }
        if new_password.is_some() {
            audit.push(self.audit(AuditEvent::PasswordChanged, facts, client, now, Some("one_time_password")));
        }
        let opening = Opening {
            session: session.clone(),
            login: *id,
            phone_version: facts.phone_version,
            new_phone: login.new_phone().map(|number| NewPhone {
                number: number.clone(),
                most_accounts: self.settings.accounts_per_number,
                ticket: login.ticket().map(|shown| *shown.ticket()),
            }),
            new_password,
            replaces: facts.step_up_of,
            source: client.address,
            user_agent: client.user_agent.clone(),
            audit,
            now,
        };
        let signed_in = |session: Session| CodeOutcome::SignedIn {
            session: Box::new(session),
            return_path: facts.return_path.clone(),
        };
        let outcome = match effect("code.session_opened", self.ports.ledger.open_session(&opening)).await {
            Ok(Opened::Opened(rows)) => {
                self.sessions.apply(&rows);
                signed_in(session)
            }
            Ok(Opened::AlreadyUsed) => {
                // a right code sent twice is no failure
                if let Some(networks) = networks {
                    self.best_effort("network failure taken back", networks.give_back_failure()).await;
                }
                return self.code_refused(CodeOutcome::Over, "code_already_used", facts, client, now).await;
            }
            Ok(Opened::Stale) => {
                return self.code_refused(CodeOutcome::Over, "account_moved_on", facts, client, now).await;
            }
            Ok(Opened::EnrolmentClosed) => {
                return self.code_refused(CodeOutcome::Over, "enrolment_closed", facts, client, now).await;
            }
            Ok(Opened::NumberTaken) => {
                let refused = self.code_refused(CodeOutcome::NumberTaken, "number_taken", facts, client, now).await;
                self.finish(id).await;
                return refused;
            }
            Ok(Opened::PasswordOwed) => {
                return self.code_refused(CodeOutcome::Over, "account_moved_on", facts, client, now).await;
            }
            Ok(Opened::CodeNeeded) => {
                return self.code_refused(CodeOutcome::Over, "code_needed", facts, client, now).await;
            }
            // unknown whether it was committed: only the ledger knows, and only this very session is handed out
            Err(error) => match self.ports.ledger.session_of_login(id).await? {
                Some(opened) if opened.id == session.id => signed_in(session),
                Some(_) | None => return Err(error),
            },
        };
        self.finish(id).await;
        Ok(outcome)
    }

    pub(super) async fn finish(&self, id: &LoginId) {
        self.best_effort("pending login removed", effect("code.login_finished", self.ports.pending.finish(id))).await;
    }

    async fn code_refused(
        &self,
        outcome: CodeOutcome,
        reason: &str,
        facts: &LoginFacts,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<CodeOutcome> {
        effect(
            "code.refusal_recorded",
            self.ports.ledger.record(&self.audit(AuditEvent::CodeRefused, facts, client, now, Some(reason))),
        )
        .await?;
        Ok(outcome)
    }
}

/// Right, whatever becomes of it: the country is that of the number it was sent to.
fn count_entered(login: &VerifiedLogin, account: &Account) {
    if let Some(number) = login.new_phone().or(account.phone.as_ref()) {
        figures::code_entered(number.country());
    }
}
