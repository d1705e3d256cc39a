//! `vestibule user`: accounts. Reads arguments and files, calls the operations, writes answers. Floor: roof.

mod import;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandEnd, CommandError, Desk, PasswordArgs, at_desk, reason, table};
use super::output::{self, Failure};
use crate::admin::accounts::{AccountFilter, Newcomer, PhoneFilter};
use crate::admin::export::ExportSecrets;
use crate::admin::operations::{Effect, EnrolmentPolicy, OperationError, Reason, Refusal};
use crate::admin::view::AccountView;
use crate::domain::account::AccountStatus;
use crate::domain::language::Language;
use crate::domain::password::Password;
use crate::domain::phone::Country;
use crate::domain::ticket::Ticket;
use crate::domain::time::span;
use crate::domain::user_name::UserName;

/// `vestibule user`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

pub(super) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { verb, json } = arguments;
    at_desk(common, AnswerForm::of(json), async |desk| verb.run(desk).await)
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add an account
    Add {
        #[arg(value_parser = UserName::parse)]
        user_name: UserName,
        /// The name of the person
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        email: Option<String>,
        /// The mobile number that codes go to, such as +32470123456
        #[arg(long)]
        phone: Option<String>,
        /// The language of pages and SMS: en, nl, fr or de
        #[arg(long, value_parser = language)]
        language: Option<Language>,
        #[command(flatten)]
        password: PasswordArgs,
        /// Make a ticket, with which the user may give the number (two_factor.enrolment.ticket), and print it once
        #[arg(long)]
        ticket: bool,
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Option<Reason>,
    },
    /// Add many accounts from a CSV, or fill in what is missing: all or nothing
    ///
    /// Columns: username, name, email, phone, language, password_hash, in any order; only username is needed. Separated by , or ;
    /// A password_hash is argon2, bcrypt, scrypt or PBKDF2 as PHC or MCF string, or of WordPress or Django. Where it is empty, a
    /// password is made and printed. Passwords and numbers that accounts have already are never replaced.
    Import {
        /// The CSV; - for standard input
        file: PathBuf,
        /// Say what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Write generated passwords to this new file (mode 0600) instead of printing them
        #[arg(long, value_name = "FILE")]
        passwords: Option<PathBuf>,
        /// Where tickets are asked for, write those of accounts without a number to this new file (mode 0600) instead of printing them
        #[arg(long, value_name = "FILE")]
        tickets: Option<PathBuf>,
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Option<Reason>,
    },
    /// Print active accounts as CSV
    Export {
        /// With whole phone numbers and password hashes, for moving the accounts
        #[arg(long)]
        secrets: bool,
    },
    /// List accounts
    List {
        /// Only these: active or disabled
        #[arg(long, value_parser = status)]
        status: Option<AccountStatus>,
        /// Only these: with, without or enrolling (without, and the window is open), or a country such as BE
        #[arg(long, value_parser = phone_filter)]
        phone: Option<PhoneFilter>,
        /// Only those kept from signing in by failures
        #[arg(long)]
        locked: bool,
        /// Only those with this in their user name, name or e-mail address
        #[arg(long, value_name = "TEXT")]
        matching: Option<String>,
    },
    /// Show an account
    Show {
        #[arg(value_parser = UserName::parse)]
        user_name: UserName,
    },
    /// Give an account another password; its sessions end
    SetPassword {
        #[arg(value_parser = UserName::parse)]
        user_name: UserName,
        #[command(flatten)]
        password: PasswordArgs,
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
    /// Set the number that codes go to; when another one is replaced, sessions end
    SetPhone {
        #[arg(value_parser = UserName::parse)]
        user_name: UserName,
        /// Such as +32470123456
        phone: String,
        /// Why, for the audit trail; needed when a number is replaced
        #[arg(long, value_parser = reason)]
        reason: Option<Reason>,
    },
    /// Take the number away; sessions end, enrolment stays closed
    ClearPhone(Taking),
    /// Let the user give a number at the next sign-in
    OpenEnrolment {
        #[arg(value_parser = UserName::parse)]
        user_name: UserName,
        /// For how long, such as 24h or 7d; else as configured
        #[arg(long = "for", value_name = "TIME", value_parser = window)]
        window: Option<Duration>,
        /// Make a ticket and print it once; where tickets are asked for (two_factor.enrolment.ticket), this is always done
        #[arg(long)]
        ticket: bool,
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Option<Reason>,
    },
    /// End sessions and sign-ins under way, and forget failures: the next sign-in sends a new code to the number on the account
    ///
    /// The number stays. If it is wrong or lost, replace it with set-phone or take it away with clear-phone.
    ResetTwoFactor(Taking),
    /// Forget failed passwords and codes
    Unlock(Giving),
    /// Keep the user from signing in; sessions end
    Disable(Taking),
    /// Let the user sign in again
    Enable(Giving),
    /// Take the account away; sessions end, the audit trail stays
    Remove(Taking),
}

