//! `vestibule operator`: who may sign in on the admin pages. The first one is made here. Floor: roof.

use serde_json::json;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandError, Desk, at_desk, reason, table};
use super::output::Failure;
use crate::admin::operations::{Effect, Reason};
use crate::admin::view::AccountView;
use crate::domain::operator::OperatorRole;
use crate::domain::user_name::UserName;

/// `vestibule operator`
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
    /// List the operators
    List,
    /// Let an account sign in on the admin pages, or change its role; its sessions end
    Appoint {
        #[arg(value_parser = UserName::parse)]
        user_name: UserName,
        /// `helpdesk` (find, unlock, reset two-factor, end sessions, one-time password) or `admin` (everything)
        #[arg(long, value_parser = role)]
        role: OperatorRole,
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
    /// Take an account's role away; its sessions end
    Dismiss {
        #[arg(value_parser = UserName::parse)]
        user_name: UserName,
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
            Verb::List => list(desk).await,
            Verb::Appoint { user_name, role, reason } => {
                let done = desk.operations.appoint(&desk.act, &user_name, role, &reason).await?;
                let account = desk.operations.account(&user_name).await?;
                let hint = match account.phone {
                    Some(_) => "",
                    None => {
                        ". The account has no number, and operators cannot give one at sign-in: see `user set-phone`"
                    }
                };
                Ok(desk.told(&done, &format!("{user_name} is an operator: {role}{hint}")))
            }
            Verb::Dismiss { user_name, reason } => {
                let done = desk.operations.dismiss(&desk.act, &user_name, &reason).await?;
                Ok(desk.told(&done, &format!("{user_name} is no operator")))
            }
        }
    }
}

impl Desk {
    fn told(&self, done: &Effect, text: &str) -> Answer {
        let (changed, already) = match done {
            Effect::Done(_) => (true, ""),
            Effect::Unchanged => (false, " already"),
        };
        self.answer(|| format!("{text}{already}\n"), &json!({ "changed": changed }))
    }
}

async fn list(desk: &Desk) -> Result<Answer, CommandError> {
    let operators = desk.operations.operators().await?;
    let policy = desk.operations.policy();
    let views: Vec<AccountView> =
        operators.iter().map(|account| AccountView::of(account, policy, desk.act.now)).collect();
    let text = || {
        let row = |view: &AccountView| {
            [
                view.user_name.clone(),
                view.operator_role.unwrap_or_default().to_owned(),
                view.status.to_owned(),
                view.phone.clone().unwrap_or_else(|| "none".to_owned()),
                view.last_sign_in_at.clone().unwrap_or_default(),
            ]
        };
        table(["USER", "ROLE", "STATUS", "NUMBER", "LAST SIGN-IN"], &views.iter().map(row).collect::<Vec<_>>())
    };
    Ok(desk.answer(text, &views))
}

pub(super) fn role(text: &str) -> Result<OperatorRole, String> {
    OperatorRole::parse(text).ok_or_else(|| "the roles are helpdesk and admin".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    use crate::admin::accounts::{Newcomer, PasswordSource};

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        operator: Arguments,
    }

    async fn run(desk: &Desk, line: &str) -> Result<String, String> {
        let line = Line::try_parse_from(std::iter::once("operator").chain(line.split(' ')));
        let verb = line.map_err(|error| error.to_string())?.operator.verb;
        verb.run(desk).await.map(|answer| answer.text).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn an_operator_is_appointed_and_dismissed() {
        let desk = Desk::temporary().await;
        let user_name = UserName::parse("olga").unwrap();
        let olga = Newcomer { user_name, name: None, email: None, phone: None, language: None, ticket: None };
        desk.operations.add(&desk.act, olga, PasswordSource::Generated, None).await.unwrap();
        assert_eq!(run(&desk, "list").await.as_deref(), Ok("[]\n"));
        let appoint = "appoint olga --role helpdesk --reason new";
        assert!(run(&desk, appoint).await.unwrap().contains("\"changed\": true"));
        assert!(run(&desk, appoint).await.unwrap().contains("\"changed\": false"));
        assert!(run(&desk, "list").await.unwrap().contains("\"operator_role\": \"helpdesk\""));
        assert!(run(&desk, "dismiss olga --reason left").await.unwrap().contains("\"changed\": true"));
        assert_eq!(run(&desk, "list").await.as_deref(), Ok("[]\n"));
        assert!(
            run(&desk, "appoint nobody --role admin --reason new").await.unwrap_err().contains("no account nobody")
        );
    }

    #[tokio::test]
    async fn an_appointment_says_which_role_and_why() {
        let desk = Desk::temporary().await;
        for line in ["appoint olga --reason new", "appoint olga --role root --reason new", "appoint olga --role admin"]
        {
            assert!(run(&desk, line).await.is_err(), "{line}");
        }
    }
}
