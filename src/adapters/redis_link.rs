//! The connection to Redis: one script at a time, each on one key, with an answer or an error in half a second at most. Repeats only what was
//! certainly not run. While Redis does not answer it is asked once a second, and everybody else has the error at once. Floor: edge.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster_async::ClusterConnection;
use redis::{AsyncConnectionConfig, Cmd, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep, timeout};

use super::redis_address::{CONNECT_TIMEOUT, OPERATION_TIMEOUT, Place, RedisAddress};
use super::redis_breaker::Breaker;
use crate::login::ports::PortError;

/// How long finding a primary or a cluster may take in the background; no operation waits that long. Our own figure.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(3);

/// A connection that was idle for longer is asked whether it still stands before anything is spent over it. Our own figure.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// How long to wait before the one repetition while Redis is loading or electing (security X8).
const PAUSE: Duration = Duration::from_millis(50);

/// A script for one key. `#!lua` is part of it: Redis 7 then refuses it whole when memory is full.
pub(super) struct Script {
    text: &'static str,
    sha1: String,
}

impl Script {
    pub(super) fn new(text: &'static str) -> Self {
        Self { text, sha1: redis::Script::new(text).get_hash().to_owned() }
    }
}

/// Whether running an operation twice comes to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Run again when the connection broke, whether or not it was run.
    Harmless,
    /// It spends something: run again only when it was certainly not run.
    OnlyIfNotRun,
}

