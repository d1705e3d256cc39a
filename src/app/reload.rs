//! Another configuration for a running process (HUP): all of it or nothing. What is opened once (listeners, stores, hashing threads, the log)
//! needs a restart, and a file that changes it is refused whole. Floor: roof.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::figures::{self, SmsFigures};
use super::rooms::Rooms;
use super::serve::gateway_parts;
use super::{certificate_watch, settings_of};
use crate::config::Config;
use crate::config::stores::{AccountStore, State};
use crate::gateway::certificate_watch::ListenerCertificates;
use crate::gateway::handle::GatewayHandle;
use crate::login::chain;
use crate::login::notices::Notices;

/// Catches HUP from here on: its default is to end the process. What comes before `on_hangup` waits for it. Must be called from within the runtime.
///
/// # Errors
/// The system gives no signals.
pub(super) fn hangups() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// What goes by the configuration, and is given another one.
pub(super) struct Changing {
    pub(super) gateway: GatewayHandle,
    pub(super) notices: Arc<ArcSwap<Notices>>,
    pub(super) sms_figures: Arc<SmsFigures>,
}

/// Waits for HUP and reloads, for as long as the process lives.
pub(super) async fn on_hangup(
    mut hangups: Signal,
    path: PathBuf,
    mut config: Config,
    mut rooms: Rooms,
    changing: Changing,
    certificates: Arc<ListenerCertificates>,
) {
    while hangups.recv().await.is_some() {
        match reload(&path, &config, &rooms).await {
            Ok((changed, furnished)) => {
                changing.gateway.replace(gateway_parts(&changed, &furnished));
                changing.notices.store(Arc::new(furnished.notices.clone()));
                changing.sms_figures.replace(&furnished, &changed);
                figures::config_loaded(furnished.stores.clock.now());
                figures::reloaded("done");
                (config, rooms) = (changed, furnished);
                tracing::info!("the configuration was reloaded");
            }
            Err(why) => {
                figures::reloaded("refused");
                tracing::error!(why, "the configuration was not reloaded; the old one stays in force");
            }
        }
        certificate_watch::look(&certificates, &rooms.stores.clock).await;
    }
}

async fn reload(path: &Path, old: &Config, rooms: &Rooms) -> Result<(Config, Rooms), String> {
    // A file may be a pipe that is waited for: not on a thread that serves the stores.
    let path = path.to_owned();
    let loading = tokio::task::spawn_blocking(move || Config::load(&path)).await.map_err(|error| chain(&error))?;
    let loaded = loading.map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        texts.join("; ")
    })?;
    let changed: Vec<&str> = needing_restart(old)
        .into_iter()
        .zip(needing_restart(&loaded.config))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((key, _), _)| key)
        .collect();
    if !changed.is_empty() {
        return Err(format!("{} can only be changed by a restart", changed.join(", ")));
    }
    for notice in &loaded.notices {
        tracing::warn!("{notice}");
    }
    let furnished = rooms.furnished_again(&loaded.config).await.map_err(|error| chain(&error))?;
    Ok((loaded.config, furnished))
}

/// What is opened once, as text to compare; never shown.
fn needing_restart(config: &Config) -> [(&'static str, String); 9] {
    let state = match &config.state {
        State::Memory => "memory".to_owned(),
        State::Redis { url } => url.reveal().to_owned(),
    };
    let accounts = match &config.accounts.store {
        AccountStore::Sqlite { path } => path.display().to_string(),
        AccountStore::Postgres { url } => url.reveal().to_owned(),
    };
    let passwords = &config.passwords;
    [
        ("testing", config.testing.to_string()),
        // what is in certificate files is no part of it: they are renewed while the process lives
        ("listen", format!("{:?}", settings_of::listeners(&config.listen))),
        ("admin", format!("{:?}", config.admin.as_ref().map(settings_of::operators_listener))),
        ("state.url", state),
        ("accounts.url", accounts),
        (
            "passwords",
            format!("{:?} {} {} {:?}", passwords.argon2, passwords.threads, passwords.queue, passwords.queue_wait),
        ),
        ("audit.retention", format!("{:?}", config.audit.retention)),
        ("shutdown", format!("{:?}", config.shutdown)),
        ("log", format!("{:?}", config.log)),
    ]
}
