//! The certificates of a TLS listener: read from PEM files with a clear word about what is wrong, chosen by the host a client names,
//! replaced while connections go on. Fetches and renews nothing. Floor: edge.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::settings::CertificateFiles;

/// The certificates of one listener.
#[derive(Debug)]
pub struct Certificates(ArcSwap<Vec<Arc<CertifiedKey>>>);

/// What is wrong with a certificate's files.
#[derive(Debug, thiserror::Error)]
pub enum CertificateMistake {
    /// A listener without any.
    #[error("the listener has no certificate")]
    None,
    /// The file cannot be read, or is not PEM.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// There is no `CERTIFICATE` block in it.
    #[error("{} has no certificate in it", path.display())]
    NoCertificate {
        /// Which file.
        path: PathBuf,
    },
    /// The key is of a kind that TLS cannot use here.
    #[error("the key in {} cannot be used: it has to be RSA, ECDSA (P-256, P-384) or Ed25519", path.display())]
    UnusableKey {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Key and certificate do not belong together.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// Which key.
        key: PathBuf,
        /// Which certificate.
        certificate: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl Certificates {
    /// Reads all files.
    ///
    /// # Errors
    /// With the first file that cannot be used.
    pub fn read(files: &[CertificateFiles]) -> Result<Arc<Self>, CertificateMistake> {
        Ok(Arc::new(Self(ArcSwap::from_pointee(read_all(files)?))))
    }

    /// Reads the files again and puts them in place for new connections. When one cannot be used, all stays as it is.
    ///
    /// # Errors
    /// With the first file that cannot be used.
    pub fn replace(&self, files: &[CertificateFiles]) -> Result<(), CertificateMistake> {
        self.0.store(Arc::new(read_all(files)?));
        Ok(())
    }

    fn for_host(&self, host: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let all = self.0.load();
        let name = host.and_then(|host| ServerName::try_from(host).ok());
        let fitting = name.and_then(|name| all.iter().find(|certified| is_for(certified, &name)));
        fitting.or_else(|| all.first()).cloned()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.for_host(hello.server_name())
    }
}

fn is_for(certified: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = certified.end_entity_cert().and_then(ParsedCertificate::try_from);
    parsed.is_ok_and(|certificate| verify_server_name(&certificate, name).is_ok())
}

fn read_all(files: &[CertificateFiles]) -> Result<Vec<Arc<CertifiedKey>>, CertificateMistake> {
    if files.is_empty() {
        return Err(CertificateMistake::None);
    }
    files.iter().map(|pair| read_one(pair).map(Arc::new)).collect()
}

fn read_one(files: &CertificateFiles) -> Result<CertifiedKey, CertificateMistake> {
    let unreadable = |path: &PathBuf| {
        let path = path.clone();
        move |source| CertificateMistake::Unreadable { path, source }
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .map_err(unreadable(&files.certificate))?
        .collect::<Result<_, _>>()
        .map_err(unreadable(&files.certificate))?;
    if chain.is_empty() {
        return Err(CertificateMistake::NoCertificate { path: files.certificate.clone() });
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    let signer = rustls::crypto::ring::sign::any_supported_type(&key)
        .map_err(|source| CertificateMistake::UnusableKey { path: files.key.clone(), source })?;
    let certified = CertifiedKey::new(chain, signer);
    match certified.keys_match() {
        // `Unknown`: this kind of key cannot tell its public half; the handshake will.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(source) => {
            Err(CertificateMistake::Mismatch { key: files.key.clone(), certificate: files.certificate.clone(), source })
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn file(name: &str, content: &str, folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Made with `openssl req -x509`; two hosts, and a key that belongs to neither.
    pub(crate) fn pair(host: &str, folder: &tempfile::TempDir) -> CertificateFiles {
        let (certificate, key) = (folder.path().join(format!("{host}.crt")), folder.path().join(format!("{host}.key")));
        let made = std::process::Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=x",
            ])
            .arg("-addext")
            .arg(format!("subjectAltName=DNS:{host}"))
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        CertificateFiles { certificate, key }
    }

    #[test]
    fn a_host_gets_its_own_certificate_and_a_stranger_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (pair("a.example", &folder), pair("b.example", &folder));
        let certificates = Certificates::read(&[a.clone(), b.clone()]).unwrap();
        let served = |host| certificates.for_host(host).unwrap().end_entity_cert().unwrap().to_vec();
        let of = |files: &CertificateFiles| CertificateDer::from_pem_file(&files.certificate).unwrap().to_vec();
        assert_eq!(served(Some("a.example")), of(&a));
        assert_eq!(served(Some("b.example")), of(&b));
        assert_eq!(served(Some("c.example")), of(&a));
        assert_eq!(served(None), of(&a));
        certificates.replace(std::slice::from_ref(&b)).unwrap();
        assert_eq!(served(Some("a.example")), of(&b));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (pair("a.example", &folder), pair("b.example", &folder));
        let certificates = Certificates::read(std::slice::from_ref(&a)).unwrap();
        let mixed = CertificateFiles { certificate: a.certificate.clone(), key: b.key.clone() };
        assert!(matches!(certificates.replace(&[mixed]), Err(CertificateMistake::Mismatch { .. })));
        let missing = CertificateFiles { certificate: folder.path().join("none.crt"), key: a.key.clone() };
        let said = Certificates::read(&[missing]).unwrap_err().to_string();
        assert!(said.contains("none.crt"), "{said}");
        let empty = CertificateFiles { certificate: file("empty.crt", "", &folder), key: a.key.clone() };
        assert!(matches!(Certificates::read(&[empty]), Err(CertificateMistake::NoCertificate { .. })));
        let no_key = CertificateFiles { certificate: a.certificate.clone(), key: file("empty.key", "", &folder) };
        assert!(matches!(Certificates::read(&[no_key]), Err(CertificateMistake::Unreadable { .. })));
        assert!(matches!(Certificates::read(&[]), Err(CertificateMistake::None)));
        assert!(certificates.for_host(None).is_some());
    }
}
