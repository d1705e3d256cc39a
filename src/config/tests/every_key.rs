//! A mistake at every key, made from the JSON Schema: all are reported in one run, each with its key and what would be right.

use serde_json::{Map, Value, json};

use super::super::{Problem, schema};
use super::reference::with_everything;
use super::{assert_mistake, read_value};

/// Makes a document with a mistake at every key, and the list of them.
struct Saboteur {
    mistakes: Vec<String>,
    /// What to put in place of a single value of this schema; `None` when there is no such mistake.
    spoil: fn(&Value) -> Option<Value>,
}

impl Saboteur {
    fn document(&mut self, schema: &Value, path: &str) -> Value {
        if let Some(scalar) = schema.pointer("/anyOf/0") {
            let spoiled = (self.spoil)(scalar);
            if spoiled.is_some() {
                self.mistakes.push(path.to_owned());
            }
            return spoiled.unwrap_or(json!("x"));
        }
        if schema["type"] == json!(["object", "array"]) {
            self.mistakes.push(path.to_owned());
            return json!(5);
        }
        let join = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match (schema["properties"].as_object(), schema.get("items")) {
            (Some(properties), _) => {
                self.mistakes.push(join("no_such_key"));
                let mut map: Map<String, Value> =
                    properties.iter().map(|(key, schema)| (key.clone(), self.document(schema, &join(key)))).collect();
                map.insert("no_such_key".to_owned(), json!(1));
                Value::Object(map)
            }
            (None, Some(items)) => Value::Array(vec![self.document(items, &format!("{path}[0]"))]),
            (None, None) => json!({ "x": self.document(&schema["additionalProperties"], &join("x")) }),
        }
    }
}

fn all_are_reported(spoil: fn(&Value) -> Option<Value>) {
    let mut saboteur = Saboteur { mistakes: Vec::new(), spoil };
    let document = saboteur.document(&schema::schema(), "");
    assert!(saboteur.mistakes.len() > 100, "{:?}", saboteur.mistakes);
    let problems = read_value(&document).unwrap_err();
    for key in &saboteur.mistakes {
        let found = problems.iter().find(|problem| problem.key == *key);
        let Some(Problem { wrong, right, .. }) = found else { panic!("nothing is said about {key}") };
        assert!(!wrong.is_empty() && !right.is_empty(), "{key}: {wrong:?} {right:?}");
    }
    // that all five ways of `auth` are given is a mistake of this test
    saboteur.mistakes.push("sms.providers[0].auth".to_owned());
    let invented: Vec<&Problem> = problems.iter().filter(|problem| !saboteur.mistakes.contains(&problem.key)).collect();
    assert!(invented.is_empty(), "{invented:#?}");
}

#[test]
fn a_wrong_type_at_every_key_is_reported_in_one_run() {
    all_are_reported(|_| Some(json!(["a list"])));
}

#[test]
fn a_value_below_its_range_at_every_key_is_reported_in_one_run() {
    all_are_reported(|schema| {
        if let Some(least) = schema["x-least"].as_str() {
            let is_size = least.ends_with('B');
            return (!least.starts_with('0'))
                .then(|| json!(if is_size { "0B" } else { "0s" }))
                .or_else(|| Some(json!("1 fortnight")));
        }
        if let Some(least) = schema["minimum"].as_i64() {
            return Some(json!(least - 1));
        }
        Some(match &schema["enum"] {
            Value::Array(_) => json!("no-such-word"),
            _ if schema["type"].is_array() => json!([]),
            _ => json!(""),
        })
    });
}

#[test]
fn a_value_above_its_range_at_every_key_is_reported_in_one_run() {
    all_are_reported(|schema| {
        if let Some(most) = schema["x-most"].as_str() {
            return Some(json!(if most.ends_with('B') { "999999999MiB" } else { "999999999d" }));
        }
        if let Some(most) = schema["maximum"].as_u64() {
            return Some(json!(most + 1));
        }
        Some(match &schema["enum"] {
            Value::Array(_) => json!("no-such-word"),
            _ if schema["type"].is_array() => json!({}),
            // secrets have no upper bound of their own but one line
            _ => json!("two\nlines ".repeat(500)),
        })
    });
}

