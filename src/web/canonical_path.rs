//! What the path of a request means, and whether it can mean more than one thing.
//! Rules are matched on what this returns; the path that goes upstream is the one that came in, byte for byte. Floor: web.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::paths::{PREFIX, RESERVED_SEGMENT};

/// How often percent-encoding is undone before we stop asking what is below.
const DEEPEST_ENCODING: usize = 8;

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathReading<'a> {
    /// One of our own paths, written as we write them.
    Ours,
    /// Some reader could take it for one of ours, but it is not written so. It goes nowhere.
    MightBeOurs,
    /// One meaning whoever reads it: decoded once.
    Clear(Cow<'a, str>),
    /// Readers differ about it. It must never count as public.
    Ambiguous(Ambiguous),
}

/// The two ends of what an ambiguous path can mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// Decoded once, dot segments resolved.
    pub strict: String,
    /// Decoded to the bottom, `\` as `/`, `;…` dropped, empty segments dropped, dot segments resolved.
    pub liberal: String,
}

/// Reads the path part of a request target (no query).
#[must_use]
pub fn read(raw: &[u8]) -> PathReading<'_> {
    let clear = clear_meaning(raw);
    if let Some(clear) = clear {
        return match first_segment(&clear) {
            segment if !segment.eq_ignore_ascii_case(RESERVED_SEGMENT) => PathReading::Clear(clear),
            _ if raw.starts_with(PREFIX.as_bytes()) => PathReading::Ours,
            _ => PathReading::MightBeOurs,
        };
    }
    let Some(bottom) = decoded_to_the_bottom(raw) else {
        return PathReading::MightBeOurs;
    };
    // In a path that readers differ about, our name anywhere is too near.
    if bottom.to_ascii_lowercase().contains(RESERVED_SEGMENT) {
        return PathReading::MightBeOurs;
    }
    let strict = String::from_utf8_lossy(&percent_decode(raw).collect::<Vec<u8>>()).into_owned();
    PathReading::Ambiguous(Ambiguous {
        strict: dots_resolved(strict.split('/').skip(1)),
        liberal: dots_resolved(liberal_segments(&bottom).iter().map(String::as_str)),
    })
}

/// `Some` when every reader agrees about `raw`.
fn clear_meaning(raw: &[u8]) -> Option<Cow<'_, str>> {
    let decoded = match percent_decode(raw).into() {
        Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
    };
    let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
    let broken_escape = !all_escapes_are_whole(raw);
    let encoded_twice = has_escape(decoded.as_bytes());
    let encoded_slash = slashes(raw) != slashes(decoded.as_bytes());
    if !decoded.starts_with('/') || broken_escape || encoded_twice || encoded_slash {
        return None;
    }
    if decoded.chars().any(|c| matches!(c, ';' | '\\' | '?' | '#') || c.is_control()) {
        return None;
    }
    let mut segments = decoded.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if (segment.is_empty() && !last) || segment == "." || segment == ".." {
            return None;
        }
    }
    Some(decoded)
}

fn all_escapes_are_whole(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| bytes.get(at..at + 3).is_some_and(has_escape))
}

fn has_escape(bytes: &[u8]) -> bool {
    bytes.windows(3).any(|window| matches!(window, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()))
}

/// `None` when it is encoded more often than anybody has a reason to.
fn decoded_to_the_bottom(raw: &[u8]) -> Option<String> {
    let mut bytes = raw.to_vec();
    for _ in 0..DEEPEST_ENCODING {
        if !has_escape(&bytes) {
            return Some(String::from_utf8_lossy(&bytes).into_owned());
        }
        bytes = percent_decode(&bytes).collect();
    }
    None
}

fn liberal_segments(decoded: &str) -> Vec<String> {
    decoded
        .split(['/', '\\'])
        .map(|segment| segment.split(';').next().unwrap_or_default())
        .map(|segment| segment.chars().filter(|c| !c.is_control()).collect::<String>())
        .filter(|segment| !segment.is_empty())
        .collect()
}

fn dots_resolved<'a>(segments: impl Iterator<Item = &'a str>) -> String {
    let mut kept = Vec::new();
    for segment in segments {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    format!("/{}", kept.join("/"))
}

fn first_segment(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_path_is_decoded_once() {
        for (raw, clear) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("/a%20b", "/a b"),
            ("/caf%C3%A9", "/café"),
            ("/100%25", "/100%"),
            ("/file%2etxt", "/file.txt"),
            ("/.well-known/x", "/.well-known/x"),
            ("/...", "/..."),
            ("/a/.vestibule/b", "/a/.vestibule/b"),
            ("/.vestibule2", "/.vestibule2"),
            ("/a+b,c@d:e$f!g*h'(i)=~", "/a+b,c@d:e$f!g*h'(i)=~"),
        ] {
            assert_eq!(read(raw.as_bytes()), PathReading::Clear(Cow::Borrowed(clear)), "{raw}");
        }
    }

    #[test]
    fn a_path_that_readers_differ_about_is_ambiguous() {
        for raw in [
            "//a",
            "/a//b",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/.",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a%3bb",
            "/a%00",
            "/a%0a",
            "/a/%2e%2e/b",
            "/a/.%2e/b",
            "/a/%2e/b",
            "/a%252fb",
            "/a%25%32%66b",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a%25zz%",
            "/a%3fb",
            "/a%23b",
            "/a%c0%ae",
            "/a%ff",
            "/a%7f",
        ] {
            assert!(matches!(read(raw.as_bytes()), PathReading::Ambiguous(_)), "{raw}: {:?}", read(raw.as_bytes()));
        }
        assert!(matches!(read(b"/a\xff"), PathReading::Ambiguous(_)));
    }

    #[test]
    fn an_ambiguous_path_tells_both_ends_of_its_meaning() {
        for (raw, strict, liberal) in [
            ("/public/..%2fadmin", "/admin", "/admin"),
            ("/public/..%252fadmin", "/public/..%2fadmin", "/admin"),
            ("/public/..;x/admin", "/public/..;x/admin", "/admin"),
            ("/public\\..\\admin", "/public\\..\\admin", "/admin"),
            ("//admin", "//admin", "/admin"),
            ("/a/../../b", "/b", "/b"),
        ] {
            let expected = Ambiguous { strict: strict.into(), liberal: liberal.into() };
            assert_eq!(read(raw.as_bytes()), PathReading::Ambiguous(expected), "{raw}");
        }
    }

    #[test]
    fn our_paths_are_ours_only_as_we_write_them() {
        for raw in ["/.vestibule/", "/.vestibule/login", "/.vestibule/assets/a.css"] {
            assert_eq!(read(raw.as_bytes()), PathReading::Ours, "{raw}");
        }
        for raw in [
            "/.vestibule",
            "/.Vestibule/login",
            "/%2evestibule/login",
            "/.vestibul%65/login",
            "//.vestibule/login",
            "/.vestibule%2flogin",
            "/.vestibule//login",
            "/.vestibule/../admin",
            "/a/../.vestibule/login",
            "/a/..%2f.vestibule/login",
            "/.vestibule;x/login",
            "/.vestibule\\login",
            "/%252evestibule/login",
            "/x//.vestibule/login",
            "/.vestibule/%00",
            "/.%76estibule%2f",
            "//evil/.vestibule/",
            "/.vestibule%2500",
            "/%25252525252525252525252e",
            "/./.vestibule/",
            "/.vestibule/%2e%2e/x",
        ] {
            assert_eq!(read(raw.as_bytes()), PathReading::MightBeOurs, "{raw}");
        }
    }
}
