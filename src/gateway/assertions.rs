//! The assertions in use: signed at most once a session and half a lifetime, because a signature costs as much as a proxied request. A table
//! of fixed size, so that ten thousand sessions cost no more than it holds. Nothing here waits: who finds a part of the table taken signs
//! anew. Says nothing about who may ask: a `Session` does. Floor: edge.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::Duration;

use http::HeaderValue;

use crate::domain::assertion;
use crate::domain::keys::Keys;
use crate::domain::session::{Session, SessionId};
use crate::domain::time::UnixMillis;
use crate::web::origin::Origin;

/// How long a signed assertion is sent again: the upstream always gets one with half its life before it.
const SENT_FOR: Duration = Duration::from_secs(assertion::LIFETIME.as_secs() / 2);
/// The table's parts. Two workers meet in one rarely. With `PLACES`: 32,768 sessions that ask within half a minute, and some 25 MiB when full.
/// Our own choice.
const PARTS: usize = 4096;
/// The places in a part. With ten thousand sessions one in a thousand finds its part full, and signs more often.
const PLACES: usize = 8;

/// The assertions in use, of one set of keys: a reload that may bring others starts an empty table.
pub struct Assertions {
    keys: Arc<Keys>,
    parts: Box<[Mutex<Vec<Kept>>]>,
}

struct Kept {
    session: SessionId,
    signed_at: UnixMillis,
    value: HeaderValue,
}

impl Assertions {
    /// An empty table.
    #[must_use]
    pub fn new(keys: Arc<Keys>) -> Self {
        Self::in_parts(PARTS, keys)
    }

    fn in_parts(parts: usize, keys: Arc<Keys>) -> Self {
        Self { keys, parts: (0..parts).map(|_| Mutex::default()).collect() }
    }

    /// The assertion of `session` at its site, which is at `site`: for half a lifetime the same one.
    #[must_use]
    pub fn of(&self, session: &Session, site: &Origin, now: UnixMillis) -> HeaderValue {
        let part = self.part_of(session.id);
        if let Some(kept) = part.and_then(try_lock).and_then(|part| find(&part, session.id, now)) {
            return kept;
        }
        let token = assertion::sign(session, site.as_str(), &self.keys, now);
        let mut value = HeaderValue::try_from(token).expect("base64url and dots are field values");
        value.set_sensitive(true);
        if let Some(mut part) = part.and_then(try_lock) {
            let kept = Kept { session: session.id, signed_at: now, value: value.clone() };
            keep(&mut part, kept, now);
        }
        value
    }

    /// Session ids are random and ours, so that nobody can choose to fill one part.
    fn part_of(&self, session: SessionId) -> Option<&Mutex<Vec<Kept>>> {
        let [first, second, ..] = *session.bytes();
        self.parts.get(usize::from(u16::from_be_bytes([first, second])) % self.parts.len().max(1))
    }
}

impl Kept {
    /// One from the future is not: the clock was set back.
    fn is_sent_at(&self, now: UnixMillis) -> bool {
        self.signed_at <= now && now < self.signed_at.plus(SENT_FOR)
    }
}

fn find(part: &[Kept], session: SessionId, now: UnixMillis) -> Option<HeaderValue> {
    part.iter().find(|kept| kept.session == session && kept.is_sent_at(now)).map(|kept| kept.value.clone())
}

/// In place of what is not sent any more, or else of the oldest.
fn keep(part: &mut Vec<Kept>, new: Kept, now: UnixMillis) {
    part.retain(|kept| kept.session != new.session && kept.is_sent_at(now));
    if part.len() >= PLACES {
        let oldest = part.iter().enumerate().min_by_key(|(_, kept)| kept.signed_at).map(|(at, _)| at);
        oldest.map(|at| part.swap_remove(at));
    }
    part.push(new);
}

