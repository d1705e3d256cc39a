//! The chain of the audit trail: each record of what operators do and of what changes security carries a number, counted without gaps, a hash
//! over itself and the hash before it, and that hash keyed with a data key. Hashes link without a key, so that a link made with the present key
//! proves what was linked with keys that are gone. Here are the encoding, and the check of a chain that is read back. Floor: ground.

use std::fmt;

use subtle::ConstantTimeEq as _;

use super::audit::{AuditLine, Link};
use super::keys::{HashPurpose, Keys};
use super::time::UnixMillis;

/// Bytes of a hash that are shown: more than anybody hits by trying. Our own figure.
const SHOWN_BYTES: usize = 8;
/// Most faults that are told one by one. Our own figure.
const MOST_FAULTS: usize = 100;

/// Where a chain has got to. Number 0 with an empty hash is its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainHead {
    pub number: i64,
    pub hash: Vec<u8>,
}

/// `17:0123456789abcdef`, as `KnownHead` reads it.
impl fmt::Display for ChainHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, hex::encode(self.hash.get(..SHOWN_BYTES).unwrap_or(&self.hash)))
    }
}

/// A head that the log has told, to be looked for in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHead {
    number: i64,
    hash_start: Vec<u8>,
}

impl KnownHead {
    /// `None` for what is not a number from 1, a colon and 16 to 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, hash) = text.trim().split_once(':')?;
        let number = number.parse().ok().filter(|number| *number >= 1)?;
        let hash_start = hex::decode(hash).ok().filter(|hash| (SHOWN_BYTES..=32).contains(&hash.len()))?;
        Some(Self { number, hash_start })
    }
}

/// Where the chain begins since retention took away what was before: the last link that is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    pub head: ChainHead,
    pub at: UnixMillis,
    pub key_id: String,
    pub seal: Vec<u8>,
}

impl Checkpoint {
    /// Sealed with the first key.
    #[must_use]
    pub fn seal(keys: &Keys, head: ChainHead, at: UnixMillis) -> Self {
        let key_id = keys.first_key_id();
        let seal = keys.hash(HashPurpose::AuditChain, &encoded_checkpoint(&head, at)).to_vec();
        Self { head, at, key_id, seal }
    }

    fn judge(&self, keys: &Keys) -> Proof {
        // the one that a new database has is not sealed: it says that nothing was taken away
        if self.head == ChainHead::default() {
            return Proof::Right;
        }
        prove(keys, &self.key_id, &encoded_checkpoint(&self.head, self.at), &self.seal)
    }
}

/// What a keyed hash says.
enum Proof {
    Right,
    Wrong,
    /// Its key is not among those that are given.
    KeyGone,
}

fn prove(keys: &Keys, key_id: &str, data: &[u8], given: &[u8]) -> Proof {
    match keys.hash_with(key_id, HashPurpose::AuditChain, data) {
        None => Proof::KeyGone,
        Some(expected) if bool::from(expected.ct_eq(given)) => Proof::Right,
        Some(_) => Proof::Wrong,
    }
}

/// The link that makes `line` the next one after `before`, with the first key.
#[must_use]
pub fn link(keys: &Keys, before: &ChainHead, line: &AuditLine) -> Link {
    let number = before.number + 1;
    let hash = hash(&before.hash, number, line);
    let mac = keys.hash(HashPurpose::AuditChain, &encoded_hash(&hash)).to_vec();
    Link { number, hash, key_id: keys.first_key_id(), mac }
}

fn hash(before: &[u8], number: i64, line: &AuditLine) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, &encoded(before, number, line)).as_ref().to_vec()
}

/// Every field with its length ahead of it, and a mark where there is none: no two records have one encoding. The id is not in it, since the
/// database gives it; `ChainCheck` holds ids against numbers.
fn encoded(before: &[u8], number: i64, line: &AuditLine) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    field(&mut out, Some(b"record"));
    field(&mut out, Some(before));
    field(&mut out, Some(&number.to_be_bytes()));
    field(&mut out, Some(&line.at.0.to_be_bytes()));
    field(&mut out, Some(line.event.as_bytes()));
    field(&mut out, line.account.as_deref().map(str::as_bytes));
    field(&mut out, line.user_name.as_deref().map(str::as_bytes));
    field(&mut out, Some(line.actor.as_bytes()));
    field(&mut out, line.site.as_deref().map(str::as_bytes));
    field(&mut out, line.source.as_deref().map(str::as_bytes));
    field(&mut out, line.reason.as_deref().map(str::as_bytes));
    field(&mut out, line.request_id.as_deref().map(str::as_bytes));
    out
}

