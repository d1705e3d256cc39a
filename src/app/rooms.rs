//! Builds the rooms behind the pages from the configuration: stores, hashing, senders, sessions and the sign-in flow. Floor: roof.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::clock::SystemClock;
use super::settings_of;
use super::sms_texts::LanguageFileTexts;
use crate::adapters::hashing::{HashingLimits, HashingThreads};
use crate::adapters::mail::{MailProblem, SmtpMail};
use crate::adapters::marker_file::MarkerFile;
use crate::adapters::memory_limits::MemoryLimits;
use crate::adapters::memory_pending::MemoryPendingLogins;
use crate::adapters::memory_provider_breakers::MemoryProviderBreakers;
use crate::adapters::redis_address::{RedisAddress, RedisAddressProblem};
use crate::adapters::redis_limits::RedisLimits;
use crate::adapters::redis_link::RedisLink;
use crate::adapters::redis_marker::RedisMarker;
use crate::adapters::redis_pending::RedisPendingLogins;
use crate::adapters::redis_probe::RedisProbe;
use crate::adapters::redis_provider_breakers::RedisProviderBreakers;
use crate::adapters::sms::attempt::HttpSms;
use crate::adapters::sms::client::ClientError;
use crate::adapters::sms::description::Description;
use crate::adapters::sms::terminal::TerminalSms;
use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::database::{Database, DatabaseSettings};
use crate::adapters::sql::error::SqlError;
use crate::admin::operations::Operations;
use crate::admin::tokens::Tokens;
use crate::config::Config;
use crate::config::sms::Provider;
use crate::config::stores::{AccountStore, State as ConfiguredState};
use crate::config::two_factor::{Activation as ConfiguredActivation, PhoneNumbers};
use crate::domain::keys::{KeyProblem, Keys};
use crate::domain::pending::Activation;
use crate::login::markers::{MarkerPlace, Markers};
use crate::login::notices::{MailSender, Notices};
use crate::login::ports::{Clock, Limits, PasswordVerifier, PendingLogins, SmsSender};
use crate::login::sending::ports::ProviderBreakers;
use crate::login::sessions::{SessionRules, Sessions};
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
    #[error("state.url: {0}")]
    RedisSettings(String),
    #[error("passwords.threads: no thread could be started")]
    Hashing(#[source] std::io::Error),
    #[error("sms.providers: {0} cannot be used")]
    Sms(String, #[source] ClientError),
    #[error("sms.providers: {0}")]
    SmsDescription(String),
    #[error("mail cannot be used")]
    Mail(#[source] MailProblem),
    #[error(
        "two_factor.activation is `staged`, but two-factor sign-in was activated on {0}. It stays active: write `active`"
    )]
    ActivatedBefore(String),
    #[error("accounts: the database could not tell what it was asked")]
    Ledger(#[from] crate::login::ports::PortError),
}

/// What a process keeps while it lives: opened once, whatever a reload brings.
#[derive(Clone, Debug)]
pub struct Stores {
    database: Database,
    pending: Arc<dyn PendingLogins>,
    limits: Arc<dyn Limits>,
    pub breakers: Arc<dyn ProviderBreakers>,
    pub markers: Arc<Markers>,
    pub passwords: Arc<dyn PasswordVerifier>,
    pub clock: Arc<dyn Clock>,
    runtime: Handle,
}

/// What signs people in, and what it stands on.
#[derive(Clone, Debug)]
pub struct Rooms {
    pub login: Arc<Login>,
    /// Where operators sign in; `None`: nowhere.
    pub operators: Option<Arc<Login>>,
    pub operations: Operations,
    /// What tells people of changes.
    pub notices: Notices,
    pub tokens: Tokens,
    pub sessions: Arc<Sessions>,
    pub ledger: Arc<SqlLedger>,
    pub signing_keys: Arc<Keys>,
    pub stores: Stores,
}

/// The database with the data keys: all that the commands of operators need.
///
/// # Errors
/// The keys or the database cannot be used.
pub async fn open_accounts(config: &Config) -> Result<(Arc<SqlLedger>, Arc<Keys>), BuildError> {
    accounts_in(open_database(config).await?, config).await
}

async fn open_database(config: &Config) -> Result<Database, BuildError> {
    let url = match &config.accounts.store {
        AccountStore::Sqlite { path } => format!("sqlite://{}", path.display()),
        AccountStore::Postgres { url } => url.reveal().to_owned(),
    };
    Ok(Database::open(&url, &DatabaseSettings::default()).await?)
}

async fn accounts_in(database: Database, config: &Config) -> Result<(Arc<SqlLedger>, Arc<Keys>), BuildError> {
    let data_keys = Arc::new(Keys::new(&config.accounts.encryption_keys).map_err(BuildError::EncryptionKeys)?);
    let ledger = Arc::new(SqlLedger::new(database, Arc::clone(&data_keys)));
    ledger.check_keys().await?;
    Ok((ledger, data_keys))
}

/// Opens everything and builds everything behind the pages. `runtime` outlives every connection.
///
/// # Errors
/// Something the configuration names cannot be used. A Redis that does not answer is no such thing: a node starts without it, and sign-in is
/// closed until it does.
pub async fn build(config: &Config, runtime: Handle) -> Result<Rooms, BuildError> {
    let database = open_database(config).await?;
    let State { pending, limits, breakers, marker } = state(config, &runtime).await?;
    let (ledger, data_keys) = accounts_in(database.clone(), config).await?;
    let places = marker_file(config).into_iter().chain(marker).collect();
    let markers = Arc::new(Markers::new(ledger, places, data_keys).await?);
    let clock = Arc::new(SystemClock);
    // before anything is done with a database that may be an older copy
    markers.keep(0, clock.now()).await?;
    let hashing = HashingThreads::start(
        config.passwords.argon2,
        HashingLimits {
            threads: config.passwords.threads,
            queue: config.passwords.queue,
            longest_wait: config.passwords.queue_wait,
        },
    )
    .map_err(BuildError::Hashing)?;
    let stores = Stores { database, pending, limits, breakers, markers, passwords: Arc::new(hashing), clock, runtime };
    furnish(config, stores, None).await
}

impl Rooms {
    /// The same rooms for another configuration: stores and what is known of ended sessions stay.
    ///
    /// # Errors
    /// Something the configuration names cannot be used. Nothing has changed then.
    pub async fn furnished_again(&self, config: &Config) -> Result<Self, BuildError> {
        furnish(config, self.stores.clone(), Some(&self.sessions)).await
    }
}

async fn furnish(config: &Config, stores: Stores, sessions: Option<&Arc<Sessions>>) -> Result<Rooms, BuildError> {
    let signing_keys = Arc::new(Keys::new(&config.signing_keys).map_err(BuildError::SigningKeys)?);
    let (ledger, data_keys) = accounts_in(stores.database.clone(), config).await?;
    stores.markers.replace_keys(Arc::clone(&data_keys));
    let senders = senders(config)?;
    let activation = settle_activation(config, &ledger, &*stores.clock).await?;
    let rules = SessionRules {
        keys: Arc::clone(&signing_keys),
        lifetimes: settings_of::lifetimes(config),
        grace: config.session.revocation_grace,
    };
    let sessions = match sessions {
        None => Arc::new(Sessions::new(rules, activation)),
        Some(sessions) => {
            sessions.replace_rules(rules);
            if activation == Activation::Active {
                sessions.activate();
            }
            Arc::clone(sessions)
        }
    };
    let texts = Arc::new(LanguageFileTexts::new(config));
    let mail = mail(config)?.map(|mail| Arc::new(mail) as Arc<dyn MailSender>);
    let ports = Ports {
        pending: Arc::clone(&stores.pending),
        limits: Arc::clone(&stores.limits),
        ledger: Arc::clone(&ledger) as _,
        send_ledger: Arc::clone(&ledger) as _,
        breakers: Arc::clone(&stores.breakers),
        own_account: Arc::clone(&ledger) as _,
        tickets: Arc::clone(&ledger) as _,
        passwords: Arc::clone(&stores.passwords),
        senders,
        texts: Arc::clone(&texts) as _,
        clock: Arc::clone(&stores.clock),
    };
    let runtime = stores.runtime.clone();
    let login = |ports: Ports, settings| {
        let (signing_keys, data_keys) = (Arc::clone(&signing_keys), Arc::clone(&data_keys));
        Login::new(ports, settings, signing_keys, data_keys, Arc::clone(&sessions), runtime.clone())
    };
    let operators = config.admin.as_ref().map(|_| login(ports.clone(), settings_of::operators_login(config)));
    let login = login(ports, settings_of::login(config));
    let notices = Notices { login: Arc::clone(&login), outbox: Arc::clone(&ledger) as _, texts, mail };
    let operations = Operations::new(
        Arc::clone(&ledger) as _,
        Arc::clone(&ledger) as _,
        Arc::clone(&stores.passwords),
        settings_of::policy(config),
    );
    let tokens = Tokens::new(Arc::clone(&ledger) as _);
    Ok(Rooms { login, operators, operations, notices, tokens, sessions, ledger, signing_keys, stores })
}

/// Whether a database that was opened for one command is an older copy than the note beside it tells; then everything has been ended. For
/// commands that come before any node: the note in Redis is left to nodes.
///
/// # Errors
/// The database could not tell.
pub async fn is_older_copy(config: &Config, ledger: Arc<SqlLedger>, data_keys: Arc<Keys>) -> Result<bool, BuildError> {
    let AccountStore::Sqlite { path } = &config.accounts.store else { return Ok(false) };
    let file = MarkerFile::beside(path);
    if !file.is_there() {
        return Ok(false);
    }
    let markers = Markers::new(ledger, vec![Arc::new(file)], data_keys).await?;
    Ok(markers.check(SystemClock.now()).await?)
}

/// Beside a SQLite database.
fn marker_file(config: &Config) -> Option<Arc<dyn MarkerPlace>> {
    match &config.accounts.store {
        AccountStore::Sqlite { path } => Some(Arc::new(MarkerFile::beside(path))),
        AccountStore::Postgres { .. } => None,
    }
}

/// Where pending logins, network limits and resting SMS providers are kept, with the note of how far the database has come.
struct State {
    pending: Arc<dyn PendingLogins>,
    limits: Arc<dyn Limits>,
    breakers: Arc<dyn ProviderBreakers>,
    marker: Option<Arc<dyn MarkerPlace>>,
}

async fn state(config: &Config, runtime: &Handle) -> Result<State, BuildError> {
    match &config.state {
        ConfiguredState::Memory => Ok(State {
            pending: Arc::new(MemoryPendingLogins::default()),
            limits: Arc::new(MemoryLimits::default()),
            breakers: Arc::new(MemoryProviderBreakers::default()),
            marker: None,
        }),
        ConfiguredState::Redis { url } => {
            let link = RedisLink::new(RedisAddress::parse(url).map_err(BuildError::Redis)?, runtime.clone());
            match link.probe().await {
                RedisProbe::Ready { version } => tracing::info!(version, "Redis answers"),
                RedisProbe::Unreachable { why } => {
                    tracing::error!(
                        cause = why,
                        "Redis does not answer: sign-in is closed until it does; open sessions go on"
                    );
                }
                RedisProbe::Wrong(problems) => {
                    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    return Err(BuildError::RedisSettings(texts.join("; ")));
                }
            }
            Ok(State {
                pending: Arc::new(RedisPendingLogins::new(link.clone())),
                limits: Arc::new(RedisLimits::new(link.clone())),
                breakers: Arc::new(RedisProviderBreakers::new(link.clone())),
                marker: Some(Arc::new(RedisMarker::new(link))),
            })
        }
    }
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
    HttpSms::new(description, config.sms.sender.as_deref().unwrap_or_default(), Arc::new(SystemClock))
        .map_err(|error| BuildError::Sms(name, error))
}

/// The mail server; `None`: there is none.
///
/// # Errors
/// Its certificates cannot be used.
pub fn mail(config: &Config) -> Result<Option<SmtpMail>, BuildError> {
    settings_of::mail(config).map(|settings| SmtpMail::new(&settings)).transpose().map_err(BuildError::Mail)
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
                request_id: None,
            };
            let window_until = match config.two_factor.phone_numbers {
                PhoneNumbers::PreRegistered => None,
                // enrolment was closed then, and only operators open it again
                PhoneNumbers::SelfRegistered if ledger.was_restored().await? => None,
                PhoneNumbers::SelfRegistered => Some(now.plus(config.two_factor.enrolment.window)),
            };
            ledger.activate(window_until, &audit).await?;
            Ok(Activation::Active)
        }
    }
}
