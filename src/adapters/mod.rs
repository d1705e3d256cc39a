//! The outside, one thing a file: Redis, memory, SQL, SMS, password hashing threads.
//! Each implements a port of `login`; nothing here decides. Floor: edge.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod contract_of_breakers;
pub mod hashing;
pub mod mail;
pub mod marker_file;
pub mod memory_limits;
pub mod memory_pending;
pub mod memory_provider_breakers;
pub mod redis_address;
mod redis_breaker;
#[cfg(test)]
mod redis_group_tests;
pub mod redis_limits;
pub mod redis_link;
pub mod redis_marker;
pub mod redis_pending;
pub mod redis_probe;
pub mod redis_provider_breakers;
#[cfg(test)]
mod redis_server;
#[cfg(test)]
mod redis_tests;
pub mod sms;
pub mod sql;
