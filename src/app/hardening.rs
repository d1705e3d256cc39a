//! What this process asks of the system before it does anything: its memory is kept to itself (no core files, not readable by other processes
//! of the same user), and it may open as many files as it is allowed to. Floor: roof.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Forbids core dumps and tracing by other processes of the same user.
///
/// # Errors
/// The kernel refuses, which is no reason to go on: the caller stops.
pub fn keep_memory_private() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// How many files may ever be open at once; `None`: there is no limit.
#[must_use]
pub fn most_open_files() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Takes the upper limit of open files, as the lower one is often 1,024: a WebSocket needs two. `None`: there is no limit.
///
/// # Errors
/// The kernel refuses; the lower limit holds.
pub fn open_as_many_files_as_allowed() -> std::io::Result<Option<u64>> {
    let allowed = most_open_files();
    setrlimit(Resource::Nofile, Rlimit { current: allowed, maximum: allowed })?;
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_that_may_be_open_are_taken() {
        let allowed = getrlimit(Resource::Nofile).maximum;
        let one_less = allowed.map_or(1 << 20, |files| files - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(one_less), maximum: allowed }).unwrap();
        assert_eq!(open_as_many_files_as_allowed().unwrap(), allowed);
        assert_eq!(getrlimit(Resource::Nofile).current, allowed);
    }
}
