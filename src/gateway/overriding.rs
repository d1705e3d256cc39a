//! Methods that a request asks an application to take it for, in a header that many frameworks believe. Rules tell requests apart by method,
//! so that they have to look at both. Of nobody who is signed in the header is not passed on at all (`headers::request`). A `_method` in a form is not seen here: bodies are not read. Floor: edge (pure).

use http::{HeaderMap, Method};

use super::classify::METHODS;
use super::headers::fold;
use super::headers::request::OVERRIDING;

/// The methods that `headers` name; all that are known when one of the values is no single method, so that no rule is slipped past.
pub(super) fn methods(headers: &HeaderMap) -> Vec<Method> {
    let is_one = |name: &str| {
        // most names are ruled out by their first letter, without being folded
        name.starts_with('x') && OVERRIDING.contains(&&*fold(name))
    };
    let mut methods = Vec::new();
    for (_, value) in headers.iter().filter(|(name, _)| is_one(name.as_str())) {
        let named = value.as_bytes().trim_ascii().to_ascii_uppercase();
        match METHODS.iter().find(|known| known.as_bytes() == named) {
            Some(known) => methods.extend(Method::from_bytes(known.as_bytes())),
            None => methods.extend(METHODS.iter().filter_map(|known| Method::from_bytes(known.as_bytes()).ok())),
        }
    }
    methods
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn named(fields: &[(&str, &str)]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        methods(&headers).iter().map(Method::to_string).collect()
    }

    #[test]
    fn a_header_that_frameworks_believe_names_a_method_however_it_is_spelt() {
        for name in ["X-HTTP-Method-Override", "x_http_method_override", "X-HTTP-Method", "X-Method-Override"] {
            assert_eq!(named(&[(name, "DELETE")]), ["DELETE"], "{name}");
        }
        assert_eq!(named(&[("X-HTTP-Method", " delete ")]), ["DELETE"]);
        assert_eq!(named(&[("X-HTTP-Method", "PUT"), ("X-Method-Override", "PATCH")]), ["PUT", "PATCH"]);
        assert!(named(&[("X-Method", "DELETE"), ("Method-Override", "DELETE")]).is_empty());
    }

    #[test]
    fn a_value_that_is_no_method_may_be_any() {
        for value in ["DELETE, GET", "", "DEL\tETE", "BREW"] {
            assert_eq!(named(&[("X-HTTP-Method-Override", value)]), METHODS, "{value:?}");
        }
    }
}
