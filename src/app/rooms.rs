//! Builds the rooms behind the pages from the configuration: stores, hashing, senders, sessions and the sign-in flow. Floor: roof.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::clock::SystemClock;
use super::settings_of;
use super::sms_texts::LanguageFileTexts;
use crate::adapters::hashing::{HashingLimits, HashingThreads};
use crate::adapters::memory_limits::MemoryLimits;
use crate::adapters::memory_pending::MemoryPendingLogins;
use crate::adapters::redis_address::{RedisAddress, RedisAddressProblem};
use crate::adapters::redis_limits::RedisLimits;
use crate::adapters::redis_link::RedisLink;
use crate::adapters::redis_pending::RedisPendingLogins;
use crate::adapters::sms::attempt::HttpSms;
use crate::adapters::sms::client::ClientError;
use crate::adapters::sms::description::Description;
use crate::adapters::sms::terminal::TerminalSms;
use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::database::{Database, DatabaseSettings};
use crate::adapters::sql::error::SqlError;
use crate::config::Config;
use crate::config::sms::Provider;
use crate::config::stores::{AccountStore, State};
use crate::config::two_factor::Activation as ConfiguredActivation;
use crate::domain::keys::{KeyProblem, Keys};
use crate::domain::pending::Activation;
use crate::login::ports::{Clock, Limits, PasswordVerifier, PendingLogins, SmsSender};
use crate::login::sessions::Sessions;
use crate::login::{Login, Ports};

