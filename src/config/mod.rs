//! One YAML file and what it points to (other files, the environment) → `Config`; all mistakes of a file in one run.
//!
//! Every section has a file of its own that holds the settings and the function that reads them; that function is also what
//! the reference, the JSON Schema and `config show` are made from. Opens no socket and asks no store. Floor: roof.

pub mod limits;
pub mod listener;
pub mod operation;
pub mod passwords;
pub mod session;
pub mod site;
pub mod sms;
pub mod stores;
pub mod two_factor;
pub mod upstream;

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::domain::secret::SecretBytes;

/// Everything an operator decides, parsed and checked. `app` maps it to the settings of the rooms.
#[derive(Clone, Debug)]
pub struct Config {
    /// Lower bounds of durations and waits are lifted. Only with all sites on loopback.
    pub testing: bool,
    /// At least one; names and hosts are unique.
    pub sites: Vec<site::Site>,
    /// At least one; addresses are unique.
    pub listen: Vec<listener::Listener>,
    /// Networks whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// By name; every name that a site or route gives is in it.
    pub upstreams: BTreeMap<String, upstream::Upstream>,
    /// 32 bytes each; the first signs, all verify.
    pub signing_keys: Vec<SecretBytes>,
    pub state: stores::State,
    pub accounts: stores::Accounts,
    pub two_factor: two_factor::TwoFactor,
    pub session: session::Session,
    pub sms: sms::Sms,
    pub limits: limits::Limits,
    pub passwords: passwords::Passwords,
    pub audit: operation::Audit,
    pub shutdown: operation::Shutdown,
    pub log: operation::Log,
}
