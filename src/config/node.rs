//! Reading a section: a `Node` is a section, a `Slot` is the place of one value in it. To ask a slot for its value is also to declare
//! the key, once, with its help and default. A mistake is noted and a harmless value returned, so that one run finds all.
//!
//! Knows no key by name. Floor: roof.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::declared::{Declared, Form, Presence};
use super::document::join;
use super::problem::Problem;
use super::surroundings::{Content, Readers, Surroundings};
use crate::gateway::bounded_file::Accepted;

/// One pass over a file.
pub(super) struct Reading<'a> {
    pub(super) aim: Aim,
    pub(super) surroundings: &'a dyn Surroundings,
    /// What relative paths are relative to.
    pub(super) folder: &'a Path,
    /// Who can read the file itself: a secret may stand in it only when nobody else can.
    pub(super) readers: Readers,
    /// Lower bounds of durations are lifted.
    pub(super) testing: Cell<bool>,
    problems: RefCell<Vec<Problem>>,
    /// Paths whose value is a stand-in, because what was given could not be used.
    stand_ins: RefCell<Vec<String>>,
}

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// Reading a file.
    File,
    /// Finding out what keys there are: every optional section, list and map is visited once, nothing is a mistake.
    Description,
}

/// A section that is being read.
pub(super) struct Node<'a> {
    reading: &'a Reading<'a>,
    path: String,
    given: Option<&'a Map<String, Value>>,
    /// What was given is no section: its missing keys are no further mistakes.
    excused: bool,
    declared: RefCell<Vec<Declared>>,
}

/// The place of one value.
pub(super) struct Slot<'a> {
    pub(super) reading: &'a Reading<'a>,
    pub(super) path: String,
    name: String,
    help: &'static str,
    pub(super) given: Option<&'a Value>,
    excused: bool,
    declared: &'a RefCell<Vec<Declared>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(aim: Aim, surroundings: &'a dyn Surroundings, folder: &'a Path, readers: Readers) -> Self {
        Self {
            aim,
            surroundings,
            folder,
            readers,
            testing: Cell::new(false),
            problems: RefCell::default(),
            stand_ins: RefCell::default(),
        }
    }

    /// Reads the whole file with the reader of its top section.
    pub(super) fn read<T>(
        &'a self,
        given: &'a Value,
        read: impl FnOnce(&Node<'_>) -> T,
    ) -> (T, Vec<Declared>, Vec<Problem>) {
        let node = Node::of_value(self, String::new(), Some(given), false);
        let value = read(&node);
        let keys = node.finish();
        (value, keys, self.problems.take())
    }

    /// Notes a mistake in what was given for `path`; the reader goes on with a stand-in.
    pub(super) fn mistake(&self, path: &str, wrong: impl Into<String>, right: impl Into<String>) {
        self.stand_ins.borrow_mut().push(path.to_owned());
        self.note(path, wrong, right);
    }

    /// Notes that values which are fine by themselves do not fit together. Says nothing when one of `with` is a stand-in.
    pub(super) fn refuse(&self, path: &str, with: &[&str], wrong: impl Into<String>, right: impl Into<String>) {
        let stand_ins = self.stand_ins.borrow();
        let rests_on_stand_in = |path: &str| stand_ins.iter().any(|stand_in| is_at_or_below(path, stand_in));
        if !rests_on_stand_in(path) && !with.iter().any(|path| rests_on_stand_in(path)) {
            self.note(path, wrong, right);
        }
    }

    /// Whether everything at and below this path was read as it was given.
    pub(super) fn is_as_given(&self, path: &str) -> bool {
        !self.stand_ins.borrow().iter().any(|stand_in| is_at_or_below(stand_in, path))
    }

    fn note(&self, path: &str, wrong: impl Into<String>, right: impl Into<String>) {
        if self.aim == Aim::File {
            self.problems.borrow_mut().push(Problem { key: path.to_owned(), wrong: wrong.into(), right: right.into() });
        }
    }
}

