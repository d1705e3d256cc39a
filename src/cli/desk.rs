//! What the operators' commands have in common: the operations they call, who calls, how a password comes in and how an answer goes out.
//! Needs SQL and the data keys only, so that it works when all else is broken. Floor: roof.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use zeroize::Zeroizing;

use super::Common;
use super::output::{self, Failure};
use crate::adapters::hashing::{HashingLimits, HashingThreads};
use crate::admin::accounts::PasswordSource;
use crate::admin::operations::{Act, OperationError, Operations, Reason, Rights};
use crate::admin::sms::SentSms;
use crate::admin::tokens::Tokens;
use crate::admin::upkeep::Upkeep;
use crate::app::clock::SystemClock;
use crate::app::rooms::{is_older_copy, open_accounts};
use crate::app::settings_of;
use crate::config::Config;
use crate::config::stores::AccountStore;
use crate::domain::password::Password;
use crate::login::ports::Clock as _;

/// What a command works with.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) operations: Operations,
    pub(super) upkeep: Upkeep,
    pub(super) sms: SentSms,
    pub(super) tokens: Tokens,
    pub(super) act: Act,
    pub(super) form: AnswerForm,
}

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerForm {
    /// For reading.
    Text,
    /// For programs: one JSON value.
    Json,
}

/// What goes to standard output, and how the command ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) end: CommandEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandEnd {
    /// Exit code 0.
    Done,
    /// Exit code 1, with the answer saying why.
    Refused,
}

/// Why a command has no answer. For standard error, with its sources.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    /// Exit code 1.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// Exit code 1.
    #[error("{what}")]
    File { what: String, source: std::io::Error },
    /// Exit code 2.
    #[error("{0}")]
    Usage(String),
}

impl CommandError {
    fn into_failure(self) -> Failure {
        match self {
            CommandError::Operation(_) | CommandError::File { .. } => Failure::because("not done", &self),
            CommandError::Usage(text) => Failure::usage(text),
        }
    }
}

impl AnswerForm {
    pub(super) fn of(json: bool) -> AnswerForm {
        if json { AnswerForm::Json } else { AnswerForm::Text }
    }
}

/// Opens a desk for one command, prints its answer, and closes it again.
pub(super) fn at_desk(
    common: &Common,
    form: AnswerForm,
    command: impl AsyncFnOnce(&Desk) -> Result<Answer, CommandError>,
) -> Result<(), Failure> {
    let config = common.load_accounts()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::because("no runtime", &error))?;
    runtime.block_on(async {
        let desk = Desk::open(&config, form).await?;
        let answer = command(&desk).await.map_err(CommandError::into_failure)?;
        output::print(&answer.text)?;
        match answer.end {
            CommandEnd::Done => Ok(()),
            CommandEnd::Refused => Err(Failure::said()),
        }
    })
}

