//! A session: what a signed cookie carries, and when it is over. It opens only from a `VerifiedLogin`, or from `PasswordOnly` while
//! two-factor sign-in is not active. Looks nothing up: whether it was ended elsewhere is `revocation`'s to say. Floor: ground.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::account::{AccountId, Epoch};
use super::keys::{KEY_ID_LENGTH, Keys, SealPurpose};
use super::pending::{LoginFacts, PasswordOnly, VerifiedLogin};
use super::record::{RecordReader, RecordWriter};
use super::site::SiteName;
use super::time::UnixMillis;
use super::user_name::UserName;

/// A cookie longer than this is not ours.
pub const COOKIE_LENGTH_MAX: usize = 2048;
const VERSION: &str = "v1";
/// How far a cookie may lie in the future: nodes' clocks differ a little.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);

/// 16 random bytes that name a session. Not the cookie: knowing it opens nothing, so it may be shown and logged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// A new, random one.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random())
    }

    /// From 32 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// From the bytes that a record carries.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// What was shown to open a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factors {
    /// The password alone; possible only before activation.
    Password,
    /// Password and SMS code.
    PasswordAndCode,
}

impl Factors {
    /// As stored: 1 and 2.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Password => 1,
            Self::PasswordAndCode => 2,
        }
    }

    /// From what is stored; `None` for anything unknown.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Password),
            2 => Some(Self::PasswordAndCode),
            _ => None,
        }
    }
}

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct SessionLifetimes {
    /// Over when unused for this long; at most 1 h (NIST SP 800-63B-4 §2.2.3).
    pub idle: Duration,
    /// Over after this long whatever happens; at most 24 h (NIST SP 800-63B-4 §2.2.3).
    pub absolute: Duration,
}

/// An open session of one account at one site.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub site: SiteName,
    pub account: AccountId,
    pub user_name: UserName,
    /// Name and e-mail address as they were at sign-in, for the upstream.
    pub name: Option<String>,
    pub email: Option<String>,
    pub epoch: Epoch,
    pub factors: Factors,
    pub opened_at: UnixMillis,
    /// When the password was shown.
    pub password_at: UnixMillis,
    /// When this cookie was issued; activity issues a new one.
    pub seen_at: UnixMillis,
    pub absolute_end: UnixMillis,
}

/// Name and e-mail address of the person who signs in.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub name: Option<String>,
    pub email: Option<String>,
}

impl Session {
    /// Opens a session for a login that showed both factors.
    #[must_use]
    pub fn open(login: &VerifiedLogin, person: Person, lifetimes: SessionLifetimes, now: UnixMillis) -> Self {
        Self::from_facts(login.facts(), Factors::PasswordAndCode, person, lifetimes, now)
    }

    /// Opens a session for a login that showed the password, while that is enough.
    #[must_use]
    pub fn open_with_password_only(
        login: &PasswordOnly,
        person: Person,
        lifetimes: SessionLifetimes,
        now: UnixMillis,
    ) -> Self {
        Self::from_facts(login.facts(), Factors::Password, person, lifetimes, now)
    }

    fn from_facts(
        facts: &LoginFacts,
        factors: Factors,
        person: Person,
        lifetimes: SessionLifetimes,
        now: UnixMillis,
    ) -> Self {
        Self {
            id: SessionId::random(),
            site: facts.site.clone(),
            account: facts.account,
            user_name: facts.user_name.clone(),
            name: person.name,
            email: person.email,
            epoch: facts.epoch,
            factors,
            opened_at: now,
            password_at: facts.password_at,
            seen_at: now,
            absolute_end: now.plus(lifetimes.absolute),
        }
    }

