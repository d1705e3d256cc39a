//! What is left of an upload over HTTP/2 that was answered before its end. The answer is sent and its stream closed in our direction; what still
//! comes is taken and thrown away for a while, so that a client that is sending reads the answer before its stream is gone. (Over HTTP/1.1
//! pingora does the same.) Decides nothing about answers. Floor: edge.

use pingora::Error;
use pingora::proxy::Session;

/// Takes the rest of the body, until the client ends it, takes it back, or the time for unread bodies is over. An answer that an `error` broke off
/// is not waited for.
pub(super) async fn take_the_rest(session: &mut Session, error: Option<&Error>) {
    let downstream = session.as_downstream_mut();
    if error.is_none() && downstream.is_http2() && downstream.response_written().is_some() && !downstream.is_body_done()
    {
        // An error: the client has gone, or goes on sending for longer than it is listened to. Then h2 resets the stream without blame (NO_ERROR).
        let _ = downstream.drain_request_body().await;
    }
}
