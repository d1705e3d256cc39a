//! Single values: how one is looked up (in the file, in another file, in the environment), read, and declared. What kinds of values there are
//! stands in `kinds.rs`. Floor: roof.

use std::path::Path;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::declared::{Form, Presence};
use super::document;
use super::node::{Aim, Reading, Slot, in_words};
use super::surroundings::Readers;
use crate::gateway::bounded_file::Accepted;

/// A value that is being read; how it ends says what holds when it is left out.
pub(super) struct Scalar<'a, T> {
    pub(super) slot: Slot<'a>,
    /// What would be right, in words.
    pub(super) right: String,
    /// JSON Schema of what may stand in the file itself.
    pub(super) schema: Value,
    pub(super) exposure: Exposure,
    pub(super) read: Reader<'a, T>,
    /// What to go on with when an example cannot be read, because it points to a file.
    pub(super) stand_in: Option<fn() -> T>,
}

/// Reads one kind of value.
pub(super) type Reader<'a, T> = Box<dyn Fn(&Raw) -> Result<T, Wrong> + 'a>;

/// How much of a value `config show` and messages may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposure {
    Shown,
    /// A URL whose password is hidden; what it stands in must not be readable by others when there is one.
    UrlWithPassword,
    Secret,
}

/// What was given.
pub(super) enum Raw {
    /// In the file itself: text, a number, or true or false.
    Here(Value),
    /// Text of a file or an environment variable.
    Elsewhere(Zeroizing<String>),
}

/// Why a value cannot be used.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) wrong: String,
    /// In place of what the kind says in general.
    pub(super) right: Option<String>,
}

impl Wrong {
    pub(super) fn new(wrong: impl Into<String>) -> Self {
        Self { wrong: wrong.into(), right: None }
    }

    pub(super) fn with_right(wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Self { wrong: wrong.into(), right: Some(right.into()) }
    }
}

impl Raw {
    /// The text that was given. Numbers and truth values are none: YAML has changed them already (`0032` is 32, `1.10` is 1.1).
    pub(super) fn text(&self) -> Result<&str, Wrong> {
        match self {
            Raw::Here(Value::String(text)) => Ok(text),
            Raw::Elsewhere(text) => Ok(text),
            Raw::Here(Value::Number(number)) => Err(Wrong::with_right(
                format!("YAML reads {number} as a number, and text is needed"),
                format!("the same in quotes: \"{number}\""),
            )),
            Raw::Here(Value::Bool(flag)) => Err(Wrong::with_right(
                format!("YAML reads this as {flag} (yes or no), and text is needed"),
                "the text in quotes, as in \"no\"".to_owned(),
            )),
            Raw::Here(other) => Err(Wrong::new(format!("{} stands where one value is needed", in_words(other)))),
        }
    }
}

impl<'a, T: 'a> Scalar<'a, T> {
    /// Left out, it is this.
    pub(super) fn or(self, default: &'static str) -> T {
        let fallback = self.example(default);
        self.take(Presence::Default(default), Some(document::literal(default))).unwrap_or(fallback)
    }

    /// Left out, it is a mistake.
    pub(super) fn required(self, example: &'static str) -> T {
        let fallback = self.example(example);
        self.take(Presence::Required(example), None).unwrap_or(fallback)
    }

    /// Left out, it is a mistake; what is right is a decision that the reference leaves to the operator.
    pub(super) fn choose(self, example: &'static str) -> T {
        let fallback = self.example(example);
        self.take(Presence::Choice(example), None).unwrap_or(fallback)
    }

    /// Left out, there is none.
    pub(super) fn maybe(self, example: &'static str) -> Option<T> {
        self.read_example(example);
        self.take(Presence::Optional(example), None)
    }

    /// Left out, there is none; the reference shows the example in use.
    pub(super) fn suggested(self, example: &'static str) -> Option<T> {
        self.read_example(example);
        self.take(Presence::Suggested(example), None)
    }

    /// The same value, read further. `right` says in words what is needed.
    pub(super) fn parsed<U: 'a>(
        self,
        right: impl Into<String>,
        parse: impl Fn(T) -> Result<U, String> + 'a,
    ) -> Scalar<'a, U> {
        let Self { slot, schema, exposure, read, .. } = self;
        let read: Reader<'a, U> = Box::new(move |raw| parse(read(raw)?).map_err(Wrong::new));
        Scalar { slot, right: right.into(), schema, exposure, read, stand_in: None }
    }

    /// Nobody needs this example but the reference, which must not show a wrong one.
    fn read_example(&self, example: &str) {
        if self.slot.reading.aim == Aim::Description {
            self.example(example);
        }
    }

    fn example(&self, text: &str) -> T {
        let read = match document::literal(text) {
            Value::Object(_) => None,
            value => (self.read)(&Raw::Here(value)).ok(),
        };
        read.or_else(|| self.stand_in.map(|stand_in| stand_in()))
            .expect("an example of ours is right, or its kind has a stand-in: the test of the reference reads them all")
    }

    fn take(self, presence: Presence, default: Option<Value>) -> Option<T> {
        let Self { slot, right, schema, exposure, read, .. } = self;
        let (value, in_force) = match slot.given {
            None => {
                if let Presence::Required(_) | Presence::Choice(_) = presence {
                    slot.missing(&right);
                }
                let value = default.as_ref().and_then(|default| read(&Raw::Here(default.clone())).ok());
                (value, default)
            }
            Some(given) => match look_up(slot.reading, given, exposure).and_then(|raw| Ok((read(&raw)?, raw))) {
                Ok((value, raw)) => (Some(value), Some(shown(&raw, exposure))),
                Err(Wrong { wrong, right: better }) => {
                    let wrong = if points_elsewhere(given) { format!("{wrong} (from {given})") } else { wrong };
                    slot.reading.mistake(&slot.path, wrong, better.unwrap_or_else(|| right.clone()));
                    (None, None)
                }
            },
        };
        slot.declare(presence, Form::Scalar { schema, right, in_force });
        value
    }
}

