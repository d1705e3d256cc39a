//! A vendor of our own over real sockets, in every mood.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::domain::code::Code;
use crate::domain::language::Language;
use crate::domain::phone::PhoneNumber;
use crate::domain::time::UnixMillis;

const NASTY: &str = "\"q\" \\ & = + % é \u{1F600}\n@host #012345";

/// What the vendor does once it has read a request.
#[derive(Clone)]
enum Mood {
    /// Writes this and closes.
    Says(String),
    /// Writes this, then nothing, and keeps the connection.
    Hangs(String),
    /// Ten mebibytes of JSON.
    Babbles,
    /// Resets the connection.
    Resets,
    /// Closes it in good order.
    Closes,
}

struct Vendor {
    address: std::net::SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Vendor {
    async fn in_the_mood(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, mood.clone(), Arc::clone(&seen)));
            }
        });
        Self { address, requests }
    }

    async fn saying(status: u16, extra_headers: &str, body: impl ToString) -> Self {
        let body = body.to_string();
        Self::in_the_mood(Mood::Says(format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{extra_headers}\r\n{body}",
            body.len()
        )))
        .await
    }

    fn url(&self) -> String {
        format!("http://{}/send", self.address)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(mut stream: TcpStream, mood: Mood, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !is_whole(&request) {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    seen.lock().unwrap().push(String::from_utf8(request).unwrap());
    match mood {
        Mood::Says(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
        }
        Mood::Hangs(text) => {
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.read_u8().await; // until the other side gives up
        }
        Mood::Babbles => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n{\"sid\":\"").await;
            let chunk = [b'a'; 64 * 1024];
            for _ in 0..160 {
                if stream.write_all(&chunk).await.is_err() {
                    return;
                }
            }
            let _ = stream.write_all(b"\"}").await;
        }
        Mood::Resets => stream.set_zero_linger().unwrap(),
        Mood::Closes => {}
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    body.len() >= length
}

#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> UnixMillis {
        UnixMillis(1_795_521_600_000)
    }
}

fn sms(mut settings: Value) -> HttpSms {
    let object = settings.as_object_mut().unwrap();
    object.entry("name").or_insert(json!("fake"));
    object.entry("connect_timeout").or_insert(json!(300));
    object.entry("timeout").or_insert(json!(600));
    if !["json", "form", "query"].iter().any(|body| object.contains_key(*body)) {
        object.insert("json".into(), json!({ "to": "${to}", "text": "${text}" }));
    }
    HttpSms::new(Description::read(serde_json::from_value(settings).unwrap()).unwrap(), "Acme", Arc::new(Noon)).unwrap()
}

async fn attempt_with(sms: &HttpSms) -> Attempt {
    let to = PhoneNumber::from_stored("+32470123456").unwrap();
    let code = Code::parse("012345").unwrap();
    sms.attempt(&SmsMessage { to: &to, text: NASTY, code: Some(&code), app: "Acme", language: Language::Nl }).await
}

async fn attempt_at(vendor: &Vendor, settings: Value) -> SmsResult {
    let mut settings = settings;
    settings["url"] = json!(vendor.url());
    attempt_with(&sms(settings)).await.result
}

/// Success is said in the answer's JSON.
fn wants_sid() -> Value {
    json!({ "success": { "json": [{ "pointer": "/sid", "exists": true }] }, "message_id": { "pointer": "/sid" } })
}

#[tokio::test]
async fn a_message_taken_is_accepted_under_the_vendors_id() {
    let vendor = Vendor::saying(201, "", json!({ "sid": "SM1" })).await;
    assert_eq!(attempt_at(&vendor, wants_sid()).await, SmsResult::Accepted(Some("SM1".into())));
    let requests = vendor.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("POST /send HTTP/1.1\r\n"), "{}", requests[0]);
}

