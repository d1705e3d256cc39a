//! The head of a request, read strictly: one host, one length, one target, sizes within limits.
//! Nothing is repaired; what is not clear is refused with 400. Who may do what is `classify`'s. Floor: edge (pure).

use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Uri, Version};

use super::settings::RequestLimits;

/// What the rest of the gateway looks at.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// As it came; may be one we refuse.
    pub method: &'a Method,
    /// The path as it came, byte for byte; begins with `/`.
    pub path: &'a [u8],
    /// What stands behind `?`, if there is one.
    pub query: Option<&'a [u8]>,
    /// The host that is asked for, with its port if one was given.
    pub host: &'a str,
    /// All fields.
    pub headers: &'a HeaderMap,
}

impl RequestHead<'_> {
    /// Path and query as they came.
    #[must_use]
    pub fn target(&self) -> Vec<u8> {
        let mut target = self.path.to_vec();
        if let Some(query) = self.query {
            target.push(b'?');
            target.extend_from_slice(query);
        }
        target
    }
}

/// What is wrong with a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadMistake {
    /// No `Host`, two, or one that is not text.
    Host,
    /// The target names another host than `Host` does.
    HostDiffers,
    /// The target is no path and no URL.
    Target,
    /// `Content-Length` twice, as a list, or not a number.
    ContentLength,
    /// `Transfer-Encoding` other than `chunked`, or twice.
    TransferEncoding,
    /// Both lengths.
    TwoLengths,
    /// Bytes that readers differ about: a bare CR or LF, NUL, a folded line, a space before the colon.
    Bytes,
    /// The head has too many bytes or fields.
    TooLarge,
    /// The target has too many bytes.
    TargetTooLong,
}

impl HeadMistake {
    /// What is answered.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Host
            | Self::HostDiffers
            | Self::Target
            | Self::ContentLength
            | Self::TransferEncoding
            | Self::TwoLengths
            | Self::Bytes => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
        }
    }

    /// The stable word for log and answer.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Host => "bad_host",
            Self::HostDiffers => "host_differs_from_target",
            Self::Target => "bad_target",
            Self::ContentLength => "bad_content_length",
            Self::TransferEncoding => "bad_transfer_encoding",
            Self::TwoLengths => "two_lengths",
            Self::Bytes => "bad_bytes_in_head",
            Self::TooLarge => "head_too_large",
            Self::TargetTooLong => "target_too_long",
        }
    }
}

/// What a head is read from.
#[derive(Clone, Copy, Debug)]
pub struct HeadSource<'a> {
    /// As parsed.
    pub method: &'a Method,
    /// As parsed.
    pub uri: &'a Uri,
    /// The request target as it came; for HTTP/2 its `:path`.
    pub target: &'a [u8],
    /// As parsed.
    pub version: Version,
    /// As parsed.
    pub headers: &'a HeaderMap,
    /// The bytes of an HTTP/1 head; `None` for HTTP/2, where the framing has no such bytes.
    pub bytes: Option<&'a [u8]>,
}

/// Reads a head.
///
/// # Errors
/// With the first mistake found.
pub fn read<'a>(source: &HeadSource<'a>, limits: &RequestLimits) -> Result<RequestHead<'a>, HeadMistake> {
    check_sizes(source, limits)?;
    if let Some(bytes) = source.bytes {
        check_bytes(bytes)?;
    }
    check_length(source)?;
    let (authority, path_and_query) = split_target(source)?;
    let host = host_of(source, authority)?;
    let mut parts = path_and_query.splitn(2, |byte| *byte == b'?');
    let path = parts.next().unwrap_or_default();
    if !path.starts_with(b"/") {
        return Err(HeadMistake::Target);
    }
    Ok(RequestHead { method: source.method, path, query: parts.next(), host, headers: source.headers })
}

fn check_sizes(source: &HeadSource<'_>, limits: &RequestLimits) -> Result<(), HeadMistake> {
    if source.target.len() > limits.target_bytes {
        return Err(HeadMistake::TargetTooLong);
    }
    let fields: usize = source.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let bytes = source.bytes.map_or(fields + source.target.len(), <[u8]>::len);
    if bytes > limits.head_bytes || source.headers.len() > limits.fields {
        return Err(HeadMistake::TooLarge);
    }
    Ok(())
}

