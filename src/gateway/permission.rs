//! The answer to another proxy that asks about a request: it may go on, as whom, or why not. What is decided is `verify`'s. Floor: edge.

use pingora::proxy::Session;
use pingora::{Error, ErrorType, Result};

use super::answers::Answer;
use super::classify::Asker;
use super::headers::identity::Identity;
use super::headers::response;
use super::proxy;
use super::refused;
use super::request_state::RequestState;
use super::verify::{Reader, Verification};

/// Tells another proxy whether its request may go on, and as whom.
///
/// # Errors
/// When the client is gone, or the identity cannot be put into a field.
pub(super) async fn send(session: &mut Session, state: &mut RequestState, verification: Verification) -> Result<()> {
    state.asker = match verification.reader {
        Reader::Browser => verification.asker,
        Reader::Proxy => Asker::Program,
    };
    state.site = verification.site.clone();
    state.original = Some(verification.original.clone().unwrap_or_else(|unsaid| format!("({})", unsaid.name())));
    let (site, admission) = match (&verification.site, &verification.outcome) {
        (Some(site), Ok(admission)) => (site, admission),
        (_, Err(refusal)) => {
            refused::tell_the_operator(refusal, state);
            return proxy::answer(session, state, Answer::to_verification(refusal, &verification)).await;
        }
        (None, Ok(_)) => return Error::e_explain(ErrorType::HTTPStatus(500), "an admission to no site"),
    };
    state.user = admission.session().map(|session| session.user_name.as_str().to_owned());
    let identity = admission.session().map(|session| Identity { session, assertion: state.assertion.as_ref() });
    let mut head = response::permission(&site.identity, identity.as_ref())?;
    head.insert_header("X-Request-Id", state.request_id.to_string())?;
    if let Some(cookie) = state.renewed_cookie.take() {
        response::add_cookie(&mut head, cookie)?;
    }
    session.write_response_header(Box::new(head), true).await
}
