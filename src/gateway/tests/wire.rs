//! HTTP/1.1 read by hand.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;

pub(crate) fn read_chunked(socket: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(chunk) = read_chunk(socket) {
        body.extend(chunk);
    }
    body
}

/// `None` at the last chunk.
pub(crate) fn read_chunk(socket: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut line = String::new();
    socket.read_line(&mut line).unwrap();
    let length = usize::from_str_radix(line.trim(), 16).unwrap_or_else(|_| panic!("no chunk: {line:?}"));
    let mut chunk = vec![0; length + 2];
    socket.read_exact(&mut chunk).unwrap();
    chunk.truncate(length);
    (length > 0).then_some(chunk)
}

/// `None` when the connection was closed before a head.
pub(crate) fn read_head(socket: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        match socket.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line).trim_end_matches("\r\n").to_owned();
        if text.is_empty() {
            return Some(lines);
        }
        lines.push(text);
    }
}
