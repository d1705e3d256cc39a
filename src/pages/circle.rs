//! Why somebody comes back to the sign-in page again and again, as a plain value: the page says it to them, the log to the operator.
//!
//! Found out elsewhere: by the gateway, which sees what is wrong with a session, and by the portal, which sees the forms. Floor: pages.

/// Says why signing in does not hold, and what can be done.
#[derive(Clone, Debug)]
pub struct CirclePage {
    pub cause: CircleCause,
    /// Where to try once more.
    pub again_href: String,
}

/// Why somebody comes back to the sign-in page again and again, as far as it can be seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CircleCause {
    /// No cookie of ours comes back, not even to the sign-in form.
    CookiesNotSent,
    /// The browser shows our page over http, and keeps no cookies of an https site there.
    PageOverHttp,
    /// The login's cookie came back, the session's does not.
    SessionNotSent,
    /// The session's cookie is there twice.
    DoubledCookie,
    /// Sealed with a key that this node does not have.
    UnreadableCookie,
    /// Of another site on the same host.
    OtherSite,
    /// Out of time at once: clocks differ.
    OutOfTime,
    /// Ended at once.
    Ended,
    /// Nothing is wrong with the session: what it leads to sends back.
    Application,
    /// Whoever is in front of us says http, of a browser that has come over https.
    HttpsNotSeen,
}

impl CircleCause {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::CookiesNotSent,
        Self::PageOverHttp,
        Self::SessionNotSent,
        Self::DoubledCookie,
        Self::UnreadableCookie,
        Self::OtherSite,
        Self::OutOfTime,
        Self::Ended,
        Self::Application,
        Self::HttpsNotSeen,
    ];

    /// The stable word for the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CookiesNotSent => "circle_no_cookies",
            Self::PageOverHttp => "circle_page_over_http",
            Self::SessionNotSent => "circle_session_cookie_not_sent",
            Self::DoubledCookie => "circle_doubled_cookie",
            Self::UnreadableCookie => "circle_unreadable_cookie",
            Self::OtherSite => "circle_session_of_other_site",
            Self::OutOfTime => "circle_session_out_of_time",
            Self::Ended => "circle_session_ended",
            Self::Application => "circle_by_application",
            Self::HttpsNotSeen => "circle_https_not_seen",
        }
    }
}
