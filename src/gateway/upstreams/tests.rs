//! Servers in turn, kept and left alone, without a socket.

use super::settings::{Balance, HealthSettings, UpstreamTimeouts, UpstreamTls};
use super::*;
use crate::web::origin::Scheme;
use std::time::Duration;

const NOBODY: AskedBy<'_> =
    AskedBy { client: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), account: None };

/// An upstream `app` with these servers, and else what holds when nothing is said.
pub(crate) fn settings_of(servers: Vec<UpstreamServer>) -> UpstreamSettings {
    UpstreamSettings {
        name: UpstreamName::new("app"),
        servers,
        balance: Balance::RoundRobin,
        host: UpstreamHost::Site,
        health: None,
        tls: UpstreamTls::default(),
        timeouts: UpstreamTimeouts::default(),
    }
}

fn settings(ports: &[u16]) -> UpstreamSettings {
    let server =
        |port: &u16| UpstreamServer::Network { scheme: Scheme::Https, host: "127.0.0.1".to_owned(), port: *port };
    settings_of(ports.iter().map(server).collect())
}

fn upstreams(ports: &[u16]) -> Upstreams {
    Upstreams::new(&[settings(ports)], None)
}

async fn choose(upstreams: &Upstreams, tried: Option<&Chosen>) -> (Chosen, HttpPeer) {
    let (chosen, peer) = upstreams.choose(&UpstreamName::new("app"), tried, Use::Exchange, NOBODY).await.unwrap();
    assert!(!peer.sni.is_empty());
    assert_ne!(peer.group_key, 0);
    (chosen, *peer)
}

async fn place(upstreams: &Upstreams, tried: Option<&Chosen>) -> (Chosen, String) {
    let (chosen, peer) = choose(upstreams, tried).await;
    (chosen, peer._address.to_string())
}

fn refused(chosen: &Chosen) -> Alternative {
    chosen.no_connection(&Error::explain(pingora::ErrorType::ConnectRefused, "refused"), RequestId::fresh())
}

#[tokio::test]
async fn servers_take_turns_and_one_that_refused_rests() {
    let upstreams = upstreams(&[1, 2]);
    let (first, a) = place(&upstreams, None).await;
    let (_, b) = place(&upstreams, None).await;
    assert_ne!(a, b);
    let (_, other) = place(&upstreams, Some(&first)).await;
    assert_eq!(other, b);
    assert_eq!(refused(&first), Alternative::Another);
    for _ in 0..4 {
        assert_eq!(place(&upstreams, None).await.1, b);
    }
}

#[tokio::test]
async fn a_single_server_is_tried_also_while_it_rests() {
    let upstreams = upstreams(&[1]);
    let (only, a) = place(&upstreams, None).await;
    assert_eq!(refused(&only), Alternative::None);
    assert_eq!(place(&upstreams, Some(&only)).await.1, a);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_an_error() {
    let other = UpstreamName::new("other");
    let missing = upstreams(&[1]).choose(&other, None, Use::Exchange, NOBODY).await;
    assert!(matches!(missing, Err(NoServer::Unknown(_))));
}

#[tokio::test]
async fn when_all_were_asked_and_none_is_well_there_is_none() {
    let upstreams = upstreams(&[1, 2]);
    let app = upstreams.by_name.get(&UpstreamName::new("app")).unwrap();
    app.servers[0].checked.set_unhealthy(true);
    let (left, place_left) = place(&upstreams, None).await;
    refused(&left);
    assert_eq!(place(&upstreams, None).await.1, place_left, "a resting one is better than none");
    app.servers[1].checked.set_unhealthy(true);
    let none = upstreams.choose(&UpstreamName::new("app"), None, Use::Exchange, NOBODY).await;
    assert!(matches!(none, Err(NoServer::NoneHealthy(_))));
}

#[tokio::test]
async fn what_did_not_change_is_kept_over_a_reload_and_what_did_is_not() {
    let before = upstreams(&[1, 2]);
    let (first, peer) = choose(&before, None).await;
    refused(&first);
    let same = Upstreams::new(&[settings(&[1, 2])], Some(&before));
    let (kept, kept_peer) = choose(&same, None).await;
    assert_eq!((kept.at, kept_peer.group_key), (1 - first.at, peer.group_key), "the rest goes on, and the pool");
    for changed in [
        settings(&[1, 2, 3]),
        UpstreamSettings {
            tls: UpstreamTls { server_name: Some("app".to_owned()), ..UpstreamTls::default() },
            ..settings(&[1, 2])
        },
        UpstreamSettings { balance: Balance::Client, ..settings(&[1, 2]) },
    ] {
        let other = Upstreams::new(&[changed], Some(&same));
        assert_ne!(choose(&other, None).await.1.group_key, peer.group_key);
    }
}

#[tokio::test]
async fn a_second_try_never_gets_a_kept_connection() {
    let upstreams = upstreams(&[1]);
    let (only, peer) = choose(&upstreams, None).await;
    let (_, again) = choose(&upstreams, Some(&only)).await;
    assert_ne!(peer.group_key, again.group_key);
    assert_eq!(again.options.idle_timeout, Some(Duration::ZERO));
}

#[tokio::test]
async fn a_certificate_is_checked_against_the_server_s_name_or_the_one_that_is_given() {
    let mut settings = settings(&[1]);
    let name = |upstreams: Upstreams| async move { choose(&upstreams, None).await.1.sni };
    assert_eq!(name(Upstreams::new(&[settings.clone()], None)).await, "127.0.0.1");
    settings.tls.server_name = Some("app.internal".to_owned());
    assert_eq!(name(Upstreams::new(&[settings.clone()], None)).await, "app.internal");
    settings.tls.server_name = Some(String::new());
    let nameless = Upstreams::new(&[settings], None);
    let refused = nameless.choose(&UpstreamName::new("app"), None, Use::Exchange, NOBODY).await;
    assert!(matches!(refused, Err(NoServer::NoName)), "an empty name would switch the check off");
}

#[tokio::test]
async fn checks_begin_go_on_and_end_with_their_upstreams() {
    let health = HealthSettings {
        path: "/health".to_owned(),
        interval: Duration::from_secs(3600),
        timeout: Duration::from_secs(1),
        healthy_after: 2,
        unhealthy_after: 2,
        statuses: vec![200],
        host: None,
    };
    let checked = UpstreamSettings { health: Some(health), ..settings(&[1]) };
    let first = Upstreams::new(std::slice::from_ref(&checked), None);
    let mut checks = health::HealthChecks::default();
    checks.keep_up_with(&first);
    let groups = checks.groups();
    assert_eq!(groups.len(), 1);
    checks.keep_up_with(&Upstreams::new(&[checked], Some(&first)));
    assert_eq!(checks.groups(), groups);
    checks.keep_up_with(&upstreams(&[1]));
    assert!(checks.groups().is_empty());
}

#[test]
fn a_server_s_own_name_is_as_browsers_would_write_it() {
    let name = |scheme, host: &str, port| UpstreamServer::Network { scheme, host: host.to_owned(), port }.authority();
    assert_eq!(name(Scheme::Http, "app.internal", 80), "app.internal");
    assert_eq!(name(Scheme::Http, "app.internal", 443), "app.internal:443");
    assert_eq!(name(Scheme::Https, "::1", 8443), "[::1]:8443");
    assert_eq!(UpstreamServer::Unix { path: "/run/app.sock".to_owned() }.authority(), "localhost");
}
