//! Proxies of other people in front of the gateway: a real HAProxy and a real nginx, with a configuration of the test's own.

use super::children::{Process, Program, fresh_folder, wait_for};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A running proxy; killed when dropped.
#[derive(Debug)]
pub(crate) struct Front {
    _process: Process,
    folder: TempDir,
}

impl Front {
    /// `config` without what is the same for all; `ports` are waited for.
    pub(crate) fn haproxy(config: &str, ports: &[u16]) -> Self {
        let folder = fresh_folder("haproxy");
        let defaults = "global\n    maxconn 200\ndefaults\n    mode tcp\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n";
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, format!("{defaults}{config}")).unwrap();
        let process = Program::new("haproxy").arg("-db").arg("-f").arg(&file).start(&folder.path().join("log"));
        Self { _process: process, folder }.once_it_listens(ports)
    }

    /// `blocks` stand at the top; `{FOLDER}` in them is a folder of its own.
    pub(crate) fn nginx(blocks: &str, ports: &[u16]) -> Self {
        let folder = fresh_folder("nginx");
        let own = folder.path().display().to_string();
        let stream = Path::new("/usr/lib/nginx/modules/ngx_stream_module.so");
        let module = if stream.exists() { format!("load_module {};\n", stream.display()) } else { String::new() };
        let config = format!(
            "{module}daemon off;\nmaster_process off;\npid {own}/pid;\nerror_log {own}/log;\nevents {{}}\n{}",
            blocks.replace("{FOLDER}", &own)
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let process =
            Program::new("nginx").arg("-p").arg(folder.path()).arg("-c").arg(&file).start(&folder.path().join("log"));
        Self { _process: process, folder }.once_it_listens(ports)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn once_it_listens(self, ports: &[u16]) -> Self {
        for port in ports {
            wait_for(
                &format!("port {port}: {}", std::fs::read_to_string(self.file("log")).unwrap_or_default()),
                || TcpStream::connect(("127.0.0.1", *port)).ok(),
            );
        }
        self
    }
}
