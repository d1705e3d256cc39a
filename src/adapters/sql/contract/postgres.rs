//! A real PostgreSQL server for the tests: in a directory of its own, on a Unix socket only. One is shared by the tests of a process, each with a
//! fresh database; a test that stops or kills the server has its own. A shell holds the reading end of a pipe: when this process ends, however
//! it ends, the shell stops the server and removes the directory. Floor: edge.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::Connection as _;

/// TERM ends a server that has not yet set up its signals (a shell's background processes ignore QUIT), QUIT one that has, at once.
/// `$1` the programs, `$2` our directory, `$3` whether the data are there already.
const RUN: &str = r#"
    trap '' HUP
    [ "$3" = kept ] || "$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --no-sync >"$2/initdb.log" 2>&1 || exit 1
    "$1/postgres" -D "$2/data" -c listen_addresses= -c unix_socket_directories="$2" -c fsync=off -c max_connections=300 \
        >>"$2/server.log" 2>&1 </dev/null &
    read -r verdict
    kill -TERM $! 2>/dev/null
    kill -QUIT $! 2>/dev/null
    kill -CONT $! 2>/dev/null
    wait $!
    [ "$verdict" = keep ] || rm -rf "$2"
"#;

/// A running server.
pub(super) struct Server {
    directory: PathBuf,
    guard: Child,
    databases: AtomicU32,
}

/// The one that tests share.
pub(super) fn shared() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

impl Server {
    pub(super) fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("vestibule-pg-").tempdir().unwrap().keep();
        // PostgreSQL does not run as root
        let _ = Command::new("chown").arg("postgres").arg(&directory).stderr(Stdio::null()).status();
        let guard = run(&directory, "fresh");
        Self { directory, guard, databases: AtomicU32::new(0) }
    }

    /// The address of a new, empty database.
    pub(super) async fn fresh_database(&self) -> String {
        let name = format!("t{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let mut tries = 0;
        loop {
            let made = async {
                let mut connection = sqlx::PgConnection::connect(&self.url("postgres")).await?;
                sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await
            };
            match made.await {
                Ok(_) => return self.url(&name),
                Err(error) if tries == 600 => panic!("{error}: {}", self.log()),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every process of the server stands still, and goes on.
    pub(super) fn signal_all(&self, signal: &str) {
        let postmaster = fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap();
        let postmaster = postmaster.lines().next().unwrap().to_owned();
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        let status = Command::new("kill").arg(signal).arg(&postmaster).args(children.split_whitespace()).status();
        assert!(status.unwrap().success());
    }

    /// Starts the server again after it was killed, on the data it left.
    pub(super) fn start_again(&mut self) {
        self.end("keep");
        let _ = fs::remove_file(self.directory.join("data/postmaster.pid"));
        self.guard = run(&self.directory, "kept");
    }

    fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.directory.display())
    }

    fn log(&self) -> String {
        ["initdb.log", "server.log"]
            .map(|name| fs::read_to_string(self.directory.join(name)).unwrap_or_default())
            .join("\n")
    }

    fn end(&mut self, verdict: &str) {
        use std::io::Write as _;
        if let Some(mut pipe) = self.guard.stdin.take() {
            let _ = writeln!(pipe, "{verdict}");
        }
        let _ = self.guard.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("remove");
    }
}

fn run(directory: &std::path::Path, data: &str) -> Child {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed (apt: postgresql)");
    let programs = versions.filter_map(Result::ok).map(|entry| entry.path().join("bin")).max().unwrap();
    let is_root = fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    let mut command = if is_root { Command::new("setpriv") } else { Command::new("sh") };
    if is_root {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh"]);
    }
    command.args(["-c", RUN, "sh"]).arg(programs).arg(directory).arg(data).current_dir("/").stdin(Stdio::piped());
    // a group of its own: it has to outlive us to clean up, also when our whole group is ended
    command.process_group(0);
    command.spawn().expect("sh and setpriv are there")
}
