//! What the readers of the sections declare: every key with its form, help and default. The reference, the JSON Schema and
//! `config show` are views of it. Floor: roof.

use serde_json::Value;

/// One key, or one entry of a list (then without a name).
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    /// For operators, in plain sentences.
    pub(super) help: &'static str,
    pub(super) presence: Presence,
    pub(super) form: Form,
}

/// What holds when a key is left out. The texts are YAML; empty when the parts of a section speak for themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// This value.
    Default(&'static str),
    /// A mistake; this is an example.
    Required(&'static str),
    /// A mistake; what is right is a decision, so the reference shows the example commented out.
    Choice(&'static str),
    /// Nothing; this is an example, commented out in the reference.
    Optional(&'static str),
    /// Nothing; this is an example that the reference shows in use.
    Suggested(&'static str),
}

/// What a key's value looks like.
#[derive(Debug)]
pub(super) enum Form {
    Scalar {
        /// Without title, description and default.
        schema: Value,
        /// In words.
        right: String,
        /// What the file or the default says, secrets hidden; `None` when left out or wrong.
        in_force: Option<Value>,
    },
    /// Passed on as it is.
    Tree {
        in_force: Option<Value>,
    },
    List {
        least: usize,
        most: usize,
        items: Vec<Declared>,
    },
    Map {
        entries: Vec<Declared>,
    },
    Section {
        keys: Vec<Declared>,
    },
}

/// What is in force, as a tree: secrets hidden, what is left out without a default absent.
pub(super) fn in_force(keys: &[Declared]) -> Value {
    Value::Object(keys.iter().filter_map(|key| Some((key.name.clone(), in_force_of(key)?))).collect())
}

fn in_force_of(declared: &Declared) -> Option<Value> {
    match &declared.form {
        Form::Scalar { in_force, .. } | Form::Tree { in_force } => in_force.clone(),
        Form::List { items, .. } => Some(Value::Array(items.iter().filter_map(in_force_of).collect())),
        Form::Map { entries: keys } | Form::Section { keys } => Some(in_force(keys)),
    }
}
