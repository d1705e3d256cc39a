//! Bytes over a bare socket, for what no client library would send, and the WebSocket of a signed-in person.

use super::person::Person;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;

/// Sends bytes as they are and gives back all that came until the peer closed or said nothing for `silence`.
pub(crate) async fn exchange(port: u16, bytes: &[u8], silence: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    // The answer may come before everything is sent.
    let _ = stream.write_all(bytes).await;
    read_until_silence(&mut stream, silence).await
}

pub(crate) async fn read_until_silence(stream: &mut TcpStream, silence: Duration) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while let Ok(Ok(read)) = tokio::time::timeout(silence, stream.read(&mut buffer)).await {
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    answer
}

/// The statuses in a stream of answers: more than one when the peer took the bytes for several requests.
pub(crate) fn statuses(answer: &[u8]) -> Vec<u16> {
    String::from_utf8_lossy(answer).split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
}

/// Opens a WebSocket with the cookies of a person.
pub(crate) async fn open_socket(
    person: &Person,
    target: &str,
) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
    let mut request = format!("ws://{}{target}", person.host()).into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("origin", HeaderValue::from_str(person.site()).unwrap());
    if let Some(cookies) = person.cookie_header(target) {
        headers.insert("cookie", HeaderValue::from_str(&cookies).unwrap());
    }
    let stream = TcpStream::connect(("127.0.0.1", person.port())).await.unwrap();
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    Ok(socket)
}
