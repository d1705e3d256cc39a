//! The request that another proxy asks about at `/.vestibule/verify`, as that proxy tells it: in the path (Envoy), or in header fields (nginx, or
//! Traefik and Caddy). Only a trusted proxy is believed, and only what it says in one way and once. Decides nothing. Floor: edge (pure).

use std::fmt;

use http::Method;
use http::header::{HeaderMap, HeaderValue};

use super::classify::Arrival;
use super::head::{self, RequestHead, Target};
use super::headers::request::PeerTrust;
use super::verify::Reader;
use crate::web::client_address::{SaidScheme, forwarded_proto};
use crate::web::origin::Scheme;
use crate::web::paths;

const ORIGINAL_METHOD: &str = "x-original-method";
const ORIGINAL_URI: &str = "x-original-uri";
const ORIGINAL_URL: &str = "x-original-url";
const FORWARDED_METHOD: &str = "x-forwarded-method";
const FORWARDED_URI: &str = "x-forwarded-uri";
const FORWARDED_HOST: &str = "x-forwarded-host";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The request that another proxy asks about. Where it says no host or scheme, those of its question are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original<'a> {
    method: Method,
    path: &'a [u8],
    query: Option<&'a [u8]>,
    host: Option<&'a str>,
    scheme: Option<Scheme>,
}

/// Why it is not known what is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// Nothing tells.
    Absent,
    /// Somebody tells who is not in `trusted_proxies`.
    Untrusted,
    /// One of the fields is missing.
    Incomplete,
    /// One of the fields is there twice.
    Doubled,
    /// One of the fields holds no method, no path or no URL.
    Unreadable,
    /// It is told in two ways. One of them may be the client's own.
    Conflicting,
}

impl Unsaid {
    /// The stable word for the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "not told",
            Self::Untrusted => "told by a peer outside trusted_proxies",
            Self::Incomplete => "told in part",
            Self::Doubled => "told twice",
            Self::Unreadable => "not readable",
            Self::Conflicting => "told in two ways",
        }
    }
}

/// Whether a path is the one where other proxies ask, or lies below it.
#[must_use]
pub fn is_question(path: &[u8]) -> bool {
    path.strip_prefix(paths::VERIFY.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Who gets to see the answer: the browser where `?redirect=1` says so, or where the path tells what is asked about.
#[must_use]
pub fn reader(head: &RequestHead<'_>) -> Reader {
    let says_redirect =
        head.query.is_some_and(|query| query.split(|byte| *byte == b'&').any(|pair| pair == b"redirect=1"));
    if says_redirect || path_below(head).is_some() { Reader::Browser } else { Reader::Proxy }
}

/// Reads what is asked about.
///
/// # Errors
/// Why that is not known.
pub fn read<'a>(head: &RequestHead<'a>, peer_trust: PeerTrust) -> Result<Original<'a>, Unsaid> {
    let has = |names: &[&str]| names.iter().any(|name| head.headers.contains_key(*name));
    let below = path_below(head);
    let in_original = has(&[ORIGINAL_METHOD, ORIGINAL_URI, ORIGINAL_URL]);
    let in_forwarded = has(&[FORWARDED_METHOD, FORWARDED_URI]);
    match (peer_trust, below, in_original, in_forwarded) {
        (PeerTrust::Trusted | PeerTrust::Untrusted, None, false, false) => Err(Unsaid::Absent),
        (PeerTrust::Untrusted, _, _, _) => Err(Unsaid::Untrusted),
        (PeerTrust::Trusted, Some(path), false, false) => {
            Ok(Original { method: head.method.clone(), path, query: head.query, host: None, scheme: None })
        }
        (PeerTrust::Trusted, None, true, false) => from_original(head.headers),
        (PeerTrust::Trusted, None, false, true) => from_forwarded(head.headers),
        (PeerTrust::Trusted, _, _, _) => Err(Unsaid::Conflicting),
    }
}

impl<'a> Original<'a> {
    /// The request as it would have been asked of us.
    #[must_use]
    pub fn as_asked<'b>(&'b self, question: &RequestHead<'b>, arrival: Arrival) -> (RequestHead<'b>, Arrival)
    where
        'a: 'b,
    {
        let head = RequestHead {
            method: &self.method,
            path: self.path,
            query: self.query,
            host: self.host.unwrap_or(question.host),
            headers: question.headers,
        };
        (head, Arrival { scheme: self.scheme.unwrap_or(arrival.scheme), ..arrival })
    }
}

/// For the log: no query.
impl fmt::Display for Original<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, String::from_utf8_lossy(self.path))
    }
}

/// What stands behind `/.vestibule/verify`, if anything does.
fn path_below<'a>(head: &RequestHead<'a>) -> Option<&'a [u8]> {
    head.path.strip_prefix(paths::VERIFY.as_bytes()).filter(|rest| !rest.is_empty())
}

/// nginx: `X-Original-Method` and `X-Original-URI`, or the whole URL in `X-Original-URL`.
fn from_original(headers: &HeaderMap) -> Result<Original<'_>, Unsaid> {
    let method = method(one(headers, ORIGINAL_METHOD)?)?;
    match (headers.contains_key(ORIGINAL_URI), headers.contains_key(ORIGINAL_URL)) {
        (true, true) => Err(Unsaid::Conflicting),
        (true, false) => {
            let Target { path, query, .. } = path_and_query(one(headers, ORIGINAL_URI)?)?;
            Ok(Original { method, path, query, host: None, scheme: None })
        }
        (false, _) => {
            let Target { origin, path, query } = target(one(headers, ORIGINAL_URL)?)?;
            let (scheme, authority) = origin.ok_or(Unsaid::Unreadable)?;
            Ok(Original { method, path, query, host: Some(host(authority)?), scheme: Some(scheme) })
        }
    }
}

/// Traefik and Caddy: `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri`.
fn from_forwarded(headers: &HeaderMap) -> Result<Original<'_>, Unsaid> {
    let method = method(one(headers, FORWARDED_METHOD)?)?;
    let Target { path, query, .. } = path_and_query(one(headers, FORWARDED_URI)?)?;
    let host = host(one(headers, FORWARDED_HOST)?.as_bytes())?;
    let _only_one = one(headers, FORWARDED_PROTO)?;
    let scheme = match forwarded_proto(headers) {
        SaidScheme::Said(scheme) => scheme,
        SaidScheme::Unsaid => return Err(Unsaid::Incomplete),
        SaidScheme::Unreadable => return Err(Unsaid::Unreadable),
    };
    Ok(Original { method, path, query, host: Some(host), scheme: Some(scheme) })
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a HeaderValue, Unsaid> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Unsaid::Incomplete)?;
    if values.next().is_some() { Err(Unsaid::Doubled) } else { Ok(value) }
}

fn method(value: &HeaderValue) -> Result<Method, Unsaid> {
    Method::from_bytes(value.as_bytes()).map_err(|_| Unsaid::Unreadable)
}

/// A path, read as strictly as that of a request to us, or a URL.
fn target(value: &HeaderValue) -> Result<Target<'_>, Unsaid> {
    let read = head::check_target(value.as_bytes()).and_then(|()| head::split_target(value.as_bytes()));
    read.map_err(|_| Unsaid::Unreadable)
}

fn path_and_query(value: &HeaderValue) -> Result<Target<'_>, Unsaid> {
    target(value).and_then(|target| if target.origin.is_none() { Ok(target) } else { Err(Unsaid::Unreadable) })
}

fn host(value: &[u8]) -> Result<&str, Unsaid> {
    head::check_host(value).map_err(|_| Unsaid::Unreadable)
}
