//! What the operator decided, as each room wants to be told. Nothing is decided or checked here. Floor: roof.

use std::sync::Arc;
use std::time::Duration;

use super::hardening::most_open_files;
use crate::adapters::mail::{MailSettings, Security};
use crate::admin::operations::{EnrolmentPolicy, Policy};
use crate::config::admin::Admin;
use crate::config::listener::{Certificate, Listener, ProxyProtocol as ConfigProxyProtocol, Tls};
use crate::config::mail::Scheme as MailScheme;
use crate::config::open_files::OpenFiles;
use crate::config::portal::LogoFormat;
use crate::config::site::{Access as ConfigAccess, Route, Site};
use crate::config::sms::Sms;
use crate::config::two_factor::{PhoneNumbers, Ticket};
use crate::config::upstream::{self, Upstream};
use crate::config::{Config, TrustedProxiesHeader};
use crate::domain::language::Language;
use crate::domain::limits::{CodeAttemptCaps, ConversionRule, PasswordAttemptCaps, Rate, SendCaps, UnfinishedCaps};
use crate::domain::network::Networks;
use crate::domain::phone::Country;
use crate::domain::session::SessionLifetimes;
use crate::domain::site::SiteName;
use crate::gateway::route_rules::{Access, RouteRule, RouteRules, RuleScope, UpstreamName};
use crate::gateway::settings::{
    ASSERTION, AccessLog, CertificateFiles, ConnectionLimits, DownstreamTimeouts, GatewaySettings, Http2,
    IdentityHeaders, ListenerPurpose, ListenerSettings, MetricsAccess, ProxyProtocolUse, RequestLimits, SiteSettings,
    StrictTransport, TlsListener,
};
use crate::gateway::upstreams::settings::{UpstreamServer, UpstreamSettings};
use crate::login::sending::SendingSettings;
use crate::login::sending::ports::RestRules;
use crate::login::tickets::TicketPolicy;
use crate::login::{Announcement, Audience, LoginSettings, NetworkCaps, PhonePolicy};
use crate::pages::accent::Rgb;
use crate::pages::assets::AssetKind;
use crate::pages::look::LookSettings;
use crate::web::client_address::ForwardingHeader;
use crate::web::origin::Scheme;

const MINUTE: Duration = Duration::from_secs(60);
/// Answers of the password step come at multiples of this (design §5).
const TICK: Duration = Duration::from_millis(300);
/// All providers together may take so long for one SMS: a person waits for the page.
const SEND_TIME_LIMIT: Duration = Duration::from_secs(10);
/// Logins under way from one address: an office that begins its day. Our own figure: 300 people, with room.
const LOGINS_UNDER_WAY: u32 = 500;

/// How long sessions live.
pub(super) fn lifetimes(config: &Config) -> SessionLifetimes {
    SessionLifetimes { idle: config.session.idle_timeout, absolute: config.session.lifetime }
}

/// The figures of signing in.
pub(super) fn login(config: &Config) -> LoginSettings {
    let (code, limits) = (&config.two_factor.code, &config.limits);
    LoginSettings {
        audience: Audience::Users,
        phone_policy: match config.two_factor.phone_numbers {
            PhoneNumbers::PreRegistered => PhonePolicy::PreRegistered,
            PhoneNumbers::SelfRegistered => PhonePolicy::SelfRegistered(tickets(config)),
        },
        announcement: config
            .two_factor
            .announcement
            .map(|said| Announcement { from: said.from.begins(), activation: said.activation }),
        accounts_per_number: config.two_factor.enrolment.accounts_per_number,
        code_length: code.length,
        code_lifetime: code.lifetime,
        login_lifetime: config.two_factor.login_lifetime,
        resend_waits: code.resend_after.clone(),
        code_attempts: CodeAttemptCaps {
            per_login: code.attempts,
            per_hour: limits.code_failures.per_hour,
            in_a_row: limits.code_failures.in_a_row,
            per_30_days: limits.code_failures.per_30_days,
        },
        password_attempts: PasswordAttemptCaps {
            free: limits.password_failures.free,
            first_wait: limits.password_failures.first_wait,
            longest_wait: limits.password_failures.longest_wait,
            in_a_row: limits.password_failures.in_a_row,
        },
        sending: sending(config),
        networks: NetworkCaps {
            failures: Rate { count: limits.network.failures_minute, window: MINUTE },
            unfinished: UnfinishedCaps {
                settle_after: config.two_factor.login_lifetime,
                never_completed: limits.network.unfinished_sends_day,
                under_way: LOGINS_UNDER_WAY,
            },
            wider_factor: limits.network.wider_factor,
        },
        countries: config.sms.countries.clone(),
        tick: TICK,
        password_rules: config.passwords.rules,
        site_names: site_names(config),
    }
}

