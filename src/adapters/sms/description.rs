//! A vendor's description, read once at start: every mistake reported, templates and rules parsed, nothing left to find wrong while a person waits.
//! Does not open files and does not ask the vendor. Floor: edge.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::check::{Problem, url_problem};
use super::credentials::{self, Credentials};
use super::presets;
use super::settings::{Method, NumberFormat, ProviderSettings, Scalar};
use super::template::{Template, Tree};
use super::variables::{MessageValues, Own, OwnValue, Secrets, Values, Variable};
use super::verdict::Rules;
use crate::domain::phone::Country;

/// How long a connection may take, unless set: sms §8.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long one attempt may take in all, unless set: security K3.
const TIMEOUT: Duration = Duration::from_secs(5);
/// A login page does not wait longer than this for one vendor. Our own bound.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A vendor as `attempt.rs` speaks to it. Only `read` makes one, so what it holds is right.
#[derive(Clone, Debug)]
pub struct Description {
    pub(super) name: String,
    pub(super) method: http::Method,
    pub(super) url: Template,
    pub(super) credentials: Credentials,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) body: Body,
    pub(super) to_format: NumberFormat,
    pub(super) sender: Option<String>,
    pub(super) senders: BTreeMap<String, String>,
    pub(super) rules: Rules,
    pub(super) own: Own,
    pub(super) countries: Vec<Country>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) connect_timeout: Duration,
    pub(super) timeout: Duration,
}

/// Where the fields of the message go. The fields of a form or query are in the order in which they were written.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Json(Tree),
    Form(Vec<(String, Tree)>),
    Query(Vec<(String, Tree)>),
}

impl Description {
    /// Reads `settings`, the preset they name beneath them.
    ///
    /// # Errors
    /// All that is wrong with them, at once.
    pub fn read(settings: ProviderSettings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let settings = presets::beneath(settings, &mut problems);
        let own = own_variables(&settings, &mut problems);
        let method = settings.method.unwrap_or(Method::Post);
        let url = read_url(&settings, &own, &mut problems);
        let mut body = read_body(&settings, method, &own, &mut problems);
        let credentials = credentials::read(&settings, &own, &mut body, &mut problems);
        let headers = read_headers(&settings, &credentials, &own, &mut problems);
        let rules = Rules::read(&settings, &mut problems);
        let (connect_timeout, timeout) = read_timeouts(&settings, &mut problems);
        let countries = read_countries(&settings, &mut problems);
        if settings.name.is_empty() {
            problems.push(Problem::new("name", "is missing; logs need something to call this vendor by"));
        }
        let (Some(url), Some(body)) = (url, body) else {
            return Err(problems);
        };
        check_that_the_message_is_sent(&url, &headers, &body, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            name: settings.name,
            method: match method {
                Method::Get => http::Method::GET,
                Method::Post => http::Method::POST,
            },
            url,
            credentials,
            headers,
            body,
            to_format: settings.to_format.unwrap_or_default(),
            sender: settings.sender,
            senders: settings.senders,
            rules,
            own,
            countries,
            ca_file: settings.ca_file,
            connect_timeout,
            timeout,
        })
    }

    /// Whether some request to this vendor says who it is from, so that a sender has to be configured.
    #[must_use]
    pub fn uses_sender(&self) -> bool {
        let in_body = match &self.body {
            Body::Json(tree) => tree.variables().contains(&&Variable::Sender),
            Body::Form(fields) | Body::Query(fields) => {
                fields.iter().any(|(_, tree)| tree.variables().contains(&&Variable::Sender))
            }
        };
        in_body || self.url.variables().any(|variable| *variable == Variable::Sender)
    }
}

