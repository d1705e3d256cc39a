//! What gateway, portal and admin share of HTTP: names of paths and cookies, and how outside input becomes types.
//! Opens no connection and decides nothing about who may do what. Floor: imports `domain`.

pub mod bounces;
pub mod canonical_path;
pub mod client_address;
pub mod cookies;
pub mod device;
pub mod forwarded;
pub mod origin;
pub mod path_pattern;
pub mod paths;
pub mod problem;
pub mod request_context;
pub mod request_id;
pub mod return_path;
