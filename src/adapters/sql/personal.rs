//! Personal data at rest: sealed with the first data key and bound to its row and column, so that nothing opens where it was not written.
//! Floor: edge.

use crate::domain::keys::{HashPurpose, Keys, SealPurpose};
use crate::domain::phone::PhoneNumber;

use super::database::Database;
use super::error::SqlError;
use super::value::{Row, Value};

/// A column that is sealed.
#[derive(Clone, Copy)]
pub(super) enum Field {
    AccountName,
    AccountEmail,
    AccountPhone,
    SessionName,
    SessionEmail,
}

impl Field {
    fn path(self) -> &'static str {
        match self {
            Self::AccountName => "accounts.name",
            Self::AccountEmail => "accounts.email",
            Self::AccountPhone => "accounts.phone",
            Self::SessionName => "sessions.name",
            Self::SessionEmail => "sessions.email",
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::AccountName | Self::SessionName => "name",
            Self::AccountEmail | Self::SessionEmail => "email",
            Self::AccountPhone => "phone",
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

/// The ids of the keys that anything is sealed with, in hexadecimal. A sealed value begins with the four bytes of its key's id.
pub(super) async fn key_ids_in_use(database: &Database) -> Result<Vec<String>, SqlError> {
    let rows = database
        .rows(
            "SELECT substr(name, 1, 4) AS key FROM accounts WHERE name IS NOT NULL
             UNION SELECT substr(email, 1, 4) FROM accounts WHERE email IS NOT NULL
             UNION SELECT substr(phone, 1, 4) FROM accounts WHERE phone IS NOT NULL
             UNION SELECT substr(name, 1, 4) FROM sessions WHERE name IS NOT NULL
             UNION SELECT substr(email, 1, 4) FROM sessions WHERE email IS NOT NULL",
            [],
        )
        .await?;
    rows.iter().map(|row| Ok(hex::encode(row.optional_bytes("key")?.unwrap_or_default()))).collect()
}
