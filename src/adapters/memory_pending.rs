//! Pending logins in this process: for one node, and for the demo. Gone with the process, which only means that people sign in again.
//! Floor: edge.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::domain::pending::LoginId;
use crate::domain::time::UnixMillis;
use crate::login::ports::{AttemptTurn, CodeRequest, CodeTurn, PendingLogins, PortResult, StoredLogin};

/// Fewer logins than this are not worth looking through for those that are over. Our own figure.
const SWEEP_FROM: usize = 1024;

/// All pending logins of this process.
#[derive(Default)]
pub struct MemoryPendingLogins {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    logins: HashMap<LoginId, Kept>,
    sweep_at: usize,
}

struct Kept {
    login: StoredLogin,
    code: Option<Vec<u8>>,
    gone_at: Instant,
}

impl MemoryPendingLogins {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // a panic between two assignments below is not possible; if it were, a login would have to start again
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn live(&mut self, id: &LoginId) -> Option<&mut Kept> {
        let now = Instant::now();
        self.logins.get_mut(id).filter(|kept| now < kept.gone_at)
    }

    /// Each login is looked at a constant number of times on average, however many there are.
    fn sweep(&mut self) {
        if self.logins.len() >= self.sweep_at.max(SWEEP_FROM) {
            let now = Instant::now();
            self.logins.retain(|_, kept| now < kept.gone_at);
            self.sweep_at = self.logins.len().saturating_mul(2);
        }
    }
}

impl Kept {
    fn live_code(&self, now: UnixMillis) -> Option<&Vec<u8>> {
        self.code.as_ref().filter(|_| self.login.code_until.is_some_and(|until| now < until))
    }

    fn wait(&self, request: &CodeRequest<'_>) -> Option<Duration> {
        let sends = usize::try_from(self.login.sends).unwrap_or(usize::MAX);
        let nth = sends.checked_sub(1)?;
        let wait = request.waits.get(nth).or_else(|| request.waits.last())?;
        let due = self.login.last_send_at?.plus(*wait);
        (request.now < due).then(|| due.since(request.now))
    }
}

#[async_trait]
impl PendingLogins for MemoryPendingLogins {
    async fn put(&self, id: &LoginId, record: &[u8], ttl: Duration) -> PortResult<()> {
        let login =
            StoredLogin { record: record.to_vec(), code_until: None, attempts: 0, sends: 0, last_send_at: None };
        let mut shelf = self.shelf();
        shelf.sweep();
        shelf.logins.insert(*id, Kept { login, code: None, gone_at: Instant::now() + ttl });
        Ok(())
    }

    async fn peek(&self, id: &LoginId) -> PortResult<Option<StoredLogin>> {
        Ok(self.shelf().live(id).map(|kept| kept.login.clone()))
    }

    async fn replace(&self, id: &LoginId, record: &[u8]) -> PortResult<bool> {
        let mut shelf = self.shelf();
        let Some(kept) = shelf.live(id) else { return Ok(false) };
        kept.login.record = record.to_vec();
        kept.login.code_until = None;
        kept.code = None;
        Ok(true)
    }

    async fn spend_attempt(&self, id: &LoginId, most_attempts: u32, now: UnixMillis) -> PortResult<AttemptTurn> {
        let mut shelf = self.shelf();
        let Some(kept) = shelf.live(id) else { return Ok(AttemptTurn::Gone) };
        if kept.login.attempts >= most_attempts {
            return Ok(AttemptTurn::NoneLeft);
        }
        let Some(code) = kept.live_code(now).cloned() else { return Ok(AttemptTurn::NoCode) };
        kept.login.attempts += 1;
        Ok(AttemptTurn::Granted { record: kept.login.record.clone(), code })
    }

    async fn next_code(&self, id: &LoginId, request: &CodeRequest<'_>) -> PortResult<CodeTurn> {
        let mut shelf = self.shelf();
        let Some(kept) = shelf.live(id) else { return Ok(CodeTurn::Gone) };
        if kept.login.sends >= request.most_sends {
            return Ok(CodeTurn::NoneLeft);
        }
        if let Some(wait) = kept.wait(request) {
            return Ok(CodeTurn::Wait(wait));
        }
        let code = kept.live_code(request.now).cloned().unwrap_or_else(|| request.fresh.to_vec());
        kept.code = Some(code.clone());
        kept.login.code_until = Some(request.code_until);
        kept.login.last_send_at = Some(request.now);
        kept.login.sends += 1;
        Ok(CodeTurn::Send { code, number: kept.login.sends })
    }

    async fn take_back_send(&self, id: &LoginId, number: u32) -> PortResult<()> {
        let mut shelf = self.shelf();
        if let Some(kept) = shelf.live(id).filter(|kept| kept.login.sends == number) {
            kept.login.sends = number.saturating_sub(1);
            kept.login.last_send_at = None;
        }
        Ok(())
    }

    async fn finish(&self, id: &LoginId) -> PortResult<()> {
        self.shelf().logins.remove(id);
        Ok(())
    }
}

impl fmt::Debug for MemoryPendingLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPendingLogins").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::adapters::contract;
    use crate::domain::pending::LoginHandle;

    #[tokio::test]
    async fn memory_keeps_the_contract_of_pending_logins() {
        contract::pending_logins(Arc::new(MemoryPendingLogins::default())).await;
    }

    #[tokio::test(start_paused = true)]
    async fn logins_that_are_over_do_not_pile_up() {
        let store = MemoryPendingLogins::default();
        for _ in 0..20 * SWEEP_FROM {
            store.put(&LoginHandle::random().login_id(), b"r", Duration::from_secs(600)).await.unwrap();
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(store.shelf().logins.len() <= 2 * SWEEP_FROM, "{}", store.shelf().logins.len());
    }
}
