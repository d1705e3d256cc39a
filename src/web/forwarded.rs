//! The `Forwarded` header (RFC 7239), read strictly: one that is not well-formed says nothing at all.
//! Own code: it has to stop where a reader may not go on, and the crates for it are not maintained. Believes nobody. Floor: web.

use std::net::{IpAddr, SocketAddr};

use http::header::{FORWARDED, HeaderMap};

use super::origin::Scheme;
use crate::domain::network::folded;

/// Parameters of one element; beyond, nobody means well. Our own choice: RFC 7239 §5 has four, and extensions are hardly seen.
const MOST_PARAMETERS: usize = 16;

/// What one proxy wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// Who asked it.
    pub node: Node,
    /// What was spoken to it; `None`: it does not say.
    pub scheme: Option<Scheme>,
}

/// Who asked a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// This address, IPv4-in-IPv6 folded.
    Address(IpAddr),
    /// `unknown`, an obfuscated name, or nothing.
    Hidden,
}

/// All elements, the one of the nearest proxy last. `None` when they are not well-formed; none when there is no such header.
#[must_use]
pub fn elements(headers: &HeaderMap) -> Option<Vec<Element>> {
    let mut elements = Vec::new();
    for value in headers.get_all(FORWARDED) {
        let mut rest = value.to_str().ok()?;
        loop {
            let (element, behind) = element(rest)?;
            elements.push(element);
            match behind.strip_prefix(',') {
                Some(behind) => rest = behind,
                None if behind.is_empty() => break,
                None => return None,
            }
        }
    }
    Some(elements)
}

/// One element, and what is behind it (RFC 7239 §4). An empty one, which list syntax allows, is not: nobody needs it, and readers differ.
fn element(text: &str) -> Option<(Element, &str)> {
    let mut seen: Vec<&str> = Vec::new();
    let mut found = Element { node: Node::Hidden, scheme: None };
    let mut rest = text.trim_start_matches([' ', '\t']);
    loop {
        let (name, behind) = token(rest)?;
        if seen.len() == MOST_PARAMETERS || seen.iter().any(|before| before.eq_ignore_ascii_case(name)) {
            return None;
        }
        seen.push(name);
        let (value, behind) = value(behind.strip_prefix('=')?)?;
        match name.to_ascii_lowercase().as_str() {
            "for" => found.node = node(&value)?,
            "proto" if value.eq_ignore_ascii_case("https") => found.scheme = Some(Scheme::Https),
            "proto" if value.eq_ignore_ascii_case("http") => found.scheme = Some(Scheme::Http),
            "proto" => return None,
            // `by`, `host` and extensions
            _ => {}
        }
        match behind.strip_prefix(';') {
            Some(behind) => rest = behind,
            None => return Some((found, behind.trim_start_matches([' ', '\t']))),
        }
    }
}

fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    text.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// A token, or a quoted string without its quotes (RFC 9110 §5.6.4).
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        return token(text).map(|(token, rest)| (token.to_owned(), rest));
    };
    let mut unquoted = String::new();
    let mut characters = quoted.char_indices();
    loop {
        match characters.next()? {
            (at, '"') => return Some((unquoted, quoted.get(at + 1..)?)),
            (_, '\\') => unquoted.push(characters.next()?.1),
            (_, plain) => unquoted.push(plain),
        }
    }
}

