//! What the gateway knows about a request and hands to the portal's handlers, as one request extension.
//! Says nothing about who is signed in: handlers ask for that themselves. Floor: web.

use std::net::IpAddr;

use super::origin::Origin;
use super::request_id::RequestId;
use crate::domain::site::SiteName;

/// One request as seen at the edge. Put into the request's extensions by the bridge; a handler that finds none was not
/// called by the gateway and has to refuse.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Shown on pages and written in the log.
    pub request_id: RequestId,
    /// Who asks: the connection's peer, or what a trusted proxy said.
    pub client_address: IpAddr,
    /// The site whose host was asked for.
    pub site: SiteName,
    /// That site's origin: what links, redirects, `Origin` checks and cookies go by.
    pub origin: Origin,
}
