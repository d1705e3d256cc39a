//! Frames that no library would send, from somebody who is signed in: what is not clear reaches no application.

use super::PHONE;
use super::raw_http2::{Fate, Fields, PREFACE, RawHttp2, block, code, connect, flag, frame, kind};
use crate::harness::person::Person;
use crate::harness::raw;
use crate::harness::tls::SecureStack;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Who refuses: the library that reads frames, pingora above it, or we ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    H2,
    Pingora,
    Us,
}

/// How a request with a good session is changed.
enum Change {
    /// Fields after the usual ones.
    Add(&'static [(&'static [u8], &'static [u8])]),
    /// A pseudo-field (or another of the usual ones) with another value.
    Replace(&'static [u8], &'static [u8]),
    /// One of the usual fields left out.
    Without(&'static [u8]),
    /// These fields in front.
    Before(&'static [(&'static [u8], &'static [u8])]),
}

use Change::{Add, Before, Replace, Without};

/// A GET that would be passed on: every vector differs from it in one thing.
fn good<'a>(person: &Person, path: &str) -> Fields<'a> {
    vec![
        (b":method", b"GET".to_vec()),
        (b":scheme", b"https".to_vec()),
        (b":authority", person.host().as_bytes().to_vec()),
        (b":path", path.as_bytes().to_vec()),
        (b"cookie", person.cookie_header("/").unwrap().into_bytes()),
    ]
}

fn changed<'a>(person: &Person, change: &Change) -> Fields<'a> {
    let mut fields = good(person, "/vector");
    match change {
        Add(more) => fields.extend(more.iter().map(|(name, value)| (*name, value.to_vec()))),
        Before(more) => {
            let more: Fields<'a> = more.iter().map(|(name, value)| (*name, value.to_vec())).collect();
            fields.splice(0..0, more);
        }
        Replace(name, value) => {
            fields.iter_mut().filter(|(own, _)| own == name).for_each(|(_, old)| *old = value.to_vec())
        }
        Without(name) => fields.retain(|(own, _)| own != name),
    }
    fields
}

const PROTOCOL: Fate = Fate::Reset(code::PROTOCOL_ERROR);
const GIVEN_UP: Fate = Fate::GoAway(code::PROTOCOL_ERROR);
const BAD: Fate = Fate::Status(400);

#[tokio::test]
async fn a_header_list_that_readers_differ_about_reaches_nobody() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut first = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    first.headers(1, flag::END_STREAM, &good(&person, "/vector")).await;
    assert_eq!(first.fate(1).await, Fate::Status(200), "the request that all vectors are made from");
    secure.stack.upstream.request_to("/vector");
    secure.stack.upstream.forget();

    let vectors: &[(&str, Change, Fate, By)] = &[
        // fields of a connection (RFC 9113 §8.2.2)
        ("connection", Add(&[(b"connection", b"keep-alive")]), PROTOCOL, By::H2),
        ("connection that nominates", Add(&[(b"connection", b"cookie")]), PROTOCOL, By::H2),
        ("keep-alive", Add(&[(b"keep-alive", b"5")]), PROTOCOL, By::H2),
        ("proxy-connection", Add(&[(b"proxy-connection", b"close")]), PROTOCOL, By::H2),
        ("transfer-encoding", Add(&[(b"transfer-encoding", b"chunked")]), PROTOCOL, By::H2),
        ("upgrade to a WebSocket", Add(&[(b"upgrade", b"websocket")]), PROTOCOL, By::H2),
        ("upgrade to h2c", Add(&[(b"upgrade", b"h2c")]), PROTOCOL, By::H2),
        ("te", Add(&[(b"te", b"gzip")]), PROTOCOL, By::H2),
        // names and values (§8.2.1): what is no name and no value ends the whole connection
        ("a capital in a name", Add(&[(b"X-Other", b"a")]), GIVEN_UP, By::H2),
        ("a space in a name", Add(&[(b"x other", b"a")]), GIVEN_UP, By::H2),
        ("a colon in a name", Add(&[(b"x:other", b"a")]), GIVEN_UP, By::H2),
        ("CR LF in a name", Add(&[(b"x\r\ny", b"a")]), GIVEN_UP, By::H2),
        ("NUL in a name", Add(&[(b"x\0y", b"a")]), GIVEN_UP, By::H2),
        ("no name", Add(&[(b"", b"a")]), GIVEN_UP, By::H2),
        ("CR LF in a value", Add(&[(b"x-other", b"a\r\nx-forwarded-user: eve")]), GIVEN_UP, By::H2),
        ("CR in a value", Add(&[(b"x-other", b"a\rb")]), GIVEN_UP, By::H2),
        ("LF in a value", Add(&[(b"x-other", b"a\nb")]), GIVEN_UP, By::H2),
        ("NUL in a value", Add(&[(b"x-other", b"a\0b")]), GIVEN_UP, By::H2),
        // pseudo-fields (§8.3)
        ("no :method", Without(b":method"), PROTOCOL, By::H2),
        ("no :scheme", Without(b":scheme"), PROTOCOL, By::H2),
        ("no :path", Without(b":path"), PROTOCOL, By::H2),
        ("an empty :path", Replace(b":path", b""), PROTOCOL, By::H2),
        ("two of :method", Before(&[(b":method", b"GET")]), PROTOCOL, By::H2),
        ("two of :path", Before(&[(b":path", b"/other")]), PROTOCOL, By::H2),
        ("two of :scheme", Before(&[(b":scheme", b"https")]), PROTOCOL, By::H2),
        ("two of :authority", Before(&[(b":authority", b"other.example")]), PROTOCOL, By::H2),
        (":path after a field", Before(&[(b"x-other", b"a")]), PROTOCOL, By::H2),
        ("an unknown one", Before(&[(b":other", b"a")]), GIVEN_UP, By::H2),
        (":status", Before(&[(b":status", b"200")]), PROTOCOL, By::H2),
        (":protocol, for a WebSocket over HTTP/2", Before(&[(b":protocol", b"websocket")]), PROTOCOL, By::H2),
        ("a method with a space", Replace(b":method", b"GET /other HTTP/1.1"), GIVEN_UP, By::H2),
        ("a scheme that is none", Replace(b":scheme", b"ht tp"), PROTOCOL, By::H2),
        // the target
        ("LF in :path", Replace(b":path", b"/a\nb"), PROTOCOL, By::H2),
        ("CR LF in :path", Replace(b":path", b"/ HTTP/1.1\r\nHost: x\r\n\r\n"), PROTOCOL, By::H2),
        ("a space in :path", Replace(b":path", b"/a b"), PROTOCOL, By::H2),
        ("NUL in :path", Replace(b":path", b"/a\0b"), PROTOCOL, By::H2),
        ("a :path without a slash", Replace(b":path", b"vector"), PROTOCOL, By::H2),
        ("an absolute :path", Replace(b":path", b"https://other.example/vector"), PROTOCOL, By::H2),
        ("* as :path", Replace(b":path", b"*"), BAD, By::Us),
        ("CONNECT", Replace(b":method", b"CONNECT"), PROTOCOL, By::H2),
        ("TRACE", Replace(b":method", b"TRACE"), Fate::Status(405), By::Us),
        ("a method of nobody", Replace(b":method", b"SPACEJUMP"), Fate::Status(405), By::Us),
        // who is asked (§8.3.1)
        (":authority and host that differ", Add(&[(b"host", b"other.example")]), BAD, By::Pingora),
        ("two of host", Add(&[(b"host", b"a.example"), (b"host", b"a.example")]), BAD, By::Pingora),
        ("neither :authority nor host", Without(b":authority"), BAD, By::Pingora),
        ("an empty :authority", Replace(b":authority", b""), PROTOCOL, By::H2),
        ("a user in :authority", Replace(b":authority", b"eve@localhost"), BAD, By::Pingora),
        (":authority of nobody here", Replace(b":authority", b"other.example"), Fate::Status(421), By::Us),
        (":authority without the port", Replace(b":authority", b"localhost"), Fate::Status(421), By::Us),
        // lengths (§8.1.1)
        ("a length without a body", Add(&[(b"content-length", b"5")]), PROTOCOL, By::H2),
        ("two lengths that differ", Add(&[(b"content-length", b"0"), (b"content-length", b"5")]), PROTOCOL, By::H2),
        ("two lengths alike", Add(&[(b"content-length", b"0"), (b"content-length", b"0")]), BAD, By::Us),
        ("a list of lengths", Add(&[(b"content-length", b"0, 0")]), PROTOCOL, By::H2),
        ("a length with a sign", Add(&[(b"content-length", b"+0")]), PROTOCOL, By::H2),
        ("a length that is no number", Add(&[(b"content-length", b"x")]), PROTOCOL, By::H2),
        ("a length in another spelling", Add(&[(b"content_length", b"0")]), BAD, By::Us),
        ("chunks in another spelling", Add(&[(b"transfer_encoding", b"chunked")]), BAD, By::Us),
        ("an expectation of nobody", Add(&[(b"expect", b"200-maybe")]), Fate::Status(417), By::Us),
    ];
    let mut others = Vec::new();
    for (name, change, expected, by) in vectors {
        let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
        raw.headers(1, flag::END_STREAM, &changed(&person, change)).await;
        let fate = raw.fate(1).await;
        let passed = secure.stack.upstream.count();
        if fate != *expected || passed != 0 {
            others.push(format!("{name} ({by:?}): {fate:?} instead of {expected:?}, {passed} at the application"));
            secure.stack.upstream.forget();
        }
    }
    assert!(others.is_empty(), "{others:#?}");
}

#[tokio::test]
async fn what_is_unusual_and_clear_is_passed_on_tidily() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    for (name, change) in [
        ("te: trailers", Add(&[(b"te", b"trailers")])),
        (":authority and host alike", Add(&[])),
        ("plain http as :scheme", Replace(b":scheme", b"http")),
        ("identity headers in other spellings", Add(&[(b"x-forwarded-user", b"eve"), (b"x_forwarded_user", b"eve")])),
        ("an empty value", Add(&[(b"x-other", b"")])),
    ] {
        secure.stack.upstream.forget();
        let mut fields = changed(&person, &change);
        if name == ":authority and host alike" {
            fields.push((b"host", person.host().as_bytes().to_vec()));
        }
        let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
        raw.headers(1, flag::END_STREAM, &fields).await;
        assert_eq!(raw.fate(1).await, Fate::Status(200), "{name}");
        let seen = secure.stack.upstream.request_to("/vector");
        assert!(seen.raw_head.starts_with(b"GET /vector HTTP/1.1\r\n"), "{name}");
        assert_eq!(seen.header("host"), Some(person.host()), "{name}");
        assert_eq!(seen.header("x-forwarded-host"), Some(person.host()), "{name}");
        assert_eq!(seen.header("x-forwarded-proto"), Some("https"), "{name}");
        assert_eq!(seen.header("x-forwarded-user"), Some("ada"), "{name}");
        assert_eq!(seen.headers_named("x_forwarded_user"), [""; 0], "{name}");
        assert_eq!(seen.header("te"), None, "{name}");
        assert!(!String::from_utf8_lossy(&seen.raw_head).contains("eve"), "{name}");
    }
}

#[tokio::test]
async fn a_body_of_another_length_than_it_says_is_no_whole_request() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    for (said, sent) in [("5", &b"abc"[..]), ("3", b"abcde"), ("1", b"ab")] {
        let mut fields = good(&person, "/vector");
        fields[0].1 = b"POST".to_vec();
        fields.push((b"content-length", said.as_bytes().to_vec()));
        let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
        raw.headers(1, 0, &fields).await;
        raw.frame(kind::DATA, flag::END_STREAM, 1, sent).await;
        assert_eq!(raw.fate(1).await, PROTOCOL, "{said} said, {} sent", sent.len());
        // Another stream of the same connection is none the worse for it.
        raw.headers(3, flag::END_STREAM, &good(&person, "/after")).await;
        assert_eq!(raw.fate(3).await, Fate::Status(200));
    }
    // The application keeps only requests whose body came to its end.
    assert_eq!(secure.stack.upstream.requests_to("/vector").len(), 0);
    assert_eq!(secure.stack.upstream.requests_to("/after").len(), 3);
}

