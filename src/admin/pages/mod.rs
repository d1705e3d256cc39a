//! The operators' pages: find an account, see how it stands, help. Server-rendered, without a script. Each handler turns a form into one of the
//! operations that the command line has too; whether an operator may is asked there, and shown here. Floor: edge.

mod account;
mod add;
mod audit;
mod deed;
mod deed_words;
mod installation;
mod rehearsal;
mod search;
mod sms;
mod visit;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::admin::operations::Operations;
use crate::admin::sms::SentSms;
use crate::login::Login;
use crate::pages::look::SiteLook;

/// What the handlers share.
#[derive(Debug)]
struct Desk {
    login: Arc<Login>,
    operations: Operations,
    sms: SentSms,
    look: Arc<SiteLook>,
}

/// The operators' pages. Signing in and out is the portal's, at our prefix on the same host; `login` is the one that lets operators in.
pub fn router(login: Arc<Login>, operations: Operations, sms: SentSms, look: Arc<SiteLook>) -> Router {
    Router::new()
        .route("/", get(search::show))
        .route("/add", get(add::ask).post(add::submit))
        .route("/accounts/{name}", get(account::show))
        .route("/accounts/{name}/{deed}", get(deed::ask).post(deed::submit))
        .route("/operators", get(installation::operators))
        .route("/sms", get(sms::show))
        .route("/sms/open-prefix", get(sms::ask_open).post(sms::open))
        .route("/audit", get(audit::show))
        .route("/two-factor", get(installation::two_factor))
        .route("/two-factor/activate", get(installation::ask_activate).post(installation::activate))
        .route("/sign-in-again", get(visit::ask_again).post(visit::again))
        .method_not_allowed_fallback(visit::method_not_allowed)
        .fallback(visit::not_found)
        .with_state(Arc::new(Desk { login, operations, sms, look }))
}
