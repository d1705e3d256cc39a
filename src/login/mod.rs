//! Getting in and staying in, told as a story over ports: password, phone number, code, session. Knows no HTTP, no SQL, no Redis.
//! Each step runs to its end as a task of its own: a connection that is cut cancels nothing between two effects. Floor: imports `domain`.

pub mod api_tokens;
pub mod directory;
pub mod fail_point;
pub mod markers;
pub mod notices;
pub mod own_account;
pub mod ports;
pub mod sending;
pub mod sessions;
pub mod trail;
pub mod upkeep;

mod audience;
mod code_step;
mod figures;
mod networks;
mod new_password_step;
mod password_step;
mod pending_view;
mod phone_step;
mod sign_out;
#[cfg(test)]
pub(crate) mod silent_feed;
mod step_up;
pub mod tickets;

use std::sync::atomic::{AtomicU32, Ordering};
use std::{net::IpAddr, sync::Arc, time::Duration};

use tracing::Instrument as _;

pub use self::audience::{Announcement, Audience, PhonePolicy};
pub use self::code_step::CodeOutcome;
pub use self::networks::NetworkCaps;
pub use self::new_password_step::{NewPassword, NewPasswordOutcome, PasswordProblem};
pub use self::password_step::{PasswordOutcome, PasswordSubmission};
pub use self::pending_view::{CodeStage, PendingStage, PendingView};
use self::phone_step::TypedPhone;
pub use self::phone_step::{NewPhone, PhoneOutcome};
pub use self::sending::SendReport;
pub use self::step_up::StepUpOutcome;

use self::ports::{
    Clock, Ledger, Limits, PasswordVerifier, PendingLogins, PortError, PortResult, SmsSender, SmsTexts, StoredLogin,
};
use self::sending::SendingSettings;
use self::sending::ports::{ProviderBreakers, SendLedger};
use self::sessions::Sessions;
use crate::domain::account::{Account, AccountStatus};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::keys::Keys;
use crate::domain::language::Language;
use crate::domain::limits::{CodeAttemptCaps, PasswordAttemptCaps};
use crate::domain::password::PasswordRules;
use crate::domain::pending::{LoginFacts, LoginHandle, LoginId, PendingLogin};
use crate::domain::phone::Country;
use crate::domain::{secret::SecretText, session::Session, site::SiteName, time::UnixMillis};

/// The outside, as the story sees it.
#[derive(Clone, Debug)]
pub struct Ports {
    pub pending: Arc<dyn PendingLogins>,
    pub limits: Arc<dyn Limits>,
    pub ledger: Arc<dyn Ledger>,
    pub send_ledger: Arc<dyn SendLedger>,
    pub breakers: Arc<dyn ProviderBreakers>,
    pub own_account: Arc<dyn own_account::OwnAccount>,
    pub tickets: Arc<dyn tickets::Tickets>,
    pub passwords: Arc<dyn PasswordVerifier>,
    /// In the operator's order.
    pub senders: Vec<Arc<dyn SmsSender>>,
    pub texts: Arc<dyn SmsTexts>,
    pub clock: Arc<dyn Clock>,
}

/// The operator's figures for signing in.
#[derive(Clone, Debug)]
pub struct LoginSettings {
    pub audience: Audience,
    pub phone_policy: PhonePolicy,
    pub announcement: Option<Announcement>,
    /// So many accounts may have one number by their users' own doing; what operators do is not held to it.
    pub accounts_per_number: u32,
    /// Digits of a code, 6 to 8.
    pub code_length: u8,
    /// How long a code is good from its last send; at most ten minutes.
    pub code_lifetime: Duration,
    /// How long a right password may wait for its code; at most ten minutes (NIST SP 800-63B-4 §3.1.3.2).
    pub login_lifetime: Duration,
    /// How long after the n-th send the next may follow; the last one repeats.
    pub resend_waits: Vec<Duration>,
    pub code_attempts: CodeAttemptCaps,
    pub password_attempts: PasswordAttemptCaps,
    pub sending: SendingSettings,
    pub networks: NetworkCaps,
    /// Only numbers of these countries are texted.
    pub countries: Vec<Country>,
    /// Answers of the password step come at multiples of this after its start, so that their time tells nothing.
    pub tick: Duration,
    /// What a new password has to meet.
    pub password_rules: PasswordRules,
    /// Names and hosts of the sites: no new password is built on them.
    pub site_names: Vec<String>,
}

