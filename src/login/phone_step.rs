//! The number of an account that has none: read, kept in the pending login alone, and proved by a code sent there. Floor: login.

use super::fail_point::effect;
use super::ports::PortResult;
use super::sending::SendReport;
use super::{Client, Login, PhonePolicy};
use crate::domain::language::Language;
use crate::domain::number_change::OwedCode;
use crate::domain::pending::{LoginId, NeedsCode, PendingLogin};
use crate::domain::phone::{PhoneNumber, PhoneProblem};
use crate::domain::site::SiteName;

/// A number about to be enrolled.
#[derive(Clone, Debug)]
pub struct NewPhone {
    pub number: PhoneNumber,
    /// So many accounts may have it, this one included.
    pub most_accounts: u32,
}

/// What came of a number.
#[derive(Debug)]
#[must_use]
pub enum PhoneOutcome {
    /// The code is asked for next.
    NeedsCode(SendReport),
    /// The number cannot be used, and why.
    Problem(PhoneProblem),
    /// The login is over.
    Over,
    /// The account may not enrol (any more).
    Closed,
}

impl Login {
    pub(super) async fn phone_step(
        &self,
        site: &SiteName,
        id: &LoginId,
        typed: &str,
        client: &Client,
        page_language: Language,
    ) -> PortResult<PhoneOutcome> {
        let now = self.now();
        let Some(found) = self.find(site, id, now).await? else {
            return Ok(PhoneOutcome::Over);
        };
        let window_is_open = found.account.enrolment_until.is_some_and(|until| now < until);
        if self.settings.phone_policy == PhonePolicy::PreRegistered || found.account.phone.is_some() || !window_is_open
        {
            return Ok(PhoneOutcome::Closed);
        }
        let number = match PhoneNumber::parse(typed, self.settings.countries.first().copied(), &self.settings.countries)
        {
            Ok(number) => number,
            Err(problem) => return Ok(PhoneOutcome::Problem(problem)),
        };
        let login = match found.login {
            // the form sent twice: the code that is on its way stays good
            PendingLogin::NeedsCode(login) if login.candidate() == Some(&number) => login,
            PendingLogin::NeedsPhone(login) => self.put_number(id, login.with_candidate(number)).await?,
            PendingLogin::NeedsCode(login) => match login.forget_candidate() {
                Some(login) => self.put_number(id, login.with_candidate(number)).await?,
                None => return Ok(PhoneOutcome::Closed),
            },
            PendingLogin::NeedsNewPassword(_) => return Ok(PhoneOutcome::Over),
        };
        let report = self.send_code(id, OwedCode::SignIn(&login), &found.account, client, page_language, now).await?;
        Ok(PhoneOutcome::NeedsCode(report))
    }

    /// Keeps the number in the pending login. A login that has gone meanwhile is noticed when its code is sent.
    async fn put_number(&self, id: &LoginId, login: NeedsCode) -> PortResult<NeedsCode> {
        let record = PendingLogin::NeedsCode(login.clone()).seal(id, &self.signing_keys);
        effect("phone.number_put", self.ports.pending.replace(id, &record)).await?;
        Ok(login)
    }
}
