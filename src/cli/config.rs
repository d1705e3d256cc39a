//! `config`: what can be configured, what is, and what can be asked of it. Floor: roof.

use super::Common;
use super::output::{self, Failure};
use crate::admin::api;
use crate::config::{reference, schema};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Arguments {
    /// Print a configuration file with every setting, its default and an explanation
    Reference,
    /// Print a JSON Schema (2020-12) of the configuration file, for editors
    Schema,
    /// Print the OpenAPI 3.1 document of the admin API
    Openapi,
    /// Print what is in force, defaults included, secrets hidden
    Show {
        /// Print a JSON document
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Reference => output::print(&reference::reference()),
        Arguments::Schema => output::print_json(&schema::schema()),
        Arguments::Openapi => output::print_json(&api::document()),
        Arguments::Show { json } => {
            let loaded = common.load()?;
            if *json { output::print_json(&loaded.in_force) } else { output::print(&loaded.in_force_as_yaml()) }
        }
    }
}
