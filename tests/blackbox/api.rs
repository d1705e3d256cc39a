//! The admin API over real HTTP: who may ask (`doors`), what programs do (`journeys`), and what a tool that reads the document makes of it (`properties`).

mod doors;
mod journeys;
mod properties;

use crate::harness::children::free_port;
use crate::harness::evidence::SecretKind;
use crate::harness::person::{Answer, Person};
use crate::harness::stack::{Plan, Stack};
use reqwest::Method;
use serde_json::{Value, json};

const ACCOUNTS: &str = "/api/v1/accounts";

/// A stack with a place for operators and programs.
struct Office {
    stack: Stack,
    port: u16,
}

impl Office {
    fn open() -> Self {
        Self::of(Plan::new())
    }

    fn of(plan: Plan) -> Self {
        let port = free_port();
        let admin = json!({ "listen": format!("127.0.0.1:{port}"), "url": format!("http://localhost:{port}") });
        Self { stack: plan.set("admin", admin).start(), port }
    }

    fn url(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Makes a token on the command line.
    fn token(&self, name: &str, role: &str) -> String {
        let args = ["token", "create", "--name", name, "--role", role, "--reason", "test", "--json"];
        let made: Value = serde_json::from_str(&self.stack.command(&args, "").done()).unwrap();
        let token = made["token"].as_str().unwrap().to_owned();
        self.stack.evidence().keep(SecretKind::Credential, &token);
        token
    }

    /// A program without a token.
    fn stranger(&self) -> Program {
        Program(Person::new(&self.url(), self.port, self.stack.evidence().clone()))
    }

    /// A program with that in its `Authorization` field.
    fn showing(&self, field: &str) -> Program {
        Program(self.stranger().0.with_header("authorization", field))
    }

    fn program(&self, name: &str, role: &str) -> Program {
        self.showing(&format!("Bearer {}", self.token(name, role)))
    }
}

/// Something that speaks HTTP and JSON.
struct Program(Person);

impl Program {
    async fn get(&self, target: &str) -> Answer {
        self.0.send(Method::GET, target, &[], None).await
    }

    async fn say(&self, method: Method, target: &str, body: &Value) -> Answer {
        let body = body.to_string().into_bytes();
        self.0.send(method, target, &[("content-type", "application/json")], Some(body)).await
    }

    async fn post(&self, target: &str, body: &Value) -> Answer {
        self.say(Method::POST, target, body).await
    }

    async fn deed(&self, account: &str, deed: &str) -> Answer {
        self.post(&format!("{ACCOUNTS}/{account}/{deed}"), &json!({ "reason": "ticket 1" })).await
    }
}

/// The problem document that an answer has to be.
fn problem(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (status, "application/problem+json"),
        "{}",
        answer.text()
    );
    let document = answer.json();
    assert_eq!(document["code"], code, "{document}");
    assert_eq!(document["type"], format!("urn:vestibule:problem:{code}"));
    assert_eq!(document["status"], status);
    assert_eq!(document["request_id"].as_str().unwrap().len(), 16);
    assert_eq!(answer.header("cache-control"), "no-store");
    document
}
