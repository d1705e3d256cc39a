//! What activating two-factor sign-in would bring about, in words: who could not sign in, and what to do about it before. Floor: edge.

use super::words;
use crate::admin::activation::{BadNumber, ExpectedSignIns, Rehearsal, WithoutNumber};
use crate::domain::user_name::UserName;
use crate::pages::operators::Fact;
use crate::pages::operators_figures::{RehearsalGroup, RehearsalLine, RehearsalReport};

/// So many of a group are named; `vestibule two-factor rehearse` names all.
const MOST: usize = 50;

pub(super) fn report(rehearsal: &Rehearsal) -> RehearsalReport {
    let locked_out = rehearsal.locked_out().count();
    let all = rehearsal.active_accounts;
    let (stuck, enrolling): (Vec<&WithoutNumber>, Vec<&WithoutNumber>) =
        rehearsal.without_number.iter().partition(|account| account.may_enrol_until.is_none());
    let groups = [
        group(
            "Without a number, and may not give one",
            "They could not sign in. Set their numbers, or let them give one where people give their own.",
            &stuck,
            |account| named(&account.user_name, String::new()),
        ),
        group(
            "With a number that no code reaches",
            "They could not sign in. Set another number, or allow the country and give it a provider.",
            &rehearsal.bad_numbers,
            |account: &BadNumber| named(&account.user_name, format!("{}: {}", account.number, account.why)),
        ),
        group(
            "Without a number, and give one at their next sign-in",
            "They can sign in, until their time is over.",
            &enrolling,
            |account| named(&account.user_name, format!("until {}", words::time_or(account.may_enrol_until, "never"))),
        ),
        group(
            "Numbers that several accounts share",
            "Their codes arrive, at one telephone for several people.",
            &rehearsal.shared_numbers,
            |names: &Vec<UserName>| RehearsalLine {
                name: names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                href: None,
                detail: String::new(),
            },
        ),
        group(
            "Allowed countries that no provider serves",
            "No number there gets a code (sms.countries, sms.providers).",
            &rehearsal.unserved_countries,
            |country| RehearsalLine { name: country.to_string(), href: None, detail: String::new() },
        ),
    ];
    RehearsalReport {
        is_clear: locked_out == 0,
        verdict: match (locked_out, all) {
            (0, 1) => "The one account can sign in.".to_owned(),
            (0, all) => format!("All {all} accounts can sign in."),
            (locked_out, all) => format!("{locked_out} of {all} accounts could not sign in."),
        },
        groups: groups.into_iter().flatten().collect(),
        facts: vec![
            Fact { label: "Sessions that are asked for a code", value: rehearsal.sessions_to_step_up.to_string() },
            Fact { label: "SMS a day to expect", value: expected(&rehearsal.sign_ins) },
        ],
    }
}

fn group<T>(
    title: &str,
    text: &'static str,
    found: &[T],
    line: impl Fn(&T) -> RehearsalLine,
) -> Option<RehearsalGroup> {
    (!found.is_empty()).then(|| RehearsalGroup {
        title: format!("{title}: {}", found.len()),
        text,
        lines: found.iter().take(MOST).map(line).collect(),
        more: found.len().saturating_sub(MOST),
    })
}

fn named(user_name: &UserName, detail: String) -> RehearsalLine {
    RehearsalLine { name: user_name.to_string(), href: Some(words::href(user_name.as_str())), detail }
}

fn expected(sign_ins: &ExpectedSignIns) -> String {
    match sign_ins.first_at {
        None => "not known: no sign-in was recorded".to_owned(),
        Some(_) => {
            let (week, month) = (sign_ins.a_day_by_last_7(), sign_ins.a_day_by_last_30());
            format!("{week} by the last 7 days, {month} by the last 30")
        }
    }
}
