//! What users do: one URL table, steps, answers. Each handler turns a form into a step of `login` and its outcome into a page or a redirect.
//!
//! Decides nothing about who may do what: `login` does. Answers only what the gateway has put a `RequestContext` to. Floor: edge.

mod account;
mod account_number;
mod account_password;
mod assets;
mod code;
mod key_set;
mod login;
mod logout;
mod new_password;
mod phone;
mod session;
mod visit;

#[cfg(test)]
mod fakes;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

use crate::domain::site::SiteName;
use crate::login::Login;
use crate::pages::look::SiteLook;
use crate::web::paths;

/// What the handlers share.
#[derive(Debug)]
pub(crate) struct Portal {
    login: Arc<Login>,
    looks: HashMap<SiteName, Arc<SiteLook>>,
    /// The sites whose upstreams get a signed assertion.
    asserting: HashSet<SiteName>,
}

/// Every page under `/.vestibule/` that this room serves; whatever else is there is not found, and never anybody else's.
///
/// `looks` has one for every site whose name a `RequestContext` can carry; `asserting` names those that publish a key set.
pub fn router(login: Arc<Login>, looks: HashMap<SiteName, Arc<SiteLook>>, asserting: HashSet<SiteName>) -> Router {
    guarded(pages(), Arc::new(Portal { login, looks, asserting }))
}

/// The URL table.
fn pages() -> Router<Arc<Portal>> {
    Router::new()
        .route(paths::LOGIN, get(login::show).post(login::submit))
        .route(paths::PHONE, get(phone::show).post(phone::submit))
        .route(paths::CODE, get(code::show).post(code::submit))
        .route(paths::NEW_PASSWORD, get(new_password::show).post(new_password::submit))
        .route(paths::RESEND, post(code::resend))
        .route(paths::LOGOUT, get(logout::ask).post(logout::submit))
        .route(paths::ACCOUNT, get(account::show))
        .route(paths::ACCOUNT_END, post(account::end))
        .route(paths::ACCOUNT_END_OTHERS, post(account::end_others))
        .route(paths::ACCOUNT_PASSWORD, get(account_password::show).post(account_password::submit))
        .route(paths::ACCOUNT_PHONE, get(account_number::show).post(account_number::begin))
        .route(paths::ACCOUNT_PHONE_CODE, post(account_number::submit_code))
        .route(paths::ACCOUNT_PHONE_RESEND, post(account_number::resend))
        .route(paths::ACCOUNT_PHONE_NUMBER, get(account_number::show_number).post(account_number::submit_number))
        .route(paths::SESSION, get(session::show))
        .route(paths::JWKS, get(key_set::show))
        .route(&format!("{}{{name}}", paths::ASSETS), get(assets::show))
        .method_not_allowed_fallback(visit::method_not_allowed)
        .fallback(visit::not_found)
}

/// What happens around every page.
fn guarded(pages: Router<Arc<Portal>>, portal: Arc<Portal>) -> Router {
    pages
        .layer(middleware::from_fn_with_state(Arc::clone(&portal), visit::choose_language))
        .layer(middleware::from_fn_with_state(Arc::clone(&portal), visit::catch_panic))
        .with_state(portal)
}
