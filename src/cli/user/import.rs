//! `vestibule user import`: reads the file, keeps generated passwords where the operator wants them, and says what was done. Floor: roof.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::json;

use crate::admin::import::{ImportMode, ImportOutcome, ImportReport, LineProblem};
use crate::admin::operations::Reason;
use crate::cli::desk::{Answer, CommandEnd, CommandError, Desk};
use crate::domain::password::Password;
use crate::domain::ticket::Ticket;
use crate::domain::user_name::UserName;

/// The new files that generated secrets go to; `None`: they are printed.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    pub(super) passwords: Option<&'a Path>,
    /// A file of its own, because tickets go another way.
    pub(super) tickets: Option<&'a Path>,
}

pub(super) async fn import(
    desk: &Desk,
    file: &Path,
    dry_run: bool,
    lists: Lists<'_>,
    why: Option<&Reason>,
) -> Result<Answer, CommandError> {
    let failed = |path: &Path, source| CommandError::File { what: path.display().to_string(), source };
    let bytes = if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map_err(|e| failed(file, e))?;
        bytes
    } else {
        std::fs::read(file).map_err(|e| failed(file, e))?
    };
    let mode = if dry_run { ImportMode::DryRun } else { ImportMode::Apply };
    // before anything is done: what cannot be written down would be lost
    let opened = |path: Option<&'_ Path>| match path.filter(|_| !dry_run) {
        Some(path) => new_file(path).map(|file| Some((path.to_owned(), file))).map_err(|e| failed(path, e)),
        None => Ok(None),
    };
    let passwords = opened(lists.passwords)?;
    let tickets = match opened(lists.tickets) {
        Ok(tickets) => tickets,
        Err(error) => {
            remove(passwords.as_ref())?;
            return Err(error);
        }
    };
    let outcome = desk.operations.import(&desk.act, &bytes, mode, why).await;
    if let Ok(ImportOutcome::Refused(_)) | Err(_) = &outcome {
        remove(passwords.as_ref())?;
        remove(tickets.as_ref())?;
    }
    match outcome? {
        ImportOutcome::Refused(problems) => Ok(refused(desk, &problems)),
        ImportOutcome::Done(report) => {
            let written = Written { passwords: passwords.is_some(), tickets: tickets.is_some() };
            for (list, text) in [(passwords, passwords_of(&report)), (tickets, tickets_of(&report))] {
                if let Some((path, mut list)) = list {
                    list.write_all(text.as_bytes()).map_err(|e| failed(&path, e))?;
                }
            }
            Ok(imported(desk, &report, dry_run, written))
        }
    }
}

/// What went to files and is not printed.
#[derive(Clone, Copy)]
struct Written {
    passwords: bool,
    tickets: bool,
}

fn remove(list: Option<&(std::path::PathBuf, std::fs::File)>) -> Result<(), CommandError> {
    let Some((path, _)) = list else { return Ok(()) };
    std::fs::remove_file(path).map_err(|source| CommandError::File { what: path.display().to_string(), source })
}

/// For its owner only, and not over one that is there.
fn new_file(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn passwords_of(report: &ImportReport) -> String {
    report.generated.iter().fold(String::new(), |mut text, (user_name, password)| {
        let _ = writeln!(text, "{user_name},{}", password.reveal());
        text
    })
}

fn tickets_of(report: &ImportReport) -> String {
    report.tickets.iter().fold(String::new(), |mut text, (user_name, ticket)| {
        let _ = writeln!(text, "{user_name},{}", *ticket.reveal());
        text
    })
}

fn refused(desk: &Desk, problems: &[LineProblem]) -> Answer {
    let lines = || problems.iter().fold(String::new(), |text, problem| text + &problem.to_string() + "\n");
    let text = || format!("Nothing was imported: {} to mend.\n{}", problems.len(), lines());
    let answer = desk.answer(text, &json!({ "problems": places(problems) }));
    Answer { end: CommandEnd::Refused, ..answer }
}

fn imported(desk: &Desk, report: &ImportReport, dry_run: bool, written: Written) -> Answer {
    let names = |names: &[UserName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let password =
        |(name, password): &(UserName, Password)| json!({ "user_name": name.as_str(), "password": password.reveal() });
    let ticket =
        |(name, ticket): &(UserName, Ticket)| json!({ "user_name": name.as_str(), "ticket": ticket.reveal().as_str() });
    let generated = report.generated.iter().filter(|_| !written.passwords);
    let tickets = report.tickets.iter().filter(|_| !written.tickets);
    let value = json!({
        "dry_run": dry_run,
        "added": names(&report.added),
        "changed": names(&report.changed),
        "unchanged": report.unchanged,
        "kept": places(&report.kept),
        "shared_numbers": places(&report.shared),
        "passwords": generated.map(password).collect::<Vec<_>>(),
        "tickets": tickets.map(ticket).collect::<Vec<_>>(),
    });
    let text = || {
        let (added, changed, rest) = (report.added.len(), report.changed.len(), report.unchanged);
        let mut text = if dry_run {
            format!("{added} to add, {changed} to change, {rest} as they are. Nothing was done.\n")
        } else {
            format!("{added} added, {changed} changed, {rest} left as they were.\n")
        };
        for remark in report.kept.iter().chain(&report.shared) {
            let _ = writeln!(text, "{remark}");
        }
        if !report.generated.is_empty() && !written.passwords {
            let _ = write!(text, "Passwords, shown only now, each for one sign-in:\n{}", passwords_of(report));
        }
        if !report.tickets.is_empty() && !written.tickets {
            let _ = write!(text, "Tickets, shown only now, each for one number:\n{}", tickets_of(report));
        }
        text
    };
    desk.answer(text, &value)
}

fn places(problems: &[LineProblem]) -> Vec<serde_json::Value> {
    let place = |problem: &LineProblem| {
        let column = problem.column.map(|column| column.title());
        json!({ "line": problem.line, "column": column, "problem": problem.problem })
    };
    problems.iter().map(place).collect()
}
