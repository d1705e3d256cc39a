//! Whether a request that failed may be tried again: only where it certainly was not executed, once, and not long after it came
//! (security X50, X53, X54). And what an answer must not be to be passed on (X55, X56). Floor: edge (pure).

use std::time::Duration;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Method, StatusCode, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::{Error, ErrorSource, ErrorType, Result};

use super::websocket;

/// How old a request may be when it is tried again. Our own choice: longer than `timeouts.connect` by default, shorter than a person waits.
const LONGEST: Duration = Duration::from_secs(10);
/// Bytes of the head of an answer. Our own choice: twice what requests may have.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// Answers that are only on the way to one (1xx), for one request. Our own choice: applications send one or two.
const MOST_INFORMATIONAL: u8 = 16;

/// A request that failed after it was connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) method: &'a Method,
    /// Whether the connection had been used before.
    pub(super) connection: Connection,
    /// Whether anything of an answer was passed on, 1xx included.
    pub(super) answer: AnswerSoFar,
    /// Whether all of the body that was read is still here.
    pub(super) body: BodySoFar,
    /// Since the request came.
    pub(super) age: Duration,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// An answer to it.
    AnAnswer,
    /// Another protocol on its connection (RFC 9110 §7.8).
    AnUpgrade,
}

impl Asked {
    /// What `request` is for.
    pub(super) fn by(request: &RequestHeader) -> Self {
        if websocket::is_passed_on(request) { Self::AnUpgrade } else { Self::AnAnswer }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    New,
    Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerSoFar {
    None,
    Begun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodySoFar {
    Kept,
    Gone,
}

/// Whether a request that could not be connected is young enough for another server.
pub(super) fn is_young(age: Duration) -> bool {
    age < LONGEST
}

/// Whether this is what happens when a server closes a kept connection while a request is on its way: not a byte of an answer came.
pub(super) fn was_closed_before(error: &Error, attempt: Attempt<'_>) -> bool {
    // pingora tells how far it had come in words alone; when they change, nothing is tried again, and a test says so
    let said = error.context.as_ref().map_or("", |context| context.as_str());
    let came_to_nothing = match error.etype() {
        ErrorType::ConnectionClosed | ErrorType::ReadError => said.ends_with("bytes already read: 0"),
        ErrorType::WriteError => said.contains("request header"),
        _ => false,
    };
    *error.esource() == ErrorSource::Upstream
        && came_to_nothing
        && attempt.connection == Connection::Kept
        && attempt.answer == AnswerSoFar::None
}

/// Whether it may be sent again. A method that is not safe never is: the server may have executed it before it closed.
pub(super) fn may_try_again(error: &Error, attempt: Attempt<'_>) -> bool {
    let is_safe = matches!(*attempt.method, Method::GET | Method::HEAD | Method::OPTIONS);
    is_safe && attempt.body == BodySoFar::Kept && is_young(attempt.age) && was_closed_before(error, attempt)
}

/// Looks at each head that comes from a server, before anything else does. `informational` counts for one request.
///
/// # Errors
/// When it is not to be passed on. The connection is not used again.
pub(super) fn check_answer(head: &ResponseHeader, asked: Asked, informational: &mut u8) -> Result<()> {
    const SEPARATORS: usize = 4;
    let bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS).sum();
    if bytes > MOST_HEAD_BYTES {
        return Err(Error::explain(ErrorType::InvalidHTTPHeader, "the head of the answer is too large").into_up());
    }
    let changes_protocol = head.status == StatusCode::SWITCHING_PROTOCOLS;
    if changes_protocol && !(asked == Asked::AnUpgrade && websocket::is_opened_by(head)) {
        return Err(Error::explain(ErrorType::InvalidHTTPHeader, "another protocol, which nobody asked for").into_up());
    }
    if let Some(why) = unclear_frame(head) {
        return Err(Error::explain(ErrorType::InvalidHTTPHeader, why).into_up());
    }
    if head.status.is_informational() {
        *informational = informational.saturating_add(1);
        if *informational > MOST_INFORMATIONAL {
            return Err(Error::explain(ErrorType::InvalidHTTPHeader, "too many informational answers").into_up());
        }
    }
    Ok(())
}

/// Why readers may differ about where an answer ends, or what it is (RFC 9112 §6.3, RFC 9110 §15); `None`: they do not.
fn unclear_frame(head: &ResponseHeader) -> Option<&'static str> {
    let mut lengths = head.headers.get_all(CONTENT_LENGTH).iter();
    let is_list = lengths.next().is_some_and(|length| length.as_bytes().contains(&b','));
    let mut encodings = head.headers.get_all(TRANSFER_ENCODING).iter();
    let encoding = encodings.next();
    let is_chunked = encoding.is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if is_list || lengths.next().is_some() {
        Some("two lengths")
    } else if encoding.is_some() && (!is_chunked || encodings.next().is_some()) {
        Some("a transfer encoding other than chunked")
    } else if encoding.is_some() && head.version == Version::HTTP_10 {
        Some("chunks in HTTP/1.0")
    } else if head.status.as_u16() >= 600 {
        Some("a status that there is not")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSED: &str = "while reading response headers, bytes already read: 0";

    fn error(etype: ErrorType, said: &'static str) -> Box<Error> {
        Error::explain(etype, said).into_up()
    }

    fn attempt(method: &Method) -> Attempt<'_> {
        Attempt {
            method,
            connection: Connection::Kept,
            answer: AnswerSoFar::None,
            body: BodySoFar::Kept,
            age: Duration::ZERO,
        }
    }

    #[test]
    fn only_a_safe_request_on_a_kept_connection_that_gave_nothing_is_sent_again() {
        let closed = error(ErrorType::ConnectionClosed, CLOSED);
        let get = attempt(&Method::GET);
        assert!(may_try_again(&closed, get));
        assert!(may_try_again(&error(ErrorType::WriteError, "while writing request headers"), get));
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            assert!(!may_try_again(&closed, attempt(&method)), "{method}");
        }
        for not in [
            Attempt { connection: Connection::New, ..get },
            Attempt { answer: AnswerSoFar::Begun, ..get },
            Attempt { body: BodySoFar::Gone, ..get },
            Attempt { age: LONGEST, ..get },
        ] {
            assert!(!may_try_again(&closed, not), "{not:?}");
        }
        for not in [
            error(ErrorType::ConnectionClosed, "while reading response headers, bytes already read: 10"),
            error(ErrorType::ReadTimedout, CLOSED),
            error(ErrorType::WriteError, "writing body"),
            Error::explain(ErrorType::ConnectionClosed, CLOSED).into_down(),
        ] {
            assert!(!may_try_again(&not, get), "{not}");
        }
    }

