//! A day with a provider that loses every third message, played with `order` and dice that fall the same each time: what the order by delivery is
//! worth, and that whoever delivers again gets its place back. Tests only. Floor: login.

use std::collections::{HashMap, VecDeque};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::order::{Course, MOST_JUDGED, PROBE_ONE_IN, Record, Standing, order};

/// People who sign in during the day.
const SIGN_INS: u32 = 3_000;
/// Messages a login may have.
const SENDS: u32 = 4;
/// Of a hundred people who got their code so many type it; the others were called away.
const DILIGENT_PERCENT: u32 = 97;
/// Of a hundred messages a provider that works delivers so many.
const DELIVERED_PERCENT: u32 = 98;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ordering {
    ByDelivery,
    /// As the operator wrote it, whatever comes of it; asked again, another one.
    Fixed,
}

#[derive(Debug, Default)]
struct Day {
    first_try: u32,
    in_the_end: u32,
    messages: u32,
    /// First messages that the first provider got, by tenth of the day.
    given_to_first: [u32; 10],
}

/// `loses(tenth)`: whether the first provider loses every third message in that tenth of the day.
fn play(ordering: Ordering, loses: impl Fn(usize) -> bool) -> Day {
    let mut dice = StdRng::seed_from_u64(20_261_124);
    let mut latest: HashMap<usize, VecDeque<bool>> = HashMap::new();
    let (mut day, mut taken_by_first) = (Day::default(), 0_u32);
    for sign_in in 0..SIGN_INS {
        let tenth = (sign_in * 10 / SIGN_INS) as usize;
        let mut asked: Vec<usize> = Vec::new();
        let will_type = dice.random_ratio(DILIGENT_PERCENT, 100);
        for send in 0..SENDS {
            let standings: Vec<Standing> = (0..2)
                .map(|provider| {
                    let fates = latest.entry(provider).or_default();
                    let entered = fates.iter().filter(|entered| **entered).count() as u32;
                    let record = Record { judged: fates.len() as u32, entered };
                    Standing { rests: false, was_asked: asked.contains(&provider), record }
                })
                .map(|standing| match ordering {
                    Ordering::ByDelivery => standing,
                    Ordering::Fixed => Standing { record: Record::default(), ..standing },
                })
                .collect();
            let course = if dice.random_ratio(1, PROBE_ONE_IN) { Course::Probe } else { Course::Usual };
            let provider = order(&standings, course)[0];
            asked.push(provider);
            day.messages += 1;
            let mut arrives = dice.random_ratio(DELIVERED_PERCENT, 100);
            if provider == 0 {
                taken_by_first += 1;
                arrives &= !(loses(tenth) && taken_by_first.is_multiple_of(3));
                day.given_to_first[tenth] += u32::from(send == 0);
            }
            let enters = arrives && will_type;
            let fates = latest.entry(provider).or_default();
            fates.push_front(enters);
            fates.truncate(MOST_JUDGED as usize);
            if enters {
                day.first_try += u32::from(send == 0);
                day.in_the_end += 1;
                break;
            }
            if !will_type {
                break; // gone, whatever comes
            }
        }
    }
    day
}

fn permille(of: u32) -> u32 {
    of * 1000 / SIGN_INS
}

#[test]
fn ordering_by_delivery_gets_more_codes_entered_at_the_first_try() {
    let [fixed, ordered] = [Ordering::Fixed, Ordering::ByDelivery].map(|ordering| play(ordering, |_| true));
    for (name, day) in [("as written", &fixed), ("by delivery", &ordered)] {
        println!(
            "{name}: of {SIGN_INS} sign-ins {} ({} ‰) at the first try, {} in the end, with {} messages; first asked by tenths: {:?}",
            day.first_try,
            permille(day.first_try),
            day.in_the_end,
            day.messages,
            day.given_to_first,
        );
    }
    assert!((600..680).contains(&permille(fixed.first_try)), "{fixed:?}");
    assert!(permille(ordered.first_try) > 910, "{ordered:?}");
    assert!(ordered.messages < fixed.messages, "and fewer messages are paid for");
    assert!(ordered.given_to_first.iter().skip(1).all(|given| (1..60).contains(given)), "it is probed: {ordered:?}");
}

#[test]
fn a_provider_that_delivers_again_gets_its_place_back() {
    let day = play(Ordering::ByDelivery, |tenth| tenth < 2);
    println!("lossy for a fifth of the day: first asked by tenths of {}: {:?}", SIGN_INS / 10, day.given_to_first);
    assert!(day.given_to_first[1] < 60, "{day:?}");
    assert!(day.given_to_first[9] > 270, "{day:?}");
    let healthy = play(Ordering::ByDelivery, |_| false);
    assert!(healthy.given_to_first.iter().all(|given| *given == SIGN_INS / 10), "a good one keeps it: {healthy:?}");
}
