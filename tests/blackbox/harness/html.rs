//! As much of HTML as a person without JavaScript needs: the forms on a page, and its text.

/// A form as it stands on a page.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) method: String,
    /// Name and value of every field, hidden ones and check boxes included, in order.
    pub(crate) fields: Vec<(String, String)>,
}

/// A start tag.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute, empty for one that stands alone.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

pub(crate) fn forms(page: &str) -> Vec<Form> {
    let mut forms = Vec::new();
    for tag in tags(page) {
        let value = |name: &str| tag.attribute(name).unwrap_or_default().to_owned();
        match tag.name.as_str() {
            "form" => forms.push(Form { action: value("action"), method: value("method"), fields: Vec::new() }),
            "input" | "select" | "textarea" | "button" => {
                let named = tag.attribute("name").is_some_and(|name| !name.is_empty());
                let pressed = matches!(tag.attribute("type"), Some("submit" | "button" | "image" | "reset"));
                if let (Some(form), true, false) = (forms.last_mut(), named, pressed || tag.name == "button") {
                    form.fields.push((value("name"), value("value")));
                }
            }
            _ => (),
        }
    }
    forms
}

/// All start tags, in order; comments, end tags and what is inside `script` and `style` are skipped.
pub(crate) fn tags(page: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
        } else if rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            let (tag, after) = read_tag(rest);
            rest = after;
            if tag.name == "script" || tag.name == "style" {
                rest = rest.split_once(&format!("</{}", tag.name)).map_or("", |(_, after)| after);
            }
            tags.push(tag);
        }
    }
    tags
}

/// What a reader sees, white space folded.
pub(crate) fn text(page: &str) -> String {
    let body = page.split_once("<body").map_or(page, |(_, body)| body);
    let mut text = String::new();
    let mut inside = false;
    for character in body.chars() {
        match character {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(character),
            _ => (),
        }
    }
    unescape(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn read_tag(source: &str) -> (Tag, &str) {
    let name_end = source.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(source.len());
    let mut tag = Tag { name: source[..name_end].to_ascii_lowercase(), attributes: Vec::new() };
    let mut rest = &source[name_end..];
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() {
            return (tag, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after);
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '>').unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = "";
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            (value, rest) = match after.chars().next() {
                Some(quote @ ('"' | '\'')) => after[1..].split_once(quote).unwrap_or((after, "")),
                _ => after.split_at(after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len())),
            };
        }
        tag.attributes.push((name, unescape(value)));
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let named = after.split_once(';').and_then(|(entity, tail)| Some((character(entity)?, tail)));
        rest = match named {
            Some((character, tail)) => {
                plain.push(character);
                tail
            }
            None => {
                plain.push('&');
                after
            }
        };
    }
    plain + rest
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => {
            let number = entity.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[test]
fn a_form_is_read_with_its_hidden_fields() {
    let page = r#"<!doctype html><body><!-- <form action="/no"> --><p class=x>Hello&nbsp;&amp; welcome</p>
        <form method="post" action="/.vestibule/login?a=1&amp;b=2">
        <input type=hidden name="csrf" value="&#x2f;abc&quot;"><input name=username value='a b' required>
        <input type="password" name="password"/><button type="submit" name="go" value="1">Sign in</button></form>
        <form action=/other><input name=code></form><script>"<form>"</script>"#;
    let forms = forms(page);
    assert_eq!(forms.len(), 2);
    assert_eq!(forms[0].action, "/.vestibule/login?a=1&b=2");
    assert_eq!(forms[0].method, "post");
    let fields: Vec<_> = forms[0].fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(fields, [("csrf", "/abc\""), ("username", "a b"), ("password", "")]);
    assert_eq!(forms[1].action, "/other");
    assert!(text(page).starts_with("Hello\u{a0}& welcome") || text(page).contains("Hello\u{a0}& welcome"));
}
