//! The Redis adapters against a real `redis-server` a test, in all its moods: full, empty, demoted, stopped, killed, mute.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::contract;
use super::redis_limits::RedisLimits;
use super::redis_pending::RedisPendingLogins;
use super::redis_probe::{RedisProbe, RedisProblem};
use super::redis_server::{Server, link, spawn};
use crate::domain::limits::{Charge, Rate, UnfinishedCaps};
use crate::domain::pending::{LoginHandle, LoginId};
use crate::domain::time::UnixMillis;
use crate::login::ports::{AttemptTurn, CodeRequest, CodeTurn, LimitKey, Limits as _, PendingLogins};

const NOW: UnixMillis = UnixMillis(1_795_512_600_000);
const TTL: Duration = Duration::from_secs(600);

fn id() -> LoginId {
    LoginHandle::random().login_id()
}

fn request() -> CodeRequest<'static> {
    CodeRequest { now: NOW, fresh: b"code", code_until: NOW.plus(TTL), waits: &[], most_sends: 4 }
}

/// A login that has had its code sent.
async fn begun(logins: &RedisPendingLogins) -> LoginId {
    let id = id();
    logins.put(&id, b"record", TTL).await.unwrap();
    assert_eq!(logins.next_code(&id, &request()).await.unwrap(), CodeTurn::Send { code: b"code".to_vec(), number: 1 });
    id
}

/// Fails, and how long that took.
async fn error_of(logins: &RedisPendingLogins, id: &LoginId) -> Duration {
    let begun = Instant::now();
    let turn = logins.spend_attempt(id, 5, NOW).await;
    assert!(turn.is_err(), "{turn:?}");
    begun.elapsed()
}