    /// The cookie's value: `v1.<key id>.<sealed payload>`.
    #[must_use]
    pub fn to_cookie(&self, keys: &Keys) -> String {
        let payload = RecordWriter::default()
            .fixed(self.id.bytes())
            .fixed(self.account.bytes())
            .number(self.epoch.0)
            .byte(self.factors.number())
            .number(self.opened_at.0)
            .number(self.password_at.0)
            .number(self.seen_at.0)
            .number(self.absolute_end.0)
            .text(self.site.as_str())
            .text(self.user_name.as_str())
            .optional_text(self.name.as_deref())
            .optional_text(self.email.as_deref())
            .finish();
        let sealed = keys.seal(SealPurpose::Session, VERSION.as_bytes(), &payload);
        let (id, rest) = sealed.split_at(KEY_ID_LENGTH);
        format!("{VERSION}.{}.{}", hex::encode(id), URL_SAFE_NO_PAD.encode(rest))
    }

    /// Reads a cookie's value back. `None` for anything that is not whole, ours and of a key still in the list. Says nothing of time.
    #[must_use]
    pub fn from_cookie(value: &str, keys: &Keys) -> Option<Self> {
        if value.len() > COOKIE_LENGTH_MAX {
            return None;
        }
        let (version, rest) = value.split_once('.')?;
        let (id, body) = rest.split_once('.')?;
        if version != VERSION || id.len() != 2 * KEY_ID_LENGTH {
            return None;
        }
        let mut sealed = Vec::with_capacity(KEY_ID_LENGTH + body.len());
        sealed.resize(KEY_ID_LENGTH, 0);
        hex::decode_to_slice(id, &mut sealed).ok()?;
        URL_SAFE_NO_PAD.decode_vec(body, &mut sealed).ok()?;
        let payload = keys.open(SealPurpose::Session, VERSION.as_bytes(), &sealed)?;
        Self::from_payload(&payload)
    }

    fn from_payload(payload: &[u8]) -> Option<Self> {
        let mut reader = RecordReader::new(payload);
        let session = Self {
            id: SessionId(reader.fixed()?),
            account: AccountId::from_bytes(reader.fixed()?),
            epoch: Epoch(reader.number()?),
            factors: Factors::from_number(reader.byte()?)?,
            opened_at: UnixMillis(reader.number()?),
            password_at: UnixMillis(reader.number()?),
            seen_at: UnixMillis(reader.number()?),
            absolute_end: UnixMillis(reader.number()?),
            site: SiteName::new(reader.text()?),
            user_name: UserName::parse(reader.text()?).ok()?,
            name: reader.optional_text()?.map(str::to_owned),
            email: reader.optional_text()?.map(str::to_owned),
        };
        reader.end()?;
        Some(session)
    }

    /// Whether the session is still in time.
    #[must_use]
    pub fn is_in_time(&self, lifetimes: SessionLifetimes, now: UnixMillis) -> bool {
        let begun = self.seen_at <= now.plus(CLOCK_TOLERANCE);
        begun && now < self.ends_at(lifetimes)
    }

    /// When the session is over if nothing more is asked: the idle or the absolute end, whichever comes first.
    /// The operator's present absolute lifetime counts too, so that shortening it shortens open sessions.
    #[must_use]
    pub fn ends_at(&self, lifetimes: SessionLifetimes) -> UnixMillis {
        self.seen_at.plus(lifetimes.idle).min(self.absolute_end(lifetimes))
    }

    /// When the session is over whatever is asked.
    #[must_use]
    pub fn absolute_end(&self, lifetimes: SessionLifetimes) -> UnixMillis {
        self.absolute_end.min(self.opened_at.plus(lifetimes.absolute))
    }

    /// The same session in a later epoch of its account, which it has begun itself; the password was shown in it at `password_at`.
    #[must_use]
    pub fn continued_in(&self, epoch: Epoch, password_at: UnixMillis, now: UnixMillis) -> Self {
        Self { epoch, password_at, seen_at: now, ..self.clone() }
    }