#[tokio::test]
async fn trailers_tell_the_application_nothing() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    let mut fields = good(&person, "/vector");
    fields[0].1 = b"POST".to_vec();
    raw.headers(1, 0, &fields).await;
    raw.frame(kind::DATA, 0, 1, b"abc").await;
    raw.headers(1, flag::END_STREAM, &vec![(b"x-forwarded-user", b"eve".to_vec())]).await;
    assert_eq!(raw.fate(1).await, Fate::Status(200));
    let seen = secure.stack.upstream.request_to("/vector");
    assert_eq!((seen.text().as_str(), seen.header("x-forwarded-user")), ("abc", Some("ada")));
}

#[tokio::test]
async fn every_stream_is_judged_alone() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    let nobodys: Fields<'_> = good(&person, "/nobodys").into_iter().filter(|(name, _)| *name != b"cookie").collect();
    let mut planted = good(&person, "/planted");
    planted.push((b"cookie", b"__Host-vestibule=x".to_vec()));
    let mut forged = good(&person, "/forged");
    let last = forged.last_mut().unwrap().1.last_mut().unwrap();
    *last = if *last == b'A' { b'B' } else { b'A' };
    // All at once, in one piece, so that they are under way together.
    let streams = [(1, good(&person, "/first"), 200), (3, nobodys, 401), (5, planted, 401), (7, forged, 401)];
    let mut bytes = Vec::new();
    for (stream, fields, _) in &streams {
        bytes.extend(frame(kind::HEADERS, flag::END_STREAM | flag::END_HEADERS, *stream, &block(fields)));
    }
    bytes.extend(frame(kind::HEADERS, flag::END_STREAM | flag::END_HEADERS, 9, &block(&good(&person, "/last"))));
    raw.send(&bytes).await;
    let mut answered = std::collections::BTreeMap::new();
    while answered.len() < 5 {
        let head = raw.next().await.expect("five answers");
        if head.kind == kind::HEADERS {
            // 200 is in the static table
            answered.insert(head.stream, head.payload.first() == Some(&0x88));
        }
    }
    let expected: Vec<(u32, bool)> = vec![(1, true), (3, false), (5, false), (7, false), (9, true)];
    assert_eq!(answered.into_iter().collect::<Vec<_>>(), expected);
    let mut seen: Vec<String> = secure.stack.upstream.requests().into_iter().map(|request| request.target).collect();
    seen.sort();
    assert_eq!(seen, ["/first", "/last"]);
}

