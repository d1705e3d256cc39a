//! A copy of a SQLite database beside those who write to it: taken by SQLite itself in one reading transaction, examined, and only then given
//! its name. PostgreSQL has tools of its own for this, of the server's version, which we do not double. Floor: edge.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tempfile::NamedTempFile;
use tokio::time::timeout;

use super::error::SqlError;
use crate::login::upkeep::BackUp;

/// How long a copy may take. Our own figure: far longer than any size we know of.
const LIMIT: Duration = Duration::from_secs(3600);

/// Copies the database that `source` opens into the new file `to`.
pub(super) async fn sqlite(source: &SqliteConnectOptions, to: &Path) -> Result<BackUp, SqlError> {
    if to.symlink_metadata().is_ok() {
        return Ok(BackUp::Exists);
    }
    let directory = match to.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    let failed = |path: &Path| {
        let path = PathBuf::from(path);
        move |source| SqlError::File { path, source }
    };
    // mode 0600 from the first moment; SQLite writes into a file that is there and empty
    let copy = NamedTempFile::with_prefix_in(".vestibule-backup-", directory).map_err(failed(directory))?;
    timeout(LIMIT, copy_into(source, copy.path())).await.unwrap_or(Err(SqlError::TimedOut(LIMIT)))?;
    copy.as_file().sync_all().map_err(failed(copy.path()))?;
    let size_bytes = copy.as_file().metadata().map_err(failed(copy.path()))?.len();
    match copy.persist_noclobber(to) {
        Ok(_) => {}
        Err(refused) if refused.error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(BackUp::Exists),
        Err(refused) => return Err(failed(to)(refused.error)),
    }
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed(directory))?;
    Ok(BackUp::Done { size_bytes })
}

async fn copy_into(source: &SqliteConnectOptions, path: &Path) -> Result<(), SqlError> {
    let name = path.to_str().ok_or(SqlError::Address("the name of the copy has to be UTF-8"))?;
    // a connection of its own: nobody waits for it
    let mut connection = source.connect().await?;
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut connection).await?;
    connection.close().await?;
    let mut copy = SqliteConnectOptions::new().filename(path).read_only(true).connect().await?;
    let found: String = sqlx::query("PRAGMA integrity_check").fetch_one(&mut copy).await?.try_get(0)?;
    copy.close().await?;
    if found == "ok" { Ok(()) } else { Err(SqlError::BadCopy(found)) }
}
