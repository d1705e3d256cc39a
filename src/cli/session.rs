//! `vestibule session`: who is signed in, and ending that. Floor: roof.

use serde_json::json;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandError, Desk, at_desk, reason, table};
use super::output::Failure;
use crate::admin::operations::{Effect, Reason};
use crate::admin::sessions::{Ended, WhichSessions};
use crate::admin::view::SessionView;
use crate::domain::session::SessionId;
use crate::domain::user_name::UserName;

/// `vestibule session`
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
    /// List sessions that are not over, newest first
    List {
        /// Only this user's
        #[arg(long, value_parser = UserName::parse)]
        user: Option<UserName>,
    },
    /// End sessions, on every node within a second
    End {
        #[command(flatten)]
        which: WhichArgs,
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct WhichArgs {
    /// This one, by the id that `session list` shows
    #[arg(value_parser = session_id)]
    id: Option<SessionId>,
    /// All of this user
    #[arg(long, value_parser = UserName::parse)]
    user: Option<UserName>,
    /// Everybody's
    #[arg(long)]
    all: bool,
}

pub(super) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { verb, json } = arguments;
    at_desk(common, AnswerForm::of(json), async |desk| verb.run(desk).await)
}

impl Verb {
    async fn run(self, desk: &Desk) -> Result<Answer, CommandError> {
        match self {
            Verb::List { user } => list(desk, user.as_ref()).await,
            Verb::End { which, reason } => {
                let which = match which {
                    WhichArgs { id: Some(id), .. } => WhichSessions::One(id),
                    WhichArgs { user: Some(user), .. } => WhichSessions::OfUser(user),
                    WhichArgs { all: true, .. } => WhichSessions::All,
                    WhichArgs { id: None, user: None, all: false } => {
                        return Err(CommandError::Usage("say which: an id, --user or --all".to_owned()));
                    }
                };
                let ended = desk.operations.end_sessions(&desk.act, &which, &reason).await?;
                let (text, value) = match ended {
                    Ended::Some(Effect::Done(_)) => ("ended".to_owned(), json!({ "changed": true })),
                    Ended::Some(Effect::Unchanged) => {
                        ("there was nothing to end".to_owned(), json!({ "changed": false }))
                    }
                    Ended::All(count) => (format!("ended: {count}"), json!({ "changed": count > 0, "ended": count })),
                };
                Ok(desk.answer(|| text + "\n", &value))
            }
        }
    }
}

async fn list(desk: &Desk, user: Option<&UserName>) -> Result<Answer, CommandError> {
    let sessions = desk.operations.sessions(user, desk.act.now).await?;
    let views: Vec<SessionView> = sessions.iter().map(SessionView::of).collect();
    let text = || {
        let row = |view: &SessionView| {
            [
                view.id.clone(),
                view.user_name.clone(),
                view.site.clone(),
                view.factors.join("+"),
                view.opened_at.clone(),
                view.ends_at.clone(),
                view.source.clone().unwrap_or_default(),
            ]
        };
        table(["ID", "USER", "SITE", "WITH", "OPENED", "ENDS", "FROM"], &views.iter().map(row).collect::<Vec<_>>())
    };
    Ok(desk.answer(text, &views))
}

fn session_id(text: &str) -> Result<SessionId, String> {
    SessionId::parse(text).ok_or_else(|| "32 hexadecimal digits, as `session list` shows them".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        session: Arguments,
    }

    #[test]
    fn ending_says_which_and_why() {
        let parsed = |line: &str| Line::try_parse_from(std::iter::once("session").chain(line.split(' ')));
        for line in [
            "end --user ann --reason left",
            "end --all --reason drill",
            "end 00112233445566778899aabbccddeeff --reason x",
        ] {
            assert!(parsed(line).is_ok(), "{line}");
        }
        for line in
            ["end --reason x", "end --user ann", "end --all", "end --all --user ann --reason x", "end 12 --reason x"]
        {
            assert!(parsed(line).is_err(), "{line}");
        }
    }

    #[tokio::test]
    async fn there_is_nothing_to_end_where_nobody_is_signed_in() {
        let desk = Desk::temporary().await;
        let run = async |line: &str| {
            let line = Line::try_parse_from(std::iter::once("session").chain(line.split(' '))).unwrap();
            line.session.verb.run(&desk).await.map(|answer| answer.text).map_err(|error| error.to_string())
        };
        assert_eq!(run("list").await.as_deref(), Ok("[]\n"));
        assert!(run("end --all --reason drill").await.unwrap().contains("\"ended\": 0"));
        assert!(run("end --user ann --reason drill").await.unwrap_err().contains("no account ann"));
        let id = "00112233445566778899aabbccddeeff";
        assert!(run(&format!("end {id} --reason drill")).await.unwrap_err().contains("no session"));
    }
}
