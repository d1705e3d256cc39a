//! One YAML file and what it points to (other files, the environment) → `Config`; all mistakes of a file in one run.
//!
//! Every section has a file of its own that holds the settings and the function that reads them; that function is also what
//! the reference, the JSON Schema and `config show` are made from. Opens no socket and asks no store. Floor: roof.

pub mod admin;
mod authority_file;
mod collections;
mod declared;
mod document;
mod fit;
mod kinds;
pub mod limits;
pub mod listener;
pub mod mail;
mod node;
pub mod open_files;
pub mod operation;
pub mod passwords;
pub mod portal;
mod problem;
pub mod reference;
mod scalar;
pub mod schema;
pub mod session;
pub mod site;
pub mod sms;
mod sms_provider;
pub mod stores;
mod surroundings;
#[cfg(test)]
mod tests;
pub mod timeouts;
pub mod two_factor;
pub mod upstream;

use std::collections::BTreeMap;
use std::path::Path;

use ipnet::IpNet;
use serde_json::Value;

use crate::domain::secret::SecretBytes;
use crate::gateway::bounded_file::Accepted;

use declared::Declared;
use node::{Aim, Node, Reading};
use surroundings::{Machine, Readers, Surroundings};

pub use problem::Problem;

/// Everything an operator decides, parsed and checked. `app` maps it to the settings of the rooms.
#[derive(Clone, Debug)]
pub struct Config {
    /// Lower bounds of durations and waits are lifted. Only with all sites on loopback.
    pub testing: bool,
    /// At least one; names and hosts are unique.
    pub sites: Vec<site::Site>,
    /// At least one; addresses are unique.
    pub listen: Vec<listener::Listener>,
    /// Networks whose word about who asks is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub trusted_proxies_header: TrustedProxiesHeader,
    /// By name; every name that a site or route gives is in it.
    pub upstreams: BTreeMap<String, upstream::Upstream>,
    /// 32 bytes each; the first signs, all verify.
    pub signing_keys: Vec<SecretBytes>,
    pub state: stores::State,
    pub accounts: stores::Accounts,
    pub two_factor: two_factor::TwoFactor,
    pub session: session::Session,
    pub sms: sms::Sms,
    /// `None`: nobody is told of a change by mail.
    pub mail: Option<mail::Mail>,
    pub limits: limits::Limits,
    pub timeouts: timeouts::Timeouts,
    pub passwords: passwords::Passwords,
    /// `None`: operators have the command line only.
    pub admin: Option<admin::Admin>,
    pub audit: operation::Audit,
    pub metrics: operation::Metrics,
    pub shutdown: operation::Shutdown,
    pub log: operation::Log,
}

/// The header in which `trusted_proxies` say who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustedProxiesHeader {
    /// With `X-Forwarded-Proto`.
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

/// A configuration without mistakes.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// Sentences that the operator should read although nothing is wrong. To be said loudly.
    pub notices: Vec<String>,
    /// What is in force, defaults included and secrets hidden, in the form of the file.
    pub in_force: Value,
}

impl Loaded {
    /// What is in force, as YAML.
    #[must_use]
    pub fn in_force_as_yaml(&self) -> String {
        document::write(&self.in_force)
    }
}

impl Config {
    /// Reads the file at `path` and what it points to.
    ///
    /// # Errors
    /// Everything that is wrong: section by section, then what does not fit together.
    pub fn load(path: &Path) -> Result<Loaded, Vec<Problem>> {
        whole(read_file(path)?)
    }

    /// Reads the file for commands that need the accounts alone: they are the way in when all else is broken, so that mistakes elsewhere
    /// (a vendor's secret that cannot be read, an expired certificate) come back as things to say.
    ///
    /// # Errors
    /// What is wrong with the file as a whole or with the sections that such commands read.
    pub fn load_accounts(path: &Path) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let reading = read_file(path)?;
        let (needed, elsewhere): (Vec<Problem>, Vec<Problem>) =
            reading.problems.into_iter().partition(|problem| is_needed_for_accounts(&problem.key));
        if needed.is_empty() { Ok((reading.config, elsewhere)) } else { Err(needed) }
    }

    /// Reads a configuration that this program has written itself; paths in it are absolute.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn from_text(text: &str) -> Result<Loaded, Vec<Problem>> {
        whole(read(text, &Machine, Path::new("/"), Readers::OnlyUs)?)
    }
}

/// The sections that commands on accounts read; an empty key is the file itself.
fn is_needed_for_accounts(key: &str) -> bool {
    let section = key.split(['.', '[']).next().unwrap_or_default();
    key == "sms.countries" || matches!(section, "" | "accounts" | "passwords" | "two_factor")
}

/// What reading a file came to, with its mistakes.
struct ReadFile {
    config: Config,
    notices: Vec<String>,
    declared: Vec<Declared>,
    problems: Vec<Problem>,
}

fn read_file(path: &Path) -> Result<ReadFile, Vec<Problem>> {
    let content = Machine.file(path, Accepted::PlainFileOrPipe, document::MOST_BYTES).map_err(|error| {
            let right = "the path of a file that this user can read, after --config or in VESTIBULE_CONFIG; `vestibule init` makes a first one";
            vec![Problem::of_file(format!("{} cannot be read: {error}", path.display()), right)]
        })?;
    let text = std::str::from_utf8(&content.bytes).map_err(|_| {
        vec![Problem::of_file(format!("{} holds something else than text", path.display()), "YAML in UTF-8")]
    })?;
    let folder = std::path::absolute(path).ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default();
    read(text, &Machine, &folder, content.readers)
}

