//! The black-box suite: the real binary against real stores, a real browser and a vendor and an application of our own.
//! One test binary: one link, one harness.

#![expect(dead_code, reason = "the harness offers more than the tests of the day use")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod access_log;
mod account;
mod account_number;
mod accounts;
mod activation;
mod api;
mod architecture;
mod assertion;
mod audit;
mod browser;
mod circles;
mod config;
mod crash;
mod enrolment;
mod forward_auth;
mod forwarding;
mod harness;
mod many_people;
mod meanwhile;
mod metrics;
mod notices;
mod one_time_passwords;
mod operators;
mod outages;
mod proxy_protocol;
mod races;
mod refusals;
mod secrets;
mod sending;
mod sessions;
mod sign_in;
mod staged_enrolment;
mod streams;
mod third_party;
mod tls;
mod upstreams;
mod wire;