    #[test]
    fn an_answer_s_head_has_an_end() {
        let mut head = ResponseHeader::build(200, None).unwrap();
        head.insert_header("X-Large", "x".repeat(MOST_HEAD_BYTES - 11)).unwrap();
        assert!(check_answer(&head, Asked::AnAnswer, &mut 0).is_ok());
        head.insert_header("X", "").unwrap();
        assert!(check_answer(&head, Asked::AnAnswer, &mut 0).is_err());
    }

    #[test]
    fn another_protocol_is_only_for_who_asked_for_it() {
        let mut switching = ResponseHeader::build(101, None).unwrap();
        assert!(check_answer(&switching, Asked::AnUpgrade, &mut 0).is_err(), "it names none");
        switching.insert_header("Upgrade", "WebSocket").unwrap();
        assert!(check_answer(&switching, Asked::AnUpgrade, &mut 0).is_ok());
        assert!(check_answer(&switching, Asked::AnAnswer, &mut 0).is_err());
    }

    #[test]
    fn an_answer_whose_end_readers_differ_about_is_not_passed_on() {
        for (status, version, fields, is_clear) in [
            (200, Version::HTTP_11, &[("content-length", "5")][..], true),
            (200, Version::HTTP_11, &[("transfer-encoding", "Chunked")], true),
            (200, Version::HTTP_10, &[], true),
            (599, Version::HTTP_11, &[], true),
            (200, Version::HTTP_11, &[("content-length", "5"), ("content-length", "5")], false),
            (200, Version::HTTP_11, &[("content-length", "5, 5")], false),
            (200, Version::HTTP_11, &[("transfer-encoding", "xchunked")], false),
            (200, Version::HTTP_11, &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], false),
            (200, Version::HTTP_10, &[("transfer-encoding", "chunked")], false),
            (600, Version::HTTP_11, &[], false),
        ] {
            let mut head = ResponseHeader::build(status, None).unwrap();
            head.set_version(version);
            for (name, value) in fields {
                head.append_header(*name, *value).unwrap();
            }
            let passes = check_answer(&head, Asked::AnAnswer, &mut 0).is_ok();
            assert_eq!(passes, is_clear, "{status} {version:?} {fields:?}");
        }
    }

    #[test]
    fn answers_on_the_way_come_to_one() {
        let hints = ResponseHeader::build(103, None).unwrap();
        let mut informational = 0;
        for _ in 0..MOST_INFORMATIONAL {
            assert!(check_answer(&hints, Asked::AnAnswer, &mut informational).is_ok());
        }
        assert!(check_answer(&hints, Asked::AnAnswer, &mut informational).is_err());
    }
}
