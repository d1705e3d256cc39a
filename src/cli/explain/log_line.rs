//! One line of an access log as nginx and Apache write it: the combined format, or the common one, which ends before the referrer.
//! What stands behind is not looked at. Reads no file. Floor: roof (pure).

use std::net::IpAddr;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogLine {
    /// `None` when the server wrote a name.
    pub(super) client: Option<IpAddr>,
    pub(super) request: LoggedRequest,
    /// What the application answered.
    pub(super) status: u16,
    /// Empty when the client sent none; `None` in the common format, which does not say.
    pub(super) user_agent: Option<String>,
}

/// What stands where the request line should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoggedRequest {
    Request {
        method: http::Method,
        /// As it came, without query.
        path: Vec<u8>,
    },
    /// `-`, TLS spoken to a plain port, HTTP/0.9, `CONNECT host`, `OPTIONS *`: nothing that has a path.
    Nothing,
}

/// Reads a line without its end; `None` when it is not in that format.
pub(super) fn read(line: &[u8]) -> Option<LogLine> {
    let time = line.iter().position(|byte| *byte == b'[')?;
    let (before, rest) = line.split_at_checked(time)?;
    let end_of_time = rest.iter().position(|byte| *byte == b']')?;
    let rest = rest.get(end_of_time + 1..)?.strip_prefix(b" ")?;
    let (request, rest) = quoted(rest)?;
    let mut fields = rest.strip_prefix(b" ")?.splitn(3, |byte| *byte == b' ');
    let status = number(fields.next()?)?;
    let _bytes = fields.next()?;
    let user_agent = fields.next().and_then(|rest| {
        let (_referrer, rest) = quoted(rest)?;
        let (agent, _) = quoted(rest.strip_prefix(b" ")?)?;
        Some(if agent == b"-" { String::new() } else { String::from_utf8_lossy(&agent).into_owned() })
    });
    Some(LogLine { client: client(before)?, request: request_in(&request), status, user_agent })
}

/// The first field; behind it in the format that begins with the virtual host. The user's name, behind both, may hold anything.
fn client(before_time: &[u8]) -> Option<Option<IpAddr>> {
    let text = std::str::from_utf8(before_time).ok()?;
    let mut fields = text.split(' ').filter(|field| !field.is_empty());
    let (first, second) = (fields.next()?, fields.next()?);
    Some(first.parse().ok().or_else(|| second.parse().ok()))
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 3)?.parse().ok()
}

/// A quoted field without quotes and escapes (`\x22`, `\"`, `\u0022`), and what is behind it.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let mut plain = Vec::with_capacity(text.len().min(256));
    let mut rest = text;
    loop {
        match rest {
            [b'"', behind @ ..] => return Some((plain, behind)),
            [b'\\', b'x', high, low, behind @ ..] => {
                plain.push(hex(&[*high, *low]).and_then(|code| u8::try_from(code).ok())?);
                rest = behind;
            }
            [b'\\', b'u', a, b, c, d, behind @ ..] => {
                let character = char::from_u32(hex(&[*a, *b, *c, *d])?).unwrap_or(char::REPLACEMENT_CHARACTER);
                plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest = behind;
            }
            [b'\\', escaped, behind @ ..] => {
                plain.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'v' => 11,
                    b'f' => 12,
                    other => *other,
                });
                rest = behind;
            }
            [byte, behind @ ..] => {
                plain.push(*byte);
                rest = behind;
            }
            [] => return None,
        }
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    u32::from_str_radix(std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?, 16).ok()
}

fn request_in(line: &[u8]) -> LoggedRequest {
    let parts = || {
        let space = line.iter().position(|byte| *byte == b' ')?;
        let last_space = line.iter().rposition(|byte| *byte == b' ')?;
        let (method, target, version) =
            (line.get(..space)?, line.get(space + 1..last_space)?, line.get(last_space + 1..)?);
        version.starts_with(b"HTTP/").then_some(())?;
        Some(LoggedRequest::Request { method: http::Method::from_bytes(method).ok()?, path: path_of(target)? })
    };
    parts().unwrap_or(LoggedRequest::Nothing)
}

