//! How a vendor is shown who we are: `auth` of its description, read. Floor: edge.

use http::header::{self, HeaderName};

use super::check::Problem;
use super::description::{Body, header_name};
use super::settings::{Auth, ProviderSettings};
use super::template::Tree;
use super::variables::{Credential, Own};
use crate::domain::secret::SecretText;

/// Where the credentials go, when it is not into the body.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    None,
    Basic { user: Credential, password: Credential },
    Header { name: HeaderName, prefix: String, value: Credential },
    Query { name: String, value: Credential },
    AwsSigV4 { access_key: Credential, secret_key: Credential, region: Credential, service: String },
}

/// A credential that is a field goes into the body right here.
pub(super) fn read(
    settings: &ProviderSettings,
    own: &Own,
    body: &mut Option<Body>,
    problems: &mut Vec<Problem>,
) -> Credentials {
    let mut credential = |at: &str, text: &SecretText| {
        let read = Credential::parse(text, own);
        read.map_err(|message| problems.push(Problem::new(format!("auth.{at}"), message))).ok()
    };
    let read = match settings.auth.as_ref().unwrap_or(&Auth::None) {
        Auth::None => Some(Credentials::None),
        Auth::Basic { user, password } => {
            let user = credential("basic.user", &SecretText::new(user.clone()));
            let password = credential("basic.password", password);
            user.zip(password).map(|(user, password)| Credentials::Basic { user, password })
        }
        Auth::Bearer(token) => credential("bearer", token).map(|value| Credentials::Header {
            name: header::AUTHORIZATION,
            prefix: "Bearer ".to_owned(),
            value,
        }),
        Auth::Header { name, prefix, value } => {
            let value = credential("header.value", value);
            let name = header_name(name, "auth.header.name", problems);
            name.zip(value).map(|(name, value)| Credentials::Header { name, prefix: prefix.clone(), value })
        }
        Auth::Query { name, value } => {
            credential("query.value", value).map(|value| Credentials::Query { name: name.clone(), value })
        }
        Auth::Field { name, value } => {
            if let Some(value) = credential("field.value", value) {
                add_field(body.as_mut(), name, value, problems);
            }
            Some(Credentials::None)
        }
        Auth::AwsSigv4 { access_key, secret_key, region, service } => {
            let access_key = credential("aws_sigv4.access_key", &SecretText::new(access_key.clone()));
            let secret_key = credential("aws_sigv4.secret_key", secret_key);
            let region = credential("aws_sigv4.region", &SecretText::new(region.clone()));
            match (access_key, secret_key, region) {
                (Some(access_key), Some(secret_key), Some(region)) => {
                    Some(Credentials::AwsSigV4 { access_key, secret_key, region, service: service.clone() })
                }
                (_, _, _) => None,
            }
        }
    };
    read.unwrap_or(Credentials::None)
}

fn add_field(body: Option<&mut Body>, name: &str, value: Credential, problems: &mut Vec<Problem>) {
    let fields = match body {
        Some(Body::Json(Tree::Map(fields)) | Body::Form(fields) | Body::Query(fields)) => fields,
        Some(Body::Json(_)) => {
            problems.push(Problem::new("auth.field", "needs `json` to be a map that it can be put into"));
            return;
        }
        None => return,
    };
    if fields.iter().any(|(taken, _)| taken == name) {
        problems.push(Problem::new("auth.field.name", format!("is `{name}`, a field that the body has already")));
    }
    fields.push((name.to_owned(), Tree::Secret(value)));
}
