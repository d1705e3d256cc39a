//! The requests of our presets, beside those that the vendors' own client libraries make of the same message.
//! Not of Bird, Kannel, OVH (http2sms) and seven: no library of theirs for the interface that we use was found.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use http::HeaderMap;
use serde_json::{Value, json};

use super::super::description::Description;
use super::super::request::{Parts, Request};
use super::super::variables::Secrets;
use crate::domain::phone::{Country, PhoneNumber};
use crate::domain::time::UnixMillis;

const NUMBER: &str = "+32470123456";
const SENDER: &str = "Acme";
const TEXT: &str = "Your code for Acme & Söhne: 123456\n@acme.example #123456";
/// Twenty characters that begin with `MA`: Plivo's library takes no other account.
const ACCOUNT: &str = "MA012345678901234567";
const SECRET: &str = "s3cr3t";

const COMPARED: [&str; 11] = [
    "aws",
    "clicksend",
    "infobip",
    "messagebird",
    "plivo",
    "sinch",
    "smsapi",
    "telnyx",
    "twilio",
    "vonage",
    "vonage-messages",
];

/// What a library says without being asked, and what it means is the vendor's default.
const DEFAULTS_SPELLED_OUT: [(&str, &str); 3] = [("plivo", "method"), ("plivo", "log"), ("plivo", "trackable")];

/// One request, as `client_libraries/ask.py` writes it down.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Theirs {
    method: String,
    url: String,
    query: BTreeMap<String, String>,
    kind: String,
    authorization: String,
    amz_date: Option<String>,
    amz_target: Option<String>,
    fields: Value,
}

#[test]
fn our_requests_are_those_of_the_vendors_own_libraries() {
    let theirs = ask_the_libraries();
    assert_eq!(theirs.keys().map(String::as_str).collect::<Vec<_>>(), COMPARED);
    for (name, theirs) in theirs {
        let description = described(&name);
        let now = theirs.amz_date.as_deref().map_or(UnixMillis(0), moment);
        let ours = request(&description, now);
        assert_eq!(description.method.as_str(), theirs.method, "{name}");
        assert_eq!((ours.url.as_str(), theirs.query.len()), (theirs.url.as_str(), 0), "{name}");
        let header = |name: &str| text_of(&ours.headers, name);
        assert_eq!(header("content-type").as_deref(), Some(theirs.kind.as_str()), "{name}");
        assert_eq!(header("x-amz-target"), theirs.amz_target, "{name}");
        let credentials = |value: &str| match value.split_once(", Signature=") {
            // of the body's bytes too, which differ in the spaces between JSON's values; the example in `sigv4` holds the signature
            Some((signed, _)) => signed.to_owned(),
            None => value.to_owned(),
        };
        let authorization = header("authorization").expect("each of these has one");
        assert_eq!(credentials(&authorization), credentials(&theirs.authorization), "{name}");
        let mut expected = theirs.fields;
        for (_, field) in DEFAULTS_SPELLED_OUT.iter().filter(|(vendor, _)| *vendor == name) {
            let field = expected.as_object_mut().and_then(|fields| fields.remove(*field));
            assert!(field.is_some(), "{name} does not say it any more: take it off the list");
        }
        assert_eq!(fields(&ours, &theirs.kind), expected, "{name}");
    }
}

fn ask_the_libraries() -> BTreeMap<String, Theirs> {
    let installed = target().join("third_party/vendors");
    assert!(installed.exists(), "{} is not installed: run scripts/prepare test", installed.display());
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/src/adapters/sms/presets/client_libraries/ask.py");
    let asked = Command::new(installed.join("bin/python"))
        .args([program, NUMBER, SENDER, TEXT, ACCOUNT, SECRET])
        .output()
        .unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    serde_json::from_slice(&asked.stdout).unwrap()
}

/// The folder that cargo builds in: this test stands in `<target>/<profile>/deps/`.
fn target() -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned()
}

fn described(name: &str) -> Description {
    let vars = if name == "infobip" { json!({ "host": "example.api.infobip.com" }) } else { json!({}) };
    let settings = json!({ "name": "x", "preset": name, "account": ACCOUNT, "secret": SECRET, "vars": vars });
    Description::read(serde_json::from_value(settings).unwrap()).unwrap()
}

fn request(description: &Description, now: UnixMillis) -> Request {
    let belgium = Country::parse("BE").unwrap();
    let to = PhoneNumber::parse(NUMBER, Some(belgium), &[belgium]).unwrap();
    let parts = Parts { to: &to, text: TEXT, code: "123456", sender: SENDER, app: "Acme", lang: "en", now };
    description.request(parts, Secrets::WrittenOut).unwrap()
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap().to_owned())
}

fn fields(request: &Request, kind: &str) -> Value {
    if kind == "application/x-www-form-urlencoded" {
        let fields = url::form_urlencoded::parse(&request.body);
        fields.map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect()
    } else {
        serde_json::from_slice(&request.body).unwrap()
    }
}

/// `20261124T230328Z`
fn moment(amz_date: &str) -> UnixMillis {
    let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
    let moment = time::PrimitiveDateTime::parse(amz_date, &format).unwrap().assume_utc();
    UnixMillis(moment.unix_timestamp() * 1000)
}
