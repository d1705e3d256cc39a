//! What went wrong with a server, in words for operators: for the log, health checks and `check --probe`. pingora's own texts are not
//! used whole: with an answer that is no HTTP they hold its bytes, cookies included (security J3). Floor: edge (pure).

use pingora::{Error, ErrorType};

/// What pingora failed at, in words.
pub(super) fn words(error: &Error) -> String {
    use ErrorType as Type;
    match error.etype() {
        Type::ConnectRefused => "the connection was refused".to_owned(),
        Type::ConnectTimedout | Type::TLSHandshakeTimedout => "it did not take the connection in time".to_owned(),
        Type::ConnectNoRoute => "there is no route to it".to_owned(),
        Type::TLSHandshakeFailure | Type::InvalidCert | Type::HandshakeError => tls_words(&whole(error)),
        Type::ReadTimedout => "it did not answer in time".to_owned(),
        Type::WriteTimedout => "it did not take the request in time".to_owned(),
        Type::InvalidHTTPHeader => "its answer is no HTTP, or its head is too large".to_owned(),
        Type::ConnectionClosed => "it closed the connection without an answer".to_owned(),
        Type::ReadError | Type::WriteError => match tls_alert(&whole(error)) {
            Some(words) => words.to_owned(),
            None => with_cause("the connection broke", error),
        },
        _ => with_cause("it cannot be connected to", error),
    }
}

/// What rustls said, as pingora passes it on, in words that say what to do.
fn tls_words(said: &str) -> String {
    const UNKNOWN: &str = "its certificate is from no authority that is trusted here: name the authority in `tls.ca`";
    const KNOWN: [(&str, &str); 7] = [
        ("UnknownIssuer", UNKNOWN),
        // an authority of the same name, with another key
        ("BadSignature", UNKNOWN),
        ("CaUsedAsEndEntity", "it shows a certificate that is an authority's, which no server may use as its own"),
        ("NotValidForName", "its certificate is for another name: see `tls.server_name`"),
        ("not valid for name", "its certificate is for another name: see `tls.server_name`"),
        ("expired", "its certificate has expired"),
        ("not valid yet", "its certificate is not valid yet"),
    ];
    let lower = said.to_ascii_lowercase();
    if let Some(words) = tls_alert(said) {
        return words.to_owned();
    }
    match KNOWN.iter().find(|(sign, _)| lower.contains(&sign.to_ascii_lowercase())) {
        Some((_, words)) => (*words).to_owned(),
        None => {
            let from = said.split_once("tls connect error cause: ").map_or(said, |(_, cause)| cause);
            let cause = from.split_once(", SNI: ").map_or(from, |(cause, _)| cause);
            format!("TLS failed: {}", cause.chars().filter(|c| !c.is_control()).take(200).collect::<String>())
        }
    }
}

/// What reading from a connection that had been made came to.
pub(super) fn of_alert(error: &std::io::Error) -> String {
    let said = error.to_string();
    tls_alert(&said).map_or_else(|| format!("it broke the connection off: {said}"), str::to_owned)
}

/// What the server said about our certificate.
fn tls_alert(said: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 4] = [
        ("CertificateRequired", "it asks for a certificate of ours: give `tls.client_certificate`"),
        ("BadCertificate", "it does not take our certificate"),
        ("UnknownCA", "it does not know the authority of our certificate"),
        ("CertificateExpired", "it says that our certificate has expired"),
    ];
    let alert = said.split_once("received fatal alert: ")?.1;
    KNOWN.iter().find(|(sign, _)| alert.starts_with(sign)).map(|(_, words)| *words)
}

/// With what the system said, if it did. A root of pingora's own is not repeated.
fn with_cause(what: &str, error: &Error) -> String {
    let root = error.root_cause();
    match root.downcast_ref::<Error>() {
        Some(_) => what.to_owned(),
        None => format!("{what}: {root}"),
    }
}

fn whole(error: &Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(said: &str) -> String {
        words(&Error::explain(ErrorType::TLSHandshakeFailure, format!("TLS connect() failed: {said}, SNI: x")))
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_with_what_to_do() {
        assert!(tls("invalid peer certificate: UnknownIssuer").contains("`tls.ca`"));
        assert!(tls("invalid peer certificate: certificate not valid for name \"x\"").contains("another name"));
        assert!(tls("invalid peer certificate: certificate expired: verification time 1").contains("expired"));
        assert!(tls("received fatal alert: CertificateRequired").contains("`tls.client_certificate`"));
        assert!(tls("something new").contains("something new"));
    }

    #[test]
    fn what_the_system_said_is_passed_on() {
        let cause = std::io::Error::from(std::io::ErrorKind::NotFound);
        let error = Error::because(ErrorType::ConnectError, "Fail to connect", cause).more_context("outer");
        assert_eq!(words(&error), "it cannot be connected to: entity not found");
        assert_eq!(words(&Error::explain(ErrorType::ConnectError, "secret")), "it cannot be connected to");
    }

    #[test]
    fn bytes_of_an_answer_are_not_repeated() {
        let error = Error::explain(ErrorType::InvalidHTTPHeader, "buf: Set-Cookie: secret");
        assert!(!words(&error).contains("secret"));
    }
}
