//! Serving: builds everything, listens, follows the feed, tidies up, and ends when it is told to. Floor: roof.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::Request;
use pingora::server::{Server, UnixShutdownSignalWatch};
use tokio::runtime::Runtime;
use tokio::signal::unix::Signal;
use tower::ServiceExt as _;

use super::figures::{self, SmsFigures};
use super::hardening::most_open_files;
use super::rooms::{self, BuildError, Rooms};
use super::{audit_head, certificate_watch, feed_follower, notices, reload, settings_of};
use crate::adapters::sql::SqlLedger;
use crate::admin::sms::SentSms;
use crate::admin::{api, pages};
use crate::config::Config;
use crate::config::open_files::OpenFiles;
use crate::domain::notice::Way;
use crate::domain::site::SiteName;
use crate::gateway::assertions::Assertions;
use crate::gateway::bridge::Pages;
use crate::gateway::handle::{GatewayHandle, GatewayParts, OperatorsSite};
use crate::gateway::message_pages::MessagePages;
use crate::gateway::route_rules::RuleScope;
use crate::gateway::service::{self, ListenMistake};
use crate::gateway::settings::{ServerSettings, Start};
use crate::login::{Login, chain};
use crate::pages::look::SiteLook;
use crate::portal;
use crate::web::paths;

/// How often it is asked whether imported hashes are left: an import is made beside a running process.
const LOOK_FOR_HASHES_EVERY: Duration = Duration::from_secs(60);
/// How often old rows are deleted.
const TIDY_EVERY: Duration = Duration::from_secs(600);

/// Why serving did not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("no runtime could be started")]
    Runtime(#[source] std::io::Error),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error(transparent)]
    Listen(#[from] ListenMistake),
    #[error("the feed of revocations could not be read")]
    Feed(#[from] crate::login::ports::PortError),
}

/// A process that will serve: no HUP ends it any more. The runtime is that of the adapters.
#[derive(Debug)]
pub struct Begun {
    runtime: Runtime,
    hangups: Signal,
}

/// The first thing that a process which serves does, before it reads its configuration: a HUP from then on is a reload, however early it comes.
/// Must not be called from within an asynchronous runtime.
///
/// # Errors
/// No runtime, or no signals.
pub fn begin() -> Result<Begun, ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("adapters")
        .enable_all()
        .build()
        .map_err(ServeError::Runtime)?;
    let hangups = runtime.block_on(async { reload::hangups() }).map_err(ServeError::Runtime)?;
    Ok(Begun { runtime, hangups })
}

/// What a running process holds on to: the runtime of the adapters, and the rooms.
pub struct Running {
    server: Server,
    gateway: GatewayHandle,
    drain: Duration,
    runtime: Runtime,
    rooms: Rooms,
}

/// Builds everything and gets ready to listen. HUP reloads the file `reload_from`; without one it does nothing.
///
/// # Errors
/// Something the configuration names cannot be used.
pub fn prepare(begun: Begun, config: &Config, reload_from: Option<&Path>) -> Result<Running, ServeError> {
    // one provider in the whole process; an error means that it is in place already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let Begun { runtime, hangups } = begun;
    let rooms = runtime.block_on(rooms::build(config, runtime.handle().clone()))?;
    let last = runtime.block_on(feed_follower::catch_up(&rooms.sessions, &*rooms.ledger, &*rooms.stores.clock))?;
    let (ledger, clock, audit_kept) =
        (Arc::clone(&rooms.ledger), Arc::clone(&rooms.stores.clock), config.audit.retention);
    runtime.spawn(feed_follower::follow(
        Arc::clone(&rooms.sessions),
        Arc::clone(&ledger) as _,
        Arc::clone(&rooms.stores.markers),
        Arc::clone(&clock),
        last,
    ));
    let logins: Vec<Arc<Login>> = std::iter::once(&rooms.login).chain(&rooms.operators).cloned().collect();
    runtime.block_on(look_for_foreign_hashes(&ledger, &logins));
    let asked = Arc::clone(&ledger);
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(LOOK_FOR_HASHES_EVERY).await;
            look_for_foreign_hashes(&asked, &logins).await;
        }
    });
    runtime.spawn(async move {
        loop {
            tokio::time::sleep(TIDY_EVERY).await;
            if let Err(error) = ledger.tidy(audit_kept, clock.now()).await {
                tracing::warn!(cause = chain(&error), "old rows could not be deleted; they will be next time");
            }
        }
    });
    let telling = Arc::new(ArcSwap::from_pointee(rooms.notices.clone()));
    for way in Way::ALL {
        runtime.spawn(notices::carry_out(way, Arc::clone(&telling)));
    }
    runtime.spawn(audit_head::publish(Arc::clone(&rooms.ledger) as _));
    let gateway = GatewayHandle::new(gateway_parts(config, &rooms));
    runtime.spawn(gateway.clone().check_health());
    let sms_figures = SmsFigures::of(&rooms, config);
    if config.admin.is_some() {
        runtime.spawn(Arc::clone(&sms_figures).follow());
    }
    figures::config_loaded(rooms.stores.clock.now());
    let settings = ServerSettings {
        listeners: settings_of::listeners(&config.listen),
        operators: config.admin.as_ref().map(settings_of::operators_listener),
        threads: None,
        drain: config.shutdown.drain,
        upgrade_socket: PathBuf::from("/run/vestibule/upgrade.sock"),
        start: Start::Fresh,
        kept_upstream_connections: OpenFiles::shared_out(most_open_files()).kept,
    };
    let mut server = service::server(&settings);
    server.bootstrap();
    let certificates = Arc::new(service::add_listeners(&mut server, &gateway, &settings)?);
    if !certificates.is_empty() {
        runtime.spawn(certificate_watch::watch(Arc::clone(&certificates), Arc::clone(&rooms.stores.clock)));
    }
    if let Some(path) = reload_from {
        runtime.spawn(reload::on_hangup(
            hangups,
            path.to_owned(),
            config.clone(),
            rooms.clone(),
            reload::Changing { gateway: gateway.clone(), notices: telling, sms_figures },
            certificates,
        ));
    }
    if let Some(admin) = &config.admin {
        tracing::info!(url = admin.url.as_str(), "serves operators");
    }
    for site in &config.sites {
        tracing::info!(site = site.name, url = site.url.as_str(), "serves");
        for rule in settings_of::rules(site).public() {
            match rule.scope {
                RuleScope::Every => tracing::info!(site = site.name, path = %rule.path, "this path needs no sign-in"),
                RuleScope::Preflights => {
                    tracing::info!(site = site.name, path = %rule.path, "CORS preflights for this path need no sign-in");
                }
            }
        }
    }
    Ok(Running { server, gateway, drain: settings.drain, runtime, rooms })
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("rooms", &self.rooms).finish_non_exhaustive()
    }
}

