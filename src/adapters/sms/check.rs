//! What is wrong with a description, in words for the operator; and which addresses no description may name. Floor: edge.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// One mistake: where it is, below the provider's own key, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// For example `json.messages[0].to`.
    pub key: String,
    /// Begins with a verb whose subject is the key: `uses ${tex}, which is not known`. Holds no secret.
    pub message: String,
}

impl Problem {
    pub(super) fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.message)
    }
}

/// What is wrong with the URL of a vendor; `None` when nothing is.
pub(super) fn url_problem(url: &Url, allow_insecure: bool) -> Option<String> {
    let Some(host) = url.host() else {
        return Some("has no host".to_owned());
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some("holds a user name or a password; `auth` is the place for them".to_owned());
    }
    if url.fragment().is_some() {
        return Some("has a fragment (`#…`), which is never sent".to_owned());
    }
    if is_metadata_host(&host) {
        return Some("names a link-local or metadata address, which is no SMS vendor".to_owned());
    }
    match url.scheme() {
        "https" => None,
        "http" if allow_insecure || is_loopback(&host) => None,
        "http" => Some("is http://: codes would travel readable; use https://, or `allow_insecure: true` if the network in between is yours".to_owned()),
        other => Some(format!("begins with {other}://; only https:// is spoken")),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_metadata_host(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            matches!(name.trim_end_matches('.'), "metadata" | "metadata.google.internal" | "instance-data")
        }
        Host::Ipv4(address) => is_refused(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_refused(IpAddr::V6(*address)),
    }
}

/// Addresses that answer only to the machine itself or hand out its cloud credentials (sms §8): link-local, metadata, multicast, unspecified.
pub(super) fn is_refused(address: IpAddr) -> bool {
    const ALIBABA_METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
    const AWS_METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254);
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4 == ALIBABA_METADATA
        }
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || v6 == AWS_METADATA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(url: &str, allow_insecure: bool) -> Option<String> {
        url_problem(&Url::parse(url).unwrap(), allow_insecure)
    }

    #[test]
    fn codes_do_not_travel_readable() {
        assert!(problem("http://sms.example/send", false).unwrap().contains("https://"));
        for fine in ["https://sms.example/send", "http://127.0.0.1:80/", "http://localhost:8080/x", "http://[::1]/"] {
            assert_eq!(problem(fine, false), None, "{fine}");
        }
        assert_eq!(problem("http://10.0.0.1/", true), None);
        assert!(problem("ftp://sms.example/", true).is_some());
    }

    #[test]
    fn no_description_reaches_the_cloud_metadata() {
        for refused in [
            "https://169.254.169.254/latest",
            "https://0xA9FEA9FE/latest",
            "https://[::ffff:169.254.169.254]/",
            "https://[fe80::1]/",
            "https://[fd00:ec2::254]/",
            "https://100.100.100.200/",
            "https://0.0.0.0/",
            "https://metadata.google.internal/",
            "https://metadata.google.internal./",
        ] {
            assert!(problem(refused, true).is_some_and(|p| p.contains("metadata")), "{refused}");
        }
    }

    #[test]
    fn credentials_do_not_stand_in_the_url() {
        assert!(problem("https://user:pw@sms.example/", false).unwrap().contains("auth"));
        assert!(problem("https://sms.example/#x", false).unwrap().contains("fragment"));
    }
}
