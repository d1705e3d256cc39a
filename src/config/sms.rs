//! `sms`: where SMS may go, whom they seem to come from, and who sends them. How a vendor is spoken to is described by the settings of the
//! adapter, which `sms_provider.rs` fills. Floor: roof.

use std::time::Duration;

use crate::adapters::sms::settings::ProviderSettings;
use crate::domain::limits::GuardMode;
use crate::domain::phone::Country;

use super::node::Node;
use super::sms_provider;

/// Sending codes.
#[derive(Clone, Debug)]
pub struct Sms {
    /// At least one; numbers of all others are refused.
    pub countries: Vec<Country>,
    /// At most eleven letters and digits, or a number; `None` when no vendor needs one.
    pub sender: Option<String>,
    /// At least one, in the order in which they are tried; names are unique.
    pub providers: Vec<Provider>,
    /// For numbers of a country that is allowed these providers that serve it, in this order.
    pub orders: Vec<(Country, Vec<String>)>,
    pub breaker: Breaker,
    /// What is done about messages to newcomers beyond `limits.sms`.
    pub guard: GuardMode,
}

/// When a provider that fails is asked after all others.
#[derive(Clone, Copy, Debug)]
pub struct Breaker {
    /// So many failures in a row within `within`.
    pub failures: u32,
    pub within: Duration,
    /// For so long; then it is asked in its place again.
    pub rest: Duration,
}

/// Somebody who sends SMS.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Writes the SMS on standard output. Only when all sites are on loopback.
    Terminal { name: String },
    /// A vendor, spoken to over HTTP. `Description::read` finds nothing wrong with it.
    Vendor(Box<ProviderSettings>),
}

impl Provider {
    /// What logs and `sms test --provider` call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Terminal { name } => name,
            Self::Vendor(settings) => &settings.name,
        }
    }

    /// Whether it is used for numbers of this country.
    #[must_use]
    pub fn serves(&self, country: Country) -> bool {
        match self {
            Self::Terminal { .. } => true,
            Self::Vendor(settings) => {
                settings.countries.is_empty()
                    || settings.countries.iter().any(|served| Country::parse(served) == Some(country))
            }
        }
    }
}

pub(super) fn read(node: &Node<'_>) -> Sms {
    let orders = node
        .key(
            "orders",
            "For numbers of a country only these providers, in this order. Left out: all that serve the country, in the order above.",
        )
        .map("FR", |_, slot| slot.list(1, 20, |slot| slot.text(40).required("house-gateway")).required("[house-gateway]"));
    let sms = Sms {
        countries: node
            .key("countries", "Numbers of these countries get SMS, and no others.")
            .list(1, 300, |slot| slot.country().required("BE"))
            .required("[BE, NL, FR, DE]"),
        sender: node
            .key("sender", "Whom an SMS seems to come from. Many countries want it registered; your vendor knows.")
            .text(16)
            .parsed("up to eleven letters, digits and blanks, with a letter among them, or a number such as \"+32460001234\" in quotes", sender)
            .suggested("Acme"),
        providers: node
            .key("providers", "Who sends them, in this order: the next is tried when one fails.")
            .list(1, 20, sms_provider::read)
            .required(""),
        orders: Vec::new(),
        guard: node
            .key(
                "guard",
                "What is done about SMS to newcomers that go beyond `limits.sms`: `enforce` does not send them; `observe` sends them and says in the log what \
                 would not have been sent. The totals, and the limits of an account and a number, hold in any case.",
            )
            .choice(&[("enforce", GuardMode::Enforce), ("observe", GuardMode::Observe)])
            .or("enforce"),
        breaker: node
            .key(
                "breaker",
                "A provider that fails again and again (it does not answer, or says that it cannot) is asked after all others for a while. All nodes \
                 know of it.",
            )
            .section(|node| Breaker {
                failures: node.key("failures", "So many failures in a row.").count(2, 100).or("5"),
                within: node.key("within", "Within this time.").duration("5s", "1h").or("60s"),
                rest: node.key("rest", "For so long.").duration("5s", "1h").or("60s"),
            }),
    };
    for (index, provider) in sms.providers.iter().enumerate() {
        if sms.providers.iter().take(index).any(|earlier| earlier.name() == provider.name()) {
            node.refuse(
                &format!("providers[{index}].name"),
                &[],
                format!("another provider is called {:?} too", provider.name()),
                "a name of its own",
            );
        }
        if let Provider::Vendor(settings) = provider {
            sms_provider::check(node, index, settings, sms.sender.is_some());
        }
    }
    let orders = orders.into_iter().filter_map(|(country, names)| order(node, &sms, &country, names)).collect();
    Sms { orders, ..sms }
}

/// The order for one country; `None` when it is no order, which is noted.
fn order(node: &Node<'_>, sms: &Sms, written: &str, names: Vec<String>) -> Option<(Country, Vec<String>)> {
    let key = format!("orders.{written}");
    if !["countries", "providers", &key].iter().all(|key| node.reading().is_as_given(&node.path(key))) {
        return None; // what does not fit stand-ins is nobody's mistake
    }
    let Some(country) = Country::parse(written).filter(|country| sms.countries.contains(country)) else {
        let right = "one of sms.countries, in two capital letters";
        node.refuse(&key, &[], format!("{written} is no country that SMS may go to"), right);
        return None;
    };
    for name in &names {
        match sms.providers.iter().find(|provider| provider.name() == name) {
            None => {
                node.refuse(&key, &[], format!("no provider is called {name:?}"), "names of sms.providers");
            }
            Some(provider) if !provider.serves(country) => node.refuse(
                &key,
                &[],
                format!("{name} is not for {country}, by its `countries`"),
                "providers that serve the country",
            ),
            Some(_) => {}
        }
    }
    Some((country, names))
}

/// What GSM networks show: eleven characters of text (3GPP TS 23.040 §9.1.2.5), or a number of up to fifteen digits (E.164).
pub(super) fn sender(text: String) -> Result<String, String> {
    let digits = text.strip_prefix('+').unwrap_or(&text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return if (3..=15).contains(&digits.len()) {
            Ok(text)
        } else {
            Err(format!("{text} has {} digits; a number has 3 to 15", digits.len()))
        };
    }
    if text.chars().count() > 11 {
        return Err(format!("{text:?} has {} characters", text.chars().count()));
    }
    let is_alphanumeric = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ')
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    if is_alphanumeric { Ok(text) } else { Err(format!("{text:?} holds something else, or no letter")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_a_short_name_or_a_number() {
        for text in ["Acme", "Acme 2", "A", "12345678901", "+32460001234", "3000"] {
            assert!(sender(text.into()).is_ok(), "{text}");
        }
        for text in ["Acme Marketing", "Acmé", "+", "12", "1234567890123456", "a-b", "+32x", "12 34"] {
            assert!(sender(text.into()).is_err(), "{text}");
        }
    }
}
