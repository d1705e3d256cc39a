//! What holds for the configuration as a whole. What a single kind or section refuses is tested there.

mod every_key;
mod fit;
mod lookups;
mod reference;
mod upstreams;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use base64::Engine as _;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Config;
use super::surroundings::{Content, Readers, Surroundings};
use super::{Loaded, Problem};
use crate::domain::time::UnixMillis;
use crate::gateway::bounded_file::Accepted;

/// Files and variables that exist in the test only. Every path under `/run/secrets` holds a key or secret of its own.
#[derive(Default)]
struct Imagined {
    files: BTreeMap<&'static str, (Vec<u8>, Readers)>,
    variables: BTreeMap<&'static str, &'static str>,
    /// Milliseconds since 1970.
    now: i64,
    open_files: Option<u64>,
}

impl Imagined {
    fn with_file(mut self, path: &'static str, text: &str, readers: Readers) -> Self {
        self.files.insert(path, (text.as_bytes().to_vec(), readers));
        self
    }
}

impl Surroundings for Imagined {
    fn file(&self, path: &Path, _accepted: Accepted, _most_bytes: u64) -> io::Result<Content> {
        let path = path.to_str().unwrap();
        let (bytes, readers) = match (self.files.get(path), path) {
            (Some((bytes, readers)), _) => (bytes.clone(), *readers),
            (None, "/etc/vestibule/tls.crt") => (include_bytes!("certificate.pem").to_vec(), Readers::Others),
            (None, "/etc/vestibule/tls.key") => (include_bytes!("key.pem").to_vec(), Readers::OnlyUs),
            (None, "/etc/vestibule/other.key") => (include_bytes!("other-key.pem").to_vec(), Readers::OnlyUs),
            (
                None,
                "/etc/vestibule/upstream-ca.crt"
                | "/etc/vestibule/client.crt"
                | "/etc/vestibule/house-ca.pem"
                | "/etc/vestibule/mail-ca.pem",
            ) => (include_bytes!("certificate.pem").to_vec(), Readers::Others),
            (None, "/etc/vestibule/client.key") => (include_bytes!("key.pem").to_vec(), Readers::OnlyUs),
            (None, "/etc/vestibule/logo.svg") => (b"<svg/>".to_vec(), Readers::Others),
            (None, path) if path.starts_with("/run/secrets/") => (key_named(path).into_bytes(), Readers::OnlyUs),
            (None, _) => return Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        Ok(Content { bytes: Zeroizing::new(bytes), readers })
    }

    fn is_folder(&self, path: &Path) -> bool {
        path == Path::new("/var/lib/acme")
    }

    fn open_files(&self) -> Option<u64> {
        self.open_files
    }

    fn now(&self) -> UnixMillis {
        UnixMillis(self.now)
    }

    fn variable(&self, name: &str) -> Option<Zeroizing<String>> {
        self.variables.get(name).map(|text| Zeroizing::new((*text).to_owned()))
    }
}

/// A key for each path.
fn key_named(path: &str) -> String {
    let mut bytes = [7; 32];
    for (byte, letter) in bytes.iter_mut().zip(path.bytes().rev()) {
        *byte = letter;
    }
    base64::engine::general_purpose::STANDARD.encode(bytes) + "\n"
}

fn read(text: &str) -> Result<Loaded, Vec<Problem>> {
    read_in(text, &Imagined::default())
}

fn read_in(text: &str, surroundings: &Imagined) -> Result<Loaded, Vec<Problem>> {
    super::read(text, surroundings, Path::new("/etc/vestibule"), Readers::OnlyUs).and_then(super::whole)
}

fn read_value(value: &Value) -> Result<Loaded, Vec<Problem>> {
    read(&super::document::write(value))
}

/// A small configuration with nothing wrong in it.
const SMALL: &str = r#"
sites:
  - { name: marketing, url: "https://marketing.example.com", upstream: app }
trusted_proxies: [127.0.0.1]
upstreams: { app: { servers: ["http://10.0.0.5:8080"] } }
signing_keys: [{ file: /run/secrets/sign }]
state: { url: "memory:" }
accounts: { url: "sqlite:///var/lib/vestibule/accounts.db", encryption_keys: [{ file: /run/secrets/data }] }
two_factor: { phone_numbers: pre_registered }
sms:
  countries: [BE]
  providers: [{ name: house, url: "https://sms.example/send", json: { to: "${to}", text: "${text}" } }]
"#;

/// The small configuration with changes: a JSON pointer and a value in YAML each; a dash at the end of a list appends.
fn small_with(changes: &[(&str, &str)]) -> Value {
    let mut value = super::document::literal(SMALL);
    for (pointer, text) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let mut place = &mut value;
        for step in parent.split('/').skip(1) {
            place = match place {
                Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
                Value::Object(map) => map.entry(step).or_insert_with(|| Value::Object(serde_json::Map::new())),
                other => panic!("{pointer}: {other}"),
            };
        }
        let new = super::document::literal(text);
        match place {
            Value::Array(items) if key == "-" => items.push(new),
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = new,
            Value::Object(map) => drop(map.insert(key.to_owned(), new)),
            other => panic!("{pointer}: {other}"),
        }
    }
    value
}

/// The mistakes in the small configuration with changes.
fn mistakes(changes: &[(&str, &str)]) -> Vec<Problem> {
    read_value(&small_with(changes)).err().unwrap_or_default()
}

#[track_caller]
fn assert_mistake(changes: &[(&str, &str)], key: &str, word: &str) {
    let problems = mistakes(changes);
    let is_named = problems.len() == 1 && problems[0].key == key && problems[0].to_string().contains(word);
    assert!(is_named, "{changes:?} should be one mistake at {key} about {word:?}: {problems:#?}");
}

#[track_caller]
fn assert_right(changes: &[(&str, &str)]) {
    let problems = mistakes(changes);
    assert!(problems.is_empty(), "{changes:?}: {problems:#?}");
}

#[test]
fn commands_on_accounts_go_on_when_something_else_is_broken() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.yaml");
    let with = |url: &str| {
        let keys = format!("[\"{}\"]", key_named("data").trim());
        let changes = [("/accounts/encryption_keys", keys.as_str()), ("/accounts/url", url)];
        std::fs::write(&path, super::document::write(&small_with(&changes))).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    // the signing key of the small configuration is in a file that this machine does not have
    with("\"sqlite:///var/lib/vestibule/accounts.db\"");
    assert!(Config::load(&path).is_err());
    let (_, elsewhere) = Config::load_accounts(&path).unwrap();
    assert!(elsewhere.iter().any(|problem| problem.key.starts_with("signing_keys")), "{elsewhere:?}");
    with("\"mysql://x\"");
    let needed = Config::load_accounts(&path).unwrap_err();
    assert!(needed.iter().any(|problem| problem.key == "accounts.url"), "{needed:?}");
}