#[test]
fn a_single_value_in_place_of_any_section_or_list_is_reported() {
    fn containers(value: &Value, pointer: &str, path: &str, found: &mut Vec<(String, String)>) {
        let is_elsewhere = value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("file"));
        match value {
            Value::Object(map) if !is_elsewhere => {
                found.push((pointer.to_owned(), path.to_owned()));
                for (key, value) in map {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    containers(value, &format!("{pointer}/{key}"), &path, found);
                }
            }
            Value::Array(items) => {
                found.push((pointer.to_owned(), path.to_owned()));
                for (index, value) in items.iter().enumerate() {
                    containers(value, &format!("{pointer}/{index}"), &format!("{path}[{index}]"), found);
                }
            }
            _ => {}
        }
    }
    let everything = with_everything();
    let mut found = Vec::new();
    containers(&everything, "", "", &mut found);
    assert!(found.len() > 40, "{found:?}");
    for (pointer, path) in found.iter().skip(1) {
        let mut document = everything.clone();
        *document.pointer_mut(pointer).unwrap() = json!(5);
        let problems = read_value(&document).unwrap_err();
        let said = problems.iter().find(|problem| problem.key == *path);
        assert!(
            said.is_some_and(|problem| problem.wrong.contains('5') && !problem.right.is_empty()),
            "{path}: {problems:#?}"
        );
        let nested = problems
            .iter()
            .find(|problem| problem.key.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with(['.', '['])));
        assert!(nested.is_none(), "{path}: what is in it is no further mistake: {nested:?}");
    }
}

#[test]
fn every_key_without_default_is_asked_for() {
    let problems = read_value(&json!({})).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    let all = [
        "sites",
        "signing_keys",
        "state.url",
        "accounts.url",
        "accounts.encryption_keys",
        "two_factor.phone_numbers",
        "sms.countries",
        "sms.providers",
    ];
    assert_eq!(keys, all);
    assert!(problems.iter().all(|problem| problem.wrong == "is missing and has no default"));
}

#[test]
fn an_unknown_key_is_told_its_nearest_neighbour() {
    assert_mistake(&[("/session", "{ idel_timeout: 5m }")], "session.idel_timeout", "perhaps `idle_timeout`");
    assert_mistake(&[("/two_factor/code", "{ lifetme: 5m }")], "two_factor.code.lifetme", "perhaps `lifetime`");
    assert_mistake(&[("/sitees", "[]")], "sitees", "perhaps `sites`");
    assert_mistake(&[("/log", "{ colour: red }")], "log.colour", "one of format, level, access");
}

#[test]
fn the_traps_of_yaml_are_named() {
    for (pointer, text, key, word) in [
        ("/sms/countries", "[BE, false]", "sms.countries[1]", "NO"),
        ("/sms/sender", "123", "sms.sender", "\"123\""),
        ("/sms/sender", "+32460001234", "sms.sender", "in quotes"),
        ("/sms/sender", "true", "sms.sender", "in quotes"),
        ("/log/access", "yes", "log.access", "on or off"),
        ("/log/access", "1", "log.access", "on or off"),
        ("/two_factor/code/length", "\"6\"", "two_factor.code.length", "quotes"),
        ("/two_factor/code/length", "007", "two_factor.code.length", "zeros in front"),
        ("/two_factor/code/attempts", "2.5", "two_factor.code.attempts", "whole"),
        ("/session/lifetime", "36000", "session.lifetime", "no unit"),
        ("/session/lifetime", "\"36000\"", "session.lifetime", "no unit"),
        ("/session/lifetime", "10 hours", "session.lifetime", "unit"),
        ("/passwords/argon2/memory", "19456", "passwords.argon2.memory", "no unit"),
        ("/passwords/argon2/memory", "19MB", "passwords.argon2.memory", "KiB"),
        ("/trusted_proxies", "[10.0.0.5/8]", "trusted_proxies[0]", "10.0.0.0/8"),
        ("/log", "{ level: }", "log.level", "nothing is given"),
        ("/sms/countries", "BE", "sms.countries", "list"),
    ] {
        assert_mistake(&[(pointer, text)], key, word);
    }
    super::assert_right(&[("/sms/countries", "[BE, NO]"), ("/log/access", "off"), ("/session", "")]);
}
