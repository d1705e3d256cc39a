//! The texts of SMS and mails, from the language files of the pages, for whoever sends them. Floor: roof.

use std::collections::HashMap;

use super::settings_of::{OPERATORS, OPERATORS_TITLE};
use crate::config::Config;
use crate::domain::code::Code;
use crate::domain::language::Language;
use crate::domain::notice::Notice;
use crate::domain::site::SiteName;
use crate::login::notices::NoticeTexts;
use crate::login::ports::SmsTexts;
use crate::pages::notice_text::{notice_mail, notice_sms};
use crate::pages::sms_text::code_sms;

/// What each site says of itself.
#[derive(Debug)]
pub struct LanguageFileTexts {
    sites: HashMap<SiteName, Particulars>,
    /// In whose name people are told what an operator did.
    first: SiteName,
}

#[derive(Debug)]
struct Particulars {
    /// What it calls itself.
    name: String,
    /// The host its codes are bound to.
    host: String,
    /// Whom to ask for help.
    support: Option<String>,
}

impl LanguageFileTexts {
    /// Of all configured sites, and of the place where operators sign in.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let of = |site: &crate::config::site::Site| {
            let (name, host) = (site.portal.name.clone(), site.url.host().to_owned());
            (SiteName::new(&site.name), Particulars { name, host, support: site.portal.support.clone() })
        };
        let operators = config.admin.iter().map(|admin| {
            let (name, host) = (OPERATORS_TITLE.to_owned(), admin.url.host().to_owned());
            (SiteName::new(OPERATORS), Particulars { name, host, support: None })
        });
        Self {
            sites: config.sites.iter().map(of).chain(operators).collect(),
            first: SiteName::new(config.sites.first().map_or("", |site| &site.name)),
        }
    }

    /// Where the change was made; for what operators do, the first site.
    fn of_notice<'a>(&'a self, notice: &'a Notice) -> (&'a str, Option<&'a str>) {
        let site = notice.site.as_ref().unwrap_or(&self.first);
        match self.sites.get(site) {
            Some(Particulars { name, support, .. }) => (name, support.as_deref()),
            None => (site.as_str(), None),
        }
    }
}

impl SmsTexts for LanguageFileTexts {
    fn text(&self, site: &SiteName, language: Language, code: &Code) -> String {
        let found = self.sites.get(site);
        let (name, host) = found.map_or((site.as_str(), site.as_str()), |found| (&found.name, &found.host));
        code_sms(language, name, host, code.reveal())
    }
}

impl NoticeTexts for LanguageFileTexts {
    fn sms(&self, notice: &Notice) -> String {
        notice_sms(notice, self.of_notice(notice).0)
    }

    fn mail(&self, notice: &Notice) -> (String, String) {
        let (name, support) = self.of_notice(notice);
        notice_mail(notice, name, support)
    }
}
