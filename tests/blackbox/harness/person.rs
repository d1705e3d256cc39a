//! Someone with a browser that has no JavaScript: keeps cookies, fills in the forms that stand on the page, follows no
//! redirect unless told to.

use super::evidence::Evidence;
use super::html::{self, Form};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Person {
    client: reqwest::Client,
    /// What the address bar shows: scheme, host and port.
    site: String,
    /// Where the connection goes.
    port: u16,
    cookies: Arc<Mutex<Vec<Cookie>>>,
    evidence: Arc<Evidence>,
    headers: HeaderMap,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    path: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Path and query that were asked for.
    pub(crate) asked: String,
}

impl Person {
    pub(crate) fn new(site: &str, port: u16, evidence: Arc<Evidence>) -> Self {
        Self {
            client: client(),
            site: site.to_owned(),
            port,
            cookies: Arc::default(),
            evidence,
            headers: HeaderMap::new(),
        }
    }

    /// Over TLS, with the protocol that both sides like best; trusts this authority alone.
    pub(crate) fn over_tls(site: &str, port: u16, authority: &Path, evidence: Arc<Evidence>) -> Self {
        Self { client: trusting(site, port, authority), ..Self::new(site, port, evidence) }
    }

    /// The same person with the same cookies, whose connections go to another node.
    pub(crate) fn at_port(&self, port: u16) -> Self {
        Self { port, ..self.clone() }
    }

    /// The same browser at another site: cookies are kept by host, so they are not taken along.
    pub(crate) fn at_site(&self, site: &str) -> Self {
        Self { site: site.to_owned(), cookies: Arc::default(), ..self.clone() }
    }

    /// The same cookies now, a life of its own from here (a stolen cookie, a second tab of another browser).
    pub(crate) fn copy(&self) -> Self {
        Self { cookies: Arc::new(Mutex::new(self.cookies.lock().unwrap().clone())), client: client(), ..self.clone() }
    }

    /// Sends a header with every request (a language, a forwarded address).
    #[must_use]
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// Opens a page, as typed into the address bar.
    pub(crate) async fn open(&self, target: &str) -> Answer {
        self.send(Method::GET, target, &navigation(), None).await
    }

    /// Opens a page and goes on to wherever it sends, as a browser would (at most ten times, on this site only).
    pub(crate) async fn follow(&self, target: &str) -> Answer {
        let first = self.open(target).await;
        self.follow_from(first).await
    }

    /// Goes on from an answer that redirects; any other is given back.
    pub(crate) async fn follow_from(&self, answer: Answer) -> Answer {
        let mut answer = answer;
        for _ in 0..10 {
            let Some(location) = answer.location() else {
                return answer;
            };
            let target = self.target_on_this_site(&location, &answer.asked);
            answer = self.open(&target).await;
        }
        panic!("redirects without end, the last to {:?}", answer.location());
    }

    /// What a script of the page would fetch.
    pub(crate) async fn fetch(&self, target: &str) -> Answer {
        let headers = [
            ("accept", "*/*"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send(Method::GET, target, &headers, None).await
    }

    /// Posts fields as a form of this site would.
    pub(crate) async fn post(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.try_post(target, fields).await.unwrap_or_else(|error| panic!("{target}: {error:?}"))
    }

    /// As `post`, for when the connection may break.
    pub(crate) async fn try_post(&self, target: &str, fields: &[(&str, &str)]) -> Result<Answer, reqwest::Error> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut headers = navigation();
        headers.push(("content-type", "application/x-www-form-urlencoded"));
        headers.push(("origin", &self.site));
        headers.push(("sec-fetch-site", "same-origin"));
        self.try_send(Method::POST, target, &headers, Some(body.into_bytes())).await
    }

    /// Fills in a form and sends it: what is not named keeps the value that stood on the page.
    pub(crate) async fn submit(&self, form: &Form, page: &str, typed: &[(&str, &str)]) -> Answer {
        self.try_submit(form, page, typed).await.unwrap_or_else(|error| panic!("the form on {page}: {error:?}"))
    }

    /// As `submit`, for when the connection may break.
    pub(crate) async fn try_submit(
        &self,
        form: &Form,
        page: &str,
        typed: &[(&str, &str)],
    ) -> Result<Answer, reqwest::Error> {
        let mut fields = form.fields.clone();
        for (name, value) in typed {
            let field = fields.iter_mut().find(|(own, _)| own == name);
            let field = field.unwrap_or_else(|| panic!("the form has no field {name}: {form:?}"));
            field.1 = (*value).to_owned();
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let target =
            if form.action.is_empty() { page.to_owned() } else { self.target_on_this_site(&form.action, page) };
        self.try_post(&target, &fields).await
    }

    /// Any request, with the cookies of this person, and nothing else added but what `with_header` said.
    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        self.try_send(method, target, headers, body).await.unwrap_or_else(|error| panic!("{target}: {error:?}"))
    }

    /// As `send`, for when the connection may break.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let response = self.begin(method, target, headers, body).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await?.to_vec();
        let answer = Answer { status, headers, body, asked: target.to_owned() };
        self.evidence.saw_answer(&answer);
        Ok(answer)
    }

