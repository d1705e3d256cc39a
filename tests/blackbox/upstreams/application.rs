//! Applications that are programs of their own: nginx, which can be killed, frozen and started again, and openssl, which asks for
//! certificates in the handshake.

use super::certificates::Issued;
use crate::harness::children::{Process, Program, find_program, free_port, fresh_folder, wait_for};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// nginx that answers every path with its name, the `Host` and the path, and `/health` with 200 unless it is sick.
#[derive(Debug)]
pub(super) struct Nginx {
    process: Process,
    folder: tempfile::TempDir,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Port(u16),
    Socket(PathBuf),
}

impl Nginx {
    pub(super) fn start(name: &str) -> Self {
        Self::launch(name, |_| Place::Port(free_port()), "")
    }

    pub(super) fn on_socket(name: &str) -> Self {
        Self::launch(name, |folder| Place::Socket(folder.join("app.sock")), "")
    }

    /// With TLS, asking for a certificate of `authority` when there is one.
    pub(super) fn with_tls(name: &str, own: &Issued, authority: Option<&Path>) -> Self {
        let mut tls =
            format!("ssl_certificate {}; ssl_certificate_key {};", own.certificate.display(), own.key.display());
        if let Some(authority) = authority {
            tls.push_str(&format!("ssl_client_certificate {}; ssl_verify_client on;", authority.display()));
        }
        Self::launch(name, |_| Place::Port(free_port()), &tls)
    }

    fn launch(name: &str, place: impl Fn(&Path) -> Place, tls: &str) -> Self {
        let folder = fresh_folder("nginx");
        for _ in 0..5 {
            let place = place(folder.path());
            std::fs::write(folder.path().join("nginx.conf"), configuration(folder.path(), name, &place, tls)).unwrap();
            let mut process = run(folder.path());
            if is_up(&mut process, &place) {
                return Self { process, folder, place };
            }
        }
        panic!("nginx does not start: {}", std::fs::read_to_string(folder.path().join("log")).unwrap_or_default());
    }

    /// As `servers` wants it.
    pub(super) fn server(&self) -> String {
        match &self.place {
            Place::Port(port) => format!("http://127.0.0.1:{port}"),
            Place::Socket(path) => format!("unix:{}", path.display()),
        }
    }

    pub(super) fn port(&self) -> u16 {
        match &self.place {
            Place::Port(port) => *port,
            Place::Socket(_) => panic!("it listens on a socket"),
        }
    }

    /// Whether `/health` says 503.
    pub(super) fn be_sick(&self, sick: bool) {
        let file = self.folder.path().join("sick");
        if sick {
            std::fs::write(file, "").unwrap();
        } else {
            std::fs::remove_file(file).unwrap();
        }
    }

    /// Lines of its access log with this path: `connection method path`.
    pub(super) fn log(&self, path: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
        log.lines().filter(|line| line.split(' ').nth(2) == Some(path)).map(str::to_owned).collect()
    }

    pub(super) fn kill(&mut self) {
        self.process.kill();
        if let Place::Socket(path) = &self.place {
            std::fs::remove_file(path).unwrap();
        }
    }

    pub(super) fn freeze(&self) {
        self.process.freeze();
    }

    pub(super) fn start_again(&mut self) {
        self.process.kill();
        self.process = run(self.folder.path());
        assert!(is_up(&mut self.process, &self.place), "nginx does not come back");
    }
}

fn run(folder: &Path) -> Process {
    let program = Program::new(find_program("nginx", &[]));
    program.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf")).start(&folder.join("log"))
}

fn is_up(process: &mut Process, place: &Place) -> bool {
    wait_for("nginx", || {
        if !process.is_running() {
            return Some(false);
        }
        let connected = match place {
            Place::Port(port) => TcpStream::connect(("127.0.0.1", *port)).is_ok(),
            Place::Socket(path) => UnixStream::connect(path).is_ok(),
        };
        connected.then_some(true)
    })
}

fn configuration(folder: &Path, name: &str, place: &Place, tls: &str) -> String {
    let folder = folder.display();
    let listen = match place {
        Place::Port(port) if tls.is_empty() => format!("127.0.0.1:{port}"),
        Place::Port(port) => format!("127.0.0.1:{port} ssl"),
        Place::Socket(path) => format!("unix:{}", path.display()),
    };
    format!(
        r#"
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    log_format connections '$connection $request_method $request_uri';
    access_log {folder}/access.log connections;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    default_type text/plain;
    server {{
        listen {listen};
        {tls}
        location = /health {{ if (-f {folder}/sick) {{ return 503; }} return 200 "well"; }}
        location / {{ return 200 "{name} $http_host $request_uri"; }}
    }}
}}
"#
    )
}

/// `openssl s_server`: ends the handshake of whoever shows no certificate of `authority`.
#[derive(Debug)]
pub(super) struct StrictServer {
    _process: Process,
    _folder: tempfile::TempDir,
    pub(super) port: u16,
}

impl StrictServer {
    pub(super) fn start(own: &Issued, authority: &Path) -> Self {
        let folder = fresh_folder("s_server");
        for _ in 0..5 {
            let port = free_port();
            let mut process = Program::new(find_program("openssl", &[]))
                .args(["s_server", "-quiet", "-www", "-Verify", "2", "-verify_return_error", "-accept"])
                .arg(format!("127.0.0.1:{port}"))
                .args(["-cert".as_ref(), own.certificate.as_os_str(), "-key".as_ref(), own.key.as_os_str()])
                .args(["-CAfile".as_ref(), authority.as_os_str()])
                .start(&folder.path().join("log"));
            if is_up(&mut process, &Place::Port(port)) {
                return Self { _process: process, _folder: folder, port };
            }
        }
        panic!("s_server does not start: {:?}", std::fs::read_to_string(folder.path().join("log")));
    }
}
