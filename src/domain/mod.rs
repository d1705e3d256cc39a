//! The rules: no I/O, no async, no clock, no HTTP. Floor: ground, imports nothing of ours.
//!
//! Time comes in as `now`; randomness is drawn from the operating system's generator where a secret is made.

pub mod account;
pub mod api_token;
pub mod assertion;
pub mod audit;
pub mod audit_chain;
pub mod code;
pub mod gsm7;
pub mod keys;
pub mod language;
pub mod limits;
pub mod network;
pub mod notice;
pub mod number_change;
pub mod operator;
pub mod password;
pub mod password_hash;
pub mod pending;
pub mod phone;
mod record;
pub mod revocation;
pub mod secret;
pub mod session;
pub mod site;
pub mod ticket;
pub mod time;
pub mod user_name;
