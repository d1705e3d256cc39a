//! Lists and maps of values: every entry has a slot of its own. Floor: roof.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::declared::{Form, Presence};
use super::document::{self, join};
use super::node::{Aim, Slot, in_words};

/// A list that is being read; how it ends says what holds when it is left out.
pub(super) struct List<'a, T> {
    slot: Slot<'a>,
    least: usize,
    most: usize,
    item: Box<dyn Fn(Slot<'_>) -> T + 'a>,
}

impl<'a> Slot<'a> {
    /// A list of so many entries, each read by `item`.
    pub(super) fn list<T>(self, least: usize, most: usize, item: impl Fn(Slot<'_>) -> T + 'a) -> List<'a, T> {
        List { slot: self, least, most, item: Box::new(item) }
    }

    /// Entries with names the operator chooses, none when left out, shown commented out.
    pub(super) fn map<T>(self, example: &'static str, entry: impl Fn(&str, Slot<'_>) -> T) -> BTreeMap<String, T> {
        self.read_map(Presence::Optional(example), example, entry)
    }

    /// Entries with names the operator chooses; none when left out, else at least one. The reference shows the example in use.
    pub(super) fn suggested_map<T>(
        self,
        example: &'static str,
        entry: impl Fn(&str, Slot<'_>) -> T,
    ) -> BTreeMap<String, T> {
        if self.given.and_then(Value::as_object).is_some_and(Map::is_empty) {
            self.reading.mistake(
                &self.path,
                "is empty",
                "at least one entry: a name of your choice, with its settings below",
            );
        }
        self.read_map(Presence::Suggested(example), example, entry)
    }

    fn read_map<T>(
        self,
        presence: Presence,
        example: &str,
        entry: impl Fn(&str, Slot<'_>) -> T,
    ) -> BTreeMap<String, T> {
        let entries = RefCell::default();
        let slot = |name: &str, given| Slot::of_entry(self.reading, join(&self.path, name), name, given, &entries);
        let mut map = BTreeMap::new();
        match self.given {
            None if self.reading.aim == Aim::Description => {
                map.insert(example.to_owned(), entry(example, slot(example, None)));
            }
            None => {}
            Some(Value::Object(given)) => {
                for (name, value) in given {
                    map.insert(name.clone(), entry(name, slot(name, Some(value))));
                }
            }
            Some(other) => self.reading.mistake(
                &self.path,
                format!("{} stands where entries with names are needed", in_words(other)),
                format!("names of your choice, indented below it, for example `{example}:`"),
            ),
        }
        self.declare(presence, Form::Map { entries: entries.take() });
        map
    }
}

impl<T> List<'_, T> {
    /// Left out, it is this list.
    pub(super) fn or(self, default: &'static str) -> Vec<T> {
        self.read(Presence::Default(default))
    }

    /// Left out, it is empty; the reference shows the example commented out.
    pub(super) fn or_empty(self, example: &'static str) -> Vec<T> {
        self.read(Presence::Optional(example))
    }

    /// Left out, it is a mistake.
    pub(super) fn required(self, example: &'static str) -> Vec<T> {
        self.read(Presence::Required(example))
    }

    /// Left out, it is empty; the reference shows the example in use.
    pub(super) fn suggested(self, example: &'static str) -> Vec<T> {
        self.read(Presence::Suggested(example))
    }

    fn read(self, presence: Presence) -> Vec<T> {
        let Self { slot, least, most, item } = self;
        let items = RefCell::default();
        let one = |path: String, given| item(Slot::of_entry(slot.reading, path, "", given, &items));
        let default = match (slot.given, presence) {
            (None, Presence::Default(text)) => Some(document::literal(text)),
            _ => None,
        };
        let right = match least {
            0 => format!("a list of at most {most}"),
            least => format!("a list of {least} to {most}"),
        };
        let values = match slot.given.or(default.as_ref()) {
            _ if slot.reading.aim == Aim::Description => vec![one(format!("{}[0]", slot.path), None)],
            Some(Value::Array(given)) => {
                if given.len() < least || given.len() > most {
                    slot.reading.mistake(&slot.path, format!("has {} entries", given.len()), right);
                }
                given
                    .iter()
                    .enumerate()
                    .map(|(index, value)| one(format!("{}[{index}]", slot.path), Some(value)))
                    .collect()
            }
            Some(other) => {
                slot.reading.mistake(
                    &slot.path,
                    format!("{} stands where a list is needed", in_words(other)),
                    format!("{right}, in brackets or with a `-` before each"),
                );
                Vec::new()
            }
            None => {
                if let Presence::Required(example) = presence {
                    let example = match example {
                        "" => "as `vestibule config reference` shows".to_owned(),
                        example => format!("such as {example}"),
                    };
                    slot.missing(&format!("{right}, {example}"));
                }
                Vec::new()
            }
        };
        let items = items.take();
        slot.declare(presence, Form::List { least, most, items });
        values
    }
}
