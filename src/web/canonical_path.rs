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

/// What an ambiguous path can mean to one reader or another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// The least tolerant reader's (decoded once, dot segments resolved) is the first; each is there once.
    pub readings: Vec<String>,
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
    let Some(levels) = decoded_to_the_bottom(raw) else {
        return PathReading::MightBeOurs;
    };
    let bottom = levels.last().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
    // In a path that readers differ about, our name anywhere is too near.
    let mut readings = Vec::new();
    for level in &levels {
        add_readings(level, &mut readings);
    }
    let is_near = |reading: &String| reading.to_ascii_lowercase().contains(RESERVED_SEGMENT);
    if is_near(&bottom) || readings.iter().any(is_near) {
        return PathReading::MightBeOurs;
    }
    PathReading::Ambiguous(Ambiguous { readings })
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

/// Decoded once, twice and so on; `None` when it is encoded more often than anybody has a reason to.
fn decoded_to_the_bottom(raw: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut levels = Vec::new();
    let mut bytes = raw.to_vec();
    for _ in 0..DEEPEST_ENCODING {
        let is_bottom = !has_escape(&bytes);
        if !is_bottom || levels.is_empty() {
            bytes = percent_decode(&bytes).collect();
            levels.push(bytes.clone());
        }
        if is_bottom {
            return Some(levels);
        }
    }
    None
}

/// What readers may make of bytes that they have decoded: each may stop at a NUL, `?` or `#`, take overlong UTF-8 (RFC 3629 §10) and `%uXXXX` for
/// what it stands for, skip what is no UTF-8, take `\` for `/`, and drop `;…`, control characters and empty segments.
fn add_readings(decoded: &[u8], readings: &mut Vec<String>) {
    let plain = String::from_utf8_lossy(decoded).into_owned();
    let lenient = lenient_text(decoded);
    let skipping: String = plain.chars().filter(|c| *c != char::REPLACEMENT_CHARACTER).collect();
    for text in [plain, lenient, skipping] {
        let ends: [&[char]; 4] = [&[], &['?', '#'], &['\0'], &['?', '#', '\0']];
        for end in ends {
            let text = text.split(end).next().unwrap_or_default();
            add(dots_resolved(text.split('/').skip(1)), readings);
            add(dots_resolved(liberal_segments(text).iter().map(String::as_str)), readings);
        }
    }
}

/// With the folder beside the file where one reader sees the one and another the other.
fn add((path, is_folder): (String, bool), readings: &mut Vec<String>) {
    let folder = (is_folder && !path.ends_with('/')).then(|| format!("{path}/"));
    for reading in [Some(path), folder].into_iter().flatten() {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
}

/// Overlong sequences and `%uXXXX` as the characters they stand for, everything else that is no UTF-8 left out.
fn lenient_text(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    while let Some((&first, behind)) = rest.split_first() {
        let (length, bits) = match first {
            b'%' if matches!(rest.get(1), Some(b'u' | b'U')) => {
                let hex = rest.get(2..6).and_then(|hex| std::str::from_utf8(hex).ok());
                if let Some(character) = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32)
                {
                    text.push(character);
                    rest = rest.get(6..).unwrap_or_default();
                    continue;
                }
                (0, u32::from(first))
            }
            0..=0x7f => (0, u32::from(first)),
            0xc0..=0xdf => (1, u32::from(first & 0x1f)),
            0xe0..=0xef => (2, u32::from(first & 0x0f)),
            0xf0..=0xf7 => (3, u32::from(first & 0x07)),
            _ => {
                rest = behind;
                continue;
            }
        };
        let following = behind.get(..length).filter(|bytes| bytes.iter().all(|byte| byte & 0xc0 == 0x80));
        let whole = following.map(|bytes| bytes.iter().fold(bits, |bits, byte| (bits << 6) | u32::from(byte & 0x3f)));
        text.extend(whole.and_then(char::from_u32));
        rest = if whole.is_some() { behind.get(length..).unwrap_or_default() } else { behind };
    }
    text
}

fn liberal_segments(decoded: &str) -> Vec<String> {
    let mut segments: Vec<String> = decoded
        .split(['/', '\\'])
        .map(|segment| segment.split(';').next().unwrap_or_default())
        .map(|segment| segment.chars().filter(|c| !c.is_control()).collect())
        .collect();
    let is_folder = segments.last().is_some_and(String::is_empty);
    segments.retain(|segment| !segment.is_empty());
    if is_folder {
        segments.push(String::new());
    }
    segments
}

/// Without dot segments (RFC 3986 §5.2.4), and whether it is a folder's.
fn dots_resolved<'a>(segments: impl Iterator<Item = &'a str>) -> (String, bool) {
    let mut kept = Vec::new();
    let mut is_folder = false;
    for segment in segments {
        is_folder = matches!(segment, "" | "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name),
        }
    }
    if kept.last() == Some(&"") && is_folder {
        kept.pop();
    }
    (format!("/{}", kept.join("/")), is_folder)
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
    fn an_ambiguous_path_has_every_meaning_that_a_reader_may_give_it() {
        for (raw, meanings) in [
            ("/public/..%2fadmin", &["/admin"][..]),
            ("/public/..%252fadmin", &["/public/..%2fadmin", "/admin"]),
            ("/public/..;x/admin", &["/public/..;x/admin", "/admin"]),
            ("/public\\..\\admin", &["/public\\..\\admin", "/admin"]),
            ("//admin", &["//admin", "/admin"]),
            ("/a/../../b", &["/b"]),
            ("/admin%3f", &["/admin?", "/admin"]),
            ("/admin%3fx/../../b", &["/b", "/admin"]),
            ("/admin%23x", &["/admin#x", "/admin"]),
            ("/admin%00", &["/admin\0", "/admin"]),
            ("/admin%00.png", &["/admin\0.png", "/admin.png", "/admin"]),
            ("/adm%00in", &["/adm\0in", "/admin", "/adm"]),
            ("/%2561dmin", &["/%61dmin", "/admin"]),
            ("/admin%253fx", &["/admin%3fx", "/admin?x", "/admin"]),
            ("/x/%c0%ae%c0%ae/admin", &["/admin"]),
            ("/x%c0%af..%c0%afadmin", &["/admin"]),
            ("/x%e0%80%af..%f0%80%80%afadmin", &["/admin"]),
            ("/%c1%a1dmin", &["/admin"]),
            ("/admin%ff", &["/admin\u{fffd}", "/admin"]),
            ("/adm%80in", &["/admin"]),
            ("/%u0061dmin", &["/%u0061dmin", "/admin"]),
            ("//admin/", &["/admin/"]),
            ("/admin/.", &["/admin", "/admin/"]),
            ("/admin/%00", &["/admin/\0", "/admin/"]),
            ("/admin/x%2f..", &["/admin", "/admin/"]),
        ] {
            let PathReading::Ambiguous(ambiguous) = read(raw.as_bytes()) else { panic!("{raw} is clear") };
            for meaning in meanings {
                assert!(
                    ambiguous.readings.iter().any(|reading| reading == meaning),
                    "{raw}: {meaning:?} in {ambiguous:?}"
                );
            }
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
            "/%c0%aevestibule/login",
            "/.vestib%00ule/login",
            "/.vestib%ffule/login",
            "/%u002evestibule/login",
            "/%25252525252525252525252e",
            "/./.vestibule/",
            "/.vestibule/%2e%2e/x",
        ] {
            assert_eq!(read(raw.as_bytes()), PathReading::MightBeOurs, "{raw}");
        }
    }
}
