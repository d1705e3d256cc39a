//! The one-time ticket with which a user may give the first number: made by an operator, handed over by another way than the password, and kept
//! only as a keyed hash. No storage, no counting. Floor: ground.

use std::fmt;

use rand::seq::IndexedRandom as _;
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use super::account::AccountId;
use super::keys::{HashPurpose, Keys};

/// 31 characters, 4.95 bits each: without i, l, o, 0 and 1, which are mistaken for one another.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
/// 99 bits. NIST SP 800-63B-4 §4.1.2.2 asks for 40 of a code that is given with an identifier; our own choice, easy to read out in fours.
const LENGTH: usize = 20;

/// A ticket as it is made or typed: twenty letters and digits.
#[derive(Clone)]
pub struct Ticket(Zeroizing<String>);

/// What is kept of a ticket: it tells nothing to whoever has the database, and is good for one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketHash([u8; 32]);

/// Proof that a try at a ticket was counted in SQL, in a committed transaction, with what to compare it to. Only the ledger makes one.
#[derive(Debug)]
pub struct ChargedTicket(TicketHash);

/// Proof that the account's ticket was shown. Only `Ticket::check` makes one, and a sealed record keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketShown(TicketHash);

impl Ticket {
    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        let mut rng = rand::rng();
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        while text.len() < LENGTH {
            text.extend(LETTERS.choose(&mut rng).copied().map(char::from));
        }
        Self(text)
    }

    /// As typed: in any case, with or without blanks and hyphens. `None`: no ticket by its form.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH));
        for letter in typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
            let letter = letter.to_ascii_lowercase();
            if text.len() == LENGTH || !u8::try_from(letter).is_ok_and(|letter| LETTERS.contains(&letter)) {
                return None;
            }
            text.push(letter);
        }
        (text.len() == LENGTH).then_some(Self(text))
    }

    /// To be shown once: five groups of four, such as `k7mp-2xqr-…`.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        let mut shown = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / 4));
        for (place, letter) in self.0.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                shown.push('-');
            }
            shown.push(letter);
        }
        shown
    }

    /// What is kept of it, under the first data key.
    #[must_use]
    pub fn hash(&self, account: &AccountId, keys: &Keys) -> TicketHash {
        TicketHash(keys.hash(HashPurpose::Ticket, &self.bound_to(account)))
    }

    /// Compares in constant time, under every data key. Asks for the proof that the try was paid for. `None`: wrong.
    #[must_use]
    pub fn check(&self, account: &AccountId, keys: &Keys, paid: ChargedTicket) -> Option<TicketShown> {
        let ChargedTicket(stored) = paid;
        let mut is_right = Choice::from(0);
        for hash in keys.hashes(HashPurpose::Ticket, &self.bound_to(account)) {
            is_right |= hash.ct_eq(&stored.0);
        }
        bool::from(is_right).then_some(TicketShown(stored))
    }

    fn bound_to(&self, account: &AccountId) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(account.bytes().to_vec());
        bytes.extend_from_slice(self.0.as_bytes());
        bytes
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ticket(…)")
    }
}

impl TicketHash {
    /// As stored; `None` when it has not 32 bytes.
    #[must_use]
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl ChargedTicket {
    /// A try at the ticket that is kept as `stored` is counted and committed.
    #[must_use]
    pub fn committed(stored: TicketHash) -> Self {
        Self(stored)
    }
}

impl TicketShown {
    /// Which ticket it was: it is used up with the number that is kept.
    #[must_use]
    pub fn ticket(&self) -> &TicketHash {
        &self.0
    }

    /// From a sealed record.
    pub(super) fn from_record(hex_digits: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex_digits, &mut bytes).ok()?;
        Some(Self(TicketHash(bytes)))
    }

    /// For a sealed record.
    pub(super) fn to_record(self) -> String {
        hex::encode(self.0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::SecretBytes;

    fn keys(seeds: &[u8]) -> Keys {
        Keys::new(&seeds.iter().map(|seed| SecretBytes::new(vec![*seed; 32])).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_ticket_is_read_back_however_it_was_copied() {
        let ticket = Ticket::generate();
        let shown = ticket.reveal();
        assert_eq!(shown.len(), 24, "{}", *shown);
        for copied in
            [shown.to_string(), shown.replace('-', ""), shown.to_uppercase(), format!(" {} ", shown.replace('-', " "))]
        {
            assert_eq!(*Ticket::parse(&copied).unwrap().0, *ticket.0, "{copied:?}");
        }
        for wrong in ["", "k7mp", &format!("{}x", *shown), &shown.replacen(char::is_alphanumeric, "0", 1), "äääää"]
        {
            assert!(Ticket::parse(wrong).is_none(), "{wrong:?}");
        }
        assert_eq!(format!("{ticket:?}"), "Ticket(…)");
    }

    #[test]
    fn a_ticket_is_good_for_its_account_alone_and_under_older_keys() {
        let (anna, ben) = (AccountId::from_bytes([1; 16]), AccountId::from_bytes([2; 16]));
        let ticket = Ticket::generate();
        let stored = ticket.hash(&anna, &keys(&[1]));
        let paid = || ChargedTicket::committed(stored);
        assert_eq!(ticket.check(&anna, &keys(&[1]), paid()).map(|shown| *shown.ticket()), Some(stored));
        assert!(ticket.check(&anna, &keys(&[2, 1]), paid()).is_some());
        assert!(ticket.check(&anna, &keys(&[2]), paid()).is_none());
        assert!(ticket.check(&ben, &keys(&[1]), paid()).is_none());
        assert!(Ticket::generate().check(&anna, &keys(&[1]), paid()).is_none());
    }
}