/// RFC 7239 §6: an address (IPv6 in brackets), `unknown`, or an obfuscated name that begins with `_`; perhaps a port.
fn node(text: &str) -> Option<Node> {
    let name = text.split(':').next().unwrap_or_default();
    if text.eq_ignore_ascii_case("unknown") || name.eq_ignore_ascii_case("unknown") || text.starts_with('_') {
        return Some(Node::Hidden);
    }
    // the port may be obfuscated as well
    let text = text.split_once(":_").map_or(text, |(address, _)| address);
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse().ok().map(|v6: std::net::Ipv6Addr| Node::Address(folded(v6.into())));
    }
    match (text.parse::<std::net::Ipv4Addr>(), text.parse::<SocketAddr>()) {
        (Ok(v4), _) => Some(Node::Address(v4.into())),
        (_, Ok(with_port)) => Some(Node::Address(folded(with_port.ip()))),
        (Err(_), Err(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Option<Vec<(Option<String>, Option<Scheme>)>> {
        let headers: HeaderMap =
            values.iter().map(|value| (FORWARDED, HeaderValue::from_bytes(value.as_bytes()).unwrap())).collect();
        let said = |element: Element| {
            let address = match element.node {
                Node::Address(address) => Some(address.to_string()),
                Node::Hidden => None,
            };
            (address, element.scheme)
        };
        elements(&headers).map(|elements| elements.into_iter().map(said).collect())
    }

    #[test]
    fn what_is_well_formed_is_read() {
        use Scheme::{Http, Https};
        let address = |text: &str| Some(text.to_owned());
        for (values, elements) in [
            (&[] as &[&str], vec![]),
            (&["for=198.51.100.7"], vec![(address("198.51.100.7"), None)]),
            (&["For=\"198.51.100.7:4711\";Proto=HTTPS"], vec![(address("198.51.100.7"), Some(Https))]),
            (&["for=\"[2001:db8::7]\""], vec![(address("2001:db8::7"), None)]),
            (&["for=\"[2001:db8::7]:4711\";proto=http"], vec![(address("2001:db8::7"), Some(Http))]),
            (&["for=\"[::ffff:198.51.100.7]\""], vec![(address("198.51.100.7"), None)]),
            (&["for=\"198.51.100.7:_port\""], vec![(address("198.51.100.7"), None)]),
            (&["for=\"198.51.100.\\7\""], vec![(address("198.51.100.7"), None)]),
            (&["for=unknown"], vec![(None, None)]),
            (&["for=_hidden, for=_SEVKISEK"], vec![(None, None), (None, None)]),
            (&["proto=https;host=\"app.example.com:8443\""], vec![(None, Some(Https))]),
            (&["by=\"_lb;1,2\";for=192.0.2.1;ext=\"a, for=6.6.6.6\""], vec![(address("192.0.2.1"), None)]),
            (&["for=192.0.2.1 ,\tfor=192.0.2.2"], vec![(address("192.0.2.1"), None), (address("192.0.2.2"), None)]),
            (&["for=192.0.2.1", "for=192.0.2.2"], vec![(address("192.0.2.1"), None), (address("192.0.2.2"), None)]),
        ] {
            assert_eq!(read(values), Some(elements), "{values:?}");
        }
    }

    #[test]
    fn what_is_not_says_nothing() {
        for value in [
            "",
            "198.51.100.7",
            "for=",
            "for",
            "for=192.0.2.1,",
            ",for=192.0.2.1",
            "for=192.0.2.1;",
            "for=192.0.2.1; proto=https",
            "for =192.0.2.1",
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1;FOR=192.0.2.2",
            "for=\"192.0.2.1",
            "for=\"192.0.2.1\\",
            "for=\"192.0.2.1\"x",
            "for=192.0.2.1 for=192.0.2.2",
            "for=192.0.2.1:80",
            "for=[2001:db8::7]",
            "for=\"2001:db8::7\"",
            "for=\"[192.0.2.1]\"",
            "for=\"192.0.2.1:99999\"",
            "for=192.0.2.999",
            "for=app.example.com",
            "proto=ftp",
            "for=192.0.2.1\u{e9}",
        ] {
            assert_eq!(read(&[value]), None, "{value}");
        }
    }

    #[test]
    fn what_is_long_on_purpose_costs_little() {
        let hidden_ports = format!("for=\"192.0.2.1{}\"", ":_".repeat(16 * 1024));
        assert_eq!(read(&[&hidden_ports]), Some(vec![(Some("192.0.2.1".to_owned()), None)]));
        let parameters = |count: usize| (0..count).map(|n| format!("p{n}=x")).collect::<Vec<_>>().join(";");
        assert_eq!(read(&[&parameters(MOST_PARAMETERS)]), Some(vec![(None, None)]));
        assert_eq!(read(&[&parameters(MOST_PARAMETERS + 1)]), None);
    }
}
