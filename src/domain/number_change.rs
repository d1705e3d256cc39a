//! Changing one's own phone number: after the password a code on the old number, then the new number, then a code on that. What is stored between
//! two requests is an enum, bound to the session that asks; the way out is a `BothProved` that nothing else makes. Opens no session. Floor: ground.

use zeroize::Zeroizing;

use super::code::{Code, TypedCode};
use super::keys::{Keys, SealPurpose};
use super::pending::{ChargedAttempt, LoginFacts, LoginId, NeedsCode};
use super::phone::PhoneNumber;
use super::record::{RecordReader, RecordWriter};
use super::session::SessionId;

/// A change between two requests, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberChange {
    /// The password was right; a code on the old number is owed.
    OldCode(ProvesOld),
    /// The old number was proved; the new one is to be given.
    NewNumber(OldProved),
    /// A code on the new number is owed.
    NewCode(ProvesNew),
}

/// A change whose password was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvesOld(Change);

/// A change whose old number was proved. Only `ProvesOld::check` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldProved(Change);

/// A change that waits for the code on the new number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvesNew {
    change: Change,
    number: PhoneNumber,
}

/// Proof that password, old and new number were shown. Only `ProvesNew::check` makes one.
#[derive(Debug)]
pub struct BothProved {
    change: Change,
    number: PhoneNumber,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    facts: LoginFacts,
    session: SessionId,
}

impl NumberChange {
    /// Whose change it is, and until when.
    #[must_use]
    pub fn facts(&self) -> &LoginFacts {
        &self.change().facts
    }

    /// The session that asks.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.change().session
    }

    fn change(&self) -> &Change {
        match self {
            Self::OldCode(ProvesOld(change)) | Self::NewNumber(OldProved(change)) => change,
            Self::NewCode(waiting) => &waiting.change,
        }
    }

    /// Sealed for the store and bound to `id`: copied under another id it does not open, and as a pending login neither.
    #[must_use]
    pub fn seal(&self, id: &LoginId, keys: &Keys) -> Vec<u8> {
        let (state, number) = match self {
            Self::OldCode(_) => (1, None),
            Self::NewNumber(_) => (2, None),
            Self::NewCode(waiting) => (3, Some(waiting.number.e164())),
        };
        let Change { facts, session } = self.change();
        let record = RecordWriter::default().byte(state).fixed(session.bytes());
        let plain = facts.written_to(record).optional_text(number).finish();
        keys.seal(SealPurpose::NumberChange, id.bytes(), &plain)
    }

    /// Opens what `seal` made. `None`: not ours, changed, or of another id.
    #[must_use]
    pub fn open(id: &LoginId, sealed: &[u8], keys: &Keys) -> Option<Self> {
        let plain = keys.open(SealPurpose::NumberChange, id.bytes(), sealed)?;
        let mut reader = RecordReader::new(&plain);
        let state = reader.byte()?;
        let session = SessionId::from_bytes(reader.fixed()?);
        let facts = LoginFacts::read(&mut reader)?;
        let number = reader.optional_text()?.map(PhoneNumber::from_stored);
        reader.end()?;
        let change = Change { facts, session };
        match (state, number) {
            (1, None) => Some(Self::OldCode(ProvesOld(change))),
            (2, None) => Some(Self::NewNumber(OldProved(change))),
            (3, Some(Some(number))) => Some(Self::NewCode(ProvesNew { change, number })),
            _ => None,
        }
    }
}

impl ProvesOld {
    /// The password was right, and the account has a number.
    #[must_use]
    pub fn new(facts: LoginFacts, session: SessionId) -> Self {
        Self(Change { facts, session })
    }

    /// Compares in constant time. Asks for the proof that the guess was paid for. `None`: wrong.
    #[must_use]
    pub fn check(self, code: &Code, typed: &TypedCode, _paid: ChargedAttempt) -> Option<OldProved> {
        code.matches(typed).then_some(OldProved(self.0))
    }
}

impl OldProved {
    /// The number that was typed: from here on a code sent there is owed.
    #[must_use]
    pub fn with_number(self, number: PhoneNumber) -> ProvesNew {
        ProvesNew { change: self.0, number }
    }
}

impl ProvesNew {
    /// The number to be proved.
    #[must_use]
    pub fn number(&self) -> &PhoneNumber {
        &self.number
    }

    /// Back to asking for a number.
    #[must_use]
    pub fn forget_number(self) -> OldProved {
        OldProved(self.change)
    }

    /// Compares in constant time. Asks for the proof that the guess was paid for. `None`: wrong.
    #[must_use]
    pub fn check(self, code: &Code, typed: &TypedCode, _paid: ChargedAttempt) -> Option<BothProved> {
        code.matches(typed).then_some(BothProved { change: self.change, number: self.number })
    }
}

impl BothProved {
    /// Whose change it is.
    #[must_use]
    pub fn facts(&self) -> &LoginFacts {
        &self.change.facts
    }

    /// The new number.
    #[must_use]
    pub fn number(&self) -> &PhoneNumber {
        &self.number
    }
}