/// Looks at the bytes themselves, because the parser below is more lenient than the parsers of some upstreams (RFC 9112 §2.2, §5.1, §5.2).
fn check_bytes(head: &[u8]) -> Result<(), HeadMistake> {
    let mut lines = head.split(|byte| *byte == b'\n').peekable();
    let mut first = true;
    while let Some(line) = lines.next() {
        if lines.peek().is_none() {
            // What stands behind the last line feed: nothing.
            return if line.is_empty() { Ok(()) } else { Err(HeadMistake::Bytes) };
        }
        let Some(line) = line.strip_suffix(b"\r") else {
            return Err(HeadMistake::Bytes);
        };
        if line.iter().any(|byte| matches!(byte, b'\r' | 0)) {
            return Err(HeadMistake::Bytes);
        }
        if !first && !line.is_empty() {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
            if name.len() == line.len() || name.is_empty() || name.iter().any(|byte| matches!(byte, b' ' | b'\t')) {
                return Err(HeadMistake::Bytes);
            }
        }
        first = false;
    }
    Ok(())
}

fn check_length(source: &HeadSource<'_>) -> Result<(), HeadMistake> {
    let mut lengths = source.headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    let plain_number = |bytes: &[u8]| !bytes.is_empty() && bytes.len() <= 18 && bytes.iter().all(u8::is_ascii_digit);
    if lengths.next().is_some() || length.is_some_and(|value| !plain_number(value.as_bytes())) {
        return Err(HeadMistake::ContentLength);
    }
    let mut encodings = source.headers.get_all(TRANSFER_ENCODING).iter();
    let encoding = encodings.next();
    let chunked = |bytes: &[u8]| bytes.eq_ignore_ascii_case(b"chunked");
    if encodings.next().is_some() || encoding.is_some_and(|value| !chunked(value.as_bytes())) {
        return Err(HeadMistake::TransferEncoding);
    }
    // pingora has taken the field out of the map when both were there; the bytes still have it.
    let length_in_bytes = source.bytes.is_some_and(|bytes| has_field(bytes, b"content-length"));
    if encoding.is_some() && (length.is_some() || length_in_bytes) {
        return Err(HeadMistake::TwoLengths);
    }
    if encoding.is_some() && source.version != Version::HTTP_11 {
        return Err(HeadMistake::TransferEncoding);
    }
    Ok(())
}

fn has_field(head: &[u8], lower_name: &[u8]) -> bool {
    head.split(|byte| *byte == b'\n')
        .skip(1)
        .any(|line| line.split(|byte| *byte == b':').next().is_some_and(|name| name.eq_ignore_ascii_case(lower_name)))
}

