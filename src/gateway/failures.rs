//! What a failure below is to the client: a status and a stable word, or nothing when nobody is there to read it. Floor: edge (pure).

use http::StatusCode;
use pingora::{Error, ErrorSource, ErrorType};

use super::upstreams::NoServer;
use crate::web::request_id::RequestId;

/// What a request without a server is answered with. When the servers were asked and none is well, that is known: 503, at once.
pub(super) fn no_server(error: &NoServer, request_id: RequestId) -> Box<Error> {
    let source = match error {
        NoServer::NoAddress { source: Some(source), .. } => format!(": {source}"),
        NoServer::Unknown(_)
        | NoServer::NoneHealthy(_)
        | NoServer::NoAddress { source: None, .. }
        | NoServer::NoSocket(_)
        | NoServer::NoName => String::new(),
    };
    tracing::warn!(request = %request_id, "no server for a request: {error}{source}");
    let etype = match error {
        NoServer::NoneHealthy(_) => ErrorType::CustomCode("upstream_none_healthy", 503),
        NoServer::Unknown(_) | NoServer::NoAddress { .. } | NoServer::NoSocket(_) | NoServer::NoName => {
            ErrorType::ConnectError
        }
    };
    Error::explain(etype, "no server").into_up()
}

/// Makes the silence of a server that was itself waiting for more of the request's body the client's, who is to blame for it.
pub(super) fn blame_who_was_silent(error: &mut Error, client_owes_body: bool) {
    if client_owes_body && *error.esource() == ErrorSource::Upstream && *error.etype() == ErrorType::ReadTimedout {
        error.as_down();
    }
}

/// What a failure is to the client; `None` when there is no client any more.
pub(super) fn failure(error: &Error) -> Option<(StatusCode, &'static str)> {
    use ErrorType as Type;
    if let Type::CustomCode(code, status) = error.etype() {
        return Some((StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), *code));
    }
    if let Type::HTTPStatus(status) = error.etype() {
        return Some((StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), "gateway_failed"));
    }
    match error.esource() {
        ErrorSource::Upstream => Some(match error.etype() {
            Type::ConnectTimedout | Type::TLSHandshakeTimedout => {
                (StatusCode::GATEWAY_TIMEOUT, "upstream_connect_timeout")
            }
            Type::ReadTimedout | Type::WriteTimedout => (StatusCode::GATEWAY_TIMEOUT, "upstream_timeout"),
            Type::TLSHandshakeFailure | Type::InvalidCert | Type::HandshakeError => {
                (StatusCode::BAD_GATEWAY, "upstream_tls_failed")
            }
            Type::ConnectRefused
            | Type::ConnectNoRoute
            | Type::ConnectError
            | Type::BindError
            | Type::SocketError
            // a socket without permission, or no file descriptors left
            | Type::InternalError => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
            _ => (StatusCode::BAD_GATEWAY, "upstream_broke_off"),
        }),
        ErrorSource::Downstream => match error.etype() {
            // an HTTP/2 stream that is taken back is `H2Error`
            Type::ReadError | Type::WriteError | Type::ConnectionClosed | Type::WriteTimedout | Type::H2Error => None,
            Type::ReadTimedout => Some((StatusCode::REQUEST_TIMEOUT, "body_too_slow")),
            _ => Some((StatusCode::BAD_REQUEST, "bad_request")),
        },
        ErrorSource::Internal | ErrorSource::Unset => Some((StatusCode::INTERNAL_SERVER_ERROR, "gateway_failed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_session_s_stream_is_answered_with_its_own_word() {
        for (code, status) in [("sessions_cannot_be_told", 503), ("session_ended", 401)] {
            let error = Error::explain(ErrorType::CustomCode(code, status), "over");
            let answered = failure(&error).map(|(status, code)| (status.as_u16(), code));
            assert_eq!(answered, Some((status, code)));
        }
    }
}
