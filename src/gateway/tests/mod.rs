//! The gateway as a whole: real pingora on a loopback port between a raw client and a raw upstream that keeps what it got.

mod downstream;
mod identity;
mod ours;
mod rig;
mod service;
mod streams;
mod uploads;
mod upstream_answers;
mod upstream_failures;
mod upstream_servers;
mod wire;
