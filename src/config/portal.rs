//! `sites[].portal`: how the sign-in pages of a site present themselves. Floor: roof.

use std::path::Path;

use url::Url;

use crate::domain::language::Language;

use super::node::Node;

/// How this site's sign-in pages present themselves.
#[derive(Clone, Debug)]
pub struct Portal {
    /// The application's name for people; the site's `name` when the operator gave none.
    pub name: String,
    /// At least one; the first is used when the browser asks for none of them.
    pub languages: Vec<Language>,
    /// Whom to ask, as shown: an address, a number, a sentence.
    pub support: Option<String>,
    /// Where the application itself helps with a forgotten password.
    pub password_help: Option<Url>,
    /// Dark enough for white text on it (4.5:1, WCAG 2.2 1.4.3).
    pub accent: Option<Colour>,
    pub logo: Option<Logo>,
}

/// A colour of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
}

/// A picture for the top of the pages, read at start.
#[derive(Clone)]
pub struct Logo {
    pub format: LogoFormat,
    /// At most 256 KiB.
    pub bytes: Vec<u8>,
}

/// What the picture is, told by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoFormat {
    Png,
    Svg,
}

impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logo({:?}, {} bytes)", self.format, self.bytes.len())
    }
}

/// Largest logo: it is sent with the first page that anybody sees (our own figure).
const MOST_LOGO_BYTES: u64 = 256 * 1024;

pub(super) fn read(node: &Node<'_>, site_name: &str) -> Portal {
    let logo = node
        .key("logo", "A picture for the top of the pages: PNG or SVG, at most 256 KiB.")
        .path()
        .maybe("/etc/vestibule/logo.svg");
    Portal {
        name: node
            .key(
                "name",
                "The application's name as people know it: on the pages and in the SMS. Left out: the site's name.",
            )
            .text(40)
            .suggested("Acme Marketing")
            .unwrap_or_else(|| site_name.to_owned()),
        languages: node
            .key("languages", "Offered on the pages; the first is for browsers that ask for none of them.")
            .list(1, Language::ALL.len(), |slot| slot.language().required("en"))
            .or("[en, nl, fr, de]"),
        support: node
            .key("support", "Whom to ask, on every page: an e-mail address, a phone number or a sentence.")
            .text(200)
            .maybe("helpdesk@example.com"),
        password_help: node
            .key("password_help", "Where somebody goes who has forgotten the password.")
            .url(&["https", "http"])
            .maybe("\"https://intranet.example.com/password\""),
        accent: node
            .key("accent", "The colour of buttons and links, dark enough for white text on it.")
            .text(7)
            .parsed("a colour such as \"#1f4e8c\", in quotes, with a contrast of at least 4.5 to white", colour)
            .maybe("\"#1f4e8c\""),
        logo: logo.and_then(|path| read_logo(node, &path)),
    }
}

fn colour(text: String) -> Result<Colour, String> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let mut rgb = [0; 3];
    digits
        .and_then(|digits| hex::decode_to_slice(digits, &mut rgb).ok())
        .ok_or_else(|| format!("{text:?} is no colour of the form #rrggbb"))?;
    let [red, green, blue] = rgb;
    let colour = Colour { red, green, blue };
    let contrast = colour.contrast_to_white();
    if contrast < 4.5 {
        return Err(format!("white text on {text} has a contrast of only {contrast:.1}"));
    }
    Ok(colour)
}

impl Colour {
    /// From 1 (white) to 21 (black); WCAG 2.2, "contrast ratio".
    fn contrast_to_white(self) -> f64 {
        let linear = |byte: u8| {
            let part = f64::from(byte) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = 0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue);
        1.05 / (luminance + 0.05)
    }
}

fn read_logo(node: &Node<'_>, path: &Path) -> Option<Logo> {
    let content = node.content("logo", path, MOST_LOGO_BYTES)?;
    match logo_format(&content.bytes) {
        Some(format) => Some(Logo { format, bytes: content.bytes.to_vec() }),
        None => {
            node.refuse("logo", &[], format!("{} is neither PNG nor SVG", path.display()), "a PNG or SVG picture");
            None
        }
    }
}

fn logo_format(bytes: &[u8]) -> Option<LogoFormat> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some(LogoFormat::Png);
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
    let is_svg = text.starts_with("<svg") || (text.starts_with(['<']) && text.contains("<svg"));
    is_svg.then_some(LogoFormat::Svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accent_is_dark_enough_for_white_text() {
        assert_eq!(colour("#1f4e8c".into()), Ok(Colour { red: 0x1f, green: 0x4e, blue: 0x8c }));
        assert!(colour("#767676".into()).is_ok(), "4.54, the lightest grey of WCAG");
        for text in ["#777777", "#ffcc00", "#fff", "1f4e8c", "blue", "#12345g"] {
            assert!(colour(text.into()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_logo_is_what_it_is_and_not_what_it_is_called() {
        assert_eq!(logo_format(b"\x89PNG\r\n\x1a\n..."), Some(LogoFormat::Png));
        assert_eq!(logo_format(b"<?xml version=\"1.0\"?>\n<svg/>"), Some(LogoFormat::Svg));
        assert_eq!(logo_format(b"<html>"), None);
        assert_eq!(logo_format(b"GIF89a"), None);
    }
}
