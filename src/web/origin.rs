//! A site's origin (scheme, host, port) and whether a `Host` header means it.
//! Knows nothing of listeners or certificates. Floor: web.

use std::fmt;
use std::sync::Arc;

/// How browsers reach a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `https`
    Https,
    /// `http`: only for a loopback host (the configuration sees to that).
    Http,
}

impl Scheme {
    /// `https` or `http`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    /// 443 or 80.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// `https://host[:port]`, the port only when it is not the scheme's own. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Arc<str>,
    port: u16,
    text: Arc<str>,
}

/// Why a URL is no origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginMistake {
    /// Not a URL at all.
    #[error("is not a URL such as https://app.example.com")]
    NotAUrl,
    /// Another scheme.
    #[error("has to begin with https:// or http://")]
    Scheme,
    /// No host in it.
    #[error("has no host")]
    NoHost,
    /// A path, query, fragment or user.
    #[error("has to end after the host and port: a site is a whole host")]
    MoreThanAnOrigin,
}

impl Origin {
    /// Reads the URL of a site. The host is lower-cased and, for names beyond ASCII, turned into its `xn--` form.
    ///
    /// # Errors
    /// When it is no URL, has another scheme, or more than scheme, host and port.
    pub fn parse(url: &str) -> Result<Self, OriginMistake> {
        let url = url::Url::parse(url).map_err(|_| OriginMistake::NotAUrl)?;
        let scheme = match url.scheme() {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            _ => return Err(OriginMistake::Scheme),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(OriginMistake::NoHost)?;
        let only_origin = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !only_origin {
            return Err(OriginMistake::MoreThanAnOrigin);
        }
        let port = url.port().unwrap_or(scheme.default_port());
        let text = if port == scheme.default_port() {
            format!("{}://{host}", scheme.as_str())
        } else {
            format!("{}://{host}:{port}", scheme.as_str())
        };
        Ok(Self { scheme, host: Arc::from(host), port, text: Arc::from(text) })
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host alone, lower case; an IPv6 address stands in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also when it is the scheme's own.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `https://host[:port]`, as browsers write it in `Origin`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `host[:port]`, as browsers write it in `Host`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// Whether the host is this machine itself: `localhost`, a name below it, or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }

    /// Whether a `Host` header (or an HTTP/2 authority) means this site: same host, whatever the case, and same port, where
    /// no port is the scheme's own.
    #[must_use]
    pub fn answers_to(&self, host_header: &str) -> bool {
        let (host, port) = split_port(host_header);
        let port = match port {
            Port::None => self.scheme.default_port(),
            Port::Number(port) => port,
            Port::Broken => return false,
        };
        host.eq_ignore_ascii_case(&self.host) && port == self.port
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.text)
    }
}

/// Whether `host` (without port) is this machine itself.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = name.parse::<std::net::IpAddr>() {
        return address.to_canonical().is_loopback();
    }
    name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
}

enum Port {
    None,
    Number(u16),
    Broken,
}

fn split_port(host_header: &str) -> (&str, Port) {
    // The colons of an IPv6 address stand inside its brackets.
    let after_host = host_header.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = host_header.get(after_host..).and_then(|rest| rest.rfind(':')) else {
        return (host_header, Port::None);
    };
    let (host, port) = host_header.split_at(after_host + colon);
    let digits = port.trim_start_matches(':');
    let plain = !digits.is_empty() && digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if plain => (host, Port::Number(port)),
        Ok(_) | Err(_) => (host, Port::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_answers_to_its_own_host_and_port_only() {
        for (url, host, answers) in [
            ("https://app.example.com", "app.example.com", true),
            ("https://app.example.com", "APP.example.com", true),
            ("https://app.example.com", "app.example.com:443", true),
            ("https://app.example.com", "app.example.com:80", false),
            ("https://app.example.com", "app.example.com:", false),
            ("https://app.example.com", "app.example.com:+443", false),
            ("https://app.example.com", "app.example.com:99999", false),
            ("https://app.example.com", "app.example.com.", false),
            ("https://app.example.com", "xapp.example.com", false),
            ("https://app.example.com", "", false),
            ("https://app.example.com:8443", "app.example.com:8443", true),
            ("https://app.example.com:8443", "app.example.com", false),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://[::1]", "[::1]", true),
            ("http://localhost", "localhost:80", true),
        ] {
            assert_eq!(Origin::parse(url).unwrap().answers_to(host), answers, "{url} {host}");
        }
    }

    #[test]
    fn an_origin_is_written_without_the_scheme_s_own_port() {
        for (url, text, authority) in [
            ("https://App.Example.com:443/", "https://app.example.com", "app.example.com"),
            ("http://localhost:8080", "http://localhost:8080", "localhost:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            let origin = Origin::parse(url).unwrap();
            assert_eq!(origin.as_str(), text);
            assert_eq!(origin.authority(), authority);
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_said() {
        for (url, mistake) in [
            ("app.example.com", OriginMistake::NotAUrl),
            ("ftp://app.example.com", OriginMistake::Scheme),
            ("https://app.example.com/app", OriginMistake::MoreThanAnOrigin),
            ("https://app.example.com/?x", OriginMistake::MoreThanAnOrigin),
            ("https://user@app.example.com", OriginMistake::MoreThanAnOrigin),
        ] {
            assert_eq!(Origin::parse(url), Err(mistake), "{url}");
        }
    }

    #[test]
    fn loopback_hosts_are_known() {
        for (url, loopback) in [
            ("http://localhost:8080", true),
            ("http://app.localhost", true),
            ("http://127.0.0.2", true),
            ("http://[::1]:1", true),
            ("https://app.example.com", false),
            ("https://localhost.example.com", false),
            ("https://10.0.0.1", false),
        ] {
            assert_eq!(Origin::parse(url).unwrap().is_loopback(), loopback, "{url}");
        }
    }
}
