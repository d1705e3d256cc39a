//! `two_factor`: when a code is asked for, how numbers come to accounts, and what a code is. Floor: roof.

use std::time::Duration;

/// The second factor.
#[derive(Clone, Debug)]
pub struct TwoFactor {
    pub activation: Activation,
    pub phone_numbers: PhoneNumbers,
    pub enrolment: Enrolment,
    pub code: Code,
    /// How long a right password may wait for its code; at most ten minutes (NIST SP 800-63B-4 §3.1.3.2).
    pub login_lifetime: Duration,
}

/// How an installation begins. Once activated it stays so; SQL remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Everybody needs both factors.
    Active,
    /// Password only, until `two-factor activate`.
    Staged,
}

/// How phone numbers come to accounts. The operator has to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneNumbers {
    /// Defined by the operator.
    PreRegistered,
    /// Asked for at the first sign-in, inside the enrolment window.
    SelfRegistered,
}

/// When a user may give a number. Without effect when numbers are pre-registered.
#[derive(Clone, Copy, Debug)]
pub struct Enrolment {
    /// From account creation, activation or `open-enrolment`.
    pub window: Duration,
}

/// What a code is and how often it may be tried and sent.
#[derive(Clone, Debug)]
pub struct Code {
    /// Digits: 6 to 8.
    pub length: u8,
    /// 1 to 10 minutes, and never longer than `login_lifetime`.
    pub lifetime: Duration,
    /// Tries in one login, over all its codes.
    pub attempts: u32,
    /// SMS in one login, the first included.
    pub sends: u32,
    /// The wait before the first resend, the second, …; the last one repeats. At least one.
    pub resend_after: Vec<Duration>,
}
