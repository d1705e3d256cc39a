//! What is agreed before the first request: versions, protocols, certificates by name; with openssl and curl as clients.

use super::PHONE;
use super::raw_http2::connect;
use crate::harness::children::{Output, run};
use crate::harness::tls::{KeyKind, PairOfFiles, SecureStack};
use serde_json::json;
use std::path::Path;
use std::process::Command;

/// One handshake of openssl's client; what it said.
fn handshake(port: u16, authority: &Path, more: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-brief", "-verify_return_error", "-connect", &format!("127.0.0.1:{port}"), "-CAfile"])
        .arg(authority)
        .args(more);
    let Output { stdout, stderr, .. } = run(command, "");
    stdout + &stderr
}

/// A request of curl's; what it said of itself on its last line.
fn curl(secure: &SecureStack, target: &str, more: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--max-time", "30", "--output", "/dev/null", "--noproxy", "*"])
        .args(["--write-out", "%{http_version} %{response_code}", "--cacert"])
        .arg(secure.authority.certificate_file())
        .args(["--resolve", &format!("localhost:{}:127.0.0.1", secure.port)])
        .args(more)
        .arg(format!("{}{target}", secure.site()));
    run(command, "")
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_nothing_older() {
    let secure = SecureStack::start();
    let authority = secure.authority.certificate_file();
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let said = handshake(secure.port, &authority, &[option, "-servername", "localhost", "-alpn", "h2,http/1.1"]);
        assert!(said.contains(&format!("Protocol version: {version}")), "{said}");
        assert!(said.contains("Verification: OK"), "{said}");
    }
    for option in ["-tls1_1", "-tls1"] {
        // openssl itself would refuse to offer these
        let lenient = [option, "-servername", "localhost", "-cipher", "DEFAULT:@SECLEVEL=0"];
        let said = handshake(secure.port, &authority, &lenient);
        assert!(!said.contains("CONNECTION ESTABLISHED") && said.contains("alert"), "{option}: {said}");
    }
    assert_eq!(curl(&secure, "/", &["--tlsv1.2", "--tls-max", "1.2"]).done(), "2 401");
    assert_eq!(curl(&secure, "/", &["--tlsv1.3"]).done(), "2 401");
}

#[tokio::test]
async fn the_protocol_is_what_both_sides_like_best() {
    let secure = SecureStack::start_with(crate::harness::stack::Plan::new(), |settings, _| {
        settings.set("listen.2", settings.get("listen.1"));
        settings.set("listen.2.address", format!("127.0.0.1:{}", crate::harness::children::free_port()));
        settings.set("listen.2.tls.http2", "off");
    });
    let authority = secure.authority.certificate_file();
    let off = secure.stack.settings.get("listen.2.address");
    let off: u16 = off.as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    for (port, offered, agreed) in [
        (secure.port, &["h2", "http/1.1"][..], Some("h2")),
        (secure.port, &["http/1.1", "h2"], Some("h2")),
        (secure.port, &["http/1.1"], Some("http/1.1")),
        (secure.port, &[], None),
        (off, &["h2", "http/1.1"], Some("http/1.1")),
    ] {
        let stream = connect(port, &authority, "localhost", offered).await;
        let chosen = stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap());
        assert_eq!(chosen.as_deref(), agreed, "{offered:?}");
    }
    assert_eq!(curl(&secure, "/", &["--http2"]).done(), "2 401");
    assert_eq!(curl(&secure, "/", &["--http1.1"]).done(), "1.1 401");
    let stack_off = Command::new("curl")
        .args(["--silent", "--insecure", "--http2", "--output", "/dev/null", "--write-out", "%{http_version}"])
        .arg(format!("https://127.0.0.1:{off}/.vestibule/live"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&stack_off.stdout), "1.1");
}