/// Whether this is `{ file: … }` or `{ env: … }`.
fn points_elsewhere(given: &Value) -> bool {
    given.as_object().is_some_and(|map| map.len() == 1 && (map.contains_key("file") || map.contains_key("env")))
}

/// Largest file that holds a single value.
const MOST_VALUE_BYTES: u64 = 64 * 1024;

/// Follows `{ file: … }` and `{ env: … }`.
fn look_up(reading: &Reading<'_>, given: &Value, exposure: Exposure) -> Result<Raw, Wrong> {
    const RIGHT: &str = "one value, or { file: PATH }, or { env: NAME }";
    let map = match given {
        Value::Object(map) => map,
        Value::Null => return Err(Wrong::new("nothing is given after the colon")),
        Value::Array(_) => return Err(Wrong::new("a list stands where one value is needed")),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let here = given.as_str().unwrap_or_default();
            let is_secret = match exposure {
                Exposure::Shown => false,
                Exposure::Secret => true,
                Exposure::UrlWithPassword => password_of(here).is_some(),
            };
            if is_secret && reading.readers == Readers::Others {
                return Err(Wrong::with_right(
                    "a secret stands in a configuration file that others can read",
                    "{ file: PATH } or { env: NAME }, or `chmod 600` for the configuration file",
                ));
            }
            return Ok(Raw::Here(given.clone()));
        }
    };
    let mut entries = map.iter();
    match (entries.next(), entries.next()) {
        (Some((key, Value::String(path))), None) if key == "file" => {
            let path = Slot::resolve(reading, path);
            from_file(reading, &path, exposure).map(Raw::Elsewhere)
        }
        (Some((key, Value::String(name))), None) if key == "env" => match reading.surroundings.variable(name) {
            Some(text) => Ok(Raw::Elsewhere(text)),
            None => Err(Wrong::with_right(
                format!("the environment variable {name} is not set"),
                format!("{name} set in the environment of this process"),
            )),
        },
        _ => Err(Wrong::with_right("a section stands where one value is needed", RIGHT)),
    }
}

fn from_file(reading: &Reading<'_>, path: &Path, exposure: Exposure) -> Result<Zeroizing<String>, Wrong> {
    let shown = path.display();
    let content = reading.surroundings.file(path, Accepted::PlainFileOrPipe, MOST_VALUE_BYTES).map_err(|error| {
        Wrong::with_right(format!("{shown} cannot be read: {error}"), "the path of a file that this user can read")
    })?;
    if exposure != Exposure::Shown && content.readers == Readers::Others {
        return Err(Wrong::with_right(
            format!("others can read {shown}"),
            format!("a file that only its owner can read: chmod 600 {shown}"),
        ));
    }
    let text = std::str::from_utf8(&content.bytes)
        .map_err(|_| Wrong::new(format!("{shown} holds something else than text")))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Zeroizing::new(text.to_owned()))
}

fn shown(raw: &Raw, exposure: Exposure) -> Value {
    let value = match raw {
        Raw::Here(value) => value.clone(),
        Raw::Elsewhere(text) if exposure == Exposure::Shown => json!(text.as_str()),
        Raw::Elsewhere(_) => json!("(secret)"),
    };
    match exposure {
        Exposure::Shown => value,
        Exposure::Secret => json!("(secret)"),
        Exposure::UrlWithPassword => {
            match value.as_str().and_then(|text| Some(text.replacen(password_of(text)?, "(secret)", 1))) {
                Some(hidden) => json!(hidden),
                None => value,
            }
        }
    }
}

/// The password in `scheme://user:password@host`, as it stands there. Also found where the URL crate knows no such scheme.
fn password_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (authority, _) = rest.split_once(['/', '?', '#']).unwrap_or((rest, ""));
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password).filter(|password| !password.is_empty())
}