/// What takes something away needs a reason.
#[derive(Debug, clap::Args)]
struct Taking {
    #[arg(value_parser = UserName::parse)]
    user_name: UserName,
    /// Why, for the audit trail
    #[arg(long, value_parser = reason)]
    reason: Reason,
}

/// What gives something may have one.
#[derive(Debug, clap::Args)]
struct Giving {
    #[arg(value_parser = UserName::parse)]
    user_name: UserName,
    /// Why, for the audit trail
    #[arg(long, value_parser = reason)]
    reason: Option<Reason>,
}

impl Verb {
    async fn run(self, desk: &Desk) -> Result<Answer, CommandError> {
        let (operations, act) = (&desk.operations, &desk.act);
        match self {
            Verb::Add { user_name, name, email, phone, language, password, ticket, reason } => {
                let has_phone = phone.is_some();
                let ticket = ticket.then(Ticket::generate);
                let user = user_name.clone();
                let newcomer = Newcomer { user_name: user, name, email, phone, language, ticket: ticket.clone() };
                let generated = operations.add(act, newcomer, password.source()?, reason.as_ref()).await?;
                if !has_phone && operations.policy().enrolment == EnrolmentPolicy::PreRegistered {
                    output::remark(&format!(
                        "{user_name} has no number, and two_factor.phone_numbers is pre_registered: `user set-phone` comes next, or nobody can sign in"
                    ));
                }
                if has_phone {
                    tell_of_sharing(desk, &user_name).await?;
                }
                Ok(with_secrets(desk, &user_name, "added", generated.as_ref(), ticket.as_ref()))
            }
            Verb::SetPassword { user_name, password, reason } => {
                let source = password.source()?;
                let (_, generated) = operations.set_password(act, &user_name, source, &reason).await?;
                Ok(with_secrets(desk, &user_name, "password set, sessions ended", generated.as_ref(), None))
            }
            Verb::Import { file, dry_run, passwords, tickets, reason } => {
                let lists = import::Lists { passwords: passwords.as_deref(), tickets: tickets.as_deref() };
                import::import(desk, &file, dry_run, lists, reason.as_ref()).await
            }
            Verb::Export { secrets } => {
                let secrets = if secrets { ExportSecrets::With } else { ExportSecrets::Without };
                let text = operations.export(secrets, act.now).await?;
                Ok(Answer { text, end: CommandEnd::Done })
            }
            Verb::List { status, phone, locked, matching } => {
                list(desk, &AccountFilter { status, phone, only_locked: locked, matching }).await
            }
            Verb::Show { user_name } => {
                let view = AccountView::of(&operations.account(&user_name).await?, operations.policy(), act.now);
                Ok(desk.answer(|| shown(&view), &view))
            }
            Verb::SetPhone { user_name, phone, reason } => {
                let effect = operations.set_phone(act, &user_name, &phone, reason.as_ref()).await?;
                let what = match &effect {
                    Effect::Done(rows) if !rows.is_empty() => "number replaced, sessions ended",
                    Effect::Done(_) | Effect::Unchanged => "number set",
                };
                tell_of_sharing(desk, &user_name).await?;
                Ok(changed(desk, &user_name, &effect, what))
            }
            Verb::ClearPhone(Taking { user_name, reason }) => {
                let effect = operations.clear_phone(act, &user_name, &reason).await?;
                Ok(changed(
                    desk,
                    &user_name,
                    &effect,
                    "number cleared, sessions ended; `user set-phone` or `user open-enrolment` comes next",
                ))
            }
            Verb::OpenEnrolment { user_name, window, ticket, reason } => {
                if ticket && !operations.asks_for_tickets() {
                    return Err(OperationError::from(Refusal::NoTickets).into());
                }
                let opened = operations.open_enrolment(act, &user_name, window, reason.as_ref()).await?;
                let (until, ticket) = (opened.until, opened.ticket.map(|ticket| ticket.reveal()));
                let value = json!({
                    "user_name": user_name.as_str(), "enrolment_until": until.to_string(), "ticket": ticket.as_deref(),
                });
                let shown = ticket.as_deref().map(|ticket| ticket_line(ticket)).unwrap_or_default();
                Ok(desk.answer(|| format!("{user_name}: may give a number until {until}\n{shown}"), &value))
            }
            Verb::ResetTwoFactor(Taking { user_name, reason }) => {
                let effect = operations.reset_two_factor(act, &user_name, &reason).await?;
                let what = match operations.account(&user_name).await?.phone {
                    Some(phone) => format!("reset, sessions ended; the next sign-in sends a code to {phone}"),
                    None => "reset, sessions ended; there is no number: `user set-phone` or `user open-enrolment` comes next".to_owned(),
                };
                Ok(changed(desk, &user_name, &effect, &what))
            }
            Verb::Unlock(Giving { user_name, reason }) => {
                let effect = operations.unlock(act, &user_name, reason.as_ref()).await?;
                Ok(changed(desk, &user_name, &effect, "unlocked"))
            }
            Verb::Disable(Taking { user_name, reason }) => {
                let effect = operations.disable(act, &user_name, &reason).await?;
                Ok(changed(desk, &user_name, &effect, "disabled, sessions ended"))
            }
            Verb::Enable(Giving { user_name, reason }) => {
                let effect = operations.enable(act, &user_name, reason.as_ref()).await?;
                Ok(changed(desk, &user_name, &effect, "enabled"))
            }
            Verb::Remove(Taking { user_name, reason }) => {
                let effect = operations.remove(act, &user_name, &reason).await?;
                Ok(changed(desk, &user_name, &effect, "removed, sessions ended"))
            }
        }
    }
}

