//! `vestibule demo`: everything in one process, to try it out. Floor: roof.

use std::net::SocketAddr;

use url::Url;

use super::output::Failure;
use crate::app::demo::{self, Demo};

/// Where it listens and what stands behind it.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to listen, on this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Your own application on this machine instead of the sample, as in http://127.0.0.1:3000
    #[arg(long, value_name = "URL")]
    upstream: Option<Url>,
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let demo = Demo { listen: arguments.listen, upstream: arguments.upstream };
    demo::run(&demo).map_err(|error| Failure::because("the demo did not begin", &error))
}
