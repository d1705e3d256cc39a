//! Whether a request asks for a WebSocket. Decides nothing about it. Floor: edge (pure).

use http::header::{CONNECTION, HeaderMap, SEC_WEBSOCKET_KEY, UPGRADE};
use http::{Method, StatusCode};
use pingora::http::{RequestHeader, ResponseHeader};

use super::preflight::has_body;

/// What a head says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// For none.
    No,
    /// Some server may take it for one, and pingora passes no such wish on: `Upgrade` names others as well, or another proxy that asks about
    /// the request keeps `Upgrade` to itself. Without a key no server opens one (RFC 6455 §4.2.1).
    Unclearly,
    /// In the form that is passed on.
    Clearly,
}

const NAME: &[u8] = b"websocket";

/// Whether pingora passes the wish for one on, and with it a connection that may stay silent for as long as both ends like (RFC 6455 §4.1).
pub(super) fn is_passed_on(request: &RequestHeader) -> bool {
    asked_for(&request.headers) == Asked::Clearly
}

/// Takes `Upgrade` out of a request that goes on and cannot be one for a WebSocket (RFC 6455 §4.1: a GET without a body, `Connection: Upgrade`, a
/// key), so that it goes on as any other: pingora would make a tunnel of it (RFC 9110 §7.8: without `Connection: Upgrade` it is to be ignored).
pub(super) fn ignore_a_wish_that_is_none(request: &mut RequestHeader) {
    let headers = &request.headers;
    if !headers.contains_key(UPGRADE) {
        return;
    }
    let is_one = request.method == Method::GET
        && !has_body(headers)
        && headers.contains_key(SEC_WEBSOCKET_KEY)
        && headers.get_all(CONNECTION).iter().any(|value| names(value.as_bytes(), b"upgrade"));
    if !is_one {
        request.remove_header(&UPGRADE);
    }
}

/// Whether an answer opens one: the protocol it changes to is named (RFC 9110 §15.2.2).
pub(super) fn is_opened_by(answer: &ResponseHeader) -> bool {
    answer.status == StatusCode::SWITCHING_PROTOCOLS
        && answer.headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(NAME))
}

fn names(list: &[u8], name: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(name))
}

/// Reads it from the fields of a request.
pub(super) fn asked_for(headers: &HeaderMap) -> Asked {
    if headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(NAME)) {
        return Asked::Clearly;
    }
    let is_named = headers.get_all(UPGRADE).iter().any(|value| names(value.as_bytes(), NAME));
    if is_named || headers.contains_key(SEC_WEBSOCKET_KEY) { Asked::Unclearly } else { Asked::No }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_wish_that_no_server_may_fulfil_goes_no_further() {
        let whole: &[(&str, &str)] =
            &[("upgrade", "websocket"), ("connection", "keep-alive, Upgrade"), ("sec-websocket-key", "k")];
        let without = |name: &str| whole.iter().copied().filter(|(field, _)| *field != name).collect::<Vec<_>>();
        let with = |name, value| whole.iter().copied().chain([(name, value)]).collect::<Vec<_>>();
        for (method, fields, goes_on) in [
            ("GET", whole.to_vec(), true),
            ("GET", with("content-length", "0"), true),
            ("POST", whole.to_vec(), false),
            ("GET", without("connection"), false),
            ("GET", without("sec-websocket-key"), false),
            ("GET", with("content-length", "5"), false),
            ("GET", with("transfer-encoding", "chunked"), false),
        ] {
            let mut request = RequestHeader::build(method, b"/", None).unwrap();
            for (name, value) in &fields {
                request.append_header((*name).to_owned(), *value).unwrap();
            }
            ignore_a_wish_that_is_none(&mut request);
            assert_eq!(request.headers.contains_key(UPGRADE), goes_on, "{method} {fields:?}");
        }
    }

    #[test]
    fn only_the_whole_value_is_passed_on_and_every_other_mention_is_looked_at() {
        for (upgrades, key, asked) in [
            (&["websocket"][..], false, Asked::Clearly),
            (&["WebSocket"], true, Asked::Clearly),
            (&["h2c, websocket"], false, Asked::Unclearly),
            (&["h2c", " WEBSOCKET "], false, Asked::Unclearly),
            (&["websocket/13"], false, Asked::No),
            (&["h2c"], false, Asked::No),
            (&[], true, Asked::Unclearly),
            (&[], false, Asked::No),
        ] {
            let mut headers = HeaderMap::new();
            for upgrade in upgrades {
                headers.append(UPGRADE, HeaderValue::from_static(upgrade));
            }
            if key {
                headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
            }
            assert_eq!(asked_for(&headers), asked, "{headers:?}");
        }
    }
}
