//! `check --probe` asks each server as requests would.

use super::application::{Nginx, StrictServer};
use super::certificates::{Authority, Validity};
use super::plan;
use crate::harness::children::free_port;
use serde_json::{Value, json};

#[test]
fn every_server_is_asked_as_requests_would_ask_and_what_is_wrong_is_said() {
    let authority = Authority::new();
    let own = authority.issue("server", "DNS:localhost,IP:127.0.0.1", Validity::Now);
    let plain = Nginx::start("plain");
    let sick = Nginx::start("sick");
    sick.be_sick(true);
    let socket = Nginx::on_socket("socket");
    let tls = Nginx::with_tls("tls", &own, None);
    let strict = StrictServer::start(&own, &authority.certificate());
    let health = json!({ "path": "/health" });
    let ca = json!({ "ca": authority.certificate() });
    let https = |port: u16| format!("https://localhost:{port}");
    for (upstream, answers, words) in [
        (json!({ "servers": [plain.server()] }), true, "can be connected to"),
        (json!({ "servers": [plain.server()], "health": health }), true, "answers 200 to /health"),
        (json!({ "servers": [sick.server()], "health": health }), false, "/health answers 503"),
        (json!({ "servers": [socket.server()] }), true, "app.sock can be connected to"),
        (json!({ "servers": [socket.server()], "health": health }), true, "answers 200 to /health"),
        (json!({ "servers": ["unix:/nowhere/app.sock"] }), false, "No such file"),
        (json!({ "servers": [format!("http://127.0.0.1:{}", free_port())] }), false, "refused"),
        (json!({ "servers": ["http://nowhere.invalid"] }), false, "has no address"),
        (json!({ "servers": [https(tls.port())], "tls": ca }), true, "its certificate is right"),
        (json!({ "servers": [https(tls.port())], "tls": ca, "health": health }), true, "answers 200 to /health"),
        (json!({ "servers": [https(tls.port())] }), false, "name the authority in `tls.ca`"),
        (json!({ "servers": [https(plain.port())], "tls": ca }), false, "TLS failed"),
        (json!({ "servers": [https(strict.port)], "tls": ca }), false, "it asks for a certificate of ours"),
    ] {
        let output = plan(upstream.clone()).prepare().command(&["check", "--probe", "--json"], "");
        let said: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let probed = said["probed"].as_array().unwrap();
        let of_server = probed.iter().find(|probed| probed["key"] == "upstreams.app.servers[0]").unwrap();
        assert_eq!(of_server["answers"], answers, "{upstream}: {of_server}");
        let text = of_server[if answers { "what" } else { "why" }].as_str().unwrap();
        assert!(text.contains(words), "{upstream}: {text}");
        assert_eq!(output.code, Some(i32::from(!answers)), "{output:?}");
    }
}