/// The figures of sending.
fn sending(config: &Config) -> SendingSettings {
    let (limits, breaker) = (&config.limits.sms, &config.sms.breaker);
    SendingSettings {
        caps: SendCaps {
            per_login: config.two_factor.code.sends,
            per_half_hour: limits.per_30m,
            per_day: limits.per_day,
            total_per_minute: limits.total_minute,
            total_per_day: limits.total_day,
            reserve_percent: limits.reserve_percent,
            prefix_per_ten_minutes: limits.per_prefix_10m,
            prefix_per_day: limits.per_prefix_day,
            dial_code_per_day: limits.per_dial_code_day,
            conversion: ConversionRule {
                least_judged: limits.conversion.least_sent,
                least_percent: limits.conversion.least_percent,
                block: limits.conversion.block,
            },
            guard: config.sms.guard,
        },
        orders: config.sms.orders.clone(),
        rests: RestRules { failures: breaker.failures, within: breaker.within, rest: breaker.rest },
        time_limit: SEND_TIME_LIMIT,
        app_names: config.sites.iter().map(|site| (SiteName::new(&site.name), site.portal.name.clone())).collect(),
    }
}

/// The mail server.
pub(super) fn mail(config: &Config) -> Option<MailSettings> {
    let mail = config.mail.as_ref()?;
    Some(MailSettings {
        security: match mail.server.scheme {
            MailScheme::Smtps => Security::Tls,
            MailScheme::Smtp if mail.server.is_on_loopback() && mail.ca_file.is_none() => Security::Plain,
            MailScheme::Smtp => Security::StartTls,
        },
        host: mail.server.host.clone(),
        port: mail.server.port,
        from: mail.from.clone(),
        login: mail.login.clone(),
        ca_file: mail.ca_file.clone(),
        timeout: mail.timeout,
    })
}

/// The name of the place where operators sign in, in sessions, logs and the audit trail. The configuration can give no site a name with this
/// character, so that a session of a site is never one here, nor the reverse.
pub(super) const OPERATORS: &str = "@operators";
/// What it calls itself.
pub(super) const OPERATORS_TITLE: &str = "Vestibule operators";

/// The figures of signing in as an operator.
pub(super) fn operators_login(config: &Config) -> LoginSettings {
    let app_names = vec![(SiteName::new(OPERATORS), OPERATORS_TITLE.to_owned())];
    LoginSettings {
        audience: Audience::Operators,
        sending: SendingSettings { app_names, ..sending(config) },
        ..login(config)
    }
}

/// The place where operators sign in, as the gateway serves it.
pub(super) fn operators_site(admin: &Admin) -> SiteSettings {
    SiteSettings {
        name: SiteName::new(OPERATORS),
        origin: admin.url.clone(),
        rules: RouteRules::new(Vec::new()),
        upstream: None,
        identity: IdentityHeaders::usual(),
        strict_transport: None,
    }
}

/// How its pages present themselves: in English only, as the operators' pages are.
pub(super) fn operators_look() -> LookSettings {
    LookSettings {
        name: OPERATORS_TITLE.to_owned(),
        languages: vec![Language::En],
        support: None,
        password_help: None,
        accent: None,
        logo: None,
    }
}