#[tokio::test]
async fn the_certificate_is_the_one_for_the_name_that_is_asked_for() {
    let secure = SecureStack::start_with(crate::harness::stack::Plan::new(), |settings, authority| {
        let folder = crate::harness::children::fresh_folder("names");
        let mut certificates = settings.get("listen.1.tls.certificates");
        for (name, kind) in [("a.example", KeyKind::Rsa), ("*.b.example", KeyKind::Ecdsa)] {
            let files = PairOfFiles::named(folder.path(), &name.replace('*', "any"));
            authority.issue_for(&[name], 20, kind).write_to(&files);
            certificates.as_array_mut().unwrap().push(files.as_config());
        }
        settings.set("listen.1.tls.certificates", certificates);
        // gone with the test process
        let _ = folder.keep();
    });
    let authority = secure.authority.certificate_file();
    let own = secure.issued.der();
    for host in ["localhost", "a.example", "x.b.example"] {
        let stream = connect(secure.port, &authority, host, &["h2"]).await;
        let served = stream.get_ref().1.peer_certificates().unwrap()[0].to_vec();
        assert_eq!(served == own, host == "localhost", "{host}");
    }
    for option in ["-tls1_2", "-tls1_3"] {
        let said =
            handshake(secure.port, &authority, &[option, "-servername", "a.example", "-verify_hostname", "a.example"]);
        assert!(said.contains("Verification: OK") && said.contains("CONNECTION ESTABLISHED"), "{said}");
    }
    // Whoever names nobody, or somebody unknown, gets the first.
    for name in [&["-noservername"][..], &["-servername", "other.example"]] {
        let said = handshake(secure.port, &authority, &[name, &["-verify_hostname", "localhost"]].concat());
        assert!(said.contains("Verification: OK") && said.contains("CONNECTION ESTABLISHED"), "{said}");
    }
}

#[tokio::test]
async fn a_connection_is_shared_by_the_sites_of_its_certificate() {
    let secure = SecureStack::start_with(crate::harness::stack::Plan::new(), |settings, _| {
        let first = settings.get("sites.0");
        let url = first["url"].as_str().unwrap().replace("localhost", "second.localhost");
        settings.set("sites.1", json!({ "name": "second", "url": url, "upstream": "app" }));
    });
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let (mut streams, connection) =
        h2::client::handshake(connect(secure.port, &secure.authority.certificate_file(), "localhost", &["h2"]).await)
            .await
            .unwrap();
    tokio::spawn(connection);
    let cookie = person.cookie_header("/").unwrap();
    for (host, status, upstream) in [
        ("localhost", 200, 1),
        // a session of one site is none at another, whatever the connection
        ("second.localhost", 401, 1),
        ("third.localhost", 421, 1),
        ("localhost", 200, 2),
    ] {
        let request = http::Request::get(format!("https://{host}:{}/shared", secure.port))
            .header("cookie", &cookie)
            .body(())
            .unwrap();
        let (answer, _) = streams.send_request(request, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), status, "{host}");
        assert_eq!(secure.stack.upstream.requests_to("/shared").len(), upstream, "{host}");
    }
}

#[test]
fn an_answer_that_comes_before_the_body_is_through_arrives() {
    let secure = SecureStack::start();
    let upload = secure.folder().join("upload");
    for (bytes, target, expected) in [
        (10 << 10, "/x", "2 401"),
        (1 << 20, "/x", "2 401"),
        (50 << 20, "/x", "2 401"),
        (1 << 20, "/.vestibule/login", "2 413"),
        (50 << 20, "/.vestibule/login", "2 413"),
    ] {
        std::fs::write(&upload, vec![b'a'; bytes]).unwrap();
        let body = format!("@{}", upload.display());
        for chunked in [&[][..], &["--header", "Transfer-Encoding: chunked"]] {
            let said = curl(&secure, target, &[&["--http2", "--data-binary", &body], chunked].concat());
            assert_eq!((said.code, said.stdout.as_str()), (Some(0), expected), "{bytes} bytes: {}", said.stderr);
        }
    }
    assert_eq!(secure.stack.upstream.count(), 0);
}

/// What is sent when the answer comes is more than the window, so that the client is in the middle of it.
#[test]
fn an_answer_in_the_middle_of_an_upload_arrives_every_time() {
    let secure = SecureStack::start();
    let upload = secure.folder().join("upload");
    std::fs::write(&upload, vec![b'a'; 50 << 20]).unwrap();
    let body = format!("@{}", upload.display());
    for (target, expected) in [("/x", "2 401"), ("/.vestibule/login", "2 413")] {
        for trial in 0..30 {
            let said = curl(&secure, target, &["--http2", "--data-binary", &body]);
            assert_eq!((said.code, said.stdout.as_str()), (Some(0), expected), "trial {trial}: {}", said.stderr);
        }
    }
}
