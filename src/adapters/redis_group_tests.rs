//! The Redis adapters against several real servers: a Cluster whose slots move, and a group whose primary dies and is replaced by its Sentinel.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{RedisResult, Value};
use tokio::runtime::Handle;

use super::contract;
use super::redis_address::RedisAddress;
use super::redis_limits::RedisLimits;
use super::redis_link::RedisLink;
use super::redis_pending::RedisPendingLogins;
use super::redis_probe::RedisProbe;
use crate::domain::pending::{LoginHandle, LoginId};
use crate::domain::secret::SecretText;
use crate::login::ports::PendingLogins as _;

const TTL: Duration = Duration::from_secs(600);

/// A server on a port of its own; killed on drop.
struct Server {
    process: Child,
    dir: tempfile::TempDir,
    port: u16,
}

impl Server {
    fn start(settings: &[&str]) -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        let port_text = port.to_string();
        let fixed = ["--bind", "127.0.0.1", "--port", &port_text, "--save", "", "--appendonly", "no"];
        Self { process: spawn(&dir, &[fixed.as_slice(), settings].concat()), dir, port }.up()
    }

    fn in_cluster() -> Self {
        let bus = free_port().to_string();
        Self::start(&["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "2000"])
    }

    fn sentinel_of(primary: &Server) -> Self {
        let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
        let settings = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {} 1\nsentinel down-after-milliseconds main 300\nsentinel failover-timeout main 2000\n",
            primary.port
        );
        std::fs::write(dir.path().join("sentinel.conf"), settings).unwrap();
        Self { process: spawn(&dir, &["sentinel.conf", "--sentinel"]), dir, port }.up()
    }

    fn up(self) -> Self {
        poll("a server starts", || self.cli::<String>("PING").is_ok());
        self
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn cli<T: redis::FromRedisValue>(&self, line: &str) -> RedisResult<T> {
        let mut connection = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?.get_connection()?;
        let mut words = line.split(' ');
        let mut cmd = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            cmd.arg(word);
        });
        cmd.query(&mut connection)
    }

    fn says(&self, line: &str, what: &str) -> bool {
        self.cli::<String>(line).is_ok_and(|answer| answer.contains(what))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let _ = self.dir.path(); // goes after the process
    }
}

fn spawn(dir: &tempfile::TempDir, args: &[&str]) -> Child {
    let mut command = Command::new("redis-server");
    command.args(args).current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn poll(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn link(url: &str) -> RedisLink {
    RedisLink::new(RedisAddress::parse(&SecretText::new(url.to_owned())).unwrap(), Handle::current())
}

fn id() -> LoginId {
    LoginHandle::random().login_id()
}

fn two_nodes() -> [Server; 2] {
    let nodes = [Server::in_cluster(), Server::in_cluster()];
    let [first, second] = &nodes;
    let _: String = first.cli("CLUSTER ADDSLOTSRANGE 0 8191").unwrap();
    let _: String = second.cli("CLUSTER ADDSLOTSRANGE 8192 16383").unwrap();
    let bus: String = second.cli::<Vec<String>>("CONFIG GET cluster-port").unwrap().pop().unwrap();
    let _: String = first.cli(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", second.port)).unwrap();
    for node in &nodes {
        poll("the cluster is whole", || {
            node.says("CLUSTER INFO", "cluster_state:ok") && node.says("CLUSTER INFO", "cluster_known_nodes:2")
        });
    }
    nodes
}

#[tokio::test]
async fn a_cluster_keeps_the_contract_and_its_slots_may_move() {
    let nodes = two_nodes();
    let url = format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", nodes[0].port, nodes[1].port);
    assert!(matches!(link(&url).probe().await, RedisProbe::Ready { .. }));
    contract::pending_logins(Arc::new(RedisPendingLogins::new(link(&url)))).await;
    contract::limits(Arc::new(RedisLimits::new(link(&url)))).await;

    let logins = RedisPendingLogins::new(link(&url));
    logins.put(&id(), b"the link knows the slots now", TTL).await.unwrap();
    for _ in 0..5 {
        let id = id();
        let slot: u64 = nodes[0].cli(&format!("CLUSTER KEYSLOT {id}")).unwrap();
        let to = &nodes[usize::from(slot < 8192)];
        let name: String = to.cli("CLUSTER MYID").unwrap();
        for node in [to, &nodes[usize::from(slot >= 8192)]] {
            let _: String = node.cli(&format!("CLUSTER SETSLOT {slot} NODE {name}")).unwrap();
        }
        logins.put(&id, b"record", TTL).await.unwrap();
        assert!(logins.peek(&id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_an_error_in_time() {
    let mut nodes = two_nodes();
    let logins = RedisPendingLogins::new(link(&format!("redis+cluster://127.0.0.1:{}", nodes[0].port)));
    let id = id();
    logins.put(&id, b"record", TTL).await.unwrap();
    nodes.iter_mut().for_each(Server::kill);
    for _ in 0..6 {
        let begun = Instant::now();
        assert!(logins.peek(&id).await.is_err());
        assert!(begun.elapsed() < Duration::from_millis(700), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn the_primary_that_the_sentinel_names_is_used_and_so_is_its_successor() {
    let mut primary = Server::start(&[]);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port.to_string()]);
    poll("the replica follows", || replica.says("INFO replication", "master_link_status:up"));
    let sentinel = Server::sentinel_of(&primary);
    poll("the sentinel knows the replica", || {
        sentinel.cli::<Vec<Value>>("SENTINEL REPLICAS main").is_ok_and(|replicas| replicas.len() == 1)
    });
    let logins = RedisPendingLogins::new(link(&format!("redis+sentinel://127.0.0.1:{}/main/0", sentinel.port)));
    let (first, second) = (id(), id());
    logins.put(&first, b"record", TTL).await.unwrap();
    assert!(primary.says("INFO keyspace", "keys=1"));
    primary.kill();
    let begun = Instant::now();
    while logins.put(&second, b"record", TTL).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(30), "no successor is found");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(replica.says("INFO replication", "role:master"));
    assert!(logins.peek(&second).await.unwrap().is_some());
}