impl Desk {
    async fn open(config: &Config, form: AnswerForm) -> Result<Desk, Failure> {
        if let AccountStore::Sqlite { path } = &config.accounts.store {
            refuse_foreign_directory(path)?;
        }
        let failed = |error| Failure::because("the accounts cannot be opened", &error);
        let (ledger, data_keys) = open_accounts(config).await.map_err(failed)?;
        if is_older_copy(config, Arc::clone(&ledger), data_keys).await.map_err(failed)? {
            output::remark(
                "the database is an older copy than the note beside it tells: every session was ended, and enrolment is closed for every account",
            );
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        // nobody waits at a sign-in: every core hashes, and the queue takes what an import brings
        let limits = HashingLimits { threads: cores, queue: 1024, longest_wait: Duration::from_secs(24 * 3600) };
        let passwords = HashingThreads::start(config.passwords.argon2, limits)
            .map_err(|error| Failure::because("no thread to hash passwords", &error))?;
        Ok(Desk {
            operations: Operations::new(
                Arc::clone(&ledger) as _,
                Arc::clone(&ledger) as _,
                Arc::new(passwords),
                settings_of::policy(config),
            ),
            upkeep: Upkeep::new(Arc::clone(&ledger) as _),
            tokens: Tokens::new(Arc::clone(&ledger) as _),
            sms: SentSms::new(ledger),
            act: Act {
                actor: actor(),
                rights: Rights::Everything,
                source: None,
                request_id: None,
                now: SystemClock.now(),
            },
            form,
        })
    }

    /// Over a database that goes with it, answering with JSON.
    #[cfg(test)]
    pub(super) async fn temporary() -> Desk {
        Self::temporary_with(crate::login::tickets::TicketPolicy::Off).await
    }

    /// Likewise, where users may give their numbers.
    #[cfg(test)]
    pub(super) async fn temporary_with(ticket: crate::login::tickets::TicketPolicy) -> Desk {
        use crate::adapters::sql::SqlLedger;
        use crate::adapters::sql::database::{Database, DatabaseSettings};
        use crate::admin::operations::{EnrolmentPolicy, Policy};
        use crate::domain::keys::Keys;

        let database = Database::temporary(&DatabaseSettings::default()).await.unwrap();
        let keys = Keys::new(&[crate::domain::secret::SecretBytes::new(vec![7; 32])]).unwrap();
        let passwords = HashingThreads::start(Default::default(), HashingLimits::default()).unwrap();
        let policy = Policy {
            countries: vec![crate::domain::phone::Country::parse("BE").unwrap()],
            unserved_countries: Vec::new(),
            enrolment: EnrolmentPolicy::SelfRegistered { window: Duration::from_secs(3600), ticket },
            accounts_per_number: 1,
            password_rules: Default::default(),
            cost_cap: Default::default(),
            site_names: Vec::new(),
            one_time_lifetime: Duration::from_secs(72 * 3600),
            most_password_failures: 100,
            operator_actions_per_hour: 60,
        };
        let ledger = Arc::new(SqlLedger::new(database, Arc::new(keys)));
        Desk {
            operations: Operations::new(
                Arc::clone(&ledger) as _,
                Arc::clone(&ledger) as _,
                Arc::new(passwords),
                policy,
            ),
            upkeep: Upkeep::new(Arc::clone(&ledger) as _),
            tokens: Tokens::new(Arc::clone(&ledger) as _),
            sms: SentSms::new(ledger),
            act: Act {
                actor: "cli:test".to_owned(),
                rights: Rights::Everything,
                source: None,
                request_id: None,
                now: SystemClock.now(),
            },
            form: AnswerForm::Json,
        }
    }

    /// `text` for reading, `value` for programs.
    pub(super) fn answer(&self, text: impl FnOnce() -> String, value: &impl Serialize) -> Answer {
        let text = match self.form {
            AnswerForm::Text => text(),
            AnswerForm::Json => serde_json::to_string_pretty(value).expect("views are plain data") + "\n",
        };
        Answer { text, end: CommandEnd::Done }
    }
}

/// A database made by root in the directory of the gateway's user could not be opened by the gateway.
fn refuse_foreign_directory(path: &Path) -> Result<(), Failure> {
    let Some(owner) = path.parent().and_then(|directory| directory.metadata().ok()).map(|metadata| metadata.uid())
    else {
        return Ok(()); // opening it will say what is wrong
    };
    let uid = rustix::process::geteuid().as_raw();
    if path.exists() || owner == uid || uid != 0 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} is not there yet, and its directory belongs to the user {}: run this as that user (sudo -u), or the gateway will not be able to open what root makes",
        path.display(),
        user_name_of(owner)
    )))
}

/// Where a password comes from: never an argument, which other users of the machine can read.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct PasswordArgs {
    /// Read the user's own password, moved from elsewhere, from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Make a password and print it; it is not shown again
    #[arg(long)]
    generate: bool,
}

/// Longest input that is read in search of a password.
const MOST_INPUT_BYTES: u64 = 16 * 1024;

impl PasswordArgs {
    /// Reads standard input, asks on the terminal, or has one made.
    ///
    /// # Errors
    /// When nothing says where it comes from, or what came is no password.
    pub(super) fn source(self) -> Result<PasswordSource, CommandError> {
        if self.generate {
            return Ok(PasswordSource::Generated);
        }
        let typed = if self.password_stdin {
            read_password(std::io::stdin().lock())?
        } else if std::io::stdin().is_terminal() {
            ask_twice()?
        } else {
            let text = "say where the password comes from: --password-stdin or --generate".to_owned();
            return Err(CommandError::Usage(text));
        };
        let password = Password::typed(&typed).map_err(|problem| CommandError::Usage(problem.to_string()))?;
        Ok(PasswordSource::Own(password))
    }
}

