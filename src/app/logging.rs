//! Where the log goes and what of it: standard error, as JSON lines or text. Libraries below us stay at `info`: at `debug` pingora
//! writes raw request heads (security J4). Floor: roof.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::operation::{Log, LogFormat, LogLevel};

/// pingora tells of each step of starting and stopping at `info`; what it warns of and fails at is worth a line.
const QUIET: &str = "pingora=warn,pingora_core=warn,pingora_proxy=warn,pingora_pool=warn,pingora_load_balancing=warn";
/// Libraries that say too much below `info`.
const NO_LOWER_THAN_INFO: &str = "hyper=info,hyper_util=info,h2=info,reqwest=info,sqlx=info,rustls=info,redis=info";

/// Starts the log. Called once; a second call changes nothing.
pub fn start(log: &Log) {
    let level = match log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
    };
    let libraries = match log.level {
        LogLevel::Error => String::new(),
        LogLevel::Warn => QUIET.to_owned(),
        LogLevel::Info | LogLevel::Debug => format!("{QUIET},{NO_LOWER_THAN_INFO}"),
    };
    let filter = EnvFilter::new(format!("{level},{libraries}"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // an error here means that a log is running already, as in tests
    let _ = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
}
