//! The head of a request, read strictly: one host, one length, one target, sizes within limits.
//! Nothing is repaired; what is not clear is refused with 400. What only the bytes of an HTTP/1 head show, `connection::head_reader` has
//! refused before. Who may do what is `classify`'s. Floor: edge (pure).

use http::header::{CONTENT_LENGTH, COOKIE, EXPECT, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Method, StatusCode, Uri, Version};

use super::settings::RequestLimits;
use crate::web::origin::Scheme;

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
    /// Bytes that readers differ about: a bare CR or LF, a control character, a folded line, a space before the colon.
    Bytes,
    /// The request line is not three words, or the first is no method.
    RequestLine,
    /// Neither HTTP/1.0 nor HTTP/1.1.
    Version,
    /// The method `CONNECT`, whose target is no path: nobody gets a tunnel here.
    Connect,
    /// `Expect` other than `100-continue`.
    Expectation,
    /// It has begun, and not ended in time.
    TooSlow,
    /// The head has too many bytes or fields.
    TooLarge,
    /// The target has too many bytes.
    TargetTooLong,
    /// There are too many connections; nothing is wrong with the head.
    NoRoom,
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
            | Self::Bytes
            | Self::RequestLine => StatusCode::BAD_REQUEST,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Connect => StatusCode::METHOD_NOT_ALLOWED,
            Self::Expectation => StatusCode::EXPECTATION_FAILED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
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
            Self::RequestLine => "bad_request_line",
            Self::Version => "version_not_supported",
            Self::Connect => "method_not_allowed",
            Self::Expectation => "unknown_expectation",
            Self::TooSlow => "head_too_slow",
            Self::TooLarge => "head_too_large",
            Self::TargetTooLong => "target_too_long",
            Self::NoRoom => "too_many_connections",
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
}

/// Reads a head.
///
/// # Errors
/// With the first mistake found.
pub fn read<'a>(source: &HeadSource<'a>, limits: &RequestLimits) -> Result<RequestHead<'a>, HeadMistake> {
    check_sizes(source, limits)?;
    check_names(source.headers)?;
    check_length(source)?;
    check_target(source.target)?;
    let Target { origin, path, query } = split_target(source.target)?;
    let host = host_of(source, origin.map(|(_, authority)| authority))?;
    Ok(RequestHead { method: source.method, path, query, host, headers: source.headers })
}

fn check_sizes(source: &HeadSource<'_>, limits: &RequestLimits) -> Result<(), HeadMistake> {
    if source.target.len() > limits.target_bytes {
        return Err(HeadMistake::TargetTooLong);
    }
    let fields: usize = source.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    // In HTTP/2 each cookie may come as a field of its own (RFC 9113 §8.2.3); together they are the one that they are in HTTP/1.
    let crumbs = match source.version {
        Version::HTTP_2 => source.headers.get_all(COOKIE).iter().count().saturating_sub(1),
        _ => 0,
    };
    if fields + source.target.len() > limits.head_bytes || source.headers.len() - crumbs > limits.fields {
        return Err(HeadMistake::TooLarge);
    }
    Ok(())
}

/// What HTTP/1 heads are checked for on the wire already.
fn check_names(headers: &HeaderMap) -> Result<(), HeadMistake> {
    for name in headers.keys() {
        let bytes = name.as_str().as_bytes();
        match bytes.len() {
            14 if is_like(bytes, b"content-length") && *name != CONTENT_LENGTH => {
                return Err(HeadMistake::ContentLength);
            }
            17 if is_like(bytes, b"transfer-encoding") && *name != TRANSFER_ENCODING => {
                return Err(HeadMistake::TransferEncoding);
            }
            _ => {}
        }
    }
    headers.get_all(EXPECT).iter().try_for_each(|value| check_expectation(value.as_bytes()))
}

/// Whether some reader takes `name` for this one: CGI and its like see no difference between signs.
pub(super) fn is_like(name: &[u8], lower_name: &[u8]) -> bool {
    let fold = |byte: &u8| if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' };
    name.iter().map(fold).eq(lower_name.iter().copied())
}

/// The value of `Expect`.
///
/// # Errors
/// When it is anything but `100-continue`: nothing else was ever defined (RFC 9110 §10.1.1).
pub(super) fn check_expectation(value: &[u8]) -> Result<(), HeadMistake> {
    if value.eq_ignore_ascii_case(b"100-continue") { Ok(()) } else { Err(HeadMistake::Expectation) }
}

fn check_length(source: &HeadSource<'_>) -> Result<(), HeadMistake> {
    let mut lengths = source.headers.get_all(CONTENT_LENGTH).iter();
    let first = lengths.next();
    if let Some(value) = first {
        length(value.as_bytes())?;
    }
    if lengths.next().is_some() {
        return Err(HeadMistake::ContentLength);
    }
    let mut encodings = source.headers.get_all(TRANSFER_ENCODING).iter();
    let encoding = encodings.next();
    let chunked = |bytes: &[u8]| bytes.eq_ignore_ascii_case(b"chunked");
    if encodings.next().is_some() || encoding.is_some_and(|value| !chunked(value.as_bytes())) {
        return Err(HeadMistake::TransferEncoding);
    }
    if encoding.is_some() && first.is_some() {
        return Err(HeadMistake::TwoLengths);
    }
    if encoding.is_some() && source.version != Version::HTTP_11 {
        return Err(HeadMistake::TransferEncoding);
    }
    Ok(())
}

