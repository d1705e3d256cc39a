//! Message pages for people, in the look and the languages of the site they asked for. Texts and templates are `pages`'.
//! Chooses which page; what is said to programs is in `answers`. Floor: edge.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, REFERER};
use http::{Response, StatusCode};
use pingora::http::RequestHeader;

use super::answers::{Addressee, INTERRUPTED};
use super::bridge;
use super::classify::Asker;
use crate::domain::site::SiteName;
use crate::pages::language_choice;
use crate::pages::look::SiteLook;
use crate::pages::page::{Chrome, Interrupted, Message, MessageKind, Page};
use crate::pages::render;
use crate::web::cookies;
use crate::web::origin::Origin;
use crate::web::return_path::ReturnPath;

/// The looks of all sites.
#[derive(Debug)]
pub struct MessagePages {
    looks: HashMap<SiteName, Arc<SiteLook>>,
    nobodys: SiteLook,
}

impl MessagePages {
    /// Takes the looks, one a site. A site without one gets pages without a name.
    #[must_use]
    pub fn new(looks: impl IntoIterator<Item = (SiteName, Arc<SiteLook>)>) -> Self {
        Self { looks: looks.into_iter().collect(), nobodys: SiteLook::of_no_site() }
    }

    /// The page for an answer of the gateway: the one given, or that of its status and word.
    pub(super) fn draw(
        &self,
        given: Option<&Page>,
        status: StatusCode,
        code: &'static str,
        request: &RequestHeader,
        to: Addressee<'_>,
    ) -> Response<Bytes> {
        let look = to.site.and_then(|site| self.looks.get(&site.name)).map_or(&self.nobodys, |look| &**look);
        let chosen_before = cookies::read(&request.headers, language_choice::COOKIE).one();
        let accepted = request.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let request_id = to.request_id.to_string();
        let chrome = Chrome {
            site: look,
            language: language_choice::choose(look.languages(), None, chosen_before, accepted),
            csrf: "",
            request_id: &request_id,
            here: None,
        };
        match given {
            Some(page) => render::answer(page, &chrome),
            None => render::answer(&page(status, code, request, to), &chrome),
        }
    }
}

fn page(status: StatusCode, code: &'static str, request: &RequestHeader, to: Addressee<'_>) -> Page {
    let kind = match status {
        StatusCode::UNAUTHORIZED => {
            let origin = to.site.map(|site| &site.origin);
            let interrupted = code == INTERRUPTED;
            return match to.asker {
                Asker::Navigation if interrupted => {
                    let here = std::str::from_utf8(bridge::origin_form(request.raw_path())).ok();
                    Page::Interrupted {
                        what: Interrupted::Opening,
                        sign_in_href: ReturnPath::parse_or_root(here).sign_in_url(),
                    }
                }
                Asker::Submission | Asker::Program if interrupted => Page::Interrupted {
                    what: Interrupted::Sending,
                    sign_in_href: page_before(request, origin).sign_in_url(),
                },
                // of what is opened only frames are not sent on
                Asker::Navigation => Page::InFrame { sign_in_href: page_before(request, origin).sign_in_url() },
                Asker::Submission | Asker::Program => {
                    Page::NotSent { sign_in_href: page_before(request, origin).sign_in_url() }
                }
            };
        }
        StatusCode::BAD_REQUEST
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::EXPECTATION_FAILED
        | StatusCode::HTTP_VERSION_NOT_SUPPORTED => MessageKind::BadRequest,
        StatusCode::FORBIDDEN => MessageKind::Denied,
        StatusCode::NOT_FOUND => MessageKind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => MessageKind::Method,
        StatusCode::PAYLOAD_TOO_LARGE => MessageKind::TooLarge,
        StatusCode::URI_TOO_LONG => MessageKind::UriTooLong,
        StatusCode::MISDIRECTED_REQUEST => MessageKind::Misdirected,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => MessageKind::Headers,
        StatusCode::BAD_GATEWAY => MessageKind::BadGateway,
        StatusCode::SERVICE_UNAVAILABLE if code == "sessions_cannot_be_told" => MessageKind::SignInUnavailable,
        StatusCode::SERVICE_UNAVAILABLE => MessageKind::Unavailable,
        StatusCode::GATEWAY_TIMEOUT => MessageKind::GatewayTimeout,
        _ => MessageKind::Internal,
    };
    let again = match to.asker {
        Asker::Navigation if status.is_server_error() => {
            std::str::from_utf8(bridge::origin_form(request.raw_path())).ok().and_then(ReturnPath::parse)
        }
        Asker::Navigation | Asker::Submission | Asker::Program => None,
    };
    Page::Message(Message { kind, again_href: again.map(|path| path.as_str().to_owned()) })
}

/// The page whose form was sent, or that the frame is on, if it is one of this site; the form's own target may take no GET.
fn page_before(request: &RequestHeader, origin: Option<&Origin>) -> ReturnPath {
    let referer = request.headers.get(REFERER).and_then(|value| value.to_str().ok());
    let path = origin.and_then(|origin| referer?.strip_prefix(origin.as_str()));
    ReturnPath::parse_or_root(path)
}
