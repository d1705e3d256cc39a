//! Style sheets, script and pictures of the pages. Floor: edge.

use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;

use super::visit::Visit;
use crate::pages::page::MessageKind;

/// GET: the file of exactly this name. An old name is not found; the page that refers to it is gone as well.
pub(super) async fn show(Path(name): Path<String>, visit: Visit) -> Response {
    let Some(asset) = visit.look.asset(&name) else { return visit.message(MessageKind::NotFound) };
    let mut response = Response::new(Body::from(asset.bytes().clone()));
    for (name, value) in asset.headers() {
        response.headers_mut().insert(name, value);
    }
    response
}
