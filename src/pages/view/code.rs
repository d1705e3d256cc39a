//! What the page for a code shows: at a sign-in, and while a number is being changed. Floor: pages.

use std::time::Duration;

use minijinja::{Value, context};

use super::{FieldProblem, Notice, View, Words};
use crate::pages::page::{CodeFor, CodeNotice, CodePage, CodeProblem, CodeState, ShownNumber};
use crate::pages::texts;
use crate::web::paths;

pub(super) fn view(page: &CodePage, words: &Words<'_>) -> View {
    let (code_path, resend_path, phone_path) = match page.owed_for {
        CodeFor::SignIn => (paths::CODE, paths::RESEND, paths::PHONE),
        CodeFor::OldNumber | CodeFor::NewNumber => {
            (paths::ACCOUNT_PHONE_CODE, paths::ACCOUNT_PHONE_RESEND, paths::ACCOUNT_PHONE_NUMBER)
        }
    };
    let enrolling = matches!(page.number, ShownNumber::Whole(_));
    let notice = page.notice.map(|notice| match notice {
        CodeNotice::FormExpired => Notice { tone: "info", text: words.say("code-form-expired") },
        CodeNotice::SentAgain => Notice { tone: "good", text: words.say("code-sent-again") },
        CodeNotice::MaybeSent => Notice { tone: "info", text: words.say("code-maybe-sent") },
        CodeNotice::NotSent => Notice { tone: "bad", text: words.say("code-not-sent") },
        CodeNotice::NumberRefused if enrolling => {
            Notice { tone: "bad", text: words.say("code-number-refused-enrolling") }
        }
        CodeNotice::NumberRefused => Notice { tone: "bad", text: words.say("code-number-refused") },
        CodeNotice::TooEarly => Notice { tone: "info", text: words.time("code-asked-too-early", page.wait) },
        CodeNotice::TooOften(wait) => Notice { tone: "bad", text: words.time("code-asked-too-often", wait) },
        CodeNotice::NoneLeft => Notice { tone: "bad", text: words.say("code-none-left") },
    });
    let length = i64::from(page.length);
    let problem = page.problem.map(|problem| match problem {
        CodeProblem::Missing => FieldProblem::both("code", words.say("code-missing")),
        CodeProblem::NotDigits => {
            FieldProblem::both("code", words.with("code-not-digits", &[("length", length.into())]))
        }
        CodeProblem::Wrong { attempts_left } => FieldProblem {
            field: "code",
            summary: words.say("code-wrong"),
            inline: Some(words.with("code-attempts-left", &[("left", attempts_left.into())])),
        },
        CodeProblem::Expired => FieldProblem { field: "resend", summary: words.say("code-expired"), inline: None },
    });
    let surely_sent = page.state == CodeState::Sent && page.notice != Some(CodeNotice::MaybeSent);
    let (key, number) = match (&page.number, surely_sent) {
        (ShownNumber::Ending(ending), true) => ("code-sent-to-ending", ending),
        (ShownNumber::Whole(number), true) => ("code-sent-to-number", number),
        (ShownNumber::Ending(ending), false) => ("code-goes-to-ending", ending),
        (ShownNumber::Whole(number), false) => ("code-goes-to-number", number),
    };
    let minutes = page.lifetime.as_secs().div_ceil(60).max(1);
    let left = words.with("code-sends-left", &[("left", page.sends_left.into())]);
    View {
        template: "code.html",
        title: words.say(match (page.owed_for, page.state) {
            (CodeFor::SignIn, CodeState::Sent) => "code-title",
            (CodeFor::SignIn, CodeState::NotSent | CodeState::Expired) => "code-get-title",
            (CodeFor::OldNumber, _) => "number-old-title",
            (CodeFor::NewNumber, _) => "number-new-title",
        }),
        refers: problem.is_some()
            || page.notice == Some(CodeNotice::FormExpired)
            || notice.as_ref().is_some_and(|notice| notice.tone == "bad"),
        notice,
        problem,
        values: context! {
            code_path,
            resend_path,
            phone_path,
            cancel_path => (page.owed_for != CodeFor::SignIn).then_some(paths::ACCOUNT),
            lead_key => key,
            number,
            enrolling,
            state => match page.state { CodeState::Sent => "sent", CodeState::NotSent => "not-sent", CodeState::Expired => "expired" },
            lifetime => words.with("code-lifetime", &[("minutes", minutes.into())]),
            label => words.with("code-label", &[("length", length.into())]),
            // sending to the same number again would come to the same
            refused => enrolling && page.notice == Some(CodeNotice::NumberRefused),
            sends_left => page.sends_left,
            sends_left_text => left,
            wait => (page.wait > Duration::ZERO).then(|| wait_sentence(page.wait, words)),
        },
    }
}

/// The sentence that says how long to wait, parted around the time so that the script can count it down.
fn wait_sentence(wait: Duration, words: &Words<'_>) -> Value {
    const TIME: &str = "\u{e000}";
    let sentence = words.with("code-wait", &[("time", TIME.into())]);
    let (before, after) = sentence.split_once(TIME).unwrap_or((sentence.as_str(), ""));
    context! {
        before,
        time => texts::duration(words.0.language, wait),
        after,
        seconds => wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
    }
}
