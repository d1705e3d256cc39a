//! Reads the head of an HTTP/1 request as it is on the wire, line by line as the bytes come, and refuses what readers differ about
//! (RFC 9112 §2.2, §3, §5.1, §5.2, §6.1, §6.3). Repairs nothing but one empty line in front, which RFC 9112 §2.2 asks to overlook.
//! What needs no bytes, only the parsed head, is checked in `head`, for HTTP/2 as well. Floor: edge (pure).

use std::ops::Range;

use crate::gateway::head::{self, HeadMistake};
use crate::gateway::settings::RequestLimits;

/// Longest request line without its target: a method of ours, two spaces, a version, and room for the methods that we refuse.
const LINE_WITHOUT_TARGET: usize = 64;

/// Where a reading stands. A new one for each head.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadReader {
    /// Everything before was looked for line ends.
    scanned: usize,
    /// Where the line that is being read begins.
    line_start: usize,
    /// Where the request line begins; not zero when an empty line stands in front.
    start: usize,
    line: Option<RequestLine>,
    fields: usize,
    host: Option<Range<usize>>,
    length: Option<u64>,
    is_chunked: bool,
}

/// The request line.
#[derive(Clone, Debug)]
struct RequestLine {
    target: Range<usize>,
    is_http_11: bool,
}

/// A whole head without mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeadEnd {
    /// Where its request line begins.
    pub(super) start: usize,
    /// Where the body begins.
    pub(super) end: usize,
    body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    None,
    Bytes(u64),
    Chunks,
}

impl HeadEnd {
    /// Whether no other request may follow on this connection, when so many bytes came along behind the head: because they are more than the
    /// request's body, or because readers differ about where its chunks end (a line feed in an extension, what a trailer may hold).
    pub(super) fn is_last(&self, bytes: usize) -> bool {
        match self.body {
            Body::None => bytes > 0,
            Body::Bytes(length) => u64::try_from(bytes).is_ok_and(|bytes| bytes > length),
            Body::Chunks => true,
        }
    }
}

impl HeadReader {
    /// Goes on reading; `bytes` is all that has come so far. `None` when the head is not complete.
    ///
    /// # Errors
    /// With the first mistake, as soon as it can be seen.
    pub(super) fn read_on(&mut self, bytes: &[u8], limits: &RequestLimits) -> Result<Option<HeadEnd>, HeadMistake> {
        while let Some(length) = bytes.get(self.scanned..).and_then(|rest| rest.iter().position(|b| *b == b'\n')) {
            let line_feed = self.scanned + length;
            let line = bytes.get(self.line_start..line_feed).and_then(|line| line.strip_suffix(b"\r"));
            let line = line.ok_or(HeadMistake::Bytes)?;
            let at = self.line_start;
            (self.scanned, self.line_start) = (line_feed + 1, line_feed + 1);
            match (&self.line, line) {
                (None, b"") if at == 0 => self.start = self.line_start,
                (None, line) => self.line = Some(request_line(line, at, limits)?),
                (Some(_), b"") => return self.end(bytes, limits).map(Some),
                (Some(_), line) => self.field(line, at, limits)?,
            }
            if self.line_start > limits.head_bytes {
                return Err(HeadMistake::TooLarge);
            }
        }
        self.scanned = bytes.len();
        let begun = bytes.get(self.line_start..).unwrap_or_default();
        match &self.line {
            // What begins otherwise never becomes a request: TLS on a plain port, for one.
            None if begun.first().is_some_and(|byte| !is_token(*byte) && *byte != b'\r') => {
                Err(HeadMistake::RequestLine)
            }
            None if begun.len() > limits.target_bytes + LINE_WITHOUT_TARGET => Err(HeadMistake::TargetTooLong),
            Some(_) if bytes.len() > limits.head_bytes => Err(HeadMistake::TooLarge),
            None | Some(_) => Ok(None),
        }
    }

