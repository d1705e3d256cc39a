//! Asks Redis whether it is set up as we need it: for `check --probe`, the start of `serve`, and now and then afterwards. A Redis that does not
//! answer is no mistake of the operator's; one that answers and would lose our keys is. Changes nothing but a key of its own. Floor: edge.

use redis::{ErrorKind, RedisError, ServerErrorKind, Value};

use super::redis_link::{RedisLink, RedisTrouble};

/// What asking came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisProbe {
    /// Fit for use; the version it says it is.
    Ready { version: String },
    /// No answer: start anyway, sign-in is closed until there is one.
    Unreachable { why: String },
    /// It answers, and its settings are wrong: do not start.
    Wrong(Vec<RedisProblem>),
}

/// A setting that is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisProblem {
    #[error("Redis refuses the user name or the password in state.url")]
    Authentication,
    #[error("Redis is version {0}; 7.0 is the oldest that is supported")]
    TooOld(String),
    #[error("Redis drops keys when its memory is full (maxmemory-policy {0}); set maxmemory-policy noeviction")]
    Evicts(String),
    #[error("this Redis is a replica; name the primary, or use redis+sentinel:")]
    Replica,
    #[error("the Redis user may not do what is needed: {0}")]
    Permission(String),
    #[error("Redis refuses: {0}")]
    Refused(String),
}

const TRIAL: &str = "#!lua
redis.call('HSET', KEYS[1], 'trial', 1)
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('DEL', KEYS[1])
return {'done'}";

impl RedisLink {
    /// Asks for version, eviction and permissions.
    pub async fn probe(&self) -> RedisProbe {
        let mut problems = Vec::new();
        let mut version = String::new();
        match self.facts("server", "redis_version").await {
            Ok(versions) => {
                version = versions.first().cloned().unwrap_or_default();
                problems.extend(versions.into_iter().filter(|version| is_too_old(version)).map(RedisProblem::TooOld));
            }
            Err(trouble) => match problem_of(&trouble) {
                Some(problem) => problems.push(problem),
                None => return unreachable(&trouble),
            },
        }
        if problems.contains(&RedisProblem::Authentication) {
            return RedisProbe::Wrong(problems); // it would say the same to everything
        }
        match self.facts("memory", "maxmemory_policy").await {
            Ok(policies) => {
                problems.extend(policies.into_iter().filter(|policy| policy != "noeviction").map(RedisProblem::Evicts))
            }
            Err(trouble) => match problem_of(&trouble) {
                Some(problem) => problems.push(problem),
                None => return unreachable(&trouble),
            },
        }
        let mut trial = redis::cmd("EVAL");
        trial.arg(TRIAL).arg(1).arg("vestibule:probe:{trial}");
        if let Err(trouble) = self.ask(&trial).await {
            match problem_of(&trouble) {
                Some(problem) => problems.push(problem),
                None => return unreachable(&trouble),
            }
        }
        problems.dedup();
        if problems.is_empty() { RedisProbe::Ready { version } } else { RedisProbe::Wrong(problems) }
    }

    /// The value of one line of `INFO section`, from each node that answered.
    async fn facts(&self, section: &str, name: &str) -> Result<Vec<String>, RedisTrouble> {
        let answer = self.ask(redis::cmd("INFO").arg(section)).await?;
        let mut values: Vec<String> = texts(&answer).iter().filter_map(|text| line(text, name)).collect();
        values.dedup();
        Ok(values)
    }
}

fn texts(answer: &Value) -> Vec<String> {
    match answer {
        Value::Map(nodes) => nodes.iter().flat_map(|(_, text)| texts(text)).collect(),
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(bytes).into_owned()],
        Value::SimpleString(text) => vec![text.clone()],
        Value::VerbatimString { text, .. } => vec![text.clone()],
        _ => Vec::new(),
    }
}

fn line(info: &str, name: &str) -> Option<String> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(|value| value.trim().to_owned())
}

fn is_too_old(version: &str) -> bool {
    version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < 7)
}

/// `None` when it did not answer, or is only busy.
fn problem_of(trouble: &RedisTrouble) -> Option<RedisProblem> {
    let (RedisTrouble::NoConnection(error) | RedisTrouble::Refused(error)) = trouble else { return None };
    if is_passing(error) {
        return None;
    }
    Some(match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => RedisProblem::Authentication,
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) => {
            RedisProblem::Permission(error.detail().unwrap_or("NOPERM").to_owned())
        }
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => RedisProblem::Replica,
        // Redis 7.0 says it in words when it happens inside a script
        _ if error.detail().is_some_and(|words| words.contains("The user executing the script can't")) => {
            RedisProblem::Permission("a command inside a script".to_owned())
        }
        _ => RedisProblem::Refused(error.to_string()),
    })
}

fn is_passing(error: &RedisError) -> bool {
    let is_busy = matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::TryAgain
        )
    );
    let is_elsewhere =
        matches!(error.kind(), ErrorKind::ClusterConnectionNotFound | ErrorKind::MasterNameNotFoundBySentinel);
    // memory full, disk full, replica missing: somebody has to look, but not at the configuration
    let is_stuck = matches!(error.code(), Some("OOM" | "MISCONF" | "NOREPLICAS" | "BUSY"));
    error.is_io_error() || is_busy || is_elsewhere || is_stuck
}

fn unreachable(trouble: &RedisTrouble) -> RedisProbe {
    let source = std::error::Error::source(trouble).map(|source| format!(": {source}")).unwrap_or_default();
    RedisProbe::Unreachable { why: format!("{trouble}{source}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_7_are_too_old() {
        for old in ["6.2.14", "5", "", "x"] {
            assert!(is_too_old(old), "{old}");
        }
        for new in ["7.0.0", "7.2.4", "8.0", "10.1"] {
            assert!(!is_too_old(new), "{new}");
        }
    }

    #[test]
    fn a_line_of_info_is_found_by_its_whole_name() {
        let info = "# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n";
        assert_eq!(line(info, "maxmemory_policy").as_deref(), Some("noeviction"));
        assert_eq!(line(info, "maxmemory").as_deref(), Some("0"));
        assert_eq!(line(info, "policy"), None);
    }
}
