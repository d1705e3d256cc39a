//! Processes that do not outlive the tests, and a folder that does not either.
//!
//! Every child is started by one thread that lives as long as the test process: the kernel kills a child when the
//! thread that started it ends, and a test's own thread ends early. A watchdog removes the folder when the test
//! process is gone, however it went.

use rustix::process::{Pid, Signal};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};

/// How long the harness waits for something that is expected to happen soon.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running program: killed when dropped, and when the test process dies.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: String,
    ended: Option<ExitStatus>,
}

/// A program to start. Its output goes to a file.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    name: String,
}

impl Program {
    pub(crate) fn new(path: impl AsRef<OsStr>) -> Self {
        Self::killed_with("KILL", None, path)
    }

    /// As another user when the tests run as root (PostgreSQL refuses to run as root); `signal` is what it gets when
    /// the test process dies.
    pub(crate) fn killed_with(signal: &str, user: Option<&str>, path: impl AsRef<OsStr>) -> Self {
        let name = Path::new(path.as_ref())
            .file_name()
            .map_or_else(|| "?".to_owned(), |name| name.to_string_lossy().into_owned());
        let mut command = Command::new("setpriv");
        if let Some(user) = user.filter(|_| running_as_root()) {
            command.args(["--reuid", user, "--regid", user, "--init-groups"]);
        }
        command.args(["--pdeathsig", signal]).arg(path);
        Self { command, name }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<I: IntoIterator<Item: AsRef<OsStr>>>(mut self, args: I) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Starts it with both outputs appended to `log`.
    pub(crate) fn start(mut self, log: &Path) -> Process {
        let file = File::options().create(true).append(true).open(log).unwrap();
        self.command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let name = self.name.clone();
        let child = start_in_nursery(self.command).unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Process { child, name, ended: None }
    }
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// `None` while it runs.
    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().unwrap();
        }
        self.ended
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.exit_status().is_none()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.exit_status() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "{} does not end", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            let _ = rustix::process::kill_process(pid(self.child.id()), signal);
        }
    }

    /// The process and those it started itself.
    pub(crate) fn signal_family(&self, signal: Signal) {
        self.signal(signal);
        for child in children_of(self.child.id()) {
            let _ = rustix::process::kill_process(pid(child), signal);
        }
    }

    /// Freezes it: it holds its connections and answers nothing.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// kill -9, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            self.ended = self.child.wait().ok();
        }
    }

    /// True when it was ended by kill -9 (by us, or by a fail-point).
    pub(crate) fn was_killed(&mut self) -> bool {
        self.exit_status().is_some_and(|status| status.signal() == Some(9))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a program that ran to its end said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Its standard output; panics with all it said when it failed.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "failed\nstdout: {}\nstderr: {}", self.stdout, self.stderr);
        self.stdout
    }
}

/// Runs a program to its end with `input` as standard input.
pub(crate) fn run(mut command: Command, input: &str) -> Output {
    use std::io::Write;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(input.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A new empty folder that is gone when the value is, or when the test process dies.
pub(crate) fn fresh_folder(name: &str) -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(root_folder()).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

/// A port that nobody has, given once, and below those that the kernel gives to whoever asks for any (`ip_local_port_range`, from 32768 on): it is
/// free still while a program that listens there starts again. Another process may take it before it is used: try again then.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    /// Test processes beside each other begin at different places.
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| AtomicU32::new(std::process::id().wrapping_mul(101) % COUNT));
    (0..COUNT)
        .map(|_| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT)
        .filter_map(|port| u16::try_from(port).ok())
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of twenty thousand ports is free")
}

pub(crate) fn running_as_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Finds a program on the path, or in one of `folders`.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(folders.iter().cloned())
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")])
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed: run scripts/prepare test"))
}

/// Ends every process whose command line names `folder`: browsers leave the process group of their driver.
pub(crate) fn kill_those_naming(folder: &Path) {
    let needle = folder.to_string_lossy().into_owned();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let mut line = Vec::new();
        let read = File::open(entry.path().join("cmdline")).and_then(|mut file| file.read_to_end(&mut line));
        if read.is_ok() && id != std::process::id() && String::from_utf8_lossy(&line).contains(&needle) {
            let _ = rustix::process::kill_process(pid(id), Signal::KILL);
        }
    }
}

fn children_of(parent: u32) -> Vec<u32> {
    let stat = |id: u32| fs::read_to_string(format!("/proc/{id}/stat")).ok();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        // pid (name) state parent …; the name may hold anything, so count from its end.
        .filter(|&id| {
            stat(id)
                .and_then(|line| line.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok())
                .is_some_and(|its| its == parent)
        })
        .collect()
}

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).unwrap()).unwrap()
}

/// One folder for the whole test process, in memory where there is room.
fn root_folder() -> &'static Path {
    struct Root {
        path: PathBuf,
        /// Its closing, when this process ends in whatever way, tells the watchdog to clean up.
        _watchdog: Mutex<Child>,
    }
    static ROOT: LazyLock<Root> = LazyLock::new(|| {
        let path = tempfile::Builder::new().prefix("vestibule-test-").tempdir_in(roomy_folder()).unwrap().keep();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o711)).unwrap();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Root { path, _watchdog: Mutex::new(watchdog) }
    });
    &ROOT.path
}

/// Waits for the end of its standard input, ends what still names the folder, removes the folder.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
for process in /proc/[0-9]*; do
    id=${process#/proc/}
    if [ "$id" != $$ ] && tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -qF -- "$1"; then kill -9 "$id"; fi
done
for try in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf -- "$1" && break
    sleep 0.3
done
"#;

fn roomy_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
    if room > 2 << 30 { memory.to_owned() } else { std::env::temp_dir() }
}

type Order = (Command, Sender<std::io::Result<Child>>);

fn start_in_nursery(command: Command) -> std::io::Result<Child> {
    static NURSERY: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
        let (orders, received) = channel::<Order>();
        std::thread::Builder::new()
            .name("nursery".to_owned())
            .spawn(move || {
                for (mut command, answer) in received {
                    let _ = answer.send(command.spawn());
                }
            })
            .unwrap();
        Mutex::new(orders)
    });
    let (answer, answered) = channel();
    NURSERY.lock().unwrap().send((command, answer)).unwrap();
    answered.recv().unwrap()
}

/// Asks again and again until `question` has an answer; panics when it takes longer than anything should.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, mut question: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = question() {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_child_is_killed_with_its_value() {
    let folder = fresh_folder("child");
    let log = folder.path().join("log");
    let child = Program::new("sleep").arg("1000").start(&log);
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    assert!(proc.exists());
    drop(child);
    assert!(!proc.exists());
}
