//! Many accounts at once from a CSV: all or nothing, every bad line reported, and twice the same as once.
//! It adds accounts and fills in what is missing. It never replaces a password or a number that is there: users may have changed theirs since,
//! and replacing has operations of its own, with a reason. Floor: edge.

mod table;

use std::collections::{HashMap, HashSet};
use std::fmt;

use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::admin::operations::{Act, OperationError, Operations, Reason};
use crate::admin::profile::{self, ProfileProblem};
use crate::domain::audit::AuditEvent;
use crate::domain::language::Language;
use crate::domain::password::Password;
use crate::domain::password_hash::PasswordHash;
use crate::domain::phone::PhoneNumber;
use crate::domain::revocation::FeedRow;
use crate::domain::ticket::Ticket;
use crate::domain::user_name::UserName;
use crate::login::directory::{AccountChange, AccountOverview, Changed, ImportEntry, Imported, NewAccount};
use table::Row;
pub use table::{Column, LineProblem};

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    Apply,
    DryRun,
}

/// What an import came to.
#[derive(Debug)]
#[must_use]
pub enum ImportOutcome {
    /// Nothing was changed.
    Refused(Vec<LineProblem>),
    /// All of it was done; or would be, for a dry run.
    Done(ImportReport),
}

/// What an import did, or would do.
#[derive(Debug, Default)]
pub struct ImportReport {
    pub added: Vec<UserName>,
    /// In the order of the file. Of a dry run: none.
    pub generated: Vec<(UserName, Password)>,
    /// Likewise, where they are asked for: of new accounts without a number.
    pub tickets: Vec<(UserName, Ticket)>,
    pub changed: Vec<UserName>,
    pub unchanged: usize,
    /// Cells that differ from what an account has and were left as the account has them.
    pub kept: Vec<LineProblem>,
    /// Numbers that are then on more accounts than users may bring about themselves. They are taken all the same.
    pub shared: Vec<LineProblem>,
    pub feed: Vec<FeedRow>,
}

/// A line whose cells are all in order.
struct Line {
    line: u64,
    user_name: UserName,
    name: Option<String>,
    email: Option<String>,
    phone: Option<PhoneNumber>,
    language: Option<Language>,
    password: Option<PasswordHash>,
}

/// What a line asks for, before generated passwords are hashed.
enum Plan {
    Add(Line),
    Change(Box<AccountOverview>, Vec<(AccountChange, AuditEvent)>),
}

impl Plan {
    fn new_number(&self) -> Option<&PhoneNumber> {
        match self {
            Plan::Add(line) => line.phone.as_ref(),
            Plan::Change(_, changes) => changes.iter().find_map(|(change, _)| match change {
                AccountChange::Phone(number) => Some(number),
                _ => None,
            }),
        }
    }
}

/// Passwords that are hashed at the same time; as many threads as there are take them up.
const HASHED_AT_ONCE: usize = 32;
/// From so many lines on, the accounts that are there are read all together. Our own figure.
const MANY_LINES: usize = 200;
/// Accounts read at a time. Our own figure.
const PAGE: u32 = 500;

impl Operations {
    /// Adds the accounts of the file that are not there yet, and fills in names, addresses, languages and missing numbers of those that are.
    ///
    /// # Errors
    /// When the directory could not tell, or passwords could not be hashed.
    pub async fn import(
        &self,
        act: &Act,
        file: &[u8],
        mode: ImportMode,
        why: Option<&Reason>,
    ) -> Result<ImportOutcome, OperationError> {
        let rows = match table::read(file) {
            Ok(rows) => rows,
            Err(problems) => return Ok(ImportOutcome::Refused(problems)),
        };
        let lines = match self.lines(&rows) {
            Ok(lines) => lines,
            Err(problems) => return Ok(ImportOutcome::Refused(problems)),
        };
        let mut report = ImportReport::default();
        let mut plans = Vec::new();
        let mut there = self.accounts_of(&lines).await?;
        for line in lines {
            let number = line.line;
            let account = there.remove(&line.user_name);
            match plan(line, account, &mut report) {
                Some(plan) => plans.push((number, plan)),
                None => report.unchanged += 1,
            }
        }
        report.shared = self.shared(&plans).await?;
        for (_, plan) in &plans {
            match plan {
                Plan::Add(line) => report.added.push(line.user_name.clone()),
                Plan::Change(account, _) => report.changed.push(account.user_name.clone()),
            }
        }
        match mode {
            ImportMode::DryRun => Ok(ImportOutcome::Done(report)),
            ImportMode::Apply => self.apply(act, plans, report, why).await,
        }
    }

