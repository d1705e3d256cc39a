//! `listen`: the addresses requests come in at. Floor: roof.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::node::{Node, Slot};
use super::surroundings::Readers;
use crate::gateway::certificate_validity::Validity;
use crate::gateway::certificates::MOST_PEM_BYTES;
use crate::gateway::pem::{self, PemMistake};

/// One address.
#[derive(Clone, Debug)]
pub struct Listener {
    pub address: SocketAddr,
    /// `None`: plain HTTP.
    pub tls: Option<Tls>,
    /// Answers with a redirect to the site's https URL and does nothing else. Never together with `tls`.
    pub redirect_to_https: bool,
    /// The folder whose `.well-known/acme-challenge/` is served before redirecting. Only together with `redirect_to_https`.
    pub acme_webroot: Option<PathBuf>,
    pub proxy_protocol: ProxyProtocol,
}

/// Whether connections begin with a PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// None does.
    Off,
    /// All do, version 1 or 2, and come from `trusted_proxies`.
    Required,
}

/// Certificates of a TLS listener.
#[derive(Clone, Debug)]
pub struct Tls {
    /// At least one; the first is used when a client names no host or an unknown one.
    pub certificates: Vec<Certificate>,
    /// Whether HTTP/2 is offered besides HTTP/1.1.
    pub http2: bool,
}

/// PEM files, seen to be readable and to hold what they should.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The chain, the host's own certificate first.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// Of the host's own certificate, when the file was read; `None` where it cannot be told.
    pub validity: Option<Validity>,
}

pub(super) fn read(slot: Slot<'_>) -> Listener {
    slot.section(|node| {
        let listener = Listener {
            address: node
                .key("address", "Address and port; 0.0.0.0 or [::] for every address of the machine.")
                .text(64)
                .parsed("an address and a port, such as 0.0.0.0:8443 or \"[::]:8443\"", address)
                .required("127.0.0.1:8080"),
            tls: node.key("tls", "Makes it https://.").maybe_section(read_tls),
            redirect_to_https: node
                .key("redirect_to_https", "Sends browsers to the https:// URL of the site, and does nothing else.")
                .flag()
                .or("off"),
            proxy_protocol: node
                .key(
                    "proxy_protocol",
                    "`required`: every connection begins with a PROXY header (version 1 or 2), before TLS, and the address in it is the client's. \
                     Only trusted_proxies may connect then; what comes without a header is closed.",
                )
                .choice(&[("off", ProxyProtocol::Off), ("required", ProxyProtocol::Required)])
                .or("off"),
            acme_webroot: node
                .key(
                    "acme_webroot",
                    "A folder for certbot and its like: files in its .well-known/acme-challenge/ are answered before the redirect. Only with `redirect_to_https: on`.",
                )
                .path()
                .maybe("/var/lib/acme"),
        };
        check_webroot(node, &listener);
        if listener.tls.is_some() && listener.redirect_to_https {
            node.refuse(
                "redirect_to_https",
                &["tls"],
                "a listener with `tls` is https already",
                "a listener of its own, without `tls`",
            );
        }
        listener
    })
}

pub(super) fn read_tls(node: &Node<'_>) -> Tls {
    Tls {
        certificates: node
            .key(
                "certificates",
                "Which of them is used depends on the host that is asked for; the first is for all others.",
            )
            .list(1, 100, read_certificate)
            .required(""),
        http2: node
            .key("http2", "Offers HTTP/2 besides HTTP/1.1. WebSockets use a connection with HTTP/1.1 of their own. Of uploads that the application does not take yet, 1 MiB a stream and 2 MiB a connection are held at most.")
            .flag()
            .or("on"),
    }
}

fn check_webroot(node: &Node<'_>, listener: &Listener) {
    let Some(webroot) = &listener.acme_webroot else { return };
    if !listener.redirect_to_https {
        node.refuse(
            "acme_webroot",
            &["redirect_to_https"],
            "challenges are answered only by a listener that redirects",
            "`redirect_to_https: on` beside it: certificate authorities ask over plain http, on port 80",
        );
    } else if node.gives("acme_webroot") && !node.is_folder(webroot) {
        let wrong = format!("{} is no folder", webroot.display());
        node.refuse("acme_webroot", &[], wrong, "the path of a folder that is there, such as certbot's --webroot-path");
    }
}

pub(super) fn address(text: String) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| format!("{text:?} is no address with a port"))?;
    if address.port() == 0 { Err("nobody finds port 0".to_owned()) } else { Ok(address) }
}

fn read_certificate(slot: Slot<'_>) -> Certificate {
    slot.section(|node| {
        let mut certificate = Certificate {
            validity: None,
            certificate: node
                .key("certificate", "PEM file with the chain, the host's own certificate first.")
                .path()
                .required("/etc/vestibule/tls.crt"),
            key: node
                .key("key", "PEM file with its private key, which nobody else can read.")
                .path()
                .required("/etc/vestibule/tls.key"),
        };
        let chain = chain_in(node, &certificate.certificate);
        certificate.validity = chain.as_deref().and_then(|chain| Validity::of(chain.first()?));
        let key = key_in(node, &certificate.key);
        if let (Some(chain), Some(key)) = (chain, key)
            && let Err(mistake) = pem::with_key(chain, &key)
        {
            let with = if mistake == PemMistake::Mismatch { &["certificate"][..] } else { &[] };
            let path = if key_is_at_fault(mistake) { &certificate.key } else { &certificate.certificate };
            refuse(node, mistake, path, with);
        }
        certificate
    })
}

fn chain_in(node: &Node<'_>, path: &Path) -> Option<Vec<CertificateDer<'static>>> {
    let content = node.gives("certificate").then(|| node.content("certificate", path, MOST_PEM_BYTES))??;
    pem::certificates(&content.bytes).map_err(|mistake| refuse(node, mistake, path, &[])).ok()
}

fn key_in(node: &Node<'_>, path: &Path) -> Option<PrivateKeyDer<'static>> {
    let content = node.gives("key").then(|| node.content("key", path, MOST_PEM_BYTES))??;
    if content.readers == Readers::Others {
        let right = format!("a file that only its owner can read: chmod 600 {}", path.display());
        node.refuse("key", &[], format!("others can read {}", path.display()), right);
    }
    pem::key(&content.bytes).map_err(|mistake| refuse(node, mistake, path, &[])).ok()
}

fn key_is_at_fault(mistake: PemMistake) -> bool {
    match mistake {
        PemMistake::NoKey | PemMistake::Mismatch => true,
        PemMistake::NoCertificate | PemMistake::Unreadable(_) | PemMistake::NoAuthority(_) => false,
    }
}

fn refuse(node: &Node<'_>, mistake: PemMistake, path: &Path, with: &[&str]) {
    let key = if key_is_at_fault(mistake) { "key" } else { "certificate" };
    node.refuse(key, with, format!("{} {mistake}", path.display()), mistake.right());
}
