//! The header of the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt §2), read strictly from the bytes so far.
//! Own code: the crates for it take any byte for a blank, `+80` for a port, datagrams for streams. Reads no socket. Floor: edge (pure).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::web::origin::Scheme;

/// What begins version 1.
const V1_START: &[u8] = b"PROXY ";
/// `PROXY UNKNOWN` and the line end; nothing shorter is a header of either version.
const V1_SHORTEST: usize = 15;
/// The longest line with its end (§2.1).
const V1_LONGEST: usize = 107;
/// What begins version 2 (§2.2).
const V2_START: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, command, family, length.
const V2_FIXED: usize = 16;
/// Addresses and additions behind the fixed part. Our own choice: 216 bytes are the longest addresses, and a client certificate's names fit.
const V2_LONGEST_REST: usize = 4096;
/// The addition that tells of TLS between the client and the proxy (§2.2.6).
const PP2_TYPE_SSL: u8 = 0x20;
const PP2_CLIENT_SSL: u8 = 0x01;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// Who connected to the proxy; `None` when it speaks for itself (`LOCAL`) or names nobody (`UNKNOWN`, a Unix socket).
    pub(crate) source: Option<SocketAddr>,
    /// What the client spoke with the proxy; `None`: the header does not say.
    pub(crate) scheme: Option<Scheme>,
}

/// How far reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// At least so many bytes more belong to the header; never more than there are.
    More(usize),
    /// The bytes are a header and nothing else.
    Whole(Announcement),
    /// They cannot become one.
    Bad(HeaderMistake),
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderMistake {
    /// They begin as neither version does: most often the peer speaks HTTP or TLS at once.
    NoHeader,
    /// Longer than we read.
    TooLong,
    /// A version 1 line that is not written as it has to be.
    Line,
    /// Version 2 with another command, family or protocol than we know, addresses that do not fit, or additions that do not fill the rest.
    Binary,
}

impl HeaderMistake {
    /// The stable word for the log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoHeader => "no_proxy_header",
            Self::TooLong => "proxy_header_too_long",
            Self::Line => "bad_proxy_line",
            Self::Binary => "bad_proxy_header",
        }
    }
}

/// Reads what has come so far.
pub(crate) fn read(bytes: &[u8]) -> Progress {
    match bytes.first() {
        None => Progress::More(V1_SHORTEST),
        Some(b'P') => read_line(bytes),
        Some(_) => read_binary(bytes),
    }
}

fn read_line(bytes: &[u8]) -> Progress {
    let start = bytes.get(..V1_START.len()).unwrap_or(bytes);
    if !V1_START.starts_with(start) {
        return Progress::Bad(HeaderMistake::NoHeader);
    }
    if bytes.len() > V1_LONGEST {
        return Progress::Bad(HeaderMistake::TooLong);
    }
    let Some(line) = bytes.strip_suffix(b"\r\n") else {
        let before_end = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if !before_end.iter().all(is_printable) {
            return Progress::Bad(HeaderMistake::Line);
        }
        let missing = 2 - (bytes.len() - before_end.len());
        let more = missing.max(V1_SHORTEST.saturating_sub(bytes.len()));
        return match bytes.len() + more {
            0..=V1_LONGEST => Progress::More(more),
            _ => Progress::Bad(HeaderMistake::TooLong),
        };
    };
    match (line.iter().all(is_printable), std::str::from_utf8(line)) {
        (true, Ok(line)) => announced_by(line).map_or(Progress::Bad(HeaderMistake::Line), Progress::Whole),
        (true, Err(_)) | (false, _) => Progress::Bad(HeaderMistake::Line),
    }
}

fn is_printable(byte: &u8) -> bool {
    matches!(byte, 0x20..=0x7e)
}

fn announced_by(line: &str) -> Option<Announcement> {
    let parts: Vec<&str> = line.split(' ').collect();
    let source = match parts.as_slice() {
        // what stands behind it has to be ignored (§2.1)
        ["PROXY", "UNKNOWN", ..] => None,
        ["PROXY", "TCP4", source, destination, source_port, destination_port] => {
            let (source, _): (Ipv4Addr, Ipv4Addr) = (source.parse().ok()?, destination.parse().ok()?);
            port(destination_port)?;
            Some(SocketAddr::new(IpAddr::V4(source), port(source_port)?))
        }
        ["PROXY", "TCP6", source, destination, source_port, destination_port] => {
            let (source, _): (Ipv6Addr, Ipv6Addr) = (source.parse().ok()?, destination.parse().ok()?);
            port(destination_port)?;
            Some(SocketAddr::new(IpAddr::V6(source), port(source_port)?))
        }
        _ => return None,
    };
    Some(Announcement { source, scheme: None })
}

/// Digits only, without zeros in front (§2.1).
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

fn read_binary(bytes: &[u8]) -> Progress {
    let start = bytes.get(..V2_START.len()).unwrap_or(bytes);
    if !V2_START.starts_with(start) {
        return Progress::Bad(HeaderMistake::NoHeader);
    }
    let Some((&[.., command, family, high, low], rest)) = bytes.split_first_chunk::<V2_FIXED>() else {
        return Progress::More(V2_FIXED - bytes.len());
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > V2_LONGEST_REST {
        return Progress::Bad(HeaderMistake::TooLong);
    }
    match length.checked_sub(rest.len()) {
        Some(0) => announced_in(command, family, rest).map_or(Progress::Bad(HeaderMistake::Binary), Progress::Whole),
        Some(missing) => Progress::More(missing),
        None => Progress::Bad(HeaderMistake::Binary),
    }
}

/// Version and command, family and protocol, and the rest.
fn announced_in(command: u8, family: u8, rest: &[u8]) -> Option<Announcement> {
    const LOCAL: u8 = 0x20;
    const PROXY: u8 = 0x21;
    let (source, additions) = match (command, family) {
        // the proxy speaks for itself; everything behind has to be ignored (§2.2)
        (LOCAL, _) => return Some(Announcement { source: None, scheme: None }),
        (PROXY, 0x00) => (None, rest),
        (PROXY, 0x11) => {
            let (addresses, additions) = rest.split_first_chunk::<12>()?;
            let &[a, b, c, d, _, _, _, _, high, low, _, _] = addresses;
            let source = SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low]));
            (Some(source), additions)
        }
        (PROXY, 0x21) => {
            let (source, rest) = rest.split_first_chunk::<16>()?;
            let (_destination, rest) = rest.split_first_chunk::<16>()?;
            let (&[high, low, _, _], additions) = rest.split_first_chunk::<4>()?;
            (Some(SocketAddr::new(Ipv6Addr::from(*source).into(), u16::from_be_bytes([high, low]))), additions)
        }
        // a Unix socket: two paths, no address
        (PROXY, 0x31) => (None, rest.get(216..)?),
        // other versions and commands; datagrams, which HTTP does not come in
        (_, _) => return None,
    };
    Some(Announcement { source, scheme: scheme_in(additions)? })
}

/// What the additions say of TLS. `None` when they are not well-formed.
fn scheme_in(mut additions: &[u8]) -> Option<Option<Scheme>> {
    let mut scheme = None;
    while !additions.is_empty() {
        let (&[kind, high, low], rest) = additions.split_first_chunk::<3>()?;
        let (value, behind) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        if kind == PP2_TYPE_SSL {
            // what the client used, and whether its certificate was verified
            let (&[client, _, _, _, _], _) = value.split_first_chunk::<5>()?;
            scheme = Some(if client & PP2_CLIENT_SSL == 0 { Scheme::Http } else { Scheme::Https });
        }
        additions = behind;
    }
    Some(scheme)
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