/// The path of a target, also of one that is a whole URL.
fn path_of(target: &[u8]) -> Option<Vec<u8>> {
    let is_url = [b"http://".as_slice(), b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    let path_and_query = match is_url {
        None => target,
        Some(scheme) => {
            let rest = target.get(scheme.len()..)?;
            let slash = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
            let path = rest.get(slash..)?;
            if path.is_empty() { b"/" } else { path }
        }
    };
    let path = path_and_query.split(|byte| *byte == b'?').next()?;
    path.starts_with(b"/").then(|| path.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<String> {
        let LogLine { client, request, status, user_agent } = read(line.as_bytes())?;
        let client = client.map_or("name".to_owned(), |address| address.to_string());
        let request = match request {
            LoggedRequest::Request { method, path } => {
                format!("{method} {}", String::from_utf8_lossy(&path).escape_debug())
            }
            LoggedRequest::Nothing => "nothing".to_owned(),
        };
        Some(format!("{client} {request} {status} {}", user_agent.unwrap_or_default()).trim_end().to_owned())
    }

    #[test]
    fn lines_of_nginx_and_apache_are_read() {
        const TIME: &str = "[24/Nov/2026:08:00:00 +0000]";
        for (before, behind, expected) in [
            ("192.0.2.1 - -", r#""GET /a?token=x HTTP/1.1" 200 12 "-" "curl/8.0""#, "192.0.2.1 GET /a 200 curl/8.0"),
            (
                "2001:db8::1 - anna",
                r#""POST /b HTTP/2.0" 302 0 "https://x/" "Mozilla/5.0 (X11)""#,
                "2001:db8::1 POST /b 302 Mozilla/5.0 (X11)",
            ),
            ("192.0.2.1 - -", r#""GET /a HTTP/1.1" 200 12"#, "192.0.2.1 GET /a 200"),
            ("192.0.2.1 - -", r#""GET /a HTTP/1.0" 304 -"#, "192.0.2.1 GET /a 304"),
            ("192.0.2.1 - -", r#""GET /a HTTP/1.1" 200 12 "-" "-""#, "192.0.2.1 GET /a 200"),
            ("192.0.2.1 - -", r#""GET /a HTTP/1.1" 200 12 "-" "x" "198.51.100.1" 0.003"#, "192.0.2.1 GET /a 200 x"),
            (
                "192.0.2.1 - -",
                r#""GET /\x22\x5C\xC3\xA9 HTTP/1.1" 200 1 "-" "a\x22b""#,
                "192.0.2.1 GET /\\\"\\\\é 200 a\"b",
            ),
            ("192.0.2.1 - -", r#""GET /\"q\" HTTP/1.1" 200 1 "\"" "a\\b""#, "192.0.2.1 GET /\\\"q\\\" 200 a\\b"),
            ("192.0.2.1 - -", r#""GET /\u0022 HTTP/1.1" 200 1 "-" "x""#, "192.0.2.1 GET /\\\" 200 x"),
            ("192.0.2.1 - john doe", r#""GET /a HTTP/1.1" 200 1"#, "192.0.2.1 GET /a 200"),
            ("host.example.com - -", r#""GET /a HTTP/1.1" 200 1"#, "name GET /a 200"),
            ("app.example.com:443 192.0.2.1 - -", r#""GET /a HTTP/1.1" 200 1"#, "192.0.2.1 GET /a 200"),
            ("192.0.2.1 - -", r#""GET https://app.example.com/a?x HTTP/1.1" 200 1"#, "192.0.2.1 GET /a 200"),
            ("192.0.2.1 - -", r#""GET HTTP://app.example.com HTTP/1.1" 200 1"#, "192.0.2.1 GET / 200"),
            ("192.0.2.1 - -", r#""GET /a b HTTP/1.1" 400 1"#, "192.0.2.1 GET /a b 400"),
            ("192.0.2.1 - -", r#""-" 408 0"#, "192.0.2.1 nothing 408"),
            ("192.0.2.1 - -", r#""" 400 0"#, "192.0.2.1 nothing 400"),
            ("192.0.2.1 - -", r#""GET /" 400 0"#, "192.0.2.1 nothing 400"),
            ("192.0.2.1 - -", r#""\x16\x03\x01\x02\x00" 400 0"#, "192.0.2.1 nothing 400"),
            ("192.0.2.1 - -", r#""CONNECT app.example.com:443 HTTP/1.1" 405 0"#, "192.0.2.1 nothing 405"),
            ("192.0.2.1 - -", r#""OPTIONS * HTTP/1.1" 200 0"#, "192.0.2.1 nothing 200"),
            ("192.0.2.1 - -", r#""GET http://?x HTTP/1.1" 400 0"#, "192.0.2.1 nothing 400"),
        ] {
            assert_eq!(said(&format!("{before} {TIME} {behind}")).as_deref(), Some(expected), "{behind}");
        }
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "nonsense",
            "192.0.2.1 - - [x] GET / HTTP/1.1 200 1",
            "192.0.2.1 - - [x] \"GET / HTTP/1.1",
            "192.0.2.1 - - [x] \"GET / HTTP/1.1\\\" 200 1",
            "192.0.2.1 - - [x] \"GET / HTTP/1.1\"",
            "192.0.2.1 - - [x] \"GET / HTTP/1.1\" x 1",
            "192.0.2.1 - - [x] \"GET / HTTP/1.1\" 2000 1",
            "192.0.2.1 - - [x] \"GET /\\xzz HTTP/1.1\" 200 1",
            "192.0.2.1 - - [x \"GET / HTTP/1.1\" 200 1",
            "[x] \"GET / HTTP/1.1\" 200 1",
            "{\"request\":\"GET / HTTP/1.1\"}",
        ] {
            assert_eq!(said(line), None, "{line}");
        }
        assert_eq!(read(b"192.0.2.1 \xff - [x] \"GET / HTTP/1.1\" 200 1"), None);
    }
}
