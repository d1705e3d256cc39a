//! The database: where it is, how it is opened, and how a transaction runs on it, so that a database that is dead, stuck or locked is an
//! error within three seconds and never a hang. Knows no table but through `schema`. Floor: edge.

use std::fmt;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, PgPool, SqlitePool};
use tempfile::TempDir;
use tokio::time::timeout;

use super::backup;
use super::connection::{Connection, Done};
use super::error::SqlError;
use super::schema;
use super::value::{Row, Value};
use crate::domain::keys::Keys;
use crate::login::upkeep::BackUp;

/// How long one transaction may take in all, waiting for a connection included. Our own figure: a sign-in is answered, right or not, while
/// its browser still waits.
pub(super) const TIME_LIMIT: Duration = Duration::from_millis(2500);
/// How long writers wait for each other in SQLite; also PostgreSQL's limit on one statement. Our own figure, below `TIME_LIMIT`.
const STATEMENT_LIMIT: Duration = Duration::from_secs(2);
/// How long PostgreSQL may take to answer at start. Our own figure.
const FIRST_CONNECTION_LIMIT: Duration = Duration::from_secs(5);
/// Readers of SQLite beside its one writer. Our own figure.
const SQLITE_READERS: u32 = 4;

/// What may be set about the connections.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseSettings {
    /// Most connections to PostgreSQL.
    pub connections: u32,
    /// How long to wait for one of them, or for a reader of SQLite. (Writers of SQLite queue for one connection and may wait 2 s.)
    pub acquire: Duration,
}

impl Default for DatabaseSettings {
    fn default() -> Self {
        Self { connections: 10, acquire: Duration::from_millis(500) }
    }
}

/// An open database with the schema of this version. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    engine: Engine,
    /// For the audit chain; `None`: nothing can be written to it.
    keys: Option<Arc<Keys>>,
}

#[derive(Clone)]
enum Engine {
    /// The directory is there for a temporary database, which goes with the last clone.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        _directory: Option<Arc<TempDir>>,
    },
    Postgres(PgPool),
}

