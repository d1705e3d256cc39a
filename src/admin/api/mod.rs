//! The admin API: what the command line and the operators' pages do, for programs with a bearer token. One table (`endpoints`) makes both the router
//! and the OpenAPI document. No cookie is ever looked at, so there are no forms to forge; no password is ever taken. Floor: edge.

mod accounts;
mod bodies;
mod caller;
mod cursor;
mod deeds;
mod document;
mod endpoints;
mod installation;
mod problem;
mod shapes;

use std::sync::Arc;

use axum::Router;
use axum::middleware;

use crate::admin::operations::Operations;
use crate::admin::tokens::Tokens;
use crate::login::Login;

pub use document::document;

/// Where all of it is, on the operators' host.
pub const PREFIX: &str = "/api/";

/// What the handlers share.
#[derive(Debug)]
struct Desk {
    /// Of the operators' door: its network limits, its clock, and the sessions that a change ends.
    login: Arc<Login>,
    operations: Operations,
    tokens: Tokens,
}

/// The API. `login` is the one that lets operators in.
pub fn router(login: Arc<Login>, operations: Operations, tokens: Tokens) -> Router {
    let mut router = Router::new();
    for endpoint in endpoints::ENDPOINTS {
        router = router.route(endpoint.path, (endpoint.handler)());
    }
    router
        .method_not_allowed_fallback(caller::method_not_allowed)
        .fallback(caller::not_found)
        .layer(middleware::from_fn(problem::finish))
        .with_state(Arc::new(Desk { login, operations, tokens }))
}
