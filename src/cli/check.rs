//! `check`: whether the configuration is right. Floor: roof.

use serde_json::json;

use super::Common;
use super::output::{self, Failure};
use crate::app::probe::{self, Probed};
use crate::config::{Config, Problem};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Also ask Redis, SQL, the SMS vendors' servers and the upstreams whether they answer; sends no SMS
    #[arg(long)]
    probe: bool,
    /// Print a JSON document
    #[arg(long)]
    json: bool,
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    let file = &common.config;
    let (problems, notices, probed) = match Config::load(file) {
        Ok(loaded) if arguments.probe => (Vec::new(), loaded.notices, ask(&loaded.config)?),
        Ok(loaded) => (Vec::new(), loaded.notices, Vec::new()),
        Err(problems) => (problems, Vec::new(), Vec::new()),
    };
    if arguments.json {
        let as_json = |problem: &Problem| json!({ "key": problem.key, "wrong": problem.wrong, "right": problem.right });
        output::print_json(&json!({
            "file": file,
            "problems": problems.iter().map(as_json).collect::<Vec<_>>(),
            "notices": notices,
            "probed": probed.iter().map(probed_as_json).collect::<Vec<_>>(),
        }))?;
    } else if problems.is_empty() {
        for notice in &notices {
            output::remark(notice);
        }
        output::print(&format!("{} is right.\n", file.display()))?;
        for Probed { key, answer } in &probed {
            let (word, what) = match answer {
                Ok(what) => ("answers", what),
                Err(why) => ("DOES NOT", why),
            };
            output::print(&format!("  {word:8}  {key}: {what}\n"))?;
        }
    } else {
        output::print(&format!("{}\n", output::list_of(file, &problems)))?;
    }
    let all_answer = probed.iter().all(|probed| probed.answer.is_ok());
    if problems.is_empty() && all_answer { Ok(()) } else { Err(Failure::said()) }
}

fn ask(config: &Config) -> Result<Vec<Probed>, Failure> {
    // an error means that it is in place already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::because("no runtime", &error))?;
    Ok(runtime.block_on(probe::probe(config)))
}

fn probed_as_json(probed: &Probed) -> serde_json::Value {
    match &probed.answer {
        Ok(what) => json!({ "key": probed.key, "answers": true, "what": what }),
        Err(why) => json!({ "key": probed.key, "answers": false, "why": why }),
    }
}
