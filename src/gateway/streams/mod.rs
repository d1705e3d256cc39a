//! What goes on flowing for a session and ends with it: WebSockets, event streams, long transfers, also while they are silent. Floor: edge.
//!
//! Every proxied request has an `OpenStream`. Pieces of its body ask it whether they may pass; a request that goes on for longer than a
//! moment joins the `LiveStreams`, which are looked at when the feed of revocations brought something and when the next of them runs out of
//! time, and at no other time. `EndingStreams` serves the requests and drops the one that is over. A WebSocket gets a close frame first
//! (`farewell`): the connection's stream counts frames (`frames`) and is left to the task that serves it between two of them (`tunnel`).

pub(super) mod ending;
mod farewell;
mod frames;
pub(super) mod live;
pub(super) mod open;
pub(super) mod tunnel;

use http::StatusCode;

/// Why a stream is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// Signed out, revoked, or the account has moved on.
    Revoked,
    /// Two-factor sign-in was activated, and the session has no code.
    CodeOwed,
    /// The feed of revocations has been silent for too long.
    CannotTell,
    /// The absolute end of the session.
    Absolute,
    /// Nothing flowed for as long as a session may be idle.
    Idle,
    /// The next piece of a body did not come in time.
    BodyTooSlow,
    /// The head of the answer was not complete in time.
    AnswerTooSlow,
    /// This node ends.
    GoingAway,
}

impl StreamEnd {
    /// The stable word for the log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Revoked => "session_ended",
            Self::CodeOwed => "code_required",
            Self::CannotTell => "sessions_cannot_be_told",
            Self::Absolute => "session_out_of_time",
            Self::Idle => "stream_idle",
            Self::BodyTooSlow => "body_too_slow",
            Self::AnswerTooSlow => "upstream_timeout",
            Self::GoingAway => "going_away",
        }
    }

    /// What is answered when nothing of the application's answer was sent yet.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Revoked | Self::CodeOwed | Self::Absolute | Self::Idle => StatusCode::UNAUTHORIZED,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::AnswerTooSlow => StatusCode::GATEWAY_TIMEOUT,
            Self::CannotTell | Self::GoingAway => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
