//! What goes into a statement and what comes out of it: integers, text and bytes, each of which may be absent, the same for both
//! databases. Knows no table. Floor: edge.

use std::net::IpAddr;

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::error::SqlError;
use crate::domain::account::{AccountId, Epoch, PhoneVersion};
use crate::domain::language::Language;
use crate::domain::password_hash::PasswordHash;
use crate::domain::pending::LoginId;
use crate::domain::session::SessionId;
use crate::domain::site::SiteName;
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;

/// One argument of a statement.
#[derive(Clone)]
pub(super) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

/// One row of an answer, read by column name.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(super) fn optional_int(&self, column: &'static str) -> Result<Option<i64>, SqlError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn optional_text(&self, column: &'static str) -> Result<Option<String>, SqlError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn optional_bytes(&self, column: &'static str) -> Result<Option<Vec<u8>>, SqlError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(super) fn int(&self, column: &'static str) -> Result<i64, SqlError> {
        self.optional_int(column)?.ok_or(SqlError::Unreadable(column))
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String, SqlError> {
        self.optional_text(column)?.ok_or(SqlError::Unreadable(column))
    }

    /// A count: never negative, and more than `u32::MAX` reads as that.
    pub(super) fn count(&self, column: &'static str) -> Result<u32, SqlError> {
        Ok(u32::try_from(self.int(column)?.max(0)).unwrap_or(u32::MAX))
    }

    pub(super) fn at(&self, column: &'static str) -> Result<UnixMillis, SqlError> {
        self.int(column).map(UnixMillis)
    }

    pub(super) fn optional_at(&self, column: &'static str) -> Result<Option<UnixMillis>, SqlError> {
        Ok(self.optional_int(column)?.map(UnixMillis))
    }

    /// Text that `parse` understands, because we wrote it.
    pub(super) fn parsed<T>(&self, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, SqlError> {
        parse(&self.text(column)?).ok_or(SqlError::Unreadable(column))
    }

    /// The same where the column may be empty.
    pub(super) fn optional_parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, SqlError> {
        match self.optional_text(column)? {
            Some(text) => parse(&text).map(Some).ok_or(SqlError::Unreadable(column)),
            None => Ok(None),
        }
    }

    pub(super) fn user_name(&self) -> Result<UserName, SqlError> {
        self.parsed("user_name", |text| UserName::parse(text).ok())
    }

    pub(super) fn source(&self) -> Result<Option<IpAddr>, SqlError> {
        self.optional_parsed("source", |text| text.parse().ok())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(Some(i64::from(number)))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Some(bytes.to_vec()))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(bytes: Option<Vec<u8>>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<UnixMillis> for Value {
    fn from(at: UnixMillis) -> Self {
        Self::Int(Some(at.0))
    }
}

impl From<Option<UnixMillis>> for Value {
    fn from(at: Option<UnixMillis>) -> Self {
        Self::Int(at.map(|at| at.0))
    }
}

impl From<Epoch> for Value {
    fn from(epoch: Epoch) -> Self {
        Self::Int(Some(epoch.0))
    }
}

impl From<PhoneVersion> for Value {
    fn from(version: PhoneVersion) -> Self {
        Self::Int(Some(version.0))
    }
}

impl From<&AccountId> for Value {
    fn from(id: &AccountId) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl From<Option<&AccountId>> for Value {
    fn from(id: Option<&AccountId>) -> Self {
        Self::Text(id.map(ToString::to_string))
    }
}

impl From<&SessionId> for Value {
    fn from(id: &SessionId) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl From<&LoginId> for Value {
    fn from(id: &LoginId) -> Self {
        Self::Text(Some(id.to_string()))
    }
}

impl From<&UserName> for Value {
    fn from(name: &UserName) -> Self {
        name.as_str().into()
    }
}

impl From<Option<&UserName>> for Value {
    fn from(name: Option<&UserName>) -> Self {
        Self::Text(name.map(|name| name.as_str().to_owned()))
    }
}

impl From<&SiteName> for Value {
    fn from(site: &SiteName) -> Self {
        site.as_str().into()
    }
}

impl From<&PasswordHash> for Value {
    fn from(hash: &PasswordHash) -> Self {
        hash.stored().into()
    }
}

impl From<Option<Language>> for Value {
    fn from(language: Option<Language>) -> Self {
        Self::Text(language.map(|language| language.tag().to_owned()))
    }
}
