//! Everything in one process, to try it out: memory for Redis, a temporary SQLite, codes on the terminal, a sample application or yours.
//! Nothing is kept. Only on loopback. Floor: roof.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::rooms::{BuildError, Rooms};
use super::sample_application;
use super::serve::{self, ServeError};
use crate::config::Config;
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::password::Password;
use crate::domain::phone::PhoneNumber;
use crate::domain::user_name::UserName;
use crate::login::directory::{Directory as _, ImportEntry, Imported, NewAccount};
use crate::login::ports::PortError;
use crate::web::origin::is_loopback_host;

/// The number of the demo's first account, and a number to type for the second. Nothing is ever sent to them.
const NUMBER: &str = "+32470123456";
const ACCOUNTS: [(&str, &str, Option<&str>); 2] =
    [("anna", "three-green-tulips", Some(NUMBER)), ("ben", "four-blue-herons", None)];

/// What the demo was asked for.
#[derive(Debug)]
pub struct Demo {
    /// A loopback address.
    pub listen: SocketAddr,
    /// Your own application on loopback; `None`: the sample application.
    pub upstream: Option<Url>,
}

/// Why the demo did not begin.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("the demo listens on this machine only: give --listen an address such as 127.0.0.1:8080")]
    NotLoopback,
    #[error(
        "the demo goes to an application on this machine only: give --upstream a URL such as http://127.0.0.1:3000"
    )]
    UpstreamNotLoopback,
    #[error("a temporary folder could not be made")]
    Folder(#[source] std::io::Error),
    #[error("the sample application cannot listen")]
    Sample(#[source] std::io::Error),
    #[error("the demo's own configuration is refused: {0}")]
    Config(String),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the demo's accounts could not be made")]
    Accounts(#[from] PortError),
}

/// Runs the demo until it is told to end.
///
/// # Errors
/// It could not begin.
pub fn run(demo: &Demo) -> Result<(), DemoError> {
    if !demo.listen.ip().is_loopback() {
        return Err(DemoError::NotLoopback);
    }
    let folder = tempfile::Builder::new().prefix("vestibule-demo-").tempdir().map_err(DemoError::Folder)?;
    let sample = match &demo.upstream {
        Some(url) if url.scheme() == "http" && url.host_str().is_some_and(is_loopback_host) => None,
        Some(_) => return Err(DemoError::UpstreamNotLoopback),
        None => Some(std::net::TcpListener::bind("127.0.0.1:0").map_err(DemoError::Sample)?),
    };
    let upstream = match (&demo.upstream, &sample) {
        (Some(url), _) => url.origin().ascii_serialization(),
        (None, Some(listener)) => format!("http://{}", listener.local_addr().map_err(DemoError::Sample)?),
        (None, None) => return Err(DemoError::UpstreamNotLoopback),
    };
    let database = folder.path().join("accounts.db");
    let text = configuration(demo.listen, &upstream, &database.display().to_string());
    let loaded = Config::from_text(&text).map_err(|problems| {
        DemoError::Config(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    super::logging::start(&loaded.config.log);
    let running = serve::prepare(serve::begin()?, &loaded.config, None)?;
    if let Some(listener) = sample {
        listener.set_nonblocking(true).map_err(DemoError::Sample)?;
        let _inside = running.runtime().enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(DemoError::Sample)?;
        running.runtime().spawn(sample_application::run(listener));
    }
    running.runtime().block_on(add_accounts(running.rooms()))?;
    print!("{}", welcome(demo));
    running.run();
    Ok(())
}

fn configuration(listen: SocketAddr, upstream: &str, database: &str) -> String {
    let key = || STANDARD.encode(rand::random::<[u8; 32]>());
    let (signing, data) = (key(), key());
    let port = listen.port();
    format!(
        r#"
sites:
  - name: demo
    url: "http://localhost:{port}"
    upstream: application
    portal: {{ name: Vestibule demo, languages: [en, nl, fr, de], support: "codes appear on the terminal that runs the demo" }}
listen: [{{ address: "{listen}" }}]
upstreams: {{ application: {{ servers: ["{upstream}"] }} }}
signing_keys: ["{signing}"]
state: {{ url: "memory:" }}
accounts: {{ url: "sqlite://{database}", encryption_keys: ["{data}"] }}
two_factor: {{ phone_numbers: self_registered }}
sms: {{ countries: [BE, NL, FR, DE], providers: [{{ name: terminal, preset: terminal }}] }}
log: {{ format: text, level: error, access: off }}
shutdown: {{ drain: 1s }}
"#
    )
}

async fn add_accounts(rooms: &Rooms) -> Result<(), PortError> {
    let now = rooms.stores.clock.now();
    let mut entries = Vec::new();
    for (name, password, number) in ACCOUNTS {
        let password = Password::typed(password).expect("the demo's passwords are passwords");
        let user_name = UserName::parse(name).expect("the demo's names are user names");
        let account = NewAccount {
            user_name,
            name: None,
            email: None,
            phone: number.and_then(PhoneNumber::from_stored),
            language: None,
            password: rooms.stores.passwords.hash(&password).await?,
            password_expires_at: None,
            enrolment_until: Some(now.plus(Duration::from_secs(24 * 3600))),
            ticket: None,
        };
        let audit = AuditRecord {
            at: now,
            event: AuditEvent::AccountAdded,
            account: None,
            actor: "system".to_owned(),
            site: None,
            source: None,
            reason: Some("demo".to_owned()),
            request_id: None,
        };
        entries.push(ImportEntry::Add { account, audit });
    }
    match rooms.ledger.import(&entries).await? {
        Imported::Done(_) => Ok(()),
        Imported::Refused(..) => Err(PortError::new("sql", "the demo's database is not empty")),
    }
}

fn welcome(demo: &Demo) -> String {
    let [(first, first_password, _), (second, second_password, _)] = ACCOUNTS;
    let behind = match &demo.upstream {
        Some(url) => format!("{} stands behind it.", url.origin().ascii_serialization()),
        None => "A small sample application stands behind it.".to_owned(),
    };
    format!(
        "
  Vestibule demo. {behind}

    Open       http://localhost:{port}

    Sign in    {first}   {first_password}   has a mobile number
               {second}    {second_password}     gives one first, say +32 470 12 34 57

  Codes appear here; nothing is sent anywhere. Ctrl-C ends the demo, and
  nothing is kept. (Cookies of http://localhost are shared by all its ports:
  use one demo at a time in one browser.)

",
        port = demo.listen.port()
    )
}
