//! One request of an operator: who it is, asked anew of the accounts each time, and how a page becomes its answer. Floor: edge.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, LOCATION, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{Method, StatusCode, Uri};

use super::Desk;
use crate::admin::operations::{Act, OperationError, Operations, Rights};
use crate::domain::account::AccountStatus;
use crate::domain::operator::{self, OperatorRole};
use crate::domain::session::{Factors, Session};
use crate::domain::time::UnixMillis;
use crate::login::sessions::SessionCheck;
use crate::login::{Client, Login, chain};
use crate::pages::form::{Form, StaleForm, UncheckedForm};
use crate::pages::operators::{self, MessagePage, OperatorsChrome, OperatorsPage};
use crate::pages::security_headers;
use crate::web::cookies::{self, CookieNames};
use crate::web::paths;
use crate::web::request_context::RequestContext;
use crate::web::return_path::ReturnPath;

/// One request of somebody who is an operator at this moment.
#[derive(Debug)]
pub(super) struct Visit {
    desk: Arc<Desk>,
    context: RequestContext,
    pub(super) session: Session,
    pub(super) role: OperatorRole,
    pub(super) now: UnixMillis,
    uri: Uri,
    headers: HeaderMap,
}

/// A form that an operator has sent, and that is not from another site.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) visit: Visit,
    form: UncheckedForm,
}

impl Visit {
    async fn new(desk: &Arc<Desk>, parts: &Parts) -> Result<Self, Response> {
        let Some(context) = parts.extensions.get::<RequestContext>().cloned() else {
            tracing::error!("an operators' page was asked for past the gateway");
            return Err((StatusCode::INTERNAL_SERVER_ERROR, [(CACHE_CONTROL, "no-store")]).into_response());
        };
        let now = desk.login.now();
        let names = CookieNames::of_operators(context.origin.scheme());
        let cookie = cookies::read(&parts.headers, names.session).one();
        let checked = cookie.map(|cookie| desk.login.sessions().check(cookie, &context.site, now));
        let session = match checked {
            Some(SessionCheck::Live(session)) if session.factors == Factors::PasswordAndCode => {
                Arc::unwrap_or_clone(session)
            }
            Some(SessionCheck::CannotTell) => return Err(unavailable(desk, &context)),
            Some(SessionCheck::Live(_) | SessionCheck::StepUp(_) | SessionCheck::None(_)) | None => {
                return Err(sign_in(desk, &context, parts));
            }
        };
        let standing = match desk.operations.standing(&session.account).await {
            Ok(standing) => standing,
            Err(error) => {
                tracing::error!(cause = chain(&error), "it cannot be told who is an operator");
                return Err(unavailable(desk, &context));
            }
        };
        let standing = standing.filter(|now| now.status == AccountStatus::Active && now.epoch == session.epoch);
        let Some(role) = standing.and_then(|standing| standing.role) else {
            tracing::info!(reason = "not_an_operator", "an operator's session is none any more");
            return Err(sign_in(desk, &context, parts));
        };
        Ok(Self {
            desk: Arc::clone(desk),
            context,
            session,
            role,
            now,
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        })
    }

    pub(super) fn login(&self) -> &Arc<Login> {
        &self.desk.login
    }

    pub(super) fn operations(&self) -> &Operations {
        &self.desk.operations
    }

    /// What the operations are told of who acts.
    pub(super) fn act(&self) -> Act {
        Act {
            actor: format!("operator:{}", self.session.user_name),
            rights: Rights::OfOperator(self.session.account),
            source: Some(self.context.client_address),
            request_id: Some(self.context.request_id.to_string()),
            now: self.now,
        }
    }

    /// Whether the sign-in is recent enough for what changes security.
    pub(super) fn is_fresh(&self) -> bool {
        operator::is_fresh(self.session.opened_at, self.now)
    }

    /// A field of the query; empty when it is not there.
    pub(super) fn query(&self, name: &str) -> String {
        let fields = form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes());
        fields.into_iter().find(|(field, _)| field == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    }

    /// Path and query of this request.
    pub(super) fn path(&self) -> String {
        self.uri.path_and_query().map_or_else(|| self.uri.path().to_owned(), ToString::to_string)
    }

    /// The page as an answer.
    pub(super) fn page(&self, page: &OperatorsPage) -> Response {
        let token = self.login().signing_keys().form_token(self.session.id.bytes());
        let request_id = self.context.request_id.to_string();
        let chrome = OperatorsChrome {
            site: &self.desk.look,
            operator: Some((self.session.user_name.as_str(), self.role.name())),
            csrf: &token,
            request_id: &request_id,
        };
        operators::answer(page, &chrome).map(Body::from)
    }

    /// The page that asks for another sign-in and leads back here.
    pub(super) fn ask_again(&self) -> Response {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair(paths::RETURN_TO, ReturnPath::parse_or_root(Some(&self.path())).as_str())
            .finish();
        self.see(&format!("/sign-in-again?{query}"))
    }

    /// 303 to a path on this host.
    pub(super) fn see(&self, path: &str) -> Response {
        see(path)
    }

    /// A refusal that needs only a sentence.
    pub(super) fn refusal(&self, status: StatusCode, title: &'static str, text: String, back: &str) -> Response {
        self.page(&OperatorsPage::Message(MessagePage { status, title, text, href: back.to_owned(), link: "Back" }))
    }

    /// Something could not be told or done; logged here.
    pub(super) fn failed(&self, error: &OperationError) -> Response {
        tracing::error!(cause = chain(error), "an operator's request could not be answered");
        unavailable(&self.desk, &self.context)
    }

