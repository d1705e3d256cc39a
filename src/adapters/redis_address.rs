//! Where Redis is, from the URL in `state.url`: one server, a group behind Sentinels, or a Cluster. Connects to nothing. Floor: edge.
//!
//! `redis://[[user]:password@]host[:port][/db]`, `rediss://…` (TLS), `redis+unix:///path/to.sock`,
//! `redis+sentinel://[[user]:password@]host[:port][,host[:port]…]/service[/db]` (the password is that of the Redis servers),
//! `redis+cluster://[[user]:password@]host[:port][,host[:port]…]`; `rediss+sentinel:` and `rediss+cluster:` are the same over TLS.

use std::fmt;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use redis::cluster::ClusterClient;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{Client, ConnectionAddr, IntoConnectionInfo as _, RedisConnectionInfo, RedisResult, TlsMode};

use crate::domain::secret::SecretText;

/// How long a connection may take: security K3.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_millis(250);
/// How long an operation may take in all: security K3.
pub(super) const OPERATION_TIMEOUT: Duration = Duration::from_millis(500);

/// Where Redis is. Holds its password: `Debug` shows only what it is.
pub struct RedisAddress(pub(super) Place);

pub(super) enum Place {
    Server(Client),
    Sentinels(Sentinels),
    Cluster(Box<ClusterClient>),
}

/// A group of servers whose primary the Sentinels know.
pub(super) struct Sentinels {
    nodes: Vec<ConnectionAddr>,
    service: String,
    db: i64,
    login: Login,
    tls: bool,
}

/// What is wrong with a URL. Repeats no part of it, for it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedisAddressProblem {
    #[error("begins with none of redis:, rediss:, redis+unix:, redis+sentinel:, redis+cluster:")]
    Scheme,
    #[error("has no host, or one that is none")]
    Host,
    #[error("has a port that is none")]
    Port,
    #[error("names several servers: write redis+sentinel: or redis+cluster: to say what they are")]
    SeveralServers,
    #[error("needs the name of the service that the Sentinels know: redis+sentinel://host:26379/NAME")]
    Service,
    #[error("has a database that is no number")]
    Database,
    #[error("names a database, which a Cluster does not have")]
    ClusterDatabase,
    #[error("has a fragment (`#insecure`): certificates are always verified")]
    Fragment,
    #[error("is not understood")]
    Unreadable,
}

impl RedisAddress {
    /// Reads the URL.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &SecretText) -> Result<Self, RedisAddressProblem> {
        let url = url.reveal();
        if url.contains('#') {
            return Err(RedisAddressProblem::Fragment);
        }
        let (scheme, rest) = url.split_once("://").ok_or(RedisAddressProblem::Scheme)?;
        let place = match scheme {
            "redis+unix" => Place::Server(Client::open(url).map_err(|_| RedisAddressProblem::Unreadable)?),
            "redis" | "rediss" => {
                let parts = Parts::read(rest, scheme == "rediss", 6379)?;
                if parts.nodes.len() > 1 {
                    return Err(RedisAddressProblem::SeveralServers);
                }
                Place::Server(Client::open(url).map_err(|_| RedisAddressProblem::Unreadable)?)
            }
            "redis+sentinel" | "rediss+sentinel" => {
                let tls = scheme.starts_with("rediss");
                let parts = Parts::read(rest, tls, 26379)?;
                let (service, db) = parts.path.split_once('/').unwrap_or((&parts.path, "0"));
                if service.is_empty() {
                    return Err(RedisAddressProblem::Service);
                }
                let db = db.parse().map_err(|_| RedisAddressProblem::Database)?;
                Place::Sentinels(Sentinels {
                    nodes: parts.nodes,
                    service: service.to_owned(),
                    db,
                    login: parts.login,
                    tls,
                })
            }
            "redis+cluster" | "rediss+cluster" => {
                let parts = Parts::read(rest, scheme.starts_with("rediss"), 6379)?;
                if !parts.path.is_empty() {
                    return Err(RedisAddressProblem::ClusterDatabase);
                }
                Place::Cluster(Box::new(cluster(parts).map_err(|_| RedisAddressProblem::Unreadable)?))
            }
            _ => return Err(RedisAddressProblem::Scheme),
        };
        Ok(Self(place))
    }
}