    /// As `send`, but the body is left to come (an event stream, a download).
    pub(crate) async fn begin(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<reqwest::Response, reqwest::Error> {
        assert!(target.starts_with('/'), "not a path: {target}");
        let request = match self.site.starts_with("https:") {
            // the client knows where that is, and says the host itself
            true => self.client.request(method, format!("{}{target}", self.site)),
            false => self
                .client
                .request(method, format!("http://127.0.0.1:{}{target}", self.port))
                .header("host", self.host()),
        };
        let mut request = request.headers(self.headers.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookies) = self.cookie_header(target) {
            request = request.header("cookie", cookies);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await?;
        self.keep_cookies(response.headers());
        Ok(response)
    }

    /// Host and port as in the address bar.
    pub(crate) fn host(&self) -> &str {
        self.site.split_once("://").map_or(self.site.as_str(), |(_, host)| host)
    }

    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn cookies(&self) -> Vec<Cookie> {
        self.cookies.lock().unwrap().clone()
    }

    /// What `with_header` said.
    pub(crate) fn lasting_headers(&self) -> Vec<(String, String)> {
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        self.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    /// The value of a cookie by the name without its prefix.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let prefixed = format!("__Host-{name}");
        self.cookies()
            .into_iter()
            .find(|cookie| cookie.name == name || cookie.name == prefixed)
            .map(|cookie| cookie.value)
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.retain(|cookie| cookie.name != name);
        cookies.push(Cookie { name: name.to_owned(), value: value.to_owned(), path: "/".to_owned() });
    }

    /// As a browser that does not keep the cookie of this name.
    pub(crate) fn drop_cookie(&self, name: &str) {
        self.cookies.lock().unwrap().retain(|cookie| cookie.name != name);
    }

    pub(crate) fn forget_cookies(&self) {
        self.cookies.lock().unwrap().clear();
    }

    /// The `Cookie` header for a path; `None` without cookies.
    pub(crate) fn cookie_header(&self, target: &str) -> Option<String> {
        let cookies = self.cookies.lock().unwrap();
        let sent: Vec<String> = cookies
            .iter()
            .filter(|cookie| target.starts_with(&cookie.path))
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!sent.is_empty()).then(|| sent.join("; "))
    }

    fn keep_cookies(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for header in headers.get_all("set-cookie") {
            let parsed = cookie::Cookie::parse(header.to_str().unwrap().to_owned()).unwrap();
            cookies.retain(|own| own.name != parsed.name());
            let dead = parsed.max_age().is_some_and(|age| !age.is_positive())
                || parsed.expires_datetime().is_some_and(|end| end.unix_timestamp() < 1_000_000_000);
            if dead {
                continue;
            }
            self.evidence.saw_cookie(parsed.name(), parsed.value());
            cookies.push(Cookie {
                name: parsed.name().to_owned(),
                value: parsed.value().to_owned(),
                path: parsed.path().unwrap_or("/").to_owned(),
            });
        }
    }

    #[track_caller]
    fn target_on_this_site(&self, location: &str, page: &str) -> String {
        let base = url::Url::parse(&format!("{}{page}", self.site)).unwrap();
        let url = base.join(location).unwrap();
        assert_eq!(url.origin(), base.origin(), "led away from the site, to {location}");
        url[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What a reader sees of the page.
    pub(crate) fn reads(&self) -> String {
        html::text(&self.text())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    /// The value of a header; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn location(&self) -> Option<String> {
        self.headers.get("location").map(|value| value.to_str().unwrap().to_owned())
    }

    /// The form that has a field, with that page's address to send it from.
    #[track_caller]
    pub(crate) fn form_with(&self, field: &str) -> Form {
        html::forms(&self.text())
            .into_iter()
            .find(|form| form.fields.iter().any(|(name, _)| name == field))
            .unwrap_or_else(|| panic!("no form with {field} on {} ({}): {}", self.asked, self.status, self.reads()))
    }

    /// The form that goes to a path.
    #[track_caller]
    pub(crate) fn form_to(&self, path: &str) -> Form {
        html::forms(&self.text())
            .into_iter()
            .find(|form| form.action.split('?').next() == Some(path))
            .unwrap_or_else(|| panic!("no form to {path} on {} ({}): {}", self.asked, self.status, self.reads()))
    }

    pub(crate) fn has_form_with(&self, field: &str) -> bool {
        html::forms(&self.text()).iter().any(|form| form.fields.iter().any(|(name, _)| name == field))
    }

    /// Panics with the whole answer unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {:#?}\n{}", self.asked, self.headers, self.text());
        self
    }
}

fn navigation() -> Vec<(&'static str, &'static str)> {
    vec![
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ]
}

/// One provider for the whole test process.
pub(crate) fn install_provider() {
    static PROVIDER: LazyLock<()> = LazyLock::new(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    LazyLock::force(&PROVIDER);
}

fn client() -> reqwest::Client {
    builder().http1_only().build().unwrap()
}

fn builder() -> reqwest::ClientBuilder {
    install_provider();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(60))
}

fn trusting(site: &str, port: u16, authority: &Path) -> reqwest::Client {
    let url = url::Url::parse(site).unwrap();
    let authority = reqwest::Certificate::from_pem(&std::fs::read(authority).unwrap()).unwrap();
    builder()
        .tls_certs_only([authority])
        .resolve(url.host_str().unwrap(), ([127, 0, 0, 1], port).into())
        .build()
        .unwrap()
}
