//! Reading the audit trail, taking it elsewhere, and checking its chain. Names of fields are relied on by scripts. Floor: edge.

use std::io;

use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::operations::{OperationError, Operations, Refusal};
use crate::domain::audit::{AuditEvent, AuditLine};
use crate::domain::audit_chain::{ChainReport, KnownHead, KnownOutcome};
use crate::domain::operator::{Forbidden, OperatorRole};
use crate::domain::time::UnixMillis;
use crate::domain::user_name::UserName;
use crate::login::trail::{TrailAccount, TrailFilter, TrailTurn};

/// Which records. All that is said has to be so.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// About this account, or done by its user. A name that was given anew stands for all that had it.
    pub account: Option<UserName>,
    pub event: Option<AuditEvent>,
    /// The whole of it: `cli:root`, `user:anna`, `system`.
    pub actor: Option<String>,
    /// Not before.
    pub since: Option<UnixMillis>,
    /// Before.
    pub until: Option<UnixMillis>,
}

/// How the trail is written for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One JSON object a line.
    JsonLines,
    /// With a line of titles. Cells that a spreadsheet would take for a formula begin with an apostrophe.
    Csv,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Operation(#[from] OperationError),
    #[error("the export cannot be written")]
    Sink(#[source] io::Error),
}

/// A record as operators read it. Times are RFC 3339 in UTC; what is not there is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub struct AuditView {
    /// Grows; `audit_page` goes on from it.
    pub id: i64,
    pub at: String,
    /// The same.
    #[serde(skip)]
    pub moment: UnixMillis,
    pub event: String,
    pub actor: String,
    /// The name of the account it is about, as it was then.
    pub user_name: Option<String>,
    /// The account's id: it stays when a name is given anew.
    pub account: Option<String>,
    pub site: Option<String>,
    pub source: Option<String>,
    pub reason: Option<String>,
    pub request_id: Option<String>,
    /// Its number in the chain; null: not chained.
    pub number: Option<i64>,
}

/// What a check came to.
#[derive(Debug, Serialize)]
pub struct ChainView {
    pub sound: bool,
    /// `17:0123456789abcdef`
    pub head: String,
    pub links: u64,
    /// The number of the last record that retention took away; 0: none.
    pub begins_after: i64,
    pub tidied_at: Option<String>,
    /// `found`, `taken_away` or `not_found`; null when no head was given.
    pub known_head: Option<&'static str>,
    pub faults: Vec<FaultView>,
    pub more_faults: u64,
}

#[derive(Debug, Serialize)]
pub struct FaultView {
    /// Stable, for programs.
    pub fault: &'static str,
    pub text: String,
}

/// Records that are read at a time for an export. Our own figure.
const PAGE: u32 = 1000;
/// The columns of a CSV.
const COLUMNS: [&str; 11] =
    ["id", "at", "event", "actor", "user_name", "account", "site", "source", "reason", "request_id", "number"];

impl Operations {
    /// Whether an operator with this role may read what the filter lets through: an admin everything, a helpdesk the records of one account that
    /// there is and that is no operator's.
    ///
    /// # Errors
    /// Why not, or when the directory could not tell.
    pub async fn may_read_audit(&self, role: OperatorRole, filter: &AuditFilter) -> Result<(), OperationError> {
        match (role, &filter.account) {
            (OperatorRole::Admin, _) => Ok(()),
            (OperatorRole::Helpdesk, None) => Err(Refusal::Forbidden(Forbidden::NeedsAdmin).into()),
            (OperatorRole::Helpdesk, Some(name)) => match self.account(name).await?.operator_role {
                None => Ok(()),
                Some(_) => Err(Refusal::Forbidden(Forbidden::AnOperator).into()),
            },
        }
    }

    /// Records, newest first: those before the id `after`, or the newest. The last one's id asks for the next page.
    ///
    /// # Errors
    /// When the trail could not tell.
    pub async fn audit_page(
        &self,
        filter: &AuditFilter,
        after: Option<i64>,
        most: u32,
    ) -> Result<Vec<AuditView>, OperationError> {
        let filter = self.trail_filter(filter).await?;
        let lines = self.trail.page(&filter, TrailTurn::NewestFirst { before: after }, most).await?;
        Ok(lines.into_iter().map(AuditView::of).collect())
    }

