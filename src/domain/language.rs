//! The languages that pages and SMS texts exist in, and which one a browser asks for.
//!
//! Holds no texts: those are in `pages/languages/`. Floor: ground.

/// A language that every page and every SMS exists in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    En,
    Nl,
    Fr,
    De,
}

impl Language {
    /// All of them, in the order in which the configuration reference lists them.
    pub const ALL: [Language; 4] = [Language::En, Language::Nl, Language::Fr, Language::De];

    /// The BCP 47 tag, as in `<html lang>` and `Content-Language`.
    pub fn tag(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Nl => "nl",
            Language::Fr => "fr",
            Language::De => "de",
        }
    }

    /// The language's name in itself, for a list to choose from.
    pub fn own_name(self) -> &'static str {
        match self {
            Language::En => "English",
            Language::Nl => "Nederlands",
            Language::Fr => "Français",
            Language::De => "Deutsch",
        }
    }

    /// The language of exactly this tag, in any letter case; `None` for all others, also for `nl-BE`.
    pub fn parse(tag: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(tag))
    }

    /// What an `Accept-Language` header asks for among `offered`: the entry with the highest weight that is one of them,
    /// as written (`nl`) or by its base language (`nl-BE`). `None` when it names none of them, and when it is longer than 1 KiB.
    ///
    /// `*` says "anything", which is what the caller's default is for. Only the first 16 entries are read (our own bound:
    /// browsers send fewer than ten).
    pub fn negotiate(accept_language: &str, offered: &[Language]) -> Option<Language> {
        if accept_language.len() > ACCEPT_LANGUAGE_MAX_BYTES {
            return None;
        }
        let mut wanted: Vec<(Language, u16)> = accept_language
            .split(',')
            .take(ACCEPT_LANGUAGE_MAX_ENTRIES)
            .filter_map(|entry| {
                let mut parts = entry.split(';');
                let language = Language::of_range(parts.next()?.trim())?;
                let weight = weight(parts.next())?;
                (weight > 0 && offered.contains(&language)).then_some((language, weight))
            })
            .collect();
        wanted.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight)); // stable: the first of equals stays first
        wanted.first().map(|(language, _)| *language)
    }

    fn of_range(range: &str) -> Option<Language> {
        Language::parse(range).or_else(|| Language::parse(range.split('-').next()?))
    }
}

const ACCEPT_LANGUAGE_MAX_BYTES: usize = 1024;
const ACCEPT_LANGUAGE_MAX_ENTRIES: usize = 16;

/// `q=0.8` in thousandths (RFC 9110 §12.4.2 allows three decimals); `None` when it is not a weight.
fn weight(parameter: Option<&str>) -> Option<u16> {
    let Some(parameter) = parameter else {
        return Some(1000);
    };
    let value = parameter.trim().strip_prefix("q=").or_else(|| parameter.trim().strip_prefix("Q="))?;
    let weight: f32 = value.trim().parse().ok()?;
    (0.0..=1.0).contains(&weight).then_some((weight * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::Language::{self, De, En, Fr, Nl};

    #[test]
    fn the_heaviest_offered_language_is_chosen_exactly_or_by_its_base() {
        let all = Language::ALL;
        for (header, offered, expected) in [
            ("nl", &all[..], Some(Nl)),
            ("nl-BE,nl;q=0.9,en;q=0.8", &all, Some(Nl)),
            ("de-AT", &all, Some(De)),
            ("FR-be", &all, Some(Fr)),
            ("en;q=0.5, fr;q=0.8, de;q=0.8", &all, Some(Fr)),
            ("fr;q=0, en", &all, Some(En)),
            ("it, ja;q=0.9", &all, None),
            ("*", &all, None),
            ("nl;q=0.9, en;q=0.1", &[En, Fr], Some(En)),
            ("nl;q=2, fr;q=0.1", &all, Some(Fr)),
            ("nl;q=NaN, fr;q=0.1", &all, Some(Fr)),
            ("nl;x=1, fr;q=0.1", &all, Some(Fr)),
            ("", &all, None),
            (";;,,;q=", &all, None),
        ] {
            assert_eq!(Language::negotiate(header, offered), expected, "{header}");
        }
    }

    #[test]
    fn a_header_that_is_too_long_is_not_read() {
        let seventeenth = format!("{}de", "it,".repeat(16));
        assert_eq!(Language::negotiate(&seventeenth, &Language::ALL), None);
        let sixteenth = format!("{}de", "it,".repeat(15));
        assert_eq!(Language::negotiate(&sixteenth, &Language::ALL), Some(De));
        let long = format!("de,{}", "x".repeat(1024));
        assert_eq!(Language::negotiate(&long, &Language::ALL), None);
    }

    #[test]
    fn a_tag_reads_back_as_its_language() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.tag()), Some(language));
        }
        assert_eq!(Language::parse("nl-BE"), None);
        assert_eq!(Language::parse(""), None);
    }
}
