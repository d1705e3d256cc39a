//! What passes through the gateway and what does not: the real program between a real client and an application that
//! keeps what it got. Who may pass is told in `refusals`, what the application learns in `identity`, how bytes flow in
//! `streams`, what is said when the application fails in `failures`, and which rule decides in `routes`.

mod failures;
mod identity;
mod refusals;
mod routes;
mod streams;

use crate::harness::person::Person;
use crate::harness::raw;
use std::time::Duration;

pub(crate) const PHONE: &str = "+32470111222";

/// A GET written by hand, with the cookies of a person and `fields` as they are, on a connection of its own.
async fn ask_raw(person: &Person, target: &str, fields: &[&str]) -> String {
    let request = head(person, &format!("GET {target} HTTP/1.1"), fields);
    let answer = raw::exchange(person.port(), request.as_bytes(), Duration::from_secs(10)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// The head of a request that closes the connection after its answer.
fn head(person: &Person, line: &str, fields: &[&str]) -> String {
    let mut head = format!("{line}\r\nHost: {}\r\nConnection: close\r\n", person.host());
    if let Some(cookies) = person.cookie_header("/") {
        head.push_str(&format!("Cookie: {cookies}\r\n"));
    }
    for field in fields {
        head.push_str(field);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head
}

fn status(answer: &str) -> u16 {
    answer.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no answer: {answer:?}"))
}
