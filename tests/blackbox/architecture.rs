//! The floors of the house, held: imports point down, outside libraries stay in their rooms, one place reads the
//! clock, files stay short and say what they are for.
//!
//! The sources are parsed, so an import over many lines, a path in the middle of an expression, `super::super::`, an
//! alias and the tokens inside a macro are all seen. Not seen: what a macro of another crate makes up by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use syn::visit::{self, Visit};

/// The rooms and what each may import of ours.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("login", &["domain"]),
    ("web", &["domain"]),
    ("pages", &["domain", "web"]),
    ("gateway", &["domain", "login", "web", "pages"]),
    ("portal", &["domain", "login", "web", "pages"]),
    ("admin", &["domain", "login", "web", "pages"]),
    ("adapters", &["domain", "login", "web", "pages"]),
    ("app", &ROOMS),
    ("config", &ROOMS),
    ("cli", &ROOMS),
];

const ROOMS: [&str; 11] = [
    "domain", "login", "web", "pages", "gateway", "portal", "admin", "adapters", "app", "config",
    "cli",
];

/// Outside libraries (with all crates whose name goes on after `_`) and the only places under `src` that may name them.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("pingora", &["gateway/", "app/"]),
    ("redis", &["adapters/"]),
    ("sqlx", &["adapters/"]),
    (
        "axum",
        &["portal/", "admin/", "pages/", "gateway/bridge.rs", "app/"],
    ),
    ("serde_yaml", &["config/"]),
];

