//! The command line, one file a noun: each holds its `Arguments` and a `run`. A new command is such a file and one line in `Command` and `perform`.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage. Needs no running gateway. Floor: roof.

mod accounts;
mod audit;
mod check;
mod config;
mod demo;
mod desk;
mod explain;
mod init;
mod key;
mod operator;
mod output;
mod serve;
mod session;
mod sms;
mod sms_stats;
mod token;
mod two_factor;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::hardening;
use crate::config::{Config, Loaded};

use output::Failure;

/// A door in front of a web application: password and SMS code, then the application.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version, propagate_version = true, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// Where the configuration is looked for when nothing else is said (design §4.1).
const DEFAULT_FILE: &str = "/etc/vestibule/vestibule.yaml";

/// What every command takes.
#[derive(Debug, clap::Args)]
struct Common {
    /// The configuration file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "VESTIBULE_CONFIG",
        default_value = DEFAULT_FILE
    )]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::Arguments),
    /// Report every mistake in the configuration, with its key and what would be right
    Check(check::Arguments),
    /// Write a short configuration and two keys to start from
    Init(init::Arguments),
    /// Try it out: everything in one process, with a sample application; nothing is kept
    Demo(demo::Arguments),
    /// Say which rule decides about a request, why, and what the upstream would get
    Explain(explain::Arguments),
    /// Providers of SMS: try them, see what became of the codes
    #[command(subcommand)]
    Sms(sms::Arguments),
    /// Print the complete commented default file, a JSON Schema, what is in force, or the OpenAPI document of the admin API
    #[command(subcommand)]
    Config(config::Arguments),
    /// Make keys
    #[command(subcommand)]
    Key(key::Arguments),
    /// Accounts: who may sign in
    User(user::Arguments),
    /// Sessions: who is signed in
    Session(session::Arguments),
    /// Operators: who may sign in on the admin pages
    Operator(operator::Arguments),
    /// Tokens with which programs use the admin API
    Token(token::Arguments),
    /// Two-factor sign-in for everybody
    TwoFactor(two_factor::Arguments),
    /// The audit trail: who did what, and whether anybody changed it
    Audit(audit::Arguments),
    /// The accounts as a whole: a copy of them
    Accounts(accounts::Arguments),
}

/// Reads the arguments of this process and does what they say.
#[must_use]
pub fn run() -> ExitCode {
    let CommandLine { common, command } = CommandLine::parse();
    match perform(&common, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn perform(common: &Common, command: Command) -> Result<(), Failure> {
    // before anything secret is read
    hardening::keep_memory_private()
        .map_err(|error| Failure::because("the memory of this process cannot be kept private", &error))?;
    match command {
        Command::Serve(arguments) => serve::run(common, &arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Check(arguments) => check::run(common, &arguments),
        Command::Init(arguments) => init::run(common, &arguments),
        Command::Explain(arguments) => explain::run(common, &arguments),
        Command::Sms(arguments) => sms::run(common, &arguments),
        Command::Config(arguments) => config::run(common, &arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::User(arguments) => user::run(common, arguments),
        Command::Session(arguments) => session::run(common, arguments),
        Command::Operator(arguments) => operator::run(common, arguments),
        Command::Token(arguments) => token::run(common, arguments),
        Command::TwoFactor(arguments) => two_factor::run(common, arguments),
        Command::Audit(arguments) => audit::run(common, arguments),
        Command::Accounts(arguments) => accounts::run(common, arguments),
    }
}

impl Common {
    /// The configuration for commands on accounts. Mistakes that do not concern them are said on standard error, and the command goes on.
    fn load_accounts(&self) -> Result<Config, Failure> {
        let (config, elsewhere) =
            Config::load_accounts(&self.config).map_err(|problems| Failure::of_problems(&self.config, &problems))?;
        if !elsewhere.is_empty() {
            output::remark(&format!("carrying on although {}", output::list_of(&self.config, &elsewhere)));
        }
        Ok(config)
    }

    /// The configuration, without mistakes. What the operator should know is said on standard error.
    fn load(&self) -> Result<Loaded, Failure> {
        let loaded = Config::load(&self.config).map_err(|problems| Failure::of_problems(&self.config, &problems))?;
        for notice in &loaded.notices {
            output::remark(notice);
        }
        Ok(loaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        <CommandLine as clap::CommandFactory>::command().debug_assert();
        let _ = CommandLine::try_parse_from(["vestibule", "check", "--config", "x.yaml"]).unwrap();
    }

    #[test]
    fn wrong_usage_has_an_exit_code_of_its_own() {
        let error = CommandLine::try_parse_from(["vestibule", "chekc"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
