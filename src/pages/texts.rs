//! The texts of every page and SMS, by language and key, from the Fluent files in `languages/`.
//!
//! Does not choose the language (`language_choice`) and knows no HTML. Floor: pages.

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::domain::language::Language;

/// The text of `key` in `language`, with `values` in its places.
///
/// A key that does not exist gives the key between double brackets: visible, and never a panic. The tests render
/// every page in every language and find those brackets.
#[must_use]
pub fn text(language: Language, key: &str, values: &[(&str, FluentValue<'_>)]) -> String {
    let bundle = bundle(language);
    let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
        return format!("[[{key}]]");
    };
    let arguments: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, value.clone())).collect();
    let mut problems = Vec::new();
    let text = bundle.format_pattern(pattern, Some(&arguments), &mut problems).into_owned();
    if problems.is_empty() { text } else { format!("[[{text}]]") }
}

/// A waiting time in words: seconds below a minute and a half, then minutes, then hours, rounded up so that it is never too short.
#[must_use]
pub fn duration(language: Language, duration: std::time::Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let (key, count) = match seconds {
        0..90 => ("duration-seconds", seconds.max(1)),
        90..5_400 => ("duration-minutes", seconds.div_ceil(60)),
        _ => ("duration-hours", seconds.div_ceil(3_600)),
    };
    text(language, key, &[("count", count.into())])
}

fn bundle(language: Language) -> &'static FluentBundle<FluentResource> {
    static EN: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| load(Language::En));
    static NL: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| load(Language::Nl));
    static FR: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| load(Language::Fr));
    static DE: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| load(Language::De));
    match language {
        Language::En => &EN,
        Language::Nl => &NL,
        Language::Fr => &FR,
        Language::De => &DE,
    }
}

fn source(language: Language) -> &'static str {
    match language {
        Language::En => include_str!("languages/en.ftl"),
        Language::Nl => include_str!("languages/nl.ftl"),
        Language::Fr => include_str!("languages/fr.ftl"),
        Language::De => include_str!("languages/de.ftl"),
    }
}

fn load(language: Language) -> FluentBundle<FluentResource> {
    // What does not parse is left out; `every_language_file_is_right` shows that nothing is.
    let resource = FluentResource::try_new(source(language).to_owned()).unwrap_or_else(|(rest, _)| rest);
    let tag = language.tag().parse().expect("our tags are two letters, which is a language identifier");
    let mut bundle = FluentBundle::new_concurrent(vec![tag]);
    bundle.set_use_isolating(false); // U+2068 around values would turn an SMS into UCS-2
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use fluent_bundle::FluentResource;

    use super::{duration, source, text};
    use crate::domain::language::Language;

    /// Key → its variables, read from the file's text: a message begins at a line's start, variables are `$name`.
    fn keys(language: Language) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut current = String::new();
        for line in source(language).lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            if !line.starts_with(' ') {
                let (key, _) = line.split_once(" =").expect("a message");
                assert!(!keys.contains_key(key), "{key} stands twice in {language:?}");
                key.clone_into(&mut current);
            }
            let variables = keys.entry(current.clone()).or_default();
            for part in line.split('$').skip(1) {
                variables.insert(part.chars().take_while(|c| c.is_ascii_lowercase()).collect());
            }
        }
        keys
    }

    #[test]
    fn every_language_file_is_right() {
        for language in Language::ALL {
            let problems = FluentResource::try_new(source(language).to_owned()).err().map(|(_, problems)| problems);
            assert!(problems.is_none(), "{language:?}: {problems:?}");
        }
    }

    #[test]
    fn all_languages_have_the_same_keys_with_the_same_variables() {
        let english = keys(Language::En);
        assert!(english.len() > 100);
        for language in Language::ALL {
            let those = keys(language);
            let missing: Vec<_> = english.keys().filter(|key| !those.contains_key(*key)).collect();
            let extra: Vec<_> = those.keys().filter(|key| !english.contains_key(*key)).collect();
            assert!(missing.is_empty() && extra.is_empty(), "{language:?} lacks {missing:?}, has {extra:?} besides");
            for (key, variables) in &english {
                assert_eq!(&those[key], variables, "variables of {key} in {language:?}");
            }
        }
    }

    #[test]
    fn a_translation_says_that_nobody_has_reviewed_it() {
        for language in [Language::Nl, Language::Fr, Language::De] {
            assert!(source(language).lines().next().unwrap().contains("NOT YET REVIEWED BY A NATIVE SPEAKER"));
        }
    }

    #[test]
    fn each_language_has_one_form_of_address() {
        let words =
            |language| source(language).split(|c: char| !c.is_alphabetic()).map(str::to_lowercase).collect::<Vec<_>>();
        let comments_name_it = 1;
        for (language, other) in [
            (Language::Nl, "u"),
            (Language::Nl, "uw"),
            (Language::Fr, "tu"),
            (Language::Fr, "ton"),
            (Language::De, "du"),
            (Language::De, "dein"),
        ] {
            let found = words(language).iter().filter(|word| *word == other).count();
            assert!(found <= comments_name_it, "{other} in {language:?}");
        }
    }

    #[test]
    fn counts_take_the_plural_of_their_language() {
        assert_eq!(text(Language::En, "code-attempts-left", &[("left", 1.into())]), "This is the last try.");
        assert_eq!(text(Language::De, "duration-minutes", &[("count", 2.into())]), "2 Minuten");
        assert_eq!(text(Language::Fr, "duration-seconds", &[("count", 1.into())]), "1 seconde");
    }

    #[test]
    fn a_waiting_time_is_rounded_up() {
        for (milliseconds, words) in [
            (0, "1 second"),
            (400, "1 second"),
            (29_001, "30 seconds"),
            (90_000, "2 minutes"),
            (3_600_000, "60 minutes"),
            (5_400_001, "2 hours"),
        ] {
            assert_eq!(duration(Language::En, Duration::from_millis(milliseconds)), words);
        }
    }

    #[test]
    fn a_missing_key_or_value_shows_between_brackets() {
        assert_eq!(text(Language::En, "no-such-key", &[]), "[[no-such-key]]");
        assert!(text(Language::En, "reference", &[]).starts_with("[["));
    }
}
