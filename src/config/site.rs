//! `sites`: one application at one URL each, with its routes, the look of its portal and the headers its upstream gets.
//!
//! Says what the operator wrote; matching requests is the gateway's. Floor: roof.

use ipnet::IpNet;
use url::Url;

use crate::domain::language::Language;
use crate::web::origin::Origin;

/// One application at one URL.
#[derive(Clone, Debug)]
pub struct Site {
    /// Short, for logs and sessions: lower-case letters, digits and `-`.
    pub name: String,
    /// `http` only for a loopback host. No two sites share a host and port.
    pub url: Origin,
    /// A name in `Config::upstreams`.
    pub upstream: String,
    /// First match wins; what none matches needs sign-in.
    pub routes: Vec<Route>,
    pub portal: Portal,
    pub identity: Identity,
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
    /// Empty means from everywhere.
    pub networks: Vec<IpNet>,
    pub access: Access,
    /// Another upstream than the site's.
    pub upstream: Option<String>,
}

/// Which paths a route means. Case matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// This path only.
    Exactly(String),
    /// Everything below this prefix, which ends in `/`, at any depth.
    Below(String),
}

/// How this site's sign-in pages present themselves.
#[derive(Clone, Debug)]
pub struct Portal {
    /// The application's name for people; the site's `name` when the operator gave none.
    pub name: String,
    /// At least one; the first is used when the browser asks for none of them.
    pub languages: Vec<Language>,
    /// Whom to ask, as shown: an address, a number, a sentence.
    pub support: Option<String>,
    /// Where the application itself helps with a forgotten password.
    pub password_help: Option<Url>,
    /// Dark enough for white text on it (4.5:1, WCAG 2.2 1.4.3).
    pub accent: Option<Colour>,
    pub logo: Option<Logo>,
}

/// A colour of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
}

/// A picture for the top of the pages, read at start.
#[derive(Clone)]
pub struct Logo {
    pub format: LogoFormat,
    /// At most 256 KiB.
    pub bytes: Vec<u8>,
}

/// What the picture is, told by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoFormat {
    Png,
    Svg,
}

/// The headers that tell the upstream who the user is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub headers: IdentityHeaders,
}

/// Header names; `None` means the header is not sent. No two fold to the same name.
#[derive(Clone, Debug)]
pub struct IdentityHeaders {
    /// Carries the user name.
    pub user: http::HeaderName,
    /// Carries the user name too, for applications that look there.
    pub preferred_username: Option<http::HeaderName>,
    /// Carries an id of the session that is not its cookie.
    pub session: Option<http::HeaderName>,
}

impl std::fmt::Debug for Logo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Logo({:?}, {} bytes)", self.format, self.bytes.len())
    }
}