impl Sentinels {
    /// A client that asks the Sentinels anew who the primary is.
    pub(super) fn client(&self) -> RedisResult<SentinelClient> {
        let mut builder = SentinelClientBuilder::new(self.nodes.clone(), &self.service, SentinelServerType::Master)?
            .set_client_to_redis_db(self.db);
        if let Some(user) = &self.login.user {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = &self.login.password {
            builder = builder.set_client_to_redis_password(password.reveal());
        }
        if self.tls {
            builder =
                builder.set_client_to_redis_tls_mode(TlsMode::Secure).set_client_to_sentinel_tls_mode(TlsMode::Secure);
        }
        builder.build()
    }
}

fn cluster(parts: Parts) -> RedisResult<ClusterClient> {
    let mut nodes = Vec::new();
    for node in parts.nodes {
        let mut settings = RedisConnectionInfo::default();
        if let Some(user) = &parts.login.user {
            settings = settings.set_username(user);
        }
        if let Some(password) = &parts.login.password {
            settings = settings.set_password(password.reveal());
        }
        nodes.push(node.into_connection_info()?.set_redis_settings(settings));
    }
    // what may be repeated is decided by the link, which knows what was certainly not run
    ClusterClient::builder(nodes)
        .retries(0)
        .connection_timeout(CONNECT_TIMEOUT)
        .response_timeout(OPERATION_TIMEOUT)
        .build()
}

#[derive(Default)]
struct Login {
    user: Option<String>,
    password: Option<SecretText>,
}

struct Parts {
    login: Login,
    nodes: Vec<ConnectionAddr>,
    /// Without the first `/`.
    path: String,
}

impl Parts {
    fn read(rest: &str, tls: bool, default_port: u16) -> Result<Self, RedisAddressProblem> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (authority, path) =
            (authority.split('?').next().unwrap_or_default(), path.split('?').next().unwrap_or_default());
        let (login, hosts) =
            authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
        let nodes = hosts.split(',').map(|host| node(host, tls, default_port)).collect::<Result<_, _>>()?;
        Ok(Self { login: login.map(Login::read).unwrap_or_default(), nodes, path: path.to_owned() })
    }
}

impl Login {
    fn read(text: &str) -> Self {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self {
            user: Some(plain(user)).filter(|user| !user.is_empty()),
            password: Some(plain(password)).filter(|password| !password.is_empty()).map(SecretText::new),
        }
    }
}

fn node(text: &str, tls: bool, default_port: u16) -> Result<ConnectionAddr, RedisAddressProblem> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port),
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(RedisAddressProblem::Host);
    }
    let port = match port {
        "" => default_port,
        port => port.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or(RedisAddressProblem::Port)?,
    };
    let host = host.to_owned();
    Ok(if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    })
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Place::Server(_) => "RedisAddress(server)",
            Place::Sentinels(_) => "RedisAddress(sentinels)",
            Place::Cluster(_) => "RedisAddress(cluster)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<RedisAddress, RedisAddressProblem> {
        RedisAddress::parse(&SecretText::new(url.to_owned()))
    }

    #[test]
    fn each_kind_of_address_is_read() {
        for (url, kind) in [
            ("redis://127.0.0.1:6379/0", "server"),
            ("redis://[::1]:6380/2", "server"),
            ("rediss://user:p%40ss@redis.example", "server"),
            ("redis+unix:///run/redis.sock", "server"),
            ("redis+sentinel://a,b:26380,[::1]:26381/main/3", "sentinels"),
            ("rediss+sentinel://:pw@a/main", "sentinels"),
            ("redis+cluster://user:pw@a:7000,b:7001", "cluster"),
            ("rediss+cluster://a", "cluster"),
        ] {
            assert_eq!(format!("{:?}", read(url).unwrap()), format!("RedisAddress({kind})"), "{url}");
        }
    }

    #[test]
    fn the_parts_of_a_sentinel_address_are_where_they_belong() {
        let Place::Sentinels(sentinels) = read("rediss+sentinel://anna:p%40ss@a,[::1]:26381/main/3").unwrap().0 else {
            panic!("sentinels")
        };
        assert_eq!((sentinels.service.as_str(), sentinels.db, sentinels.tls), ("main", 3, true));
        assert_eq!(sentinels.login.user.as_deref(), Some("anna"));
        assert_eq!(sentinels.login.password.as_ref().unwrap().reveal(), "p@ss");
        assert!(
            matches!(&sentinels.nodes[0], ConnectionAddr::TcpTls { host, port: 26379, insecure: false, .. } if host == "a")
        );
        assert!(matches!(&sentinels.nodes[1], ConnectionAddr::TcpTls { host, port: 26381, .. } if host == "::1"));
        assert!(sentinels.client().is_ok());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (url, problem) in [
            ("http://a", RedisAddressProblem::Scheme),
            ("localhost:6379", RedisAddressProblem::Scheme),
            ("redis://a:1,b:2", RedisAddressProblem::SeveralServers),
            ("redis://", RedisAddressProblem::Host),
            ("redis://a:port", RedisAddressProblem::Port),
            ("redis://a:99999", RedisAddressProblem::Port),
            ("redis+sentinel://a,b", RedisAddressProblem::Service),
            ("redis+sentinel://a/main/x", RedisAddressProblem::Database),
            ("redis+cluster://a/1", RedisAddressProblem::ClusterDatabase),
            ("rediss://a/#insecure", RedisAddressProblem::Fragment),
        ] {
            assert_eq!(read(url).err(), Some(problem), "{url}");
        }
    }
}
