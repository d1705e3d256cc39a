//! What is known of one request while it lasts: filled in by one phase, read by later ones. Floor: edge.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use pingora::{Error, ErrorType};

use super::admission::Admission;
use super::answers::Addressee;
use super::classify::{Asker, Passage};
use super::handle::{Current, GatewayHandle, UnderWay};
use super::headers::request::{Hop, PeerTrust};
use super::settings::SiteSettings;
use super::stream_end::OpenStream;
use super::upstreams::Chosen;
use crate::web::request_id::RequestId;

/// What is known of one request while it lasts.
pub struct RequestState {
    pub(super) current: Arc<Current>,
    pub(super) request_id: RequestId,
    pub(super) started: Instant,
    pub(super) hop: Hop,
    pub(super) asker: Asker,
    pub(super) site: Option<Arc<SiteSettings>>,
    /// `None`: the request must not reach an upstream.
    pub(super) passage: Option<Passage>,
    pub(super) chosen: Option<Chosen>,
    pub(super) failed_connections: u32,
    pub(super) renewed_cookie: Option<HeaderValue>,
    /// For the log: why the gateway answered itself, or what failed.
    pub(super) reason: Option<&'static str>,
    /// Told of every piece of a body; `None` until a session's stream is open.
    pub(super) stream: Option<Arc<OpenStream>>,
    _under_way: UnderWay,
}

impl RequestState {
    /// A request of which nothing is known yet; it admits nobody.
    pub(super) fn new(handle: &GatewayHandle) -> Self {
        let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self {
            current: handle.current(),
            request_id: RequestId::fresh(),
            started: Instant::now(),
            hop: Hop { peer: nobody, client: nobody, peer_trust: PeerTrust::Untrusted },
            asker: Asker::Program,
            site: None,
            passage: None,
            chosen: None,
            failed_connections: 0,
            renewed_cookie: None,
            reason: None,
            stream: None,
            _under_way: handle.begin(),
        }
    }

    pub(super) fn admission(&self) -> Option<&Admission> {
        self.passage.as_ref().map(|passage| &passage.admission)
    }

    pub(super) fn addressee(&self) -> Addressee<'_> {
        Addressee { asker: self.asker, request_id: self.request_id, site: self.site.as_deref() }
    }

    /// Asked with every piece of a body: `Err` when the session it flows for has ended.
    pub(super) fn flows(&mut self) -> pingora::Result<()> {
        match self.stream.as_ref().and_then(|stream| stream.flows()) {
            None => Ok(()),
            Some(end) => {
                self.reason = Some(end.name());
                Error::e_explain(
                    ErrorType::CustomCode(end.name(), end.status().as_u16()),
                    "a stream of a session is over",
                )
            }
        }
    }
}

impl fmt::Debug for RequestState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestState")
            .field("request_id", &self.request_id)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
