//! HTTP/2 frames written by hand over TLS, for what a client library would refuse to send. Header lists are sent without compression, so
//! that every byte of a name and a value is the test's.

use crate::harness::person::install_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long something that must come may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) mod kind {
    pub(crate) const DATA: u8 = 0;
    pub(crate) const HEADERS: u8 = 1;
    pub(crate) const RESET: u8 = 3;
    pub(crate) const SETTINGS: u8 = 4;
    pub(crate) const PING: u8 = 6;
    pub(crate) const GOAWAY: u8 = 7;
    pub(crate) const CONTINUATION: u8 = 9;
}

pub(super) mod flag {
    pub(crate) const END_STREAM: u8 = 1;
    pub(crate) const ACK: u8 = 1;
    pub(crate) const END_HEADERS: u8 = 4;
}

pub(super) mod code {
    pub(crate) const PROTOCOL_ERROR: u32 = 1;
    pub(crate) const CANCEL: u32 = 8;
}

pub(super) type Fields<'a> = Vec<(&'a [u8], Vec<u8>)>;

/// What became of a stream, or of the whole connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Status(u16),
    Reset(u32),
    /// The connection is given up, with this code.
    GoAway(u32),
    /// Without a word.
    Closed,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct RawHttp2 {
    stream: TlsStream<TcpStream>,
}

