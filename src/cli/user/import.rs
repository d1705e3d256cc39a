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
use crate::domain::user_name::UserName;

pub(super) async fn import(
    desk: &Desk,
    file: &Path,
    dry_run: bool,
    passwords: Option<&Path>,
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
    // before anything is done: passwords that cannot be written down would be lost
    let list = match passwords.filter(|_| !dry_run) {
        Some(path) => Some((path, new_file(path).map_err(|e| failed(path, e))?)),
        None => None,
    };
    let outcome = desk.operations.import(&desk.act, &bytes, mode, why).await;
    if let (Some((path, _)), Ok(ImportOutcome::Refused(_)) | Err(_)) = (&list, &outcome) {
        std::fs::remove_file(path).map_err(|e| failed(path, e))?;
    }
    match outcome? {
        ImportOutcome::Refused(problems) => Ok(refused(desk, &problems)),
        ImportOutcome::Done(report) => {
            let is_written = list.is_some();
            if let Some((path, mut list)) = list {
                list.write_all(passwords_of(&report).as_bytes()).map_err(|e| failed(path, e))?;
            }
            Ok(imported(desk, &report, dry_run, is_written))
        }
    }
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

fn refused(desk: &Desk, problems: &[LineProblem]) -> Answer {
    let lines = || problems.iter().fold(String::new(), |text, problem| text + &problem.to_string() + "\n");
    let text = || format!("Nothing was imported: {} to mend.\n{}", problems.len(), lines());
    let answer = desk.answer(text, &json!({ "problems": places(problems) }));
    Answer { end: CommandEnd::Refused, ..answer }
}

fn imported(desk: &Desk, report: &ImportReport, dry_run: bool, is_written: bool) -> Answer {
    let names = |names: &[UserName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let password =
        |(name, password): &(UserName, Password)| json!({ "user_name": name.as_str(), "password": password.reveal() });
    let generated = report.generated.iter().filter(|_| !is_written);
    let value = json!({
        "dry_run": dry_run,
        "added": names(&report.added),
        "changed": names(&report.changed),
        "unchanged": report.unchanged,
        "kept": places(&report.kept),
        "shared_numbers": places(&report.shared),
        "passwords": generated.map(password).collect::<Vec<_>>(),
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
        if !report.generated.is_empty() && !is_written {
            let _ = write!(text, "Passwords, shown only now, each for one sign-in:\n{}", passwords_of(report));
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
