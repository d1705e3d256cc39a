//! Switching two-factor sign-in on, for everybody and for ever. There is no operation that switches it off. Floor: edge.

use crate::admin::operations::{Act, OperationError, Operations, Reason};
use crate::domain::audit::AuditEvent;
use crate::domain::time::UnixMillis;
use crate::login::directory::{ActivationRecord, Census};

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoFactorStatus {
    /// `None`: a password is enough so far.
    pub activated_at: Option<UnixMillis>,
    pub census: Census,
}

impl Operations {
    /// Whether two-factor sign-in is active, and how ready the accounts are for it.
    ///
    /// # Errors
    /// When the directory could not tell.
    pub async fn two_factor_status(&self, now: UnixMillis) -> Result<TwoFactorStatus, OperationError> {
        let activated_at = self.directory.activated_at().await?;
        Ok(TwoFactorStatus { activated_at, census: self.directory.census(now).await? })
    }

    /// From now on every user needs both factors. Where users give their numbers themselves, enrolment is opened for those without one.
    ///
    /// # Errors
    /// When the directory could not tell: then it may or may not be active; ask again.
    pub async fn activate_two_factor(&self, act: &Act, why: &Reason) -> Result<ActivationRecord, OperationError> {
        let audit = act.record(AuditEvent::TwoFactorActivated, None, Some(why));
        Ok(self.directory.activate(self.window_from(act.now), &audit).await?)
    }
}
