//! What the gateway has to be told: plain values that `app` fills from the configuration.
//! Checks nothing: the configuration did. Floor: edge.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::route_rules::{RouteRules, UpstreamName};
use super::upstreams::settings::UpstreamSettings;
use crate::domain::network::Networks;
use crate::domain::secret::SecretText;
use crate::domain::site::SiteName;
use crate::web::client_address::ForwardingHeader;
use crate::web::origin::{Origin, Scheme};

/// Everything that can change at a reload.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// At least one.
    pub sites: Vec<Arc<SiteSettings>>,
    /// All that sites and rules name.
    pub upstreams: Vec<UpstreamSettings>,
    /// Whose word about who asks is believed.
    pub trusted_proxies: Networks,
    /// The header they say it in.
    pub forwarding_header: ForwardingHeader,
    /// Sizes of requests.
    pub limits: RequestLimits,
    /// How long downstream may take.
    pub timeouts: DownstreamTimeouts,
    /// How many connections there may be.
    pub connections: ConnectionLimits,
    /// Whether each request is logged in one line.
    pub access_log: AccessLog,
    /// Who may read what is counted.
    pub metrics: MetricsAccess,
}

/// Who may read what is counted, at the operators' listener. Both have to hold.
#[derive(Clone, Debug)]
pub struct MetricsAccess {
    /// Whoever asks is in one of these.
    pub networks: Networks,
    /// The bearer token that is shown; `None`: none is needed.
    pub token: Option<SecretText>,
}

/// Whether each request is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// One line a request, at level info.
    On,
    /// None.
    Off,
}

/// One application at one URL.
#[derive(Clone, Debug)]
pub struct SiteSettings {
    /// Part of every session.
    pub name: SiteName,
    /// What browsers call it.
    pub origin: Origin,
    /// Which requests need what.
    pub rules: RouteRules,
    /// Where requests go that no rule sends elsewhere; `None`: nowhere, another proxy asks about them.
    pub upstream: Option<UpstreamName>,
    /// The headers that tell the upstream who the user is.
    pub identity: IdentityHeaders,
    /// What browsers that come over https are told about coming over https ever after; `None`: nothing.
    pub strict_transport: Option<StrictTransport>,
}

impl SiteSettings {
    /// What an answer says about https to a browser that came over `scheme`: nothing over plain http (RFC 6797 §7.2).
    #[must_use]
    pub fn hsts(&self, scheme: Scheme) -> Option<&StrictTransport> {
        match scheme {
            Scheme::Https => self.strict_transport.as_ref(),
            Scheme::Http => None,
        }
    }
}

/// A value of `Strict-Transport-Security` (RFC 6797 §6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrictTransport(HeaderValue);

impl StrictTransport {
    /// Remembered for `max_age`, in whole seconds; zero makes browsers forget.
    #[must_use]
    pub fn new(max_age: Duration, include_subdomains: bool) -> Self {
        let subdomains = if include_subdomains { "; includeSubDomains" } else { "" };
        let value = HeaderValue::try_from(format!("max-age={}{subdomains}", max_age.as_secs()));
        Self(value.expect("digits and letters are a field value"))
    }

    /// The value of the field.
    #[must_use]
    pub fn value(&self) -> &HeaderValue {
        &self.0
    }
}

/// Names of the headers that carry the identity; `None`: not sent. Whatever is sent, none of them passes from downstream.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    /// The user name; by default `X-Forwarded-User`.
    pub user: HeaderName,
    /// The e-mail address, if the account has one.
    pub email: Option<HeaderName>,
    /// The person's name, if the account has one, else the user name.
    pub preferred_username: Option<HeaderName>,
    /// The session's id, which is not the cookie; by default `X-Vestibule-Session`.
    pub session: Option<HeaderName>,
    /// The signed assertion; [`ASSERTION`], or not sent.
    pub assertion: Option<HeaderName>,
}

/// Carries the signed assertion.
pub const ASSERTION: HeaderName = HeaderName::from_static("x-vestibule-assertion");

impl IdentityHeaders {
    /// The names of the documentation: user and session only.
    #[must_use]
    pub fn usual() -> Self {
        Self {
            user: HeaderName::from_static("x-forwarded-user"),
            email: None,
            preferred_username: None,
            session: Some(HeaderName::from_static("x-vestibule-session")),
            assertion: None,
        }
    }
}

/// Sizes of requests.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// Bytes of the whole head; beyond: 431.
    pub head_bytes: usize,
    /// Header fields; beyond: 431.
    pub fields: usize,
    /// Bytes of the request target; beyond: 414.
    pub target_bytes: usize,
    /// Bytes of a body sent to our own pages; beyond: 413.
    pub portal_body_bytes: usize,
}