fn read(
    text: &str,
    surroundings: &dyn Surroundings,
    folder: &Path,
    readers: Readers,
) -> Result<ReadFile, Vec<Problem>> {
    let given = document::parse(text)?;
    let reading = Reading::new(Aim::File, surroundings, folder, readers);
    let ((config, notices), declared, problems) = reading.read(&given, |root| {
        let config = read_config(root);
        let notices = fit::check(root, &config);
        (config, notices)
    });
    Ok(ReadFile { config, notices, declared, problems })
}

fn whole(reading: ReadFile) -> Result<Loaded, Vec<Problem>> {
    let ReadFile { config, notices, declared, problems } = reading;
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut in_force = declared::in_force(&declared);
    show_computed(&mut in_force, "/passwords", "threads", config.passwords.threads.into());
    for (index, site) in config.sites.iter().enumerate() {
        show_computed(&mut in_force, &format!("/sites/{index}/portal"), "name", site.portal.name.as_str().into());
    }
    Ok(Loaded { config, notices, in_force })
}

/// Adds what a key came to that depends on the machine or on another key, so that its default is no fixed text.
fn show_computed(in_force: &mut Value, section: &str, key: &str, value: Value) {
    if let Some(section) = in_force.pointer_mut(section).and_then(Value::as_object_mut) {
        section.insert(key.to_owned(), value);
    }
}

/// All keys there are.
fn description() -> Vec<Declared> {
    let reading = Reading::new(Aim::Description, &Machine, Path::new("/"), Readers::OnlyUs);
    let (_, mut declared, _) = reading.read(&Value::Null, read_config);
    if !declared.is_empty() {
        declared.rotate_left(1); // `testing` is read first, and nobody should see it first
    }
    declared
}

fn read_config(root: &Node<'_>) -> Config {
    // first, because durations ask for it
    let testing = root
        .key("testing", "For tests: lifts the lower bounds of durations and waits. Refused when a site is not on this machine itself.")
        .flag()
        .or("off");
    root.reading().testing.set(testing);
    Config {
        testing,
        sites: root
            .key("sites", "The applications, each at a URL of its own. A session of one is none at another.")
            .list(1, 1000, site::read)
            .required(""),
        listen: root
            .key("listen", "Where requests come in. A listener without `tls` needs a proxy in front that does TLS, named in trusted_proxies.")
            .list(1, 100, listener::read)
            .or("[{ address: \"127.0.0.1:8080\" }]"),
        trusted_proxies: root
            .key(
                "trusted_proxies",
                "Networks of proxies in front, as in [127.0.0.1, 10.1.0.0/16]: what they say of who asks and over which scheme is believed, and nobody else's word. Host has to be the one that the browser asked for.",
            )
            .list(0, 1000, |slot| slot.network().required("127.0.0.1"))
            .or("[]"),
        trusted_proxies_header: root
            .key(
                "trusted_proxies_header",
                "The header that these proxies write: `x-forwarded-for` (with X-Forwarded-Proto) or `forwarded` (RFC 7239). Only this one is believed; the \
                 other one is removed, because a proxy that writes one passes the other on as it came from outside.",
            )
            .choice(&[("x-forwarded-for", TrustedProxiesHeader::XForwardedFor), ("forwarded", TrustedProxiesHeader::Forwarded)])
            .or("x-forwarded-for"),
        upstreams: root.key("upstreams", "The servers of the applications, by a name of your choice. Left out when every site is carried by another proxy.").suggested_map("app", |_, slot| slot.section(upstream::read)),
        signing_keys: root
            .key(
                "signing_keys",
                "Keys for sessions, pending logins and forms: 32 random bytes in base64 each (`vestibule key generate`). The first signs, all verify. \
                 To change: add the new one as second everywhere, then move it to the front, and drop the old one when session.lifetime has passed.",
            )
            .list(1, 16, |slot| slot.key().required("{ file: /run/secrets/vestibule-sign }"))
            .required("[{ file: /run/secrets/vestibule-sign }]"),
        state: root.key("state", "Pending logins and network limits.").section(stores::read_state),
        accounts: root.key("accounts", "Everything durable.").section(stores::read_accounts),
        two_factor: root.key("two_factor", "The second factor: a code sent by SMS.").section(two_factor::read),
        session: root.key("session", "How long a sign-in lasts.").section(session::read),
        sms: root.key("sms", "Sending codes.").section(sms::read),
        mail: root
            .key("mail", "A mail server, through which people are told of changes to their second factor at the e-mail address on their account. Left out: they are told by SMS alone.")
            .maybe_section(mail::read),
        limits: root.key("limits", "What caps guessing, sending and the size of requests, for all nodes together.").section(limits::read),
        timeouts: root.key("timeouts", "How long whoever asks may take. How long an application may take is said with its upstream.").section(timeouts::read),
        passwords: root.key("passwords", "How passwords are kept and checked.").section(passwords::read),
        admin: root
            .key("admin", "Pages on which operators (`vestibule operator appoint`) sign in and help users, at an address and with cookies of their own, and the API for programs with a token (`vestibule token create`). Left out: there is only the command line.")
            .maybe_section(admin::read),
        audit: root.key("audit", "The record of who changed what.").section(operation::read_audit),
        metrics: root.key("metrics", "What is counted, for Prometheus: at the path /metrics of admin.listen, so only where there is `admin`.").section(operation::read_metrics),
        shutdown: root.key("shutdown", "How the process ends.").section(operation::read_shutdown),
        log: root.key("log", "What is written to standard error.").section(operation::read_log),
    }
}
