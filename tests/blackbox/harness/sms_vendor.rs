//! An SMS vendor over HTTP that keeps what it was asked to send, and misbehaves as told.

use super::children::wait_for;
use super::wire::{Connection, Received, fakes, listen};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The secret that the gateway shows to the vendor.
pub(crate) const VENDOR_TOKEN: &str = "vendor-token-7c41f09be2";

#[derive(Debug)]
pub(crate) struct FakeSmsVendor {
    kept: Arc<Mutex<Kept>>,
    port: u16,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Kept {
    messages: Vec<Sms>,
    requests: Vec<Received>,
    behaviour: Behaviour,
}

/// A message as the vendor got it.
#[derive(Clone, Debug)]
pub(crate) struct Sms {
    pub(crate) to: String,
    pub(crate) text: String,
}

/// How the vendor answers from now on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// Before anything is answered.
    pub(crate) delay: Duration,
    /// Instead of 200 with an id; the message is not kept as sent unless it is 2xx.
    pub(crate) status: Option<u16>,
    pub(crate) body: Option<serde_json::Value>,
    /// Puts the request, as it came, into the answer.
    pub(crate) echoes: bool,
    /// Takes the message and closes the connection without a word.
    pub(crate) drop_after_taking: bool,
    /// The same, with a reset of the connection.
    pub(crate) resets: bool,
    /// Instead of JSON, with the same status.
    pub(crate) raw: Option<Vec<u8>>,
}

impl Sms {
    /// Whether it is one with a code, and not a notice.
    pub(crate) fn has_code(&self) -> bool {
        self.text.lines().last().unwrap_or_default().contains('#')
    }

    /// The code: what follows `#` in the last line.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        let last = self.text.lines().last().unwrap_or_default();
        let (_, code) = last.rsplit_once('#').unwrap_or_else(|| panic!("no code in the last line: {:?}", self.text));
        assert!(!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()), "not a code: {code:?}");
        code.to_owned()
    }
}

impl FakeSmsVendor {
    pub(crate) fn start() -> Self {
        let (listener, port) = listen();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = kept.clone();
        let server = fakes().spawn(async move {
            let mut number = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move {
                    let mut connection = Connection::new(stream, number);
                    while let Ok(true) = serve_one(&mut connection, &shared).await {}
                });
                number += 1;
            }
        });
        Self { kept, port, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/send", self.port)
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        self.kept.lock().unwrap().behaviour = behaviour;
    }

    /// What it sent, oldest first.
    pub(crate) fn messages(&self) -> Vec<Sms> {
        self.kept.lock().unwrap().messages.clone()
    }

    /// Those with a code.
    pub(crate) fn messages_to(&self, number: &str) -> Vec<Sms> {
        self.messages().into_iter().filter(|sms| sms.to == number && sms.has_code()).collect()
    }

    /// Those without one: what people are told of changes.
    pub(crate) fn notices_to(&self, number: &str) -> Vec<String> {
        let notices = self.messages().into_iter().filter(|sms| sms.to == number && !sms.has_code());
        notices.map(|sms| sms.text).collect()
    }

    /// Every request, also those it refused.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.kept.lock().unwrap().requests.clone()
    }

    /// The newest message to a number, waiting until there are `count` of them.
    #[track_caller]
    pub(crate) fn wait_for_message(&self, number: &str, count: usize) -> Sms {
        wait_for(&format!("message {count} to {number}"), || {
            let messages = self.messages_to(number);
            (messages.len() >= count).then(|| messages.last().cloned())?
        })
    }

    /// The code in the newest message to a number, waiting for the first.
    #[track_caller]
    pub(crate) fn newest_code(&self, number: &str) -> String {
        self.wait_for_message(number, 1).code()
    }
}

impl Drop for FakeSmsVendor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve_one(connection: &mut Connection, kept: &Mutex<Kept>) -> std::io::Result<bool> {
    let Some(mut request) = connection.read_head().await? else {
        return Ok(false);
    };
    connection.read_body(&mut request, |_| ()).await?;
    let behaviour = kept.lock().unwrap().behaviour.clone();
    let body = request.json();
    let authorised = request.header("authorization") == Some(&format!("Bearer {VENDOR_TOKEN}"));
    let status = if authorised { behaviour.status.unwrap_or(200) } else { 401 };
    let id = {
        let mut kept = kept.lock().unwrap();
        kept.requests.push(request);
        if (200..300).contains(&status) {
            let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            kept.messages.push(Sms { to: field("to"), text: field("text") });
        }
        kept.requests.len()
    };
    tokio::time::sleep(behaviour.delay).await;
    if behaviour.drop_after_taking {
        return Ok(false);
    }
    if behaviour.resets {
        connection.reset();
        return Ok(false);
    }
    if let Some(raw) = behaviour.raw {
        connection.answer(status, &[("content-type", "text/plain")], &raw).await?;
        return Ok(true);
    }
    let mut answer = behaviour.body.unwrap_or_else(|| serde_json::json!({ "id": id.to_string(), "status": "queued" }));
    if behaviour.echoes {
        answer["request"] = body;
    }
    connection.answer_json(status, &answer).await?;
    Ok(true)
}

#[tokio::test]
async fn a_message_is_kept_and_its_code_read() {
    use super::person::Person;
    let vendor = FakeSmsVendor::start();
    let gateway = Person::new("http://localhost", vendor.port, Arc::default());
    let body = || Some(br#"{"to":"+32470123456","text":"Your code\n@acme.example #123456"}"#.to_vec());
    let token = format!("Bearer {VENDOR_TOKEN}");
    let headers = [("authorization", token.as_str())];
    gateway.send(reqwest::Method::POST, "/send", &headers, body()).await.expect(200);
    assert_eq!(vendor.newest_code("+32470123456"), "123456");
    gateway.send(reqwest::Method::POST, "/send", &[], body()).await.expect(401);
    vendor.behave(Behaviour { status: Some(500), ..Behaviour::default() });
    gateway.send(reqwest::Method::POST, "/send", &headers, body()).await.expect(500);
    vendor.behave(Behaviour { drop_after_taking: true, ..Behaviour::default() });
    assert!(gateway.try_send(reqwest::Method::POST, "/send", &headers, body()).await.is_err());
    assert_eq!((vendor.messages().len(), vendor.requests().len()), (2, 4));
}
