//! A real `redis-server` for one test. Tests only. Floor: edge.

use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::runtime::Handle;

use super::redis_address::RedisAddress;
use super::redis_link::RedisLink;
use super::redis_pending::RedisPendingLogins;
use crate::domain::secret::SecretText;

/// A server of one test, on a socket in a directory of its own; killed on drop.
pub(super) struct Server {
    pub(super) process: Child,
    pub(super) dir: tempfile::TempDir,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(super) fn start_with(settings: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let process = spawn(dir.path(), settings);
        Self { process, dir }.up()
    }

    pub(super) fn up(self) -> Self {
        let begun = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "redis-server does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        self
    }

    pub(super) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// The same socket again, empty.
    pub(super) fn restart(mut self) -> Self {
        self.kill();
        let _ = std::fs::remove_file(self.socket());
        self.process = spawn(self.dir.path(), &[]);
        self.up()
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    pub(super) fn socket(&self) -> std::path::PathBuf {
        self.dir.path().join("r.sock")
    }

    pub(super) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    pub(super) fn link(&self) -> RedisLink {
        link(&self.url())
    }

    pub(super) fn logins(&self) -> RedisPendingLogins {
        RedisPendingLogins::new(self.link())
    }

    /// What an operator would type.
    pub(super) fn cli<T: redis::FromRedisValue>(&self, line: &str) -> redis::RedisResult<T> {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        let mut words = line.split(' ');
        let mut cmd = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            cmd.arg(word);
        });
        cmd.query(&mut connection)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(super) fn spawn(dir: &std::path::Path, settings: &[&str]) -> Child {
    let fixed = [
        "--port",
        "0",
        "--save",
        "",
        "--appendonly",
        "no",
        "--daemonize",
        "no",
        "--dir",
        ".",
        "--unixsocket",
        "r.sock",
    ];
    Command::new("redis-server")
        .args(fixed)
        .args(settings)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

pub(super) fn link(url: &str) -> RedisLink {
    RedisLink::new(RedisAddress::parse(&SecretText::new(url.to_owned())).unwrap(), Handle::current())
}
