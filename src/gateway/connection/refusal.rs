//! Our answer to a head that pingora does not get to see, in the form and the language of whoever sent it as far as that can be told, and
//! its line in the access log. Decides nothing. Floor: edge.

use std::sync::Arc;
use std::time::Instant;

use http::header::{ACCEPT, ACCEPT_LANGUAGE, COOKIE, HOST, HeaderName, UPGRADE};
use http::{HeaderValue, Method};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::Ssl as _;
use pingora::protocols::http::date::get_cached_date;

use super::guarded::Guarded;
use super::peer_of;
use crate::gateway::access_log::{AccessLine, Line};
use crate::gateway::answers::{Addressee, Answer};
use crate::gateway::bridge;
use crate::gateway::classify;
use crate::gateway::figures::{Decision, Ended};
use crate::gateway::handle::Current;
use crate::gateway::head::HeadMistake;
use crate::gateway::settings::{AccessLog, SiteSettings};
use crate::web::origin::Scheme;
use crate::web::request_id::RequestId;

/// The fields that decide the form of an answer.
const LOOKED_AT: [HeaderName; 5] = [HOST, ACCEPT, ACCEPT_LANGUAGE, COOKIE, UPGRADE];
/// Likewise; no names of the library.
const LOOKED_AT_TOO: [&str; 2] = ["sec-fetch-mode", "x-requested-with"];
/// So much of a path is logged.
const LOGGED_PATH: usize = 1024;

/// Answers, and ends the connection.
pub(super) async fn refuse(guarded: Box<Guarded>, mistake: HeadMistake, current: &Arc<Current>) {
    let (started, request_id) = (Instant::now(), RequestId::fresh());
    let request = sketch(guarded.read_so_far());
    let settings = &current.parts.settings;
    let scheme = if guarded.get_ssl_digest().is_some() { Scheme::Https } else { Scheme::Http };
    let site = request.as_ref().and_then(|request| site_of(request, mistake, scheme, &settings.sites));
    let nothing_known = RequestHeader::build(Method::GET, b"/", None);
    let asked = request.as_ref().or(nothing_known.as_ref().ok());
    let answer = Answer::to_mistake(mistake);
    let (status, reason) = (answer.status(), answer.reason());
    let peer = peer_of(&*guarded);
    let mut body_bytes = 0;
    if let Some(asked) = asked {
        let to = Addressee { asker: classify::asker(&asked.method, &asked.headers), request_id, site, scheme };
        if let Ok((head, body)) = answer.compose(asked, to, &current.parts.message_pages) {
            body_bytes = body.len();
            let bytes = [written(&head).as_slice(), &body].concat();
            guarded.say_last(&bytes, settings.timeouts.write).await;
        }
    }
    let ended =
        Ended { decision: Decision::Unclear, status: Some(status.as_u16()), reason: Some(reason), duration: None };
    current.figures.of(site).ended(ended);
    match settings.access_log {
        AccessLog::Off => return,
        AccessLog::On => {}
    }
    AccessLine {
        request_id,
        site: site.map(|site| site.name.as_str()),
        client: peer.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
        method: request.as_ref().map_or("-", |request| request.method.as_str()),
        path: &request.as_ref().map_or_else(|| "-".to_owned(), path_of),
        original: None,
        status: Some(status.as_u16()),
        bytes: body_bytes,
        duration: started.elapsed(),
        user: None,
        upstream: None,
        reason: Some(reason),
    }
    .write(Line::Request);
}

/// What can be made out of a head that is not clear: its first line, and those lines that decide the form of an answer. Good for nothing else.
fn sketch(bytes: &[u8]) -> Option<RequestHeader> {
    let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let method = Method::from_bytes(words.next()?).ok()?;
    let target = words.next().filter(|target| !target.is_empty())?;
    let mut request = RequestHeader::build(method, target, None).ok()?;
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = line.split_at(colon);
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name), HeaderValue::from_bytes(value.get(1..).unwrap_or_default().trim_ascii()))
        else {
            continue;
        };
        if LOOKED_AT.contains(&name) || LOOKED_AT_TOO.contains(&name.as_str()) {
            // Too many fields are no reason to say nothing.
            let _ = request.append_header(name, value);
        }
    }
    Some(request)
}

/// The site whose look the answer has; nobody's when the host is the mistake.
fn site_of<'a>(
    request: &RequestHeader,
    mistake: HeadMistake,
    scheme: Scheme,
    sites: &'a [Arc<SiteSettings>],
) -> Option<&'a SiteSettings> {
    if matches!(mistake, HeadMistake::Host | HeadMistake::HostDiffers) {
        return None;
    }
    let host = request.headers.get(HOST)?.to_str().ok()?;
    classify::site_of(host, scheme, sites).map(|site| &**site)
}

fn path_of(request: &RequestHeader) -> String {
    let path = bridge::path_of(request.raw_path());
    String::from_utf8_lossy(path.get(..LOGGED_PATH).unwrap_or(path)).into_owned()
}

/// The bytes of the head of an answer that ends its connection.
fn written(head: &ResponseHeader) -> Vec<u8> {
    let status = head.status;
    let mut bytes =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("Refused")).into_bytes();
    let of_connection =
        [(http::header::CONNECTION, HeaderValue::from_static("close")), (http::header::DATE, get_cached_date())];
    for (name, value) in head.headers.iter().chain(of_connection.iter().map(|(name, value)| (name, value))) {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}