/// Why Redis could not tell.
#[derive(Debug, thiserror::Error)]
pub(super) enum RedisTrouble {
    #[error("Redis has not been answering and is left alone for a moment")]
    Resting,
    #[error("Redis did not answer within {} ms", OPERATION_TIMEOUT.as_millis())]
    TimedOut,
    #[error("no connection to Redis")]
    NoConnection(#[source] RedisError),
    #[error("the connection to Redis broke")]
    Broken(#[source] RedisError),
    #[error("Redis refused")]
    Refused(#[source] RedisError),
    #[error("what stands under our key is not ours")]
    Garbage,
}

/// One way to Redis, shared by all adapters.
#[derive(Clone)]
pub struct RedisLink(Arc<Shared>);

struct Shared {
    address: RedisAddress,
    /// Locked while a connection is being made, so that only one is.
    slot: Arc<Mutex<Slot>>,
    breaker: Breaker,
    runtime: Handle,
}

struct Slot {
    connection: Option<Connection>,
    used_at: Instant,
}

#[derive(Clone)]
enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl RedisLink {
    /// Connects to nothing yet: Redis may be down when we start. Connections live on `runtime`.
    #[must_use]
    pub fn new(address: RedisAddress, runtime: Handle) -> Self {
        let slot = Arc::new(Mutex::new(Slot { connection: None, used_at: Instant::now() }));
        Self(Arc::new(Shared { address, slot, breaker: Breaker::default(), runtime }))
    }

    /// Runs a script on one key.
    pub(super) async fn run(
        &self,
        script: &Script,
        key: &str,
        args: &[&[u8]],
        repeat: Repeat,
    ) -> Result<Reply, PortError> {
        let outcome = self.run_or_say_why(script, key, args, repeat).await;
        outcome.map_err(|trouble| PortError::new("redis", trouble))
    }

    async fn run_or_say_why(
        &self,
        script: &Script,
        key: &str,
        args: &[&[u8]],
        repeat: Repeat,
    ) -> Result<Reply, RedisTrouble> {
        if !self.0.breaker.admits(Instant::now()) {
            return Err(RedisTrouble::Resting);
        }
        let outcome = timeout(OPERATION_TIMEOUT, self.run_once_or_twice(script, key, args, repeat)).await;
        let outcome = outcome.unwrap_or(Err(RedisTrouble::TimedOut));
        match &outcome {
            Ok(_) | Err(RedisTrouble::Refused(_) | RedisTrouble::Garbage) => self.0.breaker.answered(),
            Err(RedisTrouble::TimedOut | RedisTrouble::NoConnection(_) | RedisTrouble::Broken(_)) => {
                self.0.breaker.failed(Instant::now());
                self.forget_connection();
            }
            Err(RedisTrouble::Resting) => {}
        }
        outcome
    }

    async fn run_once_or_twice(
        &self,
        script: &Script,
        key: &str,
        args: &[&[u8]],
        repeat: Repeat,
    ) -> Result<Reply, RedisTrouble> {
        let trouble = match self.run_once(script, key, args).await {
            Ok(reply) => return Ok(reply),
            Err(trouble) => trouble,
        };
        match after(&trouble, repeat) {
            Then::GiveUp => return Err(trouble),
            Then::AgainInAMoment => sleep(PAUSE).await,
            Then::AgainElsewhere => self.forget_connection(),
        }
        self.run_once(script, key, args).await
    }

    async fn run_once(&self, script: &Script, key: &str, args: &[&[u8]]) -> Result<Reply, RedisTrouble> {
        let mut connection = self.connection().await.map_err(RedisTrouble::NoConnection)?;
        let call = |command: &str, script: &str| {
            let mut cmd = redis::cmd(command);
            cmd.arg(script).arg(1).arg(key).arg(args);
            cmd
        };
        let mut outcome = connection.ask(&call("EVALSHA", &script.sha1)).await;
        if let Err(error) = &outcome
            && error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
        {
            outcome = connection.ask(&call("EVAL", script.text)).await;
        }
        match outcome {
            Ok(Value::Array(items)) => Ok(Reply(items)),
            Ok(_) => Err(RedisTrouble::Garbage),
            Err(error) if is_lost(&error) => Err(RedisTrouble::Broken(error)),
            Err(error) => Err(RedisTrouble::Refused(error)),
        }
    }

    /// Asks a plain command, within `OPERATION_TIMEOUT` and whatever the breaker says: for the probe.
    pub(super) async fn ask(&self, cmd: &Cmd) -> Result<Value, RedisTrouble> {
        let asked = timeout(DISCOVERY_TIMEOUT, async {
            let mut connection = self.connection().await.map_err(RedisTrouble::NoConnection)?;
            connection.ask(cmd).await.map_err(|error| {
                if is_lost(&error) { RedisTrouble::Broken(error) } else { RedisTrouble::Refused(error) }
            })
        });
        let outcome = asked.await.unwrap_or(Err(RedisTrouble::TimedOut));
        if outcome.is_err() {
            self.forget_connection();
        }
        outcome
    }

    async fn connection(&self) -> RedisResult<Connection> {
        let mut slot = Arc::clone(&self.0.slot).lock_owned().await;
        if let Some(connection) = slot.connection.clone() {
            let is_fresh = slot.used_at.elapsed() < TRUSTED_IDLE;
            if is_fresh || connection.clone().stands().await {
                slot.used_at = Instant::now();
                return Ok(connection);
            }
            slot.connection = None;
        }
        // goes on when the operation that began it has run out of time: the next one finds it done
        let shared = Arc::clone(&self.0);
        let connecting = self.0.runtime.spawn(async move { shared.connect(slot).await });
        connecting.await.unwrap_or_else(|stopped| Err(RedisError::from(std::io::Error::other(stopped))))
    }

    fn forget_connection(&self) {
        // when it is locked, a new one is being made or the old one examined
        if let Ok(mut slot) = self.0.slot.try_lock() {
            slot.connection = None;
        }
    }
}

impl Shared {
    async fn connect(&self, mut slot: OwnedMutexGuard<Slot>) -> RedisResult<Connection> {
        let connected = timeout(DISCOVERY_TIMEOUT, self.discover()).await;
        let connection =
            connected.unwrap_or_else(|_| Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))))?;
        slot.connection = Some(connection.clone());
        slot.used_at = Instant::now();
        Ok(connection)
    }