/// An operator may put a number on as many accounts as wanted; that it is a shared one is said.
async fn tell_of_sharing(desk: &Desk, user_name: &UserName) -> Result<(), CommandError> {
    if let Some(accounts) = desk.operations.number_beyond_limit(user_name).await? {
        let limit = desk.operations.policy().accounts_per_number;
        output::remark(&format!(
            "{accounts} accounts have this number now: who holds the phone has the second factor of each (two_factor.enrolment.accounts_per_number: {limit} is what users may bring about)"
        ));
    }
    Ok(())
}

fn changed(desk: &Desk, user_name: &UserName, effect: &Effect, what: &str) -> Answer {
    let (is_changed, text) = match effect {
        Effect::Done(_) => (true, what),
        Effect::Unchanged => (false, "it was so already"),
    };
    let value = json!({ "user_name": user_name.as_str(), "changed": is_changed });
    desk.answer(|| format!("{user_name}: {text}\n"), &value)
}

fn ticket_line(ticket: &str) -> String {
    format!(
        "Ticket, shown only now: {ticket}\nThe user needs it to give a number. Give it by another way than the password.\n"
    )
}

fn with_secrets(
    desk: &Desk,
    user_name: &UserName,
    what: &str,
    generated: Option<&Password>,
    ticket: Option<&Ticket>,
) -> Answer {
    let password = generated.map(Password::reveal);
    let until = password.map(|_| desk.operations.one_time_until(desk.act.now).to_string());
    let ticket = ticket.map(Ticket::reveal);
    let mut value = json!({
        "user_name": user_name.as_str(), "changed": true, "password": password, "password_expires_at": until,
    });
    if let (Some(ticket), Some(fields)) = (&ticket, value.as_object_mut()) {
        fields.insert("ticket".to_owned(), ticket.as_str().into());
    }
    let shown = match (password, until) {
        (Some(text), Some(until)) => {
            format!(
                "Password, shown only now: {text}\nIt is for one sign-in until {until}; the user chooses another one there.\n"
            )
        }
        (_, _) => String::new(),
    };
    let ticket = ticket.as_deref().map(|ticket| ticket_line(ticket)).unwrap_or_default();
    desk.answer(|| format!("{user_name}: {what}\n{shown}{ticket}"), &value)
}

