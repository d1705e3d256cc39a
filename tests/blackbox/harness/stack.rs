//! Everything that one test needs around the program: its Redis, its database, its vendor, its application, its nodes.
//! At the end of every stack all that was logged, answered and stored is searched for secrets.

use super::children::{Output, free_port, fresh_folder, run};
use super::evidence::{Evidence, Found, SecretKind};
use super::gateway::{BINARY, DidNotStart, Gateway, OpenFiles};
use super::person::{Answer, Person};
use super::postgres;
use super::redis::Redis;
use super::settings::Settings;
use super::sms_vendor::{FakeSmsVendor, VENDOR_TOKEN};
use super::upstream::Upstream;
use super::wire::fakes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore;
use serde_json::json;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// What kind of stack; `start` builds it.
pub(crate) struct Plan {
    accounts: Accounts,
    accounts_url: Option<String>,
    pending: Pending,
    nodes: usize,
    changes: Vec<Change>,
    environment: Vec<(String, String)>,
    open_files: Option<OpenFiles>,
}

type Change = Box<dyn FnOnce(&mut Settings)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accounts {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    Redis,
    Memory,
}

#[derive(Debug)]
pub(crate) struct Stack {
    // Dropped in this order: the nodes first.
    pub(crate) nodes: Vec<Gateway>,
    pub(crate) redis: Option<Redis>,
    pub(crate) vendor: FakeSmsVendor,
    pub(crate) upstream: Upstream,
    pub(crate) settings: Settings,
    evidence: Arc<Evidence>,
    accounts_url: String,
    environment: Vec<(String, String)>,
    open_files: Option<OpenFiles>,
    planned_nodes: usize,
    /// The port in the site's URL.
    site_port: u16,
    folder: tempfile::TempDir,
}

/// Someone who may sign in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) password: String,
    /// In E.164; empty when there is none.
    pub(crate) phone: String,
}

impl Plan {
    pub(crate) fn new() -> Self {
        Self {
            accounts: Accounts::Sqlite,
            accounts_url: None,
            pending: Pending::Redis,
            nodes: 1,
            changes: Vec::new(),
            environment: Vec::new(),
            open_files: None,
        }
    }

    pub(crate) fn accounts(mut self, accounts: Accounts) -> Self {
        self.accounts = accounts;
        self
    }

    /// In a database that is there: of a server of the test's own.
    pub(crate) fn accounts_at(mut self, url: String) -> Self {
        self.accounts_url = Some(url);
        self
    }

    pub(crate) fn pending(mut self, pending: Pending) -> Self {
        self.pending = pending;
        self
    }

    pub(crate) fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    /// Changes one key of the configuration.
    pub(crate) fn set(self, key: &'static str, value: impl Into<serde_json::Value>) -> Self {
        let value = value.into();
        self.change(move |settings| {
            settings.set(key, value);
        })
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Settings) + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Nodes are started with these limits.
    pub(crate) fn open_files(mut self, open_files: OpenFiles) -> Self {
        self.open_files = Some(open_files);
        self
    }

    pub(crate) fn start(self) -> Stack {
        let mut stack = self.prepare();
        stack.start_nodes().unwrap_or_else(|failure| panic!("no node: {:?}\n{}", failure.code, failure.log));
        stack
    }

    /// Everything but the nodes: for the command line alone, or to see a start fail.
    pub(crate) fn prepare(self) -> Stack {
        let folder = fresh_folder("stack");
        let redis = (self.pending == Pending::Redis).then(Redis::start);
        let vendor = FakeSmsVendor::start();
        let upstream = Upstream::start();
        let accounts_url = match (self.accounts_url, self.accounts) {
            (Some(url), _) => url,
            (None, Accounts::Sqlite) => format!("sqlite://{}", folder.path().join("accounts.db").display()),
            (None, Accounts::Postgres) => postgres::fresh_database(),
        };
        let evidence = Arc::new(Evidence::default());
        let key_file = |name: &str| {
            let mut key = [0; 32];
            rand::rng().fill_bytes(&mut key);
            let key = STANDARD.encode(key);
            evidence.keep(SecretKind::Credential, &key);
            secret_file(folder.path(), name, &key)
        };
        let signing = key_file("sign.key");
        let data = key_file("data.key");
        evidence.keep(SecretKind::Credential, VENDOR_TOKEN);
        let token = secret_file(folder.path(), "vendor.token", VENDOR_TOKEN);
        let mut settings = Settings::new(json!({
            "testing": true,
            "sites": [{ "name": "marketing", "url": "http://localhost:{PORT}", "upstream": "app" }],
            "listen": [{ "address": "127.0.0.1:{NODE_PORT}" }],
            "upstreams": { "app": { "servers": [upstream.url()] } },
            "signing_keys": [{ "file": signing }],
            "state": { "url": redis.as_ref().map_or("memory:".to_owned(), Redis::url) },
            "accounts": { "url": accounts_url, "encryption_keys": [{ "file": data }] },
            "two_factor": { "activation": "active", "phone_numbers": "pre_registered" },
            "sms": {
                "countries": ["BE", "NL", "FR", "DE"],
                "sender": "Acme",
                "providers": [{
                    "name": "main",
                    "method": "POST",
                    "url": vendor.url(),
                    "auth": { "bearer": { "file": token } },
                    "json": { "to": "${to}", "text": "${text}" },
                    "success": { "status": [200, 202] },
                }],
            },
            // The tests keep every core busy, and the threads that hash are niced.
            "passwords": { "queue": 1000, "queue_wait": "30s" },
            "log": { "format": "json", "level": "debug" },
        }));
        for change in self.changes {
            change(&mut settings);
        }
        Stack {
            nodes: Vec::new(),
            redis,
            vendor,
            upstream,
            settings,
            evidence,
            accounts_url,
            environment: self.environment,
            open_files: self.open_files,
            planned_nodes: self.nodes,
            site_port: free_port(),
            folder,
        }
    }
}

