//! Walks through the syntax of one file and judges every path in it by the tables of the parent module.

use super::{CLOCK, MAY_IMPORT, NOT_IN_DOMAIN, ONLY_IN, READS_THE_CLOCK, ROOMS};
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::{self, Visit};

/// Walks through one file and judges every path in it.
pub(super) struct Reader {
    file: String,
    /// Of the crate, without its name: `["login", "sending"]`.
    module: Vec<String>,
    /// Names given by `use`, with the full path behind each.
    aliases: BTreeMap<String, Vec<String>>,
    found: BTreeSet<(usize, String)>,
}

impl Reader {
    /// What it has against the file, with the line of each.
    pub(super) fn read(file: &str, parsed: &syn::File) -> BTreeSet<(usize, String)> {
        let mut reader = Self::new(file);
        reader.collect_aliases(&parsed.items);
        reader.visit_file(parsed);
        reader.found
    }

    fn new(file: &str) -> Self {
        let mut module: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            module.pop();
        }
        Self { file: file.to_owned(), module, aliases: BTreeMap::new(), found: BTreeSet::new() }
    }

    fn room(&self) -> &str {
        self.module.first().map_or("", String::as_str)
    }

    fn is_under(&self, places: &[&str]) -> bool {
        let folder = format!("{}/", self.room());
        places.iter().any(|place| *place == folder || *place == self.file)
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
                if let Some(name) = name.filter(|name| path.last() != Some(name) || path.len() > 1) {
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
            None => self.say(line, "names the root of the crate itself, behind which any room could hide".to_owned()),
            Some(target) if target == room => (),
            Some(target) if !ROOMS.contains(&target) => {
                self.say(line, format!("{target} is no room: one path to each name, through its room"));
            }
            Some(target) => {
                let allowed = match self.file.as_str() {
                    "main.rs" => &["cli"][..],
                    _ => MAY_IMPORT.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, allowed)| *allowed),
                };
                if !allowed.contains(&target) {
                    let who = if room.is_empty() { self.file.clone() } else { room };
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
            let named = first == *library || first.strip_prefix(library).is_some_and(|rest| rest.starts_with('_'));
            if named && !self.is_under(places) {
                self.say(line, format!("{library} may be named only in {}", places.join(", ")));
            }
        }
        if self.file != CLOCK && READS_THE_CLOCK.iter().any(|end| ends_with(path, end)) {
            self.say(line, format!("{}: only {CLOCK} reads the clock; pass `now` on", path.join("::")));
        }
        if self.room() == "domain" && NOT_IN_DOMAIN.iter().any(|start| starts_with(path, start)) {
            self.say(line, format!("domain may not name {}: it does no I/O", path.join("::")));
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
        let has = |name| item.attrs.iter().any(|attribute| attribute.path().is_ident(name));
        // Tests may stand beside their file: what they name is judged by where the file lies.
        if has("path") && !has("cfg") {
            self.say(line_of(&item.ident), "a module's file is where its name says, without #[path]".to_owned());
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
        let written: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let line = path.segments.first().map_or(0, |segment| line_of(&segment.ident));
        self.judge(&written, line);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let line = item.path.segments.first().map_or(0, |segment| line_of(&segment.ident));
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
            let is_epoch = receiver.path.segments.last().is_some_and(|segment| segment.ident == "UNIX_EPOCH");
            if is_epoch && call.method == "elapsed" && self.file != CLOCK {
                self.say(line_of(&call.method), format!("UNIX_EPOCH.elapsed(): only {CLOCK} reads the clock"));
            }
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if self.room() == "domain" && signature.asyncness.is_some() {
            self.say(line_of(&signature.ident), format!("domain has no async: {}", signature.ident));
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
    fn walk(tree: &syn::UseTree, before: &[String], into: &mut Vec<(Vec<String>, Option<String>, bool)>) {
        let with = |name: &syn::Ident| {
            // `use a::{self}` is `use a`.
            if name == "self" && !before.is_empty() { before.to_vec() } else { [before, &[name.to_string()]].concat() }
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
    path.len() >= end.len() && path[path.len() - end.len()..].iter().zip(end).all(|(own, other)| own == other)
}