fn own_variables(settings: &ProviderSettings, problems: &mut Vec<Problem>) -> Own {
    let mut own = Own::default();
    if let Some(account) = &settings.account {
        own.add("account", OwnValue::Shown(Scalar::Text(account.clone())));
    }
    if let Some(secret) = &settings.secret {
        own.add("secret", OwnValue::Secret(secret.clone()));
    }
    let shown = settings.vars.iter().map(|(name, value)| ("vars", name, OwnValue::Shown(value.clone())));
    let secret = settings.secrets.iter().map(|(name, value)| ("secrets", name, OwnValue::Secret(value.clone())));
    for (section, name, value) in shown.chain(secret) {
        let is_plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_plain {
            problems.push(Problem::new(format!("{section}.{name}"), "is no name; letters, digits and `_` make one"));
        } else if Variable::of_message(name).is_some() || !own.add(name, value) {
            problems.push(Problem::new(format!("{section}.{name}"), "is the name of another variable already"));
        }
    }
    own
}

fn read_url(settings: &ProviderSettings, own: &Own, problems: &mut Vec<Problem>) -> Option<Template> {
    let Some(text) = &settings.url else {
        problems.push(Problem::new("url", "is missing"));
        return None;
    };
    let template = match Template::parse(text, own) {
        Ok(template) => template,
        Err(message) => {
            problems.push(Problem::new("url", message));
            return None;
        }
    };
    let [first, second] = ["1", "2"].map(|digit| {
        let sample = MessageValues {
            to: digit.to_owned(),
            to_digits: digit,
            text: digit,
            code: digit,
            sender: digit,
            app: digit,
            lang: digit,
            is_unicode: digit == "1",
            uuid: digit.to_owned(),
            country: digit,
        };
        Url::parse(&template.fill_url(Values { message: &sample, own, secrets: Secrets::WrittenOut }))
    });
    let message = match (first, second) {
        (Ok(first), Ok(second)) if first.origin() != second.origin() => {
            Some("has a variable of the message in its host; those may stand in the path and the query only".to_owned())
        }
        (Ok(first), Ok(_)) => url_problem(&first, settings.allow_insecure),
        (Err(error), _) | (_, Err(error)) => Some(format!("is no URL: {error}")),
    };
    problems.extend(message.map(|message| Problem::new("url", message)));
    Some(template)
}

fn read_body(settings: &ProviderSettings, method: Method, own: &Own, problems: &mut Vec<Problem>) -> Option<Body> {
    if method == Method::Get && (settings.json.is_some() || settings.form.is_some()) {
        problems.push(Problem::new("method", "is GET, which has no body; use `query`, or POST"));
    }
    let (json, form, query) = (&settings.json, &settings.form, &settings.query);
    match (json, form, query) {
        (Some(json), None, None) => Some(Body::Json(Tree::parse(json, own, "json", problems))),
        (None, Some(form), None) => fields(form, own, "form", problems).map(Body::Form),
        (None, None, Some(query)) => fields(query, own, "query", problems).map(Body::Query),
        (None, None, None) => {
            problems.push(Problem::new("json", "is missing; give one of `json`, `form` and `query`"));
            None
        }
        (_, _, _) => {
            let second = if json.is_none() || form.is_none() { "query" } else { "form" };
            problems.push(Problem::new(second, "is one too many; give exactly one of `json`, `form` and `query`"));
            None
        }
    }
}

fn fields(value: &Value, own: &Own, at: &str, problems: &mut Vec<Problem>) -> Option<Vec<(String, Tree)>> {
    let Tree::Map(fields) = Tree::parse(value, own, at, problems) else {
        problems.push(Problem::new(at, "is no map of field names to values"));
        return None;
    };
    for (name, tree) in &fields {
        if !is_flat(tree, true) {
            problems.push(Problem::new(
                format!("{at}.{name}"),
                "is nested; a field takes a text, a number, a boolean or a list of those",
            ));
        }
    }
    Some(fields)
}

fn is_flat(tree: &Tree, list_allowed: bool) -> bool {
    match tree {
        Tree::Text(_) | Tree::Secret(_) => true,
        Tree::Fixed(value) => !value.is_null(),
        Tree::List(items) => list_allowed && items.iter().all(|item| is_flat(item, false)),
        Tree::Map(_) => false,
        Tree::WhenUnicode { unicode, gsm7 } => is_flat(unicode, list_allowed) && is_flat(gsm7, list_allowed),
    }
}