#[tokio::test]
async fn a_cookie_in_crumbs_is_one_cookie() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let ours = person.cookie_header("/").unwrap();
    let mut fields = good(&person, "/crumbs");
    fields.pop();
    fields.push((b"cookie", b"a=1".to_vec()));
    fields.push((b"cookie", ours.into_bytes()));
    // More than the fields that a head may have: together they are one.
    for number in 0..150 {
        fields.push((b"cookie", format!("c{number}=x").into_bytes()));
    }
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    raw.headers(1, flag::END_STREAM, &fields).await;
    assert_eq!(raw.fate(1).await, Fate::Status(200));
    let seen = secure.stack.upstream.request_to("/crumbs");
    let cookie = seen.header("cookie").unwrap();
    assert!(cookie.starts_with("a=1; c0=x; c1=x; ") && cookie.ends_with("; c149=x"), "{cookie}");
}

#[tokio::test]
async fn a_head_beyond_its_limits_is_refused() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let with = |name: &'static [u8], value: Vec<u8>, times: usize| {
        let mut fields = good(&person, "/large");
        fields.extend(std::iter::repeat_n((name, value), times));
        fields
    };
    // 431 of the library (its list counts 32 for each field), and of us
    for (fields, status) in [
        (with(b"x-other", vec![b'a'; 33 * 1024], 1), 431),
        (with(b"x", b"y".to_vec(), 100), 431),
        (with(b"x", b"y".to_vec(), 90), 200),
    ] {
        let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
        let block = block(&fields);
        let mut pieces = block.chunks(16_000).peekable();
        let first = pieces.next().unwrap();
        let end = |last: bool| if last { flag::END_HEADERS } else { 0 };
        raw.frame(kind::HEADERS, flag::END_STREAM | end(pieces.peek().is_none()), 1, first).await;
        while let Some(piece) = pieces.next() {
            raw.frame(kind::CONTINUATION, end(pieces.peek().is_none()), 1, piece).await;
        }
        assert_eq!(raw.fate(1).await, Fate::Status(status));
    }
    let mut long = good(&person, "/");
    long[3].1 = [b"/".as_slice(), &[b'a'; 9000]].concat();
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    raw.headers(1, flag::END_STREAM, &long).await;
    assert_eq!(raw.fate(1).await, Fate::Status(414));
    assert_eq!(secure.stack.upstream.requests_to("/large").len(), 1);
}

