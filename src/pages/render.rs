//! A page as HTML, and as a whole answer with its status and headers.
//!
//! The templates are compiled in, escape everything they are given, and refuse names that are not there. Floor: pages.

use std::sync::LazyLock;

use bytes::Bytes;
use fluent_bundle::FluentValue;
use http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, RETRY_AFTER, VARY};
use http::{Response, StatusCode};
use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, State, UndefinedBehavior, context, escape_formatter};

use super::look::SiteLook;
use super::page::{Chrome, Page};
use super::{security_headers, texts, view};
use crate::domain::language::Language;
use crate::web::paths;

/// The page as HTML.
#[must_use]
pub fn render(page: &Page, chrome: &Chrome<'_>) -> String {
    match try_render(page, chrome) {
        Ok(html) => html,
        Err(error) => {
            // the tests render every page; what is left are mistakes of ours that no input causes
            tracing::error!(%error, "a page could not be drawn");
            format!(
                "<!doctype html><title>500</title><p>{}</p>",
                escaped(&texts::text(chrome.language, "internal-lead", &[]))
            )
        }
    }
}

/// The page as an answer, with its status and every header that pages of ours carry.
#[must_use]
pub fn answer(page: &Page, chrome: &Chrome<'_>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(render(page, chrome)));
    *response.status_mut() = page.status();
    let headers = response.headers_mut();
    security_headers::put(headers);
    if let Page::InFrame { .. } = page {
        security_headers::allow_framing(headers);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(chrome.language.tag()));
    headers.insert(VARY, HeaderValue::from_static("Accept-Language, Cookie"));
    if let Some(seconds) = page.retry_after_seconds() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if page.status() == StatusCode::UNAUTHORIZED {
        headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Vestibule"));
    }
    response
}

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(|out, state, value| match value.as_str().filter(|_| !value.is_safe()) {
        Some(text) => out.write_str(&escaped(text)).map_err(Error::from),
        None => escape_formatter(out, state, value),
    });
    environment.add_function("t", plain_text);
    environment.add_function("ts", strong_text);
    for (name, source) in [
        ("layout.html", include_str!("templates/layout.html")),
        ("login.html", include_str!("templates/login.html")),
        ("phone.html", include_str!("templates/phone.html")),
        ("code.html", include_str!("templates/code.html")),
        ("new_password.html", include_str!("templates/new_password.html")),
        ("step_up.html", include_str!("templates/step_up.html")),
        ("logout.html", include_str!("templates/logout.html")),
        ("account.html", include_str!("templates/account.html")),
        ("account_password.html", include_str!("templates/account_password.html")),
        ("account_number.html", include_str!("templates/account_number.html")),
        ("account_number_password.html", include_str!("templates/account_number_password.html")),
        ("outcome.html", include_str!("templates/outcome.html")),
        ("operators/layout.html", include_str!("templates/operators/layout.html")),
        ("operators/search.html", include_str!("templates/operators/search.html")),
        ("operators/account.html", include_str!("templates/operators/account.html")),
        ("operators/deed.html", include_str!("templates/operators/deed.html")),
        ("operators/password.html", include_str!("templates/operators/password.html")),
        ("operators/operators.html", include_str!("templates/operators/operators.html")),
        ("operators/sms.html", include_str!("templates/operators/sms.html")),
        ("operators/audit.html", include_str!("templates/operators/audit.html")),
        ("operators/two_factor.html", include_str!("templates/operators/two_factor.html")),
        ("operators/again.html", include_str!("templates/operators/again.html")),
        ("operators/message.html", include_str!("templates/operators/message.html")),
    ] {
        environment.add_template(name, source).expect("the templates are compiled in, and the tests parse them");
    }
    environment
});

