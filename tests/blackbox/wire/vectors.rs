//! The table: what is sent, what the gateway makes of it, and what a bare pingora makes of it.

use super::bare::{BarePingora, Recorder};
use super::{Ended, PATIENCE, Wire, holds_answers};
use crate::harness::stack::Plan;
use serde_json::json;
use std::time::Duration;

/// What the gateway does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    /// One answer with this status, which can be read, then the end. The application hears nothing.
    Refuses(u16),
    /// An answer with this status, for what was asked and not for how: the connection serves another request afterwards.
    Answers(u16),
    /// The application gets one request, and the connection serves another afterwards.
    Passes,
    /// The application gets one request, and what came behind it is not served: the connection ends after the answer.
    PassesAndCloses,
    /// The head is clear and goes on, the body breaks: the application never gets it whole, nor anything else.
    BreaksOff,
}
use Ours::{Answers, BreaksOff, Passes, PassesAndCloses, Refuses};

/// What a bare pingora does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bare {
    /// The application gets a head, or more.
    Reaches,
    /// It gets none, and the client gets an answer or the end.
    Stops,
    /// Nobody gets anything within a second.
    Waits,
    /// What ours does: whether the head is sent before the body is seen to break is a matter of luck.
    Alike,
}
use Bare::{Alike, Reaches, Stops, Waits};

