//! `mail`: the server that carries mail to people, about changes to their second factor. Floor: roof.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;

use super::authority_file;
use super::node::Node;
use crate::domain::secret::SecretText;

/// A mail server.
#[derive(Clone, Debug)]
pub struct Mail {
    pub server: Server,
    pub from: Mailbox,
    /// User and password: both or none.
    pub login: Option<(String, SecretText)>,
    /// PEM.
    pub ca_file: Option<PathBuf>,
    pub timeout: Duration,
}

/// Where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub scheme: Scheme,
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    pub port: u16,
}

/// How the connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Smtp,
    /// With TLS.
    Smtps,
}

impl Server {
    fn parse(text: &str) -> Result<Self, String> {
        let url = url::Url::parse(text).map_err(|error| format!("this is no URL: {error}"))?;
        let (scheme, port) = match url.scheme() {
            "smtp" => (Scheme::Smtp, 587),
            "smtps" => (Scheme::Smtps, 465),
            other => return Err(format!("{other}:// is no way to a mail server")),
        };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err("the URL has no host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("user and password have keys of their own".to_owned());
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err("behind host and port there is something else".to_owned());
        }
        Ok(Self { scheme, host, port: url.port().unwrap_or(port) })
    }

    /// Whether it is this machine itself.
    #[must_use]
    pub fn is_on_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost") || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

pub(super) fn read(node: &Node<'_>) -> Mail {
    let user = node.key("user", "For a server that asks for one; with `password`.").text(256).maybe("vestibule");
    let password = node.key("password", "Of that user.").secret().maybe("{ file: /run/secrets/vestibule-mail }");
    let login = match (user, password) {
        (Some(user), Some(password)) => Some((user, password)),
        (None, None) => None,
        (Some(_), None) => {
            node.refuse("password", &["user"], "it is missing, and there is a user", "both or none");
            None
        }
        (None, Some(_)) => {
            node.refuse("user", &["password"], "it is missing, and there is a password", "both or none");
            None
        }
    };
    Mail {
        server: node
            .key(
                "server",
                "`smtps://HOST` (TLS from the beginning, port 465) or `smtp://HOST` (port 587): there STARTTLS has to be offered, or nothing is said. On this machine itself \
                 `smtp://` is plain, unless there is a `ca_file`.",
            )
            .text(512)
            .parsed("smtps:// or smtp:// and a host, perhaps a port, such as smtps://mail.example.com", |text| Server::parse(&text))
            .required("\"smtps://mail.example.com\""),
        from: node
            .key("from", "What mails say they are from. Best an address at which somebody reads the answers.")
            .text(320)
            .parsed("an address, perhaps with a name, such as \"Acme <no-reply@example.com>\"", |text| {
                text.parse::<Mailbox>().map_err(|error| format!("{text:?} is no address: {error}"))
            })
            .required("\"Acme <no-reply@example.com>\""),
        login,
        ca_file: authority_file::read(
            node,
            "Certificates (PEM) of an authority of your own that the server's certificate may be from, besides the public ones.",
            "/etc/vestibule/mail-ca.pem",
        ),
        timeout: node.key("timeout", "For one mail.").duration("5s", "60s").or("30s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_scheme_a_host_and_perhaps_a_port() {
        for (text, scheme, host, port) in [
            ("smtps://mail.example.com", Scheme::Smtps, "mail.example.com", 465),
            ("smtp://mail.example.com", Scheme::Smtp, "mail.example.com", 587),
            ("smtp://127.0.0.1:25", Scheme::Smtp, "127.0.0.1", 25),
            ("smtp://[::1]:2525/", Scheme::Smtp, "::1", 2525),
        ] {
            assert_eq!(Server::parse(text), Ok(Server { scheme, host: host.to_owned(), port }), "{text}");
        }
        for wrong in [
            "mail.example.com",
            "smtp://",
            "https://mail.example.com",
            "smtp://anna:secret@mail.example.com",
            "smtp://mail.example.com/inbox",
            "smtp://mail.example.com?tls=off",
        ] {
            assert!(Server::parse(wrong).is_err(), "{wrong}");
        }
        let is_here = |text| Server::parse(text).unwrap().is_on_loopback();
        assert!(is_here("smtp://localhost:25") && is_here("smtp://127.9.9.9") && is_here("smtp://[::1]"));
        assert!(!is_here("smtp://localhost.example.com") && !is_here("smtp://10.0.0.1"));
    }
}