/// Who asks: the client's address, what its browser calls itself, and which request it is.
#[derive(Clone, Debug)]
pub struct Client {
    pub address: IpAddr,
    pub user_agent: Option<String>,
    /// As pages and the log name it; for the audit trail.
    pub request_id: String,
}

/// A step could not be taken; the client gets 503. Logged where it arose.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("a store or the hashing could not tell")]
    Port(#[from] PortError),
    #[error("the step ended without an answer")]
    Ended,
}

/// Ticks while imported hashes are left. Our own choice: answers about accounts with bcrypt of cost 12 were seen at the second and third tick (a
/// debug build on a busy machine). Costlier hashes than `CostCap` takes by default may need more.
const TICKS_WITH_FOREIGN_HASHES: u32 = 3;

/// Signing in, for all sites.
#[derive(Debug)]
pub struct Login {
    ports: Ports,
    settings: LoginSettings,
    signing_keys: Arc<Keys>,
    data_keys: Arc<Keys>,
    sessions: Arc<Sessions>,
    runtime: tokio::runtime::Handle,
    /// How many ticks the answers of the password step take at least.
    ticks: AtomicU32,
}

impl Login {
    /// `runtime` outlives every connection: steps run there.
    #[must_use]
    pub fn new(
        ports: Ports,
        settings: LoginSettings,
        signing_keys: Arc<Keys>,
        data_keys: Arc<Keys>,
        sessions: Arc<Sessions>,
        runtime: tokio::runtime::Handle,
    ) -> Arc<Self> {
        Arc::new(Self { ports, settings, signing_keys, data_keys, sessions, runtime, ticks: AtomicU32::new(1) })
    }

    /// User name and password.
    ///
    /// # Errors
    /// A store or the hashing could not tell.
    pub async fn submit_password(
        self: &Arc<Self>,
        submission: PasswordSubmission,
    ) -> Result<PasswordOutcome, StepError> {
        let login = Arc::clone(self);
        let outcome = self.to_its_end(async move { login.password_step(submission).await }).await;
        figures::step("password", &outcome, figures::of_password);
        outcome
    }