    fn field(&mut self, line: &[u8], at: usize, limits: &RequestLimits) -> Result<(), HeadMistake> {
        self.fields += 1;
        if self.fields > limits.fields {
            return Err(HeadMistake::TooLarge);
        }
        let colon = line.iter().position(|byte| *byte == b':').ok_or(HeadMistake::Bytes)?;
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default();
        // A space before the colon and a folded line among it.
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Err(HeadMistake::Bytes);
        }
        if value.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
            return Err(HeadMistake::Bytes);
        }
        let value = value.trim_ascii();
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host(line, value, at),
            14 if head::is_like(name, b"content-length") => self.content_length(name, value),
            17 if head::is_like(name, b"transfer-encoding") => self.transfer_encoding(name, value),
            6 if name.eq_ignore_ascii_case(b"expect") => head::check_expectation(value),
            _ => Ok(()),
        }
    }

    fn host(&mut self, line: &[u8], value: &[u8], at: usize) -> Result<(), HeadMistake> {
        head::check_host(value)?;
        // The value has no blank inside, so its length tells where it stands.
        let end = at + line.trim_ascii_end().len();
        match self.host.replace(end - value.len()..end) {
            None => Ok(()),
            Some(_) => Err(HeadMistake::Host),
        }
    }

    fn content_length(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeadMistake> {
        if !name.eq_ignore_ascii_case(b"content-length") || self.length.is_some() {
            return Err(HeadMistake::ContentLength);
        }
        self.length = Some(head::length(value)?);
        Ok(())
    }

    fn transfer_encoding(&mut self, name: &[u8], value: &[u8]) -> Result<(), HeadMistake> {
        let is_http_11 = self.line.as_ref().is_some_and(|line| line.is_http_11);
        let is_first = !std::mem::replace(&mut self.is_chunked, true);
        let is_clear = name.eq_ignore_ascii_case(b"transfer-encoding") && value.eq_ignore_ascii_case(b"chunked");
        if is_http_11 && is_first && is_clear { Ok(()) } else { Err(HeadMistake::TransferEncoding) }
    }

    fn end(&self, bytes: &[u8], limits: &RequestLimits) -> Result<HeadEnd, HeadMistake> {
        if self.line_start > limits.head_bytes {
            return Err(HeadMistake::TooLarge);
        }
        let of = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        let target = head::split_target(self.line.as_ref().map(|line| of(&line.target)).unwrap_or_default())?;
        let host = self.host.as_ref().map(of).ok_or(HeadMistake::Host)?;
        if target.origin.is_some_and(|(_, authority)| !authority.eq_ignore_ascii_case(host)) {
            return Err(HeadMistake::HostDiffers);
        }
        let body = match (self.length, self.is_chunked) {
            (Some(_), true) => return Err(HeadMistake::TwoLengths),
            (None, true) => Body::Chunks,
            (Some(length), false) if length > 0 => Body::Bytes(length),
            (Some(_) | None, false) => Body::None,
        };
        Ok(HeadEnd { start: self.start, end: self.line_start, body })
    }
}

/// `at` is where the line begins.
fn request_line(line: &[u8], at: usize, limits: &RequestLimits) -> Result<RequestLine, HeadMistake> {
    let mut parts = line.split(|byte| *byte == b' ');
    let (method, target, version) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    if method.is_empty() || !method.iter().all(|byte| is_token(*byte)) {
        return Err(HeadMistake::RequestLine);
    }
    let (Some(target), Some(version), None) = (target, version, parts.next()) else {
        return Err(if line.len() > limits.target_bytes + LINE_WITHOUT_TARGET {
            HeadMistake::TargetTooLong
        } else {
            HeadMistake::RequestLine
        });
    };
    let is_http_11 = match version {
        b"HTTP/1.1" => true,
        b"HTTP/1.0" => false,
        _ if is_version(version) => return Err(HeadMistake::Version),
        _ => return Err(HeadMistake::RequestLine),
    };
    if target.len() > limits.target_bytes {
        return Err(HeadMistake::TargetTooLong);
    }
    if method == b"CONNECT" {
        return Err(HeadMistake::Connect);
    }
    head::check_target(target)?;
    let start = at + method.len() + 1;
    Ok(RequestLine { target: start..start + target.len(), is_http_11 })
}