/// Where operators come in.
pub(super) fn operators_listener(admin: &Admin) -> ListenerSettings {
    ListenerSettings {
        address: admin.listen,
        purpose: match &admin.tls {
            Some(tls) => ListenerPurpose::Tls(tls_listener(tls)),
            None => ListenerPurpose::Plain,
        },
        proxy_protocol: ProxyProtocolUse::Off,
    }
}

/// What no new password is built on.
pub fn site_names(config: &Config) -> Vec<String> {
    let names = |site: &Site| [site.name.clone(), site.url.host().to_owned(), site.portal.name.clone()];
    config.sites.iter().flat_map(names).collect()
}

fn tickets(config: &Config) -> TicketPolicy {
    match config.two_factor.enrolment.ticket {
        Ticket::Off => TicketPolicy::Off,
        Ticket::Required => TicketPolicy::Required,
    }
}

/// What operations on accounts go by.
pub fn policy(config: &Config) -> Policy {
    Policy {
        countries: config.sms.countries.clone(),
        unserved_countries: unserved_countries(&config.sms),
        enrolment: match config.two_factor.phone_numbers {
            PhoneNumbers::PreRegistered => EnrolmentPolicy::PreRegistered,
            PhoneNumbers::SelfRegistered => {
                EnrolmentPolicy::SelfRegistered { window: config.two_factor.enrolment.window, ticket: tickets(config) }
            }
        },
        accounts_per_number: config.two_factor.enrolment.accounts_per_number,
        password_rules: config.passwords.rules,
        cost_cap: config.passwords.imported_cost_cap,
        site_names: site_names(config),
        one_time_lifetime: config.passwords.one_time_lifetime,
        operator_actions_per_hour: config.limits.operator_actions_hour,
        most_password_failures: config.limits.password_failures.in_a_row,
    }
}

/// None when the providers cannot be read, which is said apart.
fn unserved_countries(sms: &Sms) -> Vec<Country> {
    let is_unserved = |country: &&Country| !sms.providers.iter().any(|provider| provider.serves(**country));
    if sms.providers.is_empty() { Vec::new() } else { sms.countries.iter().filter(is_unserved).copied().collect() }
}

/// What the gateway serves.
pub(super) fn gateway(config: &Config) -> GatewaySettings {
    let (request, timeouts, connections) = (config.limits.request, config.timeouts, config.limits.connections);
    GatewaySettings {
        sites: config.sites.iter().map(|site| Arc::new(self::site(site))).collect(),
        upstreams: config.upstreams.iter().map(|(name, upstream)| upstream_settings(name, upstream)).collect(),
        trusted_proxies: Networks::new(config.trusted_proxies.clone()),
        forwarding_header: match config.trusted_proxies_header {
            TrustedProxiesHeader::XForwardedFor => ForwardingHeader::XForwardedFor,
            TrustedProxiesHeader::Forwarded => ForwardingHeader::Forwarded,
        },
        limits: RequestLimits {
            head_bytes: request.headers_bytes,
            fields: request.headers_count,
            target_bytes: request.target_bytes,
            portal_body_bytes: request.portal_body_bytes,
        },
        timeouts: DownstreamTimeouts {
            head: timeouts.head,
            keepalive: timeouts.keepalive,
            portal_body: timeouts.portal_body,
            public_body: timeouts.public_body,
            ..DownstreamTimeouts::default()
        },
        connections: ConnectionLimits {
            // the operator has been told, as a notice of the configuration
            total: connections.total.min(OpenFiles::shared_out(most_open_files()).connections),
            per_network: connections.per_network,
        },
        metrics: MetricsAccess {
            networks: Networks::new(config.metrics.networks.clone()),
            token: config.metrics.token.clone(),
        },
        access_log: if config.log.access { AccessLog::On } else { AccessLog::Off },
    }
}

