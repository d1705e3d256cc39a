//! Asks everything the configuration names whether it answers: Redis, SQL, the servers of SMS vendors, of mail and of the applications. Sends
//! no SMS and no mail: to vendors it only connects, the mail server is greeted and shown the password, applications are only connected to unless
//! `health` says what to ask for. Floor: roof.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::{rooms, settings_of};
use crate::adapters::redis_address::RedisAddress;
use crate::adapters::redis_link::RedisLink;
use crate::adapters::redis_probe::RedisProbe;
use crate::adapters::sms::attempt::HttpSms;
use crate::config::Config;
use crate::config::sms::Provider;
use crate::config::stores::State;
use crate::domain::code::Code;
use crate::domain::language::Language;
use crate::domain::phone::PhoneNumber;
use crate::gateway::upstreams::health;
use crate::login::chain;
use crate::login::ports::SmsMessage;

/// How long one of them may take. Our own choice: somebody waits at a terminal.
const LONGEST: Duration = Duration::from_secs(3);

/// One thing that was asked.
#[derive(Clone, Debug)]
pub struct Probed {
    /// The key of the configuration that names it.
    pub key: String,
    /// What it said when it answers; why not when it does not.
    pub answer: Result<String, String>,
}

/// Asks all of them, one after another.
pub async fn probe(config: &Config) -> Vec<Probed> {
    let mut probed = vec![
        Probed { key: "state.url".to_owned(), answer: redis(config).await },
        Probed {
            key: "accounts.url".to_owned(),
            answer: rooms::open_accounts(config)
                .await
                .map(|_| "the database answers, and its keys are here".to_owned())
                .map_err(|error| chain(&error)),
        },
    ];
    for (index, provider) in config.sms.providers.iter().enumerate() {
        let key = format!("sms.providers[{index}] ({})", provider.name());
        let answer = match provider {
            Provider::Terminal { .. } => Ok("the terminal".to_owned()),
            Provider::Vendor(settings) => match rooms::vendor(config, settings) {
                Ok(vendor) => connect(vendor_place(&vendor).as_deref()).await,
                Err(error) => Err(chain(&error)),
            },
        };
        probed.push(Probed { key, answer });
    }
    let mail = match rooms::mail(config) {
        Ok(None) => None,
        Ok(Some(server)) => Some(server.greet().await.map(|()| "it would take mail from here".to_owned())),
        Err(error) => Some(Err(chain(&error))),
    };
    probed.extend(mail.map(|answer| Probed { key: "mail.server".to_owned(), answer }));
    for (name, upstream) in &config.upstreams {
        let answers = health::probe(&settings_of::upstream_settings(name, upstream)).await;
        for (index, answer) in answers.into_iter().enumerate() {
            probed.push(Probed { key: format!("upstreams.{name}.servers[{index}]"), answer });
        }
    }
    probed
}

/// Where the vendor is. A number and a code stand in for real ones; nothing is sent.
fn vendor_place(vendor: &HttpSms) -> Option<String> {
    let (to, code) = (PhoneNumber::from_stored("+32470123456")?, Code::random(6));
    vendor.place(&SmsMessage { to: &to, text: "", code: Some(&code), app: "", language: Language::En })
}

async fn redis(config: &Config) -> Result<String, String> {
    match &config.state {
        State::Memory => Ok("memory of the process".to_owned()),
        State::Redis { url } => {
            let address = RedisAddress::parse(url).map_err(|problem| problem.to_string())?;
            match RedisLink::new(address, Handle::current()).probe().await {
                RedisProbe::Ready { version } => Ok(format!("Redis {version}")),
                RedisProbe::Unreachable { why } => Err(why),
                RedisProbe::Wrong(problems) => {
                    Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
                }
            }
        }
    }
}

async fn connect(place: Option<&str>) -> Result<String, String> {
    let Some(place) = place else { return Err("its URL names no host before a message is known".to_owned()) };
    match timeout(LONGEST, TcpStream::connect(place)).await {
        Ok(Ok(_)) => Ok(format!("{place} can be connected to")),
        Ok(Err(error)) => Err(format!("{place} cannot be connected to: {error}")),
        Err(_) => Err(format!("{place} did not answer within {} s", LONGEST.as_secs())),
    }
}
