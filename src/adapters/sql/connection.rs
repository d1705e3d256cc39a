//! One connection in use, to either database, with the three ways to run a statement. Dropped before it is given back it is closed, not
//! returned to its pool: nobody knows what state a statement left it in that was cut off in the middle. Floor: edge.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, Sqlite};

use super::error::SqlError;
use super::trail::{self, Waiting};
use super::value::{Row, Value};
use crate::domain::keys::Keys;

/// A connection on which a transaction, or a single reading statement, runs.
pub(super) struct Connection {
    engine: Option<Engine>,
    /// For the audit chain.
    keys: Option<Arc<Keys>>,
    /// Records of the audit trail that `commit` writes.
    waiting: Vec<Waiting>,
}

/// What came of a transaction that was brought to its end: only `commit` and `roll_back` make one.
pub(super) struct Done<T>(T);

impl<T> Done<T> {
    pub(super) fn outcome(self) -> T {
        self.0
    }
}

enum Engine {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl From<PoolConnection<Sqlite>> for Connection {
    fn from(connection: PoolConnection<Sqlite>) -> Self {
        Self { engine: Some(Engine::Sqlite(connection)), keys: None, waiting: Vec::new() }
    }
}

impl From<PoolConnection<Postgres>> for Connection {
    fn from(connection: PoolConnection<Postgres>) -> Self {
        Self { engine: Some(Engine::Postgres(connection)), keys: None, waiting: Vec::new() }
    }
}

impl Connection {
    /// Runs a statement; gives back how many rows it changed.
    pub(super) async fn execute<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<u64, SqlError> {
        Ok(match self.engine() {
            Engine::Sqlite(connection) => sqlite_query(sql, values).execute(&mut **connection).await?.rows_affected(),
            Engine::Postgres(connection) => {
                postgres_query(sql, values).execute(&mut **connection).await?.rows_affected()
            }
        })
    }

    /// All rows of the answer.
    pub(super) async fn rows<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<Row>, SqlError> {
        Ok(match self.engine() {
            Engine::Sqlite(connection) => {
                sqlite_query(sql, values).fetch_all(&mut **connection).await?.into_iter().map(Row::Sqlite).collect()
            }
            Engine::Postgres(connection) => {
                postgres_query(sql, values).fetch_all(&mut **connection).await?.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// The first row of the answer. The statement runs to its end all the same.
    pub(super) async fn row<const N: usize>(
        &mut self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Option<Row>, SqlError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// Several statements without arguments, or one that cannot be prepared.
    pub(super) async fn run(&mut self, sql: impl SqlSafeStr) -> Result<(), sqlx::Error> {
        let statements = sqlx::raw_sql(sql);
        match self.engine() {
            Engine::Sqlite(connection) => statements.execute(&mut **connection).await.map(drop),
            Engine::Postgres(connection) => statements.execute(&mut **connection).await.map(drop),
        }
    }

    /// Begins a transaction. IMMEDIATE: wait for the right to write at the beginning, where waiting helps. READ COMMITTED: verbs lock rows by
    /// updating them first, and have to see what was committed while they waited.
    /// `statement_limit`: instead of what PostgreSQL holds every statement to.
    pub(super) async fn begin(&mut self, statement_limit: Option<Duration>) -> Result<(), SqlError> {
        match (self.engine(), statement_limit) {
            (Engine::Sqlite(_), _) => self.run("BEGIN IMMEDIATE").await?,
            (Engine::Postgres(_), None) => self.run("BEGIN ISOLATION LEVEL READ COMMITTED").await?,
            (Engine::Postgres(_), Some(limit)) => {
                let limit = limit.as_millis();
                let begin = format!("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = {limit}");
                self.run(AssertSqlSafe(begin)).await?;
            }
        }
        Ok(())
    }

    /// `keys`: what links of the audit chain are made with.
    pub(super) fn with_keys(mut self, keys: Option<Arc<Keys>>) -> Self {
        self.keys = keys;
        self
    }

    /// A record of the audit trail, for `commit` to write.
    pub(super) fn write_down_at_commit(&mut self, record: Waiting) {
        self.waiting.push(record);
    }

    /// Writes down what waits for it, makes all that was done stay, and tells the log.
    ///
    /// # Errors
    /// `CommitUnknown` when it may have stayed all the same.
    pub(super) async fn commit<T>(mut self, outcome: T) -> Result<Done<T>, SqlError> {
        let (keys, waiting) = (self.keys.take(), std::mem::take(&mut self.waiting));
        let written = trail::write(&mut self, keys.as_deref(), waiting).await?;
        self.run("COMMIT").await.map_err(|error| match error {
            sqlx::Error::Database(_) => SqlError::Engine(error),
            _ => SqlError::CommitUnknown(error),
        })?;
        self.give_back();
        written.iter().for_each(trail::tell);
        Ok(Done(outcome))
    }

    /// Makes it as if nothing had been done.
    pub(super) async fn roll_back<T>(mut self, outcome: T) -> Result<Done<T>, SqlError> {
        self.run("ROLLBACK").await?;
        self.give_back();
        Ok(Done(outcome))
    }

    /// Hands the connection back to its pool.
    pub(super) fn give_back(mut self) {
        drop(self.engine.take());
    }

    fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("taken only by give_back and drop, which consume the connection")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        match self.engine.take() {
            Some(Engine::Sqlite(connection)) => drop(connection.detach()),
            Some(Engine::Postgres(connection)) => drop(connection.detach()),
            None => {}
        }
    }
}

fn sqlite_query<const N: usize>(sql: &'static str, values: [Value; N]) -> Query<'static, Sqlite, SqliteArguments> {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    })
}

fn postgres_query<const N: usize>(sql: &'static str, values: [Value; N]) -> Query<'static, Postgres, PgArguments> {
    values.into_iter().fold(sqlx::query(sql), |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    })
}
