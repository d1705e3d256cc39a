//! How one site's pages present themselves: name, languages, colour, picture, whom to ask, and the files that follow from these.
//!
//! Made once at start from what the operator wrote. Floor: pages.

use super::accent::{self, Rgb};
use super::assets::{Asset, AssetKind};
use crate::domain::language::Language;

/// What the operator wrote about a site's pages.
#[derive(Clone, Debug)]
pub struct LookSettings {
    /// The application's name for people. In every title.
    pub name: String,
    /// At least one; the first is used when a browser asks for none of them.
    pub languages: Vec<Language>,
    /// Whom to ask: an e-mail address, a URL, or a sentence.
    pub support: Option<String>,
    /// Where the application helps with a forgotten password: an e-mail address, a URL, or a sentence.
    pub password_help: Option<String>,
    /// `None`: our own colour.
    pub accent: Option<Rgb>,
    /// `None`: the first letter of the name.
    pub logo: Option<(AssetKind, Vec<u8>)>,
}

/// How one site's pages present themselves.
#[derive(Clone, Debug)]
pub struct SiteLook {
    pub(super) name: String,
    pub(super) languages: Vec<Language>,
    pub(super) support: Option<Contact>,
    pub(super) password_help: Option<Contact>,
    pub(super) files: Option<Files>,
}

/// The files of a site's pages.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) style: Asset,
    pub(super) colours: Asset,
    pub(super) script: Asset,
    pub(super) icon: Asset,
    pub(super) logo: Option<Asset>,
}

/// Somebody or something to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) text: String,
    /// A link, when the text is an e-mail address or a URL.
    pub(super) href: Option<String>,
    pub(super) is_url: bool,
}

impl SiteLook {
    /// Reads what the operator wrote; nothing in it can be wrong.
    #[must_use]
    pub fn new(settings: LookSettings) -> Self {
        let colour = settings.accent.unwrap_or(accent::DEFAULT);
        let files = Files {
            style: Asset::style(),
            colours: Asset::new("site", AssetKind::Css, accent::style_sheet(colour)),
            script: Asset::script(),
            icon: Asset::new("icon", AssetKind::Svg, accent::letter_icon(colour, &settings.name)),
            logo: settings.logo.map(|(kind, bytes)| Asset::new("logo", kind, bytes)),
        };
        Self {
            name: settings.name,
            languages: settings.languages,
            support: settings.support.as_deref().map(Contact::read),
            password_help: settings.password_help.as_deref().map(Contact::read),
            files: Some(files),
        }
    }

    /// For an answer that belongs to no site (421): no name and no files, since nothing else is served there.
    #[must_use]
    pub fn of_no_site() -> Self {
        Self { name: String::new(), languages: Language::ALL.to_vec(), support: None, password_help: None, files: None }
    }

    /// The file of this name, if it is one of this site's pages.
    #[must_use]
    pub fn asset(&self, name: &str) -> Option<&Asset> {
        let files = self.files.as_ref()?;
        [&files.style, &files.colours, &files.script, &files.icon]
            .into_iter()
            .chain(&files.logo)
            .find(|asset| asset.name() == name)
    }

    /// The languages its pages are offered in.
    #[must_use]
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// The application's name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Contact {
    fn read(text: &str) -> Self {
        let text = text.trim();
        let is_url = text.starts_with("https://") || text.starts_with("http://");
        let is_address = !text.contains(char::is_whitespace)
            && text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
        let href = match (is_url, is_address) {
            (true, _) => Some(text.to_owned()),
            (false, true) => Some(format!("mailto:{text}")),
            (false, false) => None,
        };
        Self { text: text.to_owned(), href, is_url }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_a_link_when_it_can_be_one() {
        for (text, href) in [
            ("helpdesk@example.com", Some("mailto:helpdesk@example.com")),
            ("https://help.example.com/x", Some("https://help.example.com/x")),
            ("Call Anna, extension 12", None),
            ("Write to anna@example.com or call", None),
            ("javascript:alert(1)", None),
            ("@example.com", None),
        ] {
            assert_eq!(Contact::read(text).href.as_deref(), href, "{text}");
        }
    }

    #[test]
    fn a_site_has_its_own_files_and_no_others() {
        let look = SiteLook::new(LookSettings {
            name: "Acme".into(),
            languages: vec![Language::En],
            support: None,
            password_help: None,
            accent: Some(Rgb { red: 1, green: 2, blue: 3 }),
            logo: Some((AssetKind::Png, vec![1, 2, 3])),
        });
        let files = look.files.clone().unwrap();
        for asset in [&files.style, &files.colours, &files.script, &files.icon, files.logo.as_ref().unwrap()] {
            assert_eq!(look.asset(asset.name()).unwrap().bytes(), asset.bytes());
        }
        for name in ["", "style.css", "../style.css", "logo.png"] {
            assert!(look.asset(name).is_none(), "{name}");
        }
    }
}
