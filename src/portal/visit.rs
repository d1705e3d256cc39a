//! One request to a page of ours: whose site, which language, which cookies; and how a page becomes its answer.
//!
//! Floor: edge.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, LOCATION, SET_COOKIE, USER_AGENT,
};
use http::request::Parts;
use http::{Method, StatusCode, Uri};

use super::Portal;
use crate::domain::language::Language;
use crate::domain::pending::LoginHandle;
use crate::domain::session::Session;
use crate::domain::site::SiteName;
use crate::login::sessions::{NoSession, SessionCheck};
use crate::login::{Audience, Client, Login};
use crate::pages::circle::{CircleCause, CirclePage};
use crate::pages::form::{Form, FormRefusal, StaleForm, UncheckedForm};
use crate::pages::language_choice;
use crate::pages::look::SiteLook;
use crate::pages::own::OwnPage;
use crate::pages::page::{Chrome, CodeFor, Message, MessageKind, Page};
use crate::pages::render::{self, LANGUAGE_FIELD};
use crate::pages::security_headers;
use crate::web::bounces::{Bounces, Hop};
use crate::web::cookies::{self, CookieNames, CookieRead};
use crate::web::paths;
use crate::web::request_context::RequestContext;
use crate::web::return_path::ReturnPath;

/// One request to a page of ours.
#[derive(Debug)]
pub(super) struct Visit {
    portal: Arc<Portal>,
    pub(super) context: RequestContext,
    pub(super) look: Arc<SiteLook>,
    pub(super) language: Language,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

/// A form that was sent to a page of ours, and is not from another site.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) visit: Visit,
    pub(super) form: UncheckedForm,
}

impl Visit {
    fn new(portal: Arc<Portal>, parts: &Parts) -> Option<Self> {
        let context = parts.extensions.get::<RequestContext>()?.clone();
        let look = Arc::clone(portal.looks.get(&context.site)?);
        let asked = query_field(&parts.uri, LANGUAGE_FIELD);
        let cookie = cookies::read(&parts.headers, language_choice::COOKIE).one();
        let browser = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = language_choice::choose(look.languages(), asked.as_deref(), cookie, browser);
        Some(Self {
            portal,
            context,
            look,
            language,
            method: parts.method.clone(),
            uri: parts.uri.clone(),
            headers: parts.headers.clone(),
        })
    }

    pub(super) fn login(&self) -> &Arc<Login> {
        &self.portal.login
    }

