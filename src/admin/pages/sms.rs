//! What became of the SMS that were sent: how providers fare, how full the caps are, and which number prefixes are closed. A helpdesk sees it too:
//! "no code came" is what it is asked about. Opening a prefix is an admin's. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use super::Desk;
use super::account::sentence;
use super::deed::{Typed, forbidden};
use super::visit::{Submission, Visit};
use super::words::time;
use crate::admin::operations::{OperationError, Reason, Refusal};
use crate::admin::sms::{CapUse, PrefixDigits};
use crate::domain::limits::GuardMode;
use crate::domain::operator::{OperatorAction, may_begin};
use crate::login::sending::guard::Scope;
use crate::login::sending::ports::Block;
use crate::login::sending::reports::{ProviderStats, SmsStats};
use crate::pages::operators::{DeedNotice, DeedPage, DeedProblem, OperatorsPage};
use crate::pages::operators_figures::{CapLine, PrefixLine, ProviderLine, SmsPage, SpanLink};

const HERE: &str = "/sms";
const OPEN: &str = "/sms/open-prefix";
/// In hours, with their words.
const SPANS: [(u32, &str); 4] = [(1, "hour"), DAY, (168, "7 days"), (720, "30 days")];
/// Shown when nothing is asked for.
const DAY: (u32, &str) = (24, "day");
const HOUR: Duration = Duration::from_secs(3600);

/// GET: the figures.
pub(super) async fn show(State(desk): State<Arc<Desk>>, visit: Visit) -> Response {
    let asked: Option<u32> = visit.query("hours").parse().ok();
    let known = SPANS.into_iter().find(|(hours, _)| asked == Some(*hours));
    let (hours, span) = known.unwrap_or(DAY);
    let act = visit.act();
    let looked = async {
        let stats = desk.sms.stats(&act, HOUR * hours).await?;
        let caps = desk.sms.caps(&act, &desk.login.settings().sending.caps).await?;
        Ok((stats, caps))
    };
    match looked.await {
        Ok((stats, caps)) => visit.page(&OperatorsPage::Sms(page(&visit, span, &stats, &caps))),
        Err(error) => visit.failed(&error),
    }
}

fn page(visit: &Visit, span: &'static str, stats: &SmsStats, caps: &[CapUse]) -> SmsPage {
    let may_open = visit.role.may(OperatorAction::OpenPrefix);
    SmsPage {
        span,
        spans: SPANS
            .into_iter()
            .map(|(hours, text)| SpanLink { href: format!("{HERE}?hours={hours}"), text, is_shown: text == span })
            .collect(),
        sent: stats.sent,
        to_newcomers: stats.to_newcomers,
        providers: stats.providers.iter().map(provider).collect(),
        caps: caps.iter().map(cap).collect(),
        prefixes: stats.blocks.iter().map(|block| prefix(block, may_open)).collect(),
        notice: (visit.query("done") == "open")
            .then(|| "Newcomers with that number prefix get codes again.".to_owned()),
    }
}

fn provider(of: &ProviderStats) -> ProviderLine {
    ProviderLine {
        provider: of.provider.clone(),
        country: of.country.clone(),
        rate: of.entered_percent().map(|percent| format!("{percent} %")),
        entered: of.entered,
        judged: of.judged,
        asked: of.asked,
        accepted: of.accepted,
        maybe_sent: of.maybe_sent,
        failed: of.failed,
        recipient_refused: of.recipient_refused,
    }
}

fn cap(of: &CapUse) -> CapLine {
    let minutes = of.cap.window.as_secs() / 60;
    let window = match minutes {
        0..=1 => "a minute".to_owned(),
        2..=59 => format!("{minutes} minutes"),
        _ => "a day".to_owned(),
    };
    let whose = match of.cap.scope {
        Scope::Total => "Everybody",
        Scope::Newcomers => "Newcomers",
        Scope::Prefix => "Newcomers of one number prefix (the fullest)",
        Scope::DialCode => "Newcomers of one dial code (the fullest)",
    };
    CapLine {
        whose,
        window,
        counted: of.counted,
        most: of.cap.most,
        percent: u32::try_from(u64::from(of.counted) * 100 / u64::from(of.cap.most.max(1))).unwrap_or(u32::MAX),
        only_observed: of.cap.mode == GuardMode::Observe,
    }
}