fn encoded_hash(hash: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    field(&mut out, Some(b"link"));
    field(&mut out, Some(hash));
    out
}

fn encoded_checkpoint(head: &ChainHead, at: UnixMillis) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    field(&mut out, Some(b"checkpoint"));
    field(&mut out, Some(&head.number.to_be_bytes()));
    field(&mut out, Some(&head.hash));
    field(&mut out, Some(&at.0.to_be_bytes()));
    out
}

fn field(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
}

/// What is wrong with a chain. Rows are named by their id in the table `audit`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("row {row} (number {number}) or what was before it has been changed")]
    Changed { row: i64, number: i64 },
    #[error("numbers {first} to {last} are missing, ahead of row {before_row}")]
    Missing { first: i64, last: i64, before_row: i64 },
    #[error("row {row} has number {number}, which another row has, too")]
    Twice { row: i64, number: i64 },
    #[error("row {row} (number {number}) is not in its place: rows were exchanged")]
    OutOfPlace { row: i64, number: i64 },
    #[error(
        "from number {number} on, nothing is linked with a key that is among accounts.encryption_keys (the data key {key_id} is missing)"
    )]
    Unproven { number: i64, key_id: String },
    #[error("row {row} holds something that is never written")]
    Unreadable { row: i64 },
    #[error("row {row} (`{event}`) is no link of the chain: it was written by hand")]
    Outside { row: i64, event: String },
    #[error("the end is cut off: numbers {first} to {last} are missing")]
    EndCutOff { first: i64, last: i64 },
    #[error("the row in `audit_head` has been changed: it says {said}, and the chain ends with {found}")]
    HeadChanged { said: ChainHead, found: ChainHead },
    #[error("the row in `audit_checkpoint` has been changed: it says that the chain begins after number {number}")]
    CheckpointChanged { number: i64 },
    #[error(
        "the chain ends with number {last}, and the log knows of number {known}: its end is cut off, or an older copy was put in place"
    )]
    OlderThanKnown { known: i64, last: i64 },
    #[error("number {number} is not what the log knows: the chain was written anew")]
    NotAsKnown { number: i64 },
}

impl Fault {
    /// The stable name, for programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Changed { .. } => "changed",
            Self::Missing { .. } => "missing",
            Self::Twice { .. } => "twice",
            Self::OutOfPlace { .. } => "out_of_place",
            Self::Unproven { .. } => "unproven",
            Self::Unreadable { .. } => "unreadable",
            Self::Outside { .. } => "outside",
            Self::EndCutOff { .. } => "end_cut_off",
            Self::HeadChanged { .. } => "head_changed",
            Self::CheckpointChanged { .. } => "checkpoint_changed",
            Self::OlderThanKnown { .. } => "older_than_known",
            Self::NotAsKnown { .. } => "not_as_known",
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct ChainReport {
    /// The number of the last record that retention took away; 0: the chain is whole.
    pub begins_after: i64,
    /// When it did, if it did.
    pub tidied_at: Option<UnixMillis>,
    /// How many links were looked at.
    pub links: u64,
    /// The last link.
    pub head: ChainHead,
    /// In the order they were met; the first hundred.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more_faults: u64,
    /// What `KnownHead` came to; `None` when none was given.
    pub known: Option<KnownOutcome>,
}

/// Whether the chain holds what the log knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownOutcome {
    Found,
    /// Retention took it away: it cannot be compared any more.
    TakenAway,
    /// A fault says which way.
    NotFound,
}

impl ChainReport {
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks a chain, line by line, from a checkpoint on.
#[derive(Debug)]
pub struct ChainCheck<'a> {
    keys: &'a Keys,
    known: Option<&'a KnownHead>,
    known_outcome: Option<KnownOutcome>,
    last: ChainHead,
    last_row: i64,
    begins_after: i64,
    tidied_at: Option<UnixMillis>,
    links: u64,
    /// The first link since the last one that a key has proved, with the id of its own.
    unproven: Option<(i64, String)>,
    faults: Vec<Fault>,
    more_faults: u64,
}

