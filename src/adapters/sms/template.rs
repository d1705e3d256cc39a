//! `${variable}` in strings, and trees of such strings. A value is put into a leaf of a parsed tree and the tree is then written out by
//! the writer of its format, so that no value can break out of its place. Deliberately no language: no conditions but `when_unicode`,
//! no functions, no nesting. Floor: edge.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use super::check::Problem;
use super::variables::{Credential, Filling, MASK, Own, Values, Variable, named};

/// A string with variables in it.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Literal(String),
    Variable(Variable),
}

impl Template {
    /// Fails, in words for the operator, at a variable that is not known and at a `${` without its end. `$${` stands for `${`.
    pub(super) fn parse(text: &str, own: &Own) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str("${");
                rest = after;
                continue;
            }
            literal.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err("has a `${` without its `}`".to_owned());
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Variable(named(name, own)?));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// The one variable this template is, if it is nothing else.
    fn single(&self) -> Option<&Variable> {
        match self.0.as_slice() {
            [Part::Variable(variable)] => Some(variable),
            _ => None,
        }
    }

    pub(super) fn fill(&self, values: Values<'_>) -> Zeroizing<String> {
        self.fill_with(values, |value, out| out.push_str(value))
    }

    /// Values, unlike what stands around them, are percent-encoded: everything but letters, digits and `-._~`.
    pub(super) fn fill_url(&self, values: Values<'_>) -> Zeroizing<String> {
        const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
        self.fill_with(values, |value, out| {
            if value == MASK {
                out.push_str(MASK);
            } else {
                out.extend(utf8_percent_encode(value, UNRESERVED));
            }
        })
    }

    fn fill_with(&self, values: Values<'_>, write: impl Fn(&str, &mut String)) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(512));
        for part in &self.0 {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Variable(variable) => write(&values.of(variable).as_text(), &mut out),
            }
        }
        out
    }

    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Variable(variable) => Some(variable),
        })
    }
}

/// A JSON value whose string leaves are templates.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    Text(Template),
    /// A number, a boolean or null.
    Fixed(Value),
    Secret(Credential),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
    /// `{ when_unicode: …, else: … }`
    WhenUnicode {
        unicode: Box<Tree>,
        gsm7: Box<Tree>,
    },
}

impl Tree {
    /// Problems are added to `problems` with the place they are at, which begins with `at`.
    pub(super) fn parse(value: &Value, own: &Own, at: &str, problems: &mut Vec<Problem>) -> Self {
        match value {
            Value::String(text) => match Template::parse(text, own) {
                Ok(template) => Self::Text(template),
                Err(message) => {
                    problems.push(Problem::new(at, message));
                    Self::Fixed(Value::Null)
                }
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => Self::Fixed(value.clone()),
            Value::Array(items) => Self::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(n, item)| Self::parse(item, own, &format!("{at}[{n}]"), problems))
                    .collect(),
            ),
            Value::Object(map) => {
                let mut branch = |key: &str, value: &Value| Self::parse(value, own, &format!("{at}.{key}"), problems);
                match (map.get("when_unicode"), map.get("else"), map.len()) {
                    (Some(unicode), Some(gsm7), 2) => Self::WhenUnicode {
                        unicode: Box::new(branch("when_unicode", unicode)),
                        gsm7: Box::new(branch("else", gsm7)),
                    },
                    (Some(_), _, _) => {
                        problems.push(Problem::new(at, "`when_unicode` stands beside `else` and nothing else"));
                        Self::Fixed(Value::Null)
                    }
                    (None, _, _) => {
                        Self::Map(map.iter().map(|(key, value)| (key.clone(), branch(key, value))).collect())
                    }
                }
            }
        }
    }

    /// Every variable in it, in all branches.
    pub(super) fn variables(&self) -> Vec<&Variable> {
        match self {
            Self::Text(template) => template.variables().collect(),
            Self::Fixed(_) | Self::Secret(_) => Vec::new(),
            Self::List(items) => items.iter().flat_map(Self::variables).collect(),
            Self::Map(entries) => entries.iter().flat_map(|(_, tree)| tree.variables()).collect(),
            Self::WhenUnicode { unicode, gsm7 } => {
                [unicode, gsm7].into_iter().flat_map(|tree| tree.variables()).collect()
            }
        }
    }

    /// The texts that a field of a form takes from it: one, or one an item of a list.
    pub(super) fn field_values(&self, values: Values<'_>) -> Vec<Zeroizing<String>> {
        match self {
            Self::Text(template) => vec![template.fill(values)],
            Self::Fixed(fixed) => vec![Zeroizing::new(fixed.to_string())],
            Self::Secret(credential) => vec![values.credential(credential)],
            Self::List(items) => items.iter().flat_map(|item| item.field_values(values)).collect(),
            Self::Map(_) => Vec::new(), // refused when the description was read
            Self::WhenUnicode { unicode, gsm7 } => {
                if values.message.is_unicode {
                    unicode.field_values(values)
                } else {
                    gsm7.field_values(values)
                }
            }
        }
    }
}

