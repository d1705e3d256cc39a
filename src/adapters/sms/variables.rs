//! What a `${…}` may name, and what one message and the operator's own settings put in its place. Floor: edge.

use std::borrow::Cow;
use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::settings::Scalar;
use crate::domain::secret::SecretText;

/// What stands in place of a secret in a dry run.
pub(super) const MASK: &str = "***";

/// What a `${…}` may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    To,
    ToDigits,
    Text,
    Code,
    Sender,
    App,
    Lang,
    IsUnicode,
    Uuid,
    Country,
    /// `account`, `secret`, and the names in `vars` and `secrets`.
    Own(String),
}

impl Variable {
    /// The variable of a message by this name; `None` when there is none.
    pub(super) fn of_message(name: &str) -> Option<Self> {
        Some(match name {
            "to" => Self::To,
            "to_digits" => Self::ToDigits,
            "text" => Self::Text,
            "code" => Self::Code,
            "sender" => Self::Sender,
            "app" => Self::App,
            "lang" => Self::Lang,
            "is_unicode" => Self::IsUnicode,
            "uuid" => Self::Uuid,
            "country" => Self::Country,
            _ => return None,
        })
    }
}

/// The operator's own variables.
#[derive(Clone, Debug, Default)]
pub(super) struct Own(BTreeMap<String, OwnValue>);

#[derive(Clone, Debug)]
pub(super) enum OwnValue {
    Shown(Scalar),
    Secret(SecretText),
}

impl Own {
    /// `false` when the name was there before.
    pub(super) fn add(&mut self, name: &str, value: OwnValue) -> bool {
        self.0.insert(name.to_owned(), value).is_none()
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What one message puts in place of the variables.
#[derive(Debug)]
pub(super) struct MessageValues<'a> {
    /// In the form of `to_format`.
    pub(super) to: String,
    pub(super) to_digits: &'a str,
    pub(super) text: &'a str,
    pub(super) code: &'a str,
    pub(super) sender: &'a str,
    pub(super) app: &'a str,
    pub(super) lang: &'a str,
    pub(super) is_unicode: bool,
    pub(super) uuid: String,
    /// Two capital letters.
    pub(super) country: &'a str,
}

/// A message's values together with the operator's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) message: &'a MessageValues<'a>,
    pub(super) own: &'a Own,
    pub(super) secrets: Secrets,
}

/// Whether secrets are written out (to send) or masked (to show).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Secrets {
    WrittenOut,
    Masked,
}

/// The value of one variable.
pub(super) enum Filling<'a> {
    Text(&'a str),
    Bool(bool),
    Number(&'a serde_json::Number),
}

impl Filling<'_> {
    pub(super) fn as_text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }
}

impl<'a> Values<'a> {
    pub(super) fn of(&self, variable: &Variable) -> Filling<'a> {
        let message = self.message;
        match variable {
            Variable::To => Filling::Text(&message.to),
            Variable::ToDigits => Filling::Text(message.to_digits),
            Variable::Text => Filling::Text(message.text),
            Variable::Code => Filling::Text(message.code),
            Variable::Sender => Filling::Text(message.sender),
            Variable::App => Filling::Text(message.app),
            Variable::Lang => Filling::Text(message.lang),
            Variable::IsUnicode => Filling::Bool(message.is_unicode),
            Variable::Uuid => Filling::Text(&message.uuid),
            Variable::Country => Filling::Text(message.country),
            Variable::Own(name) => match self.own.0.get(name) {
                Some(OwnValue::Shown(Scalar::Text(text))) => Filling::Text(text),
                Some(OwnValue::Shown(Scalar::Bool(value))) => Filling::Bool(*value),
                Some(OwnValue::Shown(Scalar::Number(number))) => Filling::Number(number),
                Some(OwnValue::Secret(secret)) => Filling::Text(self.secret(secret)),
                None => Filling::Text(""), // refused when the template was read
            },
        }
    }

    pub(super) fn credential(&self, credential: &'a Credential) -> Zeroizing<String> {
        Zeroizing::new(match credential {
            Credential::Literal(secret) => self.secret(secret).to_owned(),
            Credential::Own(name) => self.of(&Variable::Own(name.clone())).as_text().into_owned(),
        })
    }

    fn secret(&self, secret: &'a SecretText) -> &'a str {
        match self.secrets {
            Secrets::WrittenOut => secret.reveal(),
            Secrets::Masked => MASK,
        }
    }
}

/// What `auth` gives: the secret itself, or `${name}` for one of the operator's variables. Not a template: a token may hold a `$`.
#[derive(Clone, Debug)]
pub(super) enum Credential {
    Literal(SecretText),
    Own(String),
}

impl Credential {
    pub(super) fn parse(text: &SecretText, own: &Own) -> Result<Self, String> {
        match text.reveal().strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            None => Ok(Self::Literal(text.clone())),
            Some(name) => match named(name, own)? {
                Variable::Own(name) => Ok(Self::Own(name)),
                _ => Err(
                    "takes a value, or one of `account`, `secret`, `vars` and `secrets`; not a variable of the message"
                        .to_owned(),
                ),
            },
        }
    }
}

/// The variable by this name, or what to tell the operator.
pub(super) fn named(name: &str, own: &Own) -> Result<Variable, String> {
    if let Some(variable) = Variable::of_message(name) {
        return Ok(variable);
    }
    if own.knows(name) {
        return Ok(Variable::Own(name.to_owned()));
    }
    let mut known: Vec<&str> =
        vec!["to", "to_digits", "text", "code", "sender", "app", "lang", "is_unicode", "uuid", "country"];
    known.extend(own.names());
    if name == "account" || name == "secret" {
        return Err(format!("uses `${{{name}}}`, but `{name}` is not given"));
    }
    Err(format!(
        "uses `${{{name}}}`, which is not known; known are {}, and what you write under `vars` or `secrets`",
        known.join(", ")
    ))
}
