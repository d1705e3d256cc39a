//! `vestibule token`: the tokens with which programs use the admin API. They are made nowhere else. Floor: roof.

use std::time::Duration;

use serde_json::json;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandError, Desk, at_desk, reason, table};
use super::operator::role;
use super::output::Failure;
use crate::admin::operations::Reason;
use crate::admin::tokens::{LONGEST_LIFE, TokenView};
use crate::domain::api_token::ApiTokenName;
use crate::domain::operator::OperatorRole;
use crate::domain::time::span;

/// `vestibule token`
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
    /// Make a token and print it; it is not shown again
    Create {
        /// What the audit trail calls it (`token:crm`): lower-case letters, digits and . _ -
        #[arg(long, value_parser = name)]
        name: ApiTokenName,
        /// `helpdesk` (find, unlock, reset two-factor, end sessions, one-time password) or `admin` (also numbers, adding, disabling, removing)
        #[arg(long, value_parser = role)]
        role: OperatorRole,
        /// When it ends by itself, such as 24h or 90d; at most 365d
        #[arg(long = "expires", value_name = "SPAN", value_parser = life, default_value = "90d")]
        life: Duration,
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
    /// List the tokens, without what is secret of them
    List,
    /// Take a token away: it is good for nothing from the next request on, on every node
    Revoke {
        #[arg(value_parser = name)]
        name: ApiTokenName,
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
            Verb::Create { name, role, life, reason } => {
                let (token, known) = desk.tokens.create(&desk.act, &name, role, life, &reason).await?;
                let shown = token.reveal();
                let text = || {
                    format!(
                        "{name}: {role}, until {}\nToken, shown only now: {}\nKeep it where secrets are kept: whoever has it can do what the role can.\n",
                        known.expires_at, *shown
                    )
                };
                let value = json!({
                    "name": name.as_str(), "id": known.id.to_string(), "role": role.name(),
                    "expires_at": known.expires_at.to_string(), "token": shown.as_str(),
                });
                Ok(desk.answer(text, &value))
            }
            Verb::List => list(desk).await,
            Verb::Revoke { name, reason } => {
                desk.tokens.revoke(&desk.act, &name, &reason).await?;
                Ok(desk.answer(|| format!("{name}: revoked\n"), &json!({ "name": name.as_str(), "changed": true })))
            }
        }
    }
}

async fn list(desk: &Desk) -> Result<Answer, CommandError> {
    let tokens = desk.tokens.list().await?;
    let views: Vec<TokenView> = tokens.iter().map(|token| TokenView::of(token, desk.act.now)).collect();
    let text = || {
        let row = |view: &TokenView| {
            let over = if view.expired { " (over)" } else { "" };
            [
                view.name.clone(),
                view.role.to_owned(),
                view.created_at.clone(),
                format!("{}{over}", view.expires_at),
                view.last_used_at.clone().unwrap_or_else(|| "never".to_owned()),
            ]
        };
        table(["NAME", "ROLE", "CREATED", "ENDS", "LAST USED"], &views.iter().map(row).collect::<Vec<_>>())
    };
    Ok(desk.answer(text, &views))
}

fn name(text: &str) -> Result<ApiTokenName, String> {
    ApiTokenName::parse(text)
        .ok_or_else(|| "1 to 64 lower-case letters, digits and . _ -, beginning with a letter or digit".to_owned())
}

fn life(text: &str) -> Result<Duration, String> {
    let life = span(text).filter(|life| !life.is_zero() && *life <= LONGEST_LIFE);
    life.ok_or_else(|| "a time such as 24h or 90d, at most 365d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    use crate::domain::api_token::ApiToken;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        token: Arguments,
    }

    async fn run(desk: &Desk, line: &str) -> Result<String, String> {
        let line = Line::try_parse_from(std::iter::once("token").chain(line.split(' ')));
        let verb = line.map_err(|error| error.to_string())?.token.verb;
        verb.run(desk).await.map(|answer| answer.text).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_token_is_shown_once_and_is_gone_when_it_is_revoked() {
        let desk = Desk::temporary().await;
        let made = run(&desk, "create --name crm --role admin --reason provisioning").await.unwrap();
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        let shown = made["token"].as_str().unwrap();
        let token = ApiToken::parse(shown).unwrap();
        let known = desk.tokens.recognise(&token, desk.act.now).await.unwrap().unwrap();
        assert_eq!((known.name.as_str(), known.role), ("crm", OperatorRole::Admin));
        assert_eq!(known.expires_at, desk.act.now.plus(Duration::from_secs(90 * 24 * 3600)));
        let listed = run(&desk, "list").await.unwrap();
        assert!(listed.contains("\"name\": \"crm\"") && !listed.contains(&shown[4..]), "{listed}");
        let again = run(&desk, "create --name crm --role admin --reason provisioning").await.unwrap_err();
        assert!(again.contains("there is a token crm already"), "{again}");
        assert!(run(&desk, "revoke crm --reason over").await.unwrap().contains("\"changed\": true"));
        assert!(desk.tokens.recognise(&token, desk.act.now).await.unwrap().is_none());
        assert!(run(&desk, "revoke crm --reason over").await.unwrap_err().contains("there is no token crm"));
    }

    #[tokio::test]
    async fn a_token_has_a_name_a_role_an_end_and_a_reason() {
        let desk = Desk::temporary().await;
        for line in [
            "create --role admin --reason x",
            "create --name crm --reason x",
            "create --name crm --role admin",
            "create --name CRM --role admin --reason x",
            "create --name crm --role root --reason x",
            "create --name crm --role admin --reason x --expires 366d",
            "create --name crm --role admin --reason x --expires 0d",
            "create --name crm --role admin --reason x --expires never",
            "revoke crm",
        ] {
            assert!(run(&desk, line).await.is_err(), "{line}");
        }
        assert!(run(&desk, "create --name crm --role helpdesk --reason x --expires 365d").await.is_ok());
    }
}