/// The value of `Content-Length`: digits and nothing else, not more than any body has.
///
/// # Errors
/// When it is anything else.
pub(super) fn length(value: &[u8]) -> Result<u64, HeadMistake> {
    const MOST_DIGITS: usize = 18;
    if value.is_empty() || value.len() > MOST_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return Err(HeadMistake::ContentLength);
    }
    Ok(value.iter().fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}

/// Looks at the characters of a target. Some of those that RFC 3986 has no room for are sent by browsers all the same (`|`, `{`, `^`) and are
/// passed on; the others are mended in different ways by different readers, and a fragment is no part of a target (RFC 9112 §3.2).
///
/// # Errors
/// When there is one that no reader should have to mend.
pub(super) fn check_target(target: &[u8]) -> Result<(), HeadMistake> {
    let is_clear = |byte: &u8| matches!(byte, 0x21..=0x7e) && !matches!(byte, b'"' | b'<' | b'>' | b'#');
    if target.iter().all(is_clear) { Ok(()) } else { Err(HeadMistake::Target) }
}

/// A request target in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Scheme and authority of an absolute one. Whether the authority is a host, `check_host` tells.
    pub(super) origin: Option<(Scheme, &'a [u8])>,
    /// Begins with `/`.
    pub(super) path: &'a [u8],
    /// What stands behind `?`, if there is one.
    pub(super) query: Option<&'a [u8]>,
}

/// Takes a target apart that `check_target` has looked at.
///
/// # Errors
/// When it is neither a path nor a URL.
pub(super) fn split_target(target: &[u8]) -> Result<Target<'_>, HeadMistake> {
    let (origin, path_and_query) = if target.starts_with(b"/") { (None, target) } else { split_url(target)? };
    let mut parts = path_and_query.splitn(2, |byte| *byte == b'?');
    Ok(Target { origin, path: parts.next().unwrap_or_default(), query: parts.next() })
}

/// The scheme, and host and port as they are written.
type Origin<'a> = (Scheme, &'a [u8]);

/// The origin of a URL, and its path with its query.
fn split_url(url: &[u8]) -> Result<(Option<Origin<'_>>, &[u8]), HeadMistake> {
    let (scheme, start) = [(Scheme::Http, b"http://".as_slice()), (Scheme::Https, b"https://")]
        .into_iter()
        .find(|(_, start)| url.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start)))
        .ok_or(HeadMistake::Target)?;
    let rest = url.get(start.len()..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match path.first() {
        Some(b'/') => Ok((Some((scheme, authority)), path)),
        None => Ok((Some((scheme, authority)), b"/")),
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
        (Some(value), _) => value.as_bytes(),
        (None, Some(authority)) if source.version == Version::HTTP_2 => authority.as_str().as_bytes(),
        (None, _) => return Err(HeadMistake::Host),
    };
    let host = check_host(host)?;
    let differs = |other: &[u8]| !other.eq_ignore_ascii_case(host.as_bytes());
    let parsed_authority = source.uri.authority().map(|authority| authority.as_str().as_bytes());
    if target_authority.is_some_and(differs) || parsed_authority.is_some_and(differs) {
        return Err(HeadMistake::HostDiffers);
    }
    Ok(host)
}

