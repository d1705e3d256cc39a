//! `listen`: the addresses requests come in at. Floor: roof.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::node::{Node, Slot};
use super::surroundings::Readers;

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

/// Largest file with a chain or a key.
const MOST_PEM_BYTES: u64 = 256 * 1024;

pub(super) fn read(slot: Slot<'_>) -> Listener {
    slot.section(|node| {
        let listener = Listener {
            address: node
                .key("address", "Address and port; 0.0.0.0 or [::] for every address of the machine.")
                .text(64)
                .parsed("an address and a port, such as 0.0.0.0:8443 or \"[::]:8443\"", address)
                .required("127.0.0.1:8080"),
            tls: node.key("tls", "Makes it https://.").maybe_section(|node| Tls {
                certificates: node
                    .key(
                        "certificates",
                        "Which of them is used depends on the host that is asked for; the first is for all others.",
                    )
                    .list(1, 100, read_certificate)
                    .required(""),
            }),
            redirect_to_https: node
                .key("redirect_to_https", "Sends browsers to the https:// URL of the site, and does nothing else.")
                .flag()
                .or("off"),
        };
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

fn address(text: String) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| format!("{text:?} is no address with a port"))?;
    if address.port() == 0 { Err("nobody finds port 0".to_owned()) } else { Ok(address) }
}

fn read_certificate(slot: Slot<'_>) -> Certificate {
    slot.section(|node| {
        let certificate = Certificate {
            certificate: node
                .key("certificate", "PEM file with the chain, the host's own certificate first.")
                .path()
                .required("/etc/vestibule/tls.crt"),
            key: node
                .key("key", "PEM file with its private key, which nobody else can read.")
                .path()
                .required("/etc/vestibule/tls.key"),
        };
        check_chain(node, &certificate.certificate);
        check_key(node, &certificate.key);
        certificate
    })
}

fn check_chain(node: &Node<'_>, path: &Path) {
    if !node.gives("certificate") {
        return;
    }
    let Some(content) = node.content("certificate", path, MOST_PEM_BYTES) else { return };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content.bytes).collect();
    if chain.is_ok_and(|chain| !chain.is_empty()) {
        return;
    }
    node.refuse(
        "certificate",
        &[],
        format!("{} holds no certificate", path.display()),
        "a PEM file with BEGIN CERTIFICATE",
    );
}

fn check_key(node: &Node<'_>, path: &Path) {
    if !node.gives("key") {
        return;
    }
    let Some(content) = node.content("key", path, MOST_PEM_BYTES) else { return };
    if PrivateKeyDer::from_pem_slice(&content.bytes).is_err() {
        node.refuse(
            "key",
            &[],
            format!("{} holds no private key", path.display()),
            "a PEM file with BEGIN PRIVATE KEY",
        );
    }
    if content.readers == Readers::Others {
        node.refuse(
            "key",
            &[],
            format!("others can read {}", path.display()),
            format!("a file that only its owner can read: chmod 600 {}", path.display()),
        );
    }
}
