//! `audit`, `shutdown` and `log`: how the process is run. Floor: roof.

use std::time::Duration;

/// The audit log in SQL.
#[derive(Clone, Copy, Debug)]
pub struct Audit {
    /// Older records are deleted.
    pub retention: Duration,
}

/// How the process ends.
#[derive(Clone, Copy, Debug)]
pub struct Shutdown {
    /// How long requests may take to finish.
    pub drain: Duration,
}

/// What the process writes to standard error.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    pub format: LogFormat,
    pub level: LogLevel,
    /// One line a request.
    pub access: bool,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Json,
    Text,
}

/// The least important lines that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}
