//! What requests bring: JSON bodies and queries, strictly. A field that is not known is refused and named, so that nothing that somebody believes to
//! have said is passed over. No body has a password, and none can exempt an account from anything. Floor: edge.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use utoipa::{IntoParams, ToSchema};

use super::Desk;
use super::problem::Refused;
use crate::admin::operations::Reason;
use crate::domain::language::Language;
use crate::domain::user_name::UserName;

/// No body here needs a hundredth of it. The gateway may take less (`limits.request.portal_body`).
const MOST_BYTES: usize = 64 * 1024;

/// An account to add. It gets a one-time password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9][a-z0-9._@+-]*$")]
    pub(super) user_name: String,
    /// Of the person.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: Option<String>,
    #[schema(min_length = 3, max_length = 254)]
    pub(super) email: Option<String>,
    /// The mobile number that codes go to, such as `+32470123456`.
    #[schema(max_length = 64)]
    pub(super) phone: Option<String>,
    pub(super) language: Option<LanguageTag>,
    /// Why, for the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// What is said of the person; what is left out or null stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    #[schema(min_length = 1, max_length = 200)]
    pub(super) name: Option<String>,
    #[schema(min_length = 3, max_length = 254)]
    pub(super) email: Option<String>,
    pub(super) language: Option<LanguageTag>,
    /// Why, for the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    /// For the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// The number that codes go to from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPhone {
    /// Such as `+32470123456`.
    #[schema(min_length = 1, max_length = 64)]
    pub(super) phone: String,
    /// Why, for the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// For how long the user may give a number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Enrolment {
    /// Such as `24h` or `7d`, at most `30d`; left out: as configured.
    #[schema(pattern = "^[0-9]{1,5}[mhd]$")]
    pub(super) window: Option<String>,
    /// Why, for the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// Which sessions end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndSessions {
    /// One, by its id; left out: all, and sign-ins under way.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    pub(super) session: Option<String>,
    /// Why, for the audit trail.
    #[schema(min_length = 1, max_length = 500)]
    pub(super) reason: String,
}

/// Of pages and SMS.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum LanguageTag {
    En,
    Nl,
    Fr,
    De,
}

/// Which accounts. All that is said has to be so.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountQuery {
    /// So many at most. A page may hold fewer, or none, although there are more: `next_cursor` says.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
    #[param(inline)]
    pub(super) status: Option<Status>,
    /// `with`, `without`, `enrolling` (without, and the window is open), or a country such as `BE`.
    #[param(pattern = "^(with|without|enrolling|[A-Z]{2})$")]
    pub(super) phone: Option<String>,
    /// Only those kept from signing in by failures.
    pub(super) locked: Option<bool>,
    /// Part of the user name, name or e-mail address, in any case.
    #[param(max_length = 254)]
    pub(super) matching: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Active,
    Disabled,
}

/// Which records of the audit trail. All that is said has to be so.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// So many at most.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
    /// About this account, or done by its user.
    #[param(pattern = "^[a-z0-9][a-z0-9._@+-]{0,63}$")]
    pub(super) user_name: Option<String>,
    /// Such as `two_factor_reset`.
    pub(super) event: Option<String>,
    /// The whole of it, such as `token:crm`.
    #[param(max_length = 200)]
    pub(super) actor: Option<String>,
    /// Not before (RFC 3339).
    #[param(format = DateTime)]
    pub(super) since: Option<String>,
    /// Before (RFC 3339).
    #[param(format = DateTime)]
    pub(super) until: Option<String>,
}

/// A body of JSON. To be taken after the `Caller`: strangers are not read.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Desk>> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _desk: &Arc<Desk>) -> Result<Self, Refused> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts) {
            let detail = "send application/json, and say so in Content-Type";
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let Ok(body) = to_bytes(body, MOST_BYTES).await else {
            let detail = format!("the body is larger than {MOST_BYTES} bytes");
            return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
        };
        read(&body).map(Json)
    }
}

fn is_json(parts: &Parts) -> bool {
    let mut fields = parts.headers.get_all(CONTENT_TYPE).iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return false };
    let essence = field.to_str().ok().and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => Refused::unprocessable("invalid_body", error.to_string()),
        Category::Syntax | Category::Eof | Category::Io => {
            Refused::new(StatusCode::BAD_REQUEST, "malformed_json", format!("this is no JSON: {error}"))
        }
    })
}

/// What stands in the query, each name once.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Desk>> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _desk: &Arc<Desk>) -> Result<Self, Refused> {
        match Query::<T>::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => {
                let text = error.body_text();
                let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
                Err(Refused::unprocessable("invalid_query", text))
            }
        }
    }
}

/// The account that the path names. What can be no name is the name of nobody.
#[derive(Debug)]
pub(super) struct Named(pub(super) UserName);

impl FromRequestParts<Arc<Desk>> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Refused> {
        let name = Path::<String>::from_request_parts(parts, desk).await.ok();
        let name = name.and_then(|Path(name)| UserName::parse(&name).ok());
        name.map(Self).ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "no_such_account", "there is no such account"))
    }
}

/// How many entries a page has.
pub(super) fn page_size(limit: Option<u32>) -> Result<u32, Refused> {
    match limit.unwrap_or(50) {
        limit @ 1..=200 => Ok(limit),
        _ => Err(Refused::unprocessable("invalid_query", "limit: 1 to 200")),
    }
}

/// A text of the query, if it is no longer than the document says.
pub(super) fn at_most(characters: usize, text: String) -> Result<String, Refused> {
    if text.chars().count() <= characters {
        Ok(text)
    } else {
        Err(Refused::unprocessable("invalid_query", format!("a text is longer than {characters} characters")))
    }
}

pub(super) fn reason(text: &str) -> Result<Reason, Refused> {
    Reason::parse(text)
        .ok_or_else(|| Refused::unprocessable("reason_missing", "reason: say why, in 1 to 500 characters"))
}

impl LanguageTag {
    pub(super) fn language(self) -> Language {
        match self {
            Self::En => Language::En,
            Self::Nl => Language::Nl,
            Self::Fr => Language::Fr,
            Self::De => Language::De,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_is_not_known_is_refused_and_named() {
        let refused = |body: &str| format!("{:?}", read::<NewAccount>(body.as_bytes()).unwrap_err());
        for field in ["password", "two_factor", "exempt", "operator_role", "User_Name"] {
            let body = format!(r#"{{"user_name": "anna", "reason": "new", "{field}": true}}"#);
            let said = refused(&body);
            assert!(said.contains(&format!("unknown field `{field}`")) && said.contains("422"), "{said}");
        }
        assert!(refused(r#"{"user_name": "anna"}"#).contains("missing field `reason`"));
        assert!(refused(r#"{"user_name": "a", "user_name": "b", "reason": "x"}"#).contains("duplicate field"));
        for no_json in ["", "{", "{'a': 1}", "\u{feff}{}"] {
            assert!(refused(no_json).contains("malformed_json"), "{no_json:?}");
        }
        assert!(read::<NewAccount>(br#"{"user_name": "anna", "reason": "new", "phone": null}"#).is_ok());
    }
}
