//! Who asks: the bearer token of a request, looked up anew each time, and what the operations are told of it. Everything but the token of the
//! `Authorization` field is left alone: cookies are for people. Floor: edge.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap};
use http::request::Parts;

use super::Desk;
use super::problem::{INVALID, MISSING, Refused};
use crate::admin::operations::{Act, Effect, Operations, Rights};
use crate::domain::api_token::{ApiToken, KnownApiToken};
use crate::domain::limits::Charge;
use crate::domain::operator::{self, OperatorAction, OperatorRole};
use crate::domain::time::UnixMillis;
use crate::web::request_context::RequestContext;

/// One request with a token that is good at this moment.
#[derive(Debug)]
pub(super) struct Caller {
    desk: Arc<Desk>,
    token: KnownApiToken,
    address: IpAddr,
    request_id: String,
    pub(super) now: UnixMillis,
}

impl Caller {
    pub(super) fn operations(&self) -> &Operations {
        &self.desk.operations
    }

    /// What the operations are told of who acts.
    pub(super) fn act(&self) -> Act {
        Act {
            actor: format!("token:{}", self.token.name),
            rights: Rights::OfToken(self.token.id),
            now: self.now,
            source: Some(self.address),
            request_id: Some(self.request_id.clone()),
        }
    }

    pub(super) fn role(&self) -> OperatorRole {
        self.token.role
    }

    /// Refuses where the role is not enough, before it is told whether there is something to do. The operation itself asks again.
    pub(super) fn needs(&self, action: OperatorAction) -> Result<(), Refused> {
        Ok(operator::may_begin(self.token.role, action)?)
    }

    /// What an operation has ended is over on this node at once.
    pub(super) fn apply(&self, effect: &Effect) {
        match effect {
            Effect::Done(rows) => self.desk.login.sessions().apply(rows),
            Effect::Unchanged => {}
        }
    }
}

impl FromRequestParts<Arc<Desk>> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Refused> {
        let context = parts.extensions.get::<RequestContext>();
        let (address, request_id) = context
            .map(|context| (context.client_address, context.request_id.to_string()))
            .ok_or_else(|| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "no_context", "This should not happen."))?;
        let now = desk.login.now();
        let Some(shown) = bearer(&parts.headers) else {
            return Err(Refused::no_token(
                MISSING,
                "Send `Authorization: Bearer` with one token, made with `vestibule token create`.",
            ));
        };
        let known = match ApiToken::parse(shown) {
            Some(token) => desk.tokens.recognise(&token, now).await?,
            None => None,
        };
        if let Some(token) = known {
            return Ok(Self { desk: Arc::clone(desk), token, address, request_id, now });
        }
        tracing::info!(reason = "wrong_token", client = %address, "a token was shown that is none");
        // a right one is answered from wherever it comes: nobody guesses 256 bits, and nobody is to shut a program out
        match desk.login.charge_wrong_token(address, now).await? {
            Charge::Granted => Err(Refused::no_token(
                INVALID,
                "This is no token, or it is over: `vestibule token list` shows those there are.",
            )),
            Charge::Wait(wait) => Err(Refused::too_many(wait, "Too many wrong tokens from this network.")),
        }
    }
}

/// What stands after `Bearer` in the one field there is (RFC 6750 §2.1); the scheme in any case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (field, None) = (fields.next()?, fields.next()) else { return None };
    let (scheme, token) = field.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// 404, for every path that is none here; only for those who may ask at all.
pub(super) async fn not_found(_caller: Caller) -> Refused {
    Refused::new(
        StatusCode::NOT_FOUND,
        "no_such_path",
        "There is nothing here: /api/v1/openapi.json says what there is.",
    )
}

/// 405. axum adds the `Allow` field.
pub(super) async fn method_not_allowed(_caller: Caller) -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This path takes another method.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_one_bearer_of_the_request() {
        let of = |fields: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(AUTHORIZATION, http::HeaderValue::from_static(field));
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of(&["Bearer vst_x"]).as_deref(), Some("vst_x"));
        assert_eq!(of(&["bearer  vst_x"]).as_deref(), Some("vst_x"));
        for none in [&[][..], &["vst_x"], &["Basic vst_x"], &["Bearer vst_x", "Bearer vst_x"]] {
            assert_eq!(of(none), None, "{none:?}");
        }
    }
}
