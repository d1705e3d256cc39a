//! The certificates of a TLS listener: read from PEM files with a clear word about what is wrong, chosen by the host a client names,
//! replaced one by one while connections go on. When to look at the files again is `certificate_watch`'s. Floor: edge.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::bounded_file::{self, Accepted};
use super::certificate_validity::Validity;
use super::pem::{self, PemMistake};
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
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it cannot be used.
    #[error("{} {mistake}: {} is needed", path.display(), mistake.right())]
    Pem {
        /// Which file.
        path: PathBuf,
        /// Why.
        mistake: PemMistake,
    },
}

/// A pair of files that was read and can be used.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    /// `None` where it cannot be told.
    pub(super) validity: Option<Validity>,
}

/// What stands in a pair of files, before it is known to be any good.
pub(super) struct PairBytes {
    certificate: Zeroizing<Vec<u8>>,
    key: Zeroizing<Vec<u8>>,
}

/// Largest file with a chain or a key.
pub const MOST_PEM_BYTES: u64 = 256 * 1024;

impl Certificates {
    /// The pairs of one listener, the first for hosts that no other is for.
    pub(super) fn new(pairs: &[Pair]) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(pairs.iter().map(|pair| Arc::clone(&pair.certified)).collect())))
    }

    /// Puts another certificate in the place of one, for all handshakes that begin from here on.
    pub(super) fn put(&self, place: usize, certified: &Arc<CertifiedKey>) {
        self.0.rcu(|all| {
            let mut all = all.to_vec();
            if let Some(old) = all.get_mut(place) {
                *old = Arc::clone(certified);
            }
            all
        });
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

/// Reads all pairs of a listener.
///
/// # Errors
/// With the first file that cannot be used.
pub(super) fn read_all(files: &[CertificateFiles]) -> Result<Vec<(Pair, Fingerprint)>, CertificateMistake> {
    if files.is_empty() {
        return Err(CertificateMistake::None);
    }
    files
        .iter()
        .map(|files| PairBytes::of(files).and_then(|bytes| Ok((bytes.parse(files)?, bytes.fingerprint()))))
        .collect()
}

/// Tells contents of a pair of files apart.
pub(super) type Fingerprint = [u8; 32];

impl PairBytes {
    /// Reads both files; symbolic links are followed, so that a swapped link is another content.
    pub(super) fn of(files: &CertificateFiles) -> Result<Self, CertificateMistake> {
        let read = |path: &PathBuf| {
            bounded_file::read(path, Accepted::PlainFile, MOST_PEM_BYTES)
                .map(|contents| contents.bytes)
                .map_err(|source| CertificateMistake::Unreadable { path: path.clone(), source })
        };
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let digest = |bytes: &[u8]| Sha256::digest(bytes);
        Sha256::new().chain_update(digest(&self.certificate)).chain_update(digest(&self.key)).finalize().into()
    }

    pub(super) fn parse(&self, files: &CertificateFiles) -> Result<Pair, CertificateMistake> {
        let of = |path: &PathBuf, mistake| CertificateMistake::Pem { path: path.clone(), mistake };
        let chain = pem::certificates(&self.certificate).map_err(|mistake| of(&files.certificate, mistake))?;
        let validity = chain.first().and_then(Validity::of);
        let key = pem::key(&self.key).map_err(|mistake| of(&files.key, mistake))?;
        let certified = pem::with_key(chain, &key).map_err(|mistake| match mistake {
            PemMistake::NoKey | PemMistake::Mismatch => of(&files.key, mistake),
            PemMistake::NoCertificate | PemMistake::Unreadable(_) | PemMistake::NoAuthority(_) => {
                of(&files.certificate, mistake)
            }
        })?;
        Ok(Pair { certified: Arc::new(certified), validity })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

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

    fn read(files: &[CertificateFiles]) -> Result<Arc<Certificates>, CertificateMistake> {
        let pairs: Vec<Pair> = read_all(files)?.into_iter().map(|(pair, _)| pair).collect();
        Ok(Certificates::new(&pairs))
    }

    #[test]
    fn a_host_gets_its_own_certificate_and_a_stranger_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (pair("a.example", &folder), pair("b.example", &folder));
        let certificates = read(&[a.clone(), b.clone()]).unwrap();
        let served = |host| certificates.for_host(host).unwrap().end_entity_cert().unwrap().to_vec();
        let of = |files: &CertificateFiles| CertificateDer::from_pem_file(&files.certificate).unwrap().to_vec();
        assert_eq!(served(Some("a.example")), of(&a));
        assert_eq!(served(Some("b.example")), of(&b));
        assert_eq!(served(Some("c.example")), of(&a));
        assert_eq!(served(None), of(&a));
        let (other, _) = read_all(std::slice::from_ref(&b)).unwrap().remove(0);
        certificates.put(0, &other.certified);
        assert_eq!(served(Some("a.example")), of(&b));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (pair("a.example", &folder), pair("b.example", &folder));
        let mixed = CertificateFiles { certificate: a.certificate.clone(), key: b.key.clone() };
        assert!(matches!(read(&[mixed]), Err(CertificateMistake::Pem { mistake: PemMistake::Mismatch, .. })));
        let missing = CertificateFiles { certificate: folder.path().join("none.crt"), key: a.key.clone() };
        let said = read(&[missing]).unwrap_err().to_string();
        assert!(said.contains("none.crt"), "{said}");
        let empty = CertificateFiles { certificate: file("empty.crt", "", &folder), key: a.key.clone() };
        assert!(matches!(read(&[empty]), Err(CertificateMistake::Pem { mistake: PemMistake::NoCertificate, .. })));
        let no_key = CertificateFiles { certificate: a.certificate.clone(), key: file("empty.key", "", &folder) };
        assert!(matches!(read(&[no_key]), Err(CertificateMistake::Pem { mistake: PemMistake::NoKey, .. })));
        let folder_as_file = CertificateFiles { certificate: folder.path().to_owned(), key: a.key.clone() };
        assert!(matches!(read(&[folder_as_file]), Err(CertificateMistake::Unreadable { .. })));
        let large = file("large.key", &"x".repeat(300 * 1024), &folder);
        assert!(matches!(
            read(&[CertificateFiles { certificate: a.certificate, key: large }]),
            Err(CertificateMistake::Unreadable { .. })
        ));
        assert!(matches!(read(&[]), Err(CertificateMistake::None)));
    }

    #[test]
    fn a_certificate_cut_off_anywhere_is_no_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let whole = pair("a.example", &folder);
        let text = std::fs::read_to_string(&whole.certificate).unwrap();
        for bytes in (0..text.trim_end().len()).step_by(7) {
            let cut =
                CertificateFiles { certificate: file("cut.crt", &text[..bytes], &folder), key: whole.key.clone() };
            assert!(read(&[cut]).is_err(), "{bytes} of {} bytes", text.len());
        }
    }
}