    async fn discover(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(OPERATION_TIMEOUT));
        match &self.address.0 {
            Place::Server(client) => {
                client.get_multiplexed_async_connection_with_config(&config).await.map(Connection::Server)
            }
            Place::Sentinels(sentinels) => {
                sentinels.client()?.get_async_connection_with_config(&config).await.map(Connection::Server)
            }
            Place::Cluster(client) => client.get_async_connection().await.map(Connection::Cluster),
        }
    }
}

impl Connection {
    async fn ask(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        match self {
            Self::Server(connection) => cmd.query_async(connection).await,
            Self::Cluster(connection) => cmd.query_async(connection).await,
        }
    }

    async fn stands(mut self) -> bool {
        match &self {
            Self::Server(_) => self.ask(&redis::cmd("PING")).await.is_ok(),
            Self::Cluster(_) => true, // looks after its connections itself
        }
    }
}

enum Then {
    GiveUp,
    AgainInAMoment,
    AgainElsewhere,
}

fn after(trouble: &RedisTrouble, repeat: Repeat) -> Then {
    match trouble {
        RedisTrouble::NoConnection(error) if error.kind() == ErrorKind::AuthenticationFailed => Then::GiveUp,
        RedisTrouble::NoConnection(_) => Then::AgainInAMoment,
        RedisTrouble::Broken(error) if error.kind() == ErrorKind::ClusterConnectionNotFound => Then::AgainElsewhere,
        RedisTrouble::Broken(_) => match repeat {
            Repeat::Harmless => Then::AgainElsewhere,
            Repeat::OnlyIfNotRun => Then::GiveUp,
        },
        RedisTrouble::Refused(error) => match error.kind() {
            // a primary that was demoted, a slot that moved: nothing was written there
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::Moved | ServerErrorKind::Ask) => {
                Then::AgainElsewhere
            }
            ErrorKind::Server(
                ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain,
            ) => Then::AgainInAMoment,
            _ => Then::GiveUp,
        },
        RedisTrouble::Resting | RedisTrouble::TimedOut | RedisTrouble::Garbage => Then::GiveUp,
    }
}

/// The answer did not come, whatever became of the question.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_connection_dropped()
        || matches!(error.kind(), ErrorKind::Parse | ErrorKind::ClusterConnectionNotFound)
}

/// What a script gave back: a word, then what belongs to it.
pub(super) struct Reply(Vec<Value>);

impl Reply {
    pub(super) fn word(&self) -> &str {
        match self.0.first() {
            Some(Value::BulkString(bytes)) => std::str::from_utf8(bytes).unwrap_or_default(),
            _ => "",
        }
    }

    /// Bytes at `place`; the word is at 0.
    pub(super) fn bytes(&self, place: usize) -> Result<Vec<u8>, PortError> {
        match self.0.get(place) {
            Some(Value::BulkString(bytes)) => Ok(bytes.clone()),
            _ => Err(garbage()),
        }
    }

    /// A number at `place`, written as one or as text; `None` for nil.
    pub(super) fn optional_number(&self, place: usize) -> Result<Option<i64>, PortError> {
        match self.0.get(place) {
            Some(Value::Nil) => Ok(None),
            Some(Value::Int(number)) => Ok(Some(*number)),
            Some(Value::BulkString(bytes)) => {
                std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).map(Some).ok_or_else(garbage)
            }
            _ => Err(garbage()),
        }
    }

    /// Like `optional_number`, when there has to be one that counts something.
    pub(super) fn count(&self, place: usize) -> Result<u32, PortError> {
        self.optional_number(place)?.and_then(|number| u32::try_from(number).ok()).ok_or_else(garbage)
    }

    /// Milliseconds at `place`.
    pub(super) fn wait(&self, place: usize) -> Result<Duration, PortError> {
        let millis = self.optional_number(place)?.and_then(|number| u64::try_from(number).ok());
        millis.map(Duration::from_millis).ok_or_else(garbage)
    }
}

/// What stands under our key is not ours.
pub(super) fn garbage() -> PortError {
    PortError::new("redis", RedisTrouble::Garbage)
}

/// A duration as an argument: whole milliseconds.
pub(super) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

impl fmt::Debug for RedisLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisLink").field(&self.0.address).finish()
    }
}
