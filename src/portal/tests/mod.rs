//! What a browser and a script see of a sign-in, over the router and an outside in memory. Here: the browser that the tests drive. Floor: edge.

mod account;
mod account_number;
mod codes;
mod edges;
mod no_exemption;
mod sign_in;
mod tickets;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt as _;

use super::fakes::{Outside, PASSWORD};
use super::{Portal, guarded, pages};
use crate::domain::keys::Keys;
use crate::domain::language::Language;
use crate::domain::limits::{CodeAttemptCaps, PasswordAttemptCaps, Rate, SendCaps, UnfinishedCaps};
use crate::domain::password::PasswordRules;
use crate::domain::pending::Activation;
use crate::domain::phone::Country;
use crate::domain::secret::SecretBytes;
use crate::domain::session::SessionLifetimes;
use crate::domain::site::SiteName;
use crate::login::ports::Clock as _;
use crate::login::sending::SendingSettings;
use crate::login::sending::ports::RestRules;
use crate::login::sessions::{SessionRules, Sessions};
use crate::login::silent_feed::SilentFeed;
use crate::login::tickets::TicketPolicy;
use crate::login::{Audience, Login, LoginSettings, NetworkCaps, PhonePolicy, Ports};
use crate::pages::look::{LookSettings, SiteLook};
use crate::web::origin::Origin;
use crate::web::request_context::RequestContext;
use crate::web::request_id::RequestId;

const SECOND: Duration = Duration::from_secs(1);

/// A browser without JavaScript: it keeps cookies, and sends a page's own form with its hidden fields.
struct Browser {
    router: Router,
    portal: Arc<Portal>,
    outside: Arc<Outside>,
    sessions: Arc<Sessions>,
    cookies: BTreeMap<String, String>,
    language: &'static str,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Browser {
    async fn at(activation: Activation) -> Self {
        Self::with(activation, settings()).await
    }

    async fn with(activation: Activation, settings: LoginSettings) -> Self {
        let outside = Outside::new();
        let keys = Arc::new(keys());
        let lifetimes = SessionLifetimes { idle: 3600 * SECOND, absolute: 36_000 * SECOND };
        let sessions = Arc::new(Sessions::new(
            SessionRules { keys: Arc::clone(&keys), lifetimes, grace: 86_400 * SECOND },
            activation,
        ));
        sessions.listen(&SilentFeed, 0, outside.now()).await.unwrap();
        let ports = Ports {
            pending: Arc::clone(&outside) as _,
            limits: Arc::clone(&outside) as _,
            ledger: Arc::clone(&outside) as _,
            send_ledger: Arc::clone(&outside) as _,
            breakers: Arc::clone(&outside) as _,
            own_account: Arc::clone(&outside) as _,
            tickets: Arc::clone(&outside) as _,
            passwords: Arc::clone(&outside) as _,
            senders: vec![Arc::clone(&outside) as _],
            texts: Arc::clone(&outside) as _,
            clock: Arc::clone(&outside) as _,
        };
        let runtime = tokio::runtime::Handle::current();
        let login = Login::new(ports, settings, Arc::clone(&keys), keys, Arc::clone(&sessions), runtime);
        let look = SiteLook::new(LookSettings {
            name: "Acme".to_owned(),
            languages: Language::ALL.to_vec(),
            support: Some("helpdesk@example.com".to_owned()),
            password_help: None,
            accent: None,
            logo: None,
        });
        let looks = HashMap::from([(SiteName::new("acme"), Arc::new(look))]);
        let portal = Arc::new(Portal { login, looks, asserting: HashSet::from([SiteName::new("acme")]) });
        let router = guarded(pages(), Arc::clone(&portal));
        Self { router, portal, outside, sessions, cookies: BTreeMap::new(), language: "en" }
    }

    async fn active() -> Self {
        Self::at(Activation::Active).await
    }

    /// Another browser, with the same outside and no cookies.
    fn another(&self) -> Self {
        Self {
            router: self.router.clone(),
            portal: Arc::clone(&self.portal),
            outside: Arc::clone(&self.outside),
            sessions: Arc::clone(&self.sessions),
            cookies: BTreeMap::new(),
            language: self.language,
        }
    }

    async fn ask(&mut self, request: http::request::Builder, body: String) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let context = RequestContext {
            request_id: RequestId::fresh(),
            client_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            site: SiteName::new("acme"),
            origin: Origin::parse("https://app.example.com").unwrap(),
        };
        let request = request
            .header(COOKIE, cookies.join("; "))
            .header("accept-language", self.language)
            .extension(context)
            .body(Body::from(body))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.ask(Request::get(path), String::new()).await
    }

    /// As a browser sends it.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(request, body).await
    }

    /// Opens a page and sends its form with these fields.
    async fn fill(&mut self, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.get(page).await.field("csrf");
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.post(to, &fields).await
    }

    async fn password(&mut self, user_name: &str) -> Answer {
        let fields = [("username", user_name), ("password", PASSWORD), ("return_to", "/a?b=c#d")];
        self.fill("/.vestibule/login", "/.vestibule/login", &fields).await
    }

    async fn code(&mut self, code: &str) -> Answer {
        self.fill("/.vestibule/code", "/.vestibule/code", &[("code", code)]).await
    }

    async fn signed_in() -> Self {
        let mut browser = Self::active().await;
        assert_eq!(browser.password("anna").await.leads_to(), "/.vestibule/code");
        let code = browser.outside.last_code();
        assert_eq!(browser.code(&code).await.leads_to(), "/a?b=c#d");
        browser
    }
}

impl Answer {
    fn leads_to(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[LOCATION].to_str().unwrap()
    }

    fn field(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| {
            panic!("no {name} in {}: {}", self.status, self.body);
        });
        rest[..rest.find('"').unwrap()].replace("&amp;", "&")
    }

    fn says(&self, text: &str) -> bool {
        self.body.contains(text)
    }
}

fn keys() -> Keys {
    Keys::new(&[SecretBytes::new(vec![1; 32])]).unwrap()
}

fn settings() -> LoginSettings {
    let often = Rate { count: 1000, window: 60 * SECOND };
    LoginSettings {
        audience: Audience::Users,
        phone_policy: PhonePolicy::SelfRegistered(TicketPolicy::Off),
        announcement: None,
        accounts_per_number: 1,
        code_length: 6,
        code_lifetime: 300 * SECOND,
        login_lifetime: 600 * SECOND,
        resend_waits: vec![30 * SECOND],
        code_attempts: CodeAttemptCaps { per_login: 5, per_hour: 10, in_a_row: 50, per_30_days: 200 },
        password_attempts: PasswordAttemptCaps {
            free: 4,
            first_wait: 30 * SECOND,
            longest_wait: 3600 * SECOND,
            in_a_row: 100,
        },
        sending: SendingSettings {
            caps: SendCaps::ROOMY,
            orders: Vec::new(),
            rests: RestRules { failures: 5, within: 60 * SECOND, rest: 60 * SECOND },
            time_limit: 10 * SECOND,
            app_names: vec![(SiteName::new("acme"), "Acme".to_owned())],
        },
        networks: NetworkCaps {
            failures: often,
            unfinished: UnfinishedCaps { settle_after: 600 * SECOND, never_completed: 20, under_way: 500 },
            wider_factor: 5,
        },
        countries: vec![Country::parse("BE").unwrap(), Country::parse("NL").unwrap()],
        tick: Duration::from_millis(1),
        password_rules: PasswordRules::default(),
        site_names: vec!["Acme".to_owned()],
    }
}