    /// Writes records to `sink`, oldest first, a page at a time: they are never all in memory.
    ///
    /// # Errors
    /// When the trail could not tell, or the sink takes no more.
    pub async fn export_audit(
        &self,
        filter: &AuditFilter,
        format: ExportFormat,
        sink: &mut impl io::Write,
    ) -> Result<u64, ExportError> {
        let filter = self.trail_filter(filter).await?;
        let (mut after, mut count) = (None, 0);
        if format == ExportFormat::Csv {
            sink.write_all(&csv_row(COLUMNS)).map_err(ExportError::Sink)?;
        }
        loop {
            let turn = TrailTurn::OldestFirst { after };
            let lines = self.trail.page(&filter, turn, PAGE).await.map_err(OperationError::Unavailable)?;
            let Some(last) = lines.last() else {
                return sink.flush().map(|()| count).map_err(ExportError::Sink);
            };
            after = Some(last.id);
            for line in lines {
                let row = AuditView::of(line).in_format(format);
                sink.write_all(&row).map_err(ExportError::Sink)?;
                count += 1;
            }
        }
    }

    /// Checks the chain. `known`: a head that the log has told, which the chain has to hold still.
    ///
    /// # Errors
    /// When the trail could not tell. A chain that is broken is no error but a report.
    pub async fn verify_audit(&self, known: Option<&KnownHead>) -> Result<ChainReport, OperationError> {
        Ok(self.trail.verify(known).await?)
    }

    async fn trail_filter(&self, filter: &AuditFilter) -> Result<TrailFilter, OperationError> {
        let account = match &filter.account {
            None => None,
            Some(name) => {
                let id = self.directory.find(name).await?.map(|account| account.id);
                Some(TrailAccount { user_name: name.clone(), id })
            }
        };
        let AuditFilter { account: _, event, actor, since, until } = filter.clone();
        Ok(TrailFilter { account, event, actor, since, until })
    }
}

impl AuditView {
    fn of(line: AuditLine) -> Self {
        let by_user = line.actor.strip_prefix("user:").filter(|name| *name != "?").map(str::to_owned);
        Self {
            id: line.id,
            at: line.at.to_string(),
            moment: line.at,
            event: line.event,
            user_name: line.user_name.or(by_user.filter(|_| line.account.is_some())),
            actor: line.actor,
            account: line.account,
            site: line.site,
            source: line.source,
            reason: line.reason,
            request_id: line.request_id,
            number: line.link.map(|link| link.number),
        }
    }

    fn in_format(self, format: ExportFormat) -> Vec<u8> {
        match format {
            ExportFormat::JsonLines => {
                let mut row = serde_json::to_vec(&self).expect("views are plain data");
                row.push(b'\n');
                row
            }
            ExportFormat::Csv => {
                let text = Option::unwrap_or_default;
                csv_row([
                    self.id.to_string(),
                    self.at,
                    self.event,
                    self.actor,
                    text(self.user_name),
                    text(self.account),
                    text(self.site),
                    text(self.source),
                    text(self.reason),
                    text(self.request_id),
                    self.number.map(|number| number.to_string()).unwrap_or_default(),
                ])
            }
        }
    }
}

impl ChainView {
    #[must_use]
    pub fn of(report: &ChainReport) -> Self {
        Self {
            sound: report.is_sound(),
            head: report.head.to_string(),
            links: report.links,
            begins_after: report.begins_after,
            tidied_at: report.tidied_at.map(|at| at.to_string()),
            known_head: report.known.map(|known| match known {
                KnownOutcome::Found => "found",
                KnownOutcome::TakenAway => "taken_away",
                KnownOutcome::NotFound => "not_found",
            }),
            faults: report
                .faults
                .iter()
                .map(|fault| FaultView { fault: fault.name(), text: fault.to_string() })
                .collect(),
            more_faults: report.more_faults,
        }
    }
}

fn csv_row<T: AsRef<str>>(cells: [T; 11]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(cells.iter().map(|cell| defused(cell.as_ref()))).expect("memory takes every row");
    csv.into_inner().expect("memory takes every row")
}

/// What spreadsheets take for a formula (OWASP, CSV Injection) begins with an apostrophe, so that it is text.
fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_a_spreadsheet_would_compute_are_text() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(defused(cell), format!("'{cell}"));
        }
        for cell in ["anna", "1-1", "::1", ""] {
            assert_eq!(defused(cell), cell);
        }
    }
}
