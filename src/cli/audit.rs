//! `vestibule audit`: who did what and what happened, as a list and for other programs, and whether anybody changed it. Floor: roof.

use std::fmt::Write as _;
use std::io::{self, BufWriter};
use std::time::Duration;

use super::Common;
use super::desk::{Answer, AnswerForm, CommandEnd, CommandError, Desk, at_desk, table};
use super::output::Failure;
use crate::admin::audit::{AuditFilter, AuditView, ChainView, ExportError, ExportFormat};
use crate::domain::audit::AuditEvent;
use crate::domain::audit_chain::{ChainReport, KnownHead, KnownOutcome};
use crate::domain::time::{Day, UnixMillis, span};
use crate::domain::user_name::UserName;

/// `vestibule audit`
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
    /// List records, newest first
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// At most so many
        #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        most: u32,
        /// Go on after the record with this id, which is the last of the page before
        #[arg(long, value_name = "ID")]
        after: Option<i64>,
    },
    /// Check that nobody has changed, added or taken away a record of what operators did or of what changed security
    ///
    /// Exit code 1 when something is wrong, with the rows. Whoever may write to the database and takes away the newest records together with
    /// their head leaves a chain that is sound: give a head that the log has told (`head`) to see that.
    Verify {
        /// A head from the log, such as 17:0123456789abcdef
        #[arg(long, value_name = "NUMBER:MAC", value_parser = known_head)]
        head: Option<KnownHead>,
    },
    /// Print records for other programs, oldest first
    Export {
        #[arg(long, value_enum)]
        format: Format,
        #[command(flatten)]
        filter: FilterArgs,
    },
}

#[derive(Debug, clap::Args)]
struct FilterArgs {
    /// Only what is about this account or was done by its user
    #[arg(long, value_name = "NAME", value_parser = UserName::parse)]
    account: Option<UserName>,
    /// Only this event, such as account_disabled
    #[arg(long, value_parser = event)]
    event: Option<AuditEvent>,
    /// Only what was done by this one, such as cli:root, user:anna or system
    #[arg(long)]
    actor: Option<String>,
    /// Not before: 2026-11-24, 2026-11-24T09:30:00Z, or how long ago, such as 90m, 24h or 7d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Before: as with --since
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object a line
    Jsonl,
    /// Comma-separated, with a line of titles
    Csv,
}

/// A time as operators write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    At(UnixMillis),
    Ago(Duration),
}

impl Moment {
    fn before(self, now: UnixMillis) -> UnixMillis {
        match self {
            Moment::At(at) => at,
            Moment::Ago(ago) => now.minus(ago),
        }
    }
}

impl FilterArgs {
    fn filter(self, now: UnixMillis) -> AuditFilter {
        let moment = |moment: Option<Moment>| moment.map(|moment| moment.before(now));
        AuditFilter {
            account: self.account,
            event: self.event,
            actor: self.actor,
            since: moment(self.since),
            until: moment(self.until),
        }
    }
}

pub(super) fn run(common: &Common, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { verb, json } = arguments;
    at_desk(common, AnswerForm::of(json), async |desk| verb.run(desk, &mut BufWriter::new(io::stdout().lock())).await)
}