    pub(super) fn client(&self) -> Client {
        let user_agent = self
            .headers
            .get(USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).chars().take(200).collect());
        Client { address: self.context.client_address, user_agent, request_id: self.context.request_id.to_string() }
    }

    /// A field of the query; the first of that name.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        query_field(&self.uri, name)
    }

    /// What the session cookie is worth at this site.
    pub(super) fn session(&self) -> SessionCheck {
        match cookies::read(&self.headers, self.cookie_names().session) {
            CookieRead::One(value) => self.login().sessions().check(value, &self.context.site, self.login().now()),
            CookieRead::Absent => SessionCheck::None(NoSession::Absent),
            CookieRead::Doubled => SessionCheck::None(NoSession::Doubled),
        }
    }

    /// Whether the upstream of this site gets a signed assertion.
    pub(super) fn is_asserting(&self) -> bool {
        self.portal.asserting.contains(&self.context.site)
    }

    /// What people call a site.
    pub(super) fn site_name(&self, site: &SiteName) -> String {
        self.portal.looks.get(site).map_or_else(|| site.as_str().to_owned(), |look| look.name().to_owned())
    }

    /// What the login cookie holds; `None` when there is none of the right form.
    pub(super) fn handle(&self) -> Option<LoginHandle> {
        cookies::read(&self.headers, self.cookie_names().login).one().and_then(LoginHandle::from_cookie)
    }

    pub(super) fn cookie_names(&self) -> CookieNames {
        let scheme = self.context.origin.scheme();
        match self.login().settings().audience {
            Audience::Users => CookieNames::of(scheme),
            Audience::Operators => CookieNames::of_operators(scheme),
        }
    }

    /// A page without a form.
    pub(super) fn page(&self, page: &Page) -> Response {
        self.page_with_token(page, "")
    }

    /// A page whose forms are bound to `bound_to`.
    pub(super) fn form_page(&self, page: &Page, bound_to: &[u8]) -> Response {
        self.page_with_token(page, &self.login().signing_keys().form_token(bound_to))
    }

    fn page_with_token(&self, page: &Page, csrf: &str) -> Response {
        let here = self.here(page);
        let request_id = self.context.request_id.to_string();
        let chrome =
            Chrome { site: &self.look, language: self.language, csrf, request_id: &request_id, here: Some(&here) };
        render::answer(page, &chrome).map(Body::from)
    }

    /// A message of the given kind.
    pub(super) fn message(&self, kind: MessageKind) -> Response {
        let is_get = matches!(self.method, Method::GET | Method::HEAD);
        let again_href = if is_get { self.path_and_query() } else { paths::LOGIN.to_owned() };
        self.page(&Page::Message(Message { kind, again_href: Some(again_href) }))
    }

    /// 303 to a path on this host.
    pub(super) fn see(&self, path: &str) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        security_headers::put(headers);
        // whatever is not a header value is no path of ours
        headers.insert(LOCATION, HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/")));
        response
    }

    /// How often this browser was sent on lately.
    pub(super) fn bounces(&self) -> Bounces {
        Bounces::read(&self.headers, self.cookie_names())
    }

    /// 303 to the page that somebody who is signed in came here for, unless it keeps sending back.
    pub(super) fn on_to(&self, return_to: &ReturnPath) -> Response {
        let bounces = self.bounces();
        if bounces.is_circle() {
            return self.circle(CircleCause::Application, return_to.as_str());
        }
        with_cookies(self.see(return_to.as_str()), [bounces.one_more(Hop::Answer, self.cookie_names())])
    }

    /// The page for somebody who comes back again and again. Counting begins anew with it.
    pub(super) fn circle(&self, cause: CircleCause, again_href: &str) -> Response {
        let request_id = self.context.request_id;
        let (site, client) = (self.context.site.as_str(), self.context.client_address);
        tracing::warn!(request = %request_id, site, %client, reason = cause.name(), "a sign-in goes round in a circle");
        let page = self.page(&Page::Circle(CirclePage { cause, again_href: again_href.to_owned() }));
        with_cookies(page, [self.bounces().forget(self.cookie_names())])
    }

    /// Why no login can be named, when that is so although a cookie was given.
    pub(super) fn login_cookie_problem(&self) -> CircleCause {
        match cookies::read(&self.headers, self.cookie_names().login) {
            CookieRead::Doubled => CircleCause::DoubledCookie,
            CookieRead::Absent | CookieRead::One(_) => CircleCause::CookiesNotSent,
        }
    }

    /// 303 to where a person goes after signing in, with the cookie of the new session and without that of the login.
    pub(super) async fn signed_in(&self, session: &Session, return_path: &str) -> Response {
        // a browser holds one session of a site: the one whose cookie is replaced here would live on unseen
        if let SessionCheck::Live(before) | SessionCheck::StepUp(before) = self.session()
            && before.id != session.id
            && self.login().sign_out(Arc::unwrap_or_clone(before), self.client()).await.is_err()
        {
            tracing::warn!("the session before this one could not be ended; it ends by itself");
        }
        let return_path = ReturnPath::parse_or_root(Some(return_path));
        let names = self.cookie_names();
        let cookie = names.set(names.session, &self.login().sessions().cookie(session));
        let bounces = self.bounces().one_more(Hop::SignIn, names);
        with_cookies(self.see(return_path.as_str()), [bounces, cookie, names.delete(names.login)])
    }

    /// The answer with the cookie that names the pending login.
    pub(super) fn with_login_cookie(&self, response: Response, handle: &LoginHandle) -> Response {
        let names = self.cookie_names();
        with_cookies(response, [names.set(names.login, &handle.to_cookie())])
    }

    /// The page for links in other languages: the one that a GET shows again.
    fn here(&self, page: &Page) -> String {
        match (page, &self.method) {
            (_, &Method::GET | &Method::HEAD) => self.path_and_query(),
            (Page::Login(page), _) => ReturnPath::parse_or_root(Some(&page.return_to)).sign_in_url(),
            (Page::Code(page), _) => match page.owed_for {
                CodeFor::SignIn => paths::CODE.to_owned(),
                CodeFor::OldNumber | CodeFor::NewNumber => paths::ACCOUNT_PHONE.to_owned(),
            },
            (Page::NewPassword(_), _) => paths::NEW_PASSWORD.to_owned(),
            (Page::Own(OwnPage::Account(_)), _) => paths::ACCOUNT.to_owned(),
            (Page::Own(OwnPage::Password(_)), _) => paths::ACCOUNT_PASSWORD.to_owned(),
            (Page::Own(OwnPage::NumberPassword(_)), _) => paths::ACCOUNT_PHONE.to_owned(),
            (Page::Own(OwnPage::NewNumber(_)), _) => paths::ACCOUNT_PHONE_NUMBER.to_owned(),
            _ => paths::LOGIN.to_owned(),
        }
    }

    fn path_and_query(&self) -> String {
        self.uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
    }
}

