//! Listeners behind a load balancer that opens connections with a PROXY header: by hand, with HAProxy, with nginx.

use crate::harness::children::{free_port, wait_for};
use crate::harness::front::Front;
use crate::harness::raw::read_until_silence;
use crate::harness::stack::{Plan, Stack};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const PATIENCE: Duration = Duration::from_secs(20);
/// The proxy that is trusted; it is where connections of this machine come from when nothing else is said.
const PROXY: &str = "127.0.0.1";
const V1: &[u8] = b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\n";

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[command, family], &length, rest].concat()
}

fn v2_of_client() -> Vec<u8> {
    v2(0x21, 0x11, &[198, 51, 100, 7, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb, 0x04, 0, 1, 0])
}

/// A stack with listeners that need a header beside the usual one.
struct Behind {
    stack: Stack,
    plain: u16,
    tls: u16,
    redirect: u16,
    certificate: PathBuf,
    _folder: tempfile::TempDir,
}

impl Behind {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = certificate(folder.path());
        let (plain, tls, redirect) = (free_port(), free_port(), free_port());
        let files = json!([{ "certificate": certificate, "key": key }]);
        let stack = Plan::new()
            .set("trusted_proxies", json!([PROXY, "203.0.113.0/24"]))
            .set("listen.1", json!({ "address": format!("127.0.0.1:{plain}"), "proxy_protocol": "required" }))
            .set("listen.2", json!({ "address": format!("127.0.0.1:{tls}"), "proxy_protocol": "required", "tls": { "certificates": files } }))
            .set("listen.3", json!({ "address": format!("127.0.0.1:{redirect}"), "proxy_protocol": "required", "redirect_to_https": true }))
            .set("sites.1", json!({ "name": "secure", "url": "https://app.localhost", "upstream": "app" }))
            .set("sites.1.routes", json!([{ "path": "/open/*", "access": "public" }]))
            .set(
                "sites.0.routes",
                json!([
                    { "path": "/office/*", "networks": ["198.51.100.0/24"], "access": "public" },
                    { "path": "/open/*", "access": "public" },
                ]),
            )
            .start();
        for port in [plain, tls, redirect] {
            wait_for("a listener", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        }
        Self { stack, plain, tls, redirect, certificate, _folder: folder }
    }

    /// A GET for the first site, behind `header`.
    fn get(&self, header: &[u8], path: &str, fields: &[&str]) -> Vec<u8> {
        let person = self.stack.person();
        [header, request(person.host(), path, fields).as_bytes()].concat()
    }
}

fn request(host: &str, path: &str, fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n")
}

/// A certificate for `app.localhost` and its key.
fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=app.localhost", "-addext", "subjectAltName=DNS:app.localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    (certificate, key)
}

async fn connect_from(source: &str, port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
    socket.connect(([127, 0, 0, 1], port).into()).await.unwrap()
}

/// Sends bytes from an address of this machine; what came back.
async fn exchange_from(source: &str, port: u16, bytes: &[u8]) -> String {
    let mut stream = connect_from(source, port).await;
    let _ = stream.write_all(bytes).await;
    String::from_utf8_lossy(&read_until_silence(&mut stream, PATIENCE).await).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}

