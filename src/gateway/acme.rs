//! Answers to the challenges of a certificate authority (RFC 8555 §8.3), from a folder that an ACME client writes to.
//! Orders and fetches no certificate. Floor: edge.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use pingora::proxy::Session;
use rustix::fs::{CWD, Mode, OFlags, openat};
use tokio::sync::Semaphore;

use super::answers::send_plain;
use super::bounded_file::{self, Accepted};
use super::head::RequestHead;

/// Where challenges are asked for.
const PREFIX: &[u8] = b"/.well-known/acme-challenge/";
/// The same below the webroot; each is opened by itself, so that no link leads out.
const FOLDERS: [&str; 2] = [".well-known", "acme-challenge"];
/// Tokens of Let's Encrypt have 43 characters. Our own choice, with room.
const MOST_TOKEN_BYTES: usize = 128;
/// An answer is a token, a dot and a thumbprint: some ninety bytes. Our own choice, with room.
const MOST_ANSWER_BYTES: u64 = 4096;
/// Files that are read at a time; authorities ask from a handful of places. Our own choice.
const READERS: usize = 8;
/// A file system that hangs holds up nobody for longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A folder with `.well-known/acme-challenge/` in it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AcmeWebroot {
    path: Arc<PathBuf>,
    readers: Arc<Semaphore>,
}

/// The name of a challenge: letters, digits, `-` and `_` (RFC 8555 §8.3), so that it cannot lead anywhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token(String);

/// What there is to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    /// This.
    Answer(Vec<u8>),
    /// No such file, or one that is not answered with: a link, a folder, too large.
    Unknown,
    /// The file system does not answer in time, or too much is asked.
    Busy,
}

impl Token {
    /// The token that a head asks for: `None` when it asks for anything else.
    #[must_use]
    pub fn of(head: &RequestHead<'_>) -> Option<Self> {
        let name = head.path.strip_prefix(PREFIX)?;
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_token = (1..=MOST_TOKEN_BYTES).contains(&name.len()) && name.iter().all(is_letter);
        let method = matches!(*head.method, http::Method::GET | http::Method::HEAD);
        (is_token && method).then(|| String::from_utf8(name.to_vec()).ok().map(Self)).flatten()
    }
}

/// Answers a challenge; gives the stable word for the log.
///
/// # Errors
/// When the client is gone.
pub(super) async fn answer(
    webroot: Option<&AcmeWebroot>,
    session: &mut Session,
    token: &Token,
) -> pingora::Result<&'static str> {
    let found = match webroot {
        Some(webroot) => webroot.challenge(token).await,
        None => Challenge::Unknown,
    };
    let (status, body, word) = match found {
        Challenge::Answer(answer) => (StatusCode::OK, Bytes::from(answer), "acme_challenge"),
        Challenge::Unknown => {
            (StatusCode::NOT_FOUND, Bytes::from_static(b"no such challenge\n"), "acme_challenge_unknown")
        }
        Challenge::Busy => (StatusCode::SERVICE_UNAVAILABLE, Bytes::from_static(b"busy\n"), "acme_challenge_busy"),
    };
    send_plain(session, status, "application/octet-stream", body).await?;
    Ok(word)
}

impl AcmeWebroot {
    /// The folder need not be there yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path: Arc::new(path), readers: Arc::new(Semaphore::new(READERS)) }
    }

    /// Reads the answer to one challenge.
    async fn challenge(&self, token: &Token) -> Challenge {
        let Ok(permit) = Arc::clone(&self.readers).try_acquire_owned() else {
            return Challenge::Busy;
        };
        let (path, token) = (Arc::clone(&self.path), token.clone());
        let reading = tokio::task::spawn_blocking(move || {
            // held by the thread: one that hangs is not forgotten
            let _permit = permit;
            read(&path, &token)
        });
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(Ok(Ok(answer))) => Challenge::Answer(answer),
            Ok(Ok(Err(why))) => {
                tracing::info!(webroot = %self.path.display(), %why, "there is no answer to a challenge of a certificate authority");
                Challenge::Unknown
            }
            Ok(Err(_)) | Err(_) => Challenge::Busy,
        }
    }
}

