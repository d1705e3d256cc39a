//! Whether a request asks for a WebSocket. Decides nothing about it. Floor: edge (pure).

use http::header::{HeaderMap, SEC_WEBSOCKET_KEY, UPGRADE};
use pingora::http::RequestHeader;

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

/// Reads it from the fields of a request.
pub(super) fn asked_for(headers: &HeaderMap) -> Asked {
    if headers.get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(NAME)) {
        return Asked::Clearly;
    }
    let names = |value: &[u8]| value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(NAME));
    let is_named = headers.get_all(UPGRADE).iter().any(|value| names(value.as_bytes()));
    if is_named || headers.contains_key(SEC_WEBSOCKET_KEY) { Asked::Unclearly } else { Asked::No }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

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
