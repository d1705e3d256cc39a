//! `/metrics` at the operators' listener: who may read the figures, and what is read off at the moment of reading. There is no session there: a
//! program that collects them has none. Where nothing but the network says who asks, it has to be asked for by address: a page that somebody at this
//! machine has open could reach it by a name of its own (DNS rebinding). Floor: edge.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode, Uri};
use pingora::proxy::Session;
use subtle::ConstantTimeEq as _;

use super::answers;
use super::handle::GatewayHandle;
use super::request_state::RequestState;
use super::settings::MetricsAccess;
use crate::metrics;

/// Why the figures are not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotTold {
    /// Who asks is in none of the networks.
    Network,
    /// A token is needed, and was not shown.
    Token,
    /// It was asked for by a name, without a token.
    Name,
}

impl NotTold {
    /// The stable word for the log.
    fn reason(self) -> &'static str {
        match self {
            Self::Network => "metrics_network",
            Self::Token => "metrics_token",
            Self::Name => "metrics_by_name",
        }
    }

    fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Network => (StatusCode::FORBIDDEN, "Metrics are told to metrics.networks alone.\n"),
            Self::Token => (StatusCode::UNAUTHORIZED, "Metrics need the bearer token of metrics.token.\n"),
            Self::Name => (
                StatusCode::FORBIDDEN,
                "Without metrics.token, ask for metrics by address: a name does not say who asks.\n",
            ),
        }
    }
}

/// Tells the figures, or why not.
///
/// # Errors
/// When the client is gone.
pub(super) async fn answer(
    session: &mut Session,
    state: &mut RequestState,
    handle: &GatewayHandle,
) -> pingora::Result<()> {
    let parts = &state.current.parts;
    let header = session.req_header();
    let named = header.uri.host().map_or_else(|| host_of(&header.headers), |host| Some(host.to_owned()));
    let by_address = named.is_some_and(|host| is_address(&host));
    let refused = judge(&parts.settings.metrics, state.hop.client, &header.headers, by_address).err();
    let Some(refused) = refused else {
        let now = parts.clock.now();
        let figures = metrics::all();
        figures.feed_age_seconds.set(parts.sessions.silent_for(now).as_secs_f64());
        figures.connections.set(as_figure(handle.connections().total()));
        figures.streams.set(as_figure(handle.streams().count()));
        return answers::send_plain(session, StatusCode::OK, metrics::MEDIA_TYPE, Bytes::from(metrics::text())).await;
    };
    state.reason = Some(refused.reason());
    let (status, text) = refused.answer();
    let how = (status == StatusCode::UNAUTHORIZED).then_some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
    let text = Bytes::from_static(text.as_bytes());
    answers::send_plain_with(session, status, "text/plain; charset=utf-8", text, how).await
}

fn judge(
    access: &MetricsAccess,
    client: std::net::IpAddr,
    headers: &HeaderMap,
    by_address: bool,
) -> Result<(), NotTold> {
    if !access.networks.contains(client) {
        return Err(NotTold::Network);
    }
    match &access.token {
        Some(token) => {
            let shown = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).and_then(bearer);
            let is_right = shown.is_some_and(|shown| bool::from(shown.ct_eq(token.reveal().as_bytes())));
            if is_right { Ok(()) } else { Err(NotTold::Token) }
        }
        None if by_address => Ok(()),
        None => Err(NotTold::Name),
    }
}

/// What follows `Bearer`, whose case does not matter (RFC 9110 §11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(b"Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then(|| token.trim_ascii())
}

/// The host without its port.
fn host_of(headers: &HeaderMap) -> Option<String> {
    let authority = headers.get(http::header::HOST)?.to_str().ok()?;
    Some(Uri::builder().authority(authority).build().ok()?.host()?.to_owned())
}

fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok()
}

fn as_figure(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::network::Networks;
    use crate::domain::secret::SecretText;

    fn access(token: Option<&str>) -> MetricsAccess {
        MetricsAccess {
            networks: Networks::new(vec!["10.0.0.0/8".parse().unwrap()]),
            token: token.map(|token| SecretText::new(token.to_owned())),
        }
    }

    fn judged(token: Option<&str>, client: &str, shown: Option<&str>, by_address: bool) -> Result<(), NotTold> {
        let mut headers = HeaderMap::new();
        if let Some(shown) = shown {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(shown).unwrap());
        }
        judge(&access(token), client.parse().unwrap(), &headers, by_address)
    }

    #[test]
    fn without_a_token_figures_are_told_to_a_network_that_asks_by_address() {
        assert_eq!(judged(None, "10.1.2.3", None, true), Ok(()));
        assert_eq!(judged(None, "::ffff:10.1.2.3", None, true), Ok(()));
        assert_eq!(judged(None, "10.1.2.3", None, false), Err(NotTold::Name));
        assert_eq!(judged(None, "192.0.2.1", None, true), Err(NotTold::Network));
    }

    #[test]
    fn with_a_token_it_has_to_be_shown_whole() {
        let token = Some("spring-tide");
        for shown in ["Bearer spring-tide", "bearer spring-tide"] {
            assert_eq!(judged(token, "10.1.2.3", Some(shown), false), Ok(()), "{shown}");
        }
        let wrong =
            ["Bearer spring-tid", "Bearer spring-tides", "Bearer ", "Bearer", "", "Basic spring-tide", "spring-tide"];
        for shown in wrong.map(Some).into_iter().chain([None]) {
            assert_eq!(judged(token, "10.1.2.3", shown, true), Err(NotTold::Token), "{shown:?}");
        }
        assert_eq!(judged(token, "192.0.2.1", Some("Bearer spring-tide"), true), Err(NotTold::Network));
    }

    #[test]
    fn an_address_is_no_name() {
        let mut headers = HeaderMap::new();
        for (host, is) in [
            ("127.0.0.1:9180", true),
            ("[::1]:9180", true),
            ("localhost:9180", true),
            ("10.0.0.1", true),
            ("attacker.example:9180", false),
            ("127.0.0.1.attacker.example", false),
        ] {
            headers.insert(http::header::HOST, HeaderValue::from_static(host));
            assert_eq!(host_of(&headers).is_some_and(|host| is_address(&host)), is, "{host}");
        }
    }
}
