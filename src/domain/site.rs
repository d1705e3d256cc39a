//! The name of a site: one application at one URL, as the operator called it. Floor: ground.

use std::fmt;
use std::sync::Arc;

/// A site's name from the configuration (`marketing`). Cheap to clone. Part of every session: a session of one site is none at another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteName(Arc<str>);

impl SiteName {
    /// Takes the name as the configuration gave it; the configuration checks its form.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
