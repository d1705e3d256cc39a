//! Every path of ours, once. All of them are under [`PREFIX`], and nothing under it ever goes upstream.
//! Which method a path takes and what it does is in the portal's table, not here. Floor: web.

/// The folder that is ours on every site's host.
pub const PREFIX: &str = "/.vestibule/";

/// The first segment of [`PREFIX`], in lower case and without slashes.
pub const RESERVED_SEGMENT: &str = ".vestibule";

/// The password page; `return_to` in its query.
pub const LOGIN: &str = "/.vestibule/login";
/// The page that asks for a number (enrolment).
pub const PHONE: &str = "/.vestibule/phone";
/// The page that asks for the code.
pub const CODE: &str = "/.vestibule/code";
/// The page that asks for a password in place of a one-time password.
pub const NEW_PASSWORD: &str = "/.vestibule/password";
/// Asks for a new SMS.
pub const RESEND: &str = "/.vestibule/code/resend";
/// Sign-out: GET asks, POST does.
pub const LOGOUT: &str = "/.vestibule/logout";
/// The user's own page.
pub const ACCOUNT: &str = "/.vestibule/account";
/// Ends one of the user's sessions.
pub const ACCOUNT_END: &str = "/.vestibule/account/end";
/// Ends all of the user's sessions but the one that asks.
pub const ACCOUNT_END_OTHERS: &str = "/.vestibule/account/end-others";
/// Another password for the user.
pub const ACCOUNT_PASSWORD: &str = "/.vestibule/account/password";
/// Another number for the user: shows whatever is next, and takes the password.
pub const ACCOUNT_PHONE: &str = "/.vestibule/account/phone";
/// Takes the codes of a change of number.
pub const ACCOUNT_PHONE_CODE: &str = "/.vestibule/account/phone/code";
/// Asks for another SMS for it.
pub const ACCOUNT_PHONE_RESEND: &str = "/.vestibule/account/phone/resend";
/// Takes the new number.
pub const ACCOUNT_PHONE_NUMBER: &str = "/.vestibule/account/phone/number";
/// JSON about the session; does not count as activity.
pub const SESSION: &str = "/.vestibule/session";
/// The answer for other proxies (`auth_request`, `ForwardAuth`).
pub const VERIFY: &str = "/.vestibule/verify";
/// The keys of the signed assertion.
pub const JWKS: &str = "/.vestibule/jwks.json";
/// Style sheet, script, logo: names carry a hash of the content.
pub const ASSETS: &str = "/.vestibule/assets/";
/// Probe: the process runs.
pub const LIVE: &str = "/.vestibule/live";
/// Probe: the configuration is loaded and the process is not draining.
pub const READY: &str = "/.vestibule/ready";

/// What is counted, for programs that collect it; at the operators' listener alone.
pub const METRICS: &str = "/metrics";

/// Name of the query parameter and form field that says where to go after sign-in.
pub const RETURN_TO: &str = "return_to";
