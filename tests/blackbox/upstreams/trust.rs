//! TLS to applications: who is believed, for which name, and what we show.

use super::application::{Nginx, StrictServer};
use super::certificates::{Authority, Issued, Validity};
use crate::harness::stack::Plan;
use serde_json::{Value, json};

const HERE: &str = "DNS:localhost,IP:127.0.0.1";

fn server(host: &str, port: u16) -> String {
    format!("https://{host}:{port}")
}

fn client_of(issued: &Issued) -> Value {
    json!({ "client_certificate": issued.certificate, "client_key": issued.key })
}

fn with(mut tls: Value, key: &str, value: impl serde::Serialize) -> Value {
    tls[key] = json!(value);
    tls
}

/// What a server is expected to come to: a name for it, its settings, the status of a page and words of the logged cause.
type Case<'a> = (&'a str, String, Value, u16, &'a str);

/// One node with an upstream for each case, asked twice: a second connection is treated no better than the first.
async fn all_come_to_what_they_should(cases: &[Case<'_>]) {
    let upstreams = cases.iter().enumerate();
    let upstreams =
        upstreams.map(|(at, (_, server, tls, _, _))| (format!("u{at}"), json!({ "servers": [server], "tls": tls })));
    let upstreams: serde_json::Map<String, Value> = upstreams.collect();
    let routes =
        upstreams.keys().map(|name| json!({ "path": format!("/{name}/*"), "access": "public", "upstream": name }));
    let routes: Vec<Value> = routes.collect();
    let mut stack = Plan::new().set("sites.0.routes", routes).set("sites.0.upstream", "u0").prepare();
    stack.settings.set("upstreams", Value::Object(upstreams));
    stack.start_nodes().unwrap();
    let person = stack.person();
    for (at, (what, server, _, status, words)) in cases.iter().enumerate() {
        for _ in 0..2 {
            let answered = person.open(&format!("/u{at}/")).await.status;
            let records = stack.nodes[0].records();
            let cause = records
                .iter()
                .rev()
                .find(|record| record["upstream"] == format!("u{at}") && record["cause"].is_string());
            let cause = cause.and_then(|record| record["cause"].as_str()).unwrap_or_default();
            assert_eq!(answered, *status, "{what}, {server}: {cause}");
            assert!(cause.contains(words), "{what}, {server}: {cause}");
        }
    }
}

#[tokio::test]
async fn only_a_certificate_of_a_trusted_authority_for_the_right_name_and_time_will_do() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let good = Nginx::with_tls("good", &ours.issue("good", HERE, Validity::Now), None);
    let named = Nginx::with_tls("named", &ours.issue("named", "DNS:app.internal", Validity::Now), None);
    let expired = Nginx::with_tls("expired", &ours.issue("expired", HERE, Validity::Past), None);
    let (alone, both) = (ours.self_signed("alone", HERE, "CA:FALSE"), ours.self_signed("both", HERE, "CA:TRUE"));
    let self_signed = Nginx::with_tls("self", &alone, None);
    let authority_too = Nginx::with_tls("both", &both, None);
    let ca = || json!({ "ca": ours.certificate() });
    all_come_to_what_they_should(&[
        ("a name", server("localhost", good.port()), ca(), 200, ""),
        ("an address in the certificate", server("127.0.0.1", good.port()), ca(), 200, ""),
        ("another address", server("127.0.0.2", good.port()), ca(), 502, ""),
        ("no authority given", server("localhost", good.port()), json!({}), 502, "name the authority in `tls.ca`"),
        ("another authority", server("localhost", good.port()), json!({ "ca": theirs.certificate() }), 502, "`tls.ca`"),
        ("another name", server("localhost", named.port()), ca(), 502, "another name"),
        ("an address and a certificate for a name", server("127.0.0.1", named.port()), ca(), 502, "another name"),
        ("the name given", server("127.0.0.1", named.port()), with(ca(), "server_name", "app.internal"), 200, ""),
        (
            "another name given",
            server("localhost", good.port()),
            with(ca(), "server_name", "app.internal"),
            502,
            "another name",
        ),
        ("expired", server("localhost", expired.port()), ca(), 502, "expired"),
        (
            "its own certificate as authority",
            server("localhost", self_signed.port()),
            json!({ "ca": alone.certificate }),
            200,
            "",
        ),
        (
            "its own, which is an authority's too",
            server("localhost", authority_too.port()),
            json!({ "ca": both.certificate }),
            502,
            "which no server may use as its own",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_server_that_asks_for_our_certificate_gets_the_right_one() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let own = ours.issue("server", HERE, Validity::Now);
    let strict = StrictServer::start(&own, &ours.certificate());
    let nginx = Nginx::with_tls("nginx", &own, Some(&ours.certificate()));
    let ca = || json!({ "ca": ours.certificate() });
    let client = |issued: &Issued| {
        let mut tls = client_of(issued);
        tls["ca"] = json!(ours.certificate());
        tls
    };
    let right = client(&ours.issue("client", "DNS:vestibule", Validity::Now));
    let foreign = client(&theirs.issue("client", "DNS:vestibule", Validity::Now));
    let (nginx_at, strict_at) = (server("localhost", nginx.port()), server("localhost", strict.port));
    all_come_to_what_they_should(&[
        ("nginx, ours", nginx_at.clone(), right.clone(), 200, ""),
        ("nginx, none", nginx_at.clone(), ca(), 400, ""),
        ("nginx, another authority's", nginx_at, foreign.clone(), 400, ""),
        ("strict, ours", strict_at.clone(), right, 200, ""),
        ("strict, none", strict_at.clone(), ca(), 502, "it asks for a certificate of ours"),
        ("strict, another authority's", strict_at, foreign, 502, "our certificate"),
    ])
    .await;
}

/// The pool of connections is not told apart by authorities: two upstreams at one address must not share connections.
#[tokio::test]
async fn a_connection_that_one_upstream_may_use_is_not_used_by_another_that_trusts_somebody_else() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let nginx = Nginx::with_tls("nginx", &ours.issue("server", HERE, Validity::Now), None);
    let upstream = |authority: &Authority| json!({ "servers": [server("localhost", nginx.port())], "tls": { "ca": authority.certificate() } });
    let stack = super::plan(upstream(&ours))
        .set("upstreams.other", upstream(&theirs))
        .set(
            "sites.0.routes",
            json!([{ "path": "/other/*", "access": "public", "upstream": "other" }, { "path": "/*", "access": "public" }]),
        )
        .start();
    let person = stack.person();
    for _ in 0..3 {
        person.open("/").await.expect(200);
        person.open("/other/").await.expect(502);
    }
}

#[test]
fn a_mistake_in_a_file_is_named_with_the_file_before_anything_starts() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (issued, other) = (ours.issue("client", HERE, Validity::Now), theirs.issue("client", HERE, Validity::Now));
    let folder = crate::harness::children::fresh_folder("mistakes");
    let broken = folder.path().join("broken.crt");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    for (tls, key, words) in [
        (json!({ "ca": "/nowhere/ca.crt" }), "ca", "/nowhere/ca.crt cannot be read"),
        (json!({ "ca": issued.key }), "ca", "client.key holds no certificate"),
        (json!({ "ca": broken }), "ca", "broken.crt holds something that is no certificate"),
        (json!({ "client_certificate": issued.certificate }), "client_key", "missing"),
        (json!({ "client_key": issued.key }), "client_certificate", "missing"),
        (
            json!({ "client_certificate": issued.certificate, "client_key": other.key }),
            "client_key",
            "is not the key of the certificate",
        ),
        (
            json!({ "client_certificate": issued.certificate, "client_key": issued.certificate }),
            "client_key",
            "holds no private key",
        ),
        (json!({ "server_name": "" }), "server_name", "empty"),
        (json!({ "server_name": "a_b.example.com" }), "server_name", "no name that a certificate can be checked for"),
        (json!({ "insecure": true }), "insecure", "there is no such key"),
        (json!({ "verify": false }), "verify", "there is no such key"),
    ] {
        let stack = super::plan(json!({ "servers": ["https://localhost:1"], "tls": tls })).prepare();
        let output = stack.command(&["check", "--json"], "");
        assert_eq!(output.code, Some(1), "{tls}: {output:?}");
        let said: Value = serde_json::from_str(&output.stdout).unwrap();
        let is_said = |problem: &Value| {
            problem["key"] == format!("upstreams.app.tls.{key}") && problem["wrong"].as_str().unwrap().contains(words)
        };
        assert!(said["problems"].as_array().unwrap().iter().any(is_said), "{tls}: {said}");
    }
}
