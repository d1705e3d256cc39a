//! Ten thousand silent WebSockets at one node: they are held, cost little, and end together.
//!
//! Fewer where the system does not allow as many open files; half of what it allows is left to the other tests. With `VESTIBULE_SOCKETS`
//! set, that many. Times are printed and decide nothing: what they are depends on the machine.

use super::PHONE;
use crate::harness::gateway::Gateway;
use crate::harness::person::Person;
use crate::harness::stack::Plan;
use futures_util::stream::{self, StreamExt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SOCKETS: usize = 10_000;
/// What else a process has open.
const OTHERS: u64 = 150;
/// Far more than one may cost.
const MOST_BYTES_EACH: u64 = 300 << 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_sockets_are_held_and_end_together() {
    let sockets = as_many_as_the_system_allows();
    let stack = Plan::new()
        .nodes(2)
        .set("limits.connections.total", 30_000)
        .set("limits.connections.per_network", 30_000)
        .set("log.level", "warn")
        .set("log.access", "off")
        .start();
    let account = stack.add_account("ada", PHONE);
    let other = stack.add_account("eve", "+32470111333");
    let person = stack.signed_in(&account).await.at_port(stack.nodes[1].port());
    let asking = stack.signed_in(&other).await;
    let (without, with) = (asking.clone(), asking.at_port(stack.nodes[1].port()));
    let before = resident_bytes(&stack.nodes[1]);

    let began = Instant::now();
    let held: Vec<TcpStream> =
        stream::iter(0..sockets).map(async |_| open(&person).await).buffer_unordered(64).collect().await;
    assert_eq!(held.len(), sockets);
    assert_eq!(stack.upstream.open_streams(), sockets);
    let each = resident_bytes(&stack.nodes[1]).saturating_sub(before) / sockets as u64;
    println!("{sockets} sockets opened in {:?}; each takes {each} bytes of the node's memory", began.elapsed());
    assert!(each < MOST_BYTES_EACH, "{each} bytes each");

    let idle = cpu_time(&stack.nodes[1]);
    let watched = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let used = cpu_time(&stack.nodes[1]) - idle;
    println!(
        "while nothing happens the node uses {:.1} % of a core",
        100.0 * used.as_secs_f64() / watched.elapsed().as_secs_f64()
    );

    let (mut times_without, mut times_with) = (Vec::new(), Vec::new());
    let (mut to_without, mut to_with) = (Asking::of(&without).await, Asking::of(&with).await);
    for _ in 0..40 {
        for _ in 0..50 {
            times_without.push(to_without.ask().await);
        }
        for _ in 0..50 {
            times_with.push(to_with.ask().await);
        }
    }
    times_without.sort();
    times_with.sort();
    for percent in [50, 90, 99] {
        let (without, with) = (percentile(&times_without, percent), percentile(&times_with, percent));
        println!(
            "p{percent} of other requests: {with:?} beside the sockets, {without:?} without: {:.2}",
            with.as_secs_f64() / without.as_secs_f64()
        );
    }

    stack.command(&["session", "end", "--user", "ada", "--reason", "a test"], "").done();
    let ended = Instant::now();
    let mut last = Duration::ZERO;
    for mut socket in held {
        let mut heard = Vec::new();
        tokio::time::timeout(Duration::from_secs(30), socket.read_to_end(&mut heard)).await.unwrap().unwrap();
        last = ended.elapsed();
        assert_eq!(heard, b"\x88\x0f\x11\x31session_ended");
    }
    println!("all {sockets} had ended {last:?} after their session");
    // The node lives, and who asks is served.
    to_with.ask().await;
}

/// A silent WebSocket without a library: nothing that a test would have to feed.
async fn open(person: &Person) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", person.port())).await.unwrap();
    let head = format!(
        "GET /socket HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nCookie: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        person.host(),
        person.site(),
        person.cookie_header("/").unwrap()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream
}

/// One connection that asks and asks.
struct Asking {
    stream: TcpStream,
    request: String,
}

impl Asking {
    async fn of(person: &Person) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", person.port())).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let cookies = person.cookie_header("/").unwrap();
        let request = format!("GET /status?code=200 HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\n\r\n", person.host());
        Self { stream, request }
    }

    async fn ask(&mut self) -> Duration {
        let began = Instant::now();
        self.stream.write_all(self.request.as_bytes()).await.unwrap();
        let mut answer = Vec::with_capacity(1024);
        while !answer.ends_with(b"as asked") {
            assert!(self.stream.read_buf(&mut answer).await.unwrap() > 0, "{}", String::from_utf8_lossy(&answer));
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
        began.elapsed()
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

/// Both ends of each socket are open here, and in the node there are two as well.
fn as_many_as_the_system_allows() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let allowed = limit.maximum.map_or(usize::MAX, |files| usize::try_from((files - OTHERS) / 2).unwrap());
    match std::env::var("VESTIBULE_SOCKETS") {
        Ok(count) => count.parse().expect("VESTIBULE_SOCKETS is a number"),
        Err(_) => SOCKETS.min(allowed / 2),
    }
}

fn resident_bytes(node: &Gateway) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.process_id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// In user and kernel, all threads.
fn cpu_time(node: &Gateway) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", node.process_id())).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // USER_HZ is 100 on Linux.
    Duration::from_millis(ticks * 10)
}