    /// The same session seen now, when a tenth of the idle time has passed since the cookie was issued; `None` before that.
    #[must_use]
    pub fn renewed(&self, lifetimes: SessionLifetimes, now: UnixMillis) -> Option<Self> {
        (now.since(self.seen_at) > lifetimes.idle / 10).then(|| Self { seen_at: now, ..self.clone() })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::account::PhoneVersion;
    use crate::domain::pending::Activation;
    use crate::domain::secret::SecretBytes;

    const LIFETIMES: SessionLifetimes =
        SessionLifetimes { idle: Duration::from_secs(3600), absolute: Duration::from_secs(36_000) };

    fn keys(seed: u8) -> Keys {
        Keys::new(&[SecretBytes::new(vec![seed; 32])]).unwrap()
    }

    pub(crate) fn session(now: UnixMillis) -> Session {
        let facts = LoginFacts {
            site: SiteName::new("marketing"),
            account: AccountId::from_bytes([7; 16]),
            user_name: UserName::parse("anna").unwrap(),
            epoch: Epoch(3),
            phone_version: PhoneVersion(1),
            password_at: now,
            ends_at: now,
            return_path: "/".into(),
            step_up_of: None,
        };
        let login = Activation::Staged.password_only(facts).unwrap();
        Session::open_with_password_only(&login, Person { name: Some("Anna Ó".into()), email: None }, LIFETIMES, now)
    }

    #[test]
    fn a_cookie_comes_back_as_the_session_it_was() {
        let session = session(UnixMillis(1_000_000));
        let cookie = session.to_cookie(&keys(1));
        assert!(cookie.len() < 512, "{}", cookie.len());
        let back = Session::from_cookie(&cookie, &keys(1)).unwrap();
        assert_eq!(
            (back.id, back.account, back.epoch, back.factors),
            (session.id, session.account, session.epoch, session.factors)
        );
        assert_eq!(
            (back.site, back.user_name, back.name, back.email),
            (session.site, session.user_name, session.name, session.email)
        );
        assert_eq!(
            (back.opened_at, back.seen_at, back.absolute_end),
            (session.opened_at, session.seen_at, session.absolute_end)
        );
    }

    #[test]
    fn a_changed_cookie_is_no_session() {
        let cookie = session(UnixMillis(0)).to_cookie(&keys(1));
        assert!(Session::from_cookie(&cookie, &keys(2)).is_none());
        for (position, old) in cookie.char_indices() {
            let new = if old == 'A' { 'B' } else { 'A' };
            let mut changed = cookie.clone();
            changed.replace_range(position..=position, &new.to_string());
            assert!(Session::from_cookie(&changed, &keys(1)).is_none(), "{position}");
            assert!(Session::from_cookie(&cookie[..position], &keys(1)).is_none(), "cut at {position}");
        }
        assert!(Session::from_cookie(&format!("{cookie}{cookie}"), &keys(1)).is_none());
    }

    #[test]
    fn idleness_and_age_end_a_session() {
        let opened = session(UnixMillis(0));
        let at = |seconds: i64| UnixMillis(seconds * 1000);
        assert!(opened.is_in_time(LIFETIMES, at(3599)));
        assert!(!opened.is_in_time(LIFETIMES, at(3600)));
        assert!(opened.renewed(LIFETIMES, at(360)).is_none());
        let mut current = opened;
        for seconds in (361..36_000).step_by(361) {
            current = current.renewed(LIFETIMES, at(seconds)).unwrap();
            assert!(current.is_in_time(LIFETIMES, at(seconds)));
        }
        assert!(!current.is_in_time(LIFETIMES, at(36_000)), "activity does not move the absolute end");
    }

    #[test]
    fn a_session_from_the_future_is_none() {
        let session = session(UnixMillis(100_000));
        assert!(session.is_in_time(LIFETIMES, UnixMillis(70_000)));
        assert!(!session.is_in_time(LIFETIMES, UnixMillis(69_999)));
    }

    #[test]
    fn a_shorter_lifetime_holds_for_open_sessions() {
        let session = session(UnixMillis(0));
        let shorter = SessionLifetimes { idle: Duration::from_secs(3600), absolute: Duration::from_secs(60) };
        assert!(!session.is_in_time(shorter, UnixMillis(60_000)));
    }
}