    fn lines(&self, rows: &[Row]) -> Result<Vec<Line>, Vec<LineProblem>> {
        let mut lines: Vec<Line> = Vec::new();
        let mut problems = Vec::new();
        let mut seen: HashMap<UserName, u64> = HashMap::new();
        for row in rows {
            match self.line(row) {
                Ok(line) => match seen.insert(line.user_name.clone(), line.line) {
                    Some(first) => {
                        problems.push(problem(line.line, Column::UserName, format!("is on line {first} already")))
                    }
                    None => lines.push(line),
                },
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(lines) } else { Err(problems) }
    }

    /// All that is wrong with a line, not only the first.
    fn line(&self, row: &Row) -> Result<Line, Vec<LineProblem>> {
        let mut problems = Vec::new();
        let user_name = Cell::of(row, Column::UserName, &mut problems).read(UserName::parse);
        let name = Cell::of(row, Column::Name, &mut problems).read(profile::name);
        let email = Cell::of(row, Column::Email, &mut problems).read(profile::email);
        let phone = Cell::of(row, Column::Phone, &mut problems).read(|text| self.phone(text));
        let language = Cell::of(row, Column::Language, &mut problems)
            .read(|text| Language::parse(text).ok_or(ProfileProblem::UnknownLanguage));
        let password = Cell::of(row, Column::PasswordHash, &mut problems)
            .read(|text| PasswordHash::parse(text, &self.policy.cost_cap));
        if row.cell(Column::UserName).is_none() {
            problems.push(problem(row.line, Column::UserName, "is empty".to_owned()));
        }
        match user_name {
            Some(user_name) if problems.is_empty() => {
                Ok(Line { line: row.line, user_name, name, email, phone, language, password })
            }
            _ => Err(problems),
        }
    }

    /// The accounts of the lines that are there already. Few are asked for by name; for many, all accounts are gone through, which takes far less
    /// time than thousands of questions.
    async fn accounts_of(&self, lines: &[Line]) -> Result<HashMap<UserName, AccountOverview>, OperationError> {
        let mut found = HashMap::new();
        if lines.len() < MANY_LINES {
            for line in lines {
                found.extend(self.directory.find(&line.user_name).await?.map(|it| (it.user_name.clone(), it)));
            }
            return Ok(found);
        }
        let wanted: HashSet<&UserName> = lines.iter().map(|line| &line.user_name).collect();
        let mut after = None;
        loop {
            let page = self.directory.list(after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(found) };
            after = Some(last.user_name.clone());
            let of_lines = page.into_iter().filter(|account| wanted.contains(&account.user_name));
            found.extend(of_lines.map(|account| (account.user_name.clone(), account)));
        }
    }

    /// The lines whose numbers go beyond `Policy::accounts_per_number`.
    async fn shared(&self, plans: &[(u64, Plan)]) -> Result<Vec<LineProblem>, OperationError> {
        let mut accounts: HashMap<&str, u64> = HashMap::new();
        let mut shared = Vec::new();
        let limit = self.policy.accounts_per_number;
        for (line, number) in plans.iter().filter_map(|(line, plan)| Some((*line, plan.new_number()?))) {
            let before = match accounts.get(number.e164()) {
                Some(before) => *before,
                None => self.directory.accounts_with(number).await?,
            };
            accounts.insert(number.e164(), before + 1);
            if before >= u64::from(limit) {
                let text = format!(
                    "is the number of {} accounts then, more than two_factor.enrolment.accounts_per_number ({limit}) lets users bring about",
                    before + 1
                );
                shared.push(problem(line, Column::Phone, text));
            }
        }
        Ok(shared)
    }

    async fn apply(
        &self,
        act: &Act,
        plans: Vec<(u64, Plan)>,
        mut report: ImportReport,
        why: Option<&Reason>,
    ) -> Result<ImportOutcome, OperationError> {
        let hashed = futures_util::stream::iter(plans)
            .map(|(line, plan)| async move { Ok::<_, OperationError>((line, self.entries(act, plan, why).await?)) })
            .buffered(HASHED_AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        let mut entries = Vec::new();
        let mut line_of_entry = Vec::new();
        for (line, (of_line, generated)) in hashed {
            line_of_entry.extend(of_line.iter().map(|_| line));
            entries.extend(of_line);
            report.generated.extend(generated);
        }
        for entry in &entries {
            if let ImportEntry::Add { account: NewAccount { user_name, ticket: Some(ticket), .. }, .. } = entry {
                report.tickets.push((user_name.clone(), ticket.clone()));
            }
        }
        if entries.is_empty() {
            return Ok(ImportOutcome::Done(report));
        }
        match self.directory.import(&entries).await? {
            Imported::Done(rows) => {
                report.feed = rows;
                Ok(ImportOutcome::Done(report))
            }
            Imported::Refused(at, changed) => {
                let line = line_of_entry.get(at).copied().unwrap_or_default();
                let text = match changed {
                    Changed::NameTaken => "was added by somebody else just now",
                    Changed::NotFound => "was removed by somebody else just now",
                    Changed::HasNumber | Changed::Unchanged | Changed::Done(_) => {
                        "was changed by somebody else just now"
                    }
                };
                let problem = problem(line, Column::UserName, format!("{text}; run the import again"));
                Ok(ImportOutcome::Refused(vec![problem]))
            }
        }
    }

    async fn entries(
        &self,
        act: &Act,
        plan: Plan,
        why: Option<&Reason>,
    ) -> Result<(Vec<ImportEntry>, Option<(UserName, Password)>), OperationError> {
        match plan {
            Plan::Change(account, changes) => {
                let entry = |(change, event)| {
                    let mut audit = act.record(event, Some(account.id), why);
                    audit.reason = Some(reason(why, "import"));
                    ImportEntry::Change { id: account.id, change, audit }
                };
                Ok((changes.into_iter().map(entry).collect(), None))
            }
            Plan::Add(line) => {
                let mut audit = act.record(AuditEvent::AccountAdded, None, why);
                let (password, generated) = match line.password {
                    Some(hash) => {
                        audit.reason = Some(reason(why, &format!("import with an existing {} hash", hash.form_name())));
                        (hash, None)
                    }
                    None => {
                        audit.reason = Some(reason(why, "import with a generated password"));
                        let password = Password::generate();
                        (self.passwords.hash(&password).await?, Some((line.user_name.clone(), password)))
                    }
                };
                let has_ticket = line.phone.is_none() && self.asks_for_tickets();
                let account = NewAccount {
                    ticket: has_ticket.then(Ticket::generate),
                    enrolment_until: if line.phone.is_none() { self.window_from(act.now) } else { None },
                    user_name: line.user_name,
                    name: line.name,
                    email: line.email,
                    phone: line.phone,
                    language: line.language,
                    password,
                    password_expires_at: generated.as_ref().map(|_| self.one_time_until(act.now)),
                };
                Ok((vec![ImportEntry::Add { account, audit }], generated))
            }
        }
    }
}

fn reason(why: Option<&Reason>, what: &str) -> String {
    why.map_or_else(|| what.to_owned(), |why| format!("{what}: {why}"))
}

fn problem(line: u64, column: Column, problem: String) -> LineProblem {
    LineProblem { line, column: Some(column), problem }
}

/// One cell on its way to a value; what is wrong with it goes to the line's problems.
struct Cell<'a> {
    row: &'a Row,
    column: Column,
    problems: &'a mut Vec<LineProblem>,
}

impl<'a> Cell<'a> {
    fn of(row: &'a Row, column: Column, problems: &'a mut Vec<LineProblem>) -> Cell<'a> {
        Cell { row, column, problems }
    }

