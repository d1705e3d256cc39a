//! Violations planted to see the floors test find each, and sources in order that it must leave alone.

use super::{MOST_LINES, violations};

#[test]
fn planted_violations_are_found() {
    let planted: &[(&str, &str, &str)] = &[
        ("domain/code.rs", "use crate::adapters::X;", "domain may not import adapters"),
        ("domain/code.rs", "use crate::{\n  domain::keys,\n  login::{\n ports }\n};", "domain may not import login"),
        ("domain/code.rs", "use super::super::web::cookies;", "domain may not import web"),
        ("domain/mod.rs", "use super::web::cookies;", "domain may not import web"),
        ("domain/code.rs", "mod inner { use super::super::super::web; }", "domain may not import web"),
        ("login/flow.rs", "fn f() { let x = crate::portal::steps::go(); }", "login may not import portal"),
        ("login/flow.rs", "fn f(x: Vec<crate::gateway::Admission>) {}", "login may not import gateway"),
        ("login/flow.rs", "fn f() { <crate::web::A as Clone>::clone(&a); }", "login may not import web"),
        ("login/flow.rs", "fn f() { println!(\"{}\", crate::web::NAME); }", "login may not import web"),
        ("login/flow.rs", "fn f() { match x { crate::web::A::B => (), } }", "login may not import web"),
        ("login/flow.rs", "#[derive(crate::admin::Derive)] struct A;", "login may not import admin"),
        ("login/flow.rs", "impl crate::admin::Trait for A {}", "login may not import admin"),
        ("web/mod.rs", "use crate::login::Session;", "web may not import login"),
        ("pages/form.rs", "use crate::portal::steps;", "pages may not import portal"),
        ("pages/form.rs", "use crate::login::Login;", "pages may not import login"),
        ("portal/mod.rs", "use crate::gateway::bridge;", "portal may not import gateway"),
        ("gateway/mod.rs", "use crate::portal::router;", "gateway may not import portal"),
        ("gateway/mod.rs", "use crate::config::Config;", "gateway may not import config"),
        ("admin/mod.rs", "use crate::adapters::sql;", "admin may not import adapters"),
        ("adapters/sql/mod.rs", "use crate::admin::Operation;", "adapters may not import admin"),
        ("main.rs", "fn main() { vestibule::app::run() }", "main.rs may not import app"),
        ("portal/mod.rs", "use crate as root; fn f() { root::gateway::x() }", "the root of the crate"),
        ("portal/mod.rs", "use crate as root; fn f() { root::gateway::x() }", "portal may not import gateway"),
        ("portal/mod.rs", "use super as up; fn f() { up::gateway::x() }", "portal may not import gateway"),
        ("portal/mod.rs", "use crate::{self as root};", "the root of the crate"),
        ("portal/mod.rs", "use crate::*;", "the root of the crate"),
        ("portal/mod.rs", "use crate::Session;", "Session is no room"),
        ("portal/mod.rs", "fn f() { crate::shortcut!() }", "shortcut is no room"),
        ("portal/mod.rs", "#[path = \"../gateway/mod.rs\"] mod gateway;", "without #[path]"),
        ("portal/mod.rs", "include!(\"../gateway/mod.rs\");", "include! hides"),
        ("login/mod.rs", "use redis::AsyncCommands;", "redis may be named only in"),
        ("login/mod.rs", "fn f() { ::redis::cmd(\"GET\"); }", "redis may be named only in"),
        ("login/mod.rs", "extern crate sqlx as q;", "sqlx may be named only in"),
        ("login/mod.rs", "use sqlx as q; fn f() { q::query(\"\"); }", "sqlx may be named only in"),
        ("app/mod.rs", "#[derive(sqlx::FromRow)] struct A;", "sqlx may be named only in"),
        ("cli/mod.rs", "fn f() { sqlx::query!(\"\"); }", "sqlx may be named only in"),
        ("portal/mod.rs", "use pingora::proxy::Session;", "pingora may be named only in"),
        ("portal/mod.rs", "use pingora_core::server::Server;", "pingora may be named only in"),
        ("gateway/verify.rs", "use axum::Router;", "axum may be named only in"),
        ("adapters/sms.rs", "fn f(r: axum::Router) {}", "axum may be named only in"),
        ("login/mod.rs", "use axum_core::response;", "axum may be named only in"),
        ("cli/mod.rs", "fn f() { serde_yaml::to_string(&x); }", "serde_yaml may be named only in"),
        ("portal/mod.rs", "fn f() { std::time::SystemTime::now(); }", "reads the clock"),
        ("portal/mod.rs", "use std::time::SystemTime as T; fn f() { T::now(); }", "reads the clock"),
        ("portal/mod.rs", "use std::time; fn f() { let f = time::SystemTime::now; f(); }", "reads the clock"),
        ("portal/mod.rs", "fn f() { log!(std::time::SystemTime::now()); }", "reads the clock"),
        ("portal/mod.rs", "fn f() { time::OffsetDateTime::now_utc(); }", "reads the clock"),
        ("portal/mod.rs", "fn f() { std::time::UNIX_EPOCH.elapsed(); }", "reads the clock"),
        ("domain/mod.rs", "fn f() { std::fs::read(\"x\"); }", "does no I/O"),
        ("domain/mod.rs", "use std::time::Instant;", "does no I/O"),
        ("domain/mod.rs", "use std::{collections::BTreeMap, net::{IpAddr, TcpStream}};", "does no I/O"),
        ("domain/mod.rs", "use http::HeaderMap;", "does no I/O"),
        ("domain/mod.rs", "async fn f() {}", "no async"),
        ("domain/mod.rs", "fn f() { let x = async { 1 }; }", "no async"),
        ("domain/mod.rs", "fn f( {", "cannot be parsed"),
    ];
    for (file, source, expected) in planted {
        let found = violations(file, &format!("//! Planted.\n{source}\n"));
        assert!(found.iter().any(|what| what.contains(expected)), "{file}: {source}\nfound only {found:#?}");
    }
    assert!(violations("web/a.rs", "use std::fmt;\n")[0].contains("does not open"));
    let long = "//! Long.\n".to_owned() + &"\n".repeat(MOST_LINES);
    assert!(violations("web/a.rs", &long)[0].contains("second subject"));
}

