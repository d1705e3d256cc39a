//! What PEM files of certificates and keys hold, for listeners and upstreams alike, and for the configuration that checks them before. Opens no
//! file, and checks nobody's certificate against an authority. Floor: edge (pure).

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// What is wrong with a PEM file. `Display` goes on from the name of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemMistake {
    /// No `CERTIFICATE` block.
    #[error("holds no certificate")]
    NoCertificate,
    /// A block that is no certificate, or breaks off.
    #[error("holds something that is no certificate, at place {0}")]
    Unreadable(usize),
    /// A certificate that nobody's can be checked against.
    #[error("holds a certificate that cannot be an authority's, at place {0}")]
    NoAuthority(usize),
    /// No private key, or one of a kind that TLS does not use.
    #[error("holds no private key that can be used")]
    NoKey,
    /// The key of something else.
    #[error("is not the key of the certificate")]
    Mismatch,
}

impl PemMistake {
    /// What would be right, in words.
    #[must_use]
    pub fn right(self) -> &'static str {
        match self {
            Self::NoCertificate | Self::Unreadable(_) => "a PEM file with BEGIN CERTIFICATE and nothing broken",
            Self::NoAuthority(_) => "certificates of authorities",
            Self::NoKey => {
                "a PEM file with BEGIN PRIVATE KEY: RSA, ECDSA (P-256, P-384) or Ed25519, without a pass phrase"
            }
            Self::Mismatch => "the private key of that certificate",
        }
    }
}

/// The certificates in `pem`, in their order.
///
/// # Errors
/// `NoCertificate` and `Unreadable`.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemMistake> {
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        certificates.push(certificate.map_err(|_| PemMistake::Unreadable(certificates.len() + 1))?);
    }
    if certificates.is_empty() { Err(PemMistake::NoCertificate) } else { Ok(certificates) }
}

/// The first private key in `pem`.
///
/// # Errors
/// `NoKey`.
pub fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, PemMistake> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| PemMistake::NoKey)
}

/// A chain, the own certificate first, with its key.
///
/// # Errors
/// `NoKey` and `Mismatch`, both about the key; `Unreadable` when the own certificate is none.
pub fn with_key(chain: Vec<CertificateDer<'static>>, key: &PrivateKeyDer<'_>) -> Result<CertifiedKey, PemMistake> {
    let certified = CertifiedKey::new(chain, any_supported_type(key).map_err(|_| PemMistake::NoKey)?);
    match certified.keys_match() {
        // `Unknown`: this kind of key cannot tell its public half; the handshake will.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(PemMistake::Mismatch),
        Err(_) => Err(PemMistake::Unreadable(1)),
    }
}