async fn poll_until_it_answers(logins: &RedisPendingLogins, id: &LoginId) -> AttemptTurn {
    let begun = Instant::now();
    loop {
        if let Ok(turn) = logins.spend_attempt(id, 5, NOW).await {
            return turn;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn redis_keeps_the_contract_of_pending_logins() {
    let server = Server::start();
    contract::pending_logins(Arc::new(server.logins())).await;
    every_key_has_a_ttl(&server);
}

#[tokio::test]
async fn redis_keeps_the_contract_of_limits() {
    let server = Server::start();
    contract::limits(Arc::new(RedisLimits::new(server.link()))).await;
    every_key_has_a_ttl(&server);
}

fn every_key_has_a_ttl(server: &Server) {
    let keys: Vec<String> = server.cli("KEYS *").unwrap();
    assert!(keys.len() > 3, "{keys:?}");
    for key in keys {
        assert!(key.starts_with("vestibule:login:{") || key.starts_with("vestibule:limit:{"), "{key}");
        let ttl: i64 = server.cli(&format!("PTTL {key}")).unwrap();
        assert!((1..=86_400_000).contains(&ttl), "{key}: {ttl} ms");
    }
}

#[tokio::test]
async fn two_nodes_share_what_is_spent() {
    let server = Server::start();
    let (one, other) = (server.logins(), server.logins());
    let id = begun(&one).await;
    let mut granted = 0;
    for node in [&one, &other].iter().cycle().take(20) {
        granted += usize::from(matches!(node.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::Granted { .. }));
    }
    assert_eq!(granted, 5);
}

#[tokio::test]
async fn a_killed_server_is_an_error_at_once() {
    let mut server = Server::start();
    let logins = server.logins();
    let id = begun(&logins).await;
    server.kill();
    for _ in 0..5 {
        let took = error_of(&logins, &id).await;
        assert!(took < Duration::from_millis(300), "{took:?}");
    }
    assert!(logins.peek(&id).await.is_err(), "not there is not the same as unknown");
}

#[tokio::test]
async fn a_server_that_was_never_there_is_an_error_and_then_found() {
    let dir = tempfile::tempdir().unwrap();
    let logins = RedisPendingLogins::new(link(&format!("redis+unix://{}", dir.path().join("r.sock").display())));
    let id = id();
    assert!(error_of(&logins, &id).await < Duration::from_millis(300));
    let process = spawn(dir.path(), &[]);
    let _server = Server { process, dir }.up();
    assert_eq!(poll_until_it_answers(&logins, &id).await, AttemptTurn::Gone);
}

#[tokio::test]
async fn a_stopped_server_is_an_error_within_its_time_and_then_in_milliseconds() {
    let server = Server::start();
    let logins = Arc::new(server.logins());
    let id = begun(&logins).await;
    server.signal(Signal::STOP);
    // many at once: none waits longer than one
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let logins = Arc::clone(&logins);
            tokio::spawn(async move { error_of(&logins, &id).await })
        })
        .collect();
    for task in tasks {
        let took = task.await.unwrap();
        assert!(took < Duration::from_millis(700), "{took:?}");
    }
    for _ in 0..20 {
        let took = error_of(&logins, &id).await;
        assert!(took < Duration::from_millis(20), "{took:?}");
    }
    server.signal(Signal::CONT);
    assert!(matches!(poll_until_it_answers(&logins, &id).await, AttemptTurn::Granted { .. } | AttemptTurn::NoneLeft));
    assert!(logins.peek(&id).await.unwrap().unwrap().attempts <= 5);
}

#[tokio::test]
async fn a_listener_that_says_nothing_is_an_error_within_its_time() {
    let mute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let logins = RedisPendingLogins::new(link(&format!("redis://{}", mute.local_addr().unwrap())));
    let id = id();
    for _ in 0..3 {
        let took = error_of(&logins, &id).await;
        assert!(took < Duration::from_millis(700), "{took:?}");
    }
    assert!(error_of(&logins, &id).await < Duration::from_millis(20), "the breaker is open");
}

#[tokio::test]
async fn a_restarted_server_is_used_again_and_knows_nothing() {
    let server = Server::start();
    let logins = server.logins();
    let id = begun(&logins).await;
    let _server = server.restart();
    assert_eq!(poll_until_it_answers(&logins, &id).await, AttemptTurn::Gone);
}

#[tokio::test]
async fn a_connection_that_died_while_idle_costs_nobody_an_error() {
    let server = Server::start();
    let logins = server.logins();
    let id = begun(&logins).await;
    tokio::time::sleep(Duration::from_millis(1100)).await; // idle is what is tested
    let _: i64 = server.cli("CLIENT KILL TYPE normal SKIPME yes").unwrap();
    assert!(matches!(logins.spend_attempt(&id, 5, NOW).await, Ok(AttemptTurn::Granted { .. })));
}

#[tokio::test]
async fn a_flush_ends_logins_and_lets_nobody_in() {
    let server = Server::start();
    let logins = server.logins();
    let id = begun(&logins).await;
    let _: String = server.cli("FLUSHALL").unwrap();
    assert_eq!(logins.peek(&id).await.unwrap(), None);
    assert_eq!(logins.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::Gone);
    assert_eq!(logins.next_code(&id, &request()).await.unwrap(), CodeTurn::Gone);
    assert!(!logins.replace(&id, b"x").await.unwrap());
    let keys: Vec<String> = server.cli("KEYS *").unwrap();
    assert!(keys.is_empty(), "{keys:?}");
}

#[tokio::test]
async fn scripts_that_were_flushed_are_sent_again() {
    let server = Server::start();
    let logins = Arc::new(server.logins());
    let id = begun(&logins).await;
    let mut granted = 0;
    for _ in 0..10 {
        let _: String = server.cli("SCRIPT FLUSH").unwrap();
        granted += usize::from(matches!(logins.spend_attempt(&id, 5, NOW).await.unwrap(), AttemptTurn::Granted { .. }));
    }
    assert_eq!(granted, 5);
}

#[tokio::test]
async fn full_memory_is_an_error_that_spends_nothing() {
    let server = Server::start();
    let (logins, limits) = (server.logins(), RedisLimits::new(server.link()));
    let id = begun(&logins).await;
    let (key, rate) = (LimitKey("a".into()), Rate { count: 5, window: TTL });
    assert_eq!(limits.try_spend(&key, rate, NOW).await.unwrap(), Charge::Granted);
    let _: String = server.cli("CONFIG SET maxmemory 1").unwrap();
    assert!(logins.spend_attempt(&id, 5, NOW).await.is_err());
    assert!(logins.put(&id, b"other", TTL).await.is_err());
    assert!(logins.next_code(&id, &request()).await.is_err());
    assert!(limits.try_spend(&key, rate, NOW).await.is_err());
    let caps = UnfinishedCaps { settle_after: TTL, never_completed: 9, under_way: 9 };
    assert!(limits.begin_login(&key, &id, caps, NOW).await.is_err());
    let stored = logins.peek(&id).await.unwrap().unwrap();
    assert_eq!(
        (stored.record.as_slice(), stored.attempts, stored.sends),
        (b"record".as_slice(), 0, 1),
        "reading goes on, nothing was half done"
    );
    logins.take_back_send(&id, 1).await.unwrap();
    limits.give_back(&key).await.unwrap();
    limits.complete_login(&key, &id).await.unwrap();
    logins.finish(&id).await.unwrap();
    let _: String = server.cli("CONFIG SET maxmemory 0").unwrap();
    assert_eq!(logins.peek(&id).await.unwrap(), None);
}

#[tokio::test]
async fn garbage_under_our_keys_is_an_error() {
    let server = Server::start();
    let logins = server.logins();
    for planted in [
        "SET KEY garbage",
        "HSET KEY record r attempts many sends x",
        "HSET KEY record r",
        "RPUSH KEY 1 2 3",
        "HSET KEY record r code c until soon attempts 0 sends 0 sent_at then",
    ] {
        let id = id();
        let _: redis::Value = server.cli(&planted.replace("KEY", &format!("vestibule:login:{{{id}}}"))).unwrap();
        assert!(logins.peek(&id).await.is_err(), "peek: {planted}");
        assert!(logins.spend_attempt(&id, 5, NOW).await.is_err(), "spend_attempt: {planted}");
        let waits = [Duration::from_secs(30)];
        assert!(
            logins.next_code(&id, &CodeRequest { waits: &waits, ..request() }).await.is_err(),
            "next_code: {planted}"
        );
        logins.put(&id, b"record", TTL).await.unwrap();
        assert!(logins.peek(&id).await.unwrap().is_some(), "a new login takes the place: {planted}");
    }
    let limits = RedisLimits::new(server.link());
    let (key, rate) = (LimitKey("b".into()), Rate { count: 5, window: TTL });
    let _: redis::Value = server.cli("SET vestibule:limit:{b} garbage").unwrap();
    let _: redis::Value = server.cli("SET vestibule:limit:{b}:logins garbage").unwrap();
    assert!(limits.try_spend(&key, rate, NOW).await.is_err());
    assert!(limits.give_back(&key).await.is_err());
    assert!(limits.complete_login(&key, &id()).await.is_err());
}

#[tokio::test]
async fn a_demoted_primary_is_an_error_that_spends_nothing() {
    let server = Server::start();
    let logins = server.logins();
    let id = begun(&logins).await;
    let _: String = server.cli("REPLICAOF 127.0.0.1 1").unwrap();
    assert!(logins.spend_attempt(&id, 5, NOW).await.is_err());
    let _: String = server.cli("REPLICAOF NO ONE").unwrap();
    assert!(matches!(logins.spend_attempt(&id, 5, NOW).await, Ok(AttemptTurn::Granted { .. })));
    assert_eq!(logins.peek(&id).await.unwrap().unwrap().attempts, 1);
}

#[tokio::test]
async fn a_slow_server_is_an_error_within_its_time() {
    let server = Server::start();
    let logins = server.logins();
    let id = begun(&logins).await;
    let _: String = server.cli("CLIENT PAUSE 2000 ALL").unwrap();
    let took = error_of(&logins, &id).await;
    assert!(took < Duration::from_millis(700), "{took:?}");
}

#[tokio::test]
async fn a_certificate_that_does_not_verify_is_an_error() {
    let _ = rustls::crypto::ring::default_provider().install_default(); // main does
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = |name: &str| format!("{}/src/adapters/sms/attempt/testdata/{name}", env!("CARGO_MANIFEST_DIR"));
    let (certificate, key, ca) = (file("localhost.pem"), file("localhost.key"), file("ca.pem"));
    let tls = ["--tls-port", &port.to_string(), "--tls-cert-file", &certificate, "--tls-key-file", &key];
    let server =
        Server::start_with(&[tls.as_slice(), &["--tls-ca-cert-file", &ca, "--tls-auth-clients", "no"]].concat());
    let logins = RedisPendingLogins::new(link(&format!("rediss://localhost:{port}")));
    let error = logins.peek(&id()).await.unwrap_err();
    let why = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap().to_string();
    assert!(why.contains("certificate"), "{why}");
    assert!(server.cli::<String>("PING").is_ok());
}

#[tokio::test]
async fn a_probe_says_what_is_wrong_with_the_settings() {
    let server = Server::start();
    assert!(
        matches!(server.link().probe().await, RedisProbe::Ready { version } if version.starts_with(|c: char| c.is_ascii_digit()))
    );
    let _: String = server.cli("CONFIG SET maxmemory-policy allkeys-lru").unwrap();
    assert_eq!(server.link().probe().await, RedisProbe::Wrong(vec![RedisProblem::Evicts("allkeys-lru".into())]));
    let _: String = server.cli("CONFIG SET maxmemory-policy noeviction").unwrap();
    let _: String = server.cli("CONFIG SET maxmemory 1").unwrap();
    assert!(
        matches!(server.link().probe().await, RedisProbe::Unreachable { why } if why.contains("OOM") || why.contains("maxmemory"))
    );
    let _: String = server.cli("CONFIG SET maxmemory 0").unwrap();
    let _: String = server.cli("REPLICAOF 127.0.0.1 1").unwrap();
    assert_eq!(server.link().probe().await, RedisProbe::Wrong(vec![RedisProblem::Replica]));
}

#[tokio::test]
async fn a_probe_tells_wrong_credentials_from_a_server_that_is_down() {
    let mut server = Server::start_with(&["--requirepass", "right"]);
    let socket = server.socket();
    let with = |password: &str| link(&format!("redis+unix://{}?pass={password}", socket.display()));
    assert_eq!(with("wrong").probe().await, RedisProbe::Wrong(vec![RedisProblem::Authentication]));
    assert_eq!(server.link().probe().await, RedisProbe::Wrong(vec![RedisProblem::Authentication]), "none given");
    assert!(matches!(with("right").probe().await, RedisProbe::Ready { .. }));
    server.kill();
    assert!(matches!(with("right").probe().await, RedisProbe::Unreachable { .. }));
}

#[tokio::test]
async fn the_documented_permissions_are_enough_and_fewer_are_named() {
    let server = Server::start();
    let rights = "~vestibule:* resetchannels -@all +eval +evalsha +hset +hget +hmget +hexists +hdel +hincrby +del +pexpire +zadd +zrem +zcard +zcount +zscore +zrangebyscore +zremrangebyscore +ping +info";
    let _: String = server.cli(&format!("ACL SETUSER vestibule on >pw {rights}")).unwrap();
    let _: String = server.cli("ACL SETUSER weak on >pw ~vestibule:* -@all +eval +evalsha +info +ping").unwrap();
    let of = |user: &str| format!("redis+unix://{}?user={user}&pass=pw", server.socket().display());
    assert!(matches!(link(&of("vestibule")).probe().await, RedisProbe::Ready { .. }));
    contract::pending_logins(Arc::new(RedisPendingLogins::new(link(&of("vestibule"))))).await;
    contract::limits(Arc::new(RedisLimits::new(link(&of("vestibule"))))).await;
    let weak = link(&of("weak")).probe().await;
    assert!(
        matches!(&weak, RedisProbe::Wrong(problems) if matches!(problems.as_slice(), [RedisProblem::Permission(_)])),
        "{weak:?}"
    );
}
