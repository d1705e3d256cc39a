//! Personal data at rest: sealed with the first data key and bound to its row and column, so that nothing opens where it was not written.
//! A new sealed column is a `Field` and a line in `COLUMNS`: then it is moved to another key, too (`rekey`). Floor: edge.

use std::collections::BTreeSet;

use crate::domain::keys::{HashPurpose, Keys, SealPurpose};
use crate::domain::phone::PhoneNumber;

use super::database::Database;
use super::error::SqlError;
use super::value::{Row, Value};

/// A sealed column with the statements that find out what it is sealed with, and change that.
pub(super) struct Column {
    pub(super) field: Field,
    /// The ids of the keys in use.
    keys: &'static str,
    /// At most `$3` rows after the id `$1` that are sealed with another key than `$2`.
    pub(super) under_other_keys: &'static str,
    /// Puts `$3` in the place of `$2` in the row `$1`.
    pub(super) replace: &'static str,
}

/// Every sealed column.
pub(super) const COLUMNS: [Column; 6] = [
    Column {
        field: Field::AccountName,
        keys: "SELECT DISTINCT substr(name, 1, 4) AS key FROM accounts WHERE name IS NOT NULL",
        under_other_keys: "SELECT id, name FROM accounts WHERE id > $1 AND substr(name, 1, 4) <> $2 ORDER BY id LIMIT $3",
        replace: "UPDATE accounts SET name = $3 WHERE id = $1 AND name = $2",
    },
    Column {
        field: Field::AccountEmail,
        keys: "SELECT DISTINCT substr(email, 1, 4) AS key FROM accounts WHERE email IS NOT NULL",
        under_other_keys: "SELECT id, email FROM accounts WHERE id > $1 AND substr(email, 1, 4) <> $2 ORDER BY id LIMIT $3",
        replace: "UPDATE accounts SET email = $3 WHERE id = $1 AND email = $2",
    },
    Column {
        field: Field::AccountPhone,
        keys: "SELECT DISTINCT substr(phone, 1, 4) AS key FROM accounts WHERE phone IS NOT NULL",
        under_other_keys: "SELECT id, phone FROM accounts WHERE id > $1 AND substr(phone, 1, 4) <> $2 ORDER BY id LIMIT $3",
        replace: "UPDATE accounts SET phone = $3 WHERE id = $1 AND phone = $2",
    },
    Column {
        field: Field::SessionName,
        keys: "SELECT DISTINCT substr(name, 1, 4) AS key FROM sessions WHERE name IS NOT NULL",
        under_other_keys: "SELECT id, name FROM sessions WHERE id > $1 AND substr(name, 1, 4) <> $2 ORDER BY id LIMIT $3",
        replace: "UPDATE sessions SET name = $3 WHERE id = $1 AND name = $2",
    },
    Column {
        field: Field::SessionEmail,
        keys: "SELECT DISTINCT substr(email, 1, 4) AS key FROM sessions WHERE email IS NOT NULL",
        under_other_keys: "SELECT id, email FROM sessions WHERE id > $1 AND substr(email, 1, 4) <> $2 ORDER BY id LIMIT $3",
        replace: "UPDATE sessions SET email = $3 WHERE id = $1 AND email = $2",
    },
    Column {
        field: Field::NoticeContent,
        keys: "SELECT DISTINCT substr(content, 1, 4) AS key FROM notices",
        under_other_keys: "SELECT id, content FROM notices WHERE id > $1 AND substr(content, 1, 4) <> $2 ORDER BY id LIMIT $3",
        replace: "UPDATE notices SET content = $3 WHERE id = $1 AND content = $2",
    },
];

/// A column that is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    AccountName,
    AccountEmail,
    AccountPhone,
    SessionName,
    SessionEmail,
    /// To whom and with which particulars.
    NoticeContent,
}

impl Field {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::AccountName => "accounts.name",
            Self::AccountEmail => "accounts.email",
            Self::AccountPhone => "accounts.phone",
            Self::SessionName => "sessions.name",
            Self::SessionEmail => "sessions.email",
            Self::NoticeContent => "notices.content",
        }
    }

    pub(super) fn column(self) -> &'static str {
        match self {
            Self::AccountName | Self::SessionName => "name",
            Self::AccountEmail | Self::SessionEmail => "email",
            Self::AccountPhone => "phone",
            Self::NoticeContent => "content",
        }
    }

    fn bound_to(self, row: &str) -> Vec<u8> {
        format!("{}:{row}", self.path()).into_bytes()
    }
}

/// Seals `text` for a column of the row with the id `row`.
pub(super) fn seal(keys: &Keys, field: Field, row: &str, text: Option<&str>) -> Value {
    Value::Bytes(text.map(|text| keys.seal(SealPurpose::PersonalData, &field.bound_to(row), text.as_bytes())))
}

/// The keyed hash that tells whether two accounts have one number.
pub(super) fn phone_hash(keys: &Keys, phone: Option<&PhoneNumber>) -> Value {
    Value::Bytes(phone.map(|phone| keys.hash(HashPurpose::PhoneLookup, phone.e164().as_bytes()).to_vec()))
}

/// Opens a sealed column of the row with the id `id`.
pub(super) fn open(keys: &Keys, field: Field, id: &str, row: &Row) -> Result<Option<String>, SqlError> {
    let Some(sealed) = row.optional_bytes(field.column())? else { return Ok(None) };
    let Some(plain) = keys.open(SealPurpose::PersonalData, &field.bound_to(id), &sealed) else {
        return Err(match Keys::key_id_of(&sealed) {
            Some(key) if !keys.key_ids().contains(&key) => SqlError::UnknownKey { field: field.path(), key },
            Some(_) | None => SqlError::Damaged(field.path()),
        });
    };
    let text = std::str::from_utf8(&plain).map_err(|_| SqlError::Damaged(field.path()))?;
    Ok(Some(text.to_owned()))
}

/// Opens the phone number of the account with the id `id`.
pub(super) fn open_phone(keys: &Keys, id: &str, row: &Row) -> Result<Option<PhoneNumber>, SqlError> {
    let field = Field::AccountPhone;
    match open(keys, field, id, row)?.map(zeroize::Zeroizing::new) {
        Some(e164) => PhoneNumber::from_stored(&e164).map(Some).ok_or(SqlError::Unreadable(field.path())),
        None => Ok(None),
    }
}

/// The ids of the keys that anything is sealed with, in hexadecimal, and of the one that the last link of the audit chain is made with, which proves
/// those before it. A sealed value begins with the four bytes of its key's id.
pub(super) async fn key_ids_in_use(database: &Database) -> Result<Vec<String>, SqlError> {
    let mut ids = BTreeSet::new();
    for column in &COLUMNS {
        for row in database.rows(column.keys, []).await? {
            ids.insert(hex::encode(row.optional_bytes("key")?.unwrap_or_default()));
        }
    }
    let last_link = "SELECT key_id FROM audit WHERE number = (SELECT number FROM audit_head)";
    for row in database.rows(last_link, []).await? {
        ids.extend(row.optional_text("key_id")?);
    }
    Ok(ids.into_iter().collect())
}
