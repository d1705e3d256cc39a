//! `admin`: where operators sign in. Who is one is said in SQL, on the command line. Floor: roof.

use std::net::SocketAddr;

use super::listener::{self, Tls};
use super::node::Node;
use crate::web::origin::Origin;

/// The operators' own address.
#[derive(Clone, Debug)]
pub struct Admin {
    pub listen: SocketAddr,
    /// Where browsers find it; no site has the same host and port.
    pub url: Origin,
    /// `None`: plain HTTP.
    pub tls: Option<Tls>,
}

pub(super) fn read(node: &Node<'_>) -> Admin {
    Admin {
        listen: node
            .key("listen", "Address and port. Best one that only operators reach: this machine itself, or a network of theirs.")
            .text(64)
            .parsed("an address and a port, such as 127.0.0.1:9180", listener::address)
            .or("127.0.0.1:9180"),
        url: node
            .key("url", "Where browsers find it; every other host gets 421. `http://` only for this machine itself (through a tunnel, say).")
            .text(512)
            .parsed("https:// and a host, perhaps a port, such as https://vestibule-admin.example.com", |text| {
                Origin::parse(&text).map_err(|mistake| format!("{text:?} {mistake}"))
            })
            .required("\"https://vestibule-admin.example.com\""),
        tls: node.key("tls", "Makes it https://.").maybe_section(listener::read_tls),
    }
}
