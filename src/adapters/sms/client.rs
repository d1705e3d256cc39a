//! The HTTP client for one vendor: certificates verified against the public roots (and the house's own), no redirects, no proxies from the
//! environment, no reused connections, no way to the machine's own metadata. Knows nothing of messages. Floor: edge.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};

use super::check::is_refused;
use super::description::Description;

/// The client could not be made. All of it is known at start.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("ca_file {path} cannot be read")]
    CaFile { path: PathBuf, source: pem::Error },
    #[error("ca_file {path} holds no certificate (PEM)")]
    NoCertificate { path: PathBuf },
    #[error("ca_file {path} holds a certificate that is none")]
    Certificate { path: PathBuf, source: rustls::Error },
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

pub(super) fn client(description: &Description) -> Result<reqwest::Client, ClientError> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls(description.ca_file.as_deref())?)
        .dns_resolver(GuardedResolver)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .user_agent(concat!("vestibule/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        // a vendor that closes an idle connection while we write on it leaves a message that may or may not have been sent;
        // a handshake for each SMS costs a tenth of a second and no such doubt
        .pool_max_idle_per_host(0)
        .connect_timeout(description.connect_timeout)
        .timeout(description.timeout)
        .build()
        .map_err(ClientError::Client)
}

fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add_certificates(&mut roots, path)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ClientError::Tls)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn add_certificates(roots: &mut RootCertStore, path: &Path) -> Result<(), ClientError> {
    let unreadable = |source| ClientError::CaFile { path: path.to_owned(), source };
    let mut is_empty = true;
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        let added = roots.add(certificate.map_err(unreadable)?);
        added.map_err(|source| ClientError::Certificate { path: path.to_owned(), source })?;
        is_empty = false;
    }
    if is_empty { Err(ClientError::NoCertificate { path: path.to_owned() }) } else { Ok(()) }
}

/// The system's resolver, without the addresses that no vendor has: a name can point anywhere, at any time.
struct GuardedResolver;

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| !is_refused(address.ip())).collect();
            if allowed.is_empty() {
                return Err("the name has no address that may be asked".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
