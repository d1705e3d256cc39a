//! What becomes of a mail at servers of every kind.

use crate::harness::mail_server::{FakeMailServer, MAIL_PASSWORD, MAIL_USER, MailBehaviour, MailTls};
use crate::harness::tls::Authority;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use vestibule::adapters::mail::{MailSettings, Security, SmtpMail};
use vestibule::domain::secret::SecretText;
use vestibule::domain::time::UnixMillis;
use vestibule::login::notices::{Mail, MailResult, MailSender};

fn settings(server: &FakeMailServer, security: Security, ca_file: Option<PathBuf>) -> MailSettings {
    MailSettings {
        security,
        host: "localhost".to_owned(),
        port: server.port(),
        from: "Acme <no-reply@example.com>".parse().unwrap(),
        login: None,
        ca_file,
        timeout: Duration::from_millis(1500),
    }
}

fn mail(to: &str) -> Mail {
    Mail {
        id: "0123abcd".to_owned(),
        to: to.to_owned(),
        subject: "Façade: une façon de parler".to_owned(),
        text: "Ligne une\n.point\nà la fin".to_owned(),
        at: UnixMillis(1_795_512_600_250),
    }
}

#[tokio::test]
async fn a_mail_comes_as_it_was_written() {
    let server = FakeMailServer::start(MailTls::Never);
    let sender = SmtpMail::new(&settings(&server, Security::Plain, None)).unwrap();
    assert_eq!(sender.send(&mail("anna@example.com")).await, MailResult::Taken);
    let got = server.wait_for_mail(1);
    assert_eq!(got.text().replace("\r\n", "\n").trim_end(), "Ligne une\n.point\nà la fin");
    assert_eq!(got.header("Date").as_deref(), Some("Tue, 24 Nov 2026 09:30:00 +0000"));
    assert_eq!(got.header("Message-ID").as_deref(), Some("<0123abcd@example.com>"));
    assert_eq!(got.header("Content-Type").as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(server.said()[0], "EHLO example.com");
    for nowhere in ["anna", "anna@", "a b@example.com", "anna@example.com\r\nRCPT TO:<eve@example.com>"] {
        assert_eq!(sender.send(&mail(nowhere)).await, MailResult::Refused, "{nowhere}");
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn what_a_server_answers_decides_whether_it_is_asked_again() {
    let server = FakeMailServer::start(MailTls::Never);
    let sender = SmtpMail::new(&settings(&server, Security::Plain, None)).unwrap();
    let answering = |answers: &[(&'static str, &'static str)]| MailBehaviour {
        answers: answers.to_vec(),
        ..MailBehaviour::default()
    };
    for (behaviour, result) in [
        (answering(&[("RCPT", "550 5.1.1 nobody here")]), MailResult::Refused),
        (answering(&[(".", "552 5.3.4 too large")]), MailResult::Refused),
        (answering(&[("RCPT", "554 5.7.1 relay access denied")]), MailResult::NotNow),
        (answering(&[("RCPT", "450 4.2.1 greylisted")]), MailResult::NotNow),
        (answering(&[(".", "452 4.3.1 disk full")]), MailResult::NotNow),
        (answering(&[("EHLO", "421 too busy")]), MailResult::NotNow),
        (answering(&[("MAIL", "what?")]), MailResult::NotNow),
        (
            MailBehaviour { greets: Some(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), ..answering(&[]) },
            MailResult::NotNow,
        ),
        (MailBehaviour { greets: Some(vec![0xff; 100_000]), ..answering(&[]) }, MailResult::NotNow),
        (MailBehaviour { greets: Some(Vec::new()), ..answering(&[]) }, MailResult::NotNow),
        (MailBehaviour { silent_at: Some("EHLO"), ..answering(&[]) }, MailResult::NotNow),
        (MailBehaviour { silent_at: Some("."), ..answering(&[]) }, MailResult::NotNow),
    ] {
        server.behave(behaviour.clone());
        let began = Instant::now();
        assert_eq!(sender.send(&mail("anna@example.com")).await, result, "{behaviour:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "{behaviour:?}");
    }
    assert!(server.mails().is_empty());
    let port = server.port();
    let nobody = MailSettings { timeout: Duration::from_secs(2), ..settings(&server, Security::Plain, None) };
    drop(server);
    let gone = SmtpMail::new(&MailSettings { port, ..nobody }).unwrap();
    assert_eq!(gone.send(&mail("anna@example.com")).await, MailResult::NotNow);
}

#[tokio::test]
async fn nothing_is_said_without_tls_or_to_a_stranger() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let ours = || Some(authority.certificate_file());
    let right = authority.issue(&["localhost"]);
    for (tls, security, ca_file, is_sent) in [
        (MailTls::Offered(right.clone()), Security::StartTls, ours(), true),
        (MailTls::FromTheFirstByte(right.clone()), Security::Tls, ours(), true),
        (MailTls::Never, Security::StartTls, ours(), false),
        (MailTls::Never, Security::Tls, ours(), false),
        (MailTls::Offered(right.clone()), Security::StartTls, None, false),
        (MailTls::Offered(right), Security::StartTls, Some(stranger.certificate_file()), false),
        (MailTls::Offered(authority.issue(&["mail.example.com"])), Security::StartTls, ours(), false),
        (MailTls::FromTheFirstByte(stranger.issue(&["localhost"])), Security::Tls, ours(), false),
    ] {
        let server = FakeMailServer::start(tls);
        server.behave(MailBehaviour { asks_password: true, ..MailBehaviour::default() });
        let login = Some((MAIL_USER.to_owned(), SecretText::new(MAIL_PASSWORD.to_owned())));
        let sender = SmtpMail::new(&MailSettings { login, ..settings(&server, security, ca_file) }).unwrap();
        assert_eq!(sender.greet().await.is_ok(), is_sent, "{security:?}");
        let result = sender.send(&mail("anna@example.com")).await;
        assert_eq!(result, if is_sent { MailResult::Taken } else { MailResult::NotNow }, "{security:?}");
        assert_eq!(server.mails().iter().filter(|mail| mail.over_tls).count(), usize::from(is_sent), "{security:?}");
        let said = server.said();
        assert_eq!(said.iter().any(|line| line.starts_with("AUTH")), is_sent, "{said:?}");
    }
}

#[test]
fn certificates_that_cannot_be_used_are_told_at_start() {
    let server = FakeMailServer::start(MailTls::Never);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let problem = |path: &PathBuf| {
        let made = SmtpMail::new(&settings(&server, Security::Tls, Some(path.clone())));
        made.unwrap_err().to_string()
    };
    assert!(problem(&path).contains("cannot be read"));
    std::fs::write(&path, "not a certificate").unwrap();
    assert!(problem(&path).contains("holds no certificate"));
}
