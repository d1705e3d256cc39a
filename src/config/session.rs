//! `session`: how long a sign-in lasts. Floor: roof.

use std::time::Duration;

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
