//! One attempt to hand one message to one vendor over HTTP. Deliberately never tries twice, follows no redirect and picks no other vendor:
//! what may be repeated is decided by who knows what was sent before. Floor: edge.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::client::{ClientError, client};
use super::description::Description;
use super::request::{Parts, Request, Unwritable};
use super::settings::ErrorClass;
use super::variables::Secrets;
use super::verdict::{Answer, Verdict};
use crate::domain::phone::Country;
use crate::login::ports::{Clock, SmsMessage, SmsResult, SmsSender};

/// Longer answers are not read on (sms §8).
const LONGEST_ANSWER_BYTES: usize = 64 * 1024;

/// A vendor that asks for a longer pause gets this one (security X23).
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A vendor, as described.
pub struct HttpSms {
    description: Description,
    sender: String,
    client: reqwest::Client,
    /// Signatures hold the time.
    clock: Arc<dyn Clock>,
    /// The vendor asked not to be asked before then.
    paused_until: std::sync::Mutex<Option<Instant>>,
}

/// What one attempt came to, with what `sms test` shows of it.
#[derive(Debug)]
pub struct Attempt {
    pub result: SmsResult,
    pub took: Duration,
    /// `None` when no answer came.
    pub status: Option<u16>,
    /// What the vendor said. It may repeat the message: for the operator's terminal, never for a log.
    pub answer: Option<Zeroizing<String>>,
    /// Why no answer came, or none was asked for. Holds no secret.
    pub failure: Option<String>,
}

impl HttpSms {
    /// `sender` is what `${sender}` stands for unless the description has its own.
    ///
    /// # Errors
    /// The certificates of the house cannot be read, or TLS cannot be set up.
    pub fn new(description: Description, sender: &str, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        Ok(Self {
            client: client(&description)?,
            sender: sender.to_owned(),
            clock,
            description,
            paused_until: std::sync::Mutex::default(),
        })
    }

    /// The request that `attempt` would send, secrets masked.
    ///
    /// # Errors
    /// The message fits nowhere in it.
    pub fn dry_run(&self, message: &SmsMessage<'_>) -> Result<String, Unwritable> {
        self.description.show(self.parts(message))
    }

    /// The host and port that the message would be sent to; `None` when it fits nowhere in the request.
    #[must_use]
    pub fn place(&self, message: &SmsMessage<'_>) -> Option<String> {
        let url = self.description.request(self.parts(message), Secrets::Masked).ok()?.url;
        Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
    }

    /// Sends the message, at most once. Logs nothing.
    pub async fn attempt(&self, message: &SmsMessage<'_>) -> Attempt {
        let begun = Instant::now();
        if self.is_paused(begun) {
            return Attempt::without_answer(SmsResult::Transient, begun, "the vendor asked for a pause".to_owned());
        }
        let request = match self.description.request(self.parts(message), Secrets::WrittenOut) {
            Ok(request) => request,
            Err(unwritable) => {
                return Attempt::without_answer(SmsResult::Provider, begun, unwritable.to_string());
            }
        };
        match self.exchange(request).await {
            Ok(answer) => {
                let result = match self.description.rules.judge(&answer) {
                    Verdict::Accepted { message_id } => SmsResult::Accepted(message_id),
                    Verdict::Refused(ErrorClass::Recipient) => SmsResult::Recipient,
                    Verdict::Refused(ErrorClass::Provider) => SmsResult::Provider,
                    Verdict::Refused(ErrorClass::Transient) => SmsResult::Transient,
                    Verdict::Unclear => SmsResult::MaybeSent,
                };
                let text = answer.body.map(|body| Zeroizing::new(String::from_utf8_lossy(&body).into_owned()));
                Attempt { result, took: begun.elapsed(), status: Some(answer.status), answer: text, failure: None }
            }
            Err(error) => {
                // until a connection stands, nothing can have been sent; after that, anything may have been
                let result = if error.is_connect() {
                    SmsResult::Transient
                } else if error.is_builder() {
                    SmsResult::Provider
                } else {
                    SmsResult::MaybeSent
                };
                Attempt::without_answer(result, begun, chain(&error.without_url()))
            }
        }
    }

    async fn exchange(&self, request: Request) -> Result<Answer, reqwest::Error> {
        let Request { url, headers, body } = request;
        let body = bytes::Bytes::from_owner(body);
        let sent = self.client.request(self.description.method.clone(), url).headers(headers).body(body).send();
        let mut response = sent.await?;
        self.note_pause(&response);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        let body = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > LONGEST_ANSWER_BYTES => break None,
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break Some(body),
                Err(_) => break None, // the status came; the rules know what it is worth without its body
            }
        };
        Ok(Answer { status, body })
    }

    fn note_pause(&self, response: &reqwest::Response) {
        if response.status() != reqwest::StatusCode::TOO_MANY_REQUESTS {
            return;
        }
        let asked = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        if let Some(seconds) = asked {
            let until = Instant::now() + Duration::from_secs(seconds).min(LONGEST_PAUSE);
            *self.paused_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(until);
        }
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some_and(|until| now < until)
    }

    fn parts<'a>(&'a self, message: &'a SmsMessage<'_>) -> Parts<'a> {
        Parts {
            to: message.to,
            text: message.text,
            code: message.code.map_or("", |code| code.reveal()),
            sender: &self.sender,
            app: message.app,
            lang: message.language.tag(),
            now: self.clock.now(),
        }
    }
}

impl Attempt {
    fn without_answer(result: SmsResult, begun: Instant, failure: String) -> Self {
        Self { result, took: begun.elapsed(), status: None, answer: None, failure: Some(failure) }
    }

    fn log(&self, provider: &str, message: &SmsMessage<'_>) {
        let to = tracing::field::display(message.to); // shows itself masked
        let took_ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX);
        let (status, failure) = (self.status, self.failure.as_deref());
        match &self.result {
            SmsResult::Accepted(message_id) => {
                tracing::info!(
                    provider,
                    to,
                    took_ms,
                    status,
                    message_id,
                    class = "accepted",
                    "SMS vendor took the message"
                );
            }
            SmsResult::Recipient => {
                tracing::warn!(
                    provider,
                    to,
                    took_ms,
                    status,
                    class = "recipient",
                    "SMS vendor says that this number cannot be texted"
                );
            }
            SmsResult::Provider => {
                tracing::error!(
                    provider,
                    to,
                    took_ms,
                    status,
                    failure,
                    class = "provider",
                    "SMS vendor refuses us: credentials, credit, sender or description"
                );
            }
            SmsResult::Transient => {
                tracing::warn!(
                    provider,
                    to,
                    took_ms,
                    status,
                    failure,
                    class = "transient",
                    "SMS vendor did not take the message"
                );
            }
            SmsResult::MaybeSent => {
                tracing::warn!(
                    provider,
                    to,
                    took_ms,
                    status,
                    failure,
                    class = "maybe_sent",
                    "SMS vendor may or may not have taken the message"
                );
            }
        }
    }
}

impl fmt::Debug for HttpSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSms").field("name", &self.description.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl SmsSender for HttpSms {
    fn name(&self) -> &str {
        &self.description.name
    }

    fn countries(&self) -> &[Country] {
        &self.description.countries
    }

    async fn send(&self, message: &SmsMessage<'_>) -> SmsResult {
        let attempt = self.attempt(message).await;
        attempt.log(&self.description.name, message);
        attempt.result
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