#[tokio::test]
async fn floods_end_the_connection() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    secure.stack.upstream.forget();
    let given_up = |fate: Fate| matches!(fate, Fate::GoAway(code) if code != 0) || fate == Fate::Closed;

    // CONTINUATION frames without end (CVE-2024-27316 and its like)
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    raw.frame(kind::HEADERS, flag::END_STREAM, 1, &block(&good(&person, "/flood"))).await;
    for _ in 0..10_000 {
        raw.frame(kind::CONTINUATION, 0, 1, b"").await;
    }
    let fate = raw.fate(1).await;
    assert!(given_up(fate), "CONTINUATION: {fate:?}");

    // a header list that never fits: more than the decoder is willing to skip
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    raw.frame(kind::HEADERS, flag::END_STREAM, 1, &block(&good(&person, "/flood"))).await;
    let large: Fields<'_> = vec![(b"x-other", vec![b'a'; 15_000])];
    for _ in 0..200 {
        raw.frame(kind::CONTINUATION, 0, 1, &block(&large)).await;
    }
    let fate = raw.fate(1).await;
    assert!(given_up(fate), "a list without end: {fate:?}");
    assert_eq!(secure.stack.upstream.requests_to("/flood").len(), 0);

    // streams that are opened and taken back at once (CVE-2023-44487)
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    let head = block(&good(&person, "/slow?ms=60000"));
    let mut bytes = Vec::new();
    for number in 0..20_000 {
        let stream = 2 * number + 1;
        bytes.extend(frame(kind::HEADERS, flag::END_STREAM | flag::END_HEADERS, stream, &head));
        bytes.extend(frame(kind::RESET, 0, stream, &code::CANCEL.to_be_bytes()));
    }
    raw.send(&bytes).await;
    let fate = raw.fate(39_999).await;
    assert!(given_up(fate), "rapid reset: {fate:?}");
    let reached = secure.stack.upstream.requests_to("/slow").len();
    println!("20,000 streams opened and taken back: {fate:?}, {reached} requests at the application");
    assert!(reached <= 400, "{reached} requests");

    // Everybody else is served.
    person.fetch("/after").await.expect(200);
}

