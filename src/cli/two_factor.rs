//! `vestibule two-factor`: whether a password is enough, and the switch after which it never is again. Floor: roof.

use std::fmt::Write as _;

use serde_json::json;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandEnd, CommandError, Desk, at_desk, reason};
use super::output::Failure;
use crate::admin::activation::{Rehearsal, TwoFactorStatus};
use crate::admin::operations::Reason;
use crate::admin::view::{RehearsalView, TwoFactorView};
use crate::domain::user_name::UserName;

/// `vestibule two-factor`
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Whether two-factor sign-in is active, and how ready the accounts are
    Status,
    /// What activating now would bring about; changes nothing, and ends with exit code 1 when somebody would be locked out
    ///
    /// Who has no number and whether they may give one, numbers that no code reaches, numbers of several accounts, countries that no provider
    /// serves, how many SMS a day the recorded sign-ins let expect, and who could not sign in.
    Rehearse,
    /// From now on everybody needs both factors; this cannot be undone
    Activate {
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
}

pub(super) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { verb, json } = arguments;
    at_desk(common, AnswerForm::of(json), async |desk| verb.run(desk).await)
}

impl Verb {
    async fn run(self, desk: &Desk) -> Result<Answer, CommandError> {
        match self {
            Verb::Status => {
                let status = desk.operations.two_factor_status(desk.act.now).await?;
                Ok(desk.answer(|| told(&status), &TwoFactorView::of(&status)))
            }
            Verb::Rehearse => {
                let rehearsal = desk.operations.rehearse_two_factor(desk.act.now).await?;
                let most = desk.operations.policy().accounts_per_number;
                let answer = desk.answer(|| rehearsed(&rehearsal, most), &RehearsalView::of(&rehearsal));
                let end = if rehearsal.locked_out().next().is_some() { CommandEnd::Refused } else { CommandEnd::Done };
                Ok(Answer { end, ..answer })
            }
            Verb::Activate { reason } => {
                let activation = desk.operations.activate_two_factor(&desk.act, &reason).await?;
                let status = desk.operations.two_factor_status(desk.act.now).await?;
                let value = json!({ "activated_at": activation.at.to_string(), "changed": activation.by_this_call });
                Ok(desk.answer(|| told(&status), &value))
            }
        }
    }
}

fn told(status: &TwoFactorStatus) -> String {
    let census = &status.census;
    let state = match status.activated_at {
        Some(at) => format!("active since {at}: every user needs a password and a code"),
        None => "staged: a password is enough until `two-factor activate`, or until `serve` runs with two_factor.activation: active".to_owned(),
    };
    let locked_out = match (census.without_number, status.activated_at) {
        (0, _) => "",
        (_, Some(_)) => "Who has no number and a closed enrolment cannot sign in: see `user list --phone without`.\n",
        (_, None) => {
            "Who has no number and a closed enrolment will not be able to sign in: see `user list --phone without`.\n"
        }
    };
    format!(
        "{state}\nwith a number {}, enrolling {}, without {}, disabled {}\n{locked_out}",
        census.with_number, census.enrolling, census.without_number, census.disabled
    )
}

/// So many names are written out; `--json` has all.
const MOST_NAMES: usize = 40;

