//! Which providers are asked for a message, and in which order. Pure: everything it goes by is handed in. It never leaves a provider out that
//! serves the country: whoever is worse or rests comes later, so that a message goes out as long as anybody takes it. Floor: login.

use std::sync::Arc;

use crate::domain::phone::Country;
use crate::login::ports::SmsSender;

/// Fewer codes than this say nothing about a provider. Our own figure: below it, chance alone moves a rate by more than `TOLERANCE`.
pub const LEAST_JUDGED: u32 = 20;
/// So many of a provider's latest codes are looked at. Our own figure: what was long ago is forgotten, in hours where much is sent.
pub const MOST_JUDGED: u32 = 60;
/// A provider keeps the place the operator gave it until another one's share of entered codes is higher by more than this. Our own figure.
const TOLERANCE_PERMILLE: u32 = 120;
/// What is expected of a provider about which nothing is known. Our own figure.
const ASSUMED_PERMILLE: u32 = 800;
/// One message in so many goes to a provider that has lost its place, so that it can earn it back. Our own figure.
pub const PROBE_ONE_IN: u32 = 20;

/// What is known of a provider when a message is to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// It failed several times in a row and is left alone for a moment.
    pub rests: bool,
    /// It was asked for an earlier message of this login.
    pub was_asked: bool,
    pub record: Record,
}

/// How codes fared that went out through a provider to a country lately.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Codes whose fate is known: entered, asked for again, refused by the provider, or left lying.
    pub judged: u32,
    /// Those among them that were entered.
    pub entered: u32,
}

/// What a message is used for besides being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// The best provider first.
    Usual,
    /// A provider that has lost its place goes first.
    Probe,
}

impl Record {
    /// The share of entered codes; `None` when too few are known.
    fn permille(self) -> Option<u32> {
        (self.judged >= LEAST_JUDGED).then(|| self.entered.saturating_mul(1000) / self.judged)
    }
}

/// The providers that serve `country`, in the operator's order: that for the country when there is one, else that of all.
pub fn serving<'a>(
    country: Country,
    orders: &[(Country, Vec<String>)],
    senders: &'a [Arc<dyn SmsSender>],
) -> Vec<&'a Arc<dyn SmsSender>> {
    match orders.iter().find(|(of, _)| *of == country) {
        Some((_, names)) => {
            names.iter().filter_map(|name| senders.iter().find(|sender| sender.name() == name)).collect()
        }
        None => senders
            .iter()
            .filter(|sender| sender.countries().is_empty() || sender.countries().contains(&country))
            .collect(),
    }
}

/// In which order providers are asked, as places in `standings`, which come in the operator's order.
///
/// Who rests comes last; before that, who was asked for this login already; before that, who has lost its place.
#[must_use]
pub fn order(standings: &[Standing], course: Course) -> Vec<usize> {
    let mut ranked: Vec<(Rank, usize)> = standings
        .iter()
        .enumerate()
        .map(|(place, standing)| {
            let lost_by = has_lost_its_place(place, standings).then(|| expected(standing));
            let rank = Rank {
                rests: standing.rests,
                was_asked: standing.was_asked,
                // the better among those that have lost their place go first
                lost_permille: lost_by.map(|permille| 1 + 1000_u32.saturating_sub(permille)),
            };
            (rank, place)
        })
        .collect();
    ranked.sort();
    if course == Course::Probe
        && let Some(at) = ranked.iter().position(|(rank, _)| rank.is_to_be_probed())
        && let Some(probed) = ranked.get(..=at).and_then(<[_]>::last).copied()
    {
        ranked.remove(at);
        ranked.insert(0, probed);
    }
    ranked.into_iter().map(|(_, place)| place).collect()
}

/// Less is earlier; equal ones stay in the operator's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    rests: bool,
    was_asked: bool,
    /// `None`: it has not lost its place.
    lost_permille: Option<u32>,
}

impl Rank {
    fn is_to_be_probed(self) -> bool {
        !self.rests && !self.was_asked && self.lost_permille.is_some()
    }
}

fn has_lost_its_place(place: usize, standings: &[Standing]) -> bool {
    let Some(own) = standings.get(place).and_then(|standing| standing.record.permille()) else { return false };
    let best =
        standings.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, other)| expected(other)).max();
    best.is_some_and(|best| own + TOLERANCE_PERMILLE < best)
}

fn expected(standing: &Standing) -> u32 {
    standing.record.permille().unwrap_or(ASSUMED_PERMILLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entered(entered: u32, judged: u32) -> Standing {
        Standing { record: Record { judged, entered }, ..Standing::default() }
    }

    fn usual(standings: &[Standing]) -> Vec<usize> {
        order(standings, Course::Usual)
    }

    #[test]
    fn the_operators_order_holds_while_nobody_is_clearly_worse() {
        assert_eq!(usual(&[]), [0_usize; 0]);
        assert_eq!(usual(&[Standing::default(); 3]), [0, 1, 2]);
        assert_eq!(usual(&[entered(50, 60), entered(57, 60)]), [0, 1], "within the tolerance");
        assert_eq!(usual(&[entered(0, 19), entered(60, 60)]), [0, 1], "too few to judge by");
        assert_eq!(usual(&[entered(42, 60)]), [0], "there is nobody else");
    }

    #[test]
    fn who_loses_messages_loses_its_place() {
        assert_eq!(usual(&[entered(40, 60), entered(57, 60)]), [1, 0]);
        assert_eq!(usual(&[entered(40, 60), Standing::default()]), [1, 0], "an unknown one is given a chance");
        assert_eq!(usual(&[entered(10, 60), entered(40, 60), entered(58, 60)]), [2, 1, 0]);
        assert_eq!(usual(&[entered(30, 60), entered(30, 60)]), [0, 1], "people here leave codes lying, whoever sends");
    }

    #[test]
    fn a_probe_asks_the_best_of_those_that_lost_their_place_first() {
        let standings = [entered(10, 60), entered(40, 60), entered(58, 60)];
        assert_eq!(order(&standings, Course::Probe), [1, 2, 0]);
        assert_eq!(order(&[entered(58, 60), entered(58, 60)], Course::Probe), [0, 1], "nobody has to earn anything");
        let asked = [entered(58, 60), Standing { was_asked: true, ..entered(10, 60) }];
        assert_eq!(order(&asked, Course::Probe), [0, 1], "nobody waits twice for it");
    }

    #[test]
    fn asking_again_asks_another_one_first() {
        let asked = Standing { was_asked: true, ..Standing::default() };
        assert_eq!(usual(&[asked, Standing::default()]), [1, 0]);
        assert_eq!(usual(&[asked, entered(40, 60), Standing::default()]), [2, 1, 0]);
        assert_eq!(usual(&[asked]), [0], "the only one is asked again");
    }

    #[test]
    fn who_rests_is_asked_last_and_never_left_out() {
        let rests = Standing { rests: true, ..Standing::default() };
        let asked = Standing { was_asked: true, ..Standing::default() };
        assert_eq!(usual(&[rests, asked, entered(0, 60)]), [2, 1, 0]);
        assert_eq!(usual(&[rests, rests]), [0, 1]);
    }
}
