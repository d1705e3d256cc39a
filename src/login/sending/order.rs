//! Which providers are asked for a number of a country, and in which order. Pure. Floor: login.

use std::sync::Arc;

use crate::domain::phone::Country;
use crate::login::ports::SmsSender;

/// The providers that serve `country`, in the operator's order.
pub(super) fn senders_for(
    country: Country,
    senders: &[Arc<dyn SmsSender>],
) -> impl Iterator<Item = &Arc<dyn SmsSender>> {
    senders.iter().filter(move |sender| sender.countries().is_empty() || sender.countries().contains(&country))
}
