//! From when until when a certificate is valid, and what an operator should hear about it. Reads no clock and checks no chain.
//! Floor: edge (pure).

use std::fmt;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::domain::time::UnixMillis;

const DAY: Duration = Duration::from_secs(86_400);

/// The time in which a certificate is valid; both moments belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// `notBefore`.
    pub from: UnixMillis,
    /// `notAfter`.
    pub until: UnixMillis,
}

/// How a certificate stands, from good to bad: what is worse is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// More than 14 days are left.
    Good,
    /// At most 14 days are left: what renews at a third or half of its life should have been at it.
    TwoWeeks,
    /// At most 3 days are left.
    ThreeDays,
    /// At most a day is left.
    OneDay,
    /// Browsers refuse it: its time has not come.
    NotYet,
    /// Browsers refuse it: it is over.
    Ended,
}

impl Validity {
    /// `None` when these bytes are no certificate, or name no time that can be told.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let millis = |seconds: i64| seconds.checked_mul(1000).map(UnixMillis);
        let validity = parsed.validity();
        Some(Self { from: millis(validity.not_before.timestamp())?, until: millis(validity.not_after.timestamp())? })
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn standing(self, now: UnixMillis) -> Standing {
        if now > self.until {
            Standing::Ended
        } else if now < self.from {
            Standing::NotYet
        } else {
            match self.until.since(now) {
                left if left <= DAY => Standing::OneDay,
                left if left <= 3 * DAY => Standing::ThreeDays,
                left if left <= 14 * DAY => Standing::TwoWeeks,
                _ => Standing::Good,
            }
        }
    }

    /// A sentence for an operator; `None` when nothing has to be said.
    #[must_use]
    pub fn remark(self, now: UnixMillis) -> Option<String> {
        match self.standing(now) {
            Standing::Good => None,
            Standing::TwoWeeks | Standing::ThreeDays | Standing::OneDay => {
                Some(format!("ends at {}, in {}", self.until, Left(self.until.since(now))))
            }
            Standing::NotYet => Some(format!("is valid from {} only: browsers refuse it", self.from)),
            Standing::Ended => Some(format!("ended at {}: browsers refuse it", self.until)),
        }
    }
}

/// Time that is left, rounded down.
struct Left(Duration);

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = self.0.as_secs() / 3600;
        if hours < 48 { write!(f, "{hours} hours") } else { write!(f, "{} days", hours / 24) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_certificate_gets_more_urgent_towards_its_end() {
        let validity = Validity { from: UnixMillis(1000), until: UnixMillis(1000 + 90 * 24 * HOUR) };
        let left = |hours: i64| validity.standing(UnixMillis(validity.until.0 - hours * HOUR));
        assert_eq!(validity.standing(UnixMillis(999)), Standing::NotYet);
        assert_eq!(validity.standing(UnixMillis(1000)), Standing::Good);
        assert_eq!(left(14 * 24 + 1), Standing::Good);
        assert_eq!(left(14 * 24), Standing::TwoWeeks);
        assert_eq!(left(3 * 24), Standing::ThreeDays);
        assert_eq!(left(24), Standing::OneDay);
        assert_eq!(left(0), Standing::OneDay);
        assert_eq!(validity.standing(UnixMillis(validity.until.0 + 1)), Standing::Ended);
        assert!(Standing::Ended > Standing::OneDay && Standing::OneDay > Standing::TwoWeeks);
    }

    #[test]
    fn what_is_said_names_the_end_and_what_is_left() {
        let validity = Validity { from: UnixMillis(0), until: UnixMillis(1_795_512_600_250) };
        let said = |before_end: i64| validity.remark(UnixMillis(validity.until.0 - before_end));
        assert_eq!(said(30 * 24 * HOUR), None);
        assert_eq!(said(13 * 24 * HOUR).unwrap(), "ends at 2026-11-24T09:30:00.250Z, in 13 days");
        assert_eq!(said(23 * HOUR + 5).unwrap(), "ends at 2026-11-24T09:30:00.250Z, in 23 hours");
        assert!(said(-1).unwrap().contains("ended at 2026-11-24T09:30:00.250Z"));
    }

    #[test]
    fn bytes_that_are_no_certificate_have_no_validity() {
        assert_eq!(Validity::of(&CertificateDer::from(&b"no certificate"[..])), None);
    }
}