fn prefix(block: &Block, may_open: bool) -> PrefixLine {
    PrefixLine {
        prefix: format!("+{}", block.digits),
        since: time(block.blocked_at),
        until: time(block.until),
        entered: block.entered,
        judged: block.judged,
        open_href: may_open.then(|| format!("{OPEN}?prefix={}", block.digits)),
    }
}

/// GET: asks why.
pub(super) async fn ask_open(visit: Visit) -> Response {
    if let Err(why) = may_begin(visit.role, OperatorAction::OpenPrefix) {
        return forbidden(&visit, &why, HERE);
    }
    let Some(prefix) = PrefixDigits::parse(&visit.query("prefix")) else { return no_prefix(&visit) };
    if !visit.is_fresh() {
        return visit.ask_again();
    }
    form(&visit, &prefix, Typed::default())
}

/// POST: opens the prefix.
pub(super) async fn open(State(desk): State<Arc<Desk>>, submission: Submission) -> Response {
    let (visit, opened) = submission.open();
    let Some(prefix) = PrefixDigits::parse(&visit.query("prefix")) else { return no_prefix(&visit) };
    let fields = match opened {
        Ok(fields) => fields,
        Err(stale) => {
            let reason = stale.shown_again("reason").to_owned();
            return form(&visit, &prefix, Typed { reason, notice: Some(DeedNotice::FormExpired), ..Typed::default() });
        }
    };
    let typed = fields.field("reason").to_owned();
    if !visit.is_fresh() {
        return form(&visit, &prefix, Typed { reason: typed, notice: Some(DeedNotice::NotFresh), ..Typed::default() });
    }
    let Some(reason) = Reason::parse(&typed) else {
        let text = "Say why, in 1 to 500 characters.".to_owned();
        let problem = Some(DeedProblem { field: "reason", text, status: StatusCode::UNPROCESSABLE_ENTITY });
        return form(&visit, &prefix, Typed { reason: typed, problem, ..Typed::default() });
    };
    match visit.operations().open_prefix(&desk.sms, &visit.act(), &prefix, &reason).await {
        Ok(()) => visit.see("/sms?done=open"),
        Err(OperationError::Refused(Refusal::Forbidden(why))) => forbidden(&visit, &why, HERE),
        Err(OperationError::Refused(Refusal::PrefixNotClosed(_))) => {
            let text = "Newcomers are not kept from numbers with this prefix (any more).".to_owned();
            visit.refusal(StatusCode::CONFLICT, "Not done", text, HERE)
        }
        Err(OperationError::Refused(refusal)) => {
            visit.refusal(StatusCode::UNPROCESSABLE_ENTITY, "Not done", sentence(&refusal.to_string()), HERE)
        }
        Err(error) => visit.failed(&error),
    }
}

fn no_prefix(visit: &Visit) -> Response {
    let text = "A number prefix is seven digits, such as 3247012.".to_owned();
    visit.refusal(StatusCode::NOT_FOUND, "Not found", text, HERE)
}

fn form(visit: &Visit, prefix: &PrefixDigits, typed: Typed) -> Response {
    let digits = prefix.as_str();
    let explained = format!(
        "Newcomers whose numbers begin with +{digits} get codes again. The prefix was closed because hardly any of its codes were entered, which is how \
         it looks when somebody is after the messages. What was sent until now does not count against it again."
    );
    visit.page(&OperatorsPage::Deed(DeedPage {
        title: format!("Open the number prefix +{digits}"),
        paragraphs: vec![explained],
        action: format!("{OPEN}?prefix={digits}"),
        back: HERE.to_owned(),
        fields: Vec::new(),
        reason: typed.reason,
        button: "Open the prefix",
        problem: typed.problem,
        notice: typed.notice,
    }))
}
