//! Which language a page is shown in, and the cookie that remembers a choice.
//!
//! Holds no texts. Floor: pages.

use crate::domain::language::Language;
use crate::web::origin::Scheme;
use crate::web::paths;

/// The name of the cookie that holds the tag of a chosen language. It is no secret and says nothing about a person.
pub const COOKIE: &str = "vestibule-language";

/// The language of a page: what the URL asks for (`?lang=`), else what was chosen before (the cookie), else what the browser
/// prefers (`Accept-Language`), else the site's first. Only languages that the site offers are ever chosen.
///
/// `offered` is the site's list; an empty one counts as English only.
#[must_use]
pub fn choose(
    offered: &[Language],
    asked: Option<&str>,
    cookie: Option<&str>,
    accept_language: Option<&str>,
) -> Language {
    let offers = |tag: &str| Language::parse(tag).filter(|language| offered.contains(language));
    asked
        .and_then(offers)
        .or_else(|| cookie.and_then(offers))
        .or_else(|| accept_language.and_then(|header| Language::negotiate(header, offered)))
        .or_else(|| offered.first().copied())
        .unwrap_or(Language::En)
}

/// The `Set-Cookie` value that remembers `language` for a year, for pages of ours only: it never goes upstream.
///
/// Without the `__Host-` prefix, which would not allow that path: whoever forges it changes the language of a page, no more.
#[must_use]
pub fn remember(language: Language, scheme: Scheme) -> String {
    let secure = match scheme {
        Scheme::Https => "; Secure",
        Scheme::Http => "",
    };
    format!("{COOKIE}={}; Path={}; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}", language.tag(), paths::PREFIX)
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::domain::language::Language::{De, En, Fr, Nl};

    #[test]
    fn the_url_goes_before_the_cookie_before_the_browser_before_the_site() {
        let offered = [Nl, En, Fr];
        for (asked, cookie, browser, expected) in [
            (Some("fr"), Some("en"), Some("nl"), Fr),
            (None, Some("en"), Some("fr"), En),
            (None, None, Some("fr-CH, en;q=0.5"), Fr),
            (None, None, Some("it"), Nl),
            (None, None, None, Nl),
            (Some("de"), Some("../x"), Some("de, en;q=0.1"), En),
        ] {
            assert_eq!(choose(&offered, asked, cookie, browser), expected, "{asked:?} {cookie:?} {browser:?}");
        }
        assert_eq!(choose(&[De], None, None, Some("fr")), De);
        assert_eq!(choose(&[], None, None, None), En);
    }
}
