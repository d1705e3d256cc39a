//! The HTTP request that a description makes of one message: to send, or to show with its secrets masked. Sends nothing. Floor: edge.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use rand::RngCore as _;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::credentials::Credentials;
use super::description::{Body, Description};
use super::settings::NumberFormat;
use super::sigv4;
use super::template::{Filled, Tree};
use super::variables::{MASK, MessageValues, Secrets, Values};
use crate::domain::gsm7;
use crate::domain::phone::PhoneNumber;
use crate::domain::time::UnixMillis;

/// What a description makes of a message. Holds the code and our credentials: no `Debug`.
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// A value of this message fits nowhere in the request.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    #[error("with this message the URL is no URL")]
    Url,
    #[error("the header {0} would hold a character that no header may")]
    Header(HeaderName),
}

/// The parts of a message that the templates may ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub(super) to: &'a PhoneNumber,
    pub(super) text: &'a str,
    pub(super) code: &'a str,
    pub(super) sender: &'a str,
    pub(super) app: &'a str,
    pub(super) lang: &'a str,
    pub(super) now: UnixMillis,
}

impl Description {
    pub(super) fn request(&self, parts: Parts<'_>, secrets: Secrets) -> Result<Request, Unwritable> {
        let country = parts.to.country();
        let sender =
            self.senders.iter().find(|(code, _)| code.eq_ignore_ascii_case(country.as_str())).map(|(_, sender)| sender);
        let sender = sender.or(self.sender.as_ref()).map_or(parts.sender, String::as_str);
        let digits = parts.to.e164().trim_start_matches('+');
        let message = MessageValues {
            to: match self.to_format {
                NumberFormat::E164 => format!("+{digits}"),
                NumberFormat::Digits => digits.to_owned(),
                NumberFormat::DoubleZero => format!("00{digits}"),
            },
            to_digits: digits,
            text: parts.text,
            code: parts.code,
            sender,
            app: parts.app,
            lang: parts.lang,
            is_unicode: gsm7::septets(parts.text).is_err(),
            uuid: random_uuid(),
            country: country.as_str(),
        };
        let values = Values { message: &message, own: &self.own, secrets };
        let (body, content_type) = self.written_body(values);
        let mut request =
            Request { url: self.written_url(values)?, headers: self.written_headers(values, content_type)?, body };
        if let Credentials::AwsSigV4 { access_key, secret_key, region, service } = &self.credentials {
            let keys = sigv4::Keys {
                access_key: &values.credential(access_key),
                secret_key: &values.credential(secret_key),
                region: &values.credential(region),
                service,
            };
            sigv4::sign(&self.method, &mut request, &keys, parts.now)?;
            if values.secrets == Secrets::Masked {
                request.headers.insert(header::AUTHORIZATION, HeaderValue::from_static(MASK));
            }
        }
        Ok(request)
    }

    /// The request in the form it goes over the wire, for `sms test --dry-run`: credentials, `secret` and `secrets` are masked, and so is what stands
    /// under a name that sounds like a secret.
    pub(super) fn show(&self, parts: Parts<'_>) -> Result<String, Unwritable> {
        let request = self.request(parts, Secrets::Masked)?;
        let mut shown = format!("{} {}\n", self.method, masked_query(&request.url));
        for (name, value) in &request.headers {
            let value = if sounds_secret(name.as_str()) { MASK } else { value.to_str().unwrap_or(MASK) };
            // a String takes any write
            let _ = writeln!(shown, "{name}: {value}");
        }
        let body = String::from_utf8_lossy(&request.body);
        match &self.body {
            Body::Json(_) => {
                let mut json: Value = serde_json::from_str(&body).unwrap_or_default();
                mask(&mut json);
                let _ = write!(shown, "\n{json:#}\n");
            }
            Body::Form(_) => {
                let _ = write!(shown, "\n{}\n", masked_fields(&body));
            }
            Body::Query(_) => {}
        }
        Ok(shown)
    }

    fn written_body(&self, values: Values<'_>) -> (Zeroizing<Vec<u8>>, Option<&'static str>) {
        match &self.body {
            Body::Json(tree) => {
                let mut out = Zeroizing::new(Vec::with_capacity(4096));
                serde_json::to_writer(&mut *out, &Filled { tree, values })
                    .expect("a Vec takes any write, and every key is a string");
                (out, Some("application/json"))
            }
            Body::Form(fields) => {
                (Zeroizing::new(encoded(fields, values).into_bytes()), Some("application/x-www-form-urlencoded"))
            }
            Body::Query(_) => (Zeroizing::default(), None),
        }
    }

