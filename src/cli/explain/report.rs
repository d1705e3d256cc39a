//! What a replayed log came to, for reading and for programs. Counts nothing itself. Floor: roof.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::replay::{Count, MOST_ADDRESSES, Outcome, Tally};
use crate::cli::desk::table;
use crate::config::site::Site;

/// Paths shown for reading; the JSON has all that were counted.
const SHOWN: usize = 40;
/// From so many addresses on, with fewer than three requests each, a path is taken to be one that people find in a mail or a page.
const MANY_ADDRESSES: u64 = 20;

/// A path with its count.
type Row<'a> = (&'a str, &'a Count);

/// For reading.
pub(super) fn text(tally: &Tally, site: &Site) -> String {
    let mut text = format!("site      {}\nread      {}\n", site.name, counted(tally.lines, "line"));
    let mut line = |word: &str, rest: String| {
        let _ = writeln!(text, "{word:<10}{rest}");
    };
    if tally.unreadable > 0 {
        line("", format!("{} could not be read:", counted(tally.unreadable, "line")));
        for (number, beginning) in &tally.first_unreadable {
            line("", format!("  line {number}: {beginning}"));
        }
    }
    if tally.without_request > 0 {
        line("", format!("{} without a request that has a path", counted(tally.without_request, "line")));
    }
    if tally.clients_with_names > 0 {
        let names = counted(tally.clients_with_names, "line");
        line("", format!("{names} with a client's name instead of its address, taken to be in no network of a rule"));
    }
    for (rule, requests) in public(tally) {
        let path = site.routes.get(rule - 1).map(|route| route.path.to_string()).unwrap_or_default();
        line("public", format!("{} by routes[{}] ({path})", counted(requests, "request"), rule - 1));
    }
    for index in unused(tally, site) {
        let path = site.routes.get(index).map(|route| route.path.to_string()).unwrap_or_default();
        line("unused", format!("routes[{index}] ({path}): no line of this log matches it"));
    }
    for (outcome, title) in [
        (Outcome::SignIn, "Would need a sign-in, and be refused without"),
        (Outcome::Denied, "Would be denied to everybody (403)"),
        (Outcome::Method, "Would be refused for their method (405)"),
        (Outcome::NotFound, "Would be refused because the path is too like one of Vestibule's own (404)"),
        (Outcome::Ours, "Would be answered by Vestibule itself"),
    ] {
        section(&mut text, tally, outcome, title);
    }
    if tally.paths.is_empty() {
        text.push_str("\nThere is no request in it.\n");
    }
    text
}

fn section(text: &mut String, tally: &Tally, outcome: Outcome, title: &str) {
    let rows = rows(tally, outcome);
    let (requests, more) = (total(tally, outcome), tally.uncounted.get(&outcome).copied().unwrap_or_default());
    if requests == 0 {
        return;
    }
    let _ = writeln!(text, "\n{title}: {}", counted(requests, "request"));
    let cells: Vec<[String; 6]> = rows
        .iter()
        .take(SHOWN)
        .map(|(path, count)| {
            [
                count.requests.to_string(),
                addresses(count),
                most_often(count.methods.iter().map(|(method, count)| (method.clone(), *count))),
                most_often(count.statuses.iter().map(|(status, count)| (status.to_string(), *count))),
                (count.browsers * 100)
                    .checked_div(count.with_agent)
                    .map_or_else(|| "-".to_owned(), |percent| format!("{percent} %")),
                [*path, remark(count, outcome)].join("  ").trim_end().to_owned(),
            ]
        })
        .collect();
    text.push_str(&table(["REQUESTS", "ADDRESSES", "METHODS", "ANSWERED", "BROWSERS", "PATH"], &cells));
    let hidden = rows.iter().skip(SHOWN);
    if hidden.len() > 0 {
        let requests: u64 = hidden.clone().map(|(_, count)| count.requests).sum();
        let _ = writeln!(text, "and {} more paths ({}); --json lists them", hidden.len(), counted(requests, "request"));
    }
    if more > 0 {
        let _ = writeln!(text, "and {} to paths that were too many to count apart", counted(more, "request"));
    }
}

