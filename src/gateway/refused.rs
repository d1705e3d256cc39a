//! What is done about a refusal beside answering it: whose site it is for the log, and what only an operator can mend is said there.
//! Refuses nothing. Floor: edge.

use std::sync::Arc;

use super::classify::Refusal;
use super::request_state::RequestState;
use super::settings::SiteSettings;

/// Says in the log what only an operator can mend.
pub(super) fn tell_the_operator(refusal: &Refusal, state: &RequestState) {
    let (request, client) = (state.request_id, state.hop.client);
    match refusal {
        Refusal::Circle(site, _, cause) => {
            let (site, reason) = (site.name.as_str(), cause.name());
            tracing::warn!(%request, site, %client, reason, "a sign-in goes round in a circle");
        }
        Refusal::NoUpstream(site) => tracing::warn!(
            %request,
            site = site.name.as_str(),
            "a request for a site without an upstream: such a site answers other proxies at /.vestibule/verify and passes nothing on"
        ),
        Refusal::Misdirected
        | Refusal::Method
        | Refusal::ToHttps(..)
        | Refusal::NotFound(_)
        | Refusal::Denied(_)
        | Refusal::WebSocket(_)
        | Refusal::ToSignIn(..)
        | Refusal::Unauthorized(..)
        | Refusal::CannotTell(_)
        | Refusal::Unclear(_) => {}
    }
}

/// The site that is refused, where one is known.
pub(super) fn site_of(refusal: &Refusal) -> Option<Arc<SiteSettings>> {
    match refusal {
        Refusal::Misdirected | Refusal::Method => None,
        Refusal::ToHttps(site, _)
        | Refusal::NotFound(site)
        | Refusal::Denied(site)
        | Refusal::WebSocket(site)
        | Refusal::ToSignIn(site, _, _)
        | Refusal::Circle(site, _, _)
        | Refusal::Unauthorized(site, _)
        | Refusal::CannotTell(site)
        | Refusal::Unclear(site)
        | Refusal::NoUpstream(site) => Some(Arc::clone(site)),
    }
}