fn read_headers(
    settings: &ProviderSettings,
    credentials: &Credentials,
    own: &Own,
    problems: &mut Vec<Problem>,
) -> Vec<(HeaderName, Template)> {
    let taken = match credentials {
        Credentials::Header { name, .. } => Some(name.clone()),
        Credentials::Basic { .. } | Credentials::AwsSigV4 { .. } => Some(header::AUTHORIZATION),
        Credentials::None | Credentials::Query { .. } => None,
    };
    let mut headers = Vec::new();
    for (name, text) in &settings.headers {
        let at = format!("headers.{name}");
        let Some(header) = header_name(name, &at, problems) else {
            continue;
        };
        if Some(&header) == taken.as_ref() {
            problems.push(Problem::new(at.clone(), "is what `auth` sets already"));
        }
        match Template::parse(text, own) {
            Ok(_) if HeaderValue::from_str(text).is_err() => {
                problems.push(Problem::new(at, "has a character that no header may hold"))
            }
            Ok(template) => headers.push((header, template)),
            Err(message) => problems.push(Problem::new(at, message)),
        }
    }
    headers
}

pub(super) fn header_name(name: &str, at: &str, problems: &mut Vec<Problem>) -> Option<HeaderName> {
    let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
        problems.push(Problem::new(at, format!("is no header name: `{name}`")));
        return None;
    };
    let ours = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
        header::UPGRADE,
        header::TE,
    ];
    if ours.contains(&header) {
        problems.push(Problem::new(at, format!("names `{header}`, which the connection itself sets")));
        return None;
    }
    Some(header)
}

fn read_timeouts(settings: &ProviderSettings, problems: &mut Vec<Problem>) -> (Duration, Duration) {
    let timeout = settings.timeout.unwrap_or(TIMEOUT);
    let connect = settings.connect_timeout.unwrap_or_else(|| CONNECT_TIMEOUT.min(timeout.mul_f64(0.6)));
    if timeout.is_zero() || timeout > LONGEST_TIMEOUT {
        problems.push(Problem::new(
            "timeout",
            format!("is out of range; above 0 s, at most {} s", LONGEST_TIMEOUT.as_secs()),
        ));
    }
    if connect.is_zero() || connect >= timeout {
        problems.push(Problem::new(
            "connect_timeout",
            "is not shorter than `timeout`: it could then not be known whether anything was sent",
        ));
    }
    (connect, timeout)
}

fn read_countries(settings: &ProviderSettings, problems: &mut Vec<Problem>) -> Vec<Country> {
    let mut read = |code: &str, at: String| {
        let country = Country::parse(code);
        if country.is_none() {
            problems.push(Problem::new(at, format!("is no country: `{code}`; write two letters, such as BE")));
        }
        country
    };
    for code in settings.senders.keys() {
        let _ = read(code, format!("senders.{code}"));
    }
    settings.countries.iter().enumerate().filter_map(|(n, code)| read(code, format!("countries[{n}]"))).collect()
}