impl<'a> ChainCheck<'a> {
    #[must_use]
    pub fn begin(keys: &'a Keys, checkpoint: &Checkpoint, known: Option<&'a KnownHead>) -> Self {
        let number = checkpoint.head.number;
        let mut check = Self {
            keys,
            known,
            known_outcome: known
                .map(|known| if known.number < number { KnownOutcome::TakenAway } else { KnownOutcome::NotFound }),
            last: checkpoint.head.clone(),
            last_row: i64::MIN,
            begins_after: number,
            tidied_at: (number != 0).then_some(checkpoint.at),
            links: 0,
            unproven: None,
            faults: Vec::new(),
            more_faults: 0,
        };
        match checkpoint.judge(keys) {
            Proof::Right => {}
            Proof::Wrong => check.fault(Fault::CheckpointChanged { number }),
            Proof::KeyGone => check.unproven = Some((number, checkpoint.key_id.clone())),
        }
        check.compare_with_known();
        check
    }

    /// The last link that was looked at.
    #[must_use]
    pub fn last(&self) -> &ChainHead {
        &self.last
    }

    /// Whether nothing was found to be wrong so far.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Whether the last link, and so all before it, is proved by a key that we have.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.unproven.is_none()
    }

    /// The next line, by number. One without a link is outside the chain.
    pub fn line(&mut self, line: &AuditLine) {
        let Some(link) = &line.link else {
            self.fault(Fault::Outside { row: line.id, event: line.event.clone() });
            return;
        };
        let (row, number) = (line.id, link.number);
        self.links += 1;
        if number <= self.last.number {
            self.fault(Fault::Twice { row, number });
            return;
        }
        if number > self.last.number + 1 {
            // the hash before it is not known: what follows is held against this one
            self.fault(Fault::Missing { first: self.last.number + 1, last: number - 1, before_row: row });
        } else if hash(&self.last.hash, number, line) != link.hash {
            self.fault(Fault::Changed { row, number });
        }
        match prove(self.keys, &link.key_id, &encoded_hash(&link.hash), &link.mac) {
            Proof::Right => self.unproven = None,
            Proof::Wrong => self.fault_of(row, number),
            Proof::KeyGone => {
                self.unproven.get_or_insert_with(|| (number, link.key_id.clone()));
            }
        }
        if row <= self.last_row {
            self.fault(Fault::OutOfPlace { row, number });
        }
        self.last = ChainHead { number, hash: link.hash.clone() };
        self.last_row = self.last_row.max(row);
        self.compare_with_known();
    }

    /// One row is told once.
    fn fault_of(&mut self, row: i64, number: i64) {
        let fault = Fault::Changed { row, number };
        if self.faults.last() != Some(&fault) {
            self.fault(fault);
        }
    }

    /// Something is wrong that only the reader could see.
    pub fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults += 1;
        }
    }

    /// There are no more lines, and the head's row says this.
    pub fn end(mut self, said: &ChainHead) -> ChainReport {
        if said.number > self.last.number {
            self.fault(Fault::EndCutOff { first: self.last.number + 1, last: said.number });
        } else if *said != self.last {
            self.fault(Fault::HeadChanged { said: said.clone(), found: self.last.clone() });
        }
        if let Some((number, key_id)) = self.unproven.take() {
            self.fault(Fault::Unproven { number, key_id });
        }
        if let (Some(KnownOutcome::NotFound), Some(known)) = (self.known_outcome, self.known)
            && known.number > self.last.number
        {
            self.fault(Fault::OlderThanKnown { known: known.number, last: self.last.number });
        }
        ChainReport {
            begins_after: self.begins_after,
            tidied_at: self.tidied_at,
            links: self.links,
            head: self.last,
            faults: self.faults,
            more_faults: self.more_faults,
            known: self.known_outcome,
        }
    }

    fn compare_with_known(&mut self) {
        let Some(known) = self.known.filter(|known| known.number == self.last.number) else { return };
        if self.last.hash.starts_with(&known.hash_start) {
            self.known_outcome = Some(KnownOutcome::Found);
        } else {
            self.fault(Fault::NotAsKnown { number: known.number });
        }
    }
}

#[cfg(test)]
mod tests;