impl Running {
    /// Listens until the process is told to end, and lets requests finish. The adapters' runtime ends last.
    pub fn run(self) {
        service::run(self.server, &self.gateway, self.drain, Box::new(UnixShutdownSignalWatch));
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }

    /// What signs people in.
    #[must_use]
    pub fn rooms(&self) -> &Rooms {
        &self.rooms
    }

    /// The runtime of the adapters, for what else lives as long as the process.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }
}

/// When the database cannot tell, what was known stays.
async fn look_for_foreign_hashes(ledger: &SqlLedger, logins: &[Arc<Login>]) {
    match ledger.has_foreign_hashes().await {
        Ok(some) => logins.iter().for_each(|login| login.expect_foreign_hashes(some)),
        Err(error) => tracing::warn!(cause = chain(&error), "it cannot be told whether imported hashes are left"),
    }
}

/// What the gateway works with.
pub(super) fn gateway_parts(config: &Config, rooms: &Rooms) -> GatewayParts {
    let mut looks: HashMap<SiteName, Arc<SiteLook>> = config
        .sites
        .iter()
        .map(|site| (SiteName::new(&site.name), Arc::new(SiteLook::new(settings_of::look(site)))))
        .collect();
    let operators = config.admin.as_ref().zip(rooms.operators.as_ref()).map(|(admin, login)| {
        let site = settings_of::operators_site(admin);
        let look = Arc::new(SiteLook::new(settings_of::operators_look()));
        looks.insert(site.name.clone(), Arc::clone(&look));
        OperatorsSite {
            pages: Pages::new(operators_pages(site.name.clone(), look, login, rooms)),
            site: Arc::new(site),
        }
    });
    let asserting = config.sites.iter().filter(|site| site.identity.assertion).map(|site| SiteName::new(&site.name));
    GatewayParts {
        settings: settings_of::gateway(config),
        pages: Pages::new(portal::router(Arc::clone(&rooms.login), looks.clone(), asserting.collect())),
        operators,
        message_pages: MessagePages::new(looks),
        sessions: Arc::clone(&rooms.sessions),
        assertions: Assertions::new(Arc::clone(&rooms.signing_keys)),
        clock: Arc::clone(&rooms.stores.clock),
    }
}

/// The portal's pages at our prefix, the admin API at its own, and the operators' pages everywhere else.
fn operators_pages(name: SiteName, look: Arc<SiteLook>, login: &Arc<Login>, rooms: &Rooms) -> Router {
    let portal = portal::router(Arc::clone(login), HashMap::from([(name, Arc::clone(&look))]), HashSet::new());
    let own =
        pages::router(Arc::clone(login), rooms.operations.clone(), SentSms::new(Arc::clone(&rooms.ledger) as _), look);
    let api = api::router(Arc::clone(login), rooms.operations.clone(), rooms.tokens.clone());
    // by hand: what a route of a router above has read of the path would stand before what these read of it
    Router::new().fallback(move |request: Request| {
        let path = request.uri().path();
        let served = match () {
            () if path.starts_with(paths::PREFIX) => portal,
            () if path.starts_with(api::PREFIX) => api,
            () => own,
        };
        served.oneshot(request)
    })
}
