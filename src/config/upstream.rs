//! `upstreams`: the servers of the applications, by name. Floor: roof.

use http::HeaderValue;
use http::uri::Authority;
use rustls::pki_types::ServerName;
use url::Url;

use super::node::{Node, Slot};
use super::surroundings::Readers;
use crate::gateway::pem::PemMistake;
use crate::gateway::upstreams::settings::{Balance, HealthSettings, UpstreamHost, UpstreamTimeouts, UpstreamTls};
use crate::gateway::upstreams::trust::{Authorities, ClientCertificate};

/// One application's servers.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// At least one.
    pub servers: Vec<Server>,
    pub balance: Balance,
    pub host: UpstreamHost,
    /// `None`: servers are not asked.
    pub health: Option<HealthSettings>,
    pub tls: UpstreamTls,
    pub timeouts: UpstreamTimeouts,
}

/// One server.
#[derive(Clone, Debug)]
pub enum Server {
    /// `http://` or `https://`, a host and perhaps a port, nothing else.
    Url(Url),
    /// The absolute path of a socket of this machine.
    Unix(String),
}

/// Largest file with certificates or a key: a whole bundle of authorities fits.
pub(super) const MOST_PEM_BYTES: u64 = 1024 * 1024;
/// Bytes of the path of a socket (`sun_path` of unix(7), its NUL left out).
const MOST_SOCKET_PATH: usize = 107;

pub(super) fn read(node: &Node<'_>) -> Upstream {
    let upstream = Upstream {
        servers: node
            .key(
                "servers",
                "Where it runs: `http://` or `https://`, a host and perhaps a port; or `unix:` and the path of a socket. Certificates are \
                 verified, and there is no way to switch that off: a server with a certificate of your own needs `tls.ca`.",
            )
            .list(1, 64, read_server)
            .required("[\"http://10.0.0.5:8080\"]"),
        balance: node
            .key(
                "balance",
                "Which of several servers a request goes to. `round_robin`: in turn. `client`: the same one for the same client address. `session`: \
                 the same one for the same user. When a server goes, only its own clients or users move.",
            )
            .choice(&[
                ("round_robin", Balance::RoundRobin),
                ("client", Balance::Client),
                ("session", Balance::Session),
            ])
            .or("round_robin"),
        host: node
            .key(
                "host",
                "The Host that the application gets. `site`: the site's, as the browser asked for it. `server`: the name in `servers`. Or a name.",
            )
            .text(255)
            .parsed("site, server, or a host name such as app.internal", |text| match text.as_str() {
                "site" => Ok(UpstreamHost::Site),
                "server" => Ok(UpstreamHost::Server),
                _ => host(&text).map(UpstreamHost::Named),
            })
            .or("site"),
        health: node
            .key(
                "health",
                "Asks every server whether it is well. One that is not gets no requests; when none is, people get a 503 at once. Without it, only \
                 what requests meet counts.",
            )
            .maybe_section(read_health),
        tls: node.key("tls", "For servers with `https://`.").maybe_section(read_tls).unwrap_or_default(),
        timeouts: node.key("timeouts", "How long it may take.").section(read_timeouts),
    };
    upstream.servers.iter().enumerate().for_each(|(index, server)| check_name(node, index, server, &upstream.tls));
    upstream
}

fn read_timeouts(node: &Node<'_>) -> UpstreamTimeouts {
    UpstreamTimeouts {
        connect: node.key("connect", "To accept a connection; beyond: 504.").duration("100ms", "30s").or("3s"),
        read: node
            .key(
                "read",
                "To begin its answer, and between two pieces of it; beyond: 504. Longer than the application's long polls. Does not end a WebSocket. The head of an answer that comes byte by byte may take as long in all, and the time for two connections.",
            )
            .duration("1s", "1h")
            .or("60s"),
        write: node.key("write", "To take a piece of the request.").duration("1s", "1h").or("30s"),
        keepalive: node
            .key(
                "keepalive",
                "How long an unused connection is kept for the next request. Shorter than the application keeps it: a POST on a connection that it \
                 closes at that moment fails.",
            )
            .duration("0s", "1h")
            .or("60s"),
    }
}

fn read_health(node: &Node<'_>) -> HealthSettings {
    HealthSettings {
        path: node
            .key("path", "What is asked for, with GET and without a session.")
            .text(1000)
            .parsed("a path such as /health", |text| {
                let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
                if is_path && !text.contains('#') { Ok(text) } else { Err(format!("{text:?} is no path")) }
            })
            .required("/health"),
        interval: node.key("interval", "Between two rounds.").duration("1s", "1h").or("5s"),
        timeout: node.key("timeout", "For the whole of one answer.").duration("100ms", "1m").or("2s"),
        healthy_after: node
            .key("healthy_after", "Good answers in a row that bring a server back.")
            .count(1, 100)
            .or("2"),
        unhealthy_after: node
            .key("unhealthy_after", "Bad answers in a row that take it out. After a start the first one is enough.")
            .count(1, 100)
            .or("2"),
        statuses: node
            .key("status", "The good answers.")
            .list(1, 50, |slot| {
                let right = "a status from 200 to 599";
                slot.count(200, 599)
                    .parsed(right, |status| u16::try_from(status).map_err(|_| right.to_owned()))
                    .required("200")
            })
            .or("[200]"),
        host: node
            .key("host", "The Host of these requests. Left out: the name that `host` gives, else the server's own.")
            .text(255)
            .parsed("a host name such as app.internal", |text| host(&text))
            .maybe("app.internal"),
    }
}

