//! The floors of the house, held: imports point down, outside libraries stay in their rooms, one place reads the
//! clock, files stay short and say what they are for.
//!
//! The sources are parsed, so an import over many lines, a path in the middle of an expression, `super::super::`, an
//! alias and the tokens inside a macro are all seen. Not seen: what a macro of another crate makes up by itself.

mod effects;
mod planted;
mod reader;
mod reviewed;

use reader::Reader;
use std::fs;
use std::path::Path;

/// The rooms and what each may import of ours.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("metrics", &[]),
    ("login", &["domain", "metrics"]),
    ("web", &["domain"]),
    ("pages", &["domain", "web"]),
    ("gateway", &["domain", "metrics", "login", "web", "pages"]),
    ("portal", &["domain", "login", "web", "pages"]),
    ("admin", &["domain", "login", "web", "pages"]),
    ("adapters", &["domain", "metrics", "login", "web", "pages"]),
    ("app", &ROOMS),
    ("config", &ROOMS),
    ("cli", &ROOMS),
];

const ROOMS: [&str; 12] =
    ["domain", "metrics", "login", "web", "pages", "gateway", "portal", "admin", "adapters", "app", "config", "cli"];

/// Outside libraries (with all crates whose name goes on after `_`) and the only places under `src` that may name them.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("pingora", &["gateway/", "app/"]),
    ("redis", &["adapters/"]),
    ("sqlx", &["adapters/"]),
    ("axum", &["portal/", "admin/", "pages/", "gateway/bridge.rs", "app/"]),
    ("serde_yaml", &["config/"]),
    ("prometheus", &["metrics/"]),
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
const CLOCK: &str = "app/clock.rs";

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
        let name = path.strip_prefix(&source_folder).unwrap().to_str().unwrap().to_owned();
        found.extend(violations(&name, &fs::read_to_string(&path).unwrap()));
        files += 1;
    }
    assert!(files > 10, "only {files} files under {}", source_folder.display());
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
}

/// Everything in one source file that is against the rules, a line each. `file` is its path below `src`.
fn violations(file: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !source.starts_with("//!") {
        found.push(format!("{file}: does not open with //! (what it is for, what it does not do, its floor)"));
    }
    let lines = source.lines().count();
    if lines > MOST_LINES {
        found.push(format!("{file}: {lines} lines: look for a second subject (at most {MOST_LINES})"));
    }
    let parsed = match syn::parse_file(source) {
        Ok(parsed) => parsed,
        Err(error) => return vec![format!("{file}: cannot be parsed: {error}")],
    };
    found.extend(Reader::read(file, &parsed).into_iter().map(|(line, what)| format!("{file}:{line}: {what}")));
    found
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
