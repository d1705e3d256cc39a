//! The reference states what the code does.

use serde_json::Value;

use super::super::declared::{Declared, Form, Presence};
use super::super::{description, document, reference};
use super::{read, read_value};

/// The reference with the two decisions made that it leaves open.
fn decided() -> String {
    reference::reference()
        .replace("  #phone_numbers:", "  phone_numbers:")
        .replace("trusted_proxies: []", "trusted_proxies: [127.0.0.1]")
}

/// Every setting that is commented out, with all that belongs to it: first and last line.
fn left_out(lines: &[&str]) -> Vec<(usize, usize)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let is_setting =
        |line: &str| line.trim_start().strip_prefix('#').is_some_and(|rest| !rest.is_empty() && !rest.starts_with(' '));
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate().filter(|(_, line)| is_setting(line)) {
        let within = |other: &&str| !other.is_empty() && indent(other) > indent(line);
        let last = first + lines[first + 1..].iter().take_while(|other| within(other)).count();
        found.push((first, last));
    }
    found
}

fn uncommented(line: &str) -> String {
    let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
    match rest.strip_prefix('#') {
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => format!("{indent}{setting}"),
        Some(_) | None => line.to_owned(),
    }
}

/// The reference with every setting in use, also those that exclude each other.
pub(super) fn with_everything() -> Value {
    document::literal(&decided().lines().map(|line| uncommented(line) + "\n").collect::<String>())
}

#[test]
fn the_file_in_the_repository_is_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/vestibule.yaml");
    let file = std::fs::read_to_string(path).unwrap();
    assert!(file == reference::reference(), "make it anew: cargo run -- config reference > config/vestibule.yaml");
}

#[test]
fn the_reference_lacks_only_decisions() {
    let problems = read(&reference::reference()).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["two_factor.phone_numbers", "listen[0]"], "{problems:#?}");
    assert!(read(&decided()).is_ok());
}

#[test]
fn every_default_that_the_reference_states_is_the_default_of_the_code() {
    let stated = document::literal(&decided());
    let mut without = stated.clone();
    remove_defaults(&description(), &mut without);
    // the one that `decided` has changed
    without["trusted_proxies"] = stated["trusted_proxies"].clone();
    assert!(without.get("session").is_none() && without["two_factor"].get("activation").is_none());
    let (stated, without) = (read_value(&stated).unwrap(), read_value(&without).unwrap());
    assert_eq!(format!("{:#?}", stated.config), format!("{:#?}", without.config));
    assert_eq!(stated.in_force, without.in_force);
}

fn remove_defaults(declared: &[Declared], value: &mut Value) {
    let Some(map) = value.as_object_mut() else { return };
    for key in declared {
        match (&key.presence, &key.form, map.get_mut(&key.name)) {
            (Presence::Default(text), _, Some(_)) if !text.is_empty() => drop(map.shift_remove(&key.name)),
            (_, Form::Section { keys }, Some(value)) => {
                remove_defaults(keys, value);
                if value.as_object().is_some_and(serde_json::Map::is_empty) {
                    map.shift_remove(&key.name);
                }
            }
            (_, Form::List { items, .. }, Some(Value::Array(values))) => {
                for (item, value) in items.iter().zip(values) {
                    if let Form::Section { keys } = &item.form {
                        remove_defaults(keys, value);
                    }
                }
            }
            (_, Form::Map { entries }, Some(value)) => remove_defaults(entries, value),
            _ => {}
        }
    }
}

#[test]
fn every_setting_that_the_reference_leaves_out_can_be_taken_into_use_as_it_stands() {
    let text = decided();
    let lines: Vec<&str> = text.lines().collect();
    let left_out = left_out(&lines);
    assert!(left_out.len() > 40, "{}", left_out.len());
    for (first, last) in &left_out {
        // a setting inside another that is left out comes with that one
        if left_out.iter().any(|(outer, end)| outer < first && last <= end) {
            continue;
        }
        let text: String = (0..lines.len())
            .map(|line| {
                if (*first..=*last).contains(&line) {
                    uncommented(lines[line]) + "\n"
                } else {
                    lines[line].to_owned() + "\n"
                }
            })
            .collect();
        let problems = read(&text).err().unwrap_or_default();
        let excludes_or_needs_another = |words: &str| {
            [
                "one too many",
                "more than one way",
                "exactly one",
                "what `auth` sets",
                "only by a listener that redirects",
            ]
            .iter()
            .any(|known| words.contains(known))
        };
        let unexpected: Vec<_> = problems.iter().filter(|problem| !excludes_or_needs_another(&problem.wrong)).collect();
        assert!(unexpected.is_empty(), "{}: {unexpected:#?}", lines[*first]);
    }
}

#[test]
fn every_key_is_explained() {
    fn check(keys: &[Declared], path: &str) {
        for key in keys {
            let path = format!("{path}.{}", key.name);
            match &key.form {
                Form::Scalar { .. } | Form::Tree { .. } => {}
                Form::List { items, .. } => items.iter().for_each(|item| {
                    if let Form::Section { keys } = &item.form {
                        check(keys, &path);
                    }
                }),
                Form::Section { keys } => check(keys, &path),
                Form::Map { entries } => entries.iter().for_each(|entry| {
                    if let Form::Section { keys } = &entry.form {
                        check(keys, &path);
                    }
                }),
            }
            assert!(key.help.ends_with(['.', ':']), "{path}: {:?}", key.help);
        }
    }
    check(&description(), "");
}