    fn read<T, E: fmt::Display>(self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.row.cell(self.column)?;
        match parse(text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(problem(self.row.line, self.column, error.to_string()));
                None
            }
        }
    }
}

/// What is to be done about a line; `None`: nothing. `account`: the one of its name.
fn plan(line: Line, account: Option<AccountOverview>, report: &mut ImportReport) -> Option<Plan> {
    let Some(account) = account else { return Some(Plan::Add(line)) };
    let mut changes = Vec::new();
    let name = line.name.filter(|name| account.name.as_ref() != Some(name));
    let email = line.email.filter(|email| account.email.as_ref() != Some(email));
    let language = line.language.filter(|language| account.language != Some(*language));
    if name.is_some() || email.is_some() || language.is_some() {
        changes.push((AccountChange::Profile { name, email, language }, AuditEvent::AccountChanged));
    }
    match (line.phone, &account.phone) {
        (Some(new), None) => changes.push((AccountChange::Phone(new), AuditEvent::PhoneSet)),
        (Some(new), Some(old)) if new != *old => {
            let text = "the account has another number, which stays; replace it with set-phone".to_owned();
            report.kept.push(problem(line.line, Column::Phone, text));
        }
        (Some(_), Some(_)) | (None, _) => {}
    }
    if changes.is_empty() { None } else { Some(Plan::Change(Box::new(account), changes)) }
}
