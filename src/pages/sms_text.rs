//! What the SMS with a code says, and whether it fits into one part in every language.
//!
//! Does not send it. Floor: pages.

use thiserror::Error;

use super::notice_text::longest_notices;
use super::texts::text;
use crate::domain::gsm7::{self, ONE_PART_SEPTETS};
use crate::domain::language::Language;

/// The SMS for `code`: a sentence that begins with the code, so that a notification shows it, an empty line, and the line that binds
/// it to the site (`@host #code`, WICG sms-one-time-codes): a phone then offers it on pages of `host` only.
///
/// `site` is the site's shown name, `host` the host of its URL without a port.
#[must_use]
pub fn code_sms(language: Language, site: &str, host: &str, code: &str) -> String {
    let sentence = text(language, "sms-code", &[("code", code.into()), ("site", site.into())]);
    format!("{sentence}\n\n@{host} #{code}")
}

/// The SMS of `vestibule sms test`: no code in it.
#[must_use]
pub fn test_sms(language: Language, site: &str) -> String {
    text(language, "sms-test", &[("site", site.into())])
}

/// Why the SMS of a site cannot go out as one part of GSM-7. For the operator, at start-up.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SmsTextProblem {
    #[error("the SMS in `{tag}` takes {septets} of {ONE_PART_SEPTETS} characters: shorten the site's name or host", tag = .language.tag())]
    TooLong { language: Language, septets: usize },
    #[error("{character:?} in the site's name cannot be sent in a plain SMS (GSM-7): write the name without it")]
    NotInGsm7 { character: char },
    #[error("the site's name has a line break, which would make a false last line in the SMS")]
    LineBreak,
}

/// Every problem of the SMS texts of one site, with a code of `code_length` digits. Empty when all is well.
#[must_use]
pub fn check_sms_texts(site: &str, host: &str, languages: &[Language], code_length: u8) -> Vec<SmsTextProblem> {
    if site.contains(['\n', '\r']) {
        return vec![SmsTextProblem::LineBreak];
    }
    let code = "0".repeat(usize::from(code_length));
    let mut problems = Vec::new();
    for &language in languages {
        let texts = longest_notices(language, site).chain([code_sms(language, site, host, &code)]);
        let longest = texts.map(|text| gsm7::septets(&text)).try_fold(0, |most, septets| Ok(most.max(septets?)));
        let problem = match longest {
            Ok(septets) if septets <= ONE_PART_SEPTETS => continue,
            Ok(septets) => SmsTextProblem::TooLong { language, septets },
            Err(character) => SmsTextProblem::NotInGsm7 { character },
        };
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::{SmsTextProblem, check_sms_texts, code_sms, test_sms};
    use crate::domain::gsm7::{ONE_PART_SEPTETS, septets};
    use crate::domain::language::Language;

    #[test]
    fn the_code_comes_first_and_the_last_line_binds_it_to_the_host() {
        for language in Language::ALL {
            let sms = code_sms(language, "Acme", "app.example.com", "012345");
            let lines: Vec<&str> = sms.lines().collect();
            assert!(lines[0].starts_with("012345 "), "{sms}");
            assert_eq!(&lines[1..], ["", "@app.example.com #012345"]);
        }
    }

    #[test]
    fn every_sms_is_one_part_of_gsm7_with_long_values() {
        for language in Language::ALL {
            let sms = code_sms(language, "Acme Marketing Plus", "marketing.example-company.com", "01234567");
            assert!(septets(&sms).unwrap() <= ONE_PART_SEPTETS, "{language:?}: {:?}", septets(&sms));
            assert!(septets(&test_sms(language, "Acme Marketing Plus")).unwrap() <= ONE_PART_SEPTETS);
        }
        assert_eq!(check_sms_texts("Acme Marketing Plus", "marketing.example-company.com", &Language::ALL, 8), []);
    }

    #[test]
    fn a_name_that_spoils_the_sms_is_reported() {
        let host = "app.example.com";
        assert_eq!(check_sms_texts("Façade", host, &Language::ALL, 6), [SmsTextProblem::NotInGsm7 { character: 'ç' }]);
        assert_eq!(check_sms_texts("Acme\n@evil.example #1", host, &Language::ALL, 6), [SmsTextProblem::LineBreak]);
        let long = check_sms_texts(&"n".repeat(90), host, &[Language::En, Language::De], 6);
        assert!(
            matches!(
                long[..],
                [
                    SmsTextProblem::TooLong { language: Language::En, .. },
                    SmsTextProblem::TooLong { language: Language::De, .. }
                ]
            ),
            "{long:?}"
        );
    }
}
