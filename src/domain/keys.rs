//! Keys and what is done with them: sealing (AES-256-GCM), keyed hashes (HMAC-SHA256) and signatures (Ed25519), each purpose with a key of
//! its own, derived by HKDF-SHA256 with a label. Reads no files: the configuration brings the root keys. Floor: ground.

use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use ring::{hkdf, hmac};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::secret::SecretBytes;

/// Length of a root key: 32 random bytes (`vestibule key generate`).
pub const ROOT_KEY_LENGTH: usize = 32;
/// A key's name: the first four bytes of a hash of the key itself, so that two nodes cannot call different keys by one name.
pub const KEY_ID_LENGTH: usize = 4;

/// Why a list of root keys cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    #[error("no key is given; at least one is needed")]
    None,
    #[error("key {0} has {1} bytes; it must have {ROOT_KEY_LENGTH} (make one with `vestibule key generate`)")]
    Length(usize, usize),
    #[error("key {0} is in the list twice")]
    Twice(usize),
}

/// What a sealed thing is for. Each purpose has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealPurpose {
    /// Session cookies (signing keys).
    Session,
    /// Records and codes of pending logins (signing keys).
    PendingLogin,
    /// Records and codes of a change of number (signing keys).
    NumberChange,
    /// Phone numbers and e-mail addresses at rest (data keys).
    PersonalData,
    /// How far the database was, noted beside it (data keys).
    Marker,
}

/// What a keyed hash is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashPurpose {
    /// Form tokens (signing keys).
    Form,
    /// Finding a phone number without reading it (data keys).
    PhoneLookup,
    /// Counting for user names that do not exist, and for number prefixes (data keys).
    Counter,
    /// Telling the ticket of an enrolment (data keys).
    Ticket,
    /// The links of the audit chain (data keys).
    AuditChain,
}

/// A list of root keys with the keys derived from them. The first seals and hashes; all open and verify.
pub struct Keys {
    keys: Vec<Derived>,
}

struct Derived {
    id: [u8; KEY_ID_LENGTH],
    session: LessSafeKey,
    pending: LessSafeKey,
    number_change: LessSafeKey,
    personal: LessSafeKey,
    marker: LessSafeKey,
    form: hmac::Key,
    phone: hmac::Key,
    counter: hmac::Key,
    ticket: hmac::Key,
    audit_chain: hmac::Key,
    assertion: Ed25519KeyPair,
}

impl Keys {
    /// Derives every purpose's key from each root.
    ///
    /// # Errors
    /// No key, a key of the wrong length, or one given twice.
    pub fn new(roots: &[SecretBytes]) -> Result<Self, KeyProblem> {
        if roots.is_empty() {
            return Err(KeyProblem::None);
        }
        let mut ids = HashSet::new();
        let mut keys = Vec::with_capacity(roots.len());
        for (index, root) in roots.iter().enumerate() {
            let root = root.reveal();
            if root.len() != ROOT_KEY_LENGTH {
                return Err(KeyProblem::Length(index + 1, root.len()));
            }
            let derived = Derived::from_root(root);
            if !ids.insert(derived.id) {
                return Err(KeyProblem::Twice(index + 1));
            }
            keys.push(derived);
        }
        Ok(Self { keys })
    }