/// For programs.
pub(super) fn json(tally: &Tally, site: &Site) -> Value {
    let list = |outcome| {
        let rows: Vec<Value> = rows(tally, outcome)
            .iter()
            .map(|(path, count)| {
                json!({
                    "path": path,
                    "requests": count.requests,
                    "addresses": count.addresses.len(),
                    "addresses_are_more": count.addresses.len() == MOST_ADDRESSES,
                    "methods": count.methods,
                    "statuses": count.statuses.iter().map(|(status, count)| (status.to_string(), json!(count))).collect::<serde_json::Map<_, _>>(),
                    "from_browsers": (count.with_agent > 0).then_some(count.browsers),
                    "ambiguous": count.ambiguous,
                    "remark": remark(count, outcome),
                })
            })
            .collect();
        let uncounted = tally.uncounted.get(&outcome).copied().unwrap_or_default();
        json!({ "requests": total(tally, outcome), "paths": rows, "requests_to_uncounted_paths": uncounted })
    };
    let unreadable: Vec<Value> =
        tally.first_unreadable.iter().map(|(line, text)| json!({ "line": line, "begins": text })).collect();
    let public: Vec<Value> = public(tally)
        .map(|(rule, requests)| json!({ "rule": format!("routes[{}]", rule - 1), "requests": requests }))
        .collect();
    json!({
        "site": site.name,
        "lines": tally.lines,
        "unreadable": { "lines": tally.unreadable, "first": unreadable },
        "without_request": tally.without_request,
        "clients_with_names": tally.clients_with_names,
        "public": public,
        "rules_without_a_match": unused(tally, site).map(|index| format!("routes[{index}]")).collect::<Vec<_>>(),
        "sign_in_needed": list(Outcome::SignIn),
        "denied": list(Outcome::Denied),
        "method_refused": list(Outcome::Method),
        "not_found": list(Outcome::NotFound),
        "own_pages": list(Outcome::Ours),
    })
}

/// What makes a path worth a second look; empty when nothing does.
fn remark(count: &Count, outcome: Outcome) -> &'static str {
    let people = u64::try_from(count.addresses.len()).unwrap_or(u64::MAX);
    let is_many_people = people >= MANY_ADDRESSES && count.requests_by_addresses < 3 * people;
    let is_programs = count.browsers * 10 < count.with_agent;
    match outcome {
        Outcome::SignIn if count.ambiguous => "(programs read it in different ways: never public)",
        Outcome::SignIn if is_programs => "(asked for by programs: should it be public?)",
        Outcome::SignIn if is_many_people => "(asked for from many addresses: should it be public?)",
        Outcome::SignIn
        | Outcome::Denied
        | Outcome::Public(_)
        | Outcome::Ours
        | Outcome::NotFound
        | Outcome::Method => "",
    }
}

/// Rules that let requests through, and how many.
fn public(tally: &Tally) -> impl Iterator<Item = (usize, u64)> {
    let mut rules: Vec<usize> = tally
        .paths
        .keys()
        .map(|(outcome, _)| *outcome)
        .chain(tally.uncounted.keys().copied())
        .filter_map(|outcome| if let Outcome::Public(rule) = outcome { Some(rule) } else { None })
        .collect();
    rules.sort_unstable();
    rules.dedup();
    rules.into_iter().map(|rule| (rule, total(tally, Outcome::Public(rule))))
}

fn unused<'a>(tally: &'a Tally, site: &'a Site) -> impl Iterator<Item = usize> + 'a {
    (0..site.routes.len()).filter(|index| !tally.rules_used.contains(&(index + 1)))
}

fn total(tally: &Tally, outcome: Outcome) -> u64 {
    let counted: u64 =
        tally.paths.iter().filter(|((own, _), _)| *own == outcome).map(|(_, count)| count.requests).sum();
    counted + tally.uncounted.get(&outcome).copied().unwrap_or_default()
}

/// Most asked for first.
fn rows(tally: &Tally, outcome: Outcome) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = tally
        .paths
        .iter()
        .filter(|((own, _), _)| *own == outcome)
        .map(|((_, path), count)| (path.as_str(), count))
        .collect();
    rows.sort_by(|left, right| right.1.requests.cmp(&left.1.requests).then(left.0.cmp(right.0)));
    rows
}

fn addresses(count: &Count) -> String {
    match count.addresses.len() {
        MOST_ADDRESSES => format!("{MOST_ADDRESSES} or more"),
        fewer => fewer.to_string(),
    }
}

/// The three that came most often.
fn most_often(counts: impl Iterator<Item = (String, u64)>) -> String {
    let mut counts: Vec<(String, u64)> = counts.collect();
    counts.sort_by(|left, right| right.1.cmp(&left.1).then(left.0.cmp(&right.0)));
    let more = if counts.len() > 3 { ", …" } else { "" };
    let names: Vec<String> = counts.into_iter().take(3).map(|(name, _)| name).collect();
    names.join(", ") + more
}

fn counted(number: u64, thing: &str) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    format!("{} {thing}{}", groups.join(","), if number == 1 { "" } else { "s" })
}