/// A code that is owed, and for what: it opens for nothing else.
#[derive(Clone, Copy, Debug)]
pub enum OwedCode<'a> {
    SignIn(&'a NeedsCode),
    OldNumber(&'a ProvesOld),
    NewNumber(&'a ProvesNew),
}

impl OwedCode<'_> {
    /// Who owes it, and until when.
    #[must_use]
    pub fn facts(&self) -> &LoginFacts {
        match self {
            Self::SignIn(login) => login.facts(),
            Self::OldNumber(ProvesOld(change)) => &change.facts,
            Self::NewNumber(waiting) => &waiting.change.facts,
        }
    }

    /// The number it goes to; `None`: the account's own.
    #[must_use]
    pub fn candidate(&self) -> Option<&PhoneNumber> {
        match self {
            Self::SignIn(login) => login.candidate(),
            Self::OldNumber(_) => None,
            Self::NewNumber(waiting) => Some(&waiting.number),
        }
    }

    /// Seals a code for the store, bound to what it is for and to the number it is sent to.
    #[must_use]
    pub fn seal_code(&self, id: &LoginId, code: &Code, keys: &Keys) -> Vec<u8> {
        match self {
            Self::SignIn(login) => login.seal_code(id, code, keys),
            Self::OldNumber(_) | Self::NewNumber(_) => {
                keys.seal(SealPurpose::NumberChange, &self.binding(id), code.reveal().as_bytes())
            }
        }
    }

    /// Opens a sealed code. `None`: not ours, changed, or for something else.
    #[must_use]
    pub fn open_code(&self, id: &LoginId, sealed: &[u8], keys: &Keys) -> Option<Code> {
        match self {
            Self::SignIn(login) => login.open_code(id, sealed, keys),
            Self::OldNumber(_) | Self::NewNumber(_) => {
                let plain = keys.open(SealPurpose::NumberChange, &self.binding(id), sealed)?;
                Code::parse(std::str::from_utf8(&plain).ok()?)
            }
        }
    }

    fn binding(&self, id: &LoginId) -> Zeroizing<Vec<u8>> {
        RecordWriter::default()
            .text("code")
            .fixed(id.bytes())
            .number(self.facts().phone_version.0)
            .optional_text(self.candidate().map(PhoneNumber::e164))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::{AccountId, Epoch, PhoneVersion};
    use crate::domain::pending::{LoginHandle, PendingLogin};
    use crate::domain::secret::SecretBytes;
    use crate::domain::site::SiteName;
    use crate::domain::time::UnixMillis;
    use crate::domain::user_name::UserName;

    fn keys() -> Keys {
        Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap()
    }

    fn change() -> ProvesOld {
        let facts = LoginFacts {
            site: SiteName::new("marketing"),
            account: AccountId::from_bytes([7; 16]),
            user_name: UserName::parse("anna").unwrap(),
            epoch: Epoch(3),
            phone_version: PhoneVersion(2),
            password_at: UnixMillis(5),
            ends_at: UnixMillis(600_005),
            return_path: String::new(),
            step_up_of: None,
        };
        ProvesOld::new(facts, SessionId::random())
    }

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::from_stored(text).unwrap()
    }

    #[test]
    fn a_change_comes_back_only_under_its_own_id_and_is_no_sign_in() {
        let (id, other) = (LoginHandle::random().login_id(), LoginHandle::random().login_id());
        let proved = OldProved(change().0);
        for stored in [
            NumberChange::OldCode(change()),
            NumberChange::NewNumber(proved.clone()),
            NumberChange::NewCode(proved.with_number(number("+32470123456"))),
        ] {
            let sealed = stored.seal(&id, &keys());
            assert_eq!(NumberChange::open(&id, &sealed, &keys()).as_ref(), Some(&stored));
            assert!(NumberChange::open(&other, &sealed, &keys()).is_none());
            assert!(PendingLogin::open(&id, &sealed, &keys()).is_none());
        }
        let login = PendingLogin::NeedsCode(NeedsCode::new(change().0.facts)).seal(&id, &keys());
        assert!(NumberChange::open(&id, &login, &keys()).is_none());
    }

    #[test]
    fn a_code_is_good_for_what_it_was_sent_for() {
        let id = LoginHandle::random().login_id();
        let (old, sign_in) = (change(), NeedsCode::new(change().0.facts));
        let first = OldProved(change().0).with_number(number("+32470123456"));
        let second = OldProved(change().0).with_number(number("+32470123457"));
        let owed = [
            OwedCode::SignIn(&sign_in),
            OwedCode::OldNumber(&old),
            OwedCode::NewNumber(&first),
            OwedCode::NewNumber(&second),
        ];
        let code = Code::parse("012345").unwrap();
        for (place, sealing) in owed.iter().enumerate() {
            let sealed = sealing.seal_code(&id, &code, &keys());
            for (other, opening) in owed.iter().enumerate() {
                assert_eq!(opening.open_code(&id, &sealed, &keys()).is_some(), place == other, "{place} {other}");
            }
        }
    }

    #[test]
    fn each_number_is_proved_by_its_code_alone() {
        let code = Code::parse("012345").unwrap();
        let typed = |text| TypedCode::parse(text, 6).unwrap();
        assert!(change().check(&code, &typed("012346"), ChargedAttempt::committed(1)).is_none());
        let proved = change().check(&code, &typed("012345"), ChargedAttempt::committed(1)).unwrap();
        let waiting = proved.with_number(number("+32470123456"));
        assert!(waiting.clone().check(&code, &typed("012346"), ChargedAttempt::committed(1)).is_none());
        let both = waiting.check(&code, &typed("012345"), ChargedAttempt::committed(1)).unwrap();
        assert_eq!(both.number(), &number("+32470123456"));
    }
}