/// `None` when somebody else is there at this moment.
fn try_lock(part: &Mutex<Vec<Kept>>) -> Option<MutexGuard<'_, Vec<Kept>>> {
    match part.try_lock() {
        Ok(part) => Some(part),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

impl fmt::Debug for Assertions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assertions").field("keys", &self.keys).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::secret::SecretBytes;
    use crate::gateway::classify::tests::session;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn table() -> Assertions {
        Assertions::new(Arc::new(Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap()))
    }

    fn site() -> Origin {
        Origin::parse("https://app.example.com").unwrap()
    }

    fn held(table: &Assertions) -> usize {
        table.parts.iter().map(|part| part.lock().unwrap().len()).sum()
    }

    #[test]
    fn one_is_signed_once_in_half_a_lifetime() {
        let (table, anna) = (table(), session("anna"));
        let first = table.of(&anna, &site(), NOW);
        assert_eq!(table.of(&anna, &site(), NOW.plus(SENT_FOR - Duration::from_millis(1))), first);
        let second = table.of(&anna, &site(), NOW.plus(SENT_FOR));
        assert_ne!(second, first);
        assert_eq!(table.of(&anna, &site(), NOW.plus(SENT_FOR)), second);
        assert_ne!(table.of(&anna, &site(), NOW), second, "the clock was set back, and that one is not good yet");
        assert_eq!(held(&table), 1);
    }

    #[test]
    fn each_session_gets_its_own() {
        let table = table();
        let sessions: Vec<Session> = (0..2000).map(|_| session("anna")).collect();
        let tokens: HashSet<HeaderValue> = sessions.iter().map(|session| table.of(session, &site(), NOW)).collect();
        assert_eq!(tokens.len(), sessions.len());
        for session in &sessions {
            assert!(tokens.contains(&table.of(session, &site(), NOW)));
        }
    }

    #[test]
    fn a_full_part_gives_up_its_oldest_and_no_part_outgrows_its_places() {
        let table = table();
        let sessions: Vec<Session> = std::iter::repeat_with(|| session("anna"))
            .filter(|session| {
                table.part_of(session.id).is_some_and(|part| std::ptr::eq(part, &raw const table.parts[7]))
            })
            .take(PLACES + 1)
            .collect();
        let at = |second: usize| NOW.plus(Duration::from_secs(second as u64));
        let tokens: Vec<HeaderValue> =
            sessions.iter().enumerate().map(|(second, session)| table.of(session, &site(), at(second))).collect();
        assert_eq!(held(&table), PLACES);
        for (session, token) in sessions.iter().zip(&tokens).skip(1) {
            assert_eq!(table.of(session, &site(), at(PLACES)), token);
        }
        assert_ne!(table.of(&sessions[0], &site(), at(PLACES)), tokens[0]);
        assert_eq!(held(&table), PLACES);
    }

    #[test]
    fn ten_thousand_sessions_take_no_more_than_the_table_has() {
        let table = Assertions::in_parts(16, table().keys);
        for _ in 0..10_000 {
            let _ = table.of(&session("anna"), &site(), NOW);
        }
        assert_eq!(held(&table), 16 * PLACES);
    }

    #[test]
    fn what_is_not_sent_any_more_gives_its_place_up() {
        let table = table();
        for number in 0..3 {
            let anna = Session { id: SessionId::parse(&format!("0007{number:028x}")).unwrap(), ..session("anna") };
            let _ = table.of(&anna, &site(), NOW.plus(SENT_FOR * number));
        }
        assert_eq!(held(&table), 1);
    }

    #[test]
    fn who_finds_the_table_taken_signs_and_does_not_wait() {
        let (table, anna) = (table(), session("anna"));
        let first = table.of(&anna, &site(), NOW);
        let taken = table.part_of(anna.id).unwrap().lock().unwrap();
        assert_ne!(table.of(&anna, &site(), NOW), first);
        drop(taken);
        assert_eq!(table.of(&anna, &site(), NOW), first);
    }
}
