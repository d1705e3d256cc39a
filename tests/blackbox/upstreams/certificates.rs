//! An authority of the test's own, made with openssl.

use crate::harness::children::{find_program, fresh_folder, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Signs certificates. Gone with its value.
#[derive(Debug)]
pub(super) struct Authority {
    folder: tempfile::TempDir,
}

/// A certificate with its key, as PEM files.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    Now,
    Past,
}

impl Authority {
    pub(super) fn new() -> Self {
        let folder = fresh_folder("authority");
        std::fs::write(folder.path().join("index.txt"), "").unwrap();
        std::fs::write(folder.path().join("serial"), "01").unwrap();
        std::fs::write(folder.path().join("ca.conf"), CONFIGURATION).unwrap();
        let authority = Self { folder };
        authority.openssl(&format!("req -x509 {NEW_KEY} -keyout ca.key -out ca.crt -subj /CN=authority -days 2"));
        authority
    }

    pub(super) fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// For these names: `DNS:app.internal,IP:127.0.0.1`.
    pub(super) fn issue(&self, name: &str, alternatives: &str, validity: Validity) -> Issued {
        let issued = self.place(name);
        self.openssl(&format!(
            "req -new {NEW_KEY} -keyout {name}.key -out {name}.csr -subj /CN={name} -addext subjectAltName={alternatives}"
        ));
        let dates = match validity {
            Validity::Now => "-days 2",
            Validity::Past => "-startdate 20200101000000Z -enddate 20200201000000Z",
        };
        self.openssl(&format!("ca -config ca.conf -batch -notext -in {name}.csr -out {name}.crt {dates}"));
        issued
    }

    /// A certificate that nobody else signed; `kind` is `CA:FALSE`, or `CA:TRUE` as openssl makes it when nothing is said.
    pub(super) fn self_signed(&self, name: &str, alternatives: &str, kind: &str) -> Issued {
        self.openssl(&format!(
            "req -x509 {NEW_KEY} -keyout {name}.key -out {name}.crt -subj /CN={name} -days 2 \
             -addext subjectAltName={alternatives} -addext basicConstraints=critical,{kind}"
        ));
        self.place(name)
    }

    fn place(&self, name: &str) -> Issued {
        let file = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        Issued { certificate: file("crt"), key: file("key") }
    }

    fn openssl(&self, arguments: &str) {
        openssl(self.folder.path(), arguments);
    }
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

const CONFIGURATION: &str = "
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
serial = serial
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
";

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new(find_program("openssl", &[]));
    command.current_dir(folder).args(arguments.split(' '));
    run(command, "").done();
}
