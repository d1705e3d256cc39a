//! The listening half of the gateway: a pingora server with its listeners, threads and drain time.
//! Adds only the gateway's own services; what else the process runs, `app` adds to the same server. Floor: edge.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pingora::listeners::TcpSocketOptions;
use pingora::listeners::tls::TlsSettings;
use pingora::protocols::{ALPN, TcpKeepalive};
use pingora::proxy::http_proxy;
use pingora::server::configuration::{Opt, ServerConf};
use pingora::server::{ExecutionPhase, RunArgs, Server, ShutdownSignalWatch};
use pingora::services::listening::Service;

use super::certificate_watch::ListenerCertificates;
use super::certificates::CertificateMistake;
use super::connection::{BeforeTls, Connections};
use super::handle::GatewayHandle;
use super::proxy::Gateway;
use super::proxy_protocol::{BehindProxy, ProxyProtocol};
use super::settings::{
    Http2, ListenerPurpose, ListenerSettings, ListenerTask, ProxyProtocolUse, ServerSettings, Start, TlsListener,
};
use super::streams::ending::EndingStreams;

/// One try, and one more where nothing can have been executed (see `proxy`).
const TRIES: usize = 2;

/// How long streams that are ended at the end of the drain time have to say goodbye. Our own choice.
const FAREWELL: Duration = Duration::from_secs(1);

/// Why the gateway cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenMistake {
    /// A certificate cannot be used.
    #[error("the certificates for {address} cannot be used")]
    Certificate {
        /// Which listener.
        address: SocketAddr,
        /// What is wrong.
        source: Box<CertificateMistake>,
    },
    /// The address is taken, not ours, or not allowed.
    #[error("{address} cannot be listened on")]
    Address {
        /// Which listener.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// pingora does not take the TLS settings.
    #[error("TLS for {address} cannot be set up")]
    Tls {
        /// Which listener.
        address: SocketAddr,
        /// What pingora said.
        source: Box<pingora::Error>,
    },
}

/// A server without services yet. The process must not have been forked, and nothing is listened on before `run`.
#[must_use]
pub fn server(settings: &ServerSettings) -> Server {
    let threads = settings.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let conf = ServerConf {
        threads,
        // Measured: a few percent more requests, and connections stay on one core.
        work_stealing: false,
        upstream_keepalive_pool_size: settings.kept_upstream_connections,
        max_retries: TRIES,
        // `run` returns before: streams are ended when the drain time is over.
        grace_period_seconds: Some((settings.drain + 2 * FAREWELL).as_secs()),
        graceful_shutdown_timeout_seconds: Some(1),
        upgrade_sock: settings.upgrade_socket.to_string_lossy().into_owned(),
        ..ServerConf::default()
    };
    let opt = Opt { upgrade: settings.start == Start::TakeOver, ..Opt::default() };
    Server::new_with_opt_and_conf(opt, conf)
}

/// Adds the gateway's listeners to `server`.
///
/// # Errors
/// When a certificate or an address cannot be used: pingora would panic later and say less.
pub fn add_listeners(
    server: &mut Server,
    gateway: &GatewayHandle,
    settings: &ServerSettings,
) -> Result<ListenerCertificates, ListenMistake> {
    let mut certificates = ListenerCertificates::default();
    let mut services = Services::new(gateway, Arc::clone(&server.configuration));
    let of_sites = settings.listeners.iter().map(|listener| (listener, ListenerTask::Sites));
    let of_operators = settings.operators.iter().map(|listener| (listener, ListenerTask::Operators));
    for (listener, serving) in of_sites.chain(of_operators) {
        match settings.start {
            Start::Fresh => check_address(listener)?,
            Start::TakeOver => {}
        }
        let (task, tls) = match &listener.purpose {
            ListenerPurpose::Plain => (serving, None),
            ListenerPurpose::Tls(tls) => (serving, Some(tls_settings(listener.address, tls, &mut certificates)?)),
            ListenerPurpose::RedirectToHttps { acme_webroot } => {
                (ListenerTask::RedirectToHttps { acme_webroot: acme_webroot.clone() }, None)
            }
        };
        services.listen(listener, &task, tls);
    }
    services.add_to(server);
    Ok(certificates)
}

fn tls_settings(
    address: SocketAddr,
    listener: &TlsListener,
    certificates: &mut ListenerCertificates,
) -> Result<TlsSettings, ListenMistake> {
    let resolver = certificates
        .add(&listener.certificates)
        .map_err(|source| ListenMistake::Certificate { address, source: Box::new(source) })?;
    let mut tls =
        TlsSettings::with_callbacks(Box::new(NoCallbacks)).map_err(|source| ListenMistake::Tls { address, source })?;
    tls.set_cert_resolver(resolver);
    tls.set_alpn(match listener.http2 {
        Http2::Offered => ALPN::H2H1,
        Http2::Off => ALPN::H1,
    });
    Ok(tls)
}

/// One service for each task: a hook that reads before TLS belongs to a whole service.
struct Services<'a> {
    gateway: &'a GatewayHandle,
    conf: Arc<ServerConf>,
    direct: BTreeMap<ListenerTask, Service<Connections>>,
    behind_proxy: BTreeMap<ListenerTask, Service<BehindProxy<Connections>>>,
}