impl Submission {
    /// Opens the form when its token belongs to the login cookie of this browser.
    pub(super) fn of_login(self) -> (Visit, Result<(Form, LoginHandle), StaleForm>) {
        let Self { visit, form } = self;
        let handle = visit.handle();
        let opened = match handle {
            Some(handle) => form.check(visit.login().signing_keys(), handle.bytes()).map(|form| (form, handle)),
            None => Err(form.stale()),
        };
        if opened.is_err() {
            tracing::info!(reason = "form_token", path = visit.uri.path(), "a form was not taken");
        }
        (visit, opened)
    }

    /// Whether the form's token belongs to `session`.
    pub(super) fn is_of_session(&self, session: &Session) -> bool {
        self.form.is_bound_to(self.visit.login().signing_keys(), session.id.bytes())
    }

    /// Opens the form when its token belongs to `session`.
    pub(super) fn of_session(self, session: &Session) -> (Visit, Result<Form, StaleForm>) {
        let Self { visit, form } = self;
        let checked = form.check(visit.login().signing_keys(), session.id.bytes());
        (visit, checked)
    }
}

impl FromRequestParts<Arc<Portal>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, portal: &Arc<Portal>) -> Result<Self, Response> {
        Self::new(Arc::clone(portal), parts).ok_or_else(not_from_the_gateway)
    }
}

impl FromRequest<Arc<Portal>> for Submission {
    type Rejection = Response;

    async fn from_request(request: Request, portal: &Arc<Portal>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let visit = Visit::new(Arc::clone(portal), &parts).ok_or_else(not_from_the_gateway)?;
        let Ok(body) = to_bytes(body, crate::pages::form::MAX_BYTES).await else {
            return Err(visit.message(MessageKind::TooLarge));
        };
        match UncheckedForm::read(&parts.headers, &body, &visit.context.origin) {
            Ok(form) => Ok(Self { visit, form }),
            Err(refusal) => {
                tracing::info!(reason = ?refusal, path = parts.uri.path(), "a form was not read");
                if refusal == FormRefusal::OverHttp {
                    return Err(visit.circle(CircleCause::PageOverHttp, paths::LOGIN));
                }
                Err(visit.message(refusal.page()))
            }
        }
    }
}

/// Adds `Set-Cookie` fields.
pub(super) fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = Option<HeaderValue>>) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// 404, for everything under our prefix that no route has.
pub(super) async fn not_found(visit: Visit) -> Response {
    visit.message(MessageKind::NotFound)
}

/// 405. axum adds the `Allow` field.
pub(super) async fn method_not_allowed(visit: Visit) -> Response {
    visit.message(MessageKind::Method)
}

/// `?lang=nl` in the URL of a page: remembered in a cookie, and on to the same page without it.
pub(super) async fn choose_language(State(portal): State<Arc<Portal>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let is_get = matches!(parts.method, Method::GET | Method::HEAD);
    let asked = query_field(&parts.uri, LANGUAGE_FIELD).filter(|_| is_get);
    if let (Some(_), Some(visit)) = (asked, Visit::new(portal, &parts)) {
        let rest = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query_fields(&parts.uri).filter(|(name, _)| name != LANGUAGE_FIELD))
            .finish();
        let path = parts.uri.path();
        let target = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
        let cookie =
            HeaderValue::from_str(&language_choice::remember(visit.language, visit.context.origin.scheme())).ok();
        return with_cookies(visit.see(&target), [cookie]);
    }
    next.run(Request::from_parts(parts, body)).await
}

/// A handler that panics becomes a page with a reference, not a dropped connection.
pub(super) async fn catch_panic(State(portal): State<Arc<Portal>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let visit = Visit::new(portal, &parts);
    let request_id = parts.extensions.get::<RequestContext>().map(|context| context.request_id.to_string());
    let answered = AssertUnwindSafe(next.run(Request::from_parts(parts, body))).catch_unwind().await;
    let mut response = match (answered, visit) {
        (Ok(response), _) => response,
        (Err(_panic), Some(visit)) => {
            tracing::error!(path = visit.uri.path(), "a page of ours panicked");
            visit.message(MessageKind::Internal)
        }
        (Err(_panic), None) => not_from_the_gateway(),
    };
    if let Some(request_id) = request_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), request_id);
    }
    response
}

/// Nothing can be said of a request that did not come through the gateway: it has no site.
fn not_from_the_gateway() -> Response {
    tracing::error!("a page of ours was asked for without a site");
    (StatusCode::INTERNAL_SERVER_ERROR, [(CACHE_CONTROL, "no-store")]).into_response()
}

fn query_fields(uri: &Uri) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
}

fn query_field(uri: &Uri, name: &str) -> Option<String> {
    query_fields(uri).find(|(field, _)| field == name).map(|(_, value)| value.into_owned())
}
