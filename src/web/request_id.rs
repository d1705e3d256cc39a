//! The number that ties a page, an answer and a log line together.
//! It is random, not secret, and never taken from the client. Floor: web.

use std::fmt;

/// 16 lower-case hex digits, fresh for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

impl RequestId {
    /// A fresh one.
    #[must_use]
    pub fn fresh() -> Self {
        Self(rand::random())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_sixteen_hex_digits() {
        assert_eq!(RequestId(0xab).to_string(), "00000000000000ab");
        assert_ne!(RequestId::fresh(), RequestId::fresh());
    }
}
