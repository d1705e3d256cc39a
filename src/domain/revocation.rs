//! What has been ended: single sessions, whole accounts, and sessions without a code once two-factor sign-in is active.
//! A value that a node keeps in memory and rebuilds from the feed. Floor: ground.

use std::collections::HashMap;

use super::account::{AccountId, Epoch};
use super::session::{Session, SessionId};
use super::time::UnixMillis;

/// One row of the feed of revocations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRow {
    /// Counts up with each row, in the order of the commits. A number without a row is a change that ended nothing.
    pub number: i64,
    pub at: UnixMillis,
    pub what: Revoked,
}

/// What a row of the feed ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// One session.
    Session(SessionId),
    /// Every session of the account that was opened in an epoch before this one.
    AccountBefore(AccountId, Epoch),
    /// Every session that was opened up to the time of the row, of whatever account: the database is a copy that was put back.
    Everybody,
    /// From now on a session needs a code.
    TwoFactorActivated,
}

/// Everything the feed has said in the last 24 hours, which is the longest a session lives (NIST SP 800-63B-4 §2.2.3).
#[derive(Clone, Debug, Default)]
pub struct RevocationSet {
    sessions: HashMap<SessionId, UnixMillis>,
    accounts: HashMap<AccountId, (Epoch, UnixMillis)>,
    everybody: Option<UnixMillis>,
}

impl RevocationSet {
    /// Takes one row in. Rows may come twice or out of order.
    pub fn apply(&mut self, row: &FeedRow) {
        match &row.what {
            Revoked::Session(id) => {
                self.sessions.insert(*id, row.at);
            }
            Revoked::AccountBefore(id, epoch) => {
                let known = self.accounts.entry(*id).or_insert((*epoch, row.at));
                if known.0 < *epoch {
                    *known = (*epoch, row.at);
                }
            }
            Revoked::Everybody => self.everybody = self.everybody.max(Some(row.at)),
            Revoked::TwoFactorActivated => {}
        }
    }

    /// Forgets rows before `cutoff`: the sessions they ended are over by themselves.
    pub fn forget_before(&mut self, cutoff: UnixMillis) {
        self.sessions.retain(|_, at| *at >= cutoff);
        self.accounts.retain(|_, (_, at)| *at >= cutoff);
        self.everybody = self.everybody.filter(|at| *at >= cutoff);
    }

    /// Whether the feed has ended this session.
    #[must_use]
    pub fn has_ended(&self, session: &Session) -> bool {
        self.sessions.contains_key(&session.id)
            || self.everybody.is_some_and(|at| session.opened_at <= at)
            || self.accounts.get(&session.account).is_some_and(|(floor, _)| session.epoch < *floor)
    }
}