/// Why the rooms cannot be built. `Display` is for operators.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("signing_keys cannot be used")]
    SigningKeys(#[source] KeyProblem),
    #[error("accounts.encryption_keys cannot be used")]
    EncryptionKeys(#[source] KeyProblem),
    #[error("accounts.url: the database cannot be used")]
    Database(#[from] SqlError),
    #[error("state.url cannot be used")]
    Redis(#[source] RedisAddressProblem),
    #[error("passwords.threads: no thread could be started")]
    Hashing(#[source] std::io::Error),
    #[error("sms.providers: {0} cannot be used")]
    Sms(String, #[source] ClientError),
    #[error("sms.providers: {0}")]
    SmsDescription(String),
    #[error(
        "two_factor.activation is `staged`, but two-factor sign-in was activated on {0}. It stays active: write `active`"
    )]
    ActivatedBefore(String),
    #[error("accounts: the database could not tell what it was asked")]
    Ledger(#[from] crate::login::ports::PortError),
}

/// What signs people in, and what it stands on.
#[derive(Clone, Debug)]
pub struct Rooms {
    pub login: Arc<Login>,
    pub sessions: Arc<Sessions>,
    pub ledger: Arc<SqlLedger>,
    pub passwords: Arc<dyn PasswordVerifier>,
    pub clock: Arc<dyn Clock>,
}

/// The database with the data keys: all that the commands of operators need.
///
/// # Errors
/// The keys or the database cannot be used.
pub async fn open_accounts(config: &Config) -> Result<(Arc<SqlLedger>, Arc<Keys>), BuildError> {
    let data_keys = Arc::new(Keys::new(&config.accounts.encryption_keys).map_err(BuildError::EncryptionKeys)?);
    let url = match &config.accounts.store {
        AccountStore::Sqlite { path } => format!("sqlite://{}", path.display()),
        AccountStore::Postgres { url } => url.reveal().to_owned(),
    };
    let database = Database::open(&url, &DatabaseSettings::default()).await?;
    let ledger = Arc::new(SqlLedger::new(database, Arc::clone(&data_keys)));
    ledger.check_keys().await?;
    Ok((ledger, data_keys))
}

/// Builds everything behind the pages. `runtime` outlives every connection.
///
/// # Errors
/// Something the configuration names cannot be used. Redis is no such thing: a node starts without it, and sign-in is closed until it answers.
pub async fn build(config: &Config, runtime: Handle) -> Result<Rooms, BuildError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let signing_keys = Arc::new(Keys::new(&config.signing_keys).map_err(BuildError::SigningKeys)?);
    let (ledger, data_keys) = open_accounts(config).await?;
    let activation = settle_activation(config, &ledger, &*clock).await?;
    let sessions = Arc::new(Sessions::new(
        Arc::clone(&signing_keys),
        settings_of::lifetimes(config),
        config.session.revocation_grace,
        activation,
    ));
    let (pending, limits): (Arc<dyn PendingLogins>, Arc<dyn Limits>) = match &config.state {
        State::Memory => (Arc::new(MemoryPendingLogins::default()), Arc::new(MemoryLimits::default())),
        State::Redis { url } => {
            let address = RedisAddress::parse(url).map_err(BuildError::Redis)?;
            let link = RedisLink::new(address, runtime.clone());
            (Arc::new(RedisPendingLogins::new(link.clone())), Arc::new(RedisLimits::new(link)))
        }
    };
    let hashing = HashingThreads::start(
        config.passwords.argon2,
        HashingLimits {
            threads: config.passwords.threads,
            queue: config.passwords.queue,
            longest_wait: config.passwords.queue_wait,
        },
    )
    .map_err(BuildError::Hashing)?;
    let passwords: Arc<dyn PasswordVerifier> = Arc::new(hashing);
    let ports = Ports {
        pending,
        limits,
        ledger: Arc::clone(&ledger) as _,
        passwords: Arc::clone(&passwords),
        senders: senders(config)?,
        texts: Arc::new(LanguageFileTexts::new(config)),
        clock: Arc::clone(&clock),
    };
    let login = Login::new(ports, settings_of::login(config), signing_keys, data_keys, Arc::clone(&sessions), runtime);
    Ok(Rooms { login, sessions, ledger, passwords, clock })
}

/// The providers in the operator's order.
///
/// # Errors
/// A description or its certificates cannot be used.
pub fn senders(config: &Config) -> Result<Vec<Arc<dyn SmsSender>>, BuildError> {
    config
        .sms
        .providers
        .iter()
        .map(|provider| match provider {
            Provider::Terminal { .. } => Ok(Arc::new(TerminalSms) as Arc<dyn SmsSender>),
            Provider::Vendor(settings) => Ok(Arc::new(vendor(config, settings)?) as Arc<dyn SmsSender>),
        })
        .collect()
}

/// One vendor.
///
/// # Errors
/// Its description or its certificates cannot be used.
pub fn vendor(
    config: &Config,
    settings: &crate::adapters::sms::settings::ProviderSettings,
) -> Result<HttpSms, BuildError> {
    let name = settings.name.clone();
    let description = Description::read(settings.clone()).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        BuildError::SmsDescription(format!("{name}: {}", texts.join("; ")))
    })?;
    HttpSms::new(description, config.sms.sender.as_deref().unwrap_or_default())
        .map_err(|error| BuildError::Sms(name, error))
}

/// Activation is a ratchet: serving once with `active` records it, and `staged` is refused ever after.
async fn settle_activation(config: &Config, ledger: &SqlLedger, clock: &dyn Clock) -> Result<Activation, BuildError> {
    use crate::domain::audit::{AuditEvent, AuditRecord};
    use crate::login::directory::Directory;

    let recorded = Directory::activated_at(ledger).await?;
    match (config.two_factor.activation, recorded) {
        (ConfiguredActivation::Staged, Some(at)) => Err(BuildError::ActivatedBefore(at.to_string())),
        (ConfiguredActivation::Staged, None) => Ok(Activation::Staged),
        (ConfiguredActivation::Active, Some(_)) => Ok(Activation::Active),
        (ConfiguredActivation::Active, None) => {
            let now = clock.now();
            let audit = AuditRecord {
                at: now,
                event: AuditEvent::TwoFactorActivated,
                account: None,
                actor: "system".to_owned(),
                site: None,
                source: None,
                reason: Some("served with two_factor.activation: active".to_owned()),
            };
            ledger.activate(Some(now.plus(config.two_factor.enrolment.window)), &audit).await?;
            Ok(Activation::Active)
        }
    }
}