impl Default for RequestLimits {
    /// security H8; the target is what RFC 9112 §3 asks for at least, rounded up.
    fn default() -> Self {
        Self { head_bytes: 32 * 1024, fields: 100, target_bytes: 8192, portal_body_bytes: 16 * 1024 }
    }
}

/// How many connections there may be at a time.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Of everybody together.
    pub total: usize,
    /// Of one network (IPv4 /32, IPv6 /64) that is no trusted proxy.
    pub per_network: usize,
}

impl Default for ConnectionLimits {
    /// security H8 for the total; a whole office may stand behind one address, with some connections for each person (design §9).
    fn default() -> Self {
        Self { total: 10_000, per_network: 2000 }
    }
}

/// How long downstream may take.
#[derive(Clone, Copy, Debug)]
pub struct DownstreamTimeouts {
    /// To send the head of a request, from its first byte to its last.
    pub head: Duration,
    /// How long a connection may wait for a request, the first one and every further one.
    pub keepalive: Duration,
    /// Between two reads of a request body.
    pub read: Duration,
    /// To take a piece of the answer.
    pub write: Duration,
    /// To send the whole body of a request to our own pages.
    pub portal_body: Duration,
    /// To send the whole body of a request that goes on without a session.
    pub public_body: Duration,
}

impl Default for DownstreamTimeouts {
    /// Our own choice; `head` and `portal_body` are security H8.
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            keepalive: Duration::from_secs(60),
            read: Duration::from_secs(60),
            write: Duration::from_secs(30),
            portal_body: Duration::from_secs(10),
            public_body: Duration::from_secs(300),
        }
    }
}

/// What stays the same while the process lives.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// At least one.
    pub listeners: Vec<ListenerSettings>,
    /// Where operators come in; `None`: nowhere.
    pub operators: Option<ListenerSettings>,
    /// Worker threads; `None`: as many as there are cores.
    pub threads: Option<usize>,
    /// How long requests may take to finish after TERM. Whole seconds.
    pub drain: Duration,
    /// The socket over which a new process takes the listening sockets over.
    pub upgrade_socket: PathBuf,
    /// Whether this process takes the sockets of a running one over.
    pub start: Start,
    /// Connections to upstreams that each service keeps without a request.
    pub kept_upstream_connections: usize,
}

/// Where the listening sockets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Opened by this process.
    Fresh,
    /// Handed over by the process that runs now.
    TakeOver,
}

/// One address requests come in at.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// The address.
    pub address: SocketAddr,
    /// How it speaks and what for.
    pub purpose: ListenerPurpose,
    /// Whether each connection begins with a PROXY header.
    pub proxy_protocol: ProxyProtocolUse,
}

/// Whether the connections of a listener begin with a PROXY header. It is never guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyProtocolUse {
    /// None does.
    Off,
    /// All do, and only `trusted_proxies` may connect; a connection without is closed.
    Required,
}

/// What a listener is for.
#[derive(Clone, Debug)]
pub enum ListenerPurpose {
    /// The sites, without TLS: behind a trusted proxy, or on loopback.
    Plain,
    /// The sites, with TLS.
    Tls(TlsListener),
    /// Only a redirect to the site's https URL (and the probes).
    RedirectToHttps {
        /// Where answers to the challenges of a certificate authority are found; `None`: they are redirected like all else.
        acme_webroot: Option<PathBuf>,
    },
}

/// What is done at a listener, however its connections come in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListenerTask {
    /// The sites are served.
    Sites,
    /// The operators' pages are served, and no site.
    Operators,
    /// Requests are redirected to https, and challenges answered where there is a folder for them.
    RedirectToHttps {
        /// As in [`ListenerPurpose::RedirectToHttps`].
        acme_webroot: Option<PathBuf>,
    },
}

/// How a listener does TLS. Versions 1.2 and 1.3; that is not the operator's to choose.
#[derive(Clone, Debug)]
pub struct TlsListener {
    /// At least one; the first is used when a client names no host or an unknown one.
    pub certificates: Vec<CertificateFiles>,
    /// Whether a client may choose HTTP/2 (ALPN).
    pub http2: Http2,
}

/// Whether HTTP/2 is offered besides HTTP/1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http2 {
    /// It is, and preferred.
    Offered,
    /// HTTP/1.1 only.
    Off,
}

/// PEM files of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the host's own certificate first.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}
