//! The numbered steps that bring a database from nothing to the schema of this version, each once and in a transaction of its own.
//! There is no way back: an older version refuses a newer schema. Floor: edge.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::connection::{Connection, Done};
use super::database::{Database, Dialect};
use super::error::SqlError;

/// The steps in order; the first is number 1. A step that was released is never changed.
const STEPS: [&str; 12] = [
    include_str!("schema/0001_first.sql"),
    include_str!("schema/0002_one_time_passwords.sql"),
    include_str!("schema/0003_accounts_of_a_number.sql"),
    include_str!("schema/0004_markers.sql"),
    include_str!("schema/0005_request_of_an_audit_record.sql"),
    include_str!("schema/0006_operators.sql"),
    include_str!("schema/0007_sms_providers.sql"),
    include_str!("schema/0008_enrolment_tickets.sql"),
    include_str!("schema/0009_sms_guard.sql"),
    include_str!("schema/0010_audit_chain.sql"),
    include_str!("schema/0011_api_tokens.sql"),
    include_str!("schema/0012_notices.sql"),
];
/// How long one step may take. Our own figure, for tables that have grown.
const STEP_LIMIT: Duration = Duration::from_secs(60);
/// Names the lock that nodes starting at once take in PostgreSQL: `vestib` in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(130253302294882)";

/// Runs the steps that are missing. Nodes that start at once wait for each other: the right to write is taken once for each missing step, and
/// once when there is none.
pub(super) async fn bring_up_to_date(database: &Database) -> Result<(), SqlError> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let mut taken = 0;
    for (number, step) in (1..).zip(STEPS) {
        if number <= taken {
            continue;
        }
        let dialect = database.dialect();
        let text = in_dialect(step, dialect);
        taken = database.write_within(STEP_LIMIT, |tx| take_step(tx, dialect, number, known, &text)).await?;
    }
    Ok(())
}

/// The number of the last step that was taken, this one or a later one.
async fn take_step(
    mut tx: Connection,
    dialect: Dialect,
    number: i64,
    known: i64,
    text: &str,
) -> Result<Done<i64>, SqlError> {
    if dialect == Dialect::Postgres {
        tx.run(LOCK).await?;
    }
    tx.run("CREATE TABLE IF NOT EXISTS schema_version (number BIGINT PRIMARY KEY)").await?;
    let found = match tx.row("SELECT MAX(number) AS number FROM schema_version", []).await? {
        Some(row) => row.optional_int("number")?.unwrap_or(0),
        None => 0,
    };
    if found > known {
        return Err(SqlError::NewerSchema { found, known });
    }
    if found >= number {
        return tx.roll_back(found).await;
    }
    tx.run(AssertSqlSafe(text)).await?;
    tx.execute("INSERT INTO schema_version (number) VALUES ($1)", [number.into()]).await?;
    tx.commit(number).await
}

/// The steps say BYTES, ASCII and COUNTER where the two databases have no type in common.
fn in_dialect(step: &str, dialect: Dialect) -> String {
    let (bytes, ascii, counter) = match dialect {
        Dialect::Sqlite => ("BLOB", "TEXT", "INTEGER PRIMARY KEY AUTOINCREMENT"),
        Dialect::Postgres => ("BYTEA", "TEXT COLLATE \"C\"", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
    };
    step.replace("{BYTES}", bytes).replace("{ASCII}", ascii).replace("{COUNTER}", counter)
}
