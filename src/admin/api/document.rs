//! The OpenAPI 3.1 document, made of the table of endpoints and of the types that are read and written. Floor: edge.

use serde_json::Value;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApiBuilder, PathItem, PathsBuilder, Ref, Required, Response,
    ResponseBuilder,
};

use super::endpoints::{ENDPOINTS, Endpoint};
use super::problem::ProblemView;
use super::shapes;
use crate::domain::operator::OperatorRole;
use crate::web::problem::MEDIA_TYPE;

/// What the security scheme is called.
const TOKEN: &str = "token";

/// The document.
///
/// # Panics
/// Never: it is plain data.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Vec::new();
    shapes::of::<ProblemView>().put_into(&mut schemas);
    let mut paths = PathsBuilder::new();
    for endpoint in ENDPOINTS {
        for shape in endpoint.body.iter().chain(endpoint.answers.iter().filter_map(|(_, _, shape)| shape.as_ref())) {
            shape.put_into(&mut schemas);
        }
        paths = paths.path(endpoint.path, PathItem::new(endpoint.method.clone(), operation(&endpoint)));
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token made with `vestibule token create`: `vst_` and 43 letters, digits, `-` and `_`"))
        .build();
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme(TOKEN, SecurityScheme::Http(bearer))
        .build();
    let info = InfoBuilder::new()
        .title("Vestibule admin API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Accounts, sessions and the audit trail, for programs. Everything that changes something takes a reason and is written to the audit trail. Refusals are problem documents (RFC 9457) with a stable `code`."))
        .build();
    let document = OpenApiBuilder::new()
        .info(info)
        .paths(paths.build())
        .components(Some(components))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])]))
        .build();
    serde_json::to_value(document).expect("it is plain data")
}

fn operation(endpoint: &Endpoint) -> OperationBuilder {
    let reads_trail = endpoint.id == "list_audit";
    let role = match endpoint.needs {
        Some(action) if !OperatorRole::Helpdesk.may(action) => "The token needs the role `admin`.",
        Some(_) => "Operators are left alone by tokens with the role `helpdesk`.",
        None if reads_trail => {
            "With the role `helpdesk`, say whose records (`user_name`); those of operators are for the role `admin`."
        }
        None => "Any token will do.",
    };
    let mut operation =
        OperationBuilder::new().operation_id(Some(endpoint.id)).summary(Some(endpoint.summary)).description(Some(role));
    let names_account = endpoint.path.contains("{user_name}");
    if names_account {
        let name = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[a-z0-9][a-z0-9._@+-]{0,63}$"));
        operation = operation.parameter(
            ParameterBuilder::new()
                .name("user_name")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .example(Some("anna".into()))
                .schema(Some(name)),
        );
    }
    let query = (endpoint.query)();
    let has_query = !query.is_empty();
    for parameter in query {
        operation = operation.parameter(parameter);
    }
    if let Some(shape) = &endpoint.body {
        let content = ContentBuilder::new().schema(Some(shape.reference())).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    for (status, text, shape) in endpoint.answers {
        let mut answer = ResponseBuilder::new().description(*text);
        if let Some(shape) = shape {
            answer = answer.content("application/json", ContentBuilder::new().schema(Some(shape.reference())).build());
        }
        operation = operation.response(status.to_string(), answer.build());
    }
    let has_body = endpoint.body.is_some();
    for (status, text, applies) in [
        (400, "The request cannot be read", true),
        (401, "There is no token, or it is none", true),
        (403, "The token may not do this, or not to this account", endpoint.needs.is_some() || reads_trail),
        (404, "There is no such account", names_account || reads_trail),
        (409, "It cannot be done as things stand", has_body),
        (413, "The body is too large", has_body),
        (415, "The body is not of application/json", has_body),
        (422, "What is said cannot be so", has_body || has_query),
        (429, "Too many actions of this token in an hour, or too many wrong tokens from this network", true),
        (503, "The accounts do not answer", true),
    ] {
        if applies {
            operation = operation.response(status.to_string(), problem(text));
        }
    }
    operation
}

fn problem(text: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(text).content(MEDIA_TYPE, content).build()
}

#[cfg(test)]
mod tests;
