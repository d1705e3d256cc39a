//! The edge to pingora: what a request may do, and handing it on. Floor: edge.

pub mod admission;
pub mod classify;
pub mod head;
pub mod headers;
pub mod route_rules;
pub mod sessions;
pub mod settings;
