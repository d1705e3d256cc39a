//! A mail server over real sockets, with and without TLS, that keeps what it was given, and misbehaves as told.

use super::children::wait_for;
use super::tls::Issued;
use super::wire::{fakes, listen};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio_rustls::TlsAcceptor;

/// Who may send, where the server asks.
pub(crate) const MAIL_USER: &str = "vestibule";
pub(crate) const MAIL_PASSWORD: &str = "mail-password-5d0c61aa";

#[derive(Debug)]
pub(crate) struct FakeMailServer {
    kept: Arc<Mutex<Kept>>,
    port: u16,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Kept {
    mails: Vec<ReceivedMail>,
    behaviour: MailBehaviour,
    connections: usize,
    /// What was said to it, a line each, without the mails themselves.
    said: Vec<String>,
}

/// A mail as the server got it.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedMail {
    pub(crate) to: String,
    /// Head and body as sent, the dots undone.
    pub(crate) raw: String,
    pub(crate) over_tls: bool,
}

/// How the server answers from now on.
#[derive(Clone, Debug, Default)]
pub(crate) struct MailBehaviour {
    /// Instead of its own greeting, and nothing after that.
    pub(crate) greets: Option<Vec<u8>>,
    /// Instead of its own answer to commands that begin so.
    pub(crate) answers: Vec<(&'static str, &'static str)>,
    /// To commands that begin so it never answers.
    pub(crate) silent_at: Option<&'static str>,
    /// Asks for user and password.
    pub(crate) asks_password: bool,
}

/// When the server speaks TLS.
#[derive(Clone, Debug)]
pub(crate) enum MailTls {
    Never,
    Offered(Issued),
    FromTheFirstByte(Issued),
}

impl ReceivedMail {
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.raw.split_once("\r\n\r\n")?;
        let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let start = format!("{name}: ");
        unfolded.lines().find_map(|line| line.strip_prefix(start.as_str())).map(str::to_owned)
    }

    /// The text, its transfer encoding undone.
    pub(crate) fn text(&self) -> String {
        let body = self.raw.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        match self.header("Content-Transfer-Encoding").as_deref() {
            Some("quoted-printable") => quoted_printable(body),
            Some("base64") => {
                let bytes = STANDARD.decode(body.replace("\r\n", "")).unwrap();
                String::from_utf8(bytes).unwrap()
            }
            _ => body.to_owned(),
        }
    }
}

fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (*first, after) {
            (b'=', [high, low, beyond @ ..]) => {
                let pair = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
                rest = beyond;
            }
            (byte, _) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

impl FakeMailServer {
    pub(crate) fn start(tls: MailTls) -> Self {
        let (listener, port) = listen();
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shared = kept.clone();
        let server = fakes().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                let (shared, tls) = (shared.clone(), tls.clone());
                tokio::spawn(async move {
                    let _ended = serve(stream, &tls, &shared).await;
                });
            }
        });
        Self { kept, port, server }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn behave(&self, behaviour: MailBehaviour) {
        self.kept.lock().unwrap().behaviour = behaviour;
    }

    pub(crate) fn mails(&self) -> Vec<ReceivedMail> {
        self.kept.lock().unwrap().mails.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.kept.lock().unwrap().connections
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.kept.lock().unwrap().said.clone()
    }

    /// The newest mail, waiting until there are `count` of them.
    #[track_caller]
    pub(crate) fn wait_for_mail(&self, count: usize) -> ReceivedMail {
        wait_for(&format!("mail {count}"), || {
            let mails = self.mails();
            (mails.len() >= count).then(|| mails.last().cloned())?
        })
    }
}

impl Drop for FakeMailServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn acceptor(issued: &Issued) -> TlsAcceptor {
    let certificates = CertificateDer::pem_slice_iter(issued.certificate.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(stream: tokio::net::TcpStream, tls: &MailTls, kept: &Mutex<Kept>) -> io::Result<()> {
    match tls {
        MailTls::Never => {
            converse(stream, Stage { offers_tls: false, over_tls: false, greets: true }, kept).await.map(drop)
        }
        MailTls::FromTheFirstByte(issued) => {
            let stream = acceptor(issued).accept(stream).await?;
            converse(stream, Stage { offers_tls: false, over_tls: true, greets: true }, kept).await.map(drop)
        }
        MailTls::Offered(issued) => {
            let plain = Stage { offers_tls: true, over_tls: false, greets: true };
            let Some(stream) = converse(stream, plain, kept).await? else { return Ok(()) };
            let stream = acceptor(issued).accept(stream).await?;
            converse(stream, Stage { offers_tls: false, over_tls: true, greets: false }, kept).await.map(drop)
        }
    }
}

#[derive(Clone, Copy)]
struct Stage {
    offers_tls: bool,
    over_tls: bool,
    greets: bool,
}

/// Gives the stream back when TLS is to begin on it.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    stage: Stage,
    kept: &Mutex<Kept>,
) -> io::Result<Option<S>> {
    let mut stream = BufReader::new(stream);
    let behaviour = kept.lock().unwrap().behaviour.clone();
    if let Some(greeting) = &behaviour.greets {
        stream.write_all(greeting).await?;
        return Ok(None);
    }
    if stage.greets {
        stream.write_all(b"220 mail.test ESMTP\r\n").await?;
    }
    let mut to = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        kept.lock().unwrap().said.push(line.to_owned());
        let is = |start: &str| line.to_ascii_uppercase().starts_with(start);
        if behaviour.silent_at.is_some_and(is) {
            std::future::pending::<()>().await;
        }
        let told = behaviour.answers.iter().find(|(command, _)| is(command)).map(|(_, answer)| format!("{answer}\r\n"));
        let answer = match told {
            Some(answer) => answer,
            None if is("EHLO") => {
                let tls = if stage.offers_tls { "250-STARTTLS\r\n" } else { "" };
                let auth = if behaviour.asks_password { "250-AUTH PLAIN\r\n" } else { "" };
                format!("250-mail.test\r\n{tls}{auth}250 8BITMIME\r\n")
            }
            None if is("STARTTLS") => {
                stream.write_all(b"220 go on\r\n").await?;
                return Ok(Some(stream.into_inner()));
            }
            None if is("AUTH PLAIN ") => {
                let shown = STANDARD.decode(&line["AUTH PLAIN ".len()..]).unwrap_or_default();
                let right = format!("\0{MAIL_USER}\0{MAIL_PASSWORD}").into_bytes();
                if shown == right { "235 welcome\r\n".to_owned() } else { "535 5.7.8 not you\r\n".to_owned() }
            }
            None if is("RCPT TO:") => {
                line["RCPT TO:".len()..].trim_matches(['<', '>', ' ']).clone_into(&mut to);
                "250 ok\r\n".to_owned()
            }
            None if is("DATA") => {
                stream.write_all(b"354 go on\r\n").await?;
                let raw = read_mail(&mut stream).await?;
                let after = behaviour.answers.iter().find(|(command, _)| *command == ".");
                if behaviour.silent_at == Some(".") {
                    std::future::pending::<()>().await;
                }
                match after {
                    Some((_, answer)) => format!("{answer}\r\n"),
                    None => {
                        let mail = ReceivedMail { to: to.clone(), raw, over_tls: stage.over_tls };
                        kept.lock().unwrap().mails.push(mail);
                        "250 taken\r\n".to_owned()
                    }
                }
            }
            None if is("QUIT") => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(None);
            }
            None => "250 ok\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn read_mail<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