/// What a client trusts, with the protocols it offers.
pub(super) fn client_config(authority: &Path, protocols: &[&str]) -> rustls::ClientConfig {
    install_provider();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// A TLS connection, with the protocols that it offers.
pub(super) async fn connect(port: u16, authority: &Path, host: &str, protocols: &[&str]) -> TlsStream<TcpStream> {
    let connector = TlsConnector::from(Arc::new(client_config(authority, protocols)));
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    connector.connect(ServerName::try_from(host.to_owned()).unwrap(), stream).await.unwrap()
}

impl RawHttp2 {
    /// A connection on which the preface and empty settings were sent.
    pub(super) async fn connect(port: u16, authority: &Path) -> Self {
        let mut raw = Self::silent(port, authority).await;
        raw.send(PREFACE).await;
        raw.frame(kind::SETTINGS, 0, 0, b"").await;
        raw
    }

    /// A connection that chose HTTP/2, on which nothing was sent.
    pub(super) async fn silent(port: u16, authority: &Path) -> Self {
        let stream = connect(port, authority, "localhost", &["h2"]).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Self { stream }
    }

    /// Says nothing until the other end closes.
    pub(super) async fn listen_until_closed(mut self) {
        let mut heard = Vec::new();
        let listening = self.stream.read_to_end(&mut heard);
        // an end without `close_notify` is an end too
        let _ = tokio::time::timeout(PATIENCE, listening).await.expect("it does not close");
    }

    /// Bytes as they are. A peer that is gone already is no mistake of the test.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
        let _ = self.stream.flush().await;
    }

    pub(super) async fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        self.send(&frame(kind, flags, stream, payload)).await;
    }

    pub(super) async fn headers(&mut self, stream: u32, flags: u8, fields: &Fields<'_>) {
        self.frame(kind::HEADERS, flags | flag::END_HEADERS, stream, &block(fields)).await;
    }

    /// The next frame that is neither settings, ping nor window update; `None` when the connection is closed.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.read()).await.expect("nothing comes any more")?;
            match frame.kind {
                kind::SETTINGS if frame.flags & flag::ACK == 0 => self.frame(kind::SETTINGS, flag::ACK, 0, b"").await,
                kind::PING if frame.flags & flag::ACK == 0 => {
                    self.frame(kind::PING, flag::ACK, 0, &frame.payload).await
                }
                kind::SETTINGS | kind::PING | 8 => {}
                _ => return Some(frame),
            }
        }
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// What becomes of a stream.
    pub(super) async fn fate(&mut self, stream: u32) -> Fate {
        while let Some(frame) = self.next().await {
            match frame.kind {
                kind::HEADERS if frame.stream == stream => return Fate::Status(status_in(&frame.payload)),
                kind::RESET if frame.stream == stream => return Fate::Reset(number(&frame.payload)),
                kind::GOAWAY => return Fate::GoAway(number(&frame.payload[4..])),
                _ => {}
            }
        }
        Fate::Closed
    }

    /// All data of a stream up to its end, when its head was read already; and how it ended.
    pub(super) async fn rest(&mut self, stream: u32) -> (Vec<u8>, Result<(), Fate>) {
        let mut data = Vec::new();
        while let Some(frame) = self.next().await {
            match frame.kind {
                kind::DATA if frame.stream == stream => {
                    data.extend_from_slice(&frame.payload);
                    if frame.flags & flag::END_STREAM != 0 {
                        return (data, Ok(()));
                    }
                }
                kind::RESET if frame.stream == stream => return (data, Err(Fate::Reset(number(&frame.payload)))),
                kind::GOAWAY => return (data, Err(Fate::GoAway(number(&frame.payload[4..])))),
                _ => {}
            }
        }
        (data, Err(Fate::Closed))
    }
}

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// A header block: literal fields that are not indexed, names and values without Huffman coding (RFC 7541 §6.2.2).
pub(super) fn block(fields: &Fields<'_>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [*name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(block: &mut Vec<u8>, mut number: usize) {
    if number < 127 {
        block.push(u8::try_from(number).unwrap());
        return;
    }
    block.push(127);
    number -= 127;
    while number >= 128 {
        block.push(u8::try_from(number % 128).unwrap() | 128);
        number /= 128;
    }
    block.push(u8::try_from(number).unwrap());
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// The status that begins the header block of an answer on a fresh connection: from the static table, or its name from there and its value
/// as it is or in Huffman code.
fn status_in(block: &[u8]) -> u16 {
    // what may come before: a change of the dynamic table's size
    let block = &block[block.iter().take_while(|byte| *byte >> 5 == 1).count()..];
    match block[0] {
        indexed @ 0x88..=0x8e => [200, 204, 206, 304, 400, 404, 500][usize::from(indexed - 0x88)],
        0x48 | 0x08 | 0x18 => {
            let bytes = &block[2..2 + usize::from(block[1] & 0x7f)];
            let text = if block[1] & 0x80 == 0 { String::from_utf8(bytes.to_vec()).unwrap() } else { digits(bytes) };
            text.parse().unwrap_or_else(|_| panic!("no status: {text:?}"))
        }
        other => panic!("a status in an unknown form: {other:#x}"),
    }
}

/// Digits in Huffman code (RFC 7541 appendix B): 0 to 2 have five bits, the others six.
fn digits(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
    let mut text = String::new();
    let mut rest = bits.as_slice();
    let value = |bits: &[u8]| bits.iter().fold(0, |value, bit| value << 1 | bit);
    while rest.len() >= 5 {
        let (digit, used) = match value(&rest[..5]) {
            short @ 0..=2 => (short, 5),
            _ if rest.len() < 6 => break,
            _ => match value(&rest[..6]) {
                long @ 25..=31 => (long - 25 + 3, 6),
                _ => break,
            },
        };
        text.push(char::from(b'0' + digit));
        rest = &rest[used..];
    }
    text
}

#[test]
fn a_status_is_read_in_every_form() {
    for (block, status) in [
        (&[0x88][..], 200),
        (&[0x20, 0x8d], 404),
        (&[0x48, 0x03, b'4', b'0', b'1'], 401),
        // as h2 writes it: in Huffman code, padded with ones
        (&[0x48, 0x82, 0x68, 0x01], 401),
        (&[0x48, 0x83, 0x69, 0x90, 0xff], 431),
    ] {
        assert_eq!(status_in(block), status, "{block:x?}");
    }
}
