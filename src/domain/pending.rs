//! A login whose password was right: the phone number or the code is still owed. What is stored between two requests is an enum;
//! each state's methods exist only there, and the way out is a `VerifiedLogin` that nothing else makes. Floor: ground.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::account::{AccountId, Epoch, PhoneVersion};
use super::code::{Code, TypedCode};
use super::keys::{Keys, SealPurpose};
use super::phone::PhoneNumber;
use super::record::{RecordReader, RecordWriter};
use super::session::SessionId;
use super::site::SiteName;
use super::ticket::TicketShown;
use super::time::UnixMillis;
use super::user_name::UserName;

/// What the login cookie holds: 32 random bytes. Before the password it only binds forms; after it, it names the pending login.
#[derive(Clone)]
pub struct LoginHandle(Zeroizing<[u8; 32]>);

impl LoginHandle {
    /// A new, random one.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(rand::random()))
    }

    /// From a cookie's value; `None` when it is not one of ours by its form.
    #[must_use]
    pub fn from_cookie(value: &str) -> Option<Self> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(value).ok()?);
        Some(Self(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?)))
    }

    /// The cookie's value.
    #[must_use]
    pub fn to_cookie(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_slice())
    }

    /// The name under which the stores know this login.
    #[must_use]
    pub fn login_id(&self) -> LoginId {
        let digest = ring::digest::digest(&ring::digest::SHA256, self.0.as_slice());
        let mut id = [0; 32];
        id.copy_from_slice(digest.as_ref());
        LoginId(id)
    }

    /// What forms are bound to (`Keys::form_token`).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl fmt::Debug for LoginHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginHandle(…)")
    }
}

/// SHA-256 of the handle: what Redis and SQL know a login by. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LoginId([u8; 32]);

impl LoginId {
    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LoginId({self})")
    }
}

/// What a login is about, from the moment the password was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginFacts {
    pub site: SiteName,
    pub account: AccountId,
    pub user_name: UserName,
    /// Every later step refuses when the account's has moved on.
    pub epoch: Epoch,
    /// Likewise.
    pub phone_version: PhoneVersion,
    pub password_at: UnixMillis,
    /// The login is over then, whatever the store's TTL says.
    pub ends_at: UnixMillis,
    /// Where the browser goes afterwards: a path on the site's host, checked when it came in.
    pub return_path: String,
    /// The session without a code that this login replaces, when it is one.
    pub step_up_of: Option<SessionId>,
}

impl LoginFacts {
    /// Adds them to a record.
    pub(super) fn written_to(&self, record: RecordWriter) -> RecordWriter {
        record
            .fixed(self.account.bytes())
            .number(self.epoch.0)
            .number(self.phone_version.0)
            .number(self.password_at.0)
            .number(self.ends_at.0)
            .text(self.site.as_str())
            .text(self.user_name.as_str())
            .text(&self.return_path)
            .optional_text(self.step_up_of.map(|id| id.to_string()).as_deref())
    }

    /// Takes them off a record. `None`: they are not there.
    pub(super) fn read(reader: &mut RecordReader<'_>) -> Option<Self> {
        Some(Self {
            account: AccountId::from_bytes(reader.fixed()?),
            epoch: Epoch(reader.number()?),
            phone_version: PhoneVersion(reader.number()?),
            password_at: UnixMillis(reader.number()?),
            ends_at: UnixMillis(reader.number()?),
            site: SiteName::new(reader.text()?),
            user_name: UserName::parse(reader.text()?).ok()?,
            return_path: reader.text()?.to_owned(),
            step_up_of: match reader.optional_text()? {
                Some(text) => Some(SessionId::parse(text)?),
                None => None,
            },
        })
    }
}

/// A login between password and session, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingLogin {
    /// The account has no number and may enrol one.
    NeedsPhone(NeedsPhone),
    /// A code is owed.
    NeedsCode(NeedsCode),
    /// Every factor was shown, with a one-time password: another one is owed.
    NeedsNewPassword(NeedsNewPassword),
}

impl PendingLogin {
    /// What the login is about.
    #[must_use]
    pub fn facts(&self) -> &LoginFacts {
        match self {
            Self::NeedsPhone(login) => &login.facts,
            Self::NeedsCode(login) => &login.facts,
            Self::NeedsNewPassword(login) => &login.facts,
        }
    }

