//! nginx as a plain reverse proxy before the gateway, with the server of `docs/going-live.md`, and nginx as the application's own server behind it.

use super::PHONE;
use super::front::nginx;
use crate::harness::children::{free_port, fresh_folder, wait_for};
use crate::harness::gateway::probe;
use crate::harness::person::Person;
use crate::harness::raw;
use crate::harness::stack::Plan;
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

const DOCS: &str = include_str!("../../../docs/going-live.md");

#[tokio::test]
async fn nginx_stands_before_the_gateway_and_behind_it() {
    let (before, behind) = (free_port(), free_port());
    let stack = Plan::new()
        .set("trusted_proxies", json!(["127.0.0.1"]))
        .set("sites.0.url", format!("http://localhost:{before}"))
        .set("upstreams.app.servers", json!([format!("http://127.0.0.1:{behind}")]))
        .start();
    let (_, after) = DOCS.split_once("```nginx\n").unwrap();
    let (recipe, _) = after.split_once("\n```").unwrap();
    let mut front = recipe.to_owned();
    for (from, to) in [
        ("listen 443 ssl;", format!("listen 127.0.0.1:{before};")),
        ("server_name marketing.example.com;", "server_name localhost;".to_owned()),
        ("ssl_certificate     /etc/ssl/marketing.crt;", String::new()),
        ("ssl_certificate_key /etc/ssl/marketing.key;", String::new()),
        ("http://127.0.0.1:8080", format!("http://127.0.0.1:{}", stack.nodes[0].port())),
        // the host of the test's URL has a port
        ("proxy_set_header Host $host;", "proxy_set_header Host $http_host;".to_owned()),
    ] {
        assert!(front.contains(from), "the docs have no {from:?}");
        front = front.replace(from, &to);
    }
    let back = format!(
        "map $http_upgrade $connection_upgrade {{ default upgrade; \"\" \"\"; }}
server {{
    listen 127.0.0.1:{behind};
    location / {{
        proxy_pass {};
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
    }}
}}",
        stack.upstream.url()
    );
    let folders = (fresh_folder("before"), fresh_folder("behind"));
    let _processes = (nginx(folders.0.path(), &front), nginx(folders.1.path(), &back));
    wait_for("nginx before", || probe(before, "/.vestibule/live"));
    wait_for("nginx behind", || probe(behind, "/"));
    stack.upstream.forget();

    let account = stack.add_account("ada", PHONE);
    let person = Person::new(&format!("http://localhost:{before}"), before, stack.evidence().clone());
    let page = person.give_password("/page?x=1", &account).await;
    let code = stack.vendor.wait_for_message(PHONE, 1).code();
    let answer = person.give_code(&page, &code).await.expect(303);
    person.follow_from(answer).await.expect(200);
    let seen = stack.upstream.request_to("/page");
    assert_eq!((seen.target.as_str(), seen.header("x-forwarded-user")), ("/page?x=1", Some("ada")));
    assert_eq!(seen.header("x-forwarded-for"), Some("127.0.0.1, 127.0.0.1"));
    assert_eq!(seen.header("cookie"), None);
    person.post("/form", &[("text", "a b")]).await.expect(200);
    assert_eq!(stack.upstream.request_to("/form").text(), "text=a+b");
    let mut socket = raw::open_socket(&person, "/socket").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    person.forget_cookies();
    person.open("/page").await.expect(303);
}