/// A tree with its values, to be written as JSON. Numbers and booleans stay what they are where a leaf is one variable.
#[derive(Debug)]
pub(super) struct Filled<'a> {
    pub(super) tree: &'a Tree,
    pub(super) values: Values<'a>,
}

impl Serialize for Filled<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let with = |tree| Filled { tree, values: self.values };
        match self.tree {
            Tree::Text(template) => match template.single().map(|variable| self.values.of(variable)) {
                Some(Filling::Text(text)) => to.serialize_str(text),
                Some(Filling::Bool(value)) => to.serialize_bool(value),
                Some(Filling::Number(number)) => number.serialize(to),
                None => to.serialize_str(&template.fill(self.values)),
            },
            Tree::Fixed(value) => value.serialize(to),
            Tree::Secret(credential) => to.serialize_str(&self.values.credential(credential)),
            Tree::List(items) => to.collect_seq(items.iter().map(with)),
            Tree::Map(entries) => to.collect_map(entries.iter().map(|(key, tree)| (key, with(tree)))),
            Tree::WhenUnicode { unicode, gsm7 } => {
                with(if self.values.message.is_unicode { unicode } else { gsm7 }).serialize(to)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::sms::settings::Scalar;
    use crate::adapters::sms::variables::{MessageValues, OwnValue, Secrets};
    use crate::domain::secret::SecretText;
    use serde_json::json;

    fn own() -> Own {
        let mut own = Own::default();
        own.add("pool", OwnValue::Shown(Scalar::Number(7.into())));
        own.add("token", OwnValue::Secret(SecretText::new("s3cret".into())));
        own
    }

    fn message(text: &str) -> MessageValues<'_> {
        MessageValues {
            to: "+32470123456".into(),
            to_digits: "32470123456",
            text,
            code: "012345",
            sender: "Acme",
            app: "Acme \"M\"",
            lang: "nl",
            is_unicode: crate::domain::gsm7::septets(text).is_err(),
            uuid: "u".into(),
            country: "BE",
        }
    }

    fn written(tree: &Value, text: &str, secrets: Secrets) -> Value {
        let (own, message, mut problems) = (own(), message(text), Vec::new());
        let tree = Tree::parse(tree, &own, "json", &mut problems);
        assert!(problems.is_empty(), "{problems:?}");
        let values = Values { message: &message, own: &own, secrets };
        serde_json::from_slice(&serde_json::to_vec(&Filled { tree: &tree, values }).unwrap()).unwrap()
    }

    #[test]
    fn a_value_cannot_leave_its_leaf() {
        let nasty = "\"}],\"x\":[{\"a\\\u{1F600}\n\u{0}${to}";
        assert_eq!(
            written(&json!({ "m": [{ "t": "${text}", "u": "<${text}>" }] }), nasty, Secrets::WrittenOut),
            json!({ "m": [{ "t": nasty, "u": format!("<{nasty}>") }] })
        );
    }

    #[test]
    fn a_leaf_that_is_one_variable_keeps_its_type() {
        assert_eq!(
            written(&json!(["${is_unicode}", "${pool}", "n${pool}", 5, true, null]), "a", Secrets::WrittenOut),
            json!([false, 7, "n7", 5, true, null])
        );
    }

    #[test]
    fn the_alphabet_chooses_the_branch() {
        let tree = json!({ "type": { "when_unicode": "unicode", "else": { "gsm": "${code}" } } });
        assert_eq!(written(&tree, "\u{1F600}", Secrets::WrittenOut), json!({ "type": "unicode" }));
        assert_eq!(written(&tree, "abc", Secrets::WrittenOut), json!({ "type": { "gsm": "012345" } }));
    }

    #[test]
    fn a_dry_run_shows_no_secret() {
        assert_eq!(written(&json!(["${token}", "x ${token}"]), "a", Secrets::Masked), json!(["***", "x ***"]));
        assert_eq!(written(&json!(["${token}"]), "a", Secrets::WrittenOut), json!(["s3cret"]));
    }

    #[test]
    fn unknown_variables_and_open_ends_are_named() {
        assert!(Template::parse("a ${tex}", &own()).unwrap_err().contains("`${tex}`"));
        assert!(Template::parse("a ${secret}", &own()).unwrap_err().contains("`secret` is not given"));
        assert!(Template::parse("a ${to", &own()).unwrap_err().contains("without its"));
        let message = message("a");
        let own = own();
        let literal = Template::parse("$${to}$", &own).unwrap();
        assert_eq!(*literal.fill(Values { message: &message, own: &own, secrets: Secrets::WrittenOut }), "${to}$");
    }
}
