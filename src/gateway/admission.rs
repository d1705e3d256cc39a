//! The proof that a request may reach the upstream. It has one maker, and proxying takes it as a parameter.
//! Knows nothing of HTTP. Floor: edge (pure).

use std::sync::Arc;

use super::route_rules::Access;
use crate::domain::session::Session;
use crate::login::sessions::{NoSession, SessionCheck};

/// A request that may reach the upstream. Nothing else makes one, and there is no default.
#[derive(Clone, Debug)]
pub struct Admission(Granted);

#[derive(Clone, Debug)]
enum Granted {
    /// The path needs a session, and there is one with every factor that is required now.
    SignedIn(Arc<Session>),
    /// The operator's rules made the path public; whoever is signed in all the same is known.
    Public(Option<Arc<Session>>),
}

/// Why a request may not reach the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The rules deny it to everybody.
    Denied,
    /// There is no live session of this site.
    SignInRequired(NoSession),
    /// There is a session, but it has to show a code first.
    CodeRequired,
    /// It cannot be told whether the session is still good.
    CannotTell,
}

impl Admission {
    /// The one maker: what the path needs, against what the session turned out to be.
    ///
    /// # Errors
    /// With the reason when the request may not go on.
    pub fn judge(access: Access, check: SessionCheck) -> Result<Self, NotAdmitted> {
        match (access, check) {
            (Access::Deny, _) => Err(NotAdmitted::Denied),
            (Access::Public, SessionCheck::Live(session)) => Ok(Self(Granted::Public(Some(session)))),
            (Access::Public, SessionCheck::StepUp(_) | SessionCheck::None(_) | SessionCheck::CannotTell) => {
                Ok(Self(Granted::Public(None)))
            }
            (Access::SignIn, SessionCheck::Live(session)) => Ok(Self(Granted::SignedIn(session))),
            (Access::SignIn, SessionCheck::StepUp(_)) => Err(NotAdmitted::CodeRequired),
            (Access::SignIn, SessionCheck::None(why)) => Err(NotAdmitted::SignInRequired(why)),
            (Access::SignIn, SessionCheck::CannotTell) => Err(NotAdmitted::CannotTell),
        }
    }

    /// Who is signed in; `None` for a public path asked for without a session.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.shared().map(Arc::as_ref)
    }

    /// The same, for what outlives the admission.
    #[must_use]
    pub fn shared_session(&self) -> Option<Arc<Session>> {
        self.shared().cloned()
    }

    fn shared(&self) -> Option<&Arc<Session>> {
        match &self.0 {
            Granted::SignedIn(session) => Some(session),
            Granted::Public(session) => session.as_ref(),
        }
    }

    /// Whether the answer is for one person only: no cache that others use may keep it.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        match &self.0 {
            Granted::SignedIn(_) => true,
            // the upstream learns who it is, so the answer may be for that person
            Granted::Public(session) => session.is_some(),
        }
    }
}
