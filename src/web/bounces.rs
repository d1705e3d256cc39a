//! How often a browser was sent from sign-in to a page, kept by that browser itself: whoever comes back to sign-in at once, again and again,
//! goes round in a circle, and is told so instead of being sent on.
//!
//! Decides nothing about who may do what: who forges the count changes which page is shown to them. A browser that keeps no cookies at all
//! does not come as far as this; the sign-in form finds that out. Floor: web.

use std::time::Duration;

use http::header::{HeaderMap, HeaderValue};

use super::cookies::{self, CookieNames};

/// After so many bounces there is a page about it. Our own choice: one may be chance, two a second try.
pub const MOST: u8 = 3;

/// How a browser was sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// By an answer alone, so that it is back within moments if it goes round.
    Answer,
    /// After a sign-in, which takes a person some time.
    SignIn,
}

impl Hop {
    /// How long a bounce counts; the browser's own clock measures it, and only how much passes. Our own choice.
    fn counts_for(self) -> Duration {
        match self {
            Self::Answer => Duration::from_secs(20),
            Self::SignIn => Duration::from_secs(600),
        }
    }
}

/// How often this browser was sent on lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounces(u8);

impl Bounces {
    /// What the browser remembers; none when it says nothing that can be read.
    #[must_use]
    pub fn read(headers: &HeaderMap, names: CookieNames) -> Self {
        let told = cookies::read(headers, names.bounces).one();
        Self(told.and_then(|count| count.parse().ok()).unwrap_or(0))
    }

    /// Whether it is time to stop and say so.
    #[must_use]
    pub fn is_circle(self) -> bool {
        self.0 >= MOST
    }

    /// The `Set-Cookie` value that goes with one more.
    #[must_use]
    pub fn one_more(self, hop: Hop, names: CookieNames) -> Option<HeaderValue> {
        names.set_for(names.bounces, &self.0.saturating_add(1).to_string(), hop.counts_for())
    }

    /// The `Set-Cookie` value with which counting begins anew; `None` when nothing was counted.
    #[must_use]
    pub fn forget(self, names: CookieNames) -> Option<HeaderValue> {
        if self.0 == 0 { None } else { names.delete(names.bounces) }
    }
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;
    use crate::web::origin::Scheme;

    fn told(cookie: &'static str) -> Bounces {
        let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(cookie))]);
        Bounces::read(&headers, CookieNames::of(Scheme::Https))
    }

    #[test]
    fn three_bounces_are_a_circle_and_what_cannot_be_read_is_none() {
        for (cookie, circle) in [
            ("a=1", false),
            ("__Host-vestibule-bounces=2", false),
            ("__Host-vestibule-bounces=3", true),
            ("__Host-vestibule-bounces=255", true),
            ("__Host-vestibule-bounces=256", false),
            ("__Host-vestibule-bounces=-3", false),
            ("__Host-vestibule-bounces=3; __Host-vestibule-bounces=3", false),
            ("vestibule-bounces=3", false),
        ] {
            assert_eq!(told(cookie).is_circle(), circle, "{cookie}");
        }
    }

    #[test]
    fn each_bounce_is_counted_for_a_while_and_the_count_stays_short() {
        let names = CookieNames::of(Scheme::Https);
        let next = |cookie, hop| told(cookie).one_more(hop, names).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            next("__Host-vestibule-bounces=1", Hop::Answer),
            "__Host-vestibule-bounces=2; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=20"
        );
        assert!(next("a=1", Hop::SignIn).ends_with("; Max-Age=600"));
        assert!(next("__Host-vestibule-bounces=255", Hop::Answer).starts_with("__Host-vestibule-bounces=255;"));
        assert_eq!(told("a=1").forget(names), None);
        assert!(told("__Host-vestibule-bounces=1").forget(names).unwrap().to_str().unwrap().ends_with("; Max-Age=0"));
    }
}
