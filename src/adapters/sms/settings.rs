//! How one SMS vendor is spoken to, as plain values: what `sms.providers[…]` of the configuration says, file and environment
//! references already read. Holds no checks (`check.rs`) and sends nothing (`attempt.rs`). Floor: edge.
//!
//! Strings below that are called *templates* may hold `${variable}`. The variables of a message are `to`, `to_digits`, `text`, `code`, `sender`,
//! `app`, `lang`, `is_unicode`, `uuid`, `country`; the operator's own are `account`, `secret` and the names in `vars` and `secrets`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::domain::secret::SecretText;

/// One entry of `sms.providers`. Everything but `name` is optional, so that a preset can supply it; `check::problems` says what is missing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// What logs, metrics and `sms test --provider` call it.
    pub name: String,
    /// A description that comes with the program; the other keys are laid over it.
    pub preset: Option<String>,
    /// `${account}`: the vendor's name for us. Shown by a dry run.
    pub account: Option<String>,
    /// `${secret}`: what proves that we are that account. Never shown.
    #[serde(deserialize_with = "some_secret")]
    pub secret: Option<SecretText>,
    /// `POST` unless set.
    pub method: Option<Method>,
    /// A template. Its host may use the operator's own variables, its path and query also those of the message.
    pub url: Option<String>,
    /// None at all unless set.
    pub auth: Option<Auth>,
    /// Further request headers; the values are templates.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON: a tree whose string leaves are templates. Exactly one of `json`, `form` and `query` is given.
    pub json: Option<serde_json::Value>,
    /// The body as `application/x-www-form-urlencoded`: a flat map whose leaves are templates; a list repeats its field.
    pub form: Option<serde_json::Value>,
    /// Everything in the query string of the URL, in the form of `form`; no body.
    pub query: Option<serde_json::Value>,
    /// How `${to}` is written; E.164 unless set.
    pub to_format: Option<NumberFormat>,
    /// What `${sender}` is for this vendor, in place of `sms.sender`.
    pub sender: Option<String>,
    /// What `${sender}` is for numbers of a country (two capital letters), in place of `sender`.
    pub senders: BTreeMap<String, String>,
    /// When an answer means that the vendor took the message; any 2xx unless set.
    pub success: Option<Success>,
    /// Where the vendor's own id of the message stands in its answer; only for the log.
    pub message_id: Option<MessageId>,
    /// Which answers mean what. The first that fits wins; then 429 and 5xx are transient, everything else is the vendor's.
    pub errors: Vec<ErrorRule>,
    /// The operator's own variables. A dry run shows them.
    pub vars: BTreeMap<String, Scalar>,
    /// The operator's own variables that a dry run masks.
    #[serde(deserialize_with = "secrets")]
    pub secrets: BTreeMap<String, SecretText>,
    /// The countries (two capital letters) this vendor is used for; all of `sms.countries` when empty.
    pub countries: Vec<String>,
    /// Certificates (PEM) believed besides the public ones, for a gateway of the house.
    pub ca_file: Option<PathBuf>,
    /// Allows `http://` to a host that is not this machine. TLS certificates are verified whatever this says.
    pub allow_insecure: bool,
    /// How long a connection may take; 3 s unless set (our own figure: sms §8).
    #[serde(deserialize_with = "milliseconds")]
    pub connect_timeout: Option<Duration>,
    /// How long all of it may take; 5 s unless set (security K3).
    #[serde(deserialize_with = "milliseconds")]
    pub timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
}

/// How we prove to the vendor who we are. A value that is exactly `${name}` stands for that variable of the operator; any other value is taken as it is.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    None,
    /// `Authorization: Basic …`
    Basic {
        user: String,
        #[serde(deserialize_with = "secret")]
        password: SecretText,
    },
    /// `Authorization: Bearer …`
    #[serde(deserialize_with = "secret")]
    Bearer(SecretText),
    /// A header of the vendor's own, for example `Authorization: AccessKey …`. The prefix is put before the value as it is, blank included.
    Header {
        name: String,
        #[serde(default)]
        prefix: String,
        #[serde(deserialize_with = "secret")]
        value: SecretText,
    },
    /// A parameter in the URL.
    Query {
        name: String,
        #[serde(deserialize_with = "secret")]
        value: SecretText,
    },
    /// A field beside the others: in the JSON object, the form or the query.
    Field {
        name: String,
        #[serde(deserialize_with = "secret")]
        value: SecretText,
    },
    /// The request is signed (AWS Signature Version 4). `region` may be `${name}`, too.
    AwsSigv4 {
        access_key: String,
        #[serde(deserialize_with = "secret")]
        secret_key: SecretText,
        region: String,
        service: String,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum NumberFormat {
    /// `+3247…`
    #[default]
    #[serde(rename = "e164")]
    E164,
    /// `3247…`
    #[serde(rename = "digits")]
    Digits,
    /// `003247…`
    #[serde(rename = "00")]
    DoubleZero,
}

/// All that is given has to hold.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Success {
    /// 200 to 299 when empty.
    pub status: Vec<StatusRange>,
    pub json: Vec<JsonCondition>,
    /// Searched in the body, for vendors that answer in XML or plain text.
    pub regex: Option<String>,
}

/// `200` or `"200-299"`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct StatusRange {
    pub first: u16,
    pub last: u16,
}

/// A question to a place in a JSON answer. Exactly one of the four is given. Scalars are compared as text, so `"0"` and `0` are the same.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JsonCondition {
    /// RFC 6901, for example `/messages/0/status`; the empty pointer is the whole answer.
    pub pointer: String,
    /// A scalar stands there and is one of these.
    #[serde(rename = "in")]
    pub is_in: Option<Vec<Scalar>>,
    /// A scalar stands there and is none of these.
    pub not_in: Option<Vec<Scalar>>,
    /// Something other than null stands there (`true`), or not (`false`).
    pub exists: Option<bool>,
    /// The reverse of `exists`.
    pub absent: Option<bool>,
}

/// One of the two.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageId {
    Pointer(String),
    /// The first group, or the whole match without one.
    Regex(String),
}

/// What an answer means when all that is given holds. Something has to be given.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    pub class: ErrorClass,
    #[serde(default)]
    pub status: Vec<StatusRange>,
    #[serde(default)]
    pub json: Vec<JsonCondition>,
    #[serde(default)]
    pub regex: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// This number cannot or must not be texted; no other vendor is asked.
    Recipient,
    /// Our account, sender or money at this vendor; the next vendor is asked, and somebody has to look.
    Provider,
    /// The vendor is overloaded or broken; the next vendor is asked.
    Transient,
}

/// A value that stands alone.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
}

impl TryFrom<serde_json::Value> for StatusRange {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        let text = match &value {
            serde_json::Value::Number(number) => number.to_string(),
            serde_json::Value::String(text) => text.clone(),
            _ => String::new(),
        };
        text.parse()
    }
}

impl std::str::FromStr for StatusRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) => Ok(Self { first, last }),
            _ => Err("a status is written 200 or \"200-299\"".to_owned()),
        }
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<SecretText, D::Error> {
    String::deserialize(from).map(SecretText::new)
}

fn some_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretText>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretText::new))
}

fn secrets<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, SecretText>, D::Error> {
    let plain = BTreeMap::<String, String>::deserialize(from)?;
    Ok(plain.into_iter().map(|(name, value)| (name, SecretText::new(value))).collect())
}

fn milliseconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
}