fn is_version(bytes: &[u8]) -> bool {
    matches!(bytes, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &[u8]) -> Result<Option<HeadEnd>, HeadMistake> {
        HeadReader::default().read_on(head, &RequestLimits::default())
    }

    /// Byte by byte, and in two pieces split anywhere: it must not matter.
    fn read_in_pieces(head: &[u8]) -> Result<Option<HeadEnd>, HeadMistake> {
        let whole = read(head);
        let limits = RequestLimits::default();
        let outcome = |ends: &mut dyn Iterator<Item = usize>| {
            let mut reader = HeadReader::default();
            ends.map(|end| reader.read_on(&head[..end], &limits))
                .find(|outcome| *outcome != Ok(None))
                .unwrap_or(Ok(None))
        };
        assert_eq!(outcome(&mut (1..=head.len())), whole, "byte by byte: {:?}", head.escape_ascii().to_string());
        for split in 1..head.len() {
            let split_here = outcome(&mut [split, head.len()].into_iter());
            assert_eq!(split_here, whole, "split at {split}: {:?}", head.escape_ascii().to_string());
        }
        whole
    }

    #[test]
    fn a_clear_head_ends_at_its_empty_line() {
        for (head, rest, is_last) in [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "", false),
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET", true),
            ("GET /a?b=c HTTP/1.0\r\nhost:h:80\r\nA:\r\nB: \t x\ty \u{e4}\r\n\r\n", "", false),
            ("get http://H/a|b HTTP/1.1\r\nHost:  h \r\n\r\n", "", false),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n", "abc", false),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n", "abcG", true),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 003\r\n\r\n", "a", false),
            (
                "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n",
                "0\r\n\r\n",
                true,
            ),
        ] {
            let end = read_in_pieces(head.as_bytes()).unwrap().unwrap();
            assert_eq!((end.start, end.end), (0, head.len()), "{head:?}");
            let all = read(&[head.as_bytes(), rest.as_bytes()].concat()).unwrap().unwrap();
            assert_eq!(all, end, "{head:?}");
            assert_eq!(all.is_last(rest.len()), is_last, "{head:?} {rest:?}");
        }
    }

    #[test]
    fn one_empty_line_in_front_is_overlooked_and_no_more() {
        let end = read_in_pieces(b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n").unwrap().unwrap();
        assert_eq!((end.start, end.end), (2, 29));
        assert_eq!(read_in_pieces(b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), Err(HeadMistake::RequestLine));
        assert_eq!(read_in_pieces(b"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), Err(HeadMistake::Bytes));
    }

    #[test]
    fn what_readers_differ_about_is_refused() {
        use HeadMistake as No;
        let host = "GET / HTTP/1.1\r\nHost: h\r\n";
        let post = "POST / HTTP/1.1\r\nHost: h\r\n";
        for (head, mistake) in [
            // the request line
            ("GET /\r\n".to_owned(), No::RequestLine),
            ("GET\r\n".to_owned(), No::RequestLine),
            ("GET  / HTTP/1.1\r\n".to_owned(), No::RequestLine),
            ("GET / HTTP/1.1 \r\n".to_owned(), No::RequestLine),
            ("GET /a b HTTP/1.1\r\n".to_owned(), No::RequestLine),
            ("GET\t/\tHTTP/1.1\r\n".to_owned(), No::RequestLine),
            (" GET / HTTP/1.1\r\n".to_owned(), No::RequestLine),
            ("G(T / HTTP/1.1\r\n".to_owned(), No::RequestLine),
            ("GET / http/1.1\r\n".to_owned(), No::RequestLine),
            ("GET / HTTP/1.10\r\n".to_owned(), No::RequestLine),
            ("GET / HTTP/1.2\r\n".to_owned(), No::Version),
            ("GET / HTTP/0.9\r\n".to_owned(), No::Version),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), No::Version),
            ("CONNECT h:80 HTTP/1.1\r\n".to_owned(), No::Connect),
            ("\x16\x03\x01\x02\x00\x01".to_owned(), No::RequestLine),
            // the target
            ("GET /a\"b HTTP/1.1\r\n".to_owned(), No::Target),
            ("GET /<b> HTTP/1.1\r\n".to_owned(), No::Target),
            ("GET /a#b HTTP/1.1\r\n".to_owned(), No::Target),
            ("GET /a\x7f HTTP/1.1\r\n".to_owned(), No::Target),
            ("GET /a\tb HTTP/1.1\r\n".to_owned(), No::Target),
            ("GET /a\0 HTTP/1.1\r\n".to_owned(), No::Target),
            ("GET /\u{e4} HTTP/1.1\r\n".to_owned(), No::Target),
            ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), No::Target),
            ("GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), No::Target),
            ("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), No::Target),
            ("GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), No::HostDiffers),
            ("GET http://x/ HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), No::HostDiffers),
            ("GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), No::HostDiffers),
            // line ends and fields
            ("GET / HTTP/1.1\n".to_owned(), No::Bytes),
            ("GET / HTTP/1.1\r\nHost: h\n".to_owned(), No::Bytes),
            ("GET / HTTP/1.1\r\nHost: h\r\n\n".to_owned(), No::Bytes),
            ("GET / HTTP/1.1\r\r\n".to_owned(), No::RequestLine),
            (format!("{host}A: b\rc\r\n"), No::Bytes),
            (format!("{host}A: b\0c\r\n"), No::Bytes),
            (format!("{host}A: b\x0bc\r\n"), No::Bytes),
            (format!("{host}A: b\x7fc\r\n"), No::Bytes),
            (format!("{host}A: b\r\n c: d\r\n"), No::Bytes),
            (format!("{host}A: b\r\n\tc\r\n"), No::Bytes),
            (format!("{host}A : b\r\n"), No::Bytes),
            (format!("{host}A\t: b\r\n"), No::Bytes),
            (format!("{host}A b: c\r\n"), No::Bytes),
            (format!("{host}\u{e4}: c\r\n"), No::Bytes),
            (format!("{host}: b\r\n"), No::Bytes),
            (format!("{host}no colon\r\n"), No::Bytes),
            // the host
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), No::Host),
            ("GET / HTTP/1.0\r\n\r\n".to_owned(), No::Host),
            ("GET / HTTP/1.1\r\nHost:\r\n".to_owned(), No::Host),
            ("GET / HTTP/1.1\r\nHost: a b\r\n".to_owned(), No::Host),
            ("GET / HTTP/1.1\r\nHost: u@h\r\n".to_owned(), No::Host),
            ("GET / HTTP/1.1\r\nHost: h/x\r\n".to_owned(), No::Host),
            (format!("{host}Host: h\r\n"), No::Host),
            (format!("{host}hOST: h\r\n"), No::Host),
            // the length
            (format!("{post}Content-Length: 3\r\nContent-Length: 3\r\n"), No::ContentLength),
            (format!("{post}Content-Length: 3\r\ncontent-length: 4\r\n"), No::ContentLength),
            (format!("{post}Content-Length: 3, 3\r\n"), No::ContentLength),
            (format!("{post}Content-Length: +3\r\n"), No::ContentLength),
            (format!("{post}Content-Length: -3\r\n"), No::ContentLength),
            (format!("{post}Content-Length: 0x3\r\n"), No::ContentLength),
            (format!("{post}Content-Length: 3 3\r\n"), No::ContentLength),
            (format!("{post}Content-Length:\r\n"), No::ContentLength),
            (format!("{post}Content-Length: 99999999999999999999\r\n"), No::ContentLength),
            (format!("{post}Content_Length: 3\r\n"), No::ContentLength),
            (format!("{post}Transfer-Encoding: gzip, chunked\r\n"), No::TransferEncoding),
            (format!("{post}Transfer-Encoding: chunked, chunked\r\n"), No::TransferEncoding),
            (format!("{post}Transfer-Encoding: identity\r\n"), No::TransferEncoding),
            (format!("{post}Transfer-Encoding: chunked;x=y\r\n"), No::TransferEncoding),
            (format!("{post}Transfer-Encoding: \"chunked\"\r\n"), No::TransferEncoding),
            (format!("{post}Transfer-Encoding:\r\n"), No::TransferEncoding),
            (format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), No::TransferEncoding),
            (format!("{post}Transfer_Encoding: chunked\r\n"), No::TransferEncoding),
            (format!("{post}Transfer-Encoding: \x0bchunked\r\n"), No::Bytes),
            ("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n".to_owned(), No::TransferEncoding),
            (format!("{post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"), No::TwoLengths),
            (format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"), No::TwoLengths),
            (format!("{post}Expect: 200-maybe\r\n"), No::Expectation),
            (format!("{post}Expect:\r\n"), No::Expectation),
        ] {
            assert_eq!(read_in_pieces(head.as_bytes()), Err(mistake), "{head:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_refused_before_it_is_complete() {
        let limits = RequestLimits { head_bytes: 1000, fields: 5, target_bytes: 100, ..RequestLimits::default() };
        let read = |head: &str| HeadReader::default().read_on(head.as_bytes(), &limits).map(|end| end.is_some());
        let target = |bytes: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(bytes - 1));
        assert_eq!(read(&target(100)), Ok(true));
        assert_eq!(read(&target(101)), Err(HeadMistake::TargetTooLong));
        assert_eq!(read(&"a".repeat(165)), Err(HeadMistake::TargetTooLong));
        let fields = |fields: usize| format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(fields - 1));
        assert_eq!(read(&fields(5)), Ok(true));
        assert_eq!(read(&fields(6)), Err(HeadMistake::TooLarge));
        let head = |bytes: usize| {
            let start = "GET / HTTP/1.1\r\nHost: h\r\nA: ";
            format!("{start}{}\r\n\r\n", "a".repeat(bytes - start.len() - 4))
        };
        assert_eq!((head(1000).len(), read(&head(1000))), (1000, Ok(true)));
        assert_eq!(read(&head(1001)), Err(HeadMistake::TooLarge));
        assert_eq!(read(&head(2000)[..1001]), Err(HeadMistake::TooLarge));
        assert_eq!(read(&head(2000)[..1000]), Ok(false));
    }
}
