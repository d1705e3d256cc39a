//! What people are told of a change: as an SMS of one part, and as a mail. Neither holds a code, or a link to sign in with. Does not send them. Floor: pages.

use fluent_bundle::FluentValue;

use super::texts::text;
use crate::domain::language::Language;
use crate::domain::notice::{Change, Notice};
use crate::domain::time::UnixMillis;

/// The SMS, from `site` as it calls itself.
#[must_use]
pub fn notice_sms(notice: &Notice, site: &str) -> String {
    let key = format!("sms-{}", key(notice.change));
    particulars(notice.language, &key, site, notice.at, notice.ending.as_deref())
}

/// Subject and text of the mail. `support`: whom to ask, in the site's own words.
#[must_use]
pub fn notice_mail(notice: &Notice, site: &str, support: Option<&str>) -> (String, String) {
    let language = notice.language;
    let key = format!("mail-{}", key(notice.change));
    let said = |key: &str| particulars(language, key, site, notice.at, notice.ending.as_deref());
    let help = match support {
        Some(support) => text(language, "mail-help-support", &[("support", support.into())]),
        None => text(language, "mail-help", &[("site", site.into())]),
    };
    let paragraphs = [
        said(&key),
        text(language, "mail-account", &[("user", notice.user_name.as_str().into())]),
        format!("{}\n{help}", text(language, "mail-known", &[])),
        text(language, "mail-closing", &[]),
    ];
    (said(&format!("{key}-subject")), paragraphs.join("\n\n") + "\n")
}

/// Every SMS that tells of a change, with the longest particulars.
pub(super) fn longest_notices(language: Language, site: &str) -> impl Iterator<Item = String> {
    let at = UnixMillis(1_795_512_600_250);
    Change::ALL
        .into_iter()
        .map(move |change| particulars(language, &format!("sms-{}", key(change)), site, at, Some("00")))
}

fn particulars(language: Language, key: &str, site: &str, at: UnixMillis, ending: Option<&str>) -> String {
    let ending = ending.unwrap_or_default();
    let values: [(&str, FluentValue<'_>); 3] =
        [("site", site.into()), ("time", at.to_the_minute().into()), ("ending", ending.into())];
    text(language, key, &values)
}

fn key(change: Change) -> &'static str {
    match change {
        Change::NumberSet => "number-set",
        Change::NumberCleared => "number-cleared",
        Change::TwoFactorReset => "two-factor-reset",
        Change::PasswordGiven => "password-given",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::account::AccountId;
    use crate::domain::gsm7::{ONE_PART_SEPTETS, septets};

    fn notice(language: Language, change: Change) -> Notice {
        Notice {
            change,
            account: AccountId::random(),
            user_name: "anna".to_owned(),
            site: None,
            language,
            at: UnixMillis(1_795_512_600_250),
            ending: (change == Change::NumberSet).then(|| "56".to_owned()),
        }
    }

    #[test]
    fn every_notice_says_where_when_and_what_in_one_sms_without_a_link() {
        for (language, change) in Language::ALL.into_iter().flat_map(|one| Change::ALL.map(|change| (one, change))) {
            let sms = notice_sms(&notice(language, change), "Acme Marketing Plus");
            assert!(septets(&sms).unwrap() <= ONE_PART_SEPTETS, "{sms}: {:?}", septets(&sms));
            assert!(sms.contains("Acme Marketing Plus") && sms.contains("2026-11-24 09:30 UTC"), "{sms}");
            assert_eq!(sms.contains("56"), change == Change::NumberSet, "{sms}");
            assert!(!sms.contains("[[") && !sms.contains("http") && !sms.contains('@'), "{sms}");
        }
    }

    #[test]
    fn every_mail_says_whom_it_is_about_and_whom_to_ask() {
        for (language, change) in Language::ALL.into_iter().flat_map(|one| Change::ALL.map(|change| (one, change))) {
            let notice = notice(language, change);
            for support in [Some("helpdesk@example.com"), None] {
                let (subject, text) = notice_mail(&notice, "Acme", support);
                assert!(subject.starts_with("Acme") && !subject.contains('\n'), "{subject}");
                assert!(text.contains(" anna.") && text.contains("2026-11-24 09:30 UTC"), "{text}");
                assert!(text.contains(support.unwrap_or("Acme.")), "{text}");
                assert_eq!(text.contains("56"), change == Change::NumberSet, "{text}");
                assert!(!subject.contains("[[") && !text.contains("[[") && !text.contains("http"), "{subject}\n{text}");
            }
        }
    }
}
