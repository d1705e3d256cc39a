//! The page a person goes on to after sign-in: always a path on the same host.
//! Everything that redirects to a place from outside goes through this type. Floor: web.

use super::canonical_path::{self, PathReading};

/// The longest that is kept; what is longer leads to `/`. Our own choice: longer URLs break in old proxies anyway.
const LONGEST: usize = 2048;

/// A path on this host, with query and fragment if it had any. Begins with one `/`, never with two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnPath(String);

impl ReturnPath {
    /// The first page of the site.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Takes `text` when it is a path on this host that is not one of our own pages, except the user's own page; else `None`.
    ///
    /// Refused are all forms that some browser or proxy takes for another host: `//`, `/\`, `/%2f`, dot segments (which can leave
    /// `//` behind), control characters plain or encoded, spaces, and everything beyond ASCII, which browsers send encoded.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|byte| matches!(byte, 0x21..=0x7e)) && !text.contains('\\');
        if text.len() > LONGEST || !visible {
            return None;
        }
        if text == super::paths::ACCOUNT {
            return Some(Self(text.to_owned()));
        }
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let lower = path.to_ascii_lowercase();
        let two_slashes = ["//", "/%2f", "/%5c"].iter().any(|start| lower.starts_with(start));
        if !path.starts_with('/') || two_slashes || has_encoded_control(&lower) || has_dot_segment(&lower) {
            return None;
        }
        match canonical_path::read(path.as_bytes()) {
            PathReading::Ours | PathReading::MightBeOurs => None,
            PathReading::Clear(_) | PathReading::Ambiguous(_) => Some(Self(text.to_owned())),
        }
    }

    /// What [`parse`](Self::parse) takes, or the first page.
    #[must_use]
    pub fn parse_or_root(text: Option<&str>) -> Self {
        text.and_then(Self::parse).unwrap_or_else(Self::root)
    }

    /// The path, fit for a `Location` header as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of the sign-in page that leads back here.
    #[must_use]
    pub fn sign_in_url(&self) -> String {
        let query =
            form_urlencoded::Serializer::new(String::new()).append_pair(super::paths::RETURN_TO, &self.0).finish();
        format!("{}?{query}", super::paths::LOGIN)
    }
}

fn has_encoded_control(lower: &str) -> bool {
    lower.as_bytes().windows(3).any(|window| matches!(window, [b'%', b'0' | b'1', _] | b"%7f"))
}

fn has_dot_segment(lower: &str) -> bool {
    let plain = lower.replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    plain.split('/').any(|segment| {
        let name = segment.split(';').next().unwrap_or_default();
        name == "." || name == ".."
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_this_host_is_kept_with_query_and_fragment() {
        for text in [
            "/",
            "/app",
            "/app/",
            "/app?x=1&y=2",
            "/app?next=https://other.example/",
            "/app#part",
            "/app?x#part",
            "/?//",
            "/a//b",
            "/files/a%2Fb",
            "/caf%C3%A9",
            "/a;b=c",
            "/?q={x}|^",
            "/.well-known/x",
            "/app?x=\"<>",
            "/a?..",
            "/:80",
        ] {
            assert_eq!(ReturnPath::parse(text).map(|path| path.0), Some(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn nothing_that_could_lead_elsewhere_is_kept() {
        let long = format!("/{}", "a".repeat(2048));
        for text in [
            "",
            " ",
            "app",
            "?x",
            "#x",
            "//e",
            "///e",
            "////e",
            "//e/..",
            "/\\e",
            "\\/e",
            "\\\\e",
            "/\\/e",
            "/%09/e",
            "/\t/e",
            "/ /e",
            " /e",
            "/%0d%0aSet-Cookie:x",
            "/\r\n/e",
            "/\n",
            "\n//e",
            "\t//e",
            "/%00",
            "/\0",
            "https:e",
            "https:/e",
            "https://e",
            "http://e",
            "HTTPS://e",
            "javascript:alert(1)",
            "data:text/html,x",
            "/.//e",
            "/..//e",
            "/./e",
            "/a/../e",
            "/a/..",
            "/%2e%2e//e",
            "/%2e//e",
            "/.%2e/e",
            "/%2f/e",
            "/%2Fe",
            "/%5ce",
            "/%5C%5Ce",
            "@e",
            "e.example",
            ":80",
            "/é",
            "/\u{2215}e",
            "/\u{ff0f}e",
            "/\u{200b}/e",
            "/\u{2000}//e",
            "/\u{7f}",
            "/%7f",
            "/%1f",
            "/..;/e",
            "/a/..%2fe",
            "/a/%2e%2e%5ce",
            "/.vestibule/login",
            "/.vestibule",
            "/.VESTIBULE/login",
            "/%2evestibule/",
            "/.vestibule%2flogin",
            "/a//.vestibule/login",
            "/.vestibule/logout?x#y",
            long.as_str(),
        ] {
            assert_eq!(ReturnPath::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_broken_one_leads_to_the_first_page() {
        assert_eq!(ReturnPath::parse_or_root(Some("//e")).as_str(), "/");
        assert_eq!(ReturnPath::parse_or_root(None).as_str(), "/");
        assert_eq!(ReturnPath::parse_or_root(Some("/x")).as_str(), "/x");
    }

    #[test]
    fn the_sign_in_page_is_told_where_to_go_on() {
        let url = ReturnPath::parse("/a?b=c&d=é#f").map(|path| path.sign_in_url());
        assert_eq!(url, None);
        let url = ReturnPath::parse("/a?b=c&d#f").map(|path| path.sign_in_url());
        assert_eq!(url.as_deref(), Some("/.vestibule/login?return_to=%2Fa%3Fb%3Dc%26d%23f"));
    }
}
