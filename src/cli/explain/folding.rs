//! Paths that differ in an id only, as one: `/unsubscribe/8f3a…` and a thousand others are `/unsubscribe/*`.
//! What looks like an id is folded at once, a folder with many names in it once it shows. Floor: roof (pure).

use std::collections::{HashMap, HashSet};

/// More names than that in one folder are shown as `*`.
const NAMES_IN_A_FOLDER: usize = 20;

/// Remembers which folders are shown as `/folder/*`.
#[derive(Debug, Default)]
pub(super) struct Folding {
    folders: HashSet<String>,
}

impl Folding {
    /// What stands for a path in the list.
    pub(super) fn name(&self, path: &str) -> String {
        let segments: Vec<&str> = path.split('/').map(|segment| if is_id(segment) { "*" } else { segment }).collect();
        let folded = segments.join("/");
        self.in_folder(folded)
    }

    /// Finds folders with too many names among `names`, to be shown as one from here on; `true` when there are new ones.
    pub(super) fn learn<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> bool {
        let mut children: HashMap<&str, usize> = HashMap::new();
        for name in names {
            if let Some((folder, child)) = name.rsplit_once('/')
                && !folder.is_empty()
                && child != "*"
            {
                *children.entry(folder).or_default() += 1;
            }
        }
        let crowded = children.into_iter().filter(|(_, count)| *count > NAMES_IN_A_FOLDER);
        let before = self.folders.len();
        self.folders.extend(crowded.map(|(folder, _)| folder.to_owned()));
        self.folders.len() > before
    }

    fn in_folder(&self, name: String) -> String {
        match name.rsplit_once('/') {
            Some((folder, _)) if self.folders.contains(folder) => format!("{folder}/*"),
            Some(_) | None => name,
        }
    }
}

/// Numbers, UUIDs, hashes, tokens, addresses.
fn is_id(segment: &str) -> bool {
    let count = |is: fn(&u8) -> bool| segment.bytes().filter(is).count();
    let digits = count(u8::is_ascii_digit);
    if segment.contains('@') || (digits > 0 && digits == segment.len()) {
        return true;
    }
    let hex_or_dash = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let is_hex = segment.len() >= 8 && digits > 0 && segment.bytes().all(|byte| hex_or_dash(&byte));
    // digits here and there; words have them at the end at most, and a file has an ending
    let digit_runs = segment.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).count();
    let is_token = segment.len() >= 16 && digit_runs >= 2 && !segment.contains('.');
    is_hex || is_token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_id_is_folded() {
        let folding = Folding::default();
        for (path, name) in [
            ("/", "/"),
            ("/campaigns", "/campaigns"),
            ("/campaigns/42", "/campaigns/*"),
            ("/campaigns/42/edit", "/campaigns/*/edit"),
            ("/u/0b6f7c3e-9d3a-4a53-8d5f-2f6a7c1d9e10", "/u/*"),
            ("/u/deadbeef01", "/u/*"),
            ("/u/deadbeef", "/u/deadbeef"),
            ("/t/eyJhbGciOiJIUzI1NiJ9", "/t/*"),
            ("/u/anna@example.com", "/u/*"),
            ("/assets/application-83ab2.css", "/assets/application-83ab2.css"),
            ("/terms-and-conditions-2026", "/terms-and-conditions-2026"),
            ("/a/b/", "/a/b/"),
        ] {
            assert_eq!(folding.name(path), name, "{path}");
        }
    }

    #[test]
    fn a_folder_with_many_names_becomes_one() {
        let mut folding = Folding::default();
        let names: Vec<String> = (0..=NAMES_IN_A_FOLDER).map(|at| format!("/l/{}", "x".repeat(at + 1))).collect();
        assert!(!folding.learn(names.iter().skip(1).map(String::as_str)));
        assert_eq!(folding.name("/l/abc"), "/l/abc");
        assert!(folding.learn(names.iter().map(String::as_str)));
        assert_eq!(folding.name("/l/abc"), "/l/*");
        assert_eq!(folding.name("/l/abc/d"), "/l/abc/d");
        assert!(!folding.learn(names.iter().map(String::as_str)), "known already");
    }
}
