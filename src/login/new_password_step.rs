//! The password that takes the place of a one-time password: asked for when every factor was shown, and kept in the transaction that opens the
//! session, so that there is no session with a one-time password. Floor: login.

use super::ports::{PasswordVerdict, PortResult};
use super::{Client, CodeOutcome, Login, PasswordOutcome};
use crate::domain::account::Account;
use crate::domain::password::{NotAPassword, Password, Weakness};
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::{LoginId, PendingLogin, Proof};
use crate::domain::secret::SecretText;
use crate::domain::session::Session;
use crate::domain::site::SiteName;

/// A password that a user has chosen in place of a one-time password.
#[derive(Clone, Debug)]
pub struct NewPassword {
    /// The one-time password's hash.
    pub replaced: PasswordHash,
    pub chosen: PasswordHash,
}

/// What came of a new password.
#[derive(Debug)]
#[must_use]
pub enum NewPasswordOutcome {
    SignedIn {
        session: Box<Session>,
        return_path: String,
    },
    /// It cannot be used, and why.
    Problem(PasswordProblem),
    /// Too much is being hashed: again in a few seconds.
    Busy,
    /// The number that was to be enrolled is on as many accounts as may have it: nothing was kept, and the login is over.
    NumberTaken,
    /// The login is over: start again.
    Over,
}

/// Why a new password cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    Empty,
    TooLong,
    Weak(Weakness),
    /// It is the one-time password itself.
    Same,
}

impl Login {
    pub(super) async fn new_password_step(
        &self,
        site: &SiteName,
        id: &LoginId,
        chosen: &SecretText,
        client: &Client,
    ) -> PortResult<NewPasswordOutcome> {
        let now = self.now();
        let Some(found) = self.find(site, id, now).await? else {
            return Ok(NewPasswordOutcome::Over);
        };
        let (PendingLogin::NeedsNewPassword(login), account) = (found.login, &found.account) else {
            return Ok(NewPasswordOutcome::Over);
        };
        // Nothing is left to be replaced: another way was quicker, or the answer to this one was lost. Or its time is over.
        if account.password_expires_at.is_none_or(|until| until <= now) {
            return Ok(NewPasswordOutcome::Over);
        }
        let password = match self.fit(chosen, account) {
            Ok(password) => password,
            Err(problem) => return Ok(NewPasswordOutcome::Problem(problem)),
        };
        match self.ports.passwords.verify(Some(&account.user_name), Some(&account.password), &password).await? {
            PasswordVerdict::Right { .. } => return Ok(NewPasswordOutcome::Problem(PasswordProblem::Same)),
            PasswordVerdict::Busy => return Ok(NewPasswordOutcome::Busy),
            PasswordVerdict::Wrong => {}
        }
        let new_password = Some(NewPassword {
            replaced: account.password.clone(),
            chosen: self.ports.passwords.hash(&password).await?,
        });
        Ok(match login.into_proof() {
            Proof::PasswordAndCode(verified) => {
                match self.open_verified(verified, new_password, id, account, client, None, now).await? {
                    CodeOutcome::SignedIn { session, return_path } => {
                        NewPasswordOutcome::SignedIn { session, return_path }
                    }
                    CodeOutcome::NumberTaken => NewPasswordOutcome::NumberTaken,
                    CodeOutcome::Malformed
                    | CodeOutcome::Wrong { .. }
                    | CodeOutcome::Expired
                    | CodeOutcome::Spent
                    | CodeOutcome::TooMany(_)
                    | CodeOutcome::Locked
                    | CodeOutcome::NeedsNewPassword
                    | CodeOutcome::Over => NewPasswordOutcome::Over,
                }
            }
            Proof::Password(proof) => {
                match self.open_with_password_only(&proof, new_password, account, id, client, now).await? {
                    PasswordOutcome::SignedIn { session, return_path } => {
                        self.finish(id).await;
                        NewPasswordOutcome::SignedIn { session, return_path }
                    }
                    PasswordOutcome::Refused
                    | PasswordOutcome::TooMany(_)
                    | PasswordOutcome::Busy
                    | PasswordOutcome::NoNumber
                    | PasswordOutcome::NeedsPhone(_)
                    | PasswordOutcome::NeedsCode(..)
                    | PasswordOutcome::NeedsNewPassword(_) => NewPasswordOutcome::Over,
                }
            }
        })
    }

    /// Whether it can be used for this account.
    pub(super) fn fit(&self, chosen: &SecretText, account: &Account) -> Result<Password, PasswordProblem> {
        let password = Password::typed(chosen.reveal()).map_err(|problem| match problem {
            NotAPassword::Empty => PasswordProblem::Empty,
            NotAPassword::TooLong => PasswordProblem::TooLong,
        })?;
        let person = [account.name.as_deref(), account.email.as_deref()];
        let (rules, site_names) = (&self.settings.password_rules, &self.settings.site_names);
        rules.check_for_account(&password, &account.user_name, person, site_names).map_err(PasswordProblem::Weak)?;
        Ok(password)
    }
}
