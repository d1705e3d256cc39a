//! `vestibule sms`, and of its verbs `test`: one message to one number, with what was asked of the vendor and what it answered. Needs no running gateway.
//! Floor: roof.

use serde_json::json;

use super::Common;
use super::output::{self, Failure};
use super::sms_stats::{self, StatsArguments, UnblockArguments};
use crate::adapters::sms::attempt::HttpSms;
use crate::app::rooms;
use crate::config::Config;
use crate::config::sms::Provider;
use crate::domain::code::Code;
use crate::domain::language::Language;
use crate::domain::phone::PhoneNumber;
use crate::login::ports::{SmsMessage, SmsResult};
use crate::pages::sms_text;

/// `vestibule sms`
#[derive(Debug, clap::Subcommand)]
pub(super) enum Arguments {
    /// Send a test message and show what was asked and answered
    Test(TestArguments),
    /// Show what became of the codes that each provider was asked to send, and which number prefixes are closed
    Stats(StatsArguments),
    /// Let newcomers get codes again at numbers with a prefix that was closed because hardly any code was entered
    Unblock(UnblockArguments),
}

#[derive(Debug, clap::Args)]
pub(super) struct TestArguments {
    /// The number, with its country code
    #[arg(long, value_name = "NUMBER")]
    to: String,
    /// Which provider; the first one if not given
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Only show the request, secrets masked; send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(common: &Common, arguments: &Arguments) -> Result<(), Failure> {
    match arguments {
        Arguments::Test(arguments) => test(common, arguments),
        Arguments::Stats(arguments) => sms_stats::stats(common, arguments),
        Arguments::Unblock(arguments) => sms_stats::unblock(common, arguments),
    }
}

fn test(common: &Common, arguments: &TestArguments) -> Result<(), Failure> {
    let loaded = common.load()?;
    let config = &loaded.config;
    let number = PhoneNumber::parse(&arguments.to, config.sms.countries.first().copied(), &config.sms.countries)
        .map_err(|problem| Failure::because("--to", &problem))?;
    let provider = choose(config, arguments.provider.as_deref())?;
    let settings = match provider {
        Provider::Terminal { .. } => {
            return Err(Failure::new("this provider writes to the terminal of `serve`; there is nothing to test"));
        }
        Provider::Vendor(settings) => settings,
    };
    // an error means that it is in place already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let vendor =
        rooms::vendor(config, settings).map_err(|error| Failure::because("the provider cannot be used", &error))?;
    let site = config.sites.first();
    let app = site.map_or("Vestibule", |site| site.portal.name.as_str());
    let language = site.and_then(|site| site.portal.languages.first().copied()).unwrap_or(Language::En);
    let text = sms_text::test_sms(language, app);
    let code = Code::random(config.two_factor.code.length);
    let message = SmsMessage { to: &number, text: &text, code: Some(&code), app, language };
    let request = vendor
        .dry_run(&message)
        .map_err(|error| Failure::because("the message fits nowhere in the request", &error))?;
    if arguments.dry_run {
        return if arguments.json {
            output::print_json(&json!({ "request": request }))
        } else {
            output::print(&format!("{request}\n"))
        };
    }
    send(&vendor, &message, &request, arguments.json)
}

fn choose<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a Provider, Failure> {
    let mut providers = config.sms.providers.iter();
    match name {
        None => providers.next().ok_or_else(|| Failure::new("sms.providers is empty")),
        Some(name) => providers.find(|provider| provider.name() == name).ok_or_else(|| {
            let known: Vec<&str> = config.sms.providers.iter().map(Provider::name).collect();
            Failure::new(format!("no provider is called {name:?}; there are: {}", known.join(", ")))
        }),
    }
}

fn send(vendor: &HttpSms, message: &SmsMessage<'_>, request: &str, as_json: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("no runtime could be started", &error))?;
    let attempt = runtime.block_on(vendor.attempt(message));
    let (class, meaning) = match &attempt.result {
        SmsResult::Accepted(_) => ("accepted", "the vendor took the message; look at the phone"),
        SmsResult::Recipient => {
            ("recipient", "this number cannot or must not be texted; no other provider would be asked")
        }
        SmsResult::Provider => {
            ("provider", "the account, the sender or the credit at this vendor; the next provider would be asked")
        }
        SmsResult::Transient => ("transient", "refused for now; the next provider would be asked"),
        SmsResult::MaybeSent => {
            ("maybe_sent", "unclear; it may have gone out, and would not be sent again through this vendor")
        }
    };
    let answer = attempt.answer.as_ref().map(|answer| answer.as_str());
    if as_json {
        output::print_json(&json!({
            "request": request,
            "status": attempt.status,
            "answer": answer,
            "failure": attempt.failure,
            "class": class,
            "took_ms": u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
        }))?;
    } else {
        let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let said = answer.or(attempt.failure.as_deref()).unwrap_or("");
        output::print(&format!(
            "{request}\n\n{status} after {} ms\n{said}\n\n{class}: {meaning}\n",
            attempt.took.as_millis()
        ))?;
    }
    match attempt.result {
        SmsResult::Accepted(_) => Ok(()),
        SmsResult::Recipient | SmsResult::Provider | SmsResult::Transient | SmsResult::MaybeSent => {
            Err(Failure::said())
        }
    }
}
