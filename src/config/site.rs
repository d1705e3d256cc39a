//! `sites`: one application at one URL each, with its routes, the look of its portal and the headers its upstream gets.
//!
//! Says what the operator wrote; matching requests is the gateway's. Floor: roof.

use std::time::Duration;

use ipnet::IpNet;

use crate::web::origin::Origin;
use crate::web::path_pattern::PathPattern;

use super::node::{Node, Slot};
use super::portal;

/// One application at one URL.
#[derive(Clone, Debug)]
pub struct Site {
    /// Short, for logs and sessions: lower-case letters, digits and `-`.
    pub name: String,
    /// `http` only for a loopback host. No two sites share a host and port.
    pub url: Origin,
    /// A name in `Config::upstreams`; `None` for a site that only answers other proxies.
    pub upstream: Option<String>,
    /// First match wins; what none matches needs sign-in.
    pub routes: Vec<Route>,
    pub portal: portal::Portal,
    pub identity: Identity,
    pub hsts: Hsts,
}

/// What browsers are told about asking for https ever after (RFC 6797).
#[derive(Clone, Copy, Debug)]
pub struct Hsts {
    /// `None`: they are told nothing.
    pub max_age: Option<Duration>,
    pub include_subdomains: bool,
}

/// What a route's requests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    SignIn,
    Public,
    Deny,
}

/// One rule. A request has to match the path, one of the methods and one of the networks.
#[derive(Clone, Debug)]
pub struct Route {
    pub path: PathPattern,
    /// Upper case; empty means every method.
    pub methods: Vec<http::Method>,
    /// Only CORS preflights; then `methods` is empty.
    pub preflight: bool,
    /// Empty means from everywhere.
    pub networks: Vec<IpNet>,
    pub access: Access,
    /// Another upstream than the site's.
    pub upstream: Option<String>,
}

/// The headers that tell the upstream who the user is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub headers: IdentityHeaders,
    /// Whether the upstream gets a signed assertion too.
    pub assertion: bool,
}

/// Header names. No two fold to the same name.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    /// Carries the user name.
    pub user: http::HeaderName,
    /// Carries the e-mail address of accounts that have one; `None`: not sent.
    pub email: Option<http::HeaderName>,
    /// Carries the person's name, or the user name of accounts without one; `None`: not sent.
    pub preferred_username: Option<http::HeaderName>,
    /// Carries an id of the session that is not its cookie.
    pub session: http::HeaderName,
}

pub(super) fn read(slot: Slot<'_>) -> Site {
    slot.section(|node| {
        let name = node.key("name", "Short, for logs and sessions. Changing it ends the sessions of this site.").text(63);
        let name = name.parsed("lower-case letters, digits and `-`, such as marketing", name_of).required("marketing");
        Site {
            url: node
                .key("url", "Where browsers find it. `http://` only for this machine itself (localhost), and then only with listeners on loopback.")
                .text(512)
                .parsed("https:// and a host, perhaps a port, such as https://marketing.example.com", |text| {
                    Origin::parse(&text).map_err(|mistake| format!("{text:?} {mistake}"))
                })
                .required("\"https://marketing.example.com\""),
            upstream: node
                .key(
                    "upstream",
                    "Which of the `upstreams` below it is. Left out: requests of this site are carried by another proxy, which asks at /.vestibule/verify.",
                )
                .text(63)
                .suggested("app"),
            routes: node
                .key(
                    "routes",
                    "Rules for single paths; the first that matches decides, and what none matches needs sign-in. `vestibule explain URL` says which rule \
                     it is.",
                )
                .list(0, 1000, read_route)
                .or_empty(""),
            portal: node.key("portal", "How its sign-in pages present themselves.").section(|node| portal::read(node, &name)),
            identity: node.key("identity", "How the application learns who the user is.").section(|node| Identity {
                headers: node
                    .key("headers", "Names of the headers. Headers of these names that come from outside are removed.")
                    .section(read_headers),
                assertion: node
                    .key(
                        "assertion",
                        "Whether the application also gets `X-Vestibule-Assertion`, a signed JWT (docs/assertion.md) whose keys are at \
                         `/.vestibule/jwks.json`: for an application that can be reached by other ways than through Vestibule.",
                    )
                    .flag()
                    .or("off"),
            }),
            hsts: node
                .key("hsts", "Strict-Transport-Security: browsers that were here once ask for https:// by themselves. Only with an https:// url; what the application says itself stays.")
                .section(|node| Hsts {
                    max_age: node
                        .key("max_age", "How long they remember it. `0s` makes them forget, `off` says nothing.")
                        .duration_or_off("0s", "3650d")
                        .or("365d"),
                    include_subdomains: node
                        .key("include_subdomains", "Whether it holds for every host below this one too. Those have to have https, all of them.")
                        .flag()
                        .or("off"),
                }),
            name,
        }
    })
}

fn name_of(text: String) -> Result<String, String> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_name { Ok(text) } else { Err(format!("{text:?} holds other characters")) }
}

