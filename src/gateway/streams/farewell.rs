//! The last words of a WebSocket that ends with its session: a close frame that says why, then the orderly end of the connection.
//! Floor: edge.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::StreamEnd;

/// How long the close frame may take to be written: whoever does not read is cut without. Our own choice, within the bound of a second.
const WRITE: Duration = Duration::from_millis(200);
/// How long the other end may take to close: what it sends until then is read, because a system that closes with bytes unread resets the
/// connection, and the close frame may be lost with it. Our own choice, within the bound of a second.
const LINGER: Duration = Duration::from_millis(300);

/// FIN and the opcode of a close frame.
const CLOSE_FRAME: u8 = 0x88;

impl StreamEnd {
    /// The code of the close frame. 4401 is of the private range and means what 401 does, as other servers use it too; 1013 ("try again
    /// later") and 1001 ("going away") are registered with IANA (RFC 6455 §11.7); 4408 means that nothing flowed for too long.
    fn close_code(self) -> u16 {
        match self {
            Self::Revoked | Self::CodeOwed | Self::Absolute => 4401,
            Self::CannotTell => 1013,
            Self::Idle | Self::BodyTooSlow => 4408,
            Self::GoingAway | Self::AnswerTooSlow => 1001,
        }
    }

    /// Unmasked, as a server sends it (RFC 6455 §5.1). The reason is the word of the log.
    fn close_frame(self) -> Vec<u8> {
        let reason = self.name().as_bytes();
        let length = u8::try_from(2 + reason.len()).expect("our own words are short: at most 123 bytes fit");
        [&[CLOSE_FRAME, length][..], &self.close_code().to_be_bytes(), reason].concat()
    }
}

/// Says why, and ends the connection. An error means that nobody is there any more.
pub(super) async fn say(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), end: StreamEnd) -> std::io::Result<()> {
    timeout(WRITE, async {
        stream.write_all(&end.close_frame()).await?;
        stream.flush().await?;
        stream.shutdown().await
    })
    .await??;
    let mut unread = [0; 2048];
    let until_closed = async {
        while stream.read(&mut unread).await? > 0 {}
        Ok(())
    };
    timeout(LINGER, until_closed).await?
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [StreamEnd; 6] = [
        StreamEnd::Revoked,
        StreamEnd::CodeOwed,
        StreamEnd::CannotTell,
        StreamEnd::Absolute,
        StreamEnd::Idle,
        StreamEnd::GoingAway,
    ];

    #[tokio::test]
    async fn the_last_words_are_one_frame_and_then_the_end() {
        for end in ALL {
            let (mut ours, mut theirs) = tokio::io::duplex(1024);
            let hears = async {
                let mut heard = Vec::new();
                theirs.read_to_end(&mut heard).await.unwrap();
                // Said too late: it is read and thrown away.
                theirs.write_all(b"still talking").await.unwrap();
                drop(theirs);
                heard
            };
            let (said, heard) = tokio::join!(say(&mut ours, end), hears);
            said.unwrap();
            assert_eq!(
                heard,
                [
                    &[0x88, u8::try_from(heard.len() - 2).unwrap()][..],
                    &end.close_code().to_be_bytes(),
                    end.name().as_bytes()
                ]
                .concat()
            );
            assert!(heard.len() <= 127);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_listen_is_not_waited_for() {
        let (mut ours, _theirs) = tokio::io::duplex(8);
        assert!(say(&mut ours, StreamEnd::Revoked).await.is_err());
        let (mut ours, _theirs) = tokio::io::duplex(1024);
        assert!(say(&mut ours, StreamEnd::Revoked).await.is_err(), "the other end stays open");
    }
}