impl Stack {
    /// One node, SQLite, Redis.
    pub(crate) fn start() -> Self {
        Plan::new().start()
    }

    /// As many nodes as were planned.
    pub(crate) fn start_nodes(&mut self) -> Result<(), DidNotStart> {
        while self.nodes.len() < self.planned_nodes {
            self.add_node()?;
        }
        Ok(())
    }

    /// One node more, on a port of its own. The first one's port is the one in the site's URL.
    pub(crate) fn add_node(&mut self) -> Result<(), DidNotStart> {
        let name = format!("node{}", self.nodes.len());
        let mut tries = 0;
        loop {
            let port = free_port();
            if self.nodes.is_empty() {
                self.site_port = port;
            }
            let config = self.config_text(port);
            match Gateway::start(&name, self.folder.path(), port, &config, &self.environment, self.open_files) {
                Ok(node) => {
                    self.nodes.push(node);
                    return Ok(());
                }
                Err(failure) if failure.log.contains("in use") && tries < 2 => tries += 1,
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Writes the present settings as the file of a node: for its next start, or its next reload.
    pub(crate) fn rewrite_config(&self, node: usize) {
        let node = &self.nodes[node];
        std::fs::write(node.config(), self.config_text(node.port())).unwrap();
    }

    /// The settings as YAML, with `{PORT}` (of the site) and `{NODE_PORT}` filled in.
    fn config_text(&self, port: u16) -> String {
        self.settings.yaml().replace("{PORT}", &self.site_port.to_string()).replace("{NODE_PORT}", &port.to_string())
    }

    /// What every node of this stack is started with.
    pub(crate) fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn node(&mut self) -> &mut Gateway {
        &mut self.nodes[0]
    }

    pub(crate) fn redis(&mut self) -> &mut Redis {
        self.redis.as_mut().expect("a stack with Redis")
    }

    pub(crate) fn evidence(&self) -> &Arc<Evidence> {
        &self.evidence
    }

    /// What the address bar shows at the first site.
    pub(crate) fn site(&self) -> String {
        format!("http://localhost:{}", self.site_port)
    }

    /// Runs the command line with this stack's configuration; `input` is its standard input.
    pub(crate) fn command(&self, args: &[&str], input: &str) -> Output {
        let config = self.folder.path().join("command.yaml");
        std::fs::write(&config, self.config_text(self.site_port)).unwrap();
        let mut command = Command::new(BINARY);
        command.args(args).arg("--config").arg(&config);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command.env_remove("VESTIBULE_FAILPOINT");
        run(command, input)
    }

    /// One SQL statement against the accounts, by the database's own tool.
    pub(crate) fn sql(&self, statement: &str) -> String {
        match self.accounts_url.strip_prefix("sqlite://") {
            None => postgres::ask_database(&self.accounts_url, statement),
            Some(path) => sqlite(Path::new(path), statement),
        }
    }

    pub(crate) fn add_account(&self, name: &str, phone: &str) -> Account {
        let account = Account {
            name: name.to_owned(),
            password: format!("{name}-{:08x}-unlikely", rand::rng().next_u32()),
            phone: phone.to_owned(),
        };
        self.evidence.keep(SecretKind::Password, &account.password);
        self.evidence.keep(SecretKind::PhoneNumber, phone);
        let mut args = vec!["user", "add", name, "--language", "en", "--password-stdin"];
        if !phone.is_empty() {
            args.extend(["--phone", phone]);
        }
        self.command(&args, &format!("{}\n", account.password)).done();
        account
    }

    /// Someone new, with an empty browser, at the first site and node.
    pub(crate) fn person(&self) -> Person {
        Person::new(&self.site(), self.nodes[0].port(), self.evidence.clone())
    }

    /// Someone who has signed in with both factors.
    pub(crate) async fn signed_in(&self, account: &Account) -> Person {
        self.sign_in(self.person(), account).await
    }

    /// The same with a browser that calls itself this.
    pub(crate) async fn signed_in_with(&self, account: &Account, user_agent: &str) -> Person {
        self.sign_in(self.person().with_header("user-agent", user_agent), account).await
    }

    async fn sign_in(&self, person: Person, account: &Account) -> Person {
        let sent = self.vendor.messages_to(&account.phone).len();
        let page = person.give_password("/", account).await;
        let code = self.vendor.wait_for_message(&account.phone, sent + 1).code();
        person.give_code(&page, &code).await.expect(303);
        person
    }

    /// Every place that must not hold a secret, as it is now.
    fn places(&self) -> Vec<(String, Vec<u8>)> {
        let mut places: Vec<(String, Vec<u8>)> =
            self.nodes.iter().enumerate().map(|(number, node)| (format!("log {number}"), node.log().into())).collect();
        if let Some(redis) = self.redis.as_ref().filter(|redis| redis.is_reachable()) {
            places.push(("Redis, as saved".to_owned(), redis.save()));
            for (key, _, value) in redis.contents() {
                places.push((format!("Redis, {key}"), [key.as_bytes(), b"\n", &value].concat()));
            }
        }
        match self.accounts_url.strip_prefix("sqlite://") {
            None => places.push(("PostgreSQL".to_owned(), postgres::dump_database(&self.accounts_url).into())),
            Some(path) => {
                for ending in ["", "-wal"] {
                    let file = format!("{path}{ending}");
                    places.push((file.clone(), std::fs::read(file).unwrap_or_default()));
                }
            }
        }
        for request in self.upstream.requests() {
            places.push((format!("upstream, {}", request.target), [request.raw_head, request.body].concat()));
        }
        places
    }

    /// Secrets that can be read where they must not be.
    pub(crate) fn leaks(&self) -> Vec<Found> {
        for message in self.vendor.messages() {
            if message.has_code() {
                self.evidence.keep(SecretKind::Code, &message.code());
            }
            self.evidence.keep(SecretKind::PhoneNumber, &message.to);
        }
        self.evidence.search(&self.places())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let leaks = self.leaks();
            assert!(leaks.is_empty(), "secrets where they must not be: {leaks:#?}");
        }
    }
}

impl Person {
    /// Asks for a page, is sent to the sign-in page, gives name and password there. The answer is the page after it
    /// (where the code is asked for, when all is well).
    pub(crate) async fn give_password(&self, target: &str, account: &Account) -> Answer {
        let page = self.follow(target).await;
        let form = page.form_with("password");
        let answer =
            self.submit(&form, &page.asked, &[("username", &account.name), ("password", &account.password)]).await;
        self.follow_from(answer).await
    }

    /// Types the code on the page that asks for it; the answer is not followed.
    pub(crate) async fn give_code(&self, page: &Answer, code: &str) -> Answer {
        self.submit(&page.form_with("code"), &page.asked, &[("code", code)]).await
    }
}

/// A file that only its owner may read.
pub(crate) fn secret_file(folder: &Path, name: &str, content: &str) -> PathBuf {
    use std::io::Write;
    let path = folder.join(name);
    let mut file = std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
    writeln!(file, "{content}").unwrap();
    path
}

/// Rows as lines, columns parted by `|`, as psql prints them.
fn sqlite(path: &Path, statement: &str) -> String {
    use sqlx::{Column, ConnectOptions, Row, TypeInfo, ValueRef};
    let options =
        sqlx::sqlite::SqliteConnectOptions::new().filename(path).busy_timeout(std::time::Duration::from_secs(20));
    let statement = statement.to_owned();
    let read = async move {
        let mut connection = options.connect().await.unwrap();
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement)).fetch_all(&mut connection).await.unwrap();
        let cell = |row: &sqlx::sqlite::SqliteRow, column: usize| {
            let raw = row.try_get_raw(column).unwrap();
            if raw.is_null() {
                return String::new();
            }
            match raw.type_info().name() {
                "INTEGER" | "BOOLEAN" => row.get::<i64, _>(column).to_string(),
                "REAL" => row.get::<f64, _>(column).to_string(),
                "BLOB" => format!("\\x{}", hex::encode(row.get::<Vec<u8>, _>(column))),
                _ => row.get::<String, _>(column),
            }
        };
        rows.iter()
            .map(|row| row.columns().iter().map(|column| cell(row, column.ordinal())).collect::<Vec<_>>().join("|"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    // On a thread of the fakes: the test may itself be inside a runtime.
    let (answer, answered) = std::sync::mpsc::channel();
    fakes().spawn(async move { answer.send(read.await) });
    answered.recv().unwrap()
}
