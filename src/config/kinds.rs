//! The kinds of single values: text, choices, durations, sizes, counts, switches, URLs, networks, secrets.
//!
//! Each says what it needs in words and as JSON Schema. Bare numbers are no durations and no sizes: they say no unit. Floor: roof.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use ipnet::IpNet;
use serde_json::{Value, json};
use url::Url;

use crate::domain::keys::ROOT_KEY_LENGTH;
use crate::domain::language::Language;
use crate::domain::phone::Country;
use crate::domain::secret::{SecretBytes, SecretText};

use super::node::{Slot, in_words, nearest};
use super::scalar::{Exposure, Raw, Reader, Scalar, Wrong};

impl<'a> Slot<'a> {
    fn scalar<T>(self, right: impl Into<String>, schema: Value, read: Reader<'a, T>) -> Scalar<'a, T> {
        Scalar { slot: self, right: right.into(), schema, exposure: Exposure::Shown, read, stand_in: None }
    }

    /// One line of text, not empty, of so many characters at most.
    pub(super) fn text(self, most_characters: usize) -> Scalar<'a, String> {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": most_characters });
        let read: Reader<'a, String> = Box::new(move |raw| {
            let text = raw.text()?;
            if text.trim().is_empty() {
                return Err(Wrong::new("the text is empty"));
            }
            if text.chars().count() > most_characters {
                return Err(Wrong::new(format!("the text has {} characters", text.chars().count())));
            }
            if text.chars().any(char::is_control) {
                return Err(Wrong::new("the text holds a line break or another control character"));
            }
            Ok(text.to_owned())
        });
        self.scalar(format!("text of at most {most_characters} characters"), schema, read)
    }

    /// One of these words.
    pub(super) fn choice<T: Copy + 'a>(self, choices: &'static [(&'static str, T)]) -> Scalar<'a, T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let right = format!("one of {}", words.join(", "));
        let read: Reader<'a, T> = Box::new(move |raw| {
            let text = raw.text()?;
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                Wrong::with_right(
                    format!("there is no {text:?} here"),
                    nearest(text, choices.iter().map(|(word, _)| *word)),
                )
            })
        });
        self.scalar(right, json!({ "enum": words }), read)
    }

    /// On or off.
    pub(super) fn flag(self) -> Scalar<'a, bool> {
        let read: Reader<'a, bool> = Box::new(|raw| match raw {
            Raw::Here(Value::Bool(flag)) => Ok(*flag),
            Raw::Here(other @ (Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
                Err(Wrong::new(format!("{} is neither on nor off", in_words(other))))
            }
            Raw::Here(Value::String(_)) | Raw::Elsewhere(_) => match raw.text()? {
                "on" | "true" => Ok(true),
                "off" | "false" => Ok(false),
                word @ ("yes" | "no" | "Yes" | "No" | "YES" | "NO" | "On" | "Off" | "ON" | "OFF") => Err(Wrong::new(
                    format!("`{word}` means a text to some readers of YAML and a truth value to others"),
                )),
                other => Err(Wrong::new(format!("{other:?} is neither on nor off"))),
            },
        });
        self.scalar("on or off", json!({ "enum": ["on", "off", true, false] }), read)
    }

    /// A whole number.
    pub(super) fn count(self, least: u32, most: u32) -> Scalar<'a, u32> {
        let schema = json!({ "type": "integer", "minimum": least, "maximum": most });
        let read: Reader<'a, u32> = Box::new(move |raw| {
            let number = match raw {
                Raw::Here(Value::Number(number)) => {
                    number.as_i64().ok_or_else(|| Wrong::new(format!("{number} is no whole number in range")))?
                }
                Raw::Here(Value::String(text)) => {
                    return Err(Wrong::new(format!(
                        "{text:?} is text; numbers stand without quotes and zeros in front"
                    )));
                }
                Raw::Here(other) => return Err(Wrong::new(format!("{} is no number", in_words(other)))),
                Raw::Elsewhere(text) => {
                    text.trim().parse().map_err(|_| Wrong::new("the text there is no whole number"))?
                }
            };
            match u32::try_from(number) {
                Ok(count) if (least..=most).contains(&count) => Ok(count),
                _ if number < i64::from(least) => Err(Wrong::new(format!("{number} is too small"))),
                _ => Err(Wrong::new(format!("{number} is too large"))),
            }
        });
        self.scalar(format!("a number from {least} to {most}"), schema, read)
    }

    /// A stretch of time, bounds included. `testing: true` lifts the lower bound, down to a millisecond.
    pub(super) fn duration(self, least: &'static str, most: &'static str) -> Scalar<'a, Duration> {
        let bound = |text| parse_duration(text).expect("the bounds are written here, in this form");
        let (shortest, longest) = (bound(least), bound(most));
        let reading = self.reading;
        let schema =
            json!({ "type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$", "x-least": least, "x-most": most });
        let read: Reader<'a, Duration> = Box::new(move |raw| {
            let text = quantity_text(raw, "90s, 5m or 12h")?;
            let duration = parse_duration(text)?;
            let shortest = if reading.testing.get() { shortest.min(Duration::from_millis(1)) } else { shortest };
            if duration < shortest {
                return Err(Wrong::new(format!("{text} is too short")));
            }
            if duration > longest {
                return Err(Wrong::new(format!("{text} is too long")));
            }
            Ok(duration)
        });
        self.scalar(format!("a duration from {least} to {most}"), schema, read)
    }

    /// A stretch of time, or `off` for none.
    pub(super) fn duration_or_off(self, least: &'static str, most: &'static str) -> Scalar<'a, Option<Duration>> {
        let Scalar { slot, right, schema: _, exposure, read, stand_in: _ } = self.duration(least, most);
        let schema = json!({ "type": ["string", "boolean"], "pattern": "^([0-9]{1,9}(ms|s|m|h|d)|off)$", "x-least": least, "x-most": most });
        let read: Reader<'a, Option<Duration>> = Box::new(move |raw| match raw {
            Raw::Here(Value::Bool(false)) => Ok(None),
            Raw::Here(Value::String(word)) if word == "off" => Ok(None),
            Raw::Elsewhere(word) if word.as_str() == "off" => Ok(None),
            other => read(other).map(Some),
        });
        Scalar { slot, right: format!("{right}, or off"), schema, exposure, read, stand_in: None }
    }

    /// A number of bytes, bounds included.
    pub(super) fn size(self, least: &'static str, most: &'static str) -> Scalar<'a, usize> {
        let bound = |text| parse_size(text).expect("the bounds are written here, in this form");
        let (smallest, largest) = (bound(least), bound(most));
        let schema =
            json!({ "type": "string", "pattern": "^[0-9]{1,9}(B|KiB|MiB)$", "x-least": least, "x-most": most });
        let read: Reader<'a, usize> = Box::new(move |raw| {
            let text = quantity_text(raw, "8KiB or 1MiB")?;
            let bytes = parse_size(text)?;
            if bytes < smallest {
                return Err(Wrong::new(format!("{text} is too small")));
            }
            if bytes > largest {
                return Err(Wrong::new(format!("{text} is too large")));
            }
            Ok(bytes)
        });
        self.scalar(format!("a size from {least} to {most}"), schema, read)
    }

    /// A URL with one of these schemes, and a host.
    pub(super) fn url(self, schemes: &'static [&'static str]) -> Scalar<'a, Url> {
        let starts: Vec<String> = schemes.iter().map(|scheme| format!("{scheme}://")).collect();
        let mut scalar =
            self.text(2048).parsed(format!("a URL that begins with {}", starts.join(" or ")), move |text| {
                let url = Url::parse(&text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
                if !schemes.contains(&url.scheme()) {
                    return Err(format!("{text:?} begins with another scheme"));
                }
                if url.host_str().is_none_or(str::is_empty) {
                    return Err(format!("{text:?} has no host"));
                }
                Ok(url)
            });
        scalar.schema = json!({ "type": "string", "format": "uri", "pattern": format!("^({})://", schemes.join("|")) });
        scalar
    }

    /// A URL that may hold a password; it is read further by `parsed`, whose messages must not repeat it.
    pub(super) fn url_with_password(self) -> Scalar<'a, String> {
        Scalar { exposure: Exposure::UrlWithPassword, ..self.text(2048) }
    }

    /// A network; a single address is the network of this one.
    pub(super) fn network(self) -> Scalar<'a, IpNet> {
        self.text(64).parsed("a network such as 10.0.0.0/8 or 2001:db8::/32, or one address", |text| {
            if let Ok(address) = text.parse() {
                return Ok(IpNet::from(std::net::IpAddr::to_canonical(&address)));
            }
            let network: IpNet = text.parse().map_err(|_| format!("{text:?} is no network"))?;
            if network.trunc() != network {
                return Err(format!("{text} is an address inside the network {}", network.trunc()));
            }
            Ok(network)
        })
    }

    /// A country by its two letters. `NO` is Norway, and `false` to many readers of YAML.
    pub(super) fn country(self) -> Scalar<'a, Country> {
        let read: Reader<'a, Country> = Box::new(|raw| {
            if let Raw::Here(Value::Bool(false)) = raw {
                return Err(Wrong::with_right(
                    "YAML reads this as false; if it was NO, Norway is meant",
                    "\"NO\", in quotes",
                ));
            }
            let text = raw.text()?;
            Country::parse(text)
                .filter(|country| country.as_str() == text)
                .ok_or_else(|| Wrong::new(format!("there is no country {text:?}")))
        });
        let schema = json!({ "type": "string", "pattern": "^[A-Z]{2}$" });
        self.scalar("two capital letters (ISO 3166-1), such as BE", schema, read)
    }

    /// A language that pages and SMS exist in.
    pub(super) fn language(self) -> Scalar<'a, Language> {
        let tags = Language::ALL.map(Language::tag);
        let right = format!("one of {}", tags.join(", "));
        let mut scalar = self.text(16).parsed(right, move |text| {
            Language::ALL
                .into_iter()
                .find(|language| language.tag() == text)
                .ok_or_else(|| format!("pages and SMS do not exist in {text:?}"))
        });
        scalar.schema = json!({ "enum": tags });
        scalar
    }

    /// A path. Relative ones start at the folder of the configuration file. Whether anything is there is not looked at.
    pub(super) fn path(self) -> Scalar<'a, PathBuf> {
        let reading = self.reading;
        self.text(4096).parsed("the path of a file", move |text| Ok(Slot::resolve(reading, &text)))
    }

    /// Text, a number or a truth value, as it stands there.
    pub(super) fn any_scalar(self) -> Scalar<'a, Value> {
        let read: Reader<'a, Value> = Box::new(|raw| match raw {
            Raw::Here(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => Ok(value.clone()),
            Raw::Here(other) => Err(Wrong::new(format!("{} stands where one value is needed", in_words(other)))),
            Raw::Elsewhere(text) => Ok(json!(text.as_str())),
        });
        self.scalar("one text, number or truth value", json!({ "type": ["string", "number", "boolean"] }), read)
    }

    /// Text that must not be shown.
    pub(super) fn secret(self) -> Scalar<'a, SecretText> {
        let read: Reader<'a, SecretText> = Box::new(|raw| {
            let text = raw.text().map_err(|_| {
                Wrong::with_right("this is not text", "{ file: PATH }, { env: NAME }, or text in quotes")
            })?;
            if text.is_empty() {
                return Err(Wrong::new("the secret is empty"));
            }
            if text.chars().any(char::is_control) {
                return Err(Wrong::new("the secret holds a line break or another control character"));
            }
            Ok(SecretText::new(text.to_owned()))
        });
        Scalar {
            exposure: Exposure::Secret,
            stand_in: Some(|| SecretText::new(String::new())),
            ..self.scalar(
                "a secret: { file: PATH } or { env: NAME }",
                json!({ "type": "string", "minLength": 1 }),
                read,
            )
        }
    }

    /// A key: 32 bytes in base64.
    pub(super) fn key(self) -> Scalar<'a, SecretBytes> {
        let read: Reader<'a, SecretBytes> = Box::new(|raw| {
            let text = raw.text().map_err(|_| Wrong::new("this is not text"))?;
            let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).map(SecretBytes::new);
            let bytes = bytes.map_err(|_| Wrong::new("the key is not written in base64"))?;
            match bytes.reveal().len() {
                ROOT_KEY_LENGTH => Ok(bytes),
                length => Err(Wrong::new(format!("the key has {length} bytes"))),
            }
        });
        Scalar {
            exposure: Exposure::Secret,
            stand_in: Some(|| SecretBytes::new(Vec::new())),
            ..self.scalar(
                "32 random bytes in base64, as `vestibule key generate` makes them, in { file: PATH }",
                json!({ "type": "string" }),
                read,
            )
        }
    }
}

