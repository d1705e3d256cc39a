//! `session`: how long a sign-in lasts. Floor: roof.

use std::time::Duration;

use super::node::Node;

/// Ends of a session (NIST SP 800-63B-4 §2.2.3: at most one hour idle, 24 hours in all).
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Without a request for this long. Never longer than `lifetime`.
    pub idle_timeout: Duration,
    /// In all, whatever happens.
    pub lifetime: Duration,
    /// How long signed-in requests go on while it cannot be learnt which sessions were ended.
    pub revocation_grace: Duration,
}

pub(super) fn read(node: &Node<'_>) -> Session {
    let session = Session {
        idle_timeout: node
            .key("idle_timeout", "A session ends when nothing was asked for this long (NIST SP 800-63B-4 §2.2.3: at most an hour).")
            .duration("1m", "1h")
            .or("1h"),
        lifetime: node
            .key("lifetime", "A session ends after this long, whatever happens (NIST SP 800-63B-4 §2.2.3: at most 24 hours).")
            .duration("5m", "24h")
            .or("10h"),
        revocation_grace: node
            .key(
                "revocation_grace",
                "While the accounts database does not answer, nobody can learn which sessions were ended. Signed-in requests go on for this \
                 long, then they get 503 until it answers again. Public routes always go on.",
            )
            .duration("10s", "15m")
            .or("3m"),
    };
    if session.idle_timeout > session.lifetime {
        node.refuse("idle_timeout", &["lifetime"], "it is longer than session.lifetime", "at most the lifetime");
    }
    session
}
