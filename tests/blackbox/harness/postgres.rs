//! A real PostgreSQL: one server for the test process, started when first asked for, and a database of its own for
//! every test. Waits for no disk (`fsync` off): what is killed here is the gateway, not the server.

use super::children::{Process, Program, find_program, free_port, fresh_folder, run, running_as_root, wait_for};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A server with databases in it.
#[derive(Debug)]
pub(crate) struct Postgres {
    process: Process,
    port: u16,
    folder: tempfile::TempDir,
    made: AtomicU32,
}

/// The address of a new, empty database on the server that all tests share.
pub(crate) fn fresh_database() -> String {
    static SHARED: LazyLock<Postgres> = LazyLock::new(Postgres::start);
    SHARED.fresh_database()
}

impl Postgres {
    /// A server of the test's own, to be stopped and started.
    pub(crate) fn start() -> Self {
        let folder = fresh_folder("postgres");
        if running_as_root() {
            run(as_postgres("chown", &["postgres", &folder.path().to_string_lossy()], false), "").done();
        }
        let data = data(&folder);
        let made = run(
            as_postgres(
                &program("initdb").to_string_lossy(),
                &[
                    "-D",
                    &data.to_string_lossy(),
                    "-U",
                    "postgres",
                    "-A",
                    "trust",
                    "-E",
                    "UTF8",
                    "--locale=C",
                    "--no-sync",
                ],
                true,
            ),
            "",
        );
        made.done();
        for _ in 0..5 {
            let port = free_port();
            let mut process = launch(port, &folder);
            if answers(&mut process, port, &folder) {
                return Self { process, port, folder, made: AtomicU32::new(0) };
            }
        }
        panic!("postgres does not start: {}", std::fs::read_to_string(log(&folder)).unwrap());
    }

    pub(crate) fn fresh_database(&self) -> String {
        let name = format!("vestibule_{}", self.made.fetch_add(1, Ordering::Relaxed));
        ask(self.port, "postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    /// Holds its connections and answers nothing (its workers, too).
    pub(crate) fn freeze(&self) {
        self.process.signal_family(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.process.signal_family(Signal::CONT);
    }

    pub(crate) fn kill(&mut self) {
        self.process.signal_family(Signal::KILL);
        self.process.kill();
    }

    pub(crate) fn start_again(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(data(&self.folder).join("postmaster.pid"));
        self.process = launch(self.port, &self.folder);
        assert!(answers(&mut self.process, self.port, &self.folder), "postgres does not come back");
    }
}

/// One statement by psql; what it prints, unaligned, without headings.
pub(crate) fn ask_database(url: &str, statement: &str) -> String {
    let mut command = Command::new(program("psql"));
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]);
    run(command, "").done().trim().to_owned()
}

/// Everything in a database, as text.
pub(crate) fn dump_database(url: &str) -> String {
    let mut command = Command::new(program("pg_dump"));
    command.args(["--dbname", url]);
    run(command, "").done()
}

/// A `PATH` that has the server's own tools first.
pub(crate) fn path_with_tools() -> std::ffi::OsString {
    let folder = program("pg_dump").parent().unwrap().to_owned();
    let present = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&present))).unwrap()
}

fn ask(port: u16, database: &str, statement: &str) -> String {
    ask_database(&format!("postgres://postgres@127.0.0.1:{port}/{database}"), statement)
}

fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    let newest = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    newest.unwrap_or_else(|| find_program(name, &[]))
}

fn as_postgres(program: &str, args: &[&str], change_user: bool) -> Command {
    let mut command = Command::new("setpriv");
    if change_user && running_as_root() {
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]);
    }
    command.arg("--").arg(program).args(args).current_dir("/");
    command
}

fn launch(port: u16, folder: &tempfile::TempDir) -> Process {
    // QUIT: an immediate shutdown that leaves no shared memory behind.
    Program::killed_with("QUIT", Some("postgres"), program("postgres"))
        .arg("-D")
        .arg(data(folder))
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="])
        .args([
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
            "-c",
            "max_connections=400",
            "-c",
            "shared_buffers=32MB",
        ])
        .in_folder(Path::new("/"))
        .start(&log(folder))
}

fn answers(process: &mut Process, port: u16, folder: &tempfile::TempDir) -> bool {
    wait_for("postgres", || {
        if !process.is_running() {
            return Some(false);
        }
        let mut command = Command::new(program("psql"));
        command.args(["-X", "-q", "-A", "-t", "-c", "SHOW data_directory"]);
        command.args(["-d", &format!("postgres://postgres@127.0.0.1:{port}/postgres?connect_timeout=2")]);
        let said = run(command, "");
        (said.code == Some(0)).then(|| said.stdout.trim() == data(folder).to_string_lossy())
    })
}

fn data(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("data")
}

fn log(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("postgres.log")
}

#[test]
fn every_test_has_a_database_of_its_own() {
    let one = fresh_database();
    let other = fresh_database();
    ask_database(&one, "CREATE TABLE marker (n BIGINT)");
    assert_eq!(ask_database(&one, "SELECT count(*) FROM marker"), "0");
    assert_eq!(ask_database(&other, "SELECT count(*) FROM pg_tables WHERE tablename = 'marker'"), "0");
    assert!(dump_database(&one).contains("marker"));
}