/// A site, as the gateway and `explain` judge by it.
pub fn site(site: &Site) -> SiteSettings {
    let headers = &site.identity.headers;
    SiteSettings {
        name: SiteName::new(&site.name),
        origin: site.url.clone(),
        rules: rules(site),
        upstream: site.upstream.as_deref().map(UpstreamName::new),
        identity: IdentityHeaders {
            user: headers.user.clone(),
            email: headers.email.clone(),
            preferred_username: headers.preferred_username.clone(),
            session: Some(headers.session.clone()),
            assertion: site.identity.assertion.then_some(ASSERTION),
        },
        strict_transport: match (site.url.scheme(), site.hsts.max_age) {
            (Scheme::Http, _) | (Scheme::Https, None) => None,
            (Scheme::Https, Some(max_age)) => Some(StrictTransport::new(max_age, site.hsts.include_subdomains)),
        },
    }
}

/// A site's rules, as the gateway and `explain` judge by them.
pub fn rules(site: &Site) -> RouteRules {
    RouteRules::new(site.routes.iter().map(rule).collect())
}

fn rule(route: &Route) -> RouteRule {
    RouteRule {
        path: route.path.clone(),
        methods: route.methods.clone(),
        scope: if route.preflight { RuleScope::Preflights } else { RuleScope::Every },
        networks: (!route.networks.is_empty()).then(|| Networks::new(route.networks.clone())),
        access: match route.access {
            ConfigAccess::SignIn => Access::SignIn,
            ConfigAccess::Public => Access::Public,
            ConfigAccess::Deny => Access::Deny,
        },
        upstream: route.upstream.as_deref().map(UpstreamName::new),
    }
}

/// The servers of one application, as the gateway and `check --probe` ask them.
pub(super) fn upstream_settings(name: &str, upstream: &Upstream) -> UpstreamSettings {
    UpstreamSettings {
        name: UpstreamName::new(name),
        servers: upstream.servers.iter().map(upstream_server).collect(),
        balance: upstream.balance,
        host: upstream.host.clone(),
        health: upstream.health.clone(),
        tls: upstream.tls.clone(),
        timeouts: upstream.timeouts,
    }
}

/// One server, as the gateway calls it.
pub fn upstream_server(server: &upstream::Server) -> UpstreamServer {
    match server {
        upstream::Server::Unix(path) => UpstreamServer::Unix { path: path.clone() },
        upstream::Server::Url(url) => {
            let scheme = if url.scheme() == "https" { Scheme::Https } else { Scheme::Http };
            UpstreamServer::Network {
                scheme,
                host: url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
                port: url.port_or_known_default().unwrap_or(scheme.default_port()),
            }
        }
    }
}

/// The addresses requests come in at.
pub(super) fn listeners(listeners: &[Listener]) -> Vec<ListenerSettings> {
    listeners
        .iter()
        .map(|listener| ListenerSettings {
            address: listener.address,
            purpose: match &listener.tls {
                Some(tls) => ListenerPurpose::Tls(tls_listener(tls)),
                None if listener.redirect_to_https => {
                    ListenerPurpose::RedirectToHttps { acme_webroot: listener.acme_webroot.clone() }
                }
                None => ListenerPurpose::Plain,
            },
            proxy_protocol: match listener.proxy_protocol {
                ConfigProxyProtocol::Off => ProxyProtocolUse::Off,
                ConfigProxyProtocol::Required => ProxyProtocolUse::Required,
            },
        })
        .collect()
}

fn tls_listener(tls: &Tls) -> TlsListener {
    let files =
        |files: &Certificate| CertificateFiles { certificate: files.certificate.clone(), key: files.key.clone() };
    TlsListener {
        certificates: tls.certificates.iter().map(files).collect(),
        http2: if tls.http2 { Http2::Offered } else { Http2::Off },
    }
}

/// How a site's pages present themselves.
pub(super) fn look(site: &Site) -> LookSettings {
    let portal = &site.portal;
    LookSettings {
        name: portal.name.clone(),
        languages: portal.languages.clone(),
        support: portal.support.clone(),
        password_help: portal.password_help.as_ref().map(ToString::to_string),
        accent: portal.accent.map(|colour| Rgb { red: colour.red, green: colour.green, blue: colour.blue }),
        logo: portal.logo.as_ref().map(|logo| {
            let kind = match logo.format {
                LogoFormat::Png => AssetKind::Png,
                LogoFormat::Svg => AssetKind::Svg,
            };
            (kind, logo.bytes.clone())
        }),
    }
}
