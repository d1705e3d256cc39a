//! Certificates between us and upstreams: whose are believed, and the one we show. Made from PEM; what exists can be used, because pingora
//! panics at what cannot. Opens no file. Floor: edge.

use std::fmt;
use std::sync::Arc;

use pingora::protocols::tls::CaType;
use pingora::utils::tls::{CertKey, WrappedX509, parse_x509};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::domain::secret::SecretBytes;
use crate::gateway::pem::{self, PemMistake};

/// The authorities whose certificates are believed; at least one.
#[derive(Clone)]
pub struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    for_pingora: Arc<CaType>,
}

/// Our own certificate with its key.
#[derive(Clone)]
pub struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: SecretBytes,
    for_pingora: Arc<CertKey>,
}

impl Authorities {
    /// From a PEM file with one certificate or more.
    ///
    /// # Errors
    /// When there is none, or one that cannot be used.
    pub fn from_pem(pem: &[u8]) -> Result<Self, PemMistake> {
        let certificates = certificates(pem)?;
        let mut store = RootCertStore::empty();
        for (index, certificate) in certificates.iter().enumerate() {
            store.add(certificate.clone()).map_err(|_| PemMistake::NoAuthority(index + 1))?;
        }
        let for_pingora = certificates.iter().map(|der| WrappedX509::new(der.to_vec(), parse_x509)).collect();
        Ok(Self { certificates, for_pingora })
    }

    pub(super) fn for_pingora(&self) -> Arc<CaType> {
        Arc::clone(&self.for_pingora)
    }
}

impl ClientCertificate {
    /// From a PEM file with the chain, our own certificate first, and one with its key.
    ///
    /// # Errors
    /// When one of them cannot be used, or they do not belong together. `NoKey` and `Mismatch` are about the key's file.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, PemMistake> {
        let chain = certificates(chain)?;
        let key = pem::key(key)?;
        pem::with_key(chain.clone(), &key)?;
        let der = key.secret_der().to_vec();
        // pingora looks at the bytes again to find out which form they have, and panics when it cannot
        PrivateKeyDer::try_from(der.as_slice()).map_err(|_| PemMistake::NoKey)?;
        let for_pingora = CertKey::new(chain.iter().map(|der| der.to_vec()).collect(), der.clone());
        Ok(Self { chain, key: SecretBytes::new(der), for_pingora: Arc::new(for_pingora) })
    }

    pub(super) fn for_pingora(&self) -> Arc<CertKey> {
        Arc::clone(&self.for_pingora)
    }
}

/// Those that pingora can read as well.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemMistake> {
    let certificates = pem::certificates(pem)?;
    let is_readable = |certificate: &CertificateDer<'_>| X509Certificate::from_der(certificate).is_ok();
    match certificates.iter().position(|certificate| !is_readable(certificate)) {
        Some(index) => Err(PemMistake::Unreadable(index + 1)),
        None => Ok(certificates),
    }
}

impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.certificates == other.certificates
    }
}

impl Eq for Authorities {}

impl PartialEq for ClientCertificate {
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain && self.key == other.key
    }
}

impl Eq for ClientCertificate {}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({})", self.certificates.len())
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientCertificate(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &[u8] = include_bytes!("../../config/tests/certificate.pem");
    const KEY: &[u8] = include_bytes!("../../config/tests/key.pem");
    const OTHER_KEY: &[u8] = include_bytes!("../../config/tests/other-key.pem");
    const BROKEN: &[u8] = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    #[test]
    fn what_cannot_be_used_is_said_before_pingora_panics_at_it() {
        assert!(Authorities::from_pem(CERTIFICATE).is_ok());
        assert_eq!(Authorities::from_pem(b"").unwrap_err(), PemMistake::NoCertificate);
        assert_eq!(Authorities::from_pem(KEY).unwrap_err(), PemMistake::NoCertificate);
        assert_eq!(Authorities::from_pem(BROKEN).unwrap_err(), PemMistake::Unreadable(1));
        let two = [CERTIFICATE, BROKEN].concat();
        assert_eq!(Authorities::from_pem(&two).unwrap_err(), PemMistake::Unreadable(2));
        assert!(ClientCertificate::from_pem(CERTIFICATE, KEY).is_ok());
        assert_eq!(ClientCertificate::from_pem(CERTIFICATE, CERTIFICATE).unwrap_err(), PemMistake::NoKey);
        assert_eq!(ClientCertificate::from_pem(CERTIFICATE, OTHER_KEY).unwrap_err(), PemMistake::Mismatch);
    }

    #[test]
    fn equal_is_what_holds_the_same_bytes() {
        let read = || ClientCertificate::from_pem(CERTIFICATE, KEY).unwrap();
        assert_eq!(read(), read());
        assert_eq!(Authorities::from_pem(CERTIFICATE), Authorities::from_pem(CERTIFICATE));
        let two = [CERTIFICATE, CERTIFICATE].concat();
        assert_ne!(Authorities::from_pem(CERTIFICATE), Authorities::from_pem(&two));
        assert!(!format!("{:?}", read()).contains("key"));
    }
}