impl<'a> Services<'a> {
    fn new(gateway: &'a GatewayHandle, conf: Arc<ServerConf>) -> Self {
        Self { gateway, conf, direct: BTreeMap::new(), behind_proxy: BTreeMap::new() }
    }

    fn listen(&mut self, listener: &ListenerSettings, task: &ListenerTask, tls: Option<TlsSettings>) {
        let application = || application(self.gateway, task, &self.conf);
        match listener.proxy_protocol {
            ProxyProtocolUse::Off => {
                let make = || {
                    let mut service = service(task, name_of(task), application());
                    service.endpoints().set_pre_tls_callback(Arc::new(BeforeTls::new(self.gateway.clone())));
                    service
                };
                add_listener(self.direct.entry(task.clone()).or_insert_with(make), listener, tls);
            }
            ProxyProtocolUse::Required => {
                let make = || {
                    let protocol = ProxyProtocol::new(self.gateway.clone());
                    let application = BehindProxy::around(application(), Arc::clone(&protocol));
                    let name = format!("{} behind a proxy", name_of(task));
                    let mut service = service(task, &name, application);
                    service.endpoints().set_pre_tls_callback(protocol);
                    service
                };
                add_listener(self.behind_proxy.entry(task.clone()).or_insert_with(make), listener, tls);
            }
        }
    }

    fn add_to(self, server: &mut Server) {
        for service in self.direct.into_values() {
            server.add_service(service);
        }
        for service in self.behind_proxy.into_values() {
            server.add_service(service);
        }
    }
}

fn name_of(task: &ListenerTask) -> &'static str {
    match task {
        ListenerTask::Sites => "sites",
        ListenerTask::Operators => "operators",
        ListenerTask::RedirectToHttps { .. } => "redirects",
    }
}

/// Redirects and operators need one thread only.
fn service<A>(task: &ListenerTask, name: &str, application: A) -> Service<A> {
    let mut service = Service::new(name.to_owned(), application);
    match task {
        ListenerTask::Sites => {}
        ListenerTask::Operators | ListenerTask::RedirectToHttps { .. } => service.threads = Some(1),
    }
    service
}

fn add_listener<A>(service: &mut Service<A>, listener: &ListenerSettings, tls: Option<TlsSettings>) {
    let address = listener.address.to_string();
    match tls {
        Some(tls) => service.add_tls_with_settings(&address, Some(socket_options()), tls),
        None => service.add_tcp_with_settings(&address, socket_options()),
    }
}

/// Runs `server` until a signal ends it, and no longer than there are requests to finish: pingora alone would wait for the whole drain
/// time. Streams that are still open after `drain` are ended. Signals are `signals`'s: pingora's own `UnixShutdownSignalWatch` knows TERM, QUIT and INT.
///
/// What is left of the server when this returns ends with the process; the caller winds up its own and returns from `main`.
pub fn run(server: Server, gateway: &GatewayHandle, drain: Duration, signals: Box<dyn ShutdownSignalWatch + Send>) {
    const LOOK: Duration = Duration::from_millis(50);
    let mut phases = server.watch_execution_phase();
    let running = std::thread::spawn(move || server.run(RunArgs { shutdown_signal: signals }));
    let mut draining_since = None;
    let mut farewell_since: Option<Instant> = None;
    while !running.is_finished() {
        while let Ok(phase) = phases.try_recv() {
            if matches!(phase, ExecutionPhase::ShutdownGracePeriod) {
                gateway.drain();
                draining_since = Some(Instant::now());
            }
        }
        // Requests were counted down before: the listeners are closed in this phase, so none begins.
        std::thread::sleep(LOOK);
        let Some(since) = draining_since else { continue };
        if gateway.requests_under_way() == 0 {
            return;
        }
        match farewell_since {
            None if since.elapsed() >= drain => {
                gateway.end_streams();
                farewell_since = Some(Instant::now());
            }
            Some(begun) if begun.elapsed() >= FAREWELL => return,
            None | Some(_) => {}
        }
    }
}

/// pingora has no constructor for TLS settings with a resolver and neither files nor callbacks.
struct NoCallbacks;

impl pingora::listeners::TlsAccept for NoCallbacks {}

/// What serves the connections of the listeners of one task.
#[must_use]
pub fn application(gateway: &GatewayHandle, task: &ListenerTask, conf: &Arc<ServerConf>) -> Connections {
    let requests = EndingStreams::around(http_proxy(conf, Gateway::new(gateway.clone(), task)), gateway);
    Connections::new(gateway.clone(), requests)
}

/// Connections whose other end vanished are noticed within two minutes.
fn socket_options() -> TcpSocketOptions {
    let mut options = TcpSocketOptions::default();
    options.tcp_keepalive = Some(TcpKeepalive {
        idle: Duration::from_secs(60),
        interval: Duration::from_secs(15),
        count: 4,
        #[cfg(target_os = "linux")]
        user_timeout: Duration::ZERO,
    });
    options
}

fn check_address(listener: &ListenerSettings) -> Result<(), ListenMistake> {
    std::net::TcpListener::bind(listener.address)
        .map(drop)
        .map_err(|source| ListenMistake::Address { address: listener.address, source })
}