#[test]
fn what_is_in_order_is_left_alone() {
    let innocent: &[(&str, &str)] = &[
        ("domain/code.rs", "use super::keys::Key; use crate::domain::time; use std::net::IpAddr; use self::inner::X;"),
        ("domain/code.rs", "#[cfg(test)] mod tests { use super::*; fn f() { super::super::keys::k(); } }"),
        (
            "login/flow.rs",
            "use crate::domain::code::Code; use tokio::task; fn f() { let redis = 1; g!(redis, sqlx = 2); }",
        ),
        ("login/flow.rs", "pub(in crate::login) fn f(http: u8) { super::ports::go(); self.redis.get(); }"),
        ("gateway/bridge.rs", "use axum::Router; use pingora::proxy::Session; use crate::web::cookies;"),
        ("adapters/sql/mod.rs", "use sqlx::query; use crate::login::ports::Ledger; use super::clock;"),
        ("app/clock.rs", "fn f() { std::time::SystemTime::now(); }"),
        ("app/mod.rs", "use crate::{portal, gateway, config}; use pingora::server::Server; use axum::Router;"),
        ("lib.rs", "pub mod domain; pub mod login;"),
        ("main.rs", "fn main() -> std::process::ExitCode { vestibule::cli::run() }"),
    ];
    for (file, source) in innocent {
        assert_eq!(violations(file, &format!("//! In order.\n{source}\n")), Vec::<String>::new(), "{file}: {source}");
    }
}