fn ask_twice() -> Result<Zeroizing<String>, CommandError> {
    let ask = |prompt| {
        let failed = |source| CommandError::File { what: "the terminal could not be read".to_owned(), source };
        rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(failed)
    };
    let first = ask("Password: ")?;
    if *first == *ask("Once more: ")? {
        Ok(first)
    } else {
        Err(CommandError::Usage("the two passwords differ".to_owned()))
    }
}

/// One line without its end; nothing else is trimmed.
fn read_password(input: impl std::io::Read) -> Result<Zeroizing<String>, CommandError> {
    let mut text = Zeroizing::new(String::new());
    let failed = |source| CommandError::File { what: "standard input could not be read".to_owned(), source };
    input.take(MOST_INPUT_BYTES).read_to_string(&mut text).map_err(failed)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.contains('\n') {
        return Err(CommandError::Usage(
            "standard input has more than one line: it has to be the password alone".to_owned(),
        ));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// For clap.
pub(super) fn reason(text: &str) -> Result<Reason, String> {
    Reason::parse(text).ok_or_else(|| "a reason of 1 to 500 characters is needed".to_owned())
}

/// `cli:` and the name of the Unix user who runs this, with the one behind `sudo`.
fn actor() -> String {
    let user_name = user_name_of(rustix::process::getuid().as_raw());
    actor_of(&user_name, std::env::var("SUDO_USER").ok().as_deref())
}

fn actor_of(user_name: &str, behind_sudo: Option<&str>) -> String {
    let is_name = |name: &&str| {
        (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b))
    };
    match behind_sudo.filter(is_name) {
        Some(name) => format!("cli:{user_name} (sudo by {name})"),
        None => format!("cli:{user_name}"),
    }
}

/// By `/etc/passwd`; `uid-1000` when it is not there.
fn user_name_of(uid: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    user_of(uid, &users).map_or_else(|| format!("uid-{uid}"), str::to_owned)
}

fn user_of(uid: u32, users: &str) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then_some(name)
    })
}

/// Rows under titles, each column as wide as its widest cell.
pub(super) fn table<const COLUMNS: usize>(titles: [&str; COLUMNS], rows: &[[String; COLUMNS]]) -> String {
    let mut widths = titles.map(|title| title.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&titles.map(str::to_owned)).chain(rows) {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            // a String takes everything
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_from_standard_input_is_one_line_as_it_stands() {
        let read = |text: &str| read_password(text.as_bytes()).map(|t| t.to_string()).map_err(|_| ());
        assert_eq!(read("  two words \r\n"), Ok("  two words ".to_owned()));
        assert_eq!(read("no end"), Ok("no end".to_owned()));
        assert_eq!(read("one\n\n"), Err(()));
        assert_eq!(read("one\ntwo\n"), Err(()));
    }

    #[test]
    fn the_unix_user_is_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\nbroken\n";
        assert_eq!(user_of(1000, users), Some("ann"));
        assert_eq!(user_of(0, users), Some("root"));
        assert_eq!(user_of(7, users), None);
        assert!(actor().starts_with("cli:"));
    }

    #[test]
    fn the_person_behind_sudo_is_named() {
        assert_eq!(actor_of("vestibule", Some("ann")), "cli:vestibule (sudo by ann)");
        assert_eq!(actor_of("vestibule", None), "cli:vestibule");
        assert_eq!(actor_of("vestibule", Some("a\nb")), "cli:vestibule");
    }

    #[test]
    fn a_table_has_columns_as_wide_as_their_cells() {
        let rows = [["ann".to_owned(), "Zoë".to_owned()], ["bob-the-builder".to_owned(), String::new()]];
        assert_eq!(table(["USER", "NAME"], &rows), "USER             NAME\nann              Zoë\nbob-the-builder\n");
    }
}
