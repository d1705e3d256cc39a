//! How far the database has come, noted beside it and in Redis: a note that is ahead of the database tells that an older copy was put in its
//! place, in which lost phones, closed windows and ended sessions live again. Then every session ends and enrolment closes for everybody.
//! A note that is missing, unreadable or of another installation only warns: Redis may forget anything. Floor: login.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::chain;
use super::ports::{PortResult, RevocationFeed};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::keys::{Keys, SealPurpose};
use crate::domain::time::UnixMillis;

/// How often it is looked whether a note is still there and not ahead, when nothing changes. Our own figure.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// The form of the notes.
const FORM: &str = "v1";

/// Where a note is kept. It may be lost at any moment, and others may write there.
#[async_trait]
pub trait MarkerPlace: Send + Sync + fmt::Debug {
    /// For the log.
    fn name(&self) -> String;

    /// What stands there for the installation of this id.
    async fn read(&self, installation: &str) -> PortResult<Option<Vec<u8>>>;

    async fn write(&self, installation: &str, marker: &[u8]) -> PortResult<()>;
}

/// The database whose changes are counted: the head of the feed moves with each of them.
#[async_trait]
pub trait MarkedDatabase: RevocationFeed {
    /// Which installation this is; given a random id when it has none yet.
    async fn installation(&self) -> PortResult<Installation>;

    /// Ends every session and pending login, closes enrolment for every account, and moves the head past `marker`, unless the database has come
    /// as far as that. Gives back whether it did.
    async fn end_all_of_older_copy(&self, marker: i64, audit: &AuditRecord) -> PortResult<bool>;
}

/// Which installation a database is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Random, made once: a copy has the same.
    pub id: String,
    /// Made by this very call, so that there can be no note of it.
    pub is_new: bool,
}

/// The notes of one installation.
#[derive(Debug)]
pub struct Markers {
    installation: Installation,
    database: Arc<dyn MarkedDatabase>,
    places: Vec<Noted>,
    keys: ArcSwap<Keys>,
}

#[derive(Debug)]
struct Noted {
    place: Arc<dyn MarkerPlace>,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// The number that was noted last, the key it was sealed with, and when.
    written: Option<(i64, String, UnixMillis)>,
    /// It was said that the place does not answer.
    is_silent: bool,
}

/// What a note says.
#[derive(Debug, PartialEq, Eq)]
enum Marker {
    At(i64),
    OfAnotherInstallation,
    /// Damaged, or sealed with a key that is not in the list any more.
    Unreadable,
}

impl Markers {
    /// `keys`: the data keys. Nobody who can only write to a place can make a note.
    ///
    /// # Errors
    /// The database could not tell.
    pub async fn new(
        database: Arc<dyn MarkedDatabase>,
        places: Vec<Arc<dyn MarkerPlace>>,
        keys: Arc<Keys>,
    ) -> PortResult<Self> {
        let installation = database.installation().await?;
        let places = places.into_iter().map(|place| Noted { place, state: Mutex::default() }).collect();
        Ok(Self { installation, database, places, keys: ArcSwap::new(keys) })
    }

    /// Seals with other keys from here on.
    pub fn replace_keys(&self, keys: Arc<Keys>) {
        self.keys.store(keys);
    }

    /// Compares each note with the database, ends everything when one is ahead, and notes how far the database is. To be called at start, and
    /// after each reading of the feed with the number it has come to.
    ///
    /// # Errors
    /// The database could not tell, and nothing was noted that hides it. A place that does not answer is said once, and asked again.
    pub async fn keep(&self, known: i64, now: UnixMillis) -> PortResult<()> {
        let keys = self.keys.load_full();
        for noted in &self.places {
            if noted.is_up_to_date(known, &keys, now) {
                continue;
            }
            match noted.place.read(&self.installation.id).await {
                Ok(found) => {
                    self.compare(noted, found.as_deref(), &keys, now).await?;
                    let head = self.database.head().await?;
                    let written = noted.place.write(&self.installation.id, &self.marker(head, &keys)).await;
                    noted.settle(written.map(|()| (head, keys.first_key_id(), now)));
                }
                Err(error) => noted.settle(Err(error)),
            }
        }
        Ok(())
    }

    /// Only looks whether a note is ahead, and ends everything then: for commands, which may come before any node. Gives back whether one was.
    ///
    /// # Errors
    /// The database could not tell.
    pub async fn check(&self, now: UnixMillis) -> PortResult<bool> {
        let keys = self.keys.load_full();
        let mut is_older_copy = false;
        for noted in &self.places {
            if let Ok(Some(found)) = noted.place.read(&self.installation.id).await
                && let Marker::At(number) = self.read(&found, &keys)
            {
                is_older_copy |= self.end_all_if_behind(number, &noted.place.name(), now).await?;
            }
        }
        Ok(is_older_copy)
    }