/// The authority of an absolute target, if it is one, and the path with its query.
fn split_target<'a>(source: &HeadSource<'a>) -> Result<(Option<&'a [u8]>, &'a [u8]), HeadMistake> {
    let target = source.target;
    if target.starts_with(b"/") {
        return Ok((None, target));
    }
    let scheme = [b"http://".as_slice(), b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
        .ok_or(HeadMistake::Target)?;
    let rest = target.get(scheme.len()..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match path.first() {
        Some(b'/') => Ok((Some(authority), path)),
        None => Ok((Some(authority), b"/")),
        Some(_) => Err(HeadMistake::Target),
    }
}

fn host_of<'a>(source: &HeadSource<'a>, target_authority: Option<&[u8]>) -> Result<&'a str, HeadMistake> {
    let mut fields = source.headers.get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(HeadMistake::Host);
    }
    // HTTP/2 has the host in `:authority` and the field may be missing.
    let host = match (field, source.uri.authority()) {
        (Some(value), _) => std::str::from_utf8(value.as_bytes()).map_err(|_| HeadMistake::Host)?,
        (None, Some(authority)) if source.version == Version::HTTP_2 => authority.as_str(),
        (None, _) => return Err(HeadMistake::Host),
    };
    if host.is_empty() || host.contains('@') || !host.bytes().all(|byte| matches!(byte, 0x21..=0x7e)) {
        return Err(HeadMistake::Host);
    }
    let differs = |other: &[u8]| !other.eq_ignore_ascii_case(host.as_bytes());
    let parsed_authority = source.uri.authority().map(|authority| authority.as_str().as_bytes());
    if target_authority.is_some_and(differs) || parsed_authority.is_some_and(differs) {
        return Err(HeadMistake::HostDiffers);
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path, query and host.
    type Read = (Vec<u8>, Option<Vec<u8>>, String);

    /// Reads an HTTP/1 head as pingora hands it over: parsed, and with its bytes.
    fn read_text(text: &str) -> Result<Read, HeadMistake> {
        let mut lines = text.split("\r\n");
        let request_line: Vec<&str> = lines.next().unwrap().split(' ').collect();
        let mut headers = HeaderMap::new();
        for line in lines.filter(|line| !line.is_empty()) {
            if let Some((name, value)) = line.split_once(':')
                && let Ok(name) = http::HeaderName::from_bytes(name.trim().as_bytes())
                && let Ok(value) = http::HeaderValue::from_str(value.trim())
            {
                headers.append(name, value);
            }
        }
        if headers.contains_key(TRANSFER_ENCODING) {
            headers.remove(CONTENT_LENGTH);
        }
        let method = Method::from_bytes(request_line[0].as_bytes()).unwrap();
        let uri: Uri = request_line[1].parse().unwrap_or_default();
        let version = if request_line[2] == "HTTP/1.0" { Version::HTTP_10 } else { Version::HTTP_11 };
        let source = HeadSource {
            method: &method,
            uri: &uri,
            target: request_line[1].as_bytes(),
            version,
            headers: &headers,
            bytes: Some(text.as_bytes()),
        };
        read(&source, &RequestLimits::default())
            .map(|head| (head.path.to_vec(), head.query.map(<[u8]>::to_vec), head.host.to_owned()))
    }

    #[test]
    fn a_plain_head_is_read_as_it_is() {
        for (text, path, query, host) in [
            ("GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n", "/a", Some("b=c"), "h"),
            ("GET /a%2Fb?x?y HTTP/1.1\r\nHost: h:81\r\nA: b: c\r\n\r\n", "/a%2Fb", Some("x?y"), "h:81"),
            ("GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", "/a", None, "h"),
            ("GET HTTP://H HTTP/1.1\r\nHost: h\r\n\r\n", "/", None, "h"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n", "/", None, "h"),
            ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n", "/", None, "h"),
        ] {
            let expected = (path.as_bytes().to_vec(), query.map(|query| query.as_bytes().to_vec()), host.to_owned());
            assert_eq!(read_text(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn a_head_that_readers_differ_about_is_refused() {
        for (text, mistake) in [
            ("GET / HTTP/1.1\r\n\r\n", HeadMistake::Host),
            ("GET / HTTP/1.1\r\nHost:\r\n\r\n", HeadMistake::Host),
            ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", HeadMistake::Host),
            ("GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", HeadMistake::Host),
            ("GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", HeadMistake::HostDiffers),
            ("GET http://h\\x/ HTTP/1.1\r\nHost: h\r\n\r\n", HeadMistake::Target),
            ("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", HeadMistake::Target),
            ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", HeadMistake::Target),
            ("GET a HTTP/1.1\r\nHost: h\r\n\r\n", HeadMistake::Target),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
                HeadMistake::ContentLength,
            ),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\n", HeadMistake::ContentLength),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\n", HeadMistake::ContentLength),
            ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HeadMistake::TransferEncoding),
            ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", HeadMistake::TransferEncoding),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                HeadMistake::TransferEncoding,
            ),
            ("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", HeadMistake::TransferEncoding),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nContent-length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                HeadMistake::TwoLengths,
            ),
            ("GET / HTTP/1.1\nHost: h\r\n\r\n", HeadMistake::Bytes),
            ("GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", HeadMistake::Bytes),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", HeadMistake::Bytes),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: b\0\r\n\r\n", HeadMistake::Bytes),
            ("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", HeadMistake::Bytes),
            ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", HeadMistake::Bytes),
            ("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", HeadMistake::Bytes),
        ] {
            assert_eq!(read_text(text), Err(mistake), "{text:?}");
        }
    }

    #[test]
    fn a_head_beyond_its_limits_is_refused() {
        let long_target = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(8192));
        assert_eq!(read_text(&long_target), Err(HeadMistake::TargetTooLong));
        let large = format!("GET / HTTP/1.1\r\nHost: h\r\nA: {}\r\n\r\n", "a".repeat(32 * 1024));
        assert_eq!(read_text(&large), Err(HeadMistake::TooLarge));
        let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(100));
        assert_eq!(read_text(&many), Err(HeadMistake::TooLarge));
    }
}