    /// Sealed for the store and bound to `id`: copied under another id it does not open.
    #[must_use]
    pub fn seal(&self, id: &LoginId, keys: &Keys) -> Vec<u8> {
        let (state, candidate) = match self {
            Self::NeedsPhone(_) => (1, None),
            Self::NeedsCode(login) => (2, login.candidate.as_ref()),
            Self::NeedsNewPassword(login) => match &login.shown {
                Shown::PasswordAndCode { new_phone } => (3, new_phone.as_ref()),
                Shown::Password => (4, None),
            },
        };
        let plain = self
            .facts()
            .written_to(RecordWriter::default().byte(state))
            .optional_text(candidate.map(|candidate| candidate.number.e164()))
            .optional_text(candidate.and_then(|candidate| candidate.ticket).map(TicketShown::to_record).as_deref())
            .finish();
        keys.seal(SealPurpose::PendingLogin, id.bytes(), &plain)
    }

    /// Opens what `seal` made. `None`: not ours, changed, or of another id.
    #[must_use]
    pub fn open(id: &LoginId, sealed: &[u8], keys: &Keys) -> Option<Self> {
        let plain = keys.open(SealPurpose::PendingLogin, id.bytes(), sealed)?;
        let mut reader = RecordReader::new(&plain);
        let state = reader.byte()?;
        let facts = LoginFacts::read(&mut reader)?;
        let number = match reader.optional_text()? {
            Some(text) => Some(PhoneNumber::from_stored(text)?),
            None => None,
        };
        let ticket = match reader.optional_text()? {
            Some(text) => Some(TicketShown::from_record(text)?),
            None => None,
        };
        reader.end()?;
        let candidate = number.map(|number| Candidate { number, ticket });
        match state {
            1 => Some(Self::NeedsPhone(NeedsPhone { facts })),
            2 => Some(Self::NeedsCode(NeedsCode { facts, candidate })),
            3 => {
                let shown = Shown::PasswordAndCode { new_phone: candidate };
                Some(Self::NeedsNewPassword(NeedsNewPassword { facts, shown }))
            }
            4 => Some(Self::NeedsNewPassword(NeedsNewPassword { facts, shown: Shown::Password })),
            _ => None,
        }
    }
}

/// A login whose account has no number and may enrol one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsPhone {
    facts: LoginFacts,
}

impl NeedsPhone {
    /// The password was right, and the account may enrol a number.
    #[must_use]
    pub fn new(facts: LoginFacts) -> Self {
        Self { facts }
    }

    /// The number that was typed, with the ticket that was shown for it, if one was: from here on a code sent there is owed.
    #[must_use]
    pub fn with_candidate(self, number: PhoneNumber, ticket: Option<TicketShown>) -> NeedsCode {
        NeedsCode { facts: self.facts, candidate: Some(Candidate { number, ticket }) }
    }
}

/// A number on its way to the account.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    number: PhoneNumber,
    /// `None`: none was asked for.
    ticket: Option<TicketShown>,
}

/// A login that owes a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsCode {
    facts: LoginFacts,
    candidate: Option<Candidate>,
}

impl NeedsCode {
    /// The password was right, and the account has a number.
    #[must_use]
    pub fn new(facts: LoginFacts) -> Self {
        Self { facts, candidate: None }
    }

    /// What the login is about.
    #[must_use]
    pub fn facts(&self) -> &LoginFacts {
        &self.facts
    }

    /// The number being enrolled; `None` when the account's own number is used.
    #[must_use]
    pub fn candidate(&self) -> Option<&PhoneNumber> {
        self.candidate.as_ref().map(|candidate| &candidate.number)
    }

    /// The ticket that was shown for the number being enrolled.
    #[must_use]
    pub fn ticket(&self) -> Option<TicketShown> {
        self.candidate.as_ref().and_then(|candidate| candidate.ticket)
    }

    /// Back to asking for a number. `None` when none is being enrolled: the account has one already, and it cannot be changed here.
    #[must_use]
    pub fn forget_candidate(self) -> Option<NeedsPhone> {
        self.candidate.map(|_| NeedsPhone { facts: self.facts })
    }

    /// Seals a code for the store, bound to the login and to the number it is sent to.
    #[must_use]
    pub fn seal_code(&self, id: &LoginId, code: &Code, keys: &Keys) -> Vec<u8> {
        keys.seal(SealPurpose::PendingLogin, &self.code_binding(id), code.reveal().as_bytes())
    }

