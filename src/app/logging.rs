//! Where the log goes and what of it: standard error, as JSON lines or text. Libraries below us stay at `info`: at `debug` pingora
//! writes raw request heads (security J4). Floor: roof.

use std::fmt;
use std::io::IsTerminal as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt as lines};

use crate::config::operation::{Log, LogFormat, LogLevel};
use crate::gateway::connection::UNHEARD;

/// pingora tells of each step of starting and stopping at `info`; what it warns of and fails at is worth a line.
const QUIET: &str = "pingora=warn,pingora_core=warn,pingora_proxy=warn,pingora_pool=warn";
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
    let lines = lines::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_filter(NotTwice).boxed(),
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_filter(NotTwice).boxed(),
    };
    // an error here means that a log is running already, as in tests
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}

/// Leaves out what pingora says of connections that we have closed unheard: a flood of connections must not become one of lines.
struct NotTwice;

impl<S: Subscriber> Filter<S> for NotTwice {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if *event.metadata().level() != tracing::Level::ERROR {
            return true;
        }
        let mut words = Words::default();
        event.record(&mut words);
        !(words.0.starts_with("Downstream handshake error") && words.0.contains(UNHEARD))
    }
}

/// The message of an event.
#[derive(Default)]
struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