fn read_tls(node: &Node<'_>) -> UpstreamTls {
    let ca = node
        .key("ca", "PEM file with the authorities whose certificates are believed, and no others. Left out: those that this machine trusts.")
        .path()
        .maybe("/etc/vestibule/upstream-ca.crt");
    let certificate = node
        .key("client_certificate", "PEM file with the certificate that we show, and its chain.")
        .path()
        .maybe("/etc/vestibule/client.crt");
    let key = node
        .key("client_key", "PEM file with its private key, which nobody else can read.")
        .path()
        .maybe("/etc/vestibule/client.key");
    let server_name = node
        .key("server_name", "The name that certificates have to be valid for. Left out: the one in `servers`.")
        .text(253)
        .parsed("a host name such as app.internal", name_of_certificate)
        .maybe("app.internal");
    let authorities = ca.and_then(|path| {
        let content = node.content("ca", &path, MOST_PEM_BYTES)?;
        let read = Authorities::from_pem(&content.bytes);
        read.map_err(|mistake| refuse(node, "ca", &path, mistake)).ok()
    });
    let client_certificate = match (certificate, key) {
        (None, None) => None,
        (Some(certificate), Some(key_path)) => {
            let chain = node.content("client_certificate", &certificate, MOST_PEM_BYTES);
            let key = node.content("client_key", &key_path, MOST_PEM_BYTES);
            chain.zip(key).and_then(|(chain, key)| {
                if key.readers == Readers::Others {
                    let right = format!("a file that only its owner can read: chmod 600 {}", key_path.display());
                    node.refuse("client_key", &[], format!("others can read {}", key_path.display()), right);
                }
                let read = ClientCertificate::from_pem(&chain.bytes, &key.bytes);
                let refuse = |mistake| match mistake {
                    PemMistake::NoKey | PemMistake::Mismatch => refuse(node, "client_key", &key_path, mistake),
                    PemMistake::NoCertificate | PemMistake::Unreadable(_) | PemMistake::NoAuthority(_) => {
                        refuse(node, "client_certificate", &certificate, mistake);
                    }
                };
                read.map_err(refuse).ok()
            })
        }
        (Some(_), None) => {
            node.refuse("client_key", &[], "is missing beside client_certificate", "the PEM file with its private key");
            None
        }
        (None, Some(_)) => {
            node.refuse("client_certificate", &[], "is missing beside client_key", "the PEM file with its certificate");
            None
        }
    };
    UpstreamTls { authorities, client_certificate, server_name }
}

fn refuse(node: &Node<'_>, key: &str, path: &std::path::Path, mistake: PemMistake) {
    node.refuse(key, &[], format!("{} {mistake}", path.display()), mistake.right());
}

/// A certificate for a name that TLS cannot check is no protection.
fn check_name(node: &Node<'_>, index: usize, server: &Server, tls: &UpstreamTls) {
    let Server::Url(url) = server else { return };
    if url.scheme() != "https" || tls.server_name.is_some() {
        return;
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if let Err(wrong) = name_of_certificate(host.to_owned()) {
        node.refuse(&format!("servers[{index}]"), &["tls"], wrong, "another name, or tls.server_name");
    }
}

/// Underscores are refused, because pingora checks a certificate for `a-b.example.com` when `a_b.example.com` was meant.
fn name_of_certificate(name: String) -> Result<String, String> {
    match ServerName::try_from(name.as_str()) {
        Ok(_) if !name.contains('_') => Ok(name),
        Ok(_) | Err(_) => Err(format!("{name:?} is no name that a certificate can be checked for")),
    }
}

fn host(text: &str) -> Result<HeaderValue, String> {
    let authority: Authority = text.parse().map_err(|_| format!("{text:?} is no host name"))?;
    let is_host = !authority.host().is_empty()
        && !text.contains(['@', '*'])
        && (authority.port().is_none() || authority.port_u16() > Some(0));
    let value = HeaderValue::from_str(text).ok().filter(|_| is_host);
    value.ok_or_else(|| format!("{text:?} is no host name"))
}

fn read_server(slot: Slot<'_>) -> Server {
    const RIGHT: &str = "http:// or https://, a host and perhaps a port, such as http://10.0.0.5:8080; or unix: and a path, such as unix:/run/app.sock";
    slot.text(2048).parsed(RIGHT, |text| parse_server(&text)).required("\"http://10.0.0.5:8080\"")
}

fn parse_server(text: &str) -> Result<Server, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        let is_path = path.starts_with('/') && !path.ends_with('/') && path.len() <= MOST_SOCKET_PATH;
        return if is_path {
            Ok(Server::Unix(path.to_owned()))
        } else {
            Err(format!("after unix: there is no absolute path of at most {MOST_SOCKET_PATH} bytes"))
        };
    }
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{text:?} begins with another scheme"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(format!("{text:?} has no host"));
    }
    server(url).map(Server::Url)
}

/// The URL of a server: nothing but scheme, host and port.
///
/// # Errors
/// What is too much in it, in words.
pub fn server(url: Url) -> Result<Url, String> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a user name or a password, which no request would carry".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{url} has more than a host and a port; requests keep their own path"));
    }
    if url.port() == Some(0) {
        return Err("nothing listens on port 0".to_owned());
    }
    Ok(url)
}
