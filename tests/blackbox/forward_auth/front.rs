//! Other people's proxies before the gateway, each with the recipe that `docs/forward-auth.md` gives: only addresses, and what stands
//! around the recipe, are the test's own.

use crate::harness::children::{PATIENCE, Process, Program, find_program, free_port, fresh_folder, wait_for};
use crate::harness::gateway::BINARY;
use crate::harness::person::Person;
use crate::harness::stack::{Account, Plan, Stack};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

const DOCS: &str = include_str!("../../../docs/forward-auth.md");

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Nginx,
    Caddy,
    Traefik,
    Envoy,
}

/// A proxy that asks a gateway about each request and carries it to the stack's upstream.
pub(super) struct Front {
    // Dropped in this order: the proxy before what it stands before.
    process: Process,
    pub(super) stack: Stack,
    pub(super) kind: Kind,
    port: u16,
    folder: tempfile::TempDir,
}

impl Front {
    /// The proxy, its gateway without an upstream, and the application.
    pub(super) fn start(kind: Kind) -> Self {
        Self::start_with(kind, Plan::new)
    }

    pub(super) fn start_with(kind: Kind, plan: impl Fn() -> Plan) -> Self {
        for _ in 0..3 {
            let port = free_port();
            let stack = plan()
                .set("trusted_proxies", json!(["127.0.0.1"]))
                .change(move |settings| {
                    settings.set("sites.0.url", format!("http://localhost:{port}"));
                    settings.set(
                        "sites.0.routes",
                        json!([
                            { "path": "/open/never/*", "access": "deny" },
                            { "path": "/open/*", "access": "public" },
                            { "path": "/hook", "methods": ["POST"], "access": "public" },
                        ]),
                    );
                    settings.remove("sites.0.upstream").remove("upstreams");
                })
                .start();
            let folder = fresh_folder("front");
            let mut process = kind.launch(folder.path(), port, &stack);
            let up = wait_for("the proxy", || {
                if !process.is_running() {
                    return Some(false);
                }
                passes_on(port).then_some(true)
            });
            if up {
                return Self { process, stack, kind, port, folder };
            }
            eprintln!("{kind:?} did not start: {}", log(folder.path()));
        }
        panic!("{kind:?} does not start");
    }

    /// Someone new, with an empty browser.
    pub(super) fn person(&self) -> Person {
        Person::new(&format!("http://localhost:{}", self.port), self.port, self.stack.evidence().clone())
    }

    /// Someone who has signed in through the proxy, and was led to this page.
    pub(super) async fn signed_in(&self, account: &Account, target: &str) -> Person {
        let person = self.person();
        let sent = self.stack.vendor.messages_to(&account.phone).len();
        let page = person.give_password(target, account).await;
        let code = self.stack.vendor.wait_for_message(&account.phone, sent + 1).code();
        let answer = person.give_code(&page, &code).await.expect(303);
        person.follow_from(answer).await.expect(200);
        person
    }

    /// What the gateway logged about questions: method and path, or why they are not known.
    pub(super) fn originals(&self) -> Vec<String> {
        let records = self.stack.nodes[0].records();
        records.iter().filter_map(|record| Some(record["original"].as_str()?.to_owned())).collect()
    }
}

/// Whether a page of the gateway's comes through the proxy.
pub(super) fn passes_on(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let head = format!("GET /.vestibule/live HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n");
    let mut start = [0; 12];
    let asked = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.write_all(head.as_bytes()));
    asked.and_then(|()| stream.read_exact(&mut start)).is_ok() && start.ends_with(b"200")
}

impl Drop for Front {
    fn drop(&mut self) {
        self.process.kill();
        if std::thread::panicking() {
            eprintln!("---- log of {:?}\n{}", self.kind, log(self.folder.path()));
        }
    }
}

fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default()
}