/// What the ground may not name: I/O, tasks, HTTP.
const NOT_IN_DOMAIN: &[&[&str]] = &[
    &["tokio"],
    &["futures_util"],
    &["async_trait"],
    &["http"],
    &["reqwest"],
    &["tracing"],
    &["std", "fs"],
    &["std", "io"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
    &["std", "net", "TcpStream"],
    &["std", "net", "TcpListener"],
    &["std", "net", "UdpSocket"],
    &["std", "net", "ToSocketAddrs"],
    &["std", "time", "Instant"],
];

/// The one file that reads the clock of the machine.
const CLOCK: &str = "adapters/clock.rs";

const READS_THE_CLOCK: &[&[&str]] = &[
    &["SystemTime", "now"],
    &["OffsetDateTime", "now_utc"],
    &["OffsetDateTime", "now_local"],
    &["UtcDateTime", "now"],
    &["Utc", "now"],
    &["Local", "now"],
];

const MOST_LINES: usize = 450;

#[test]
fn the_house_stands_as_the_design_says() {
    let source_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut files = 0;
    for path in rust_files(&source_folder) {
        let name = path
            .strip_prefix(&source_folder)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        found.extend(violations(&name, &fs::read_to_string(&path).unwrap()));
        files += 1;
    }
    assert!(
        files > 10,
        "only {files} files under {}",
        source_folder.display()
    );
    assert!(
        found.is_empty(),
        "{} violations:\n{}",
        found.len(),
        found.join("\n")
    );
}

/// Everything in one source file that is against the rules, a line each. `file` is its path below `src`.
fn violations(file: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !source.starts_with("//!") {
        found.push(format!(
            "{file}: does not open with //! (what it is for, what it does not do, its floor)"
        ));
    }
    let lines = source.lines().count();
    if lines > MOST_LINES {
        found.push(format!(
            "{file}: {lines} lines: look for a second subject (at most {MOST_LINES})"
        ));
    }
    let parsed = match syn::parse_file(source) {
        Ok(parsed) => parsed,
        Err(error) => return vec![format!("{file}: cannot be parsed: {error}")],
    };
    let mut reader = Reader::new(file);
    reader.collect_aliases(&parsed.items);
    reader.visit_file(&parsed);
    found.extend(
        reader
            .found
            .into_iter()
            .map(|(line, what)| format!("{file}:{line}: {what}")),
    );
    found
}

/// Walks through one file and judges every path in it.
struct Reader {
    file: String,
    /// Of the crate, without its name: `["login", "sending"]`.
    module: Vec<String>,
    /// Names given by `use`, with the full path behind each.
    aliases: BTreeMap<String, Vec<String>>,
    found: BTreeSet<(usize, String)>,
}

impl Reader {
    fn new(file: &str) -> Self {
        let mut module: Vec<String> = file
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if matches!(
            module.last().map(String::as_str),
            Some("mod" | "lib" | "main")
        ) {
            module.pop();
        }
        Self {
            file: file.to_owned(),
            module,
            aliases: BTreeMap::new(),
            found: BTreeSet::new(),
        }
    }

    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    fn is_under(&self, places: &[&str]) -> bool {
        let folder = format!("{}/", self.room());
        places
            .iter()
            .any(|place| *place == folder || *place == self.file)
    }

    /// Aliases of the whole file in one table: a name that two modules of one file use differently would be judged by
    /// either, which is too strict rather than too lax only for the second; files are short and it has not come up.
    fn collect_aliases(&mut self, items: &[syn::Item]) {
        struct Uses(Vec<syn::ItemUse>);
        impl<'ast> Visit<'ast> for Uses {
            fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
                self.0.push(item.clone());
            }
        }
        let mut uses = Uses(Vec::new());
        for item in items {
            uses.visit_item(item);
        }
        for item in &uses.0 {
            for (path, name, _) in flatten(&item.tree) {
                if let Some(name) = name.filter(|name| path.last() != Some(name) || path.len() > 1)
                {
                    self.aliases.insert(name, path);
                }
            }
        }
    }

    fn say(&mut self, line: usize, what: String) {
        self.found.insert((line, what));
    }

    /// `written` as in the source, without generic arguments.
    fn judge(&mut self, written: &[String], line: usize) {
        let Some(first) = written.first() else { return };
        let mut path = written.to_vec();
        let relative = matches!(first.as_str(), "crate" | "self" | "super" | "vestibule");
        if !relative && let Some(full) = self.aliases.get(first) {
            path = [full.as_slice(), &written[1..]].concat();
        }
        let first = path[0].clone();
        if matches!(first.as_str(), "crate" | "self" | "super" | "vestibule") {
            self.judge_own(&path, line);
        } else {
            self.judge_foreign(&path, line);
        }
    }

    fn judge_own(&mut self, path: &[String], line: usize) {
        let Some(full) = self.resolve(path) else {
            self.say(line, format!("{} leads out of the crate", path.join("::")));
            return;
        };
        if self.module.is_empty() && self.file == "lib.rs" {
            return;
        }
        let room = self.room().to_owned();
        match full.first().map(String::as_str) {
            None => self.say(
                line,
                "names the root of the crate itself, behind which any room could hide".to_owned(),
            ),
            Some(target) if target == room => (),
            Some(target) if !ROOMS.contains(&target) => {
                self.say(
                    line,
                    format!("{target} is no room: one path to each name, through its room"),
                );
            }
            Some(target) => {
                let allowed = match self.file.as_str() {
                    "main.rs" => &["cli"][..],
                    _ => MAY_IMPORT
                        .iter()
                        .find(|(name, _)| *name == room)
                        .map_or(&[][..], |(_, allowed)| *allowed),
                };
                if !allowed.contains(&target) {
                    let who = if room.is_empty() {
                        self.file.clone()
                    } else {
                        room
                    };
                    self.say(line, format!("{who} may not import {target}"));
                }
            }
        }
    }

    /// The full path within the crate; `None` when `super` goes too far.
    fn resolve(&self, path: &[String]) -> Option<Vec<String>> {
        let mut full = match path[0].as_str() {
            "crate" | "vestibule" => Vec::new(),
            _ => self.module.clone(),
        };
        for segment in path {
            match segment.as_str() {
                "crate" | "self" | "vestibule" => (),
                "super" => {
                    full.pop()?;
                }
                name => full.push(name.to_owned()),
            }
        }
        Some(full)
    }

    fn judge_foreign(&mut self, path: &[String], line: usize) {
        let first = path[0].as_str();
        for (library, places) in ONLY_IN {
            let named = first == *library
                || first
                    .strip_prefix(library)
                    .is_some_and(|rest| rest.starts_with('_'));
            if named && !self.is_under(places) {
                self.say(
                    line,
                    format!("{library} may be named only in {}", places.join(", ")),
                );
            }
        }
        if self.file != CLOCK && READS_THE_CLOCK.iter().any(|end| ends_with(path, end)) {
            self.say(
                line,
                format!(
                    "{}: only {CLOCK} reads the clock; pass `now` on",
                    path.join("::")
                ),
            );
        }
        if self.room() == "domain" && NOT_IN_DOMAIN.iter().any(|start| starts_with(path, start)) {
            self.say(
                line,
                format!("domain may not name {}: it does no I/O", path.join("::")),
            );
        }
    }

    /// Paths in the tokens of a macro, which syn does not parse.
    fn judge_tokens(&mut self, tokens: proc_macro2::TokenStream) {
        use proc_macro2::TokenTree;
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 || path.is_empty() {
                        self.judge_unless_single(&std::mem::take(&mut path), line);
                    }
                    line = ident.span().start().line;
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.judge_unless_single(&std::mem::take(&mut path), line);
                    colons = 0;
                    self.judge_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.judge_unless_single(&std::mem::take(&mut path), line);
                    colons = 0;
                }
            }
        }
        self.judge_unless_single(&path, line);
    }

    /// A single word in a macro's tokens is a variable or a field far more often than a crate.
    fn judge_unless_single(&mut self, path: &[String], line: usize) {
        if path.len() > 1 {
            self.judge(path, line);
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item
            .attrs
            .iter()
            .any(|attribute| attribute.path().is_ident("path"))
        {
            self.say(
                line_of(&item.ident),
                "a module's file is where its name says, without #[path]".to_owned(),
            );
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let line = syn::spanned::Spanned::span(&item.use_token).start().line;
        for (path, _, glob) in flatten(&item.tree) {
            // As written: aliases do not apply to what `use` begins with, but for another name of the same file.
            self.judge(&path, line);
            if glob && path == ["crate"] {
                self.say(line, "imports everything".to_owned());
            }
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.judge(&[item.ident.to_string()], line_of(&item.ident));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let written: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        let line = path
            .segments
            .first()
            .map_or(0, |segment| line_of(&segment.ident));
        self.judge(&written, line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let line = item
            .path
            .segments
            .first()
            .map_or(0, |segment| line_of(&segment.ident));
        if item.path.is_ident("include") {
            self.say(line, "include! hides source from this test".to_owned());
        }
        self.judge_tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.judge_tokens(list.tokens.clone());
        }
        visit::visit_attribute(self, attribute);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {
        // `pub(in crate::…)` opens a door, it does not go through one.
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if let syn::Expr::Path(receiver) = &*call.receiver {
            let is_epoch = receiver
                .path
                .segments
                .last()
                .is_some_and(|segment| segment.ident == "UNIX_EPOCH");
            if is_epoch && call.method == "elapsed" && self.file != CLOCK {
                self.say(
                    line_of(&call.method),
                    format!("UNIX_EPOCH.elapsed(): only {CLOCK} reads the clock"),
                );
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if self.room() == "domain" && signature.asyncness.is_some() {
            self.say(
                line_of(&signature.ident),
                format!("domain has no async: {}", signature.ident),
            );
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        if self.room() == "domain" {
            let line = syn::spanned::Spanned::span(&block.async_token).start().line;
            self.say(line, "domain has no async".to_owned());
        }
        visit::visit_expr_async(self, block);
    }
}

fn line_of(ident: &syn::Ident) -> usize {
    ident.span().start().line
}

/// Every path of a `use`, the name it gives in this file (`None` for a glob or `_`), and whether it is a glob.
fn flatten(tree: &syn::UseTree) -> Vec<(Vec<String>, Option<String>, bool)> {
    fn walk(
        tree: &syn::UseTree,
        before: &[String],
        into: &mut Vec<(Vec<String>, Option<String>, bool)>,
    ) {
        let with = |name: &syn::Ident| {
            // `use a::{self}` is `use a`.
            if name == "self" && !before.is_empty() {
                before.to_vec()
            } else {
                [before, &[name.to_string()]].concat()
            }
        };
        match tree {
            syn::UseTree::Path(path) => walk(&path.tree, &with(&path.ident), into),
            syn::UseTree::Name(name) => {
                let path = with(&name.ident);
                let own = path.last().cloned();
                into.push((path, own, false));
            }
            syn::UseTree::Rename(rename) => {
                let own = (rename.rename != "_").then(|| rename.rename.to_string());
                into.push((with(&rename.ident), own, false));
            }
            syn::UseTree::Glob(_) => into.push((before.to_vec(), None, true)),
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    walk(item, before, into);
                }
            }
        }
    }
    let mut paths = Vec::new();
    walk(tree, &[], &mut paths);
    paths
}

fn starts_with(path: &[String], start: &[&str]) -> bool {
    path.len() >= start.len() && path.iter().zip(start).all(|(own, other)| own == other)
}

fn ends_with(path: &[String], end: &[&str]) -> bool {
    path.len() >= end.len()
        && path[path.len() - end.len()..]
            .iter()
            .zip(end)
            .all(|(own, other)| own == other)
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn planted_violations_are_found() {
    let planted: &[(&str, &str, &str)] = &[
        (
            "domain/code.rs",
            "use crate::adapters::X;",
            "domain may not import adapters",
        ),
        (
            "domain/code.rs",
            "use crate::{\n  domain::keys,\n  login::{\n ports }\n};",
            "domain may not import login",
        ),
        (
            "domain/code.rs",
            "use super::super::web::cookies;",
            "domain may not import web",
        ),
        (
            "domain/mod.rs",
            "use super::web::cookies;",
            "domain may not import web",
        ),
        (
            "domain/code.rs",
            "mod inner { use super::super::super::web; }",
            "domain may not import web",
        ),
        (
            "login/flow.rs",
            "fn f() { let x = crate::portal::steps::go(); }",
            "login may not import portal",
        ),
        (
            "login/flow.rs",
            "fn f(x: Vec<crate::gateway::Admission>) {}",
            "login may not import gateway",
        ),
        (
            "login/flow.rs",
            "fn f() { <crate::web::A as Clone>::clone(&a); }",
            "login may not import web",
        ),
        (
            "login/flow.rs",
            "fn f() { println!(\"{}\", crate::web::NAME); }",
            "login may not import web",
        ),
        (
            "login/flow.rs",
            "fn f() { match x { crate::web::A::B => (), } }",
            "login may not import web",
        ),
        (
            "login/flow.rs",
            "#[derive(crate::admin::Derive)] struct A;",
            "login may not import admin",
        ),
        (
            "login/flow.rs",
            "impl crate::admin::Trait for A {}",
            "login may not import admin",
        ),
        (
            "web/mod.rs",
            "use crate::login::Session;",
            "web may not import login",
        ),
        (
            "pages/form.rs",
            "use crate::portal::steps;",
            "pages may not import portal",
        ),
        (
            "pages/form.rs",
            "use crate::login::Login;",
            "pages may not import login",
        ),
        (
            "portal/mod.rs",
            "use crate::gateway::bridge;",
            "portal may not import gateway",
        ),
        (
            "gateway/mod.rs",
            "use crate::portal::router;",
            "gateway may not import portal",
        ),
        (
            "gateway/mod.rs",
            "use crate::config::Config;",
            "gateway may not import config",
        ),
        (
            "admin/mod.rs",
            "use crate::adapters::sql;",
            "admin may not import adapters",
        ),
        (
            "adapters/sql/mod.rs",
            "use crate::admin::Operation;",
            "adapters may not import admin",
        ),
        (
            "main.rs",
            "fn main() { vestibule::app::run() }",
            "main.rs may not import app",
        ),
        (
            "portal/mod.rs",
            "use crate as root; fn f() { root::gateway::x() }",
            "the root of the crate",
        ),
        (
            "portal/mod.rs",
            "use crate as root; fn f() { root::gateway::x() }",
            "portal may not import gateway",
        ),
        (
            "portal/mod.rs",
            "use super as up; fn f() { up::gateway::x() }",
            "portal may not import gateway",
        ),
        (
            "portal/mod.rs",
            "use crate::{self as root};",
            "the root of the crate",
        ),
        ("portal/mod.rs", "use crate::*;", "the root of the crate"),
        ("portal/mod.rs", "use crate::Session;", "Session is no room"),
        (
            "portal/mod.rs",
            "fn f() { crate::shortcut!() }",
            "shortcut is no room",
        ),
        (
            "portal/mod.rs",
            "#[path = \"../gateway/mod.rs\"] mod gateway;",
            "without #[path]",
        ),
        (
            "portal/mod.rs",
            "include!(\"../gateway/mod.rs\");",
            "include! hides",
        ),
        (
            "login/mod.rs",
            "use redis::AsyncCommands;",
            "redis may be named only in",
        ),
        (
            "login/mod.rs",
            "fn f() { ::redis::cmd(\"GET\"); }",
            "redis may be named only in",
        ),
        (
            "login/mod.rs",
            "extern crate sqlx as q;",
            "sqlx may be named only in",
        ),
        (
            "login/mod.rs",
            "use sqlx as q; fn f() { q::query(\"\"); }",
            "sqlx may be named only in",
        ),
        (
            "app/mod.rs",
            "#[derive(sqlx::FromRow)] struct A;",
            "sqlx may be named only in",
        ),
        (
            "cli/mod.rs",
            "fn f() { sqlx::query!(\"\"); }",
            "sqlx may be named only in",
        ),
        (
            "portal/mod.rs",
            "use pingora::proxy::Session;",
            "pingora may be named only in",
        ),
        (
            "portal/mod.rs",
            "use pingora_core::server::Server;",
            "pingora may be named only in",
        ),
        (
            "gateway/verify.rs",
            "use axum::Router;",
            "axum may be named only in",
        ),
        (
            "adapters/sms.rs",
            "fn f(r: axum::Router) {}",
            "axum may be named only in",
        ),
        (
            "login/mod.rs",
            "use axum_core::response;",
            "axum may be named only in",
        ),
        (
            "cli/mod.rs",
            "fn f() { serde_yaml::to_string(&x); }",
            "serde_yaml may be named only in",
        ),
        (
            "portal/mod.rs",
            "fn f() { std::time::SystemTime::now(); }",
            "reads the clock",
        ),
        (
            "portal/mod.rs",
            "use std::time::SystemTime as T; fn f() { T::now(); }",
            "reads the clock",
        ),
        (
            "portal/mod.rs",
            "use std::time; fn f() { let f = time::SystemTime::now; f(); }",
            "reads the clock",
        ),
        (
            "portal/mod.rs",
            "fn f() { log!(std::time::SystemTime::now()); }",
            "reads the clock",
        ),
        (
            "portal/mod.rs",
            "fn f() { time::OffsetDateTime::now_utc(); }",
            "reads the clock",
        ),
        (
            "portal/mod.rs",
            "fn f() { std::time::UNIX_EPOCH.elapsed(); }",
            "reads the clock",
        ),
        (
            "domain/mod.rs",
            "fn f() { std::fs::read(\"x\"); }",
            "does no I/O",
        ),
        ("domain/mod.rs", "use std::time::Instant;", "does no I/O"),
        (
            "domain/mod.rs",
            "use std::{collections::BTreeMap, net::{IpAddr, TcpStream}};",
            "does no I/O",
        ),
        ("domain/mod.rs", "use http::HeaderMap;", "does no I/O"),
        ("domain/mod.rs", "async fn f() {}", "no async"),
        (
            "domain/mod.rs",
            "fn f() { let x = async { 1 }; }",
            "no async",
        ),
        ("domain/mod.rs", "fn f( {", "cannot be parsed"),
    ];
    for (file, source, expected) in planted {
        let found = violations(file, &format!("//! Planted.\n{source}\n"));
        assert!(
            found.iter().any(|what| what.contains(expected)),
            "{file}: {source}\nfound only {found:#?}"
        );
    }
    assert!(violations("web/a.rs", "use std::fmt;\n")[0].contains("does not open"));
    let long = "//! Long.\n".to_owned() + &"\n".repeat(MOST_LINES);
    assert!(violations("web/a.rs", &long)[0].contains("second subject"));
}

#[test]
fn what_is_in_order_is_left_alone() {
    let innocent: &[(&str, &str)] = &[
        (
            "domain/code.rs",
            "use super::keys::Key; use crate::domain::time; use std::net::IpAddr; use self::inner::X;",
        ),
        (
            "domain/code.rs",
            "#[cfg(test)] mod tests { use super::*; fn f() { super::super::keys::k(); } }",
        ),
        (
            "login/flow.rs",
            "use crate::domain::code::Code; use tokio::task; fn f() { let redis = 1; g!(redis, sqlx = 2); }",
        ),
        (
            "login/flow.rs",
            "pub(in crate::login) fn f(http: u8) { super::ports::go(); self.redis.get(); }",
        ),
        (
            "gateway/bridge.rs",
            "use axum::Router; use pingora::proxy::Session; use crate::web::cookies;",
        ),
        (
            "adapters/sql/mod.rs",
            "use sqlx::query; use crate::login::ports::Ledger; use super::clock;",
        ),
        (
            "adapters/clock.rs",
            "fn f() { std::time::SystemTime::now(); }",
        ),
        (
            "app/mod.rs",
            "use crate::{portal, gateway, config}; use pingora::server::Server; use axum::Router;",
        ),
        ("lib.rs", "pub mod domain; pub mod login;"),
        (
            "main.rs",
            "fn main() -> std::process::ExitCode { vestibule::cli::run() }",
        ),
    ];
    for (file, source) in innocent {
        assert_eq!(
            violations(file, &format!("//! In order.\n{source}\n")),
            Vec::<String>::new(),
            "{file}: {source}"
        );
    }
}
