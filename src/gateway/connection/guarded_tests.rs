//! The guarded stream over pipes in memory, with a clock that the tests turn, and its end over a real socket. Floor: edge.

use std::net::Ipv4Addr;

use tokio::io::{DuplexStream, duplex};

use super::*;
use crate::domain::network::Networks;
use crate::gateway::connection::count::ConnectionCount;
use crate::gateway::settings::ConnectionLimits;

const HEAD: &[u8] = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n";
const TIMES: HeadTimes = HeadTimes { first_byte: Duration::from_secs(60), whole: Duration::from_secs(10) };

fn guarded() -> (Box<Guarded>, DuplexStream) {
    let (ours, theirs) = duplex(1 << 16);
    (Box::new(Guarded::new(Box::new(ours), None, Arc::default())), theirs)
}

async fn read(guarded: &mut Guarded) -> HeadRead {
    guarded.read_head(&RequestLimits::default(), TIMES, std::future::pending()).await
}

#[tokio::test(start_paused = true)]
async fn a_head_is_read_whole_wherever_it_is_split() {
    for split in 1..HEAD.len() {
        let (mut guarded, mut client) = guarded();
        let sending = async {
            client.write_all(&HEAD[..split]).await.unwrap();
            tokio::time::sleep(Duration::from_secs(9)).await;
            client.write_all(&HEAD[split..]).await.unwrap();
        };
        let (read, ()) = tokio::join!(read(&mut guarded), sending);
        let HeadRead::Head(head) = read else { panic!("split at {split}: {read:?}") };
        assert_eq!((&head.bytes[..], head.is_last), (HEAD, false), "split at {split}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_along_is_handed_on_with_the_head() {
    for (behind, is_last) in [(&b"abc"[..], false), (b"abcGET / HTTP/1.1\r\n", true)] {
        let (mut guarded, mut client) = guarded();
        client.write_all(&[b"\r\n", HEAD, behind].concat()).await.unwrap();
        let HeadRead::Head(head) = read(&mut guarded).await else { panic!("no head") };
        assert_eq!((head.bytes, head.is_last), ([HEAD, behind].concat()[..].into(), is_last));
        // The next one begins afresh.
        client.write_all(HEAD).await.unwrap();
        let HeadRead::Head(next) = read(&mut guarded).await else { panic!("no head") };
        assert_eq!(next.bytes, HEAD);
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_drips_has_its_time_in_all() {
    let (mut guarded, mut client) = guarded();
    let began = Instant::now();
    let dripping = async {
        for byte in HEAD {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.write_all(&[*byte]).await.unwrap();
        }
    };
    let read = tokio::select! { read = read(&mut guarded) => read, () = dripping => panic!("it went on") };
    assert!(matches!(read, HeadRead::Wrong(HeadMistake::TooSlow)), "{read:?}");
    // A second until the first byte, and ten from there.
    assert_eq!(began.elapsed().as_secs(), 11);
    assert!(HEAD.starts_with(guarded.read_so_far()) && guarded.read_so_far().len() >= 10);
}

#[tokio::test(start_paused = true)]
async fn silence_and_leaving_are_no_mistakes() {
    let (mut guarded_, _client) = guarded();
    let began = Instant::now();
    assert!(matches!(read(&mut guarded_).await, HeadRead::Nothing));
    assert_eq!(began.elapsed().as_secs(), 60);
    for sent in [&b""[..], b"GET / HT"] {
        let (mut guarded, mut client) = guarded();
        client.write_all(sent).await.unwrap();
        drop(client);
        assert!(matches!(read(&mut guarded).await, HeadRead::Nothing));
    }
    let (mut guarded, _client) = guarded();
    let gone = guarded.read_head(&RequestLimits::default(), TIMES, std::future::ready(())).await;
    assert!(matches!(gone, HeadRead::Nothing), "it was given up");
}

#[tokio::test]
async fn the_last_word_can_be_read_and_its_connection_is_counted_until_it_is_closed() {
    let count = ConnectionCount::default();
    let peer = Some(Ipv4Addr::LOCALHOST.into());
    let place = count.enter(peer, ConnectionLimits::default(), &Networks::default()).ok();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let ours = pingora::protocols::l4::stream::Stream::from(listener.accept().await.unwrap().0);
    // Closing over what was not read would be a reset, and that would take our word back.
    client.write_all(&[b'x'; 100_000]).await.unwrap();
    let guarded = Box::new(Guarded::new(Box::new(ours), place, Arc::default()));
    guarded.say_last(&[b'y'; 200], Duration::from_secs(5)).await;
    let mut heard = Vec::new();
    client.read_to_end(&mut heard).await.unwrap();
    assert_eq!(heard, [b'y'; 200]);
    assert_eq!(count.total(), 1, "counted while it is being closed");
    drop(client);
    let began = Instant::now();
    while count.total() > 0 {
        assert!(began.elapsed() < 5 * LINGER);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
