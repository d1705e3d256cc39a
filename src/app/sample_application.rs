//! The application that the demo puts behind its doors: one page that shows who is signed in and lets a visitor try what
//! applications do (a WebSocket, a form, a fetch, an upload). It believes `X-Forwarded-User`, as a real one would
//! behind a gateway; it knows nothing of passwords, codes or sessions. Floor: the roof, for the demo only.

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Json, Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// The largest upload it takes: 64 MiB, read into memory.
const UPLOAD_BYTES: usize = 64 << 20;

/// How many notes it keeps; the oldest goes first.
const NOTES: usize = 8;

/// How often the socket says by itself how long it has been open.
const TICK: Duration = Duration::from_secs(1);

/// Answers on `listener` until the future is dropped. Everything is in memory and gone with it.
///
/// # Errors
/// When the listener fails.
pub async fn run(listener: TcpListener) -> std::io::Result<()> {
    serve(listener, router()).await
}

#[derive(Clone, Debug)]
struct Note {
    user: String,
    text: String,
}

type Notes = Arc<Mutex<VecDeque<Note>>>;

fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/notes", post(add_note))
        .route("/whoami", get(who_am_i))
        .route("/upload", post(upload))
        .route("/socket", get(socket))
        .route("/sample.css", get(|| file("text/css; charset=utf-8", include_str!("sample_application/sample.css"))))
        .route(
            "/sample.js",
            get(|| file("text/javascript; charset=utf-8", include_str!("sample_application/sample.js"))),
        )
        .layer(DefaultBodyLimit::max(UPLOAD_BYTES))
        .with_state(Notes::default())
}

async fn page(State(notes): State<Notes>, headers: HeaderMap) -> Html<String> {
    let user = user(&headers);
    let list: String = notes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .rev()
        .map(|note| format!("<li><b>{}</b> {}</li>", escape(&note.user), escape(&note.text)))
        .collect();
    let list = if list.is_empty() { "<li class=\"none\">Nothing yet.</li>".to_owned() } else { list };
    let initial: String = user.chars().take(1).flat_map(char::to_uppercase).collect();
    Html(
        include_str!("sample_application/page.html")
            .replace("{notes}", &list)
            .replace("{initial}", &escape(&initial))
            .replace("{user}", &escape(&user)),
    )
}

#[derive(Debug, Deserialize)]
struct NewNote {
    text: String,
}

async fn add_note(State(notes): State<Notes>, headers: HeaderMap, Form(note): Form<NewNote>) -> Redirect {
    let text: String = note.text.trim().chars().take(200).collect();
    if !text.is_empty() {
        let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() == NOTES {
            notes.pop_front();
        }
        notes.push_back(Note { user: user(&headers), text });
    }
    Redirect::to("/")
}

/// What a script of the page gets: the headers that arrived, so that a visitor sees what the gateway adds and takes away.
async fn who_am_i(headers: HeaderMap) -> Json<serde_json::Value> {
    let shown: serde_json::Map<String, serde_json::Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    Json(serde_json::json!({ "user": user(&headers), "headers": shown }))
}

async fn upload(body: Bytes) -> Json<serde_json::Value> {
    Json(serde_json::json!({ "bytes": body.len() }))
}

async fn socket(upgrade: WebSocketUpgrade, headers: HeaderMap) -> Response {
    let user = user(&headers);
    upgrade.on_upgrade(|socket| converse(socket, user))
}

async fn converse(mut socket: WebSocket, user: String) {
    let greeting = format!("Hello {user}, this socket is yours.");
    if socket.send(Message::text(greeting)).await.is_err() {
        return;
    }
    let mut ticks = tokio::time::interval(TICK);
    let mut open_seconds = 0_u64;
    ticks.tick().await;
    loop {
        let answer = tokio::select! {
            _ = ticks.tick() => {
                open_seconds += TICK.as_secs();
                format!("tick {open_seconds}")
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => format!("echo {text}"),
                Some(Ok(Message::Binary(bytes))) => format!("echo {} bytes", bytes.len()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
        };
        if socket.send(Message::text(answer)).await.is_err() {
            return;
        }
    }
}

async fn file(content_type: &'static str, content: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, content_type)], content)
}

/// Who the gateway says it is; "nobody" when nothing says so (the application was reached past the gateway).
fn user(headers: &HeaderMap) -> String {
    headers
        .get("x-forwarded-user")
        .map_or_else(|| "nobody".to_owned(), |value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    async fn ask(router: Router, request: Request<Body>) -> (u16, String) {
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_page_shows_who_is_signed_in_and_what_was_noted() {
        let router = router();
        let form = Request::post("/notes")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-forwarded-user", "ada")
            .body(Body::from("text=%3Cb%3Ebold%3C%2Fb%3E"))
            .unwrap();
        assert_eq!(ask(router.clone(), form).await.0, 303);
        let page = Request::get("/").header("x-forwarded-user", "<ada>").body(Body::empty()).unwrap();
        let (status, page) = ask(router, page).await;
        assert_eq!(status, 200);
        assert!(page.contains("&lt;ada&gt;") && !page.contains("<ada>"), "{page}");
        assert!(page.contains("&lt;b&gt;bold&lt;/b&gt;"), "{page}");
    }

    #[tokio::test]
    async fn an_upload_is_counted() {
        let request = Request::post("/upload").body(Body::from(vec![7; 3000])).unwrap();
        assert_eq!(ask(router(), request).await, (200, r#"{"bytes":3000}"#.to_owned()));
    }
}
