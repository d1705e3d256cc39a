//! `limits`: what caps guessing, sending and the size of requests. The figures are ours unless a source is given. Floor: roof.

use std::time::Duration;

/// All caps. Attempts and sends of one login are in `two_factor.code`.
#[derive(Clone, Debug)]
pub struct Limits {
    pub code_failures: CodeFailures,
    pub password_failures: PasswordFailures,
    pub sms: SmsLimits,
    pub network: NetworkLimits,
    pub request: RequestLimits,
}

/// An account's wrong codes.
#[derive(Clone, Copy, Debug)]
pub struct CodeFailures {
    pub per_hour: u32,
    /// So many in a row disable the account's codes until an operator unlocks it.
    pub in_a_row: u32,
    /// Likewise; a success does not reset this one.
    pub per_30_days: u32,
}

/// An account's wrong passwords (NIST SP 800-63B-4 §3.2.2: waits of 30 seconds to an hour, at most 100 in a row).
#[derive(Clone, Copy, Debug)]
pub struct PasswordFailures {
    /// So many in a row cost no wait.
    pub free: u32,
    /// The wait after the next; doubles with each further one.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// So many in a row close the account until an operator acts.
    pub in_a_row: u32,
}

/// SMS that may be sent.
#[derive(Clone, Copy, Debug)]
pub struct SmsLimits {
    pub per_account_30m: u32,
    pub per_account_day: u32,
    pub per_number_30m: u32,
    pub per_number_day: u32,
    /// To numbers that share their first seven digits.
    pub per_prefix_10m: u32,
    pub total_minute: u32,
    pub total_day: u32,
}

/// What a client network may cause: an IPv4 address, an IPv6 /64. Successes are not counted.
#[derive(Clone, Copy, Debug)]
pub struct NetworkLimits {
    pub failures_minute: u32,
    /// SMS whose code was never entered.
    pub unfinished_sends_day: u32,
    /// An IPv4 /24 and an IPv6 /48 may do this many times as much.
    pub wider_factor: u32,
}

/// Sizes of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// Bytes of all header fields together; beyond: 431.
    pub headers_bytes: usize,
    /// Header fields; beyond: 431.
    pub headers_count: usize,
    /// Bytes of the request target; beyond: 414 (RFC 9112 §3 asks for at least 8000).
    pub target_bytes: usize,
    /// Bytes of a form sent to our own pages; beyond: 413.
    pub portal_body_bytes: usize,
}
