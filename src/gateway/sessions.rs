//! What the gateway asks of sessions. Floor: edge.

use crate::domain::session::Session;
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;

/// What a cookie turned out to be.
#[derive(Clone, Debug)]
pub enum SessionCheck {
    Live(Session),
    StepUp(Session),
    None(&'static str),
    CannotTell,
}

pub trait Sessions: Send + Sync {
    fn check(&self, cookie: &str, site: &SiteName, now: UnixMillis) -> SessionCheck;
    fn renewed_cookie(&self, session: &Session, now: UnixMillis) -> Option<String>;
}