impl Verb {
    /// `out`: where an export goes while it is read.
    async fn run(self, desk: &Desk, out: &mut impl io::Write) -> Result<Answer, CommandError> {
        match self {
            Verb::List { filter, most, after } => {
                let views = desk.operations.audit_page(&filter.filter(desk.act.now), after, most).await?;
                Ok(desk.answer(|| listed(&views), &views))
            }
            Verb::Verify { head } => {
                let report = desk.operations.verify_audit(head.as_ref()).await?;
                let answer = desk.answer(|| told(&report), &ChainView::of(&report));
                let end = if report.is_sound() { CommandEnd::Done } else { CommandEnd::Refused };
                Ok(Answer { end, ..answer })
            }
            Verb::Export { format, filter } => {
                let format = match format {
                    Format::Jsonl => ExportFormat::JsonLines,
                    Format::Csv => ExportFormat::Csv,
                };
                match desk.operations.export_audit(&filter.filter(desk.act.now), format, out).await {
                    // a reader that has gone away (`| head`) is no failure
                    Err(ExportError::Sink(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
                    Err(ExportError::Sink(source)) => {
                        return Err(CommandError::File { what: "the export cannot be written".to_owned(), source });
                    }
                    Err(ExportError::Operation(error)) => return Err(error.into()),
                    Ok(_) => {}
                }
                Ok(Answer { text: String::new(), end: CommandEnd::Done })
            }
        }
    }
}

fn listed(views: &[AuditView]) -> String {
    let row = |view: &AuditView| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let details = [&view.reason, &view.site].map(text);
        [
            view.id.to_string(),
            view.at.clone(),
            view.event.clone(),
            text(&view.user_name),
            view.actor.clone(),
            text(&view.source),
            details.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · "),
        ]
    };
    let rows: Vec<_> = views.iter().map(row).collect();
    table(["ID", "AT", "EVENT", "ACCOUNT", "BY", "FROM", "REASON, SITE"], &rows)
}

fn told(report: &ChainReport) -> String {
    let mut text = String::new();
    for fault in &report.faults {
        // a String takes everything
        let _ = writeln!(text, "{fault}");
    }
    if report.more_faults > 0 {
        let _ = writeln!(text, "and {} more", report.more_faults);
    }
    let verdict = if report.is_sound() { "sound" } else { "NOT SOUND" };
    let _ = writeln!(text, "{verdict}: {} links, up to {}", report.links, report.head);
    if let Some(at) = report.tidied_at {
        let _ = writeln!(
            text,
            "records up to number {} were taken away by audit.retention, last on {at}",
            report.begins_after
        );
    }
    match report.known {
        Some(KnownOutcome::Found) => text.push_str("the head from the log is in the chain\n"),
        Some(KnownOutcome::TakenAway) => {
            text.push_str("the head from the log is older than what is kept: it cannot be compared\n");
        }
        Some(KnownOutcome::NotFound) | None => {}
    }
    text
}

fn event(text: &str) -> Result<AuditEvent, String> {
    AuditEvent::parse(text).ok_or_else(|| {
        let names: Vec<_> = AuditEvent::ALL.iter().map(|event| event.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

fn known_head(text: &str) -> Result<KnownHead, String> {
    KnownHead::parse(text)
        .ok_or_else(|| "a number, a colon and 16 hexadecimal digits, as the log has them after `head`".to_owned())
}

fn moment(text: &str) -> Result<Moment, String> {
    use time::format_description::well_known::Rfc3339;

    if let Ok(at) = time::OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(Moment::At(UnixMillis(at.unix_timestamp().saturating_mul(1000))));
    }
    let day = Day::parse(text).map(|day| Moment::At(day.begins()));
    day.or_else(|| span(text).map(Moment::Ago))
        .ok_or_else(|| "a day (2026-11-24), a time (2026-11-24T09:30:00Z), or how long ago (90m, 24h, 7d)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::accounts::{Newcomer, PasswordSource};
    use crate::admin::operations::Reason;
    use clap::Parser as _;

    #[derive(Debug, clap::Parser)]
    struct Line {
        #[command(flatten)]
        audit: Arguments,
    }

    async fn run(desk: &Desk, line: &str) -> Result<(String, CommandEnd), String> {
        let line = Line::try_parse_from(std::iter::once("audit").chain(line.split(' '))).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        let answer = line.audit.verb.run(desk, &mut out).await.map_err(|error| error.to_string())?;
        Ok((String::from_utf8(out).unwrap() + &answer.text, answer.end))
    }

    async fn desk_with_a_past() -> Desk {
        let desk = Desk::temporary().await;
        let user_name = UserName::parse("ann").unwrap();
        let newcomer = Newcomer {
            user_name: user_name.clone(),
            name: None,
            email: None,
            phone: None,
            language: None,
            ticket: None,
        };
        desk.operations.add(&desk.act, newcomer, PasswordSource::Generated, None).await.unwrap();
        let why = Reason::parse("=left").unwrap();
        assert!(desk.operations.disable(&desk.act, &user_name, &why).await.is_ok());
        assert!(desk.operations.remove(&desk.act, &user_name, &why).await.is_ok());
        desk
    }

    #[tokio::test]
    async fn what_operators_did_is_listed_exported_and_checked() {
        let desk = desk_with_a_past().await;
        let (list, _) = run(&desk, "list --account ann").await.unwrap();
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        let events: Vec<_> = list.as_array().unwrap().iter().map(|view| view["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["account_removed", "account_disabled", "account_added"]);
        assert_eq!(list[0]["user_name"], "ann", "also when the account is gone");
        let (page, _) = run(&desk, &format!("list --most 1 --after {}", list[0]["id"])).await.unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&page).unwrap()[0]["event"], "account_disabled");

        let (lines, _) = run(&desk, "export --format jsonl --event account_disabled").await.unwrap();
        assert_eq!(lines.lines().count(), 1);
        assert!(lines.contains("\"reason\":\"=left\""), "{lines}");
        let (csv, _) = run(&desk, "export --format csv --actor cli:test").await.unwrap();
        assert_eq!(csv.lines().count(), 4, "{csv}");
        assert!(csv.starts_with("id,at,event,") && csv.contains(",'=left,"), "{csv}");
        for nobody in ["export --format jsonl --actor cli:root", "export --format jsonl --until 1h"] {
            assert_eq!(run(&desk, nobody).await.unwrap().0, "", "{nobody}");
        }

        let (report, end) = run(&desk, "verify").await.unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        assert_eq!((&report["sound"], &report["links"], end), (&true.into(), &3.into(), CommandEnd::Done));
        let head = report["head"].as_str().unwrap();
        assert_eq!(run(&desk, &format!("verify --head {head}")).await.unwrap().1, CommandEnd::Done);
        let (report, end) = run(&desk, "verify --head 4:0011223344556677").await.unwrap();
        assert!(end == CommandEnd::Refused && report.contains("older_than_known"), "{report}");
    }

    #[test]
    fn times_are_days_times_or_so_long_ago() {
        assert_eq!(moment("2026-11-24"), Ok(Moment::At(UnixMillis(1_795_478_400_000))));
        assert_eq!(moment("2026-11-24T01:00:00+01:00"), moment("2026-11-24"));
        assert_eq!(moment("90m"), Ok(Moment::Ago(Duration::from_secs(5400))));
        for wrong in ["", "d", "7", "-7d", "yesterday", "24-11-2026", "7é"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
