//! YAML text → a tree of plain values, with limits on size and depth and a clear word for what YAML lets pass. The only
//! file that reads YAML. Floor: roof.

use serde_json::{Map, Number, Value};

use super::problem::Problem;

/// Largest configuration file (our own figure: the complete reference has about 30 KiB).
pub(super) const MOST_BYTES: u64 = 1024 * 1024;
/// Deepest nesting (our own figure: the reference needs ten).
const MOST_DEPTH: usize = 32;

/// The tree of one YAML document, mappings in the order of the file.
///
/// # Errors
/// Not YAML, a key given twice, more than one document, too deep, a tag, or a key that is no text: all that was found.
pub(super) fn parse(text: &str) -> Result<Value, Vec<Problem>> {
    if text.len() as u64 > MOST_BYTES {
        return Err(vec![Problem::of_file("the file is larger than 1 MiB", "a smaller file")]);
    }
    let tree = serde_yaml::from_str(text).map_err(|error| vec![unreadable(&error)])?;
    let mut problems = Vec::new();
    let value = plain(tree, "", 0, &mut problems);
    if problems.is_empty() { Ok(value) } else { Err(problems) }
}

/// A value written in our own code.
pub(super) fn literal(text: &str) -> Value {
    parse(text).expect("a literal of ours is YAML: the test of the reference reads them all")
}

/// YAML of a tree.
pub(super) fn write(value: &Value) -> String {
    serde_yaml::to_string(value).expect("a tree of plain values can be written as YAML")
}

fn unreadable(error: &serde_yaml::Error) -> Problem {
    let place = error.location().map_or(String::new(), |at| format!(" in line {}, column {}", at.line(), at.column()));
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    if words.contains("duplicate entry") {
        let key = words.split('"').nth(1).unwrap_or("?");
        return Problem::of_file(format!("the key `{key}` is given twice{place}"), "each key once in its section");
    }
    if words.contains("more than one document") {
        return Problem::of_file("the file holds more than one document (a line `---`)", "one document");
    }
    let tip = if words.contains("found character that cannot start any token") {
        "indent with blanks, not tabs, and put text that begins with a special character in quotes"
    } else {
        "YAML: `key: value`, sections indented with blanks, text with special characters in quotes"
    };
    Problem::of_file(format!("not readable as YAML{place}: {words}"), tip)
}

fn plain(value: serde_yaml::Value, path: &str, depth: usize, problems: &mut Vec<Problem>) -> Value {
    let mut refuse = |wrong: &str, right: &str| {
        problems.push(Problem { key: path.to_owned(), wrong: wrong.to_owned(), right: right.to_owned() });
        Value::Null
    };
    if depth > MOST_DEPTH {
        return refuse("is nested too deep", "at most 32 levels");
    }
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(flag) => Value::Bool(flag),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Number(number) => match number_of(&number) {
            Some(number) => Value::Number(number),
            None => refuse("is no finite number", "a number with digits, or text in quotes"),
        },
        serde_yaml::Value::Tagged(_) => refuse("has a YAML tag (`!…`)", "a plain value"),
        serde_yaml::Value::Sequence(items) => Value::Array(
            items
                .into_iter()
                .enumerate()
                .map(|(index, item)| plain(item, &format!("{path}[{index}]"), depth + 1, problems))
                .collect(),
        ),
        serde_yaml::Value::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let serde_yaml::Value::String(key) = key else {
                    let shown = serde_yaml::to_string(&key).unwrap_or_default();
                    problems.push(Problem {
                        key: path.to_owned(),
                        wrong: format!("has the key `{}`, which YAML does not read as text", shown.trim()),
                        right: "a key that is a word, or stands in quotes".to_owned(),
                    });
                    continue;
                };
                let value = plain(value, &join(path, &key), depth + 1, problems);
                map.insert(key, value);
            }
            Value::Object(map)
        }
    }
}

/// The path of a key below a path.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn number_of(number: &serde_yaml::Number) -> Option<Number> {
    (number.as_u64().map(Number::from))
        .or_else(|| number.as_i64().map(Number::from))
        .or_else(|| Number::from_f64(number.as_f64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_wrong(text: &str) -> String {
        parse(text).unwrap_err().remove(0).wrong
    }

    #[test]
    fn a_key_given_twice_is_named_with_its_line() {
        let wrong = first_wrong("log:\n  level: info\n  level: debug\n");
        assert!(wrong.contains("`level` is given twice") && wrong.contains("line"), "{wrong}");
    }

    #[test]
    fn what_is_no_plain_yaml_is_refused() {
        assert!(first_wrong("a: [").contains("not readable as YAML in line"));
        assert!(first_wrong("a: 1\n---\nb: 2\n").contains("more than one document"));
        assert!(first_wrong("a: !secret x").contains("tag"));
        assert!(first_wrong("8080: x").contains("`8080`"));
        assert!(first_wrong("a: .inf").contains("finite"));
        assert!(first_wrong(&format!("a: {}1{}", "[".repeat(40), "]".repeat(40))).contains("too deep"));
        assert!(first_wrong(&"#".repeat(2 * 1024 * 1024)).contains("1 MiB"));
        let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f]\n";
        assert!(first_wrong(laughs).contains("not readable"));
    }
}