    /// The number to enrol, with its ticket where one is asked for.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn submit_phone(
        self: &Arc<Self>,
        site: &SiteName,
        handle: &LoginHandle,
        typed: String,
        ticket: String,
        client: Client,
        page_language: Language,
    ) -> Result<PhoneOutcome, StepError> {
        let (login, site, id) = (Arc::clone(self), site.clone(), handle.login_id());
        let step = async move {
            let typed = TypedPhone { phone: &typed, ticket: &ticket };
            login.phone_step(&site, &id, typed, &client, page_language).await
        };
        let outcome = self.to_its_end(step).await;
        figures::step("phone", &outcome, figures::of_phone);
        outcome
    }

    /// The code.
    ///
    /// # Errors
    /// A store could not tell; nobody is let in, and the guess stays counted.
    pub async fn submit_code(
        self: &Arc<Self>,
        site: &SiteName,
        handle: &LoginHandle,
        typed: String,
        client: Client,
    ) -> Result<CodeOutcome, StepError> {
        let (login, site, id) = (Arc::clone(self), site.clone(), handle.login_id());
        let outcome = self.to_its_end(async move { login.code_step(&site, &id, &typed, &client).await }).await;
        figures::step("code", &outcome, figures::of_code);
        outcome
    }

    /// The password that takes the place of a one-time password.
    ///
    /// # Errors
    /// A store or the hashing could not tell.
    pub async fn choose_password(
        self: &Arc<Self>,
        site: &SiteName,
        handle: &LoginHandle,
        chosen: SecretText,
        client: Client,
    ) -> Result<NewPasswordOutcome, StepError> {
        let (login, site, id) = (Arc::clone(self), site.clone(), handle.login_id());
        let outcome = self.to_its_end(async move { login.new_password_step(&site, &id, &chosen, &client).await }).await;
        figures::step("new_password", &outcome, figures::of_new_password);
        outcome
    }

    /// A new SMS for a login that owes a code. `Ok(None)`: the login is over.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn resend_code(
        self: &Arc<Self>,
        site: &SiteName,
        handle: &LoginHandle,
        client: Client,
        page_language: Language,
    ) -> Result<Option<SendReport>, StepError> {
        let (login, site, id) = (Arc::clone(self), site.clone(), handle.login_id());
        let outcome = self.to_its_end(async move { login.resend_step(&site, &id, &client, page_language).await }).await;
        figures::step("resend", &outcome, figures::of_resend);
        outcome
    }

    /// Asks a session without a code for one.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn step_up(
        self: &Arc<Self>,
        session: Session,
        return_path: String,
        client: Client,
        page_language: Language,
    ) -> Result<StepUpOutcome, StepError> {
        let login = Arc::clone(self);
        let outcome = self
            .to_its_end(async move { login.step_up_step(&session, return_path, &client, page_language).await })
            .await;
        figures::step("step_up", &outcome, figures::of_step_up);
        outcome
    }

    /// Ends a session everywhere.
    ///
    /// # Errors
    /// The ledger could not tell: the session may still be open.
    pub async fn sign_out(self: &Arc<Self>, session: Session, client: Client) -> Result<(), StepError> {
        let login = Arc::clone(self);
        self.to_its_end(async move { login.sign_out_step(&session, &client).await }).await
    }

    /// A pending login of this site, to draw its page; spends and sends nothing. `Ok(None)`: it is over.
    ///
    /// # Errors
    /// A store could not tell.
    pub async fn pending(
        self: &Arc<Self>,
        site: &SiteName,
        handle: &LoginHandle,
    ) -> Result<Option<PendingView>, StepError> {
        let (login, site, id) = (Arc::clone(self), site.clone(), handle.login_id());
        self.to_its_end(async move { login.view(&site, &id).await }).await
    }

    /// The sessions this node knows.
    #[must_use]
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// Says whether accounts have hashes that take longer to check than ours. While they do, every answer of the password step takes as long as
    /// the slowest of them may, whoever it is about.
    pub fn expect_foreign_hashes(&self, some: bool) {
        self.ticks.store(if some { TICKS_WITH_FOREIGN_HASHES } else { 1 }, Ordering::Relaxed);
    }

    /// What forms are signed with.
    #[must_use]
    pub fn signing_keys(&self) -> &Keys {
        &self.signing_keys
    }

    /// The operator's figures.
    #[must_use]
    pub fn settings(&self) -> &LoginSettings {
        &self.settings
    }

    /// The present time, read from the clock.
    #[must_use]
    pub fn now(&self) -> UnixMillis {
        self.ports.clock.now()
    }

    async fn to_its_end<T: Send + 'static>(
        &self,
        step: impl Future<Output = PortResult<T>> + Send + 'static,
    ) -> Result<T, StepError> {
        match self.runtime.spawn(step.in_current_span()).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(error)) => {
                tracing::error!(port = error.port(), cause = chain(&error), "a sign-in step could not be taken");
                Err(StepError::Port(error))
            }
            Err(ended) => {
                tracing::error!(panicked = ended.is_panic(), "a sign-in step ended without an answer");
                Err(StepError::Ended)
            }
        }
    }

    /// The pending login under `id`, if it is of this site, in time, and its account has not moved on.
    async fn find(&self, site: &SiteName, id: &LoginId, now: UnixMillis) -> PortResult<Option<Found>> {
        let Some(stored) = self.ports.pending.peek(id).await? else {
            return Ok(None);
        };
        let Some(login) = PendingLogin::open(id, &stored.record, &self.signing_keys) else {
            return Ok(None);
        };
        let facts = login.facts();
        if facts.site != *site || facts.ends_at <= now {
            return Ok(None);
        }
        let Some(account) = self.ports.ledger.account(&facts.account).await? else {
            return Ok(None);
        };
        Ok(is_unmoved(&account, facts).then_some(Found { stored, login, account }))
    }

    fn audit(
        &self,
        event: AuditEvent,
        facts: &LoginFacts,
        client: &Client,
        now: UnixMillis,
        reason: Option<&str>,
    ) -> AuditRecord {
        AuditRecord {
            at: now,
            event,
            account: Some(facts.account),
            actor: format!("user:{}", facts.user_name.as_str()),
            site: Some(facts.site.clone()),
            source: Some(client.address),
            reason: reason.map(str::to_owned),
            request_id: Some(client.request_id.clone()),
        }
    }
}

/// A pending login with its account as it is now.
struct Found {
    stored: StoredLogin,
    login: PendingLogin,
    account: Account,
}

/// Whether the account is still what the login began with.
fn is_unmoved(account: &Account, facts: &LoginFacts) -> bool {
    account.status == AccountStatus::Active
        && account.epoch == facts.epoch
        && account.phone_version == facts.phone_version
}

/// An error with its causes, for one line of the log.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