    /// Opens a sealed code. `None`: not ours, changed, or of another login or number.
    #[must_use]
    pub fn open_code(&self, id: &LoginId, sealed: &[u8], keys: &Keys) -> Option<Code> {
        let plain = keys.open(SealPurpose::PendingLogin, &self.code_binding(id), sealed)?;
        Code::parse(std::str::from_utf8(&plain).ok()?)
    }

    /// Compares in constant time. Asks for the proof that the guess was paid for.
    pub fn check(self, code: &Code, typed: &TypedCode, _paid: ChargedAttempt) -> CodeCheck {
        if code.matches(typed) {
            CodeCheck::Verified(Box::new(VerifiedLogin { facts: self.facts, new_phone: self.candidate }))
        } else {
            CodeCheck::Wrong
        }
    }

    fn code_binding(&self, id: &LoginId) -> Zeroizing<Vec<u8>> {
        RecordWriter::default()
            .text("code")
            .fixed(id.bytes())
            .number(self.facts.phone_version.0)
            .optional_text(self.candidate().map(PhoneNumber::e164))
            .finish()
    }
}

/// Proof that a guess was counted in SQL, in a committed transaction. Only the ledger makes one.
#[derive(Debug)]
pub struct ChargedAttempt {
    number: u32,
}

impl ChargedAttempt {
    /// The `number`-th guess of its login is counted and committed.
    #[must_use]
    pub fn committed(number: u32) -> Self {
        Self { number }
    }

    /// Which guess of its login this is, from 1.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }
}

/// What comparing a code came to.
#[derive(Debug)]
#[must_use]
pub enum CodeCheck {
    Verified(Box<VerifiedLogin>),
    Wrong,
}

/// Proof that both factors were shown. Only `NeedsCode::check` makes one; `NeedsNewPassword` keeps it.
#[derive(Debug)]
pub struct VerifiedLogin {
    facts: LoginFacts,
    new_phone: Option<Candidate>,
}

impl VerifiedLogin {
    /// What the login is about.
    #[must_use]
    pub fn facts(&self) -> &LoginFacts {
        &self.facts
    }

    /// The number that is enrolled with this login, when one is.
    #[must_use]
    pub fn new_phone(&self) -> Option<&PhoneNumber> {
        self.new_phone.as_ref().map(|candidate| &candidate.number)
    }

    /// The ticket that was shown for it.
    #[must_use]
    pub fn ticket(&self) -> Option<TicketShown> {
        self.new_phone.as_ref().and_then(|candidate| candidate.ticket)
    }
}

/// A login that has shown every factor it needs, the password being a one-time password. It is made from the proof of that, and gives it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedsNewPassword {
    facts: LoginFacts,
    shown: Shown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    PasswordAndCode { new_phone: Option<Candidate> },
    Password,
}

/// What a login has shown.
#[derive(Debug)]
pub enum Proof {
    PasswordAndCode(VerifiedLogin),
    Password(PasswordOnly),
}

impl NeedsNewPassword {
    /// The code was right.
    #[must_use]
    pub fn after_code(login: VerifiedLogin) -> Self {
        Self { facts: login.facts, shown: Shown::PasswordAndCode { new_phone: login.new_phone } }
    }

    /// The password is enough.
    #[must_use]
    pub fn after_password(login: PasswordOnly) -> Self {
        Self { facts: login.facts, shown: Shown::Password }
    }

    /// What it was made from.
    #[must_use]
    pub fn into_proof(self) -> Proof {
        match self.shown {
            Shown::PasswordAndCode { new_phone } => {
                Proof::PasswordAndCode(VerifiedLogin { facts: self.facts, new_phone })
            }
            Shown::Password => Proof::Password(PasswordOnly { facts: self.facts }),
        }
    }
}

/// Whether two-factor sign-in is active for the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The password is enough until an operator activates.
    Staged,
    /// Everybody needs both factors.
    Active,
}

impl Activation {
    /// Proof that the password is enough; `None` once two-factor sign-in is active.
    #[must_use]
    pub fn password_only(self, facts: LoginFacts) -> Option<PasswordOnly> {
        match self {
            Self::Staged => Some(PasswordOnly { facts }),
            Self::Active => None,
        }
    }
}

/// Proof that the password was shown while it is enough. Only `Activation::password_only` makes one.
#[derive(Debug)]
pub struct PasswordOnly {
    facts: LoginFacts,
}

impl PasswordOnly {
    /// What the login is about.
    #[must_use]
    pub fn facts(&self) -> &LoginFacts {
        &self.facts
    }
}

#[cfg(test)]
mod tests;
