//! `vestibule accounts`: the accounts as a whole. Floor: roof.

use std::path::PathBuf;

use serde_json::json;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandEnd, CommandError, Desk, at_desk, reason};
use super::output::Failure;
use crate::admin::operations::Reason;
use crate::login::upkeep::Rekeyed;

/// `vestibule accounts`
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
    /// Copy the SQLite database into a new file, while the gateway runs; says what to run for PostgreSQL
    ///
    /// The copy is consistent and has been examined. It holds password hashes; phone numbers and e-mail in it are sealed with
    /// accounts.encryption_keys, which are not in it: keep both, in different places.
    Backup {
        /// A file that is not there yet
        file: PathBuf,
    },
    /// Say that the database is a copy that was put back: every session ends, and enrolment closes for every account
    ///
    /// To be run after a backup was restored, before the gateway serves again.
    Restored {
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Reason,
    },
    /// Move everything that is encrypted to the first of accounts.encryption_keys, so that the others can be taken out
    ///
    /// Works while the gateway runs, once every node has the new key first. Interrupted, it goes on when it is run again.
    Rekey {
        /// Why, for the audit trail
        #[arg(long, value_parser = reason)]
        reason: Option<Reason>,
    },
}

pub(super) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { verb, json } = arguments;
    at_desk(common, AnswerForm::of(json), async |desk| verb.run(desk).await)
}

impl Verb {
    async fn run(self, desk: &Desk) -> Result<Answer, CommandError> {
        match self {
            Verb::Backup { file } => {
                let size_bytes = desk.upkeep.back_up(&file).await?;
                let value = json!({ "file": file, "size_bytes": size_bytes });
                Ok(desk.answer(|| format!("copied to {} ({size_bytes} bytes), and examined\n", file.display()), &value))
            }
            Verb::Restored { reason } => {
                let ended = desk.upkeep.restored(&desk.act, &reason).await?;
                let text = || {
                    format!(
                        "Every session is ended ({ended} of those in the copy), and enrolment is closed for every account.\n\
                         Accounts, numbers and passwords are those of the copy: disable again who was disabled since, check numbers that were changed \
                         since, and open enrolment where it is needed (user open-enrolment).\n"
                    )
                };
                Ok(desk.answer(text, &json!({ "ended": ended })))
            }
            Verb::Rekey { reason } => {
                let rekeyed = desk.upkeep.rekey(&desk.act, reason.as_ref()).await?;
                let value = json!({
                    "moved": rekeyed.moved, "unused": keys(&rekeyed.unused), "in_use": keys(&rekeyed.in_use),
                });
                let answer = desk.answer(|| told(&rekeyed), &value);
                let end = if rekeyed.in_use.is_empty() { CommandEnd::Done } else { CommandEnd::Refused };
                Ok(Answer { end, ..answer })
            }
        }
    }
}

fn told(rekeyed: &Rekeyed) -> String {
    let mut text = format!("{} values moved to the first key.\n", rekeyed.moved);
    for key in keys(&rekeyed.unused) {
        text += &format!("{key} is not used any more: take it out of the configuration of every node.\n");
    }
    for key in keys(&rekeyed.in_use) {
        text += &format!(
            "{key} is still being written with: a node has it first. Reload or restart every node, and run this again.\n"
        );
    }
    text
}

fn keys(keys: &[(usize, String)]) -> Vec<String> {
    keys.iter().map(|(place, id)| format!("accounts.encryption_keys[{place}] ({id})")).collect()
}
