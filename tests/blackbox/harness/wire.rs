//! HTTP/1.1 by hand, for the fakes: what came in is kept as it came, byte for byte, and what goes out is written by the
//! behaviour that the test chose. A library would tidy both.

use std::io;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The most of a body that is kept; the rest is counted and hashed only.
const KEPT_BYTES: usize = 1 << 20;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The head with its line ends, up to and with the empty line.
    pub(crate) raw_head: Vec<u8>,
    pub(crate) method: String,
    pub(crate) target: String,
    /// In the order and spelling they came.
    pub(crate) headers: Vec<(String, String)>,
    /// At most the first mebibyte.
    pub(crate) body: Vec<u8>,
    pub(crate) body_bytes: u64,
    /// SHA-256 of the whole body, in hex.
    pub(crate) body_sha256: String,
    /// Counts the connections of this server from 0: requests with the same number came over the same one.
    pub(crate) connection: usize,
}

impl Received {
    /// All values of a header, whatever the case of its name.
    pub(crate) fn headers_named(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a header that is there once; `None` when it is not there.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values = self.headers_named(name);
        assert!(values.len() < 2, "{name} came {} times: {values:?}", values.len());
        values.first().copied()
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        form_urlencoded::parse(query.as_bytes()).find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }
}

/// One connection to a fake.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    number: usize,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, number: usize) -> Self {
        let _ = stream.set_nodelay(true);
        Self { stream: BufReader::with_capacity(64 << 10, stream), number }
    }

    /// `None` when the peer closed instead of asking again.
    pub(crate) async fn read_head(&mut self) -> io::Result<Option<Received>> {
        let mut raw_head = Vec::new();
        loop {
            let line_bytes = self.stream.read_until(b'\n', &mut raw_head).await?;
            if line_bytes == 0 {
                return Ok(None);
            }
            if raw_head.ends_with(b"\r\n\r\n") || raw_head.ends_with(b"\n\n") {
                break;
            }
        }
        let text = String::from_utf8_lossy(&raw_head).into_owned();
        let mut lines = text.lines();
        let mut first = lines.next().unwrap_or_default().split(' ');
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        Ok(Some(Received {
            method: first.next().unwrap_or_default().to_owned(),
            target: first.next().unwrap_or_default().to_owned(),
            headers,
            raw_head,
            body: Vec::new(),
            body_bytes: 0,
            body_sha256: String::new(),
            connection: self.number,
        }))
    }

    /// Reads the body that the head announces; `seen` is told the count of bytes after every piece.
    pub(crate) async fn read_body(&mut self, request: &mut Received, seen: impl Fn(u64)) -> io::Result<()> {
        use sha2::Digest;
        let mut hash = sha2::Sha256::new();
        let chunked = request.headers_named("transfer-encoding").iter().any(|value| value.contains("chunked"));
        if chunked {
            loop {
                let mut line = String::new();
                self.stream.read_line(&mut line).await?;
                let size = u64::from_str_radix(line.trim().split(';').next().unwrap_or_default(), 16)
                    .map_err(|_| io::Error::other(format!("bad chunk size {line:?}")))?;
                self.read_piece(size, request, &mut hash, &seen).await?;
                let mut end = String::new();
                self.stream.read_line(&mut end).await?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = request.headers_named("content-length").first() {
            let length = length.parse().map_err(|_| io::Error::other("bad content-length"))?;
            self.read_piece(length, request, &mut hash, &seen).await?;
        }
        request.body_sha256 = hex::encode(hash.finalize());
        Ok(())
    }

    async fn read_piece(
        &mut self,
        mut left: u64,
        request: &mut Received,
        hash: &mut sha2::Sha256,
        seen: &impl Fn(u64),
    ) -> io::Result<()> {
        use sha2::Digest;
        let mut buffer = vec![0; 64 << 10];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(buffer.len()).min(buffer.len());
            let read = self.stream.read(&mut buffer[..wanted]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let piece = &buffer[..read];
            hash.update(piece);
            let room = KEPT_BYTES.saturating_sub(request.body.len());
            request.body.extend_from_slice(&piece[..read.min(room)]);
            request.body_bytes += read as u64;
            left -= read as u64;
            seen(request.body_bytes);
        }
        Ok(())
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes).await?;
        self.stream.get_mut().flush().await
    }

    pub(crate) async fn write_chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
        framed.extend_from_slice(bytes);
        framed.extend_from_slice(b"\r\n");
        self.write(&framed).await
    }

    /// A whole answer with its length.
    pub(crate) async fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {status} {}\r\ncontent-length: {}\r\n", reason(status), body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut answer = head.into_bytes();
        answer.extend_from_slice(body);
        self.write(&answer).await
    }

    pub(crate) async fn answer_json(&mut self, status: u16, body: &serde_json::Value) -> io::Result<()> {
        self.answer(status, &[("content-type", "application/json")], body.to_string().as_bytes()).await
    }

    /// When the connection is dropped the peer learns of it by a reset.
    pub(crate) fn reset(&mut self) {
        self.stream.get_ref().set_zero_linger().unwrap();
    }

    /// The bare connection, after an upgrade. Nothing may have been read ahead.
    pub(crate) fn into_stream(self) -> TcpStream {
        assert!(self.stream.buffer().is_empty(), "the peer did not wait for the upgrade");
        self.stream.into_inner()
    }

    /// True when the peer has closed; waits for it.
    pub(crate) async fn closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte).await, Ok(0) | Err(_))
    }
}

fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Status")
}

/// The runtime of all fakes: they go on while a test waits.
pub(crate) fn fakes() -> &'static tokio::runtime::Runtime {
    static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> = std::sync::LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().thread_name("fakes").build().unwrap()
    });
    &RUNTIME
}

/// A listener on a port that the kernel chose, and its port.
pub(crate) fn listen() -> (tokio::net::TcpListener, u16) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let _inside = fakes().enter();
    (tokio::net::TcpListener::from_std(listener).unwrap(), port)
}
