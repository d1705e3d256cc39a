//! The outside, one thing a file: Redis, memory, SQL, SMS, password hashing threads.
//! Each implements a port of `login::ports`; nothing here decides. Floor: edge.

pub mod hashing;
pub mod sms;
