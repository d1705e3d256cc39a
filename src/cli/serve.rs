//! `vestibule serve`: run the gateway. Floor: roof.

use super::Common;
use super::output::Failure;
use crate::app::{hardening, logging, serve};
use crate::config::open_files::OpenFiles;
use crate::login::fail_point;

/// Nothing but the configuration decides how it serves.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(common: &Common, _: &Arguments) -> Result<(), Failure> {
    let begun = serve::begin().map_err(|error| Failure::because("serving did not begin", &error))?;
    let loaded = common.load()?;
    logging::start(&loaded.config.log);
    match hardening::open_as_many_files_as_allowed() {
        Ok(files) => tracing::info!(files, "so many files may be open at once: two for a connection that is proxied"),
        Err(error) => tracing::warn!(cause = %error, "the limit of open files stays as it is"),
    }
    let (total, files) = (loaded.config.limits.connections.total, hardening::most_open_files());
    let fitting = OpenFiles::shared_out(files).connections;
    if fitting < total {
        tracing::warn!(
            key = "limits.connections.total",
            configured = total,
            fitting,
            files,
            "fewer connections are taken than are configured: more do not fit into the limit of open files (LimitNOFILE, ulimit -n)"
        );
    }
    if loaded.config.testing {
        tracing::warn!("testing: true: lower bounds of durations are lifted; never in production");
        if let Ok(name) = std::env::var("VESTIBULE_FAILPOINT") {
            fail_point::arm(&name).map_err(Failure::new)?;
            tracing::warn!(name, "this process dies at a fail-point, or waits there");
        }
    }
    let running = serve::prepare(begun, &loaded.config, Some(&common.config))
        .map_err(|error| Failure::because("serving did not begin", &error))?;
    running.run();
    Ok(())
}