fn is_at_or_below(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor)
        .is_some_and(|rest| ancestor.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

impl<'a> Node<'a> {
    fn of_value(reading: &'a Reading<'a>, path: String, given: Option<&'a Value>, excused: bool) -> Self {
        let (given, excused) = match given {
            None | Some(Value::Null) => (None, excused), // a section whose keys are all commented out
            Some(Value::Object(map)) => (Some(map), false),
            Some(other) => {
                reading.mistake(
                    &path,
                    format!("{} stands where a section is needed", in_words(other)),
                    "keys and values, indented below it",
                );
                (None, true)
            }
        };
        Self { reading, path, given, excused, declared: RefCell::default() }
    }

    /// The slot of a key. The help is for operators: sentences that say what the key does.
    pub(super) fn key(&self, name: &str, help: &'static str) -> Slot<'_> {
        Slot {
            reading: self.reading,
            path: join(&self.path, name),
            name: name.to_owned(),
            help,
            given: self.given.and_then(|map| map.get(name)),
            excused: self.excused,
            declared: &self.declared,
        }
    }

    /// Whether the file gives a value for this key.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.given.is_some_and(|map| map.contains_key(name))
    }

    /// The path of this section, or of a key in it.
    pub(super) fn path(&self, key: &str) -> String {
        if key.is_empty() { self.path.clone() } else { join(&self.path, key) }
    }

    pub(super) fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    /// Notes that keys of this section do not fit together; the mistake is shown at `key` (the section itself when empty). Says nothing when
    /// one of them could not be read.
    pub(super) fn refuse(&self, key: &str, with: &[&str], wrong: impl Into<String>, right: impl Into<String>) {
        let with: Vec<String> = with.iter().map(|key| self.path(key)).collect();
        let with: Vec<&str> = with.iter().map(String::as_str).collect();
        self.reading.refuse(&self.path(key), &with, wrong, right);
    }

    /// What is in the file that `key` names. `None` when it cannot be read, which is noted, and when there is nothing to read but a description.
    pub(super) fn content(&self, key: &str, path: &Path, most_bytes: u64) -> Option<Content> {
        if self.reading.aim == Aim::Description {
            return None;
        }
        match self.reading.surroundings.file(path, Accepted::PlainFile, most_bytes) {
            Ok(content) => Some(content),
            Err(error) => {
                self.refuse(
                    key,
                    &[],
                    format!("{} cannot be read: {error}", path.display()),
                    "the path of a file that this user can read",
                );
                None
            }
        }
    }

    /// Whether there is a folder; a description says yes to all.
    pub(super) fn is_folder(&self, path: &Path) -> bool {
        self.reading.aim == Aim::Description || self.reading.surroundings.is_folder(path)
    }

    fn finish(self) -> Vec<Declared> {
        let declared = self.declared.into_inner();
        for key in self.given.into_iter().flat_map(Map::keys) {
            if !declared.iter().any(|known| known.name == *key) {
                let wrong =
                    if key == "<<" { "YAML's merge key `<<` is not understood here" } else { "there is no such key" };
                self.reading.note(
                    &join(&self.path, key),
                    wrong,
                    nearest(key, declared.iter().map(|known| known.name.as_str())),
                );
            }
        }
        declared
    }
}

/// Which known name was probably meant, as a sentence; all of them when none is near.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> String {
    let known: Vec<&str> = known.collect();
    let near = known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .max_by(|left, right| left.0.total_cmp(&right.0));
    match near {
        // 0.8: `lifetme`, `idel_timeout` and `phone_number` are found, words that only begin alike are not
        Some((likeness, name)) if likeness >= 0.8 => format!("perhaps `{name}`; known here are {}", known.join(", ")),
        Some(_) => format!("one of {}", known.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// A value as a message shows it.
pub(super) fn in_words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => format!("`{value}` (YAML reads it as yes or no)"),
        Value::Number(_) => format!("the number {value}"),
        Value::String(text) if text.chars().count() > 60 => {
            format!("\"{}…\"", text.chars().take(60).collect::<String>())
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a section".to_owned(),
    }
}

impl<'a> Slot<'a> {
    /// The slot of an entry of a list (without a name) or of a map.
    pub(super) fn of_entry(
        reading: &'a Reading<'a>,
        path: String,
        name: &str,
        given: Option<&'a Value>,
        declared: &'a RefCell<Vec<Declared>>,
    ) -> Self {
        Self { reading, path, name: name.to_owned(), help: "", given, excused: false, declared }
    }

    /// A section that is always read; when it is left out, all its defaults hold.
    pub(super) fn section<T>(self, read: impl FnOnce(&Node<'_>) -> T) -> T {
        self.read_section(Presence::Default(""), read)
    }

    /// A section that may be left out; the reference shows it commented out.
    pub(super) fn maybe_section<T>(self, read: impl FnOnce(&Node<'_>) -> T) -> Option<T> {
        self.is_visited().then(|| self.read_section(Presence::Optional(""), read))
    }

    /// A section that may be left out; the reference shows it in use.
    pub(super) fn suggested_section<T>(self, read: impl FnOnce(&Node<'_>) -> T) -> Option<T> {
        self.is_visited().then(|| self.read_section(Presence::Suggested(""), read))
    }

    fn is_visited(&self) -> bool {
        self.given.is_some() || self.reading.aim == Aim::Description
    }

    fn read_section<T>(self, presence: Presence, read: impl FnOnce(&Node<'_>) -> T) -> T {
        let node = Node::of_value(self.reading, self.path.clone(), self.given, self.excused);
        let value = read(&node);
        let keys = node.finish();
        self.declare(presence, Form::Section { keys });
        value
    }

    /// A tree that is passed on as it is: nothing in it is looked up.
    pub(super) fn maybe_tree(self, presence: Presence) -> Option<Value> {
        let tree = match self.given {
            None => None,
            Some(Value::Object(_) | Value::Array(_)) => self.given.cloned(),
            Some(other) => {
                self.reading.mistake(
                    &self.path,
                    format!("{} stands where fields are needed", in_words(other)),
                    "names and values, indented below it",
                );
                None
            }
        };
        self.declare(presence, Form::Tree { in_force: tree.clone() });
        tree
    }

    /// Notes that a value is missing, unless it could not be there.
    pub(super) fn missing(&self, right: &str) {
        if !self.excused && self.reading.aim == Aim::File {
            self.reading.mistake(&self.path, "is missing and has no default", right);
        }
        self.reading.stand_ins.borrow_mut().push(self.path.clone());
    }

    pub(super) fn declare(self, presence: Presence, form: Form) {
        self.declared.borrow_mut().push(Declared { name: self.name, help: self.help, presence, form });
    }

    /// A path as the operator meant it: relative ones start at the folder of the configuration file.
    pub(super) fn resolve(reading: &Reading<'_>, path: &str) -> PathBuf {
        reading.folder.join(path)
    }
}
