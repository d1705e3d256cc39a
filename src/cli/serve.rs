//! `vestibule serve`: run the gateway. Floor: roof.

use super::Common;
use super::output::Failure;
use crate::app::{logging, serve};
use crate::login::fail_point;

/// Nothing but the configuration decides how it serves.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

pub(super) fn run(common: &Common, _: &Arguments) -> Result<(), Failure> {
    let loaded = common.load()?;
    logging::start(&loaded.config.log);
    if loaded.config.testing {
        tracing::warn!("testing: true: lower bounds of durations are lifted; never in production");
        if let Ok(name) = std::env::var("VESTIBULE_FAILPOINT") {
            fail_point::arm(&name).map_err(Failure::new)?;
            tracing::warn!(name, "this process dies at a fail-point");
        }
    }
    let running = serve::prepare(&loaded.config, Some(&common.config))
        .map_err(|error| Failure::because("serving did not begin", &error))?;
    running.run();
    Ok(())
}
