//! A JSON Schema (2020-12) of the configuration file, for editors and for tests. Made from what the readers of the sections declare.
//! `x-least` and `x-most` are the bounds of durations and sizes, which JSON Schema has no word for. Floor: roof.

use serde_json::{Map, Value, json};

use super::declared::{Declared, Form, Presence};
use super::document;

/// The schema, as a JSON document.
#[must_use]
pub fn schema() -> Value {
    let mut schema = section(&super::description());
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("Configuration of Vestibule"));
        schema.insert(
            "$defs".to_owned(),
            json!({
                "elsewhere": {
                    "description": "The value stands in a file or in an environment variable.",
                    "type": "object",
                    "properties": { "file": { "type": "string" }, "env": { "type": "string" } },
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": false,
                },
            }),
        );
    }
    schema
}

fn section(keys: &[Declared]) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| (key.name.clone(), of(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|key| is_required(key)).map(|key| key.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn is_required(key: &Declared) -> bool {
    match (&key.presence, &key.form) {
        (Presence::Required(_) | Presence::Choice(_), _) => true,
        // a section that is always read cannot be left out when something in it cannot
        (Presence::Default(_), Form::Section { keys }) => keys.iter().any(is_required),
        (Presence::Default(_) | Presence::Optional(_) | Presence::Suggested(_), _) => false,
    }
}

fn of(declared: &Declared) -> Value {
    let mut schema = match &declared.form {
        Form::Scalar { schema, .. } => json!({ "anyOf": [schema, { "$ref": "#/$defs/elsewhere" }] }),
        Form::Tree { .. } => json!({ "type": ["object", "array"] }),
        Form::List { least, most, items } => {
            json!({ "type": "array", "minItems": least, "maxItems": most, "items": items.first().map_or(json!(true), of) })
        }
        Form::Map { entries } => {
            json!({ "type": "object", "additionalProperties": entries.first().map_or(json!(true), of) })
        }
        Form::Section { keys } => section(keys),
    };
    if let Some(schema) = schema.as_object_mut() {
        if !declared.help.is_empty() {
            schema.insert("description".to_owned(), json!(declared.help));
        }
        if let Presence::Default(text) = declared.presence
            && !text.is_empty()
        {
            schema.insert("default".to_owned(), document::literal(text));
        }
    }
    schema
}
