//! The codes of a change of number, in the order of a sign-in: pay for the guess, compare, keep what follows from it. Floor: login.

use std::sync::Arc;

use super::NumberCodeOutcome;
use crate::domain::audit::AuditEvent;
use crate::domain::code::{Code, TypedCode};
use crate::domain::limits::Charge;
use crate::domain::number_change::{BothProved, NumberChange, OldProved, OwedCode};
use crate::domain::pending::{ChargedAttempt, LoginFacts, LoginHandle, LoginId};
use crate::domain::session::Session;
use crate::domain::time::UnixMillis;
use crate::login::fail_point::effect;
use crate::login::networks::Networks;
use crate::login::own_account::{NumberReplaced, NumberReplacement};
use crate::login::ports::{AttemptCharge, AttemptTurn, NewAttempt, PortResult};
use crate::login::{Client, Login, NewPhone};

/// A guess that was paid for, or why there is none.
enum Guess {
    Paid(Box<PaidGuess>),
    Not(NumberCodeOutcome),
}

/// A guess that was paid for, with what it is compared to.
struct PaidGuess {
    change: NumberChange,
    /// As it was before the guess.
    code: Code,
    paid: ChargedAttempt,
}

impl Login {
    pub(super) async fn number_code_step(
        self: &Arc<Self>,
        session: &Session,
        id: &LoginId,
        typed: &str,
        client: &Client,
    ) -> PortResult<NumberCodeOutcome> {
        let now = self.now();
        let Some(typed) = TypedCode::parse(typed, self.settings.code_length) else {
            return Ok(NumberCodeOutcome::Malformed);
        };
        let networks = Networks::of(&*self.ports.limits, &self.settings.networks, client.address);
        if let Charge::Wait(wait) = networks.charge_failure(now).await? {
            tracing::info!(reason = "network_limit", client = %client.address, "a code was not looked at");
            return Ok(NumberCodeOutcome::TooMany(wait));
        }
        let looked = self.look_at_number_code(session, id, &typed, client, now).await;
        let (is_failure, is_finished) = match &looked {
            Err(_) | Ok(NumberCodeOutcome::Expired) => (false, false),
            Ok(NumberCodeOutcome::OldProved(_) | NumberCodeOutcome::Changed(_) | NumberCodeOutcome::NumberTaken) => {
                (false, true)
            }
            Ok(
                NumberCodeOutcome::Malformed
                | NumberCodeOutcome::Wrong { .. }
                | NumberCodeOutcome::Spent
                | NumberCodeOutcome::TooMany(_)
                | NumberCodeOutcome::Locked
                | NumberCodeOutcome::Over,
            ) => (true, false),
        };
        if !is_failure {
            self.best_effort("network failure taken back", networks.give_back_failure()).await;
        }
        if is_finished {
            self.best_effort("network login completed", networks.complete_login(id)).await;
            self.finish(id).await;
        }
        looked
    }

