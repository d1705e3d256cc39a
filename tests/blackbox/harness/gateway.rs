//! One node: the real binary with a configuration file, on a port of its own.

use super::children::{Process, Program, wait_for};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The program under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

/// A program of others, below the folder of `scripts/prepare test`.
pub(crate) fn installed(path: &str) -> PathBuf {
    let target = Path::new(BINARY).ancestors().nth(2).expect("the program is in target/debug");
    let installed = target.join("third_party").join(path);
    assert!(installed.exists(), "{} is not installed: run scripts/prepare test", installed.display());
    installed
}

#[derive(Debug)]
pub(crate) struct Gateway {
    process: Process,
    name: String,
    port: u16,
    config: PathBuf,
    log: PathBuf,
    open_files: Option<OpenFiles>,
}

/// What a node may open, from its first moment: the limit in force, and how far it may raise it (`ulimit -S -n`, `ulimit -H -n`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenFiles {
    pub(crate) soft: u64,
    pub(crate) hard: u64,
}

/// Why a node did not come up.
#[derive(Debug)]
pub(crate) struct DidNotStart {
    pub(crate) code: Option<i32>,
    pub(crate) log: String,
}

impl Gateway {
    /// Writes the file, starts the binary and waits until it says that it is ready.
    pub(crate) fn start(
        name: &str,
        folder: &Path,
        port: u16,
        config_text: &str,
        environment: &[(String, String)],
        open_files: Option<OpenFiles>,
    ) -> Result<Self, DidNotStart> {
        let config = folder.join(format!("{name}.yaml"));
        std::fs::write(&config, config_text).unwrap();
        let log = folder.join(format!("{name}.log"));
        let process = launch(&config, &log, environment, open_files);
        let mut gateway = Self { process, name: name.to_owned(), port, config, log, open_files };
        gateway.wait_until_ready()?;
        Ok(gateway)
    }

    fn wait_until_ready(&mut self) -> Result<(), DidNotStart> {
        let port = self.port;
        let process = &mut self.process;
        let up = wait_for(&format!("{} to be ready", self.name), || {
            if !process.is_running() {
                return Some(false);
            }
            (probe(port, "/.vestibule/ready") == Some(200)).then_some(true)
        });
        if up {
            return Ok(());
        }
        let code = self.process.exit_status().and_then(|status| status.code());
        Err(DidNotStart { code, log: self.log() })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn config(&self) -> &Path {
        &self.config
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// All it has logged so far, its earlier lives included.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The log as records; lines that are no JSON (a panic's, say) are left out.
    pub(crate) fn records(&self) -> Vec<serde_json::Value> {
        self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }

    /// With the same file, port and log; `environment` is the new life's own.
    pub(crate) fn start_again(&mut self, environment: &[(String, String)]) {
        self.process.kill();
        self.process = launch(&self.config, &self.log, environment, self.open_files);
        if let Err(failure) = self.wait_until_ready() {
            panic!("{} does not come back: {failure:?}", self.name);
        }
    }

    /// Tells it to read its file again (SIGHUP); does not wait for it to be done.
    pub(crate) fn reload(&self) {
        self.process.signal(rustix::process::Signal::HUP);
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = lines.len().saturating_sub(150);
            eprintln!("---- log of {} ({shown} lines before left out)", self.name);
            for line in &lines[shown..] {
                eprintln!("{line}");
            }
            eprintln!("---- end of the log of {}", self.name);
        }
    }
}

fn launch(config: &Path, log: &Path, environment: &[(String, String)], open_files: Option<OpenFiles>) -> Process {
    let program = match open_files {
        None => Program::new(BINARY),
        Some(OpenFiles { soft, hard }) => {
            Program::new("prlimit").arg(format!("--nofile={soft}:{hard}")).arg("--").arg(BINARY)
        }
    };
    let mut program = program.arg("serve").arg("--config").arg(config).env("RUST_BACKTRACE", "1");
    for (name, value) in environment {
        program = program.env(name, value);
    }
    program.start(log)
}

/// The status of a GET without any library; `None` when nothing answers.
pub(crate) fn probe(port: u16, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: probe.invalid\r\nConnection: close\r\n\r\n").ok()?;
    let mut start = [0; 12];
    stream.read_exact(&mut start).ok()?;
    std::str::from_utf8(start.get(9..)?).ok()?.parse().ok()
}