#[tokio::test]
async fn more_than_a_hundred_streams_at_a_time_are_refused() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
    let head = block(&good(&person, "/events"));
    for number in 0..100 {
        raw.frame(kind::HEADERS, flag::END_STREAM | flag::END_HEADERS, 2 * number + 1, &head).await;
    }
    crate::harness::children::wait_for("a hundred streams", || {
        (secure.stack.upstream.open_streams() == 100).then_some(())
    });
    raw.frame(kind::HEADERS, flag::END_STREAM | flag::END_HEADERS, 201, &head).await;
    let fate = raw.fate(201).await;
    assert!(matches!(fate, Fate::Reset(_)), "{fate:?}");
    assert_eq!(secure.stack.upstream.open_streams(), 100);
}

#[tokio::test]
async fn frames_out_of_place_end_the_connection() {
    let secure = SecureStack::start();
    let person = secure.signed_in(&secure.stack.add_account("ada", PHONE)).await;
    secure.stack.upstream.forget();
    let head = block(&good(&person, "/vector"));
    let whole = flag::END_STREAM | flag::END_HEADERS;
    for (name, bytes, expected) in [
        ("data on stream 0", frame(kind::DATA, 0, 0, b"abc"), GIVEN_UP),
        ("data on a stream that is not open", frame(kind::DATA, 0, 5, b"abc"), GIVEN_UP),
        ("a head on stream 0", frame(kind::HEADERS, whole, 0, &head), GIVEN_UP),
        ("a head on an even stream", frame(kind::HEADERS, whole, 2, &head), GIVEN_UP),
        ("a continuation of nothing", frame(kind::CONTINUATION, flag::END_HEADERS, 1, &head), GIVEN_UP),
        (
            "data inside of a head",
            [frame(kind::HEADERS, 0, 1, &head), frame(kind::DATA, 0, 1, b"abc")].concat(),
            GIVEN_UP,
        ),
        ("compression that is none", frame(kind::HEADERS, whole, 1, &[0xff; 40]), GIVEN_UP),
        ("a reset of a stream that never was", frame(kind::RESET, 0, 9, &[0; 4]), GIVEN_UP),
        ("settings on a stream", frame(kind::SETTINGS, 0, 1, b""), GIVEN_UP),
    ] {
        let mut raw = RawHttp2::connect(secure.port, &secure.authority.certificate_file()).await;
        raw.send(&bytes).await;
        assert_eq!(raw.fate(1).await, expected, "{name}");
    }
    assert_eq!(secure.stack.upstream.count(), 0);
}