/// A host as `Host` may give it: one, with a port or without, and nobody's name in front (RFC 9110 §7.2). Which hosts there are is asked later.
///
/// # Errors
/// When it is anything else.
pub(super) fn check_host(value: &[u8]) -> Result<&str, HeadMistake> {
    let is_clear = |byte: &u8| matches!(byte, 0x21..=0x7e) && !b"@/?#\\,\"<>".contains(byte);
    if value.is_empty() || !value.iter().all(is_clear) {
        return Err(HeadMistake::Host);
    }
    std::str::from_utf8(value).map_err(|_| HeadMistake::Host)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Path, query and host.
    type Read = (Vec<u8>, Option<Vec<u8>>, String);

    /// Reads a head as pingora hands it over: parsed.
    fn read_parsed(method: &str, target: &str, version: Version, fields: &[(&str, &str)]) -> Result<Read, HeadMistake> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let source = HeadSource {
            method: &Method::from_bytes(method.as_bytes()).unwrap(),
            uri: &target.parse().unwrap_or_default(),
            target: target.as_bytes(),
            version,
            headers: &headers,
        };
        read(&source, &RequestLimits::default())
            .map(|head| (head.path.to_vec(), head.query.map(<[u8]>::to_vec), head.host.to_owned()))
    }

    #[test]
    fn a_plain_head_is_read_as_it_is() {
        for (target, host, path, query) in [
            ("/a?b=c", "h", "/a", Some("b=c")),
            ("/a%2Fb?x?y", "h:81", "/a%2Fb", Some("x?y")),
            ("http://h/a", "h", "/a", None),
            ("HTTP://H", "h", "/", None),
            ("/a|{b}^c", "h", "/a|{b}^c", None),
        ] {
            let expected = (path.as_bytes().to_vec(), query.map(|query| query.as_bytes().to_vec()), host.to_owned());
            assert_eq!(read_parsed("GET", target, Version::HTTP_11, &[("host", host)]), Ok(expected), "{target}");
        }
        for field in [("content-length", "3"), ("transfer-encoding", "Chunked")] {
            assert!(read_parsed("POST", "/", Version::HTTP_11, &[("host", "h"), field]).is_ok(), "{field:?}");
        }
    }

    #[test]
    fn a_head_that_readers_differ_about_is_refused() {
        let host = ("host", "h");
        for (target, version, fields, mistake) in [
            ("/", Version::HTTP_11, &[] as &[(&str, &str)], HeadMistake::Host),
            ("/", Version::HTTP_11, &[("host", "")], HeadMistake::Host),
            ("/", Version::HTTP_11, &[host, host], HeadMistake::Host),
            ("/", Version::HTTP_11, &[("host", "u@h")], HeadMistake::Host),
            ("/", Version::HTTP_11, &[("host", "h, h")], HeadMistake::Host),
            ("http://other/", Version::HTTP_11, &[host], HeadMistake::HostDiffers),
            ("http://h\\x/", Version::HTTP_11, &[host], HeadMistake::Target),
            ("ftp://h/", Version::HTTP_11, &[host], HeadMistake::Target),
            ("*", Version::HTTP_11, &[host], HeadMistake::Target),
            ("a", Version::HTTP_11, &[host], HeadMistake::Target),
            ("/a#b", Version::HTTP_11, &[host], HeadMistake::Target),
            ("/a\"b", Version::HTTP_2, &[host], HeadMistake::Target),
            (
                "/",
                Version::HTTP_11,
                &[host, ("content-length", "3"), ("content-length", "3")],
                HeadMistake::ContentLength,
            ),
            ("/", Version::HTTP_2, &[host, ("content-length", "3, 3")], HeadMistake::ContentLength),
            ("/", Version::HTTP_2, &[host, ("content_length", "0")], HeadMistake::ContentLength),
            ("/", Version::HTTP_2, &[host, ("transfer_encoding", "chunked")], HeadMistake::TransferEncoding),
            ("/", Version::HTTP_2, &[host, ("expect", "200-maybe")], HeadMistake::Expectation),
            ("/", Version::HTTP_11, &[host, ("content-length", "+3")], HeadMistake::ContentLength),
            ("/", Version::HTTP_11, &[host, ("transfer-encoding", "gzip, chunked")], HeadMistake::TransferEncoding),
            ("/", Version::HTTP_10, &[host, ("transfer-encoding", "chunked")], HeadMistake::TransferEncoding),
            (
                "/",
                Version::HTTP_11,
                &[host, ("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
                HeadMistake::TransferEncoding,
            ),
            (
                "/",
                Version::HTTP_11,
                &[host, ("content-length", "3"), ("transfer-encoding", "chunked")],
                HeadMistake::TwoLengths,
            ),
        ] {
            assert_eq!(read_parsed("POST", target, version, fields), Err(mistake), "{target} {fields:?}");
        }
    }

    #[test]
    fn a_head_beyond_its_limits_is_refused() {
        let read = |target: &str, fields: &[(&str, &str)]| {
            read_parsed("GET", target, Version::HTTP_2, &[&[("host", "h")], fields].concat())
        };
        assert_eq!(read(&format!("/{}", "a".repeat(8192)), &[]), Err(HeadMistake::TargetTooLong));
        assert_eq!(read("/", &[("a", &"a".repeat(32 * 1024))]), Err(HeadMistake::TooLarge));
        assert_eq!(read("/", &[("a", "b"); 100]), Err(HeadMistake::TooLarge));
    }

    #[test]
    fn the_crumbs_of_a_cookie_are_one_field_in_http_2() {
        let read_with = |name: &'static str, version| {
            let headers: HeaderMap =
                (0..150).map(|number| (http::HeaderName::from_static(name), http::HeaderValue::from(number))).collect();
            let uri = Uri::from_static("https://h/");
            let source = HeadSource { method: &Method::GET, uri: &uri, target: b"/", version, headers: &headers };
            read(&source, &RequestLimits::default()).map(|head| head.host.to_owned())
        };
        assert_eq!(read_with("cookie", Version::HTTP_2), Ok("h".to_owned()));
        assert_eq!(read_with("cookie", Version::HTTP_11), Err(HeadMistake::TooLarge));
        assert_eq!(read_with("x-other", Version::HTTP_2), Err(HeadMistake::TooLarge));
    }
}
