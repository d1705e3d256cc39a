//! The outside, one thing a file: Redis, memory, SQL, SMS, password hashing threads.
//! Each implements a port of `login::ports`; nothing here decides. Floor: edge.

#[cfg(test)]
mod contract;
pub mod hashing;
pub mod memory_limits;
pub mod memory_pending;
pub mod sms;