    /// Seals `plain` with the first key. `bound_to` is not stored, but has to be the same when it is opened.
    #[must_use]
    pub fn seal(&self, purpose: SealPurpose, bound_to: &[u8], plain: &[u8]) -> Vec<u8> {
        let key = self.first();
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = Vec::with_capacity(KEY_ID_LENGTH + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&key.id);
        sealed.extend_from_slice(&nonce);
        let mut body = Zeroizing::new(plain.to_vec());
        let tag = key
            .aead(purpose)
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to), &mut body)
            .expect("AES-256-GCM seals anything shorter than 64 GiB");
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what `seal` made under any key of the list. `None`: unknown key, changed, or bound to something else.
    #[must_use]
    pub fn open(&self, purpose: SealPurpose, bound_to: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (id, rest) = sealed.split_at_checked(KEY_ID_LENGTH)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
        let key = self.by_id(id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = key.aead(purpose).open_in_place(nonce, Aad::from(bound_to), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    /// The name of the key that sealed this, in hexadecimal; `None` when it is too short to name one.
    #[must_use]
    pub fn key_id_of(sealed: &[u8]) -> Option<String> {
        Some(hex::encode(sealed.get(..KEY_ID_LENGTH)?))
    }

    /// The name of the first key, in hexadecimal.
    #[must_use]
    pub fn first_key_id(&self) -> String {
        hex::encode(self.first().id)
    }

    /// The name of the first key, as what it seals begins.
    #[must_use]
    pub fn first_key_id_bytes(&self) -> [u8; KEY_ID_LENGTH] {
        self.first().id
    }

    /// The names of all keys, in hexadecimal.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.keys.iter().map(|key| hex::encode(key.id)).collect()
    }

    /// HMAC-SHA256 of `data` under the first key.
    #[must_use]
    pub fn hash(&self, purpose: HashPurpose, data: &[u8]) -> [u8; 32] {
        self.first().hash(purpose, data)
    }

    /// The same under every key, the first key's first: what rows of older keys are found by.
    #[must_use]
    pub fn hashes(&self, purpose: HashPurpose, data: &[u8]) -> Vec<[u8; 32]> {
        self.keys.iter().map(|key| key.hash(purpose, data)).collect()
    }

    /// The same under the key of this name, in hexadecimal; `None` when it is not in the list.
    #[must_use]
    pub fn hash_with(&self, key_id: &str, purpose: HashPurpose, data: &[u8]) -> Option<[u8; 32]> {
        Some(self.by_id(&hex::decode(key_id).ok()?)?.hash(purpose, data))
    }

    /// The token a form carries, bound to the login cookie before sign-in and to the session after.
    #[must_use]
    pub fn form_token(&self, bound_to: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(self.hash(HashPurpose::Form, bound_to))
    }

    /// Whether `token` is the form token for `bound_to` under any key. In constant time.
    #[must_use]
    pub fn form_token_matches(&self, bound_to: &[u8], token: &str) -> bool {
        let Ok(given) = URL_SAFE_NO_PAD.decode(token) else {
            return false;
        };
        self.keys.iter().any(|key| key.hash(HashPurpose::Form, bound_to).ct_eq(&given).into())
    }

    /// The Ed25519 signature of an assertion under the first key: 64 bytes. Costs about 50 µs.
    #[must_use]
    pub fn sign_assertion(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        self.first().assertion.sign(message)
    }

    /// What assertions are verified with: the name of every key, in hexadecimal, and its public half (32 bytes), the signing one first.
    pub fn assertion_verifiers(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.keys.iter().map(|key| (hex::encode(key.id), key.assertion.public_key().as_ref()))
    }

    fn first(&self) -> &Derived {
        self.keys.first().expect("new() refuses an empty list")
    }

    fn by_id(&self, id: &[u8]) -> Option<&Derived> {
        self.keys.iter().find(|key| key.id == id)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| hex::encode(key.id))).finish()
    }
}

