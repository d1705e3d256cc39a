//! `explain --access-log`: what a log of yesterday says about the rules of tomorrow.

use crate::harness::children::{free_port, wait_for};
use crate::harness::front::Front;
use crate::harness::raw;
use crate::harness::stack::{Plan, Stack};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

fn planned() -> Plan {
    Plan::new().set(
        "sites.0.routes",
        json!([
            { "path": "/open/never/*", "access": "deny" },
            { "path": "/open/*", "access": "public" },
            { "path": "/hooks/*", "methods": ["POST"], "networks": ["203.0.113.0/24"], "access": "public" },
            { "path": "/unused", "access": "public" },
        ]),
    )
}

fn replayed(stack: &Stack, log: &Path) -> Value {
    let said = stack.command(&["explain", "--json", "--access-log", log.to_str().unwrap()], "").done();
    serde_json::from_str(&said).unwrap()
}

fn line(client: &str, request: &str) -> String {
    format!("{client} - - [24/Nov/2026:08:00:00 +0000] \"{request}\" 200 12 \"-\" \"Mozilla/5.0 (X11; Linux)\"\n")
}

/// Requests of one kind, by path.
fn paths(said: &Value, kind: &str) -> Vec<(String, u64)> {
    let paths = said[kind]["paths"].as_array().unwrap();
    paths.iter().map(|path| (path["path"].as_str().unwrap().to_owned(), path["requests"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn the_gateway_does_what_the_replay_has_said() {
    let stack = planned().set("trusted_proxies", json!(["127.0.0.1"])).start();
    let log = stack.folder().join("access.log");
    for (client, method, target) in [
        ("192.0.2.1", "GET", "/"),
        ("192.0.2.1", "GET", "/open/x?y=1"),
        ("192.0.2.1", "POST", "/open/x"),
        ("192.0.2.1", "GET", "/open"),
        ("192.0.2.1", "GET", "/Open/x"),
        ("192.0.2.1", "GET", "/open/never/x"),
        ("192.0.2.1", "GET", "/open/%6eever/x"),
        ("192.0.2.1", "GET", "/open//never/x"),
        ("192.0.2.1", "GET", "/open/../x"),
        ("192.0.2.1", "GET", "/open/..%2fadmin"),
        ("192.0.2.1", "GET", "/open/a;b"),
        ("192.0.2.1", "GET", "/open/%ff"),
        ("192.0.2.1", "GET", "/open/caf%C3%A9"),
        ("192.0.2.1", "POST", "/hooks/a"),
        ("203.0.113.9", "POST", "/hooks/a"),
        ("203.0.113.9", "GET", "/hooks/a"),
        ("192.0.2.1", "TRACE", "/open/x"),
        ("192.0.2.1", "BREW", "/open/x"),
        ("192.0.2.1", "PROPFIND", "/open/x"),
        ("192.0.2.1", "GET", "/.vestibule/login"),
        ("192.0.2.1", "GET", "/.vestibule/live"),
        ("192.0.2.1", "GET", "/.Vestibule/login"),
        ("192.0.2.1", "GET", "//.vestibule/x"),
    ] {
        std::fs::write(&log, line(client, &format!("{method} {target} HTTP/1.1"))).unwrap();
        let said = replayed(&stack, &log);
        let kinds: Vec<&str> = ["sign_in_needed", "denied", "method_refused", "not_found", "own_pages"]
            .into_iter()
            .filter(|kind| said[kind]["requests"] == 1)
            .chain((!said["public"].as_array().unwrap().is_empty()).then_some("public"))
            .collect();
        let host = stack.person().host().to_owned();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        let answer = raw::exchange(stack.nodes[0].port(), request.as_bytes(), Duration::from_secs(10)).await;
        let kind = match raw::statuses(&answer).as_slice() {
            [401] => "sign_in_needed",
            [403] => "denied",
            [405] => "method_refused",
            [404] => "not_found",
            [200] if target.starts_with("/.vestibule/") => "own_pages",
            [200] => "public",
            other => panic!("{method} {target}: {other:?}"),
        };
        assert_eq!(kinds, [kind], "{method} {target}: {said:#}");
    }
}

#[tokio::test]
async fn a_log_of_a_real_nginx_is_replayed() {
    let port = free_port();
    let nginx = Front::nginx(
        &format!(
            "http {{ access_log {{FOLDER}}/access.log combined; client_body_temp_path {{FOLDER}}/b; proxy_temp_path {{FOLDER}}/p;\n\
             fastcgi_temp_path {{FOLDER}}/f; uwsgi_temp_path {{FOLDER}}/u; scgi_temp_path {{FOLDER}}/s;\n\
             server {{ listen 127.0.0.1:{port}; location / {{ return 200 ok; }} }} }}\n"
        ),
        &[port],
    );
    let own = "Host: app.example.com\r\nConnection: close\r\n";
    let requests: Vec<Vec<u8>> = [
        format!("GET /open/page?token=never-shown HTTP/1.1\r\n{own}\r\n"),
        format!("GET /open/a\"b\\c HTTP/1.1\r\n{own}\r\n"),
        format!("POST /hooks/a HTTP/1.1\r\n{own}Content-Length: 0\r\nUser-Agent: Mailer \"5\"\r\n\r\n"),
        format!("GET http://app.example.com/absolute HTTP/1.1\r\n{own}\r\n"),
        format!("GET /b\u{fc}cher HTTP/1.1\r\n{own}\r\n"),
        format!("GET /open/../etc/passwd HTTP/1.1\r\n{own}\r\n"),
        "GET /old\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\0\r\n\r\n".to_owned(),
    ]
    .into_iter()
    .chain((0..30).map(|number| format!("GET /unsubscribe/8f3a{number:02}c0ffee HTTP/1.1\r\n{own}\r\n")))
    .map(String::into_bytes)
    .collect();
    for request in &requests {
        raw::exchange(port, request, Duration::from_secs(10)).await;
    }
    let log = nginx.file("access.log");
    // nginx logs the connections that only looked whether it listens as well, with status 400 and no request, or not at all
    let written = wait_for("the log", || {
        let written = std::fs::read_to_string(&log).unwrap_or_default();
        (written.matches("/unsubscribe/").count() == 30).then_some(written)
    });
    let stack = planned().prepare();
    let said = replayed(&stack, &log);
    assert_eq!(said["unreadable"]["lines"], 0, "{said:#}\n{written}");
    assert_eq!(said["lines"], written.lines().count() as u64);
    let refused = paths(&said, "sign_in_needed");
    assert_eq!(refused[0], ("/unsubscribe/*".to_owned(), 30), "{said:#}\n{written}");
    for path in ["/hooks/a", "/absolute", "/open/../etc/passwd"] {
        assert!(refused.contains(&(path.to_owned(), 1)), "{path}: {refused:?}\n{written}");
    }
    assert_eq!(said["public"], json!([{ "rule": "routes[1]", "requests": 1 }]), "{said:#}\n{written}");
    assert_eq!(said["rules_without_a_match"], json!(["routes[0]", "routes[2]", "routes[3]"]), "{said:#}");
    assert!(!said.to_string().contains("never-shown"));
}

#[test]
fn a_long_and_nasty_log_is_read_to_its_end() {
    let stack = planned().prepare();
    let mut log = String::new();
    for number in 0..2000 {
        log.push_str(&line(
            &format!("192.0.2.{}", number % 100),
            &format!("GET /letters/{} HTTP/1.1", "x".repeat(number % 60 + 1)),
        ));
    }
    for index in 0..30 {
        log.push_str(&line(&format!("198.51.100.{index}"), "GET /newsletter/42 HTTP/1.1"));
    }
    for program in ["-", "Mailer/5", "Mozilla/5.0 (compatible; Somebot/2.1; +http://x)"] {
        log.push_str(&line("203.0.113.9", "POST /callback HTTP/1.1").replace("Mozilla/5.0 (X11; Linux)", program));
    }
    log.push_str("\nnonsense \u{1b}[31m\n");
    log.push_str(&line("192.0.2.1", &format!("GET /{} HTTP/1.1", "x".repeat(100_000))));
    log.push_str(&line("192.0.2.1", "-"));
    log.push_str(&line("a.name.example", "GET /named HTTP/1.1"));
    log.push_str(line("2001:db8::1", "GET /last HTTP/1.1").trim_end());

    let file = stack.folder().join("access.log");
    std::fs::write(&file, &log).unwrap();
    let said = replayed(&stack, &file);
    assert_eq!(said["lines"], 2000 + 30 + 3 + 5, "{said:#}");
    assert_eq!(
        (&said["unreadable"]["lines"], &said["without_request"], &said["clients_with_names"]),
        (&json!(2), &json!(1), &json!(1))
    );
    assert_eq!(said["unreadable"]["first"][0]["line"], 2034);
    let refused = paths(&said, "sign_in_needed");
    assert_eq!(
        refused[..3],
        [("/letters/*".to_owned(), 2000), ("/newsletter/*".to_owned(), 30), ("/callback".to_owned(), 3)]
    );
    assert!(refused.contains(&("/last".to_owned(), 1)) && refused.contains(&("/named".to_owned(), 1)), "{refused:?}");
    let row = |path: &str| {
        said["sign_in_needed"]["paths"].as_array().unwrap().iter().find(|row| row["path"] == path).unwrap()
    };
    assert!(row("/newsletter/*")["remark"].as_str().unwrap().contains("many addresses"), "{said:#}");
    assert!(row("/callback")["remark"].as_str().unwrap().contains("programs"), "{said:#}");
    assert_eq!(row("/letters/*")["remark"], "");
    assert_eq!(row("/callback")["methods"], json!({ "POST": 3 }));
    assert_eq!(row("/last")["statuses"], json!({ "200": 1 }));

    // the same from standard input, gzipped, and for reading
    let text = stack.command(&["explain", "--access-log", "-"], &log).done();
    for part in [
        "read      2,038 lines",
        "line 2034: nonsense \\u{1b}[31m",
        "/newsletter/*  (asked for from many addresses",
        "unused    routes[3] (/unused)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let zipped = std::process::Command::new("gzip").arg("--keep").arg(&file).status().unwrap();
    assert!(zipped.success());
    assert_eq!(replayed(&stack, &stack.folder().join("access.log.gz")), said);
}

#[test]
fn a_log_that_does_not_say_what_asked_makes_nobody_a_program() {
    let stack = planned().prepare();
    let combined = line("192.0.2.1", "GET /reports HTTP/1.1");
    let common = combined.replace(" \"-\" \"Mozilla/5.0 (X11; Linux)\"", "");
    let file = stack.folder().join("access.log");
    std::fs::write(&file, common.repeat(20)).unwrap();
    let said = replayed(&stack, &file);
    let row = &said["sign_in_needed"]["paths"][0];
    assert_eq!((&row["path"], &row["requests"]), (&json!("/reports"), &json!(20)), "{said:#}");
    assert_eq!((&row["from_browsers"], &row["remark"]), (&Value::Null, &json!("")), "{said:#}");
}

#[test]
fn more_paths_than_are_counted_apart_are_counted_together() {
    let stack = planned().prepare();
    let names = |from: usize, to: usize| -> String {
        (from..to)
            .map(|number| line("192.0.2.1", &format!("GET /{}z HTTP/1.1", "q".repeat(number % 7) + &words(number))))
            .collect()
    };
    let file = stack.folder().join("access.log");
    std::fs::write(&file, names(0, 30_000) + &names(0, 10)).unwrap();
    let said = replayed(&stack, &file);
    assert_eq!(said["sign_in_needed"]["requests"], 30_010);
    assert_eq!(said["sign_in_needed"]["requests_to_uncounted_paths"], 10_000);
}

/// A name that looks like no id.
fn words(mut number: usize) -> String {
    let mut name = String::new();
    for _ in 0..4 {
        name.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
    }
    name
}

#[test]
fn a_log_belongs_to_one_site() {
    let second = json!({ "name": "second", "url": "https://second.localhost", "upstream": "app" });
    let stack = planned().set("trusted_proxies", json!(["127.0.0.1"])).set("sites.1", second).prepare();
    let log = line("192.0.2.1", "GET /open/x HTTP/1.1");
    let unnamed = stack.command(&["explain", "--access-log", "-"], &log);
    assert_eq!(unnamed.code, Some(2));
    assert!(unnamed.stderr.contains("marketing, second"), "{unnamed:?}");
    assert_eq!(stack.command(&["explain", "--access-log", "-", "--site", "third"], &log).code, Some(2));
    let said = |site: &str| -> Value {
        serde_json::from_str(&stack.command(&["explain", "--json", "--access-log", "-", "--site", site], &log).done())
            .unwrap()
    };
    assert_eq!(said("marketing")["sign_in_needed"]["requests"], 0);
    assert_eq!(said("second")["sign_in_needed"]["requests"], 1);
    let missing = stack.command(&["explain", "--access-log", "/nowhere/access.log", "--site", "second"], "");
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("/nowhere/access.log"), "{missing:?}");
}
