//! The edge to pingora: what a request may do, and handing it on. Floor: edge.
//!
//! A request goes `head` → `classify` → one `Verdict`: answered here (`answers`), by the portal in this process (`bridge`), or proxied
//! with an `Admission` (`proxy`, `headers`, `upstreams`). It deliberately knows nothing of passwords, codes and stores.

pub mod access_log;
pub mod acme;
pub mod admission;
pub mod answers;
pub mod assertions;
pub mod bounded_file;
pub mod bridge;
pub mod certificate_validity;
pub mod certificate_watch;
pub mod certificates;
pub mod classify;
pub mod connection;
mod early_answer;
mod failures;
mod figures;
pub mod handle;
pub mod head;
pub mod headers;
mod http2;
pub mod message_pages;
mod metrics_page;
pub mod original;
mod overriding;
pub mod pem;
mod permission;
mod preflight;
pub mod proxy;
mod proxy_protocol;
mod refused;
pub mod request_state;
pub mod route_rules;
mod seldom;
pub mod service;
pub mod settings;
mod streams;
mod tries;
pub mod upstreams;
pub mod verify;
mod way;
mod websocket;

#[cfg(test)]
mod tests;
