//! What the document says, and that nothing can be said to the API that nobody reviewed.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// Every field that a request can bring, reviewed: none of them exempts an account from two-factor sign-in, takes a password, or makes an operator.
/// A new field has to be put here by somebody who has thought about that.
const REVIEWED: [&str; 36] = [
    "list_accounts ? cursor",
    "list_accounts ? limit",
    "list_accounts ? locked",
    "list_accounts ? matching",
    "list_accounts ? phone",
    "list_accounts ? status",
    "add_account . email",
    "add_account . language",
    "add_account . name",
    "add_account . phone",
    "add_account . reason",
    "add_account . user_name",
    "change_profile . email",
    "change_profile . language",
    "change_profile . name",
    "change_profile . reason",
    "clear_phone . reason",
    "disable . reason",
    "enable . reason",
    "end_sessions . reason",
    "end_sessions . session",
    "list_audit ? actor",
    "list_audit ? cursor",
    "list_audit ? event",
    "list_audit ? limit",
    "list_audit ? since",
    "list_audit ? until",
    "list_audit ? user_name",
    "make_one_time_password . reason",
    "open_enrolment . reason",
    "open_enrolment . window",
    "remove . reason",
    "reset_two_factor . reason",
    "set_phone . phone",
    "set_phone . reason",
    "unlock . reason",
];

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    })
}

#[test]
fn every_field_of_a_request_was_reviewed() {
    let document = document();
    let mut fields = BTreeSet::new();
    for (_, _, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            match parameter["in"].as_str() {
                Some("path") => assert_eq!(name, "user_name"),
                Some("query") => drop(fields.insert(format!("{id} ? {name}"))),
                other => panic!("{id}: {name} in {other:?}"),
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let name = schema["$ref"].as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
        let body = &document["components"]["schemas"][name];
        assert_eq!(body["additionalProperties"], Value::Bool(false), "{name} takes fields that nobody knows");
        let required = body["required"].as_array().unwrap();
        assert!(required.contains(&"reason".into()), "{name} changes something and needs a reason");
        fields.extend(body["properties"].as_object().unwrap().keys().map(|field| format!("{id} . {field}")));
    }
    let reviewed: BTreeSet<String> = REVIEWED.iter().map(ToString::to_string).collect();
    let new: Vec<_> = fields.difference(&reviewed).collect();
    let gone: Vec<_> = reviewed.difference(&fields).collect();
    assert!(new.is_empty() && gone.is_empty(), "not reviewed: {new:?}; not there any more: {gone:?}");
}

#[test]
fn the_document_has_each_endpoint_with_its_token_and_refusals() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(operations(&document).count(), ENDPOINTS.len());
    for endpoint in ENDPOINTS {
        let method = serde_json::to_value(&endpoint.method).unwrap();
        let operation = &document["paths"][endpoint.path][method.as_str().unwrap()];
        assert_eq!(operation["operationId"], endpoint.id);
        for status in ["400", "401", "429", "503"] {
            assert!(operation["responses"][status]["content"][MEDIA_TYPE].is_object(), "{} {status}", endpoint.id);
        }
    }
    assert_eq!(document["components"]["securitySchemes"][TOKEN]["scheme"], "bearer");
    assert_eq!(document["security"][0][TOKEN], serde_json::json!([]));
    // every form that is named is there
    let text = document.to_string();
    for (at, _) in text.match_indices("#/components/schemas/") {
        let name: String = text[at + 21..].chars().take_while(|c| *c != '"').collect();
        assert!(document["components"]["schemas"][&name].is_object(), "{name}");
    }
}
