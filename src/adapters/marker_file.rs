//! The note of how far the database has come, in a file beside a SQLite database. Put in place whole, so that a power cut leaves the one or the
//! other. Floor: edge.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::login::markers::MarkerPlace;
use crate::login::ports::{PortError, PortResult};

/// Longer than any note.
const MOST_BYTES: u64 = 4096;

/// A file that only we write.
#[derive(Debug)]
pub struct MarkerFile {
    path: PathBuf,
}

impl MarkerFile {
    /// `accounts.db.marker` for `accounts.db`.
    #[must_use]
    pub fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push(".marker");
        Self { path: path.into() }
    }

    /// Whether anything was ever noted here.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.path.exists()
    }
}

#[async_trait]
impl MarkerPlace for MarkerFile {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    async fn read(&self, _installation: &str) -> PortResult<Option<Vec<u8>>> {
        let path = self.path.clone();
        off_the_runtime(move || read(&path)).await
    }

    async fn write(&self, _installation: &str, marker: &[u8]) -> PortResult<()> {
        let (path, marker) = (self.path.clone(), marker.to_vec());
        off_the_runtime(move || write(&path, &marker)).await
    }
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> PortResult<T> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)));
    done.map_err(|error| PortError::new("marker file", error))
}

fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut marker = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut marker)?;
    Ok(Some(marker))
}

fn write(path: &Path, marker: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::with_prefix_in(".vestibule-marker-", directory)?;
    file.write_all(marker)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_noted_is_read_again_and_nobody_elses() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let file = MarkerFile::beside(&directory.path().join("accounts.db"));
        assert_eq!(file.read("x").await.unwrap(), None);
        for marker in [&b"one"[..], b"two"] {
            file.write("x", marker).await.unwrap();
            assert_eq!(file.read("x").await.unwrap().as_deref(), Some(marker));
        }
        let names: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["accounts.db.marker"]);
        let mode = std::fs::metadata(directory.path().join("accounts.db.marker")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(MarkerFile::beside(Path::new("/nowhere/accounts.db")).write("x", b"one").await.is_err());
    }
}
