//! A real application that knows nothing of us: Jupyter, with its own sign-in, forms, uploads, assets and WebSockets.
//!
//! Installed by `scripts/prepare test`, under `target/`.

use super::children::{Process, Program, free_port, fresh_folder, wait_for};
use super::gateway::{BINARY, probe};
use std::path::{Path, PathBuf};

/// What Jupyter's own sign-in wants.
pub(crate) const PASSWORD: &str = "jupyter-a1b2c3-unlikely";

#[derive(Debug)]
pub(crate) struct Jupyter {
    port: u16,
    _process: Process,
    folder: tempfile::TempDir,
}

impl Jupyter {
    pub(crate) fn start() -> Self {
        let folder = fresh_folder("jupyter");
        std::fs::create_dir(folder.path().join("files")).unwrap();
        std::fs::write(folder.path().join("config.py"), CONFIG.replace("{PASSWORD}", PASSWORD)).unwrap();
        for _ in 0..5 {
            let port = free_port();
            let mut process = launch(folder.path(), port);
            let up = wait_for("Jupyter", || {
                if !process.is_running() {
                    return Some(false);
                }
                probe(port, "/api").map(|_| true)
            });
            if up {
                return Self { port, _process: process, folder };
            }
        }
        panic!("Jupyter does not start: {}", std::fs::read_to_string(folder.path().join("log")).unwrap());
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where it keeps what was uploaded.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("files").join(name)
    }
}

const CONFIG: &str = r#"
from jupyter_server.auth import passwd
c = get_config()
c.IdentityProvider.token = ""
c.PasswordIdentityProvider.hashed_password = passwd("{PASSWORD}", algorithm="sha256")
c.ServerApp.allow_root = True
c.ServerApp.open_browser = False
c.ServerApp.port_retries = 0
c.ServerApp.terminado_settings = {"shell_command": ["/bin/sh"]}
"#;

fn launch(folder: &Path, port: u16) -> Process {
    let target = Path::new(BINARY).ancestors().nth(2).expect("the program is in target/debug");
    let program = target.join("third_party/jupyter/bin/jupyter-nbclassic");
    assert!(program.is_file(), "Jupyter is not installed: run scripts/prepare test");
    Program::killed_with("TERM", None, program)
        .args(["--ip=127.0.0.1", &format!("--port={port}")])
        .arg("--config")
        .arg(folder.join("config.py"))
        .arg(format!("--ServerApp.root_dir={}", folder.join("files").display()))
        .env("HOME", folder)
        .env("JUPYTER_CONFIG_DIR", folder.join("etc"))
        .env("JUPYTER_DATA_DIR", folder.join("data"))
        .env("JUPYTER_RUNTIME_DIR", folder.join("run"))
        .env("IPYTHONDIR", folder.join("ipython"))
        .in_folder(&folder.join("files"))
        .start(&folder.join("log"))
}
