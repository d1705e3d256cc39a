//! Mail over SMTP: one connection a mail, TLS with the public roots (and the house's own), and for each failure whether it is worth another try.
//! Decides nothing about what is told to whom. Floor: edge.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::time::timeout;

use crate::domain::secret::SecretText;
use crate::login::chain;
use crate::login::notices::{Mail, MailResult, MailSender};

/// Where mail goes, and how.
#[derive(Clone, Debug)]
pub struct MailSettings {
    pub security: Security,
    pub host: String,
    pub port: u16,
    /// What `From` says; its domain is what the server is greeted with.
    pub from: Mailbox,
    /// User and password, for servers that ask for them.
    pub login: Option<(String, SecretText)>,
    /// Further roots, in PEM.
    pub ca_file: Option<PathBuf>,
    /// For one mail, from the name's address to the server's last word.
    pub timeout: Duration,
}

/// What keeps others from reading along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// Plain at first, then TLS; without it nothing is said.
    StartTls,
    /// For a server on this machine.
    Plain,
}

/// The sender could not be made. All of it is known at start.
#[derive(Debug, thiserror::Error)]
pub enum MailProblem {
    #[error("ca_file {path} cannot be read")]
    CaFile { path: PathBuf, source: std::io::Error },
    #[error("ca_file {path} holds no certificate (PEM)")]
    NoCertificate { path: PathBuf },
    #[error("ca_file {path} holds a certificate that is none")]
    Certificate { path: PathBuf, source: lettre::transport::smtp::Error },
    #[error("TLS cannot be set up")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// Sends through one server.
pub struct SmtpMail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    timeout: Duration,
}

impl fmt::Debug for SmtpMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMail").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl SmtpMail {
    /// # Errors
    /// The certificates cannot be used.
    pub fn new(settings: &MailSettings) -> Result<Self, MailProblem> {
        let tls = match settings.security {
            Security::Tls => Tls::Wrapper(tls(settings)?),
            Security::StartTls => Tls::Required(tls(settings)?),
            Security::Plain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout))
            .hello_name(ClientId::Domain(settings.from.email.domain().to_owned()));
        if let Some((user, password)) = &settings.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        Ok(Self { transport: builder.build(), from: settings.from.clone(), timeout: settings.timeout })
    }

    /// Greets the server and shows it user and password; sends nothing.
    ///
    /// # Errors
    /// Why not, in words.
    pub async fn greet(&self) -> Result<(), String> {
        match timeout(self.timeout, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("it answers, but not as a mail server that is ready".to_owned()),
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err(format!("it did not answer within {} s", self.timeout.as_secs_f32())),
        }
    }

    /// `None`: the address is none.
    fn message(&self, mail: &Mail) -> Option<Message> {
        let to: Mailbox = mail.to.parse().ok()?;
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(mail.at.0).unwrap_or(0));
        let domain = self.from.email.domain();
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(mail.subject.clone())
            .date(at)
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .ok()?;
        // nobody's holiday answers to it (RFC 3834 §5)
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        message.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
        Some(message)
    }
}

fn tls(settings: &MailSettings) -> Result<TlsParameters, MailProblem> {
    let mut parameters = TlsParameters::builder(settings.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
    if let Some(path) = &settings.ca_file {
        for certificate in certificates(path)? {
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    parameters.build_rustls().map_err(MailProblem::Tls)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, MailProblem> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let text = std::fs::read(path).map_err(|source| MailProblem::CaFile { path: path.to_owned(), source })?;
    let none = || MailProblem::NoCertificate { path: path.to_owned() };
    let found: Vec<CertificateDer<'_>> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(|_| none())?;
    if found.is_empty() {
        return Err(none());
    }
    let certificate = |der: &CertificateDer<'_>| {
        let read = Certificate::from_der(der.to_vec());
        read.map_err(|source| MailProblem::Certificate { path: path.to_owned(), source })
    };
    found.iter().map(certificate).collect()
}

#[async_trait]
impl MailSender for SmtpMail {
    async fn send(&self, mail: &Mail) -> MailResult {
        let notice = mail.id.as_str();
        let Some(message) = self.message(mail) else {
            tracing::warn!(notice, "the e-mail address on the account is none: no mail can go there");
            return MailResult::Refused;
        };
        match timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => MailResult::Taken,
            Ok(Err(error)) => {
                let result = verdict(&error);
                // What a server says beside its code may name the address, which no log has.
                let code = error.status().map(|code| code.to_string());
                let cause = code.is_none().then(|| chain(&error));
                tracing::warn!(notice, code, cause, "the mail server did not take a mail");
                result
            }
            Err(_) => {
                tracing::warn!(
                    notice,
                    "the mail server did not answer in time: the mail may have gone out, and is sent again under the same id"
                );
                MailResult::NotNow
            }
        }
    }
}

/// Some codes are about the address or the mail itself (RFC 5321 §4.2.2): no later try changes that. All else may be another day's: a server that
/// is down or full, that does not know us yet (554), a password that is being changed.
fn verdict(error: &lettre::transport::smtp::Error) -> MailResult {
    match error.status().map(u16::from) {
        Some(550..=553 | 555..=559) => MailResult::Refused,
        Some(_) | None => MailResult::NotNow,
    }
}
