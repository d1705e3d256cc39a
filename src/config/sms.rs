//! `sms`: where SMS may go, whom they seem to come from, and who sends them. How a vendor is spoken to is
//! described by the adapter's own settings, which this file fills. Floor: roof.

use crate::adapters::sms::settings::ProviderSettings;
use crate::domain::phone::Country;

/// Sending codes.
#[derive(Clone, Debug)]
pub struct Sms {
    /// At least one; numbers of all others are refused.
    pub countries: Vec<Country>,
    /// At most eleven letters and digits, or a number; `None` when no vendor needs one.
    pub sender: Option<String>,
    /// At least one, in the order in which they are tried; names are unique.
    pub providers: Vec<Provider>,
}

/// Somebody who sends SMS.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Writes the SMS on standard output. Only when all sites are on loopback.
    Terminal { name: String },
    /// A vendor, spoken to over HTTP.
    Vendor(Box<ProviderSettings>),
}
