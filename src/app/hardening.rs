//! Keeps the memory of this process to itself: no core files, not readable by other processes of the same user. Floor: roof.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Forbids core dumps and tracing by other processes of the same user.
///
/// # Errors
/// The kernel refuses, which is no reason to go on: the caller stops.
pub fn keep_memory_private() -> std::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