fn read_route(slot: Slot<'_>) -> Route {
    slot.section(|node| {
        let route = Route {
            path: node
                .key("path", "`/x/*` is everything below /x/, at any depth; `/x` is only itself. Case matters.")
                .text(1024)
                .parsed("a path such as /unsubscribe/* or /robots.txt; `*` only at its end, after a `/`", path_pattern)
                .required("\"/unsubscribe/*\""),
            methods: node
                .key("methods", "Only these methods; left out: all. A request that names another one in X-HTTP-Method-Override, X-HTTP-Method or X-Method-Override is denied when either is, and public only when both are.")
                .list(1, 16, |slot| {
                    slot.text(32).parsed("a method in capital letters, such as POST", method).required("POST")
                })
                .or_empty("[GET, POST]"),
            preflight: node
                .key(
                    "preflight",
                    "`on`: only CORS preflights, which browsers send without cookies (OPTIONS with `Origin` and \
                     `Access-Control-Request-Method`). For an API that scripts of other sites use: `preflight: on` with `access: public`, and \
                     the requests themselves need sign-in as ever.",
                )
                .flag()
                .or("off"),
            networks: node
                .key("networks", "Only from these networks; left out: from everywhere.")
                .list(1, 1000, |slot| slot.network().required("203.0.113.0/24"))
                .or_empty("[203.0.113.0/24]"),
            access: node
                .key(
                    "access",
                    "`sign_in`: a session is needed. `public`: for everybody, without a session. `deny`: for nobody.",
                )
                .choice(&[("sign_in", Access::SignIn), ("public", Access::Public), ("deny", Access::Deny)])
                .or("sign_in"),
            upstream: node.key("upstream", "Another of the `upstreams` than the site's.").text(63).maybe("app"),
        };
        if route.preflight && route.access == Access::SignIn {
            node.refuse("access", &["preflight"], "a preflight carries no cookie, so nobody can be signed in", "`public` or `deny`");
        }
        if route.preflight && !route.methods.is_empty() {
            node.refuse("methods", &["preflight"], "a preflight is always OPTIONS", "either `preflight: on` or methods");
        }
        if route.access == Access::Deny && route.upstream.is_some() {
            node.refuse(
                "upstream",
                &["access"],
                "nothing that is denied goes to an upstream",
                "either `access: deny` or an upstream",
            );
        }
        route
    })
}

fn path_pattern(text: String) -> Result<PathPattern, String> {
    PathPattern::parse(&text).map_err(|mistake| format!("{text:?} {mistake}"))
}

fn method(text: String) -> Result<http::Method, String> {
    let is_method = text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    match http::Method::from_bytes(text.as_bytes()) {
        Ok(method) if is_method => Ok(method),
        _ => Err(format!("{text:?} is no method in capital letters")),
    }
}

fn read_headers(node: &Node<'_>) -> IdentityHeaders {
    let header = |key: &'static str, help| {
        node.key(key, help).text(64).parsed("the name of a header that has no meaning of its own", header_name)
    };
    let headers = IdentityHeaders {
        user: header("user", "Carries the user name.").or("X-Forwarded-User"),
        email: header("email", "Carries the e-mail address, for accounts that have one.").maybe("X-Forwarded-Email"),
        preferred_username: header(
            "preferred_username",
            "Carries the person's name, or the user name for accounts without one.",
        )
        .maybe("X-Forwarded-Preferred-Username"),
        session: header(
            "session",
            "Carries an id of the session, which is not its cookie: for the application's own logs.",
        )
        .or("X-Vestibule-Session"),
    };
    let mut seen = vec![("user", folded(&headers.user))];
    for (key, name) in [
        ("email", headers.email.as_ref()),
        ("preferred_username", headers.preferred_username.as_ref()),
        ("session", Some(&headers.session)),
    ] {
        let Some(name) = name.map(folded) else { continue };
        if let Some((other, _)) = seen.iter().find(|(_, taken)| *taken == name) {
            node.refuse(key, &[other], format!("it is the same header as {other}"), "another name");
        }
        seen.push((key, name));
    }
    headers
}

/// As applications that turn headers into variables see it.
fn folded(name: &http::HeaderName) -> String {
    name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// Headers that mean something to HTTP itself, or that we set to say where a request came from.
const TAKEN_HEADERS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-vestibule-assertion",
];

fn header_name(text: String) -> Result<http::HeaderName, String> {
    let name = http::HeaderName::from_bytes(text.as_bytes()).map_err(|_| format!("{text:?} is no name of a header"))?;
    if TAKEN_HEADERS.contains(&folded(&name).as_str()) {
        return Err(format!("{text} is used for something else"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_header_has_no_other_meaning() {
        for text in ["Cookie", "X_Forwarded_For", "authorization", "X_Vestibule_Assertion", "two words", ""] {
            assert!(header_name(text.into()).is_err(), "{text}");
        }
        assert!(header_name("Remote-User".into()).is_ok());
    }
}
