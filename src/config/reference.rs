//! The complete configuration file with every default, explained: what `config reference` prints and `config/vestibule.yaml` holds. Made from what
//! the readers of the sections declare. Floor: roof.

use super::declared::{Declared, Form, Presence};

/// Columns of the explanations.
const WIDTH: usize = 110;

const HEAD: &str = "\
# Vestibule: every setting there is, with its default, explained. `vestibule config reference` prints this file.
#
# A line that begins with \"# \" explains. A line that begins with \"#\" and a word is a setting that is left out: take the \"#\" away to use it.
# What follows \"Has no default\" is an example; put in your own.
#
# Durations have a unit (ms, s, m, h, d), sizes too (B, KiB, MiB). Any single value may be written as { file: PATH } or as { env: NAME }: it is then
# read from there, without a newline at its end. This file and such values may come through a pipe that ends within ten seconds. A file with a secret must not be readable by others. Relative paths start at the folder of this file.
# `vestibule check` reports every mistake at once, `vestibule config show` what is in force.
";

/// The text of the file.
#[must_use]
pub fn reference() -> String {
    let mut page = Page { text: HEAD.to_owned() };
    for key in &super::description() {
        page.text.push('\n');
        page.key(key, 0, Shown::InUse);
    }
    page.text
}

/// Whether a setting counts or is commented out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    InUse,
    LeftOut,
}

struct Page {
    text: String,
}

impl Page {
    fn key(&mut self, key: &Declared, indent: usize, around: Shown) {
        let (example, shown, remark) = match key.presence {
            Presence::Default(text) => (text, around, ""),
            Presence::Suggested(text) => (text, around, ""),
            Presence::Required(text) => (text, around, " Has no default."),
            Presence::Choice(text) => (text, Shown::LeftOut, " Has no default: choose."),
            Presence::Optional(text) => (text, Shown::LeftOut, ""),
        };
        self.explain(&format!("{}{remark}{}", key.help, in_brackets(&key.form)), indent);
        match &key.form {
            Form::Scalar { .. } | Form::Tree { .. } => self.setting(&format!("{}: {example}", key.name), indent, shown),
            Form::List { items, .. } if items.iter().all(is_scalar) => {
                self.setting(&format!("{}: {example}", key.name), indent, shown)
            }
            Form::List { items, .. } => {
                self.setting(&format!("{}:", key.name), indent, shown);
                for item in items {
                    if let Form::Section { keys } = &item.form {
                        self.item(keys, indent + 2, shown);
                    }
                }
            }
            Form::Map { entries: keys } | Form::Section { keys } => {
                self.setting(&format!("{}:", key.name), indent, shown);
                for key in keys {
                    self.key(key, indent + 2, shown);
                }
            }
        }
    }

    /// One entry of a list; its first key, always a single value, stands beside the dash.
    fn item(&mut self, keys: &[Declared], indent: usize, shown: Shown) {
        let mut keys = keys.iter();
        if let Some(first) = keys.next() {
            let mut page = Page { text: String::new() };
            page.key(first, indent, shown);
            let mark = if shown == Shown::LeftOut { "#" } else { "" };
            let plain = format!("{:indent$}{mark}{}: ", "", first.name);
            self.text.push_str(&page.text.replacen(&plain, &format!("{:indent$}{mark}- {}: ", "", first.name), 1));
        }
        for key in keys {
            self.key(key, indent + 2, shown);
        }
    }

    fn setting(&mut self, text: &str, indent: usize, shown: Shown) {
        let mark = if shown == Shown::LeftOut { "#" } else { "" };
        self.text.push_str(&format!("{:indent$}{mark}{}\n", "", text.trim_end()));
    }

    fn explain(&mut self, text: &str, indent: usize) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && indent + line.chars().count() + word.chars().count() + 3 > WIDTH {
                self.text.push_str(&format!("{:indent$}#{line}\n", ""));
                line.clear();
            }
            line.push(' ');
            line.push_str(word);
        }
        if !line.is_empty() {
            self.text.push_str(&format!("{:indent$}#{line}\n", ""));
        }
    }
}

fn is_scalar(declared: &Declared) -> bool {
    match declared.form {
        Form::Scalar { .. } => true,
        Form::Tree { .. } | Form::List { .. } | Form::Map { .. } | Form::Section { .. } => false,
    }
}

fn in_brackets(form: &Form) -> String {
    match form {
        Form::Scalar { right, .. } => format!(" [{right}]"),
        Form::List { items, .. } => match items.first().map(|item| &item.form) {
            Some(Form::Scalar { right, .. }) => format!(" [a list; each: {right}]"),
            Some(Form::Tree { .. } | Form::List { .. } | Form::Map { .. } | Form::Section { .. }) | None => {
                String::new()
            }
        },
        Form::Tree { .. } | Form::Map { .. } | Form::Section { .. } => String::new(),
    }
}
