//! Networks that clients come from: the two sizes that limits count by, and lists that an operator writes down.
//! Reads no header and opens no socket. Floor: ground.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The network a limit is counted by, made from one client address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientNetwork {
    base: IpAddr,
    prefix: u8,
}

impl ClientNetwork {
    /// The smallest network one subscriber has: IPv4 /32, IPv6 /64.
    #[must_use]
    pub fn narrow(address: IpAddr) -> Self {
        match folded(address) {
            IpAddr::V4(v4) => Self { base: IpAddr::V4(v4), prefix: 32 },
            IpAddr::V6(v6) => Self { base: IpAddr::V6(masked(v6, 64)), prefix: 64 },
        }
    }

    /// The network around it that one holder usually has: IPv4 /24, IPv6 /48.
    #[must_use]
    pub fn wide(address: IpAddr) -> Self {
        match folded(address) {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                Self { base: IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), prefix: 24 }
            }
            IpAddr::V6(v6) => Self { base: IpAddr::V6(masked(v6, 48)), prefix: 48 },
        }
    }
}

/// `203.0.113.0/24`, `2001:db8:1::/48`.
impl fmt::Display for ClientNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

/// Networks from the configuration. An empty list holds nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Takes the networks as the configuration gave them.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether `address` is in one of them. An IPv4 address inside IPv6 (`::ffff:192.0.2.1`) counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = folded(address);
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether the list has no network at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The one form of an address: an IPv4 address inside IPv6 becomes the IPv4 address, so that one client is counted once.
#[must_use]
pub fn folded(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

fn masked(address: Ipv6Addr, prefix: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_belongs_to_a_narrow_and_a_wide_network() {
        for (address, narrow, wide) in [
            ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ] {
            assert_eq!(ClientNetwork::narrow(ip(address)).to_string(), narrow);
            assert_eq!(ClientNetwork::wide(ip(address)).to_string(), wide);
        }
    }

    #[test]
    fn a_mapped_address_is_found_in_an_ipv4_network() {
        let networks = Networks::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        assert!(networks.contains(ip("::ffff:10.1.2.3")));
        assert!(networks.contains(ip("fd12::1")));
        assert!(!networks.contains(ip("11.0.0.1")));
        assert!(!Networks::default().contains(ip("10.0.0.1")));
    }
}