impl Kind {
    fn launch(self, folder: &Path, port: u16, stack: &Stack) -> Process {
        let gateway = ("127.0.0.1:8080", format!("127.0.0.1:{}", stack.nodes[0].port()));
        let application = ("127.0.0.1:3000", stack.upstream.address().to_string());
        match self {
            Self::Nginx => {
                let recipe = recipe(
                    "nginx",
                    &[
                        (gateway.0, &gateway.1),
                        (application.0, &application.1),
                        ("listen 443 ssl;", &format!("listen 127.0.0.1:{port};")),
                        ("ssl_certificate     /etc/nginx/app.example.com.crt;", ""),
                        ("ssl_certificate_key /etc/nginx/app.example.com.key;", ""),
                        ("server_name app.example.com;", "server_name localhost;"),
                    ],
                );
                nginx(folder, &recipe)
            }
            Self::Caddy => {
                let recipe = recipe(
                    "caddyfile",
                    &[
                        (gateway.0, &gateway.1),
                        (application.0, &application.1),
                        ("app.example.com {", &format!("http://localhost:{port} {{\n\tbind 127.0.0.1")),
                    ],
                );
                let file = folder.join("Caddyfile");
                std::fs::write(&file, format!("{{\n\tadmin off\n\tauto_https off\n}}\n{recipe}")).unwrap();
                Program::new(find_program("caddy", &[]))
                    .args(["run", "--adapter", "caddyfile", "--config"])
                    .arg(file)
                    .env("HOME", folder)
                    .env("XDG_DATA_HOME", folder)
                    .env("XDG_CONFIG_HOME", folder)
                    .start(&folder.join("log"))
            }
            Self::Traefik => {
                let recipe = recipe(
                    "yaml traefik",
                    &[
                        (gateway.0, &gateway.1),
                        (application.0, &application.1),
                        ("Host(`app.example.com`)", "Host(`localhost`)"),
                        ("\"__Host-vestibule\"", "\"vestibule\""),
                        ("      tls: {}\n", ""),
                    ],
                );
                let plugin = folder.join("plugins-local/src/example.com/vestibule");
                std::fs::create_dir_all(&plugin).unwrap();
                std::fs::write(plugin.join(".traefik.yml"), self::recipe("yaml traefik-plugin", &[])).unwrap();
                std::fs::write(plugin.join("go.mod"), "module example.com/vestibule\n").unwrap();
                std::fs::write(plugin.join("strip.go"), self::recipe("go", &[])).unwrap();
                let file = folder.join("dynamic.yaml");
                std::fs::write(&file, recipe).unwrap();
                let fixed = self::recipe(
                    "yaml traefik-static",
                    &[("address: \":443\"", &format!("address: \"127.0.0.1:{port}\""))],
                );
                let fixed = format!("{fixed}providers: {{ file: {{ filename: {} }} }}\n", file.display());
                let static_file = folder.join("traefik.yaml");
                std::fs::write(&static_file, format!("{fixed}global: {{ checkNewVersion: false }}\n")).unwrap();
                Program::new(proxies("bin/traefik"))
                    .arg(format!("--configFile={}", static_file.display()))
                    .in_folder(folder)
                    .start(&folder.join("log"))
            }
            Self::Envoy => {
                let host = |address: &str| {
                    let port = address.rsplit(':').next().unwrap();
                    format!("address: 127.0.0.1, port_value: {port} }}")
                };
                let recipe = recipe(
                    "yaml envoy",
                    &[
                        ("address: 127.0.0.1, port_value: 8080 }", &host(&gateway.1)),
                        ("address: 127.0.0.1, port_value: 3000 }", &host(&application.1)),
                        ("address: 0.0.0.0, port_value: 8443 }", &host(&format!(":{port}"))),
                        ("\"app.example.com\"", "\"localhost\", \"localhost:*\""),
                    ],
                );
                let file = folder.join("envoy.yaml");
                std::fs::write(&file, recipe).unwrap();
                Program::new(proxies("bin/envoy"))
                    .arg("-c")
                    .arg(file)
                    .args(["--use-dynamic-base-id", "--concurrency", "1", "--log-level", "info"])
                    .start(&folder.join("log"))
            }
        }
    }
}

/// nginx with these servers and nothing else, without privileges.
pub(super) fn nginx(folder: &Path, servers: &str) -> Process {
    let within = |name: &str| folder.join(name).display().to_string();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("    {name}_temp_path {};\n", within(name)))
        .collect();
    let text = format!(
        "daemon off;\nmaster_process off;\npid {};\nerror_log stderr info;\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}{servers}\n}}\n",
        within("pid")
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, text).unwrap();
    Program::new(find_program("nginx", &[]))
        .args(["-e", "stderr", "-p"])
        .arg(folder)
        .arg("-c")
        .arg(file)
        .start(&folder.join("log"))
}

/// The text between the fences that begin with this word, with addresses replaced. Each has to be there.
fn recipe(language: &str, replacements: &[(&str, &str)]) -> String {
    let fence = format!("```{language}\n");
    let (_, after) = DOCS.split_once(&fence).unwrap_or_else(|| panic!("no {language} in the docs"));
    let (text, _) = after.split_once("\n```").unwrap();
    replacements.iter().fold(format!("{text}\n"), |text, (from, to)| {
        assert!(text.contains(from), "the recipe for {language} has no {from:?}");
        text.replace(from, to)
    })
}

/// A program that `scripts/prepare test` has put under `target/`.
fn proxies(program: &str) -> PathBuf {
    let target = Path::new(BINARY).ancestors().nth(2).expect("the program is in target/debug");
    let path = target.join("third_party/proxies").join(program);
    assert!(path.exists(), "{} is not installed: run scripts/prepare test", path.display());
    path
}
