//! Certificates from openssl, and a stack whose site is served over TLS.
//!
//! The node has a plain listener too: it redirects, and answers the probe that says whether the node is up.

use super::children::{free_port, fresh_folder, run, wait_for};
use super::person::Person;
use super::stack::{Account, Plan, Stack};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A certificate authority of the test's own.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: tempfile::TempDir,
}

/// A certificate and its key, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// Where a node looks for a pair.
#[derive(Clone, Debug)]
pub(crate) struct PairOfFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Kinds of keys that certificates come with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeyKind {
    Ecdsa,
    Rsa,
}

#[track_caller]
pub(crate) fn openssl(args: &[&str]) -> String {
    let mut command = Command::new("openssl");
    command.args(args);
    run(command, "").done()
}

impl Authority {
    pub(crate) fn new() -> Self {
        let authority = Self { folder: fresh_folder("authority") };
        let (certificate, key) = (authority.path("ca.crt"), authority.path("ca.key"));
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=Test authority",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        authority
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn certificate_file(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    pub(crate) fn issue(&self, hosts: &[&str]) -> Issued {
        self.issue_for(hosts, 20, KeyKind::Ecdsa)
    }

    /// Valid from now for so many days.
    pub(crate) fn issue_for(&self, hosts: &[&str], days: u32, kind: KeyKind) -> Issued {
        let folder = fresh_folder("issued");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let names: Vec<String> = hosts.iter().map(|host| format!("DNS:{host}")).collect();
        let extensions = path("extensions");
        std::fs::write(&extensions, format!("subjectAltName={}\nextendedKeyUsage=serverAuth\n", names.join(",")))
            .unwrap();
        let new_key: &[&str] = match kind {
            KeyKind::Ecdsa => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            KeyKind::Rsa => &["-newkey", "rsa:2048"],
        };
        let (request, key, certificate) = (path("request"), path("key"), path("certificate"));
        let subject = ["-nodes", "-subj", "/CN=leaf", "-keyout", &key, "-out", &request];
        openssl(&[&["req", "-new"], new_key, &subject].concat());
        openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &self.path("ca.crt"),
            "-CAkey",
            &self.path("ca.key"),
            "-CAcreateserial",
            "-days",
            &days.to_string(),
            "-extfile",
            &extensions,
            "-out",
            &certificate,
        ]);
        let read = |path: &str| std::fs::read_to_string(path).unwrap();
        Issued { certificate: read(&certificate), key: read(&key) }
    }
}

impl Issued {
    /// In DER, for comparing with what a server sends.
    pub(crate) fn der(&self) -> Vec<u8> {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject as _;
        CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap().to_vec()
    }

    /// Base64 of the SHA-256 of its public key, as Chromium wants it.
    pub(crate) fn public_key_hash(&self) -> String {
        let folder = fresh_folder("hash");
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("key"), &self.key).unwrap();
        openssl(&["pkey", "-in", &path("key"), "-pubout", "-outform", "DER", "-out", &path("public")]);
        use base64::Engine as _;
        use sha2::Digest as _;
        base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(std::fs::read(path("public")).unwrap()))
    }

    /// Writes both files in place, the key first.
    pub(crate) fn write_to(&self, files: &PairOfFiles) {
        write_secret(&files.key, &self.key);
        std::fs::write(&files.certificate, &self.certificate).unwrap();
    }
}

/// A file that only its owner may read; what was there is replaced in one step.
pub(crate) fn write_secret(path: &Path, content: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = path.with_extension("fresh");
    std::fs::write(&fresh, content).unwrap();
    std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(fresh, path).unwrap();
}

impl PairOfFiles {
    pub(crate) fn named(folder: &Path, name: &str) -> Self {
        Self { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) }
    }

    pub(crate) fn as_config(&self) -> serde_json::Value {
        json!({ "certificate": self.certificate, "key": self.key })
    }
}

/// A stack whose site is `https://localhost:PORT`.
#[derive(Debug)]
pub(crate) struct SecureStack {
    pub(crate) stack: Stack,
    pub(crate) authority: Authority,
    /// Of the listener with TLS.
    pub(crate) port: u16,
    /// What it has for `localhost`.
    pub(crate) issued: Issued,
    pub(crate) files: PairOfFiles,
    folder: tempfile::TempDir,
}

impl SecureStack {
    pub(crate) fn start() -> Self {
        Self::start_with(Plan::new(), |_, _| {})
    }

    /// `change` gets the settings as they are by then, and the authority.
    pub(crate) fn start_with(
        plan: Plan,
        change: impl FnOnce(&mut super::settings::Settings, &Authority) + 'static,
    ) -> Self {
        Self::prepare(plan, change).started()
    }

    /// Everything but the nodes.
    pub(crate) fn prepare(
        plan: Plan,
        change: impl FnOnce(&mut super::settings::Settings, &Authority) + 'static,
    ) -> Self {
        let (authority, port, folder) = (Authority::new(), free_port(), fresh_folder("tls"));
        let files = PairOfFiles::named(folder.path(), "localhost");
        let issued = authority.issue(&["localhost", "*.localhost"]);
        issued.write_to(&files);
        let mut stack = plan
            .set("sites.0.url", format!("https://localhost:{port}"))
            .set("listen.0.redirect_to_https", "on")
            .set("listen.1.address", format!("127.0.0.1:{port}"))
            .set("listen.1.tls.certificates", json!([files.as_config()]))
            .prepare();
        change(&mut stack.settings, &authority);
        Self { stack, authority, port, issued, files, folder }
    }

    pub(crate) fn started(mut self) -> Self {
        self.stack.start_nodes().unwrap_or_else(|failure| panic!("no node: {:?}\n{}", failure.code, failure.log));
        // the listener that was asked whether the node is up is another one
        wait_for("the listener with TLS", || std::net::TcpStream::connect(("127.0.0.1", self.port)).ok());
        self
    }

    pub(crate) fn site(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Someone new with an empty browser, who trusts the authority and speaks HTTP/2.
    pub(crate) fn person(&self) -> Person {
        Person::over_tls(&self.site(), self.port, &self.authority.certificate_file(), self.stack.evidence().clone())
    }

    /// Someone who has signed in with both factors.
    pub(crate) async fn signed_in(&self, account: &Account) -> Person {
        let person = self.person();
        let sent = self.stack.vendor.messages_to(&account.phone).len();
        let page = person.give_password("/", account).await;
        let code = self.stack.vendor.wait_for_message(&account.phone, sent + 1).code();
        person.give_code(&page, &code).await.expect(303);
        person
    }
}