    /// This node has seen change `number`. Ends everything when the database does not have it any more; gives back whether that was so.
    ///
    /// # Errors
    /// The database could not tell.
    pub async fn end_all_if_behind(&self, number: i64, place: &str, now: UnixMillis) -> PortResult<bool> {
        // asked after the note was read: what another node noted meanwhile is in the database
        let head = self.database.head().await?;
        if number <= head {
            return Ok(false);
        }
        let audit = AuditRecord {
            at: now,
            event: AuditEvent::OlderCopyFound,
            account: None,
            actor: "system".to_owned(),
            site: None,
            source: None,
            reason: Some(format!("{place} has change {number}, the database only {head}")),
            request_id: None,
        };
        let ended = self.database.end_all_of_older_copy(number, &audit).await?;
        if ended {
            tracing::error!(
                place,
                marker = number,
                database = head,
                "the accounts database is an older copy than this installation has worked with: every session was ended, and enrolment is closed for \
                 every account. Accounts, numbers and passwords are those of the copy: disable again who was disabled since, check numbers that were \
                 changed since (`vestibule audit list`, the log), and open enrolment where it is needed (`vestibule user open-enrolment`)"
            );
        }
        Ok(ended)
    }

    async fn compare(&self, noted: &Noted, found: Option<&[u8]>, keys: &Keys, now: UnixMillis) -> PortResult<()> {
        let place = noted.place.name();
        let Some(found) = found else {
            if !self.installation.is_new || noted.was_written() {
                tracing::warn!(
                    place,
                    "there is no note of how far the accounts database had come. If the database is a copy that was put back, run `vestibule accounts \
                     restored`; if not, all is well, and it is noted again"
                );
            }
            return Ok(());
        };
        match self.read(found, keys) {
            Marker::At(number) => {
                self.end_all_if_behind(number, &place, now).await?;
            }
            Marker::OfAnotherInstallation => tracing::warn!(
                place,
                "the note of how far the accounts database had come is of another installation. If the database is a copy that was put back, run \
                 `vestibule accounts restored`"
            ),
            Marker::Unreadable => tracing::warn!(
                place,
                "the note of how far the accounts database had come does not open: it was damaged, or its key is not among accounts.encryption_keys any \
                 more. If the database is a copy that was put back, run `vestibule accounts restored`"
            ),
        }
        Ok(())
    }

    fn marker(&self, number: i64, keys: &Keys) -> Vec<u8> {
        let id = &self.installation.id;
        let sealed = keys.seal(SealPurpose::Marker, id.as_bytes(), number.to_string().as_bytes());
        format!("{FORM} {id} {}\n", URL_SAFE_NO_PAD.encode(sealed)).into_bytes()
    }

    fn read(&self, found: &[u8], keys: &Keys) -> Marker {
        let text = String::from_utf8_lossy(found);
        let [form, id, sealed] = text.split_whitespace().collect::<Vec<_>>()[..] else { return Marker::Unreadable };
        if form != FORM {
            return Marker::Unreadable;
        }
        if id != self.installation.id {
            return Marker::OfAnotherInstallation;
        }
        let number = URL_SAFE_NO_PAD
            .decode(sealed)
            .ok()
            .and_then(|sealed| keys.open(SealPurpose::Marker, id.as_bytes(), &sealed))
            .and_then(|plain| std::str::from_utf8(&plain).ok()?.parse().ok());
        number.map_or(Marker::Unreadable, Marker::At)
    }
}

impl Noted {
    fn is_up_to_date(&self, known: i64, keys: &Keys, now: UnixMillis) -> bool {
        let state = self.state();
        let since = state.written.as_ref().filter(|(number, key, _)| *number == known && *key == keys.first_key_id());
        since.is_some_and(|(_, _, at)| now.since(*at) < LOOK_AGAIN)
    }

    fn was_written(&self) -> bool {
        self.state().written.is_some()
    }

    fn settle(&self, outcome: PortResult<(i64, String, UnixMillis)>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(written) => {
                *state = State { written: Some(written), is_silent: false };
            }
            Err(error) if !state.is_silent => {
                state.is_silent = true;
                tracing::warn!(
                    place = self.place.name(),
                    cause = chain(&error),
                    "how far the accounts database has come cannot be noted; it is tried again"
                );
            }
            Err(_) => {}
        }
    }

    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests;