#[tokio::test]
async fn any_text_arrives_as_it_was_in_json_form_and_query() {
    let vendor = Vendor::saying(200, "", "").await;
    let url = vendor.url();
    let fields = json!({ "to": "${to}", "text": "${text}", "lang": "${lang}" });
    for (kind, method) in [("json", "POST"), ("form", "POST"), ("query", "GET")] {
        let sms = sms(json!({ "url": url, "method": method, kind: fields }));
        assert_eq!(attempt_with(&sms).await.result, SmsResult::Accepted(None), "{kind}");
        let request = vendor.requests().pop().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let got: Vec<(String, String)> = match kind {
            "json" => {
                serde_json::from_str::<std::collections::BTreeMap<String, String>>(body).unwrap().into_iter().collect()
            }
            "form" => form_urlencoded::parse(body.as_bytes()).into_owned().collect(),
            _ => {
                let target = head.split(' ').nth(1).unwrap();
                form_urlencoded::parse(target.split_once('?').unwrap().1.as_bytes()).into_owned().collect()
            }
        };
        let expected =
            [("to", "+32470123456"), ("text", NASTY), ("lang", "nl")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert!(got.len() == 3 && expected.iter().all(|pair| got.contains(pair)), "{kind}: {got:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_sends_nothing() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for url in
        [format!("http://{closed}/"), format!("https://{closed}/"), format!("http://localhost:{}/", closed.port())]
    {
        let attempt = attempt_with(&sms(json!({ "url": url }))).await;
        assert_eq!(attempt.result, SmsResult::Transient, "{url}");
        assert!(attempt.failure.is_some());
    }
}

#[tokio::test]
async fn a_vendor_that_shakes_no_hands_is_given_up_before_anything_is_sent() {
    let vendor = TcpListener::bind("127.0.0.1:0").await.unwrap(); // accepts in the kernel and says nothing
    let attempt = attempt_with(&sms(json!({ "url": format!("https://{}/", vendor.local_addr().unwrap()) }))).await;
    assert_eq!(attempt.result, SmsResult::Transient);
    assert!(attempt.took < Duration::from_millis(550), "{:?}", attempt.took);
}

#[tokio::test]
async fn a_request_without_a_whole_answer_may_have_been_sent_and_is_sent_once() {
    for (name, mood) in [
        ("silent", Mood::Hangs(String::new())),
        ("half a head", Mood::Hangs("HTTP/1.1 200 OK\r\nconte".into())),
        ("reset", Mood::Resets),
        ("closed", Mood::Closes),
        ("garbage", Mood::Says("\u{1}\u{2}SSH-2.0-nonsense\r\n\r\n".into())),
        ("half a body", Mood::Hangs("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"sid\":".into())),
        ("body cut", Mood::Says("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"sid\":".into())),
        ("web page", Mood::Says("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>".into())),
        ("babble", Mood::Babbles),
    ] {
        let vendor = Vendor::in_the_mood(mood).await;
        let mut settings = wants_sid();
        settings["url"] = json!(vendor.url());
        let attempt = attempt_with(&sms(settings)).await;
        assert_eq!(attempt.result, SmsResult::MaybeSent, "{name}: {attempt:?}");
        assert!(attempt.took < Duration::from_millis(1500), "{name}: {:?}", attempt.took);
        assert_eq!(vendor.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_status_is_enough_where_no_body_is_asked_for() {
    for mood in [Mood::Babbles, Mood::Says("HTTP/1.1 202 OK\r\ncontent-length: 99\r\n\r\n{".into())] {
        let vendor = Vendor::in_the_mood(mood).await;
        assert_eq!(attempt_at(&vendor, json!({})).await, SmsResult::Accepted(None));
    }
}

#[tokio::test]
async fn statuses_have_their_classes() {
    for (status, expected) in [
        (400, SmsResult::Provider),
        (401, SmsResult::Provider),
        (402, SmsResult::Provider),
        (403, SmsResult::Provider),
        (429, SmsResult::Transient),
        (500, SmsResult::Transient),
        (503, SmsResult::Transient),
    ] {
        let vendor = Vendor::saying(status, "", "{}").await;
        assert_eq!(attempt_at(&vendor, wants_sid()).await, expected, "{status}");
    }
}

#[tokio::test]
async fn a_200_that_says_no_is_no() {
    let vendor = Vendor::saying(
        200,
        "",
        json!({ "response_code": "SUCCESS", "data": { "messages": [{ "status": "INVALID_RECIPIENT" }] } }),
    )
    .await;
    let settings = json!({
        "success": { "json": [{ "pointer": "/data/messages/0/status", "in": ["SUCCESS"] }] },
        "errors": [{ "class": "recipient", "json": [{ "pointer": "/data/messages/0/status", "in": ["INVALID_RECIPIENT"] }] }],
    });
    assert_eq!(attempt_at(&vendor, settings).await, SmsResult::Recipient);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Vendor::saying(200, "", json!({ "sid": "SM1" })).await;
    for status in [301, 302, 307, 308] {
        let vendor = Vendor::saying(status, &format!("location: {}\r\n", target.url()), "").await;
        assert_eq!(attempt_at(&vendor, wants_sid()).await, SmsResult::Provider);
    }
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_vendor_that_asks_for_a_pause_has_it() {
    let vendor = Vendor::saying(429, "retry-after: 3600\r\n", "").await;
    let sms = sms(json!({ "url": vendor.url() }));
    for _ in 0..3 {
        assert_eq!(attempt_with(&sms).await.result, SmsResult::Transient);
    }
    assert_eq!(vendor.requests().len(), 1);
    assert!(!sms.is_paused(Instant::now() + LONGEST_PAUSE), "no pause is longer than a minute");
}

#[tokio::test]
async fn only_certificates_that_verify_are_spoken_to() {
    let testdata = |file: &str| {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/sms/attempt/testdata").join(file)
    };
    let address = tls_vendor(&testdata("localhost.pem"), &testdata("localhost.key"));
    let at = |host: &str, ca: Option<&str>| {
        let ca_file = ca.map(testdata);
        sms(json!({ "url": format!("https://{host}:{}/", address.port()), "ca_file": ca_file, "allow_insecure": true }))
    };
    assert_eq!(attempt_with(&at("localhost", Some("ca.pem"))).await.result, SmsResult::Accepted(None));
    assert_eq!(attempt_with(&at("localhost", None)).await.result, SmsResult::Transient, "not of a public root");
    assert_eq!(attempt_with(&at("127.0.0.1", Some("ca.pem"))).await.result, SmsResult::Transient, "of another name");
}

#[test]
fn a_ca_file_that_holds_none_is_named() {
    let key = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/sms/attempt/testdata/localhost.key");
    for (file, word) in
        [(key.as_path(), "holds no certificate"), (std::path::Path::new("/nowhere.pem"), "cannot be read")]
    {
        let settings = json!({ "name": "x", "url": "https://x.example/", "ca_file": file, "json": { "to": "${to}", "text": "${text}" } });
        let problem =
            HttpSms::new(Description::read(serde_json::from_value(settings).unwrap()).unwrap(), "", Arc::new(Noon))
                .unwrap_err()
                .to_string();
        assert!(problem.contains(word) && problem.contains(file.to_str().unwrap()), "{problem}");
    }
}

/// Answers 200 over TLS to whoever believes its certificate.
fn tls_vendor(certificate: &std::path::Path, key: &std::path::Path) -> std::net::SocketAddr {
    use rustls::pki_types::pem::PemObject as _;
    let certificates = vec![rustls::pki_types::CertificateDer::from_pem_file(certificate).unwrap()];
    let key = rustls::pki_types::PrivateKeyDer::from_pem_file(key).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut tls = rustls::StreamOwned::new(rustls::ServerConnection::new(Arc::clone(&config)).unwrap(), stream);
            if tls.read(&mut [0; 16 * 1024]).is_ok() {
                let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    address
}

/// Everything that any crate logs while a message is sent, at the finest level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_tells_the_code_the_number_or_a_secret() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let vendor = Vendor::saying(200, "", json!({ "sid": "SM1", "echo": "to +32470123456: 012345" })).await;
    let refused = Vendor::saying(401, "", "key s3cret of +32470123456 is wrong").await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let to = PhoneNumber::from_stored("+32470123456").unwrap();
    let code = Code::parse("012345").unwrap();
    let text = "012345 is your code";
    for base in [vendor.url(), refused.url(), format!("http://{closed}/")] {
        let mut settings = wants_sid();
        settings["url"] = json!(format!("{base}?key=s3cret&to=${{to}}"));
        settings["auth"] = json!({ "bearer": "s3cret" });
        let sms = sms(settings);
        let _ = sms.send(&SmsMessage { to: &to, text, code: Some(&code), app: "Acme", language: Language::En }).await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for word in ["SM1", "accepted", "fake", "+32 … 56", "provider", "transient"] {
        assert!(log.contains(word), "{word} is missing:\n{log}");
    }
    for secret in ["012345", "s3cret", "470123456", "%2B32470", "czNjcmV0", "echo"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}