    /// There is no account of this name.
    pub(super) fn no_account(&self) -> Response {
        self.refusal(StatusCode::NOT_FOUND, "Not found", "There is no account of this name.".to_owned(), "/")
    }

    fn client(&self) -> Client {
        let agent = self.headers.get(USER_AGENT);
        let user_agent =
            agent.map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(200).collect::<String>());
        Client { address: self.context.client_address, user_agent, request_id: self.context.request_id.to_string() }
    }
}

impl Submission {
    /// Opens the form when its token belongs to the operator's session.
    pub(super) fn open(self) -> (Visit, Result<Form, StaleForm>) {
        let Self { visit, form } = self;
        let opened = form.check(visit.login().signing_keys(), visit.session.id.bytes());
        (visit, opened)
    }
}

impl FromRequestParts<Arc<Desk>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Response> {
        Self::new(desk, parts).await
    }
}

impl FromRequest<Arc<Desk>> for Submission {
    type Rejection = Response;

    async fn from_request(request: Request, desk: &Arc<Desk>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let visit = Visit::new(desk, &parts).await?;
        let too_large = |visit: &Visit| {
            let text = "The form is too large. Nothing was done.".to_owned();
            visit.refusal(StatusCode::PAYLOAD_TOO_LARGE, "Not done", text, "/")
        };
        let Ok(body) = to_bytes(body, crate::pages::form::MAX_BYTES).await else {
            return Err(too_large(&visit));
        };
        match UncheckedForm::read(&parts.headers, &body, &visit.context.origin) {
            Ok(form) => Ok(Self { visit, form }),
            Err(refusal) => {
                tracing::info!(reason = ?refusal, path = parts.uri.path(), "a form was not read");
                let text = "This form did not come from these pages. Nothing was done.".to_owned();
                Err(visit.refusal(refusal.page().status(), "Not done", text, "/"))
            }
        }
    }
}

/// GET: asks for another sign-in.
pub(super) async fn ask_again(visit: Visit) -> Response {
    let return_to = ReturnPath::parse_or_root(Some(&visit.query(paths::RETURN_TO)));
    visit.page(&OperatorsPage::SignInAgain { return_to: return_to.as_str().to_owned() })
}

/// POST: ends this session, and on to the sign-in page, which leads back.
pub(super) async fn again(submission: Submission) -> Response {
    let (visit, opened) = submission.open();
    let form = match opened {
        Ok(form) => form,
        Err(stale) => {
            let return_to = ReturnPath::parse_or_root(Some(stale.shown_again(paths::RETURN_TO)));
            return visit.page(&OperatorsPage::SignInAgain { return_to: return_to.as_str().to_owned() });
        }
    };
    let return_to = ReturnPath::parse_or_root(Some(form.field(paths::RETURN_TO)));
    if visit.login().sign_out(visit.session.clone(), visit.client()).await.is_err() {
        return unavailable(&visit.desk, &visit.context);
    }
    let names = CookieNames::of_operators(visit.context.origin.scheme());
    with_cookie(see(&return_to.sign_in_url()), names.delete(names.session))
}

/// 404, for every path that no page has.
pub(super) async fn not_found(visit: Visit) -> Response {
    visit.refusal(StatusCode::NOT_FOUND, "Not found", "There is no page here.".to_owned(), "/")
}

/// 405. axum adds the `Allow` field.
pub(super) async fn method_not_allowed(visit: Visit) -> Response {
    visit.refusal(StatusCode::METHOD_NOT_ALLOWED, "Not possible", "This page does not work so.".to_owned(), "/")
}

/// Nobody who may see anything here: on to the sign-in page, or 401 where a form was sent.
fn sign_in(desk: &Desk, context: &RequestContext, parts: &Parts) -> Response {
    let target = parts.uri.path_and_query().map(|target| target.as_str());
    let is_get = matches!(parts.method, Method::GET | Method::HEAD);
    let return_to = ReturnPath::parse_or_root(target.filter(|_| is_get));
    let response = if is_get {
        see(&return_to.sign_in_url())
    } else {
        let text = "You are not signed in any more. Nothing was done.".to_owned();
        let href = return_to.sign_in_url();
        let page =
            MessagePage { status: StatusCode::UNAUTHORIZED, title: "Not done", text, href, link: "Sign in again" };
        stranger_page(desk, context, page)
    };
    // a cookie that is none would keep the sign-in page sending back here
    let names = CookieNames::of_operators(context.origin.scheme());
    with_cookie(response, names.delete(names.session))
}

fn unavailable(desk: &Desk, context: &RequestContext) -> Response {
    let text =
        "The accounts do not answer at the moment. Nothing was done as far as can be told: look before you try again.";
    let page = MessagePage {
        status: StatusCode::SERVICE_UNAVAILABLE,
        title: "Not available",
        text: text.to_owned(),
        href: "/".to_owned(),
        link: "Try again",
    };
    stranger_page(desk, context, page)
}

fn stranger_page(desk: &Desk, context: &RequestContext, page: MessagePage) -> Response {
    let request_id = context.request_id.to_string();
    let chrome = OperatorsChrome { site: &desk.look, operator: None, csrf: "", request_id: &request_id };
    operators::answer(&OperatorsPage::Message(page), &chrome).map(Body::from)
}

fn see(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    security_headers::put(headers);
    // whatever is not a header value is no path of ours
    headers.insert(LOCATION, HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/")));
    response
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
