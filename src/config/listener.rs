//! `listen`: the addresses requests come in at. Floor: roof.

use std::net::SocketAddr;
use std::path::PathBuf;

/// One address.
#[derive(Clone, Debug)]
pub struct Listener {
    pub address: SocketAddr,
    /// `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// Answers with a redirect to the site's https URL and does nothing else. Never together with `tls`.
    pub redirect_to_https: bool,
}

/// Certificates of a TLS listener.
#[derive(Clone, Debug)]
pub struct Tls {
    /// At least one; the first is used when a client names no host or an unknown one.
    pub certificates: Vec<Certificate>,
}

/// PEM files, seen to be readable and to hold what they should.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The chain, the host's own certificate first.
    pub certificate: PathBuf,
    pub key: PathBuf,
}
