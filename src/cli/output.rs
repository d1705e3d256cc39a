//! What commands say: data on standard output, everything else on standard error. Floor: roof.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::config::Problem;

/// Why a command was refused or failed.
#[derive(Debug)]
pub(super) struct Failure {
    /// For the operator; empty when all was said already.
    message: String,
    exit_code: u8,
}

/// Refused or failed.
const FAILED: u8 = 1;
/// As clap ends the process, too.
const WRONG_USAGE: u8 = 2;

impl Failure {
    /// A failure in our own words.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: FAILED }
    }

    /// Wrong usage that only shows while the command runs.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: WRONG_USAGE }
    }

    /// How the process ends.
    pub(super) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// The command has printed what is wrong.
    pub(super) fn said() -> Self {
        Self { message: String::new(), exit_code: FAILED }
    }

    /// What was tried, and the error with all its causes.
    pub(super) fn because(what: &str, error: &dyn Error) -> Self {
        let mut message = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            let _ = write!(message, ": {error}");
            cause = error.source();
        }
        Self { message, exit_code: FAILED }
    }

    /// The mistakes of a configuration file.
    pub(super) fn of_problems(file: &Path, problems: &[Problem]) -> Self {
        Self { message: list_of(file, problems), exit_code: FAILED }
    }
}

/// All mistakes, one below the other.
pub(super) fn list_of(file: &Path, problems: &[Problem]) -> String {
    let count = if problems.len() == 1 { "1 mistake".to_owned() } else { format!("{} mistakes", problems.len()) };
    let mut list = format!("{count} in {}:", file.display());
    for problem in problems {
        let _ = write!(list, "\n  {problem}");
    }
    list
}

/// Prints data. A reader that has gone away (`| head`) is no failure.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because("standard output cannot be written to", &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints a JSON document.
pub(super) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}

/// Says something that is no data and no failure.
pub(super) fn remark(text: &str) {
    let _ = writeln!(io::stderr(), "vestibule: note: {text}");
}

pub(super) fn complain(failure: &Failure) {
    if !failure.message.is_empty() {
        let _ = writeln!(io::stderr(), "vestibule: {}", failure.message);
    }
}
