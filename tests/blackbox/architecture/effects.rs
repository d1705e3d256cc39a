//! Every effect of the flow has a fail-point: each call of a port that changes something stands inside `effect("name", …)`, with a name of the
//! list in `login::fail_point`, and every name of the list is used. Told from the sources of `login`.

use std::collections::BTreeSet;
use std::path::Path;
use syn::visit::{self, Visit};

/// What only reads, or tells: no fail-point is needed behind it.
const READS: &[&str] = &[
    "peek",
    "account",
    "account_by_name",
    "open_sessions",
    "session_of_login",
    "rows_after",
    "lately",
    "rests",
    "activated_at",
    "is_due",
    "now",
    "text",
    "name",
    "countries",
    "verify",
    "hash",
];
/// Where ports stand in the flow.
const PORTS: &[&str] =
    &["pending", "limits", "ledger", "send_ledger", "breakers", "own_account", "passwords", "sender", "outbox", "mail"];

#[derive(Default)]
struct Effects {
    inside: usize,
    names: BTreeSet<String>,
    bare: Vec<String>,
}

impl<'ast> Visit<'ast> for Effects {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let is_effect = matches!(&*call.func, syn::Expr::Path(path) if path.path.is_ident("effect"));
        if is_effect && let Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. })) = call.args.first() {
            self.names.insert(name.value());
            self.inside += 1;
            visit::visit_expr_call(self, call);
            self.inside -= 1;
        } else {
            visit::visit_expr_call(self, call);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let verb = call.method.to_string();
        if self.inside == 0 && is_port(&call.receiver) && !READS.contains(&verb.as_str()) {
            self.bare.push(format!("line {}: {verb}", call.method.span().start().line));
        }
        visit::visit_expr_method_call(self, call);
    }
}

fn is_port(receiver: &syn::Expr) -> bool {
    match receiver {
        syn::Expr::Field(field) => {
            matches!(&field.member, syn::Member::Named(name) if PORTS.iter().any(|port| name == port))
        }
        syn::Expr::Path(path) => path.path.get_ident().is_some_and(|name| PORTS.iter().any(|port| name == port)),
        _ => false,
    }
}

fn read(source: &str) -> Effects {
    let mut effects = Effects::default();
    effects.visit_file(&syn::parse_file(source).expect("the sources parse"));
    effects
}

fn sources(folder: &Path, into: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            into.push((path.display().to_string(), std::fs::read_to_string(&path).expect("the source can be read")));
        }
    }
}

#[test]
fn every_effect_of_the_flow_has_a_fail_point() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/login"), &mut files);
    let mut names = BTreeSet::new();
    let mut bare = Vec::new();
    for (file, source) in &files {
        let found = read(source);
        names.extend(found.names);
        bare.extend(found.bare.into_iter().map(|what| format!("{file}: {what}")));
    }
    assert!(bare.is_empty(), "effects without a fail-point:\n{}", bare.join("\n"));
    let listed: BTreeSet<String> = vestibule::login::fail_point::ALL.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names, listed, "the names in the sources and the list in login::fail_point");
}

#[test]
fn an_effect_without_a_fail_point_is_found() {
    let planted = "async fn f(&self) { self.ports.ledger.charge_code_attempt(a, b).await?; }";
    assert_eq!(read(planted).bare.len(), 1);
    let through_a_variable = "async fn f(&self) { for sender in senders { sender.send(&m).await; } }";
    assert_eq!(read(through_a_variable).bare.len(), 1);
    let covered = "async fn f(&self) { effect(\"x\", self.ports.ledger.charge_code_attempt(a, b)).await?; }";
    assert!(read(covered).bare.is_empty());
    let reading = "async fn f(&self) { self.ports.pending.peek(id).await?; }";
    assert!(read(reading).bare.is_empty());
}