fn rehearsed(rehearsal: &Rehearsal, accounts_per_number: u32) -> String {
    let mut text = match rehearsal.activated_at {
        Some(at) => format!("active since {at}; this is how things stand\n"),
        None => "staged; this is what activating now would bring about\n".to_owned(),
    };
    let mut say = |line: String| {
        // a String takes everything
        let _ = writeln!(text, "{line}");
    };
    let without = &rehearsal.without_number;
    say(format!("active accounts: {}, of them without a number: {}", rehearsal.active_accounts, without.len()));
    let (open, closed): (Vec<_>, Vec<_>) = without.iter().partition(|account| account.may_enrol_until.is_some());
    if let Some(until) = open.iter().filter_map(|account| account.may_enrol_until).min() {
        say(format!(
            "may give a number, the first of them until {until}: {}",
            listed(open.iter().map(|a| &a.user_name))
        ));
    }
    if !closed.is_empty() {
        let names = listed(closed.iter().map(|account| &account.user_name));
        say(format!("may not give a number (`user set-phone`, or `user open-enrolment` where users may): {names}"));
    }
    for bad in rehearsal.bad_numbers.iter().take(MOST_NAMES) {
        say(format!("no code reaches {} at {}: {}", bad.user_name, bad.number, bad.why));
    }
    if rehearsal.bad_numbers.len() > MOST_NAMES {
        say(format!("and {} more numbers that no code reaches", rehearsal.bad_numbers.len() - MOST_NAMES));
    }
    for names in rehearsal.shared_numbers.iter().take(MOST_NAMES) {
        say(format!(
            "one number on {} accounts (two_factor.enrolment.accounts_per_number: {accounts_per_number}): {}",
            names.len(),
            listed(names.iter())
        ));
    }
    if !rehearsal.unserved_countries.is_empty() {
        let countries: Vec<String> = rehearsal.unserved_countries.iter().map(ToString::to_string).collect();
        say(format!("in sms.countries, and no provider serves them: {}", countries.join(", ")));
    }
    let sign_ins = &rehearsal.sign_ins;
    say(match sign_ins.first_at {
        None => "SMS a day: nothing to go by, no sign-in was recorded in the last 30 days".to_owned(),
        Some(first) => format!(
            "SMS a day: about {} by the {} sign-ins of the last 7 days, {} by the {} of the last 30; recorded since {first}. One for each sign-in: those \
             asked for again, and those that prove new numbers, come on top",
            sign_ins.a_day_by_last_7(),
            sign_ins.last_7_days,
            sign_ins.a_day_by_last_30(),
            sign_ins.last_30_days
        ),
    });
    say(format!("open sessions that are asked for a code at their next request: {}", rehearsal.sessions_to_step_up));
    let locked_out: Vec<&UserName> = rehearsal.locked_out().collect();
    say(match locked_out.len() {
        0 => "nobody is locked out".to_owned(),
        number => format!("locked out: {number}: {}", listed(locked_out.iter().copied())),
    });
    text
}

fn listed<'a>(names: impl ExactSizeIterator<Item = &'a UserName>) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let mut text = names.take(MOST_NAMES).map(UserName::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 {
        // a String takes everything
        let _ = write!(text, " and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::accounts::{Newcomer, PasswordSource};
    use crate::admin::operations::Act;

    #[tokio::test]
    async fn activation_is_for_ever() {
        let desk = Desk { form: AnswerForm::Text, ..Desk::temporary().await };
        let told = async |verb: Verb| verb.run(&desk).await.unwrap().text;
        assert!(told(Verb::Status).await.starts_with("staged: "));
        let activate = || Verb::Activate { reason: Reason::parse("going live").unwrap() };
        let first = told(activate()).await;
        assert!(first.starts_with("active since "), "{first}");
        assert_eq!(told(activate()).await, first);
        assert_eq!(told(Verb::Status).await, first);
    }

    #[tokio::test]
    async fn a_rehearsal_ends_with_one_when_somebody_would_be_locked_out() {
        let desk = Desk { form: AnswerForm::Text, ..Desk::temporary().await };
        let answer = Verb::Rehearse.run(&desk).await.unwrap();
        assert_eq!(answer.end, CommandEnd::Done);
        assert!(answer.text.ends_with("nobody is locked out\n"), "{}", answer.text);
        let activate = Verb::Activate { reason: Reason::parse("going live").unwrap() };
        activate.run(&desk).await.unwrap();
        // added when it is active: the window is open; then it closes
        let newcomer = Newcomer {
            user_name: UserName::parse("anna").unwrap(),
            name: None,
            email: None,
            phone: None,
            language: None,
            ticket: None,
        };
        desk.operations.add(&desk.act, newcomer, PasswordSource::Generated, None).await.unwrap();
        assert_eq!(Verb::Rehearse.run(&desk).await.unwrap().end, CommandEnd::Done);
        let later = desk.act.now.plus(std::time::Duration::from_secs(3601));
        let desk = Desk { act: Act { now: later, ..desk.act.clone() }, ..desk };
        let answer = Verb::Rehearse.run(&desk).await.unwrap();
        assert_eq!(answer.end, CommandEnd::Refused);
        assert!(answer.text.ends_with("locked out: 1: anna\n"), "{}", answer.text);
    }
}
