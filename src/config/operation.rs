//! `audit`, `metrics`, `shutdown` and `log`: how the process is run. Floor: roof.

use std::time::Duration;

use ipnet::IpNet;

use super::node::Node;
use crate::domain::secret::SecretText;

/// The audit log in SQL.
#[derive(Clone, Copy, Debug)]
pub struct Audit {
    /// Older records are deleted.
    pub retention: Duration,
}

/// Who may read what is counted, at the operators' address.
#[derive(Clone, Debug)]
pub struct Metrics {
    pub networks: Vec<IpNet>,
    /// `None`: none is needed.
    pub token: Option<SecretText>,
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

pub(super) fn read_audit(node: &Node<'_>) -> Audit {
    Audit {
        retention: node
            .key("retention", "Records of the audit log are deleted when they are older than this.")
            .duration("30d", "3650d")
            .or("400d"),
    }
}

pub(super) fn read_metrics(node: &Node<'_>) -> Metrics {
    Metrics {
        networks: node
            .key("networks", "Networks that may read them; nobody else. Without a token they have to be asked for by address (http://127.0.0.1:9180/metrics), not by name.")
            .list(0, 1000, |slot| slot.network().required("127.0.0.1"))
            .or("[127.0.0.0/8, \"::1\"]"),
        token: node
            .key("token", "Who reads them shows this as `Authorization: Bearer`, besides being in one of the networks. 16 characters or more.")
            .secret()
            .maybe("{ file: /run/secrets/vestibule-metrics }"),
    }
}

pub(super) fn read_shutdown(node: &Node<'_>) -> Shutdown {
    Shutdown {
        drain: node
            .key("drain", "After a TERM signal no new connection is accepted, and requests that are under way get this long to finish.")
            .duration("0s", "15m")
            .or("30s"),
    }
}

pub(super) fn read_log(node: &Node<'_>) -> Log {
    Log {
        format: node
            .key("format", "How a line looks: `json` for machines, `text` for people.")
            .choice(&[("json", LogFormat::Json), ("text", LogFormat::Text)])
            .or("json"),
        level: node
            .key("level", "The least important lines that are written.")
            .choice(&[
                ("error", LogLevel::Error),
                ("warn", LogLevel::Warn),
                ("info", LogLevel::Info),
                ("debug", LogLevel::Debug),
            ])
            .or("info"),
        access: node.key("access", "Whether there is a line for every request.").flag().or("on"),
    }
}