fn try_render(page: &Page, chrome: &Chrome<'_>) -> Result<String, Error> {
    let view = view::view(page, *chrome);
    let site = chrome.site;
    let title = if view.problem.is_some() {
        texts::text(chrome.language, "title-error", &[("title", view.title.as_str().into())])
    } else {
        view.title.clone()
    };
    let surroundings = context! {
        language => chrome.language.tag(),
        title,
        heading => view.title,
        site => context! { name => site.name.as_str(), support => view::contact(site.support.as_ref()) },
        files => files(site),
        languages => languages(chrome),
        paths => context! {
            login => paths::LOGIN, phone => paths::PHONE, code => paths::CODE, new_password => paths::NEW_PASSWORD, resend => paths::RESEND, logout => paths::LOGOUT,
            account => paths::ACCOUNT, account_end => paths::ACCOUNT_END, account_end_others => paths::ACCOUNT_END_OTHERS,
            account_password => paths::ACCOUNT_PASSWORD,
            account_phone => paths::ACCOUNT_PHONE, account_phone_number => paths::ACCOUNT_PHONE_NUMBER,
        },
        csrf => chrome.csrf,
        reference => view.refers.then_some(chrome.request_id),
        notice => view.notice.map(|notice| context! { tone => notice.tone, text => notice.text }),
        problem => view.problem.map(|problem| context! { field => problem.field, summary => problem.summary, inline => problem.inline }),
        page => view.values,
    };
    draw(view.template, surroundings)
}

/// A template with its values.
pub(super) fn draw(template: &str, values: Value) -> Result<String, Error> {
    TEMPLATES.get_template(template)?.render(values)
}

/// Where the files of a site's pages are; `None`: nothing is served there.
pub(super) fn files(site: &SiteLook) -> Option<Value> {
    site.files.as_ref().map(|files| {
        context! {
            style => files.style.path(),
            colours => files.colours.path(),
            script => files.script.path(),
            icon => files.icon.path(),
            logo => files.logo.as_ref().map(super::assets::Asset::path),
        }
    })
}

/// The same page in each language that is offered; empty when there is nothing to choose.
fn languages(chrome: &Chrome<'_>) -> Vec<Value> {
    let Some(here) = chrome.here.filter(|_| chrome.site.languages.len() > 1) else { return Vec::new() };
    let (path, query) = here.split_once('?').unwrap_or((here, ""));
    chrome
        .site
        .languages
        .iter()
        .map(|language| {
            let query = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != LANGUAGE_FIELD))
                .append_pair(LANGUAGE_FIELD, language.tag())
                .finish();
            context! {
                tag => language.tag(),
                name => language.own_name(),
                href => format!("{path}?{query}"),
                current => *language == chrome.language,
            }
        })
        .collect()
}

/// The query parameter that chooses a language.
pub const LANGUAGE_FIELD: &str = "lang";

/// Text for an element or a quoted attribute. The library's own escape also turns `/` into `&#x2f;`, which no such place needs and which makes
/// every path in a page unreadable to scripts that look for it.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// `t("key", name=value)`: a text, escaped like any other value.
fn plain_text(state: &State<'_, '_>, key: &str, values: Kwargs) -> Result<String, Error> {
    say(state, key, &values, |value| value)
}

/// `ts("key", name=value)`: the same with the values in `<strong>`.
fn strong_text(state: &State<'_, '_>, key: &str, values: Kwargs) -> Result<Value, Error> {
    // private-use characters mark the values while the whole is escaped; they cannot come from a value, which loses its own
    const BEGIN: char = '\u{e000}';
    const END: char = '\u{e001}';
    let marked = say(state, key, &values, |value| format!("{BEGIN}{}{END}", value.replace([BEGIN, END], "")))?;
    Ok(Value::from_safe_string(escaped(&marked).replace(BEGIN, "<strong>").replace(END, "</strong>")))
}

fn say(state: &State<'_, '_>, key: &str, values: &Kwargs, of_text: impl Fn(String) -> String) -> Result<String, Error> {
    let tag = state.lookup("language").and_then(|tag| tag.as_str().map(str::to_owned)).unwrap_or_default();
    let language = Language::parse(&tag).unwrap_or(Language::En);
    let mut given: Vec<(&str, FluentValue<'_>)> = Vec::new();
    for name in values.args() {
        let value: Value = values.get(name)?;
        let value = match (value.kind(), value.as_i64()) {
            (ValueKind::Number, Some(number)) => number.into(),
            _ => of_text(value.to_string()).into(),
        };
        given.push((name, value));
    }
    Ok(texts::text(language, key, &given))
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
