//! The listening half: TLS, redirects, mistakes said before anything runs, and an end that waits for requests.

use std::net::{SocketAddr, TcpListener};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};

use super::rig::{Client, PATIENCE, Plan, Rig, Upstream, answer};
use crate::gateway::certificates::tests::pair;
use crate::gateway::service;
use crate::gateway::settings::{
    CertificateFiles, Http2, ListenerPurpose, ListenerSettings, ProxyProtocolUse, ServerSettings, Start, TlsListener,
};

struct WhenTold(tokio::sync::Mutex<tokio::sync::oneshot::Receiver<()>>);

#[async_trait]
impl ShutdownSignalWatch for WhenTold {
    async fn recv(&self) -> ShutdownSignal {
        let _ = (&mut *self.0.lock().await).await;
        ShutdownSignal::GracefulTerminate
    }
}

/// pingora does not tell which port it got, so one is taken that was free a moment ago.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn settings(listeners: Vec<(SocketAddr, ListenerPurpose)>) -> ServerSettings {
    ServerSettings {
        listeners: listeners
            .into_iter()
            .map(|(address, purpose)| ListenerSettings { address, purpose, proxy_protocol: ProxyProtocolUse::Off })
            .collect(),
        operators: None,
        threads: Some(2),
        drain: Duration::from_secs(60),
        upgrade_socket: "/nonexistent".into(),
        start: Start::Fresh,
        kept_upstream_connections: 8,
    }
}

/// A real server, and what tells it to end.
fn started(rig: &Rig, settings: &ServerSettings) -> (std::thread::JoinHandle<()>, tokio::sync::oneshot::Sender<()>) {
    let mut server = service::server(settings);
    service::add_listeners(&mut server, &rig.handle, settings).unwrap();
    let (end, told) = tokio::sync::oneshot::channel();
    let (handle, drain) = (rig.handle.clone(), settings.drain);
    let signals = Box::new(WhenTold(tokio::sync::Mutex::new(told)));
    let running = std::thread::spawn(move || service::run(server, &handle, drain, signals));
    for listener in &settings.listeners {
        let begun = Instant::now();
        while std::net::TcpStream::connect(listener.address).is_err() {
            assert!(begun.elapsed() < PATIENCE, "{} does not listen", listener.address);
            std::thread::yield_now();
        }
    }
    (running, end)
}

#[test]
fn a_site_is_served_over_tls_and_plain_requests_are_sent_there() {
    let folder = tempfile::tempdir().unwrap();
    let certificate: CertificateFiles = pair("app.localhost", &folder);
    let upstream = Upstream::plain();
    let rig = Plan { url: "https://app.localhost", ..Plan::before(&upstream) }.start();
    let (tls, plain) = (free(), free());
    let redirects = ListenerPurpose::RedirectToHttps { acme_webroot: None };
    let settings = settings(vec![(tls, tls_with(certificate)), (plain, redirects)]);
    let (running, end) = started(&rig, &settings);

    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answered = client.block_on(async {
        let browser = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .resolve("app.localhost", tls)
            .timeout(PATIENCE)
            .build()
            .unwrap();
        browser.get("https://app.localhost/public/x").header("host", "app.localhost").send().await.unwrap().status()
    });
    assert_eq!(answered, 200);
    assert_eq!(upstream.last().field("x-forwarded-proto"), Some("https"));

    let redirected = Client::to(plain).ask("POST /public/x?y", &["Content-Length: 0"], b"");
    assert_eq!((redirected.status, redirected.field("location")), (308, Some("https://app.localhost/public/x?y")));
    assert_eq!(Client::to(plain).ask("GET /.vestibule/live", &[], b"").status, 200);
    assert_eq!(Client::to(plain).ask("GET /.vestibule/login", &[], b"").status, 308);
    end.send(()).unwrap();
    running.join().unwrap();
}

#[test]
fn the_end_waits_for_requests_and_not_for_the_clock() {
    let (go_on, wait) = channel::<()>();
    let (arrived, has_arrived) = channel::<()>();
    let (wait, arrived) = (Mutex::new(wait), Mutex::new(arrived));
    let upstream = Upstream::with(move |socket, _got| {
        arrived.lock().unwrap().send(()).unwrap();
        wait.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        answer(socket, "200 OK", &[], b"late")
    });
    let rig = Rig::before(&upstream);
    let address = free();
    let (running, end) = started(&rig, &settings(vec![(address, ListenerPurpose::Plain)]));
    let mut client = Client::to(address);
    client.send_head("GET /public/x", &[]);
    has_arrived.recv_timeout(PATIENCE).unwrap();
    end.send(()).unwrap();
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it still takes connections");
        std::thread::yield_now();
    }
    assert!(!running.is_finished());
    go_on.send(()).unwrap();
    assert_eq!(client.read_answer(false).text(), "late");
    running.join().unwrap();
    assert!(begun.elapsed() < PATIENCE, "the drain time is an upper bound");
}

fn refused(rig: &Rig, settings: &ServerSettings) -> service::ListenMistake {
    service::add_listeners(&mut service::server(settings), &rig.handle, settings).unwrap_err()
}

fn tls_with(certificate: CertificateFiles) -> ListenerPurpose {
    ListenerPurpose::Tls(TlsListener { certificates: vec![certificate], http2: Http2::Offered })
}

#[test]
fn what_cannot_be_listened_on_is_said_before_anything_runs() {
    let upstream = Upstream::plain();
    let rig = Rig::before(&upstream);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let settings_taken = settings(vec![(taken.local_addr().unwrap(), ListenerPurpose::Plain)]);
    let said = refused(&rig, &settings_taken);
    assert!(said.to_string().contains(&taken.local_addr().unwrap().to_string()), "{said}");
    let no_file = CertificateFiles { certificate: "/nonexistent.crt".into(), key: "/nonexistent.key".into() };
    let settings_tls = settings(vec![(free(), tls_with(no_file))]);
    let said = refused(&rig, &settings_tls);
    assert!(std::error::Error::source(&said).unwrap().to_string().contains("/nonexistent.crt"), "{said}");
}