#[tokio::test]
async fn the_address_in_the_header_is_who_asks() {
    let behind = Behind::start();
    let v6 = b"PROXY TCP6 2001:db8::7 ::1 4711 443\r\n";
    let from_own_network = b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n";
    for (header, fields, expected, chain) in [
        (V1, &[] as &[&str], 200, "198.51.100.7"),
        (&v2_of_client(), &[], 200, "198.51.100.7"),
        (b"PROXY TCP6 ::ffff:198.51.100.7 ::1 4711 443\r\n", &[], 200, "198.51.100.7"),
        // what a client writes itself is not believed, whoever passes it on
        (V1, &["X-Forwarded-For: 192.0.2.66"], 200, "198.51.100.7"),
        (V1, &["Forwarded: for=192.0.2.66"], 200, "198.51.100.7"),
        (v6, &["X-Forwarded-For: 198.51.100.7"], 401, ""),
        // a proxy behind the proxy is, when its own address is one of ours
        (from_own_network, &["X-Forwarded-For: 198.51.100.7"], 200, "198.51.100.7, 203.0.113.5"),
        (from_own_network, &[], 401, ""),
        // whoever is behind a header that names nobody is not the office either
        (b"PROXY UNKNOWN\r\n", &["X-Forwarded-For: 198.51.100.7"], 401, ""),
        (b"PROXY UNKNOWN 198.51.100.7 10.0.0.1 4711 443\r\n", &[], 401, ""),
        (&v2(0x20, 0x00, b""), &["X-Forwarded-For: 198.51.100.7"], 401, ""),
        (&v2(0x20, 0x11, &[198, 51, 100, 7, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb]), &[], 401, ""),
        (&v2(0x21, 0x31, &[0; 216]), &["X-Forwarded-For: 198.51.100.7"], 401, ""),
    ] {
        behind.stack.upstream.forget();
        let answer = exchange_from(PROXY, behind.plain, &behind.get(header, "/office/x", fields)).await;
        let shown = String::from_utf8_lossy(header);
        assert_eq!(status(&answer), expected, "{shown:?} {fields:?}: {answer}");
        if expected == 200 {
            let seen = behind.stack.upstream.request_to("/office/x");
            assert_eq!(seen.header("x-forwarded-for"), Some(chain), "{shown:?} {fields:?}");
            assert_eq!(seen.header("forwarded"), None, "{shown:?}");
        } else {
            assert_eq!(behind.stack.upstream.count(), 0, "{shown:?}");
        }
    }
    let log = behind.stack.nodes[0].log();
    assert!(log.contains(r#""client":"198.51.100.7""#) && log.contains(r#""client":"2001:db8::7""#), "{log}");
}

#[tokio::test]
async fn every_request_of_a_connection_comes_from_the_address_in_its_header() {
    let behind = Behind::start();
    let host = behind.stack.person().host().to_owned();
    let mut stream = connect_from(PROXY, behind.plain).await;
    stream.write_all(V1).await.unwrap();
    for _ in 0..3 {
        stream.write_all(format!("GET /office/x HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"}") {
            let mut buffer = [0; 4096];
            let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&head));
            head.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(status(&String::from_utf8_lossy(&head)), 200);
    }
    // a second header is no request
    stream.write_all(V1).await.unwrap();
    stream.write_all(request(&host, "/office/x", &[]).as_bytes()).await.unwrap();
    let answer = read_until_silence(&mut stream, PATIENCE).await;
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "), "{:?}", String::from_utf8_lossy(&answer));
    assert_eq!(behind.stack.upstream.count(), 3);
}

#[tokio::test]
async fn what_does_not_begin_with_a_header_is_closed_without_an_answer() {
    let behind = Behind::start();
    let hello = b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03".as_slice();
    let began = Instant::now();
    let mut refused = 0;
    for (source, header) in [
        (PROXY, b"".as_slice()),
        (PROXY, hello),
        (PROXY, b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\n"),
        (PROXY, b"PROXY TCP4 198.51.100.7 10.0.0.1 04711 443\r\n"),
        (PROXY, b"\r\nPROXY UNKNOWN\r\n"),
        (PROXY, b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c\xc6\x33\x64\x07\x0a\0\0\x01\x12\x67\x01\xbb"),
        (PROXY, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"),
        // somebody else, with a header that would be right
        ("127.0.0.2", V1),
        ("127.0.0.2", b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"),
    ] {
        for port in [behind.plain, behind.tls, behind.redirect] {
            let answer = exchange_from(source, port, &behind.get(header, "/open/x", &[])).await;
            assert_eq!(answer, "", "{source} {:?}", String::from_utf8_lossy(header));
            refused += 1;
        }
    }
    assert_eq!(behind.stack.upstream.count(), 0);
    let log = behind.stack.nodes[0].log();
    let told = log.lines().filter(|line| line.contains("proxy_protocol was closed")).collect::<Vec<_>>();
    // one for each kind of listener in ten seconds
    let most = 3 * (1 + began.elapsed().as_secs() / 10);
    assert!((1..=most).contains(&(told.len() as u64)), "{refused} connections: {told:#?}");
    assert!(told[0].contains(r#""level":"WARN""#) && told[0].contains(r#""peer":"127.0.0.1""#), "{told:#?}");
    // the usual listener does not take a header for anything
    let answer = exchange_from(PROXY, behind.stack.nodes[0].port(), &behind.get(V1, "/open/x", &[])).await;
    assert!(answer.is_empty() || status(&answer) == 400, "{answer}");
}

#[tokio::test]
async fn a_header_that_does_not_come_in_time_is_not_waited_for() {
    let behind = Behind::start();
    for port in [behind.plain, behind.tls] {
        let mut stream = connect_from(PROXY, port).await;
        stream.write_all(b"PROXY TCP4 198.51").await.unwrap();
        let began = Instant::now();
        assert!(read_until_silence(&mut stream, PATIENCE).await.is_empty());
        let waited = began.elapsed();
        assert!((Duration::from_secs(4)..Duration::from_secs(15)).contains(&waited), "closed after {waited:?}");
    }
}

#[tokio::test]
async fn behind_a_real_haproxy() {
    let behind = Behind::start();
    let bundle = behind.certificate.with_file_name("bundle.pem");
    let key = std::fs::read_to_string(behind.certificate.with_file_name("tls.key")).unwrap();
    std::fs::write(&bundle, std::fs::read_to_string(&behind.certificate).unwrap() + &key).unwrap();
    let ports: Vec<u16> = (0..6).map(|_| free_port()).collect();
    let [one, two, to_tls, unencrypted, encrypted, to_redirect] = ports[..] else { panic!("six ports") };
    let (plain, tls, redirect) = (behind.plain, behind.tls, behind.redirect);
    let listen = |name: &str, port: u16, bind: &str, to: u16, options: &str| {
        format!("listen {name}\n    bind 127.0.0.1:{port} {bind}\n    server gateway 127.0.0.1:{to} {options}\n")
    };
    let bundle = format!("ssl crt {}", bundle.display());
    let config = [
        listen("one", one, "", plain, "send-proxy"),
        listen("two", two, "", plain, "send-proxy-v2 proxy-v2-options crc32c,unique-id"),
        listen("to_tls", to_tls, "", tls, "ssl verify none send-proxy-v2"),
        listen("unencrypted", unencrypted, "", plain, "send-proxy-v2-ssl"),
        listen("encrypted", encrypted, &bundle, plain, "send-proxy-v2-ssl-cn"),
        listen("to_redirect", to_redirect, "", redirect, "send-proxy"),
    ]
    .concat();
    let _haproxy = Front::haproxy(&config, &ports);
    // The client of HAProxy is somebody at 127.0.0.3, whom nobody trusts.
    let fields = ["X-Forwarded-For: 198.51.100.7"];
    let host = behind.stack.person().host().to_owned();
    for (port, host, expected) in [
        (one, host.as_str(), 200),
        (two, &host, 200),
        (to_tls, "app.localhost", 200),
        (one, "app.localhost", 200),
        // it says that nobody spoke TLS with it
        (unencrypted, "app.localhost", 308),
        (to_redirect, "app.localhost", 308),
    ] {
        behind.stack.upstream.forget();
        let answer = exchange_from("127.0.0.3", port, request(host, "/open/x", &fields).as_bytes()).await;
        assert_eq!(status(&answer), expected, "{port} {host}: {answer}");
        if expected == 200 {
            let seen = behind.stack.upstream.request_to("/open/x");
            assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.3"), "{port} {host}");
        } else {
            assert_eq!(behind.stack.upstream.count(), 0, "{port} {host}");
        }
    }

    let _ = rustls::crypto::ring::default_provider().install_default();
    let browser = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .resolve("app.localhost", ([127, 0, 0, 1], encrypted).into())
        .local_address(Some([127, 0, 0, 3].into()))
        .timeout(PATIENCE)
        .build()
        .unwrap();
    behind.stack.upstream.forget();
    let url = format!("https://app.localhost:{encrypted}/open/x");
    let answer = browser.get(url).header("host", "app.localhost").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(behind.stack.upstream.request_to("/open/x").header("x-forwarded-for"), Some("127.0.0.3"));
}

#[tokio::test]
async fn behind_a_real_nginx() {
    let behind = Behind::start();
    let port = free_port();
    let stream = format!(
        "stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass 127.0.0.1:{}; proxy_protocol on; }} }}\n",
        behind.plain
    );
    let _nginx = Front::nginx(&stream, &[port]);
    let host = behind.stack.person().host().to_owned();
    let answer =
        exchange_from("127.0.0.3", port, request(&host, "/open/x", &["X-Forwarded-For: 198.51.100.7"]).as_bytes())
            .await;
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(behind.stack.upstream.request_to("/open/x").header("x-forwarded-for"), Some("127.0.0.3"));
}

#[tokio::test]
async fn forwarded_is_believed_where_the_proxies_write_it() {
    let stack = Plan::new()
        .set("trusted_proxies", json!([PROXY]))
        .set("trusted_proxies_header", "forwarded")
        .set("sites.0.routes", json!([{ "path": "/office/*", "networks": ["198.51.100.0/24"], "access": "public" }]))
        .start();
    let (port, host) = (stack.nodes[0].port(), stack.person().host().to_owned());
    for (source, fields, expected) in [
        (PROXY, &["Forwarded: for=198.51.100.7"] as &[&str], 200),
        (PROXY, &["Forwarded: for=192.0.2.66, for=\"198.51.100.7:4711\";proto=http"], 200),
        (PROXY, &["Forwarded: for=192.0.2.66", "Forwarded: for=198.51.100.7"], 200),
        (PROXY, &["Forwarded: for=198.51.100.7, for=192.0.2.66"], 401),
        (PROXY, &["X-Forwarded-For: 198.51.100.7"], 401),
        (PROXY, &["X-Forwarded-For: 198.51.100.7", "Forwarded: for=192.0.2.66"], 401),
        (PROXY, &["Forwarded: for=198.51.100.7, for=_hidden"], 401),
        (PROXY, &["Forwarded: for=198.51.100.7,"], 401),
        ("127.0.0.2", &["Forwarded: for=198.51.100.7"], 401),
    ] {
        stack.upstream.forget();
        let answer = exchange_from(source, port, request(&host, "/office/x", fields).as_bytes()).await;
        assert_eq!(status(&answer), expected, "{source} {fields:?}: {answer}");
        assert_eq!(stack.upstream.count(), usize::from(expected == 200), "{source} {fields:?}");
    }
    let fields =
        ["Forwarded: for=198.51.100.7;proto=http", "X-Forwarded-For: 192.0.2.66", "X_Forwarded_For: 192.0.2.67"];
    exchange_from(PROXY, port, request(&host, "/office/y", &fields).as_bytes()).await;
    let seen = wait_for("the request", || stack.upstream.requests_to("/office/y").pop());
    assert_eq!(seen.header("x-forwarded-for"), Some("198.51.100.7, 127.0.0.1"));
    let ours = format!("for=198.51.100.7;proto=http, for=127.0.0.1;host=\"{host}\";proto=http");
    assert_eq!(seen.header("forwarded"), Some(ours.as_str()));
    assert!(!String::from_utf8_lossy(&seen.raw_head).contains("192.0.2.6"), "{seen:#?}");
}
