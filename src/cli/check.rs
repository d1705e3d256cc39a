//! `check`: whether the configuration is right. Floor: roof.

use serde_json::json;

use super::Common;
use super::output::{self, Failure};
use crate::config::{Config, Problem};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let file = &common.config;
    let (problems, notices) = match Config::load(file) {
        Ok(loaded) => (Vec::new(), loaded.notices),
        Err(problems) => (problems, Vec::new()),
    };
    if arguments.json {
        let as_json = |problem: &Problem| json!({ "key": problem.key, "wrong": problem.wrong, "right": problem.right });
        output::print_json(&json!({
            "file": file,
            "problems": problems.iter().map(as_json).collect::<Vec<_>>(),
            "notices": notices,
        }))?;
    } else if problems.is_empty() {
        for notice in &notices {
            output::remark(notice);
        }
        output::print(&format!("{} is right.\n", file.display()))?;
    } else {
        output::print(&format!("{}\n", output::list_of(file, &problems)))?;
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::said()) }
}
