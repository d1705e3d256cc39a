//! One line for each request: what was asked, what came of it, how long it took. One that was cut because its session ended says so.
//! Never a query string, a cookie, a header's value or a body. Floor: edge.

use std::net::IpAddr;
use std::time::Duration;

use crate::web::request_id::RequestId;

/// What the line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A request that ran to its end, or failed.
    Request,
    /// One that was cut; also written where requests are not.
    StreamCut,
}

impl Line {
    fn message(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::StreamCut => "stream cut",
        }
    }
}

/// What the line says.
#[derive(Clone, Debug)]
pub struct AccessLine<'a> {
    /// Also on the page or in the document that was sent.
    pub request_id: RequestId,
    /// The site, when the host was one's.
    pub site: Option<&'a str>,
    /// Who asked.
    pub client: IpAddr,
    /// As it came.
    pub method: &'a str,
    /// Without the query.
    pub path: &'a str,
    /// Method and path that another proxy asked about, without the query; in brackets, why they are not known.
    pub original: Option<&'a str>,
    /// What was sent; `None` when the client was gone before.
    pub status: Option<u16>,
    /// Bytes of the answer's body.
    pub bytes: usize,
    /// From the head of the request to the end of the answer.
    pub duration: Duration,
    /// The user name, when somebody is signed in.
    pub user: Option<&'a str>,
    /// The upstream that was asked.
    pub upstream: Option<&'a str>,
    /// Why the gateway answered itself (`sign_in_required`), or what failed.
    pub reason: Option<&'a str>,
}

impl AccessLine<'_> {
    /// Writes the line.
    pub fn write(&self, line: Line) {
        tracing::info!(
            target: "vestibule::access",
            request = %self.request_id,
            site = self.site,
            client = %self.client,
            method = self.method,
            path = self.path,
            original = self.original,
            status = self.status,
            bytes = self.bytes,
            duration_ms = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
            user = self.user,
            upstream = self.upstream,
            reason = self.reason,
            "{}",
            line.message()
        );
    }
}
