//! How the files that a process may have open are shared out among connections: what does not fit is refused at the door, in order, instead
//! of failing wherever a file is opened next. Asks the system nothing. Floor: roof (pure).

/// Kept back for stores, logs, certificates, health checks, listeners and the connections that are only told that there are too many. Our own
/// choice: about three times what an idle node has open.
const RESERVE: u64 = 128;
/// Idle connections to upstreams, at most. Our own choice: pingora's 128 is short for some hundred people.
const MOST_KEPT: u64 = 512;
/// So many connections are taken in any case: with less the process is of no use, and says so.
const FEWEST: u64 = 16;

/// What files are there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenFiles {
    /// Connections from downstream, each with one of its own to an upstream.
    pub connections: usize,
    /// Connections to upstreams that are kept without a request.
    pub kept: usize,
}

impl OpenFiles {
    /// Shares `files` out; `None`: there is no limit.
    #[must_use]
    pub fn shared_out(files: Option<u64>) -> Self {
        let rest = files.map_or(u64::MAX, |files| files.saturating_sub(RESERVE));
        let kept = (rest / 4).min(MOST_KEPT);
        let connections = ((rest - kept) / 2).max(FEWEST);
        let count = |files: u64| usize::try_from(files).unwrap_or(usize::MAX);
        Self { connections: count(connections), kept: count(kept) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_out_is_never_more_than_there_is() {
        for files in [256_u64, 512, 1024, 4096, 65_536, 1 << 20] {
            let shared = OpenFiles::shared_out(Some(files));
            let all = 2 * shared.connections as u64 + shared.kept as u64 + RESERVE;
            assert!(all <= files && all + 2 > files, "{files}: {shared:?}");
        }
        assert_eq!(OpenFiles::shared_out(Some(1024)), OpenFiles { connections: 336, kept: 224 });
        assert_eq!(OpenFiles::shared_out(Some(20_896)), OpenFiles { connections: 10_128, kept: 512 });
        assert_eq!(OpenFiles::shared_out(Some(10)), OpenFiles { connections: 16, kept: 0 });
        assert!(OpenFiles::shared_out(None).connections > 1 << 40);
    }
}
