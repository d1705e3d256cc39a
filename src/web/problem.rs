//! Problem documents (RFC 9457): the answer for everything that is not a person looking at a page.
//! Holds fixed sentences only; no text of an error or a request gets in. Floor: web.

use http::StatusCode;
use serde_json::{Value, json};

use super::origin::Origin;
use super::paths;
use super::request_id::RequestId;

/// The media type of [`Problem::to_json`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// What is said to a client that gets no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status, repeated in the document.
    pub status: StatusCode,
    /// A stable word for programs (`sign_in_required`); the same word is in the log.
    pub code: &'static str,
    /// One sentence for a person who reads the document.
    pub detail: &'static str,
}

impl Problem {
    /// The document; `request` lets an operator find the log line.
    #[must_use]
    pub fn to_json(&self, request: RequestId) -> String {
        self.document(request).to_string()
    }

    /// The document with the member `sign_in`: the absolute URL of the page at `origin` where a person signs in, or shows the code that is owed.
    /// `?return_to=` with a path may be added to it (RFC 9457 §3.2: members of our own are allowed).
    #[must_use]
    pub fn to_json_with_sign_in(&self, request: RequestId, origin: &Origin) -> String {
        let mut document = self.document(request);
        if let Some(members) = document.as_object_mut() {
            members.insert("sign_in".to_owned(), format!("{origin}{}", paths::LOGIN).into());
        }
        document.to_string()
    }

    fn document(&self, request: RequestId) -> Value {
        json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "request_id": request.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_status_code_and_request() {
        let id = RequestId::fresh();
        let text = Problem { status: StatusCode::UNAUTHORIZED, code: "sign_in_required", detail: "Sign in first." }
            .to_json(id);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["status"], 401);
        assert_eq!(document["title"], "Unauthorized");
        assert_eq!(document["code"], "sign_in_required");
        assert_eq!(document["request_id"], id.to_string());
        assert!(document.get("sign_in").is_none());
    }

    #[test]
    fn a_problem_can_say_where_to_sign_in() {
        let origin = Origin::parse("https://app.example.com").unwrap();
        let text = Problem { status: StatusCode::UNAUTHORIZED, code: "code_required", detail: "Show the code." }
            .to_json_with_sign_in(RequestId::fresh(), &origin);
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["sign_in"], "https://app.example.com/.vestibule/login");
        assert_eq!(document["code"], "code_required");
    }
}
