//! Which of several servers: in turn, or the same one for the same key. Pure; knows of a server only whether it is fit.
//!
//! Keys go to servers by rendezvous hashing (each server draws a number from the key, the highest wins): when a server goes, only its own
//! keys move, and all nodes agree without speaking. pingora's ketama ring does the same, but knows only IP addresses. Floor: edge (pure).

use std::net::IpAddr;

use ring::digest::{SHA256, digest};

use super::settings::Balance;
use crate::domain::network::folded;

/// Who asks, for the choice by key.
#[derive(Clone, Copy, Debug)]
pub struct AskedBy<'a> {
    /// The address of the client.
    pub client: IpAddr,
    /// The account, when somebody is signed in.
    pub account: Option<&'a [u8]>,
}

/// Whether a server should get requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fitness {
    /// It should.
    Fit,
    /// It failed just now: only when there is no fit one.
    Resting,
    /// It was asked and is not well: never.
    Unhealthy,
}

/// How one is picked among equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The one whose turn it is.
    Turn(usize),
    /// The one that draws the highest number.
    Key(u64),
}

/// The order for one request; `turn` is drawn only where it counts.
pub(super) fn order(balance: Balance, asked_by: AskedBy<'_>, turn: impl FnOnce() -> usize) -> Order {
    match (balance, asked_by.account) {
        (Balance::RoundRobin, _) => Order::Turn(turn()),
        (Balance::Session, Some(account)) => Order::Key(number(account)),
        (Balance::Session, None) | (Balance::Client, _) => Order::Key(client_key(asked_by.client)),
    }
}

/// One of the servers with these seeds, other than `tried` where there is another. `None` when all are unhealthy.
pub(super) fn choose(
    order: Order,
    seeds: &[u64],
    tried: Option<usize>,
    fitness: impl Fn(usize) -> Fitness,
) -> Option<usize> {
    let pick = |wanted: Fitness| {
        let fits = |at: &usize| Some(*at) != tried && fitness(*at) == wanted;
        let mut candidates = (0..seeds.len()).filter(fits);
        match order {
            Order::Turn(turn) => {
                let count = candidates.clone().count();
                candidates.nth(turn.checked_rem(count)?)
            }
            Order::Key(key) => candidates.max_by_key(|at| seeds.get(*at).map(|seed| mixed(seed ^ key))),
        }
    };
    let tried_again = || tried.filter(|at| *at < seeds.len() && fitness(*at) != Fitness::Unhealthy);
    pick(Fitness::Fit).or_else(|| pick(Fitness::Resting)).or_else(tried_again)
}

/// A number that is the same on all nodes and in all versions.
pub(super) fn number(bytes: &[u8]) -> u64 {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// A subscriber's network rather than one address: IPv6 clients change the lower half daily (RFC 8981).
fn client_key(client: IpAddr) -> u64 {
    match folded(client) {
        IpAddr::V4(address) => number(&address.octets()),
        IpAddr::V6(address) => number(&address.octets()[..8]),
    }
}

/// The finalizer of SplitMix64: every bit of the input moves every bit of the result.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeds(count: usize) -> Vec<u64> {
        (0..count).map(|server| number(format!("http://10.0.0.{server}:8080").as_bytes())).collect()
    }

    fn all_fit(_: usize) -> Fitness {
        Fitness::Fit
    }

    fn asked_by(client: &str) -> AskedBy<'static> {
        AskedBy { client: client.parse().unwrap(), account: None }
    }

    #[test]
    fn servers_take_turns_and_the_turns_of_one_that_is_out_are_shared_evenly() {
        let seeds = seeds(4);
        let without_one = |at| if at == 1 { Fitness::Unhealthy } else { Fitness::Fit };
        let mut counts = [0; 4];
        for turn in 0..300 {
            counts[choose(Order::Turn(turn), &seeds, None, without_one).unwrap()] += 1;
        }
        assert_eq!(counts, [100, 0, 100, 100]);
        assert_eq!(choose(Order::Turn(usize::MAX), &seeds, None, all_fit), Some(usize::MAX % 4));
    }

    #[test]
    fn a_key_stays_with_its_server_and_only_the_share_of_a_lost_one_moves() {
        const KEYS: u64 = 10_000;
        let seeds = seeds(5);
        let of = |key: u64| Order::Key(number(&key.to_be_bytes()));
        let mut counts = [0; 5];
        let mut moved = 0;
        for key in 0..KEYS {
            let home = choose(of(key), &seeds, None, all_fit).unwrap();
            assert_eq!(choose(of(key), &seeds, None, all_fit), Some(home));
            counts[home] += 1;
            let without = |at| if at == 2 { Fitness::Unhealthy } else { Fitness::Fit };
            let elsewhere = choose(of(key), &seeds, None, without).unwrap();
            if elsewhere != home {
                assert_eq!(home, 2, "a key moved from a server that is still there");
                moved += 1;
            }
        }
        assert_eq!(moved, counts[2]);
        // A fifth each: 2000, whose standard deviation is 40.
        assert!(counts.iter().all(|count| (1800..2200).contains(count)), "{counts:?}");
    }

    #[test]
    fn the_order_of_the_list_does_not_matter_to_keys() {
        let seeds = seeds(3);
        let reversed: Vec<u64> = seeds.iter().rev().copied().collect();
        for key in 0..100_u64 {
            let order = Order::Key(number(&key.to_be_bytes()));
            let one = choose(order, &seeds, None, all_fit).unwrap();
            let other = choose(order, &reversed, None, all_fit).unwrap();
            assert_eq!(seeds[one], reversed[other]);
        }
    }

    #[test]
    fn a_tried_one_comes_last_a_resting_one_before_it_and_an_unhealthy_one_never() {
        let seeds = seeds(3);
        let states = [Fitness::Fit, Fitness::Resting, Fitness::Unhealthy];
        let fitness = |at: usize| states[at];
        for order in [Order::Turn(7), Order::Key(7)] {
            assert_eq!(choose(order, &seeds, None, fitness), Some(0));
            assert_eq!(choose(order, &seeds, Some(0), fitness), Some(1));
            assert_eq!(choose(order, &seeds[..1], Some(0), fitness), Some(0));
            assert_eq!(choose(order, &seeds, None, |_| Fitness::Unhealthy), None);
            assert_eq!(choose(order, &seeds, Some(1), |_| Fitness::Unhealthy), None);
            assert_eq!(choose(order, &[], None, all_fit), None);
        }
    }

    #[test]
    fn the_key_is_the_account_where_there_is_one_and_else_the_network_of_the_client() {
        let by = |balance, asked_by| order(balance, asked_by, || 5);
        let anna = AskedBy { account: Some(b"anna"), ..asked_by("192.0.2.1") };
        let anna_elsewhere = AskedBy { account: Some(b"anna"), ..asked_by("192.0.2.9") };
        assert_eq!(by(Balance::RoundRobin, anna), Order::Turn(5));
        assert_eq!(by(Balance::Session, anna), by(Balance::Session, anna_elsewhere));
        assert_ne!(by(Balance::Client, anna), by(Balance::Client, anna_elsewhere));
        assert_eq!(by(Balance::Session, asked_by("192.0.2.1")), by(Balance::Client, anna));
        assert_eq!(
            by(Balance::Client, asked_by("2001:db8::1")),
            by(Balance::Client, asked_by("2001:db8::ffff:ffff:ffff:ffff"))
        );
        assert_ne!(by(Balance::Client, asked_by("2001:db8::1")), by(Balance::Client, asked_by("2001:db8:0:1::1")));
    }
}
