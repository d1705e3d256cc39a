//! What could exempt a single user from the second factor would come in as a key of the configuration, a column of the database or of an import, a
//! field of the API, or a header that is read. All there are stand in `reviewed.txt`; whoever adds one looks at it with that question first.

use crate::harness::stack::{Accounts, Plan, Stack};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use syn::visit::{self, Visit};

/// The rooms that see requests.
const READ_HEADERS: [&str; 6] = ["gateway", "web", "pages", "portal", "admin", "app"];

#[derive(Debug, Default)]
struct Found(BTreeSet<String>);

impl Found {
    fn add(&mut self, kind: &str, name: &str) {
        self.0.insert(format!("{kind} {name}"));
    }
}

#[test]
fn every_way_in_for_an_exemption_was_reviewed() {
    let mut found = Found::default();
    keys(&vestibule::config::schema::schema(), "", &mut found);
    for accounts in [Accounts::Sqlite, Accounts::Postgres] {
        let stack = Plan::new().accounts(accounts).prepare();
        columns(&stack, accounts, &mut found);
        columns_of_imports(&stack, &mut found);
    }
    for room in READ_HEADERS {
        headers_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(room), &mut found);
    }
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/blackbox/architecture/reviewed.txt");
    let written = std::fs::read_to_string(list).unwrap();
    let reviewed: BTreeSet<String> =
        written.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    let new: Vec<&String> = found.0.difference(&reviewed).collect();
    let gone: Vec<&String> = reviewed.difference(&found.0).collect();
    assert!(
        new.is_empty(),
        "not reviewed: can it make an exemption from the second factor for a single user, also together with others? If not, add to reviewed.txt:\n{}",
        lines(&new)
    );
    assert!(gone.is_empty(), "no longer there: take out of reviewed.txt:\n{}", lines(&gone));
    for kind in ["config", "sql", "csv", "header"] {
        assert!(reviewed.iter().filter(|line| line.starts_with(kind)).count() >= 6, "{kind}: this test sees nothing");
    }
}

fn lines(names: &[&String]) -> String {
    names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("\n")
}

/// `sites[].portal.name`; in a map of names `upstreams.*.servers[]`.
fn keys(schema: &Value, path: &str, found: &mut Found) {
    if let Some(properties) = schema["properties"].as_object() {
        for (key, below) in properties {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            keys(below, &path, found);
        }
    } else if schema["items"].is_object() {
        keys(&schema["items"], &format!("{path}[]"), found);
    } else if schema["additionalProperties"].is_object() {
        keys(&schema["additionalProperties"], &format!("{path}.*"), found);
    } else {
        found.add("config", path);
    }
}

/// Of a database that a command has just made.
fn columns(stack: &Stack, accounts: Accounts, found: &mut Found) {
    stack.command(&["user", "list"], "").done();
    let listed = stack.sql(match accounts {
        Accounts::Sqlite => {
            "SELECT m.name || '.' || p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        Accounts::Postgres => {
            "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        }
    });
    for column in listed.lines().map(str::trim).filter(|line| !line.is_empty()) {
        found.add("sql", column);
    }
}

/// As the import itself lists them.
fn columns_of_imports(stack: &Stack, found: &mut Found) {
    let file = stack.folder().join("columns.csv");
    std::fs::write(&file, "username,zzzz\n").unwrap();
    let refused = stack.command(&["user", "import", &file.display().to_string()], "");
    let told = format!("{}{}", refused.stdout, refused.stderr);
    let (_, listed) = told.split_once("there are ").unwrap_or_else(|| panic!("the columns are not told: {told}"));
    for column in listed.lines().next().unwrap_or_default().split(", ") {
        found.add("csv", column.trim());
    }
}

fn headers_in(folder: &Path, found: &mut Found) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" && name != "fakes" {
                headers_in(&path, found);
            }
        } else if name.ends_with(".rs") && !name.contains("test") && !name.contains("fakes") {
            let source = std::fs::read_to_string(&path).unwrap();
            headers_of(&source, found);
        }
    }
}

fn headers_of(source: &str, found: &mut Found) {
    Headers(found).visit_file(&syn::parse_file(source).expect("the sources parse"));
}