/// `§` stands for the host's field, `¶` for the end of the fields (and the cookie of a session), `T` for the target.
type Vector = (&'static str, String, Ours, Bare);

fn lines(text: &str) -> String {
    text.replace('§', "Host: {HOST}\r\n").replace('¶', "{COOKIE}\r\n")
}

fn get(what: &'static str, fields: &str, ours: Ours, bare: Bare) -> Vector {
    (what, lines(&format!("GET /public/x HTTP/1.1\r\n§{fields}¶")), ours, bare)
}

fn line(what: &'static str, line: &str, ours: Ours, bare: Bare) -> Vector {
    (what, lines(&format!("{line}\r\n§¶")), ours, bare)
}

/// A POST whose body could be a chunked `abc`, or three bytes.
fn post(what: &'static str, fields: &str, ours: Ours, bare: Bare) -> Vector {
    (what, lines(&format!("POST /public/x HTTP/1.1\r\n§{fields}¶3\r\nabc\r\n0\r\n\r\n")), ours, bare)
}

fn chunked(what: &'static str, body: &str, ours: Ours, bare: Bare) -> Vector {
    (what, lines(&format!("POST /public/x HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n¶{body}")), ours, bare)
}

fn whole(what: &'static str, text: &str, ours: Ours, bare: Bare) -> Vector {
    (what, lines(text), ours, bare)
}

fn request_lines() -> Vec<Vector> {
    vec![
        line("a plain request", "GET /public/x HTTP/1.1", Passes, Reaches),
        line("HTTP/1.0", "GET /public/x HTTP/1.0", PassesAndCloses, Reaches),
        line("HTTP/1.2", "GET /public/x HTTP/1.2", Refuses(505), Stops),
        line("HTTP/2.0 in a request line", "GET /public/x HTTP/2.0", Refuses(505), Stops),
        line("HTTP/0.9 with a version", "GET /public/x HTTP/0.9", Refuses(505), Stops),
        line("HTTP/0.9", "GET /public/x", Refuses(400), Stops),
        line("a version in lower case", "GET /public/x http/1.1", Refuses(400), Stops),
        line("a long version", "GET /public/x HTTP/1.10", Refuses(400), Stops),
        line("two spaces before the target", "GET  /public/x HTTP/1.1", Refuses(400), Reaches),
        line("two spaces behind the target", "GET /public/x  HTTP/1.1", Refuses(400), Reaches),
        line("a space at the end", "GET /public/x HTTP/1.1 ", Refuses(400), Stops),
        line("tabs in the request line", "GET\t/public/x\tHTTP/1.1", Refuses(400), Stops),
        line("a space in front", " GET /public/x HTTP/1.1", Refuses(400), Stops),
        line("a method that is no word", "G(T /public/x HTTP/1.1", Refuses(400), Stops),
        line("a method in lower case", "get /public/x HTTP/1.1", Answers(405), Reaches),
        line("an unknown method", "BREW /public/x HTTP/1.1", Answers(405), Reaches),
        line("TRACE", "TRACE /public/x HTTP/1.1", Answers(405), Reaches),
        line("CONNECT to an authority", "CONNECT {HOST} HTTP/1.1", Refuses(405), Stops),
        line("an authority as target", "GET {HOST} HTTP/1.1", Refuses(400), Reaches),
        whole("a carriage return in the request line", "GET /public/x\r HTTP/1.1\r\n§¶", Refuses(400), Reaches),
        whole("an empty line in front", "\r\nGET /public/x HTTP/1.1\r\n§¶", Passes, Reaches),
        whole("two empty lines in front", "\r\n\r\nGET /public/x HTTP/1.1\r\n§¶", Refuses(400), Reaches),
        whole("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Refuses(505), Stops),
        whole("the hello of TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}", Refuses(400), Stops),
    ]
}

fn targets() -> Vec<Vector> {
    vec![
        line("an absolute target", "GET http://{HOST}/public/x HTTP/1.1", Passes, Reaches),
        line("an absolute target in capitals", "GET HTTP://{HOST}/public/x HTTP/1.1", Passes, Reaches),
        line(
            "an absolute target of another host",
            "GET http://elsewhere.example/public/x HTTP/1.1",
            Refuses(400),
            Stops,
        ),
        line("an absolute target with a name", "GET http://eve@{HOST}/public/x HTTP/1.1", Refuses(400), Stops),
        line("an absolute target without a host", "GET http:///public/x HTTP/1.1", Refuses(400), Stops),
        line(
            "an absolute target with a backslash",
            "GET http://{HOST}\\@elsewhere/public/x HTTP/1.1",
            Refuses(400),
            Stops,
        ),
        line("another scheme", "GET ftp://{HOST}/public/x HTTP/1.1", Refuses(400), Reaches),
        line("an asterisk", "OPTIONS * HTTP/1.1", Refuses(400), Reaches),
        line("a path that does not begin", "GET public/x HTTP/1.1", Refuses(400), Reaches),
        line("a fragment", "GET /public/x#y HTTP/1.1", Refuses(400), Reaches),
        line("a space in the target", "GET /public/x y HTTP/1.1", Refuses(400), Reaches),
        line("a quotation mark in the target", "GET /public/\"x\" HTTP/1.1", Refuses(400), Reaches),
        line("angle brackets in the target", "GET /public/<x> HTTP/1.1", Refuses(400), Stops),
        line("signs that browsers leave", "GET /public/x?a=|{b}^`c` HTTP/1.1", Passes, Reaches),
        line("a control character in the target", "GET /public/\u{1}x HTTP/1.1", Refuses(400), Reaches),
        line("DEL in the target", "GET /public/\u{7f}x HTTP/1.1", Refuses(400), Reaches),
        line("NUL in the target", "GET /public/\u{0}x HTTP/1.1", Refuses(400), Reaches),
        line("eight bits in the target", "GET /public/\u{e4} HTTP/1.1", Refuses(400), Stops),
        (
            "a target of 9000 bytes",
            lines(&format!("GET /public/{} HTTP/1.1\r\n§¶", "x".repeat(9000))),
            Refuses(414),
            Reaches,
        ),
    ]
}

fn fields() -> Vec<Vector> {
    vec![
        get("an empty value", "A:\r\n", Passes, Reaches),
        get("eight bits in a value", "A: \u{e4}\r\n", Passes, Reaches),
        get("a space before the colon", "A : b\r\n", Refuses(400), Stops),
        get("a tab before the colon", "A\t: b\r\n", Refuses(400), Stops),
        get("no colon", "nonsense\r\n", Refuses(400), Stops),
        get("no name", ": b\r\n", Refuses(400), Stops),
        get("a name that is no word", "A(b): c\r\n", Refuses(400), Stops),
        get("a folded line", "A: b\r\n c\r\n", Refuses(400), Stops),
        get("a line folded with a tab", "A: b\r\n\tc\r\n", Refuses(400), Stops),
        get("a bare line feed", "A: b\n", Refuses(400), Reaches),
        get("a bare carriage return", "A: b\rc\r\n", Refuses(400), Stops),
        get("NUL in a value", "A: b\0c\r\n", Refuses(400), Stops),
        get("a control character in a value", "A: b\u{1}c\r\n", Refuses(400), Stops),
        get("DEL in a value", "A: b\u{7f}c\r\n", Refuses(400), Stops),
        whole("line feeds only", "GET /public/x HTTP/1.1\nHost: {HOST}\n\n", Refuses(400), Reaches),
        whole("an empty line that is a bare line feed", "GET /public/x HTTP/1.1\r\n§\n", Refuses(400), Reaches),
        (
            "101 fields",
            lines(&format!("GET /public/x HTTP/1.1\r\n§{}¶", "A: b\r\n".repeat(100))),
            Refuses(431),
            Reaches,
        ),
        (
            "a field of 33 KiB",
            lines(&format!("GET /public/x HTTP/1.1\r\n§A: {}\r\n¶", "b".repeat(33 << 10))),
            Refuses(431),
            Reaches,
        ),
        whole("no host", "GET /public/x HTTP/1.1\r\n¶", Refuses(400), Reaches),
        whole("no host in HTTP/1.0", "GET /public/x HTTP/1.0\r\n¶", Refuses(400), Reaches),
        get("two hosts", "Host: {HOST}\r\n", Refuses(400), Stops),
        get("another host behind the first", "Host: elsewhere.example\r\n", Refuses(400), Stops),
        whole("an empty host", "GET /public/x HTTP/1.1\r\nHost:\r\n¶", Refuses(400), Reaches),
        whole("a name in the host", "GET /public/x HTTP/1.1\r\nHost: eve@{HOST}\r\n¶", Refuses(400), Stops),
        whole("a path in the host", "GET /public/x HTTP/1.1\r\nHost: {HOST}/y\r\n¶", Refuses(400), Reaches),
        whole("a list of hosts", "GET /public/x HTTP/1.1\r\nHost: {HOST}, x\r\n¶", Refuses(400), Reaches),
        whole("another host", "GET /public/x HTTP/1.1\r\nHost: elsewhere.example\r\n¶", Answers(421), Reaches),
        whole("a host in capitals", "GET /public/x HTTP/1.1\r\nHost: {CAPITALS}\r\n¶", Passes, Reaches),
        get("an expectation of something else", "Expect: 200-maybe\r\n", Refuses(417), Reaches),
        get("an expectation of nothing", "Expect:\r\n", Refuses(417), Reaches),
    ]
}

fn lengths() -> Vec<Vector> {
    vec![
        whole("a length", "POST /public/x HTTP/1.1\r\n§Content-Length: 3\r\n¶abc", Passes, Reaches),
        whole("a length with zeros", "POST /public/x HTTP/1.1\r\n§Content-Length: 003\r\n¶abc", Passes, Reaches),
        whole(
            "a length and waiting",
            "POST /public/x HTTP/1.1\r\n§Content-Length: 3\r\nExpect: 100-continue\r\n¶abc",
            Passes,
            Reaches,
        ),
        post("a length, then chunks", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", Refuses(400), Reaches),
        post("chunks, then a length", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", Refuses(400), Reaches),
        post("the same length twice", "Content-Length: 3\r\nContent-Length: 3\r\n", Refuses(400), Reaches),
        post("two lengths", "Content-Length: 3\r\nContent-Length: 4\r\n", Refuses(400), Stops),
        post("a list of the same length", "Content-Length: 3, 3\r\n", Refuses(400), Reaches),
        post("a length with a sign", "Content-Length: +3\r\n", Refuses(400), Stops),
        post("a length below nothing", "Content-Length: -3\r\n", Refuses(400), Stops),
        post("a length in hex", "Content-Length: 0x3\r\n", Refuses(400), Stops),
        post("a length with a space", "Content-Length: 1 3\r\n", Refuses(400), Stops),
        post("an empty length", "Content-Length:\r\n", Refuses(400), Stops),
        post("a length beyond all numbers", "Content-Length: 99999999999999999999\r\n", Refuses(400), Stops),
        post("a length by another spelling", "Content_Length: 3\r\n", Refuses(400), Reaches),
        post("chunks by another spelling", "Transfer_Encoding: chunked\r\n", Refuses(400), Reaches),
        post("another coding", "Transfer-Encoding: gzip\r\n", Refuses(400), Stops),
        post("another coding, then chunks", "Transfer-Encoding: gzip, chunked\r\n", Refuses(400), Reaches),
        post("chunks, then another coding", "Transfer-Encoding: chunked, gzip\r\n", Refuses(400), Stops),
        post("chunks twice in a list", "Transfer-Encoding: chunked, chunked\r\n", Refuses(400), Reaches),
        post(
            "chunks in two fields",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Refuses(400),
            Reaches,
        ),
        post(
            "chunks, then nothing of it",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            Refuses(400),
            Stops,
        ),
        post("chunks with a parameter", "Transfer-Encoding: chunked;a=b\r\n", Refuses(400), Stops),
        post("chunks in quotation marks", "Transfer-Encoding: \"chunked\"\r\n", Refuses(400), Stops),
        post("chunks behind a vertical tab", "Transfer-Encoding: \u{b}chunked\r\n", Refuses(400), Stops),
        post("chunks on a folded line", "Transfer-Encoding:\r\n chunked\r\n", Refuses(400), Stops),
        post("chunks behind a space before the colon", "Transfer-Encoding : chunked\r\n", Refuses(400), Stops),
        post("chunks in capitals", "TRANSFER-ENCODING: CHUNKED\r\n", PassesAndCloses, Reaches),
        whole(
            "chunks in HTTP/1.0",
            "POST /public/x HTTP/1.0\r\n§Transfer-Encoding: chunked\r\n¶3\r\nabc\r\n0\r\n\r\n",
            Refuses(400),
            Stops,
        ),
        chunked("a chunk with an extension", "3;a=b\r\nabc\r\n0\r\n\r\n", PassesAndCloses, Reaches),
        chunked("a bare line feed in an extension", "3;\n12345\r\nabc\r\n0\r\n\r\n", PassesAndCloses, Reaches),
        chunked("chunks with a trailer", "3\r\nabc\r\n0\r\nA: b\r\n\r\n", PassesAndCloses, Reaches),
        chunked("a folded line in a trailer", "3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n", PassesAndCloses, Reaches),
        chunked("a chunk size in another notation", "0x3\r\nabc\r\n0\r\n\r\n", BreaksOff, Alike),
        chunked("a chunk size with a sign", "+3\r\nabc\r\n0\r\n\r\n", BreaksOff, Alike),
        chunked("a chunk size that is none", "z\r\nabc\r\n0\r\n\r\n", BreaksOff, Alike),
        chunked("a chunk size beyond all numbers", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n", BreaksOff, Alike),
        chunked("a bare line feed behind a chunk size", "3\nabc\r\n0\r\n\r\n", BreaksOff, Alike),
        chunked("a chunk longer than it says", "3\r\nabcd\r\n0\r\n\r\n", BreaksOff, Alike),
    ]
}

fn what_comes_behind() -> Vec<Vector> {
    let smuggled = "GET /public/smuggled HTTP/1.1\r\n§\r\n";
    let behind = |what, first: &str, bare| (what, lines(&format!("{first}{smuggled}")), PassesAndCloses, bare);
    let chunks = "POST /public/x HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n¶3\r\nabc\r\n0\r\n\r\n";
    // To some readers "x" is a chunk of one byte, and the next one holds what others take for a request of its own.
    let hidden = "POST /public/x HTTP/1.1\r\n§Transfer-Encoding: chunked\r\n¶1;\nx\r\nf\r\n0\r\n\r\n";
    vec![
        behind("a second request behind a first", "GET /public/x HTTP/1.1\r\n§¶", Reaches),
        behind(
            "a second request behind a length of nothing",
            "GET /public/x HTTP/1.1\r\n§Content-Length: 0\r\n¶",
            Reaches,
        ),
        behind("a second request behind a body", "POST /public/x HTTP/1.1\r\n§Content-Length: 3\r\n¶abc", Reaches),
        behind("a second request behind chunks", chunks, Reaches),
        behind("a second request hidden in chunks", hidden, Reaches),
        behind("a second request behind HTTP/1.0", "POST /public/x HTTP/1.0\r\n§¶", Reaches),
        behind(
            "a second request behind an upgrade that is refused",
            "GET /public/x HTTP/1.1\r\n§Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n¶",
            Reaches,
        ),
        behind(
            "a second request behind an upgrade to HTTP/2",
            "GET /public/x HTTP/1.1\r\n§Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n¶",
            Reaches,
        ),
        whole("nonsense behind a request", "GET /public/x HTTP/1.1\r\n§¶\u{0}\u{1}nonsense", PassesAndCloses, Reaches),
    ]
}

#[tokio::test]
async fn what_is_not_clear_on_the_wire_goes_nowhere() {
    let ours = Recorder::start();
    let routes = json!([{ "path": "/public/*", "access": "public" }]);
    let stack = Plan::new().set("sites.0.routes", routes).set("upstreams.app.servers", json!([ours.url()])).start();
    let person = stack.signed_in(&stack.add_account("ada", crate::forwarding::PHONE)).await;
    let host = person.host().to_owned();
    let cookie = format!("Cookie: {}\r\n", person.cookie_header("/").unwrap());
    let theirs = Recorder::start();
    let bare = BarePingora::before(&theirs);
    let vectors: Vec<Vector> =
        [request_lines(), targets(), fields(), lengths(), what_comes_behind()].into_iter().flatten().collect();
    assert!(vectors.len() >= 60, "{}", vectors.len());

    let mut wrong = Vec::new();
    let (mut added, mut stopped) = (0, 0);
    for (number, (what, template, expected, expected_bare)) in vectors.into_iter().enumerate() {
        let filled = |mark: &str, cookie: &str| {
            let text = template.replace("/public/", mark);
            let text = text.replace("{HOST}", &host).replace("{CAPITALS}", &host.to_ascii_uppercase());
            // One byte a character, so that eight bits can be written down.
            text.replace("{COOKIE}", cookie).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<u8>>()
        };
        let [first, second, third] = ["a", "b", "c"].map(|run| format!("/public/{number}{run}/"));
        for (who, cookie, mark) in [("with a session", cookie.as_str(), first), ("without a session", "", second)] {
            if let Err(why) = held(person.port(), &filled(&mark, cookie), &mark, &host, expected, &ours).await {
                wrong.push(format!("{what}, {who}: {expected:?} expected, {why}"));
            }
        }
        let found = match expected_bare {
            Alike => {
                held(bare.port, &filled(&third, ""), &third, &host, expected, &theirs).await.map_or(Reaches, |()| Alike)
            }
            Reaches | Stops | Waits => through_bare(bare.port, &filled(&third, ""), &third, &theirs).await,
        };
        if found != expected_bare {
            wrong.push(format!("{what}: a bare pingora {found:?}, {expected_bare:?} expected"));
        }
        match (expected, found) {
            (Refuses(_), Reaches) => added += 1,
            (Refuses(_), Stops | Waits | Alike) => stopped += 1,
            (Answers(_) | Passes | PassesAndCloses | BreaksOff, _) => {}
        }
    }
    assert!(wrong.is_empty(), "{} of the table do not hold:\n{}", wrong.len(), wrong.join("\n"));
    println!("refused here and passed on by a bare pingora: {added}; stopped by both: {stopped}");
}

/// Sends one vector to the gateway and sees whether the table holds.
async fn held(
    port: u16,
    bytes: &[u8],
    mark: &str,
    host: &str,
    expected: Ours,
    application: &Recorder,
) -> Result<(), String> {
    application.forget();
    let mut wire = Wire::to(port).await;
    wire.send(bytes).await;
    let fail = |wire: &Wire, why: &str| Err(format!("{why}: {:?}", wire.text()));
    match expected {
        Refuses(status) => {
            let ended = wire.read_on(PATIENCE).await;
            if wire.statuses() != [status] || ended != Ended::Closed {
                return fail(&wire, &format!("{ended:?}"));
            }
            let text = wire.text().to_ascii_lowercase();
            if !text.contains("\r\nx-request-id: ")
                || !text.contains("\r\nconnection: close")
                || !holds_answers(&wire.got, 1)
            {
                return fail(&wire, "no answer of ours");
            }
            if !application.got(mark).is_empty() {
                return fail(&wire, &format!("the application got {:?}", application.got(mark)));
            }
        }
        Answers(status) => {
            wire.read_until(|got| holds_answers(got, 1)).await;
            if wire.statuses() != [status] || !application.got(mark).is_empty() {
                return fail(&wire, &format!("the application got {:?}", application.got(mark)));
            }
            wire.send(format!("GET {mark}second HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
            wire.read_until(|got| holds_answers(got, 2)).await;
            if wire.statuses() != [status, 200] {
                return fail(&wire, "the connection was not kept");
            }
        }
        Passes => {
            wire.read_until(|got| holds_answers(got, 1)).await;
            wire.send(format!("GET {mark}second HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await;
            wire.read_until(|got| holds_answers(got, 2)).await;
            let statuses: Vec<u16> = wire.statuses().into_iter().filter(|status| *status != 100).collect();
            let got = application.got(mark);
            if statuses != [200, 200] || got.len() != 2 || !got[1].target.ends_with("/second") {
                return fail(&wire, &format!("{statuses:?}, the application got {got:?}"));
            }
            clear(&got[0].raw_head)?;
        }
        PassesAndCloses => {
            let ended = wire.read_on(PATIENCE).await;
            let got = application.got(mark);
            if wire.statuses() != [200] || ended != Ended::Closed || got.len() != 1 {
                return fail(&wire, &format!("{ended:?}, the application got {got:?}"));
            }
            if !wire.text().to_ascii_lowercase().contains("\r\nconnection: close") {
                return fail(&wire, "the end was not announced");
            }
            clear(&got[0].raw_head)?;
        }
        BreaksOff => {
            let ended = wire.read_on(PATIENCE).await;
            if wire.statuses().contains(&200) || ended == Ended::Open || application.got(mark).len() > 1 {
                return fail(&wire, &format!("{ended:?}, the application got {:?}", application.got(mark)));
            }
        }
    }
    Ok(())
}

/// Whether the head that reached the application is one that all readers read alike.
fn clear(head: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let count = |name: &str| text.matches(&format!("\r\n{name}:")).count();
    let clear =
        count("host") == 1 && count("content-length") + count("transfer-encoding") <= 1 && !text.contains("\n ");
    let bare = head.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r');
    if clear && !bare { Ok(()) } else { Err(format!("the application got an unclear head: {text:?}")) }
}

async fn through_bare(port: u16, bytes: &[u8], mark: &str, application: &Recorder) -> Bare {
    application.forget();
    let mut wire = Wire::to(port).await;
    wire.send(bytes).await;
    let mut ended = Ended::Open;
    for _ in 0..20 {
        ended = wire.read_on(Duration::from_millis(50)).await;
        if !application.got(mark).is_empty() {
            return Reaches;
        }
        if ended != Ended::Open || !wire.got.is_empty() {
            break;
        }
    }
    if ended == Ended::Open && wire.got.is_empty() { Waits } else { Stops }
}