fn read(webroot: &PathBuf, token: &Token) -> io::Result<Vec<u8>> {
    let folder = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let mut place = openat(CWD, webroot, folder, Mode::empty())?;
    for name in FOLDERS {
        place = openat(&place, name, folder | OFlags::NOFOLLOW, Mode::empty())?;
    }
    // NONBLOCK: a pipe put there does not hold us up
    let plain = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(openat(&place, token.0.as_str(), plain, Mode::empty())?);
    let mut answer = bounded_file::read_opened(file, Accepted::PlainFile, MOST_ANSWER_BYTES)?;
    Ok(std::mem::take(&mut answer.bytes))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    fn token(method: &Method, path: &[u8]) -> Option<Token> {
        let headers = HeaderMap::new();
        Token::of(&RequestHead { method, path, query: None, host: "h", headers: &headers })
    }

    #[test]
    fn a_token_is_one_name_of_plain_letters() {
        let get = |name: &str| token(&Method::GET, format!("/.well-known/acme-challenge/{name}").as_bytes());
        for name in ["a", "AZaz09-_", &"x".repeat(128)] {
            assert_eq!(get(name), Some(Token(name.to_owned())), "{name}");
        }
        let long = "x".repeat(129);
        for name in
            ["", ".", "..", "../x", "a/b", "a/", "a.b", "%61", "a%2e", "a b", "a\\b", "a;b", "\u{e9}", "a\0", &long]
        {
            assert_eq!(get(name), None, "{name:?}");
        }
        assert_eq!(token(&Method::POST, b"/.well-known/acme-challenge/a"), None);
        assert_eq!(token(&Method::GET, b"/.well-known/acme-challenge"), None);
        assert_eq!(token(&Method::GET, b"//.well-known/acme-challenge/a"), None);
        assert_eq!(token(&Method::GET, b"/.Well-known/acme-challenge/a"), None);
    }

    #[tokio::test]
    async fn only_plain_files_of_the_folder_itself_are_answers() {
        use std::os::unix::fs::symlink;

        let webroot = tempfile::tempdir().unwrap();
        let root = AcmeWebroot::new(webroot.path().to_owned());
        let ask = async |name: &str| root.challenge(&Token(name.to_owned())).await;
        assert_eq!(ask("there").await, Challenge::Unknown, "no folder yet");
        let folder = webroot.path().join(".well-known/acme-challenge");
        std::fs::create_dir_all(folder.join("folder")).unwrap();
        std::fs::write(folder.join("there"), "there.thumbprint").unwrap();
        std::fs::write(folder.join("empty"), "").unwrap();
        std::fs::write(folder.join("large"), "x".repeat(4097)).unwrap();
        std::fs::write(webroot.path().join("secret"), "secret").unwrap();
        symlink(webroot.path().join("secret"), folder.join("link")).unwrap();
        symlink("there", folder.join("inner")).unwrap();
        rustix::fs::mknodat(CWD, folder.join("pipe"), rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert_eq!(ask("there").await, Challenge::Answer(b"there.thumbprint".to_vec()));
        assert_eq!(ask("empty").await, Challenge::Answer(Vec::new()));
        for name in ["nowhere", "folder", "large", "link", "inner", "pipe"] {
            assert_eq!(ask(name).await, Challenge::Unknown, "{name}");
        }

        let other = tempfile::tempdir().unwrap();
        symlink(webroot.path().join(".well-known"), other.path().join(".well-known")).unwrap();
        let linked = AcmeWebroot::new(other.path().to_owned());
        assert_eq!(linked.challenge(&Token("there".to_owned())).await, Challenge::Unknown, "a linked folder");
    }

    #[tokio::test]
    async fn a_crowd_is_told_to_come_again() {
        let root = AcmeWebroot::new(PathBuf::from("/nowhere"));
        let all = Arc::clone(&root.readers).try_acquire_many_owned(u32::try_from(READERS).unwrap()).unwrap();
        assert_eq!(root.challenge(&Token("a".to_owned())).await, Challenge::Busy);
        drop(all);
        assert_eq!(root.challenge(&Token("a".to_owned())).await, Challenge::Unknown);
    }
}