    async fn look_at_number_code(
        self: &Arc<Self>,
        session: &Session,
        id: &LoginId,
        typed: &TypedCode,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<NumberCodeOutcome> {
        let PaidGuess { change, code, paid } = match self.pay_for_number_guess(session, id, client, now).await? {
            Guess::Paid(guess) => *guess,
            Guess::Not(outcome) => return Ok(outcome),
        };
        let left = self.settings.code_attempts.per_login.saturating_sub(paid.number());
        let facts = change.facts().clone();
        match change {
            NumberChange::OldCode(waiting) => {
                if let Some(proved) = waiting.check(&code, typed, paid) {
                    return self.old_number_proved(proved, id, session, client, now).await;
                }
            }
            NumberChange::NewCode(waiting) => {
                if let Some(proved) = waiting.check(&code, typed, paid) {
                    return self.keep_number(&proved, id, session, client, now).await;
                }
            }
            NumberChange::NewNumber(_) => return Ok(NumberCodeOutcome::Over),
        }
        self.number_code_refused("wrong_code", &facts, client, now).await?;
        Ok(if left == 0 { NumberCodeOutcome::Spent } else { NumberCodeOutcome::Wrong { left } })
    }

    /// Counts a guess, in Redis and then in a committed transaction, and gives out what to compare with.
    async fn pay_for_number_guess(
        &self,
        session: &Session,
        id: &LoginId,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<Guess> {
        use NumberCodeOutcome as Not;
        if self.find_change(session, id, now).await?.is_none() {
            return Ok(Guess::Not(Not::Over));
        }
        let most = self.settings.code_attempts.per_login;
        let (record, sealed) =
            match effect("code.attempt_spent", self.ports.pending.spend_attempt(id, most, now)).await? {
                AttemptTurn::Granted { record, code } => (record, code),
                AttemptTurn::NoCode => return Ok(Guess::Not(Not::Expired)),
                AttemptTurn::NoneLeft => return Ok(Guess::Not(Not::Spent)),
                AttemptTurn::Gone => return Ok(Guess::Not(Not::Over)),
            };
        let Some(change) = NumberChange::open(id, &record, &self.signing_keys) else {
            return Ok(Guess::Not(Not::Over));
        };
        let owed = match &change {
            NumberChange::OldCode(waiting) => OwedCode::OldNumber(waiting),
            NumberChange::NewCode(waiting) => OwedCode::NewNumber(waiting),
            NumberChange::NewNumber(_) => return Ok(Guess::Not(Not::Over)),
        };
        let Some(code) = owed.open_code(id, &sealed, &self.signing_keys) else {
            return Ok(Guess::Not(Not::Over));
        };
        let facts = change.facts();
        let attempt =
            NewAttempt { login: *id, account: facts.account, epoch: facts.epoch, phone_version: facts.phone_version };
        let caps = &self.settings.code_attempts;
        let charge = effect("code.attempt_charged", self.ports.ledger.charge_code_attempt(&attempt, caps, now)).await?;
        let (outcome, reason) = match charge {
            AttemptCharge::Granted(paid) => {
                return Ok(Guess::Paid(Box::new(PaidGuess { change, code, paid })));
            }
            AttemptCharge::LoginSpent => (Not::Spent, "attempts_spent"),
            AttemptCharge::Wait(wait) => (Not::TooMany(wait), "account_limit"),
            AttemptCharge::Locked => (Not::Locked, "codes_locked"),
            AttemptCharge::Stale => (Not::Over, "account_moved_on"),
        };
        self.number_code_refused(reason, facts, client, now).await?;
        Ok(Guess::Not(outcome))
    }

    /// The change goes on under an id of its own, so that the new number has its own tries and messages.
    async fn old_number_proved(
        &self,
        proved: OldProved,
        id: &LoginId,
        session: &Session,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<NumberCodeOutcome> {
        let audit = self.own_audit(AuditEvent::PhoneProved, session, client, now, None);
        let is_first =
            effect("account.old_number_proved", self.ports.own_account.accept_code(id, &session.account, &audit));
        if !is_first.await? {
            return Ok(NumberCodeOutcome::Over);
        }
        let handle = LoginHandle::random();
        self.put_change(&handle.login_id(), &NumberChange::NewNumber(proved), now).await?;
        Ok(NumberCodeOutcome::OldProved(handle))
    }

    async fn keep_number(
        self: &Arc<Self>,
        proved: &BothProved,
        id: &LoginId,
        session: &Session,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<NumberCodeOutcome> {
        let replacement = NumberReplacement {
            session: session.clone(),
            login: *id,
            phone_version: proved.facts().phone_version,
            new_phone: NewPhone {
                number: proved.number().clone(),
                most_accounts: self.settings.accounts_per_number,
                ticket: None,
            },
            password_at: proved.facts().password_at,
            audit: self.own_audit(AuditEvent::PhoneChanged, session, client, now, None),
        };
        match effect("account.number_changed", self.ports.own_account.replace_number(&replacement)).await? {
            NumberReplaced::Done(epoch, row) => {
                self.sessions.apply(&[row]);
                Ok(NumberCodeOutcome::Changed(Box::new(session.continued_in(epoch, proved.facts().password_at, now))))
            }
            NumberReplaced::NumberTaken => {
                self.number_code_refused("number_taken", proved.facts(), client, now).await?;
                Ok(NumberCodeOutcome::NumberTaken)
            }
            NumberReplaced::Stale => {
                self.number_code_refused("account_moved_on", proved.facts(), client, now).await?;
                Ok(NumberCodeOutcome::Over)
            }
        }
    }

    async fn number_code_refused(
        &self,
        reason: &str,
        facts: &LoginFacts,
        client: &Client,
        now: UnixMillis,
    ) -> PortResult<()> {
        let audit = self.audit(AuditEvent::CodeRefused, facts, client, now, Some(reason));
        effect("code.refusal_recorded", self.ports.ledger.record(&audit)).await
    }
}