    fn written_url(&self, values: Values<'_>) -> Result<Url, Unwritable> {
        let mut url = Url::parse(&self.url.fill_url(values)).map_err(|_| Unwritable::Url)?;
        if let Body::Query(fields) = &self.body {
            for (name, tree) in fields {
                for value in tree.field_values(values) {
                    url.query_pairs_mut().append_pair(name, &value);
                }
            }
        }
        if let Credentials::Query { name, value } = &self.credentials {
            url.query_pairs_mut().append_pair(name, &values.credential(value));
        }
        Ok(url)
    }

    fn written_headers(&self, values: Values<'_>, content_type: Option<&'static str>) -> Result<HeaderMap, Unwritable> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, */*;q=0.5"));
        if let Some(content_type) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        for (name, template) in &self.headers {
            headers.insert(name.clone(), header_value(name, &template.fill(values))?);
        }
        let credential = match &self.credentials {
            Credentials::None | Credentials::Query { .. } | Credentials::AwsSigV4 { .. } => None,
            Credentials::Basic { user, password } => {
                let pair = Zeroizing::new(format!("{}:{}", *values.credential(user), *values.credential(password)));
                Some((header::AUTHORIZATION, Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes())))))
            }
            Credentials::Header { name, prefix, value } => {
                Some((name.clone(), Zeroizing::new(format!("{prefix}{}", *values.credential(value)))))
            }
        };
        if let Some((name, text)) = credential {
            let text = if values.secrets == Secrets::Masked { MASK } else { text.as_str() };
            let mut value = header_value(&name, text)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, Unwritable> {
    HeaderValue::from_str(text).map_err(|_| Unwritable::Header(name.clone()))
}

fn encoded(fields: &[(String, Tree)], values: Values<'_>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(1024));
    for (name, tree) in fields {
        for value in tree.field_values(values) {
            form.append_pair(name, &value);
        }
    }
    form.finish()
}

/// Version 4 of RFC 9562.
fn random_uuid() -> String {
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    let number = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62) | (4 << 76) | (0b10 << 62);
    let hex = format!("{number:032x}");
    let part = |range| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token", "key", "auth", "credential", "signature", "cookie"]
        .iter()
        .any(|word| name.contains(word))
}

fn masked_query(url: &Url) -> String {
    let mut shown = url.clone();
    if let Some(query) = url.query() {
        shown.set_query(Some(&masked_fields(query)));
    }
    shown.into()
}

fn masked_fields(encoded: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(encoded.as_bytes()) {
        form.append_pair(&name, if sounds_secret(&name) { MASK } else { &value });
    }
    form.finish()
}

fn mask(json: &mut Value) {
    match json {
        Value::Object(map) => {
            for (key, value) in map {
                if sounds_secret(key) { *value = Value::from(MASK) } else { mask(value) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NASTY: &str = "\"quote\" & = + % é \u{1F600}\n@host #012345";

    fn described(settings: Value) -> Description {
        Description::read(serde_json::from_value(settings).unwrap()).unwrap()
    }

    fn number() -> PhoneNumber {
        PhoneNumber::from_stored("+32470123456").unwrap()
    }

    fn parts<'a>(to: &'a PhoneNumber, text: &'a str) -> Parts<'a> {
        Parts { to, text, code: "012345", sender: "Acme", app: "Acme", lang: "nl", now: UnixMillis(0) }
    }

    fn request(settings: Value, text: &str) -> Request {
        described(settings).request(parts(&number(), text), Secrets::WrittenOut).unwrap()
    }

    fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
        form_urlencoded::parse(encoded).into_owned().collect()
    }

    #[test]
    fn a_form_carries_any_text() {
        let request = request(json!({ "name": "x", "preset": "twilio", "account": "AC1", "secret": "pw" }), NASTY);
        assert_eq!(
            pairs(&request.body),
            [("To", "+32470123456"), ("From", "Acme"), ("Body", NASTY)].map(|(a, b)| (a.to_owned(), b.to_owned()))
        );
        assert_eq!(request.url.as_str(), "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
        assert_eq!(request.headers["authorization"], format!("Basic {}", BASE64.encode("AC1:pw")));
        assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
    }

    #[test]
    fn a_query_carries_any_text() {
        let request = request(
            json!({ "name": "kannel", "method": "GET", "url": "https://k.example/cgi?smsc=a", "to_format": "00",
                "query": { "to": "${to}", "text": "${text}", "coding": { "when_unicode": 2, "else": 0 } },
                "auth": { "query": { "name": "password", "value": "p&w" } } }),
            NASTY,
        );
        let found = pairs(request.url.query().unwrap().as_bytes());
        let expected = [("smsc", "a"), ("to", "0032470123456"), ("text", NASTY), ("coding", "2"), ("password", "p&w")];
        assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert!(request.body.is_empty());
    }

    #[test]
    fn a_value_in_the_path_stays_in_its_segment() {
        let settings = json!({ "name": "x", "url": "https://x.example/${account}/${to}?a=${text}", "account": "a/../b?c#d", "json": {} });
        let request = request(settings, "&b=1");
        assert_eq!(request.url.as_str(), "https://x.example/a%2F..%2Fb%3Fc%23d/%2B32470123456?a=%26b%3D1");
    }

    #[test]
    fn a_list_repeats_its_field_and_a_field_credential_joins_the_others() {
        let request = request(
            json!({ "name": "x", "url": "https://x.example/", "to_format": "digits", "form": { "to": ["${to}", "${to_digits}"], "text": "${text}" },
                "auth": { "field": { "name": "apikey", "value": "${secret}" } }, "secret": "k" }),
            "hi",
        );
        let expected = [("to", "32470123456"), ("to", "32470123456"), ("text", "hi"), ("apikey", "k")];
        assert_eq!(pairs(&request.body), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }

    #[test]
    fn the_sender_of_the_country_comes_first_then_that_of_the_vendor() {
        let json = json!({ "to": "${to}", "text": "${text}", "from": "${sender}" });
        let from = |extra: Value| {
            let mut settings = json!({ "name": "x", "url": "https://x.example/", "json": json });
            settings.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            let body: Value = serde_json::from_slice(&request(settings, "t").body).unwrap();
            body["from"].as_str().unwrap().to_owned()
        };
        assert_eq!(from(json!({})), "Acme");
        assert_eq!(from(json!({ "sender": "Vendor" })), "Vendor");
        assert_eq!(from(json!({ "sender": "Vendor", "senders": { "BE": "Belgium", "US": "+1555" } })), "Belgium");
        assert_eq!(from(json!({ "sender": "Vendor", "senders": { "US": "+1555" } })), "Vendor");
    }

    #[test]
    fn a_text_that_no_header_can_hold_is_not_sent() {
        let settings = json!({ "name": "x", "url": "https://x.example/", "headers": { "X-Text": "${text}" }, "json": { "to": "${to}" } });
        let refused = described(settings).request(parts(&number(), "a\r\nX-Evil: 1"), Secrets::WrittenOut);
        assert_eq!(refused.err(), Some(Unwritable::Header(HeaderName::from_static("x-text"))));
    }

    #[test]
    fn a_dry_run_shows_the_request_but_no_secret() {
        for auth in [
            json!({ "basic": { "user": "u", "password": "s3cret" } }),
            json!({ "bearer": "s3cret" }),
            json!({ "bearer": "${secret}" }),
            json!({ "header": { "name": "X-Vendor", "prefix": "App ", "value": "s3cret" } }),
            json!({ "query": { "name": "k", "value": "s3cret" } }),
            json!({ "field": { "name": "k", "value": "${own}" } }),
        ] {
            let description = described(
                json!({ "name": "x", "url": "https://x.example/send?api_key=s3cret&token=${secret}", "auth": auth, "secret": "s3cret",
                "secrets": { "own": "s3cret" }, "headers": { "X-Api-Key": "s3cret", "X-Plain": "plain" },
                "json": { "to": "${to}", "text": "${text}", "deep": [{ "password": "s3cret", "t": "${own}" }] } }),
            );
            let shown = description.show(parts(&number(), "Your code is 012345")).unwrap();
            assert!(!shown.contains("s3cret") && !shown.contains(&BASE64.encode("u:s3cret")), "{shown}");
            for part in ["POST https://x.example/send", "+32470123456", "Your code is 012345", "x-plain: plain", MASK] {
                assert!(shown.contains(part), "{part}: {shown}");
            }
        }
    }

    #[test]
    fn an_id_is_a_uuid_of_version_4() {
        let uuid = random_uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4", "{uuid}");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"), "{uuid}");
        assert_ne!(uuid, random_uuid());
    }
}