fn check_that_the_message_is_sent(
    url: &Template,
    headers: &[(HeaderName, Template)],
    body: &Body,
    problems: &mut Vec<Problem>,
) {
    let (section, in_body) = match body {
        Body::Json(tree) => ("json", tree.variables()),
        Body::Form(fields) => ("form", fields.iter().flat_map(|(_, tree)| tree.variables()).collect()),
        Body::Query(fields) => ("query", fields.iter().flat_map(|(_, tree)| tree.variables()).collect()),
    };
    let everywhere: Vec<&Variable> = in_body
        .into_iter()
        .chain(url.variables())
        .chain(headers.iter().flat_map(|(_, template)| template.variables()))
        .collect();
    let has = |wanted: [Variable; 2]| everywhere.iter().any(|variable| wanted.contains(variable));
    if !has([Variable::To, Variable::ToDigits]) {
        problems.push(Problem::new(
            section,
            "has the number nowhere; put `${to}` or `${to_digits}` where this vendor wants it",
        ));
    }
    if !has([Variable::Text, Variable::Code]) {
        problems.push(Problem::new(
            section,
            "has the message nowhere; put `${text}` (or `${code}`) where this vendor wants it",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(settings: Value) -> Vec<String> {
        let settings = serde_json::from_value(settings).unwrap();
        let problems = Description::read(settings).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect()
    }

    fn house() -> Value {
        json!({ "name": "house", "url": "https://sms.example/send", "json": { "to": "${to}", "text": "${text}" } })
    }

    fn with(key: &str, value: Value) -> Value {
        let mut settings = house();
        settings[key] = value;
        settings
    }

    #[test]
    fn the_examples_of_the_design_are_right() {
        assert_eq!(problems(house()), [""; 0]);
        assert_eq!(problems(json!({ "name": "main", "preset": "twilio", "account": "AC1", "secret": "x" })), [""; 0]);
        assert_eq!(
            problems(
                json!({ "name": "h", "method": "POST", "url": "https://sms.internal.example/send", "auth": { "bearer": "t" },
                "json": { "to": "${to}", "text": "${text}" }, "success": { "status": [200, 202] } })
            ),
            [""; 0]
        );
    }

    #[test]
    fn each_mistake_is_named_at_its_key() {
        for (settings, key, word) in [
            (with("url", json!("http://sms.example/")), "url", "https://"),
            (with("url", json!("https://${to}.example/")), "url", "host"),
            (with("url", json!("https://x/${nope}")), "url", "nope"),
            (with("url", json!("nonsense")), "url", "no URL"),
            (with("url", json!("https://169.254.169.254/")), "url", "metadata"),
            (with("form", json!({ "a": "b" })), "form", "one too many"),
            (with("query", json!({ "a": "b" })), "query", "one too many"),
            (with("json", json!(null)), "json", "is missing"),
            (with("json", json!({ "to": "${to}" })), "json", "the message nowhere"),
            (with("json", json!({ "text": "${text}" })), "json", "the number nowhere"),
            (with("json", json!({ "a": [{ "b": "${to} ${text} ${tex}" }] })), "json.a[0].b", "tex"),
            (with("json", json!({ "a": { "when_unicode": 1 } })), "json.a", "else"),
            (with("method", json!("GET")), "method", "query"),
            (with("headers", json!({ "Host": "x" })), "headers.Host", "connection"),
            (with("headers", json!({ "X-A": "a\nb" })), "headers.X-A", "character"),
            (with("headers", json!({ "a b": "a" })), "headers.a b", "header name"),
            (with("auth", json!({ "bearer": "${nope}" })), "auth.bearer", "nope"),
            (with("auth", json!({ "bearer": "${text}" })), "auth.bearer", "message"),
            (with("auth", json!({ "field": { "name": "to", "value": "x" } })), "auth.field.name", "already"),
            (with("vars", json!({ "text": "x" })), "vars.text", "already"),
            (with("timeout", json!(60_000)), "timeout", "30 s"),
            (with("connect_timeout", json!(5_000)), "connect_timeout", "shorter"),
            (with("countries", json!(["BE", "XX"])), "countries[1]", "XX"),
            (with("name", json!("")), "name", "missing"),
            (with("preset", json!("nokia")), "preset", "twilio"),
            (json!({ "name": "f", "url": "https://x/", "form": { "a": { "b": "${to}${text}" } } }), "form.a", "nested"),
            (
                json!({ "name": "t", "preset": "twilio", "account": "AC1" }),
                "auth.basic.password",
                "`secret` is not given",
            ),
        ] {
            let found = problems(settings);
            assert!(found.iter().any(|p| p.starts_with(&format!("{key} ")) && p.contains(word)), "{key}: {found:?}");
        }
    }

    #[test]
    fn all_mistakes_are_reported_at_once() {
        let found = problems(
            json!({ "url": "http://sms.example/${x}", "json": { "a": "${y}" }, "countries": ["??"], "success": { "regex": "(" } }),
        );
        for key in ["name ", "url ", "json.a ", "countries[0] ", "success.regex "] {
            assert!(found.iter().any(|p| p.starts_with(key)), "{key}: {found:?}");
        }
    }

    #[test]
    fn a_token_may_hold_any_character() {
        assert_eq!(problems(with("auth", json!({ "bearer": "a${b$c}d" }))), [""; 0]);
    }
}
