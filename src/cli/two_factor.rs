//! `vestibule two-factor`: whether a password is enough, and the switch after which it never is again. Floor: roof.

use serde_json::json;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandError, Desk, at_desk, reason};
use super::output::Failure;
use crate::admin::activation::TwoFactorStatus;
use crate::admin::operations::Reason;
use crate::admin::view::TwoFactorView;

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
