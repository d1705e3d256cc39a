//! The text of an SMS, from the language files of the pages, for the sign-in flow. Floor: roof.

use std::collections::HashMap;

use super::settings_of::{OPERATORS, OPERATORS_TITLE};
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::language::Language;
use crate::domain::site::SiteName;
use crate::login::ports::SmsTexts;
use crate::pages::sms_text::{code_sms, number_changed_sms};

/// What each site calls itself, and the host its codes are bound to.
#[derive(Debug)]
pub struct LanguageFileTexts(HashMap<SiteName, (String, String)>);

impl LanguageFileTexts {
    /// Of all configured sites, and of the place where operators sign in.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let of = |site: &crate::config::site::Site| {
            (SiteName::new(&site.name), (site.portal.name.clone(), site.url.host().to_owned()))
        };
        let operators = config
            .admin
            .iter()
            .map(|admin| (SiteName::new(OPERATORS), (OPERATORS_TITLE.to_owned(), admin.url.host().to_owned())));
        Self(config.sites.iter().map(of).chain(operators).collect())
    }
}

impl SmsTexts for LanguageFileTexts {
    fn text(&self, site: &SiteName, language: Language, code: &Code) -> String {
        let (name, host) = self.0.get(site).map_or((site.as_str(), site.as_str()), |(name, host)| (name, host));
        code_sms(language, name, host, code.reveal())
    }

    fn number_changed(&self, site: &SiteName, language: Language) -> String {
        number_changed_sms(language, self.0.get(site).map_or(site.as_str(), |(name, _)| name))
    }
}