#[tokio::test]
async fn http_2_begins_only_as_it_was_agreed() {
    let secure = SecureStack::start();
    let authority = secure.authority.certificate_file();
    // agreed, and something else sent
    let mut raw = RawHttp2::silent(secure.port, &authority).await;
    raw.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let fate = raw.fate(1).await;
    assert!(matches!(fate, Fate::GoAway(code::PROTOCOL_ERROR) | Fate::Closed), "{fate:?}");
    // agreed, and nothing sent: not for ever
    let raw = RawHttp2::silent(secure.port, &authority).await;
    raw.listen_until_closed().await;
    // not agreed over TLS, and not to be had over plain connections
    let mut stream = connect(secure.port, &authority, "localhost", &["http/1.1"]).await;
    stream.write_all(PREFACE).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok() && !answer.starts_with(&[0, 0]), "{}", String::from_utf8_lossy(&answer));
    let answer = raw::exchange(secure.stack.nodes[0].port(), PREFACE, Duration::from_secs(20)).await;
    assert!(
        answer.is_empty() || [b"HTTP/1.1 4", b"HTTP/1.1 5"].iter().any(|refused| answer.starts_with(*refused)),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    let answer = raw::exchange(secure.stack.nodes[0].port(), upgrade.as_bytes(), Duration::from_secs(20)).await;
    assert_eq!(raw::statuses(&answer), [308], "{}", String::from_utf8_lossy(&answer));
    assert_eq!(secure.stack.upstream.count(), 0);
}