async fn list(desk: &Desk, filter: &AccountFilter) -> Result<Answer, CommandError> {
    let accounts = desk.operations.list(filter, desk.act.now).await?;
    let views: Vec<AccountView> =
        accounts.iter().map(|account| AccountView::of(account, desk.operations.policy(), desk.act.now)).collect();
    let text = || {
        let row = |view: &AccountView| {
            let phone = view.phone.clone().or(view.enrolment_until.as_ref().map(|_| "enrolling".to_owned()));
            let status = if view.locked { "locked" } else { view.status };
            [
                view.user_name.clone(),
                view.name.clone().unwrap_or_default(),
                phone.unwrap_or_else(|| "none".to_owned()),
                status.to_owned(),
                view.last_sign_in_at.clone().unwrap_or_else(|| "never".to_owned()),
            ]
        };
        let rows: Vec<_> = views.iter().map(row).collect();
        table(["USER", "NAME", "PHONE", "STATUS", "LAST SIGN-IN"], &rows)
    };
    Ok(desk.answer(text, &views))
}

fn shown(view: &AccountView) -> String {
    let none = || "none".to_owned();
    let mut rows = vec![
        ("user name", view.user_name.clone()),
        ("name", view.name.clone().unwrap_or_else(none)),
        ("e-mail", view.email.clone().unwrap_or_else(none)),
        ("language", view.language.map_or_else(none, str::to_owned)),
        ("status", view.status.to_owned()),
        ("phone", view.phone.clone().unwrap_or_else(none)),
    ];
    let mut more = |title, value: &Option<String>| rows.extend(value.clone().map(|value| (title, value)));
    more("phone set", &view.phone_set_at);
    more("enrolment open until", &view.enrolment_until);
    more("password refused until", &view.password_wait_until);
    more("password refused", &view.password_closed.then(|| "until `user unlock`".to_owned()));
    rows.extend([
        (
            "password",
            match &view.password_expires_at {
                Some(until) => format!("one-time, until {until}; set {}", view.password_set_at),
                None => format!("{}, set {}", view.password_form, view.password_set_at),
            },
        ),
        ("failures in a row", format!("{} passwords, {} codes", view.password_failures, view.code_failures)),
        ("codes", if view.codes_locked { "refused until `user unlock`" } else { "accepted" }.to_owned()),
        ("last sign-in", view.last_sign_in_at.clone().unwrap_or_else(|| "never".to_owned())),
        ("created", view.created_at.clone()),
        ("id", view.id.clone()),
    ]);
    rows.iter().fold(String::new(), |mut text, (title, value)| {
        // a String takes everything
        let _ = writeln!(text, "{title:<24}{value}");
        text
    })
}

fn language(text: &str) -> Result<Language, String> {
    Language::parse(text).ok_or_else(|| "one of en, nl, fr, de".to_owned())
}

fn status(text: &str) -> Result<AccountStatus, String> {
    match text {
        "active" => Ok(AccountStatus::Active),
        "disabled" => Ok(AccountStatus::Disabled),
        _ => Err("one of active, disabled".to_owned()),
    }
}

fn phone_filter(text: &str) -> Result<PhoneFilter, String> {
    match text {
        "with" => Ok(PhoneFilter::With),
        "without" => Ok(PhoneFilter::Without),
        "enrolling" => Ok(PhoneFilter::Enrolling),
        country => Country::parse(country)
            .map(PhoneFilter::Of)
            .ok_or_else(|| "one of with, without, enrolling, or a country such as BE".to_owned()),
    }
}

/// At most 30 days: a window that stays open is no window.
fn window(text: &str) -> Result<Duration, String> {
    let wrong = || "a time such as 24h or 7d, at most 30d".to_owned();
    let window = span(text).ok_or_else(wrong)?;
    if window.is_zero() || window > Duration::from_secs(30 * 24 * 3600) { Err(wrong()) } else { Ok(window) }
}

#[cfg(test)]
mod tests;