/// Names of headers: constants of `http::header`, texts that `HeaderName` is made of, and those that a map is asked for.
struct Headers<'a>(&'a mut Found);

impl Headers<'_> {
    fn text(&mut self, argument: Option<&syn::Expr>) {
        if let Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) = argument {
            let name = text.value().to_ascii_lowercase();
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !name.is_empty() && name.chars().all(is_name) {
                self.0.add("header", &name);
            }
        }
    }

    fn constants(&mut self, tree: &syn::UseTree, inside: bool) {
        match tree {
            syn::UseTree::Path(path) => self.constants(&path.tree, path.ident == "header"),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.constants(tree, inside)),
            syn::UseTree::Name(name) if inside => self.constant(&name.ident.to_string()),
            syn::UseTree::Rename(rename) if inside => self.constant(&rename.ident.to_string()),
            syn::UseTree::Name(_) | syn::UseTree::Rename(_) | syn::UseTree::Glob(_) => {}
        }
    }

    fn constant(&mut self, name: &str) {
        if name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
            self.0.add("header", &name.to_ascii_lowercase().replace('_', "-"));
        }
    }
}

impl<'ast> Visit<'ast> for Headers<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let is_test = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Ident>().is_ok_and(|what| what == "test")
        });
        if !is_test {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.constants(&item.tree, false);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut last = path.segments.iter().rev().map(|segment| segment.ident.to_string());
        if let (Some(name), Some(before)) = (last.next(), last.next())
            && before == "header"
        {
            self.constant(&name);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && path.path.segments.last().is_some_and(|segment| segment.ident == "from_static")
            && path.path.segments.iter().any(|segment| segment.ident == "HeaderName")
        {
            self.text(call.args.first());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let verb = call.method.to_string();
        if ["get", "get_all", "contains_key"].contains(&verb.as_str()) && is_headers(&call.receiver) {
            self.text(call.args.first());
        }
        visit::visit_expr_method_call(self, call);
    }

    /// Lists of names, and names that are handed to a function, begin like names that proxies and browsers add.
    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        let name = text.value().to_ascii_lowercase();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if ["x-", "sec-"].iter().any(|start| name.starts_with(start)) && name.chars().all(is_name) {
            self.0.add("header", &name);
        }
    }
}

fn is_headers(receiver: &syn::Expr) -> bool {
    match receiver {
        syn::Expr::Field(field) => matches!(&field.member, syn::Member::Named(name) if name == "headers"),
        syn::Expr::Path(path) => path.path.get_ident().is_some_and(|name| name == "headers"),
        syn::Expr::MethodCall(call) => call.method == "headers" || call.method == "headers_mut",
        _ => false,
    }
}

#[test]
fn a_header_is_found_wherever_it_is_named() {
    for planted in [
        "use http::header::{ACCEPT, X_SKIP_MFA};",
        "fn f() { g(http::header::X_SKIP_MFA); }",
        "const A: HeaderName = HeaderName::from_static(\"x-skip-mfa\");",
        "fn f(headers: &HeaderMap) { headers.get(\"X-Skip-Mfa\"); }",
        "const NAMES: [&str; 1] = [\"x-skip-mfa\"];",
    ] {
        let mut found = Found::default();
        headers_of(planted, &mut found);
        assert!(found.0.contains("header x-skip-mfa"), "{planted}: {found:?}");
    }
    let mut found = Found::default();
    headers_of("fn f(headers: &HeaderMap) { headers.get(\"skip\"); }", &mut found);
    assert!(found.0.contains("header skip"));
    headers_of("#[cfg(test)] mod tests { const A: &str = \"x-in-a-test\"; }", &mut found);
    assert_eq!(found.0.len(), 1);
}

#[test]
fn a_key_is_found_wherever_it_is() {
    let schema = serde_json::json!({ "properties": {
        "one": { "anyOf": [] },
        "list": { "items": { "properties": { "two": {} } } },
        "map": { "additionalProperties": { "properties": { "three": { "items": {} } } } },
    } });
    let mut found = Found::default();
    keys(&schema, "", &mut found);
    let all: Vec<&str> = found.0.iter().map(String::as_str).collect();
    assert_eq!(all, ["config list[].two", "config map.*.three[]", "config one"]);
}
