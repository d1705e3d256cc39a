//! A database of its own for each test, with as many nodes as it asks for, and short ways to say what most tests need. Floor: edge.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::adapters::sql::SqlLedger;
use crate::adapters::sql::database::{Database, DatabaseSettings};
use crate::domain::account::{Account, AccountId};
use crate::domain::audit::{AuditEvent, AuditRecord};
use crate::domain::keys::Keys;
use crate::domain::language::Language;
use crate::domain::limits::{CodeAttemptCaps, PasswordAttemptCaps, SendCaps};
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::{LoginHandle, LoginId};
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::secret::SecretBytes;
use crate::domain::session::{Factors, Session, SessionId};
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::NewPhone;
use crate::login::directory::{AccountChange, Changed, Directory as _, ImportEntry, Imported, NewAccount};
use crate::login::ports::{AttemptCharge, Ledger as _, NewAttempt, Opened, Opening};
use crate::login::sending::ports::{NewSend, NumberIs};

use super::postgres;

pub(super) const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) const CODE_CAPS: CodeAttemptCaps =
    CodeAttemptCaps { per_login: 5, per_hour: 10, in_a_row: 50, per_30_days: 200 };
pub(super) const PASSWORD_CAPS: PasswordAttemptCaps =
    PasswordAttemptCaps { free: 4, first_wait: Duration::from_secs(30), longest_wait: HOUR, in_a_row: 100 };
pub(super) const SEND_CAPS: SendCaps = SendCaps::ROOMY;

/// One database.
pub(super) struct Store {
    url: String,
    _directory: Option<tempfile::TempDir>,
}

impl Store {
    pub(super) async fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("accounts.db").display());
        Self { url, _directory: Some(directory) }
    }

    pub(super) async fn postgres() -> Self {
        Self { url: postgres::shared().fresh_database().await, _directory: None }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Opens the database as one more node would.
    pub(super) async fn node(&self) -> SqlLedger {
        SqlLedger::new(self.database().await, Arc::new(keys(&[1])))
    }

    pub(super) async fn database(&self) -> Database {
        // tests run beside each other on few cores: more patience than the product has
        let settings = DatabaseSettings { connections: 8, acquire: Duration::from_secs(2) };
        Database::open(&self.url, &settings).await.unwrap()
    }
}

pub(super) fn keys(seeds: &[u8]) -> Keys {
    Keys::new(&seeds.iter().map(|seed| SecretBytes::new(vec![*seed; 32])).collect::<Vec<_>>()).unwrap()
}

pub(super) fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

pub(super) fn phone(text: &str) -> PhoneNumber {
    PhoneNumber::from_stored(text).unwrap()
}

pub(super) fn new_phone(text: &str) -> NewPhone {
    NewPhone { number: phone(text), most_accounts: 1, ticket: None }
}

pub(super) fn hash(salt: char) -> PasswordHash {
    let salt = format!("{}A", salt.to_string().repeat(21));
    PasswordHash::from_stored(&format!(
        "$argon2id$v=19$m=19456,t=2,p=1${salt}$MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
    ))
    .unwrap()
}

pub(super) fn login() -> LoginId {
    LoginHandle::random().login_id()
}

/// An SMS to a number on an account that never signed in.
pub(super) fn send(account: AccountId) -> NewSend {
    NewSend {
        account,
        login: login(),
        number: [7; 32],
        number_is: NumberIs::OnTheAccount,
        country: Country::parse("BE").unwrap(),
        dial_code: 32,
        prefix: [3; 32],
        prefix_digits: "3247012".into(),
    }
}

pub(super) fn audit(event: AuditEvent, at: UnixMillis) -> AuditRecord {
    AuditRecord {
        at,
        event,
        account: None,
        actor: "test".into(),
        site: Some(SiteName::new("marketing")),
        source: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        reason: None,
        request_id: None,
    }
}

pub(super) fn new_account(user_name: &str, number: Option<&str>) -> NewAccount {
    NewAccount {
        user_name: name(user_name),
        name: Some("Anna Ó".into()),
        email: Some(format!("{user_name}@example.com")),
        phone: number.map(phone),
        language: Some(Language::Nl),
        password: hash('A'),
        password_expires_at: None,
        enrolment_until: None,
        ticket: None,
    }
}

pub(super) fn adding(account: NewAccount) -> ImportEntry {
    ImportEntry::Add { account, audit: audit(AuditEvent::AccountAdded, NOW) }
}

/// An account with a number.
pub(super) async fn anna(node: &SqlLedger) -> Account {
    add(node, new_account("anna", Some("+32470123456"))).await
}

/// An account without a number whose enrolment is open for a day.
pub(super) async fn newcomer(node: &SqlLedger) -> Account {
    add(node, NewAccount { enrolment_until: Some(NOW.plus(DAY)), ..new_account("nadia", None) }).await
}

pub(super) async fn add(node: &SqlLedger, account: NewAccount) -> Account {
    let user_name = account.user_name.clone();
    assert_eq!(node.import(&[adding(account)]).await.unwrap(), Imported::Done(Vec::new()));
    node.account_by_name(&user_name).await.unwrap().unwrap()
}

pub(super) async fn change(node: &SqlLedger, id: &AccountId, change: AccountChange) -> Changed {
    let record = AuditRecord { account: Some(*id), ..audit(AuditEvent::AccountChanged, NOW) };
    node.change(id, &change, &record).await.unwrap()
}

pub(super) fn attempt(account: &Account, login: LoginId) -> NewAttempt {
    NewAttempt { login, account: account.id, epoch: account.epoch, phone_version: account.phone_version }
}

pub(super) async fn guess(node: &SqlLedger, account: &Account, login: LoginId, now: UnixMillis) -> AttemptCharge {
    node.charge_code_attempt(&attempt(account, login), &CODE_CAPS, now).await.unwrap()
}

pub(super) fn session(account: &Account, factors: Factors, now: UnixMillis) -> Session {
    Session {
        id: SessionId::random(),
        site: SiteName::new("marketing"),
        account: account.id,
        user_name: account.user_name.clone(),
        name: account.name.clone(),
        email: account.email.clone(),
        epoch: account.epoch,
        factors,
        opened_at: now,
        password_at: now.minus(Duration::from_secs(60)),
        seen_at: now,
        absolute_end: now.plus(10 * HOUR),
    }
}

pub(super) fn opening(account: &Account, login: LoginId, now: UnixMillis) -> Opening {
    Opening {
        session: session(account, Factors::PasswordAndCode, now),
        login,
        phone_version: account.phone_version,
        new_phone: None,
        new_password: None,
        replaces: None,
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: Some("Firefox".into()),
        audit: vec![AuditRecord { account: Some(account.id), ..audit(AuditEvent::SignedIn, now) }],
        now,
    }
}

/// Signs in; gives back the session's id.
pub(super) async fn signed_in(node: &SqlLedger, account: &Account, now: UnixMillis) -> SessionId {
    let opening = opening(account, login(), now);
    assert_eq!(node.open_session(&opening).await.unwrap(), Opened::Opened(Vec::new()));
    opening.session.id
}

/// How many rows a table has.
pub(super) async fn rows_in(database: &Database, count: &'static str) -> i64 {
    database.row(count, []).await.unwrap().unwrap().int("count").unwrap()
}
