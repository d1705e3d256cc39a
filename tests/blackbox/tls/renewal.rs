//! Certificates that are replaced while connections go on: without a failed request, and without a word from anybody when files change.

use super::PHONE;
use super::raw_http2::{client_config, connect};
use crate::harness::children::{fresh_folder, wait_for};
use crate::harness::stack::Plan;
use crate::harness::tls::{Authority, Issued, PairOfFiles, SecureStack, write_secret};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a fresh handshake is shown.
async fn served(secure: &SecureStack) -> Vec<u8> {
    let stream = connect(secure.port, &secure.authority.certificate_file(), "localhost", &["h2"]).await;
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

async fn wait_until_served(secure: &SecureStack, issued: &Issued) {
    let (wanted, began) = (issued.der(), Instant::now());
    while served(secure).await != wanted {
        assert!(began.elapsed() < Duration::from_secs(20), "the new certificate is not served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A volume as Kubernetes mounts one: the files are links into `..data`, and that is a link to a folder that is swapped.
struct Volume {
    folder: PathBuf,
    turns: usize,
}

impl Volume {
    fn new(issued: &Issued) -> Self {
        let mut volume = Self { folder: fresh_folder("volume").keep(), turns: 0 };
        volume.swap(issued);
        for name in ["tls.crt", "tls.key"] {
            symlink(format!("..data/{name}"), volume.folder.join(name)).unwrap();
        }
        volume
    }

    fn files(&self) -> PairOfFiles {
        PairOfFiles::named(&self.folder, "tls")
    }

    fn swap(&mut self, issued: &Issued) {
        self.turns += 1;
        let turn = self.folder.join(format!("..turn{}", self.turns));
        std::fs::create_dir(&turn).unwrap();
        issued.write_to(&PairOfFiles::named(&turn, "tls"));
        let fresh = self.folder.join("..data_tmp");
        symlink(turn.file_name().unwrap(), &fresh).unwrap();
        std::fs::rename(fresh, self.folder.join("..data")).unwrap();
    }
}

/// Answers and failures of a client that asks without end.
#[derive(Debug, Default)]
struct Count {
    answered: AtomicUsize,
    failed: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_renewals_under_traffic_fail_no_request() {
    let volume: Arc<std::sync::Mutex<Option<Volume>>> = Arc::default();
    let put = Arc::clone(&volume);
    let secure = SecureStack::start_with(
        Plan::new().set("sites.0.routes", json!([{ "path": "/public/*", "access": "public" }])),
        move |settings, authority| {
            let made = Volume::new(&authority.issue(&["localhost"]));
            settings.set("listen.1.tls.certificates", json!([made.files().as_config()]));
            *put.lock().unwrap() = Some(made);
        },
    );
    let mut volume = volume.lock().unwrap().take().unwrap();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let done = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    // kept connections: HTTP/2 with a session, and each request on a connection of its own
    let fresh_client = |protocol: &'static str| {
        let config = client_config(&secure.authority.certificate_file(), &[protocol]);
        let builder = reqwest::Client::builder().no_proxy().tls_backend_preconfigured(config);
        let builder = builder.resolve("localhost", ([127, 0, 0, 1], secure.port).into());
        move |idle| builder.pool_max_idle_per_host(idle).timeout(Duration::from_secs(20)).build().unwrap()
    };
    let site = secure.site();
    for (name, client) in [
        ("kept, HTTP/2", fresh_client("h2")(10)),
        ("kept, HTTP/1.1", fresh_client("http/1.1")(10)),
        ("new, HTTP/2", fresh_client("h2")(0)),
        ("new, HTTP/1.1", fresh_client("http/1.1")(0)),
    ] {
        let (done, count, url) = (Arc::clone(&done), Arc::new(Count::default()), format!("{site}/public/x"));
        let counted = Arc::clone(&count);
        let task = tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                match client.get(&url).send().await {
                    Ok(answer) if answer.status() == 200 => counted.answered.fetch_add(1, Ordering::SeqCst),
                    other => {
                        eprintln!("{other:?}");
                        counted.failed.fetch_add(1, Ordering::SeqCst)
                    }
                };
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        clients.push((name, count, task));
    }
    let mut events = person.begin(reqwest::Method::GET, "/events", &[], None).await.unwrap();
    events.chunk().await.unwrap().unwrap();

    let mut slowest = Duration::ZERO;
    for turn in 0..20 {
        let issued = secure.authority.issue(&["localhost"]);
        volume.swap(&issued);
        let began = Instant::now();
        // every second time somebody says so, else the files speak for themselves
        if turn % 2 == 1 {
            secure.stack.nodes[0].reload();
        }
        wait_until_served(&secure, &issued).await;
        if turn % 2 == 0 {
            slowest = slowest.max(began.elapsed());
        }
    }
    secure.stack.upstream.emit("still here");
    assert_eq!(events.chunk().await.unwrap().unwrap(), "data: still here\n\n");
    done.store(true, Ordering::SeqCst);
    for (name, count, task) in clients {
        task.await.unwrap();
        let (answered, failed) = (count.answered.load(Ordering::SeqCst), count.failed.load(Ordering::SeqCst));
        println!("{name}: {answered} answered, {failed} failed");
        assert!(failed == 0 && answered > 20, "{name}: {answered} answered, {failed} failed");
    }
    println!("a changed file was in force after {slowest:?} at most, of 10 without a signal");
    assert_eq!(in_force(&secure).len(), 20);
    assert_eq!(complaints(&secure), [""; 0]);
}

/// Messages of the log that contain a text, with their reason.
fn said(secure: &SecureStack, text: &str) -> Vec<String> {
    let records = secure.stack.nodes[0].records();
    let fitting = records.iter().filter(|record| record["message"].as_str().is_some_and(|said| said.contains(text)));
    let why = |record: &Value| record["why"].as_str().unwrap_or_default().to_owned();
    fitting
        .map(|record| format!("{} {}: {}", record["level"].as_str().unwrap(), record["certificate"], why(record)))
        .collect()
}

fn complaints(secure: &SecureStack) -> Vec<String> {
    said(secure, "cannot be used; the old one stays")
}

fn in_force(secure: &SecureStack) -> Vec<String> {
    said(secure, "a changed certificate is in force")
}

#[tokio::test]
async fn a_broken_pair_changes_nothing_and_is_told_once() {
    let secure = SecureStack::start();
    let (files, old) = (secure.files.clone(), secure.issued.clone());
    let told = |number: usize, what: &str| {
        let complaint = wait_for(&format!("complaint {number}"), || complaints(&secure).get(number).cloned());
        assert!(complaint.contains(what), "{complaint} does not say {what:?}");
    };
    let new = secure.authority.issue(&["localhost"]);
    // a certificate whose key did not come along
    std::fs::write(&files.certificate, &new.certificate).unwrap();
    told(0, "is not the key of the certificate");
    // Looking again, as often as one likes, says nothing new of it (and takes no other configuration meanwhile).
    for looks in 1..=3 {
        secure.stack.nodes[0].reload();
        wait_for("the reload", || (said(&secure, "the configuration was not reloaded").len() == looks).then_some(()));
    }
    assert_eq!(complaints(&secure).len(), 1, "{:?}", complaints(&secure));
    assert_eq!(served(&secure).await, old.der());
    // half of it
    std::fs::write(&files.certificate, &new.certificate[..new.certificate.len() / 2]).unwrap();
    told(1, "holds something that is no certificate, at place 1");
    // nothing at all
    std::fs::remove_file(&files.certificate).unwrap();
    told(2, "cannot be read");
    assert!(complaints(&secure)[2].contains("localhost.crt"), "{:?}", complaints(&secure));
    assert_eq!(served(&secure).await, old.der());
    // as it was
    old.write_to(&files);
    wait_for("the recovery", || (said(&secure, "can be used again").len() == 1).then_some(()));
    // the same mistake again is said again, and at once when somebody asks
    write_secret(&files.key, "no key\n");
    secure.stack.nodes[0].reload();
    told(3, "holds no private key that can be used");
    assert!(complaints(&secure)[3].contains("localhost.key"), "{:?}", complaints(&secure));
    // good at last
    new.write_to(&files);
    wait_until_served(&secure, &new).await;
    assert_eq!((complaints(&secure).len(), in_force(&secure).len()), (4, 1), "{}", secure.stack.nodes[0].log());
    assert!(complaints(&secure).iter().all(|line| line.starts_with("ERROR ")));
    // and no secret of it
    let log = secure.stack.nodes[0].log();
    let secret: Vec<&str> = new.key.lines().filter(|line| line.len() > 40).collect();
    assert!(secret.iter().all(|line| !log.contains(line)));
}

#[tokio::test]
async fn a_handshake_that_is_under_way_comes_to_its_end() {
    let secure = SecureStack::start();
    let authority = secure.authority.certificate_file();
    let config = Arc::new(client_config(&authority, &["http/1.1"]));
    let mut client =
        rustls::ClientConnection::new(config, rustls::pki_types::ServerName::try_from("localhost").unwrap()).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    let mut socket = std::net::TcpStream::connect(("127.0.0.1", secure.port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (first, rest) = hello.split_at(hello.len() / 2);
    socket.write_all(first).unwrap();

    let new = secure.authority.issue(&["localhost"]);
    new.write_to(&secure.files);
    wait_until_served(&secure, &new).await;
    socket.write_all(rest).unwrap();
    let mut stream = rustls::StreamOwned::new(client, socket);
    let request =
        format!("GET /.vestibule/live HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", secure.port);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(stream.conn.peer_certificates().unwrap()[0].to_vec(), new.der());
}

#[tokio::test]
async fn a_certificate_that_ends_soon_is_told_of() {
    let secure = SecureStack::prepare(Plan::new(), |_, _| {});
    let soon =
        |authority: &Authority, days| authority.issue_for(&["localhost"], days, crate::harness::tls::KeyKind::Ecdsa);
    soon(&secure.authority, 10).write_to(&secure.files);
    let checked = secure.stack.command(&["check"], "");
    let printed = format!("{}{}", checked.stdout, checked.stderr);
    assert_eq!(checked.code, Some(0), "{printed}");
    let file = secure.files.certificate.display().to_string();
    assert!(
        printed.contains(&format!("the certificate in {file} ends at ")) && printed.contains("in 9 days"),
        "{printed}"
    );

    let secure = secure.started();
    let warned = |text: &str| {
        let records = secure.stack.nodes[0].records();
        let is_it = |record: &&Value| record["message"].as_str().is_some_and(|said| said.contains(text));
        records.iter().filter(|record| record["level"] == "WARN").filter(is_it).count()
    };
    wait_for("the warning", || (warned("in 9 days") == 1).then_some(()));
    // Each certificate that is put in place is looked at anew.
    for (days, text) in [(3, "in 2 days"), (1, "in 23 hours")] {
        let issued = soon(&secure.authority, days);
        issued.write_to(&secure.files);
        wait_until_served(&secure, &issued).await;
        wait_for(text, || (warned(text) == 1).then_some(()));
    }
    let good = secure.authority.issue(&["localhost"]);
    good.write_to(&secure.files);
    wait_until_served(&secure, &good).await;
    assert_eq!(warned("the certificate in use ends at "), 3);
}

#[test]
fn a_broken_pair_at_the_start_is_a_mistake_with_the_file_s_name() {
    for (break_it, key, word) in [
        (
            cut as fn(&PairOfFiles, &Authority),
            "listen[1].tls.certificates[0].certificate",
            "holds something that is no certificate",
        ),
        (mismatch, "listen[1].tls.certificates[0].key", "is not the key of"),
        (remove, "listen[1].tls.certificates[0].key", "cannot be read"),
    ] {
        let mut secure = SecureStack::prepare(Plan::new(), |_, _| {});
        break_it(&secure.files, &secure.authority);
        let failure = secure.stack.start_nodes().unwrap_err();
        assert!(failure.code.is_some_and(|code| code != 0), "{failure:?}");
        let said =
            failure.log.lines().any(|line| line.contains(key) && line.contains(word) && line.contains("/localhost."));
        assert!(said, "{key}: {}", failure.log);
    }
}

fn cut(files: &PairOfFiles, _: &Authority) {
    let whole = std::fs::read_to_string(&files.certificate).unwrap();
    std::fs::write(&files.certificate, &whole[..whole.len() / 2]).unwrap();
}

fn mismatch(files: &PairOfFiles, authority: &Authority) {
    write_secret(&files.key, &authority.issue(&["localhost"]).key);
}

fn remove(files: &PairOfFiles, _: &Authority) {
    std::fs::remove_file::<&Path>(files.key.as_ref()).unwrap();
}
