//! What a configuration may point to: files and environment variables. A trait, so that tests bring their own. Floor: roof.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::app::clock::SystemClock;
use crate::app::hardening::most_open_files;
use crate::domain::time::UnixMillis;
use crate::gateway::bounded_file::{self, Accepted};
use crate::login::ports::Clock as _;

/// Where `{ file: … }` and `{ env: … }` are looked up.
pub(super) trait Surroundings {
    /// The file's content.
    ///
    /// # Errors
    /// Not there, not what is accepted, not readable, or larger than `most_bytes`.
    fn file(&self, path: &Path, accepted: Accepted, most_bytes: u64) -> io::Result<Content>;

    /// Whether there is a folder.
    fn is_folder(&self, path: &Path) -> bool;

    /// How many files this process may ever have open at once; `None`: as many as it likes.
    fn open_files(&self) -> Option<u64>;

    /// The time of day.
    fn now(&self) -> UnixMillis;

    /// An environment variable; `None` when it is not set or no UTF-8.
    fn variable(&self, name: &str) -> Option<Zeroizing<String>>;
}

/// A file that was read.
pub(super) struct Content {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) readers: Readers,
}

/// Who can read a file besides the one who has to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    OnlyUs,
    Others,
}

/// The machine we run on.
pub(super) struct Machine;

impl Surroundings for Machine {
    fn file(&self, path: &Path, accepted: Accepted, most_bytes: u64) -> io::Result<Content> {
        let read = bounded_file::read(path, accepted, most_bytes)?;
        Ok(Content { bytes: read.bytes, readers: readers(read.metadata.mode(), read.metadata.uid()) })
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn open_files(&self) -> Option<u64> {
        most_open_files()
    }

    fn now(&self) -> UnixMillis {
        SystemClock.now()
    }

    fn variable(&self, name: &str) -> Option<Zeroizing<String>> {
        std::env::var(name).ok().map(Zeroizing::new)
    }
}

/// A group may read a file that is not ours: that is how Kubernetes hands out secrets (owner root, group ours, 0440).
fn readers(mode: u32, owner: u32) -> Readers {
    let ours = owner == rustix::process::geteuid().as_raw();
    let group_reads = mode & 0o040 != 0;
    let world_reads = mode & 0o004 != 0;
    if world_reads || (group_reads && ours) { Readers::Others } else { Readers::OnlyUs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_may_read_no_secret_and_a_group_only_one_of_another_owner() {
        let us = rustix::process::geteuid().as_raw();
        assert_eq!(readers(0o100_600, us), Readers::OnlyUs);
        assert_eq!(readers(0o100_640, us), Readers::Others);
        assert_eq!(readers(0o100_604, us), Readers::Others);
        assert_eq!(readers(0o100_440, us + 1), Readers::OnlyUs);
        assert_eq!(readers(0o100_444, us + 1), Readers::Others);
    }
}
