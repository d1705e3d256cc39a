//! Tokens of the admin API: made and taken away on the command line only, which is asked nothing. Says nothing of what a token may do: it acts with
//! its role, like any operator. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::admin::operations::{Act, OperationError, Reason, Refusal};
use crate::domain::api_token::{ApiToken, ApiTokenId, ApiTokenName, KnownApiToken};
use crate::domain::audit::AuditEvent;
use crate::domain::operator::OperatorRole;
use crate::domain::time::UnixMillis;
use crate::login::api_tokens::ApiTokens;

/// The longest a token is good: our own choice, so that one that is forgotten somewhere ends by itself.
pub const LONGEST_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The tokens, and what can be done about them.
#[derive(Clone, Debug)]
pub struct Tokens {
    tokens: Arc<dyn ApiTokens>,
}

/// A token as operators read it. Times are RFC 3339 in UTC; what is not there is null.
#[derive(Debug, Serialize)]
pub struct TokenView {
    pub id: String,
    pub name: String,
    /// `helpdesk` or `admin`
    pub role: &'static str,
    pub created_at: String,
    pub expires_at: String,
    /// To the minute.
    pub last_used_at: Option<String>,
    /// It is good for nothing any more.
    pub expired: bool,
}

impl Tokens {
    #[must_use]
    pub fn new(tokens: Arc<dyn ApiTokens>) -> Self {
        Self { tokens }
    }

    /// Makes one. This is the one time it can be seen.
    ///
    /// # Errors
    /// When there is one of this name, expired or not, or the ledger could not tell.
    pub async fn create(
        &self,
        act: &Act,
        name: &ApiTokenName,
        role: OperatorRole,
        life: Duration,
        why: &Reason,
    ) -> Result<(ApiToken, KnownApiToken), OperationError> {
        let token = ApiToken::generate();
        let known = KnownApiToken {
            id: ApiTokenId::random(),
            name: name.clone(),
            role,
            created_at: act.now,
            expires_at: act.now.plus(life.min(LONGEST_LIFE)),
            last_used_at: None,
        };
        let told = Reason::told(&format!("{name} ({}), {role}, until {}: {why}", known.id, known.expires_at));
        let audit = act.record(AuditEvent::ApiTokenCreated, None, Some(&told));
        if self.tokens.create(&known, &token.hash(), &audit).await? {
            Ok((token, known))
        } else {
            Err(Refusal::TokenNameTaken(name.clone()).into())
        }
    }

    /// Takes one away; requests with it are refused from then on, on every node.
    ///
    /// # Errors
    /// When there is none of this name, or the ledger could not tell.
    pub async fn revoke(&self, act: &Act, name: &ApiTokenName, why: &Reason) -> Result<(), OperationError> {
        let audit = act.record(AuditEvent::ApiTokenRevoked, None, Some(&Reason::told(&format!("{name}: {why}"))));
        if self.tokens.revoke(name, &audit).await? { Ok(()) } else { Err(Refusal::NoSuchToken(name.clone()).into()) }
    }

    /// All of them by name.
    ///
    /// # Errors
    /// When the ledger could not tell.
    pub async fn list(&self) -> Result<Vec<KnownApiToken>, OperationError> {
        Ok(self.tokens.all().await?)
    }

    /// The token that a request shows, if it is good.
    ///
    /// # Errors
    /// When the ledger could not tell.
    pub async fn recognise(&self, token: &ApiToken, now: UnixMillis) -> Result<Option<KnownApiToken>, OperationError> {
        Ok(self.tokens.recognise(&token.hash(), now).await?)
    }
}

impl TokenView {
    #[must_use]
    pub fn of(token: &KnownApiToken, now: UnixMillis) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.name.to_string(),
            role: token.role.name(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
            last_used_at: token.last_used_at.map(|at| at.to_string()),
            expired: token.expires_at <= now,
        }
    }
}