/// Which of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Database {
    /// Opens `sqlite:///absolute/path` (made, with mode 0600, when it is not there) or `postgres://…`, and brings its schema up to date.
    ///
    /// # Errors
    /// It cannot be reached or used, or its schema is newer than this version.
    pub async fn open(url: &str, settings: &DatabaseSettings) -> Result<Self, SqlError> {
        let engine = if let Some(path) = url.strip_prefix("sqlite://") {
            Self::sqlite(Path::new(path), settings, None)?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::postgres(url, settings).await?
        } else {
            return Err(SqlError::Address("it has to begin with sqlite:/// or postgres://"));
        };
        Self { engine, keys: None }.with_schema().await
    }

    /// A SQLite database in a directory of its own, which is removed with the last clone: for the demo and for tests.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub async fn temporary(settings: &DatabaseSettings) -> Result<Self, SqlError> {
        let directory = TempDir::with_prefix("vestibule-")
            .map_err(|source| SqlError::File { path: std::env::temp_dir(), source })?;
        let path = directory.path().join("accounts.db");
        let engine = Self::sqlite(&path, settings, Some(Arc::new(directory)))?;
        Self { engine, keys: None }.with_schema().await
    }

    /// The same database, with what links of the audit chain are made with.
    pub(super) fn with_keys(self, keys: Arc<Keys>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// Whether the database answers: takes and gives back the right to write, and changes nothing.
    ///
    /// # Errors
    /// It does not answer in time, or refuses.
    pub async fn probe(&self) -> Result<(), SqlError> {
        self.write(|tx| tx.roll_back(())).await
    }

    /// Runs `work` as one transaction; once more when the database undid it because of others.
    pub(super) async fn write<T, F>(&self, work: impl Fn(Connection) -> F) -> Result<T, SqlError>
    where
        F: Future<Output = Result<Done<T>, SqlError>>,
    {
        self.write_within(TIME_LIMIT, work).await
    }

    /// The same for work on thousands of rows: `limit` is also that of each statement.
    pub(super) async fn write_within<T, F>(
        &self,
        limit: Duration,
        work: impl Fn(Connection) -> F,
    ) -> Result<T, SqlError>
    where
        F: Future<Output = Result<Done<T>, SqlError>>,
    {
        let twice = async {
            match work(self.begin(limit).await?).await {
                Err(error) if error.may_be_repeated() => work(self.begin(limit).await?).await,
                other => other,
            }
        };
        Ok(timeout(limit, twice).await.unwrap_or(Err(SqlError::TimedOut(limit)))?.outcome())
    }

    /// All rows of one reading statement.
    pub(super) async fn rows<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Vec<Row>, SqlError> {
        let read = async {
            let mut connection = self.reader().await?;
            let rows = connection.rows(sql, values).await?;
            connection.give_back();
            Ok(rows)
        };
        timeout(TIME_LIMIT, read).await.unwrap_or(Err(SqlError::TimedOut(TIME_LIMIT)))
    }

    /// The first row of one reading statement.
    pub(super) async fn row<const N: usize>(
        &self,
        sql: &'static str,
        values: [Value; N],
    ) -> Result<Option<Row>, SqlError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// A copy in a new file, while others write.
    pub(super) async fn back_up(&self, to: &Path) -> Result<BackUp, SqlError> {
        match &self.engine {
            Engine::Sqlite { writer, .. } => backup::sqlite(&writer.connect_options(), to).await,
            Engine::Postgres(pool) => {
                Ok(BackUp::OwnTools { address: address_without_password(&pool.connect_options()) })
            }
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match &self.engine {
            Engine::Sqlite { .. } => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
        }
    }

    async fn begin(&self, limit: Duration) -> Result<Connection, SqlError> {
        let connection: Connection = match &self.engine {
            Engine::Sqlite { writer, .. } => writer.acquire().await?.into(),
            Engine::Postgres(pool) => pool.acquire().await?.into(),
        };
        let mut connection = connection.with_keys(self.keys.clone());
        connection.begin((limit > TIME_LIMIT).then_some(limit)).await?;
        Ok(connection)
    }

    async fn reader(&self) -> Result<Connection, SqlError> {
        Ok(match &self.engine {
            Engine::Sqlite { readers, .. } => readers.acquire().await?.into(),
            Engine::Postgres(pool) => pool.acquire().await?.into(),
        })
    }

    /// A busy machine may take longer for the first connections than anybody waits later.
    async fn with_schema(self) -> Result<Self, SqlError> {
        let began = tokio::time::Instant::now();
        loop {
            let ready = match schema::bring_up_to_date(&self).await {
                Ok(()) => self.rows("SELECT n FROM feed_head", []).await.map(drop),
                Err(error) => Err(error),
            };
            match ready {
                Err(error) if error.is_out_of_time() && began.elapsed() < FIRST_CONNECTION_LIMIT => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(self),
            }
        }
    }

    fn sqlite(path: &Path, settings: &DatabaseSettings, directory: Option<Arc<TempDir>>) -> Result<Engine, SqlError> {
        if !path.is_absolute() {
            return Err(SqlError::Address("a path has to be absolute: sqlite:///var/lib/vestibule/accounts.db"));
        }
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            // a commit that was answered survives a power cut
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(STATEMENT_LIMIT);
        let pool = || SqlitePoolOptions::new().idle_timeout(None).max_lifetime(None);
        Ok(Engine::Sqlite {
            writer: pool().max_connections(1).acquire_timeout(STATEMENT_LIMIT).connect_lazy_with(options.clone()),
            readers: pool()
                .max_connections(SQLITE_READERS)
                .acquire_timeout(settings.acquire)
                .connect_lazy_with(options.pragma("query_only", "on")),
            _directory: directory,
        })
    }

    async fn postgres(url: &str, settings: &DatabaseSettings) -> Result<Engine, SqlError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| SqlError::Address("this is not an address of PostgreSQL: postgres://user:password@host:5432/database?sslmode=verify-full"))?
            .application_name("vestibule")
            .options([
                ("statement_timeout", STATEMENT_LIMIT.as_millis().to_string()),
                ("idle_in_transaction_session_timeout", "10000".to_owned()),
            ]);
        // asked directly first: the pool would say only that it waited too long
        let first = timeout(FIRST_CONNECTION_LIMIT, options.connect()).await;
        let first = first.map_err(|_| SqlError::TimedOut(FIRST_CONNECTION_LIMIT))??;
        first.close().await?;
        let pool = PgPoolOptions::new().max_connections(settings.connections).acquire_timeout(settings.acquire);
        Ok(Engine::Postgres(pool.connect_lazy_with(options)))
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({:?})", self.dialect())
    }
}

/// As `pg_dump` takes it; the password comes from elsewhere.
fn address_without_password(options: &PgConnectOptions) -> String {
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("postgres://{}@{}:{}/{database}", options.get_username(), options.get_host(), options.get_port())
}

/// The file is made by us, and not by SQLite, so that it is nobody else's to read from the first moment; SQLite gives its companions the same mode.
fn make_private(path: &Path) -> Result<(), SqlError> {
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            warn_if_others_may_read(path);
            Ok(())
        }
        Err(source) => Err(SqlError::File { path: PathBuf::from(path), source }),
    }
}

/// Left as it is: the operator may have a reason. Password hashes in it can be guessed at by whoever reads them.
fn warn_if_others_may_read(path: &Path) {
    let mode = std::fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
    if let Ok(mode) = mode
        && mode & 0o077 != 0
    {
        tracing::warn!(path = %path.display(), mode = format!("{mode:o}"), "others may read the database file: chmod 600");
    }
}
