//! AWS Signature Version 4: what AWS wants in `Authorization`. Knows nothing of messages. Floor: edge.

use http::header::{self, HeaderValue};
use http::{HeaderName, Method};
use ring::{digest, hmac};
use time::OffsetDateTime;
use time::macros::format_description;

use super::request::{Request, Unwritable};
use crate::domain::time::UnixMillis;

const DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// Who signs, and for which service of which region.
pub(super) struct Keys<'a> {
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// Adds `X-Amz-Date` and `Authorization` to a request that is complete otherwise: the host is signed and every header it has,
/// except `Accept`, which a proxy on the way may rewrite.
///
/// # Errors
/// The access key or the region holds a character that no header may.
pub(super) fn sign(method: &Method, request: &mut Request, keys: &Keys<'_>, now: UnixMillis) -> Result<(), Unwritable> {
    let now = OffsetDateTime::from_unix_timestamp(now.0 / 1000).map_err(|_| Unwritable::Header(DATE))?;
    let day = now.format(format_description!("[year][month][day]")).map_err(|_| Unwritable::Header(DATE))?;
    let moment = now
        .format(format_description!("[year][month][day]T[hour][minute][second]Z"))
        .map_err(|_| Unwritable::Header(DATE))?;
    let date = HeaderValue::from_str(&moment).map_err(|_| Unwritable::Header(DATE))?;
    request.headers.insert(DATE, date);
    let (canonical, signed) = canonical(method, request);
    let scope = format!("{day}/{}/{}/aws4_request", keys.region, keys.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
    let mut key = mac(format!("AWS4{}", keys.secret_key).as_bytes(), &day);
    for part in [keys.region, keys.service, "aws4_request"] {
        key = mac(key.as_ref(), part);
    }
    let signature = hex::encode(mac(key.as_ref(), &to_sign));
    let text = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        keys.access_key
    );
    let mut value = HeaderValue::from_str(&text).map_err(|_| Unwritable::Header(header::AUTHORIZATION))?;
    value.set_sensitive(true);
    request.headers.insert(header::AUTHORIZATION, value);
    Ok(())
}

/// The canonical request, and the names of the headers in it.
fn canonical(method: &Method, request: &Request) -> (String, String) {
    let url = &request.url;
    let host = match (url.host_str().unwrap_or_default(), url.port()) {
        (host, None) => host.to_owned(),
        (host, Some(port)) => format!("{host}:{port}"),
    };
    let mut headers = vec![("host".to_owned(), host)];
    for (name, value) in request.headers.iter().filter(|(name, _)| *name != header::ACCEPT) {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers.push((name.as_str().to_owned(), value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")));
    }
    headers.sort();
    let mut query: Vec<&str> = url.query().unwrap_or_default().split('&').collect();
    query.sort_unstable();
    let signed: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed = signed.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let body = sha256_hex(&request.body);
    (format!("{method}\n{}\n{}\n{lines}\n{signed}\n{body}", url.path(), query.join("&")), signed)
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use url::Url;

    #[test]
    fn the_example_of_the_aws_documentation_gets_its_signature() {
        let mut request = Request {
            url: Url::parse("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08").unwrap(),
            headers: HeaderMap::new(),
            body: zeroize::Zeroizing::default(),
        };
        let form = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        request.headers.insert(header::CONTENT_TYPE, form);
        let keys = Keys {
            access_key: "AKIDEXAMPLE",
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
            service: "iam",
        };
        sign(&Method::GET, &mut request, &keys, UnixMillis(1_440_938_160_000)).unwrap();
        assert_eq!(
            request.headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }
}
