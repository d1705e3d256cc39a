//! A real redis-server of the test's own: on a port of its own, keeping nothing on disk unless asked.

use super::children::{Process, Program, find_program, free_port, fresh_folder, wait_for};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Redis {
    process: Process,
    port: u16,
    folder: tempfile::TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let folder = fresh_folder("redis");
        for _ in 0..5 {
            let port = free_port();
            let mut process = launch(port, &folder);
            if answers(&mut process, port) {
                return Self { process, port, folder };
            }
        }
        panic!("redis-server does not start: {}", std::fs::read_to_string(log(&folder)).unwrap());
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub(crate) fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(self.url()).unwrap();
        let connection = client.get_connection_with_timeout(Duration::from_secs(5)).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        connection
    }

    /// False when it was killed or is frozen.
    pub(crate) fn is_reachable(&self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_connection_with_timeout(Duration::from_millis(500)).is_ok()
    }

    /// Forgets everything.
    pub(crate) fn flush(&self) {
        redis::cmd("FLUSHALL").exec(&mut self.connection()).unwrap();
    }

    /// Holds its connections and answers nothing.
    pub(crate) fn freeze(&self) {
        self.process.freeze();
    }

    pub(crate) fn thaw(&self) {
        self.process.thaw();
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// After `kill`: on the same port, with what was last `save`d (nothing, if nothing was).
    pub(crate) fn start_again(&mut self) {
        self.process.kill();
        self.process = launch(self.port, &self.folder);
        assert!(answers(&mut self.process, self.port), "redis-server does not come back");
    }

    /// Keeps the present state; returns the file's bytes.
    pub(crate) fn save(&self) -> Vec<u8> {
        redis::cmd("SAVE").exec(&mut self.connection()).unwrap();
        std::fs::read(self.folder.path().join("dump.rdb")).unwrap()
    }

    /// Becomes what it was when `saved` was made: a replica that took over without the last writes.
    pub(crate) fn go_back_to(&mut self, saved: &[u8]) {
        self.process.kill();
        std::fs::write(self.folder.path().join("dump.rdb"), saved).unwrap();
        self.start_again();
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        redis::cmd("KEYS").arg("*").query(&mut self.connection()).unwrap()
    }

    /// All keys with everything under them, as bytes, each with its remaining life in milliseconds.
    pub(crate) fn contents(&self) -> Vec<(String, i64, Vec<u8>)> {
        let mut connection = self.connection();
        self.keys()
            .into_iter()
            .filter_map(|key| {
                let life: i64 = redis::cmd("PTTL").arg(&key).query(&mut connection).unwrap();
                let kind: String = redis::cmd("TYPE").arg(&key).query(&mut connection).unwrap();
                let read = match kind.as_str() {
                    "string" => vec!["GET", &key],
                    "hash" => vec!["HGETALL", &key],
                    "list" => vec!["LRANGE", &key, "0", "-1"],
                    "set" => vec!["SMEMBERS", &key],
                    "zset" => vec!["ZRANGE", &key, "0", "-1", "WITHSCORES"],
                    _ => return None,
                };
                let mut command = redis::Cmd::new();
                for part in read {
                    command.arg(part);
                }
                let value: redis::Value = command.query(&mut connection).unwrap();
                Some((key, life, flatten(&value)))
            })
            .collect()
    }

    /// How many commands it has carried out, all clients together (this question counts too).
    pub(crate) fn commands_processed(&self) -> u64 {
        let info: String = redis::cmd("INFO").arg("stats").query(&mut self.connection()).unwrap();
        info.lines()
            .find_map(|line| line.strip_prefix("total_commands_processed:"))
            .and_then(|count| count.trim().parse().ok())
            .unwrap()
    }
}

fn flatten(value: &redis::Value) -> Vec<u8> {
    match value {
        redis::Value::BulkString(bytes) => bytes.clone(),
        redis::Value::SimpleString(text) => text.clone().into_bytes(),
        redis::Value::Int(number) => number.to_string().into_bytes(),
        redis::Value::Array(items) | redis::Value::Set(items) => {
            items.iter().flat_map(|item| [flatten(item), b"\n".to_vec()].concat()).collect()
        }
        redis::Value::Map(pairs) => pairs
            .iter()
            .flat_map(|(key, value)| [flatten(key), b"\n".to_vec(), flatten(value), b"\n".to_vec()].concat())
            .collect(),
        other => format!("{other:?}").into_bytes(),
    }
}

fn launch(port: u16, folder: &tempfile::TempDir) -> Process {
    Program::new(find_program("redis-server", &[]))
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--daemonize", "no", "--dbfilename", "dump.rdb", "--rdbcompression", "no"])
        .arg("--dir")
        .arg(folder.path())
        .start(&log(folder))
}

fn log(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("redis.log")
}

/// Waits until it answers to its name; false when it ended instead (the port was taken).
fn answers(process: &mut Process, port: u16) -> bool {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/0")).unwrap();
    wait_for("redis-server", || {
        if !process.is_running() {
            return Some(false);
        }
        let mut connection = client.get_connection_with_timeout(Duration::from_millis(200)).ok()?;
        let info: String = redis::cmd("INFO").arg("server").query(&mut connection).ok()?;
        Some(info.contains(&format!("process_id:{}", process.id())))
    })
}

#[test]
fn a_redis_goes_back_to_what_was_saved() {
    let mut redis = Redis::start();
    redis::cmd("SET").arg("kept").arg("1").exec(&mut redis.connection()).unwrap();
    let saved = redis.save();
    redis::cmd("SET").arg("lost").arg("1").exec(&mut redis.connection()).unwrap();
    assert_eq!(redis.keys().len(), 2);
    redis.go_back_to(&saved);
    assert_eq!(redis.keys(), ["kept"]);
    redis.flush();
    assert!(redis.keys().is_empty());
}
