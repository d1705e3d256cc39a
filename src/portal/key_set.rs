//! The keys that signed assertions are verified with: public, for the upstream's own program. Floor: edge.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};

use super::visit::Visit;
use crate::domain::assertion;
use crate::pages::page::MessageKind;
use crate::pages::security_headers;

/// An application that reads the set at most this often still has a new key before it signs, when the operator waits as long between adding a
/// key and moving it to the front. Our own choice.
const KEPT: &str = "public, max-age=300";

/// GET: a JSON Web Key Set; 404 at a site whose upstream gets no assertion, which has nothing to verify.
pub(super) async fn show(visit: Visit) -> Response {
    if !visit.is_asserting() {
        return visit.message(MessageKind::NotFound);
    }
    let mut response = Response::new(Body::from(assertion::key_set(visit.login().signing_keys())));
    let headers = response.headers_mut();
    security_headers::put(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(KEPT));
    response
}