/// The text of a duration or size.
fn quantity_text<'r>(raw: &'r Raw, examples: &str) -> Result<&'r str, Wrong> {
    match raw {
        Raw::Here(Value::Number(number)) => {
            Err(Wrong::new(format!("{number} says no unit (write it as in {examples})")))
        }
        other => other.text(),
    }
}

fn parse_duration(text: &str) -> Result<Duration, Wrong> {
    let (number, unit) = number_and_unit(text, "90s, 5m or 12h")?;
    let seconds_a_unit = match unit {
        "ms" => return Ok(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(Wrong::new(format!("{text:?} has an unknown unit (there are ms, s, m, h and d)"))),
    };
    Ok(Duration::from_secs(number * seconds_a_unit))
}

fn parse_size(text: &str) -> Result<usize, Wrong> {
    let (number, unit) = number_and_unit(text, "8KiB or 1MiB")?;
    let bytes_a_unit = match unit {
        "B" => 1,
        "KiB" => 1024,
        "MiB" => 1024 * 1024,
        _ => return Err(Wrong::new(format!("{text:?} has an unknown unit (there are B, KiB and MiB)"))),
    };
    usize::try_from(number * bytes_a_unit).map_err(|_| Wrong::new(format!("{text} is too large")))
}

/// At most nine digits, so that nothing overflows in any unit.
fn number_and_unit<'t>(text: &'t str, examples: &str) -> Result<(u64, &'t str), Wrong> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    match digits.parse() {
        Ok(_) if unit.is_empty() => Err(Wrong::new(format!("{text} says no unit (write it as in {examples})"))),
        Ok(number) if digits.len() <= 9 => Ok((number, unit)),
        _ => Err(Wrong::new(format!("{text:?} is not a number with a unit (write it as in {examples})"))),
    }
}

/// KiB of a size that is a whole number of them.
pub(super) fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes / 1024).unwrap_or(u32::MAX)
}
