//! Which requests only ask whether a script of another site may send something. What such a request may do is `classify`'s and the rules'.
//! Floor: edge (pure).

use http::Method;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, HeaderMap, HeaderName, ORIGIN, TRANSFER_ENCODING};

use super::head::RequestHead;
use super::route_rules::RequestKind;

/// A preflight as browsers send it (Fetch Standard, "CORS-preflight fetch"): `OPTIONS` with one `Origin` and one
/// `Access-Control-Request-Method`, and no body.
pub(super) fn kind_of(head: &RequestHead<'_>) -> RequestKind {
    let has_one = |name: HeaderName| {
        let mut values = head.headers.get_all(name).iter();
        values.next().is_some_and(|value| !value.as_bytes().trim_ascii().is_empty()) && values.next().is_none()
    };
    let asks = has_one(ORIGIN) && has_one(ACCESS_CONTROL_REQUEST_METHOD);
    if *head.method == Method::OPTIONS && asks && !has_body(head.headers) {
        RequestKind::Preflight
    } else {
        RequestKind::Ordinary
    }
}

/// Whether there is a body, perhaps an empty one in chunks.
pub(super) fn has_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || headers.get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}
