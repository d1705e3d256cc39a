//! What passes between downstream and upstream in header fields: identity set last and never taken over, forwarding fields
//! rewritten, our cookies kept here. Framing and hop-by-hop fields are pingora's. Floor: edge.

pub mod identity;
pub mod request;
pub mod response;

use std::borrow::Cow;

use http::HeaderName;

use super::settings::IdentityHeaders;

/// Names that always mean identity, whether this site sends them or not: an application may believe one that we do not send.
const IDENTITY: [&str; 7] = [
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-preferred-username",
    "x-forwarded-groups",
    "x-vestibule-session",
    "x-vestibule-assertion",
    "x-vestibule-user",
];

/// Whether a folded name means identity at this site.
fn is_identity(folded: &str, headers: &IdentityHeaders) -> bool {
    IDENTITY.contains(&folded) || names(headers).any(|ours| fold(ours.as_str()) == folded)
}

/// The names under which a site's application learns who somebody is.
fn names(headers: &IdentityHeaders) -> impl Iterator<Item = &HeaderName> {
    [
        Some(&headers.user),
        headers.email.as_ref(),
        headers.preferred_username.as_ref(),
        headers.session.as_ref(),
        headers.assertion.as_ref(),
    ]
    .into_iter()
    .flatten()
}

/// The form in which CGI, WSGI and their like confuse names: everything but letters and digits becomes `-`. Header names are lower case.
pub(super) fn fold(name: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.chars().all(plain) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::site::SiteName;
    use crate::gateway::route_rules::{RouteRules, UpstreamName};
    use crate::gateway::settings::SiteSettings;
    use crate::web::origin::Origin;

    pub(super) fn site() -> Arc<SiteSettings> {
        Arc::new(SiteSettings {
            name: SiteName::new("marketing"),
            origin: Origin::parse("https://app.example.com").unwrap(),
            rules: RouteRules::new(vec![]),
            upstream: Some(UpstreamName::new("app")),
            identity: IdentityHeaders {
                user: HeaderName::from_static("remote-user"),
                email: Some(HeaderName::from_static("x-forwarded-email")),
                preferred_username: Some(HeaderName::from_static("x-name")),
                session: Some(HeaderName::from_static("x-vestibule-session")),
                assertion: None,
            },
            strict_transport: None,
        })
    }
}