impl Derived {
    fn from_root(root: &[u8]) -> Self {
        let derive = |label: &str| derive(root, label);
        let aead = |label: &str| {
            LessSafeKey::new(
                UnboundKey::new(&AES_256_GCM, derive(label).as_slice())
                    .expect("the derived key has the cipher's length"),
            )
        };
        let whole_id = derive("vestibule/key-id/v1");
        let mut id = [0; KEY_ID_LENGTH];
        id.iter_mut().zip(whole_id.iter()).for_each(|(short, whole)| *short = *whole);
        let mac = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, derive(label).as_slice());
        Self {
            id,
            session: aead("vestibule/session/v1"),
            pending: aead("vestibule/pending-login/v1"),
            number_change: aead("vestibule/number-change/v1"),
            personal: aead("vestibule/personal-data/v1"),
            marker: aead("vestibule/marker/v1"),
            form: mac("vestibule/form/v1"),
            phone: mac("vestibule/phone-lookup/v1"),
            counter: mac("vestibule/counter/v1"),
            ticket: mac("vestibule/enrolment-ticket/v1"),
            audit_chain: mac("vestibule/audit-chain/v1"),
            assertion: Ed25519KeyPair::from_seed_unchecked(derive("vestibule/assertion/v1").as_slice())
                .expect("the derived key has the length of a seed"),
        }
    }

    fn aead(&self, purpose: SealPurpose) -> &LessSafeKey {
        match purpose {
            SealPurpose::Session => &self.session,
            SealPurpose::PendingLogin => &self.pending,
            SealPurpose::NumberChange => &self.number_change,
            SealPurpose::PersonalData => &self.personal,
            SealPurpose::Marker => &self.marker,
        }
    }

    fn hash(&self, purpose: HashPurpose, data: &[u8]) -> [u8; 32] {
        let key = match purpose {
            HashPurpose::Form => &self.form,
            HashPurpose::PhoneLookup => &self.phone,
            HashPurpose::Counter => &self.counter,
            HashPurpose::Ticket => &self.ticket,
            HashPurpose::AuditChain => &self.audit_chain,
        };
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(key, data).as_ref());
        out
    }
}

fn derive(root: &[u8], label: &str) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(root)
        .expand(&[label.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut_slice()))
        .expect("HKDF gives up to 255 × 32 bytes");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seeds: &[u8]) -> Keys {
        Keys::new(&seeds.iter().map(|seed| SecretBytes::new(vec![*seed; 32])).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_only_whole_and_for_its_purpose_and_binding() {
        let keys = keys(&[1]);
        let sealed = keys.seal(SealPurpose::Session, b"head", b"payload");
        assert_eq!(keys.open(SealPurpose::Session, b"head", &sealed).unwrap().as_slice(), b"payload");
        assert!(keys.open(SealPurpose::PendingLogin, b"head", &sealed).is_none());
        assert!(keys.open(SealPurpose::Session, b"other", &sealed).is_none());
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(keys.open(SealPurpose::Session, b"head", &changed).is_none(), "byte {position}");
            assert!(keys.open(SealPurpose::Session, b"head", &sealed[..position]).is_none(), "cut at {position}");
        }
    }

    #[test]
    fn a_second_key_opens_and_the_first_seals() {
        let old = keys(&[1]);
        let both = keys(&[2, 1]);
        let sealed = old.seal(SealPurpose::Session, b"", b"x");
        assert!(both.open(SealPurpose::Session, b"", &sealed).is_some());
        assert!(old.open(SealPurpose::Session, b"", &both.seal(SealPurpose::Session, b"", b"x")).is_none());
        assert!(both.form_token_matches(b"h", &old.form_token(b"h")));
        assert!(!old.form_token_matches(b"h", &both.form_token(b"h")));
        assert!(!both.form_token_matches(b"i", &old.form_token(b"h")));
    }

    #[test]
    fn short_missing_and_doubled_keys_are_refused() {
        let key = || SecretBytes::new(vec![7; 32]);
        assert_eq!(Keys::new(&[]).err(), Some(KeyProblem::None));
        assert_eq!(Keys::new(&[SecretBytes::new(vec![7; 31])]).err(), Some(KeyProblem::Length(1, 31)));
        assert_eq!(Keys::new(&[key(), key()]).err(), Some(KeyProblem::Twice(2)));
    }

    #[test]
    fn purposes_do_not_share_a_key() {
        let keys = keys(&[1]);
        assert_ne!(keys.hash(HashPurpose::Form, b"x"), keys.hash(HashPurpose::Counter, b"x"));
        assert_ne!(keys.hash(HashPurpose::PhoneLookup, b"x"), keys.hash(HashPurpose::Counter, b"x"));
    }
}
