//! Strictness on the wire: what a client may send, byte for byte, and what becomes of it. `vectors` is the table, held against the real
//! program and against a pingora with nothing on it; `slow` is about who takes too long, `crowd` about too many connections.

mod bare;
mod crowd;
mod slow;
mod vectors;

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the other end left a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// In order: everything that was sent could be read.
    Closed,
    /// By a reset.
    Reset,
    /// Not at all.
    Open,
}

/// A connection of which every byte is ours.
#[derive(Debug)]
struct Wire {
    stream: TcpStream,
    got: Vec<u8>,
}

impl Wire {
    async fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, got: Vec::new() }
    }

    /// The other end may have closed already: then there is an answer to read.
    async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// Reads until the other end closes, or says nothing for `silence`.
    async fn read_on(&mut self, silence: Duration) -> Ended {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match tokio::time::timeout(silence, self.stream.read(&mut buffer)).await {
                Ok(Ok(0)) => return Ended::Closed,
                Ok(Ok(read)) => self.got.extend_from_slice(&buffer[..read]),
                Ok(Err(_)) => return Ended::Reset,
                Err(_) => return Ended::Open,
            }
        }
    }

    /// Reads until `enough` says so of all that came, or the other end closes.
    async fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Ended {
        let mut buffer = vec![0; 64 << 10];
        let started = std::time::Instant::now();
        while !enough(&self.got) {
            let left = PATIENCE.saturating_sub(started.elapsed());
            match tokio::time::timeout(left, self.stream.read(&mut buffer)).await {
                Ok(Ok(0)) => return Ended::Closed,
                Ok(Ok(read)) => self.got.extend_from_slice(&buffer[..read]),
                Ok(Err(_)) => return Ended::Reset,
                Err(_) => panic!("no more came: {}", self.text()),
            }
        }
        Ended::Open
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.got).into_owned()
    }

    fn statuses(&self) -> Vec<u16> {
        crate::harness::raw::statuses(&self.got)
    }
}

/// Whether bytes hold so many whole answers with a length.
fn holds_answers(bytes: &[u8], wanted: usize) -> bool {
    let mut rest = bytes;
    let mut found = 0;
    while let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&rest[..end]).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.trim().parse::<usize>().unwrap());
        let Some(behind) = rest.get(end + 4 + length..) else { break };
        found += usize::from(!head.starts_with("http/1.1 1"));
        rest = behind;
    }
    found >= wanted
}
