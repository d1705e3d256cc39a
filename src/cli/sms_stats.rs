//! `vestibule sms stats` and `unblock`: what became of the codes that were sent. Need SQL and the data keys only. Floor: roof.

use std::time::Duration;

use serde_json::{Value, json};

use super::Common;
use super::desk::{Answer, AnswerForm, CommandError, Desk, at_desk, reason, table};
use super::output::Failure;
use crate::admin::operations::Reason;
use crate::admin::sms::PrefixDigits;
use crate::login::sending::ports::Block;
use crate::login::sending::reports::{ProviderStats, SmsStats};

const HOUR: Duration = Duration::from_secs(3600);

/// `vestibule sms stats`
#[derive(Debug, clap::Args)]
pub(super) struct StatsArguments {
    /// Of the last so many hours; they are kept for 30 days
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=720))]
    hours: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// `vestibule sms unblock`
#[derive(Debug, clap::Args)]
pub(super) struct UnblockArguments {
    /// The first seven digits of its numbers, as `sms stats` shows them
    #[arg(value_parser = prefix)]
    prefix: PrefixDigits,
    /// Why, for the audit trail
    #[arg(long, value_parser = reason)]
    reason: Reason,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn stats(common: &Common, arguments: &StatsArguments) -> Result<(), Failure> {
    at_desk(common, AnswerForm::of(arguments.json), async |desk| shown(desk, arguments.hours).await)
}

pub(super) fn unblock(common: &Common, arguments: &UnblockArguments) -> Result<(), Failure> {
    at_desk(common, AnswerForm::of(arguments.json), async |desk| {
        desk.operations.open_prefix(&desk.sms, &desk.act, &arguments.prefix, &arguments.reason).await?;
        let digits = arguments.prefix.as_str();
        let text = || format!("Newcomers with numbers that begin with +{digits} get codes again.\n");
        Ok(desk.answer(text, &json!({ "unblocked": format!("+{digits}") })))
    })
}

async fn shown(desk: &Desk, hours: u32) -> Result<Answer, CommandError> {
    let stats = desk.sms.stats(&desk.act, HOUR * hours).await?;
    let value = json!({
        "hours": hours,
        "sent": stats.sent,
        "to_newcomers": stats.to_newcomers,
        "providers": stats.providers.iter().map(provider).collect::<Vec<_>>(),
        "blocked_prefixes": stats.blocks.iter().map(block).collect::<Vec<_>>(),
    });
    Ok(desk.answer(|| text(&stats, hours), &value))
}

fn text(stats: &SmsStats, hours: u32) -> String {
    let mut text = format!("{} codes sent in {hours} h, {} of them to newcomers\n", stats.sent, stats.to_newcomers);
    if !stats.providers.is_empty() {
        let rows: Vec<[String; 9]> = stats
            .providers
            .iter()
            .map(|of| {
                let count = |number: u32| number.to_string();
                [
                    of.provider.clone(),
                    of.country.clone(),
                    count(of.asked),
                    count(of.accepted),
                    count(of.maybe_sent),
                    count(of.failed),
                    count(of.recipient_refused),
                    format!("{} of {}", of.entered, of.judged),
                    of.entered_percent().map_or_else(|| "-".to_owned(), |percent| format!("{percent} %")),
                ]
            })
            .collect();
        let titles =
            ["PROVIDER", "COUNTRY", "ASKED", "ACCEPTED", "UNCLEAR", "FAILED", "NUMBER REFUSED", "ENTERED", "RATE"];
        text.push('\n');
        text.push_str(&table(titles, &rows));
    }
    if !stats.blocks.is_empty() {
        let rows: Vec<[String; 4]> = stats
            .blocks
            .iter()
            .map(|block| {
                let entered = format!("{} of {}", block.entered, block.judged);
                [format!("+{}", block.digits), block.blocked_at.to_string(), block.until.to_string(), entered]
            })
            .collect();
        text.push_str("\nNumber prefixes that newcomers get no codes at (`vestibule sms unblock` lifts it):\n");
        text.push_str(&table(["PREFIX", "SINCE", "UNTIL", "ENTERED"], &rows));
    }
    text
}

fn provider(of: &ProviderStats) -> Value {
    json!({
        "provider": of.provider,
        "country": of.country,
        "asked": of.asked,
        "accepted": of.accepted,
        "maybe_sent": of.maybe_sent,
        "failed": of.failed,
        "recipient_refused": of.recipient_refused,
        "judged": of.judged,
        "entered": of.entered,
        "entered_percent": of.entered_percent(),
    })
}

fn block(block: &Block) -> Value {
    json!({
        "prefix": format!("+{}", block.digits),
        "since": block.blocked_at.to_string(),
        "until": block.until.to_string(),
        "judged": block.judged,
        "entered": block.entered,
    })
}

fn prefix(text: &str) -> Result<PrefixDigits, String> {
    PrefixDigits::parse(text).ok_or_else(|| "seven digits are needed, such as +3247012".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stats_say_how_many_codes_came_back() {
        let stats = SmsStats {
            sent: 7,
            to_newcomers: 2,
            providers: vec![ProviderStats {
                provider: "main".into(),
                country: "BE".into(),
                asked: 9,
                accepted: 6,
                maybe_sent: 1,
                failed: 1,
                recipient_refused: 1,
                judged: 8,
                entered: 6,
            }],
            blocks: Vec::new(),
        };
        let text = text(&stats, 24);
        assert!(text.starts_with("7 codes sent in 24 h, 2 of them to newcomers\n"), "{text}");
        assert!(text.contains("6 of 8") && text.contains("75 %"), "{text}");
    }

    #[tokio::test]
    async fn there_is_nothing_to_tell_where_nothing_was_sent() {
        let desk = Desk::temporary().await;
        let answer = shown(&desk, 24).await.unwrap().text;
        assert!(answer.contains("\"sent\": 0") && answer.contains("\"providers\": []"), "{answer}");
        let prefix = PrefixDigits::parse("3247012").unwrap();
        let why = Reason::parse("drill").unwrap();
        let refused = desk.operations.open_prefix(&desk.sms, &desk.act, &prefix, &why).await.unwrap_err();
        assert!(refused.to_string().contains("+3247012"), "{refused}");
    }
}
